"""Many cases in and many answers out: JSON, NDJSON, Arrow and Parquet, bounded in size."""

import codecs
import io
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError

from api.http.schemas import CaseIn
from api.http.unpacking import unpacked_size
from api.questions import FIELDS
from gis.errors import RequestError

Format = Literal["json", "ndjson", "arrow", "parquet"]

MEDIA_TYPES: dict[str, Format] = {
    "application/json": "json",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/vnd.apache.arrow.stream": "arrow",
    "application/vnd.apache.arrow.file": "arrow",
    "application/vnd.apache.parquet": "parquet",
    "application/x-parquet": "parquet",
}
"""Media type -> format; the first of a format is the one answers carry."""
UNPACKED_BYTES = 512 * 1024 * 1024
"""Most bytes a compressed table may unpack to."""

_CASES = TypeAdapter(list[CaseIn])
_ARROW_FILE_MAGIC, _ARROW_FILE_HEAD = b"ARROW1", 8


def format_of(content_type: str) -> Format | None:
    """Return the format of a ``Content-Type`` header; None: not one of ours.

    Examples
    --------
    >>> format_of("application/json; charset=utf-8")
    'json'
    >>> format_of("text/csv") is None
    True
    """
    return MEDIA_TYPES.get(content_type.partition(";")[0].strip().lower())


def accepted_format(accept: str, *, default: Format) -> Format | None:
    """Return the format an ``Accept`` header asks for; None: none of ours is accepted.

    The first media type of ours wins, whatever its weight; ``*/*`` and nothing mean the default.

    Examples
    --------
    >>> accepted_format("text/html, application/x-ndjson", default="json")
    'ndjson'
    >>> accepted_format("*/*", default="parquet")
    'parquet'
    >>> accepted_format("text/csv", default="json") is None
    True
    """
    names = [part.partition(";")[0].strip().lower() for part in accept.split(",") if part.strip()]
    for name in names:
        if name in MEDIA_TYPES:
            return MEDIA_TYPES[name]
    return default if not names or {"*/*", "application/*"} & set(names) else None


def media_type_of(name: Format) -> str:
    """Return the media type that answers of a format carry."""
    return next(media for media, known in MEDIA_TYPES.items() if known == name)


def read_cases(body: bytes, *, format_name: Literal["json", "ndjson"], most: int) -> list[CaseIn]:
    """Read cases from a JSON array or from one JSON object per line.

    Raises
    ------
    RequestValidationError
        A case is wrong; the place names its position in the array, or its line from 1.
    RequestError
        There are more than `most`, or the text is not UTF-8.
    """
    body = _as_utf8(body)
    if format_name == "json":
        try:
            cases = _CASES.validate_json(body)
        except ValidationError as error:
            raise RequestValidationError(_placed(error.errors(include_url=False))) from error
    else:
        cases = list(_read_lines(body, most=most))
    check_count(len(cases), most=most)
    return cases


def _as_utf8(body: bytes) -> bytes:
    """Return a text in UTF-8 without the mark that editors of Windows begin it with."""
    text = body.removeprefix(codecs.BOM_UTF8)
    try:
        text.decode()
    except UnicodeDecodeError as error:
        at = error.start + 1 + len(body) - len(text)
        msg = f"The body is not UTF-8 (byte {at}): send JSON in UTF-8, not in GBK or UTF-16."
        zh = f"请求内容不是 UTF-8（第 {at} 字节）：请以 UTF-8 发送 JSON，不要用 GBK 或 UTF-16。"
        raise RequestError(msg, zh=zh) from error
    return text


def _read_lines(body: bytes, *, most: int) -> Iterator[CaseIn]:
    count = 0
    for number, line in enumerate(body.splitlines(), start=1):
        if not line.strip():
            continue
        count += 1
        check_count(count, most=most)
        try:
            yield CaseIn.model_validate_json(line)
        except ValidationError as error:
            faults = _placed(error.errors(include_url=False), f"line {number}")
            raise RequestValidationError(faults) from error


def _placed(faults: Iterable[Any], *place: str) -> list[dict[str, Any]]:
    return [
        {
            **fault,
            "loc": ("body", *place, *fault["loc"]),
            "input": None,
            "ctx": fault.get("ctx", {}),
        }
        for fault in faults
    ]


def read_table(body: bytes, *, format_name: Literal["arrow", "parquet"], most: int) -> pa.Table:
    """Read a table of cases; of its columns those that ``api.assign.assign_table`` knows.

    Raises
    ------
    RequestError
        It is no such file, or has more than `most` rows or unpacks to too many bytes.
    """
    try:
        return _read_parquet(body, most) if format_name == "parquet" else _read_arrow(body, most)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # the last: a column's name
        name = "Parquet" if format_name == "parquet" else "Arrow IPC"
        msg = f"The body can not be read as {name}: {error}"
        raise RequestError(msg, zh=f"请求内容无法按 {name} 读取：{error}") from error


def _read_parquet(body: bytes, most: int) -> pa.Table:
    file = pq.ParquetFile(io.BytesIO(body))
    groups = range(file.metadata.num_row_groups)
    check_count(file.metadata.num_rows, most=most)
    # The sender's word, which spares honest ones the reading; each batch that was read is counted below.
    check_size(sum(file.metadata.row_group(group).total_byte_size for group in groups))
    given = file.schema_arrow
    check_kinds(given)
    names = _wanted(given) or [FIELDS[0]]
    if names[0] not in given.names or names[0] not in FIELDS:
        # Whatever is in the others tells nothing, and may be of any size.
        return pa.table({names[0]: pa.nulls(file.metadata.num_rows)})
    kinds = {field.name: field.type for field in given if field.name in names}
    texts = [name for name, kind in kinds.items() if _is_text(kind) or _is_view(kind)]
    # As it is packed: a long text that all rows share must not be written out for each of them.
    packed = pq.ParquetFile(io.BytesIO(body), read_dictionary=texts)
    schema = pa.schema([field for field in packed.schema_arrow if field.name in names])
    table = _bounded(packed.iter_batches(batch_size=16_384, columns=names), schema, most)
    for name in texts:
        kind = kinds[name]
        place = table.column_names.index(name)
        plain = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}.get(kind, kind)
        table = table.set_column(place, name, table[name].cast(plain))
    return table


