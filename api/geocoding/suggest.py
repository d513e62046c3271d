"""Suggestions while a name is typed: by characters, pinyin or pinyin initials."""

from typing import TYPE_CHECKING

from api.geocoding.gazetteer import Key
from api.geocoding.geocode import answers_of
from gis.addresses.spelling import LONGEST, normalise

if TYPE_CHECKING:
    from datetime import date

    from api.models import PlaceAnswer
    from api.snapshot import Snapshot

_KEYS_READ = 300
_WEIGHT = {
    "name": 1.0,
    "alias": 0.9,
    "address": 0.85,
    "plate": 0.85,
    "pinyin": 0.8,
    "initials": 0.7,
}


def suggest(
    snapshot: "Snapshot", text: str, *, limit: int = 10, as_of: "date | None" = None
) -> "list[PlaceAnswer]":
    """Return places whose name, address, pinyin or initials begin with a text, the shortest first.

    Parameters
    ----------
    snapshot : Snapshot
        The data.
    text : str
        What was typed so far: 裕华, yuhua, yhl.
    limit : int
        Most answers.
    as_of : date or None
        Day on which the places hold; None: the live ones.

    Returns
    -------
    list of PlaceAnswer
        The score is the share of the name that was typed; it says how to sort, not how sure.
    """
    edition = snapshot.edition(as_of)
    typed = normalise(text) if len(text) <= LONGEST else ""
    best: dict[int, tuple[float, Key]] = {}
    for key in edition.gazetteer.starting(typed, limit=_KEYS_READ):
        score = _WEIGHT.get(key.how, 0.0) * len(typed) / len(key.key)
        if key.how in _WEIGHT and score > best.get(key.row, (0.0, key))[0]:
            best[key.row] = (score, key)
    ordered = sorted(best.values(), key=lambda item: (-item[0], item[1].row))
    return answers_of(edition, [(key, score) for score, key in ordered[:limit]])
