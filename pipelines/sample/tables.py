"""Tables written so that the same rows always give the same bytes."""

import csv
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook

_CLOCK = (2025, 6, 1, 0, 0, 0)
_PROPERTIES = (
    b'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
    b'core-properties" xmlns:dcterms="http://purl.org/dc/terms/" '
    b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    b'<dcterms:created xsi:type="dcterms:W3CDTF">2025-06-01T00:00:00Z</dcterms:created>'
    b"</cp:coreProperties>"
)


def write_csv(table: pd.DataFrame, path: Path, *, encoding: str = "utf-8") -> None:
    """Write a CSV with a header; missing values stay empty."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n" if encoding == "gb18030" else "\n")
    writer.writerow(table.columns)
    columns = [column.astype(object).where(column.notna(), "") for _, column in table.items()]
    writer.writerows(zip(*columns, strict=True))
    path.write_bytes(buffer.getvalue().encode(encoding))


def write_workbook(sheets: dict[str, pd.DataFrame], path: Path) -> None:
    """Write an .xlsx: text stays text, numbers stay numbers, no clock inside."""
    book = Workbook(write_only=True)
    for title, table in sheets.items():
        sheet = book.create_sheet(title)
        sheet.append(list(table.columns))
        columns = [column.astype(object).where(column.notna(), None) for _, column in table.items()]
        for row in zip(*columns, strict=True):
            sheet.append(row)
    raw = io.BytesIO()
    book.save(raw)
    path.write_bytes(_timeless(raw.getvalue()))


@dataclass(frozen=True, kw_only=True)
class MergedSheet:
    """A sheet as people lay it out."""

    rows: list[list[Any]]
    """Cells, row by row."""
    merged: list[tuple[int, int, int, int]]
    """First row and column, last row and column of merged cells, from 1."""


def write_merged(sheets: Mapping[str, MergedSheet], path: Path) -> None:
    """Write an .xlsx with merged cells, no clock inside."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, content in sheets.items():
        sheet = book.create_sheet(title)
        for row in content.rows:
            sheet.append(row)
        for top, left, bottom, right in content.merged:
            sheet.merge_cells(start_row=top, start_column=left, end_row=bottom, end_column=right)
    raw = io.BytesIO()
    book.save(raw)
    path.write_bytes(_timeless(raw.getvalue()))


def _timeless(workbook: bytes) -> bytes:
    """Pack a workbook again with one fixed time in all places."""
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as source,
        zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "docProps/core.xml":
                # Written whole: other libraries may have given its namespaces other prefixes.
                content = _PROPERTIES
            entry = zipfile.ZipInfo(name, date_time=_CLOCK)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            target.writestr(entry, content)
    return result.getvalue()
