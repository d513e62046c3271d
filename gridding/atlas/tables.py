"""Tables on paper: wrapped cells, rows that stay whole, as many rows as fit."""

from collections.abc import Sequence
from dataclasses import dataclass

from gridding.atlas.drawing import GREY, INK, Paper, Stroke, wrap

SIZE = 6.8
"""Size of the text, points."""
_LINE = 2.9
_PAD = 0.45
_SIDE = 0.8
_HEAD = 4.6
_RULE = Stroke(colour="#c4c4c4", width=0.08)
_THICK = Stroke(colour=INK, width=0.2)


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table."""

    title: str
    width: float
    """Millimetres."""
    align: float = 0.0
    """0: left, 0.5: middle, 1: right."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row, its cells broken into lines."""

    cells: tuple[tuple[str, ...], ...]
    target: str = ""
    """Page that the row leads to."""
    colour: str = INK

    @property
    def height(self) -> float:
        """Millimetres."""
        return max(len(cell) for cell in self.cells) * _LINE + 2 * _PAD


def make_row(
    columns: Sequence[Column], texts: Sequence[str], *, target: str = "", colour: str = INK
) -> Row:
    """Return a row whose texts are wrapped to the columns."""
    cells = tuple(
        tuple(wrap(text, SIZE, column.width - 2 * _SIDE))
        for column, text in zip(columns, texts, strict=True)
    )
    return Row(cells=cells, target=target, colour=colour)


def rows_that_fit(rows: Sequence[Row], height: float) -> int:
    """Return how many of the first rows fit below a heading in a height in mm.

    Examples
    --------
    >>> rows = [Row(cells=(("a",),))] * 9
    >>> rows_that_fit(rows, 4.6 + 3 * 3.8 + 0.1)
    3
    """
    used = _HEAD
    for position, row in enumerate(rows):
        used += row.height
        if used > height:
            return position
    return len(rows)


def break_rows(rows: Sequence[Row], heights: Sequence[float]) -> list[list[Row]]:
    """Return the rows in blocks: one for each height, the last height for all that follow.

    A block that is not the last of `heights` may be empty; a row higher than any place gets one
    of its own.
    """
    blocks: list[list[Row]] = []
    rest = list(rows)
    while rest or len(blocks) < len(heights):
        height = heights[min(len(blocks), len(heights) - 1)]
        count = rows_that_fit(rest, height)
        if rest and count == 0 and len(blocks) >= len(heights) - 1:
            count = 1
        blocks.append(rest[:count])
        rest = rest[count:]
    return blocks


def draw_table(
    paper: Paper, corner: tuple[float, float], columns: Sequence[Column], rows: Sequence[Row]
) -> float:
    """Draw a table downwards from its upper left corner; return its lower edge."""
    left, top = corner
    right = left + sum(column.width for column in columns)
    paper.box((left, top - _HEAD, right, top), fill="#ececec")
    paper.line((left, top), (right, top), _THICK)
    paper.line((left, top - _HEAD), (right, top - _HEAD), _THICK)
    x = left
    for column in columns:
        _cell(paper, column, x, top - _HEAD + 1.45, column.title, GREY)
        x += column.width
    y = top - _HEAD
    for row in rows:
        x = left
        for column, lines in zip(columns, row.cells, strict=True):
            for number, line in enumerate(lines):
                base = y - _PAD - number * _LINE - 2.2
                _cell(paper, column, x, base, line, row.colour)
            x += column.width
        if row.target:
            paper.link((left, y - row.height, right, y), row.target)
        y -= row.height
        paper.line((left, y), (right, y), _RULE)
    paper.line((left, y), (right, y), _THICK)
    return y


def _cell(paper: Paper, column: Column, x: float, y: float, text: str, colour: str) -> None:
    inner = column.width - 2 * _SIDE
    paper.text((x + _SIDE + column.align * inner, y), text, SIZE, align=column.align, colour=colour)
