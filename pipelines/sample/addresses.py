"""Door plates odd and even along the roads, building numbers in compounds, points of interest."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from pipelines.sample.areas import CITY, DISTRICT, DISTRICT_NAME, PROVINCE
from pipelines.sample.district import District
from pipelines.sample.plan import Array, Integers

_POI_SUFFIX = {
    "mall": "购物中心", "office": "大厦", "store": "商场", "station": "火车站", "hall": "文化馆",
}  # fmt: skip
_COMPOUND_POI = ("school", "hospital", "market", "site")
_ALIASES = {"小区": "院", "花园": "园", "宿舍": "家属院", "新村": "村"}


@dataclass(frozen=True, kw_only=True)
class Gazetteer:
    """All places that have an address; coordinates in the district's CRS."""

    plate_road: Integers
    plate_number: Integers
    plate_at: Array
    plate_building: Integers
    """Building the plate hangs on, -1 at a compound's gate."""
    compound_plate: Integers
    """Plate of each compound's gate."""
    poi_names: tuple[str, ...]
    poi_at: Array
    poi_plate: Integers
    """Plate of the point of interest, -1 without."""
    building_names: dict[int, str]
    """Names of the buildings that are points of interest."""


def number_plates(district: District) -> Gazetteer:
    """Hang a plate on every facade along a road and on every gate.

    The left side of a road has odd numbers, the right side even ones, growing from its start:
    from west to east, from north to south. Some numbers are left out, as in any old town.
    """
    stream = district.plan.stream("plates")
    fronts = district.fabric.plates
    gates = np.array([c.gate for c in district.fabric.compounds]).reshape(-1, 2)
    points = np.concatenate([*(front[0] for front in fronts), gates])
    buildings = np.concatenate([*(front[1] for front in fronts), np.full(len(gates), -1)])
    compound = np.concatenate([np.full(len(points) - len(gates), -1), np.arange(len(gates))])
    road, side, along = _beside(district, points)
    order = np.lexsort((along, side, road))
    new = np.concatenate([[True], np.diff(road[order] * 2 + side[order]) != 0])
    step = np.where(stream.uniform(size=len(order)) < 0.08, 2, 1)
    count = np.cumsum(step)
    start = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    rank = count - count[start] + 1
    number = 2 * rank - (side[order] == 0)
    compound_plate = np.full(len(gates), -1, dtype=np.int64)
    has = compound[order] >= 0
    compound_plate[compound[order][has]] = np.flatnonzero(has)
    names, at, plate, named = _interests(
        district, (road[order], buildings[order]), points[order], compound_plate
    )
    return Gazetteer(
        plate_road=road[order],
        plate_number=number.astype(np.int64),
        plate_at=district.plan.warp.forward(points[order]),
        plate_building=buildings[order].astype(np.int64),
        compound_plate=compound_plate,
        poi_names=names,
        poi_at=at,
        poi_plate=plate,
        building_names=named,
    )


def _beside(district: District, points: Array) -> tuple[Integers, Integers, Array]:
    """Return the nearest road of each plan point, its side (0 left, 1 right) and the distance along."""
    lines = np.asarray(district.network.lines, dtype=object)
    shapes = shapely.points(points)
    _, road = shapely.STRtree(lines).query_nearest(shapes, all_matches=False)
    along = shapely.line_locate_point(lines[road], shapes)
    foot = shapely.get_coordinates(shapely.line_interpolate_point(lines[road], along))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines[road], along + 1.0))
    behind = shapely.get_coordinates(
        shapely.line_interpolate_point(lines[road], np.maximum(along - 1.0, 0))
    )
    tangent, off = ahead - behind, points - foot
    left = tangent[:, 0] * off[:, 1] - tangent[:, 1] * off[:, 0] > 0
    return road.astype(np.int64), np.where(left, 0, 1).astype(np.int64), along


