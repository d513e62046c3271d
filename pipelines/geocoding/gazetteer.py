"""Places that the other databases name: areas, roads, compounds, place names, crossings of roads.

The geocoding database holds them beside the delivered addresses, each with its source. A crossing
is a point of kind ``poi`` named ``A与B路口``, since reports name crossings so and no kind of GB/T
30428.3 is closer; the other order and spellings are its aliases. Where two roads meet more than
once, meetings within `CROSSING_M` of each other are one crossing (a divided road), others are
counted from the south-west.
"""

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.names.romanisation import generic_kind
from pipelines.context import BuildContext
from pipelines.geocoding.addresses import LEVELS, complete
from pipelines.placement import chain_names, place

CROSSING_M = 60.0
"""Meetings of the same two roads nearer than this are one crossing, m."""
_COMPOUND = "310600"
_KIND_OF_THEME = {"hydrography": "zone", "vegetation": "zone", "relief": "zone"}
_KIND_OF_GENERIC = {"street": "street", "area": "area"}
_KIND_OF_CATEGORY = {"1": "zone", "217": "zone", "21": "area", "22": "block"}


def derive_places(context: BuildContext) -> gpd.GeoDataFrame:
    """Return the places that areas, topography and place names give, in the city's CRS."""
    features = context.features("topography")
    named = features[features["name"].notna()]
    roads = _roads(named)
    parts = [
        _areas(context.features("areas")),
        roads,
        _named_features(named),
        _crossings(roads),
    ]
    known = pd.concat(parts, ignore_index=True)
    names = _place_names(context.features("place_names"))
    places = gpd.GeoDataFrame(
        pd.concat(_merge_names(known, names), ignore_index=True), geometry="geometry"
    ).set_crs(context.crs.crs, allow_override=True)
    return _locate(places.sort_values("code", ignore_index=True), context)


def _frame(rows: Iterable[dict[str, object]], source: str) -> gpd.GeoDataFrame:
    columns = ["code", "kind", "name", "aliases", "geometry"]
    frame = pd.DataFrame(list(rows), columns=columns)
    return gpd.GeoDataFrame(frame.assign(source=source), geometry="geometry")


