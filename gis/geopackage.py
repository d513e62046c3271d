"""What a GeoPackage holds beside its layers: named values, default styles, QGIS projects."""

import io
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from gis.errors import FileFormatError

_STAMP = "wanmi_stamp"
_STYLES = """CREATE TABLE IF NOT EXISTS layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT, f_table_catalog TEXT, f_table_schema TEXT,
    f_table_name TEXT, f_geometry_column TEXT, styleName TEXT, styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT, ui TEXT, update_time TEXT)"""
_PROJECTS = """CREATE TABLE IF NOT EXISTS qgis_projects (
    name TEXT PRIMARY KEY, metadata BLOB, content BLOB)"""
# Tables of OGC 12-128r19 annex F.9 (schema extension), word for word.
_COLUMNS = """CREATE TABLE IF NOT EXISTS gpkg_data_columns (
    table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT,
    mime_type TEXT, constraint_name TEXT,
    CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
    CONSTRAINT gdc_tn UNIQUE (table_name, name))"""
_CONSTRAINTS = """CREATE TABLE IF NOT EXISTS gpkg_data_column_constraints (
    constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC,
    min_is_inclusive BOOLEAN, max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
    CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value))"""
_EXTENSIONS = """CREATE TABLE IF NOT EXISTS gpkg_extensions (
    table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
    scope TEXT NOT NULL, CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))"""
_SCHEMA_TEXT = "http://www.geopackage.org/spec121/#extension_schema"


@dataclass(frozen=True, kw_only=True)
class ColumnText:
    """What a GeoPackage says of a column beside its name."""

    title: str
    """Name for people, which GIS programs show in its place."""
    description: str
    domain: str | None = None
    """Name of the value list that it takes its values from."""


def write_stamp(path: Path, values: Mapping[str, str]) -> None:
    """Write named values into a GeoPackage, in place of those it had."""
    with _opened(path) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {_STAMP}")
        connection.execute(f"CREATE TABLE {_STAMP} (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        insert = f"INSERT INTO {_STAMP} VALUES (?, ?)"  # noqa: S608 (a constant name)
        connection.executemany(insert, sorted(values.items()))


def read_stamp(path: Path) -> dict[str, str]:
    """Return the named values of a GeoPackage; none if it has no stamp.

    Raises
    ------
    FileFormatError
        The file is no GeoPackage.
    """
    with _opened(path) as connection:
        query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
        if not connection.execute(query, [_STAMP]).fetchone()[0]:
            return {}
        rows = connection.execute(f"SELECT name, value FROM {_STAMP}")  # noqa: S608
        return {str(name): str(value) for name, value in rows}


def write_columns(path: Path, layer: str, columns: Mapping[str, ColumnText]) -> None:
    """Write titles, descriptions and value lists of the columns of a layer, in place of older ones."""
    with _opened(path) as connection:
        _enable_schema(connection)
        connection.execute("DELETE FROM gpkg_data_columns WHERE table_name = ?", [layer])
        connection.executemany(
            "INSERT INTO gpkg_data_columns (table_name, column_name, name, title, description,"
            " constraint_name) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (layer, name, text.title, text.title, text.description, text.domain)
                for name, text in columns.items()
            ],
        )


def write_domains(path: Path, domains: Mapping[str, Mapping[str, str]]) -> None:
    """Write value lists: name -> value -> what it means. Names are in lower case, as the format wants."""
    with _opened(path) as connection:
        _enable_schema(connection)
        for name, values in sorted(domains.items()):
            connection.execute(
                "DELETE FROM gpkg_data_column_constraints WHERE constraint_name = ?", [name]
            )
            connection.executemany(
                "INSERT INTO gpkg_data_column_constraints (constraint_name, constraint_type, value,"
                " description) VALUES (?, 'enum', ?, ?)",
                [(name, value, meaning) for value, meaning in values.items()],
            )


def _enable_schema(connection: sqlite3.Connection) -> None:
    for statement in (_COLUMNS, _CONSTRAINTS, _EXTENSIONS):
        connection.execute(statement)
    connection.executemany(
        "INSERT INTO gpkg_extensions SELECT ?, NULL, 'gpkg_schema', ?, 'read-write' WHERE NOT EXISTS"
        " (SELECT 1 FROM gpkg_extensions WHERE table_name = ? AND extension_name = 'gpkg_schema')",
        [
            (table, _SCHEMA_TEXT, table)
            for table in ("gpkg_data_columns", "gpkg_data_column_constraints")
        ],
    )


def write_styles(path: Path, styles: Mapping[str, str]) -> None:
    """Write the default style (QML) of each layer, as QGIS looks for it."""
    with _opened(path) as connection:
        connection.execute(_STYLES)
        for layer, qml in sorted(styles.items()):
            connection.execute("DELETE FROM layer_styles WHERE f_table_name = ?", [layer])
            connection.execute(
                "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name,"
                " f_geometry_column, styleName, styleQML, useAsDefault, update_time)"
                " VALUES ('', '', ?, 'geom', ?, ?, 1, ?)",
                [layer, layer, qml, _now()],
            )


def write_project(path: Path, name: str, text: str) -> None:
    """Write a QGIS project (``.qgs`` text) into a GeoPackage, from where QGIS opens it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.qgs", text)
    metadata = orjson.dumps({"last_modified_time": _now(), "last_modified_user": "wanmi"})
    with _opened(path) as connection:
        connection.execute(_PROJECTS)
        connection.execute(
            "INSERT OR REPLACE INTO qgis_projects VALUES (?, ?, ?)",
            [name, metadata.decode(), packed.getvalue().hex()],
        )


def read_project(path: Path, name: str) -> str:
    """Return the text of a QGIS project in a GeoPackage.

    Raises
    ------
    FileFormatError
        There is no such project.
    """
    with _opened(path) as connection:
        row = connection.execute(
            "SELECT content FROM qgis_projects WHERE name = ?", [name]
        ).fetchone()
    if row is None:
        msg = f"{path.name} has no project {name}: export it again."
        raise FileFormatError(msg, zh=f"{path.name} 中没有工程 {name}：请重新导出。")
    with zipfile.ZipFile(io.BytesIO(bytes.fromhex(row[0]))) as archive:
        return archive.read(f"{name}.qgs").decode()


def _now() -> str:
    return datetime.now(tz=UTC).isoformat(timespec="seconds")


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        msg = f"There is no file {path}: check its name."
        raise FileFormatError(msg, zh=f"找不到文件 {path}。")
    try:
        with closing(sqlite3.connect(path)) as connection, connection:
            yield connection
    except sqlite3.DatabaseError as error:
        msg = f"{path.name} is no GeoPackage that can be used ({error}): give a .gpkg file."
        raise FileFormatError(msg, zh=f"{path.name} 不是可用的 GeoPackage：{error}。") from error
