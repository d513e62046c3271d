"""A seeded city of a million places: areas, roads with plates, compounds with buildings, marks."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from api.compile import CityFacts, write_snapshot
from gis.crs import CityCrs
from gis.workspace import parse_profile

X0, Y0 = 500_000.0, 4_200_000.0
SIDE_M = 32_000.0
_DISTRICTS, _STREETS, _COMMUNITIES, _GRIDS = 4, 4, 2, 5
"""Parts along a side of the city, a district, a street, a community."""
_FROM = date(2025, 1, 1)
_VERSION: dict[str, Any] = {"valid_from": _FROM, "valid_to": None, "build_id": 1}
_DISTRICT_NAMES = (
    "长安区", "桥西区", "新华区", "裕华区", "井陉区", "藁城区", "鹿泉区", "栾城区",
    "东湖区", "江汉区", "武昌区", "青山区", "洪山区", "海淀区", "城北区", "高新区",
)  # fmt: skip
_FIRST = "建中和平裕华长安友谊光明胜利石府泰兴永福安吉东西南北翠金银海江河湖山云龙凤玉春秋新民文昌康宁富强祥顺仁义"
_SECOND = "设山平华安谊明利民府兴福吉湖桥门园庄村塘坊岗岭溪泉林阳庆丰盛昌康宁德化信达通远景秀芳菲苑庭城台阁"
_ROADS = (
    "路",
    "路",
    "路",
    "路",
    "街",
    "大街",
    "大道",
    "巷",
    "胡同",
    "东路",
    "西路",
    "南街",
    "北大街",
    "一路",
    "二路",
)
_BLOCKS = ("小区", "花园", "家园", "公寓", "苑", "新村", "国际城", "名邸", "小区二期")
_CHAINS = (
    "中国工商银行", "中国建设银行", "中国银行", "邮政储蓄", "老百姓大药房", "国大药房", "肯德基", "麦当劳", "星巴克咖啡",
    "美宜佳便利店", "华润万家超市", "蜜雪冰城", "绝味鸭脖", "正新鸡排", "兰州拉面", "沙县小吃", "顺丰速运", "中国移动营业厅",
)  # fmt: skip
_TRADES = (
    "小学", "中学", "幼儿园", "医院", "卫生服务中心", "派出所", "菜市场", "超市", "理发店", "面馆", "饭店", "宾馆", "药店",
    "五金店", "修车行", "公园", "地铁站", "公交站", "大厦", "广场", "停车场", "加油站", "洗衣店", "网吧", "茶楼", "眼镜店",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """The frames of the city."""

    places: pd.DataFrame
    areas: pd.DataFrame
    grids: pd.DataFrame


def make_crowd(count: int, *, seed: int = 1) -> Crowd:
    """Return about so many places: six tenths plates, two tenths buildings, two tenths marks."""
    rng = np.random.default_rng(seed)
    areas, grids = _areas(rng)
    roads = _roads(max(4, count // 250), rng)
    plates = _plates(roads, int(0.6 * count), rng)
    blocks, buildings = _compounds(plates, int(0.2 * count), rng)
    marks = _marks(plates, int(0.2 * count), rng)
    parts = [roads, plates, blocks, buildings, marks]
    places = pd.concat([_chained(part, areas) for part in parts], ignore_index=True)
    places["code"] = [f"p{number:07d}" for number in range(len(places))]
    places["source"] = "addresses"
    order = rng.permutation(len(places))
    return Crowd(
        places=places.iloc[order].reset_index(drop=True).assign(**_VERSION),
        areas=areas.drop(columns=["x", "y"]),
        grids=grids,
    )


def write_crowd(crowd: Crowd, folder: Path) -> Path:
    """Compile the city and return the folder of the version."""
    frames = {"areas": crowd.areas, "unit_grids": crowd.grids, "places": crowd.places}
    profile = parse_profile('[city]\ncode = "130100"\nname = "石家庄市"\n')
    crs = CityCrs(text="EPSG:4547", crs=CRS.from_epsg(4547), srid=4547)
    return write_snapshot(frames, folder, facts=CityFacts(profile=profile, crs=crs))


def _boxes(side: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[Any]]:
    row, column = np.divmod(np.arange(side * side), side)
    step = SIDE_M / side
    x, y = X0 + column * step, Y0 + row * step
    return row, column, shapely.box(x, y, x + step, y + step)


def _codes(row: NDArray[np.int64], column: NDArray[np.int64], sides: tuple[int, ...]) -> list[str]:
    """Return the code of each cell: 4 digits of the city, then 2, 3, 3 … of each level."""
    codes = np.full(len(row), "1301", dtype=object)
    total = int(np.prod(sides))
    for level, side in enumerate(sides):
        total //= side
        part_row, part_column = row // total % side, column // total % side
        number = part_row * side + part_column + 1
        codes = codes + np.array(
            [f"{n:0{2 if level == 0 else 3}d}" for n in number.tolist()], object
        )
    return codes.tolist()


def _areas(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    frames = []
    sides: tuple[int, ...] = ()
    for level, side in (
        ("district", _DISTRICTS),
        ("street", _STREETS),
        ("community", _COMMUNITIES),
    ):
        sides = (*sides, side)
        row, column, shapes = _boxes(int(np.prod(sides)))
        codes = _codes(row, column, sides)
        names = _area_names(level, len(codes), rng)
        frames.append(
            pd.DataFrame({"code": codes, "level": level, "name": names, "geometry": shapes})
        )
    areas = pd.concat(frames, ignore_index=True)
    areas["parent_code"] = areas["code"].str[:-3].where(areas["level"] != "district")
    areas["area_m2"] = shapely.area(areas["geometry"].to_numpy())
    centres = shapely.centroid(areas["geometry"].to_numpy())
    areas["x"], areas["y"] = shapely.get_x(centres), shapely.get_y(centres)
    row, column, shapes = _boxes(int(np.prod(sides)) * _GRIDS)
    codes = _codes(row, column, (*sides, _GRIDS))
    grids = pd.DataFrame({"code": codes, "geometry": shapes})
    grids["community_code"] = grids["code"].str[:12]
    grids["area_m2"], grids["origin"] = shapely.area(shapes), "divided"
    grids["initial_date"] = _FROM
    return areas.assign(**_VERSION), grids.assign(**_VERSION)


def _area_names(level: str, count: int, rng: np.random.Generator) -> list[str]:
    if level == "district":
        return list(_DISTRICT_NAMES[:count])
    end = {"street": "街道", "community": "社区"}[level]
    return [name + end for name in _pairs(count, rng)]


def _pairs(count: int, rng: np.random.Generator) -> list[str]:
    """Return names of two or three characters; about one in thirty repeats an earlier one."""
    first = rng.integers(len(_FIRST), size=count).tolist()
    second = rng.integers(len(_SECOND), size=count).tolist()
    third = rng.integers(4 * len(_SECOND), size=count).tolist()
    return [
        _FIRST[a] + _SECOND[b] + (_SECOND[c] if c < len(_SECOND) else "")
        for a, b, c in zip(first, second, third, strict=True)
    ]


def _roads(count: int, rng: np.random.Generator) -> pd.DataFrame:
    names = [
        name + _ROADS[end]
        for name, end in zip(
            _pairs(count, rng), rng.integers(len(_ROADS), size=count).tolist(), strict=True
        )
    ]
    length = rng.uniform(300.0, 4_000.0, count)
    x = X0 + rng.uniform(0.0, SIDE_M - 4_000.0, count)
    y = Y0 + rng.uniform(0.0, SIDE_M - 4_000.0, count)
    is_east = rng.uniform(size=count) < 0.5
    ends = np.stack(
        [x, y, x + np.where(is_east, length, 0.0), y + np.where(is_east, 0.0, length)], 1
    )
    return pd.DataFrame(
        {
            "kind": "street",
            "name": names,
            "road": names,
            "geometry": shapely.linestrings(ends.reshape(-1, 2, 2)),
            "x": ends[:, [0, 2]].mean(axis=1),
            "y": ends[:, [1, 3]].mean(axis=1),
            "is_east": is_east,
            "length": length,
        }
    )


def _plates(roads: pd.DataFrame, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Number plates along the roads, odd on one side, even on the other, in proportion to length."""
    share = roads["length"].to_numpy() / roads["length"].sum()
    each = np.maximum(1, np.round(share * count)).astype(np.int64)
    road = np.repeat(np.arange(len(roads)), each)
    rank = np.arange(len(road)) - np.repeat(np.cumsum(each) - each, each)
    number = rank + 1
    along = (rank + rng.uniform(0.2, 0.8, len(road))) / np.repeat(each, each) - 0.5
    along *= roads["length"].to_numpy()[road]
    across = np.where(number % 2 == 1, 15.0, -15.0)
    is_east = roads["is_east"].to_numpy()[road]
    x = roads["x"].to_numpy()[road] + np.where(is_east, along, across)
    y = roads["y"].to_numpy()[road] + np.where(is_east, across, along)
    names = [f"{n}号" for n in number.tolist()]
    told = {"kind": "plate", "name": names, "road": roads["name"].to_numpy()[road], "plate": names}
    return pd.DataFrame(told | {"geometry": shapely.points(x, y), "x": x, "y": y})


