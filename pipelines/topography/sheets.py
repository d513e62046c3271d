"""Sheets 图幅 of large-scale maps: their numbers as the trade writes them, and the ground they cover.

Rectangular sheets 正方形、矩形分幅 of 1:500, 1:1000 and 1:2000 measure 50 x 50 cm or, east by north,
50 x 40 cm, and are numbered by their south-west corner in kilometres, north (the surveyor's X) first:
1:500 to 0.01 km, 1:1000 and 1:2000 to 0.1 km (GB/T 20257.1; found in textbooks, the standard's text
was not at hand). Leading digits are often left out.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely

from gis.crs import reproject_geometry

SCALES = (500, 1000, 2000)
"""Denominators of the scales that base topography of cities is mapped at."""
Size = Literal["50x50", "50x40"]
Order = Literal["north", "east"]
Source = Literal["index", "number", "features"]

_NORTH_CM = {"50x50": 50, "50x40": 40}
_EAST_CM = 50
_CORNER = re.compile(r"(?<![\d.])(\d{1,5}(?:\.\d{1,3})?)[-_~](\d{1,5}(?:\.\d{1,3})?)(?![\d.])")
_STANDARD = re.compile(r"(?<![A-Z0-9])([A-V])(\d{2})([B-K])(\d{3,4})(\d{3,4})(?!\d)")
_DASHES = str.maketrans(dict.fromkeys("—–−―‐﹣", "-"))
_PARTS = {
    "B": (2, 500_000),
    "C": (4, 250_000),
    "D": (12, 100_000),
    "E": (24, 50_000),
    "F": (48, 25_000),
    "G": (96, 10_000),
    "H": (192, 5_000),
    "I": (576, 2_000),
    "J": (1152, 1_000),
    "K": (2304, 500),
}
"""Letter of a standard number -> rows and columns in a sheet of 1:1,000,000, scale."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One sheet and the ground it covers, in the city's CRS."""

    number: str
    """As delivered."""
    extent: shapely.Polygon
    scale: int
    """Denominator of the scale."""
    source: Source
    """Where the extent is from."""

    @property
    def code(self) -> str:
        """What it is called in the database: 1:1000 and 1:2000 may use one number."""
        return f"{self.scale}:{sheet_key(self.number)}"


@dataclass(frozen=True, kw_only=True)
class Corner:
    """The two figures of a number by corner, km, in the order in which they are written."""

    first: float
    second: float
    period: tuple[float, float]
    """What leading digits that were left out stand for a multiple of, km; by figure."""
    decimals: int


def sheet_key(number: str) -> str:
    """Return the spelling in which sheet numbers are compared.

    Examples
    --------
    >>> sheet_key(" 4214.25—541.0 "), sheet_key("ｘｘ-8"), sheet_key("4214.2-541.0")
    ('4214.25-541.00', 'XX-8', '4214.20-541.00')
    """
    plain = "".join(unicodedata.normalize("NFKC", number).translate(_DASHES).split()).upper()
    match = _CORNER.fullmatch(plain)
    if match is None or "." not in plain:
        return plain
    return "-".join(f"{float(figure):.2f}" for figure in match.groups())


def number_in(text: str) -> str:
    """Return the sheet number in the name of a file or folder: the part that is one, else all of it.

    Examples
    --------
    >>> number_in("长安区_4214.25-541.00_2025"), number_in("J50H001002图"), number_in("第12幅")
    ('4214.25-541.00', 'J50H001002', '第12幅')
    """
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES).strip()
    for match in _CORNER.finditer(plain):
        if "." in match.group():
            return match.group()
    standard = _STANDARD.search(plain.upper())
    return standard.group() if standard else plain


def read_corner(number: str) -> Corner | None:
    """Return the corner that a number tells, None where it tells none.

    Examples
    --------
    >>> read_corner("10.40-27.75")
    Corner(first=10.4, second=27.75, period=(100.0, 100.0), decimals=2)
    >>> read_corner("XX-8") is None
    True
    """
    match = _CORNER.fullmatch(sheet_key(number))
    if match is None or "." not in number:
        return None
    plain = "".join(unicodedata.normalize("NFKC", number).translate(_DASHES).split())
    figures = re.split(r"[-_~]", plain)
    first, second = (float(figure) for figure in figures)
    return Corner(
        first=first,
        second=second,
        period=(_period(figures[0]), _period(figures[1])),
        decimals=max(len(figure.partition(".")[2]) for figure in figures),
    )


def _period(figure: str) -> float:
    """Three digits of east are whole in zones without number; four of north are; fewer were cut."""
    digits = len(figure.partition(".")[0])
    return 10.0 ** min(max(digits, 1), 4 if digits == 4 else 3)


def corner_extent(
    corner: Corner, *, scale: int, size: Size, centre: tuple[float, float], order: Order = "north"
) -> shapely.Polygon:
    """Return the ground of a sheet numbered by its corner, m.

    Digits left out are those that bring the sheet nearest to `centre`.

    Parameters
    ----------
    corner : Corner
        Of the number.
    scale : int
        Denominator.
    size : str
        In cm, east by north.
    centre : tuple of float
        East and north of the city's middle, m.
    order : str
        Which figure is first: north, as the trade writes, or east.

    Examples
    --------
    >>> extent = corner_extent(
    ...     read_corner("14.25-41.00"), scale=500, size="50x50", centre=(541300.0, 4214100.0)
    ... )
    >>> extent.bounds
    (541000.0, 4214250.0, 541250.0, 4214500.0)
    """
    figures = [(corner.first, corner.period[0]), (corner.second, corner.period[1])]
    if order == "east":
        figures.reverse()
    north = _nearest(*figures[0], centre[1] / 1000) * 1000
    east = _nearest(*figures[1], centre[0] / 1000) * 1000
    wide, high = scale * _EAST_CM / 100, scale * _NORTH_CM[size] / 100
    return shapely.box(round(east, 3), round(north, 3), round(east + wide, 3), north + high)


