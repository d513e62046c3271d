"""Tables without geometry: CSV (also gzip) and XLSX, every value as text so that codes keep zeros."""

import csv
import datetime
import io
import logging
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from python_calamine import CalamineError, CalamineWorkbook

from gis.encoding import FORMAT_IS_UTF8, EncodingDecision, decide_encoding, decode_values
from gis.errors import FileFormatError
from gis.findings import remarks
from gis.headers import Rows, frame_of, lost_digits_in, scientific_in
from gis.remarks import Remark, name_rows
from gis.sheetreach import refuse_stray_cells
from gis.sources import FileReport, Layer, hash_file, require_file, unpacked
from gis.texts import examine_frame

logger = logging.getLogger(__name__)

_OLE_MAGIC, _ZIP_MAGIC = b"\xd0\xcf\x11\xe0", b"PK\x03\x04"
_EXACT_DIGITS = 15  # Excel keeps no more; the rest of a longer number is zeros
_DELIMITERS = ",\t;|"
_FILLED = re.compile(r"\S[^\r\n]*")
_BARE_RETURN = re.compile(r"\r(?!\n)")
_SHARED_TEXTS = 100_000


def read_sheet(path: Path, *, sheet: str | None = None, encoding: str | None = None) -> Layer:
    """Read a table: all rows with anything in them, every value as text, None for blank.

    The first row that is not blank is the header. ``source_row`` is the row's number in the sheet, as a
    spreadsheet program shows it; blank rows are skipped but counted. Whole numbers stored as numbers come
    without decimals (zeros lost by the spreadsheet stay lost), dates as ISO text, formulas as their result.

    Parameters
    ----------
    path : Path
        ``.csv``, ``.csv.gz``, ``.txt`` or ``.xlsx``.
    sheet : str or None
        Sheet of a workbook; needed where several have content.
    encoding : str or None
        Encoding of a CSV stated in the manifest; None: decided by evidence.

    Raises
    ------
    FileFormatError
        The file is missing, damaged, encrypted, of another kind, or the sheet is not there.
    EncodingError
        The encoding of a CSV can not be decided, or the stated one does not fit.
    """
    file = require_file(Path(path))
    long: set[tuple[int, int]] = set()
    warnings: tuple[Remark, ...] = ()
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes[-1:] == [".xlsx"] or suffixes[-1:] == [".xlsm"]:
        rows, long = _read_workbook(file, sheet=sheet)
        decision = EncodingDecision(codec="utf-8", label="UTF-8", evidence=FORMAT_IS_UTF8)
        driver = "XLSX"
    elif suffixes[-1:] in ([".csv"], [".txt"], [".tsv"]) or suffixes[-2:] == [".csv", ".gz"]:
        rows, decision, warnings = _read_csv(file, encoding=encoding)
        driver = "CSV"
    else:
        raise wrong_kind(file)
    frame, header, more = frame_of(rows, name=file.name)
    numbers = (*lost_digits_in(frame, header, long), *scientific_in(frame, header))
    numbered = frame.columns.isin(("source_file", "source_row"))
    texts, texts_found, misread = examine_frame(
        frame.loc[:, ~numbered], rows=frame["source_row"].to_numpy()
    )
    frame = pd.concat([texts, frame.loc[:, numbered]], axis="columns")
    findings = (*numbers, *texts_found)
    warnings = (*decision.warnings, *warnings, *remarks(findings), *misread, *more)
    report = FileReport(
        path=file.name,
        driver=driver,
        sha256=hash_file(file),
        rows=len(frame),
        encoding=decision.label,
        encoding_evidence=decision.evidence,
        crs="",
        crs_source="",
        warnings=warnings,
    )
    for warning in warnings:
        logger.warning("%s: %s", file.name, warning)
    return Layer(frame=frame, report=report, findings=findings)


def list_sheets(path: Path) -> list[str]:
    """Return the names of a workbook's sheets, in order.

    Raises
    ------
    FileFormatError
        The file is missing or can not be read as a workbook.
    """
    file = require_file(Path(path))
    with opened_book(file) as workbook:
        return list(workbook.sheet_names)


