"""Tables as workbooks that people fill in: text stays text, headers are frozen, columns have filters."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from gis.outputs import appearing

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_CELL_CHARACTERS = 32_000
_TO_FILL_IN = PatternFill("solid", fgColor="FFF7D1")
_WIDE, _NARROW = 44, 12


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
    marked = frozenset(to_fill_in)
    book = openpyxl.Workbook(write_only=True)
    for title, table in tables.items():
        sheet = book.create_sheet(title)
        sheet.freeze_panes = "A2"
        last = get_column_letter(max(1, len(table.columns)))
        sheet.auto_filter.ref = f"A1:{last}{len(table) + 1}"
        for number, name in enumerate(table.columns, 1):
            sheet.column_dimensions[get_column_letter(number)].width = _width(
                table[name], str(name)
            )
        sheet.append(list(_header(sheet, table.columns, marked)))
        for row in table.itertuples(index=False, name=None):
            cells = zip(_cells(sheet, row), table.columns, strict=True)
            sheet.append([_mark(sheet, cell) if name in marked else cell for cell, name in cells])
    with appearing(path) as partial:
        book.save(partial)


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


def _header(sheet: Any, names: Iterable[Any], marked: frozenset[str]) -> Iterator[Any]:
    for name in names:
        cell = _text(sheet, str(name))
        cell.font = Font(bold=True)
        yield _mark(sheet, cell) if name in marked else cell


def _mark(sheet: Any, cell: Any) -> Any:
    marked = cell if hasattr(cell, "fill") else WriteOnlyCell(sheet, value=cell)
    marked.fill = _TO_FILL_IN
    return marked


def _cells(sheet: Any, row: Iterable[Any]) -> Iterator[Any]:
    for value in row:
        if value is None or value is pd.NA or value is pd.NaT or value != value or value == "":
            yield None
        elif isinstance(value, bool | int | float | date):
            yield value
        else:
            yield _text(sheet, str(value))


def _text(sheet: Any, value: str) -> Any:
    cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", value)[:_CELL_CHARACTERS])
    cell.data_type = "s"
    cell.quotePrefix = value.startswith(_FORMULA_SIGNS)
    return cell
