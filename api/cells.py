"""Polygons of one kind as an edition knows them: texts stay in the mapped tables until they are read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from gis.columns import rows_of
from gis.index import CellIndex
from gis.shares import Outlines
from gis.tiling import Tiling


def whole(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece; what lies in one piece already stays mapped.

    Examples
    --------
    >>> whole(pa.chunked_array([["a"], ["b"]])).to_pylist()
    ['a', 'b']
    """
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


class Texts:
    """A column of texts; Python objects are made of those alone that are asked for.

    Parameters
    ----------
    column : pyarrow.StringArray
        The texts, some of which may be missing.

    Examples
    --------
    >>> texts = Texts(pa.array(["a", None, "c"]))
    >>> texts[2], texts[1], len(texts), texts[np.array([2, 0])].tolist()
    ('c', None, 3, ['c', 'a'])
    """

    def __init__(self, column: pa.StringArray) -> None:
        self.column = column
        self._ends, self._letters = _letters_of(column)

    def __len__(self) -> int:
        return len(self.column)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, np.ndarray):
            return self.column.take(pa.array(at)).to_numpy(zero_copy_only=False)
        letters, place = self._letters, int(at)
        if letters is None or place < 0:
            return self.column[place].as_py()
        # A scalar of Arrow takes ten times as long to be made.
        return str(letters[self._ends[place] : self._ends[place + 1]], "utf-8")

    def __iter__(self) -> Iterator[Any]:
        return iter(self.column.to_pylist())


def _letters_of(column: pa.Array) -> tuple[memoryview, memoryview | None]:
    """Return where each text ends, after the first's begin, and all letters; None: some are missing."""
    _, ends, letters = column.buffers() if pa.types.is_string(column.type) else (None, None, None)
    if ends is None or letters is None or column.null_count:
        return memoryview(b""), None
    return memoryview(ends).cast("i")[column.offset :], memoryview(letters)


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Polygons of one kind with their index; position i is `rows[i]` of the table."""

    rows: NDArray[np.intp]
    codes: Texts
    names: Texts
    parents: Texts
    """Code of the area one level up, or None."""
    index: CellIndex


def cells_of(
    table: pa.Table,
    rows: NDArray[np.intp],
    parent: str,
    *,
    laid: tuple[Tiling | None, Outlines | None] = (None, None),
) -> Cells:
    """Return cells of some rows of a table; their polygons are read when something asks for them.

    Parameters
    ----------
    table : pyarrow.Table
        Columns ``code``, ``name``, ``geometry`` and `parent`.
    rows : ndarray
        Rows of the cells, rising.
    parent : str
        Column with the code of the area one level up.
    laid : tuple
        Pattern and outlines of the same cells if they are known already.
    """

    def column(name: str) -> Any:
        found = table[name] if len(rows) == table.num_rows else table[name].take(rows_of(rows))
        return whole(found)

    codes = column("code")
    return Cells(
        rows=rows,
        codes=Texts(codes),
        names=Texts(column("name")),
        parents=Texts(column(parent)),
        index=CellIndex(
            codes,
            lambda: shapely.from_wkb(column("geometry").to_numpy(zero_copy_only=False)),
            tiling=laid[0],
            outlines=laid[1],
        ),
    )