@contextmanager
def opened_book(path: Path) -> Iterator[Any]:
    """Open a workbook.

    Raises
    ------
    FileFormatError
        The file is damaged, encrypted, an old ``.xls``, or a sheet of it reaches too far.
    """
    with path.open("rb") as stream:
        magic = stream.read(4)
    if magic == _OLE_MAGIC:
        msg = f"{path.name} is encrypted, or an old .xls under a new name: save it as .xlsx without a password."
        raise FileFormatError(
            msg, zh=f"{path.name} 已加密，或是改名的旧版 .xls：请去掉密码并另存为 .xlsx。"
        )
    refuse_stray_cells(path)
    try:
        yield CalamineWorkbook.from_path(str(path))
    except (CalamineError, zipfile.BadZipFile, OSError, ValueError) as error:
        msg = f"{path.name} can not be read as a workbook ({error}): save it again as .xlsx."
        raise FileFormatError(
            msg, zh=f"{path.name} 无法作为工作簿读取：请重新另存为 .xlsx。"
        ) from error


def refuse_renamed_book(path: Path) -> None:
    """Refuse an Excel workbook that is called a text file.

    Raises
    ------
    FileFormatError
        It begins as a workbook does.
    """
    with path.open("rb") as stream:
        magic = stream.read(4)
    if magic in (_OLE_MAGIC, _ZIP_MAGIC):
        suffix = ".xls" if magic == _OLE_MAGIC else ".xlsx"
        msg = f"{path.name} is no text but an Excel workbook under a new name: call it {suffix}, or save it as CSV."
        raise FileFormatError(
            msg,
            zh=f"{path.name} 不是文本文件，而是改了名的 Excel 工作簿：请改回 {suffix}，或另存为 CSV。",
        )


def wrong_kind(path: Path) -> FileFormatError:
    """Return the error for a file that is not read as a table."""
    if path.suffix.lower() == ".xls":
        msg = f"{path.name} is an old Excel workbook: save it as .xlsx or .csv."
        return FileFormatError(msg, zh=f"{path.name} 是旧版 Excel 文件：请另存为 .xlsx 或 .csv。")
    msg = f"{path.name} is of a kind that is not read as a table: deliver .xlsx or .csv (also .csv.gz)."
    return FileFormatError(
        msg, zh=f"{path.name} 不是可读取的表格：请提交 .xlsx 或 .csv（可 .csv.gz）。"
    )


def _read_workbook(path: Path, *, sheet: str | None) -> tuple[Rows, set[tuple[int, int]]]:
    """Return the rows, and row and position of whole numbers of more digits than Excel keeps."""
    with opened_book(path) as workbook:
        name = _choose_sheet(workbook, sheet=sheet, file=path.name)
        table = workbook.get_sheet_by_name(name)
        cells = table.to_python(skip_empty_area=False)
    rows = [
        (number, [cell_text(cell) for cell in row]) for number, row in enumerate(cells, start=1)
    ]
    long = {
        (number, position)
        for number, row in enumerate(cells, start=1)
        for position, cell in enumerate(row)
        if _is_too_long(cell)
    }
    return rows, long


def _choose_sheet(workbook: Any, *, sheet: str | None, file: str) -> str:
    names = list(workbook.sheet_names)
    if not names:
        msg = f"{file} has no sheet, or its list of sheets is damaged: save it again as .xlsx."
        raise FileFormatError(
            msg, zh=f"{file} 没有工作表，或工作表目录已损坏：请重新另存为 .xlsx。"
        )
    if sheet is not None:
        if sheet in names:
            return sheet
        wanted = sheet.strip()
        found = [name for name in names if name.strip() == wanted]
        if len(found) == 1:
            return str(found[0])
        msg = f"{file} has no sheet {sheet} (it has: {', '.join(names)}): correct sheet in delivery.toml."
        raise FileFormatError(
            msg,
            zh=f"{file} 中没有工作表 {sheet}（现有：{'、'.join(names)}）：请更正 delivery.toml 中的 sheet。",
        )
    filled = [name for name in names if workbook.get_sheet_by_name(name).total_height > 0]
    if len(filled) > 1:
        msg = f"{file} has several sheets ({', '.join(filled)}): state sheet in delivery.toml."
        raise FileFormatError(
            msg, zh=f"{file} 含多个工作表（{'、'.join(filled)}）：请在 delivery.toml 中声明 sheet。"
        )
    return str((filled or names)[0])