def _interests(
    district: District,
    hung: tuple[Integers, Integers],
    points: Array,
    compound_plate: Integers,
) -> tuple[tuple[str, ...], Array, Integers, dict[int, str]]:
    """Name shops, big buildings, institutions and parks."""
    stream = district.plan.stream("interests")
    road, building = hung
    kinds = np.where(building >= 0, district.buildings.kinds[np.maximum(building, 0)], "")
    chosen = (kinds == "shop") & (stream.uniform(size=len(kinds)) < 0.09)
    chosen |= np.isin(kinds, list(_POI_SUFFIX))
    names: list[str] = []
    named: dict[int, str] = {}
    plates: list[int] = []
    for plate in np.flatnonzero(chosen).tolist():
        owner = int(building[plate])
        if owner in named:
            continue
        suffix = _POI_SUFFIX.get(str(kinds[plate]))
        title = district.network.names[road[plate]]
        name = district.names.stem() + suffix if suffix else district.names.shop(title)
        named[owner] = name
        names.append(name)
        plates.append(plate)
    for index, compound in enumerate(district.fabric.compounds):
        if compound.kind in _COMPOUND_POI:
            names.append(district.compound_names[index])
            plates.append(int(compound_plate[index]))
    at = district.plan.warp.forward(points[plates]) if plates else np.empty((0, 2))
    parks = [i for i, p in enumerate(district.fabric.patches) if p.kind == "park"]
    middle = shapely.get_coordinates(shapely.point_on_surface(district.patches[parks]))
    names += [f"{district.names.stem()}公园" for _ in parks]
    return (
        tuple(names),
        np.round(np.concatenate([at, middle.reshape(-1, 2)]), 3),
        np.array(plates + [-1] * len(parks), dtype=np.int64),
        named,
    )


def address_table(district: District, gazetteer: Gazetteer) -> pd.DataFrame:
    """Return the sheet 地址 with the contractor's columns, coordinates as numbers."""
    parts = [
        _plates(district, gazetteer),
        _numbered_buildings(district, gazetteer),
        _compounds(district, gazetteer),
        _streets(district),
        _points_of_interest(district, gazetteer),
        _zones(district),
    ]
    table = pd.concat(parts, ignore_index=True)
    codes = district.areas.locate(table[["X", "Y"]].to_numpy(dtype=float))
    table = table[codes != ""].reset_index(drop=True)
    codes = codes[codes != ""]
    table["省"], table["市"], table["区县"] = PROVINCE, CITY, DISTRICT_NAME
    titles = {
        area.code: area.name for area in (*district.areas.streets, *district.areas.communities)
    }
    table["街道"] = [titles[code[:9]] for code in codes]
    table["社区"] = [titles[code] for code in codes]
    table.loc[table["类型"].isin(["街巷", "地片"]), ["街道", "社区"]] = None
    table["编号"] = [f"DZ{DISTRICT}{number:07d}" for number in range(1, len(table) + 1)]
    return table[list(COLUMNS)]


COLUMNS = (
    "编号", "类型", "名称", "别名", "省", "市", "区县", "街道", "社区", "街巷", "门牌", "小区", "楼牌",
    "兴趣点", "X", "Y",
)  # fmt: skip


def _rows(kind: str, at: Array, **columns: Sequence[str | None]) -> pd.DataFrame:
    """Return rows of one kind; levels that are not given stay empty."""
    table = pd.DataFrame({"类型": kind, "X": at[:, 0], "Y": at[:, 1]})
    for name in ("名称", "别名", "街巷", "门牌", "小区", "楼牌", "兴趣点"):
        table[name] = pd.Series(columns.get(name, [None] * len(at)), dtype=object)
    return table


def plate_texts(district: District, gazetteer: Gazetteer) -> tuple[list[str], list[str]]:
    """Return road name and number text of each plate."""
    roads = [district.network.names[i] for i in gazetteer.plate_road]
    return roads, [f"{number}号" for number in gazetteer.plate_number]


