"""Rows of the plan judged: each delivered row becomes one for every class, area, role, unit and time."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

import geopandas as gpd
import pandas as pd

from census.plan.rows import ANYWHERE
from census.taxonomy import Taxonomy, read_taxonomy
from gis.codes import read_rules
from gis.faults import Faults, Outcome
from pipelines.context import BuildContext
from pipelines.repeats import refuse_repeats
from pipelines.responsibility.conflicts import SAME, warn_conflicts
from pipelines.responsibility.gaps import tell_gaps
from pipelines.responsibility.plan_areas import BOUNDARY, judge_areas
from pipelines.responsibility.reading import Delivered, read_rows
from pipelines.responsibility.store import AreaStore, ends_of, is_update
from pipelines.responsibility.surroundings import vocabulary_of
from pipelines.responsibility.territories import Territories
from pipelines.responsibility.validity import DAYS, remarks_of
from pipelines.responsibility.workbook import AREA
from pipelines.values import code_of, known_words, text_of, words_of

DATASET = "responsibility"
RULES = read_rules("pipelines")
_COLUMNS = (
    "code",
    *("kind", "class_code", "area_code", "role", "unit_code", "season", "hours"),
    *("limit_value", "limit_unit", "filing_condition", "closing_condition", "remark"),
    *DAYS,
    *("source_file", "source_row"),
)
_TEXTS = ("filing_condition", "closing_condition", "remark")


def transform(frame: pd.DataFrame, context: BuildContext) -> Outcome:
    """Judge the rows of the plan against the class tables, the areas and the unit directory."""
    is_area = text_of(frame, "part").eq(AREA)
    areas, area_faults = judge_areas(frame[is_area], context)
    rows = frame[~is_area]
    standing = _standing(areas, area_faults, context, is_drawn=bool(is_area.any()))
    vocabulary = vocabulary_of(context, areas=standing)
    delivered = read_rows(rows, vocabulary)
    codes = _codes(rows)
    faults = Faults(rows.assign(code=codes), rules=RULES)
    _judge_rows(faults, delivered, rows)
    roads = set(standing.loc[standing["kind"].eq(BOUNDARY), "code"])
    _refuse_roads(faults, delivered, roads)
    refuse_repeats(faults, codes)
    sound = (~faults.refused).to_numpy()
    kept = [(at, row) for at, row, ok in zip(rows.index, delivered, sound, strict=True) if ok]
    lasting = [(at, row) for at, row in kept if not _has_ended(row, context)]
    records = _expand(rows, lasting, codes, vocabulary.territories, faults)
    table = pd.DataFrame(records, columns=[*_COLUMNS, "at"], dtype=object)
    table = table.astype({"limit_value": float})
    accepted = _numbered(table)
    if is_update(context) and context.database.url:
        accepted = _as_live(accepted, table["code"].isna(), context.rows("responsibility"))
    warn_conflicts(faults, accepted, as_of=context.as_of)
    accepted = accepted[~accepted["at"].map(faults.refused).astype(bool)].drop(columns="at")
    outcome = faults.outcome()
    told = (
        pd.concat([outcome.faults, area_faults], ignore_index=True)
        if len(area_faults)
        else outcome.faults
    )
    result = Outcome(
        accepted=accepted.reset_index(drop=True),
        faults=told,
        ends=ends_of(
            accepted["code"], told, context, unnumbered=_unnumbered(delivered, codes, faults)
        ),
        remarks=tuple(remarks_of(accepted, expired=len(kept) - len(lasting), as_of=context.as_of)),
        beside=_store(areas, standing, context) if is_area.any() else None,
    )
    return replace(result, remarks=(*result.remarks, *tell_gaps(result, context)))


def _standing(
    areas: gpd.GeoDataFrame, faults: pd.DataFrame, context: BuildContext, *, is_drawn: bool
) -> gpd.GeoDataFrame:
    """Return the areas that will be live: those accepted, and live ones refused or not delivered.

    A delivery that draws areas ends those that it does not have, unless it is an update.
    """
    live = context.features("plan_areas")
    if is_drawn and not is_update(context):
        live = live[live["code"].isin(faults["code"].dropna())]
    kept = live[~live["code"].isin(areas["code"])]
    if kept.empty:
        return areas
    if areas.empty:
        return kept.reset_index(drop=True)
    both = pd.concat([areas, kept.reindex(columns=areas.columns)], ignore_index=True)
    return gpd.GeoDataFrame(both, geometry="geometry", crs=context.crs.crs)


def _store(areas: gpd.GeoDataFrame, standing: gpd.GeoDataFrame, context: BuildContext) -> AreaStore:
    return AreaStore(
        areas=areas,
        standing=standing,
        as_of=context.as_of,
        database=context.database,
        is_whole=not is_update(context),
    )


def _codes(rows: pd.DataFrame) -> "pd.Series[str]":
    """Return the number of each row: with its sheet's name where several sheets use one number.

    A number merged over several rows is numbered on: 7, 7-2, 7-3.
    """
    codes = code_of(rows, "code")
    sheets = text_of(rows, "sheet")
    if sheets.nunique() > 1 and sheets.groupby(codes).nunique().gt(1).any():
        codes = (sheets + codes).astype(object)
    goes_on = text_of(rows, "is_continued").notna()
    if not goes_on.any():
        return codes
    run = (~goes_on).cumsum()
    nth = goes_on.groupby(run).cumsum() + 1
    return codes.where(~goes_on | codes.isna(), codes.astype(str) + "-" + nth.astype(str))


def _unnumbered(
    delivered: Sequence[Delivered], codes: "pd.Series[str]", faults: Faults
) -> frozenset[str]:
    """Return class and area of the lines refused that have no number, as their rows are named."""
    lost = faults.refused & codes.isna()
    return frozenset(
        _name(row.kind, class_code, area)
        for row, is_lost in zip(delivered, lost, strict=True)
        if is_lost and row.kind is not None
        for class_code in row.classes
        for area in row.areas
    )


def _name(kind: str, class_code: str, area: str) -> str:
    """Return what a row without a number is named by, before its role."""
    return f"{kind[0].upper()}{class_code}@{area}"


def _judge_rows(faults: Faults, delivered: Sequence[Delivered], rows: pd.DataFrame) -> None:
    unnumbered = text_of(rows, "is_unnumbered").notna()
    faults.add("P001", code_of(rows, "code").isna() & ~unnumbered)
    lost = text_of(rows, "lost")
    faults.add("RP21", lost.notna(), value=lost)
    said = text_of(rows, "kind").fillna("")
    unknown = words_of(rows, "kind", subject="case_kind").isna()
    faults.add("RP01", unknown, value=said, known=known_words("case_kind"))
    known = {"RP05": known_words("role")}
    broken: dict[str, dict[Any, dict[str, str]]] = {}
    for at, row in zip(rows.index, delivered, strict=True):
        for rule, values in row.wrong:
            told = broken.setdefault(rule, {}).setdefault(at, values)
            if told is not values:  # several of one rule in one row are told together
                for name in ("value", "restored", "why", "why_zh", "other"):
                    if name in told and told[name] != values[name]:
                        told[name] = f"{told[name]}、{values[name]}"
    for rule, by_row in sorted(broken.items()):
        table = pd.DataFrame.from_dict(by_row, orient="index", dtype=object).reindex(rows.index)
        mask = pd.Series(rows.index.isin(list(by_row)), index=rows.index)
        columns = {str(name): table[name] for name in table}
        faults.add(rule, mask, **(columns | {"known": known.get(rule, "")}))


def _refuse_roads(faults: Faults, delivered: Sequence[Delivered], roads: set[str]) -> None:
    named = [next((area for area in row.areas if area in roads), None) for row in delivered]
    values = pd.Series(named, index=faults.frame.index, dtype=object)
    faults.add("RP19", values.notna(), value=values)


def _has_ended(row: Delivered, context: BuildContext) -> bool:
    """Tell whether the last day of a row lies before the day of the delivery."""
    last = row.valid[1]
    return last is not None and last < context.as_of


def _expand(
    rows: pd.DataFrame,
    kept: Sequence[tuple[Any, Delivered]],
    codes: "pd.Series[str]",
    territories: Territories,
    faults: Faults,
) -> list[dict[str, Any]]:
    """Return a record for every class, area, role, unit and time of the rows kept."""
    texts = {name: text_of(rows, name) for name in _TEXTS}
    records: list[dict[str, Any]] = []
    homeless: dict[Any, str] = {}
    for at, row in kept:
        owned = _owned(row, territories)
        for area in (area for area, _, unit in owned if not unit):
            homeless[at] = area
        times = tuple(product(row.seasons, row.hours))
        for class_code, (area, role, unit), when in product(row.classes, owned, times):
            if unit:
                parts = [
                    f".{role}" if row.is_wide else "",
                    f":{class_code}" if len(row.classes) > 1 else "",
                    f"@{area}" if (row.areas != (area,)) else "",
                    f"={unit}" if _has_several(row, role) else "",
                    f"~{when[0]}" if len(row.seasons) > 1 else "",
                    f"~{when[1]}" if len(row.hours) > 1 else "",
                ]
                records.append(
                    {
                        "code": None if pd.isna(codes[at]) else codes[at] + "".join(parts),
                        "kind": row.kind,
                        "class_code": class_code,
                        "area_code": area,
                        "role": role,
                        "unit_code": unit,
                        "season": when[0],
                        "hours": when[1],
                        "limit_value": float("nan") if row.limit is None else row.limit[0],
                        "limit_unit": None if row.limit is None else row.limit[1],
                        **{name: _text(values[at]) for name, values in texts.items()},
                        **dict(zip(DAYS, row.valid, strict=True)),
                        "source_file": rows.at[at, "source_file"],
                        "source_row": rows.at[at, "source_row"],
                        "at": at,
                    }
                )
    missing = pd.Series(homeless, dtype=object).reindex(rows.index)
    divided = missing.map(lambda area: "、".join(territories.divided.get(area, ())) or None)
    faults.add("RP20", missing.notna() & divided.isna(), value=missing, said="属地")
    faults.add("RP22", divided.notna(), value=missing, units=divided, said="属地")
    return [record for record in records if record["at"] not in homeless]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _has_several(row: Delivered, role: str) -> bool:
    return sum(name == role for name, _ in row.units) > 1


def _owned(row: Delivered, territories: Territories) -> list[tuple[str, str, str]]:
    """Return area, role and unit; where each area's own territorial unit is meant, street by street."""
    found = []
    for role, unit in row.units:
        for area in row.areas:
            if unit:
                found.append((area, role, unit))
                continue
            streets = territories.streets if area == ANYWHERE else (area,)
            found += [(street, role, territories.of(street)) for street in streets]
            if not streets:
                found.append((area, role, ""))
    return found


