"""Whole workbooks, sheet by sheet as they look."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gis.sheets import cell_text, opened_book, wrong_kind
from gis.sources import require_file


@dataclass(frozen=True, kw_only=True)
class BookSheet:
    """A sheet of a workbook as it looks: merged cells all have their value."""

    cells: list[list[str | None]]
    """Row ``i`` has the row number ``i + 1``."""
    filled: frozenset[tuple[int, int]]
    """Row and column of the cells that have the value of the one they are merged with."""


def read_book(path: Path) -> dict[str, BookSheet]:
    """Return the sheets that have anything in them, every cell as text.

    Raises
    ------
    FileFormatError
        The file is missing, damaged, encrypted, or no ``.xlsx``.
    """
    file = require_file(Path(path))
    if file.suffix.lower() not in (".xlsx", ".xlsm"):
        raise wrong_kind(file)
    with opened_book(file) as workbook:
        sheets = {name: workbook.get_sheet_by_name(name) for name in workbook.sheet_names}
        return {name: _unmerged(sheet) for name, sheet in sheets.items() if sheet.start is not None}


def _unmerged(table: Any) -> BookSheet:
    cells = [[cell_text(cell) for cell in row] for row in table.to_python(skip_empty_area=False)]
    filled = set()
    for (top, left), (bottom, right) in table.merged_cell_ranges or ():
        for number in range(top, min(bottom + 1, len(cells))):
            for place in range(left, min(right + 1, len(cells[number]))):
                cells[number][place] = cells[top][left]
                filled.add((number, place))
        filled.discard((top, left))
    return BookSheet(cells=cells, filled=frozenset(filled))
