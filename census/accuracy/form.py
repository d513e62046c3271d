"""The form for the field team: components to re-measure with columns to fill in, as .gpkg or .xlsx."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from census.workbooks import write_tables
from gis.errors import FileFormatError
from gis.geopackage import ColumnText, write_columns, write_stamp
from gis.outputs import appearing
from gis.sheets import read_sheet
from gis.vector import list_layers, read_vector, write_table

SAMPLE, MEASURED = "sample", "measured"
"""Layers of a GeoPackage: where to go, and points taken with a receiver; a workbook has one sheet."""
_SHEET = "外业检查 sample"

GIVEN: Mapping[str, str] = {
    "code": "部件标识码",
    "class_code": "小类代码",
    "class_name": "小类名称",
    "accuracy": "精度等级",
    "limit_m": "中误差限值(米)",
    "shape": "几何类型",
    "community_code": "社区代码",
    "name": "部件名称",
    "location_note": "位置描述",
    "survey_x": "普查东坐标",
    "survey_y": "普查北坐标",
}
"""Columns that are filled when the form is written -> their Chinese names."""
TO_FILL_IN: Mapping[str, str] = {
    "measured_x": "复测东坐标",
    "measured_y": "复测北坐标",
    "device_m": "设备精度(米)",
    "not_found": "未找到(是)",
    "extra": "周围漏查个数",
    "field_note": "外业说明",
}
"""Columns that the field team fills in."""
_MEANINGS = {
    "measured_x": "east, or longitude; the centre of the object, of a line or area any point of its outline",
    "measured_y": "north, or latitude",
    "device_m": "accuracy the receiver states, m",
    "not_found": "是 or 1: there is no such component here (commission 多余)",
    "extra": "components of this class beside it that the census lacks (omission 漏查)",
    "field_note": "anything worth knowing",
}
_NUMBERS = ("limit_m", "survey_x", "survey_y", "measured_x", "measured_y", "device_m", "extra")
_OF_MEASURED = ("code", "class_code", "device_m", "not_found", "field_note")


@dataclass(frozen=True, kw_only=True)
class Fieldwork:
    """What came back from the field, as it was written."""

    rows: pd.DataFrame
    """``code`` and the columns of `TO_FILL_IN` as text, ``class_code``, ``source_row``; ``in_city_crs``
    where the point is a geometry, whose x and y are metres of the city's CRS already."""
    sample_id: str | None
    """Which sample it says it is of."""


def write_form(sample: pd.DataFrame, path: Path, *, crs: str, stamp: Mapping[str, str]) -> None:
    """Write the form; the file appears whole, or not at all.

    Parameters
    ----------
    sample : pandas.DataFrame
        Columns of `GIVEN`; coordinates in the city's CRS, m.
    path : Path
        ``.gpkg`` or ``.xlsx``.
    crs : str
        The city's CRS.
    stamp : mapping
        What tells the sample apart, ``sample_id`` among it.

    Raises
    ------
    FileFormatError
        The suffix is another.
    WorkspaceError
        The file can not be written.
    """
    form = sample[list(GIVEN)].copy()
    for name in TO_FILL_IN:
        form[name] = pd.Series(None, index=form.index, dtype=object)
    form["sample_id"] = stamp["sample_id"]
    check_form_name(path)
    if path.suffix.lower() == ".xlsx":
        titles = {name: f"{title} {name}" for name, title in {**GIVEN, **TO_FILL_IN}.items()}
        titles["sample_id"] = "样本编号 sample_id"
        marked = [titles[name] for name in TO_FILL_IN]
        write_tables(path, {_SHEET: form.rename(columns=titles)}, to_fill_in=marked)
        return
    with appearing(path) as partial:
        _write_geopackage(form, partial, crs=crs, stamp=stamp)


def check_form_name(path: Path) -> None:
    """Refuse a name that no form can have.

    Raises
    ------
    FileFormatError
        It does not end in ``.gpkg`` or ``.xlsx``.
    """
    if path.suffix.lower() not in (".gpkg", ".xlsx"):
        msg = f"{path.name}: name the form {path.stem}.gpkg (QField) or {path.stem}.xlsx."
        raise FileFormatError(
            msg, zh=f"{path.name}：请命名为 {path.stem}.gpkg 或 {path.stem}.xlsx。"
        )


