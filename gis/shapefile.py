"""The parts of a shapefile: which there are, whether they are whole, and a missing index remade."""

import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gis.errors import FileFormatError

_HEADER = 100
_FILE_CODE = 9994
_POINT = np.dtype([("number", ">i4"), ("length", ">i4"), ("kind", "<i4"), ("xy", "<f8", (2,))])
_SHAPE_TYPES = frozenset({0, 1, 3, 5, 8, 11, 13, 15, 18, 21, 23, 25, 28, 31})


@dataclass(frozen=True, kw_only=True)
class ShapefileParts:
    """The files that make up one shapefile."""

    shp: Path
    dbf: Path
    shx: Path | None
    prj: Path | None
    cpg: Path | None


def find_parts(path: Path) -> ShapefileParts:
    """Find the parts beside `path`, whatever the case of their suffixes.

    Raises
    ------
    FileFormatError
        The ``.shp`` or ``.dbf`` is missing.
    """
    parts: dict[str, Path] = {}
    for sibling in sorted(path.parent.iterdir()):
        if sibling.stem == path.stem and sibling.is_file():
            parts.setdefault(sibling.suffix.lower(), sibling)
    missing = [suffix for suffix in (".shp", ".dbf") if suffix not in parts]
    if missing:
        names = " and ".join(f"{path.stem}{suffix}" for suffix in missing)
        found = ", ".join(sorted(suffix for suffix in parts if suffix != path.suffix)) or "nothing"
        msg = (
            f"{path.name} is incomplete: {names} missing (beside it: {found}); ask the contractor for all "
            "of .shp, .shx, .dbf and .prj."
        )
        raise FileFormatError(
            msg,
            zh=f"{path.name} 不完整：缺少 {names}（现有：{found}）；请让提交单位补齐 .shp、.shx、.dbf、.prj。",
        )
    return ShapefileParts(
        shp=parts[".shp"],
        dbf=parts[".dbf"],
        shx=parts.get(".shx"),
        prj=parts.get(".prj"),
        cpg=parts.get(".cpg"),
    )


def scan_records(path: Path) -> NDArray[np.int64]:
    """Return (offset, length) of each shape of a ``.shp``, bytes, by walking its record headers.

    Raises
    ------
    FileFormatError
        The file is no shapefile, or ends within a record.
    """
    data = path.read_bytes()
    stated = check_header(path, data)
    if stated > len(data):
        raise _damaged(path, f"its header says {stated} bytes, it has {len(data)}")
    records: list[tuple[int, int]] = []
    position = _HEADER
    while position + 8 <= stated:
        size = 2 * struct.unpack_from(">i", data, position + 4)[0]
        if size < 4 or position + 8 + size > len(data):
            raise _damaged(path, f"shape {len(records) + 1} is not whole")
        records.append((position, size))
        position += 8 + size
    return np.array(records, dtype=np.int64).reshape(-1, 2)


def read_points(shp: Path) -> NDArray[np.float64] | None:
    """Return x and y of each shape of a file of plain points, one after the other; None: it is not so.

    Of such a file, as most surveys are, each shape is 28 bytes. Null shapes, numbers that are not
    finite and shapes in any other order than the index has them are left to GDAL.
    """
    size = shp.stat().st_size - _HEADER
    index = shp.with_suffix(".shx")
    with shp.open("rb") as stream:
        is_point = stream.read(_HEADER)[32:36] == struct.pack("<i", 1)
    if not is_point or size < 0 or size % _POINT.itemsize:
        return None
    shapes = np.fromfile(shp, dtype=_POINT, offset=_HEADER)
    offsets = np.fromfile(index, dtype=">i4", offset=_HEADER)[::2] * 2
    expected = _HEADER + _POINT.itemsize * np.arange(len(shapes))
    is_plain = (shapes["length"] == 10).all() and (shapes["kind"] == 1).all()
    if not is_plain or not np.array_equal(offsets, expected):
        return None
    points = np.ascontiguousarray(shapes["xy"])
    return points if np.isfinite(points).all() else None


def check_header(path: Path, data: bytes) -> int:
    """Return the length in bytes that the header of a ``.shp`` or ``.shx`` states.

    Raises
    ------
    FileFormatError
        It is no such header.
    """
    if len(data) < _HEADER:
        raise _damaged(path, f"it has only {len(data)} bytes")
    code = struct.unpack_from(">i", data, 0)[0]
    kind = struct.unpack_from("<i", data, 32)[0]
    if code != _FILE_CODE or kind not in _SHAPE_TYPES:
        raise _damaged(path, "its header is not that of a shapefile")
    return 2 * int(struct.unpack_from(">i", data, 24)[0])


