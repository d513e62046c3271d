"""Tables of cases that are small as sent and would fill the memory are refused.

Of Arrow every buffer is weighed before it is unpacked. What a Parquet file says of itself is its sender's
word: its texts stay packed, and what was read is counted batch by batch.
"""

import io
import struct

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.http.formats import read_table, unpacked_bytes
from api.http.unpacking import unpacked_size
from gis.errors import RequestError

LONG = "路" * 100_000
"""300,000 bytes."""
TABLE = pa.table(
    {
        "case_id": pa.array(["a", None, "c" * 5000]).dictionary_encode(),
        "x": [1.0, None, 3.0],
        "address": ["裕华路12号" * 40, None, ""],
        "photos": [[b"p" * 900], [], None],
        "seen": pa.array([1, 2, None], pa.timestamp("us")),
    }
)


def arrow(table: pa.Table, *, as_file: bool = False, packing: str | None = "zstd") -> bytes:
    sink = pa.BufferOutputStream()
    maker = pa.ipc.new_file if as_file else pa.ipc.new_stream
    options = pa.ipc.IpcWriteOptions(compression=packing)
    with maker(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def parquet(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


@pytest.mark.parametrize("packing", ["zstd", "lz4"])
def test_what_buffers_unpack_to_is_told_without_unpacking(packing: str) -> None:
    columns = [TABLE[name].combine_chunks() for name in TABLE.column_names]
    columns.append(columns[0].dictionary)
    buffers = [buffer for column in columns for buffer in column.buffers() if buffer is not None]
    told = unpacked_size(pa.BufferReader(arrow(TABLE, packing=packing)))
    # Each buffer is filled up to whole words; one that packing does not make smaller is left as it is.
    assert 5000 + 3 * 40 * 5 < told <= sum(buffer.size + 64 for buffer in buffers)
    assert unpacked_size(pa.BufferReader(arrow(TABLE, packing=None))) == 0


@pytest.mark.parametrize("as_file", [False, True])
@pytest.mark.parametrize("packing", [None, "zstd", "lz4"])
def test_tables_are_read_with_the_columns_that_ask(as_file: bool, packing: str | None) -> None:
    wanted = TABLE.select(["case_id", "x", "address"]).to_pylist()
    body = arrow(TABLE, as_file=as_file, packing=packing)
    assert read_table(body, format_name="arrow", most=3).to_pylist() == wanted
    assert read_table(parquet(TABLE), format_name="parquet", most=3).to_pylist() == wanted


def test_a_table_without_a_column_that_asks_keeps_its_rows() -> None:
    table = pa.table({"备注": ["a", "b"], "more": [1, 2]})
    for body, name in ((arrow(table), "arrow"), (parquet(table), "parquet")):
        assert read_table(body, format_name=name, most=2).num_rows == 2


def test_a_long_text_that_all_rows_share_is_counted_for_each() -> None:
    shared = pa.DictionaryArray.from_arrays(pa.array([0, None, 0], pa.int8()), pa.array(["路路"]))
    assert unpacked_bytes(shared) == 12
    rows = pa.array([0] * 2_000, pa.int32())
    table = pa.table({"address": pa.DictionaryArray.from_arrays(rows, pa.array([LONG]))})
    for body, name in ((arrow(table), "arrow"), (parquet(table), "parquet")):
        assert len(body) < 310_000
        with pytest.raises(RequestError, match="unpacks to more than 512 MiB"):
            read_table(body, format_name=name, most=2_000)


@pytest.mark.parametrize("as_file", [False, True])
def test_a_buffer_that_would_unpack_to_a_terabyte_is_refused(as_file: bool) -> None:
    body = arrow(pa.table({"address": [LONG]}), as_file=as_file)
    told = struct.pack("<q", len(LONG.encode()))
    # The last place is where the texts begin; before it their ends are told.
    head, _, tail = body.rpartition(told)
    bomb = head + struct.pack("<q", 1 << 40) + tail
    with pytest.raises(RequestError, match="unpacks to more than 512 MiB"):
        read_table(bomb, format_name="arrow", most=1)


def old_stream(words: dict[str, str] | None) -> bytes:
    """Return a stream as before Arrow 1.0; read as packed, its numbers unpack to a terabyte."""
    sink = pa.BufferOutputStream()
    batch = pa.record_batch({"case_id": [1 << 40, 5]})
    options = pa.ipc.IpcWriteOptions(metadata_version=pa.ipc.MetadataVersion.V4)
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch, custom_metadata=words)
    return sink.getvalue().to_pybytes()


def test_a_stream_packed_as_before_arrow_1_is_refused() -> None:
    plain = read_table(old_stream(None), format_name="arrow", most=2)
    assert plain["case_id"].to_pylist() == [1 << 40, 5]
    with pytest.raises(RequestError, match=r"a format before 1\.0"):
        read_table(
            old_stream({"ARROW:experimental_compression": "zstd"}), format_name="arrow", most=2
        )


def views(length: int, rows: int) -> pa.Array:
    """Return rows that all look at the same letters; the last looks at nothing, but says so many."""
    view = struct.pack("<i4sii", length, b"pppp", 0, 0)
    known = bytearray(b"\xff" * (rows // 8 + 1))
    known[(rows - 1) // 8] &= ~(1 << ((rows - 1) % 8))
    buffers = [pa.py_buffer(bytes(known)), pa.py_buffer(view * rows), pa.py_buffer(b"p" * length)]
    return pa.Array.from_buffers(pa.string_view(), rows, buffers)


def test_letters_that_all_rows_look_at_are_counted_for_each() -> None:
    shared = views(300, 5)
    assert shared.to_pylist() == ["p" * 300] * 4 + [None]
    assert unpacked_bytes(shared) == 1200
    assert unpacked_bytes(shared[3:]) == 300
    assert unpacked_bytes(shared[:0]) == 0
    told = read_table(arrow(pa.table({"address": shared})), format_name="arrow", most=5)
    assert told["address"].to_pylist() == shared.to_pylist()
    with pytest.raises(RequestError, match="unpacks to more than 512 MiB"):
        read_table(
            arrow(pa.table({"address": views(300_000, 2_000)})), format_name="arrow", most=2_000
        )


def test_views_and_unasked_lists_of_a_parquet_file_are_not_written_out() -> None:
    views = pa.table({"address": pa.array(["路", None, "路"], pa.string_view())})
    told = read_table(parquet(views), format_name="parquet", most=3)
    assert told.to_pylist() == views.to_pylist()
    assert told.schema.types == [pa.string()]
    lists = pa.table({"tags": [[LONG]] * 9})
    unread = read_table(parquet(lists), format_name="parquet", most=9)
    assert unread["tags"].to_pylist() == [None] * 9
    assert read_table(parquet(pa.table({})), format_name="parquet", most=9).num_rows == 0


@pytest.mark.parametrize(
    "column",
    [
        pa.array([["a"], None]),
        pa.array([{"a": 1}, None]),
        pa.array([["a"]], pa.list_view(pa.string())),
        pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), ["a"]),
        pa.DictionaryArray.from_arrays(pa.array([0]), pa.array(["a"], pa.string_view())),
    ],
    ids=lambda column: str(column.type),
)
def test_only_texts_numbers_and_times_ask(column: pa.Array) -> None:
    body = arrow(pa.table({"address": column}), packing=None)
    with pytest.raises(RequestError, match="Column address is of type") as told:
        read_table(body, format_name="arrow", most=2)
    assert "列 address 的类型" in told.value.zh


@pytest.mark.parametrize("packing", [None, "zstd"])
def test_a_stream_with_damage_anywhere_is_refused_or_read(packing: str | None) -> None:
    body = arrow(TABLE, packing=packing)
    for place in range(0, len(body), 3):
        damaged = body[:place] + bytes([body[place] ^ 0x55]) + body[place + 1 :]
        try:
            read_table(damaged, format_name="arrow", most=3)
        except RequestError:
            continue
