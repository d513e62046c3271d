"""The workbook of a plan as cities keep it: which sheets hold rows, which hold areas, read as one table.

A sheet is known by its headings, which may stand below a title and in two rows. Merged cells all have
their value. Sheets without known headings and hidden sheets are left alone, and told; hidden rows are
read, and told. Headings repeated on each page are no rows.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from gis.books import BookSheet, read_book
from gis.codes import read_table
from gis.encoding import FORMAT_IS_UTF8
from gis.errors import FileFormatError
from gis.remarks import Remark, name_rows
from gis.sources import FileReport, Layer, hash_file
from pipelines.responsibility.leftout import left_out
from pipelines.responsibility.unseen import Unseen, find_unseen

ROW, AREA = "row", "area"
"""What a line of the table is: a row of the plan, or an area that the plan draws."""
ROLES = ("competent", "owner", "maintainer", "handler", "territorial")
"""Columns that name a unit by its role; the same with ``_code`` hold its code."""
_SEARCHED = 12
"""Rows in which the headings are looked for."""
_SEEN = Unseen()
_UNITS = (*ROLES, "unit_name", "unit_code")
_BLANKS = re.compile(r"[\s　*＊:：]+")
_KINDS = (("部件", "component"), ("事件", "event"), ("事项", "event"))


@dataclass(frozen=True, kw_only=True)
class _Head:
    part: str
    rows: tuple[int, ...]
    """Positions of the heading's rows."""
    names: dict[int, str]
    """Position of a column -> platform column, or the heading as written."""


def read_plan(
    path: Path, *, sheet: str | None = None, stated: Mapping[str, str] | None = None
) -> Layer:
    """Read the rows and areas of a plan; every value is text, ``part`` tells what a line is.

    Parameters
    ----------
    path : Path
        ``.xlsx``.
    sheet : str or None
        Only this sheet, also if it is hidden; None: all that have known headings and are not hidden.
    stated : mapping or None
        ``[layer.fields]``: platform column -> the file's heading.

    Raises
    ------
    FileFormatError
        The file can not be read, has no such sheet, or none with the headings of a plan.
    """
    unseen = find_unseen(path)
    book = read_book(path)
    if sheet is not None:
        wanted = {name: cells for name, cells in book.items() if name.strip() == sheet.strip()}
        if not wanted:
            msg = f"{path.name} has no sheet {sheet} (it has: {', '.join(book)}): correct sheet in delivery.toml."
            raise FileFormatError(
                msg,
                zh=f"{path.name} 中没有工作表 {sheet}（现有：{'、'.join(book)}）：请更正 delivery.toml 中的 sheet。",
            )
        book = wanted
        unseen = {name: replace(each, is_hidden=False) for name, each in unseen.items()}
    own = {_plain(heading): column for column, heading in (stated or {}).items()}
    heads = {name: _find_head(cells, own) for name, cells in book.items()}
    hidden = [name for name in book if unseen.get(name, _SEEN).is_hidden]
    read = {name: head for name, head in heads.items() if head is not None and name not in hidden}
    if not any(head.part == ROW for head in read.values()):
        raise _no_plan(path, book)
    frames = [
        _table(name, (book[name], unseen.get(name, _SEEN)), head, path)
        for name, head in read.items()
    ]
    frame = pd.concat(frames, ignore_index=True).astype(object)
    several = len(read) > 1
    frame["source_file"] = (
        frame["sheet"].map(lambda name: f"{path.name}|{name}") if several else path.name
    )
    report = FileReport(
        path=path.name,
        driver="XLSX",
        sha256=hash_file(path),
        rows=len(frame),
        encoding="UTF-8",
        encoding_evidence=FORMAT_IS_UTF8,
        crs="",
        crs_source="",
        warnings=(*_unread(heads, hidden), *_left_out(book, read), *_warnings(frame)),
    )
    return Layer(frame=frame.where(frame.notna(), None), report=report, findings=())