def _read_arrow(body: bytes, most: int) -> pa.Table:
    # A file is a stream between two marks.
    start = _ARROW_FILE_HEAD if body.startswith(_ARROW_FILE_MAGIC) else 0
    check_size(unpacked_size(_from(body, start)))
    schema = pa.ipc.open_stream(_from(body, start)).schema
    check_kinds(schema)
    stream = pa.ipc.open_stream(_from(body, start), options=_only(schema))
    return _bounded(stream, stream.schema, most)


def _from(body: bytes, start: int) -> pa.BufferReader:
    return pa.BufferReader(pa.py_buffer(body).slice(start))


def _wanted(schema: pa.Schema) -> list[str]:
    """Return the columns a case is asked by; of a table without any the first, to tell how many rows."""
    return [name for name in schema.names if name in FIELDS] or schema.names[:1]


def _only(schema: pa.Schema) -> pa.ipc.IpcReadOptions:
    names = set(_wanted(schema))
    places = [place for place, name in enumerate(schema.names) if name in names]
    return pa.ipc.IpcReadOptions(included_fields=places)


def _is_text(kind: pa.DataType) -> bool:
    tests = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_binary,
        pa.types.is_large_binary,
    )
    return any(test(kind) for test in tests)


def _is_view(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string_view(kind) or pa.types.is_binary_view(kind))


def _is_plain(kind: pa.DataType) -> bool:
    return bool(
        _is_text(kind)
        or pa.types.is_null(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_primitive(kind)  # numbers, truth values, days and times
    )


def check_kinds(schema: pa.Schema) -> None:
    """Refuse a table that asks by a column of lists, records or the like: their memory is not told.

    Raises
    ------
    RequestError
        A column that is read is of such a kind.
    """
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        is_read = _is_plain(kind) or _is_view(field.type)
        if field.name in FIELDS and not is_read:
            msg = f"Column {field.name} is of type {field.type}: send texts, numbers or times."
            zh = f"列 {field.name} 的类型为 {field.type}：请使用文本、数字或时间类型。"
            raise RequestError(msg, zh=zh)


def _bounded(batches: Iterable[pa.RecordBatch], schema: pa.Schema, most: int) -> pa.Table:
    taken: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        rows += batch.num_rows
        batch.validate(full=True)  # offsets that lead beyond the memory would end the process
        size += sum(map(unpacked_bytes, batch.columns))
        check_count(rows, most=most)
        check_size(size)
        taken.append(batch)
    return pa.Table.from_batches(taken, schema=schema)


def unpacked_bytes(column: pa.Array) -> int:
    """Return the memory of a column when each row has its value to itself, bytes.

    Examples
    --------
    >>> unpacked_bytes(pa.array(["abc", "abc", "d"]).dictionary_encode())
    7
    """
    if _is_view(column.type):
        return _viewed_bytes(column)
    if not pa.types.is_dictionary(column.type) or not _is_text(column.type.value_type):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary).cast(pa.int64())
    return int(pc.sum(lengths.take(column.indices)).as_py() or 0)


def _viewed_bytes(column: pa.Array) -> int:
    # Many rows may look at the same letters. A view is 16 bytes that begin with the length.
    if not len(column):
        return 0
    views = np.frombuffer(column.buffers()[1], dtype="<i4").reshape(-1, 4)
    lengths = views[column.offset : column.offset + len(column), 0].astype(np.int64)
    return int(lengths[column.is_valid().to_numpy(zero_copy_only=False)].sum())


def check_count(count: int, *, most: int) -> None:
    """Refuse a batch of too many cases.

    Raises
    ------
    RequestError
        There are more than `most`.
    """
    if count > most:
        msg = f"A batch may have {most} cases; send it in parts."
        raise RequestError(msg, zh=f"每批最多 {most} 条，请分批发送。")


def check_size(size: int) -> None:
    """Refuse a table that unpacks to too many bytes.

    Raises
    ------
    RequestError
        It is larger than `UNPACKED_BYTES`.
    """
    if size > UNPACKED_BYTES:
        msg = "The table unpacks to more than 512 MiB; send it in parts."
        raise RequestError(msg, zh="表解压后超过 512 MiB，请分批发送。")


def write_table(table: pa.Table, *, format_name: Format) -> bytes:
    """Return a table of answers in a format; missing values are null."""
    if format_name == "parquet":
        file = io.BytesIO()
        pq.write_table(table, file)
        return file.getvalue()
    if format_name == "arrow":
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        written: bytes = sink.getvalue().to_pybytes()
        return written
    return write_records(table.to_pylist(), format_name=format_name)


def write_records(records: Iterable[Any], *, format_name: Format) -> bytes:
    """Return values as a JSON array or as one JSON object per line."""
    options = orjson.OPT_SERIALIZE_NUMPY
    if format_name == "ndjson":
        return b"".join(
            orjson.dumps(record, option=options | orjson.OPT_APPEND_NEWLINE) for record in records
        )
    return orjson.dumps(list(records), option=options)
