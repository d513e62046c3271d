"""The content hash of rows as `gis.staging` lets the database make it, made beside the COPY instead.

It is over the text that PostgreSQL writes each value as. Types whose text is not the same in both
places to the last sign (fractions, lists, moments) are left to the database.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from geoalchemy2 import Geometry
from sqlalchemy import Date, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from gis.tables.columns import BOOKKEEPING

_SEPARATOR = "\x1f"


class UnlikeError(ValueError):
    """A value whose text in the database may be another one."""


def can_hash(table: Table) -> bool:
    """Return whether all business columns of a table are of types that are written alike."""
    kinds = (Text, Date, Geometry, JSONB)
    return all(isinstance(column.type, kinds) for column in _business(table))


def hash_rows(table: Table, arrays: Mapping[str, Any]) -> Any:
    """Return the content hash of each row, as an Arrow array of text.

    Parameters
    ----------
    table : sqlalchemy.Table
        Table that `can_hash`.
    arrays : mapping
        Column -> Arrow array of what is copied: text, days, geometry as hexadecimal EWKB, documents
        as JSON.

    Raises
    ------
    UnlikeError
        A document holds a number that the database may write in another way.
    """
    parts = []
    for column in _business(table):
        values = arrays[column.name]
        if isinstance(column.type, JSONB):
            values = _documents(values)
        elif isinstance(column.type, Date):
            values = values.cast(pa.string())
        parts.append(pc.binary_join_element_wise(f"{column.name}=", values, ""))
    whole = pc.binary_join_element_wise(*parts, _SEPARATOR, null_handling="skip")
    rows = whole.cast(pa.binary()).to_pylist()
    return _hexadecimal([sha256(row).digest() for row in rows])


def document_text(value: Any) -> str:
    """Return a document as the text of PostgreSQL's ``jsonb``: shorter keys first, then by bytes.

    Raises
    ------
    UnlikeError
        It holds a number that the database may write in another way.

    Examples
    --------
    >>> document_text({"材质": "铸铁", "b": [1, None, True], "a": 0.5})
    '{"a": 0.5, "b": [1, null, true], "材质": "铸铁"}'
    """
    writer = _WRITERS.get(type(value))
    if writer is None:
        raise UnlikeError(type(value).__name__)
    return writer(value)


def _business(table: Table) -> list[Any]:
    return [column for column in table.columns if column.name not in BOOKKEEPING]


def _hexadecimal(digests: Sequence[bytes]) -> Any:
    """Return digests as their hexadecimal digits, written all at once."""
    digits = b"".join(digests).hex().encode()
    width = len(digits) // max(len(digests), 1)
    ends = np.arange(len(digests) + 1, dtype=np.int32) * width
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(digits)]
    return pa.Array.from_buffers(pa.string(), len(digests), buffers)


def _documents(values: Any) -> Any:
    """Return the texts of documents; null for one that is empty."""
    if pc.all(pc.equal(values, "{}")).as_py():
        return pa.nulls(len(values), type=pa.string())
    texts = [
        None if text is None or text == "{}" else document_text(orjson.loads(text))
        for text in values.to_pylist()
    ]
    return pa.array(texts, type=pa.string())


def _text(value: str) -> str:
    return orjson.dumps(value).decode()


def _number(value: float) -> str:
    text = repr(value)
    if "e" in text or text == "-0.0":
        raise UnlikeError(text)
    return text


def _object(value: Mapping[str, Any]) -> str:
    keys = sorted(value, key=_order)
    pairs = (f"{_text(key)}: {document_text(value[key])}" for key in keys)
    return "{" + ", ".join(pairs) + "}"


def _order(key: str) -> tuple[int, bytes]:
    encoded = key.encode()
    return len(encoded), encoded


def _list(value: Sequence[Any]) -> str:
    return "[" + ", ".join(map(document_text, value)) + "]"


_WRITERS: dict[type, Callable[[Any], str]] = {
    str: _text,
    int: str,
    float: _number,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
    dict: _object,
    list: _list,
}
