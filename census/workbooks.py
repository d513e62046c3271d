"""Tables as workbooks that people fill in: text stays text, headers are frozen, columns have filters."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from gis.outputs import appearing

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_CELL_CHARACTERS = 32_000
_TO_FILL_IN = PatternFill("solid", fgColor="FFF7D1")
_WIDE, _NARROW = 44, 12
USUAL_WIDTH = 14
_LARGEST = 1e15
_PLAIN = re.compile(
    r"[0-9A-Za-z\u4e00-\u9fff][^\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]{0,999}"
)
"""Text that a cell takes as it is: most of it, and so the quick way."""


def write_tables(
    path: Path, tables: Mapping[str, pd.DataFrame], *, to_fill_in: Iterable[str] = ()
) -> None:
    """Write each table to a sheet; the file appears whole, or not at all.

    Parameters
    ----------
    path : Path
        ``.xlsx``.
    tables : mapping
        Title of the sheet -> table; text that looks like a formula is never one.
    to_fill_in : iterable of str
        Columns that people write into, shown in yellow.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    book = openpyxl.Workbook(write_only=True)
    for title, table in tables.items():
        widths = {str(name): _width(table[name], str(name)) for name in table.columns}
        add_sheet(book, title, table, widths=widths, to_fill_in=to_fill_in)
    with appearing(path) as partial:
        book.save(partial)


def add_sheet(
    book: openpyxl.Workbook,
    title: str,
    table: pd.DataFrame,
    *,
    widths: Mapping[str, float] | None = None,
    to_fill_in: Iterable[str] = (),
) -> None:
    """Append a sheet with a frozen bold header and filters; text that looks like a formula is never one.

    Parameters
    ----------
    book : openpyxl.Workbook
        Opened for writing only.
    title : str
        Title that no sheet has yet.
    table : pandas.DataFrame
        Rows; codes as text keep their zeros.
    widths : mapping or None
        Column -> width in figures; others have `USUAL_WIDTH`.
    to_fill_in : iterable of str
        Columns that people write into, shown in yellow.
    """
    marked = frozenset(to_fill_in)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    last = get_column_letter(max(1, len(table.columns)))
    sheet.auto_filter.ref = f"A1:{last}{len(table) + 1}"
    for number, name in enumerate(table.columns, 1):
        width = (widths or {}).get(str(name), USUAL_WIDTH)
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.append(
        [
            _mark(sheet, cell) if name in marked else cell
            for cell, name in zip(header_cells(sheet, table.columns), table.columns, strict=True)
        ]
    )
    for row in table.itertuples(index=False, name=None):
        cells = cells_of(sheet, row)
        if marked:
            pairs = zip(cells, table.columns, strict=True)
            cells = [_mark(sheet, cell) if name in marked else cell for cell, name in pairs]
        sheet.append(cells)


def harmless(table: pd.DataFrame) -> pd.DataFrame:
    r"""Return a table whose texts a spreadsheet that opens it as CSV does not take for formulas.

    Before such a text, which begins with ``=``, ``+``, ``-``, ``@``, a tab or a return, an apostrophe
    is put; numbers and times stay as they are.

    Examples
    --------
    >>> harmless(pd.DataFrame({"a": ["=1+1", "x", None], "b": [-1.0, 2.0, 3.0]})).to_csv(index=False)
    "a,b\n'=1+1,-1.0\nx,2.0\n,3.0\n"
    """
    result = table.copy(deep=False)
    for name in table.columns:
        column = table[name]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
            continue
        is_risky = [isinstance(text, str) and text.startswith(_FORMULA_SIGNS) for text in column]
        if any(is_risky):
            result[name] = column.astype(object).where(
                ~np.array(is_risky), "'" + column.astype(str)
            )
    return result


def _width(column: "pd.Series[Any]", name: str) -> float:
    # A Chinese character is about two figures wide.
    longest = max([name, *column.head(200).dropna().astype(str)], key=len)
    return float(min(_WIDE, max(_NARROW, 2 + sum(1 + (ord(sign) > 255) for sign in longest))))


def header_cells(sheet: Any, names: Iterable[Any]) -> list[Any]:
    """Return the cells of a header: bold text."""
    cells = [_text(sheet, str(name)) for name in names]
    for cell in cells:
        cell.font, cell.alignment = Font(bold=True), Alignment(vertical="top")
    return cells


def _mark(sheet: Any, cell: Any) -> Any:
    marked = cell if hasattr(cell, "fill") else WriteOnlyCell(sheet, value=cell)
    marked.fill = _TO_FILL_IN
    return marked


def cells_of(sheet: Any, row: Iterable[Any]) -> list[Any]:
    """Return the cells of a row: numbers and days as such, all else as text, blank for missing."""
    return list(_cells(sheet, row))


def _cells(sheet: Any, row: Iterable[Any]) -> Iterator[Any]:
    for value in row:
        if value is None or value is pd.NA or value is pd.NaT or value != value or value == "":
            yield None
        elif isinstance(value, date) or (
            # A spreadsheet keeps 15 digits of a number: longer ones are codes.
            isinstance(value, bool | int | float) and abs(value) < _LARGEST
        ):
            yield value
        elif _PLAIN.fullmatch(text := str(value)):
            yield text
        else:
            yield _text(sheet, text)


def _text(sheet: Any, value: str) -> Any:
    """Return a cell of text: what looks like a formula is kept as it is written."""
    text = ILLEGAL_CHARACTERS_RE.sub("", value).encode("utf-8", "replace").decode()
    cell = WriteOnlyCell(sheet, value=text[:_CELL_CHARACTERS])
    cell.data_type = "s"
    if text.startswith(_FORMULA_SIGNS):
        cell.quotePrefix = True
    return cell
