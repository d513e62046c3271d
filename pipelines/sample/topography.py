"""The base topography as one layer per theme, with the surveyors' field names."""

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from pipelines.sample.addresses import Gazetteer
from pipelines.sample.district import District, Geometries
from pipelines.sample.plan import CRS, RIVER_WIDTH_M, Array
from pipelines.sample.roads import CARRIAGEWAY_M, FEATURE_CLASS

GREEN = {"green": "820000", "park": "820000", "field": "810000", "vacant": "830000"}
GROUND = {"pitch": "340401", "square": "340000", "parking": "450000"}
_HIGH_FLOORS = 10


def topography_layers(district: District, gazetteer: Gazetteer) -> dict[str, gpd.GeoDataFrame]:
    """Return file name -> layer, in the order of the themes."""
    layers = {
        "控制点": _control(district),
        "水系": _water(district),
        "居民地": _buildings(district, gazetteer),
        "院落": _compounds(district),
        "围墙": _walls(district),
        "公共设施": _patches(district, GROUND),
        "道路中心线": _roads(district),
        "铁路": _railway(district),
        "桥梁": _bridges(district),
        "高程点": _heights(district),
        "植被": _patches(district, GREEN),
    }
    result = {}
    start = 0
    for name, layer in layers.items():
        layer = layer[layer.geometry.intersects(district.areas.district.land)].reset_index(
            drop=True
        )
        layer.insert(0, "OBJID", [f"T{start + row:09d}" for row in range(1, len(layer) + 1)])
        start += len(layer)
        if len(layer):
            result[name] = layer
    return result


def sheet_numbers(geometry: Geometries) -> list[str]:
    """Return the 1:500 sheet 图幅号 (250 m) that holds each geometry: north-east of its corner, km.

    Examples
    --------
    >>> sheet_numbers(np.array([shapely.Point(541120.0, 4214260.0)], dtype=object))
    ['4214.25-541.00']
    """
    at = shapely.get_coordinates(shapely.point_on_surface(geometry))[:, :2]
    corner = np.floor(at / 250) * 0.25
    return [f"{north:.2f}-{east:.2f}" for east, north in corner]


def elevation(points: Array) -> Array:
    """Return the terrain's normal height, m: a plain that rises to low hills in the north-west."""
    u, v = (points[:, 0] - 541_000.0) / 1000, (points[:, 1] - 4_214_000.0) / 1000
    plain = 74.0 - 1.2 * u + 0.8 * v
    hills = 26.0 * np.exp(-(((u + 0.35) / 0.32) ** 2) - ((v - 0.3) / 0.27) ** 2)
    hills += 17.0 * np.exp(-(((u - 0.3) / 0.22) ** 2) - ((v + 0.2) / 0.3) ** 2)
    height: Array = plain + hills + 0.8 * np.sin(3.1 * u + 0.4) * np.cos(2.3 * v)
    return height


def _layer(geometry: npt.ArrayLike, **columns: npt.ArrayLike) -> gpd.GeoDataFrame:
    shapes = np.asarray(geometry, dtype=object)
    table = pd.DataFrame({name: pd.Series(values) for name, values in columns.items()})
    table["TFH"] = sheet_numbers(shapes) if len(shapes) else []
    return gpd.GeoDataFrame(table, geometry=shapes, crs=CRS)


def _buildings(district: District, gazetteer: Gazetteer) -> gpd.GeoDataFrame:
    floors = district.buildings.floors
    high = floors >= _HIGH_FLOORS
    material = np.where(high, "砼", np.where(floors > 2, "混", "砖"))
    names = [gazetteer.building_names.get(row) for row in range(len(floors))]
    return _layer(
        district.footprints,
        FCODE=np.where(high, "310500", "310300"),
        NAME=np.array(names, dtype=object),
        FLOORS=floors,
        MATERIAL=material,
    )


def _compounds(district: District) -> gpd.GeoDataFrame:
    return _layer(
        district.compounds,
        FCODE=["310600"] * len(district.compounds),
        NAME=list(district.compound_names),
    )


