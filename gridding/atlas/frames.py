"""What stands round a map: frame, coordinate grid, scale bar, north arrow, neighbouring sheets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from gridding.atlas.drawing import GREY, INK, Paper, Stroke, fitting_size, shortened, width_mm
from gridding.atlas.sheets import Frame

_INTERVALS: tuple[int, ...] = tuple(unit * 10**power for power in range(1, 6) for unit in (1, 2, 5))
_LEAST_GAP_MM = 38.0
_BAR_MM = 60.0
_COORDINATE_SIZE = 5.6
_NEIGHBOUR_SIZE = 6.6
_LEAST_SHARED_MM = 1.0
_GRID_LINE = Stroke(colour="#93b3bf", width=0.06)
_FRAME_LINE = Stroke(colour=INK, width=0.15)
_OUTER_LINE = Stroke(colour=INK, width=0.5)
_COMMUNITY_COLOUR = "#b3261e"


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """A sheet beside this one."""

    text: str
    """What the margin says: sheet number and name."""
    target: str
    """Its page."""
    shape: shapely.Geometry
    """Its land, metres."""


def interval_m(scale: int) -> int:
    """Return the spacing in metres of the coordinate grid: round, and at least 38 mm on paper.

    Examples
    --------
    >>> interval_m(500), interval_m(2500), interval_m(5000)
    (20, 100, 200)
    """
    wanted = _LEAST_GAP_MM * scale / 1000
    return next((value for value in _INTERVALS if value >= wanted), _INTERVALS[-1])


def draw_coordinate_grid(paper: Paper, frame: Frame, *, band: float) -> None:
    """Draw the lines of the city's coordinates, their values in the band round the map."""
    west, south, east, north = frame.window
    step = interval_m(frame.scale)
    right, top = frame.left + frame.width, frame.bottom + frame.height
    inset = 0.36 * band
    lines = []
    for value in np.arange(np.ceil(west / step) * step, east, step):
        x = float(frame.on_paper(np.array([[value, south]]))[0, 0])
        lines.append([(x, frame.bottom - 1.2), (x, top + 1.2)])
        label = _grouped(int(value))
        half = width_mm(label, _COORDINATE_SIZE) / 2
        if frame.left + half < x < right - half:
            paper.text((x, frame.bottom - inset), label, _COORDINATE_SIZE, align=0.5, colour=GREY)
            paper.text((x, top + inset - 1.5), label, _COORDINATE_SIZE, align=0.5, colour=GREY)
    for value in np.arange(np.ceil(south / step) * step, north, step):
        y = float(frame.on_paper(np.array([[west, value]]))[0, 1])
        lines.append([(frame.left - 1.2, y), (right + 1.2, y)])
        label = _grouped(int(value))
        half = width_mm(label, _COORDINATE_SIZE) / 2
        if frame.bottom + half < y < top - half:
            for x in (frame.left - inset + 1.5, right + inset):
                paper.text((x, y), label, _COORDINATE_SIZE, align=0.5, colour=GREY, angle=90)
    if lines:
        paper.lines(shapely.linestrings(np.array(lines)), _GRID_LINE)


def draw_frame(paper: Paper, frame: Frame, *, band: float) -> None:
    """Draw the map's inner and outer frame."""
    right, top = frame.left + frame.width, frame.bottom + frame.height
    paper.box((frame.left, frame.bottom, right, top), stroke=_FRAME_LINE)
    outer = 0.45 * band
    paper.box(
        (frame.left - outer, frame.bottom - outer, right + outer, top + outer), stroke=_OUTER_LINE
    )


