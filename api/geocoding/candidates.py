"""A place that a text may mean, with the evidence for and against it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from api.geocoding.gazetteer import Gazetteer, Key
from gis.addresses.spelling import normalise

POINT_SIGMA_M = {
    "plate": 8.0,
    "poi": 15.0,
    "block": 60.0,
    "street": 200.0,
    "zone": 200.0,
    "area": 500.0,
}
"""Standard deviation of a place delivered as a point, by kind, m."""
MATCH_OF_KEY = {
    "name": "name",
    "alias": "alias",
    "short": "short",
    "address": "address",
    "plate": "plate",
    "member": "member",
}
"""How a key was made -> how a text equal to it matches."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """A point with its uncertainty."""

    x: float
    y: float
    sigma_m: float
    """Standard deviation per axis, m."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A place that a text may mean."""

    row: int
    """Row of the table ``places``; of a made place the one it was made of."""
    spot: Spot
    match: str
    """How it matched: a code of ``evidence.csv`` of the group `match`."""
    evidence: tuple[str, ...] = ()
    """Further codes of ``evidence.csv``."""
    roads: tuple[int, ...] = ()
    """Rows of the roads it lies on."""
    label: str = ""
    """Name of a made place, such as an interpolated plate; empty: the row's own."""
    score: float = 0.0
    """Probability that it is meant, once it was ranked."""


def with_evidence(candidate: Candidate, *codes: str) -> Candidate:
    """Return a candidate with further evidence.

    Examples
    --------
    >>> hit = Candidate(row=1, spot=Spot(x=0.0, y=0.0, sigma_m=8.0), match="plate")
    >>> with_evidence(hit, "poi_unmatched", "").evidence
    ('poi_unmatched',)
    """
    added = tuple(code for code in codes if code and code not in candidate.evidence)
    return replace(candidate, evidence=candidate.evidence + added) if added else candidate


def spot_of(gazetteer: Gazetteer, row: int) -> Spot:
    """Return the representative point of a place; its extent is the uncertainty.

    The standard deviation per axis is that of a point anywhere in a square of the area, or anywhere
    on a line in any direction; of a point what is usual for the kind, or what the row states.
    """
    dimension, kind = gazetteer.dimension(row), gazetteer.kind(row)
    if dimension == 2:
        sigma_m = gazetteer.extent_m(row) / math.sqrt(12.0)
    elif dimension == 1:
        sigma_m = gazetteer.extent_m(row) / math.sqrt(24.0)
    else:
        stated = gazetteer.accuracy_m(row)
        sigma_m = POINT_SIGMA_M[kind] if stated is None else stated
    x, y = gazetteer.point(row)
    return Spot(x=x, y=y, sigma_m=max(sigma_m, POINT_SIGMA_M["plate"]))


def road_lines(gazetteer: Gazetteer, name: str) -> tuple[int, ...]:
    """Return the streets of a name: of several those that have a line."""
    known = _ROAD_LINES.setdefault(gazetteer, {})
    if name not in known:
        if len(known) >= _MOST_ROADS:
            known.clear()
        known[name] = _road_lines(gazetteer, name)
    return known[name]


_MOST_ROADS = 20_000
_ROAD_LINES: "WeakKeyDictionary[Gazetteer, dict[str, tuple[int, ...]]]" = WeakKeyDictionary()


def _road_lines(gazetteer: Gazetteer, name: str) -> tuple[int, ...]:
    rows = list(dict.fromkeys(gazetteer.roads(name)))
    if len(rows) > 1:
        rows = [row for row in rows if gazetteer.dimension(row) > 0] or rows
    return tuple(rows)


def from_key(gazetteer: Gazetteer, key: Key, *evidence: str) -> Candidate:
    """Return the place that a key names as a candidate.

    A compound that states how surely it lies was made of the addresses in it: ``compound_estimated``.
    """
    kind = gazetteer.kind(key.row)
    is_street = kind == "street"
    if kind == "block" and gazetteer.accuracy_m(key.row) is not None:
        evidence = (*evidence, "compound_estimated")
    road = "" if is_street else gazetteer.road_of(key.row)
    roads = road_lines(gazetteer, road) if road else ()
    return Candidate(
        row=key.row,
        spot=spot_of(gazetteer, key.row),
        match=MATCH_OF_KEY.get(key.how, key.how),
        evidence=tuple(code for code in evidence if code),
        roads=(key.row,) if is_street else roads,
    )


def distance_m(one: Spot, other: Spot) -> float:
    """Return the distance of two spots, m.

    Examples
    --------
    >>> distance_m(Spot(x=0.0, y=0.0, sigma_m=1.0), Spot(x=3.0, y=4.0, sigma_m=1.0))
    5.0
    """
    return math.hypot(one.x - other.x, one.y - other.y)


def medoid(spots: Iterable[Spot], *, within_m: float) -> list[int]:
    """Return the position of the most central spot of each group of spots near one another.

    Examples
    --------
    >>> spots = [Spot(x=x, y=0.0, sigma_m=8.0) for x in (0.0, 10.0, 30.0, 9000.0)]
    >>> medoid(spots, within_m=300.0)
    [1, 3]
    """
    given = list(spots)
    x, y = (np.array([getattr(spot, axis) for spot in given]) for axis in "xy")
    waiting, centres = np.arange(len(given)), []
    total = _sums_m(x, y, waiting)
    while len(waiting):
        seed = waiting[total.argmin()]
        # The most central of all may lie between two groups: the most central near it counts.
        is_near = np.hypot(x[waiting] - x[seed], y[waiting] - y[seed]) <= within_m
        group = waiting[is_near]
        centres.append(int(group[_sums_m(x, y, group).argmin()]))
        waiting, total = waiting[~is_near], total[~is_near]
        for gone in group:
            total = total - np.hypot(x[waiting] - x[gone], y[waiting] - y[gone])
    return sorted(centres)


def _sums_m(
    x: NDArray[np.float64], y: NDArray[np.float64], some: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return for each of some points the sum of its distances to the others of them, m."""
    return np.array([np.hypot(x[some] - x[one], y[some] - y[one]).sum() for one in some])


def plain_name(gazetteer: Gazetteer, row: int) -> str:
    """Return the name of a row in the one spelling."""
    return normalise(gazetteer.name(row))
