"""What the records of components say of their units, each distinct record once."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

OWN_ROLES = ("maintainer", "owner", "competent")
"""Roles a component's record names units for."""
RECORD_COLUMNS = (
    "ownership_state",
    *(f"{role}_{part}" for role in OWN_ROLES for part in ("code", "name")),
)
"""Columns of a component that say who owns it."""


def distinct_records(components: pa.Table) -> tuple[pa.Table, NDArray[np.int32]]:
    """Return the distinct records of the rows, in the order of their first rows, and each row's.

    Examples
    --------
    >>> units = dict.fromkeys(RECORD_COLUMNS, pa.array(["a", "b", "a"]))
    >>> records, number = distinct_records(pa.table(units))
    >>> records["owner_code"].to_pylist(), number.tolist()
    (['a', 'b'], [0, 1, 0])
    """
    columns = [components[name].combine_chunks() for name in RECORD_COLUMNS]
    number = np.zeros(components.num_rows, dtype=np.int64)
    for column in columns:
        encoded: Any = column.dictionary_encode()
        code = pc.fill_null(encoded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
        # Numbered anew after each column, the pairs never outgrow an integer.
        _, number = np.unique(
            number * (len(encoded.dictionary) + 1) + code + 1, return_inverse=True
        )
    _, first, number = np.unique(number, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order))
    records = pa.table(dict(zip(RECORD_COLUMNS, columns, strict=True))).take(first[order])
    return records, place[number]
