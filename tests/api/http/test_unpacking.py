"""Tables of cases that are small as sent and would fill the memory are refused before they are unpacked."""

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


@pytest.mark.parametrize("packing", [None, "zstd"])
def test_a_stream_with_damage_anywhere_is_refused_or_read(packing: str | None) -> None:
    body = arrow(TABLE, packing=packing)
    for place in range(0, len(body), 3):
        damaged = body[:place] + bytes([body[place] ^ 0x55]) + body[place + 1 :]
        try:
            read_table(damaged, format_name="arrow", most=3)
        except RequestError:
            continue
