"""The search file of a snapshot, opened: arrays shared by all editions and all threads."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from api.geocoding.keys import KINDS
from api.geocoding.numbered import NUMBERED
from api.geocoding.search import from_row
from api.geocoding.texts import Texts
from gis.columns import flags_of


class SearchIndex:
    """What can be looked up about the places of a snapshot, all versions of them.

    Parameters
    ----------
    search : pyarrow.Table
        The search file, as `api.geocoding.search.search_table` makes it.
    places : pyarrow.Table
        The table ``places`` it was made of.
    """

    def __init__(self, search: pa.Table, places: pa.Table) -> None:
        self.parts = from_row(search)
        self.texts, self.spelt, self.roads, self.areas, self.communities = (
            Texts(self.parts[part]) for part in ("text", "spelt", "road", "area", "community")
        )
        self._groups = {"road": self.roads} | {part: Texts(self.parts[part]) for part in NUMBERED}
        self.kind_codes: NDArray[np.uint8] = self.parts["place"]["kind"]
        self.kinds = Kinds(self.kind_codes)
        self.columns = {
            name: TextColumn(places[name])
            for name in ("code", "kind", "name", "full_address", "community_code", "grid_code")
        }
        self._areas_said = [places[name] for name in ("district", "street", "community")]
        self.shapes = ShapeColumn(places["geometry"])
        # Shared by all threads: the functions that use it keep the lock, and leave it as it was.
        self.scratch = np.zeros(len(self.parts["name"]["text"]), dtype=np.float32)

    @cached_property
    def areas_said(self) -> tuple["TextColumn", ...]:
        """Names of district, street and community as the addresses of the rows have them."""
        return tuple(TextColumn(column) for column in self._areas_said)

    def group(self, part: str, name: str) -> slice:
        """Return where the entries of a group lie in the arrays of a part, as the plates of a road."""
        arrays = self.parts[part]
        number = self._groups[part].find(name)
        if number < 0:
            return slice(0, 0)
        return slice(int(arrays["first"][number]), int(arrays["first"][number + 1]))

    def communities_of(self, codes: Sequence[str]) -> list[tuple[int, int]]:
        """Return the ranges of numbers of the communities whose codes begin with one of some codes."""
        return sorted({self.communities.starting(code) for code in codes})


class Kinds(Sequence[str]):
    """Kind of each row of the table."""

    def __init__(self, codes: NDArray[np.uint8]) -> None:
        self._codes = codes.data
        self._words = (*KINDS, "")

    def __len__(self) -> int:
        return len(self._codes)

    def __getitem__(self, row):  # type: ignore[no-untyped-def]
        """Return the kind of a row."""
        return self._words[self._codes[row]]

    def __iter__(self) -> Iterator[str]:
        return map(self._words.__getitem__, self._codes)


class TextColumn:
    """A column of texts of a mapped table, read value by value without Arrow's scalars.

    Examples
    --------
    >>> column = TextColumn(pa.chunked_array([["路", None, "abc"]]))
    >>> column[0], column[1], column[2]
    ('路', None, 'abc')
    """

    def __init__(self, column: pa.ChunkedArray) -> None:
        array = _chunk(column)
        width = np.int64 if pa.types.is_large_string(array.type) else np.int32
        _, offsets, data = array.buffers()
        self._offsets = _part(offsets, width, array.offset, len(array) + 1).data
        self._data = memoryview(data) if data is not None else memoryview(b"")
        valid = flags_of(array.is_valid())
        self._valid = None if valid.all() else valid.view(np.uint8).data

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> str | None:
        if self._valid is not None and not self._valid[row]:
            return None
        return str(self._data[self._offsets[row] : self._offsets[row + 1]], "utf-8")


class ShapeColumn:
    """A column of geometries as WKB, read one by one."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        array = _chunk(column)
        _, offsets, data = array.buffers()
        self._offsets = _part(offsets, np.int64, array.offset, len(array) + 1).data
        self._data = memoryview(data) if data is not None else memoryview(b"")

    def __getitem__(self, row: int) -> shapely.Geometry:
        return shapely.from_wkb(bytes(self._data[self._offsets[row] : self._offsets[row + 1]]))

    def take(self, rows: NDArray[np.intp]) -> NDArray[np.object_]:
        """Return the geometries of some rows."""
        data, ends = self._data, self._offsets
        wkb = [bytes(data[ends[row] : ends[row + 1]]) for row in rows.tolist()]
        return np.asarray(shapely.from_wkb(np.array(wkb, dtype=object)), dtype=object)


def _chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _part(buffer: pa.Buffer | None, kind: type, start: int, size: int) -> NDArray[Any]:
    if buffer is None or not buffer.size:
        return np.zeros(size, dtype=kind)
    return np.frombuffer(buffer, dtype=kind)[start : start + size]
