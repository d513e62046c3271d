"""The features of a topography and the components, taken apart and cleaned."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gridding.lines import Flags, Floats, Geometries, Indices
from gridding.uses import use_of

_LINES = (1, 2)
_AREA = 3


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """Single lines and polygons with the class and the row of the feature they belong to."""

    geometry: Geometries
    feature_class: NDArray[np.str_]
    use: NDArray[np.object_]
    row: Indices
    is_area: Flags

    @property
    def area_m2(self) -> Floats:
        """Area of each piece; 0 for lines."""
        return np.asarray(shapely.area(self.geometry), dtype=np.float64)

    def has_role(self, *roles: str, shape: str) -> Flags:
        """Return which pieces are lines (``line``) or polygons (``area``) of one of the roles."""
        found = np.array([use.role in roles for use in self.use], dtype=bool)
        return found & (self.is_area if shape == "area" else ~self.is_area)

    def take(self, rows: Indices | Flags) -> "Pieces":
        """Return some of the pieces."""
        return Pieces(
            geometry=self.geometry[rows],
            feature_class=self.feature_class[rows],
            use=self.use[rows],
            row=self.row[rows],
            is_area=self.is_area[rows],
        )


def read_points(components: gpd.GeoDataFrame | None) -> tuple[Floats, Floats]:
    """Return one place for each component and its load, ordered by place.

    Lines count at their middle, polygons at a point inside. Components without a place are left out.
    """
    if components is None or len(components) == 0:
        return np.zeros((0, 2)), np.zeros(0)
    shapes = shapely.force_2d(np.asarray(components.geometry.to_numpy(), dtype=object))
    shapes = np.where(_is_sound(shapes), shapes, None)
    kind = shapely.get_dimensions(shapes)
    places = np.where(
        kind == 1,
        shapely.line_interpolate_point(
            np.where(kind == 1, shapely.get_geometry(shapes, 0), None), 0.5, normalized=True
        ),
        shapely.point_on_surface(shapes),
    )
    xy = np.column_stack([shapely.get_x(places), shapely.get_y(places)])
    load = np.ones(len(xy))
    if "load" in components:
        load = pd.to_numeric(components["load"], errors="coerce").fillna(1.0).to_numpy(float)
    kept = np.isfinite(xy).all(axis=1) & np.isfinite(load)
    xy, load = xy[kept], load[kept]
    order = np.lexsort((load, xy[:, 1], xy[:, 0]))
    return xy[order], load[order]


def read_pieces(features: gpd.GeoDataFrame) -> Pieces:
    """Take features apart into single lines and polygons; what is no such thing is left out."""
    shapes = shapely.force_2d(np.asarray(features.geometry.to_numpy(), dtype=object))
    row = np.arange(len(shapes), dtype=np.intp)
    for _ in range(3):  # a collection may hold collections
        shapes, index = shapely.get_parts(shapes, return_index=True)
        row = row[index]
    kind = shapely.get_type_id(shapes)
    usable = np.isin(kind, (*_LINES, _AREA)) & _is_sound(shapes)
    shapes, row, is_area = shapes[usable], row[usable], kind[usable] == _AREA
    classes = features["feature_class"].astype(str).to_numpy(dtype="U16")[row]
    distinct, index = np.unique(
        np.char.add(classes, np.where(is_area, "/area", "/line")), return_inverse=True
    )
    found = np.empty(len(distinct), dtype=object)
    for position, key in enumerate(distinct.tolist()):
        code, _, shape = key.rpartition("/")
        found[position] = use_of(code, shape=shape)
    return Pieces(
        geometry=shapes, feature_class=classes, use=found[index], row=row, is_area=is_area
    )


def _is_sound(shapes: Geometries) -> Flags:
    """Return which geometries are there, hold something, and have coordinates that are numbers."""
    sound: Flags = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    coordinates, index = shapely.get_coordinates(shapes, return_index=True)
    sound[index[~np.isfinite(coordinates).all(axis=1)]] = False
    return sound
