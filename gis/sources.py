"""Delivered files as such: whether they are there and whole, their hash, and what is reported of them."""

import gzip
import hashlib
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from gis.errors import FileFormatError
from gis.findings import Finding
from gis.remarks import Remark
from gis.shapefile import find_parts

MAX_UNPACKED_BYTES = 4 * 1024**3
"""A compressed file that unpacks to more is refused."""
_CHUNK = 1 << 20
_LOOKED_AT = 4096
_HASHED_AT_ONCE = 1 << 25
_HASHING = Lock()
_KINDS = {
    ".shp": "ESRI Shapefile",
    ".gpkg": "GPKG",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".topojson": "TopoJSON",
    ".fgb": "FlatGeobuf",
    ".gdb": "OpenFileGDB",
    ".dxf": "DXF",
    ".parquet": "Parquet",
}
_TABLES = (".csv", ".xlsx", ".xls", ".txt")
_SHAPEFILE_PARTS = (".dbf", ".shx", ".prj", ".cpg", ".sbn", ".sbx")


@dataclass(frozen=True, kw_only=True)
class FileReport:
    """What was found out about a delivered file."""

    path: str
    """File name."""
    driver: str
    sha256: str
    """Over all parts of the file that were read."""
    rows: int
    encoding: str
    """Encoding of the text, as decided."""
    encoding_evidence: Remark
    crs: str
    """CRS of the coordinates in the file; empty for a table."""
    crs_source: str
    """file, manifest, or the format's rule."""
    warnings: tuple[Remark, ...] = ()
    """What the contractor should look at."""
    notes: tuple[Remark, ...] = ()
    """What is worth knowing and no fault."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Rows of a file and what is to be said of it."""

    frame: pd.DataFrame
    """Columns as named in the file, then ``source_file`` and ``source_row``; a GeoDataFrame if read from a
    geodata file."""
    report: FileReport
    findings: tuple[Finding, ...] = ()
    """What single values are at fault with; the report says it of the file."""


def require_file(path: Path) -> Path:
    """Return `path` if it is a file with content.

    Raises
    ------
    FileFormatError
        It is not there, or has 0 bytes; of a shapefile, which parts there are.
    """
    if path.is_dir() and path.suffix.lower() == ".gdb":
        return path
    if path.is_file():
        if path.stat().st_size == 0:
            msg = f"{path.name} is empty (0 bytes): copy it again."
            raise FileFormatError(msg, zh=f"{path.name} 是空文件（0 字节）：请重新拷贝。")
        return path
    if path.suffix.lower() == ".shp" and path.parent.is_dir():
        find_parts(path)  # says which parts there are
    msg = f"There is no file {path}: correct its path (a delivery's stand in delivery.toml)."
    raise FileFormatError(
        msg,
        zh=f"{path.parent} 中没有文件 {path.name}：请更正路径（交付的文件请改 delivery.toml 中的 path）。",
    )


