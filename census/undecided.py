"""What a migration asks a person: written as workbook, GeoPackage or page, and read back with answers."""

import html
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import geopandas as gpd
import openpyxl
import pandas as pd
import pyarrow as pa

from census.migration import DECISION_WORDS, Decisions, Migration
from census.taxonomy import CODE_LENGTHS
from census.workbooks import add_sheet
from gis.crs import frame_crs
from gis.errors import RequestError
from gis.geopackage import ColumnText, write_columns, write_domains
from gis.outputs import appearing
from gis.sheets import list_sheets, read_sheet
from gis.vector import list_layers, read_vector, write_table

FORMATS = (".xlsx", ".html", ".gpkg")
MOST_LISTED = 2_000
"""Undecided components on the page; workbook and GeoPackage have all."""
MOST_IN_SHEET = 200_000
"""Old and new codes in the workbook; the GeoPackage has all."""
CLASSES, UNDECIDED, CODES = "classes", "undecided", "codes"

_CLASS_HEAD = (
    "standard_ref", "class_code", "class_name", "relation", "candidates", "evidence", "rows",
    "moved", "kept", "closed", "undecided", "reason_en", "reason_zh", "decision",
)  # fmt: skip
_ROW_HEAD = (
    "code", "standard_ref", "class_code", "name", "relation", "candidates",
    "reason_en", "reason_zh", "decision",
)  # fmt: skip
_CODE_HEAD = ("code", "to_code", "class_code", "to_class", "name", "fate")
"""Columns of the three tables."""
_HEADINGS = {
    "standard_ref": "standard 标准",
    "class_code": "class 类别",
    "class_name": "class name 类别名称",
    "relation": "relation 关系",
    "candidates": "becomes 新类别",
    "evidence": "evidence 依据",
    "rows": "components 部件数",
    "moved": "moved 可迁移",
    "kept": "kept 保留",
    "closed": "closed 移除",
    "undecided": "open 待定",
    "code": "code 标识码",
    "name": "name 名称",
    "reason_en": "why",
    "reason_zh": "原因",
}


def write_lists(
    migration: Migration, path: Path, *, shapes: gpd.GeoSeries, decisions: Decisions
) -> None:
    """Write the plan by the file's ending, whole or not at all; an older file is replaced.

    Parameters
    ----------
    migration : Migration
        The plan.
    path : Path
        ``.xlsx``, ``.html`` or ``.gpkg``.
    shapes : geopandas.GeoSeries
        Where the components are, index that of the census, with its CRS.
    decisions : Decisions
        Decisions read before: they stand in their column again.

    Raises
    ------
    RequestError
        The ending is of no such kind, or its folder does not exist.
    WorkspaceError
        The file can not be written.
    """
    suffix = path.suffix.lower()
    check_list(path)
    tables = _tables(migration, decisions)
    with appearing(path) as partial:
        if suffix == ".xlsx":
            _write_workbook(tables, partial)
        elif suffix == ".html":
            partial.write_text(page_text(migration, tables), encoding="utf-8")
        else:
            _write_layers(migration, tables, partial, shapes=shapes)


def check_list(path: Path) -> None:
    """Refuse a file that could not be written, before the work that leads to it.

    Raises
    ------
    RequestError
        The ending is of no such kind, or its folder does not exist.
    """
    if path.suffix.lower() not in FORMATS:
        msg = f"{path.name} is of no kind that is written: name it .xlsx, .html or .gpkg."
        raise RequestError(msg, zh=f"不支持输出 {path.name}：请使用 .xlsx、.html 或 .gpkg。")
    if not path.absolute().parent.is_dir():
        msg = f"There is no folder {path.parent}: make it first, or write elsewhere."
        raise RequestError(msg, zh=f"文件夹 {path.parent} 不存在：请先创建，或输出到别处。")


def read_decisions(path: Path, *, to_ref: str) -> Decisions:
    """Return the decisions filled into a workbook, GeoPackage or CSV that `write_lists` wrote.

    A table with ``code`` and ``decision`` decides for components, one with ``standard_ref``, ``class_code``
    and ``decision`` for classes. Zeros that a spreadsheet took from a class are put back.

    Raises
    ------
    RequestError
        No table of the file has these columns, or one component has two decisions.
    FileFormatError
        The file can not be read.
    """
    classes: dict[Any, str] = {}
    components: dict[Any, str] = {}
    is_list = False
    for frame in _read_tables(path):
        if "decision" not in frame.columns:
            continue
        filled = frame[frame["decision"].notna()]
        words = [_word(value, to_ref) for value in filled["decision"]]
        if "code" in frame.columns:
            is_list = True
            _add(components, filled["code"].astype(str), words, path)
        elif {"standard_ref", "class_code"} <= set(frame.columns):
            is_list = True
            padded = [
                (str(ref), str(code).zfill(CODE_LENGTHS.get(str(ref), 0)))
                for ref, code in zip(filled["standard_ref"], filled["class_code"], strict=True)
            ]
            _add(classes, padded, words, path)
    if not is_list:
        msg = (
            f"{path.name} has no table with the columns code and decision: fill in the list that "
            "`wanmi census migrate -o list.xlsx` writes."
        )
        raise RequestError(
            msg, zh=f"{path.name} 中没有含 code 和 decision 列的表：请填写系统导出的清单。"
        )
    return Decisions(classes=classes, components=components)


def _add(found: dict[Any, str], keys: Iterable[Any], words: list[str], path: Path) -> None:
    for key, word in zip(keys, words, strict=True):
        if found.setdefault(key, word) != word:
            msg = f"{path.name} decides twice for {key}: {found[key]} and {word}; leave one."
            raise RequestError(
                msg, zh=f"{path.name} 中 {key} 有两个不同的决定：{found[key]}、{word}。"
            )


