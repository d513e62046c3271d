"""Files that can not be read from the middle: written once as Parquet, or as UTF-8, beside the output."""

import codecs
import contextlib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from api.bulk.batches import read_footer
from api.bulk.lines import read_dialect
from api.bulk.packed import PACKED, kind_suffix, unpack
from api.bulk.parts import appearing
from api.bulk.spans import Source
from api.frames import known_fields
from api.questions import CITY_CRS
from gis.errors import CrsError, RequestError
from gis.geoparquet import points_metadata
from gis.sheets import read_sheet
from gis.streams import opened_layer
from gis.vector import read_vector

_TEXTS = (".csv", ".txt", ".tsv")
_STREAMED = (".gpkg", ".fgb")
_WHOLE = (".shp", ".geojson", ".json")
_SHEETS = (".xlsx", ".xls")
KINDS = (*_TEXTS, PACKED, ".parquet", ".geoparquet", *_STREAMED, *_WHOLE, *_SHEETS)
"""Suffixes of files that are read."""
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BLOCK_CHARACTERS = 1 << 22
_SHAPE = "geometry"


def open_source(
    path: Path,
    *,
    folder: Path,
    city_crs: str,
    span_rows: int,
    crs: str | None = None,
    encoding: str | None = None,
    layer: str | None = None,
) -> Source:
    """Open a file of rows; what can not be cut into spans is copied into `folder` first.

    Parameters
    ----------
    path : Path
        ``.csv``, ``.parquet`` and ``.geoparquet`` are read where they lie; ``.gpkg`` and ``.fgb`` are
        copied batch by batch, ``.csv.gz`` is unpacked; ``.shp``, ``.geojson`` and ``.xlsx`` are read whole into memory.
    folder : Path
        Where the copy goes; one of an earlier, stopped run is used again.
    city_crs : str
        CRS for the shapes of files that are read whole.
    crs, encoding, layer : str or None
        What the file itself does not say.

    Raises
    ------
    RequestError
        It is of another kind, or can not be read.
    CrsError
        It has shapes and does not say in which CRS they are.
    """
    if crs is not None and crs.lower() == CITY_CRS:
        crs = city_crs
    suffix = kind_suffix(path)
    if suffix == PACKED:
        path, suffix = _unpacked(path, folder), ".csv"
    if suffix in _TEXTS:
        plain = _as_utf8(path, folder) if _is_utf16(path) else path
        return read_dialect(plain, encoding=encoding, span_rows=span_rows)
    if suffix in (".parquet", ".geoparquet"):
        return read_footer(path, span_rows=span_rows)
    copy = folder / "source.parquet"
    if copy.is_file():
        return read_footer(copy, span_rows=span_rows)
    if suffix in _STREAMED:
        _copy_layer(path, copy, layer=layer, rows=span_rows, crs=crs)
    elif suffix in _WHOLE:
        try:
            read = read_vector(path, target_crs=city_crs, layer=layer, crs=crs, encoding=encoding)
        except CrsError as error:
            raise _crs_wanted(path) if crs is None else error from error
        _write_frame(read.frame, copy, crs=city_crs)
    elif suffix in _SHEETS:
        _write_frame(read_sheet(path, sheet=layer).frame, copy, crs=None)
    else:
        shown = ", ".join(KINDS)
        msg = f"{path.name} is of a kind that is not read here: use {shown}."
        raise RequestError(msg, zh=f"{path.name} 的格式不支持：请使用 {shown}。")
    return read_footer(copy, span_rows=span_rows)


def _unpacked(path: Path, folder: Path) -> Path:
    copy = folder / f"unpacked-{path.stem}"
    if not copy.is_file():
        unpack(path, copy)
    return copy


def _copy_layer(path: Path, copy: Path, *, layer: str | None, rows: int, crs: str | None) -> None:
    with opened_layer(path, layer=layer, rows=min(rows, 1 << 16)) as stream, appearing(copy) as new:
        names = list(stream.schema.names)
        if stream.geometry is not None:
            names[names.index(stream.geometry)] = _SHAPE
        fields = [field.with_name(name) for field, name in zip(stream.schema, names, strict=True)]
        known = stream.crs or crs
        if (
            stream.geometry is not None
            and not known
            and not {"x", "y"} <= known_fields(names).keys()
        ):
            raise _crs_wanted(path)
        told = points_metadata(known) if stream.geometry is not None and known else None
        schema = pa.schema([field.remove_metadata() for field in fields], metadata=told)
        with pq.ParquetWriter(new, schema, compression="zstd") as writer:
            held: list[pa.RecordBatch] = []
            for batch in stream.batches:
                held.append(pa.record_batch(batch.columns, schema=schema))
                if sum(b.num_rows for b in held) >= rows:
                    writer.write_table(pa.Table.from_batches(held))
                    held = []
            if held:
                writer.write_table(pa.Table.from_batches(held))


def _crs_wanted(path: Path) -> CrsError:
    msg = (
        f"{path.name} does not say in which coordinate reference system its shapes are, or says a wrong "
        "one: state it with --crs, as --crs EPSG:4547 (city: the city's own)."
    )
    return CrsError(
        msg,
        zh=f"{path.name} 没有坐标系或坐标系有误：请用 --crs 指明，如 --crs EPSG:4547（city 表示本市坐标系）。",
    )


def _write_frame(frame: pd.DataFrame, copy: Path, *, crs: str | None) -> None:
    rows = frame.drop(columns=["source_file", "source_row"])
    shapes = None
    if isinstance(frame, gpd.GeoDataFrame):
        shapes = frame.geometry.to_numpy()
        rows = pd.DataFrame(rows.drop(columns=[frame.geometry.name]))
    for name in rows.columns:
        if rows[name].dtype == object:
            rows[name] = rows[name].map(str, na_action="ignore").astype("string")
    table = pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)
    if shapes is not None and crs is not None:
        there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
        points = np.full(len(shapes), None, dtype=object)
        points[there] = shapely.point_on_surface(shapes[there])
        table = table.append_column(_SHAPE, pa.array(shapely.to_wkb(points), pa.binary()))
        table = table.replace_schema_metadata(points_metadata(crs))
    with appearing(copy) as new:
        pq.write_table(table, new, compression="zstd")


def _is_utf16(path: Path) -> bool:
    with contextlib.suppress(OSError), path.open("rb") as file:
        return file.read(2) in _UTF16_MARKS
    return False


def _as_utf8(path: Path, folder: Path) -> Path:
    """Return a copy in UTF-8 of a file in UTF-16, as Excel writes "Unicode text"."""
    copy = folder / "source.csv"
    if not copy.is_file():
        with (
            appearing(copy) as new,
            path.open(encoding="utf-16", errors="replace", newline="") as read,
            new.open("w", encoding="utf-8", newline="") as write,
        ):
            while text := read.read(_BLOCK_CHARACTERS):
                write.write(text)
    return copy
