"""Frames as notebooks have them: known column names, any index, a geometry for a position, Arrow tables."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from api.questions import FIELDS
from gis.crs import frame_crs
from gis.errors import CrsError, DeliveryError, RequestError
from gis.fields import map_fields

if TYPE_CHECKING:
    import geopandas as gpd

    from api.snapshot import Snapshot

_ID = "case_id"


def assign_rows(snapshot: "Snapshot", rows: pd.DataFrame | pa.Table | pa.RecordBatch) -> Any:
    """Decide the cases of a frame or table, one answer per row and in their order.

    Parameters
    ----------
    snapshot : Snapshot
        The data.
    rows : pandas.DataFrame, geopandas.GeoDataFrame, pyarrow.Table or pyarrow.RecordBatch
        Columns as for ``api.assign.assign_frame``, under those names or usual ones (经度, 小类代码 …);
        others are ignored. Without x and y a GeoDataFrame is asked for where its geometry lies, in its
        own CRS; lines and areas for a point on them.

    Returns
    -------
    pandas.DataFrame or pyarrow.Table
        The columns of ``POST /v1/assign/batch``: ``case_id`` as given, where there is one, and the
        answers; a frame with the index of `rows`, whatever labels it has.

    Raises
    ------
    RequestError
        It is no frame or table, two columns stand for one, or a geometry has no CRS.
    """
    from api.assign import assign_frame, assign_table
    from api.telling.answers import plain

    if isinstance(rows, pa.RecordBatch):
        rows = pa.Table.from_batches([rows])
    if isinstance(rows, pa.Table):
        named = known_fields(rows.column_names)
        columns = {name: rows.column(position) for name, position in named.items()}
        asked = pa.table(columns or {"kind": pa.nulls(rows.num_rows, pa.string())})
        answers = plain(assign_table(snapshot, asked))
        return answers.add_column(0, _ID, columns[_ID]) if _ID in columns else answers
    if not isinstance(rows, pd.DataFrame):
        kind = type(rows).__name__
        msg = f"Cases are a frame or an Arrow table, not a {kind}: write pandas.DataFrame(…) around them."
        zh = f"案件应为数据框或 Arrow 表，而不是 {kind}：请用 pandas.DataFrame(…) 转换。"
        raise RequestError(msg, zh=zh)
    named = known_fields([str(name) for name in rows.columns])
    given = {name: rows.iloc[:, position] for name, position in named.items()}
    frame = pd.DataFrame(
        {name: column.reset_index(drop=True) for name, column in given.items()},
        index=pd.RangeIndex(len(rows)),
    )
    if "x" not in named and "y" not in named and hasattr(rows, "geom_type"):
        _add_positions(frame, rows)
    answers = assign_frame(snapshot, frame)
    if _ID in frame:
        answers.insert(0, _ID, frame[_ID])
    return answers.set_axis(rows.index, axis=0)


def known_fields(
    names: Sequence[str], *, stated: Mapping[str, str] | None = None
) -> dict[str, int]:
    """Return which columns ask what: platform column -> position among `names`.

    Parameters
    ----------
    names : sequence of str
        Columns of a frame or file; of equal names the first is meant.
    stated : mapping or None
        Platform column -> the column that stands for it.

    Raises
    ------
    RequestError
        Two columns stand for one, or a stated one is not there.

    Examples
    --------
    >>> known_fields(["备注", "经度", "纬度", "as_of"])
    {'x': 1, 'y': 2, 'as_of': 3}
    """
    place = {name: position for position, name in reversed(list(enumerate(names)))}
    frame = pd.DataFrame(columns=list(place)[::-1])
    try:
        mapped = map_fields(frame, dataset="cases", stated=stated).mapped
    except DeliveryError as error:
        raise RequestError(_plainly(error.message), zh=_plainly(error.zh)) from error
    # Some columns are questions and no columns of the database.
    own = {name: name for name in FIELDS if name in place and name not in mapped}
    found = {platform: place[column] for platform, column in (mapped | own).items()}
    return {name: found[name] for name in sorted(found, key=lambda name: found[name])}


def _plainly(text: str) -> str:
    """Return what is said of a delivery as it is said of a frame or file."""
    for told, plain in (
        ("under [layer.fields], as", "with --field (in a frame: rename the others), as"),
        ("在 [layer.fields] 中指明，如", "用 --field 指明（数据框请改其余列名），如"),
        ("[layer.fields]", "--field"),
        (' = "', "="),
        ('".', "."),
        ('"。', "。"),
    ):
        text = text.replace(told, plain)
    return text


def _add_positions(frame: pd.DataFrame, rows: "gpd.GeoDataFrame") -> None:
    shapes = rows.geometry.to_numpy()
    try:
        crs = frame_crs(rows)
    except CrsError as error:
        msg = 'The frame\'s geometry has no CRS: state it, as frame.set_crs("EPSG:4547").'
        raise RequestError(
            msg, zh='数据框的几何没有坐标系：请用 frame.set_crs("EPSG:4547") 声明。'
        ) from error
    if (shapely.get_type_id(shapes) > 0).any():
        shapes = shapely.point_on_surface(shapes)
    shapes = np.where(shapely.is_empty(shapes), None, shapes)  # they have no coordinates to ask for
    frame["x"], frame["y"], frame["crs"] = shapely.get_x(shapes), shapely.get_y(shapes), crs
