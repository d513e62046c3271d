"""Where one case stands: how precisely, in which place, and in which others it may be instead.

A unit grid that no plan area and no boundary road touches is one place, and so are its neighbours:
then shares of grids are shares of places. Anywhere else the places are cut finer, and the functions
that serve many cases are asked for one.
"""

from dataclasses import dataclass
from math import inf, isfinite, nan, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from api.edition import LEVELS
from api.models import Position
from api.placing.locate import POSITION_ACCURACY_M
from api.placing.tracts import place_shares
from api.placing.vagueness import WORST_M
from gis.index import Located, Shares
from gis.shares import covariances
from gis.surroundings import Around

if TYPE_CHECKING:
    from api.edition import Edition

Covariance = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Precision:
    """How precisely a position is known."""

    sigma_m: float
    """Standard deviation per axis, m; of an ellipse the root of the mean of both variances."""
    covariance: Covariance
    """Variance east, covariance and variance north, m²."""

    @property
    def oval(self) -> Covariance | None:
        """The covariance of an error that is no circle."""
        east, both, north = self.covariance
        return None if both == 0.0 and east == north else self.covariance


def precision_of(position: Position) -> Precision:
    """Return how precisely a reported position is known; what is not positive says nothing.

    Examples
    --------
    >>> precision_of(Position(x=0.0, y=0.0, accuracy_m=3.0)).covariance
    (9.0, 0.0, 9.0)
    >>> oval = Position(x=0.0, y=0.0, accuracy_m=3.0, accuracy_minor_m=2.0, accuracy_bearing_deg=90.0)
    >>> [round(value, 9) for value in precision_of(oval).covariance]
    [9.0, 0.0, 4.0]
    """
    major_m, bearing_deg = _positive(position.accuracy_m), position.accuracy_bearing_deg
    sigma_m = POSITION_ACCURACY_M if major_m is None else major_m
    minor_m = _positive(position.accuracy_minor_m)
    if major_m is None or minor_m is None or bearing_deg is None or not isfinite(bearing_deg):
        return Precision(sigma_m, (sigma_m**2, 0.0, sigma_m**2))
    east, both, north = covariances(sigma_m, minor_m, bearing_deg).tolist()
    return Precision(sqrt(0.5 * (east + north)), (east, both, north))


def _positive(value: float | None) -> float | None:
    return min(value, WORST_M) if value is not None and 0.0 < value < inf else None


class Footing(NamedTuple):
    """The places of one case, see ``api.placing.chains``."""

    place: int
    """Place number that decides."""
    base: int
    """The same before a boundary road was looked at."""
    boundary: int
    """Position among the boundary roads of the day, -1: none."""
    side: int
    """Which area of the boundary road answers."""
    places: dict[int, tuple[int, float]]
    """By effect a place and how probably the case lies in such, its own first."""


def whole_footing(edition: "Edition", around: Around) -> Footing:
    """Return the places of a case in and near unit grids that nothing touches."""
    effect_of, grid, shares = edition.chains.effect, around.position, around.shares
    own = effect_of(grid)
    if len(shares) == 1 and shares[0][0] == grid:
        return Footing(grid, grid, -1, -1, {own: (grid, 1.0)})
    total = sum([share for _, share in shares])
    places = {own: (grid, 0.0 if total else 1.0)}
    for at, share in shares:
        effect = own if at == grid else effect_of(at)
        first, before = places.get(effect, (at, 0.0))
        places[effect] = (first, before + share / total)
    return Footing(grid, grid, -1, -1, places)


def cut_footing(
    edition: "Edition", at: tuple[float, float], around: Around, precision: Precision, *, day: int
) -> Footing:
    """Return the places of a case beside plan areas or boundary roads, or outside every unit grid.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day asked for.
    at : tuple of float
        East and north in the city's CRS, m.
    around : Around
        The unit grids and areas there.
    precision : Precision
        How precisely the place is known.
    day : int
        Month times 100 plus day of the report.
    """
    x, y = np.array([at[0]]), np.array([at[1]])
    grid = _located(around.position, around.distance_m, on_boundary=around.on_boundary)
    areas = {
        level: _located(held, 0.0 if held >= 0 else nan)
        for level, held in zip(LEVELS, around.held, strict=True)
    }
    days = np.array([day])
    chained = edition.chains.find(x, y, grid=grid, areas=areas, day=days)
    cells = np.array([cell for cell, _ in around.shares], dtype=np.intp)
    found = place_shares(
        edition,
        x,
        y,
        grid=grid,
        shares=Shares(
            point=np.zeros(len(cells), dtype=np.intp),
            position=cells,
            probability=np.array([share for _, share in around.shares], dtype=np.float64),
        ),
        chained=chained,
        precision=(np.array([precision.sigma_m]), np.array([precision.covariance]), days),
    )
    effect_of, own = edition.chains.effect, int(chained.place[0])
    places = {effect_of(own): (own, 0.0)}
    for place, share in zip(found.place.tolist(), found.probability.tolist(), strict=True):
        effect = effect_of(place)
        first, before = places.get(effect, (place, 0.0))
        places[effect] = (first, before + share)
    return Footing(
        own, int(chained.base[0]), int(chained.boundary[0]), int(chained.side[0]), places
    )


def _located(position: int, distance_m: float, *, on_boundary: bool = False) -> Located:
    return Located(
        position=np.array([position], dtype=np.intp),
        on_boundary=np.array([on_boundary]),
        distance_m=np.array([distance_m]),
    )