def _areas(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return _frame(
        (
            {"code": f"area:{code}", "kind": "area", "name": name, "aliases": [], "geometry": shape}
            for code, name, shape in zip(areas["code"], areas["name"], areas.geometry, strict=True)
        ),
        "areas",
    )


def _is_road(named: gpd.GeoDataFrame) -> "pd.Series[bool]":
    is_line = named.geometry.geom_type.isin(["LineString", "MultiLineString"])
    return named["theme"].eq("transport") & is_line


def _roads(named: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Join the stretches of each named road to one line, coded by the lowest code among them."""
    return _grouped(named[_is_road(named)], kind="street", prefix="road")


def _named_features(named: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    rest = named[~_is_road(named)]
    is_compound = rest["feature_class"].eq(_COMPOUND)
    kinds = rest["theme"].map(_KIND_OF_THEME).fillna("poi").mask(is_compound, "block")
    parts = [
        _grouped(rest[kinds == kind], kind=kind, prefix="feature")
        for kind in ("block", "poi", "zone")
    ]
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry")


def _grouped(features: gpd.GeoDataFrame, *, kind: str, prefix: str) -> gpd.GeoDataFrame:
    rows = (
        {
            "code": f"{prefix}:{group['code'].min()}",
            "kind": kind,
            "name": name,
            "aliases": [],
            "geometry": shapely.union_all(group.geometry.to_numpy()),
        }
        for name, group in features.groupby("name", sort=True)
    )
    return _frame(rows, "topography")


def _place_names(names: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return _frame(
        (
            {"code": f"name:{row.code}", "kind": _kind_of(row), "name": row.name_}
            | {"aliases": [*row.aliases, *row.former_names], "geometry": row.geometry}
            for row in names.rename(columns={"name": "name_"}).itertuples()
        ),
        "place_names",
    )


def _kind_of(row: object) -> str:
    given = getattr(row, "category_code", None)
    category = given if isinstance(given, str) else ""  # missing is None or NaN
    by_name = _KIND_OF_GENERIC.get(generic_kind(getattr(row, "name_", "")), "poi")
    for digits in (3, 2, 1):
        if category[:digits] in _KIND_OF_CATEGORY:
            return _KIND_OF_CATEGORY[category[:digits]]
    return by_name


def _merge_names(known: pd.DataFrame, names: pd.DataFrame) -> list[pd.DataFrame]:
    """Give the aliases of a place name to the place that bears the name already, else keep it."""
    position = {name: row for row, name in reversed(list(enumerate(known["name"])))}
    aliases = known["aliases"].tolist()
    is_new = []
    for name, other in zip(names["name"], names["aliases"], strict=True):
        row = position.get(name)
        is_new.append(row is None)
        if row is not None:
            aliases[row] = list(dict.fromkeys([*aliases[row], *other]))
    return [known.assign(aliases=aliases), names[np.array(is_new, dtype=bool)]]


def _crossings(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the crossings of named roads."""
    shapes = roads.geometry.to_numpy()
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    rows: list[dict[str, object]] = []
    for one, two in sorted(zip(first.tolist(), second.tolist(), strict=True)):
        if one < two:
            rows.extend(_meetings(roads.iloc[one], roads.iloc[two]))
    return _frame(rows, "topography")


def _meetings(one: "pd.Series[object]", two: "pd.Series[object]") -> list[dict[str, object]]:
    shared = shapely.intersection(one["geometry"], two["geometry"])
    points = np.array([part.centroid for part in shapely.get_parts(shared)], dtype=object)
    centres = shapely.get_parts(shapely.union_all(shapely.buffer(points, CROSSING_M / 2)))
    meetings = sorted((_middle(points, centre) for centre in centres), key=lambda p: (p.x, p.y))
    first, second = str(one["name"]), str(two["name"])
    code = f"crossing:{one['code']}:{two['code']}".replace("road:", "")
    return [
        {
            "code": code if number == 1 else f"{code}:{number}",
            "kind": "poi",
            "name": f"{first}与{second}路口",
            "aliases": crossing_names(first, second)[1:],
            "geometry": point,
        }
        for number, point in enumerate(meetings, 1)
    ]


def _middle(
    points: "np.ndarray[tuple[int], np.dtype[np.object_]]", centre: object
) -> shapely.Point:
    inside = points[shapely.intersects(centre, points)]
    middle = shapely.MultiPoint(list(inside)).centroid
    return inside[int(np.argmin(shapely.distance(inside, middle)))]  # on a road, not between two


def crossing_names(first: str, second: str) -> list[str]:
    """Return the ways in which reports name the crossing of two roads, the standard one first.

    Examples
    --------
    >>> crossing_names("裕华路", "建设大街")[:3]
    ['裕华路与建设大街路口', '建设大街与裕华路路口', '裕华路与建设大街交叉口']
    """
    pairs = ((first, second), (second, first))
    return [
        f"{one}{word}{two}{end}"
        for word, end in (("与", "路口"), ("与", "交叉口"), ("和", "路口"), ("", "路口"))
        for one, two in pairs
    ]


def _locate(places: gpd.GeoDataFrame, context: BuildContext) -> gpd.GeoDataFrame:
    """Fill community, grid and the names of the areas around, and the bookkeeping columns."""
    where = place(places.geometry, context)
    is_area = places["code"].str.startswith("area:")
    own = places["code"].str.removeprefix("area:")
    area_code = own.where(is_area, where.area_code)
    result = places.join(chain_names(area_code, context))
    result["community_code"] = where.community_code.mask(is_area, own.where(own.str.len() == 12))
    result["grid_code"] = where.grid_code.mask(is_area, None)
    for level in LEVELS:
        if level not in result:
            result[level] = None
    result["orientation"] = result["supplement"] = None
    result["source_file"], result["source_row"] = result["source"], 0
    return complete(result)


def drop_delivered(derived: gpd.GeoDataFrame, delivered: pd.DataFrame) -> gpd.GeoDataFrame:
    """Leave out derived places that the delivery has itself: same kind, name and community.

    Streets stay: a delivered street is a point, the derived one is the line along which the plates
    stand.
    """
    keys = ["kind", "name", "community_code"]
    there = set(map(tuple, delivered[keys].to_numpy().tolist()))
    same = [tuple(row) in there for row in derived[keys].to_numpy().tolist()]
    return derived[~(np.array(same, dtype=bool) & derived["kind"].ne("street").to_numpy())]
