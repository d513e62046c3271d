"""Divisions of the ground whose borders cases may lie on the wrong side of: communities, grids, drawn areas."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from numpy.typing import NDArray

if TYPE_CHECKING:
    from api.snapshot import Snapshot

OUTSIDE = ""
"""Code of what lies around a drawn area."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Cells that share borders."""

    codes: tuple[str, ...]
    shapes: NDArray[Any]
    """Polygons, in the city's CRS."""
    column: str | None = None
    """Column of the cases that says in which cell each lies; None: the polygons say it."""

    def own(self, rows: pd.DataFrame, at: NDArray[Any]) -> NDArray[np.intp]:
        """Return the position of the cell of each case, -1: it lies in none; of several the first.

        Parameters
        ----------
        rows : pandas.DataFrame
            The cases.
        at : numpy.ndarray
            Where they lie, as points.
        """
        if self.column is not None:
            places = {code: number for number, code in enumerate(self.codes)}
            return np.array([places.get(code, -1) for code in rows[self.column]], dtype=np.intp)
        own = np.full(len(at), len(self.codes), dtype=np.intp)
        case, cell = shapely.STRtree(self.shapes).query(at, predicate="intersects")
        np.minimum.at(own, case, cell)
        own[own == len(self.codes)] = -1
        return own


def layers_of(snapshot: "Snapshot", *, reach_m: float) -> Iterator[Layer]:
    """Yield the divisions by which rows of the plan or the directory may decide, the widest first.

    Communities; the management grids 责任网格 of each trade that rows name; each polygon or road
    section that rows name, against what lies around it.

    Parameters
    ----------
    snapshot : Snapshot
        The live data.
    reach_m : float
        How far around a drawn area cases are looked at, m.
    """
    edition = snapshot.edition()
    cells = edition.areas["community"]
    wkb = snapshot.table("areas")["geometry"].take(cells.rows).to_numpy(zero_copy_only=False)
    yield Layer(codes=tuple(cells.codes), shapes=shapely.from_wkb(wkb), column="community_code")
    named = edition.areas_answering
    rows = [row for code, row in edition.management_grids.items() if code in named]
    records = [
        record
        for record in snapshot.table("management_grids")
        .take(pa.array(sorted(rows), pa.int64()))
        .to_pylist()
        if record["geometry"] is not None
    ]
    for _, group in groupby(sorted(records, key=_trade_and_code), key=lambda r: str(r["trade"])):
        grids = list(group)
        shapes = np.array([shapely.from_wkb(grid["geometry"]) for grid in grids], dtype=object)
        yield Layer(codes=tuple(grid["code"] for grid in grids), shapes=shapes)
    for area in sorted(edition.plan_areas, key=lambda record: str(record["code"])):
        if area["code"] in named and area["kind"] != "boundary_road":
            around = shapely.buffer(area["geometry"], 2 * reach_m).difference(area["geometry"])
            shapes = np.array([area["geometry"], around], dtype=object)
            yield Layer(codes=(str(area["code"]), OUTSIDE), shapes=shapes)


def _trade_and_code(record: dict[str, Any]) -> tuple[str, str]:
    return str(record["trade"]), str(record["code"])
