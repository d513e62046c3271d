"""Whether a candidate lies in the areas that its address names: by geometry, near a border by its words too."""

import math
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import shapely

from api.edition import Edition
from api.geocoding.candidates import Candidate, Spot, with_evidence
from api.geocoding.chain import Constraint

BORDER_M = 30.0
"""A place this near to an area is told to lie in it: callers do not know borders to the metre."""
SAID_M = 400.0
"""A place whose own address names the area may lie so far beyond its border: of real places that do not
lie in the district their address names 99 of 100 lie nearer."""
_MADE = ("crossing", "between", "interpolated", "beyond")
_INSIDE_M = 1.0
_BESIDE_SHARE = 0.1
_ESTIMATED = ("interpolated", "beyond")

_POLYGONS: "WeakKeyDictionary[Edition, dict[str, Any]]" = WeakKeyDictionary()


def judge(edition: Edition, candidate: Candidate, chain: Constraint) -> Candidate:
    """Return a candidate with the evidence of the areas that the address names.

    A street that runs through several areas is narrowed to its stretch inside the one named.

    Parameters
    ----------
    edition : Edition
        Areas that hold.
    candidate : Candidate
        A candidate before its relation moves it.
    chain : Constraint
        What the address says.
    """
    said = with_evidence(candidate, *chain.evidence)
    if not chain.codes or candidate.match == "area":
        return said
    gazetteer = edition.gazetteer
    made = candidate.match in _MADE
    has_extent = gazetteer.kind(candidate.row) == "street" and gazetteer.dimension(candidate.row)
    if not made and has_extent:
        return _narrowed(edition, said, chain)
    is_said = gazetteer.is_said_in(candidate.row, chain.smallest)
    said = with_evidence(said, "area_said" if is_said else "")
    community = "" if made else gazetteer.community(candidate.row)
    if community and any(community.startswith(code) for code in chain.codes):
        return with_evidence(said, "area_agrees")
    apart = min(
        (_distance_m(edition, code, candidate.spot) for code in chain.codes), default=math.inf
    )
    if math.isinf(apart):
        return said
    near = apart <= max(BORDER_M, candidate.spot.sigma_m)
    is_said = is_said and apart <= SAID_M
    if candidate.match in _ESTIMATED and near and not is_said:
        said = _within(edition, said, chain)
    if near or is_said:
        return with_evidence(said, "area_agrees")
    is_beside = candidate.match not in _ESTIMATED and apart <= min(
        SAID_M, _beside_m(edition, chain)
    )
    return with_evidence(said, "area_beside" if is_beside else "area_contradicts")


def _beside_m(edition: Edition, chain: Constraint) -> float:
    """Return how far beyond the border callers still name the area: a tenth of its width, m."""
    sizes = [shapely.area(p) for code in chain.codes if (p := _polygon(edition, code)) is not None]
    return _BESIDE_SHARE * math.sqrt(max(sizes, default=0.0))


def _within(edition: Edition, candidate: Candidate, chain: Constraint) -> Candidate:
    """Move an estimate that lies just outside the areas named to the nearest point inside."""
    here = shapely.Point(candidate.spot.x, candidate.spot.y)
    polygons = [polygon for code in chain.codes if (polygon := _polygon(edition, code)) is not None]
    nearest = min(polygons, key=lambda polygon: float(shapely.distance(polygon, here)))
    if shapely.distance(nearest, here) == 0.0:
        return candidate
    foot = shapely.get_point(shapely.shortest_line(here, nearest), 1)
    share = 1.0 + _INSIDE_M / max(shapely.distance(here, foot), _INSIDE_M)
    x, y = here.x + share * (foot.x - here.x), here.y + share * (foot.y - here.y)
    return replace(candidate, spot=replace(candidate.spot, x=x, y=y))


def _narrowed(edition: Edition, candidate: Candidate, chain: Constraint) -> Candidate:
    road = edition.gazetteer.shape(candidate.row)
    is_line = edition.gazetteer.dimension(candidate.row) == 1
    size_of = shapely.length if is_line else shapely.area
    best, largest = None, 0.0
    for code in chain.codes:
        polygon = _polygon(edition, code)
        inside = shapely.intersection(road, polygon) if polygon is not None else None
        if inside is not None and size_of(inside) > largest:
            best, largest = inside, float(size_of(inside))
    if best is None:
        return with_evidence(candidate, "area_contradicts")
    if largest < 0.95 * float(size_of(road)):
        middle = _middle(best) if is_line else shapely.point_on_surface(best)
        sigma_m = math.sqrt(largest**2 / 24.0 if is_line else largest / 12.0)
        spot = Spot(x=middle.x, y=middle.y, sigma_m=max(sigma_m, 8.0))
        candidate = replace(candidate, spot=spot)
    return with_evidence(candidate, "area_agrees")


def _middle(line: Any) -> Any:
    parts = shapely.get_parts(line)
    longest = max(parts, key=lambda part: float(shapely.length(part)))
    return shapely.line_interpolate_point(longest, 0.5, normalized=True)


def _distance_m(edition: Edition, code: str, spot: Spot) -> float:
    polygon = _polygon(edition, code)
    if polygon is None:
        return math.inf
    return float(shapely.distance(polygon, shapely.Point(spot.x, spot.y)))


def _polygon(edition: Edition, code: str) -> Any:
    """Return the polygon of an area, or None."""
    known = _POLYGONS.setdefault(edition, {})
    if code not in known:
        level, position = edition.area_by_code.get(code, ("", -1))
        known[code] = None
        if level:
            row = int(edition.areas[level].rows[position])
            wkb = edition.snapshot.table("areas")["geometry"][row].as_py()
            known[code] = shapely.from_wkb(wkb)
            shapely.prepare(known[code])
    return known[code]


def area_at(edition: Edition, spot: Spot, *, level: str) -> str:
    """Return the name of the area of a level that holds a spot, or an empty text."""
    cells = edition.areas[level]
    position = int(cells.index.holders(shapely.points([[spot.x, spot.y]]))[0])
    return str(cells.names[position]) if position >= 0 else ""
