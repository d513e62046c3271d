"""A delivered row of the plan, cell by cell, as the classes, areas and units that it names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, date
from typing import Any

import pandas as pd

from census.plan.rows import ANYWHERE
from census.survey import read_dates
from gis.remarks import Remark
from pipelines.responsibility.naming import (
    AreaNames,
    Classes,
    Found,
    Units,
    is_nothing,
    means_territory,
)
from pipelines.responsibility.ranges import example_of
from pipelines.responsibility.spans import (
    read_hour_spans,
    read_seasons,
    why_no_hours,
    why_no_season,
)
from pipelines.responsibility.territories import Territories
from pipelines.responsibility.times import is_always, read_limit
from pipelines.responsibility.workbook import ROLES
from pipelines.values import text_of, words_of

_CELLS = (
    *("class_code", "class_name", "major_code", "major_name"),
    *("area_code", "area_name", "street_name", "community_name"),
    *("unit_code", "unit_name", "season", "hours", "limit_value", "limit_unit"),
    *("valid_from", "valid_to"),
    *ROLES,
    *(f"{role}_code" for role in ROLES),
)
_DEFAULT_ROLE = {"component": "maintainer", "event": "handler"}
"""Role of a unit in a column 责任单位, where no column names roles."""


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What names can mean."""

    classes: Classes
    areas: AreaNames
    units: Units
    territories: Territories


@dataclass(kw_only=True)
class Delivered:
    """What one delivered row names; empty where it could not be read, which `wrong` tells."""

    kind: str | None
    classes: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    units: list[tuple[str, str]] = field(default_factory=list)
    """Role and unit; the unit ``""`` stands for each area's territorial unit."""
    seasons: tuple[str | None, ...] = (None,)
    hours: tuple[str | None, ...] = (None,)
    limit: tuple[float, str] | None = None
    valid: tuple[date | None, date | None] = (None, None)
    wrong: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Rules broken, with the values that the reasons name."""
    is_wide: bool = False
    """It has a column for each role."""

    def refuse(self, rule: str, **values: str) -> None:
        """Note that a rule is broken."""
        self.wrong.append((rule, values))


def read_rows(frame: pd.DataFrame, vocabulary: Vocabulary) -> list[Delivered]:
    """Return what each delivered row names; the order is the frame's."""
    kinds = words_of(frame, "kind", subject="case_kind")
    roles = words_of(frame, "role", subject="role")
    said_roles = text_of(frame, "role")
    limit_units = words_of(frame, "limit_unit", subject="limit_unit")
    cells = pd.DataFrame({name: text_of(frame, name) for name in _CELLS}, index=frame.index)
    dates = pd.DataFrame({name: read_dates(cells[name]) for name in ("valid_from", "valid_to")})
    result = []
    has_roles = "role" in frame
    for at, record in zip(frame.index, cells.to_dict("records"), strict=True):
        values = {str(name): _or_none(value) for name, value in record.items()}
        row = Delivered(kind=_or_none(kinds[at]))
        _read_classes(row, values, vocabulary.classes)
        _read_areas(row, values, vocabulary.areas)
        role = (_or_none(roles[at]), _or_none(said_roles[at]), has_roles)
        _read_units(row, values, role, vocabulary.units)
        _read_times(row, values)
        _read_limit(row, values, _or_none(limit_units[at]))
        _read_validity(
            row, values, (_day(dates.at[at, "valid_from"]), _day(dates.at[at, "valid_to"]))
        )
        result.append(row)
    return result


def _or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _day(value: Any) -> date | None:
    return value if isinstance(value, date) and value == value else None


def _read_classes(row: Delivered, cells: Mapping[str, str | None], classes: Classes) -> None:
    code, name = cells["class_code"], cells["class_name"]
    major = next((c for c in (cells["major_code"], cells["major_name"]) if not is_nothing(c)), None)
    said = next((cell for cell in (code, name, major) if not is_nothing(cell)), None)
    if row.kind is None:
        return
    standard = classes.taxonomy.standard_ref
    if said is None:
        row.refuse("RP24")
        return
    is_beside_major = major is not None and said is not major
    found = classes.find(row.kind, said, is_beside_major=is_beside_major)
    if is_beside_major and major is not None and found.codes == (ANYWHERE,):
        found = classes.find(row.kind, major)
    _tell_classes(row, found, classes)
    if said is code and not is_nothing(name) and name is not None and len(found.codes) == 1:
        entry = classes.taxonomy.get(row.kind, found.codes[0])
        named = classes.find(row.kind, name)
        if entry is not None and named.codes != found.codes:
            row.refuse("RP11", value=found.codes[0], name=entry.name, said=name, standard=standard)
    if not (found.unknown or found.broken):
        row.classes = found.codes


def _tell_classes(row: Delivered, found: Found, classes: Classes) -> None:
    standard, kind = classes.taxonomy.standard_ref, row.kind or ""
    for given, restored in found.restored:
        row.refuse("RP03", value=given, restored=restored)
    for part, why in found.broken:
        example = example_of(classes.taxonomy)
        row.refuse(
            "RP25", value=part, standard=standard, example=example, why=why.en, why_zh=why.zh
        )
    for part in found.unknown:
        other = classes.other_generation(kind, part)
        if other is None:
            row.refuse("RP02", value=part, standard=standard)
        else:
            row.refuse("RP15", value=part, standard=standard, other=other)