def _plates(district: District, gazetteer: Gazetteer) -> pd.DataFrame:
    roads, numbers = plate_texts(district, gazetteer)
    blocks: list[str | None] = [None] * len(roads)
    for compound, plate in enumerate(gazetteer.compound_plate.tolist()):
        blocks[plate] = district.compound_names[compound]
    joined = [road + number for road, number in zip(roads, numbers, strict=True)]
    return _rows("门牌", gazetteer.plate_at, 名称=joined, 街巷=roads, 门牌=numbers, 小区=blocks)


def _numbered_buildings(district: District, gazetteer: Gazetteer) -> pd.DataFrame:
    buildings = district.buildings
    rows = np.flatnonzero(
        (buildings.numbers > 0) & np.isin(buildings.kinds, ["slab", "tower", "school", "hospital"])
    )
    at = np.round(shapely.get_coordinates(shapely.centroid(district.footprints[rows])), 3)
    roads, numbers = plate_texts(district, gazetteer)
    compounds = buildings.compounds[rows]
    plates = gazetteer.compound_plate[compounds]
    blocks = [district.compound_names[c] for c in compounds]
    texts = [f"{number}号楼" for number in buildings.numbers[rows]]
    return _rows(
        "楼牌",
        at,
        名称=[block + text for block, text in zip(blocks, texts, strict=True)],
        街巷=[roads[p] for p in plates],
        门牌=[numbers[p] for p in plates],
        小区=blocks,
        楼牌=texts,
    )


def _compounds(district: District, gazetteer: Gazetteer) -> pd.DataFrame:
    kinds = [c.kind for c in district.fabric.compounds]
    rows = [i for i, kind in enumerate(kinds) if kind in ("slab", "tower", "sheds", "market")]
    at = np.round(shapely.get_coordinates(shapely.point_on_surface(district.compounds[rows])), 3)
    roads, numbers = plate_texts(district, gazetteer)
    plates = gazetteer.compound_plate[rows]
    names = [district.compound_names[i] for i in rows]
    return _rows(
        "小区",
        at,
        名称=names,
        别名=[alias_of(name) for name in names],
        街巷=[roads[p] for p in plates],
        门牌=[numbers[p] for p in plates],
        小区=names,
    )


def alias_of(name: str) -> str | None:
    """Return what people call a compound, for some kinds of names.

    Examples
    --------
    >>> alias_of("棉一宿舍"), alias_of("翠屏苑")
    ('棉一家属院', None)
    """
    for suffix, spoken in _ALIASES.items():
        if name.endswith(suffix):
            return name.removesuffix(suffix) + spoken
    return None


def _streets(district: District) -> pd.DataFrame:
    middle = shapely.line_interpolate_point(district.roads, 0.5, normalized=True)
    at = np.round(shapely.get_coordinates(middle), 3)
    names = list(district.network.names)
    return _rows("街巷", at, 名称=names, 街巷=names)


def _points_of_interest(district: District, gazetteer: Gazetteer) -> pd.DataFrame:
    roads, numbers = plate_texts(district, gazetteer)
    names = list(gazetteer.poi_names)
    plates = gazetteer.poi_plate.tolist()
    return _rows(
        "兴趣点",
        gazetteer.poi_at,
        名称=names,
        街巷=[roads[p] if p >= 0 else None for p in plates],
        门牌=[numbers[p] if p >= 0 else None for p in plates],
        兴趣点=names,
    )


_ZONES = {"core": "商圈", "old": "老街片", "industry": "工业园", "campus": "大学城"}


def _zones(district: District) -> pd.DataFrame:
    rows = [
        (block.kind, (block.box[0] + block.box[2]) / 2, (block.box[1] + block.box[3]) / 2)
        for block in district.plan.superblocks
        if block.kind in _ZONES
    ]
    at = district.plan.warp.forward(np.array([row[1:] for row in rows]))
    return _rows("地片", at, 名称=[district.names.stem() + _ZONES[row[0]] for row in rows])