def _walls(district: District) -> gpd.GeoDataFrame:
    """Walls around the compounds, open at the gate."""
    gaps = shapely.buffer(shapely.points(district.gates), 5.0)
    lines = shapely.difference(shapely.boundary(district.compounds), gaps)
    merged, _ = shapely.get_parts(shapely.line_merge(lines), return_index=True)
    merged = merged[shapely.length(merged) > 3]
    return _layer(merged, FCODE=["380201"] * len(merged), MATERIAL=["砖"] * len(merged))


def _roads(district: District) -> gpd.GeoDataFrame:
    network = district.network
    ranks = network.ranks[network.segment_road]
    paths = district.paths
    classes = np.array(FEATURE_CLASS)[ranks]
    return _layer(
        np.concatenate([district.segments, paths]),
        FCODE=np.concatenate([classes, np.full(len(paths), "430600")]),
        NAME=np.array(
            [network.names[i] for i in network.segment_road] + [None] * len(paths), dtype=object
        ),
        WIDTH=np.concatenate([np.array(CARRIAGEWAY_M)[ranks], np.full(len(paths), 4.0)]),
    )


def _water(district: District) -> gpd.GeoDataFrame:
    lakes = [i for i, patch in enumerate(district.fabric.patches) if patch.kind == "lake"]
    river = shapely.get_parts(district.plan.warp.geometries([district.plan.river])[0])
    river = river[~shapely.is_empty(river)]
    stream = district.plan.stream("water")
    names: list[str | None] = ["石津渠"] * len(river)
    names += [f"{stream.choice(list('明翠月镜柳'))}湖" for _ in lakes]
    return _layer(
        np.concatenate([river, district.patches[lakes]]),
        FCODE=["210101"] * len(river) + ["230000"] * len(lakes),
        NAME=np.array(names, dtype=object),
    )


def _railway(district: District) -> gpd.GeoDataFrame:
    line = district.plan.railway
    shapes = district.plan.warp.geometries([] if line.is_empty else [line])
    return _layer(shapes, FCODE=["410000"] * len(shapes), NAME=["京广支线"] * len(shapes))


def _bridges(district: District) -> gpd.GeoDataFrame:
    plan = district.plan
    bridges, names = [], []
    lines = np.asarray(district.network.lines, dtype=object)
    over = shapely.intersection(lines, plan.river_axis.buffer(RIVER_WIDTH_M / 2 + 4))
    for index in np.flatnonzero(shapely.length(over) > RIVER_WIDTH_M).tolist():
        width = CARRIAGEWAY_M[int(district.network.ranks[index])]
        bridges.append(over[index].buffer(width / 2, cap_style="flat"))
        names.append(f"{district.network.names[index]}桥")
    shapes = plan.warp.geometries(bridges)
    return _layer(shapes, FCODE=["450301"] * len(shapes), NAME=names)


def _patches(district: District, classes: dict[str, str]) -> gpd.GeoDataFrame:
    rows = [i for i, patch in enumerate(district.fabric.patches) if patch.kind in classes]
    codes = [classes[district.fabric.patches[i].kind] for i in rows]
    return _layer(district.patches[rows], FCODE=codes)


def _grid(district: District, step_m: float, inset: float) -> Array:
    """Return lattice points inside the district, jittered."""
    west, south, east, north = district.areas.district.land.bounds
    x, y = np.meshgrid(
        np.arange(west + inset, east, step_m), np.arange(south + inset, north, step_m)
    )
    points = np.column_stack([x.ravel(), y.ravel()])
    points += district.plan.stream(f"grid{step_m}").uniform(-step_m / 3, step_m / 3, points.shape)
    inside = shapely.contains_xy(district.areas.district.land, points[:, 0], points[:, 1])
    kept: Array = np.round(points[inside], 3)
    return kept


def _control(district: District) -> gpd.GeoDataFrame:
    points = _grid(district, 600.0, 200.0)
    return _layer(
        shapely.points(points),
        FCODE=["110102"] * len(points),
        NAME=[f"CA{row:03d}" for row in range(1, len(points) + 1)],
        ELEV=np.round(elevation(points), 3),
    )


def _heights(district: District) -> gpd.GeoDataFrame:
    """Spot heights; their points carry Z, as the mapping software writes them."""
    points = _grid(district, 90.0, 30.0)
    heights = np.round(elevation(points), 2)
    return _layer(
        shapely.points(np.column_stack([points, heights])),
        FCODE=["720000"] * len(points),
        ELEV=heights,
    )