def _is_too_long(cell: object) -> bool:
    return isinstance(cell, float) and abs(cell) >= 10**_EXACT_DIGITS and cell.is_integer()


def cell_text(cell: object) -> str | None:
    """Return a cell as text: whole numbers without decimals, dates as ISO, blank as None."""
    if cell is None or isinstance(cell, str):
        text = (cell or "").strip()
    elif isinstance(cell, bool):
        text = "TRUE" if cell else "FALSE"
    elif isinstance(cell, float):
        text = str(int(cell)) if cell.is_integer() else repr(cell)
    elif isinstance(cell, datetime.datetime):
        is_day = cell.time() == datetime.time(0)
        text = cell.date().isoformat() if is_day else cell.isoformat(sep=" ")
    elif isinstance(cell, datetime.date | datetime.time):
        text = cell.isoformat()
    else:
        text = str(cell)
    return text or None


def _read_csv(
    path: Path, *, encoding: str | None
) -> tuple[Rows, EncodingDecision, tuple[Remark, ...]]:
    with unpacked(path) as plain:
        refuse_renamed_book(plain)
        data = plain.read_bytes()
    text, decision, warnings = _decode(data, encoding=encoding)
    del data
    reader = csv.reader(_lines(text), delimiter=delimiter_of(text))
    rows: Rows = []
    shared: dict[str, str] = {}
    try:
        for number, cells in enumerate(reader, start=1):
            if len(shared) > _SHARED_TEXTS:
                shared.clear()
            # Most cells of a long table say what others say: one text for all.
            stripped = (cell.strip() for cell in cells)
            rows.append((number, [shared.setdefault(cell, cell) or None for cell in stripped]))
    except csv.Error as error:
        msg = f"{path.name} is not a valid CSV ({error}, line {reader.line_num}): export it again."
        raise FileFormatError(
            msg, zh=f"{path.name} 不是有效的 CSV（第 {reader.line_num} 行）：请重新导出。"
        ) from error
    return rows, decision, warnings


def _lines(text: str) -> Iterator[str]:
    """Yield lines with their ends, as a file read without translation; the text is not copied."""
    if _BARE_RETURN.search(text):
        yield from io.StringIO(text, newline="")
        return
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _decode(
    data: bytes, *, encoding: str | None
) -> tuple[str, EncodingDecision, tuple[Remark, ...]]:
    for mark, codec in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if data.startswith(mark):
            text = data[len(mark) :].decode(codec, errors="replace")
            label = codec.upper().removesuffix("-LE").removesuffix("-BE")
            evidence = Remark(en="byte order mark", zh="文件开头的字节序标记（BOM）")
            return text, EncodingDecision(codec=codec, label=label, evidence=evidence), ()
    lines = data.split(b"\n")
    decision = decide_encoding(lines, stated=encoding)
    decoded = decode_values(lines, codec=decision.codec)
    damaged = np.array(sorted({*decoded.cut, *decoded.damaged}), dtype=np.int64) + 1
    warnings: tuple[Remark, ...] = ()
    if len(damaged):
        named = name_rows(damaged)
        warnings = (
            Remark(
                en=f"Bytes that are no {decision.label} text were replaced: {named.en}.",
                zh=f"不是 {decision.label} 文本的字节已被替换：{named.zh}。",
            ),
        )
    return "\n".join(decoded.values), decision, warnings


def delimiter_of(text: str) -> str:
    """Return the delimiter that occurs most in the header line; a comma if none does.

    Examples
    --------
    >>> delimiter_of("编号;名称")
    ';'
    """
    found = _FILLED.search(text)
    header = "" if found is None else text[text.rfind("\n", 0, found.start()) + 1 : found.end()]
    return max(_DELIMITERS, key=header.count)