def file_driver(path: Path) -> str:
    """Return the GDAL driver for a file by its suffix.

    Raises
    ------
    FileFormatError
        It is of no kind that is read as a map layer.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    suffix = suffixes[-1] if suffixes else ""
    if suffix == ".gz" and len(suffixes) > 1 and suffixes[-2] in (".geojson", ".json", ".topojson"):
        suffix = suffixes[-2]
    if suffix in _KINDS:
        return _KINDS[suffix]
    hint = "deliver .shp, .gpkg, .gdb, .dxf, .geojson (also .gz), .topojson, .fgb or .parquet"
    hint_zh = "请提交 .shp、.gpkg、.gdb、.dxf、.geojson（可 .gz）、.topojson、.fgb 或 .parquet"
    if suffix in _SHAPEFILE_PARTS:
        hint, hint_zh = f"name the {path.stem}.shp it belongs to", f"请填写其所属的 {path.stem}.shp"
    elif suffix in _TABLES:
        hint = "a table needs x_field and y_field in delivery.toml"
        hint_zh = "表格需在 delivery.toml 中声明 x_field 和 y_field"
    elif suffix == ".dwg":
        hint, hint_zh = "save it as .dxf", "请另存为 .dxf"
    elif suffix == ".zip":
        hint = f"name what is inside, as {path.name}/layer.shp, or unpack it"
        hint_zh = f"请写明其中的文件，如 {path.name}/layer.shp，或先解压"
    elif suffix in (".rar", ".7z"):
        hint, hint_zh = "unpack it into the delivery folder", "请解压到交付文件夹"
    msg = f"{path.name} is of a kind that is not read as a map layer: {hint}."
    raise FileFormatError(msg, zh=f"{path.name} 不是可读取的图层文件：{hint_zh}。")


def plain_column(values: NDArray[Any]) -> "pd.Series[Any]":
    """Return a column as delivered; blank text becomes None.

    Of a column whose texts are often the same, equal ones become one: a million rows stay small.
    """
    if values.dtype != object:
        return pd.Series(values)
    first = [value for value in values[:_LOOKED_AT] if isinstance(value, str)]
    if len(set(first)) * 2 > len(first):
        plain = [None if _is_blank(value) else value for value in values]
    else:
        known: dict[str, str | None] = {}
        plain = [
            value if not isinstance(value, str) else known[value] if value in known
            else known.setdefault(value, None if _is_blank(value) else value)
            for value in values
        ]  # fmt: skip
    return pd.Series(plain, dtype=object)


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file; of a shapefile or FileGDB, over its parts in order of name."""
    digest = hashlib.sha256()
    paths = sorted(part for part in path.rglob("*") if part.is_file()) if path.is_dir() else [path]
    if path.suffix.lower() == ".shp":
        parts = find_parts(path)
        found = (parts.shp, parts.shx, parts.dbf, parts.prj, parts.cpg)
        paths = sorted(part for part in found if part is not None)
    for part in paths:
        digest.update(digest_of(part))
    return digest.hexdigest()


def digest_of(path: Path) -> bytes:
    """Return the SHA-256 of a file's bytes; one that has not changed since is not read again."""
    found = path.stat()
    state = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    with _HASHING:  # who asks for a file that is being hashed gets that hash
        return _digest(path, *state)


@lru_cache(maxsize=1000)
def _digest(path: Path, *state: int) -> bytes:
    del state
    digest, block = hashlib.sha256(), memoryview(bytearray(_HASHED_AT_ONCE))
    # Few large blocks: between two of them a thread waits for the one that computes.
    with path.open("rb", buffering=0) as stream:
        while count := stream.readinto(block):
            digest.update(block[:count])
    return digest.digest()


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Yield `path`, or for a ``.gz`` a temporary file with its content.

    Raises
    ------
    FileFormatError
        The archive is damaged, or unpacks to more than `MAX_UNPACKED_BYTES`.
    """
    if path.suffix.lower() != ".gz":
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="wanmi-") as folder:
        plain = Path(folder, path.stem)
        _unpack(path, plain)
        yield plain


def _unpack(path: Path, plain: Path) -> None:
    size = 0
    try:
        with gzip.open(path, "rb") as source, plain.open("wb") as sink:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > MAX_UNPACKED_BYTES:
                    break
                sink.write(chunk)
    except (EOFError, OSError, zlib.error) as error:
        msg = f"{path.name} is damaged or truncated ({error}): copy it again."
        raise FileFormatError(msg, zh=f"{path.name} 已损坏或被截断：请重新拷贝。") from error
    if size > MAX_UNPACKED_BYTES:
        msg = (
            f"{path.name} unpacks to more than {MAX_UNPACKED_BYTES >> 30} GiB: deliver it in parts."
        )
        raise FileFormatError(
            msg, zh=f"{path.name} 解压后超过 {MAX_UNPACKED_BYTES >> 30} GiB：请分批提交。"
        )


def own_columns_apart(columns: "Iterable[str]") -> dict[str, str]:
    """Return new names for columns of a file that are named like those reading adds.

    Examples
    --------
    >>> own_columns_apart(["code", "source_row"])
    {'source_row': 'source_row_file'}
    """
    return {name: f"{name}_file" for name in columns if name in ("source_file", "source_row")}
