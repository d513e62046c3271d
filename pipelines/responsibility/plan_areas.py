"""Areas that a plan draws itself: polygons, road sections 路段, and boundary roads 界路 with their rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from gis.codes import read_rules
from gis.faults import Faults
from pipelines.context import BuildContext
from pipelines.placement import city_extent
from pipelines.repeats import refuse_repeats
from pipelines.responsibility.astray import judge_outside
from pipelines.responsibility.axes import RoadMissingError, Roads, RoadsApartError, read_roads
from pipelines.responsibility.naming import AreaNames, name_areas
from pipelines.values import code_of, known_words, numbers_of, text_of, words_of

POLYGON, SECTION, BOUNDARY = "polygon", "road_section", "boundary_road"
COLUMNS = (
    *("code", "name", "kind", "road_name", "from_road", "to_road", "width_m"),
    *("sharing", "sides", "axis", "geometry", "remark", "source_file", "source_row"),
)
_RULES = read_rules("pipelines")
_SLIVER_M2 = 1.0
_METRES = r"\s*(?:米|m|M|公尺)\s*$"


@dataclass(kw_only=True)
class _Drawn:
    """An area as far as it could be made."""

    record: dict[str, Any]
    wrong: list[tuple[str, dict[str, str]]]

    def refuse(self, rule: str, **values: str) -> None:
        self.wrong.append((rule, values))


def judge_areas(
    frame: pd.DataFrame, context: BuildContext
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return the areas accepted, in the city's CRS, and the faults of all.

    A polygon is drawn by WKT, or by the shape of a delivered layer under the same code. A stretch of
    road is the centreline of the base map between two roads, widened by the half width, with flat ends.
    """
    rows, shapes = _with_shapes(frame)
    faults = Faults(rows, rules=_RULES)
    if rows.empty:
        return _frame([], context), faults.outcome().faults
    faults.add("P001", rows["code"].isna() | rows["name"].isna())
    faults.add("RA12", rows["lost"].notna(), value=rows["lost"])
    roads = read_roads(context.features("topography")) if _needs_roads(rows) else Roads({})
    places = _places(context)
    drawn = [_draw(record, shapes, roads, places) for record in rows.to_dict("records")]
    _report(faults, drawn)
    taken = rows["code"].isin(places.names.codes)
    faults.add("RA09", taken, value=rows["code"].fillna(""))
    refuse_repeats(faults, rows["code"])
    shapes_drawn = [item.record["geometry"] for item in drawn]
    judge_outside(faults, shapes_drawn, city=city_extent(context), grids=places.ground)
    sound = (~faults.refused).to_numpy()
    kept = [item.record for item, ok in zip(drawn, sound, strict=True) if ok]
    return _frame(kept, context), faults.outcome().faults


@dataclass(frozen=True, kw_only=True)
class _Places:
    names: AreaNames
    shapes: Mapping[str, Any]
    ground: Any


def _places(context: BuildContext) -> _Places:
    named: list[tuple[str, str | None, str | None]] = []
    shapes: dict[str, Any] = {}
    for dataset in ("areas", "unit_grids", "management_grids"):
        rows = context.rows(dataset)
        parents = rows["parent_code"] if "parent_code" in rows else [None] * len(rows)
        names = rows["name"] if "name" in rows else [None] * len(rows)
        named += list(zip(rows["code"], names, parents, strict=True))
        if "geometry" in rows:
            shapes |= dict(zip(rows["code"], rows["geometry"], strict=True))
    grids = context.rows("unit_grids")
    return _Places(
        names=name_areas(named),
        shapes=shapes,
        ground=shapely.STRtree(grids["geometry"].to_numpy()) if len(grids) else None,
    )


def _needs_roads(rows: pd.DataFrame) -> bool:
    return bool(rows["kind"].isin([SECTION, BOUNDARY]).any())