def _nearest(figure: float, period: float, wanted: float) -> float:
    return figure + period * round((wanted - figure) / period)


def size_of(corners: Sequence[Corner], *, scale: int) -> Size:
    """Return the size whose corners lie as these do: 50 x 40 cm where north is no multiple of 50 cm.

    Examples
    --------
    >>> size_of([read_corner("10.20-27.50"), read_corner("10.40-27.75")], scale=500)
    '50x40'
    """
    step = scale * 50 // 100
    whole = [round(corner.first * 1000) % step == 0 for corner in corners]
    if all(whole):
        return "50x50"
    step = scale * 40 // 100
    rows = all(round(corner.first * 1000) % step == 0 for corner in corners)
    return "50x40" if rows else "50x50"


def standard_extent(number: str, *, crs: str) -> tuple[shapely.Polygon, int] | None:
    """Return extent and scale of a sheet by GB/T 13989 (longitude and latitude), None for others.

    Sheets of 1:5000 and smaller as the standard has them since 1992; the letters I, J and K of
    1:2000, 1:1000 and 1:500 are those of its edition of 2012, from memory. The sides become straight
    lines in the city's CRS.

    Parameters
    ----------
    number : str
        As ``J50H001002``.
    crs : str
        The city's CRS, which the extent is returned in.

    Examples
    --------
    >>> extent, scale = standard_extent("J50B001002", crs="EPSG:4326")
    >>> [round(value, 4) for value in extent.bounds], scale
    ([117.0, 38.0, 120.0, 40.0], 500000)
    """
    match = _STANDARD.fullmatch(sheet_key(number))
    if match is None:
        return None
    letter, column, part, row_in, column_in = match.groups()
    parts, scale = _PARTS[part]
    row, place = int(row_in), int(column_in)
    if not (1 <= row <= parts and 1 <= place <= parts):
        return None
    high, wide = 4.0 / parts, 6.0 / parts
    north = 4.0 * (ord(letter) - ord("A") + 1) - (row - 1) * high
    west = 6.0 * (int(column) - 31) + (place - 1) * wide
    corners = shapely.box(west, north - high, west + wide, north)
    shapes = np.array([corners], dtype=object)
    (projected,) = reproject_geometry(shapes, source="EPSG:4490", target=crs)
    return shapely.Polygon(shapely.get_coordinates(projected)), scale


def lattice_extent(middle: tuple[float, float], *, scale: int, size: Size) -> shapely.Polygon:
    """Return the sheet of the regular lattice that holds a point, for sheets with running numbers.

    Examples
    --------
    >>> lattice_extent((541120.0, 4214260.0), scale=500, size="50x50").bounds
    (541000.0, 4214250.0, 541250.0, 4214500.0)
    """
    wide, high = scale * _EAST_CM / 100, scale * _NORTH_CM[size] / 100
    west, south = middle[0] // wide * wide, middle[1] // high * high
    return shapely.box(west, south, west + wide, south + high)


def scale_of(extent: shapely.Polygon) -> int:
    """Return the scale at which a sheet of this extent is about 50 cm wide.

    Examples
    --------
    >>> scale_of(shapely.box(0, 0, 250, 200)), scale_of(shapely.box(0, 0, 1000, 1000))
    (500, 2000)
    """
    west, south, east, north = extent.bounds
    wide = max(east - west, north - south)
    known = (*SCALES, 5000, 10_000, 25_000, 50_000)
    return min(known, key=lambda scale: abs(wide - scale * 0.5))


def missing_sheets(extents: Iterable[shapely.Polygon]) -> list[shapely.Polygon]:
    """Return the sheets of a regular lattice that lie inside the coverage but are not there.

    A place is inside when at least three of the four sheets beside it are there.

    Examples
    --------
    >>> ring = [shapely.box(x, y, x + 1, y + 1) for x in range(3) for y in range(3) if (x, y) != (1, 1)]
    >>> [gap.bounds for gap in missing_sheets(ring)]
    [(1.0, 1.0, 2.0, 2.0)]
    """
    boxes = [extent.bounds for extent in extents]
    sizes = {(round(b[2] - b[0], 3), round(b[3] - b[1], 3)) for b in boxes}
    if len(sizes) != 1:
        return []
    ((wide, high),) = sizes
    west, south = boxes[0][0], boxes[0][1]
    there = {(round((b[0] - west) / wide), round((b[1] - south) / high)) for b in boxes}
    beside = ((1, 0), (-1, 0), (0, 1), (0, -1))
    places = {(x + dx, y + dy) for x, y in there for dx, dy in beside} - there
    inside = [(x, y) for x, y in places if sum((x + dx, y + dy) in there for dx, dy in beside) >= 3]
    return [
        shapely.box(
            west + x * wide, south + y * high, west + (x + 1) * wide, south + (y + 1) * high
        )
        for x, y in sorted(inside)
    ]
