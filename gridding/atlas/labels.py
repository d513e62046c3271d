"""Where the number of each grid stands: as large as its grid allows, and clear of the others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from gridding.atlas.fonts import text_width

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]

POINT_MM = 25.4 / 72.0
_DIGIT_HEIGHT = 0.74
_SECOND_LINE = 0.55
"""Size of the line below the number, against the number's."""
_FILL = 0.88
_AROUND = [(x, y) for y in (0, 1, -1) for x in (0, 1, -1)][1:]
_STEPS = (1.3, 2.2, 3.4)


@dataclass(frozen=True, kw_only=True)
class Label:
    """A number, and perhaps a smaller line below it, on paper in mm."""

    row: int
    """Position of the grid among those labelled."""
    text: str
    note: str = ""
    x: float
    """Middle."""
    y: float
    size: float
    """Of the number, points."""
    anchor: tuple[float, float] | None = None
    """Where a leader line ends, inside the grid; None: the label stands in its grid."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top, mm."""
        width, height = _block(self.text, self.note)
        half_width, half_height = width * self.size / 2, height * self.size / 2
        return (
            self.x - half_width,
            self.y - half_height,
            self.x + half_width,
            self.y + half_height,
        )

    @property
    def note_size(self) -> float:
        """Size of the smaller line, points."""
        return self.size * _SECOND_LINE


def place_labels(
    shapes: Geometries,
    texts: Sequence[str],
    *,
    notes: Sequence[str] = (),
    sizes: tuple[float, float] = (4.5, 13.0),
) -> list[Label]:
    """Return one label for every shape that has room for one.

    The middle is the pole of inaccessibility (Garcia-Castellanos and Lombardo 2007), the size what
    fits the inscribed circle, within limits. Where that is less than the least size, the label
    stands where no other is, with a leader line; where there is no such place it is left out.

    Parameters
    ----------
    shapes : numpy.ndarray
        Polygons on paper, mm; empty ones get no label.
    texts : sequence of str
        Number of each.
    notes : sequence of str
        Smaller line of each, may be empty.
    sizes : tuple
        Least and greatest size, points.
    """
    notes = list(notes) or [""] * len(shapes)
    lowest, highest = sizes
    centre, radius = inscribed(shapes)
    blocks = np.array(
        [_block(text, note) for text, note in zip(texts, notes, strict=True)]
    ).reshape(-1, 2)
    fitting = 2 * _FILL * radius / np.hypot(blocks[:, 0], blocks[:, 1])
    placed: list[Label] = []
    cramped: list[Label] = []
    for row in np.flatnonzero(np.isfinite(fitting) & (radius > 0)).tolist():
        label = Label(
            row=row,
            text=texts[row],
            note=notes[row],
            x=float(centre[row, 0]),
            y=float(centre[row, 1]),
            size=float(min(highest, max(lowest, fitting[row]))),
        )
        (placed if fitting[row] >= lowest else cramped).append(label)
    for label in cramped:
        found = _beside(label, placed)
        if found is not None:
            placed.append(found)
    return sorted(placed, key=lambda label: label.row)


def inscribed(shapes: Geometries) -> tuple[Floats, Floats]:
    """Return middle and radius of the largest circle inside each polygon; NaN and 0 where empty.

    Examples
    --------
    >>> centre, radius = inscribed(np.array([shapely.box(0, 0, 8, 4)]))
    >>> round(float(radius[0]), 1), round(float(centre[0, 1]), 1)
    (2.0, 2.0)
    """
    centre = np.full((len(shapes), 2), np.nan)
    radius = np.zeros(len(shapes))
    some = np.flatnonzero(shapely.area(shapes) > 0)
    if len(some):
        tolerance = np.sqrt(shapely.area(shapes[some])) / 100
        lines = shapely.maximum_inscribed_circle(shapes[some], tolerance=tolerance)
        centre[some] = shapely.get_coordinates(shapely.get_point(lines, 0))
        radius[some] = shapely.length(lines)
    return centre, radius


def overlaps(
    box: tuple[float, float, float, float], others: Sequence[tuple[float, float, float, float]]
) -> bool:
    """Return whether a box shares area with any of the others.

    Examples
    --------
    >>> overlaps((0, 0, 2, 2), [(2, 0, 4, 2)]), overlaps((0, 0, 2, 2), [(1, 1, 4, 2)])
    (False, True)
    """
    if not others:
        return False
    other = np.asarray(others)
    return bool(
        np.any(
            (box[0] < other[:, 2])
            & (other[:, 0] < box[2])
            & (box[1] < other[:, 3])
            & (other[:, 1] < box[3])
        )
    )


def _beside(label: Label, placed: Sequence[Label]) -> Label | None:
    """Return the label where it meets no other: in its place, else around it with a leader."""
    taken = [other.box for other in placed]
    if not overlaps(label.box, taken):
        return label
    left, bottom, right, top = label.box
    width, height = right - left, top - bottom
    for step in _STEPS:
        for x, y in _AROUND:
            tried = replace(
                label,
                x=label.x + x * step * width,
                y=label.y + y * step * height,
                anchor=(label.x, label.y),
            )
            if not overlaps(tried.box, taken):
                return tried
    return None


def _block(text: str, note: str) -> tuple[float, float]:
    """Return width and height in mm of a label whose number has a size of one point."""
    width = text_width(text, 100.0) / 100 * POINT_MM
    height = _DIGIT_HEIGHT * POINT_MM
    if note:
        width = max(width, text_width(note, 100.0) / 100 * _SECOND_LINE * POINT_MM)
        height += 1.25 * _SECOND_LINE * POINT_MM
    return width, height
