"""Spans of days on which nothing changes: one edition answers for all days of a span."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from api.columns import Numbers
from api.layout import DATASETS

if TYPE_CHECKING:
    from api.snapshot import Snapshot

_DATES = ("valid_from", "valid_to", "successor_from")


def change_days(snapshot: "Snapshot") -> NDArray[np.int32]:
    """Return the days on which any row begins or ceases to hold, ascending, as days since 1970."""
    found: NDArray[np.int32] = snapshot.edition().kept("changes", lambda: _changes(snapshot))
    return found


def _changes(snapshot: "Snapshot") -> NDArray[np.int32]:
    days = [np.empty(0, dtype=np.int32)]
    for dataset in DATASETS:
        table = snapshot.table(dataset)
        for name in _DATES:
            if name in table.column_names:
                days.append(np.asarray(table[name].cast(pa.int32()).unique().drop_null()))
    return np.unique(np.concatenate(days)).astype(np.int32)


def by_span(
    snapshot: "Snapshot", days: Sequence[date | None], number: Numbers
) -> tuple[list[date | None], Numbers]:
    """Return a day of each span that is asked for, and the number of each case's among them.

    Parameters
    ----------
    snapshot : Snapshot
        The data.
    days : sequence of date or None
        Days asked for, ascending; the first is None and stands for what holds now.
    number : ndarray
        For each case the number of its day.
    """
    given = np.array(days[1:], dtype="datetime64[D]").astype(np.int64)
    span = np.searchsorted(change_days(snapshot), given, side="right")
    _, first, which = np.unique(span, return_index=True, return_inverse=True)
    found = np.concatenate([[0], which + 1]).astype(np.int32)
    return [None, *(days[1 + at] for at in first.tolist())], found[number]