def _word(value: object, to_ref: str) -> str:
    text = str(value).strip().removesuffix(".0")
    text = text.split()[0] if text else text  # "01030 电杆", as the list of candidates shows it
    known = DECISION_WORDS.get(text.casefold())
    return known or (text.zfill(CODE_LENGTHS[to_ref]) if text.isdigit() else text)


def _read_tables(path: Path) -> list[pd.DataFrame]:
    suffix = path.suffix.lower()
    if suffix == ".gpkg":
        return [
            read_vector(path, target_crs="EPSG:4490", layer=name).frame
            for name in list_layers(path)
            if name in (UNDECIDED, CLASSES)
        ]
    if suffix != ".xlsx":
        return [read_sheet(path).frame]
    names = list_sheets(path)
    kept = [name for name in names if name in (UNDECIDED, CLASSES)] or names
    return [read_sheet(path, sheet=name).frame for name in kept]


def _tables(migration: Migration, decisions: Decisions) -> dict[str, pd.DataFrame]:
    classes = migration.classes.copy()
    classes["candidates"] = [
        "; ".join(f"{code} {name}" for code, name in zip(codes, names, strict=True))
        for codes, names in zip(classes["candidates"], classes["candidate_names"], strict=True)
    ]
    keys = zip(classes["standard_ref"], classes["class_code"], strict=True)
    classes["decision"] = [decisions.classes.get(key) for key in keys]
    answers = migration.rows["code"].map(dict(decisions.components)).astype(object)
    # The list is the only place of decisions: those of an earlier one stay, or the next would lose them.
    rows = migration.rows[migration.rows["fate"].eq("undecided") | answers.notna()].copy()
    listed = classes.set_index(["standard_ref", "class_code"])["candidates"]
    keys = pd.MultiIndex.from_frame(rows[["standard_ref", "class_code"]])
    rows["candidates"] = listed.reindex(keys).to_numpy()
    rows["decision"] = answers.where(answers.notna(), None).reindex(rows.index)
    return {
        CLASSES: classes[list(_CLASS_HEAD)],
        UNDECIDED: rows[list(_ROW_HEAD)],
        CODES: migration.rows[list(_CODE_HEAD)],
    }


def _write_workbook(tables: dict[str, pd.DataFrame], path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    for title, table in tables.items():
        if title == CODES and len(table) > MOST_IN_SHEET:
            continue
        wide = [name for name in table if name.startswith(("reason", "candidates", "name", "code"))]
        add_sheet(book, title, table, widths=dict.fromkeys(wide, 24), to_fill_in=["decision"])
    book.save(path)


def _write_layers(
    migration: Migration, tables: dict[str, pd.DataFrame], path: Path, *, shapes: gpd.GeoSeries
) -> None:
    for name in (UNDECIDED, CODES):
        table = tables[name]
        columns = {
            column: pa.array(values.astype(object).where(values.notna(), None), pa.string())
            for column, values in table.items()
        }
        wkb = pa.array(shapes.reindex(table.index).to_wkb(), pa.binary())
        crs = frame_crs(gpd.GeoDataFrame(geometry=shapes))
        write_table(
            pa.table({**columns, "geometry": wkb}), path, layer=name, kind="Unknown", crs=crs
        )
    choices = {
        code: f"{code} {title}"
        for codes, titles in zip(
            migration.classes["candidates"], migration.classes["candidate_names"], strict=True
        )
        for code, title in zip(codes, titles, strict=True)
    }
    choices = dict(sorted(choices.items())) | {"keep": "keep 保留", "close": "close 移除"}
    write_domains(path, {"decision": choices})
    about = ColumnText(title="决定 decision", description="new class", domain="decision")
    write_columns(path, UNDECIDED, {"decision": about})


def page_text(migration: Migration, tables: dict[str, pd.DataFrame]) -> str:
    """Return the plan as one page that works offline."""
    template = resources.files("census").joinpath("migration.html").read_text(encoding="utf-8")
    waiting = migration.rows.index[migration.rows["fate"].eq("undecided")]
    listed = tables[UNDECIDED].loc[waiting].head(MOST_LISTED)
    left = len(waiting) - len(listed)
    counts = {fate: f"{migration.count(fate):,}" for fate in ("moved", "kept", "closed")}
    # What a person has to look at stands first.
    classes = tables[CLASSES].drop(columns="decision")
    classes = classes.sort_values("undecided", ascending=False, kind="stable")
    return Template(template).substitute(
        counts,
        to_ref=html.escape(migration.to_ref),
        undecided=f"{migration.count('undecided'):,}",
        beyond=f"{migration.beyond:,}",
        warnings="".join(
            f"<li>{html.escape(f'{remark.zh} {remark.en}')}</li>" for remark in migration.warnings
        ),
        classes=_html_rows(classes),
        class_head=_html_head(classes),
        rows=_html_rows(listed.drop(columns="decision")),
        row_head=_html_head(listed.drop(columns="decision")),
        left=f"{left:,} more are in the workbook. 其余 {left:,} 件见工作簿。" if left else "",
    )


def _html_head(table: pd.DataFrame) -> str:
    return "".join(f"<th>{html.escape(_HEADINGS.get(name, name))}</th>" for name in table.columns)


def _html_rows(table: pd.DataFrame) -> str:
    return "\n".join(
        "<tr>"
        + "".join(f"<td>{html.escape('' if v is None else str(v))}</td>" for v in row)
        + "</tr>"
        for row in table.itertuples(index=False)
    )