def draw_scale_bar(paper: Paper, corner: tuple[float, float], scale: int) -> float:
    """Draw ratio and bar of a scale to the right of a point; return the right end."""
    x, y = corner
    ratio = f"1:{_grouped(scale)}"
    paper.text((x, y), ratio, 10, bold=True)
    x += width_mm(ratio, 10) + 6
    length = max(
        unit * 10**power
        for power in range(0, 6)
        for unit in (1, 2, 4, 5)
        if unit * 10**power * 1000 / scale <= _BAR_MM or unit * 10**power == 1
    )
    part = length * 1000 / scale / 4
    ends = np.arange(5) * part + x
    line = Stroke(colour=INK, width=0.12)
    for position in range(4):
        fill = INK if position % 2 == 0 else "#ffffff"
        paper.box((ends[position], y, ends[position + 1], y + 1.3), fill=fill, stroke=line)
    for position in (0, 2, 4):
        value = length * position / 4
        text = f"{value:g}" + (" m" if position == 4 else "")
        paper.text((ends[position], y + 2.0), text, 5.6, align=0.5)
    return float(ends[-1]) + 6


def draw_north_arrow(paper: Paper, at: tuple[float, float], height: float) -> None:
    """Draw an arrow to grid north whose foot is at a point."""
    x, y = at
    half, tip = height * 0.22, y + height * 0.78
    left = shapely.Polygon([(x, tip), (x - half, y), (x, y + height * 0.18)])
    right = shapely.Polygon([(x, tip), (x + half, y), (x, y + height * 0.18)])
    line = Stroke(colour=INK, width=0.15)
    paper.polygons(np.array([left]), fill=INK, stroke=line)
    paper.polygons(np.array([right]), fill="#ffffff", stroke=line)
    paper.text((x, tip + height * 0.05), "北", height * 0.62, align=0.5, bold=True)


def draw_neighbours(
    paper: Paper, frame: Frame, neighbours: Sequence[Neighbour], *, band: float
) -> list[Neighbour]:
    """Name neighbouring sheets where their land leaves the map; return those whose land does not.

    Parameters
    ----------
    paper : Paper
        Page; the names are links.
    frame : Frame
        Where the map stands.
    neighbours : sequence of Neighbour
        In the order of their numbers.
    band : float
        Width of the strip round the map, mm.
    """
    seen: set[int] = set()
    for side in range(4):
        entries = _along(frame, neighbours, side)
        seen.update(entry[1] for entry in entries)
        length = frame.width if side in (0, 2) else frame.height
        size, texts = _sized([neighbours[entry[1]].text for entry in entries], length)
        widths = [width_mm(text, size) + 4 for text in texts]
        places = spread([entry[0] for entry in entries], widths, length)
        for (_, position), text, place, width in zip(entries, texts, places, widths, strict=True):
            _name_side(paper, frame, side, text, (place, width, size), band)
            paper.link(_side_box(frame, side, place, width, band=band), neighbours[position].target)
    return [one for position, one in enumerate(neighbours) if position not in seen]


def spread(places: Sequence[float], widths: Sequence[float], length: float) -> list[float]:
    """Move the middles of labels along a side as little as it takes that none meets the next.

    Examples
    --------
    >>> spread([10, 12, 90], [10, 10, 30], 100)
    [6.0, 16.0, 85.0]
    """
    if not places:
        return []
    width = np.asarray(widths)
    offsets = np.r_[0.0, np.cumsum((width[:-1] + width[1:]) / 2)]
    # Least squares under an order is isotonic regression of what is left when the labels' own
    # lengths are taken away (Barlow et al. 1972).
    wanted = _pooled((np.asarray(places) - offsets).tolist())
    low = width[0] / 2
    high = length - width[-1] / 2 - offsets[-1]
    return [float(v) for v in np.clip(wanted, low, max(low, high)) + offsets]


def _pooled(values: Sequence[float]) -> list[float]:
    blocks: list[tuple[float, int]] = []
    for value in values:
        total, count = float(value), 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            total, count = total + blocks[-1][0], count + blocks[-1][1]
            blocks.pop()
        blocks.append((total, count))
    return [total / count for total, count in blocks for _ in range(count)]


