"""The review of open names of units as a workbook: out with candidates, back in with decisions."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from census.decisions import Decision, OpenName
from census.matching import REASONS
from census.ownership import ROLES
from census.units import UnitDirectory, plain_unit_code
from census.workbooks import write_tables
from gis.errors import DeliveryError
from gis.sheets import read_sheet

SPELLING, DECISION, NOTE = "名称 name", "决定 unit code", "说明 note"
SHEET = "待确认单位 names"
_REJECTED = frozenset(("否", "无", "-", "×", "x", "no", "none", "reject", "rejected"))
_SHOWN = 3


def write_review(names: Sequence[OpenName], directory: UnitDirectory, path: Path) -> None:
    """Write the open names to ``.xlsx``, with a column to write the unit's code into.

    A second sheet has the units to choose from. In the column 决定 a unit code confirms, 否 rejects,
    and what is left blank stays open.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    table = pd.DataFrame([_row(name, directory) for name in names], columns=_columns())
    units = pd.DataFrame(
        [
            (
                code,
                name,
                directory.names.get(directory.current(code), "")
                if directory.current(code) != code
                else "",
            )
            for code, name in sorted(directory.names.items())
        ],
        columns=["单位代码 code", "单位名称 name", "现由 today"],
    )
    write_tables(path, {SHEET: table, "单位名录 units": units}, to_fill_in=(DECISION, NOTE))


def read_review(path: Path) -> list[Decision]:
    """Return the decisions written into a workbook of `write_review`, in its order.

    Raises
    ------
    FileFormatError
        The file can not be read or lacks the sheet.
    DeliveryError
        A column is missing, or one name has two different decisions.
    """
    frame = read_sheet(path, sheet=SHEET if path.suffix.lower() == ".xlsx" else None).frame
    missing = [name for name in (SPELLING, DECISION) if name not in frame]
    if missing:
        shown = ", ".join(missing)
        msg = f"{path.name} has no column {shown}: fill in the file that `wanmi units review -o` wrote."
        raise DeliveryError(
            msg, zh=f"{path.name} 缺少列 {shown}：请填写 wanmi units review -o 导出的文件。"
        )
    decisions: dict[str, Decision] = {}
    notes = frame[NOTE] if NOTE in frame else [None] * len(frame)
    for spelling, said, note in zip(frame[SPELLING], frame[DECISION], notes, strict=True):
        if not isinstance(spelling, str) or not isinstance(said, str) or not said.strip():
            continue
        decision = Decision(
            spelling=spelling,
            unit_code=None if said.strip().casefold() in _REJECTED else plain_unit_code(said),
            note=note if isinstance(note, str) else "",
        )
        before = decisions.setdefault(spelling, decision)
        if before.unit_code != decision.unit_code:
            msg = f"{path.name} decides {spelling} twice, as {before.unit_code} and {decision.unit_code}: keep one."
            raise DeliveryError(
                msg, zh=f"{path.name} 中 {spelling} 有两个不同的决定：请只保留一个。"
            )
    return list(decisions.values())


def _columns() -> list[str]:
    numbered = [
        f"{word} {number}"
        for number in range(1, _SHOWN + 1)
        for word in ("候选代码 code", "候选单位 unit", "相似度 score", "理由 why")
    ]
    return [SPELLING, "记录数 rows", "角色 roles", DECISION, NOTE, *numbered]


def _row(name: OpenName, directory: UnitDirectory) -> list[object]:
    decided = {"confirmed": name.unit_code, "rejected": "否"}.get(name.decision)
    row: list[object] = [name.spelling, name.rows, roles_text(name), decided, None]
    for found in name.candidates[:_SHOWN]:
        shown = directory.names[found.unit_code]
        row += [found.unit_code, shown, found.score, REASONS[found.why][1]]
    return row + [None] * (len(_columns()) - len(row))


def roles_text(name: OpenName) -> str:
    """Return in which roles a name is given, and how often.

    Examples
    --------
    >>> roles_text(OpenName(spelling="排水处", roles={"owner": 2}, candidates=()))
    '权属单位 2'
    """
    return "、".join(f"{ROLES[role][1]} {rows}" for role, rows in name.roles.items())
