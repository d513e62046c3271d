"""Names of the schemas, of the tables of each dataset, and of columns with personal data.

Apart from ``gis.tables``, so that who needs the names alone loads nothing that declares tables.
"""

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

PERSONS = (
    "district_person",
    "district_phone",
    "street_person",
    "street_phone",
    "grid_person",
    "grid_phone",
)
"""Columns with personal data: answered only to roles that record cases."""
