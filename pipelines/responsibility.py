"""The responsibility plan 职责分解方案: class × area × time -> unit and role, with time limits."""

import re

import pandas as pd

from census.taxonomy import Taxonomy, read_taxonomy
from census.units import plain_unit_code
from gis.codes import read_rules
from gis.faults import Faults, Outcome
from pipelines.context import BuildContext
from pipelines.repeats import refuse_repeats
from pipelines.values import (
    code_of,
    known_words,
    numbers_of,
    text_of,
    words_of,
)

DATASET = "responsibility"
RULES = read_rules("pipelines")
ANY = "*"
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY = r"(\d{1,2})\s*[-月./]\s*(\d{1,2})\s*日?"
_TIME = r"(\d{1,2})\s*[:：时]\s*(\d{2})?\s*分?"
_TO = r"\s*(?:/|~|～|—|－|至|到|-)\s*"
_SEASON = re.compile(rf"{_DAY}{_TO}{_DAY}")
_HOURS = re.compile(rf"{_TIME}{_TO}{_TIME}")
_SAME = ["kind", "class_code", "area_code", "role", "season", "hours"]


def transform(frame: pd.DataFrame, context: BuildContext) -> Outcome:
    """Judge the rows of the plan against the class tables, the areas and the unit directory."""
    faults = Faults(frame, rules=RULES)
    rows = _read(frame)
    faults.add("P001", rows["code"].isna())
    _check_words(faults, rows, frame)
    rows["class_code"] = _check_classes(faults, rows, context)
    _check_areas(faults, rows, context)
    unknown_unit = ~rows["unit_code"].isin(set(context.rows("units")["code"]))
    faults.add("RP06", unknown_unit, value=rows["unit_code"].fillna(""))
    _check_times(faults, rows, frame)
    _check_limits(faults, rows, frame)
    refuse_repeats(faults, rows["code"])
    _warn_conflicts(faults, rows)
    return Outcome(accepted=rows[~faults.refused], faults=faults.outcome().faults)


def _read(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "code": code_of(frame, "code"),
            "kind": words_of(frame, "kind", subject="case_kind"),
            "class_code": _anywhere(code_of(frame, "class_code")),
            "area_code": _anywhere(code_of(frame, "area_code")),
            "role": words_of(frame, "role", subject="role"),
            "unit_code": code_of(frame, "unit_code").map(plain_unit_code, na_action="ignore"),
            "season": text_of(frame, "season").map(read_season, na_action="ignore"),
            "hours": text_of(frame, "hours").map(read_hours, na_action="ignore"),
            "limit_value": numbers_of(frame, "limit_value"),
            "limit_unit": words_of(frame, "limit_unit", subject="limit_unit"),
            "filing_condition": text_of(frame, "filing_condition"),
            "closing_condition": text_of(frame, "closing_condition"),
            "remark": text_of(frame, "remark"),
            "source_file": frame["source_file"],
            "source_row": frame["source_row"],
        },
        index=frame.index,
    )


def _anywhere(codes: "pd.Series[str]") -> "pd.Series[str]":
    words = words_of(pd.DataFrame({"code": codes}), "code", subject="anywhere")
    return words.fillna(codes)


def _check_words(faults: Faults, rows: pd.DataFrame, frame: pd.DataFrame) -> None:
    for rule, column, subject in (("RP01", "kind", "case_kind"), ("RP05", "role", "role")):
        said = text_of(frame, column).fillna("")
        faults.add(rule, rows[column].isna(), value=said, known=known_words(subject))


def _check_classes(faults: Faults, rows: pd.DataFrame, context: BuildContext) -> "pd.Series[str]":
    """Refuse unknown classes; give back zeros that a spreadsheet took."""
    city = context.profile.city
    taxonomy = read_taxonomy(city.standard, context.profile.extension_class)
    restored = (
        rows["class_code"]
        .map(taxonomy.restore, na_action="ignore")
        .mask(rows["class_code"].eq(ANY), ANY)
    )
    known = pd.Series(
        [
            isinstance(kind, str) and isinstance(code, str) and is_class(taxonomy, kind, code)
            for kind, code in zip(rows["kind"], restored, strict=True)
        ],
        index=rows.index,
    )
    value = rows["class_code"].fillna("")
    faults.add("RP02", ~known & rows["kind"].notna(), value=value, standard=city.standard)
    changed = known & restored.ne(rows["class_code"])
    faults.add("RP03", changed, value=value, restored=restored)
    return restored


