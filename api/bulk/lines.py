"""CSV files read span by span: encoding by evidence, quoted line ends, rows that do not fit kept and told."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
from numpy.typing import NDArray

from api.bulk.spans import SPAN_ROWS, Chunk, Span, Trouble, distinct_names
from gis.encoding import decide_encoding
from gis.errors import EncodingError, RequestError
from gis.records import UNCLOSED, Records, find_records
from gis.sheets import refuse_renamed_book

SPAN_BYTES = 1 << 25
"""A span holds no more bytes than this."""
_HEAD_BYTES = 1 << 20
_SAMPLES, _SAMPLE_BYTES = 16, 1 << 16
_DELIMITERS = ",\t;|"
_CODECS = ("utf-8", "gb18030")
_UTF8_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True)
class CsvSource:
    """A CSV file with a header; every value is text, an empty one is missing."""

    path: str
    codec: str
    delimiter: str
    columns: tuple[str, ...]
    body: int
    """First byte after the header."""
    first_line: int
    """Line of that byte."""
    span_rows: int = SPAN_ROWS
    geometry: str | None = None
    geometry_crs: str | None = None

    def empty(self) -> pa.Table:
        """Return the columns without rows."""
        return pa.table({name: pa.array([], pa.string()) for name in self.columns})

    def spans(self) -> Iterator[Span]:
        """Yield the spans of the file; reads it once from one end to the other."""
        with Path(self.path).open("rb") as file:
            start, line, number = self.body, self.first_line, 0
            while True:
                file.seek(start)
                data = file.read(SPAN_BYTES)
                if not data:
                    return
                records = self._find(data, limit=self.span_rows, is_last=len(data) < SPAN_BYTES)
                if not records.consumed:
                    raise _no_csv(self.path, f"line {line} is longer than 32 MB")
                if len(records):
                    yield Span(
                        number=number,
                        rows=len(records),
                        start=start,
                        stop=start + records.consumed,
                        first_line=line,
                    )
                    number += 1
                start += records.consumed
                line += records.lines_consumed

    def read(self, span: Span) -> Iterator[Chunk]:
        """Yield the rows of a span, as one chunk."""
        with Path(self.path).open("rb") as file:
            file.seek(span.start)
            data = file.read(span.stop - span.start)
        records = self._find(data, limit=span.rows, is_last=True)
        if len(records) != span.rows:
            raise changed_meanwhile(self.path)
        wrong = self._wrong(data, records)
        good = np.flatnonzero(~wrong)
        table = self._parse(_without(data, records, wrong), len(good))
        if table is None:
            wrong[:] = True
            good, table = good[:0], self.empty()
        if len(good) == span.rows:
            yield Chunk(table=table)
            return
        yield self._mended(data, records, wrong, (table, span.first_line))

    def _find(self, data: bytes, *, limit: int, is_last: bool) -> Records:
        return find_records(
            data, delimiter=self.delimiter, fields=len(self.columns), limit=limit, is_last=is_last
        )

    def _wrong(self, data: bytes, records: Records) -> NDArray[np.bool_]:
        """Return which records must be looked at one by one."""
        wrong: NDArray[np.bool_] = records.fields != len(self.columns)
        if b"\x00" in data:
            places = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == 0)
            wrong[np.searchsorted(records.starts, places, side="right") - 1] = True
        try:
            data.decode(self.codec)
        except UnicodeDecodeError:
            for row in range(len(records)):
                try:
                    data[records.starts[row] : records.ends[row]].decode(self.codec)
                except UnicodeDecodeError:
                    wrong[row] = True
        return wrong

    def _parse(self, data: bytes, rows: int) -> pa.Table | None:
        """Return the rows of faultless records; None: the parser sees them otherwise."""
        if not rows:
            return self.empty()
        if self.codec != "utf-8":
            data = data.decode(self.codec).encode()
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(data),
                read_options=arrow_csv.ReadOptions(
                    column_names=list(self.columns), use_threads=False, block_size=len(data) + 1
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self.delimiter, newlines_in_values=True
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(self.columns, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
        except pa.ArrowInvalid:
            return None
        return table if table.num_rows == rows else None

    def _mended(
        self,
        data: bytes,
        records: Records,
        wrong: NDArray[np.bool_],
        good: tuple[pa.Table, int],
    ) -> Chunk:
        """Return the rows with those that were looked at one by one in their places."""
        table, first_line = good
        rows = np.flatnonzero(wrong)
        values: list[list[str | None]] = []
        troubles = []
        for row in rows.tolist():
            raw = data[records.starts[row] : records.ends[row]]
            cells, reason = self._cells(raw, is_unclosed=records.fields[row] == UNCLOSED)
            values.append(cells)
            if reason:
                line = first_line + int(records.lines[row])
                troubles.append(Trouble(row=row, line=line, reason=reason))
        columns = [pa.array(column, pa.string()) for column in zip(*values, strict=True)]
        mended = pa.table(columns, names=list(self.columns))
        order = np.empty(len(records), dtype=np.int64)
        order[~wrong] = np.arange(table.num_rows)
        order[rows] = table.num_rows + np.arange(len(rows))
        return Chunk(table=pa.concat_tables([table, mended]).take(order), troubles=tuple(troubles))

    def _cells(self, raw: bytes, *, is_unclosed: bool) -> tuple[list[str | None], str]:
        """Return the cells of one record, as many as there are columns, and what is wrong with it."""
        text, is_damaged = _decoded(raw, self.codec)
        width = len(self.columns)
        cells = text.split(self.delimiter) if is_unclosed else _split(text, self.delimiter)
        surplus = cells[width:]
        reason = "row_damaged" if is_unclosed or is_damaged or len(cells) < width else ""
        if any(surplus):
            # Nothing is lost, but which cell belongs to which column nobody knows.
            cells = [*cells[: width - 1], self.delimiter.join(cells[width - 1 :])]
            reason = "row_unreadable"
        padded: list[str | None] = [cell or None for cell in cells[:width]]
        return padded + [None] * (width - len(padded)), reason


def read_dialect(path: Path, *, encoding: str | None = None, span_rows: int) -> CsvSource:
    """Find out how a CSV file is written: encoding, separator, header.

    Raises
    ------
    RequestError
        The file has no header.
    EncodingError
        Its encoding can not be decided.
    FileFormatError
        It is an Excel workbook.
    """
    refuse_renamed_book(path)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        mark = len(_UTF8_MARK) if head.startswith(_UTF8_MARK) else 0
        codec = "utf-8" if mark else _codec(_samples(file, head), encoding)
    records = find_records(head[mark:], delimiter=",", fields=0, limit=1)
    if not len(records):
        raise _empty(path)
    line = head[mark:][records.starts[0] : records.ends[0]]
    text, _ = _decoded(line, codec)
    delimiter = max(_DELIMITERS, key=text.count)
    names = [" ".join(name.split()) for name in _split(text, delimiter)]
    return CsvSource(
        path=str(path),
        codec=codec,
        delimiter=delimiter,
        columns=tuple(distinct_names(names)),
        body=mark + records.consumed,
        first_line=1 + records.lines_consumed,
        span_rows=span_rows,
    )


def changed_meanwhile(path: str) -> RequestError:
    """Return the error of a file that somebody writes to while it is read."""
    name = Path(path).name
    msg = f"{name} was changed while it was read: run the same command again when it is whole."
    return RequestError(msg, zh=f"{name} 在读取过程中被修改：请在文件写完后重新运行同一命令。")


def _codec(samples: list[bytes], stated: str | None) -> str:
    try:
        return decide_encoding(samples, stated=stated).codec
    except EncodingError as error:
        msg, zh = (
            text.replace("state encoding in delivery.toml, as", "state it with --encoding, as")
            .replace("correct or remove encoding in delivery.toml", "correct or remove --encoding")
            .replace("请在 delivery.toml 中声明 encoding", "请用 --encoding 声明")
            .replace("请修改或删除 delivery.toml 中的 encoding", "请修改或删除 --encoding")
            for text in (error.message, error.zh)
        )
        raise EncodingError(msg, zh=zh) from error


def _samples(file: io.BufferedReader, head: bytes) -> list[bytes]:
    """Return whole lines from all over the file: its beginning may be plain ASCII."""
    found = head.splitlines()
    if len(head) < _HEAD_BYTES:
        return found
    found = found[:-1]
    size = file.seek(0, io.SEEK_END)
    for place in np.linspace(len(head), max(len(head), size - _SAMPLE_BYTES), _SAMPLES):
        file.seek(int(place))
        # The cut ends of a sample may lie within a character.
        found += file.read(_SAMPLE_BYTES).splitlines()[1:-1]
    return found


def _without(data: bytes, records: Records, wrong: NDArray[np.bool_]) -> bytes:
    """Return the bytes of the records that are not wrong."""
    if not wrong.any():
        return data
    ends = np.append(records.starts[1:], records.consumed)
    edges = np.flatnonzero(np.diff(np.concatenate([[True], wrong, [True]]).astype(np.int8)))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return b"".join(data[records.starts[first] : ends[last - 1]] for first, last in runs)


def _decoded(raw: bytes, codec: str) -> tuple[str, bool]:
    """Return the text of one record and whether it was damaged."""
    plain = raw.replace(b"\x00", b"")
    is_damaged = len(plain) < len(raw)
    try:
        return plain.decode(codec), is_damaged
    except UnicodeDecodeError:
        pass
    for other in _CODECS:  # a row that was pasted in from another program
        try:
            return plain.decode(other), True
        except UnicodeDecodeError:
            continue
    return plain.decode(codec, errors="replace"), True


def _split(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [""])
    except csv.Error:
        return text.split(delimiter)


def _empty(path: Path) -> RequestError:
    msg = f"{path.name} is empty: it needs a header and rows."
    return RequestError(msg, zh=f"{path.name} 是空文件：需要表头和数据行。")


def _no_csv(path: str, reason: str) -> RequestError:
    name = Path(path).name
    msg = f"{name} can not be read as CSV ({reason}): save it again as CSV UTF-8."
    return RequestError(msg, zh=f"{name} 无法作为 CSV 读取：请另存为 UTF-8 的 CSV。")
