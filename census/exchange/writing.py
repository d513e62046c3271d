"""Exports written to files: aside first, in place only once everything of them is there."""

import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import orjson
import pandas as pd
import shapely

from census.exchange.columns import POSITION_COLUMNS, ExchangeColumn
from census.exchange.forms import PROJECT, FormLayer, project_text, style_text
from census.exchange.rows import ExportRows, arrow_table
from census.exchange.stamp import stamp_path
from gis.crs import reproject_geometry
from gis.errors import FileFormatError
from gis.geopackage import (
    ColumnText,
    write_columns,
    write_domains,
    write_project,
    write_stamp,
    write_styles,
)
from gis.geoparquet import write_geoparquet
from gis.vector import write_table

Format = Literal["gpkg", "shp", "parquet", "csv"]
FORMATS: tuple[Format, ...] = get_args(Format)
_KINDS: Mapping[str, tuple[str, str]] = {
    "Point": ("point", "Point"),
    "MultiPoint": ("multipoint", "Point"),
    "LineString": ("line", "Line"),
    "MultiLineString": ("line", "Line"),
    "Polygon": ("polygon", "Polygon"),
    "MultiPolygon": ("polygon", "Polygon"),
}
LAYER_KINDS: Mapping[str, str] = {
    "point": "Point",
    "multipoint": "MultiPoint",
    "line": "MultiLineString",
    "polygon": "MultiPolygon",
}
_KIND_ZH = {"point": "点", "multipoint": "多点", "line": "线", "polygon": "面"}


@dataclass(frozen=True, kw_only=True)
class Part:
    """Rows that share a layer or file."""

    name: str
    title: str
    kind: str
    """point, multipoint, line or polygon."""
    mask: "pd.Series[bool]" = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written, to be told and loaded again."""

    layers: tuple[tuple[str, str, int], ...]
    """File, layer (blank: the file has one) and rows of each part."""
    warnings: tuple[str, ...] = ()
    is_whole: bool = True
    """False: something did not fit the format, and loading the files would lose it."""
    encoding: str = "UTF-8"


def split_parts(rows: ExportRows, *, by_class: bool, class_names: Mapping[str, str]) -> list[Part]:
    """Part rows by kind of geometry, and by class if that is asked for; every row is in one part.

    With no rows there is one part of points, so that there is a file to see it in.
    """
    types = rows.geometry.geom_type
    kinds = types.map(lambda name: _KINDS[name][0])
    found: list[Part] = []
    for kind in LAYER_KINDS:
        of_kind = kinds.eq(kind)
        codes = sorted(rows.classes[of_kind].unique()) if by_class else [None]
        for code in codes:
            mask = of_kind if code is None else of_kind & rows.classes.eq(code)
            if not mask.any():
                continue
            found.append(_part(kind, code, mask, class_names))
    if not found:
        found.append(_part("point", None, kinds.eq("point"), class_names))
    return found


def _part(
    kind: str, code: str | None, mask: "pd.Series[bool]", class_names: Mapping[str, str]
) -> Part:
    if code is None:
        name, title = f"components_{kind}", f"部件（{_KIND_ZH[kind]}）"
    else:
        name, title = f"c{code}_{kind}", f"{code} {class_names.get(code, '')}（{_KIND_ZH[kind]}）"
    return Part(name=name, title=title, kind=kind, mask=mask.astype(bool))


@contextmanager
def aside(path: Path, *, is_folder: bool, replace: bool) -> Iterator[Path]:
    """Yield an empty folder beside `path`; what is in it replaces `path` when the block ends well.

    Raises
    ------
    FileFormatError
        `path` is there and may not be replaced, or is a folder that no export wrote.
    """
    _check_target(path, is_folder=is_folder, replace=replace)
    folder = path.parent / f".{path.name}.{uuid.uuid4().hex[:8]}.partial"
    try:
        folder.mkdir()
    except OSError as error:
        msg = f"{path.parent} can not be written to ({error.strerror}): write elsewhere."
        raise FileFormatError(msg, zh=f"无法写入 {path.parent}：请输出到别处。") from error
    try:
        yield folder
        _move(folder, path, is_folder=is_folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check_target(path: Path, *, is_folder: bool, replace: bool) -> None:
    if not path.absolute().parent.is_dir():
        msg = f"There is no folder {path.parent}: create it first, or write elsewhere."
        raise FileFormatError(msg, zh=f"文件夹 {path.parent} 不存在：请先创建，或输出到别处。")
    if not path.exists():
        return
    if not replace:
        msg = f"{path} is there already: name another, or replace it with --replace."
        raise FileFormatError(msg, zh=f"{path} 已存在：请另行命名，或用 --replace 覆盖。")
    if path.is_dir() != is_folder:
        msg = f"{path} is {'a folder' if path.is_dir() else 'a file'}: name another."
        raise FileFormatError(
            msg, zh=f"{path} 是{'文件夹' if path.is_dir() else '文件'}：请另行命名。"
        )
    if path.is_dir() and any(path.iterdir()) and not any(path.glob("*.wanmi.json")):
        msg = f"{path} was not written by an export, so it is not replaced: name another folder."
        raise FileFormatError(msg, zh=f"{path} 不是导出的文件夹，不予覆盖：请另行命名。")


def _move(folder: Path, path: Path, *, is_folder: bool) -> None:
    """Put the finished files in place; of a single file its companions go first, itself last."""
    if is_folder:
        old = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.old")
        if path.exists():
            path.rename(old)
        folder.rename(path)
        shutil.rmtree(old, ignore_errors=True)
        return
    for sibling in (stamp_path(path), path.with_suffix(".qgs")):
        sibling.unlink(missing_ok=True)  # what an older export left must not speak of this one
    finished = sorted(folder.iterdir(), key=lambda file: file.name == path.name)
    for file in finished:
        file.replace(path.parent / file.name)


def write_geopackage(
    rows: ExportRows,
    path: Path,
    *,
    parts: list[Part],
    crs: str,
    stamp: Mapping[str, str],
    domains: Mapping[str, Mapping[str, str]],
) -> Written:
    """Write one layer per part with value lists, forms and base version; a project beside and inside."""
    names = {name: rows.columns.get(name) for name in map(str, rows.table.columns)}
    is_chinese = "condition" not in rows.table.columns
    forms = []
    for part in parts:
        kind = LAYER_KINDS[part.kind]
        table = arrow_table(rows, part.mask, kind=kind)
        write_table(table, path, layer=part.name, kind=kind, crs=crs)
        write_columns(path, part.name, _column_texts(names, domains))
        shape = {"line": "Line", "polygon": "Polygon"}.get(part.kind, "Point")
        forms.append(
            FormLayer(
                name=part.name,
                title=part.title,
                shape=shape,
                columns=names,
                domains=domains,
                is_chinese=is_chinese,
            )
        )
    write_domains(path, domains)
    write_stamp(path, stamp)
    write_styles(path, {form.name: style_text(form) for form in forms})
    extent = rows.geometry.total_bounds if len(rows.geometry) else (0.0, 0.0, 1.0, 1.0)
    west, south, east, north = map(float, extent)
    text = project_text(path.name, forms, crs=crs, extent=(west, south, east, north))
    write_project(path, PROJECT, text)
    path.with_suffix(".qgs").write_text(text, encoding="utf-8")
    return Written(layers=tuple((path.name, part.name, int(part.mask.sum())) for part in parts))


def _column_texts(
    names: Mapping[str, ExchangeColumn | None], domains: Mapping[str, Mapping[str, str]]
) -> dict[str, ColumnText]:
    """Return what is said of each column; two titles alike would break the format's rule."""
    texts: dict[str, ColumnText] = {}
    used: set[str] = set()
    for name, column in names.items():
        title = name if column is None else column.title_zh
        if title in used:
            title = f"{title} ({name})"
        used.add(title)
        about = "attribute" if column is None else column.title_en
        domain = None if column is None else column.domain
        texts[name] = ColumnText(
            title=title, description=about, domain=domain if domain and domain in domains else None
        )
    return texts


