"""A file of refused rows that comes back from the contractor: read, and told apart from what was exported.

It is what ``wanmi rejects -o`` wrote, corrected in QGIS or a spreadsheet: one line per fault, so that a
row with three faults stands in it three times.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.errors import FileFormatError, RequestError
from gis.sheets import list_sheets, read_sheet
from gis.vector import list_layers, read_vector
from pipelines.rejects import FORMATS, HEAD, cell_text

DATASET = "components"
_FILE, _ROW = "source_file_file", "source_row_file"
_KEYS = ("build_id", "dataset", _FILE, _ROW)
"""Columns that name the row; reading calls the file's own origin so, beside the one it adds."""
_ADDED = frozenset({"fid", "ogc_fid", "geom", "geometry", "layer", "path"})
"""Columns that programs add to a file by themselves."""


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something to be told of one line of the file, or of the whole."""

    line: int | None
    """Line of the sheet, or feature of the layer, counted from 1."""
    en: str
    zh: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the file."""

    number: int
    build_id: int | None
    source_file: str
    source_row: int | None
    code: str | None
    """Code as the report states it, beside the delivered columns."""
    cells: Mapping[str, str | None]
    """Every column that is not the report's own."""
    geometry: Any = None
    has_geometry: bool = False


@dataclass(frozen=True, kw_only=True)
class Returned:
    """The lines of components in a file that came back."""

    lines: tuple[Line, ...]
    notes: tuple[Note, ...] = ()


@dataclass(kw_only=True)
class Changes:
    """What is new in one row, over all its lines."""

    cells: dict[str, str | None] = field(default_factory=dict)
    """Delivered column -> its new text."""
    geometry: Any = None
    is_moved: bool = False

    @property
    def is_none(self) -> bool:
        """The row is as it was delivered."""
        return not self.cells and not self.is_moved


def read_returned(path: Path, *, crs: str) -> Returned:
    """Read the lines of components from a file that ``wanmi rejects`` wrote and somebody corrected.

    Parameters
    ----------
    path : Path
        ``.gpkg`` or ``.xlsx``; geometry of a GeoPackage may be in any CRS that it states.
    crs : str
        The city's CRS, which the geometry returned is in.

    Raises
    ------
    RequestError
        The file is of another kind, or not one that was exported.
    FileFormatError
        The file is missing or damaged.
    """
    frames, others = _frames(path, crs=crs)
    lines: list[Line] = []
    foreign = 0
    for frame in frames:
        missing = [name for name in _KEYS if name not in frame]
        if missing:
            raise _not_exported(path, missing)
        ours = frame["dataset"].map(cell_text).eq(DATASET)
        foreign += int((~ours).sum())
        lines += _lines(frame[ours])
    notes = list(_other_notes(others, foreign))
    if not frames:
        raise _not_exported(path, _KEYS)
    return Returned(lines=tuple(lines), notes=tuple(notes))


def changes_of(lines: Sequence[Line], record: Mapping[str, Any], geometry: Any) -> Changes | Note:
    """Return what the lines of one row change in it, or why that can not be told.

    Parameters
    ----------
    lines : sequence of Line
        All lines of the row: where only some of them were corrected, the correction counts.
    record : mapping
        The row as delivered, or as it was last corrected.
    geometry : shapely geometry or None
        Its geometry.
    """
    changes = Changes()
    for line in lines:
        for name, text in _cells_of(line, record):
            if text == cell_text(record.get(name)):
                continue
            if name in changes.cells and changes.cells[name] != text:
                return _contradiction(lines, name)
            changes.cells[name] = text
        if line.has_geometry and not _same_shape(line.geometry, geometry):
            if changes.is_moved and not _same_shape(line.geometry, changes.geometry):
                return _contradiction(lines, "geometry")
            changes.is_moved, changes.geometry = True, line.geometry
    return changes


def _frames(path: Path, *, crs: str) -> tuple[list[pd.DataFrame], list[str]]:
    """Return the tables that hold components, and the names of the others."""
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        msg = f"{path.name} is no file of refused rows: give the .gpkg or .xlsx of `wanmi rejects -o`."
        raise RequestError(
            msg, zh=f"{path.name} 不是退回数据文件：请使用 wanmi rejects -o 导出的 .gpkg 或 .xlsx。"
        )
    if not path.is_file():
        msg = f"There is no file {path}: correct its path."
        raise FileFormatError(msg, zh=f"没有文件 {path}：请更正路径。")
    names = list_sheets(path) if suffix == ".xlsx" else list_layers(path)
    ours = [name for name in names if name.strip() == DATASET or name.startswith(f"{DATASET} ")]
    if not ours and len(names) == 1:
        ours = names  # saved anew under another name
    others = [name for name in names if name not in ours]
    if suffix == ".xlsx":
        return [read_sheet(path, sheet=name).frame for name in ours], others
    return [read_vector(path, target_crs=crs, layer=name).frame for name in ours], others


