"""Reading and writing vector files: the one place, with `gis.raster`, that opens geodata files.

Whole layers are read by pyogrio; a layer it fails on is read again row by row by fiona, so that one
bad geometry costs one row and not the file. Text of shapefiles is decoded by `gis.dbf` by evidence.
"""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import fiona
import fiona.errors
import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError

from gis.crs import frame_crs, reproject_geometry
from gis.dbf import decode_dbf, read_dbf
from gis.drawings import ENTITIES, Drawing, opened_drawing, read_entities, read_texts
from gis.encoding import EncodingDecision
from gis.errors import FileFormatError
from gis.findings import remarks
from gis.geojson import find_json_fault, opened_json
from gis.geoparquet import read_geoparquet
from gis.largelayers import read_large
from gis.outputs import driver_of, json_text, refuse_long_names, writing
from gis.readings import Reading, examined, gdal_words, in_target, no_layer, unreadable
from gis.remarks import Remark
from gis.shapefile import check_index, find_parts, isolated, read_points
from gis.shapes import lost_note, parse_mapping, parse_wkb
from gis.sources import (
    FileReport,
    Layer,
    file_driver,
    hash_file,
    own_columns_apart,
    plain_column,
    require_file,
)
from gis.stated import check_degrees, decide_crs, embedded_crs, equal_note, read_prj, short_name

__all__ = ["FileReport", "Layer", "read_vector", "write_vector"]

logger = logging.getLogger(__name__)

_DRAWING_OPTIONS = {"DXF_INLINE_BLOCKS": "FALSE", "DXF_ENCODING": "UTF-8"}


def read_vector(
    path: Path,
    *,
    target_crs: str,
    layer: str | None = None,
    crs: str | None = None,
    encoding: str | None = None,
    texts: bool = False,
) -> Layer:
    """Read one layer of a vector file, all rows of it, in file order.

    Column names are the file's. Text, and dates as ISO text, are str with None for blank; numbers stay
    numbers. Rows without geometry have None. Z values are kept. The geometry is in `target_crs`; what
    can not be transformed has NaN coordinates, which `gis.geometry` refuses row by row.

    Parameters
    ----------
    path : Path
        ``.shp``, ``.gpkg``, ``.fgb``, ``.parquet``, ``.geojson``, ``.json``, ``.topojson``, the JSON ones also ``.gz``.
    target_crs, layer : str
        CRS of the result; layer name, needed where the file has several.
    crs : str or None
        CRS stated in the manifest: needed where the file has none; GCJ-02 or BD-09 may also be
        stated of a file that calls itself WGS 84 or CGCS2000 degrees.
    encoding : str or None
        Encoding stated in the manifest; None: decided by evidence.
    texts : bool
        Read a drawing's texts instead of its entities; other files are read as always.

    Raises
    ------
    FileFormatError
        The file is missing, incomplete, truncated, or not of a kind that is read.
    EncodingError
        The encoding can not be decided, or the stated one does not fit.
    CrsError
        No CRS, or the file's and the manifest's differ.
    """
    file = require_file(Path(path))
    driver = file_driver(file)
    if driver == "ESRI Shapefile":
        raw = _read_shapefile(file, encoding=encoding)
    elif driver in ("GeoJSON", "TopoJSON"):
        raw = _read_json(file, layer=layer, encoding=encoding)
    elif driver == "Parquet":
        raw = _read_parquet(file)
    elif driver == "DXF":
        raw = _read_drawing(file, layer=layer, encoding=encoding, texts=texts)
    else:
        raw = _read_database(file, layer=layer)
    if driver != "ESRI Shapefile":  # its text was examined when it was decoded
        raw = examined(raw)
    source, crs_source, notes = decide_crs(raw.crs, rule=raw.crs_rule, stated=crs, name=file.name)
    check_degrees(raw.geometry, source=source, name=file.name)
    frame, more = in_target(raw, source=source, target=target_crs)
    frame = frame.rename(columns=own_columns_apart(frame.columns))
    frame["source_file"] = pd.Series(file.name, index=frame.index, dtype=object)
    frame["source_row"] = raw.rows
    warnings = (*raw.warnings, *remarks(raw.findings), *notes, *more)
    if len(frame) == 0:
        warnings = (*warnings, Remark(en="The layer has no rows.", zh="图层中没有记录。"))
    report = FileReport(
        path=file.name,
        driver=driver,
        sha256=hash_file(file),
        rows=len(frame),
        encoding=raw.encoding,
        encoding_evidence=raw.evidence,
        crs=short_name(source),
        crs_source=crs_source,
        warnings=warnings,
        notes=equal_note(source, target_crs),
    )
    for warning in warnings:
        logger.warning("%s: %s", file.name, warning)
    return Layer(frame=frame, report=report, findings=raw.findings)


