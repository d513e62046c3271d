"""Addresses as people say them, with the place they mean: plates, buildings, crossings, marks."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from pipelines.sample.addresses import Gazetteer, alias_of, plate_texts
from pipelines.sample.district import District
from pipelines.sample.plan import Array
from pipelines.sample.roads import CARRIAGEWAY_M

HOWS = ("plate", "building", "crossing", "crossing_offset", "poi", "poi_opposite", "alias")
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


@dataclass(frozen=True, kw_only=True)
class Saying:
    """One address and the place it means."""

    text: str
    x: float
    y: float
    how: str
    code: str
    """Code of the delivered address row; "" for a crossing."""


class Speaker:
    """Says addresses of one district."""

    def __init__(self, district: District, gazetteer: Gazetteer, addresses: pd.DataFrame) -> None:
        self._district = district
        self._gazetteer = gazetteer
        plain = addresses.astype(object).where(addresses.notna(), None)
        self._by_kind = {
            kind: rows.to_dict("records") for kind, rows in plain.groupby("类型", sort=True)
        }
        self._plates = self._by_kind["门牌"]
        self._plate_index = _plate_index(district, gazetteer)
        self._crossings = _crossings(district)
        self._marks = [row for row in self._by_kind["兴趣点"] if row["门牌"]]
        self._plate_tree = cKDTree([(row["X"], row["Y"]) for row in self._plates])
        self._aliased = [row for row in self._by_kind["小区"] if alias_of(row["名称"])]

    def say(self, how: str, stream: np.random.Generator) -> Saying:
        """Return an address of the kind `how`, one of `HOWS`."""
        if how.startswith("crossing"):
            return self._crossing(how, stream)
        if how == "building":
            row = _pick(self._by_kind["楼牌"], stream)
            return _saying(row, row["名称"], how)
        if how == "alias":
            row = _pick(self._aliased or self._by_kind["小区"], stream)
            return _saying(row, row["别名"] or row["名称"], how)
        if how == "poi":
            row = _pick(self._by_kind["兴趣点"], stream)
            return _saying(row, row["名称"] + str(stream.choice(["", "门口", "门前"])), how)
        if how == "poi_opposite":
            return self._opposite(stream)
        row = _pick(self._plates, stream)
        prefix = str(stream.choice(["", "", "长安区", "石家庄市长安区", row["街道"]]))
        text = prefix + row["名称"]
        return _saying(row, text.translate(_FULL_WIDTH) if stream.uniform() < 0.1 else text, how)

    def nearest_plate(self, x: float, y: float) -> tuple[str, float]:
        """Return the name of the door plate nearest to a point, and how far off it is."""
        distance, plate = self._plate_tree.query((x, y))
        return str(self._plates[int(plate)]["名称"]), float(distance)

    def _opposite(self, stream: np.random.Generator) -> Saying:
        """Say the other side of the road from a mark."""
        row = _pick(self._marks, stream)
        road = self._plate_index[row["街巷"] + row["门牌"]]
        line = self._district.roads[road]
        foot = line.interpolate(line.project(shapely.Point(row["X"], row["Y"])))
        x, y = 2 * foot.x - row["X"], 2 * foot.y - row["Y"]
        return Saying(
            text=row["名称"] + "对面", x=round(x, 3), y=round(y, 3), how="poi_opposite",
            code=row["编号"],
        )  # fmt: skip

    def _crossing(self, how: str, stream: np.random.Generator) -> Saying:
        junction, first, second = self._crossings[stream.integers(len(self._crossings))]
        names = self._district.network.names
        at = self._district.junctions[junction]
        joint = str(stream.choice(["与", "和"]))
        pair = f"{names[first]}{joint}{names[second]}"
        if how == "crossing":
            text = pair + str(stream.choice(["交叉口", "路口", "交口"]))
            return Saying(text=text, x=float(at[0]), y=float(at[1]), how=how, code="")
        away = int(stream.choice([30, 50, 80]))
        return self._beside(pair, (junction, first), away, stream)

    def _beside(
        self, pair: str, where: tuple[int, int], away: int, stream: np.random.Generator
    ) -> Saying:
        """Say so many metres east or west of a crossing, on the north or south side."""
        junction, road = where
        line = self._district.roads[road]
        start = line.project(shapely.Point(self._district.junctions[junction]))
        east = start + away < line.length - 5
        along = start + away if east else start - away
        here = shapely.get_coordinates(line.interpolate(along))[0]
        tangent = shapely.get_coordinates(line.interpolate(min(along + 1, line.length)))[0] - here
        tangent /= np.hypot(*tangent)
        north = stream.uniform() < 0.5
        half = CARRIAGEWAY_M[int(self._district.network.ranks[road])] / 2 + 2
        normal = np.array([-tangent[1], tangent[0]]) * (1 if north else -1)
        point = np.round(here + normal * half, 3)
        text = f"{pair}路口{'东' if east else '西'}{away}米路{'北' if north else '南'}"
        return Saying(
            text=text, x=float(point[0]), y=float(point[1]), how="crossing_offset", code=""
        )


def _pick(rows: list[dict[str, str]], stream: np.random.Generator) -> dict[str, str]:
    return rows[int(stream.integers(len(rows)))]


def _saying(row: dict[str, str], text: str, how: str) -> Saying:
    return Saying(text=text, x=float(row["X"]), y=float(row["Y"]), how=how, code=row["编号"])


def _plate_index(district: District, gazetteer: Gazetteer) -> dict[str, int]:
    """Return plate name -> road index."""
    roads, numbers = plate_texts(district, gazetteer)
    return {
        road + number: int(index)
        for road, number, index in zip(roads, numbers, gazetteer.plate_road, strict=True)
    }


def _crossings(district: District) -> list[tuple[int, int, int]]:
    """Return junction, east-west road, north-south road, where the two meet only once."""
    network = district.network
    often = Counter(
        frozenset((network.names[a], network.names[b])) for a, b in network.junction_roads
    )
    border: Array = district.junctions
    inside = shapely.contains_xy(
        district.areas.district.land.buffer(-60), border[:, 0], border[:, 1]
    )
    result = []
    for junction, (first, second) in enumerate(network.junction_roads.tolist()):
        axes = network.axes[first], network.axes[second]
        names = network.names[first], network.names[second]
        if not inside[junction] or often[frozenset(names)] > 1 or len(set(names)) < 2:
            continue
        if min(district.roads[first].length, district.roads[second].length) < 200:
            continue
        if axes == ("EW", "NS"):
            result.append((junction, first, second))
        elif axes == ("NS", "EW"):
            result.append((junction, second, first))
    return result
