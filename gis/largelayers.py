"""Large layers of a GeoPackage read by Arrow, equal texts as one: a part of the time and of the memory."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from gis.errors import FileFormatError
from gis.readings import Reading, gdal_words
from gis.shapes import parse_wkb
from gis.sources import plain_column
from gis.streams import count_rows, opened_layer

MANY_ROWS = 50_000
"""Smaller layers are read as all others are."""
_BATCH = 65_536
_TEXT, _NUMBERS = pa.string(), (pa.int32(), pa.int64(), pa.float64())
_PLAIN_WKB = frozenset(
    b"\x01" + (kind + height).to_bytes(4, "little") for kind in range(1, 7) for height in (0, 1000)
)
"""How points, lines, polygons and several of them begin, flat or with heights."""


def read_large(path: Path, *, layer: str) -> Reading | None:
    """Read a layer of a ``.gpkg`` as pyogrio reads it whole; None: it has to be read so.

    That is where it is small or has what is read otherwise: dates, truths, lists, curves, and wherever
    anything is to be said of the file.

    Parameters
    ----------
    path : Path
        File.
    layer : str
        Layer.
    """
    if path.suffix.lower() != ".gpkg":
        return None
    try:
        with gdal_words() as words:
            rows = count_rows(path, layer=layer)
            found = _read(path, layer) if rows >= MANY_ROWS else None
    except FileFormatError:
        return None
    return None if found is None or words or len(found.rows) != rows else found


def _read(path: Path, layer: str) -> Reading | None:
    with opened_layer(path, layer=layer, rows=_BATCH) as stream:
        names = [name for name in stream.schema.names if name != stream.geometry]
        types = {name: stream.schema.field(name).type for name in names}
        if stream.geometry is None or not set(types.values()) <= {_TEXT, *_NUMBERS}:
            return None
        columns: dict[str, _Column] = {
            name: _Texts() if kind == _TEXT else _Numbers() for name, kind in types.items()
        }
        shapes: list[NDArray[np.object_]] = []
        for batch in stream.batches:
            wkb = batch.column(stream.geometry).to_numpy(zero_copy_only=False)
            if not {value[:5] for value in wkb if value is not None} <= _PLAIN_WKB:
                return None
            geometry, notes = parse_wkb(wkb, rows=np.arange(len(wkb)))
            if notes:  # they name rows of the whole layer
                return None
            shapes.append(geometry)
            for name in names:
                columns[name].add(batch.column(name))
        crs = stream.crs
    pa.default_memory_pool().release_unused()
    count = sum(map(len, shapes))
    index = pd.RangeIndex(count)
    return Reading(
        attributes=pd.DataFrame(
            {name: column.series() for name, column in columns.items()}, index=index
        ),
        geometry=np.concatenate([np.empty(0, dtype=object), *shapes]),
        rows=np.arange(1, count + 1, dtype=np.int64),
        crs=crs,
    )


class _Numbers:
    """A column of numbers, batch by batch."""

    def __init__(self) -> None:
        self._parts: list[NDArray[Any]] = []

    def add(self, part: pa.Array) -> None:
        """Take the next batch."""
        self._parts.append(part.to_numpy(zero_copy_only=False))

    def series(self) -> "pd.Series[Any]":
        """Return the whole column."""
        return pd.Series(np.concatenate(self._parts))


class _Texts(_Numbers):
    """A column of texts, batch by batch; where they repeat, equal ones are one object."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, str | None] | None = {}

    def series(self) -> "pd.Series[Any]":
        """Return the whole column."""
        return pd.Series(np.concatenate(self._parts), dtype=object)

    def add(self, part: pa.Array) -> None:
        """Take the next batch."""
        if self._known is None:
            self._parts.append(plain_column(part.to_numpy(zero_copy_only=False)).to_numpy())
            return
        coded = part.dictionary_encode()
        texts = coded.dictionary.to_pylist()
        table = np.full(len(texts) + 1, None, dtype=object)
        for number, text in enumerate(texts):
            table[number] = self._known.setdefault(text, text if text.strip() else None)
        codes = coded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
        self._parts.append(table[codes])
        if len(self._known) * 2 > sum(map(len, self._parts)):
            self._known = None  # hardly one repeats


_Column = _Numbers | _Texts
