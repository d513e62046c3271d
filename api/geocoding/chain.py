"""The areas an address names at its beginning: which of the city's, or another city's."""

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import cache

from api.edition import Edition
from gis.addresses.spelling import normalise
from gis.codes import read_table

_UNKNOWN_CITY = re.compile(
    r"[^\d省市区县路街道号]{2,6}(?:市|自治州)(?!场|民|府|政|容|委|局|立|图|人|第|一|二|三|中|实|体|妇|儿|集)(?=.)"
)
_UNKNOWN_DISTRICT = re.compile(r"[^\d省市区县路街道号里小社]{1,5}[区县](?=.{2})")
_UNKNOWN_TRUST = 0.5
_LONGEST_AREA = 20


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """What the areas at the beginning of an address say."""

    codes: frozenset[str] = frozenset()
    """Codes of the smallest area named; several when areas share a name; empty: none was named."""
    smallest: str = ""
    """Its name as it is spelt inside."""
    trust: float = 1.0
    """Below 1 when an area was named that is not known."""
    is_elsewhere: bool = False
    """Another province or city was named."""


def strip_areas(edition: Edition, address: str) -> tuple[Constraint, str]:
    """Split the areas off the beginning of a normalised address.

    Parameters
    ----------
    edition : Edition
        Areas that hold.
    address : str
        Address as `normalise` spells it.

    Returns
    -------
    tuple
        What the areas say, and the rest of the address.
    """
    rest, elsewhere = _strip_province(edition, address)
    if elsewhere:
        return Constraint(is_elsewhere=True), rest
    names = edition.gazetteer.area_names
    city = _UNKNOWN_CITY.match(rest)
    if city and not _is_known(edition, names, rest, least=city.end()):
        if edition.snapshot.profile.city.name or not _leading(names, rest[city.end() :]):
            return Constraint(is_elsewhere=True), rest
        rest = rest[city.end() :]
    codes: frozenset[str] = frozenset()
    smallest = ""
    while (name := _leading(names, rest)) and _nests(codes, names[name]):
        if names[name]:
            inside = frozenset(c for c in names[name] if any(c.startswith(o) for o in codes))
            codes, smallest = inside or names[name], name
        rest = rest[len(name) :]
    if codes:
        return Constraint(codes=codes, smallest=smallest), rest
    district = _UNKNOWN_DISTRICT.match(rest)
    if district:
        return Constraint(trust=_UNKNOWN_TRUST), rest[district.end() :]
    return Constraint(), rest


def _is_known(edition: Edition, names: Iterable[str], text: str, *, least: int) -> bool:
    """Tell whether a text that looks like a city begins with a known area or place, as 东风菜市场."""
    if any(text.startswith(name) for name in names):
        return True
    ends = range(least, min(len(text), 2 * _LONGEST_AREA) + 1)
    return any(edition.gazetteer.named(text[:end]) for end in ends)


def _leading(names: Container[str], text: str) -> str | None:
    """Return the longest known name at the beginning of a text."""
    ends = range(min(len(text), _LONGEST_AREA), 1, -1)
    return next((text[:end] for end in ends if text[:end] in names), None)


def _nests(codes: frozenset[str], found: frozenset[str]) -> bool:
    return (
        not codes or not found or any(code.startswith(outer) for code in found for outer in codes)
    )


def _strip_province(edition: Edition, address: str) -> tuple[str, bool]:
    own = edition.snapshot.profile.city.code[:2]
    for code, (name, short) in _provinces().items():
        for spelling in (name, f"{short}省", f"{short}市"):
            if address.startswith(spelling):
                return address[len(spelling) :], code != own
        if code != own and re.match(rf"{short}[^路街道巷号]{{2,6}}?[市区县]", address):
            return address, True
    return address, False


@cache
def _provinces() -> dict[str, tuple[str, str]]:
    return {
        row["code"]: (normalise(row["name"]), normalise(row["short"]))
        for row in read_table("api.geocoding", "provinces.csv")
    }
