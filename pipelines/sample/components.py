"""Components 部件 placed where they belong: lamps on kerbs, covers in the carriageway, trees between."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
import shapely.ops
from scipy.spatial import cKDTree

from pipelines.sample.areas import DISTRICT
from pipelines.sample.district import District, Geometries
from pipelines.sample.plan import Array, Integers
from pipelines.sample.roads import CARRIAGEWAY_M
from pipelines.sample.units import COMPONENT_UNITS, Directory, unit_code

_LEAST_GAP_M = 2.0
"""Two components of one class are not put closer together than this."""
_IN_HOUSES = ("0201", "0301")


@dataclass(frozen=True, kw_only=True)
class Along:
    """A class that stands along the roads."""

    class_code: str
    name: str
    spacing_m: tuple[float, float, float, float]
    """For arterials, secondary roads, branches, lanes; 0: none there."""
    kerb_m: float
    """From the kerb: positive on the pavement, negative in the carriageway."""
    sides: str = "alternate"
    """alternate, both, left or right."""


ALONG = (
    Along(class_code="0101", name="上水井盖", spacing_m=(150, 150, 110, 130), kerb_m=-3.4, sides="right"),
    Along(class_code="0102", name="污水井盖", spacing_m=(120, 110, 90, 90), kerb_m=-1.6, sides="left"),
    Along(class_code="0103", name="雨水井盖", spacing_m=(90, 90, 80, 0), kerb_m=-2.6, sides="right"),
    Along(class_code="0104", name="雨水箅子", spacing_m=(45, 50, 60, 0), kerb_m=-0.35, sides="alternate"),
    Along(class_code="0105", name="电力井盖", spacing_m=(200, 240, 0, 0), kerb_m=1.9, sides="right"),
    Along(class_code="0106", name="路灯井盖", spacing_m=(180, 210, 0, 0), kerb_m=0.8, sides="alternate"),
    Along(class_code="0107", name="通信井盖", spacing_m=(150, 160, 210, 0), kerb_m=2.8, sides="left"),
    Along(class_code="0108", name="电视井盖", spacing_m=(420, 420, 0, 0), kerb_m=3.3, sides="right"),
    Along(class_code="0110", name="热力井盖", spacing_m=(220, 220, 260, 0), kerb_m=-4.1, sides="left"),
    Along(class_code="0111", name="燃气井盖", spacing_m=(240, 240, 240, 0), kerb_m=-2.1, sides="left"),
    Along(class_code="0113", name="消防设施", spacing_m=(240, 260, 280, 300), kerb_m=0.9, sides="right"),
    Along(class_code="0127", name="通讯（信）交接箱", spacing_m=(800, 800, 700, 0), kerb_m=3.9, sides="left"),
    Along(class_code="0130", name="电力立杆", spacing_m=(0, 0, 90, 60), kerb_m=0.6, sides="left"),
    Along(class_code="0137", name="路灯", spacing_m=(30, 30, 42, 55), kerb_m=0.5, sides="alternate"),
    Along(class_code="0204", name="公交站亭（牌）", spacing_m=(560, 620, 0, 0), kerb_m=1.6, sides="both"),
    Along(class_code="0305", name="垃圾箱", spacing_m=(120, 120, 160, 150), kerb_m=1.3, sides="alternate"),
    Along(class_code="0402", name="行道树", spacing_m=(24, 28, 60, 0), kerb_m=1.1, sides="alternate"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Layer:
    """All components of one class, in the order of their codes."""

    class_code: str
    name: str
    geometry: Geometries
    at: Array
    """Representative points."""
    road: Integers
    """Road they stand on, -1 for none."""

    @property
    def codes(self) -> list[str]:
        """Component codes: district, class, sequence."""
        return [f"{DISTRICT}{self.class_code}{n:06d}" for n in range(1, len(self.at) + 1)]


def place_components(district: District) -> list[Layer]:
    """Place the components of all classes inside the district, class by class."""
    layers = [_along(district, entry) for entry in ALONG]
    layers += [_signals(district), _name_plates(district), _signs(district), _cameras(district)]
    layers += [_railings(district), _parking(district), _toilets(district)]
    layers += [
        _in_green(district, "0405", "花架花钵", 2_500),
        _in_green(district, "0407", "街头座椅", 900),
    ]
    layers.append(_unknown_covers(district))
    inside = [_inside(district, layer) for layer in sorted(layers, key=lambda x: x.class_code)]
    return [layer for layer in inside if len(layer.at)]


def _layer(class_code: str, name: str, at: Array, road: npt.ArrayLike) -> Layer:
    at = np.round(at.reshape(-1, 2), 3)
    shapes = np.asarray(shapely.points(at), dtype=object)
    return Layer(
        class_code=class_code, name=name, geometry=shapes, at=at,
        road=np.broadcast_to(np.asarray(road, dtype=np.int64), len(at)),
    )  # fmt: skip


def _inside(district: District, layer: Layer) -> Layer:
    """Leave out what stands less than 0.5 m from the district's border, in a house, or beside another."""
    land = district.areas.district.land.buffer(-0.5)
    shapely.prepare(land)
    keep = shapely.contains_xy(land, layer.at[:, 0], layer.at[:, 1])
    if layer.class_code not in _IN_HOUSES:
        tree = shapely.STRtree(shapely.points(layer.at))
        keep[tree.query(district.footprints, predicate="contains")[1]] = False
    rows = np.flatnonzero(keep)
    pairs = cKDTree(layer.at[rows]).query_pairs(_LEAST_GAP_M, output_type="ndarray")
    keep[rows[np.unique(pairs.max(axis=1, initial=0))] if len(pairs) else []] = False
    return Layer(
        class_code=layer.class_code, name=layer.name, geometry=layer.geometry[keep],
        at=layer.at[keep], road=layer.road[keep],
    )  # fmt: skip