def _read_areas(row: Delivered, cells: Mapping[str, str | None], areas: AreaNames) -> None:
    street, community = cells["street_name"], cells["community_name"]
    said = next(
        (c for c in (cells["area_code"], cells["area_name"]) if c is not None and c.strip()), None
    )
    within = None
    if not is_nothing(street) and street is not None:
        within = areas.one(street)
        # Of a street that is several, or one but for parts of it, every community is that and no more.
        is_all = community is not None and areas.one(community) == ANYWHERE
        if within is None and (said is not None or is_nothing(community) or is_all):
            _take_areas(row, areas.find(street), areas)
            return
    if not is_nothing(community) and community is not None:
        _take_areas(row, areas.find(community, within=within), areas)
    elif said is not None and said.strip() not in ("/", "-", "—"):
        _take_areas(row, areas.find(said, within=within), areas)
    elif within is not None:
        row.areas = (within,)
    else:
        row.refuse("RP23")


def _take_areas(row: Delivered, found: Found, areas: AreaNames) -> None:
    for part in found.unknown:
        day = areas.when_ended(part)
        if day is None:
            row.refuse("RP04", value=part)
        else:
            row.refuse("RP14", value=part, day=day)
    for part, why in found.broken:
        row.refuse("RP26", value=part, other=why.en)
    if not (found.unknown or found.broken):
        row.areas = found.codes


def _read_units(
    row: Delivered,
    cells: Mapping[str, str | None],
    role: tuple[str | None, str | None, bool],
    units: Units,
) -> None:
    wide = [(name, cells[f"{name}_code"], cells[name]) for name in ROLES]
    wide = [item for item in wide if not (is_nothing(item[1]) and is_nothing(item[2]))]
    row.is_wide = bool(wide)
    known, said, has_role = role
    if has_role and (said is not None or not wide):
        if known is None:
            row.refuse("RP05", value=said or "")
        wide = [(known or "", cells["unit_code"], cells["unit_name"])]
        row.is_wide = False
    elif not wide:
        code, name = cells["unit_code"], cells["unit_name"]
        if is_nothing(code) and is_nothing(name):
            row.refuse("RP17")
            return
        wide = [(_DEFAULT_ROLE.get(row.kind or "", "handler"), code, name)]
    for name, code, text in wide:
        _take_units(row, name, code if not is_nothing(code) else text, units)


def _take_units(row: Delivered, role: str, said: str | None, units: Units) -> None:
    if means_territory(said):
        row.units.append((role, ""))
        return
    found = units.find(said or "")
    if said is None or not (found.codes or found.unknown):
        row.refuse("RP17")
        return
    for part in found.unknown:
        day = units.ended.get(part)
        if units.is_ambiguous(part):
            row.refuse("RP16", value=part)
        elif day is not None:
            row.refuse("RP13", value=part, day=day)
        else:
            like = units.like(part)
            hint = f"; most like it: {like}" if like else ""
            row.refuse(
                "RP06", value=part, hint=hint, hint_zh=f"，最接近的是 {like}" if like else ""
            )
    for code in found.codes:
        current = units.directory.current(code)
        if current != code:
            row.refuse("RP12", value=code, other=current)
        row.units.append((role, code))


def _read_times(row: Delivered, cells: Mapping[str, str | None]) -> None:
    season, hours = cells["season"], cells["hours"]
    if season is not None and not is_always(season):
        row.seasons = read_seasons(season) or ()
        if not row.seasons:
            _tell_times(row, "RP07", season, why_no_season(season))
    if hours is not None and not is_always(hours):
        row.hours = read_hour_spans(hours) or ()
        if not row.hours:
            _tell_times(row, "RP08", hours, why_no_hours(hours))


def _tell_times(row: Delivered, rule: str, said: str, told: tuple[Remark, str]) -> None:
    why, example = told
    row.refuse(rule, value=said, why=why.en, why_zh=why.zh, example=example)


def _read_limit(row: Delivered, cells: Mapping[str, str | None], unit: str | None) -> None:
    said, said_unit = cells["limit_value"], cells["limit_unit"]
    if is_nothing(said) and is_nothing(said_unit):
        return
    whole = f"{said or ''} {said_unit or ''}".strip()
    if said is not None and unit is not None:
        value = read_limit(f"{said}天")
        row.limit = None if value is None else (value[0], unit)
    elif said is not None:
        row.limit = read_limit(whole)
    if row.limit is None:
        is_month = re.search(r"月(?:以内|之内|内)?$", whole) is not None
        row.refuse(
            "RP09",
            value=whole,
            why=", as months differ in length" if is_month else "",
            why_zh="，各月天数不同" if is_month else "",
        )


def _read_validity(
    row: Delivered, cells: Mapping[str, str | None], days: tuple[date | None, date | None]
) -> None:
    row.valid = days
    first, last = days
    said = [cells[name] for name in ("valid_from", "valid_to")]
    unread = [
        text
        for text, day in zip(said, days, strict=True)
        if text is not None
        and not is_nothing(text)
        and day is None
        and text not in ("长期", "永久")
    ]
    if last is not None and last.year == MAXYEAR:
        # Offices write 9999-12-31 for a row that does not end.
        row.valid = (first, None)
    never = first is not None and first.year == MAXYEAR
    if unread or never or (first is not None and last is not None and last < first):
        row.refuse("RP18", value="/".join(text or "" for text in said))
