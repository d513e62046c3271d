"""Codes of unit grids, areas and components that hold no more: since when, and what is there now 停用编码的去向.

The land tells, not the record of edits: so a code whose community was delivered anew, or whose
successors were divided again, is answered too, and the database is not asked. Of components the codes
that they got later are known.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from api.recodes import TABLE as RECODES
from api.recodes import later_codes
from gis.columns import rows_of
from gis.shares import Outlines

if TYPE_CHECKING:
    from api.cells import Cells
    from api.edition import Edition

_LEAST_SHARE = 0.01
"""Less of the old land is no succession but a border redrawn."""


@dataclass(frozen=True, kw_only=True)
class Successor:
    """What holds land of a retired code, or the code that a component got later."""

    code: str
    share: float | None
    """Share of the retired one's area that it holds, 0-1; None: of a component, which has none."""


@dataclass(frozen=True, kw_only=True)
class Retirement:
    """What became of a code."""

    ended_on: date
    """First day on which it does not hold any more."""
    successors: tuple[Successor, ...]
    """What holds its land on the day asked for, the largest share first; of a component its later codes."""

    last_day: date | None
    """Last day on which it held; None: it was replaced on the day on which it began."""


def retirement_of(edition: "Edition", dataset: str, code: str) -> Retirement | None:
    """Tell what became of a code that does not hold on the edition's day.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day asked for.
    dataset : str
        ``unit_grids``, ``areas`` or ``components``.
    code : str
        Business key.

    Returns
    -------
    Retirement or None
        None when nothing of that code ended by then.
    """
    table = edition.snapshot.table(dataset)
    rows = list(_rows(edition, dataset, code))
    taken = rows_of(np.array(rows, dtype=np.int64))
    days = (table[name].take(taken).to_pylist() for name in ("valid_from", "valid_to"))
    past = [
        (first < end, end, row)
        for first, end, row in zip(*days, rows, strict=True)
        if end is not None and end <= edition.day
    ]
    if not past:
        return None
    # A version that was replaced on the day on which it began never held.
    has_held, ended_on, row = max(past)
    return Retirement(
        ended_on=ended_on,
        last_day=ended_on - timedelta(days=1) if has_held else None,
        successors=_successors(edition, dataset, row),
    )


def _rows(edition: "Edition", dataset: str, code: str) -> Iterator[int]:
    """Yield the rows of all versions of a code."""
    snapshot = edition.snapshot
    column = snapshot.table(dataset)["code"]
    order = snapshot.components_by_code if dataset == "components" else range(len(column))

    def told(at: int) -> str:
        found: str = column[int(order[at])].as_py()
        return found

    at = bisect_left(range(len(column)), code, key=told)
    while at < len(column) and told(at) == code:
        yield int(order[at])
        at += 1


def _successors(edition: "Edition", dataset: str, row: int) -> tuple[Successor, ...]:
    table = edition.snapshot.table(dataset)
    if dataset == "components":
        codes = later_codes(edition.snapshot.table(RECODES), table["code"][row].as_py())
        return tuple(Successor(code=code, share=None) for code in codes)
    cells = edition.grids if dataset == "unit_grids" else edition.areas[table["level"][row].as_py()]
    land = table["geometry"][row].as_py()
    return () if land is None else _holders(edition, dataset, cells, shapely.from_wkb(land))


def _holders(edition: "Edition", dataset: str, cells: "Cells", land: Any) -> tuple[Successor, ...]:
    """Return the cells that hold a piece of land."""
    # What crosses itself is looked up as it was repaired; its own area would be that of one loop less the other.
    land = shapely.make_valid(land, method="structure")
    if not len(cells.rows) or not land.area > 0.0:
        return ()
    near = np.sort(cells.index.by_code[_within(cells.index.outlines, shapely.bounds(land))])
    wkb = edition.snapshot.table(dataset)["geometry"].take(rows_of(cells.rows[near]))
    shapes = shapely.make_valid(np.array(shapely.from_wkb(wkb.to_pylist()), dtype=object))
    held = shapely.area(shapely.intersection(shapes, land))
    listed = [
        Successor(code=cells.codes[position], share=round(float(area / land.area), 4))
        for position, area in zip(near.tolist(), held, strict=True)
        if area >= _LEAST_SHARE * land.area
    ]
    return tuple(sorted(listed, key=lambda cell: (-(cell.share or 0.0), cell.code)))


def _within(outlines: Outlines, bounds: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the cells, in the order of their codes, whose boxes touch bounds."""
    corner, per_width = outlines.frame[:2], outlines.frame[2]
    west, south, east, north = bounds
    low, high = (
        np.clip(np.floor((at - corner) * per_width), 0, outlines.shape - 1).astype(np.int64)
        for at in (bounds[:2], bounds[2:])
    )
    columns = int(outlines.shape[0])
    found = []
    for line in range(low[1], high[1] + 1):
        ends = outlines.firsts[[line * columns + low[0], line * columns + high[0] + 1]]
        entries = slice(*ends.tolist())
        boxes = outlines.boxes[entries]
        touches = (boxes[:, 0] <= east) & (boxes[:, 2] >= west)
        touches &= (boxes[:, 1] <= north) & (boxes[:, 3] >= south)
        found.append(outlines.cells[entries][touches] // 4)
    return np.unique(np.concatenate(found)).astype(np.intp)