def offsets(district: District, segment: Integers, along_m: Array, across_m: Array) -> Array:
    """Return points beside road segments: `across_m` to the left of the line, right if negative."""
    lines = district.segments[segment]
    here = shapely.get_coordinates(shapely.line_interpolate_point(lines, along_m))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines, along_m + 0.5))
    behind = shapely.get_coordinates(
        shapely.line_interpolate_point(lines, np.maximum(along_m - 0.5, 0))
    )
    tangent = ahead - behind
    tangent /= np.hypot(tangent[:, 0], tangent[:, 1])[:, None]
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    result: Array = here + normal * across_m[:, None]
    return result


def _along(district: District, entry: Along) -> Layer:
    stream = district.plan.stream(f"along{entry.class_code}")
    ranks = district.network.ranks[district.network.segment_road]
    spacing = np.array(entry.spacing_m)[ranks]
    margin = np.array([26.0, 18.0, 12.0, 6.0])[ranks]
    free = shapely.length(district.segments) - 2 * margin
    count = np.where((spacing > 0) & (free > 4), np.round(free / np.maximum(spacing, 1)), 0)
    chance = stream.uniform(size=len(count))
    short = (spacing > 0) & (free > 8) & (count == 0) & (chance < free / np.maximum(spacing, 1))
    count = np.where(short, 1, count).astype(int)
    segment = np.repeat(np.arange(len(count)), count)
    order = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)
    step = free[segment] / count[segment]
    along = margin[segment] + (order + 0.5) * step + stream.uniform(-0.15, 0.15, len(order)) * step
    side = {
        "alternate": np.where(order % 2 == 0, 1.0, -1.0),
        "both": np.where(order % 2 == 0, 1.0, -1.0),
        "left": np.ones(len(order)),
        "right": -np.ones(len(order)),
    }[entry.sides]
    half = np.array(CARRIAGEWAY_M)[ranks[segment]] / 2
    across = side * np.maximum(half + entry.kerb_m + stream.normal(0, 0.08, len(order)), 0.6)
    at = offsets(district, segment, along, across)
    return _layer(entry.class_code, entry.name, at, district.network.segment_road[segment])


