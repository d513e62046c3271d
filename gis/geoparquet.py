"""GeoParquet: a layer as Parquet with the CRS and kind of its geometry in the file's metadata."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError

from gis.errors import FileFormatError

_DEFAULT_CRS = "OGC:CRS84"
"""What the format says of a file that names no CRS."""


def write_geoparquet(table: pa.Table, shapes: gpd.GeoSeries, path: Path) -> None:
    """Write columns and shapes as GeoParquet 1.1 with a bounding box per row; a file is replaced.

    Parameters
    ----------
    table : pyarrow.Table
        Columns without geometry; their types are kept.
    shapes : geopandas.GeoSeries
        One shape per row, with its CRS.
    path : Path
        File.
    """
    types = {field.name: pd.ArrowDtype(field.type) for field in table.schema}
    frame = gpd.GeoDataFrame(
        {name: pd.Series(table[name], dtype=kind) for name, kind in types.items()},
        geometry=shapes.to_numpy(),
        crs=shapes.crs,
    )
    frame.to_parquet(path, index=False, schema_version="1.1.0", write_covering_bbox=True)


def read_geoparquet(path: Path) -> tuple[pd.DataFrame, NDArray[np.object_], str | None]:
    """Return columns, WKB of the shapes, and the CRS as WKT; None where the file says it is unknown.

    Dates are ISO text, blank text is None, numbers stay numbers.

    Raises
    ------
    FileFormatError
        It is no GeoParquet, or its geometry is not WKB.
    """
    try:
        table = pq.read_table(path)
        # Texts that are no UTF-8 and lying offsets would else be met by whoever reads the values.
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).split("\n", 1)[0].rstrip(".")
        msg = f"{path.name} can not be read ({reason}): copy it again."
        raise FileFormatError(msg, zh=f"{path.name} 无法读取（{reason}）：请重新拷贝。") from error
    name, about = _primary(table.schema)
    shapes = table[name] if name in table.schema.names else None
    if about is None or shapes is None or not _is_binary(shapes.type):
        msg = f"{path.name} is no GeoParquet with WKB geometry: export it from a GIS as GeoParquet."
        raise FileFormatError(
            msg, zh=f"{path.name} 不是含 WKB 几何的 GeoParquet：请从 GIS 软件重新导出。"
        )
    crs = _wkt(about, path.name)
    rows = pd.DataFrame(
        {
            field.name: _column(table[field.name])
            for field in table.schema
            if field.name != name and not pa.types.is_struct(field.type)
        },
        index=pd.RangeIndex(table.num_rows),
    )
    return rows, np.array(shapes.to_pylist(), dtype=object), crs


def _primary(schema: pa.Schema) -> tuple[str, dict[str, Any] | None]:
    """Return the column of shapes that the metadata name, and what they say of it; None: no WKB there."""
    told = (schema.metadata or {}).get(b"geo")
    try:
        geo = orjson.loads(told) if told else {}
        name = geo.get("primary_column", "")
        about = geo.get("columns", {}).get(name)
        is_known = about is not None and about.get("encoding") == "WKB"
    except (orjson.JSONDecodeError, AttributeError, TypeError):  # JSON of another shape
        return "", None
    return (name, about) if is_known else ("", None)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _wkt(about: dict[str, Any], file_name: str) -> str | None:
    crs = about.get("crs", _DEFAULT_CRS)
    try:
        return None if crs is None else str(CRS.from_user_input(crs).to_wkt())
    except CRSError as error:
        msg = f"{file_name} names a CRS that is none: export it again with its CRS."
        raise FileFormatError(
            msg, zh=f"{file_name} 所写坐标系无法识别：请带坐标系重新导出。"
        ) from error


def geometry_of(schema: pa.Schema) -> tuple[str | None, str | None]:
    """Return the column of WKB shapes of a Parquet file and its CRS as WKT; None: none, or unknown.

    Examples
    --------
    >>> geometry_of(pa.schema([("x", pa.float64())]))
    (None, None)
    """
    name, about = _primary(schema)
    if about is None or name not in schema.names or not _is_binary(schema.field(name).type):
        return None, None
    return name, _wkt(about, "The Parquet file")


def points_metadata(crs: str, *, column: str = "geometry") -> dict[bytes, bytes]:
    """Return the metadata that make a Parquet file with points as WKB a GeoParquet 1.1.

    Parameters
    ----------
    crs : str
        CRS of the points, as pyproj reads it.
    column : str
        Column of the points.
    """
    about = {
        "encoding": "WKB",
        "geometry_types": ["Point"],
        "crs": CRS.from_user_input(crs).to_json_dict(),
    }
    geo = {"version": "1.1.0", "primary_column": column, "columns": {column: about}}
    return {b"geo": orjson.dumps(geo)}


def _column(values: pa.ChunkedArray) -> "pd.Series[Any]":
    kind = values.type
    if (pa.types.is_integer(kind) or pa.types.is_floating(kind)) and values.null_count == 0:
        return values.to_pandas()
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return values.cast(pa.float64()).to_pandas()
    if pa.types.is_temporal(kind):
        return pd.Series(
            [None if v is None else v.isoformat() for v in values.to_pylist()], dtype=object
        )
    plain = [None if isinstance(v, str) and not v.strip() else v for v in values.to_pylist()]
    return pd.Series(plain, dtype=object)
