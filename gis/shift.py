"""Whether coordinates are where they should be: swapped axes, a wrong zone, a map vendor's offset.

Coordinates are tried under other readings against what is known of the city: its areas, its roads,
or control points. A reading is only suspected when it explains the reference much better; nothing
is ever corrected here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from gis.crs import GEOGRAPHIC, VENDOR_CRS, crs_name, parse_crs, transform_xy
from gis.offset import is_offset_area

Suspicion = Literal["swapped_axes", "wrong_zone", "wrong_crs", "vendor_offset", "outside"]
Floats = NDArray[np.float64]
Geometries = NDArray[np.object_]

_SAMPLE = 5_000
_MOSTLY = 0.5
"""A reading that puts fewer points into the city's areas than this does not hold."""
_CLEAR_GAIN = 10
_GAIN_TO_LOSS = 5
_LEFT_OUTSIDE = 0.2
_CLOSER = 0.3
"""Distances must shrink to this share before an offset is suspected."""
_NOTICEABLE_M = 20.0
_ZONES = (*range(4534, 4555), *range(4513, 4534), *range(4491, 4513))  # 3 degree zones first


@dataclass(frozen=True, kw_only=True)
class Areas:
    """The loaded areas, indexed once for many readings; all in the city's CRS."""

    cells: Geometries
    boxes: shapely.STRtree
    """Over the cells."""
    borders: shapely.STRtree
    """Over the straight pieces of their borders: long borders as a whole would answer slowly."""

    def contain(self, x: Floats, y: Floats) -> NDArray[np.bool_]:
        """Return which points lie in an area, borders included; NaN lies in none."""
        point, cell = self.boxes.query(shapely.points(x, y))
        hit = shapely.intersects_xy(self.cells[cell], x[point], y[point])
        inside = np.zeros(len(x), dtype=bool)
        inside[point[hit]] = True
        return inside

    def border_distance_m(self, x: Floats, y: Floats) -> Floats:
        """Return the distance of each point to the nearest border; infinite for NaN."""
        distance_m = np.full(len(x), np.inf)
        real = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        found, nearest_m = self.borders.query_nearest(
            shapely.points(x[real], y[real]), return_distance=True, all_matches=False
        )
        distance_m[real[found[0]]] = nearest_m
        return distance_m


def index_areas(polygons: Geometries) -> Areas:
    """Index polygons in the city's CRS for `suspect_shift`."""
    cells = np.asarray(polygons, dtype=object)
    shapely.prepare(cells)
    rings = shapely.get_rings(shapely.get_parts(cells))
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    follows = ring[1:] == ring[:-1]
    pieces = shapely.linestrings(np.stack([coordinates[:-1], coordinates[1:]], axis=1)[follows])
    return Areas(cells=cells, boxes=shapely.STRtree(cells), borders=shapely.STRtree(pieces))


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A way to read coordinates and how well it fits the reference."""

    crs: str
    """CRS the numbers are taken to be in."""
    is_swapped: bool
    x: Floats
    """East in the city's CRS, m."""
    y: Floats
    inside: NDArray[np.bool_]
    """True where the point is in the reference areas."""

    @property
    def share(self) -> float:
        """Share of the points that are in the reference areas."""
        return float(self.inside.mean()) if len(self.inside) else 0.0


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something suspected of a file's coordinates."""

    name: Suspicion
    en: str
    zh: str
    crs: str | None = None
    """CRS that explains the coordinates; None: none was found."""


def suspect_shift(
    x: ArrayLike, y: ArrayLike, *, source: str, city: str, areas: Areas
) -> list[Finding]:
    """Compare points with the city's areas under other readings of their coordinates.

    Points must be such as belong into the city: components, addresses, vertices of features. A
    vendor's offset shows in two ways: points near the city's border fall outside, and vertices of
    areas run beside the known borders instead of on them. Where neither is to be seen nothing is
    said of it; `suspect_offset` needs points that are known by name.

    Parameters
    ----------
    x, y : array_like
        Coordinates as in the file.
    source : str
        CRS they were read in.
    city : str
        The city's CRS.
    areas : Areas
        The loaded areas, of `index_areas`.

    Returns
    -------
    list of Finding
        Empty: nothing suspected. At most one of the gross errors, or one vendor offset.

    Examples
    --------
    >>> square = index_areas([shapely.box(500_000, 4_200_000, 510_000, 4_210_000)])
    >>> north, east = [4_205_000.0, 4_206_000.0], [505_000.0, 506_000.0]
    >>> [found.name for found in suspect_shift(
    ...     north, east, source="EPSG:4547", city="EPSG:4547", areas=square)]
    ['swapped_axes']
    """
    points_x, points_y = _sample(x, y)
    if len(points_x) == 0:
        return []
    plain = read_as(points_x, points_y, crs=source, city=city, areas=areas)
    if plain.share < _MOSTLY:
        return [_gross_error(points_x, points_y, plain, city=city, areas=areas)]
    if crs_name(source) in VENDOR_CRS or _is_far_from_offset(plain, city=city):
        return []
    best = _best_vendor(plain, city=city, areas=areas)
    return [best] if best is not None else []


