"""Sheets of the atlas: paper, frame, scale, and the tiles of a community too large for one page.

Lengths on paper are millimetres from the lower left corner; on the ground metres in the city's CRS.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Bounds = tuple[float, float, float, float]
Floats = NDArray[np.float64]

SCALES = (500, 1000, 1500, 2000, 2500, 3000, 4000, 5000)
"""Denominators of the sheets of communities."""
OVERVIEW_SCALES = (
    *SCALES,
    6000,
    8000,
    *(
        round(unit * 10**power)
        for power in (4, 5, 6)
        for unit in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)
    ),
)
"""Denominators of the index maps."""
PAPERS = {"A3": (420.0, 297.0), "A4": (297.0, 210.0)}
"""Width and height, mm; both lie on their long side."""

_TILE_SCALES = (5000, 10_000)
_SMALL_SCALE = 1500
_MOST_TILES = 40
_CLEARANCE_MM = 6.0
_OVERLAP_MM = 20.0


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where things stand on a page, mm."""

    paper: str
    width: float
    height: float
    margin: float = 10.0
    band: float = 10.0
    """Width of the strip round the map that holds coordinates and neighbours."""
    header: float = 13.0
    footer: float = 11.0
    panel: float = 100.0
    """Width of the column beside the map."""

    @property
    def map_size(self) -> tuple[float, float]:
        """Width and height of the map, mm."""
        width = self.width - 2 * self.margin - 2 * self.band - self.panel - 3.0
        height = self.height - 2 * self.margin - 2 * self.band - self.header - self.footer
        return width, height

    @property
    def map_corner(self) -> tuple[float, float]:
        """Lower left corner of the map, mm."""
        return self.margin + self.band, self.margin + self.footer + self.band

    @property
    def panel_left(self) -> float:
        """Left edge of the column beside the map, mm."""
        return self.width - self.margin - self.panel

    @property
    def panel_bottom(self) -> float:
        """Lower edge of the column and of the map's outer frame, mm."""
        return self.margin + self.footer

    @property
    def top(self) -> float:
        """Lower edge of the header, mm."""
        return self.height - self.margin - self.header


def layout_of(paper: str) -> Layout:
    """Return the layout of a page of A3 or A4.

    Examples
    --------
    >>> layout_of("A3").map_size
    (277.0, 233.0)
    """
    width, height = PAPERS[paper]
    if paper == "A3":
        return Layout(paper=paper, width=width, height=height)
    return Layout(
        paper=paper, width=width, height=height, margin=8.0, band=8.0, header=11.0, panel=84.0
    )


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A rectangle of paper that shows a rectangle of ground."""

    left: float
    bottom: float
    width: float
    height: float
    west: float
    south: float
    scale: int
    """Denominator."""

    @property
    def window(self) -> Bounds:
        """What of the ground is seen: west, south, east, north."""
        metres = self.scale / 1000.0
        return (
            self.west,
            self.south,
            self.west + self.width * metres,
            self.south + self.height * metres,
        )

    def on_paper(self, coordinates: Floats) -> Floats:
        """Return ground coordinates as millimetres on the page.

        Examples
        --------
        >>> frame = Frame(left=20, bottom=30, width=100, height=50, west=1000, south=500, scale=2000)
        >>> frame.on_paper(np.array([[1000.0, 500.0], [1020.0, 540.0]])).tolist()
        [[20.0, 30.0], [30.0, 50.0]]
        """
        origin = np.array([self.west, self.south])
        corner = np.array([self.left, self.bottom])
        return np.asarray((coordinates - origin) * (1000.0 / self.scale) + corner)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One map page of a community 社区图幅."""

    number: str
    """Sheet number 图号: ``012``, or ``012-3`` for a tile."""
    community_code: str
    paper: str
    scale: int
    window: Bounds
    """Ground that the map shows."""
    cell: Bounds
    """Part of it that no other sheet of the community is responsible for."""
    is_tile: bool = False


