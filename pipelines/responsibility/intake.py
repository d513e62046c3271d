"""The responsibility plan 职责分解方案: class × area × time -> unit and role, with time limits."""

import pandas as pd

from census.taxonomy import Taxonomy, read_taxonomy
from census.units import plain_unit_code
from gis.codes import read_rules
from gis.faults import Faults, Outcome
from pipelines.context import BuildContext
from pipelines.repeats import refuse_repeats
from pipelines.responsibility.times import read_hours, read_season
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
