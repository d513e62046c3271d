"""Everything around one point in one compiled call: its cells, its shares, the things near by.

Each call of a compiled function from Python costs as long as the search itself, and so does every
array that is handed over: here is one of each. The searches are those that serve many points.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from gis.compiled import forget_stale
from gis.gauss import mass, wedge_table
from gis.index import CellIndex
from gis.locating import LEAST_M, addresses_of, array_at, tiling_at
from gis.nearby import nearest, to_border
from gis.nearness import Nearness
from gis.probe import find_one
from gis.shares import LEAST_SIGMA_M, REACH_SIGMA, errors_of, spread
from gis.vicinity import search

forget_stale(
    Path(__file__).parent,
    modules=("surroundings",),
    built_from=(
        *("orientation", "packing", "fetching", "probe", "tiling", "nearby", "locating"),
        *("gauss", "shares", "vicinity"),
    ),
)

_SEEN = 64
_HEAD = 9
"""Numbers before the shares: position, whether on the border, distance, distance to the border, own
share, cell of no layer, how many shares and things, density."""
_TILING = 11
_OUTLINES = 7

_compile = numba.njit(nogil=True, cache=True, error_model="numpy")
# One question is answered sooner than another thread could be let in and out again.
_hold = numba.njit(cache=True, error_model="numpy")


class Around(NamedTuple):
    """What lies around a point."""

    position: int
    """Cell that holds the point or else the nearest one; -1: there is none, or no such point."""
    on_boundary: bool
    distance_m: float
    """0 inside and on the border."""
    edge_distance_m: float
    """Distance to the border of that cell."""
    own_share: float
    """Share of the error in that cell, as `CellIndex.own_shares` gives it."""
    held: tuple[int, ...]
    """Of each layer the cell that holds the point, -1: none does."""
    shares: list[tuple[int, float]]
    """Cells with their shares of the error, as `CellIndex.shares` gives them."""
    things: NDArray[np.float64]
    """Row, distance, way east and way north, m, of one thing after the other, the nearest first."""
    density: float
    """Things of the group per m² around the point."""


class Surroundings:
    """Cells, layers of larger cells, and things of many groups, to be asked of point by point.

    Parameters
    ----------
    cells : CellIndex
        The cells; shares and distances to the border are told of these.
    layers : sequence of CellIndex
        Other cells, of which only the one that holds the point is told.
    things : Nearness
        Things to be found by their distance.
    most : int
        Things told of each point.

    Examples
    --------
    >>> import shapely
    >>> from gis.nearness import lay_things
    >>> cells = CellIndex(["a", "b"], [shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)])
    >>> things = lay_things(shapely.points([[90.0, 54.0]]), np.array([0]), np.array([7]))
    >>> around = Surroundings(cells, [cells], things, most=20).of(90.0, 50.0, 10.0, near=(0, 30.0))
    >>> around.position, around.edge_distance_m, around.held, around.things.tolist()
    (0, 10.0, (0,), [7.0, 4.0, 0.0, 4.0])
    >>> [(cell, round(share, 4)) for cell, share in around.shares], round(around.own_share, 4)
    ([(0, 0.8413), (1, 0.1587)], 0.8413)
    """

    def __init__(
        self, cells: CellIndex, layers: Sequence[CellIndex], things: Nearness, *, most: int
    ) -> None:
        self._layers = len(layers)
        outlines, table = list(cells.outline_arrays), wedge_table()
        near = list(vars(things).values())
        self._addresses = np.concatenate(
            [
                *(index.addresses for index in (cells, *layers)),
                addresses_of(outlines),
                np.array([[max(cells.longest, 1), 0]]),
                addresses_of([table, *near]),
            ]
        )
        self._most = most
        # Addresses hold nothing: what they name must stay.
        self._kept = (cells, tuple(layers), outlines, table, near)

    def of(
        self,
        x: float,
        y: float,
        sigma_m: float,
        *,
        covariance: tuple[float, float, float] | None = None,
        near: tuple[int, float] = (-1, 0.0),
    ) -> Around:
        """Return what lies around a point.

        Parameters
        ----------
        x, y : float
            East and north, m; nan: no point.
        sigma_m : float
            Standard deviation per axis, m.
        covariance : tuple of float or None
            Of an error that is not round the variance east, covariance and variance north, m².
        near : tuple
            Group of things that is looked for, and how far, m; -1: none is.
        """
        if covariance is not None:
            given = np.array([covariance])
            errors: Any = tuple(errors_of(sigma_m, given, count=1)[0].tolist())
        elif LEAST_SIGMA_M <= sigma_m < np.inf:
            reach_m, scale = REACH_SIGMA * sigma_m, 1.0 / sigma_m
            errors = (scale, 0.0, scale, reach_m, reach_m)
        else:
            errors = (0.0, 0.0, 0.0, 0.0, 0.0)
        group, reach_m = near
        found = _look(
            float(x), float(y), errors, int(group), float(reach_m),
            self._addresses, self._layers, self._most,
        )  # fmt: skip
        told = found.tolist()
        first = _HEAD + self._layers
        last = first + 2 * int(told[6])
        return Around(
            int(told[0]),
            told[1] == 1.0,
            told[2],
            told[3],
            told[4],
            tuple([int(cell) for cell in told[_HEAD:first]]),
            [(int(told[at]), told[at + 1]) for at in range(first, last, 2)],
            found[last:],
            told[8],
        )


@_compile
def _outlines_at(a: Any, at: int) -> Any:
    return (
        array_at(a[at, 0], (a[at, 1], 2), np.float64),
        array_at(a[at + 1, 0], a[at + 1, 1], np.int64),
        array_at(a[at + 2, 0], a[at + 2, 1], np.float64),
        array_at(a[at + 3, 0], a[at + 3, 1], np.int64),
        array_at(a[at + 4, 0], a[at + 4, 1], np.int64),
        array_at(a[at + 5, 0], a[at + 5, 1], np.int32),
        array_at(a[at + 6, 0], (a[at + 6, 1], 4), np.float32),
    )


@_compile
def _things_at(a: Any, at: int) -> Any:
    return (
        array_at(a[at, 0], (a[at, 1], 5), np.float64),
        array_at(a[at + 1, 0], (a[at + 1, 1], 3), np.int64),
        array_at(a[at + 2, 0], a[at + 2, 1], np.int64),
        array_at(a[at + 3, 0], (a[at + 3, 1], 2), np.float64),
        array_at(a[at + 4, 0], a[at + 4, 1], np.int32),
        array_at(a[at + 5, 0], a[at + 5, 1], np.int64),
        array_at(a[at + 6, 0], a[at + 6, 1], np.int32),
        array_at(a[at + 7, 0], a[at + 7, 1], np.int32),
        array_at(a[at + 8, 0], (a[at + 8, 1], 3), np.int64),
        array_at(a[at + 9, 0], (a[at + 9, 1], 4), np.float64),
    )


@_compile
def _shared(place: Any, errors: Any, cell: int, is_inside: bool, a: Any, at: int) -> Any:
    """Return cells with their shares, and the share of one cell, as arrays of points are told them."""
    x, y = place
    is_known = np.isfinite(x) and np.isfinite(y) and a[at + 1, 1] > 1
    if not (is_known and errors[3] > 0.0):
        count = 1 if is_inside else 0
        return np.full(count, cell), np.ones(count), float(count)
    outlines = _outlines_at(a, at)
    longest = int(a[at + _OUTLINES, 0])
    room = (
        array_at(a[at + _OUTLINES + 1, 0], a[at + _OUTLINES + 1, 1], np.float64),
        np.empty(longest), np.empty(longest), np.empty(longest),
        np.empty(longest), np.empty(longest), np.empty(longest),
    )  # fmt: skip
    error = np.array([[errors[0], errors[1], errors[2], errors[3], errors[4]]])
    _, cells, share = spread(np.array([x]), np.array([y]), error, outlines, room)
    if len(cells) == 1 and cells[0] == cell:
        return cells, share, share[0]  # nothing was scaled down
    own = 0.0
    if cell >= 0:
        run = (outlines[1][cell], outlines[1][cell + 1])
        scale = (errors[0], errors[1], errors[2])
        own = min(max(mass(outlines[0], run, (x, y), scale, room), 0.0), 1.0)
    return cells, share, own


@_hold
def _look(
    x: float, y: float, errors: Any, group: int, reach_m: float, a: Any, layers: int, most: int
) -> Any:
    """Return what `Around` tells, one number after the other."""
    tiling = tiling_at(a, 0)
    boxes = array_at(a[9, 0], (a[9, 1], 4), np.float64)
    order = array_at(a[10, 0], a[10, 1], np.int64)
    cell, is_on = find_one(x, y, tiling)
    metres, edge_m = 0.0, np.nan
    if cell < 0:
        metres = np.nan
        if np.isfinite(x) and np.isfinite(y):
            cell, metres = nearest(x, y, tiling, boxes, np.empty(_SEEN, dtype=np.int64), -1)
            metres = max(metres, LEAST_M) if cell >= 0 else np.nan
    if cell >= 0:
        edge_m = to_border(x, y, cell, (tiling[6], tiling[7], tiling[8]), boxes)
    base = _TILING * (1 + layers)
    cells, share, own = _shared((x, y), errors, cell, metres == 0.0, a, base)
    found, density = 0, 0.0
    row, distance, apart = np.empty(0, np.int64), np.empty(0), np.empty((0, 2))
    if group >= 0:
        points, groups = (np.array([x]), np.array([y])), np.array([group])
        things = _things_at(a, base + _OUTLINES + 2)
        _, row, distance, apart, around = search(points, groups, np.array([reach_m]), things, most)
        found, density = len(row), around[0]
    first = _HEAD + layers
    told = np.empty(first + 2 * len(cells) + 4 * found)
    told[0] = order[cell] if len(order) and cell >= 0 else cell
    told[1], told[2], told[3], told[4] = is_on, metres, edge_m, own
    told[5], told[6], told[7], told[8] = layers, len(cells), found, density
    for layer in range(layers):
        at = _TILING * (1 + layer)
        held, _ = find_one(x, y, tiling_at(a, at))
        ranks = array_at(a[at + 10, 0], a[at + 10, 1], np.int64)
        told[_HEAD + layer] = ranks[held] if len(ranks) and held >= 0 else held
    for number in range(len(cells)):
        rank = cells[number]
        told[first] = order[rank] if len(order) else rank
        told[first + 1] = share[number]
        first += 2
    for number in range(found):
        told[first], told[first + 1] = row[number], distance[number]
        told[first + 2], told[first + 3] = apart[number, 0], apart[number, 1]
        first += 4
    return told