def write_parquet(rows: ExportRows, path: Path, *, stamp: Mapping[str, str]) -> Written:
    """Write GeoParquet 1.1 with the CRS in its metadata and the stamp beside the file's own."""
    everything = pd.Series(True, index=rows.table.index, dtype=bool)
    table = arrow_table(rows, everything).drop_columns(["geometry"])
    write_geoparquet(table, rows.geometry, path)
    stamp_path(path).write_bytes(orjson.dumps(dict(stamp), option=orjson.OPT_INDENT_2))
    return Written(layers=((path.name, "", len(rows.table)),))


def write_csv(rows: ExportRows, path: Path, *, crs: str, lonlat: bool) -> Written:
    """Write UTF-8 with a byte order mark: ``x`` and ``y`` in the city's CRS, and WKT where not all are points.

    `lonlat` adds longitude and latitude in CGCS2000 (EPSG:4490), degrees with nine decimals.
    """
    points = rows.geometry.representative_point()
    table = rows.table.assign(x=points.x.map(float.__repr__), y=points.y.map(float.__repr__))
    if lonlat:
        moved = reproject_geometry(points.to_numpy(), source=crs, target="EPSG:4490")
        for name, values in zip(
            POSITION_COLUMNS, (shapely.get_x(moved), shapely.get_y(moved)), strict=True
        ):
            table[name] = [f"{value:.9f}" for value in values]
    all_points = bool(rows.geometry.geom_type.eq("Point").all())
    if not all_points:
        table["wkt"] = shapely.to_wkt(rows.geometry.to_numpy(), rounding_precision=-1)
    table.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")
    doubt = "Lines and polygons are in the column wkt; x and y are a point of each."
    return Written(
        layers=((path.name, "", len(table)),),
        warnings=() if all_points else (doubt,),
        is_whole=all_points,
    )