def is_class(taxonomy: Taxonomy, kind: str, code: str) -> bool:
    """Return whether a plan may name this class: a minor class, a major class, or all.

    Examples
    --------
    >>> taxonomy = read_taxonomy("GB/T 30428.2-2013")
    >>> [is_class(taxonomy, "component", code) for code in ("0102", "01", "*", "9999")]
    [True, True, True, False]
    """
    majors = {entry.code for entry in taxonomy.majors(kind)}
    return code == ANY or code in majors or taxonomy.exists(kind, code)


def _check_areas(faults: Faults, rows: pd.DataFrame, context: BuildContext) -> None:
    known = {ANY, *context.rows("areas")["code"], *context.rows("unit_grids")["code"]}
    faults.add("RP04", ~rows["area_code"].isin(known), value=rows["area_code"].fillna(""))


def _check_times(faults: Faults, rows: pd.DataFrame, frame: pd.DataFrame) -> None:
    for rule, column in (("RP07", "season"), ("RP08", "hours")):
        said = text_of(frame, column)
        faults.add(rule, said.notna() & rows[column].isna(), value=said)


def _check_limits(faults: Faults, rows: pd.DataFrame, frame: pd.DataFrame) -> None:
    said, unit = text_of(frame, "limit_value"), text_of(frame, "limit_unit")
    stated = said.notna() | unit.notna()
    usable = rows["limit_value"].gt(0) & rows["limit_unit"].notna()
    known = known_words("limit_unit")
    faults.add("RP09", stated & ~usable, value=said.fillna(""), unit=unit.fillna(""), known=known)


def _warn_conflicts(faults: Faults, rows: pd.DataFrame) -> None:
    """Warn of rows equal in all that decides, but for the unit; told on each row but the first."""
    kept = rows[~faults.refused]
    groups = kept.groupby(_SAME, dropna=False)
    lowest, first = groups["unit_code"].transform("min"), groups["code"].transform("first")
    differs = groups["unit_code"].transform("nunique").gt(1) & kept["code"].ne(first)
    faults.add("RP10", differs & lowest.notna(), other=first)


def read_season(text: str) -> str | None:
    """Return a season as ``MM-DD/MM-DD``, both days included; it may wrap the year. None: unreadable.

    Examples
    --------
    >>> read_season("11-15/03-15"), read_season("6月1日至9月30日"), read_season("13-01/01-01")
    ('11-15/03-15', '06-01/09-30', None)
    """
    found = _SEASON.fullmatch(text.strip())
    if not found:
        return None
    values = [int(part) for part in found.groups()]
    days = list(zip(values[::2], values[1::2], strict=True))
    if not all(1 <= month <= 12 and 1 <= day <= _DAYS_IN_MONTH[month - 1] for month, day in days):
        return None
    return "/".join(f"{month:02}-{day:02}" for month, day in days)


def read_hours(text: str) -> str | None:
    """Return hours as ``HH:MM/HH:MM``, the end not included; they may wrap midnight.

    Midnight is 00:00 at both ends. None: unreadable, or the two are one; all day is left blank.

    Examples
    --------
    >>> read_hours("22:00/06:00"), read_hours("18:30-24:00"), read_hours("25:00/06:00")
    ('22:00/06:00', '18:30/00:00', None)
    """
    found = _HOURS.fullmatch(text.strip())
    if not found:
        return None
    values = [int(part or 0) for part in found.groups()]
    times = list(zip(values[::2], values[1::2], strict=True))
    times = [(0, 0) if time == (24, 0) else time for time in times]
    if not all(hour < 24 and minute < 60 for hour, minute in times) or times[0] == times[1]:
        return None
    return "/".join(f"{hour:02}:{minute:02}" for hour, minute in times)
