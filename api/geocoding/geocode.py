"""From words to a place: names, addresses, crossings, offsets; how each matched and how surely."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import shapely

from api.edition import Edition
from api.geocoding.chain import Constraint, strip_areas
from api.geocoding.gazetteer import Gazetteer, Key
from api.geocoding.relation import Spot, apply_relation, between_plates, crossings
from api.models import PlaceAnswer
from gis.addresses.parts import AddressParts, take_apart
from gis.addresses.spelling import LONGEST, normalise
from gis.crs import GEOGRAPHIC, transform_xy

if TYPE_CHECKING:
    from datetime import date

    from api.snapshot import Snapshot

SCORES = {"name": 0.95, "alias": 0.9, "address": 0.98, "plate": 0.97, "member": 0.8}
"""How surely a place is meant by a text that equals one of its keys."""
_CROSSING, _INTERPOLATED, _ROAD, _AREA, _INSIDE = 0.95, 0.7, 0.6, 0.95, 0.7
_LEFT_OVER_AREA = 0.35
_PREFIX = 0.45
POINT_SIGMA_M = {
    "plate": 8.0,
    "poi": 15.0,
    "block": 60.0,
    "street": 200.0,
    "zone": 200.0,
    "area": 500.0,
}
"""Standard deviation of a place delivered as a point, by kind, m."""
_SAME_PLACE_M = 50.0
_MADE_KINDS = {"crossing": "crossing", "interpolated": "plate"}
_PREFIXES_READ = 200
_RIVALS = 50


@dataclass(frozen=True)
class _Hit:
    row: int
    score: float
    match: str
    spot: Spot
    roads: tuple[int, ...] = ()
    label: str = ""


def geocode(
    snapshot: "Snapshot", text: str, *, limit: int = 5, as_of: "date | None" = None
) -> list[PlaceAnswer]:
    """Return the places that a name or address may mean, the surest first.

    Parameters
    ----------
    snapshot : Snapshot
        The data.
    text : str
        A name, an address, a crossing, with or without an offset as in 路口东50米路北.
    limit : int
        Most answers.
    as_of : date or None
        Day on which the places hold; None: the live ones.

    Returns
    -------
    list of PlaceAnswer
        Empty when nothing fits: an empty text, another city, a text longer than 256 characters.
        Places that fit equally well share their score.
    """
    return geocode_edition(snapshot.edition(as_of), text, limit=limit)


def geocode_edition(edition: Edition, text: str, *, limit: int = 5) -> list[PlaceAnswer]:
    """Return the same among the places of an edition."""
    if len(text) > LONGEST:
        return []
    plain = normalise(text)
    if len(plain) < 2:
        return []
    gazetteer = edition.gazetteer
    hits = _exact(gazetteer, plain)
    if not hits:
        constraint, rest = strip_areas(edition, plain)
        if constraint.is_elsewhere:
            return []
        hits = _search(gazetteer, rest, constraint)
    return _answers(edition, _share(hits), limit)


def _exact(gazetteer: Gazetteer, text: str) -> list[_Hit]:
    keys = gazetteer.exact(text)
    streets = [key.row for key in keys if gazetteer.kinds[key.row] == "street"]
    lines = gazetteer.with_lines(streets)
    # A street delivered as a point is the one whose line the base map has.
    points = set(streets) - set(lines)
    return [_hit(gazetteer, key, SCORES[key.how]) for key in keys if key.row not in points]


def _search(gazetteer: Gazetteer, rest: str, constraint: Constraint) -> list[_Hit]:
    if not rest:
        return _of_area(gazetteer, constraint, _AREA)
    parts = take_apart(rest)
    hits = _of_mark(gazetteer, parts, rest)
    hits = _within(gazetteer, hits, constraint)
    hits = [_moved(gazetteer, hit, parts) for hit in hits]
    if not hits:
        hits = _within(gazetteer, _starting(gazetteer, parts.mark), constraint)
    if not hits and constraint.codes:
        hits = _of_area(gazetteer, constraint, _LEFT_OVER_AREA)
    return [replace(hit, score=hit.score * constraint.trust) for hit in hits]


def _of_mark(gazetteer: Gazetteer, parts: AddressParts, rest: str) -> list[_Hit]:
    """Look for the mark of an address: the most telling way that finds anything answers."""
    if parts.crossing:
        hits = _crossing(gazetteer, parts)
        if hits:
            return hits
    for text in dict.fromkeys((parts.mark, rest)):
        hits = _exact(gazetteer, text)
        if hits:
            return hits
    hits = _plate(gazetteer, parts)
    return hits or _inside(gazetteer, parts.mark)


def _crossing(gazetteer: Gazetteer, parts: AddressParts) -> list[_Hit]:
    one, two = (_road_rows(gazetteer, name) for name in parts.crossing or ("", ""))
    return [
        _Hit(
            row=one[0],
            score=_CROSSING,
            match="crossing",
            spot=spot,
            roads=(*one, *two),
            label="{}与{}路口".format(*(_name(gazetteer, rows[0]) for rows in (one, two))),
        )
        for spot in crossings(gazetteer, one, two)
    ]


def _road_rows(gazetteer: Gazetteer, name: str) -> list[int]:
    """Return the lines of a road: of several streets of a name those that have a line."""
    return gazetteer.with_lines(gazetteer.roads(name))


def _name(gazetteer: Gazetteer, row: int) -> str:
    name: str = gazetteer.table["name"][row].as_py()
    return name


def _plate(gazetteer: Gazetteer, parts: AddressParts) -> list[_Hit]:
    if not parts.way:
        return []
    address = parts.way + parts.plate
    if parts.plate:
        known = [
            key for key in gazetteer.exact(address) if key.how in ("plate", "member", "address")
        ]
        # The rest, a shop or a stairway, is not known: the plate is as near as it gets.
        doubt = 0.9 if parts.rest else 1.0
        if known:
            return [_hit(gazetteer, key, SCORES[key.how] * doubt) for key in known]
        rows = _road_rows(gazetteer, parts.road)
        spot = between_plates(gazetteer, parts.way, parts.number or 0)
        if spot is not None:
            row = rows[0] if rows else gazetteer.plates[parts.way][0][1]
            label = parts.way + parts.plate
            return [_Hit(row, _INTERPOLATED * doubt, "interpolated", spot, tuple(rows), label)]
    inside = _inside(gazetteer, parts.rest) if parts.rest else []
    if inside:
        return inside
    share = _ROAD if parts.plate or parts.rest else SCORES["name"]
    return [
        _Hit(row, share, "road", _spot(gazetteer, row), (row,))
        for row in (_road_rows(gazetteer, parts.road) if parts.road else [])
    ]


def _inside(gazetteer: Gazetteer, text: str) -> list[_Hit]:
    """Look for the longest known name inside a text; it counts by the share of the text it covers."""
    spans = gazetteer.longest_names(text)
    if not spans:
        return []
    start, end = spans[0]
    name = text[start:end]
    score = _INSIDE * math.sqrt((end - start) / len(text))
    keys = gazetteer.named(name)
    return [replace(_hit(gazetteer, key, score), match="inside") for key in keys]


def _starting(gazetteer: Gazetteer, text: str) -> list[_Hit]:
    if len(text) < 2:
        return []
    best: dict[int, Key] = {}
    for key in gazetteer.starting(text, limit=_PREFIXES_READ):
        if key.how in SCORES and (key.row not in best or len(key.key) < len(best[key.row].key)):
            best[key.row] = key
    return [
        replace(_hit(gazetteer, key, _PREFIX * len(text) / len(key.key)), match="prefix")
        for key in best.values()
    ]


def _of_area(gazetteer: Gazetteer, constraint: Constraint, score: float) -> list[_Hit]:
    return [
        replace(_hit(gazetteer, key, score * constraint.trust), match="area")
        for key in gazetteer.named(constraint.smallest)
        if gazetteer.kinds[key.row] == "area"
    ]


def _hit(gazetteer: Gazetteer, key: Key, score: float) -> _Hit:
    roads: tuple[int, ...] = ()
    if gazetteer.kinds[key.row] == "street":
        roads = (key.row,)
    else:
        road = gazetteer.table["road"][key.row].as_py()
        roads = tuple(_road_rows(gazetteer, normalise(road))) if road else ()
    return _Hit(key.row, score, key.how, _spot(gazetteer, key.row), roads)


def _spot(gazetteer: Gazetteer, row: int) -> Spot:
    """Return the representative point of a place; its extent is the uncertainty."""
    shape, kind = gazetteer.shape(row), gazetteer.kinds[row]
    dimension = shapely.get_dimensions(shape)
    if dimension == 2:
        sigma_m = math.sqrt(shapely.area(shape) / 12.0)  # of a square, per axis
    elif dimension == 1:
        sigma_m = shapely.length(shape) / math.sqrt(24.0)  # of a line in any direction, per axis
    else:
        sigma_m = POINT_SIGMA_M[kind]
    floor = POINT_SIGMA_M["plate"]
    return Spot(
        x=float(gazetteer.x[row]), y=float(gazetteer.y[row]), sigma_m=max(float(sigma_m), floor)
    )


def _moved(gazetteer: Gazetteer, hit: _Hit, parts: AddressParts) -> _Hit:
    spot = apply_relation(gazetteer, hit.spot, parts.relation, roads=list(hit.roads))
    return replace(hit, spot=spot)


def _within(gazetteer: Gazetteer, hits: list[_Hit], constraint: Constraint) -> list[_Hit]:
    """Keep the hits inside the areas that the address names; all of them if it names none.

    Hits elsewhere stay as candidates of little worth when none lies inside.
    """
    if not constraint.codes or not hits:
        return hits
    communities = [gazetteer.table["community_code"][hit.row].as_py() or "" for hit in hits]
    inside = [
        hit
        for hit, community in zip(hits, communities, strict=True)
        if any(community.startswith(code) for code in constraint.codes)
        # A road may run through many areas, its middle through one.
        or gazetteer.kinds[hit.row] == "street"
    ]
    return inside or [replace(hit, score=hit.score * 0.4) for hit in hits]


def _share(hits: list[_Hit]) -> list[_Hit]:
    """Let equally good hits that lie apart share their score."""
    best: dict[tuple[int, str], _Hit] = {}
    for hit in hits:
        key = (hit.row, hit.label) if hit.match != "crossing" else (hit.row, str(hit.spot))
        if key not in best or hit.score > best[key].score:
            best[key] = hit
    ordered = sorted(best.values(), key=lambda hit: (-hit.score, hit.spot.sigma_m, hit.row))
    rivals = [sum(_rivals(hit, other) for other in ordered[:_RIVALS]) for hit in ordered]
    return [
        replace(hit, score=hit.score / (1 + count))
        for hit, count in zip(ordered, rivals, strict=True)
    ]


def _rivals(hit: _Hit, other: _Hit) -> bool:
    apart_m = math.dist((other.spot.x, other.spot.y), (hit.spot.x, hit.spot.y))
    same_m = max(_SAME_PLACE_M, 2.0 * hit.spot.sigma_m, 2.0 * other.spot.sigma_m)
    return other.score >= 0.95 * hit.score and apart_m > same_m


def answers_of(
    edition: Edition,
    keys: Sequence[tuple[Key, float]],
    *,
    phrases: Sequence[str] = (),
    distances_m: Sequence[float] = (),
) -> list[PlaceAnswer]:
    """Return the answers for places found by key, each with its score, in the given order.

    Parameters
    ----------
    edition : Edition
        Where the places are.
    keys : sequence of (Key, float)
        Key and score of each.
    phrases, distances_m : sequence
        Of reverse answers: the position in words, the distance to the place.
    """
    hits = [_hit(edition.gazetteer, key, score) for key, score in keys]
    answers = _told(edition, hits)
    if not phrases:
        return answers
    return [
        replace(answer, phrase=phrase, distance_m=distance_m)
        for answer, phrase, distance_m in zip(answers, phrases, distances_m, strict=True)
    ]


def _answers(edition: Edition, hits: list[_Hit], limit: int) -> list[PlaceAnswer]:
    ordered = sorted(hits, key=lambda hit: (-hit.score, hit.spot.sigma_m, hit.row, hit.spot.x))
    return _told(edition, ordered[:limit])


def _told(edition: Edition, hits: list[_Hit]) -> list[PlaceAnswer]:
    if not hits:
        return []
    lon, lat = transform_xy(
        [hit.spot.x for hit in hits],
        [hit.spot.y for hit in hits],
        source=edition.snapshot.crs,
        target=GEOGRAPHIC,
    )
    located = edition.grids.index.locate([h.spot.x for h in hits], [h.spot.y for h in hits])
    answers = []
    for number, hit in enumerate(hits):
        record = edition.gazetteer.record(hit.row)
        position = int(located.position[number])
        inside = position >= 0 and located.distance_m[number] == 0.0
        told = (record["grid_code"], record["community_code"])
        grid_code, community_code = edition.grid_chains[position][:2] if inside else told
        answers.append(
            PlaceAnswer(
                code=record["code"],
                name=hit.label or record["name"],
                kind=_MADE_KINDS.get(hit.match, record["kind"]),
                full_address=hit.label or record["full_address"],
                lon=float(lon[number]),
                lat=float(lat[number]),
                x=hit.spot.x,
                y=hit.spot.y,
                score=round(hit.score, 4),
                uncertainty_m=round(hit.spot.sigma_m, 1),
                match=hit.match,
                grid_code=grid_code,
                community_code=community_code,
            )
        )
    return answers
