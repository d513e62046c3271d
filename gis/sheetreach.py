"""How far the sheets of a workbook reach, told from its bytes before any of them is read.

A sheet is read as the rectangle from A1 to its last value. One stray value in the last column of a
small table makes that thousands of millions of cells, and the program is killed for want of memory.
"""

import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from gis.errors import FileFormatError

MOST_BLANKS = 20_000_000
"""Blank cells that the rectangle of a sheet may hold: each takes memory as a filled one does."""
_FAR = re.compile(rb"r=[\"'](?:[A-Z]{2,3}[0-9]|[A-Z][0-9]{7})")
"""A cell beyond column Z or row 999,999: most sheets have none, and need no closer look."""
_FILLED = re.compile(
    rb"<(?:\w+:)?c\s[^>]*?\br=[\"']([A-Z]{1,3})([0-9]{1,10})[\"'][^>]*(?<!/)>\s*<(?:\w+:)?(?:v|is|f)\b"
)
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ValueError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)
_BLOCK_BYTES = 1 << 22
_CELL_BYTES = 1 << 10
"""A cell has told its place, and whether it holds anything, in fewer bytes."""


def refuse_stray_cells(path: Path) -> None:
    """Refuse a workbook with a value so far off that the blanks before it would fill the memory.

    Cells that are only coloured or framed do not count. Of what is no workbook nothing is said: reading
    it says why.

    Raises
    ------
    FileFormatError
        A sheet reaches too far.
    """
    try:
        with zipfile.ZipFile(path) as book:
            for part in book.namelist():
                if part.lower().endswith(".xml") and _has_far_cells(book, part):
                    _refuse_wide(book, part, name=path.name)
    except _DAMAGED:
        return


def _blocks(book: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    with book.open(part) as stream:
        while block := stream.read(_BLOCK_BYTES):
            yield block


def _has_far_cells(book: zipfile.ZipFile, part: str) -> bool:
    tail = b""
    for block in _blocks(book, part):
        if _FAR.search(tail + block):
            return True
        tail = block[-_CELL_BYTES:]
    return False


def _refuse_wide(book: zipfile.ZipFile, part: str, *, name: str) -> None:
    rows = columns = filled = 0
    rest = b""
    for block in _blocks(book, part):
        text, end = rest + block, 0
        for found in _FILLED.finditer(text):
            filled += 1
            rows, columns = max(rows, int(found[2])), max(columns, column_number(found[1]))
            end = found.end()
        rest = text[max(end, len(text) - _CELL_BYTES) :]
    if rows * columns - filled > MOST_BLANKS:
        cells = f"{rows * columns:,}"
        msg = (
            f"A sheet of {name} reaches over {cells} cells: a stray value stands far below or right of the "
            "table; delete the rows and columns beyond it and save again."
        )
        raise FileFormatError(
            msg,
            zh=f"{name} 中有工作表的范围达 {cells} 个单元格：表格下方或右侧很远处有零散内容；"
            "请删除表格之外的行列后重新保存。",
        )


def column_number(letters: bytes) -> int:
    """Return the number of a column, from 1.

    Examples
    --------
    >>> column_number(b"A"), column_number(b"AB"), column_number(b"XFD")
    (1, 28, 16384)
    """
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
