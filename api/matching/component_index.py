"""The components that stand, laid out class by class to be found by their distance."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from gis.nearness import Nearness, lay_things

REMOVED = "removed"
"""Condition of components that are no longer there: no case is about them."""


def lay_components(table: pa.Table, rows: NDArray[np.intp]) -> Nearness:
    """Lay out components; the group of each is the number of its class in the order of the table.

    Parameters
    ----------
    table : pyarrow.Table
        Table ``components`` of a snapshot, which lies class by class.
    rows : numpy.ndarray of int
        Rows that hold, rising; those that are removed are left out.
    """
    runs = pc.run_end_encode(table["class_code"].combine_chunks(), run_end_type=pa.int64())
    part = table.select(["condition", "geometry"]).take(rows)
    stands = pc.fill_null(pc.not_equal(part["condition"], REMOVED), True).to_numpy()
    rows = rows[stands]
    shapes = shapely.from_wkb(part["geometry"].to_numpy()[stands])
    ends = runs.run_ends.to_numpy() if len(runs) else np.empty(0, dtype=np.int64)
    return lay_things(shapes, np.searchsorted(ends, rows, side="right"), rows)