def _with_shapes(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the rows of areas, and the delivered shapes by code; a shape alone is a row of its own."""
    kinds = words_of(frame, "kind", subject="plan_area_kind")
    rows = pd.DataFrame(
        {
            "code": code_of(frame, "code"),
            "name": text_of(frame, "name"),
            "kind": kinds,
            "said_kind": text_of(frame, "kind"),
            **{name: text_of(frame, name) for name in ("road_name", "from_road", "to_road", "wkt")},
            **{
                name: text_of(frame, name)
                for name in ("sides", "left_side", "right_side", "remark", "lost")
            },
            "said_width": text_of(frame, "width_m"),
            "width_m": _metres(frame, "width_m"),
            "sharing": words_of(frame, "sharing", subject="sharing"),
            "said_sharing": text_of(frame, "sharing"),
            "source_file": frame["source_file"],
            "source_row": frame["source_row"],
        },
        index=frame.index,
    )
    if "geometry" not in frame:
        return rows.reset_index(drop=True), {}
    drawn = frame["geometry"].notna()
    shapes = dict(zip(rows.loc[drawn, "code"], frame.loc[drawn, "geometry"], strict=True))
    told = set(rows.loc[~drawn, "code"])
    rows["said_kind"] = rows["said_kind"].mask(drawn & rows["said_kind"].isna(), POLYGON)
    rows["kind"] = rows["kind"].mask(rows["said_kind"].eq(POLYGON), POLYGON)
    rows["name"] = rows["name"].mask(drawn & rows["name"].isna(), rows["code"])
    return rows[~(drawn & rows["code"].isin(told))].reset_index(drop=True), shapes


def _metres(frame: pd.DataFrame, column: str) -> "pd.Series[float]":
    """Return a column of metres; who writes the unit beside the number means the same."""
    text = text_of(frame, column).str.replace(_METRES, "", regex=True)
    return numbers_of(pd.DataFrame({column: text}), column)


def _draw(
    record: dict[str, Any], shapes: Mapping[str, Any], roads: Roads, places: _Places
) -> _Drawn:
    own = {name: None if pd.isna(record[name]) else record[name] for name in record}
    drawn = _Drawn(record=dict.fromkeys(COLUMNS), wrong=[])
    drawn.record |= {name: own[name] for name in COLUMNS if name in own}
    drawn.record["sides"] = []
    if own["kind"] is None:
        known = known_words("plan_area_kind")
        drawn.refuse("RA01", value=own["said_kind"] or "-", known=known)
    elif own["kind"] == POLYGON:
        _draw_polygon(drawn, own, shapes)
    else:
        _draw_road(drawn, own, roads)
    if own["kind"] == BOUNDARY:
        _share(drawn, own, places)
    return drawn


def _draw_polygon(drawn: _Drawn, own: Mapping[str, Any], shapes: Mapping[str, Any]) -> None:
    text = own["wkt"]
    shape = shapes.get(own["code"]) if text is None else _from_wkt(text)
    if shape is None or shape.is_empty or shapely.get_dimensions(shape) != 2:
        value = "-" if text is None else text[:60]
        drawn.refuse("RA02", value=value)
        return
    if not shape.is_valid:
        drawn.refuse("RA10")
        shape = shapely.make_valid(shape)
    drawn.record["geometry"] = _polygons(shape)


def _from_wkt(text: str) -> Any:
    try:
        return shapely.from_wkt(text.split(";")[-1])
    except shapely.errors.GEOSException:
        return None


def _polygons(shape: Any) -> shapely.MultiPolygon:
    parts = [part for part in shapely.get_parts(shape) if shapely.get_dimensions(part) == 2]
    flat = [piece for part in parts for piece in shapely.get_parts(part)]
    return shapely.MultiPolygon([shapely.force_2d(part) for part in flat])


def _draw_road(drawn: _Drawn, own: Mapping[str, Any], roads: Roads) -> None:
    width = own["width_m"]
    if width is None or not width > 0:
        drawn.refuse("RA05", value=own["said_width"] or "-")
    name = own["road_name"]
    if name is None:
        drawn.refuse("RA03", value="-")
        return
    try:
        axis = roads.along(name, own["from_road"], own["to_road"])
    except RoadMissingError as error:
        drawn.refuse("RA03", value=str(error.args[0]))
        return
    except RoadsApartError as error:
        drawn.refuse("RA04", value=name, other=str(error.args[0]))
        return
    drawn.record["axis"] = shapely.to_wkt(axis, rounding_precision=3)
    if width is not None and width > 0:
        drawn.record["geometry"] = _polygons(shapely.buffer(axis, width, cap_style="flat"))


def _share(drawn: _Drawn, own: Mapping[str, Any], places: _Places) -> None:
    if own["sharing"] is None:
        known = known_words("sharing")
        drawn.refuse("RA06", value=own["said_sharing"] or "-", known=known)
    stated = [side for side in (own["left_side"], own["right_side"]) if side]
    said = "、".join(stated) if stated else (own["sides"] or "")
    found = places.names.find(said)
    sides = list(found.codes)
    if found.unknown:
        drawn.refuse("RA17", value="、".join(found.unknown))
        return
    if len(sides) != 2:
        drawn.refuse("RA07", value=said or "-")
        return
    is_drawn = drawn.record["geometry"] is not None and own["sharing"] == "side"
    if is_drawn and _is_crossed(drawn.record["axis"], sides, own["width_m"], places):
        if stated:
            drawn.refuse("RA08", value=stated[0], other=stated[-1])
        sides.reverse()
    drawn.record["sides"] = sides


def _is_crossed(axis: str, sides: list[str], width: float, places: _Places) -> bool:
    """Tell whether the first area lies rather on the right of the axis and the second on its left."""
    line = shapely.from_wkt(axis)
    left, right = (
        shapely.buffer(line, side * width, single_sided=True, cap_style="flat") for side in (1, -1)
    )
    first, second = (places.shapes.get(code) for code in sides)
    if first is None or second is None:
        return False
    straight = _common(first, left) + _common(second, right)
    return _common(first, right) + _common(second, left) > straight + _SLIVER_M2


def _common(one: Any, other: Any) -> float:
    return float(shapely.area(shapely.intersection(one, other)))


def _report(faults: Faults, drawn: list[_Drawn]) -> None:
    index = faults.frame.index
    for rule in sorted({rule for item in drawn for rule, _ in item.wrong}):
        values = {
            at: dict(item.wrong)[rule]
            for at, item in zip(index, drawn, strict=True)
            if rule in dict(item.wrong)
        }
        told = pd.DataFrame.from_dict(values, orient="index")
        mask = pd.Series(index.isin(list(values)), index=index)
        faults.add(rule, mask, **{str(name): told[name].reindex(index) for name in told})


def _frame(records: list[dict[str, Any]], context: BuildContext) -> gpd.GeoDataFrame:
    table = pd.DataFrame(records, columns=list(COLUMNS))
    shapes = gpd.GeoSeries(table["geometry"].tolist(), crs=context.crs.crs)
    return gpd.GeoDataFrame(table.drop(columns="geometry"), geometry=shapes, crs=context.crs.crs)
