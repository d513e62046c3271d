"""The files of a snapshot: which tables it holds, with which columns, in which order.

The columns are those declared in ``gis.tables``, all row versions included, so that every question
can be asked as of a day; what only the database needs (hashes, source rows) is left behind.
"""

from functools import cache

import pyarrow as pa
from geoalchemy2 import Geometry
from sqlalchemy import ARRAY, DOUBLE_PRECISION, BigInteger, Boolean, Date, DateTime, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB

from gis.tables import FEATURE_TABLES, declare
from gis.tables.columns import BOOKKEEPING

FORMAT = 5
"""Number of this layout; a snapshot of another one is compiled anew."""
MANIFEST = "manifest.json"
POINTER = "current"
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
_VERSION_COLUMNS = ("valid_from", "valid_to", "build_id")
LEFT_BEHIND = frozenset([*BOOKKEEPING, "as_delivered"]) - set(_VERSION_COLUMNS)
"""Declared columns that only the database needs."""
_MEASURED = ("x", "y")
"""Representative point of each geometry, in the city's CRS, m."""

_ARROW_TYPES: tuple[tuple[type, pa.DataType], ...] = (
    (Geometry, pa.large_binary()),
    (JSONB, pa.string()),
    (ARRAY, pa.list_(pa.string())),
    (Text, pa.string()),
    (BigInteger, pa.int64()),
    (Integer, pa.int32()),
    (DOUBLE_PRECISION, pa.float64()),
    (DateTime, pa.timestamp("us", tz="UTC")),
    (Date, pa.date32()),
    (Boolean, pa.bool_()),
)


def order_of(dataset: str) -> tuple[str, ...]:
    """Return the columns by which the rows of a dataset are sorted."""
    return SORTED_BY.get(dataset, _DEFAULT_ORDER)


def table_of(dataset: str) -> str:
    """Return the database table of a dataset of a snapshot."""
    return FEATURE_TABLES["addresses" if dataset == "places" else dataset]


@cache
def schema_of(dataset: str) -> pa.Schema:
    """Return the Arrow schema of a dataset: geometry as WKB in ``geometry``, documents as JSON text.

    Examples
    --------
    >>> schema_of("units").names[:4]
    ['code', 'name', 'aliases', 'kind']
    >>> schema_of("unit_grids").field("geometry").type
    DataType(large_binary)
    """
    table = declare(0).tables[table_of(dataset)]
    fields = [
        pa.field("geometry" if column.name == "geom" else column.name, _arrow_type(column.type))
        for column in table.columns
        if column.name not in LEFT_BEHIND
    ]
    if any(field.name == "geometry" for field in fields):
        fields += [pa.field(name, pa.float64()) for name in _MEASURED]
    return pa.schema(fields)


def _arrow_type(kind: object) -> pa.DataType:
    for declared, arrow in _ARROW_TYPES:
        if isinstance(kind, declared):
            return arrow
    msg = f"no Arrow type for {kind!r}"
    raise TypeError(msg)
