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
_ALONG, _WITHIN_M = 400, 0.1
"""Places along its border, and how far within: a strip that crosses it may lie between the others."""


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

    last_day: date | None
    """Last day on which it held; None: it was replaced on the day on which it began."""


def retirement_of(edition: "Edition", code: str) -> Retirement | None:
    """Tell what became of a unit grid that does not hold on the edition's day.

    Returns
    -------
    Retirement or None
        None when no grid of that code ended by then.
    """
    table = edition.snapshot.table("unit_grids")
    rows = pc.indices_nonzero(pc.equal(table["code"], code))
    days = (table[name].take(rows).to_pylist() for name in ("valid_from", "valid_to"))
    past = [
        (first < end, end, row)
        for first, end, row in zip(*days, rows.to_pylist(), strict=True)
        if end is not None and end <= edition.day
    ]
    if not past:
        return None
    # A version that was replaced on the day on which it began never held.
    has_held, ended_on, row = max(past)
    land = shapely.from_wkb(table["geometry"][row].as_py())
    return Retirement(
        ended_on=ended_on,
        last_day=ended_on - timedelta(days=1) if has_held else None,
        successors=_holders(edition, land),
    )


def _holders(edition: "Edition", land: shapely.Geometry) -> tuple[Successor, ...]:
    """Return the grids that hold a piece of land."""
    west, south, east, north = land.bounds
    steps = (np.arange(_LATTICE) + 0.5) / _LATTICE
    x, y = np.meshgrid(west + (east - west) * steps, south + (north - south) * steps)
    inside = shapely.intersects_xy(land, x.ravel(), y.ravel())
    rim = shapely.segmentize(shapely.buffer(land, -_WITHIN_M), land.length / _ALONG)
    middle = land.representative_point()
    places = np.concatenate(
        [
            np.column_stack([x.ravel()[inside], y.ravel()[inside]]),
            shapely.get_coordinates(rim),
            [(middle.x, middle.y)],
        ]
    )
    grids = edition.grids
    found = grids.index.locate(places[:, 0], places[:, 1])
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
