"""Marks by name: exactly, inside a longer text, by sound, by writing, by the beginning."""

from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache

from rapidfuzz.distance import OSA

from api.geocoding.candidates import Candidate, Spot, distance_m, from_key, with_evidence
from api.geocoding.gazetteer import Gazetteer, Key
from gis.names.romanisation import sound

_MOST_KEYS = 60
_PREFIXES_READ = 60
_LEAST_FUZZY = 3
_LEAST_INSIDE = 2
_ALIKE = 0.5
_CLOSE = 0.7
_AS_LIKE = 0.1
_AS_GOOD = 0.01
_CROSSING_ENDS = ("路口", "交叉口", "交口")
_BEGINS = 0.8
_GENERIC = 2
_HEARD_SHARE = 0.95
_SIMILAR_READ = 20
_NAMED = ("name", "alias", "short")
_MOST, _HALF = 0.75, 0.45
_AGREE_M = 200.0
_FAR_M = 500.0
"""Farther from where the rest of the address points to, nothing agrees, however rough that is."""
PLACES = ("poi", "block", "zone")
"""Kinds that bear names of their own, streets and areas left out."""


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
    keys = [key for key in gazetteer.exact(text) if key.how in _NAMED]
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
            agreed = agreement(item, spots)
            # What lies where the rest of the address points to needs no more words.
            partly = "name_partly" if agreed == "parts_agree" and evidence else ""
            codes = tuple(code for code in (agreed or evidence, partly) if code)
            found.append(with_evidence(replace(item, match="inside"), *codes))
        taken.append((start, end))
    return found


def agreement(item: Candidate, spots: Collection[Spot]) -> str:
    """Return the evidence that a place lies, or does not, where the rest of an address points to.

    Where that is known too roughly to tell, there is none.
    """
    if not spots:
        return ""
    away = [(distance_m(item.spot, spot), 2 * spot.sigma_m) for spot in spots]
    if min(apart - rough for apart, rough in away) > _AGREE_M:
        return "parts_contradict"
    is_near = any(apart <= min(_AGREE_M + rough, _FAR_M) for apart, rough in away)
    return "parts_agree" if is_near else ""


def alike(
    gazetteer: Gazetteer, text: str, *, road: str = "", kinds: Collection[str] = ("plate", *PLACES)
) -> list[Candidate]:
    """Return the places whose names sound like a text or are written much like it."""
    if len(text) < _LEAST_FUZZY:
        return []
    found: dict[int, Candidate] = {}
    for key, likeness in gazetteer.sounding(text, limit=10):
        if gazetteer.kind(key.row) in kinds and not key.key.endswith(_CROSSING_ENDS):
            evidence = "" if likeness == 1.0 else "likeness_poor"
            found.setdefault(key.row, _alike(gazetteer, key, "sounding", evidence))
    near = []
    for key, _ in gazetteer.similar(text, kinds=kinds, road=road, limit=_SIMILAR_READ):
        if not key.key.endswith(_CROSSING_ENDS):
            near.append((*likeness_of(text, key.key), key))
    most = max((share for share, _, _ in near), default=0.0)
    for share, code, key in near:
        if share >= max(_ALIKE, most - _AS_LIKE):
            found.setdefault(key.row, _alike(gazetteer, key, "similar", _EVIDENCE_OF[code]))
    return list(found.values())


def wholly_alike(
    gazetteer: Gazetteer, text: str, *, kinds: Collection[str] = PLACES
) -> list[Candidate]:
    """Return the places whose whole name, its branch in brackets too, is written most like a text."""
    if len(text) < _LEAST_FUZZY:
        return []
    told: dict[int, tuple[float, Key]] = {}
    heard = gazetteer.sounding(text, limit=_SIMILAR_READ)
    same = {key.row for key, share in heard if share == 1.0}
    alike = gazetteer.similar(text, kinds=kinds, limit=_SIMILAR_READ)
    for key, share in (*alike, *heard):
        if gazetteer.kind(key.row) in kinds:
            share = max(share, OSA.normalized_similarity(text, key.key))
            told[key.row] = max(told.get(key.row, (share, key)), (share, key), key=lambda x: x[0])
    most = max((share for share, _ in told.values()), default=0.0)
    if most < _CLOSE:
        return []
    return [
        _alike(gazetteer, key, "sounding", "")
        if key.row in same
        else _alike(gazetteer, key, "similar", "likeness_close")
        for share, key in told.values()
        if share >= most - _AS_GOOD
    ]


def bracketed(text: str) -> list[str]:
    """Return the beginnings of a text that end with a bracket, the longest first.

    Examples
    --------
    >>> bracketed("丰收日(静安店)(院内)附近")
    ['丰收日(静安店)(院内)', '丰收日(静安店)']
    """
    return [text[:end] for end in range(len(text), 0, -1) if text[end - 1] == ")"]


_EVIDENCE_OF = {
    "name_sounds": "likeness_close",
    "name_close": "likeness_close",
    "name_alike": "likeness_poor",
    "name_begins": "",
}


def _alike(gazetteer: Gazetteer, key: Key, match: str, evidence: str) -> Candidate:
    return replace(from_key(gazetteer, key, evidence), match=match)


def likeness_of(said: str, name: str) -> tuple[float, str]:
    """Return how much what was said is like a name, 0-1, and the evidence that this is.

    The share of characters, or of letters of the pinyin, that need no edit; two neighbours that
    changed places are one edit.

    Examples
    --------
    >>> likeness_of("兴滨路", "滨兴路"), likeness_of("滨星路", "滨兴路"), likeness_of("瑞桃", "瑞桃巷")
    ((0.6666666666666667, 'name_alike'), (1.0, 'name_sounds'), (0.8, 'name_begins'))
    """
    written = OSA.normalized_similarity(said, name)
    heard = OSA.normalized_similarity(_sound(said), _sound(name))
    if heard == 1.0:
        return 1.0, "name_sounds"
    if name.startswith(said) and len(name) <= len(said) + _GENERIC:
        return max(_BEGINS, written), "name_begins"
    likeness = max(written, _HEARD_SHARE * heard)
    return likeness, "name_close" if likeness >= _CLOSE else "name_alike"


_sound = lru_cache(maxsize=4096)(sound)


def names_alike(
    gazetteer: Gazetteer, name: str, *, kinds: Collection[str]
) -> list[tuple[str, str]]:
    """Return the known names that sound like a name or are written much like it, the likeliest first.

    Each with its evidence: ``name_sounds``, ``name_begins``, ``name_close`` or ``name_alike``.
    """
    keys = [key for key, _ in gazetteer.sounding(name, limit=10)]
    keys += [key for key, _ in gazetteer.similar(name, kinds=kinds, limit=_SIMILAR_READ)]
    if len(name) > 1:
        keys += [key for key in gazetteer.starting(name, limit=_SIMILAR_READ) if key.how in _NAMED]
    found: dict[str, tuple[float, str]] = {}
    for key in keys:
        if key.key != name and key.key not in found and gazetteer.kind(key.row) in kinds:
            found[key.key] = likeness_of(name, key.key)
    ordered = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))
    return [(other, code) for other, (likeness, code) in ordered if likeness >= _ALIKE]


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
