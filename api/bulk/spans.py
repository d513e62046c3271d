"""A file of rows cut into spans that can be read, decided and written each by itself, in any order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

SPAN_ROWS = 200_000
"""Rows of a span, at most: what one worker holds in memory."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of a file. Where it lies depends on the file alone, never on how many workers there are."""

    number: int
    """From 0; the order of the spans is the order of the rows."""
    rows: int
    start: int
    """First byte (CSV) or first row group (Parquet)."""
    stop: int
    """Byte or row group after the last one."""
    skip: int = 0
    """Rows of the first row group that belong to earlier spans."""
    first_line: int
    """Line of the first row in the file, the header being line 1; in Parquet its number from 1."""


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A row of the file that could not be read as it should be."""

    row: int
    """Position in the chunk."""
    line: int
    """Line in the file on which it begins."""
    reason: str
    """row_unreadable or row_damaged."""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Rows as read."""

    table: pa.Table
    troubles: tuple[Trouble, ...] = ()


class Source(Protocol):
    """A file that is read span by span; can be sent to another process."""

    @property
    def geometry(self) -> str | None:
        """Column of positions as WKB; None: none."""

    @property
    def geometry_crs(self) -> str | None:
        """CRS of that column."""

    def empty(self) -> pa.Table:
        """Return the columns without rows."""

    def spans(self) -> Iterator[Span]:
        """Yield the spans of the file, found as it goes."""

    def read(self, span: Span) -> Iterator[Chunk]:
        """Yield the rows of a span in chunks that fit into memory."""


def distinct_names(names: Iterable[str | None], *, fold: bool = False) -> list[str]:
    """Return names that differ: an empty one is called after its place, a repeated one is numbered.

    Parameters
    ----------
    names : iterable of str or None
        Names in their order; the first of equal ones keeps its name.
    fold : bool
        Names that differ in case only count as equal.

    Examples
    --------
    >>> distinct_names(["a", "", "a", "A", "a_2"])
    ['a', 'column_2', 'a_3', 'A', 'a_2']
    """
    given = [name or f"column_{position}" for position, name in enumerate(names, start=1)]
    result: list[str] = []
    taken: set[str] = set()
    reserved = {_key(name, fold=fold) for name in given}
    for name in given:
        free = name
        number = 2
        while _key(free, fold=fold) in taken or (
            free != name and _key(free, fold=fold) in reserved
        ):
            free = f"{name}_{number}"
            number += 1
        taken.add(_key(free, fold=fold))
        result.append(free)
    return result


def _key(name: str, *, fold: bool) -> str:
    return name.casefold() if fold else name
