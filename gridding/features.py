"""The base topography as the division sees it: border lines with prices, and things not to cut.

``borders.csv`` says for every class prefix of GB/T 13923 (the longest prefix wins) whether its lines,
or the outlines of its areas, are borders, and what 100 m of them cost; a class it does not name, and
roads drawn as areas, play no part.
"""

import hashlib
from dataclasses import dataclass
from functools import cache

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from gis.codes import read_table
from gridding.options import DivisionOptions

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]

_LINES = (1, 5)
_AREAS = (3, 6)
_WATER = ("21", "23", "24")
_KNOWN = ("border", "building", "compound")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What of the topography matters to the division, in one fixed order."""

    borders: Geometries
    """Lines that may be borders."""
    prices: Floats
    """Cost per 100 m of each of them."""
    buildings: Geometries
    """Polygons that must not be cut."""
    compounds: Geometries
    """Polygons small enough to be kept whole."""
    water: Geometries
    """Polygons where grids may be large."""


@cache
def _classes() -> dict[tuple[str, str], tuple[str, float, float]]:
    return {
        (row["prefix"], row["shape"]): (row["use"], float(row["price"]), float(row["minimum_m2"]))
        if row["use"] in _KNOWN
        else ("ignore", 0.0, 0.0)
        for row in read_table("gridding", "borders.csv")
    }


def use_of(feature_class: str, shape: str) -> tuple[str, float, float]:
    """Return use, price and least area of a class by its longest known prefix.

    Examples
    --------
    >>> use_of("430501", "line")
    ('border', -1.0, 0.0)
    >>> use_of("310300", "area")[0], use_of("720000", "line")[0]
    ('building', 'ignore')
    """
    table = _classes()
    for length in range(len(feature_class), 0, -1):
        found = table.get((feature_class[:length], shape))
        if found:
            return found
    return ("ignore", 0.0, 0.0)


def read_scene(features: gpd.GeoDataFrame, *, options: DivisionOptions) -> Scene:
    """Sort topography into borders, buildings, compounds and water, in an order of its own.

    Parameters
    ----------
    features : geopandas.GeoDataFrame
        ``feature_class`` and ``geometry`` in a metric CRS; the order of the rows plays no part.
    options : DivisionOptions
        Gives the precision grid.
    """
    geometry = shapely.force_2d(np.asarray(features.geometry.to_numpy(), dtype=object))
    kind = shapely.get_type_id(geometry)
    usable = np.isin(kind, _LINES + _AREAS) & ~shapely.is_empty(geometry)
    geometry, kind = geometry[usable], kind[usable]
    classes = features["feature_class"].astype(str).to_numpy()[usable]
    shapes = np.where(np.isin(kind, _LINES), "line", "area")
    uses = [use_of(code, shape) for code, shape in zip(classes, shapes, strict=True)]
    use = np.array([entry[0] for entry in uses], dtype=object)
    price = np.array([entry[1] for entry in uses], dtype=np.float64)
    minimum = np.array([entry[2] for entry in uses], dtype=np.float64)
    is_area = shapes == "area"
    large = ~is_area | (shapely.area(geometry) >= minimum)
    water = is_area & np.isin([code[:2] for code in classes], _WATER) & large
    is_border = (use == "border") & large
    outlines = np.where(is_area, shapely.boundary(geometry), geometry)
    compounds = (use == "compound") & is_area
    # The outline of a compound is a border only where the compound is too large to be kept whole:
    # beside a centreline it would make a strip between wall and street.
    whole = shapely.area(geometry) <= options.compound_limit * options.target_m2
    is_border |= compounds & ~whole
    lines, prices = _sorted_lines(outlines[is_border], price[is_border], options)
    return Scene(
        borders=lines,
        prices=prices,
        buildings=_sorted_areas(geometry[(use == "building") & is_area], options),
        compounds=_sorted_areas(geometry[compounds & whole], options),
        water=_sorted_areas(geometry[water], options),
    )


def _sorted_lines(
    lines: Geometries, prices: Floats, options: DivisionOptions
) -> tuple[Geometries, Floats]:
    parts, index = shapely.get_parts(lines, return_index=True)
    prices = prices[index]
    parts = shapely.normalize(shapely.set_precision(parts, options.precision_m))
    keep = shapely.length(parts) > 0
    parts, prices = parts[keep], prices[keep]
    order = _order(parts, prices)
    return parts[order], prices[order]


def _sorted_areas(areas: Geometries, options: DivisionOptions) -> Geometries:
    parts = shapely.get_parts(shapely.make_valid(areas))
    parts = shapely.get_parts(shapely.set_precision(parts, options.precision_m))
    parts = shapely.normalize(parts[shapely.area(parts) > 1.0])
    ordered: Geometries = parts[_order(parts, np.zeros(len(parts)))]
    return ordered


def _order(geometry: Geometries, prices: Floats) -> NDArray[np.intp]:
    """Return the order by bounds, then price, then content, whatever order the input had."""
    text = np.array(shapely.to_wkb(geometry, output_dimension=2), dtype=object)
    bounds = shapely.bounds(geometry)
    ties = np.array([hash_of(value) for value in text], dtype=np.uint64)
    keys = (ties, prices, bounds[:, 3], bounds[:, 2], bounds[:, 1], bounds[:, 0])
    return np.lexsort(keys)


def hash_of(value: bytes) -> int:
    """Return 64 bits of a hash that is the same in every run."""
    return int.from_bytes(hashlib.blake2b(value, digest_size=8).digest(), "big")
