"""Columns of a plan that were not read, told: what stands in them decides nothing."""

from collections.abc import Iterator, Mapping, Sequence

from gis.books import BookSheet
from gis.remarks import Remark

AREA_COLUMNS = frozenset({"area_code", "area_name", "street_name", "community_name"})


def left_out(
    name: str,
    sheet: BookSheet,
    *,
    rows: Sequence[int],
    names: Mapping[int, str],
    is_drawing: bool,
) -> Iterator[Remark]:
    """Yield what a clerk should know of the headings of a sheet.

    A column with values whose heading is not known, or whose meaning another column has already, is
    not read. Where no column names areas each row is for the whole city.

    Parameters
    ----------
    name : str
        The sheet.
    sheet : BookSheet
        Its cells.
    rows : sequence of int
        Positions of the heading's rows.
    names : mapping
        Position of a column -> what is read from it.
    is_drawing : bool
        The sheet draws areas.
    """
    unread = {
        place: heading
        for place, heading in _headings(sheet, rows).items()
        if place not in names and _has_values(sheet, place, first=rows[-1] + 1)
    }
    if unread:
        told = list(dict.fromkeys(unread.values()))
        yield Remark(
            en=f"Columns of {name} that were not read: {', '.join(told)}; their headings are not known, or "
            "another column has the same meaning.",
            zh=f"工作表“{name}”中以下列未读取：{'、'.join(told)}；表头无法识别，或与其他列含义重复。",
        )
    if not is_drawing and AREA_COLUMNS.isdisjoint(names.values()):
        yield Remark(
            en=f"{name} has no column of areas: its rows are for the whole city.",
            zh=f"工作表“{name}”没有区域列：各行均适用于全域。",
        )


def _headings(sheet: BookSheet, rows: Sequence[int]) -> dict[int, str]:
    """Return the lowest heading of each column that has one."""
    found: dict[int, str] = {}
    for number in rows:
        for place, cell in enumerate(sheet.cells[number]):
            if cell is not None and cell.strip():
                found[place] = " ".join(cell.split())
    return found


def _has_values(sheet: BookSheet, place: int, *, first: int) -> bool:
    return any(
        place < len(cells) and cells[place] is not None
        for number, cells in enumerate(sheet.cells[first:], first)
        if (number, place) not in sheet.filled or place == 0
    )