def _no_plan(path: Path, book: Mapping[str, BookSheet]) -> FileFormatError:
    names = ", ".join(book) or "-"
    msg = (
        f"{path.name} has no sheet with the headings of a plan (sheets: {names}): it needs a class (小类代码 or "
        "小类名称) and a unit (责任单位, or 主管部门, 权属单位, 养护单位, 处置单位)."
    )
    return FileFormatError(
        msg,
        zh=f"{path.name} 中没有职责分解表（工作表：{names}）：表头须有类别（小类代码或小类名称）"
        "和单位（责任单位，或主管部门、权属单位、养护单位、处置单位）。",
    )


@cache
def _headings() -> dict[tuple[str, str], str]:
    """Return the known headings: those of the flat table, and those of workbooks alone."""
    parts = {"responsibility": ROW, "plan_areas": AREA}
    flat = {
        (parts[row["dataset"]], _plain(row["alias"])): row["column"]
        for row in read_table("gis.codes", "field_aliases.csv")
        if row["dataset"] in parts
    }
    rows = read_table("pipelines.responsibility", "headings.csv")
    return flat | {(row["part"], _plain(row["heading"])): row["column"] for row in rows}


def _plain(text: str) -> str:
    return _BLANKS.sub("", text).replace("(", "（").replace(")", "）").casefold()


def _column(part: str, heading: str | None, own: Mapping[str, str]) -> str | None:
    if heading is None:
        return None
    plain = _plain(heading)
    found = own.get(plain) or _headings().get((part, plain))
    known = found or (heading.strip() if heading.strip() in _platform(part) else None)
    if known in ROLES and "代码" in plain:
        return f"{known}_code"
    return known


@cache
def _platform(part: str) -> frozenset[str]:
    return frozenset(column for (at, _), column in _headings().items() if at == part)


def _find_head(sheet: BookSheet, own: Mapping[str, str]) -> _Head | None:
    """Return the headings of a sheet: the row that names most columns, and the one below if it goes on."""
    best: _Head | None = None
    for number, cells in enumerate(sheet.cells[:_SEARCHED]):
        for part in (AREA, ROW):
            names = _names(part, cells, own)
            head = _Head(part=part, rows=(number,), names=names)
            if _is_head(part, set(names.values())) and _known(head) > (_known(best) if best else 0):
                best = head
    return None if best is None else _with_second_row(best, sheet, own)