def _read_shapefile(path: Path, *, encoding: str | None) -> Reading:
    parts = find_parts(path)
    table = read_dbf(parts.dbf)
    check_index(parts, rows=len(table.records))
    cpg = parts.cpg.read_text(encoding="latin-1") if parts.cpg is not None else None
    attributes = decode_dbf(table, stated=encoding, cpg=cpg)
    with isolated(parts) as shp:
        geometry, rows, more = _read_geometry(shp, count=len(table.records), name=path.name)
    warnings = [*attributes.warnings, *more]
    if parts.shx is None:
        warnings.append(
            Remark(
                en=f"{path.stem}.shx is missing and was remade from the shapes.",
                zh=f"缺少 {path.stem}.shx，已由图形重建。",
            )
        )
    kept = np.flatnonzero(~table.is_deleted)
    if len(kept) < len(table.records):
        count = len(table.records) - len(kept)
        warnings.append(
            Remark(
                en=f"{count} rows are marked deleted and not read.",
                zh=f"{count} 条记录带有删除标记，未读取。",
            )
        )
    by_row = np.full(len(table.records), None, dtype=object)
    by_row[rows - 1] = geometry
    crs = read_prj(parts.prj, warnings=warnings)
    return Reading(
        attributes=attributes.frame.iloc[kept].reset_index(drop=True),
        geometry=by_row[kept],
        rows=kept + 1,
        crs=crs,
        encoding=attributes.decision.label,
        evidence=attributes.decision.evidence,
        warnings=tuple(warnings),
        findings=tuple(finding.within(kept + 1) for finding in attributes.findings),
    )


def _read_geometry(
    path: Path, *, count: int, name: str
) -> tuple[NDArray[np.object_], NDArray[np.int64], tuple[Remark, ...]]:
    """Return the geometries of a shapefile, their rows, and warnings; attributes are not touched."""
    if count == 0:
        return np.empty(0, dtype=object), np.empty(0, dtype=np.int64), ()
    if (points := read_points(path)) is not None and len(points) == count:
        return shapely.points(points), np.arange(1, count + 1, dtype=np.int64), ()
    try:
        with gdal_words() as words:
            _, fids, wkb, _ = pyogrio.raw.read(
                path, columns=[], return_fids=True, encoding="ISO-8859-1"
            )
    except Exception as error:  # a damaged file makes the bindings raise anything
        return _read_row_by_row(path, name=name, error=error)
    geometry, notes = parse_wkb(wkb, rows=(rows := fids.astype(np.int64) + 1))
    return geometry, rows, (*notes, *words)


def _read_row_by_row(
    path: Path, *, name: str, error: Exception
) -> tuple[NDArray[np.object_], NDArray[np.int64], tuple[Remark, ...]]:
    """Read with fiona the shapes that can be read, after pyogrio gave up on the whole."""
    shapes: list[Any] = []
    rows: list[int] = []
    try:
        with fiona.open(path, encoding="ISO-8859-1") as source:
            for feature in source:
                rows.append(int(feature.id) + 1)
                shapes.append(parse_mapping(feature))
    except fiona.errors.FionaError as second:
        raise unreadable(name, second) from error
    geometry = np.empty(len(shapes), dtype=object)
    geometry[:] = shapes
    numbers = np.array(rows, dtype=np.int64)
    return geometry, numbers, lost_note(numbers[shapely.is_missing(geometry)])


