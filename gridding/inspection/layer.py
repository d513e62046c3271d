"""A layer of grids made ready for checks: mended polygons, names, and the community of each."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis.errors import CrsError
from gridding.homes import Geometries, community_of, is_finite
from gridding.numbering import COMMUNITY_DIGITS

Mask = NDArray[np.bool_]
Indices = NDArray[np.intp]

_CHUNK = 2_000
"""Pairs that a thread overlays at a time."""


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """What a layer is measured by; the defaults are those of a new city profile."""

    code_length: int = 15
    """Digits of a grid code, 14 or 15."""
    target_m2: float = 10_000.0
    """Area a grid should have, m²: a target, not a limit."""
    lower_ratio: float = 0.5
    """Grids below this share of the target are listed."""
    upper_ratio: float = 1.5
    """Grids above this multiple of the target are listed, unless water or open land makes them."""
    precision_m: float = 0.01
    """Side of the cells on which vertices should lie, m; 0: not checked."""
    clearance_m: float = 0.5
    """Components nearer to a border than this are listed, m."""
    sliver_m: float = 3.0
    """A grid or part narrower than this is a sliver, m."""
    narrow_gap_m: float = 1.0
    """A gap narrower than this is a sliver, m."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a layer of grids is held against; whatever is missing is not checked."""

    communities: gpd.GeoDataFrame | None = None
    """``code`` (12 digits) and ``geometry``."""
    features: gpd.GeoDataFrame | None = None
    """Topography: ``code``, ``feature_class`` and ``geometry``; buildings and open land of it."""
    components: gpd.GeoDataFrame | None = None
    """Components: ``code`` and ``geometry``."""
    retired: frozenset[str] = field(default_factory=frozenset)
    """Codes that may not be borne any more."""


@dataclass(frozen=True, kw_only=True)
class GridLayer:
    """The grids of a layer, by position."""

    frame: gpd.GeoDataFrame
    """As delivered: ``source_file``, ``source_row``, index 0 … n-1."""
    has_codes: bool
    """Whether there is a column of codes at all."""
    code: Geometries
    """Codes as text, None where blank."""
    label: Geometries
    """Codes, or ``#`` and the row, for sentences."""
    given: Geometries
    """Geometry as delivered."""
    shapes: Geometries
    """Polygons, those that cross themselves mended; None where there is no polygon."""
    is_sound: Mask
    """A polygon that is valid as delivered."""
    home: Geometries
    """Community that the code names, or that holds most of the grid; None: none."""

    @property
    def rows(self) -> Indices:
        """Positions of the grids that have a polygon."""
        return np.flatnonzero(~shapely.is_missing(self.shapes))


def make_layer(grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame | None) -> GridLayer:
    """Make a layer ready.

    Parameters
    ----------
    grids : geopandas.GeoDataFrame
        ``geometry`` in a metric CRS; ``code``, ``source_file`` and ``source_row`` where it has them.
    communities : geopandas.GeoDataFrame or None
        ``code`` and ``geometry``.

    Raises
    ------
    CrsError
        The two are in different CRS, or the grids are in degrees.
    """
    _check_crs(grids, communities)
    frame = _with_source(grids.reset_index(drop=True))
    has_codes = "code" in frame
    text = frame["code"] if has_codes else pd.Series(None, index=frame.index, dtype=object)
    blank = text.isna() | text.astype(str).str.strip().eq("")
    code = text.astype(object).where(~blank, None).map(_text).to_numpy(dtype=object)
    rows = "#" + frame["source_row"].astype(str).to_numpy(dtype=object)
    label = np.where(blank, rows, code).astype(object)
    given = np.array(frame.geometry.to_numpy(), dtype=object)
    shapes, is_sound = _mended(given)
    home = _homes(code, shapes, communities, frame)
    return GridLayer(
        frame=frame,
        has_codes=has_codes,
        code=code,
        label=label,
        given=given,
        shapes=shapes,
        is_sound=is_sound,
        home=home,
    )


