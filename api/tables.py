"""Frames of the database or of a test, turned into the Arrow tables of a snapshot."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from api.declared import schema_of
from api.layout import order_of
from gis.errors import SnapshotError


def to_table(frame: pd.DataFrame, *, dataset: str) -> pa.Table:
    """Return the rows of `frame` with the declared columns, sorted, one chunk per column.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns of the dataset's table; ``geometry`` holds shapely geometries in the city's CRS.
        Absent columns are null; ``x`` and ``y`` are worked out here.
    dataset : str
        One of ``api.layout.DATASETS``.

    Raises
    ------
    SnapshotError
        A value does not fit its declared type.
    """
    schema = schema_of(dataset)
    columns: dict[str, Any] = {}
    if "geometry" in schema.names:
        shapes = np.asarray(frame["geometry"], dtype=object)
        columns["x"], columns["y"] = representative_points(shapes)
        columns["geometry"] = shapely.to_wkb(shapes)
    for field in schema:
        if field.name not in columns:
            columns[field.name] = _values(frame, field)
    try:
        arrays = [
            pa.array(columns[field.name], type=field.type, from_pandas=True) for field in schema
        ]
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        msg = f"Table {dataset} can not be compiled ({error}); run `wanmi db migrate` and `wanmi build` again."
        raise SnapshotError(
            msg, zh=f"数据表 {dataset} 无法编译（{error}）：请重新迁移数据库并重新入库。"
        ) from error
    table = pa.Table.from_arrays(arrays, schema=schema)
    keys = [(name, "ascending") for name in order_of(dataset)]
    return table.sort_by(keys).combine_chunks()


def representative_points(
    shapes: NDArray[Any],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return one point per geometry: itself, a line's midpoint, a point inside a polygon.

    Examples
    --------
    >>> shapes = np.array([shapely.Point(1, 2), shapely.LineString([(0, 0), (4, 0)])])
    >>> [axis.tolist() for axis in representative_points(shapes)]
    [[1.0, 2.0], [2.0, 0.0]]
    """
    points = shapes.copy()
    kind = shapely.get_type_id(shapes)
    lines = np.isin(kind, (1, 2, 5))
    other = ~lines & (kind > 0)
    merged = shapely.line_merge(shapes[lines])
    longest = np.array([_longest(line) for line in merged], dtype=object)
    points[lines] = shapely.line_interpolate_point(longest, 0.5, normalized=True)
    points[other] = shapely.point_on_surface(shapes[other])
    return shapely.get_x(points), shapely.get_y(points)


def _longest(line: Any) -> Any:
    return max(shapely.get_parts(line), key=shapely.length, default=line)


def _values(frame: pd.DataFrame, field: pa.Field) -> list[Any]:
    if field.name not in frame.columns:
        return [None] * len(frame)
    values = frame[field.name].tolist()
    if pa.types.is_list(field.type):
        return [
            list(value) if isinstance(value, (list, tuple, np.ndarray)) else [] for value in values
        ]
    values = [None if _is_missing(value) else value for value in values]
    if pa.types.is_string(field.type):
        return [
            orjson.dumps(value).decode() if isinstance(value, Mapping) else value
            for value in values
        ]
    if pa.types.is_date(field.type):
        return [value.date() if isinstance(value, pd.Timestamp) else value for value in values]
    if pa.types.is_integer(field.type):
        return [None if value is None else int(value) for value in values]
    return values


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value != value
