"""Sorted distinct texts in arrays that can be mapped from a file, found by hash and by prefix."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from api.geocoding import probes

Arrays = dict[str, NDArray[Any]]


def text_arrays(texts: Sequence[str] | pa.Array) -> Arrays:
    """Return the arrays of sorted distinct texts: bytes, where each begins, slots.

    Raises
    ------
    ValueError
        The texts are not sorted by code point, or not distinct.
    """
    column = pa.array(texts, pa.large_string()) if isinstance(texts, Sequence) else texts
    column = column.cast(pa.large_string())
    size = len(column)
    offsets = np.zeros(size + 1, dtype=np.int64)
    data = np.empty(0, dtype=np.uint8)
    if size:
        _, told, content = column.buffers()
        offsets = np.frombuffer(told, dtype=np.int64)[column.offset : column.offset + size + 1]
        data = np.frombuffer(content, dtype=np.uint8)[offsets[0] : offsets[-1]]
        offsets = offsets - offsets[0]
    slots = np.zeros(1 << max(1, (2 * size).bit_length()), dtype=np.uint64)
    probes.fill_slots(data, offsets, slots)
    return {"bytes": data, "offsets": offsets, "slots": slots}


class Texts:
    """Sorted distinct texts.

    Parameters
    ----------
    arrays : mapping
        As `text_arrays` makes them.

    Examples
    --------
    >>> texts = Texts(text_arrays(["裕华", "裕华路", "长安"]))
    >>> texts.find("裕华路"), texts.find("裕"), texts.starting("裕"), texts[2], len(texts)
    (1, -1, (0, 2), '长安', 3)
    """

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = (arrays["bytes"], arrays["offsets"], arrays["slots"])
        self._data, self._offsets, _ = self.arrays

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, number: int) -> str:
        first, last = self._offsets[number], self._offsets[number + 1]
        return self._data[first:last].tobytes().decode()

    def find(self, text: str) -> int:
        """Return the number of a text, or -1."""
        return int(probes.find(*self.arrays, encoded(text)))

    def starting(self, prefix: str) -> tuple[int, int]:
        """Return the number of the first text that starts with a prefix and that past the last."""
        low, high = probes.prefix_range(self._data, self._offsets, encoded(prefix))
        return int(low), int(high)


def encoded(text: str) -> NDArray[np.uint8]:
    """Return the UTF-8 bytes of a text; surrogates that stand alone match nothing."""
    return np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8)
