"""The files of a snapshot: which tables it holds, with which columns, in which order.

The columns are those declared in ``gis.tables``, all row versions included, so that every question
can be asked as of a day; what only the database needs (hashes, source rows) is left behind.
"""

FORMAT = 7
"""Number of this layout; a snapshot of another one is compiled anew."""
MANIFEST = "manifest.json"
POINTER = "current"
LOCK = ".lock"
"""File that who compiles holds."""
GRID_OUTLINES = "unit_grids_outlines"
"""Files of the outlines on which shares of an error are measured: ``NAME.ARRAY.npy``."""
COMPONENT_THINGS = "component_things"
"""Files of the live components by their place: ``NAME.ARRAY.npy``."""
AREA_TILING = "areas_live_{}"
"""Files of the patterns by which the live areas of a level are looked up."""
GRID_TILING = "unit_grids_live"
"""Files of the pattern by which the live unit grids are looked up: ``NAME.ARRAY.npy``."""
OWN_RECORDS = "own_records"
"""Name of the table of what components' records say of their units, each distinct one once."""
COMPONENT_RECORDS = "component_records"
"""Name of the array with the row in `OWN_RECORDS` of each row of ``components``, int32."""
KEPT_VERSIONS = 3
"""Versions that stay after a compilation, the new one included."""

DATASETS = (
    "areas",
    "unit_grids",
    "management_grids",
    "evaluation_grids",
    "components",
    "units",
    "responsibility",
    "plan_areas",
    "places",
)
"""Tables of a snapshot; ``places`` is the geocoding database: basic places 基本地点 of every source."""
SEARCH = "search"
"""Name of the file by which places are looked up."""
SORTED_BY = {"components": ("class_code", "code", "valid_from")}
"""Row order where it is not code and day; components lie class by class."""
_DEFAULT_ORDER = ("code", "valid_from")


def order_of(dataset: str) -> tuple[str, ...]:
    """Return the columns by which the rows of a dataset are sorted."""
    return SORTED_BY.get(dataset, _DEFAULT_ORDER)
