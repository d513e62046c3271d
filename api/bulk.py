"""Files of cases or addresses: read in chunks, decided, written whole or not at all, resumed.

Each finished chunk is kept beside the output (``.NAME.parts/``) until all are done, so a run that was
stopped goes on where it was; memory holds one chunk. The output appears by renaming, last.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from gis.encoding import decide_encoding
from gis.errors import RequestError
from gis.fields import map_fields

CHUNK_ROWS = 20_000
_SAMPLE_BYTES = 1_000_000
_SUFFIXES = (".csv", ".parquet")

Work = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class BulkResult:
    """What was written."""

    rows: int
    rows_resumed: int
    """Rows of chunks that an earlier, stopped run had finished."""
    path: str


def work_through(
    source: Path,
    target: Path,
    *,
    work: Work,
    signature: str,
    advance: Callable[[int], None] = lambda _: None,
    chunk_rows: int = CHUNK_ROWS,
) -> BulkResult:
    """Apply `work` to a file chunk by chunk; every input row comes out, in order, with its answer.

    Parameters
    ----------
    source : Path
        ``.csv`` (encoding by evidence) or ``.parquet``.
    target : Path
        ``.csv`` (UTF-8 with byte order mark, so that spreadsheets read it) or ``.parquet``.
    work : callable
        Frame of platform columns -> frame of answers with the same index. Columns that a file names
        by a known spelling (案件编号, 经度 …) have their platform name.
    signature : str
        What the answers depend on besides the file; parts of another one are thrown away.
    advance : callable
        Told the number of rows done.
    chunk_rows : int
        Rows per chunk.

    Raises
    ------
    RequestError
        A file is of another kind or can not be read.
    """
    for path in (source, target):
        if path.suffix.lower() not in _SUFFIXES:
            msg = (
                f"{path.name} is of a kind that is not read or written here: use .csv or .parquet."
            )
            raise RequestError(msg, zh=f"{path.name} 的格式不支持：请使用 .csv 或 .parquet。")
    parts = _open_parts(source, target, f"{signature}:{chunk_rows}")
    rows = rows_resumed = 0
    for number, chunk in enumerate(_chunks(source, chunk_rows)):
        path = parts / f"{number:06d}.arrow"
        if path.exists():
            rows_resumed += len(chunk)
        else:
            _write_part(_answered(chunk, work), path)
        rows += len(chunk)
        advance(len(chunk))
    _join(sorted(parts.glob("*.arrow")), target)
    shutil.rmtree(parts)
    return BulkResult(rows=rows, rows_resumed=rows_resumed, path=str(target))


def _open_parts(source: Path, target: Path, signature: str) -> Path:
    """Return the folder of finished chunks, emptied when it belongs to other work."""
    try:
        state = source.stat()
    except OSError as error:
        msg = f"{source} can not be read ({error.strerror}): check the path."
        raise RequestError(msg, zh=f"无法读取 {source}：请检查路径。") from error
    told = f"{source.resolve()}:{state.st_size}:{state.st_mtime_ns}:{signature}"
    digest = hashlib.sha256(told.encode()).hexdigest()
    parts = target.parent / f".{target.name}.parts"
    stamp = parts / "work.json"
    if not stamp.is_file() or orjson.loads(stamp.read_bytes()) != {"work": digest}:
        shutil.rmtree(parts, ignore_errors=True)
        parts.mkdir(parents=True)
        stamp.write_bytes(orjson.dumps({"work": digest}))
    return parts


def _answered(chunk: pd.DataFrame, work: Work) -> pa.Table:
    answers = work(map_fields(chunk, dataset="cases").frame)
    # A column of the file keeps its name; the answer of that name stands beside it.
    answers = answers.rename(columns=lambda name: f"decided_{name}" if name in chunk else name)
    return pa.Table.from_pandas(pd.concat([chunk, answers], axis=1), preserve_index=False)


def _write_part(table: pa.Table, path: Path) -> None:
    temporary = path.with_suffix(".tmp")
    with (
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        writer.write_table(table)
    temporary.replace(path)


def _join(parts: list[Path], target: Path) -> None:
    temporary = target.with_name(f".{target.name}.tmp")
    if target.suffix.lower() == ".parquet":
        _join_parquet(parts, temporary)
    else:
        _join_csv(parts, temporary)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(target)


def _tables(parts: list[Path]) -> Iterator[pa.Table]:
    for path in parts:
        with pa.memory_map(str(path)) as source:
            yield pa.ipc.open_file(source).read_all()


def _join_parquet(parts: list[Path], path: Path) -> None:
    schemas = [table.schema.remove_metadata() for table in _tables(parts)]
    schema = pa.unify_schemas(schemas, promote_options="permissive")
    # A column without a value in one chunk takes the type of another; without any it is text.
    for number, field in enumerate(schema):
        if pa.types.is_null(field.type):
            schema = schema.set(number, field.with_type(pa.string()))
    with pq.ParquetWriter(path, schema) as writer:
        for table in _tables(parts):
            writer.write_table(table.cast(schema))


def _join_csv(parts: list[Path], path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"\xef\xbb\xbf")
        for number, table in enumerate(_tables(parts)):
            options = arrow_csv.WriteOptions(include_header=number == 0, quoting_style="needed")
            arrow_csv.write_csv(table, file, options)


def _chunks(source: Path, chunk_rows: int) -> Iterator[pd.DataFrame]:
    if source.suffix.lower() == ".parquet":
        yield from _parquet_chunks(source, chunk_rows)
    else:
        yield from _csv_chunks(source, chunk_rows)


def _parquet_chunks(source: Path, chunk_rows: int) -> Iterator[pd.DataFrame]:
    try:
        file = pq.ParquetFile(source)
        if file.metadata.num_rows == 0:
            yield file.schema_arrow.empty_table().to_pandas()
        for batch in file.iter_batches(batch_size=chunk_rows):
            yield batch.to_pandas()
    except (pa.ArrowInvalid, OSError) as error:
        msg = f"{source.name} is no readable Parquet file ({error}): write it again."
        raise RequestError(
            msg, zh=f"{source.name} 不是可读的 Parquet 文件：请重新生成。"
        ) from error


def _csv_chunks(source: Path, chunk_rows: int) -> Iterator[pd.DataFrame]:
    with source.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES)
    # The end of the sample may cut a character in two: judge whole lines.
    lines = sample.splitlines()
    codec = decide_encoding(lines[:-1] if len(sample) == _SAMPLE_BYTES else lines).codec
    reading: dict[str, Any] = {"dtype": str, "keep_default_na": False, "na_values": [""]}
    count = 0
    try:
        with pd.read_csv(
            source,
            encoding="utf-8-sig" if codec == "utf-8" else codec,
            chunksize=chunk_rows,
            skip_blank_lines=True,
            **reading,
        ) as reader:
            for chunk in reader:
                count += 1
                yield chunk
    except pd.errors.EmptyDataError as error:
        msg = f"{source.name} is empty: it needs a header and rows."
        raise RequestError(msg, zh=f"{source.name} 是空文件：需要表头和数据行。") from error
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        msg = f"{source.name} can not be read as CSV ({error}): save it again as CSV UTF-8."
        raise RequestError(
            msg, zh=f"{source.name} 无法作为 CSV 读取：请另存为 UTF-8 的 CSV。"
        ) from error
