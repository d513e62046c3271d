"""The columns of a snapshot's tables, as ``gis.tables`` declares them: what compiling alone needs to know.

Apart from ``api.layout``, so that opening a snapshot loads nothing of a database.
"""

from functools import cache

import pyarrow as pa
from geoalchemy2 import Geometry
from sqlalchemy import ARRAY, DOUBLE_PRECISION, BigInteger, Boolean, Date, DateTime, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB

from gis.tables import FEATURE_TABLES, declare
from gis.tables.columns import BOOKKEEPING

_VERSION_COLUMNS = ("valid_from", "valid_to", "build_id")
LEFT_BEHIND = frozenset([*BOOKKEEPING, "as_delivered", "begins_on", "ends_on"]) - set(
    _VERSION_COLUMNS
)
"""Declared columns that only the database needs. The days of a row of the plan are in its version's."""
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
