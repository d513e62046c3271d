"""How large the batches of an Arrow stream become, told before any of them is unpacked.

Every packed buffer begins with the number of bytes it unpacks to, and Arrow asks for so much memory at
once. Where the buffers lie the metadata of a message say, a flatbuffer of a few fixed tables.
(https://arrow.apache.org/docs/format/Columnar.html#compression, ``Message.fbs``)
"""

import struct
from typing import Any

import pyarrow as pa

from gis.errors import RequestError

_VERSION, _HEADER, _CUSTOM = 0, 2, 4
"""Fields of a message; the header is its batch, of a dictionary batch the rows are field 1."""
_V5 = 4
"""Version of the format, 1.0, since which a batch says itself that it is packed."""
_DICTIONARY_ROWS = 1
_BUFFERS, _COMPRESSION = 2, 3
"""Fields of a batch."""


def unpacked_size(stream: pa.BufferReader) -> int:
    """Return the bytes that the packed buffers of a stream unpack to; those that are not packed count none.

    Parameters
    ----------
    stream : pyarrow.BufferReader
        At the beginning of an Arrow IPC stream; read to its end.

    Raises
    ------
    pyarrow.ArrowException
        It is no such stream.
    RequestError
        It may be packed as formats before 1.0 were, which is not told where others tell it.

    Examples
    --------
    >>> sink, batch = pa.BufferOutputStream(), pa.record_batch([pa.array(["a" * 1000] * 9)], names=["a"])
    >>> options = pa.ipc.IpcWriteOptions(compression="zstd")
    >>> with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
    ...     writer.write_batch(batch)
    >>> packed = sink.getvalue()
    >>> packed.size < 1000, unpacked_size(pa.BufferReader(packed))
    (True, 9040)
    """
    total = 0
    for message in pa.ipc.MessageReader.open_stream(stream):
        if message.type in ("record batch", "dictionary") and message.body is not None:
            try:
                total += _declared(message)
            except struct.error as error:
                msg = f"a message of the stream is damaged ({error})"
                raise pa.ArrowInvalid(msg) from error
    return total


def _declared(message: Any) -> int:
    told, body = memoryview(message.metadata), memoryview(message.body)
    top = _table(told, 0)
    _refuse_old_packing(told, top)
    batch = _table(told, _field(told, top, _HEADER))
    if message.type == "dictionary":
        batch = _table(told, _field(told, batch, _DICTIONARY_ROWS))
    if not _field(told, batch, _COMPRESSION):
        return 0
    first = _table(told, _field(told, batch, _BUFFERS))
    (count,) = struct.unpack_from("<I", told, first)
    total = 0
    for number in range(count):
        offset, length = struct.unpack_from("<qq", told, first + 4 + 16 * number)
        if length > 0:
            (declared,) = struct.unpack_from("<q", body, offset)
            total += max(declared, 0)  # -1: this one is not packed
    return total


def _refuse_old_packing(told: memoryview, top: int) -> None:
    """Refuse a message from before 1.0 with words of its own: one of them may say that it is packed."""
    place = _field(told, top, _VERSION)
    version = struct.unpack_from("<h", told, place)[0] if place else 0
    if version < _V5 and _field(told, top, _CUSTOM):
        msg = "The Arrow stream is written in a format before 1.0: write it anew with Arrow 1.0 or later."
        raise RequestError(
            msg, zh="Arrow 数据采用 1.0 之前的格式：请用 Arrow 1.0 或更高版本重新写出。"
        )


def _table(told: memoryview, place: int) -> int:
    """Return where the table or vector lies that a place refers to."""
    (away,) = struct.unpack_from("<I", told, place)
    return place + int(away)


def _field(told: memoryview, table: int, number: int) -> int:
    """Return where a field of a table lies; 0: it is left out."""
    (back,) = struct.unpack_from("<i", told, table)
    fields = table - back
    (size,) = struct.unpack_from("<H", told, fields)
    if 4 + 2 * number >= size:
        return 0
    (away,) = struct.unpack_from("<H", told, fields + 4 + 2 * number)
    return table + int(away) if away else 0
