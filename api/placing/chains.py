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
import pyarrow.compute as pc
import shapely
from numpy.typing import ArrayLike, NDArray

from api.placing.boundaries import FIRST, NOBODY, SECOND, BoundaryRoads
from api.placing.plan_areas import PlanAreas
from census.plan.chains import Chain
from gis.columns import flags_of, numbers_of, texts_of
from gis.index import Located

if TYPE_CHECKING:
    from api.edition import Edition

_LEVELS = ("community", "street", "district")
_WORTH_TRACTS = 512
"""So many places at once are looked up in tracts; fewer are worked out by themselves."""
_NEAR_BORDER_M = 1e-3
"""Nearer to the border of a tract, which is rounded, the extents themselves decide."""
_At = tuple[NDArray[np.float64], NDArray[np.float64]]


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
        communities = self._cells.parents.column.unique().to_pylist()
        self._above = {code: edition.above(code) for code in communities}

    def __len__(self) -> int:
        return len(self._cells.codes)

    def without_grid(self, community: str) -> Chain:
        """Return what the chains of a community's unit grids share."""
        return Chain(None, community, *self._above[community])

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
        parents = edition.grids.parents.column.dictionary_encode(null_encoding="encode")
        community = numbers_of(parents.indices, np.int32)
        shared = [
            self._number(self._grids.without_grid(code).naming(named))
            for code in parents.dictionary.to_pylist()
        ]
        effects: NDArray[np.int32] = np.array(shared, dtype=np.int32)[community]
        own = texts_of(sorted({*named, *edition.managed}))
        is_own = pc.is_in(edition.grids.codes.column, value_set=own)
        for number in np.flatnonzero(flags_of(is_own)).tolist():
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
        found = Chained(base=base.copy(), place=base.copy(), boundary=boundary, side=side)
        here = np.flatnonzero(open_)
        if len(here) >= _WORTH_TRACTS:
            here = self._by_tracts(found, here, (x, y), day)
        self._exactly(found, here, (x, y), day)
        return found

    def _by_tracts(
        self, found: Chained, here: NDArray[np.intp], at: _At, day: NDArray[np.int64]
    ) -> NDArray[np.intp]:
        """Fill in what lies well inside a tract of its grid; return the other places."""
        tracts = self._edition.tracts
        x, y = at[0][here], at[1][here]
        located = tracts.index.locate(x, y)
        metres = tracts.index.edge_distance(x, y, located.position)
        is_known = (located.distance_m == 0.0) & (metres > _NEAR_BORDER_M)
        # A place outside every grid has its nearest as its base, and no tract.
        is_known &= tracts.grid[located.position] == found.base[here]
        cases, tract = here[is_known], located.position[is_known]
        parity = day[cases] % 2
        found.base[cases] = tracts.base[tract]
        found.place[cases] = tracts.place[parity, tract]
        found.boundary[cases] = tracts.boundary[tract]
        found.side[cases] = tracts.side[parity, tract]
        rest: NDArray[np.intp] = here[~is_known]
        return rest

    def _exactly(
        self, found: Chained, here: NDArray[np.intp], at: _At, day: NDArray[np.int64]
    ) -> None:
        """Fill in places by the extents and axes themselves."""
        x, y = at[0][here], at[1][here]
        base = self._with_areas(found.base[here], x, y)
        boundary = self.roads.at(x, y)
        side = self.roads.answering(boundary, x, y, day=day[here])
        for number in np.unique(boundary[boundary >= 0]).tolist():
            for which in (FIRST, SECOND):
                if not self.knows(number, which):
                    side[(boundary == number) & (side == which)] = NOBODY
        found.base[here], found.boundary[here], found.side[here] = base, boundary, side
        found.place[here] = base
        shared = np.flatnonzero(side != NOBODY)
        keys = np.column_stack([base[shared], boundary[shared], side[shared]])
        rows, which_row = _distinct(keys)
        answers = np.array([self.on_side(*row) for row in rows], dtype=np.int32)
        found.place[here[shared]] = answers[which_row]

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
        # Only where no polygon holds the place does the nearest grid matter, which stands there already.
        is_held = (by_polygon[0] >= 0) | (by_polygon[1] >= 0) | (by_polygon[2] >= 0)
        open_ = np.flatnonzero(is_held | (grid.position[out] < 0))
        keys = np.column_stack([positions[open_] for positions in by_polygon])
        rows, which = _distinct(keys)
        found = [self.number(self._of_polygons(*positions)) for positions in rows]
        base[out[open_]] = np.array(found, dtype=np.int32)[which]
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
        rows, which = _distinct(keys)
        found = [self.in_areas(place, sets[areas]) for place, areas in rows]
        return np.array(found, dtype=np.int32)[which]

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


def _distinct(keys: NDArray[Any]) -> tuple[list[Any], NDArray[np.intp]]:
    """Return the distinct rows of keys, and which of them each row is."""
    if len(keys) < 2:  # of a single case; to sort its row would take longer than all else
        return keys.tolist(), np.zeros(len(keys), dtype=np.intp)
    rows, which = np.unique(keys, axis=0, return_inverse=True)
    return rows.tolist(), which.reshape(-1)