def fit_scale(extent: Bounds, size: tuple[float, float], scales: Sequence[int]) -> int | None:
    """Return the largest scale at which an extent fits a size in mm, clear of the frame; or None.

    Examples
    --------
    >>> fit_scale((0, 0, 520, 400), (277, 233), SCALES)
    2000
    >>> fit_scale((0, 0, 5200, 400), (277, 233), SCALES) is None
    True
    """
    width, height = extent[2] - extent[0], extent[3] - extent[1]
    free = [length - 2 * _CLEARANCE_MM for length in size]
    for scale in scales:
        if width * 1000 / scale <= free[0] and height * 1000 / scale <= free[1]:
            return scale
    return None


def centred(extent: Bounds, size: tuple[float, float], scale: int) -> Bounds:
    """Return the window of a map of a size in mm whose middle is that of an extent.

    Examples
    --------
    >>> centred((0, 0, 100, 100), (200, 100), 1000)
    (-50.0, 0.0, 150.0, 100.0)
    """
    half_width, half_height = size[0] * scale / 2000, size[1] * scale / 2000
    x, y = (extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2
    return (x - half_width, y - half_height, x + half_width, y + half_height)


def plan_sheets(
    number: str, code: str, land: shapely.Geometry, *, paper: str | None = None
) -> list[Sheet]:
    """Return the sheets of one community: one page at the largest scale that fits, or tiles.

    Parameters
    ----------
    number : str
        Its sheet number.
    code : str
        Its code.
    land : shapely.Geometry
        Its area and its grids, metres.
    paper : str
        ``A3`` or ``A4``; None: A3, and A4 for what fits A4 at 1:1500 or larger.

    Examples
    --------
    >>> [sheet.scale for sheet in plan_sheets("001", "130102001001", shapely.box(0, 0, 600, 500))]
    [2500]
    >>> small = plan_sheets("002", "130102001002", shapely.box(0, 0, 90, 60))[0]
    >>> small.paper, small.scale
    ('A4', 1000)
    """
    extent: Bounds = tuple(float(value) for value in land.bounds)  # type: ignore[assignment]
    if paper is None:
        small = fit_scale(extent, layout_of("A4").map_size, SCALES)
        paper = "A4" if small is not None and small <= _SMALL_SCALE else "A3"
    size = layout_of(paper).map_size
    scale = fit_scale(extent, size, SCALES)
    if scale is None:
        return _tiles(number, code, land, paper=paper)
    window = centred(extent, size, scale)
    return [
        Sheet(
            number=number,
            community_code=code,
            paper=paper,
            scale=scale,
            window=window,
            cell=window,
        )
    ]


def _tiles(number: str, code: str, land: shapely.Geometry, *, paper: str) -> list[Sheet]:
    for scale in _TILE_SCALES:
        cells = _cells(land, layout_of(paper).map_size, scale)
        if len(cells) <= _MOST_TILES:
            break
    half = _OVERLAP_MM * scale / 2000
    return [
        Sheet(
            number=f"{number}-{position}",
            community_code=code,
            paper=paper,
            scale=scale,
            window=(cell[0] - half, cell[1] - half, cell[2] + half, cell[3] + half),
            cell=cell,
            is_tile=True,
        )
        for position, cell in enumerate(cells, 1)
    ]


def _cells(land: shapely.Geometry, size: tuple[float, float], scale: int) -> list[Bounds]:
    """Return the cells that hold some of the land, row by row from the north-west."""
    west, south, east, north = land.bounds
    width, height = ((length - _OVERLAP_MM) * scale / 1000 for length in size)
    columns = max(1, math.ceil((east - west) / width))
    rows = max(1, math.ceil((north - south) / height))
    left = (west + east - columns * width) / 2
    top = (south + north + rows * height) / 2
    column, row = np.meshgrid(np.arange(columns), np.arange(rows))
    x, y = left + column.ravel() * width, top - (row.ravel() + 1) * height
    shapely.prepare(land)
    held = shapely.intersects(land, shapely.box(x, y, x + width, y + height))
    return [
        (float(a), float(b), float(a + width), float(b + height))
        for a, b in zip(x[held], y[held], strict=True)
    ]