def _corners(district: District, ranks: tuple[int, ...], count: int) -> tuple[Array, Integers]:
    """Return points on the corners of junctions whose lesser road has one of `ranks`."""
    network = district.network
    pair = network.ranks[network.junction_roads]
    rows = np.flatnonzero(np.isin(pair.max(axis=1), ranks))
    half = np.array(CARRIAGEWAY_M)[pair[rows]] / 2 + 1.2
    turn = district.plan.warp.heading(network.junctions[rows])
    points, roads = [], []
    for corner in range(count):
        sign = np.array([(1, 1), (-1, -1), (1, -1), (-1, 1)][corner])
        first_is_east_west = np.array(
            [network.axes[i] == "EW" for i in network.junction_roads[rows, 0]]
        )
        east = np.where(first_is_east_west, half[:, 1], half[:, 0]) * sign[0]
        north = np.where(first_is_east_west, half[:, 0], half[:, 1]) * sign[1]
        cosine, sine = np.cos(turn), np.sin(turn)
        move = np.column_stack([cosine * east - sine * north, sine * east + cosine * north])
        points.append(district.junctions[rows] + move)
        roads.append(network.junction_roads[rows, corner % 2])
    return np.concatenate(points), np.concatenate(roads)


def _signals(district: District) -> Layer:
    at, road = _corners(district, (0, 1), 4)
    return _layer("0214", "交通信号灯", at, road)


def _name_plates(district: District) -> Layer:
    at, road = _corners(district, (0, 1, 2), 1)
    return _layer("0212", "路名牌", at + 0.9, road)


def _signs(district: District) -> Layer:
    at, road = _corners(district, (0, 1, 2), 2)
    keep = district.plan.stream("signs").uniform(size=len(at)) < 0.6
    return _layer("0210", "交通标志牌", at[keep] + np.array([1.6, -1.1]), road[keep])


def _cameras(district: District) -> Layer:
    at, road = _corners(district, (0, 1), 2)
    return _layer("0150", "监控电子眼", at + np.array([-1.3, 0.7]), road)


def _railings(district: District) -> Layer:
    """Railings between carriageway and cycle lane of the arterials: lines."""
    ranks = district.network.ranks[district.network.segment_road]
    lengths = shapely.length(district.segments)
    chosen = np.flatnonzero((ranks == 0) & (lengths > 120))
    chosen = chosen[district.plan.stream("railings").uniform(size=len(chosen)) < 0.5]
    lines = [
        shapely.ops.substring(line, 30, line.length - 30).offset_curve(
            -(CARRIAGEWAY_M[0] / 2 - 4.5)
        )
        for line in district.segments[chosen]
    ]
    shapes = shapely.transform(np.asarray(lines, dtype=object), lambda xy: np.round(xy, 3))
    at = shapely.get_coordinates(shapely.line_interpolate_point(shapes, 0.5, normalized=True))
    road = district.network.segment_road[chosen]
    return Layer(class_code="0217", name="交通护栏", geometry=shapes, at=at, road=road)


def _parking(district: District) -> Layer:
    rows = [i for i, patch in enumerate(district.fabric.patches) if patch.kind == "parking"]
    shapes = district.patches[rows]
    at = shapely.get_coordinates(shapely.point_on_surface(shapes))
    return Layer(
        class_code="0201", name="停车场", geometry=shapes, at=at.reshape(-1, 2),
        road=np.full(len(rows), -1),
    )  # fmt: skip


def _toilets(district: District) -> Layer:
    """Public toilets: one beside every square, park and market, on its edge."""
    rows = [
        i for i, p in enumerate(district.fabric.patches) if p.kind in ("park", "square", "green")
    ]
    rows = [i for i in rows if district.fabric.patches[i].land.area > 2_500][::2]
    inner = shapely.buffer(district.patches[rows], -5.0)
    inner = inner[~shapely.is_empty(inner)]
    at = shapely.get_coordinates(shapely.point_on_surface(shapely.boundary(inner)))
    return _layer("0301", "公共厕所", at, -1)


def _in_green(district: District, class_code: str, name: str, each_m2: float) -> Layer:
    stream = district.plan.stream(f"green{class_code}")
    points = []
    for index, patch in enumerate(district.fabric.patches):
        if patch.kind not in ("park", "square", "green"):
            continue
        count = min(40, int(patch.land.area / each_m2))
        west, south, east, north = district.patches[index].bounds
        tries = stream.uniform((west, south), (east, north), (count * 2, 2))
        inner = district.patches[index].buffer(-1.5)
        points.append(tries[shapely.contains_xy(inner, tries[:, 0], tries[:, 1])][:count])
    return _layer(class_code, name, np.concatenate(points), -1)