def _names(part: str, cells: list[str | None], own: Mapping[str, str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for place, cell in enumerate(cells):
        column = _column(part, cell, own)
        if column is not None and column not in found.values():
            found[place] = column
    return found


def _known(head: _Head) -> int:
    return len(head.names)


def _is_head(part: str, columns: set[str]) -> bool:
    if part == AREA:
        return {"code", "kind"} <= columns or {"name", "kind"} <= columns
    has_class = bool(columns & {"class_code", "class_name", "major_code", "major_name"})
    units = {*_UNITS, *(f"{role}_code" for role in ROLES)}
    return has_class and bool(columns & units)


def _with_second_row(head: _Head, sheet: BookSheet, own: Mapping[str, str]) -> _Head:
    number = head.rows[0] + 1
    if number >= len(sheet.cells):
        return head
    below = [
        (place, cell)
        for place, cell in enumerate(sheet.cells[number])
        if cell is not None and (number, place) not in sheet.filled
    ]
    columns = {place: _column(head.part, cell, own) for place, cell in below}
    above = {place for row, place in sheet.filled if row == head.rows[0]}
    grouped = above | {place - 1 for place in above}
    unknown = {place for place, column in columns.items() if column is None}
    if not unknown <= grouped or not columns.keys() - unknown:
        return head
    names = {place: column for place, column in head.names.items() if place not in columns}
    for place, column in columns.items():
        if column is not None and column not in names.values():
            names[place] = column
    return _Head(part=head.part, rows=(head.rows[0], number), names=names)


def _table(name: str, read: tuple[BookSheet, Unseen], head: _Head, path: Path) -> pd.DataFrame:
    sheet, unseen = read
    headings = [sheet.cells[number] for number in head.rows]
    first = head.rows[-1] + 1
    title = " ".join(cell for row in sheet.cells[: head.rows[0]] for cell in row if cell)
    numbered = next((at for at, column in head.names.items() if column == "code"), None)
    told = f"{name} {title or path.stem}"
    kinds = {kind for word, kind in _KINDS if word in name} or {
        kind for word, kind in _KINDS if word in told
    }
    records: list[dict[str, Any]] = []
    for number in range(first, len(sheet.cells)):
        cells = sheet.cells[number]
        values = {column: cells[at] for at, column in head.names.items() if at < len(cells)}
        lost = [
            unseen.lost[place]
            for place in (_origin(sheet, number, at) for at in head.names)
            if place in unseen.lost
        ]
        if not (_is_line(cells, values) or lost) or _repeats(cells, headings):
            continue
        record = values | {"part": head.part, "sheet": name, "source_row": number + 1}
        record["lost"] = "、".join(lost) or None
        record["is_hidden"] = "yes" if number in unseen.hidden_rows else None
        record["is_unnumbered"] = "yes" if head.part == ROW and numbered is None else None
        if numbered is not None and (number, numbered) in sheet.filled:
            record["is_continued"] = "yes"
        if head.part == ROW and len(kinds) == 1 and not values.get("kind"):
            record["kind"] = next(iter(kinds))
        if head.part == ROW and not {"area_code", "area_name", "street_name", "community_name"} & {
            *head.names.values()
        }:
            record["area_code"] = "*"
        records.append(record)
    columns = [*dict.fromkeys(head.names.values()), "part", "sheet", "source_row"]
    return pd.DataFrame(records, columns=None if records else columns, dtype=object)


def _origin(sheet: BookSheet, number: int, at: int) -> tuple[int, int]:
    """Return the cell whose value a cell has: the top one of those merged with it."""
    while (number, at) in sheet.filled and number > 0 and sheet.cells[number - 1]:
        number -= 1
    return number, at


def _is_line(cells: list[str | None], values: Mapping[str, str | None]) -> bool:
    """Tell a line of the table from a blank row, a heading of a section and a note below."""
    filled = [cell for cell in cells if cell is not None]
    told = {value for value in values.values() if value is not None}
    return len(filled) > 1 and len(set(filled)) > 1 and bool(told)


def _repeats(cells: list[str | None], headings: list[list[str | None]]) -> bool:
    """Tell the headings printed again on another page: all cells are those of a heading above."""
    return any(
        all(cell is None or cell == above for cell, above in zip(cells, heading, strict=False))
        for heading in headings
        if any(cell is not None for cell in cells)
    )


def _unread(heads: Mapping[str, _Head | None], hidden: list[str]) -> Iterator[Remark]:
    unread = [name for name, head in heads.items() if head is None and name not in hidden]
    if unread:
        yield Remark(
            en=f"Sheets without the headings of a plan were not read: {', '.join(unread)}.",
            zh=f"以下工作表没有职责分解的表头，未读取：{'、'.join(unread)}。",
        )
    held = [name for name in hidden if heads[name] is not None]
    if held:
        yield Remark(
            en=f"Hidden sheets were not read: {', '.join(held)}; unhide those that count.",
            zh=f"隐藏的工作表未读取：{'、'.join(held)}；如须采用请取消隐藏。",
        )


def _left_out(book: Mapping[str, BookSheet], read: Mapping[str, _Head]) -> Iterator[Remark]:
    for name, head in read.items():
        yield from left_out(
            name, book[name], rows=head.rows, names=head.names, is_drawing=head.part == AREA
        )


def _warnings(frame: pd.DataFrame) -> Iterator[Remark]:
    if not (frame["part"] == ROW).any():
        yield Remark(en="The plan has no rows.", zh="职责分解表中没有记录。")
        return
    for name, rows in frame[frame["is_hidden"].notna()].groupby("sheet", sort=False):
        named = name_rows(rows["source_row"].to_numpy(dtype="int64"))
        yield Remark(
            en=f"Hidden rows count as the others do ({name}: {named.en}); delete those that do not hold.",
            zh=f"隐藏的行同样计入（{name}：{named.zh}）；不再有效的请删除。",
        )