def _compounds(
    plates: pd.DataFrame, count: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    gates = plates.iloc[rng.choice(len(plates), size=max(1, count // 11), replace=False)]
    names = [
        name + _BLOCKS[end]
        for name, end in zip(
            _pairs(len(gates), rng),
            rng.integers(len(_BLOCKS), size=len(gates)).tolist(),
            strict=True,
        )
    ]
    x, y = gates["x"].to_numpy() + 60.0, gates["y"].to_numpy() + 60.0
    told = {"road": gates["road"].to_numpy(), "plate": gates["plate"].to_numpy(), "block": names}
    blocks = pd.DataFrame(
        {"kind": "block", "name": names, "x": x, "y": y, **told}
        | {"geometry": shapely.box(x - 50.0, y - 50.0, x + 50.0, y + 50.0)}
    )
    own = np.repeat(np.arange(len(blocks)), 10)
    number = np.tile(np.arange(1, 11), len(blocks))
    buildings = blocks.iloc[own].reset_index(drop=True)
    buildings["kind"] = "plate"
    buildings["building"] = buildings["name"] = [f"{n}号楼" for n in number.tolist()]
    buildings["x"] += (number - 1) % 5 * 20.0 - 40.0
    buildings["y"] += (number - 1) // 5 * 50.0 - 25.0
    buildings["geometry"] = shapely.points(buildings["x"], buildings["y"])
    return blocks, buildings


def _marks(plates: pd.DataFrame, count: int, rng: np.random.Generator) -> pd.DataFrame:
    at = plates.iloc[rng.integers(len(plates), size=count)]
    pairs = _pairs(count, rng)
    chain = rng.integers(3 * len(_CHAINS), size=count).tolist()
    trade = rng.integers(len(_TRADES), size=count).tolist()
    names = [
        f"{_CHAINS[c]}({road}店)" if c < len(_CHAINS) else pair + _TRADES[t]
        for c, t, pair, road in zip(chain, trade, pairs, at["road"], strict=True)
    ]
    x, y = at["x"].to_numpy() + 3.0, at["y"].to_numpy() + 3.0
    told = {"road": at["road"].to_numpy(), "plate": at["plate"].to_numpy(), "poi": names}
    return pd.DataFrame(
        {"kind": "poi", "name": names, "x": x, "y": y, "geometry": shapely.points(x, y), **told}
    )


def _chained(part: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Give places the areas around them, their grid and the full address."""
    side = _DISTRICTS * _STREETS * _COMMUNITIES
    grids = side * _GRIDS
    column, row = (
        np.clip(
            ((part[axis].to_numpy() - start) // (SIDE_M / grids)).astype(np.int64), 0, grids - 1
        )
        for axis, start in (("x", X0), ("y", Y0))
    )
    codes = _codes(row, column, (_DISTRICTS, _STREETS, _COMMUNITIES, _GRIDS))
    names = areas.set_index("code")["name"]
    grid = pd.Series(codes, index=part.index)
    placed = part.drop(columns=["is_east", "length"], errors="ignore").assign(
        province="河北省",
        city="石家庄市",
        district=grid.str[:6].map(names),
        street=grid.str[:9].map(names),
        community=grid.str[:12].map(names),
        grid_code=grid,
        community_code=grid.str[:12],
        aliases=[[]] * len(part),
        short_names=[[]] * len(part),
    )
    levels = (
        "province",
        "city",
        "district",
        "street",
        "community",
        "road",
        "plate",
        "block",
        "building",
        "poi",
    )
    texts = [
        placed[level].fillna("") if level in placed else pd.Series("", index=part.index)
        for level in levels
    ]
    return placed.assign(full_address=["".join(words) for words in zip(*texts, strict=True)])
