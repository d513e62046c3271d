"""The unit directory 单位名录: departments, companies, territorial units."""

from datetime import date

import pandas as pd

from census.survey import read_dates
from census.units import credit_check_digit, plain_unit_code, plain_unit_name
from gis.codes import read_rules
from gis.faults import Faults, Outcome
from pipelines.context import BuildContext
from pipelines.repeats import refuse_repeats
from pipelines.values import code_of, known_words, names_of, text_of, words_of

DATASET = "units"
RULES = read_rules("pipelines")
_CREDIT_CODE = r"[0-9A-HJ-NPQRTUWXY]{18}"


def transform(frame: pd.DataFrame, context: BuildContext) -> Outcome:
    """Judge the units: kind, successor, territory, and names that two units bear."""
    faults = Faults(frame, rules=RULES)
    units = pd.DataFrame(
        {
            "code": code_of(frame, "code").map(plain_unit_code, na_action="ignore"),
            "name": text_of(frame, "name"),
            "aliases": names_of(frame, "aliases"),
            "kind": words_of(frame, "kind", subject="unit_kind"),
            "area_code": code_of(frame, "area_code"),
            "successor_from": read_dates(text_of(frame, "successor_from")),
            "phone": text_of(frame, "phone"),
            "source_file": frame["source_file"],
            "source_row": frame["source_row"],
        },
        index=frame.index,
    )
    heirs = _heirs(frame)
    units["successor_code"] = heirs.map(lambda codes: codes[0] if len(codes) == 1 else None)
    units["successor_code"] = (
        units["successor_code"].astype(object).where(heirs.map(len) == 1, None)
    )
    units["heirs"] = heirs.map(lambda codes: codes if len(codes) > 1 else [])
    faults.add("P001", units["code"].isna())
    faults.add("P003", units["name"].isna())
    said = text_of(frame, "kind").fillna("")
    faults.add("UN01", units["kind"].isna(), value=said, known=known_words("unit_kind"))
    refuse_repeats(faults, units["code"])
    _check_credit_codes(faults, units["code"])
    _check_territory(faults, units, context)
    _check_successors(faults, units, frame, context)
    _check_names(faults, units)
    return Outcome(accepted=units[~faults.refused], faults=faults.outcome().faults)


def _check_credit_codes(faults: Faults, code: "pd.Series[str]") -> None:
    """Doubt codes of 18 characters whose check digit is wrong; local codes are free."""
    written = code.str.fullmatch(_CREDIT_CODE).eq(True)
    right = code[written].str.slice(0, 17).map(credit_check_digit)
    wrong = right[right != code[written].str.slice(17)]
    mask = pd.Series(code.index.isin(wrong.index), index=code.index)
    faults.add("UN05", mask, value=code, expected=wrong)


def _check_territory(faults: Faults, units: pd.DataFrame, context: BuildContext) -> None:
    areas = set(context.rows("areas")["code"])
    area, is_territorial = units["area_code"], units["kind"].eq("territorial")
    faults.add("UN07", is_territorial & area.isna(), code=units["code"])
    faults.add("UN04", area.notna() & ~area.isin(areas), code=units["code"], area=area)
    owners = units[is_territorial & area.notna() & ~faults.refused]
    lowest = owners.groupby("area_code")["code"].transform("min")
    second = owners["code"] != lowest
    faults.add("UN08", second, area=owners["area_code"], code=lowest, other=owners["code"])


def _heirs(frame: pd.DataFrame) -> "pd.Series[list[str]]":
    """Return the codes of the units that took over: none, one, or several after a split."""
    codes = names_of(frame, "successor_code")
    return codes.map(lambda names: list(dict.fromkeys(plain_unit_code(name) for name in names)))


def _check_successors(
    faults: Faults, units: pd.DataFrame, frame: pd.DataFrame, context: BuildContext
) -> None:
    loaded = context.rows(DATASET)
    known = set(loaded["code"]) | set(units["code"].dropna())
    successor, heirs = units["successor_code"], units["heirs"]
    unknown = successor.notna() & ~successor.isin(known)
    faults.add("UN02", unknown, code=units["code"], successor=successor)
    strangers = heirs.map(lambda codes: "、".join(code for code in codes if code not in known))
    faults.add("UN02", strangers.ne(""), code=units["code"], successor=strangers)
    faults.add("UN09", heirs.map(len) > 0, code=units["code"], heirs=heirs.map("、".join))
    said = text_of(frame, "successor_from")
    unread = said.notna() & units["successor_from"].isna()
    faults.add("UN10", unread, code=units["code"], value=said)
    following = _following(loaded[~loaded["code"].isin(units["code"])]) | _following(units)
    is_ring = units["code"].map(lambda code: leads_back(code, following), na_action="ignore")
    faults.add("UN03", is_ring.eq(True), code=units["code"])
    _check_days(faults, units)


def _check_days(faults: Faults, units: pd.DataFrame) -> None:
    """Doubt days without a successor, and a successor that was itself succeeded before it took over."""
    day = units["successor_from"]
    ends = units["successor_code"].notna() | units["heirs"].map(len).gt(0)
    faults.add("UN11", day.notna() & ~ends, code=units["code"], day=day)
    known = units[units["code"].notna()].drop_duplicates("code")
    later = units["successor_code"].map(known.set_index("code")["successor_from"])
    is_early = pd.Series(
        [_is_before(one, other) for one, other in zip(later, day, strict=True)], index=units.index
    )
    faults.add(
        "UN12",
        is_early,
        code=units["code"],
        day=day,
        successor=units["successor_code"],
        earlier=later,
    )


def _is_before(first: object, second: object) -> bool:
    return isinstance(first, date) and isinstance(second, date) and first < second


def _following(units: pd.DataFrame) -> dict[str, str]:
    return {
        code: after
        for code, after in zip(units["code"], units["successor_code"], strict=True)
        if isinstance(code, str) and isinstance(after, str)
    }


def leads_back(code: str, following: dict[str, str]) -> bool:
    """Return whether the successors of a unit lead back to it.

    Examples
    --------
    >>> leads_back("a", {"a": "b", "b": "a"}), leads_back("c", {"c": "a", "a": "b", "b": "a"})
    (True, False)
    """
    seen: set[str] = set()
    step = following.get(code)
    while step is not None and step not in seen:
        if step == code:
            return True
        seen.add(step)
        step = following.get(step)
    return False


def _check_names(faults: Faults, units: pd.DataFrame) -> None:
    kept = units[~faults.refused]
    plain = kept["name"].map(plain_unit_name)
    lowest = kept["code"].groupby(plain).transform("min")
    faults.add("UN06", kept["code"] != lowest, value=kept["name"], other=lowest)