def _read_database(path: Path, *, layer: str | None) -> Reading:
    name = _choose_layer(path, layer=layer)
    large = read_large(path, layer=name)
    return _read_whole(path, layer=name, name=path.name) if large is None else large


def _read_parquet(path: Path) -> Reading:
    attributes, wkb, crs = read_geoparquet(path)
    rows = np.arange(1, len(wkb) + 1, dtype=np.int64)
    geometry, notes = parse_wkb(wkb, rows=rows)
    return Reading(
        attributes=attributes, geometry=geometry, rows=rows, crs=embedded_crs(crs), warnings=notes
    )


def _read_drawing(path: Path, *, layer: str | None, encoding: str | None, texts: bool) -> Reading:
    drawing, decision = _open_drawing(path, layer=layer, encoding=encoding, texts=texts)
    if layer is not None and layer not in drawing.layers:
        raise no_layer(path, drawing.layers, layer=layer)
    return Reading(
        attributes=drawing.attributes,
        geometry=drawing.geometry,
        rows=drawing.rows,
        crs=None,
        encoding=decision.label,
        evidence=decision.evidence,
        warnings=(*decision.warnings, *drawing.warnings),
    )


def _open_drawing(
    path: Path, *, layer: str | None = None, encoding: str | None = None, texts: bool = False
) -> tuple[Drawing, EncodingDecision]:
    with opened_drawing(path, encoding=encoding) as (plain, decision):
        pyogrio.set_gdal_config_options(_DRAWING_OPTIONS)
        try:
            raw = _read_whole(plain, layer=ENTITIES, name=path.name)
        finally:
            pyogrio.set_gdal_config_options(dict.fromkeys(_DRAWING_OPTIONS))
    drawing = (read_texts if texts else read_entities)(raw.attributes, raw.geometry, layer=layer)
    return replace(drawing, warnings=(*raw.warnings, *drawing.warnings)), decision


def list_layers(path: Path) -> list[str]:
    """Return the names of a file's layers that have geometry, sorted; of a drawing, its own layers.

    Raises
    ------
    FileFormatError
        The file can not be read.
    """
    if path.suffix.lower() == ".dxf":
        return list(_open_drawing(path)[0].layers)
    try:
        layers = pyogrio.list_layers(path)
    except (DataSourceError, DataLayerError, RuntimeError) as error:
        raise unreadable(path.name, error) from error
    return sorted(str(name) for name, kind in layers if kind is not None)


def _choose_layer(path: Path, *, layer: str | None) -> str:
    spatial = list_layers(path)
    found = spatial if layer is None else [name for name in spatial if name == layer]
    if len(found) == 1:
        return found[0]
    raise no_layer(path, spatial, layer=layer)


def _read_whole(path: Path, *, layer: str | None, name: str, **options: Any) -> Reading:
    try:
        with gdal_words() as words:
            meta, _, wkb, arrays = pyogrio.raw.read(
                path, layer=layer, datetime_as_string=True, **options
            )
    except Exception as error:  # a damaged file makes the bindings raise anything
        raise unreadable(name, error) from error
    if wkb is None:
        msg = f"{name} has no geometry: deliver it as a table, or export it with its geometry."
        raise FileFormatError(msg, zh=f"{name} 没有图形：请作为表格提交，或连同图形重新导出。")
    rows = np.arange(1, len(wkb) + 1, dtype=np.int64)
    geometry, notes = parse_wkb(wkb, rows=rows)
    columns = {}
    for number, field in enumerate(meta["fields"]):
        columns[str(field)] = plain_column(arrays[number])
        arrays[number] = None  # a column that was taken over makes room for the next
    return Reading(
        attributes=pd.DataFrame(columns, index=pd.RangeIndex(len(rows))),
        geometry=geometry,
        rows=rows,
        crs=embedded_crs(meta["crs"]),
        warnings=(*notes, *words),
    )


