"""Chains of places: everything at a place that a row of the plan can name, as numbers for many cases.

A place number stands for one full chain: the first numbers are those of the unit grids, others are
given as they are met. An effect number stands for what of a chain the plan or the directory names:
places of one effect have the same owners.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from api.boundaries import FIRST, KIND, NOBODY, SECOND, BoundaryRoads
from census.plan.chains import Chain
from gis.index import Located

if TYPE_CHECKING:
    from api.edition import Edition

_LEVELS = ("community", "street", "district")


@dataclass(frozen=True, kw_only=True)
class Chained:
    """The chains of many cases; position i of each array is case i."""

    base: NDArray[np.int32]
    """Place numbers before a boundary road was looked at."""
    place: NDArray[np.int32]
    """Place numbers that decide."""
    boundary: NDArray[np.int32]
    """Position among the boundary roads of the day; -1: the place lies on none."""
    side: NDArray[np.int8]
    """Which area of the boundary road answers; `NOBODY`: its rule is not whole, the base answers."""

    def only(self, cases: ArrayLike) -> "Chained":
        """Return the chains of some cases alone."""
        here = np.asarray(cases)
        return Chained(
            base=self.base[here],
            place=self.place[here],
            boundary=self.boundary[here],
            side=self.side[here],
        )


class GridChains(Sequence[Chain]):
    """The chains of the unit grids, each made when it is asked for.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day.
    """

    def __init__(self, edition: "Edition") -> None:
        self._cells, self._managed = edition.grids, edition.managed
        self._above = {code: edition.above(code) for code in dict.fromkeys(self._cells.parents)}

    def __len__(self) -> int:
        return len(self._cells.codes)

    @overload
    def __getitem__(self, index: int) -> Chain: ...

    @overload
    def __getitem__(self, index: slice) -> list[Chain]: ...

    def __getitem__(self, index: int | slice) -> Chain | list[Chain]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        code, community = self._cells.codes[index], self._cells.parents[index]
        managed = self._managed.get(code, ())
        return Chain(code, community, *self._above[community], management_grids=managed)


class PlanAreas:
    """The plan's own areas of a day, smallest first: polygons and road sections.

    Parameters
    ----------
    records : sequence of mapping
        Rows of ``responsibility.plan_area``, ``geometry`` as shapely geometry; boundary roads are
        left out.
    """

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        own = [record for record in records if record["kind"] != KIND]
        own.sort(key=lambda record: (shapely.area(record["geometry"]), record["code"]))
        self.codes: list[str] = [record["code"] for record in own]
        self.names: list[str] = [record["name"] for record in own]
        self.rank = {code: number for number, code in enumerate(self.codes)}
        self.shapes = np.empty(len(own), dtype=object)
        self.shapes[:] = [record["geometry"] for record in own]
        shapely.prepare(self.shapes)

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Tree of the shapes."""
        return shapely.STRtree(self.shapes)

    def holding(
        self, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], list[tuple[int, ...]]]:
        """Return for each place the number of the set of areas that hold it, and those sets.

        The border belongs to the area; each set has its areas smallest first; set 0 is empty.
        """
        number = np.zeros(len(x), dtype=np.int64)
        sets: list[tuple[int, ...]] = [()]
        if not len(self):
            return number, sets
        points = shapely.points(x, y)
        case, area = self.tree.query(points)
        inside = shapely.covers(self.shapes[area], points[case])
        case, area = case[inside], area[inside]
        order = np.lexsort((area, case))
        case, area = case[order], area[order]
        nth = np.arange(len(case)) - np.searchsorted(case, case)
        for depth in range(int(nth.max(initial=-1)) + 1):
            here = nth == depth
            cases, areas = case[here], area[here]
            # The set so far and the next area together make a new set.
            pairs, which = np.unique(number[cases] * len(self) + areas, return_inverse=True)
            number[cases] = len(sets) + which
            sets += [(*sets[pair // len(self)], int(pair % len(self))) for pair in pairs.tolist()]
        return number, sets


class Chains:
    """The chains of one edition. Safe to use from several threads.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day.
    """

    def __init__(self, edition: "Edition") -> None:
        self._edition = edition
        self._lock = threading.RLock()
        self._grids = edition.grid_chains
        self._others: list[Chain] = []
        """Chains of the places that are no unit grid's own."""
        self._places: dict[Chain, int] = {}
        self._reduced: list[Chain] = []
        self._effects: dict[Chain, int] = {}
        self._sides: dict[tuple[int, int, int], int] = {}
        self._effect = self._grid_effects()

    def _grid_effects(self) -> NDArray[np.int32]:
        """Return the effect of each unit grid; those that nobody names share their community's."""
        edition = self._edition
        named = edition.areas_named
        community, _ = pd.factorize(edition.grids.parents)
        _, first = np.unique(community, return_index=True)
        shared = [
            self._number(self._grids[number]._replace(grid=None, management_grids=()).naming(named))
            for number in first.tolist()
        ]
        effects: NDArray[np.int32] = np.array(shared, dtype=np.int32)[community]
        own = {*named, *edition.managed}
        for number in np.flatnonzero([code in own for code in edition.grids.codes]).tolist():
            effects[number] = self._number(self._grids[number].naming(named))
        return effects

    def _number(self, reduced: Chain) -> int:
        found = self._effects.get(reduced)
        if found is None:
            found = self._effects[reduced] = len(self._reduced)
            self._reduced.append(reduced)
        return found

    def full(self, place: int) -> Chain:
        """Return the chain of a place number."""
        count = len(self._grids)
        return self._grids[place] if place < count else self._others[place - count]

    def reduced(self, effect: int) -> Chain:
        """Return what of the chains of an effect number the plan or the directory names."""
        return self._reduced[effect]

    @property
    def effect_count(self) -> int:
        """How many effect numbers have been given."""
        return len(self._reduced)

    def effects(self, place: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the effect numbers of place numbers."""
        return self._effect[place]

    def effect(self, place: int) -> int:
        """Return the effect number of one place number."""
        return int(self._effect[place])

    def number(self, chain: Chain) -> int:
        """Return the place number of a chain that is no unit grid's own."""
        found = self._places.get(chain)
        if found is not None:
            return found
        with self._lock:
            found = self._places.get(chain)
            if found is None:
                found = len(self._grids) + len(self._others)
                if found >= len(self._effect):
                    room = np.zeros(max(64, found // 2), dtype=np.int32)
                    self._effect = np.concatenate([self._effect, room])
                self._effect[found] = self._number(chain.naming(self._edition.areas_named))
                self._others.append(chain)
                self._places[chain] = found
        return found

    @cached_property
    def plan_areas(self) -> PlanAreas:
        """The plan's polygons and road sections."""
        return PlanAreas(self._edition.plan_areas)

    @cached_property
    def roads(self) -> BoundaryRoads:
        """The boundary roads."""
        return BoundaryRoads(self._edition.plan_areas)

    @cached_property
    def touched(self) -> NDArray[np.bool_]:
        """Unit grids that a plan area or a boundary road touches."""
        shapes = np.concatenate([self.plan_areas.shapes, self.roads.shapes])
        touched = np.zeros(len(self._edition.grids.rows), dtype=bool)
        if len(shapes):
            pairs = shapely.STRtree(shapes).query(self._edition.grid_shapes, predicate="intersects")
            touched[pairs[0]] = True
        return touched

    def find(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        *,
        grid: Located,
        areas: Mapping[str, Located],
        day: NDArray[np.int64],
    ) -> Chained:
        """Return the chains of many places.

        A grid answers for the areas above it. Outside every grid the polygons of the areas answer,
        and where a place lies in no area either, the nearest grid does. On a boundary road one of its
        two areas takes the place of the areas that hold the place.

        Parameters
        ----------
        x, y : ndarray
            Places in the city's CRS, m; nan: no place.
        grid : Located
            Their unit grids.
        areas : mapping
            Their areas by level.
        day : ndarray
            Month times 100 plus day of the reports.
        """
        base, is_inside = self._base(grid, areas)
        boundary = np.full(len(base), -1, dtype=np.int32)
        side = np.full(len(base), NOBODY, dtype=np.int8)
        if not len(self._edition.plan_areas):
            return Chained(base=base, place=base, boundary=boundary, side=side)
        open_ = np.isfinite(x) & np.isfinite(y)
        open_[is_inside] &= self.touched[grid.position[is_inside]]
        here = np.flatnonzero(open_)
        base = base.copy()
        base[here] = self._with_areas(base[here], x[here], y[here])
        boundary[here] = self.roads.at(x[here], y[here])
        on_road = here[boundary[here] >= 0]
        side[on_road] = self.roads.answering(
            boundary[on_road], x[on_road], y[on_road], day=day[on_road]
        )
        for number in np.unique(boundary[on_road]).tolist():
            for which in (FIRST, SECOND):
                if not self.knows(number, which):
                    side[(boundary == number) & (side == which)] = NOBODY
        place = base.copy()
        shared = np.flatnonzero(side != NOBODY)
        keys = np.column_stack([base[shared], boundary[shared], side[shared]])
        rows, which_row = np.unique(keys, axis=0, return_inverse=True)
        answers = [self.on_side(*row) for row in rows.tolist()]
        place[shared] = np.array(answers, dtype=np.int32)[which_row.reshape(-1)]
        return Chained(base=base, place=place, boundary=boundary, side=side)

    def _base(
        self, grid: Located, areas: Mapping[str, Located]
    ) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        is_inside = (grid.position >= 0) & (grid.distance_m == 0.0)
        base = grid.position.astype(np.int32)
        out = np.flatnonzero(~is_inside)
        if not len(out):
            return base, is_inside
        by_polygon = [
            np.where(areas[level].distance_m[out] == 0.0, areas[level].position[out], -1)
            for level in _LEVELS
        ]
        keys = np.column_stack([*by_polygon, grid.position[out]])
        # Only where no polygon holds the place does the nearest grid matter.
        keys[(keys[:, :3] >= 0).any(axis=1), 3] = -1
        rows, which = np.unique(keys, axis=0, return_inverse=True)
        found = [
            nearest if nearest >= 0 else self.number(self._of_polygons(*positions))
            for *positions, nearest in rows.tolist()
        ]
        base[out] = np.array(found, dtype=np.int32)[which.reshape(-1)]
        return base, is_inside

    def _of_polygons(self, community: int, street: int, district: int) -> Chain:
        positions = dict(zip(_LEVELS, (community, street, district), strict=True))
        codes = {
            level: self._edition.areas[level].codes[position] if position >= 0 else None
            for level, position in positions.items()
        }
        if codes["community"] is not None:  # where a level has no polygons, codes tell it
            above = self._edition.above(codes["community"])
            codes["street"] = codes["street"] or above[0]
            codes["district"] = codes["district"] or above[1]
        return Chain(None, codes["community"], codes["street"], codes["district"])

    def _with_areas(
        self, base: NDArray[np.int32], x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> NDArray[np.int32]:
        number, sets = self.plan_areas.holding(x, y)
        keys = np.column_stack([base, number])
        rows, which = np.unique(keys, axis=0, return_inverse=True)
        found = [self.in_areas(place, sets[areas]) for place, areas in rows.tolist()]
        return np.array(found, dtype=np.int32)[which.reshape(-1)]

    def in_areas(self, place: int, areas: Sequence[int]) -> int:
        """Return the number of a place that lies in plan areas, given by their positions, too."""
        if not areas:
            return place
        codes = tuple(self.plan_areas.codes[area] for area in sorted(areas))
        return self.number(self.full(place)._replace(plan_areas=codes))

    def on_side(self, base: int, boundary: int, side: int) -> int:
        """Return the number of a place on a boundary road where one of its areas answers."""
        key = (base, boundary, side)
        found = self._sides.get(key)
        if found is None:
            sides = self.roads.roads[boundary].sides
            chain = self._answered(self.full(base), sides[side], sides[1 - side])
            found = base if chain == self.full(base) else self.number(chain)
            self._sides[key] = found
        return found

    def knows(self, boundary: int, side: int) -> bool:
        """Tell whether an area that shares a boundary road is known on the day."""
        sides = self.roads.roads[boundary].sides
        return len(sides) == 2 and self._edition.knows_area(sides[side])

    def _answered(self, base: Chain, code: str, other: str) -> Chain:
        """Return the chain of a place for which an area answers, be the place in it or not."""
        plan_areas = tuple(area for area in base.plan_areas if area != other)
        managed = tuple(area for area in base.management_grids if area != other)
        rank = self.plan_areas.rank
        if code in rank:
            ordered = sorted({*plan_areas, code}, key=lambda area: rank[area])
            return base._replace(plan_areas=tuple(ordered), management_grids=managed)
        if code in base[:4] or code in managed:
            return base._replace(plan_areas=plan_areas, management_grids=managed)
        return self._edition.chain_of(code)._replace(plan_areas=plan_areas)
