"""The areas an address names at its beginning: which of the city's, or another city's."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from weakref import WeakKeyDictionary

import pyarrow.compute as pc

from api.edition import Edition
from gis.addresses.beginnings import LONGEST_AREA, Beginnings
from gis.addresses.spelling import normalise
from gis.codes import read_table
from gis.columns import texts_of

_UNKNOWN_CITY = re.compile(
    r"[^\d省市区县路街道号]{2,6}(?:市|自治州)(?!场|民|府|政|容|委|局|立|图|人|第|一|二|三|中|实|体|妇|儿|集)(?=.)"
)
_UNKNOWN_DISTRICT = re.compile(r"[^\d省市区县路街道号里小社]{1,5}[区县](?=.{2})")
_ADDRESS = re.compile(r"[^市]{1,8}?(?:[区县镇乡]|(?:路|街|道|巷)\d|\d号)")
_LEAST_SHORT = 2
_ENDINGS = re.compile(
    r"(?:自治县|自治州|街道办事处|居民委员会|居委会|街道办|街道|社区|地区|新区|省|市|区|县|镇|乡|村)$"
)
_TRAILING = re.compile(r"\(([^()]{2,20})\)$")
_HOWS = ("full", "alias", "former", "short")
_WHOLE = _HOWS[:3]


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """What the areas of an address say, and the address without them."""

    codes: frozenset[str] = frozenset()
    """Codes of the smallest area named; several when areas share a name; empty: none was named."""
    smallest: str = ""
    """Its name as it is spelt in the address."""
    rest: str = ""
    """The address without its areas."""
    skipped: str = ""
    """Area that only addresses know, said last: where it lies is not known."""
    is_elsewhere: bool = False
    """Another province or city was named."""
    evidence: tuple[str, ...] = ()
    """Of ``area_unknown`` ``area_former`` ``area_short`` ``area_conflict``: how the areas were said."""


ANYWHERE = Constraint()
"""No area was named."""


@dataclass(frozen=True, kw_only=True)
class _Names:
    """Every way to say an area."""

    codes: Mapping[str, frozenset[str]]
    """Name -> codes of the areas so called; none: only addresses know it."""
    how: Mapping[str, str]
    """Name -> one of `_HOWS`."""
    beginnings: Beginnings


_KNOWN: "WeakKeyDictionary[Edition, _Names]" = WeakKeyDictionary()


def _names(edition: Edition) -> _Names:
    known = _KNOWN.get(edition)
    if known is None:
        known = _KNOWN[edition] = _collect(edition)
    return known


def _collect(edition: Edition) -> _Names:
    """Collect full names, then aliases and former names, then names without their ending.

    A weaker way to say an area never hides a stronger one of the same letters.
    """
    own = _own_city(edition)
    codes: dict[str, frozenset[str]] = {
        name: held
        for name, held in edition.gazetteer.area_names.items()
        if held or name in own or name.removesuffix("市") not in _cities()
    }
    how = dict.fromkeys(codes, "full")
    for name, code, said in _other_names(edition):
        if len(name) >= _LEAST_SHORT and how.get(name, said) == said:
            codes[name] = codes.get(name, frozenset()) | {code}
            how[name] = said
    for name in list(codes):
        short = _ENDINGS.sub("", name)
        if (
            how[name] != "short"
            and len(short) >= _LEAST_SHORT
            and how.get(short, "short") == "short"
        ):
            codes[short] = codes.get(short, frozenset()) | codes[name]
            how[short] = "short"
    return _Names(codes=codes, how=how, beginnings=Beginnings.of(codes))


def _own_city(edition: Edition) -> frozenset[str]:
    """Return the names of the city: the profile's, and what most addresses say.

    Another city that some wrong address names is no area of this one.
    """
    said = edition.gazetteer.table["city"].drop_null().value_counts()
    counts = said.field("counts").to_pylist()
    most = [said.field("values")[counts.index(max(counts))].as_py()] if counts else []
    return frozenset(map(normalise, (edition.snapshot.profile.city.name, *most)))


def _other_names(edition: Edition) -> Iterator[tuple[str, str, str]]:
    table = edition.gazetteer.table
    rows = pc.indices_nonzero(pc.equal(table["kind"], texts_of(["area"])[0]))
    columns = ["code", "aliases", "former_names"]
    for record in table.select(columns).take(rows).to_pylist():
        code = record["code"].removeprefix("area:")
        if code not in edition.area_by_code:
            continue
        former = {normalise(name) for name in record["former_names"] or ()}
        yield from ((name, code, "former") for name in sorted(former))
        others = {normalise(name) for name in record["aliases"] or ()} - former
        yield from ((name, code, "alias") for name in sorted(others))


def area_chains(edition: Edition, address: str) -> Iterator[Constraint]:
    """Split the areas off an address in every way that makes sense, the likeliest first.

    Parameters
    ----------
    edition : Edition
        Areas that hold.
    address : str
        Address as `normalise` spells it.

    Yields
    ------
    Constraint
        One at least. Areas said in full are taken off first; then, as further readings, none of
        them, since 花园社区服务中心 is one name; then areas said without their 区 or 街道.
    """
    rest, elsewhere = _strip_province(edition, address)
    if elsewhere:
        yield Constraint(rest=rest, is_elsewhere=True)
        return
    city = _UNKNOWN_CITY.match(rest)
    names = _names(edition)
    if city and _is_city(city[0], rest) and not _is_known(edition, rest, least=city.end()):
        inner = _inner(names, city[0])
        if inner:
            rest = rest[inner:]
        elif edition.snapshot.profile.city.name or not _leading(names, rest[city.end() :], _HOWS):
            yield Constraint(rest=rest, is_elsewhere=True)
            return
        else:
            rest = rest[city.end() :]
    chains = list(_strip(names, Constraint(rest=rest), _WHOLE))[::-1]
    first = _without_unknown(chains[0])
    yield first
    seen = {first}
    loose = list(_strip(names, Constraint(rest=rest), _HOWS))[-1]
    for other in (loose, *chains[1:], *_trailing(names, first)):
        if other not in seen:
            seen.add(other)
            yield other


def leading_areas(edition: Edition, text: str) -> Iterator[Constraint]:
    """Take all areas off the front of a text: those said in full, then those without their ending too.

    Of another province there is nothing.
    """
    rest, is_elsewhere = _strip_province(edition, text)
    if is_elsewhere:
        return
    names = _names(edition)
    for hows in (_WHOLE, _HOWS):
        *_, last = _strip(names, Constraint(rest=rest), hows)
        yield last


def _inner(names: _Names, text: str) -> int:
    """Return where a known area of three characters begins inside a text, as in 请到石家庄市; 0: nowhere."""
    for start in range(1, len(text) - 2):
        name = _leading(names, text[start:], ("full",))
        if name and len(name) > 2 and start + len(name) == len(text):
            return start
    return 0


def _strip(names: _Names, chain: Constraint, hows: Collection[str]) -> Iterator[Constraint]:
    """Take areas off one by one; what each step leaves is a reading."""
    yield chain
    while name := _leading(names, chain.rest, hows):
        chain = _narrowed(chain, name, names)
        yield chain


def _narrowed(chain: Constraint, name: str, names: _Names) -> Constraint:
    found, how = names.codes[name], names.how[name]
    said = chain.evidence + ((f"area_{how}",) if how in ("former", "short") and found else ())
    rest = chain.rest[len(name) :]
    if not found:
        return replace(chain, rest=rest, skipped=name if chain.codes else "")
    inside = frozenset(c for c in found if any(c.startswith(outer) for outer in chain.codes))
    outside = frozenset(c for c in chain.codes if any(c.startswith(inner) for inner in found))
    if chain.codes and not inside and outside:
        return replace(chain, rest=rest, evidence=said)  # a wider area after a narrower one
    if chain.codes and not inside:
        said += ("area_conflict",)
    return Constraint(codes=inside or found, smallest=name, rest=rest, evidence=said)


def _leading(names: _Names, text: str, hows: Collection[str]) -> str | None:
    """Return the longest known name at the beginning of a text."""
    return next((name for name in names.beginnings.at(text) if names.how.get(name) in hows), None)


def _without_unknown(chain: Constraint) -> Constraint:
    """Take a district that nobody knows off the front, when no other area was named."""
    district = None if chain.codes else _UNKNOWN_DISTRICT.match(chain.rest)
    if not district:
        return chain
    return replace(chain, rest=chain.rest[district.end() :], evidence=("area_unknown",))


def _trailing(names: _Names, chain: Constraint) -> Iterator[Constraint]:
    """Read an area said last, as in 裕华路12号(长安区) or 裕华路12号长安区."""
    bracket = _TRAILING.search(chain.rest)
    if bracket and bracket[1] in names.codes:
        yield replace(
            _narrowed(replace(chain, rest=bracket[1]), bracket[1], names),
            rest=chain.rest[: bracket.start()],
        )
    for start in range(max(2, len(chain.rest) - LONGEST_AREA), len(chain.rest) - 2):
        name = chain.rest[start:]
        if names.how.get(name) in _WHOLE:
            yield replace(
                _narrowed(replace(chain, rest=name), name, names), rest=chain.rest[:start]
            )
            return


def _is_city(city: str, text: str) -> bool:
    """Tell whether 某某市 at the beginning is a city, not a shop such as 某某超市."""
    return city.removesuffix("市") in _cities() or bool(_ADDRESS.match(text, len(city)))


@cache
def _cities() -> frozenset[str]:
    return frozenset(normalise(row["name"]) for row in read_table("gis.names", "known_names.csv"))


def _is_known(edition: Edition, text: str, *, least: int) -> bool:
    """Tell whether a text that looks like a city begins with a known area or place, as 东风菜市场."""
    if _leading(_names(edition), text, _HOWS):
        return True
    ends = range(least, min(len(text), 2 * LONGEST_AREA) + 1)
    return any(edition.gazetteer.named(text[:end]) for end in ends)


def _strip_province(edition: Edition, address: str) -> tuple[str, bool]:
    own = edition.snapshot.profile.city.code[:2]
    for code, name, spellings, beyond in _provinces():
        if not address.startswith(name[:2]) and not address.startswith(spellings[-1][:2]):
            continue
        for spelling in spellings:
            if address.startswith(spelling):
                return address[len(spelling) :], code != own
        found = beyond.match(address)
        if found:
            return address[found.end("short") :] if code == own else address, code != own
    return address, False


@cache
def _provinces() -> tuple[tuple[str, str, tuple[str, ...], re.Pattern[str]], ...]:
    rows = []
    for row in read_table("api.geocoding", "provinces.csv"):
        name, short = normalise(row["name"]), normalise(row["short"])
        beyond = re.compile(rf"(?P<short>{short})[^路街道巷号]{{2,6}}?[市区县]")
        rows.append((row["code"], name, (name, f"{short}省", f"{short}市"), beyond))
    return tuple(rows)