def _numbered(records: pd.DataFrame) -> pd.DataFrame:
    """Give rows without a number one made of what they say, so that the same row has it again.

    The first day is part of it: a row keeps its name when the one before it ends and is left out.
    """
    seen: Counter[str] = Counter()
    codes = []
    for row in records.itertuples():
        code = row.code
        if not isinstance(code, str):
            told = [part for part in (row.season, row.hours) if isinstance(part, str)]
            told += [row.begins_on.isoformat()] if isinstance(row.begins_on, date) else []
            when = "".join(f"~{part}" for part in told)
            name = _name(str(row.kind), str(row.class_code), str(row.area_code))
            code = f"{name}.{row.role}{when}"
            seen[code] += 1
            code = code if seen[code] == 1 else f"{code}#{seen[code]}"
        codes.append(code)
    return records.assign(code=pd.Series(codes, index=records.index, dtype=object))


def _as_live(
    rows: pd.DataFrame, is_unnumbered: "pd.Series[bool]", live: pd.DataFrame
) -> pd.DataFrame:
    """Give rows without a number the name of the live row that decides the same, which an update replaces.

    Its first day may be another, or its name of before first days were told in names. Where several live
    rows or several delivered ones decide the same, only those of one first day are the same row.
    """
    taken = set(rows["code"])
    standing = live[~live["code"].isin(taken)]
    open_rows = rows[is_unnumbered & ~rows["code"].isin(live["code"])]
    by_key, delivered = _by_key(standing), _by_key(open_rows)
    renamed: dict[Any, str] = {}
    for key, here in delivered.items():
        there = by_key.get(key, [])
        if len(here) > 1 or len(there) > 1:
            days = {day: code for _, day, code in there}
            renamed |= {at: days.pop(day) for at, day, _ in here if day in days}
        elif there:
            renamed[here[0][0]] = there[0][2]
    return rows.assign(
        code=pd.Series(renamed, dtype=object).reindex(rows.index).fillna(rows["code"])
    )


def _by_key(rows: pd.DataFrame) -> dict[tuple[Any, ...], list[tuple[Any, date | None, str]]]:
    """Return what decides -> label, first day and name of the rows that do."""
    found: dict[tuple[Any, ...], list[tuple[Any, date | None, str]]] = {}
    for row in rows[[*SAME, "begins_on", "code"]].itertuples(name=None):
        key = tuple(part if isinstance(part, str) else None for part in row[1:-2])
        day = row[-2] if isinstance(row[-2], date) else None
        found.setdefault(key, []).append((row[0], day, str(row[-1])))
    return found


def taxonomy_of(context: BuildContext) -> Taxonomy:
    """Return the classes of the city."""
    return read_taxonomy(context.profile.city.standard, context.profile.extension_class)
