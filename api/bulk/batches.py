"""Parquet files read span by span: row groups, or parts of long ones; GeoParquet with its positions."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from api.bulk.spans import SPAN_ROWS, Chunk, Span, distinct_names
from gis.errors import RequestError
from gis.geoparquet import geometry_of
from gis.stated import embedded_crs

_SLICES = 16
"""A row group is cut into no more spans than this: each reads it from its beginning."""
_BATCH_ROWS = 1 << 16
_CHUNK_BYTES = 1 << 25
"""Rows are handed on, and read, about so many bytes at a time, as the footer tells their size."""
_ROW_BYTES = 1 << 25
"""Rows of more bytes than this are refused, as lines of a CSV file are."""
_BUFFER_BYTES = 1 << 20
"""Read of a column at a time: else the whole column of a row group is held in memory."""


@dataclass(frozen=True, kw_only=True)
class ParquetSource:
    """A Parquet file; the columns keep their types."""

    path: str
    span_rows: int = SPAN_ROWS
    geometry: str | None = None
    geometry_crs: str | None = None

    def empty(self) -> pa.Table:
        """Return the columns without rows."""
        with pq.ParquetFile(self.path) as file:
            return _named(file.schema_arrow.empty_table())

    def spans(self) -> Iterator[Span]:
        """Yield the spans of the file, as its footer tells them: small row groups joined, long ones cut."""
        with pq.ParquetFile(self.path) as file:
            sizes = [file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)]
        number = row = first = gathered = 0
        for group, size in enumerate(sizes):
            if gathered and gathered + size > self.span_rows:
                yield self._whole(number, (first, group), gathered, row)
                number, row, first, gathered = number + 1, row + gathered, group, 0
            if size <= self.span_rows:
                gathered += size
                continue
            step = max(self.span_rows, -(-size // _SLICES))
            for skip in range(0, size, step):
                rows = min(step, size - skip)
                yield Span(
                    number=number, rows=rows, start=group, stop=group + 1, skip=skip, first_line=row + 1
                )  # fmt: skip
                number, row = number + 1, row + rows
            first = group + 1
        if gathered:
            yield self._whole(number, (first, len(sizes)), gathered, row)

    def _whole(self, number: int, groups: tuple[int, int], rows: int, row: int) -> Span:
        return Span(
            number=number, rows=rows, start=groups[0], stop=groups[1], first_line=row + 1
        )  # fmt: skip

    def read(self, span: Span) -> Iterator[Chunk]:
        """Yield the rows of a span in chunks of at most `span_rows` and 32 MiB, or so.

        Raises
        ------
        RequestError
            The rows are damaged.
        """
        try:
            yield from self._chunks(span)
        except (pa.ArrowException, OSError) as error:
            last = span.first_line + span.rows - 1
            name, reason = Path(self.path).name, str(error).split("\n", 1)[0]
            msg = (
                f"Rows {span.first_line:,} to {last:,} of {name} can not be read ({reason}): write the "
                "file again; what was decided is kept for the same command."
            )
            raise RequestError(
                msg,
                zh=f"{name} 的第 {span.first_line} 至 {last} 行无法读取：请重新生成该文件。",
            ) from error

    def _chunks(self, span: Span) -> Iterator[Chunk]:
        groups = range(span.start, span.stop)
        with pq.ParquetFile(self.path, pre_buffer=False, buffer_size=_BUFFER_BYTES) as file:
            size = max(
                1, min(_BATCH_ROWS, self.span_rows, _CHUNK_BYTES // 4 // _row_bytes(file, groups))
            )
            batches = file.iter_batches(batch_size=size, row_groups=groups, use_threads=False)
            held: list[pa.RecordBatch] = []
            left, skip = span.rows, span.skip
            for whole in batches:
                batch = whole.slice(skip, left)
                skip = max(0, skip - whole.num_rows)
                if not batch.num_rows:
                    continue  # it is skipped; kept, it would keep the memory of all its rows
                left -= batch.num_rows
                held.append(batch)
                if not left or _is_full(held, self.span_rows):
                    yield Chunk(table=_named(pa.Table.from_batches(held)))
                    held = []
                if not left:
                    return


def _is_full(held: list[pa.RecordBatch], rows: int) -> bool:
    size = sum(int(batch.nbytes) for batch in held)
    return size >= _CHUNK_BYTES or sum(int(batch.num_rows) for batch in held) >= rows


def _row_bytes(file: pq.ParquetFile, groups: range) -> int:
    """Return the mean bytes of a row in the row groups where it has the most, as the footer tells."""
    told = (file.metadata.row_group(group) for group in groups)
    return max((max(g.total_byte_size, 0) // max(g.num_rows, 1) for g in told), default=0) + 1


def read_footer(path: Path, *, span_rows: int) -> ParquetSource:
    """Open a Parquet file, with the positions that a GeoParquet has.

    Raises
    ------
    RequestError
        It is none, not whole, or says that its rows are enormous.
    """
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            row_bytes = _row_bytes(file, range(file.num_row_groups))
    except (pa.ArrowException, OSError) as error:
        msg = f"{path.name} is no readable Parquet file ({error}): write it again."
        raise RequestError(msg, zh=f"{path.name} 不是可读的 Parquet 文件：请重新生成。") from error
    if row_bytes > _ROW_BYTES:
        msg = (
            f"A row of {path.name} takes {row_bytes >> 20:,} MiB by the file's own footer, 32 MiB at most: "
            "leave out columns that are no part of a case, as pictures, and write it again."
        )
        zh = (
            f"按 {path.name} 自身的元数据，每行约 {row_bytes >> 20} MiB，最多 32 MiB："
            "请去掉图片等与案件无关的列后重新生成。"
        )
        raise RequestError(msg, zh=zh)
    column, crs = geometry_of(schema)
    crs = embedded_crs(crs)
    return ParquetSource(path=str(path), span_rows=span_rows, geometry=column, geometry_crs=crs)


def _named(table: pa.Table) -> pa.Table:
    return table.rename_columns(distinct_names(table.column_names))
