"""From a text to ranked candidates: cheap and certain ways first, others where those find nothing sure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.edition import Edition
from api.geocoding.agreement import judge
from api.geocoding.candidates import (
    Candidate,
    from_key,
    plain_name,
    road_lines,
    spot_of,
    with_evidence,
)
from api.geocoding.chain import ANYWHERE, Constraint, area_chains
from api.geocoding.composition import AT_PLATE, known, of_way_named, unsaid
from api.geocoding.correction import other_parts, other_texts, swapped_names
from api.geocoding.crossings import (
    at_corner,
    sharpened,
)
from api.geocoding.gazetteer import Gazetteer
from api.geocoding.marks import (
    alike,
    bracketed,
    exact,
    inside,
    named,
    starting,
    wholly_alike,
)
from api.geocoding.plates import inside_of, parts_of_road
from api.geocoding.ranking import is_settled, is_strong, rank
from api.geocoding.relation import moved
from gis.addresses.parts import AddressParts, readings
from gis.addresses.speech import without_speech
from gis.addresses.spelling import LONGEST, normalise

_LEAST = 2
_CHAINS = 3
_WEAK = 0.7
_DOUBTFUL = 0.3


@dataclass(kw_only=True)
class _Found:
    """Candidates collected so far."""

    edition: Edition
    said: Constraint
    """What the areas of the text say at first reading."""
    plain: str = ""
    """The whole text in the one spelling."""
    is_whole: bool = False
    """Some whole name is much like the whole text."""
    items: list[Candidate] = field(default_factory=list)
    ranked: list[Candidate] = field(default_factory=list)

    def add(self, items: Iterable[Candidate], chain: Constraint, parts: AddressParts) -> bool:
        """Judge, move and rank candidates; tell whether the surest needs no further search."""
        gazetteer = self.edition.gazetteer
        fresh = [
            moved(gazetteer, at_corner(self._judged(item, chain), parts), parts.relation)
            for item in items
        ]
        if fresh:
            self.items += fresh
            self.ranked = rank(self.items)
        return is_strong(self.ranked)

    def _judged(self, item: Candidate, chain: Constraint) -> Candidate:
        """Judge by the areas said; a reading without them holds for names that have them in it."""
        if not chain.codes and self.said.codes:
            own = plain_name(self.edition.gazetteer, item.row)
            chain = chain if self.said.smallest in own else self.said
        return judge(self.edition, item, chain)

    def is_weak(self) -> bool:
        return not self.ranked or self.ranked[0].score < _WEAK


def search(edition: Edition, text: str) -> list[Candidate]:
    """Return the places that a text may mean, the surest first.

    Parameters
    ----------
    edition : Edition
        Places and areas that hold.
    text : str
        As the caller said it; empty, too long or of another city: no place.
    """
    plain = normalise(text) if len(text) <= LONGEST else ""
    if len(plain) < _LEAST:
        return []
    found = exact(edition.gazetteer, plain)
    if not found:
        plain, said = without_speech(plain), plain
        found = exact(edition.gazetteer, plain) if plain != said else []
    if found:
        return rank(found)
    chains = area_chains(edition, plain)
    first = next(chains)
    if first.is_elsewhere:
        return []
    return _search(edition, plain, first, chains)


def _search(
    edition: Edition, plain: str, first: Constraint, others: Iterator[Constraint]
) -> list[Candidate]:
    found = _Found(edition=edition, said=first, plain=plain)
    read: list[tuple[Constraint, tuple[AddressParts, ...]]] = []
    for chain in (first, *islice(others, _CHAINS)):
        ways = readings(chain.rest) if len(chain.rest) >= _LEAST else ()
        read.append((chain, ways))
        branches = [
            item for said in bracketed(chain.rest) for item in named(edition.gazetteer, said)
        ]
        if branches and found.add(branches, chain, ways[0]):
            return found.ranked
        if any(found.add(known(edition.gazetteer, parts), chain, parts) for parts in ways):
            return found.ranked
    if is_settled(found.ranked):
        return found.ranked
    # What begins with an unknown area is no misspelt name.
    loose = read[:1] if "area_unknown" in first.evidence else read
    for step in (_by_other_texts, _by_estimate, _by_whole_name, _by_other_names):
        for chain, ways in loose:
            if step is _by_estimate and first.codes and not chain.codes:
                continue  # what is estimated must answer to the areas that were named
            if ways and step(found, chain, ways):
                return found.ranked
    _areas(found, [chain for chain, _ in read])
    return found.ranked


def _by_other_texts(found: _Found, chain: Constraint, _: tuple[AddressParts, ...]) -> bool:
    """Read the text in another way: the number first, Latin letters as pinyin, fewer words."""
    gazetteer = found.edition.gazetteer
    for text, code in other_texts(gazetteer, chain.rest):
        within = next(area_chains(found.edition, text))
        within = within if within.codes else replace(chain, rest=text)
        for parts in readings(within.rest)[:2]:
            items = [with_evidence(item, code) for item in known(gazetteer, parts)]
            if found.add(items, within, parts):
                return True
    return False


def _by_estimate(found: _Found, chain: Constraint, ways: tuple[AddressParts, ...]) -> bool:
    """Place numbers along their road; where that leads out of the area named, by its own numbers."""
    gazetteer = found.edition.gazetteer
    if any(found.add(_estimated(gazetteer, parts), chain, parts) for parts in ways):
        return True
    if not chain.codes or not _is_outside(found.ranked):
        return False
    return any(found.add(_estimated(gazetteer, parts, chain), chain, parts) for parts in ways)


def _by_whole_name(found: _Found, chain: Constraint, ways: tuple[AddressParts, ...]) -> bool:
    """Compare whole names with the whole text: areas at the front and brackets are parts of many."""
    if not found.is_weak() or any(parts.plate or parts.crossing or parts.road for parts in ways):
        return False
    mark = (*bracketed(chain.rest)[-1:], ways[0].mark)[0]
    front = found.plain.removesuffix(chain.rest)
    for text, within in {front + mark: Constraint(rest=found.plain), mark: chain}.items():
        items = wholly_alike(found.edition.gazetteer, text)
        found.is_whole = found.is_whole or bool(items)
        if found.add(items, within, ways[0]):
            return True
    return False


def _by_other_names(found: _Found, chain: Constraint, ways: tuple[AddressParts, ...]) -> bool:
    """Look for names that sound like those said, or are written much like them, or begin so."""
    gazetteer = found.edition.gazetteer
    crossings = [parts for parts in ways if parts.crossing or parts.between]
    for parts in crossings or ways[:2]:
        items = _misspelt(gazetteer, parts, with_marks=not found.is_whole)
        if not found.is_weak() or found.add(items, chain, parts):
            return True
    if found.is_weak() and found.add(starting(gazetteer, ways[0].mark), chain, ways[0]):
        return True
    if any(parts.road and parts.plate and gazetteer.is_way(parts.road) for parts in ways):
        return False  # the road is known as it was said
    return found.is_weak() and _by_swapping(found, chain)


def _by_swapping(found: _Found, chain: Constraint) -> bool:
    """Change two neighbouring characters over, wherever that names something as it stands."""
    gazetteer = found.edition.gazetteer
    for text in swapped_names(gazetteer, chain.rest):
        parts = readings(text)[0]
        items = [with_evidence(item, "characters_swapped") for item in known(gazetteer, parts)]
        found.add(items, chain, parts)
    return is_strong(found.ranked)


def _estimated(
    gazetteer: Gazetteer, parts: AddressParts, within: Constraint = ANYWHERE
) -> list[Candidate]:
    """Return what is near what the address names: interpolated plates, the road, names in the text."""
    found = []
    if parts.road and (parts.plate or parts.lanes):
        codes = unsaid(parts, below="plate")
        ways = of_way_named(gazetteer, parts, within)
        ways = [item for item in ways if item.match not in AT_PLATE]
        found += sharpened(gazetteer, parts, [with_evidence(item, *codes) for item in ways])
    spots = [item.spot for item in found]
    rest = parts.rest if parts.road else parts.mark
    inner = inside(gazetteer, rest, spots=spots) if rest else []
    if parts.road and not found:
        found += _whole_road(gazetteer, parts, within)
    elif parts.crossing:
        for name in parts.crossing:
            found += [
                with_evidence(item, "crossing_unmatched") for item in _of_road(gazetteer, name)
            ]
    return found + inner


def _whole_road(gazetteer: Gazetteer, parts: AddressParts, within: Constraint) -> list[Candidate]:
    codes = unsaid(parts, below="road")
    return [with_evidence(item, *codes) for item in _of_road(gazetteer, parts.road, within)]


def _of_road(gazetteer: Gazetteer, name: str, within: Constraint = ANYWHERE) -> list[Candidate]:
    """Return the roads of a name; of roads that only addresses know, the middle of each, in an area its own."""
    rows = road_lines(gazetteer, name)
    if rows:
        return [
            Candidate(row=row, spot=spot_of(gazetteer, row), match="road", roads=(row,))
            for row in rows
        ]
    standing = gazetteer.of_road(name)
    if not len(standing):
        return []
    inside = inside_of(gazetteer, standing, within)
    standing = standing[inside] if inside.any() else standing
    points = np.column_stack([gazetteer.x[standing], gazetteer.y[standing]])
    return [_middle(gazetteer, name, standing[part]) for part in parts_of_road(points)]


def _middle(gazetteer: Gazetteer, name: str, standing: NDArray[Any]) -> Candidate:
    x, y = gazetteer.x[standing], gazetteer.y[standing]
    middle = abs(x - sorted(x)[len(x) // 2]) + abs(y - sorted(y)[len(y) // 2])
    row = int(standing[int(middle.argmin())])
    spread = max(float(x.std()), float(y.std()), 100.0)
    spot = replace(spot_of(gazetteer, row), sigma_m=spread)
    codes = ("road_estimated",)
    return Candidate(row=row, spot=spot, match="road", evidence=codes, label=name)


def _misspelt(gazetteer: Gazetteer, parts: AddressParts, *, with_marks: bool) -> list[Candidate]:
    """Return what the address names if a name in it is misheard or misspelt."""
    found: list[Candidate] = []
    for other, codes in other_parts(gazetteer, parts):
        near = known(gazetteer, other) or _estimated(gazetteer, other)
        found += [with_evidence(item, *codes) for item in near]
    if parts.crossing or parts.between or (parts.plate and not parts.poi):
        return found
    if parts.building or not with_marks:
        return found
    mark = parts.poi or parts.mark
    found += alike(gazetteer, mark, road=parts.road if parts.plate else "")
    if mark != parts.mark and not parts.plate:
        found += alike(gazetteer, parts.mark)
    return found


def _areas(found: _Found, chains: list[Constraint]) -> None:
    """Add the area itself: all that was said, or all that was understood of what was."""
    gazetteer = found.edition.gazetteer
    for chain in chains[:2]:
        if not chain.smallest or (chain.rest and _is_inside(found.ranked)):
            continue
        code = "rest_unmatched" if chain.rest or chain.skipped else ""
        rows = [key for key in gazetteer.exact(chain.smallest) if gazetteer.kind(key.row) == "area"]
        items = [
            with_evidence(replace(from_key(gazetteer, key), match="area"), code, *chain.evidence)
            for key in rows
        ]
        found.add(items, chain, AddressParts(mark=chain.smallest))


def _is_inside(ranked: list[Candidate]) -> bool:
    """Tell whether something was found inside the areas that were named: on its road, or surely."""
    return not _is_outside(ranked) or any(
        item.match in _ON_ROAD and "area_agrees" in item.evidence for item in ranked[:_FIRST]
    )


_FIRST = 5
_ON_ROAD = ("interpolated", "beyond", "lane", "road")


def _is_outside(ranked: list[Candidate]) -> bool:
    """Tell whether nothing sure was found inside the areas that were named."""
    return not ranked or ranked[0].score < _DOUBTFUL or "area_contradicts" in ranked[0].evidence
