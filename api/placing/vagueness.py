"""Where cases of vague positions may be: errors so wide that a unit grid is a point in them.

A mast of the telephone network places a caller within a kilometre or ten. The error then reaches
thousands of unit grids, none of which has a share worth telling; what counts is how much of it lies
where the plan sees the same. Each grid weighs its area times the density of the error at its middle, the
grid's own size added to the error: within a thousandth of the exact share where grids are half as
wide as the error.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import shapely
from numpy.typing import NDArray

from api.columns import Floats, Mask
from gis.shares import LEAST_SHARE

if TYPE_CHECKING:
    from api.edition import Edition

VAGUE_M = 200.0
"""A position is vague from this standard deviation on, m."""
WORST_M = 100_000.0
"""No position is taken to be worse than this, m: beyond it every place of a city is as likely."""
_REACH_SIGMA = 6.0
_compile = numba.njit(nogil=True, cache=True)


@dataclass(frozen=True, kw_only=True)
class Middles:
    """The places of a city as points, from west to east."""

    x: Floats
    y: Floats
    area_m2: Floats
    place: NDArray[np.int32]
    """Two rows, for even and odd days of the month: place numbers of ``api.placing.chains``."""
    effect: NDArray[np.int32]
    """Two rows: effects of these places."""


def is_vague(sigma_m: Floats) -> Mask:
    """Tell which positions are vague; nan is not.

    Examples
    --------
    >>> is_vague(np.array([10.0, 500.0, np.nan])).tolist()
    [False, True, False]
    """
    return np.asarray(sigma_m > VAGUE_M)


def lay_middles(edition: "Edition", shapes: NDArray[Any], place: NDArray[np.int32]) -> Middles:
    """Return polygons as points.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day.
    shapes : ndarray
        Polygons, in the city's CRS.
    place : ndarray
        (2, polygons): their place numbers on even and on odd days.
    """
    middles, area_m2 = shapely.centroid(shapes), shapely.area(shapes)
    x, y = shapely.get_x(middles), shapely.get_y(middles)
    order = np.argsort(x, kind="stable")
    order = order[np.isfinite(x[order]) & (area_m2[order] > 0.0)]
    place = np.ascontiguousarray(place[:, order])
    return Middles(
        x=x[order],
        y=y[order],
        area_m2=area_m2[order],
        place=place,
        effect=edition.chains.effects(place),
    )


def vague_shares(
    middles: Middles, at: tuple[Floats, Floats], covariance: Floats, parity: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.int32], Floats]:
    """Return for each case the places of different effect with their shares of the error.

    An effect is told by the place with the most of it; those below ``LEAST_SHARE`` of what lies in the
    city are left out.

    Parameters
    ----------
    middles : Middles
        The places of the city.
    at : tuple of ndarray
        East and north of the cases, m.
    covariance : ndarray
        (n, 3): variance east, covariance, variance north, m².
    parity : ndarray
        1 on odd days of the month, 0 on even ones.

    Returns
    -------
    tuple of ndarray
        Case, place number and share, case by case.
    """
    effects = int(middles.effect.max(initial=-1)) + 1
    arrays = tuple(vars(middles).values())
    case, place, share = _shares(at, covariance, parity, arrays, (effects, LEAST_SHARE))
    return case, place, share


@_compile
def _shares(at: Any, covariance: Any, parity: Any, middles: Any, told: Any) -> Any:
    east, north = at
    effects, least = told
    xs, ys, areas, places, effect_of = middles
    case, place, share = np.empty(64, np.int64), np.empty(64, np.int32), np.empty(64)
    sums, most, where = np.zeros(effects), np.zeros(effects), np.zeros(effects, np.int32)
    count = 0
    for number in range(len(east)):
        x, y, day = east[number], north[number], parity[number]
        reach = _REACH_SIGMA * np.sqrt(covariance[number, 0]) + 1.0
        first, last = np.searchsorted(xs, x - reach), np.searchsorted(xs, x + reach)
        sums[:] = 0.0
        most[:] = 0.0
        total = 0.0
        for cell in range(first, last):
            own = areas[cell] / 12.0
            var_x, both, var_y = (
                covariance[number, 0] + own,
                covariance[number, 1],
                covariance[number, 2] + own,
            )
            dx, dy = xs[cell] - x, ys[cell] - y
            spread = var_x * var_y - both * both
            form = (var_y * dx * dx - 2.0 * both * dx * dy + var_x * dy * dy) / spread
            weight = areas[cell] * np.exp(-0.5 * form) / (2.0 * np.pi * np.sqrt(spread))
            effect = effect_of[day, cell]
            sums[effect] += weight
            total += weight
            if weight > most[effect]:
                most[effect], where[effect] = weight, places[day, cell]
        if count + effects > len(case):
            room = 2 * (count + effects)
            case, place, share = _longer(case, room), _longer(place, room), _longer(share, room)
        for effect in range(effects):
            if sums[effect] > 0.0 and sums[effect] >= least * total:
                case[count], place[count], share[count] = number, where[effect], sums[effect]
                count += 1
    return case[:count], place[:count], share[:count]


@_compile
def _longer(array: Any, room: int) -> Any:
    longer = np.empty(room, array.dtype)
    longer[: len(array)] = array
    return longer
