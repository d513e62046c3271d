"""Streets 街道 and communities 社区: superblocks grouped, their borders on the arterials."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from pipelines.sample.names import Names
from pipelines.sample.plan import Array, Integers, Plan

DISTRICT = "130102"
PROVINCE, CITY, DISTRICT_NAME = "河北省", "石家庄市", "长安区"
_SPLIT_M2 = 400_000
"""A superblock larger than this becomes two communities where a secondary road divides it."""


@dataclass(frozen=True, kw_only=True)
class Area:
    """A district, street or community."""

    code: str
    name: str
    land: shapely.Polygon
    """Extent in the district's CRS; neighbours share their borders vertex by vertex."""


@dataclass(frozen=True, kw_only=True)
class Areas:
    """The three levels."""

    district: Area
    streets: tuple[Area, ...]
    communities: tuple[Area, ...]
    """By code."""

    def locate(self, points: Array) -> npt.NDArray[np.str_]:
        """Return the community code of each point, the lowest on shared borders, "" outside."""
        codes = np.full(len(points), "", dtype="U12")
        for area in self.communities:
            west, south, east, north = area.land.bounds
            near = (
                (codes == "")
                & (points[:, 0] >= west)
                & (points[:, 0] <= east)
                & (points[:, 1] >= south)
                & (points[:, 1] <= north)
            )
            rows = np.flatnonzero(near)
            inside = shapely.intersects_xy(area.land, points[rows, 0], points[rows, 1])
            codes[rows[inside]] = area.code
        return codes

    def name(self, code: str) -> str:
        """Return the name of the street or community `code`, "" when there is none."""
        for area in self.streets if len(code) == 9 else self.communities:
            if area.code == code:
                return area.name
        return ""


def divide_areas(plan: Plan, names: Names) -> Areas:
    """Divide the district into streets and communities.

    Codes run from west to east in rows from north to south, as the statistics office gives them.
    """
    cells = _cells(plan)
    lands = _lands(plan, [box for box, _, _ in cells])
    by_street: dict[int, list[int]] = defaultdict(list)
    for index, (_, street, _) in enumerate(cells):
        by_street[street].append(index)
    boxes = np.array([box for box, _, _ in cells])
    streets, communities = [], []
    order = sorted(
        by_street, key=lambda s: (-boxes[by_street[s], 3].max(), boxes[by_street[s], 0].min())
    )
    for number, street in enumerate(order, start=1):
        members = sorted(by_street[street], key=lambda i: (-round(boxes[i, 3]), boxes[i, 0]))
        rural = sum(cells[i][2] for i in members) * 2 > len(members)
        code = f"{DISTRICT}{number + (99 if rural else 0):03d}"
        title = names.stem() + ("镇" if rural else "街道")
        land = shapely.coverage_union_all([lands[i] for i in members])
        streets.append(Area(code=code, name=title, land=_single(land)))
        town, village = 0, 200
        for member in members:
            if cells[member][2]:
                village += 1
                own, title = f"{code}{village:03d}", names.stem()[:2] + "村"
            else:
                town += 1
                own, title = f"{code}{town:03d}", names.stem() + "社区"
            communities.append(Area(code=own, name=title, land=lands[member]))
    whole = _single(shapely.coverage_union_all(lands))
    return Areas(
        district=Area(code=DISTRICT, name=DISTRICT_NAME, land=whole),
        streets=tuple(sorted(streets, key=lambda area: area.code)),
        communities=tuple(sorted(communities, key=lambda area: area.code)),
    )


def _single(land: shapely.Geometry) -> shapely.Polygon:
    parts = shapely.get_parts(land)
    assert len(parts) == 1, "areas are grouped from neighbours"
    return parts[0]


_Cell = tuple[tuple[float, float, float, float], int, bool]


def _cells(plan: Plan) -> list[_Cell]:
    """Return the communities' plan boxes with their street and whether they are villages."""
    street = _streets(plan)
    cells: list[_Cell] = []
    for index, block in enumerate(plan.superblocks):
        u0, v0, u1, v1 = block.box
        rural = block.kind == "rural"
        if (u1 - u0) * (v1 - v0) > _SPLIT_M2 and block.split_u is not None:
            cells.append(((u0, v0, block.split_u, v1), street[index], rural))
            cells.append(((block.split_u, v0, u1, v1), street[index], rural))
        else:
            cells.append((block.box, street[index], rural))
    return cells


def _streets(plan: Plan) -> list[int]:
    """Group superblocks into streets: rectangles of the lattice, small remainders joined."""
    target_km2 = float(np.clip(plan.area_km2 / 50, 1.2, 25))
    mean_km2 = plan.area_km2 / len(plan.superblocks)
    side = max(1.0, np.sqrt(target_km2 / mean_km2))
    columns, rows = max(2, round(side)), max(1, round(target_km2 / mean_km2 / round(side)))
    group = {
        (b.column, b.row): (b.column // columns) * 1000 + b.row // rows for b in plan.superblocks
    }
    while True:
        members: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for cell, key in group.items():
            members[key].append(cell)
        small = [k for k in sorted(members) if len(members[k]) * 2 < columns * rows]
        joined = next((pair for k in small if (pair := _neighbour(k, members, group))), None)
        if joined is None:
            break
        for cell in members[joined[0]]:
            group[cell] = joined[1]
    return [group[b.column, b.row] for b in plan.superblocks]


def _neighbour(
    key: int, members: dict[int, list[tuple[int, int]]], group: dict[tuple[int, int], int]
) -> tuple[int, int] | None:
    """Return `key` and the group it shares the longest border with."""
    touching: dict[int, int] = defaultdict(int)
    for column, row in members[key]:
        for other in ((column + 1, row), (column - 1, row), (column, row + 1), (column, row - 1)):
            if group.get(other, key) != key:
                touching[group[other]] += 1
    if not touching:
        return None
    return key, max(sorted(touching), key=lambda k: (touching[k], -len(members[k])))


def _lands(plan: Plan, boxes: list[tuple[float, float, float, float]]) -> list[shapely.Polygon]:
    """Warp the boxes as one coverage: every shared border is noded and bent once."""
    rings = shapely.boundary(np.array([shapely.box(*box) for box in boxes], dtype=object))
    noded = shapely.union_all(rings)
    faces = shapely.get_parts(
        shapely.polygonize(plan.warp.geometries(shapely.get_parts(noded), step_m=25.0))
    )
    array = np.array(boxes)
    middle = plan.warp.forward((array[:, :2] + array[:, 2:]) / 2)
    tree = shapely.STRtree(faces)
    point, face = tree.query(shapely.points(middle), predicate="within")
    index: Integers = face[np.argsort(point, kind="stable")]
    assert len(index) == len(boxes), "each box is one face"
    return [shapely.normalize(faces[i]) for i in index.tolist()]
