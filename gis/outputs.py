"""What vector files can be written: formats by suffix, names and values that they take."""

import errno
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import orjson

from gis.errors import FileFormatError, WorkspaceError
from gis.readings import gdal_words

logger = logging.getLogger(__name__)

_WRITERS = {
    ".gpkg": "GPKG",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".shp": "ESRI Shapefile",
    ".fgb": "FlatGeobuf",
}
_SIDES = {".shx", ".dbf", ".prj", ".cpg", ".qix", ".qpj", ".sbn", ".sbx", ".idm", ".ind"}
"""Of a shapefile, beside the ``.shp``."""
_LOGS = ("-wal", "-shm", "-journal")
"""Of an SQLite file, as a GeoPackage is."""


def check_output(path: Path) -> None:
    """Refuse a file that `gis.vector.write_vector` could not write, before the work that leads to it.

    Raises
    ------
    FileFormatError
        The suffix is of no known format, or there is no such folder.
    """
    driver_of(path)
    if not path.absolute().parent.is_dir():
        msg = f"{path.name} can not be written: there is no folder {path.parent}; create it first."
        raise FileFormatError(
            msg, zh=f"无法写出 {path.name}：文件夹 {path.parent} 不存在，请先创建。"
        )


def driver_of(path: Path) -> str:
    """Return the driver that writes a file of that suffix.

    Raises
    ------
    FileFormatError
        There is none.
    """
    driver = _WRITERS.get(path.suffix.lower())
    if driver is None:
        msg = f"{path.name} can not be written: choose .gpkg, .geojson, .fgb or .shp."
        raise FileFormatError(
            msg, zh=f"无法写出 {path.name}：请使用 .gpkg、.geojson、.fgb 或 .shp。"
        )
    return driver


def refuse_long_names(frame: gpd.GeoDataFrame, path: Path, *, encoding: str) -> None:
    """Refuse names that a shapefile would cut: cut names collide, and nobody is told."""
    names = [str(name) for name in frame.columns.drop(frame.geometry.name)]
    long = [name for name in names if len(name.encode(encoding, errors="replace")) > 10]
    if long:
        shown = ", ".join(long)
        msg = f"{path.name}: a shapefile keeps 10 bytes of a column name ({shown}): rename them or write .gpkg."
        raise FileFormatError(
            msg, zh=f"{path.name}：Shapefile 字段名最多 10 字节（{shown}）：请改名或改用 .gpkg。"
        )


def json_text(value: Any) -> Any:
    """Return lists and dicts as JSON text, all else as it is."""
    if isinstance(value, list | dict | tuple | np.ndarray):
        return orjson.dumps(value, default=str, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    return value


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Yield a place beside `path` to write to; what was written appears at `path` whole, or not at all.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        partial.unlink(missing_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        raise _not_writable(path, error) from error
    finally:
        if partial.parent.is_dir():
            partial.unlink(missing_ok=True)


@contextmanager
def appearing_files(path: Path) -> Iterator[Path]:
    """Yield a place of the same name to write layers to, whose files appear beside each other at the end.

    A GeoPackage that is there is copied to that place first: layers that are not written stay as they are,
    and one that is no GeoPackage gives way. A shapefile is several files; of the old one none stays, no
    index either. Where the block fails nothing has changed.

    Raises
    ------
    FileFormatError
        As for `check_output`.
    WorkspaceError
        The file can not be written, or another program is writing it.
    """
    check_output(path)
    folder = path.with_name(f".{path.name}.partial")
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        partial = folder / path.name
        if partial.suffix.lower() == ".gpkg" and path.is_file():
            _copy_database(path, partial)
        yield partial
        files = sorted(folder.iterdir())
        for stale in _side_files(path) if partial.exists() else ():
            if stale.name not in {file.name for file in files}:
                stale.unlink()
        for file in files:
            file.replace(path.with_name(file.name))
    except OSError as error:
        raise _not_writable(path, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Log what GDAL warns of while it writes a file.

    Raises
    ------
    OSError
        GDAL could not store what it was given, as on a full disk: it tells that in words of its formats.
    """
    try:
        with gdal_words() as words:
            yield
    except RuntimeError as error:  # as all errors of pyogrio
        said = str(error).split("\n", 1)[0]
        raise OSError(errno.EIO, f"it could not be stored, as on a full disk ({said})") from error
    for word in words:
        logger.warning("%s: %s", path.name, word)


def _not_writable(path: Path, error: OSError) -> WorkspaceError:
    reason = error.strerror or error
    msg = f"{path} can not be written: {reason}; choose another place."
    return WorkspaceError(msg, zh=f"无法写入 {path}：{reason}；请另选位置。")


def _copy_database(path: Path, copy: Path) -> None:
    """Copy an SQLite file with what still lies in its log; leave no copy of a file that is none.

    Raises
    ------
    OSError
        Another program is writing it, or it can not be read.
    """
    uri = f"{path.absolute().as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as old, closing(sqlite3.connect(copy)) as new:
            old.backup(new)
    except sqlite3.OperationalError as error:
        raise OSError(str(error)) from error
    except sqlite3.DatabaseError:
        copy.unlink(missing_ok=True)


def _side_files(path: Path) -> list[Path]:
    """Return the files that go with a shapefile or an SQLite file: of another content they mislead."""
    if path.suffix.lower() == ".shp":
        beside = path.absolute().parent.iterdir()
        return [file for file in beside if file.stem == path.stem and file.suffix.lower() in _SIDES]
    logs = [path.with_name(f"{path.name}{end}") for end in _LOGS]
    return [file for file in logs if file.exists()]
