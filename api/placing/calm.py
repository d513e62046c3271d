"""Places far from any other effect: there the shares of the grids around change nothing.

The plane is cut into the buckets of ``gis.shares``; each knows whether all unit grids that touch it have
one effect. A case whose error reaches only buckets of its own effect has one owning unit for all the
places where it may lie, and need not be shared out.
"""

from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numpy.typing import NDArray

from api.columns import Floats, Mask, Numbers
from gis.shares import errors_of

if TYPE_CHECKING:
    from api.edition import Edition
    from api.placing.locate import Placed

_EMPTY, _MIXED = -1, -2
_compile = numba.njit(nogil=True, cache=True)


@_compile
def _bucket_effects(firsts: Any, cells: Any, effects: Any, found: Any) -> None:
    """Find the one effect of the cells of each bucket; `_EMPTY`: it has none, `_MIXED`: several."""
    for bucket in range(len(found)):
        found[bucket] = _EMPTY
        for entry in range(firsts[bucket], firsts[bucket + 1]):
            effect = effects[cells[entry] >> 2]
            if found[bucket] == _EMPTY:
                found[bucket] = effect
            elif found[bucket] != effect:
                found[bucket] = _MIXED


@_compile
def _is_calm(points: Any, errors: Any, own: Any, frame: Any, buckets: Any, calm: Any) -> None:
    """Tell which points reach no bucket of another effect."""
    east, north = points
    west, south, per_width = frame
    rows, columns = buckets.shape
    for point in range(len(east)):
        x, y, effect = east[point], north[point], own[point]
        if not (np.isfinite(x) and np.isfinite(y)):
            continue
        reach_x, reach_y = errors[point, 3], errors[point, 4]
        left = _clip((x - reach_x - west) * per_width, columns)
        right = _clip((x + reach_x - west) * per_width, columns)
        low = _clip((y - reach_y - south) * per_width, rows)
        high = _clip((y + reach_y - south) * per_width, rows)
        is_one = True
        for row in range(low, high + 1):
            for column in range(left, right + 1):
                is_one &= buckets[row, column] == effect or buckets[row, column] == _EMPTY
        calm[point] = is_one


@_compile
def _clip(value: float, most: int) -> int:
    return int(min(max(np.floor(value), 0.0), most - 1.0))


def calm_cases(edition: "Edition", where: tuple["Placed", Floats | None], effect: Numbers) -> Mask:
    """Return which cases reach no unit grid of another effect than their own.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day.
    where : tuple
        Where the cases are, and covariances of errors that are no circles.
    effect : ndarray
        Effects of the chains of their places.
    """
    placed, covariance = where
    outlines = edition.grids.index.outlines
    buckets: NDArray[np.int32] = edition.kept("buckets", lambda: _buckets(edition))
    calm = np.zeros(len(effect), dtype=bool)
    if buckets.size:
        errors = errors_of(placed.sigma_m, covariance, count=len(effect))
        _is_calm((placed.x, placed.y), errors, effect, outlines.frame, buckets, calm)
    return calm


def _buckets(edition: "Edition") -> NDArray[np.int32]:
    index, chains = edition.grids.index, edition.chains
    outlines = index.outlines
    columns, rows = outlines.shape.tolist()
    effects = chains.effects(np.arange(len(index), dtype=np.int32))
    if len(edition.plan_areas):
        effects = np.where(chains.touched, _MIXED, effects)
    found = np.empty(columns * rows, dtype=np.int32)
    ranked = np.ascontiguousarray(effects[index.by_code], dtype=np.int32)
    _bucket_effects(outlines.firsts, outlines.cells, ranked, found)
    return found.reshape(rows, columns)