def _with_source(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the grids with file and row; those of grids that were divided are their positions."""
    place = pd.Series(np.arange(1, len(frame) + 1), index=frame.index)
    if "source_file" not in frame:
        return gpd.GeoDataFrame(frame.assign(source_file="grids", source_row=place))
    row = frame["source_row"].astype(object).where(frame["source_row"].notna(), place)
    file = frame["source_file"].astype(object).where(frame["source_file"].notna(), "grids")
    return gpd.GeoDataFrame(frame.assign(source_file=file, source_row=row.astype(np.int64)))


def _text(value: object) -> str | None:
    """Return a code as text; numbers of spreadsheets lose their ``.0``."""
    if value is None:
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _check_crs(grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame | None) -> None:
    if communities is not None and grids.crs != communities.crs:
        msg = f"Grids in {grids.crs} and communities in {communities.crs}: bring both to one CRS."
        raise CrsError(msg, zh="单元网格与社区的坐标系不同，请先统一坐标系。")
    if grids.crs is not None and grids.crs.is_geographic:
        msg = f"Grids in {grids.crs.name}, degrees: areas need a CRS in metres, such as the city's."
        raise CrsError(msg, zh="单元网格为经纬度坐标，请先转换到城市的平面坐标系。")


def _mended(given: Geometries) -> tuple[Geometries, Mask]:
    """Return polygons for overlays, and which were sound as delivered."""
    finite = is_finite(given)
    polygonal = finite & np.isin(shapely.get_type_id(given), (3, 6))
    is_sound = polygonal.copy()
    is_sound[polygonal] = shapely.is_valid(given[polygonal])
    shapes = given.copy()
    shapes[~polygonal] = None
    shapes = shapely.force_2d(shapes)
    broken = polygonal & ~is_sound
    fixed = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
    shapes[broken] = np.where(shapely.area(fixed) > 0, fixed, None)
    single = np.flatnonzero(
        (shapely.get_type_id(shapes) == 6) & (shapely.get_num_geometries(shapes) == 1)
    )
    shapes[single] = shapely.get_geometry(shapes[single], 0)
    return shapes, is_sound


def _homes(
    code: Geometries,
    shapes: Geometries,
    communities: gpd.GeoDataFrame | None,
    frame: gpd.GeoDataFrame,
) -> Geometries:
    prefix = pd.Series(code, dtype=object).str[:COMMUNITY_DIGITS]
    if communities is None:
        return np.array(prefix.where(prefix.notna(), None), dtype=object)
    known = prefix.isin(communities["code"]).to_numpy()
    home = np.array(prefix.where(known, None), dtype=object)
    lost = np.flatnonzero(~known & ~shapely.is_missing(shapes))
    if len(lost):
        unknown = gpd.GeoDataFrame(geometry=shapes[lost], crs=frame.crs)
        home[lost] = community_of(unknown, communities).to_numpy()
    return home


def solid(pieces: Geometries, *, width_m: float = 0.02, least_m2: float = 0.5) -> Geometries:
    """Return the polygons of overlays without what rounding made of them.

    Parameters
    ----------
    pieces : array of shapely geometry
        Results of overlays: polygons, collections, empty ones.
    width_m : float
        Whatever is nowhere wider than this is left out, m.
    least_m2 : float
        Whatever is no larger is left out, m².

    Returns
    -------
    array of shapely.Polygon or MultiPolygon or None
        One for each piece; None: nothing is left.

    Examples
    --------
    >>> hair, patch = shapely.box(0, 0, 100, 0.01), shapely.box(0, 0, 5, 5)
    >>> [piece and piece.area for piece in solid(np.array([hair, patch]))]
    [None, 25.0]
    """
    pieces = _polygons_of(pieces)
    result = np.full(len(pieces), None, dtype=object)
    large = np.flatnonzero(shapely.area(pieces) > least_m2)
    core = _buffered(pieces[large], -width_m / 2)
    kept = ~shapely.is_empty(core)
    large, core = large[kept], core[kept]
    reach = _buffered(core, width_m)
    result[large] = overlaid(shapely.intersection, pieces[large], reach)
    result[shapely.area(result) <= least_m2] = None
    return result


def _buffered(shapes: Geometries, distance_m: float) -> Geometries:
    widened: Geometries = shapely.buffer(shapes, distance_m, join_style="mitre")
    return widened


def _polygons_of(pieces: Geometries) -> Geometries:
    """Return overlays without the points and lines that came along with polygons."""
    pieces = pieces.copy()
    for row in np.flatnonzero(shapely.get_type_id(pieces) == 7):
        parts = shapely.get_parts(pieces[row])
        pieces[row] = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
    return pieces


def overlaid(overlay: np.ufunc, first: Geometries, second: Geometries) -> Geometries:
    """Return an overlay of pairs, worked on by two threads: GEOS lets go of the interpreter.

    Examples
    --------
    >>> squares = shapely.box([0, 1], 0, [2, 3], 2)
    >>> shapely.area(overlaid(shapely.intersection, squares, squares[::-1])).tolist()
    [2.0, 2.0]
    """
    cuts = list(range(_CHUNK, len(first), _CHUNK))
    with ThreadPoolExecutor(max_workers=2) as pool:
        parts = pool.map(overlay, np.split(first, cuts), np.split(second, cuts))
        return np.concatenate([np.asarray(part) for part in parts])
