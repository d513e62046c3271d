"""Which of many names a text begins with: only lengths that names have are tried."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

LONGEST_AREA = 20
"""Characters of the longest name of an area that is looked for."""
_LEAST = 2


@dataclass(frozen=True)
class Beginnings:
    """Names by how they begin."""

    lengths: Mapping[str, tuple[int, ...]]
    """First two characters -> lengths of the names that begin so, the longest first."""

    @classmethod
    def of(cls, names: Iterable[str]) -> "Beginnings":
        """Return the beginnings of names of 2 to 20 characters; others are left out."""
        found: dict[str, set[int]] = {}
        for name in names:
            if _LEAST <= len(name) <= LONGEST_AREA:
                found.setdefault(name[:_LEAST], set()).add(len(name))
        return cls({start: tuple(sorted(sizes, reverse=True)) for start, sizes in found.items()})

    def at(self, text: str, place: int = 0) -> Iterator[str]:
        """Yield the parts of a text from a place on that may be one of the names, the longest first.

        Examples
        --------
        >>> list(Beginnings.of(["长安区", "长安", "桥西区"]).at("长安区裕华路"))
        ['长安区', '长安']
        >>> list(Beginnings.of(["长安区"]).at("到长安区", 1)), list(Beginnings.of(["长安区"]).at("长安"))
        (['长安区'], [])
        """
        for length in self.lengths.get(text[place : place + _LEAST], ()):
            if place + length <= len(text):
                yield text[place : place + length]
