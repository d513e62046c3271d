"""Areas that the sample's plan draws: a road section, polygons, boundary roads of each sharing rule."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
import shapely.ops

from pipelines.sample.district import District
from pipelines.sample.plan import CRS
from pipelines.sample.trade_grids import management_grid_table
from pipelines.sample.units import make_directory

_SHORTEST_M = 60.0
_BESIDE_M = 12.0
_FIRST_ROW = 2


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A road between two others, and the communities along it."""

    road: str
    first: str
    last: str
    left: str
    """Community on the left, going from first to last."""
    right: str


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """The sheet of areas, the layer beside it, and what is wrong on purpose."""

    rows: list[dict[str, Any]]
    layer: gpd.GeoDataFrame
    rules: list[tuple[int, str]]
    """Row of the sheet and the rule that speaks."""
    trade_grids: tuple[str, str]
    """Code of one sanitation grid, name of another."""
    boundaries: dict[str, Stretch]
    """Code of each boundary road -> its stretch."""


def draw_areas(district: District, *, shapes: str) -> Drawing:
    """Return the areas; boundary roads lie where two communities meet along a road."""
    stretches = list(_stretches(district))
    # Between two streets first: there the sides have different territorial units.
    meeting = [each for each in stretches if each.left != each.right]
    between = _apart(sorted(meeting, key=lambda each: each.left[:9] == each.right[:9]), count=3)
    inside = next(each for each in stretches if each.left == each.right)
    compounds = np.argsort(-shapely.area(district.compounds), kind="stable")
    rows: list[dict[str, Any]] = [
        _road("LD01", "示范路段", "路段", inside, 25),
        {"范围编码": "MQ01", "范围名称": "最大院落", "范围类型": "范围面",
         "边界WKT": shapely.to_wkt(district.compounds[compounds[0]], rounding_precision=3)},
        {"范围编码": "JS01", "范围名称": "集市东片", "范围类型": "面", "图层": shapes},
    ]  # fmt: skip
    boundaries = {}
    for number, (rule, stretch) in enumerate(
        zip(("按侧", "单双日", "共管"), between, strict=False), 1
    ):
        code = f"JL{number:02d}"
        boundaries[code] = stretch
        sides: dict[str, Any] = {"两侧区域": f"{stretch.left}、{stretch.right}"}
        if rule == "按侧":
            sides = {"左侧区域": stretch.left, "右侧区域": stretch.right}
        rows.append(
            _road(code, f"{stretch.road}界路", "界路", stretch, 20) | sides | {"分担规则": rule}
        )
    sound = len(rows)
    rows += [
        _road("LD90", "图上没有的路", "路段", inside, 25) | {"道路": "长征西路九号线"},
        _road("LD91", "没有宽度的路", "路段", inside, None),
        {"范围编码": "MQ90", "范围名称": "没画完的面", "范围类型": "范围面", "边界WKT": "POLYGON ((0 0"},
        {"范围编码": "MQ91", "范围名称": "不明类型", "范围类型": "片区"},
    ]  # fmt: skip
    rules = [
        (sound + number + _FIRST_ROW, rule)
        for number, rule in enumerate(("RA03", "RA05", "RA02", "RA01"))
    ]
    layer = gpd.GeoDataFrame(
        {"FWBM": ["JS01"], "FWMC": ["集市东片"]},
        geometry=[district.compounds[compounds[1]]],
        crs=CRS,
    )
    grids = _sanitation(district)
    return Drawing(rows=rows, layer=layer, rules=rules, trade_grids=grids, boundaries=boundaries)


def _road(code: str, name: str, kind: str, stretch: Stretch, width: int | None) -> dict[str, Any]:
    return {
        "范围编码": code, "范围名称": name, "范围类型": kind, "道路": stretch.road,
        "起点": stretch.first, "止点": stretch.last, "半宽（米）": width,
    }  # fmt: skip


def _apart(stretches: list[Stretch], *, count: int) -> list[Stretch]:
    """Return the first stretches of different roads."""
    found: dict[str, Stretch] = {}
    for stretch in stretches:
        found.setdefault(stretch.road, stretch)
    return list(found.values())[:count]


def _stretches(district: District) -> Iterator[Stretch]:
    """Yield stretches of road between two others that have one community on either side."""
    network = district.network
    uses = Counter(network.names)
    for road, line in enumerate(district.roads):
        name = network.names[road]
        met = [
            (float(shapely.line_locate_point(line, shapely.Point(point))), int(other))
            for point, pair in zip(district.junctions, network.junction_roads, strict=True)
            for other in pair
            if road in pair and other != road
        ]
        named = [(at, network.names[other]) for at, other in sorted(met)]
        for (begin, first), (end, last) in pairwise(named):
            if end - begin < _SHORTEST_M or len({name, first, last}) < 3:
                continue
            if max(uses[each] for each in (name, first, last)) > 1:
                continue
            codes = _beside(district, shapely.ops.substring(line, begin, end))
            if codes is not None:
                yield Stretch(road=name, first=first, last=last, left=codes[0], right=codes[1])


def _beside(district: District, axis: Any) -> tuple[str, str] | None:
    """Return the communities left and right of a line, if there is one on either side."""
    at = shapely.get_coordinates(
        shapely.line_interpolate_point(axis, [0.2, 0.4, 0.5, 0.6, 0.8], normalized=True)
    )
    start, end = np.array(axis.coords[0]), np.array(axis.coords[-1])
    east, north = (end - start) / np.hypot(*(end - start))
    left = district.areas.locate(at + _BESIDE_M * np.array([-north, east]))
    right = district.areas.locate(at - _BESIDE_M * np.array([-north, east]))
    if "" in left or "" in right or len(set(left)) > 1 or len(set(right)) > 1:
        return None
    return str(left[0]), str(right[0])


def _sanitation(district: District) -> tuple[str, str]:
    table = management_grid_table(district.areas, make_directory(district.areas))
    own = table[table["行业"].eq("环卫")]
    return str(own["管理网格编码"].iloc[0]), str(own["管理网格名称"].iloc[1])
