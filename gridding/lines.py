"""Lines that may be borders: their kinds, prices and ranks, and one fixed order for all geometry."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]

KINDS = (
    "locked",
    "water",
    "railway",
    "main_road",
    "street",
    "internal_road",
    "path",
    "wall",
    "parcel",
    "green",
    "land_use",
    "existing",
)
"""Kinds of lines; the kind of a line is its position here."""


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Lines that may be borders, in one fixed order."""

    lines: Geometries
    kind: Indices
    """Position of each line's kind in ``KINDS``."""
    rank: Indices
    """Where two lines run side by side the one of higher rank stays."""
    price: Floats
    """Cost per 100 m of border; negative: a wanted border; locked: -1000."""

    def take(self, rows: Indices) -> "Lines":
        """Return the lines of the given positions."""
        return Lines(
            lines=self.lines[rows],
            kind=self.kind[rows],
            rank=self.rank[rows],
            price=self.price[rows],
        )


def joined_lines(*several: Lines) -> Lines:
    """Return all lines in their fixed order; they lie on the precision grid already."""
    joined = Lines(
        lines=np.concatenate([one.lines for one in several]),
        kind=np.concatenate([one.kind for one in several]),
        rank=np.concatenate([one.rank for one in several]),
        price=np.concatenate([one.price for one in several]),
    )
    return joined.take(_line_order(joined))


def sorted_lines(lines: Lines, *, precision_m: float) -> Lines:
    """Bring lines to the precision grid and into their fixed order; what vanishes there is dropped."""
    snapped = shapely.set_precision(lines.lines, precision_m)
    parts, row = shapely.get_parts(snapped, return_index=True)
    kept = shapely.length(parts) > 0
    result = replace(lines.take(row[kept]), lines=shapely.normalize(parts[kept]))
    return result.take(_line_order(result))


def sorted_areas(
    areas: Geometries, values: Floats, *, precision_m: float
) -> tuple[Geometries, Floats]:
    """Bring areas and their values to the precision grid and into their fixed order.

    Invalid areas are mended; parts of less than 1 m² are dropped.
    """
    parts, row = shapely.get_parts(shapely.make_valid(areas), return_index=True)
    parts, again = shapely.get_parts(shapely.set_precision(parts, precision_m), return_index=True)
    row = row[again]
    kept = (shapely.get_type_id(parts) == 3) & (shapely.area(parts) > 1.0)
    parts, values = shapely.normalize(parts[kept]), values[row[kept]]
    order = _order(parts, values)
    return parts[order], values[order]


def _line_order(lines: Lines) -> Indices:
    return _order(lines.lines, lines.price, lines.kind, lines.rank)


def _order(geometry: Geometries, *values: Floats | Indices) -> Indices:
    """Return the order by bounds, then values, then content, whatever order the input had."""
    text = shapely.to_wkb(geometry, output_dimension=2)
    ties = np.array([hash_of(value) for value in text], dtype=np.uint64)
    west, south, east, north = shapely.bounds(geometry).T if len(geometry) else np.zeros((4, 0))
    return np.lexsort((ties, *values, north, east, south, west))


def hash_of(value: bytes) -> int:
    """Return 64 bits of a hash that is the same in every run."""
    return int.from_bytes(hashlib.blake2b(value, digest_size=8).digest(), "big")


def unbound(geometry: Geometries) -> Geometries:
    """Return geometry that is bound to no precision grid any more; its coordinates stay.

    What was put on a grid keeps that grid in mind, and overlays with it snap to it: but not once it was
    sent to another process. Without it both give the same.

    Examples
    --------
    >>> snapped = shapely.set_precision(np.array([shapely.Point(0.123, 1)], dtype=object), 0.01)
    >>> free = unbound(snapped)
    >>> shapely.get_precision([snapped[0], free[0]]).tolist(), free[0].wkt
    ([0.01, 0.0], 'POINT (0.12 1)')
    """
    plain: Geometries = shapely.from_wkb(shapely.to_wkb(geometry))
    return plain
