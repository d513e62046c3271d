"""Place names 地名: standard name, other names, romanisation, category, code, where it is."""

import geopandas as gpd
import pandas as pd
import shapely

from gis.codes import read_rules
from gis.crs import GEOGRAPHIC, transform_xy
from gis.faults import Faults, Outcome
from pipelines.context import BuildContext
from pipelines.place_names.alike import judge_alike
from pipelines.place_names.categories import judge_categories
from pipelines.place_names.coding import make_codes
from pipelines.place_names.history import keep_old_names, read_former
from pipelines.place_names.intake import DATASET, MAP, SOURCES, TABLE, Delivered, gather
from pipelines.place_names.reach import areas_crossed
from pipelines.place_names.spelling import judge_spelling, letters
from pipelines.place_names.texts import doubt_names, read_names
from pipelines.placement import check_in_city, place, representative_points
from pipelines.repeats import refuse_repeats
from pipelines.topography.features import KINDS
from pipelines.values import code_of, names_of, text_of

__all__ = ["DATASET", "RULES", "SOURCES", "TABLE", "letters", "transform"]

RULES = {
    **read_rules("gis.codes"),
    **read_rules("pipelines"),
    **read_rules("pipelines.place_names"),
}
PROVINCE_DIGITS = 2


def transform(frame: gpd.GeoDataFrame, context: BuildContext) -> Outcome:
    """Judge place names of tables and of maps; complete them; compare them with each other.

    What is delivered goes before what follows by rule: a code, a category, a romanisation of other
    letters, a former name are kept. Names read from labels of maps join those of tables where they name
    the same place.
    """
    delivered = gather(frame, context)
    faults = Faults(delivered.frame, rules=RULES)
    accepted = _complete(delivered, faults, context)
    live = delivered.live
    accepted = keep_old_names(accepted, live, faults, as_of=context.as_of)
    stay = live[~live["source"].isin(delivered.sources)] if len(live) else live
    judge_alike(accepted, stay, faults, province=_province(context))
    return Outcome(
        accepted=accepted,
        faults=faults.outcome().faults,
        ends=_last_of_map(accepted, live),
        remarks=delivered.remarks,
    )


def _last_of_map(accepted: gpd.GeoDataFrame, live: pd.DataFrame) -> tuple[str, ...] | None:
    """Return the live names of the map when no name is left at all: no scope would tell of them."""
    if len(accepted) or live.empty:
        return None
    return tuple(sorted(live.loc[live["source"].eq(MAP), "code"])) or None


def _province(context: BuildContext) -> str:
    return context.profile.city.code[:PROVINCE_DIGITS]


def _complete(delivered: Delivered, faults: Faults, context: BuildContext) -> gpd.GeoDataFrame:
    frame = delivered.frame
    is_table = frame["source"].eq(TABLE)
    code = code_of(frame, "code")
    name = read_names(frame, faults)
    checked = check_in_city(frame, faults, kinds=KINDS, context=context)
    refuse_repeats(faults, code)
    doubt_names(frame, name, faults)
    shapes = checked.geometry
    category, category_source = judge_categories(
        code_of(frame, "category_code"), name, shapes, faults, quiet=~is_table
    )
    areas = frozenset(context.rows("areas")["name"])
    pinyin = judge_spelling(
        text_of(frame, "pinyin"),
        name,
        category,
        areas=areas,
        province=_province(context),
        faults=faults,
    )
    former = read_former(frame, faults)
    kept = shapes[~faults.refused]
    rows = kept.index
    where = place(kept, context)
    made = make_codes(
        name.loc[rows[code.loc[rows].isna()]],
        category.loc[rows[code.loc[rows].isna()]],
        kept[code.loc[rows].isna()],
        districts=where.area_code,
        city=context.profile.city.code,
        live=delivered.live,
    )
    faults.add("PN03", code.isna() & is_table & ~faults.refused, code=made)
    _doubt_labels(frame, name, faults)
    points = representative_points(kept).to_numpy()
    lon, lat = transform_xy(
        shapely.get_x(points), shapely.get_y(points), source=context.crs.text, target=GEOGRAPHIC
    )
    return gpd.GeoDataFrame(
        {
            "code": code.loc[rows].where(code.loc[rows].notna(), made.reindex(rows)),
            "name": name.loc[rows],
            "pinyin": pinyin.loc[rows],
            "category_code": category.loc[rows],
            "aliases": names_of(frame, "aliases").loc[rows],
            "former_names": [list(entry.names) for entry in former.loc[rows]],
            "area_code": where.area_code,
            "grid_code": where.grid_code,
            "lon": lon.round(9),
            "lat": lat.round(9),
            "geometry": kept,
            "category_source": category_source.loc[rows],
            "meaning": text_of(frame, "meaning").loc[rows],
            "origin": text_of(frame, "origin").loc[rows],
            "source": frame.loc[rows, "source"],
            "feature_code": text_of(frame, "feature_code").loc[rows],
            "former_spans": [list(entry.spans) for entry in former.loc[rows]],
            "area_codes": areas_crossed(kept, context),
            "source_file": frame.loc[rows, "source_file"],
            "source_row": frame.loc[rows, "source_row"],
        },
        geometry="geometry",
        crs=frame.crs,
    )


def _doubt_labels(frame: gpd.GeoDataFrame, name: "pd.Series[str]", faults: Faults) -> None:
    """Report labels that contradict their feature, or stand at none."""
    feature, own = text_of(frame, "feature_code"), text_of(frame, "feature_name")
    is_label = frame["source"].ne(TABLE) & ~faults.refused
    other = is_label & own.notna() & own.ne(name)
    faults.add("PN23", other, value=name, feature=feature, name=own)
    faults.add("PN24", is_label & feature.isna(), value=name)