def check_index(parts: ShapefileParts, *, rows: int) -> None:
    """Check that ``.shp``, ``.shx`` and the `rows` of the ``.dbf`` belong together and are whole.

    Raises
    ------
    FileFormatError
        The counts differ, or a shape lies outside the file.
    """
    records = scan_records(parts.shp) if parts.shx is None else _check_offsets(parts.shp, parts.shx)
    count = len(records)
    if count != rows:
        msg = (
            f"{parts.shp.name} has {count} shapes but {parts.dbf.name} has {rows} rows: the parts do not belong "
            "together; ask for the whole set again."
        )
        raise FileFormatError(
            msg,
            zh=f"{parts.shp.name} 有 {count} 个图形而 {parts.dbf.name} 有 {rows} 行，文件不配套；请重新提交整套文件。",
        )


def _check_offsets(shp: Path, shx: Path) -> NDArray[np.int64]:
    data = shx.read_bytes()
    check_header(shx, data)
    if (len(data) - _HEADER) % 8:
        raise _damaged(shx, "its last entry is not whole")
    with shp.open("rb") as stream:
        stated = check_header(shp, stream.read(_HEADER))
    size = shp.stat().st_size
    if stated > size:
        raise _damaged(shp, f"its header says {stated} bytes, it has {size}")
    entries = np.frombuffer(data, dtype=">i4", offset=_HEADER).reshape(-1, 2).astype(np.int64) * 2
    is_wrong = (entries[:, 0] < _HEADER) | (entries[:, 1] < 0) | (entries.sum(axis=1) + 8 > size)
    is_there = np.asarray(entries.any(axis=1))  # an entry of zeros stands for no shape
    is_wrong &= is_there
    if is_wrong.any():
        row = int(np.flatnonzero(is_wrong)[0]) + 1
        raise _damaged(shp, f"shape {row} lies beyond its end")
    _check_lengths(shp, shx, entries, is_there)
    return entries


def _check_lengths(
    shp: Path, shx: Path, entries: NDArray[np.int64], is_there: NDArray[np.bool_]
) -> None:
    """Check that a shape of the length that the index says begins where it says, and none twice."""
    data = np.memmap(shp, dtype=np.uint8, mode="r")
    at = entries[is_there, 0]
    step = at[1] - at[0] if len(at) > 1 else 0
    if step > 0 and (np.diff(at) == step).all():  # as of points: looked at in one stride
        shape, strides = (len(at), 4), (int(step), 1)
        stated = np.lib.stride_tricks.as_strided(data[at[0] + 4 :], shape=shape, strides=strides)
    else:
        stated = data[at[:, None] + np.arange(4, 8)]
    # Big-endian, after the record's number.
    lengths = np.ascontiguousarray(stated).view(">i4").ravel().astype(np.int64)
    differs = 2 * lengths != entries[is_there, 1]
    if differs.any():
        row = int(np.flatnonzero(is_there)[np.flatnonzero(differs)[0]]) + 1
        raise _damaged(shx, f"it does not say where shape {row} begins")
    if not (np.diff(at) > 0).all() and len(np.unique(at)) < len(at):
        raise _damaged(shx, "it names one shape for several rows")


def _damaged(path: Path, why: str) -> FileFormatError:
    msg = f"{path.name} is damaged or truncated: {why}; copy or export the shapefile again."
    return FileFormatError(
        msg, zh=f"{path.name} 已损坏或被截断（文件头与内容不符）：请重新拷贝或导出该 Shapefile。"
    )


@contextmanager
def isolated(parts: ShapefileParts) -> Iterator[Path]:
    """Yield a ``.shp`` that has only its shapes, index and attributes beside it, by links.

    So no stale spatial index and no broken ``.prj`` is looked at, and a missing index is remade
    without touching the delivery.
    """
    with tempfile.TemporaryDirectory(prefix="wanmi-") as folder:
        for part in (parts.shp, parts.shx, parts.dbf):
            if part is not None:
                Path(folder, f"layer{part.suffix.lower()}").symlink_to(part.resolve())
        if parts.shx is None:
            _remake_index(parts.shp, Path(folder, "layer.shx"))
        yield Path(folder, "layer.shp")


def _remake_index(shp: Path, shx: Path) -> None:
    records = scan_records(shp)
    with shp.open("rb") as stream:
        header = bytearray(stream.read(_HEADER))
    struct.pack_into(">i", header, 24, (_HEADER + 8 * len(records)) // 2)
    shx.write_bytes(bytes(header) + (records // 2).astype(">i4").tobytes())
