"""Layers of any size, read and written batch by batch: memory holds one batch, however long the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyogrio

from gis.outputs import driver_of
from gis.readings import gdal_words, no_layer, unreadable
from gis.sources import require_file
from gis.stated import embedded_crs


@dataclass(frozen=True, kw_only=True)
class LayerStream:
    """A layer that is being read."""

    schema: pa.Schema
    geometry: str | None
    """Column that holds the geometry as WKB; None: the layer has none."""
    crs: str | None
    """CRS of the geometry; None: the file states none."""
    batches: Iterator[pa.RecordBatch]


@contextmanager
def opened_layer(path: Path, *, layer: str | None = None, rows: int) -> Iterator[LayerStream]:
    """Open a layer of a ``.gpkg``, ``.fgb`` or ``.gdb`` to be read in file order.

    Parameters
    ----------
    path : Path
        File.
    layer : str or None
        Needed where the file has several layers.
    rows : int
        Rows of a batch.

    Raises
    ------
    FileFormatError
        The file can not be read, or has no such layer.
    """
    file = require_file(path)
    try:
        names = [str(name) for name, _ in pyogrio.list_layers(file)]
    except Exception as error:  # a damaged file makes the bindings raise anything
        raise unreadable(file.name, error) from error
    if (layer is None and len(names) != 1) or (layer is not None and layer not in names):
        raise no_layer(file, names, layer=layer)
    try:
        with pyogrio.open_arrow(
            file, layer=layer or names[0], batch_size=rows, use_pyarrow=True
        ) as (meta, reader):
            yield LayerStream(
                schema=reader.schema,
                geometry=_geometry_column(meta, reader.schema),
                crs=embedded_crs(meta["crs"]),
                batches=_batches(reader, name=file.name),
            )
    except pyogrio.errors.DataSourceError as error:
        raise unreadable(file.name, error) from error


def count_rows(path: Path, *, layer: str) -> int:
    """Return how many rows a layer has, counted and not as its file says.

    Raises
    ------
    FileFormatError
        The file can not be read.
    """
    try:
        return int(pyogrio.read_info(path, layer=layer, force_feature_count=True)["features"])
    except Exception as error:  # a damaged file makes the bindings raise anything
        raise unreadable(path.name, error) from error


def _geometry_column(meta: dict[str, Any], schema: pa.Schema) -> str | None:
    if meta.get("geometry_type") is None:
        return None
    name = str(meta["geometry_name"] or "wkb_geometry")
    return name if name in schema.names else None


def _batches(reader: Any, *, name: str) -> Iterator[pa.RecordBatch]:
    try:
        yield from reader
    except (pa.ArrowException, OSError, RuntimeError) as error:
        raise unreadable(name, error) from error


def write_points(
    batches: pa.RecordBatchReader, path: Path, *, layer: str, crs: str, moment: datetime
) -> None:
    """Write batches with points as WKB in ``geometry`` as a layer of a new file, ``.gpkg`` or ``.fgb``.

    Parameters
    ----------
    batches : pyarrow.RecordBatchReader
        Rows; read to the end.
    path : Path
        File that is not there yet.
    layer, crs : str
        Name of the layer; CRS of the points.
    moment : datetime
        When the file says it was changed, so that equal content gives equal bytes.
    """
    driver = driver_of(path)
    options: dict[str, Any] = {}
    if driver == "GPKG":
        taken = {name.casefold() for name in batches.schema.names}
        free = (name for name in ("fid", "row_id", "row_id_1", "row_id_2") if name not in taken)
        options["layer_options"] = {"GEOMETRY_NAME": "geom", "FID": next(free)}
        if "geom" in taken:
            options["layer_options"]["GEOMETRY_NAME"] = "case_geom"
    stamp = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp})
    try:
        with gdal_words():
            pyogrio.write_arrow(
                batches, path, layer=layer, driver=driver, crs=crs,
                geometry_name="geometry", geometry_type="Point", **options,
            )  # fmt: skip
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
