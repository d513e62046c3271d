"""The data dictionary: the declarations of ``gis.tables`` as a document for people."""

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import ARRAY, Column, Identity, Table
from sqlalchemy.dialects import postgresql

from gis.tables import FEATURE_TABLES, SCHEMAS, declare
from gis.tables.columns import BOOKKEEPING

_HEAD = """\
# Data dictionary 数据字典

Generated from `gis/tables` by `wanmi db dictionary`; a test holds the two together, so do not edit it by hand.

Geometry is stored in the city's projected CRS (`[city] crs` in `wanmi.toml`), metres, 2D. Texts are UTF-8 and
compared by code point. Days are local calendar days; times carry their zone.

## Columns of every versioned table

A row is one version of a thing. It holds from `valid_from` until the day before `valid_to`; `valid_to` null means
live. At most one version of a code is live. What held on a day *d*:

```sql
SELECT * FROM grids.unit_grid WHERE valid_from <= d AND (valid_to IS NULL OR valid_to > d);
```

"""
_COLUMNS = "| column | type | null | meaning |\n|---|---|---|---|\n"


def dictionary_text() -> str:
    """Return the data dictionary in Markdown: every table and column with type, unit and meaning.

    Examples
    --------
    >>> "| `area_m2` | double precision | no | area, m² |" in dictionary_text()
    True
    """
    metadata = declare(0)
    tables = list(metadata.tables.values())
    versioned = metadata.tables["grids.area"]
    common = [column for column in versioned.columns if column.name in BOOKKEEPING]
    parts = [_HEAD, _COLUMNS, *(_row(column) for column in common)]
    for schema in SCHEMAS:
        parts.append(f"\n## Schema `{schema}`\n")
        parts += [_table(table) for table in tables if table.schema == schema]
    return "".join(parts)


def _table(table: Table) -> str:
    is_versioned = table.fullname in FEATURE_TABLES.values()
    columns = [c for c in table.columns if not (is_versioned and c.name in BOOKKEEPING)]
    datasets = [name for name, full in FEATURE_TABLES.items() if full == table.fullname]
    note = f" Versioned; dataset `{datasets[0]}`." if datasets else ""
    rows = "".join(map(_row, columns))
    return f"\n### `{table.fullname}`\n\n{_sentence(table.comment)}{note}\n\n{_COLUMNS}{rows}"


def _sentence(comment: str | None) -> str:
    text = (comment or "").strip()
    return text[:1].upper() + text[1:] + "."


def _row(column: "Column[Any]") -> str:
    null = "yes" if column.nullable else "no"
    meaning = (column.comment or "").replace("|", "\\|")
    for key in column.foreign_keys:
        meaning += f" → `{key.target_fullname}`"
    return f"| `{column.name}` | {_type(column)} | {null} | {meaning} |\n"


def _type(column: "Column[Any]") -> str:
    kind = column.type
    if isinstance(kind, Geometry):
        shape = str(kind.geometry_type).lower()
        return "geometry" if shape == "geometry" else f"geometry ({shape})"
    if isinstance(kind, ARRAY):
        return "text[]"
    name = str(kind.compile(dialect=postgresql.dialect())).lower()  # type: ignore[no-untyped-call]
    if isinstance(column.server_default, Identity):
        name += " (counted)"
    return name.replace("timestamp with time zone", "timestamptz")
