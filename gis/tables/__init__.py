"""The tables of the one store, declared once: types, units, meaning, keys.

Everything else follows from here: the migrations are tested against these declarations, the data
dictionary is generated from their comments, ``gis.conform`` checks frames against them.

The SRID of the geometry columns is the city's own, so the declarations are a function of it.
"""

from functools import cache

from sqlalchemy import MetaData

from gis.datasets import BESIDE_TABLES, FEATURE_TABLES, SCHEMAS
from gis.tables import (
    cases,
    components,
    conflicts,
    geocoding,
    grids,
    imagery,
    managed_grids,
    meta,
    place_names,
    responsibility,
    topography,
)

__all__ = ["BESIDE_TABLES", "FEATURE_TABLES", "SCHEMAS", "declare"]


@cache
def declare(srid: int) -> MetaData:
    """Return the declarations with every geometry column in `srid`, the city's CRS.

    Parameters
    ----------
    srid : int
        SRID of the city's projected CRS in ``spatial_ref_sys``.

    Examples
    --------
    >>> declare(4547).tables["grids.unit_grid"].c.area_m2.type
    DOUBLE_PRECISION()
    """
    metadata = MetaData()
    for module in (
        meta,
        grids,
        managed_grids,
        topography,
        imagery,
        place_names,
        geocoding,
        components,
        conflicts,
        responsibility,
        cases,
    ):
        module.declare(metadata, srid)
    return metadata
