"""Components 部件: the census of what stands in the streets, with its class, units and grid."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype

from census.catalogue import census_rules
from census.checks import (
    judge_attributes,
    judge_classes,
    judge_codes,
    judge_dates,
    judge_districts,
    judge_repeats,
)
from census.duties import judge_duties
from census.elsewhere import judge_elsewhere
from census.exchange.columns import no_attributes
from census.identifiers import DISTRICT_DIGITS
from census.ownership import ROLES, ownership_states, resolve_units
from census.positions import judge_geometry
from census.shapes import judge_sizes
from census.standing import standing
from census.survey import CODE_COLUMNS, DATE_COLUMNS, TEXT_COLUMNS, tidy
from census.taxonomy import Taxonomy, read_taxonomy
from census.texts import judge_readings, restore_zeros
from census.wording import judge_wording
from gis.codes import Rule, read_rules
from gis.faults import Faults, Outcome
from gis.geometry import keep_shapes
from pipelines.aside import aside
from pipelines.attributes import attributes_of
from pipelines.claims import claims_of, judge_former_codes, judge_overtaken
from pipelines.component_checks import judge_places
from pipelines.context import BuildContext
from pipelines.numbering import complete_codes, judge_claims
from pipelines.placement import Placement, check_in_city, city_extent, first_digits, place

DATASET = "components"
RULES = {**read_rules("gis.codes"), **read_rules("census")}
COLUMNS = frozenset({*CODE_COLUMNS, *TEXT_COLUMNS, *DATE_COLUMNS, "standard_ref"}) | no_attributes()
"""Delivered columns that are no attributes of a component."""
KINDS = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
)
_MANY_ROWS = 50_000
_WHOLE = ("string", "date")
_CREDIT_CODES_SINCE = "GB/T 47678.5-2026"


def transform(frame: gpd.GeoDataFrame, context: BuildContext) -> Outcome:
    """Judge components and give each its class, code, units, unit grid and community.

    The class is the layer's or the row's ``class_code``; ``standard_ref`` says under which
    generation, by default the city's. A component without code keeps the one that its place and
    class had before, else gets the next free sequence, so that loading twice changes nothing.
    Columns no platform column stands for are kept as attributes.
    """
    rules = {**RULES, **census_rules(context.profile.census.severity)}
    faults = Faults(frame, rules=rules)
    judge_readings(frame, faults, findings=context.findings)
    rows = _tidy_rows(frame, context)
    delivered = rows["code"]
    taxonomies = _taxonomies(rows, context)
    rows[["class_code", "class_name", "class_geometry", "accuracy_m"]] = judge_classes(
        rows, faults, taxonomies=taxonomies
    )[["class_code", "class_name", "class_geometry", "accuracy_m"]]
    judge_wording(rows, faults, taxonomies=taxonomies)
    parts = judge_codes(rows, faults, taxonomies=taxonomies)
    rows = _check_shapes(rows, faults, context=context)
    where = place(rows.geometry, context)
    districts = _districts(where, context)
    judge_districts(
        rows,
        faults,
        parts=parts.reindex(rows.index),
        place=districts,
        areas=context.features("areas"),
    )
    judge_repeats(rows, faults)
    judge_claims(rows, faults, context=context)
    judge_former_codes(rows, faults, context=context)
    judge_overtaken(rows, faults, claims=claims_of(frame), context=context)
    kept = standing(rows, faults)
    rows, where, districts = rows[kept], _select(where, kept), districts[kept]
    rows["code"] = complete_codes(
        rows, faults, context=context, districts=districts, delivered=delivered
    )
    accepted = _judge_rest(rows, faults, where=where, context=context, rules=rules)
    accepted = accepted[standing(accepted, faults)]
    others = [name for name in frame.columns if name not in COLUMNS]
    accepted["attributes"] = attributes_of(frame.loc[accepted.index, others], columns=COLUMNS)
    accepted = keep_shapes(accepted, context.features(DATASET))
    return Outcome(accepted=accepted, faults=faults.table())


def _judge_rest(
    rows: gpd.GeoDataFrame,
    faults: Faults,
    *,
    where: Placement,
    context: BuildContext,
    rules: dict[str, Rule],
) -> gpd.GeoDataFrame:
    """Judge places and values, of many rows both at once, and return the rows as the table holds them.

    Values are judged of rows that stand. Should a place refuse a row, they are judged again.
    """

    def places() -> list[pd.DataFrame]:
        apart = faults.copy()
        judge_places(rows, apart, where=where, context=context, rules=rules)
        return apart.since(faults.told)

    before, values = faults.told, faults.copy()
    with aside(places, is_worth=len(rows) > _MANY_ROWS) as found:
        accepted = _accept(rows, values, context=context, where=where)
        if faults.take(found()):
            del accepted  # a million rows twice would be the most that a load holds
            return _accept(rows, faults, context=context, where=where)
    faults.take(values.since(before))
    return accepted


def _check_shapes(
    rows: gpd.GeoDataFrame, faults: Faults, *, context: BuildContext
) -> gpd.GeoDataFrame:
    """Return the rows that still stand once their geometry was judged and repaired."""
    census, extent = context.profile.census, city_extent(context)
    crs = context.crs.crs
    elsewhere = judge_elsewhere(rows, faults, within=extent, share=census.elsewhere_share, crs=crs)
    rows = check_in_city(rows[~elsewhere], faults, kinds=KINDS, context=context)
    judge_geometry(rows, faults, expected=rows["class_geometry"])
    rows = rows[standing(rows, faults)]
    judge_sizes(
        rows, faults, least_line_m=census.least_line_m, least_polygon_m2=census.least_polygon_m2
    )
    return rows[standing(rows, faults)]


def _tidy_rows(frame: gpd.GeoDataFrame, context: BuildContext) -> gpd.GeoDataFrame:
    rows = tidy(frame)
    city = context.profile.city.standard
    given = frame["standard_ref"] if "standard_ref" in frame else pd.Series(None, frame.index)
    rows["standard_ref"] = given.astype(object).where(given.notna(), city)
    rows["source_file"], rows["source_row"] = frame["source_file"], frame["source_row"]
    return gpd.GeoDataFrame(rows, geometry=frame.geometry, crs=frame.crs, copy=False)


def _taxonomies(rows: pd.DataFrame, context: BuildContext) -> dict[str, Taxonomy]:
    """Return the taxonomy of each standard in the rows; extensions belong to the city's own."""
    profile = context.profile
    refs = {profile.city.standard, *rows["standard_ref"].unique()}
    return {
        ref: read_taxonomy(ref, profile.extension_class if ref == profile.city.standard else ())
        for ref in sorted(refs)
    }