def read_as(
    x: Floats, y: Floats, *, crs: str, city: str, areas: Areas, is_swapped: bool = False
) -> Reading:
    """Read coordinates as being in `crs` and see which fall into `areas`, borders included."""
    first, second = (y, x) if is_swapped else (x, y)
    east, north = transform_xy(first, second, source=crs, target=city)
    inside = areas.contain(east, north)
    return Reading(crs=crs, is_swapped=is_swapped, x=east, y=north, inside=inside)


def _sample(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Return at most `_SAMPLE` finite points, evenly taken."""
    points = np.column_stack([np.ravel(x), np.ravel(y)]).astype(np.float64)
    points = points[np.isfinite(points).all(axis=1)]
    points = points[:: max(1, len(points) // _SAMPLE)]
    return points[:, 0], points[:, 1]


def _gross_error(x: Floats, y: Floats, plain: Reading, *, city: str, areas: Areas) -> Finding:
    readings = [
        read_as(x, y, crs=crs, city=city, areas=areas, is_swapped=swapped)
        for crs, swapped in _other_readings(x, y, plain.crs, city=city)
    ]
    best = max(readings, key=lambda reading: reading.share, default=plain)
    before = f"{plain.share:.0%}"
    if best.share < max(_MOSTLY, 2 * plain.share):
        return Finding(
            name="outside",
            en=f"Only {before} of the points lie in the city, read as {_short(plain.crs)}, and no other reading "
            "fits: check the file and its crs.",
            zh=f"按 {_short(plain.crs)} 读取时仅 {before} 的点位于城市范围内，其他读法也不符合：请检查文件及其坐标系。",
        )
    after = f"{best.share:.0%}"
    if best.is_swapped:
        zone = "" if best.crs == plain.crs else f" and in {_short(best.crs)}"
        return Finding(
            name="swapped_axes",
            en=f"x and y look swapped{zone}: {before} of the points lie in the city as delivered, {after} when "
            "swapped; deliver east as x and north as y.",
            zh=f"x、y 疑似颠倒：按原样 {before} 的点位于城市范围内，交换后为 {after}；请以东为 x、北为 y。",
            crs=best.crs,
        )
    is_zone = parse_crs(best.crs).is_projected and parse_crs(plain.crs).is_projected
    return Finding(
        name="wrong_zone" if is_zone else "wrong_crs",
        en=f"The coordinates look like {_short(best.crs)}, not {_short(plain.crs)}: {after} of the points lie in the "
        f"city then, {before} as stated; correct crs in delivery.toml.",
        zh=f"坐标疑似 {_short(best.crs)} 而非 {_short(plain.crs)}：前者 {after} 的点位于城市范围内，后者 {before}；"
        "请更正 delivery.toml 中的 crs。",
        crs=best.crs,
    )


def _other_readings(x: Floats, y: Floats, source: str, *, city: str) -> Iterator[tuple[str, bool]]:
    """Yield other (CRS, swapped) readings, the likeliest first."""
    yield source, True
    yield crs_name(city), False
    if np.abs(x).max() <= 180 and np.abs(y).max() <= 180:
        yield GEOGRAPHIC, False
        yield GEOGRAPHIC, True
        return
    yield crs_name(city), True
    for code in _ZONES:
        yield f"EPSG:{code}", False
    for code in _ZONES:
        yield f"EPSG:{code}", True


def _is_far_from_offset(plain: Reading, *, city: str) -> bool:
    """Return whether no point lies where vendors apply their offset."""
    lon, lat = transform_xy(plain.x, plain.y, source=city, target=GEOGRAPHIC)
    return not is_offset_area(lon, lat).any()


def _best_vendor(plain: Reading, *, city: str, areas: Areas) -> Finding | None:
    lon, lat = transform_xy(plain.x, plain.y, source=city, target=GEOGRAPHIC)
    readings = [read_as(lon, lat, crs=vendor, city=city, areas=areas) for vendor in VENDOR_CRS]
    return _by_borders(plain, readings, areas=areas) or _by_inside(plain, readings)


def _by_borders(plain: Reading, readings: list[Reading], *, areas: Areas) -> Finding | None:
    """Suspect a vendor if its reading brings the points onto the borders."""
    before_m = float(np.median(areas.border_distance_m(plain.x, plain.y)))
    after_m = [float(np.median(areas.border_distance_m(r.x, r.y))) for r in readings]
    least_m = min(after_m)
    if not (before_m > _NOTICEABLE_M and least_m <= _CLOSER * before_m):
        return None
    return _vendor_finding(
        readings[after_m.index(least_m)].crs, before_m=before_m, after_m=least_m, to="known borders"
    )


def _by_inside(plain: Reading, readings: list[Reading]) -> Finding | None:
    """Suspect a vendor if its reading brings the points that lie outside back inside."""
    best = max(readings, key=lambda reading: reading.share)
    gained = int((best.inside & ~plain.inside).sum())
    lost = int((plain.inside & ~best.inside).sum())
    outside = int((~plain.inside).sum())
    left = int((~best.inside).sum())
    is_clear = gained >= _CLEAR_GAIN and gained >= _GAIN_TO_LOSS * lost
    if not is_clear or left > _LEFT_OUTSIDE * outside:
        return None
    total = len(plain.x)
    return Finding(
        name="vendor_offset",
        en=f"The coordinates look like {best.crs}: {outside} of {total} points lie outside the city as delivered, "
        f'{left} once the offset is removed; if so, state crs = "{best.crs}".',
        zh=f"坐标疑似 {best.crs}：按原样 {total} 个点中有 {outside} 个在城市范围外，去除偏移后剩 {left} 个；"
        f'若属实请声明 crs = "{best.crs}"。',
        crs=best.crs,
    )


def _vendor_finding(crs: str, *, before_m: float, after_m: float, to: str) -> Finding:
    to_zh = {"known borders": "已知边界", "known points": "已知点"}[to]
    return Finding(
        name="vendor_offset",
        en=f"The coordinates look like {crs}: as delivered they lie {before_m:.0f} m from the {to}, "
        f'{after_m:.1f} m once the offset is removed; if so, state crs = "{crs}".',
        zh=f"坐标疑似 {crs}：按原样与{to_zh}相距 {before_m:.0f} 米，去除偏移后为 {after_m:.1f} 米；"
        f'若属实请声明 crs = "{crs}"。',
        crs=crs,
    )


def suspect_offset(
    x: ArrayLike, y: ArrayLike, *, known_x: ArrayLike, known_y: ArrayLike, city: str
) -> list[Finding]:
    """Compare points with the known positions of the same points, in the same order.

    Parameters
    ----------
    x, y : array_like
        Positions as delivered, in the city's CRS, m.
    known_x, known_y : array_like
        Control points or earlier positions, in the city's CRS, m.
    city : str
        The city's CRS.

    Returns
    -------
    list of Finding
        One ``vendor_offset`` if removing it brings the points to a third of their distance or less.

    Examples
    --------
    >>> east, north = np.array([500_000.0, 501_000.0]), np.array([4_200_000.0, 4_203_000.0])
    >>> shifted = transform_xy(*transform_xy(east, north, source="EPSG:4547", target="GCJ-02"),
    ...                        source="EPSG:4490", target="EPSG:4547")
    >>> suspect_offset(*shifted, known_x=east, known_y=north, city="EPSG:4547")[0].crs
    'GCJ-02'
    """
    east, north = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    right_x, right_y = np.asarray(known_x, dtype=np.float64), np.asarray(known_y, dtype=np.float64)

    def distance(points: tuple[Floats, Floats]) -> float:
        return float(np.nanmedian(np.hypot(points[0] - right_x, points[1] - right_y)))

    if len(east) == 0:
        return []
    before = distance((east, north))
    lon, lat = transform_xy(east, north, source=city, target=GEOGRAPHIC)
    after = {
        vendor: distance(transform_xy(lon, lat, source=vendor, target=city))
        for vendor in VENDOR_CRS
    }
    best = min(after, key=lambda vendor: after[vendor])
    if not (before > _NOTICEABLE_M and after[best] <= _CLOSER * before):
        return []
    return [_vendor_finding(best, before_m=before, after_m=after[best], to="known points")]


def _short(crs: str) -> str:
    name = crs_name(crs)
    return name if len(name) <= 40 else parse_crs(name).name
