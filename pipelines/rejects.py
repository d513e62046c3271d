"""Refused and doubted rows, handed back to the surveyor: where, which rule, what to do."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pandas as pd
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from census.workbooks import add_sheet
from gis.codes import Rule, read_rules
from gis.database import Database, read_features
from gis.errors import NotFoundError, RequestError
from gis.outputs import appearing
from gis.vector import write_vector
from pipelines.delivery import DATASETS

RULE_PACKAGES = (
    "gis.codes",
    "gridding",
    "gridding.trades",
    "census",
    "pipelines",
    "pipelines.geocoding",
    "pipelines.topography",
    "pipelines.place_names",
)
"""Packages with a catalogue of rules."""
FORMATS = (".gpkg", ".xlsx")
HEAD = (
    "build_id",
    "dataset",
    "source_file",
    "source_row",
    "code",
    "rule",
    "severity",
    "reason_en",
    "reason_zh",
    "fix_en",
    "fix_zh",
)
"""Columns of the fault, before those of the row as delivered."""
_SHEET_ROWS = 1_000_000
_CELL_CHARACTERS = 32_000
# A decision on conflicts, and a migration, read no files: what was delivered before still waits.
_NEWEST = """
    WITH newest AS (
        SELECT max(b.build_id) AS build_id FROM meta.build b
        WHERE b.status = 'live' AND b.corrects_build_id IS NULL
          AND (b.dataset <> 'components' OR b.files <> '{}'
               OR EXISTS (SELECT FROM meta.reject r WHERE r.build_id = b.build_id))
        GROUP BY b.dataset
    )
    SELECT b.build_id FROM meta.build b JOIN newest n
    ON n.build_id IN (b.build_id, b.corrects_build_id) WHERE b.status = 'live'
"""
_QUERY = """
    SELECT r.build_id, r.dataset, r.source_file, r.source_row, r.code, r.rule, r.severity,
           r.reason_en, r.reason_zh, r.record, r.geom
    FROM meta.reject r
    WHERE r.build_id = ANY(%(builds)s) AND r.resolved_build_id IS NULL
      AND (%(dataset)s::text IS NULL OR r.dataset = %(dataset)s)
    ORDER BY r.build_id, r.source_file, r.source_row, r.rule
"""


def all_rules() -> dict[str, Rule]:
    """Return the rules of all packages by code."""
    return {code: rule for package in RULE_PACKAGES for code, rule in read_rules(package).items()}


def read_rejects(
    database: Database, *, dataset: str | None = None, build_id: int | None = None
) -> gpd.GeoDataFrame:
    """Return refused and doubted rows of one build, or of the newest delivery of each dataset.

    Rows that were corrected and reloaded are left out; what is still wrong with them belongs to the
    build that reloaded them, which counts with that of the delivery.

    Parameters
    ----------
    database : Database
        Where to read.
    dataset : str or None
        Only this dataset.
    build_id : int or None
        Only this build, live or not.

    Returns
    -------
    GeoDataFrame
        One row per fault, in the city's CRS: build, file, row, code, rule, severity, reasons, what to
        do, and ``record``, the row as delivered.

    Raises
    ------
    NotFoundError
        There is no such build or dataset.
    """
    if dataset is not None and dataset not in DATASETS:
        msg = f"There is no dataset {dataset!r}: use one of {', '.join(DATASETS)}."
        raise NotFoundError(msg, zh=f"没有数据集“{dataset}”，可用：{'、'.join(DATASETS)}。")
    with database.connect(read_only=True) as connection:
        one = "SELECT build_id FROM meta.build WHERE build_id = %s"
        query, params = (_NEWEST, []) if build_id is None else (one, [build_id])
        builds = [row[0] for row in connection.execute(query, params).fetchall()]
        if build_id is not None and not builds:
            msg = f"There is no build {build_id}: `wanmi builds` lists them."
            raise NotFoundError(msg, zh=f"没有构建 {build_id}：请用 wanmi builds 查看。")
        frame = read_features(
            connection, _QUERY, {"builds": builds, "dataset": dataset}, crs=database.crs
        )
    rules = all_rules()
    known = {code: rules[code] for code in frame["rule"].unique() if code in rules}
    for column in ("fix_en", "fix_zh"):
        texts = {code: getattr(rule, column) for code, rule in known.items()}
        frame[column] = frame["rule"].map(texts).astype(object).fillna("")
    return frame[[*HEAD, "record", "geometry"]]


def count_rejects(rejects: pd.DataFrame) -> list[dict[str, Any]]:
    """Count rejects by dataset and rule, each with its first reason as an example.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"dataset": "areas", "severity": "error", "rule": "P001", "reason_en": "No code."}
    >>> count_rejects(pd.DataFrame([row, row]))[0]["rows"]
    2
    """
    groups = rejects.groupby(["dataset", "severity", "rule"], sort=True)
    return [
        {
            "dataset": dataset,
            "severity": severity,
            "rule": rule,
            "rows": len(rows),
            "example": rows["reason_en"].iloc[0],
        }
        for (dataset, severity, rule), rows in groups
    ]


def write_rejects(rejects: gpd.GeoDataFrame, path: Path) -> None:
    """Write rejects to a GeoPackage, one layer per dataset, or a workbook, one sheet per dataset.

    The columns of the row as delivered follow those of the fault. The file appears whole or not at
    all; an older file of that name is replaced.

    Raises
    ------
    RequestError
        The file's ending is neither .gpkg nor .xlsx, or its folder does not exist.
    WorkspaceError
        The file can not be written.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        msg = f"{path.name} is of no kind that is written: name it .gpkg (with geometry) or .xlsx."
        raise RequestError(msg, zh=f"不支持输出 {path.name}：请使用 .gpkg（含几何）或 .xlsx。")
    if not path.parent.is_dir():
        msg = f"There is no folder {path.parent}: make it first, or write elsewhere."
        raise RequestError(msg, zh=f"文件夹 {path.parent} 不存在：请先创建，或输出到别处。")
    with appearing(path) as partial:
        if suffix == ".gpkg":
            _write_layers(rejects, partial)
        else:
            _write_workbook(rejects, partial)


