"""A CSV of any length, read part by part: memory holds one part, however long the file."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from gis.encoding import EncodingDecision, decide_encoding, decode_values
from gis.errors import FileFormatError
from gis.findings import remarks
from gis.headers import Rows, frame_of, scientific_in
from gis.remarks import Remark, name_rows
from gis.sheets import delimiter_of, refuse_renamed_book
from gis.sources import FileReport, Layer, hash_file, require_file, unpacked
from gis.texts import examine_frame

_BLOCK_BYTES = 4_000_000
_SAMPLES = 3
_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_UTF8_MARK = b"\xef\xbb\xbf"


def read_sheet_parts(path: Path, *, rows: int, encoding: str | None = None) -> Iterator[Layer]:
    """Yield a CSV in parts of so many rows, each as ``gis.sheets.read_sheet`` reads the whole.

    ``source_row`` counts in the file. The encoding is decided once, by samples from its beginning,
    middle and end; what is doubtful about texts is told of each part.

    Parameters
    ----------
    path : Path
        ``.csv``, ``.csv.gz``, ``.txt`` or ``.tsv``.
    rows : int
        Rows of a part.
    encoding : str or None
        Encoding that is stated; None: decided by evidence.

    Raises
    ------
    FileFormatError
        The file is missing, damaged, no CSV, or has no rows, not even a header.
    EncodingError
        The encoding can not be decided, or the stated one does not fit.
    """
    file = require_file(Path(path))
    sha256 = hash_file(file)
    with unpacked(file) as plain, plain.open("rb") as source:
        refuse_renamed_book(plain)
        text = _Text(source=source, decision=_decide(source, encoding), name=file.name)
        for body, doubts in _bodies(text, rows):
            frame, header, more = frame_of(body, name=file.name)
            numbers = scientific_in(frame, header)
            numbered = frame.columns.isin(("source_file", "source_row"))
            texts, found, misread = examine_frame(
                frame.loc[:, ~numbered], rows=frame["source_row"].to_numpy()
            )
            findings = (*numbers, *found)
            yield Layer(
                frame=texts.assign(
                    source_file=frame["source_file"], source_row=frame["source_row"]
                ),
                report=FileReport(
                    path=file.name,
                    driver="CSV",
                    sha256=sha256,
                    rows=len(frame),
                    encoding=text.decision.label,
                    encoding_evidence=text.decision.evidence,
                    crs="",
                    crs_source="",
                    warnings=(
                        *text.decision.warnings,
                        *doubts,
                        *remarks(findings),
                        *misread,
                        *more,
                    ),
                ),
                findings=findings,
            )


@dataclass(kw_only=True)
class _Text:
    """A file being decoded block by block."""

    source: BinaryIO
    decision: EncodingDecision
    name: str
    lines_read: int = 0
    damaged: list[int] = field(default_factory=list)
    """Lines with bytes that are no text of the encoding, since it was last asked."""

    def lines(self) -> Iterator[str]:
        """Yield the lines with their ends."""
        for text in self._blocks():
            yield from io.StringIO(text, newline="")

    def doubts(self) -> tuple[Remark, ...]:
        """Return what was damaged since the last call."""
        if not self.damaged:
            return ()
        named, label = name_rows(np.array(self.damaged)), self.decision.label
        self.damaged = []
        return (
            Remark(
                en=f"Bytes that are no {label} text were replaced: {named.en}.",
                zh=f"不是 {label} 文本的字节已被替换：{named.zh}。",
            ),
        )

    def _blocks(self) -> Iterator[str]:
        codec = self.decision.codec
        self.source.seek(len(_UTF8_MARK) if codec == "utf-8" and _starts(self.source) else 0)
        if codec.startswith("utf-16"):
            self.source.seek(2)
            yield from _wide_blocks(self.source, codec)
            return
        while block := self.source.read(_BLOCK_BYTES):
            raw = (block + self.source.readline()).split(b"\n")
            decoded = decode_values(raw, codec=codec)
            hit = sorted({*decoded.cut, *decoded.damaged})
            self.damaged += [self.lines_read + place + 1 for place in hit]
            self.lines_read += len(raw) - 1
            yield "\n".join(decoded.values)


def _wide_blocks(source: BinaryIO, codec: str) -> Iterator[str]:
    """Yield texts of two bytes a sign, each to the end of a line."""
    with io.TextIOWrapper(source, encoding=codec, errors="replace", newline="") as text:
        while block := text.read(_BLOCK_BYTES):
            yield block + text.readline()


def _starts(source: BinaryIO) -> bool:
    source.seek(0)
    return source.read(len(_UTF8_MARK)) == _UTF8_MARK


def _decide(source: BinaryIO, stated: str | None) -> EncodingDecision:
    """Decide the encoding by a byte order mark, else by samples of whole lines."""
    head = source.read(len(_UTF8_MARK))
    for mark, codec in ((_UTF8_MARK, "utf-8"), *_MARKS):
        if head.startswith(mark):
            label = codec.upper().removesuffix("-LE").removesuffix("-BE")
            evidence = Remark(en="byte order mark", zh="文件开头的字节序标记（BOM）")
            return EncodingDecision(codec=codec, label=label, evidence=evidence)
    size = source.seek(0, io.SEEK_END)
    lines: list[bytes] = []
    for number in range(_SAMPLES):
        source.seek(number * max(0, size - _BLOCK_BYTES) // max(1, _SAMPLES - 1))
        if source.tell():
            source.readline()  # not whole
        lines += (source.read(_BLOCK_BYTES) + source.readline()).split(b"\n")
        if size <= _BLOCK_BYTES:
            break
    return decide_encoding(lines, stated=stated)


def _bodies(text: _Text, rows: int) -> Iterator[tuple[Rows, tuple[Remark, ...]]]:
    """Yield the header with so many filled rows below it, and what was damaged on the way."""
    lines = text.lines()
    first = next(lines, "")
    skipped: list[str] = []
    while first and not first.strip():
        skipped.append(first)
        first = next(lines, "")
    reader = csv.reader(_chained([*skipped, first], lines), delimiter=delimiter_of(first))
    header: tuple[int, list[str | None]] | None = None
    body: Rows = []
    is_told = False
    try:
        for number, cells in enumerate(reader, start=1):
            row = (number, [cell.strip() or None for cell in cells])
            if not any(row[1]):
                continue
            if header is None:
                header = row
                continue
            body.append(row)
            if len(body) == rows:
                yield [header, *body], text.doubts()
                body, is_told = [], True
    except csv.Error as error:
        msg = f"{text.name} is not a valid CSV ({error}, line {reader.line_num}): export it again."
        raise FileFormatError(
            msg, zh=f"{text.name} 不是有效的 CSV（第 {reader.line_num} 行）：请重新导出。"
        ) from error
    if body or not is_told:
        yield [header, *body] if header else [], text.doubts()


def _chained(head: list[str], rest: Iterator[str]) -> Iterator[str]:
    yield from head
    yield from rest
