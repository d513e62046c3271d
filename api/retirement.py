"""Codes of unit grids that hold no more: since when, and which grids hold their land 停用网格的去向.

The land tells, not the record of edits: so a code whose community was delivered anew, or whose
successors were divided again, is answered too, and the database is not asked.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
import shapely

from gis.columns import rows_of

if TYPE_CHECKING:
    from api.edition import Edition

_LEAST_SHARE = 0.01
"""Less of the old grid is no succession but a border redrawn."""
_LATTICE = 24
"""Places on each side of the old grid's frame where it is asked which grid lies there."""


@dataclass(frozen=True, kw_only=True)
class Successor:
    """A grid that holds land of a retired one."""

    code: str
    share: float
    """Share of the retired grid's area that it holds, 0-1."""


@dataclass(frozen=True, kw_only=True)
class Retirement:
    """What became of a unit grid."""

    ended_on: date
    """First day on which it does not hold any more."""
    successors: tuple[Successor, ...]
    """Grids that hold its land on the day asked for, the largest share first."""

    @property
    def last_day(self) -> date:
        """Last day on which it held."""
        return self.ended_on - timedelta(days=1)


def retirement_of(edition: "Edition", code: str) -> Retirement | None:
    """Tell what became of a unit grid that does not hold on the edition's day.

    Returns
    -------
    Retirement or None
        None when no grid of that code ended by then.
    """
    table = edition.snapshot.table("unit_grids")
    rows = pc.indices_nonzero(pc.equal(table["code"], code))
    ends = zip(table["valid_to"].take(rows).to_pylist(), rows.to_pylist(), strict=True)
    past = [(day, row) for day, row in ends if day is not None and day <= edition.day]
    if not past:
        return None
    ended_on, row = max(past)
    land = shapely.from_wkb(table["geometry"][row].as_py())
    return Retirement(ended_on=ended_on, successors=_holders(edition, land))


def _holders(edition: "Edition", land: shapely.Geometry) -> tuple[Successor, ...]:
    """Return the grids that hold a piece of land."""
    west, south, east, north = land.bounds
    steps = (np.arange(_LATTICE) + 0.5) / _LATTICE
    x, y = np.meshgrid(west + (east - west) * steps, south + (north - south) * steps)
    inside = shapely.intersects_xy(land, x.ravel(), y.ravel())
    middle = land.representative_point()
    grids = edition.grids
    found = grids.index.locate(
        np.append(x.ravel()[inside], middle.x), np.append(y.ravel()[inside], middle.y)
    )
    near = np.unique(found.position[(found.position >= 0) & (found.distance_m == 0.0)])
    wkb = edition.snapshot.table("unit_grids")["geometry"].take(rows_of(grids.rows[near]))
    shapes = np.array(shapely.from_wkb(wkb.to_pylist()), dtype=object)
    held = shapely.area(shapely.intersection(shapes, land))
    listed = [
        Successor(code=grids.codes[position], share=round(float(area / land.area), 4))
        for position, area in zip(near.tolist(), held, strict=True)
        if area >= _LEAST_SHARE * land.area
    ]
    return tuple(sorted(listed, key=lambda grid: (-grid.share, grid.code)))
