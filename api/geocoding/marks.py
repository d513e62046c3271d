"""Marks by name: exactly, inside a longer text, by sound, by writing, by the beginning."""

from collections.abc import Collection
from dataclasses import replace

from api.geocoding.candidates import Candidate, Spot, distance_m, from_key
from api.geocoding.gazetteer import Gazetteer, Key

_MOST_KEYS = 60
_PREFIXES_READ = 60
_LEAST_FUZZY = 3
_LEAST_INSIDE = 2
_ALIKE = 0.55
_CLOSE, _FAIR = 0.85, 0.7
_MOST, _HALF = 0.75, 0.45
_AGREE_M = 200.0
_MARKS = ("poi", "block", "zone", "plate")


def exact(gazetteer: Gazetteer, text: str) -> list[Candidate]:
    """Return the places one of whose keys equals a text, their strongest key each.

    Of several streets of the name those that the base map has as lines; what merely stands at a
    plate counts where nothing else bears the key.
    """
    keys = gazetteer.exact(text)
    if not keys:
        return []
    if len(keys) > 1:
        keys = _telling(gazetteer, keys)
    return [from_key(gazetteer, key) for key in keys[:_MOST_KEYS]]


_RANK = {"address": 0, "plate": 1, "name": 2, "alias": 3, "short": 4, "member": 5}


def _telling(gazetteer: Gazetteer, keys: list[Key]) -> list[Key]:
    best: dict[int, Key] = {}
    for key in sorted(keys, key=lambda key: _RANK.get(key.how, 9)):
        best.setdefault(key.row, key)
    kept = list(best.values())
    if any(key.how != "member" for key in kept):
        kept = [key for key in kept if key.how != "member"]
    streets = [key.row for key in kept if gazetteer.kind(key.row) == "street"]
    if len(streets) > 1:
        lines = {row for row in streets if gazetteer.dimension(row) > 0} or set(streets)
        kept = [key for key in kept if key.row in lines or key.row not in streets]
    return kept


def named(gazetteer: Gazetteer, text: str) -> list[Candidate]:
    """Return the places that bear a name, by standard name, alias or short form."""
    keys = [key for key in gazetteer.exact(text) if key.how in ("name", "alias", "short")]
    return [from_key(gazetteer, key) for key in _telling(gazetteer, keys)[:_MOST_KEYS]]


def inside(gazetteer: Gazetteer, text: str, *, spots: Collection[Spot] = ()) -> list[Candidate]:
    """Return the places of the longest known names inside a text.

    Parameters
    ----------
    gazetteer : Gazetteer
        Places.
    text : str
        What is left to explain.
    spots : collection of Spot
        Where the rest of the address points to: names elsewhere contradict it.
    """
    found: list[Candidate] = []
    taken: list[tuple[int, int]] = []
    for start, end in gazetteer.longest_names(text)[:4]:
        if end - start < _LEAST_INSIDE or any(
            start < stop and begin < end for begin, stop in taken
        ):
            continue
        share = (end - start) / len(text)
        evidence = "" if share >= _MOST else "rest_half" if share >= _HALF else "rest_most"
        for item in named(gazetteer, text[start:end]):
            if gazetteer.kind(item.row) == "area" or len(found) >= _MOST_KEYS:
                continue  # areas are the chain's
            codes = tuple(code for code in (evidence, _agreement(item, spots)) if code)
            found.append(replace(item, match="inside", evidence=codes))
        taken.append((start, end))
    return found


def _agreement(item: Candidate, spots: Collection[Spot]) -> str:
    if not spots:
        return ""
    apart = min(distance_m(item.spot, spot) - 2 * spot.sigma_m for spot in spots)
    return "parts_agree" if apart <= _AGREE_M else "parts_contradict"


def alike(
    gazetteer: Gazetteer, text: str, *, road: str = "", kinds: Collection[str] = _MARKS
) -> list[Candidate]:
    """Return the places whose names sound like a text or are written much like it."""
    if len(text) < _LEAST_FUZZY:
        return []
    found: dict[int, Candidate] = {}
    for key, likeness in gazetteer.sounding(text, limit=10):
        if kinds and gazetteer.kind(key.row) not in kinds:
            continue
        evidence = "" if likeness == 1.0 else "likeness_poor"
        found.setdefault(key.row, _alike(gazetteer, key, "sounding", evidence))
    for key, likeness in gazetteer.similar(text, kinds=kinds, road=road, limit=10):
        if likeness >= _ALIKE:
            evidence = ("likeness_close" if likeness >= _CLOSE else
                        "" if likeness >= _FAIR else "likeness_poor")  # fmt: skip
            found.setdefault(key.row, _alike(gazetteer, key, "similar", evidence))
    return list(found.values())


def _alike(gazetteer: Gazetteer, key: Key, match: str, evidence: str) -> Candidate:
    return replace(from_key(gazetteer, key, evidence), match=match)


def names_alike(
    gazetteer: Gazetteer, name: str, *, kinds: Collection[str]
) -> list[tuple[str, str]]:
    """Return the known names that sound like a name or are written much like it, the likeliest first.

    Each with its evidence: ``name_sounds``, ``name_close`` or ``name_alike``.
    """
    found: dict[str, str] = {}
    for key, likeness in gazetteer.sounding(name, limit=10):
        if gazetteer.kind(key.row) in kinds and key.key != name:
            found.setdefault(key.key, "name_sounds" if likeness == 1.0 else "name_close")
    for key, likeness in gazetteer.similar(name, kinds=kinds, limit=8):
        if likeness >= _ALIKE and key.key != name:
            found.setdefault(key.key, "name_close" if likeness >= _FAIR else "name_alike")
    return list(found.items())


def starting(gazetteer: Gazetteer, text: str) -> list[Candidate]:
    """Return the places one of whose keys starts with a text; the more of it is said the better."""
    if len(text) < 2:
        return []
    best: dict[int, Key] = {}
    for key in gazetteer.starting(text, limit=_PREFIXES_READ):
        if key.how in _RANK and (key.row not in best or len(key.key) < len(best[key.row].key)):
            best[key.row] = key
    found = []
    for key in best.values():
        share = len(text) / len(key.key)
        evidence = "" if share >= _MOST else "rest_half" if share >= _HALF else "rest_most"
        found.append(replace(from_key(gazetteer, key, evidence), match="prefix"))
    return found