def flatten(rejects: pd.DataFrame) -> pd.DataFrame:
    """Return the rejects of one dataset with the delivered columns after the fault's, as text.

    A delivered column named like one of the fault's gets the prefix ``delivered_``.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame([dict.fromkeys(HEAD, "x") | {"record": {"code": "7", "WIDTH": 3}}])
    >>> flatten(rows)[["code", "delivered_code", "WIDTH"]].values.tolist()
    [['x', '7', '3']]
    """
    records = [record if isinstance(record, dict) else {} for record in rejects["record"]]
    taken = {name.casefold() for name in (*HEAD, "geometry", "fid", "geom")}
    columns: dict[str, list[str | None]] = {}
    for name in dict.fromkeys(name for record in records for name in record):
        shown = f"delivered_{name}" if str(name).casefold() in taken else str(name)
        taken.add(shown.casefold())
        columns[shown] = [_as_text(record.get(name)) for record in records]
    delivered = pd.DataFrame(columns, index=rejects.index, dtype=object)
    return pd.concat([rejects[list(HEAD)], delivered], axis=1)


def cell_text(value: Any) -> str | None:
    """Return a value as a cell of the export shows it, blanks at the ends left out; None for blank.

    Examples
    --------
    >>> cell_text(30.0), cell_text(" 路 "), cell_text(float("nan"))
    ('30.0', '路', None)
    """
    text = _as_text(None if pd.api.types.is_scalar(value) and pd.isna(value) else value)
    return _storable(text).strip() or None if text is not None else None


def _as_text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


def _storable(text: str) -> str:
    """Return what a cell of a workbook can hold of a text."""
    plain: str = ILLEGAL_CHARACTERS_RE.sub("", text)
    return plain[:_CELL_CHARACTERS]


def _by_dataset(rejects: gpd.GeoDataFrame) -> Iterator[tuple[str, gpd.GeoDataFrame]]:
    for dataset, rows in rejects.groupby("dataset", sort=True):
        yield str(dataset), rows


def _write_layers(rejects: gpd.GeoDataFrame, path: Path) -> None:
    written = False
    for dataset, rows in _by_dataset(rejects):
        frame = gpd.GeoDataFrame(flatten(rows), geometry=rows.geometry, crs=rejects.crs)
        write_vector(frame, path, layer=dataset)
        written = True
    if not written:
        empty = gpd.GeoDataFrame(
            pd.DataFrame(columns=list(HEAD), dtype=object), geometry=[], crs=rejects.crs
        )
        write_vector(empty, path, layer="rejects")


def _write_workbook(rejects: gpd.GeoDataFrame, path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    for dataset, rows in _by_dataset(rejects):
        flat = flatten(rows)
        for number, start in zip(count(1), range(0, len(flat), _SHEET_ROWS), strict=False):
            title = dataset if number == 1 else f"{dataset} {number}"
            add_sheet(book, title, flat.iloc[start : start + _SHEET_ROWS])
    if not book.worksheets:
        add_sheet(book, "rejects", pd.DataFrame(columns=list(HEAD)))
    book.save(path)