def _along(frame: Frame, neighbours: Sequence[Neighbour], side: int) -> list[tuple[float, int]]:
    """Return where along a side (bottom, right, top, left) each neighbour leaves, in order."""
    west, south, east, north = frame.window
    corners = [(west, south), (east, south), (east, north), (west, north)]
    ends = (corners[side], corners[(side + 1) % 4])
    line = shapely.LineString(sorted(ends))
    entries = []
    for position, neighbour in enumerate(neighbours):
        common = shapely.get_parts(shapely.intersection(neighbour.shape, line))
        common = common[shapely.length(common) > 0]
        if not len(common):
            continue
        longest = common[int(np.argmax(shapely.length(common)))]
        if shapely.length(longest) * 1000 / frame.scale < _LEAST_SHARED_MM:
            continue
        middle = shapely.line_interpolate_point(longest, 0.5, normalized=True)
        along = frame.on_paper(shapely.get_coordinates(middle))[0]
        entries.append(
            (float(along[0] - frame.left if side in (0, 2) else along[1] - frame.bottom), position)
        )
    return sorted(entries)


def _sized(texts: Sequence[str], length: float) -> tuple[float, list[str]]:
    """Return size and texts that fit a side: smaller, then only the sheet numbers."""
    for size in (_NEIGHBOUR_SIZE, 5.4):
        if sum(width_mm(text, size) + 4 for text in texts) <= length:
            return size, list(texts)
    return 5.4, [text.split(" ")[0] for text in texts]


def _name_side(
    paper: Paper,
    frame: Frame,
    side: int,
    text: str,
    measures: tuple[float, float, float],
    band: float,
) -> None:
    place, _, size = measures
    outer = 0.45 * band
    across = (band - outer) / 2 + outer
    shift = size * 0.13
    if side in (0, 2):
        y = (
            frame.bottom - across - shift
            if side == 0
            else frame.bottom + frame.height + across - shift
        )
        at, angle = (frame.left + place, y), 0.0
    elif side == 1:
        at, angle = (frame.left + frame.width + across + shift, frame.bottom + place), 90.0
    else:
        at, angle = (frame.left - across + shift, frame.bottom + place), 90.0
    paper.text(at, text, size, align=0.5, colour=_COMMUNITY_COLOUR, angle=angle)


def _side_box(
    frame: Frame, side: int, place: float, width: float, *, band: float
) -> tuple[float, float, float, float]:
    right, top = frame.left + frame.width, frame.bottom + frame.height
    outer = 0.45 * band
    low, high = place - width / 2, place + width / 2
    if side == 0:
        return (frame.left + low, frame.bottom - band, frame.left + high, frame.bottom - outer)
    if side == 2:
        return (frame.left + low, top + outer, frame.left + high, top + band)
    left = right + outer if side == 1 else frame.left - band
    return (left, frame.bottom + low, left + band - outer, frame.bottom + high)


def draw_page_frame(
    paper: Paper,
    box: tuple[float, float, float, float],
    *,
    title: str,
    note: str,
    number: str,
) -> None:
    """Draw the header of a page: title and note to the left, a number in a box to the right."""
    left, bottom, right, top = box
    height = top - bottom
    tag = f"图号 {number}" if number else ""
    tag_width = width_mm(tag, 15) + 8 if tag else 0.0
    if tag:
        frame = (right - tag_width, bottom + 1.5, right, top)
        paper.box(frame, fill="#fff5f8", stroke=Stroke(colour="#c2187a", width=0.3))
        paper.text(
            (right - tag_width / 2, bottom + 0.36 * height + 0.6),
            tag,
            15,
            align=0.5,
            bold=True,
            colour="#c2187a",
        )
    free = right - left - tag_width - 4
    size = fitting_size(title, 18, 0.66 * free, least=9)
    plain = shortened(title, size, 0.66 * free)
    paper.text((left, bottom + 0.32 * height), plain, size, bold=True)
    start = left + width_mm(plain, size) + 6
    rest = free - (start - left)
    paper.text((start, bottom + 0.32 * height), shortened(note, 9, rest), 9, colour=GREY)


def _grouped(value: int) -> str:
    return f"{value:,}".replace(",", " ")