def _write_geopackage(
    form: pd.DataFrame, path: Path, *, crs: str, stamp: Mapping[str, str]
) -> None:
    points = shapely.points(form["survey_x"], form["survey_y"])
    _write_layer(form, points, path, layer=SAMPLE, crs=crs)
    taken = pd.DataFrame(columns=list(_OF_MEASURED), dtype=object)
    _write_layer(taken, np.array([], dtype=object), path, layer=MEASURED, crs=crs)
    titles = {**GIVEN, **TO_FILL_IN}
    for layer, names in ((SAMPLE, tuple(titles)), (MEASURED, _OF_MEASURED)):
        texts = {
            name: ColumnText(title=titles[name], description=_MEANINGS.get(name, ""))
            for name in names
        }
        write_columns(path, layer, texts)
    write_stamp(path, stamp)


def _write_layer(table: pd.DataFrame, points: Any, path: Path, *, layer: str, crs: str) -> None:
    """Write points with a type for every column, though nothing is in it yet."""
    arrays = [
        pa.array(
            [None if pd.isna(value) else value for value in table[name]],
            type=pa.float64() if name in _NUMBERS else pa.string(),
        )
        for name in table.columns
    ]
    kind = pa.field("geometry", pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"})
    fields = [pa.field(name, array.type) for name, array in zip(table.columns, arrays, strict=True)]
    shapes = pa.array(shapely.to_wkb(points), type=pa.binary())
    whole = pa.table([*arrays, shapes], schema=pa.schema([*fields, kind]))
    write_table(whole, path, layer=layer, kind="Point", crs=crs)


def read_form(path: Path, *, crs: str) -> Fieldwork:
    """Return what the field team filled in.

    Parameters
    ----------
    path : Path
        ``.gpkg``, ``.xlsx`` or ``.csv`` that `write_form` wrote.
    crs : str
        The city's CRS, into which points of the layer ``measured`` are brought.

    Raises
    ------
    FileFormatError
        The file can not be read, lacks the columns of the form, or has no rows.
    """
    if path.suffix.lower() == ".gpkg":
        rows = _read_geopackage(path, crs=crs)
    else:
        table = read_sheet(path).frame
        rows = table.rename(columns={name: str(name).split(" ")[-1] for name in table.columns})
        rows["in_city_crs"] = False
    needed = ("code", "measured_x", "measured_y")
    missing = [name for name in needed if name not in rows]
    if missing:
        shown = ", ".join(missing)
        msg = f"{path.name} lacks the columns {shown}: fill in the form that `wanmi census sample` wrote."
        raise FileFormatError(
            msg, zh=f"{path.name} 缺少列 {shown}：请填写 wanmi census sample 导出的表。"
        )
    if rows.empty:
        msg = f"{path.name} has no rows: fill in the form that `wanmi census sample` wrote."
        raise FileFormatError(
            msg, zh=f"{path.name} 没有记录：请填写 wanmi census sample 导出的表。"
        )
    for name in ("class_code", *TO_FILL_IN):
        if name not in rows:
            rows[name] = None
    ids = rows["sample_id"].dropna().unique() if "sample_id" in rows else []
    kept = ["code", "class_code", *TO_FILL_IN, "source_row", "in_city_crs"]
    return Fieldwork(rows=rows[kept].reset_index(drop=True), sample_id=_only(ids, path))


def _only(ids: Any, path: Path) -> str | None:
    if len(ids) > 1:
        shown = ", ".join(map(str, ids[:3]))
        msg = f"{path.name} has rows of several samples ({shown}): give one file for each."
        raise FileFormatError(msg, zh=f"{path.name} 含多个样本（{shown}）：请分文件提交。")
    return str(ids[0]) if len(ids) else None


def _read_geopackage(path: Path, *, crs: str) -> pd.DataFrame:
    layers = list_layers(path) if path.is_file() else []
    first = read_vector(path, target_crs=crs, layer=SAMPLE if SAMPLE in layers else None).frame
    rows = pd.DataFrame(first.drop(columns=first.geometry.name)).assign(in_city_crs=False)
    if MEASURED not in layers:
        return rows
    taken = read_vector(path, target_crs=crs, layer=MEASURED).frame
    points = gpd.GeoSeries(taken.geometry)
    table = pd.DataFrame(taken.drop(columns=points.name))
    table["measured_x"], table["measured_y"] = points.x, points.y
    return pd.concat([rows, table.assign(in_city_crs=True)], ignore_index=True)
