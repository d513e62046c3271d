"""Rows of a table as a frame: its header, and numbers that a spreadsheet spoilt on the way."""

import numpy as np
import pandas as pd

from gis.errors import FileFormatError
from gis.findings import Finding
from gis.remarks import Remark
from gis.sources import own_columns_apart

_EXACT_LIMIT = 2**53  # whole numbers up to here are exact in floating point
_SCIENTIFIC = r"[+-]?\d(?:\.\d+)?[eE]\+?(?:[89]|[1-9]\d)"

Rows = list[tuple[int, list[str | None]]]
"""Row number in the sheet and its cells."""


def lost_digits_in(
    frame: pd.DataFrame, header: list[str | None], long: set[tuple[int, int]]
) -> list[Finding]:
    """Find the whole numbers of which a spreadsheet kept 15 digits and made the others zeros.

    Programs that write workbooks may keep 16 digits, so a column with other last digits is sound as
    far as floating point is exact.
    """
    findings = []
    for position in sorted({position for _, position in long}):
        column = header[position]
        if column is None:
            continue
        numbers = {row for row, place in long if place == position}
        mask = frame["source_row"].isin(numbers) & frame[column].notna()
        texts = frame.loc[mask, column].astype(str)
        is_exact = texts.map(lambda text: abs(int(text)) < _EXACT_LIMIT)
        is_zeroed = texts.str.endswith("0").all()
        lost = texts if is_zeroed else texts[~is_exact]
        if len(lost):
            rows = frame.loc[lost.index, "source_row"].to_numpy()
            given = tuple(lost)
            findings.append(Finding(kind="digits_lost", column=column, rows=rows, given=given))
    return findings


def scientific_in(frame: pd.DataFrame, header: list[str | None]) -> list[Finding]:
    """Find text like 1.30102E+15: what a spreadsheet shows of a code, saved as CSV."""
    findings = []
    for column in header:
        if column is None:
            continue
        values = frame[column]
        mask = values.str.fullmatch(_SCIENTIFIC).eq(True)
        if mask.any():
            rows = frame.loc[mask, "source_row"].to_numpy()
            given = tuple(values[mask])
            findings.append(Finding(kind="scientific", column=column, rows=rows, given=given))
    return findings


def frame_of(rows: Rows, *, name: str) -> tuple[pd.DataFrame, list[str | None], tuple[Remark, ...]]:
    """Return the rows below the header as a frame, the header, and doubts about it.

    Raises
    ------
    FileFormatError
        Nothing is filled in.
    """
    filled = [(number, cells) for number, cells in rows if any(cell is not None for cell in cells)]
    if not filled:
        msg = f"{name} has no rows, not even a header: deliver it again."
        raise FileFormatError(msg, zh=f"{name} 没有任何内容，连表头也没有：请重新提交。")
    body = filled[1:]
    width = max(len(cells) for _, cells in filled)
    used = [
        any(position < len(cells) and cells[position] is not None for _, cells in body)
        for position in range(width)
    ]
    names, warnings = _header(filled[0][1], used=used)
    apart = own_columns_apart(column for column in names if column is not None)
    header = [None if column is None else apart.get(column, column) for column in names]
    columns = {
        column: pd.Series(
            [cells[position] if position < len(cells) else None for _, cells in body], dtype=object
        )
        for position, column in enumerate(header)
        if column is not None
    }
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(body)))
    frame["source_file"] = pd.Series(name, index=frame.index, dtype=object)
    frame["source_row"] = np.array([number for number, _ in body], dtype=np.int64)
    if not body:
        warnings.append(Remark(en="The table has no rows.", zh="表中没有记录。"))
    return frame, header, tuple(warnings)


def _header(cells: list[str | None], *, used: list[bool]) -> tuple[list[str | None], list[Remark]]:
    """Return column names; a name that occurs again is numbered, as is a nameless column in use."""
    seen: dict[str, int] = {}
    names: list[str | None] = []
    warnings = []
    for position, is_used in enumerate(used):
        cell = cells[position] if position < len(cells) else None
        if cell is None:
            names.append(f"column_{position + 1}" if is_used else None)
            if is_used:
                warnings.append(
                    Remark(
                        en=f"Column {position + 1} has values but no name in the header row.",
                        zh=f"第 {position + 1} 列有值，但表头中没有列名。",
                    )
                )
            continue
        plain = " ".join(cell.split())
        count = seen.get(plain, 0)
        seen[plain] = count + 1
        names.append(plain if count == 0 else f"{plain}_{count}")
        if count:
            warnings.append(
                Remark(
                    en=f"Column {plain} occurs twice; the second is called {names[-1]}.",
                    zh=f"列 {plain} 重复出现，后一列改称 {names[-1]}。",
                )
            )
    return names, warnings