def _lines(table: pd.DataFrame) -> Iterator[Line]:
    own = {*HEAD, _FILE, _ROW}
    names = [
        str(name)
        for name in table.columns
        if name not in own and str(name).casefold() not in _ADDED
    ]
    has_geometry = isinstance(table, gpd.GeoDataFrame)
    shapes = shapely.force_2d(table.geometry.to_numpy()) if has_geometry else [None] * len(table)
    columns = [[cell_text(cell) for cell in table[name]] for name in names]
    rows = zip(*columns, strict=True) if columns else iter([()] * len(table))
    codes = table["code"] if "code" in table else [None] * len(table)
    heads = zip(
        table["source_row"], table["build_id"], table[_FILE], table[_ROW], codes, strict=True
    )
    for (number, build, file, row, code), cells, shape in zip(heads, rows, shapes, strict=True):
        yield Line(
            number=int(number),
            build_id=_whole(build),
            source_file=cell_text(file) or "",
            source_row=_whole(row),
            code=cell_text(code),
            cells=dict(zip(names, cells, strict=True)),
            geometry=shape,
            has_geometry=has_geometry,
        )


def _cells_of(line: Line, record: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Yield delivered column and text; columns that the export had to rename get their name back."""
    seen = set()
    taken = {name.casefold() for name in HEAD}
    for name in record:
        shown = f"delivered_{name}"
        if shown not in line.cells:
            shown = name
            if name.casefold() in taken or name not in line.cells:
                continue  # the column was removed: what was delivered stays
        seen.add(shown)
        yield name, line.cells[shown]
    for name, text in line.cells.items():
        if name not in seen and text is not None:
            yield name.removeprefix("delivered_"), text


def _same_shape(one: Any, other: Any) -> bool:
    if one is None or other is None or shapely.is_empty(one) or shapely.is_empty(other):
        return (one is None or shapely.is_empty(one)) and (other is None or shapely.is_empty(other))
    left, right = (shapely.get_coordinates(shape) for shape in (one, other))
    return (
        shapely.get_type_id(one) == shapely.get_type_id(other)
        and left.shape == right.shape
        and bool(np.array_equal(left, right, equal_nan=True))
    )


def _whole(value: Any) -> int | None:
    text = (cell_text(value) or "").removesuffix(".0")
    return int(text) if text.isascii() and text.isdecimal() else None


def _contradiction(lines: Sequence[Line], name: str) -> Note:
    numbers = ", ".join(str(line.number) for line in lines)
    return Note(
        line=lines[0].number,
        en=f"Lines {numbers} are one row, but say different things in {name}: write the same in all.",
        zh=f"第 {numbers} 行是同一条数据，但“{name}”的值不一致：请改为相同。",
    )


def _other_notes(others: Sequence[str], foreign: int) -> Iterator[Note]:
    if others:
        shown = ", ".join(others)
        yield Note(
            line=None,
            en=f"Left alone: {shown}; only components are reloaded row by row, build the others' delivery anew.",
            zh=f"未处理：{shown}；只有部件可以逐行重新入库，其他数据集请重新交付。",
        )
    if foreign:
        yield Note(
            line=None,
            en=f"{foreign} lines are of other datasets than components and were left alone.",
            zh=f"有 {foreign} 行不是部件数据，未处理。",
        )


def _not_exported(path: Path, missing: Sequence[str]) -> RequestError:
    names = ", ".join(
        name.removesuffix("_file") if name in (_FILE, _ROW) else name for name in missing
    )
    msg = (
        f"{path.name} is not a file that `wanmi rejects -o` wrote: it has no column {names}; "
        "correct the exported file itself and leave its first columns as they are."
    )
    return RequestError(
        msg,
        zh=f"{path.name} 不是 wanmi rejects -o 导出的文件：缺少列 {names}；请在导出的文件上修改，前几列不要改动。",
    )
