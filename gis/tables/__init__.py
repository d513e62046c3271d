"""The tables of the one store, declared once: types, units, meaning, keys.

Everything else follows from here: the migrations are tested against these declarations, the data
dictionary is generated from their comments, ``gis.conform`` checks frames against them.

The SRID of the geometry columns is the city's own, so the declarations are a function of it.
"""

from functools import cache

from sqlalchemy import MetaData

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

SCHEMAS = (
    "meta",
    "grids",
    "topography",
    "imagery",
    "place_names",
    "geocoding",
    "components",
    "responsibility",
    "cases",
)
"""Schemas in the order in which they are made."""

FEATURE_TABLES = {
    "areas": "grids.area",
    "unit_grids": "grids.unit_grid",
    "management_grids": "grids.management_grid",
    "evaluation_grids": "grids.evaluation_grid",
    "topography": "topography.feature",
    "imagery": "imagery.orthophoto",
    "place_names": "place_names.place_name",
    "addresses": "geocoding.place",
    "components": "components.component",
    "units": "responsibility.unit",
    "responsibility": "responsibility.plan_row",
    "plan_areas": "responsibility.plan_area",
}
"""Dataset -> its versioned table. ``cases`` is recorded, not versioned; ``plan_areas`` come with the plan."""

BESIDE_TABLES = {
    "topography": ("topography.sheet", "topography.edge_fault"),
    "responsibility": ("responsibility.plan_area",),
}
"""Dataset -> versioned tables that its builds write beside it, and that a rollback restores with it."""


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