def _unknown_covers(district: District) -> Layer:
    """Covers of which nobody knows whose they are 不明井盖."""
    stream = district.plan.stream("unknown")
    count = max(3, round(district.plan.area_km2 * 5))
    lengths = shapely.length(district.segments)
    long = np.flatnonzero(lengths > 60)
    segment = stream.choice(long, count)
    along = stream.uniform(0.2, 0.8, count) * lengths[segment]
    at = offsets(district, segment, along, stream.uniform(0.8, 1.6, count))
    return _layer("0123", "不明井盖", at, district.network.segment_road[segment])


COLUMNS = (
    "ObjID", "ObjName", "DeptCode1", "DeptName1", "DeptCode2", "DeptName2", "DeptCode3", "DeptName3",
    "BGID", "ObjPos", "ObjState", "ORDate", "CHDate", "DataSource", "Note",
)  # fmt: skip


def component_table(district: District, layer: Layer, directory: Directory) -> pd.DataFrame:
    """Return a layer's attributes as the contractor fills them; codes by class and sequence."""
    stream = district.plan.stream(f"attributes{layer.class_code}")
    count = len(layer.at)
    table = pd.DataFrame(index=pd.RangeIndex(count))
    table["ObjID"] = layer.codes
    table["ObjName"] = layer.name
    for number, short in enumerate(COMPONENT_UNITS[layer.class_code], start=1):
        code = unit_code(short) if short else None
        table[f"DeptCode{number}"] = np.full(count, code, dtype=object)
        table[f"DeptName{number}"] = np.full(
            count, directory.names[code] if code else None, dtype=object
        )
    if layer.class_code == "0123":
        table["DeptName2"] = "无主"
    _muddle(table, layer, directory, stream)
    table["BGID"] = np.full(count, None, dtype=object)
    names = np.array([*district.network.names, None], dtype=object)
    table["ObjPos"] = [f"{name}" if name else None for name in names[layer.road]]
    state = stream.choice(["完好", "破损", "丢失", "废弃"], count, p=[0.955, 0.035, 0.006, 0.004])
    table["ObjState"] = state
    day = pd.Timestamp("2025-03-01") + pd.to_timedelta(stream.integers(0, 70, count), unit="D")
    table["ORDate"] = day.strftime("%Y%m%d")
    changed = stream.uniform(size=count) < 0.05
    later = (day + pd.to_timedelta(stream.integers(20, 160, count), unit="D")).strftime("%Y%m%d")
    table["CHDate"] = [day if has else None for day, has in zip(later, changed, strict=True)]
    source = stream.choice(["实测", "地形图", "其他"], count, p=[0.86, 0.12, 0.02])
    table["DataSource"] = source
    table["Note"] = np.full(count, None, dtype=object)
    return table[list(COLUMNS)]


def _muddle(
    table: pd.DataFrame, layer: Layer, directory: Directory, stream: np.random.Generator
) -> None:
    """Record owners as a census finds them: merged units, spoken names, blanks, disputes."""
    chance = stream.uniform(size=len(table))
    if layer.class_code in ("0110", "0402"):
        old = unit_code("299" if layer.class_code == "0110" else "298")
        table.loc[chance < 0.12, "DeptCode3"] = old
        table.loc[chance < 0.12, "DeptName3"] = directory.names[old]
    if layer.class_code in ("0137", "0106"):
        table.loc[chance < 0.06, "DeptCode3"] = None
        table.loc[chance < 0.06, "DeptName3"] = "路灯公司"
    if layer.class_code in ("0103", "0104"):
        table.loc[chance < 0.1, ["DeptCode3", "DeptName3"]] = None
        table.loc[chance < 0.04, ["DeptCode2", "DeptName2"]] = None
    if layer.class_code == "0305":
        table.loc[chance < 0.04, "DeptName2"] += "（争议）"
