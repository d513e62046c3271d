"""What a GeoPackage holds beside its layers: named values, default styles, QGIS projects."""

import io
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
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
