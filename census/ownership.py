"""Who owns and keeps a component, as the survey wrote it: units resolved, doubts made a state.

Codes that the unit directory knows are kept, names are looked up, and nothing is thrown away: what
the directory does not know stays as written, for a person to settle.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from census.matching import UnitNames
from census.standing import first_of, standing
from census.survey import known_words, map_distinct
from census.units import UnitDirectory, UnitMatch, is_credit_code, plain_unit_code
from gis.faults import Faults

ROLES: Mapping[str, tuple[str, str]] = {
    "competent": ("competent department", "主管部门"),
    "owner": ("property owner", "权属单位"),
    "maintainer": ("maintainer", "养护单位"),
}
"""Role of a unit for a component -> its name in both languages."""

_MOST_HINTS = 100
"""Distinct unknown names, per role, whose likely units are looked for: the most frequent ones."""
_DISPUTE_NOTE = re.compile(r"[（(\[【\-—\s]*(权属)?(存在|有)?争议(中)?[）)\]】\s]*")
_PARTIES = re.compile(r"[/、，,;；]|或")
_REMARKS: tuple[tuple[str, "re.Pattern[str]"], ...] = (
    ("disputed", re.compile(r"(权属|产权|归属).{0,6}争议")),
    ("none", re.compile(r"^无主|无主部件|无权属单位|无责任主体")),
    ("unknown", re.compile(r"(权属|产权|归属).{0,4}(不明|不清|不详|待查|待定)")),
)


def ownership_states(rows: pd.DataFrame) -> "pd.Series[str]":
    """Return confirmed, disputed 争议, none 无主 or unknown for each component.

    The delivered state comes first, then the words in place of the owner's name, then the remark,
    then a class that is called 无主; an owner named without any doubt is confirmed.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``ownership_state``, ``owner_code``, ``owner_name``, ``remark`` and ``class_name``.

    Examples
    --------
    >>> rows = pd.DataFrame(
    ...     {
    ...         "ownership_state": None,
    ...         "owner_code": None,
    ...         "owner_name": ["市排水公司", "无主", "联通（争议）", None],
    ...         "remark": None,
    ...         "class_name": "雨水井盖",
    ...     }
    ... )
    >>> ownership_states(rows).tolist()
    ['confirmed', 'none', 'disputed', 'unknown']
    """
    words = known_words("ownership")
    state = map_distinct(rows["ownership_state"], lambda word: words.get(str(word).casefold()))
    for column, read in (("owner_name", _owner_word), ("remark", _remark_word)):
        state = state.fillna(map_distinct(rows[column], read))
    ownerless = map_distinct(rows["class_name"], lambda name: str(name).startswith("无主")).eq(True)
    named = rows["owner_code"].notna() | rows["owner_name"].notna()
    state = state.mask(state.isna() & ownerless & ~named, "none")
    return state.mask(state.isna() & named, "confirmed").fillna("unknown").astype(object)


def resolve_units(
    rows: pd.DataFrame, faults: Faults, *, directory: UnitDirectory, demands_credit_code: bool
) -> pd.DataFrame:
    """Return the codes of the three roles, as far as the directory knows them.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``competent_code``, ``competent_name``, and so on for each of `ROLES`.
    faults : Faults
        Gets C060-C065; C060 names the units that an unknown name is like.
    directory : UnitDirectory
        Units to look up; when it is empty all codes stay as delivered.
    demands_credit_code : bool
        Whether codes of units have to be unified social credit codes, as since 2026.

    Returns
    -------
    pandas.DataFrame
        ``competent_code``, ``owner_code`` and ``maintainer_code``, aligned to `rows`.
    """
    codes = pd.DataFrame({f"{role}_code": rows[f"{role}_code"] for role in ROLES})
    if not directory.names:
        given = pd.concat(
            [rows[f"{role}_{part}"].notna() for role in ROLES for part in ("code", "name")], axis=1
        )
        faults.add("C064", first_of(given.any(axis=1) & standing(rows, faults)))
        return codes
    for role, labels in ROLES.items():
        code, name = rows[f"{role}_code"], rows[f"{role}_name"]
        if demands_credit_code:
            wrong = code.notna() & ~map_distinct(code, _is_sound).eq(True)
            faults.add(
                "C063",
                wrong & standing(rows, faults),
                role=labels[0],
                role_zh=labels[1],
                given=code,
            )
        pair, table = _look_up(code, name, directory)
        kept = table["code"].where(table["code"].notna(), table["given_code"])
        codes[f"{role}_code"] = kept.to_numpy(dtype=object)[pair]
        if table["is_odd"].any():
            match = table.iloc[pair].set_index(code.index)
            given = name.where(name.notna(), code)
            _report(faults, match, labels=labels, given=given, hints=_hints(match, name, directory))
    return codes


def find_unit(code: str | None, name: str | None, directory: UnitDirectory) -> UnitMatch:
    """Return what a delivered pair means: words of doubt are no name, a dispute's note is not part of one.

    Examples
    --------
    >>> from census.units import read_directory
    >>> units = read_directory(pd.DataFrame({"code": ["U1"], "name": ["市排水公司"]}))
    >>> find_unit(None, "市排水公司（争议）", units).code, find_unit(None, "无主", units).how
    ('U1', 'blank')
    """
    word = _owner_word(name) if name else None
    if word in ("none", "unknown", "confirmed"):
        return directory.find(code, None)
    if word != "disputed" or name is None:
        return directory.find(code, name)
    plain = _DISPUTE_NOTE.sub("", name)
    parties = [part for part in (plain, *_PARTIES.split(plain)) if part.strip()]
    found = [directory.find(code, party) for party in parties]
    known = (match for match in found if match.code is not None)
    return next(known, found[0] if found else directory.find(code, None))


def _look_up(
    code: "pd.Series[str]", name: "pd.Series[str]", directory: UnitDirectory
) -> tuple[NDArray[np.intp], pd.DataFrame]:
    """Return which distinct pair of code and name each row has, and what each pair means."""
    of_code, codes = pd.factorize(code)
    of_name, names = pd.factorize(name)
    width = len(names) + 1  # missing is -1
    pair, distinct = pd.factorize((of_code.astype(np.int64) + 1) * width + of_name + 1)
    code_at, name_at = np.divmod(distinct, width)
    given = [None if at == 0 else codes[at - 1] for at in code_at]
    matches = [
        find_unit(own, None if at == 0 else names[at - 1], directory)
        for own, at in zip(given, name_at, strict=True)
    ]
    heirs = [_heirs(match.code, directory) for match in matches]
    table = pd.DataFrame(
        {
            "given_code": pd.Series(given, dtype=object),
            "code": pd.Series([match.code for match in matches], dtype=object),
            "how": [match.how for match in matches],
            "is_contradicted": [match.is_contradicted for match in matches],
            "unit_name": [directory.names.get(match.code or "", "") for match in matches],
            "heirs": heirs,
            "is_odd": [
                match.is_contradicted or match.how in ("unknown", "ambiguous") or bool(heir)
                for match, heir in zip(matches, heirs, strict=True)
            ],
        }
    )
    return pair, table


def _hints(
    match: pd.DataFrame, name: "pd.Series[str]", directory: UnitDirectory
) -> "pd.Series[Any]":
    """Return for the names that are not known which units they are like; the frequent ones only."""
    unknown = name[match["how"].eq("unknown") & name.notna()]
    if unknown.empty:
        return pd.Series("", index=match.index, dtype=object)
    search = UnitNames(directory)
    frequent = unknown.value_counts().index[:_MOST_HINTS]
    hints = {
        spelling: "、".join(
            f"{found.name} {found.unit_code} ({found.score:.2f})"
            for found in search.candidates(spelling, limit=2)
        )
        for spelling in frequent
    }
    return name.map(hints).fillna("").astype(object)


def _report(
    faults: Faults,
    match: pd.DataFrame,
    *,
    labels: tuple[str, str],
    given: "pd.Series[str]",
    hints: "pd.Series[Any]",
) -> None:
    kept = standing(match, faults)
    words = {"role": labels[0], "role_zh": labels[1], "given": given}
    hint = ("; most like it: " + hints).where(hints.ne(""), "")
    hint_zh = ("，最接近的是 " + hints).where(hints.ne(""), "")
    faults.add("C060", match["how"].eq("unknown") & kept, hint=hint, hint_zh=hint_zh, **words)
    faults.add("C061", match["how"].eq("ambiguous") & kept, unit_code=match["code"], **words)
    faults.add("C062", match["is_contradicted"] & kept, unit_name=match["unit_name"], **words)
    faults.add("C065", match["heirs"].ne("") & kept, heirs=match["heirs"], **words)


def _heirs(code: str | None, directory: UnitDirectory) -> str:
    heirs = () if code is None else directory.split_of(code)
    return "、".join(f"{directory.names.get(heir, '')} {heir}".strip() for heir in heirs)


def _owner_word(name: str) -> str | None:
    """Return the state that a name in fact is, None for a real name."""
    word = known_words("ownership").get(name.casefold())
    return word or ("disputed" if "争议" in name else None)


def _remark_word(remark: str) -> str | None:
    return next((state for state, pattern in _REMARKS if pattern.search(remark)), None)


def _is_sound(code: str) -> bool:
    return is_credit_code(plain_unit_code(code))
