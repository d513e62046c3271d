"""From words to a place: names, addresses, crossings, offsets; how each matched and how surely."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import shapely

from api.edition import Edition
from api.geocoding.calibration import calibrated
from api.geocoding.candidates import Candidate, from_key
from api.geocoding.explanation import explain, question_of
from api.geocoding.gazetteer import Key
from api.geocoding.matching import search
from api.models import PlaceAnswer
from gis.crs import GEOGRAPHIC, transform_point, transform_xy

if TYPE_CHECKING:
    from datetime import date

    from api.snapshot import Snapshot

_MADE_KINDS = {
    "crossing": "crossing",
    "between": "street",
    "interpolated": "plate",
    "beyond": "plate",
    "member": "plate",
    "lane": "block",
}
_FEW = 12
"""Fewer answers than this are told one by one: arrays of a few take longer to make than to use."""


class AddressLevels(TypedDict, total=False):
    """The levels of an address, from the widest; each a text, any of them absent."""

    province: str
    city: str
    district: str
    street: str
    """Street office 街道 or township, not a road."""
    community: str
    road: str
    plate: str
    """12号, or 12."""
    block: str
    building: str
    poi: str


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
    return geocode_texts(edition, [text], limit=limit)[0]


def geocode_many(
    snapshot: "Snapshot", texts: Iterable[str], *, limit: int = 1, as_of: "date | None" = None
) -> list[list[PlaceAnswer]]:
    """Return the answers to many texts, as `geocode` gives them, in the order of the texts.

    Coordinates and grids are found once for all of them.
    """
    return geocode_texts(snapshot.edition(as_of), texts, limit=limit)


def geocode_texts(
    edition: Edition, texts: Iterable[str], *, limit: int = 1
) -> list[list[PlaceAnswer]]:
    """Return the same among the places of an edition."""
    kept, lengths, asked = [], [], []
    for text in texts:
        found = search(edition, text)
        kept += _with_shares(found[:limit])
        lengths.append(len(found[:limit]))
        asked.append(_question(edition, found))
    answers = iter(_told(edition, kept))
    result = []
    for length, (question, question_zh) in zip(lengths, asked, strict=True):
        ours = [next(answers) for _ in range(length)]
        if question:
            ours = [replace(ours[0], question=question, question_zh=question_zh), *ours[1:]]
        result.append(ours)
    return result


def _with_shares(found: Sequence[Candidate]) -> list[Candidate]:
    """Return ranked candidates with the share of such answers that is right; it never rises."""
    least, told = 1.0, []
    for item in found:
        least = min(least, calibrated(item.score, item.match, item.evidence))
        told.append(replace(item, score=least))
    return told


def geocode_parts(
    snapshot: "Snapshot",
    *,
    limit: int = 5,
    as_of: "date | None" = None,
    **levels: Unpack[AddressLevels],
) -> list[PlaceAnswer]:
    """Return the places that an address given by its levels may mean, the surest first.

    Parameters
    ----------
    snapshot : Snapshot
        The data.
    limit, as_of
        As for `geocode`.
    **levels : str
        Any of the ten levels, as ``district="长安区", road="裕华路", plate="12"``.
    """
    return geocode(snapshot, one_line(levels), limit=limit, as_of=as_of)


def one_line(levels: AddressLevels) -> str:
    """Write the levels of an address as one text.

    Examples
    --------
    >>> one_line({"district": "长安区", "road": "裕华路", "plate": "12", "poi": "老王面馆"})
    '长安区裕华路12号老王面馆'
    """
    plate = levels.get("plate", "").strip()
    if plate and plate[-1].isdigit():
        plate += "号"
    said: list[str] = [levels.get(name, "") for name in ("province", "city", "district")]  # type: ignore[misc]
    said += [levels.get("street", ""), levels.get("community", ""), levels.get("road", ""), plate]
    said += [levels.get("block", ""), levels.get("building", ""), levels.get("poi", "")]
    return "".join(part.strip() for part in said)


def _question(edition: Edition, found: list[Candidate]) -> tuple[str, str]:
    if not found or "rivals" not in found[0].evidence:
        return "", ""
    name = found[0].label or edition.gazetteer.name(found[0].row)
    return question_of(edition, found, name)


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
    found = [replace(from_key(edition.gazetteer, key), score=score) for key, score in keys]
    answers = _told(edition, found)
    if not phrases:
        return answers
    return [
        replace(answer, phrase=phrase, distance_m=distance_m)
        for answer, phrase, distance_m in zip(answers, phrases, distances_m, strict=True)
    ]


def _told(edition: Edition, found: list[Candidate]) -> list[PlaceAnswer]:
    degrees, held = _degrees(edition, found), _held(edition, found)
    chains = edition.grid_chains
    columns: Mapping[str, Any] = edition.gazetteer.index.columns
    answers = []
    for item, (lon, lat), cell in zip(found, degrees, held, strict=True):
        row, label = item.row, item.label
        name = label or columns["name"][row]
        kind = columns["kind"][row]
        if cell >= 0:
            grid_code, community_code = chains[cell][:2]
        else:
            grid_code, community_code = columns["grid_code"][row], columns["community_code"][row]
        english, chinese = explain(item.match, item.evidence)
        answers.append(
            PlaceAnswer(
                code=columns["code"][row],
                name=name,
                kind=_MADE_KINDS.get(item.match, kind) if label else kind,
                full_address=label or columns["full_address"][row],
                lon=lon,
                lat=lat,
                x=item.spot.x,
                y=item.spot.y,
                score=round(item.score, 4),
                uncertainty_m=round(item.spot.sigma_m, 1),
                match=item.match,
                why=item.evidence,
                explanation=english,
                explanation_zh=chinese,
                grid_code=grid_code,
                community_code=community_code,
            )
        )
    return answers


def _degrees(edition: Edition, found: list[Candidate]) -> list[tuple[float, float]]:
    source = edition.snapshot.crs
    if len(found) < _FEW:
        return [
            transform_point(item.spot.x, item.spot.y, source=source, target=GEOGRAPHIC)
            for item in found
        ]
    x, y = [item.spot.x for item in found], [item.spot.y for item in found]
    lon, lat = transform_xy(x, y, source=source, target=GEOGRAPHIC)
    return list(zip(lon.tolist(), lat.tolist(), strict=True))


def _held(edition: Edition, found: list[Candidate]) -> list[int]:
    """Return the unit grid that holds each spot; -1: none does."""
    index = edition.grids.index
    if len(found) < _FEW:
        return [index.holder(item.spot.x, item.spot.y) for item in found]
    points = shapely.points([(item.spot.x, item.spot.y) for item in found])
    held: list[int] = index.holders(points).tolist()
    return held
