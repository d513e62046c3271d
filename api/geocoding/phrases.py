"""A position in words, as hotline staff write it: at a plate, off a mark, beside a road."""

import math

from gis.addresses.parts import DIRECTIONS

AT_M = 5.0
"""Nearer than this the position is the mark's own, m."""
DOOR_M = 15.0
"""Nearer than this to a plate the position is before its door, m."""
KERB_M = 4.0
"""Nearer than this to the centreline no side of a road is told, m."""
_ROUND_TO_M = 5.0
_SIDES = ("东", "西", "南", "北")


def phrase_of(east_m: float, north_m: float, *, is_inside: bool = False) -> str:
    """Return direction and distance from a mark in words.

    Parameters
    ----------
    east_m, north_m : float
        From the mark to the position, m.
    is_inside : bool
        The position lies inside the mark.

    Examples
    --------
    >>> phrase_of(30.0, 31.0), phrase_of(0.0, -12.0), phrase_of(1.0, 1.0)
    ('东北约45米', '南约10米', '')
    """
    if is_inside:
        return "内"
    distance_m = math.hypot(east_m, north_m)
    if distance_m < AT_M:
        return ""
    return f"{direction_of(east_m, north_m)}约{_rounded(distance_m)}米"


def door_phrase(east_m: float, north_m: float) -> str:
    """Return where a position lies from a plate: before the door as far as `DOOR_M`.

    Examples
    --------
    >>> door_phrase(8.0, 3.0), door_phrase(1.0, 2.0), door_phrase(0.0, 21.0)
    ('门前', '', '北约20米')
    """
    is_before = AT_M <= math.hypot(east_m, north_m) < DOOR_M
    return "门前" if is_before else phrase_of(east_m, north_m)


def along_phrase(along: tuple[float, float], side: tuple[float, float], gone_m: float) -> str:
    """Return how far along a road from a crossing a position lies, and on which side.

    Parameters
    ----------
    along : tuple of float
        From the crossing to the foot of the position on the road, (east, north), m.
    side : tuple of float
        From the foot to the position, (east, north), m; no side is told within `KERB_M`.
    gone_m : float
        Way along the road, m.

    Examples
    --------
    >>> along_phrase((50.0, 3.0), (0.0, 12.0), 51.0), along_phrase((0.0, -20.0), (-1.0, 0.0), 20.0)
    ('东约50米路北', '南约20米')
    """
    return f"{direction_of(*along)}约{_rounded(gone_m)}米{side_phrase(*side)}"


def side_phrase(east_m: float, north_m: float) -> str:
    """Return the side of a road on which a position lies; empty within `KERB_M` of its middle.

    Examples
    --------
    >>> side_phrase(0.5, -9.0), side_phrase(1.0, 1.0)
    ('路南', '')
    """
    if math.hypot(east_m, north_m) < KERB_M:
        return ""
    return f"路{max(_SIDES, key=lambda way: _cosine(way, east_m, north_m))}"


def direction_of(east_m: float, north_m: float) -> str:
    """Return the one of the eight directions that is nearest to a vector.

    Examples
    --------
    >>> direction_of(1.0, 0.3), direction_of(-1.0, -0.9)
    ('东', '西南')
    """
    return max(DIRECTIONS, key=lambda way: _cosine(way, east_m, north_m))


def _cosine(way: str, east_m: float, north_m: float) -> float:
    east, north = DIRECTIONS[way]
    return (east * east_m + north * north_m) / math.hypot(east, north)


def _rounded(distance_m: float) -> int:
    return int(max(_ROUND_TO_M, _ROUND_TO_M * round(distance_m / _ROUND_TO_M)))