def _read_json(path: Path, *, layer: str | None, encoding: str | None) -> Reading:
    with opened_json(path, encoding=encoding) as text:
        options = {} if text.is_topology else {"DATE_AS_STRING": "YES"}
        try:
            chosen = _choose_layer(text.path, layer=layer) if text.is_topology else None
            raw = _read_whole(text.path, layer=chosen, name=path.name, **options)
        except FileFormatError as error:
            fault = find_json_fault(text.path)
            raise (unreadable(path.name, fault) if fault else error) from error
    if not text.has_crs:
        raw = replace(raw, crs=None if text.is_topology else "EPSG:4326", crs_rule="RFC 7946")
    return replace(
        raw,
        encoding=text.decision.label,
        evidence=text.decision.evidence,
        warnings=(*text.warnings, *raw.warnings),
    )


def write_vector(
    frame: gpd.GeoDataFrame, path: Path, *, layer: str | None = None, encoding: str | None = None
) -> None:
    """Write a layer to ``.gpkg``, ``.geojson``, ``.fgb`` or ``.shp``; an existing layer is replaced.

    Lists and dicts become JSON text. GeoJSON is written in longitude and latitude (CGCS2000 taken as
    WGS 84), as its standard demands.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Rows to write.
    path : Path
        File; its suffix decides the format.
    layer : str or None
        Layer of a GeoPackage, which may hold several; None: the file's name.
    encoding : str or None
        Encoding of a shapefile's text; None: UTF-8 with a ``.cpg``. Stated: no ``.cpg`` is written, as
        with most contractors.

    Raises
    ------
    FileFormatError
        The suffix is of no known format, or a column name is too long for a shapefile.
    """
    path = Path(path)
    driver = driver_of(path)
    plain = frame.copy()
    for column in plain.columns.drop(plain.geometry.name):
        if plain[column].dtype == object:
            plain[column] = [json_text(value) for value in plain[column]]
    if driver == "GeoJSON" and plain.crs is not None:
        geometry = reproject_geometry(
            plain.geometry.to_numpy(), source=frame_crs(plain), target="EPSG:4326"
        )
        plain = plain.set_geometry(gpd.GeoSeries(geometry, index=plain.index, crs="EPSG:4326"))
    options: dict[str, Any] = {"layer": layer or path.stem}
    if driver == "ESRI Shapefile":
        options = {"encoding": encoding or "UTF-8"}
        refuse_long_names(plain, path, encoding=options["encoding"])
    with writing(path):
        pyogrio.write_dataframe(plain, path, driver=driver, **options)
    if driver == "ESRI Shapefile" and encoding is not None:
        path.with_suffix(".cpg").unlink(missing_ok=True)


def write_table(
    table: pa.Table, path: Path, *, layer: str, kind: str, crs: str, encoding: str = "UTF-8"
) -> None:
    """Write a table with WKB in ``geometry`` as a layer, column types as they are; see `write_vector`.

    Parameters
    ----------
    kind : str
        Geometry type of the layer, as ``MultiPolygon``.
    encoding : str
        Encoding of a shapefile's text, said in its ``.cpg``.
    """
    driver = driver_of(path)
    options: dict[str, Any] = {"layer": layer, "driver": driver, "crs": crs}
    if driver == "GPKG":
        options |= {"append": path.is_file(), "layer_options": {"GEOMETRY_NAME": "geom"}}
    if driver == "ESRI Shapefile":
        options["encoding"] = encoding
    with writing(path):
        pyogrio.write_arrow(table, path, geometry_name="geometry", geometry_type=kind, **options)
