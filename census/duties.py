"""Whether the units of a component can do their duty: departments, units of today, no blanks."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from census.ownership import ROLES
from census.standing import add_once, standing
from census.survey import flag_distinct, known_words, map_distinct
from census.units import UnitDirectory
from gis.faults import Faults

_DEMANDED = ("owner", "maintainer")


def judge_duties(
    rows: pd.DataFrame,
    faults: Faults,
    *,
    units: pd.DataFrame,
    directory: UnitDirectory,
    kinds: Mapping[str, str],
    as_of: date,
) -> None:
    """Report units that are gone (C067), no departments (C068), and contradictions of ownership.

    A unit that was taken over and a competent department that is none are reported once for each
    file and unit, a role that is not filled once for each file (C096). C066: an owner is named
    although there is said to be none; C069: ownership is said to be clear, but no owner named.

    Parameters
    ----------
    rows : pandas.DataFrame
        Tidied rows with ``class_name`` and ``source_file``.
    faults : Faults
        Gets C066-C069 and C096.
    units : pandas.DataFrame
        What `census.ownership.resolve_units` returned, and ``ownership_state``.
    directory : UnitDirectory
        The directory; when it is empty nothing is said of units.
    kinds : mapping
        Unit code -> ``department`` and so on.
    as_of : datetime.date
        Day for which successions count.
    """
    _judge_ownership(rows, faults, state=units["ownership_state"])
    _judge_blanks(rows, faults, state=units["ownership_state"])
    kept = standing(rows, faults)
    for role, labels in ROLES.items():
        code = units[f"{role}_code"].where(kept)
        gone = flag_distinct(code, lambda unit: _current(unit, directory, as_of) != unit)
        successor = map_distinct(
            code[gone], lambda unit: _label(_current(unit, directory, as_of), directory)
        )
        _report_unit(faults, "C067", code[gone], rows=rows, labels=labels, directory=directory,
                     successor=successor)  # fmt: skip
        if role == "competent":
            other = flag_distinct(code, lambda unit: _is_other_kind(kinds.get(str(unit))))
            _report_unit(faults, "C068", code[other], rows=rows, labels=labels, directory=directory)


def _report_unit(
    faults: Faults,
    rule: str,
    code: "pd.Series[str]",
    *,
    rows: pd.DataFrame,
    labels: tuple[str, str],
    directory: UnitDirectory,
    **values: Any,
) -> None:
    """Report a rule once for each file and unit."""
    if code.empty:
        return
    add_once(
        faults,
        rule,
        pd.Series(True, index=code.index),
        groups=rows.loc[code.index, "source_file"].astype("str") + "|" + code.astype("str"),
        role=labels[0],
        role_zh=labels[1],
        unit=map_distinct(code, lambda unit: _label(str(unit), directory)),
        **values,
    )


def _judge_ownership(rows: pd.DataFrame, faults: Faults, *, state: "pd.Series[str]") -> None:
    kept = standing(rows, faults)
    words = known_words("ownership")
    is_named = flag_distinct(rows["owner_name"], lambda name: str(name).casefold() not in words)
    has_owner = is_named | rows["owner_code"].notna()
    contradicted = state.eq("none") & has_owner & kept
    if contradicted.any():
        owner = rows["owner_name"].where(is_named, rows["owner_code"])
        faults.add("C066", contradicted, owner=owner)
    clear = flag_distinct(
        rows["ownership_state"], lambda word: words.get(str(word).casefold()) == "confirmed"
    )
    faults.add("C069", clear & ~has_owner & kept, given=rows["ownership_state"])


def _judge_blanks(rows: pd.DataFrame, faults: Faults, *, state: "pd.Series[str]") -> None:
    ownerless = state.ne("unknown") | rows["ownership_state"].notna()
    for role in _DEMANDED:
        label, label_zh = ROLES[role]
        blank = rows[f"{role}_code"].isna() & rows[f"{role}_name"].isna()
        if role == "owner":
            blank &= ~ownerless
        add_once(
            faults,
            "C096",
            blank & standing(rows, faults),
            groups=rows["source_file"],
            role=label,
            role_zh=label_zh,
        )


def _current(unit: object, directory: UnitDirectory, as_of: date) -> str:
    return directory.current(str(unit), as_of=as_of)


def _is_other_kind(kind: object) -> bool:
    return isinstance(kind, str) and kind != "department"


def _label(code: str, directory: UnitDirectory) -> str:
    return f"{directory.names.get(code, '')} {code}".strip()