def _districts(where: Placement, context: BuildContext) -> "pd.Series[str]":
    """Return the district by position; the city's code where there are no areas yet."""
    area = where.area_code
    if len(context.features("areas")) == 0:
        city = context.profile.city.code
        # A city's code ends in 00 and says nothing about the district.
        return pd.Series(None if city.endswith("00") else city, index=area.index, dtype=object)
    return first_digits(area, DISTRICT_DIGITS)


def _select(where: Placement, mask: "pd.Series[bool]") -> Placement:
    return Placement(
        grid_code=where.grid_code[mask],
        community_code=where.community_code[mask],
        area_code=where.area_code[mask],
    )


def _accept(
    rows: gpd.GeoDataFrame, faults: Faults, *, context: BuildContext, where: Placement
) -> gpd.GeoDataFrame:
    """Return the rows as the table holds them, without attributes; `rows` stay as they are."""
    rows = rows.copy(deep=False)
    condition = judge_attributes(rows, faults)
    dates = judge_dates(
        rows, faults, as_of=context.as_of, earliest_year=context.profile.census.earliest_year
    )
    directory = context.unit_directory()
    for role, (label, label_zh) in ROLES.items():
        given = rows[f"{role}_code"]
        rows[f"{role}_code"], lost = restore_zeros(given, list(directory.names))
        code = rows[f"{role}_code"]
        faults.add("C079", lost, role=label, role_zh=label_zh, given=given, unit_code=code)
    units = resolve_units(
        rows,
        faults,
        directory=directory,
        demands_credit_code=context.profile.city.standard == _CREDIT_CODES_SINCE,
    )
    known = context.rows("units")
    kinds = dict(zip(known["code"], known["kind"], strict=True)) if "kind" in known else {}
    units["ownership_state"] = ownership_states(rows)
    judge_duties(rows, faults, units=units, directory=directory, kinds=kinds, as_of=context.as_of)
    columns = {
        "code": rows["code"],
        "class_code": rows["class_code"],
        "standard_ref": rows["standard_ref"],
        "name": rows["name"].fillna(rows["class_name"]),
        **{f"{role}_code": units[f"{role}_code"] for role in ROLES},
        **{f"{role}_name": rows[f"{role}_name"] for role in ROLES},
        "grid_code": where.grid_code,
        "community_code": where.community_code,
        "condition": condition,
        "ownership_state": units["ownership_state"],
        "initial_date": _first_dates(rows, dates["initial_date"], context),
        "change_date": dates["change_date"],
        **{name: rows[name] for name in ("data_source", "location_note", "remark")},
        "source_file": rows["source_file"],
        "source_row": rows["source_row"],
    }
    plain = {name: _plain(values) for name, values in columns.items()}
    return gpd.GeoDataFrame(plain, geometry=rows.geometry, crs=rows.crs, copy=False)


def _plain(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the values as objects, None for missing; equal texts are one, as a million rows share few."""
    if isinstance(values.dtype, pd.StringDtype):
        codes, texts = pd.factorize(values)
        table = np.full(len(texts) + 1, None, dtype=object)
        table[:-1] = np.asarray(texts, dtype=object)
        return pd.Series(table[codes], index=values.index, dtype=object)
    if values.dtype == object and infer_dtype(values, skipna=False) in _WHOLE:
        return values
    missing = values.isna().to_numpy()
    plain = values.astype(object)
    return plain.where(~missing, None) if missing.any() else plain


def _first_dates(
    rows: pd.DataFrame, delivered: "pd.Series[object]", context: BuildContext
) -> "pd.Series[object]":
    """Return the initial date: as delivered, else as it was before, else the delivery's day."""
    missing = delivered.isna()
    if not missing.any():
        return delivered
    known = context.rows(DATASET).set_index("code")["initial_date"]
    found = rows.loc[missing, "code"].map(known).astype(object)
    filled = delivered.astype(object)
    filled[missing] = found.where(found.notna(), context.as_of)
    return filled
