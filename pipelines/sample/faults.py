"""Plants the faults real deliveries have, in rows that the answers name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

Expected = Literal["refused", "warned", "fixed"]
COLUMNS = ("file", "source_row", "expected", "rule", "note")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One planted fault."""

    row: int
    """Position of the sound row it starts from."""
    changes: Mapping[str, Any]
    """Columns that differ from it."""
    expected: Expected
    """refused: not loaded; warned: loaded and reported; fixed: read as meant, without a word."""
    rule: str
    """Rule that should speak, "" when none should."""
    note: str
    is_copy: bool = True
    """A new row after the sound one; False: the sound row itself is spoilt."""


def plant(
    frame: pd.DataFrame, faults: Sequence[Fault], *, file: str, header_rows: int = 0
) -> tuple[pd.DataFrame, list[tuple[str, int, str, str, str]]]:
    """Plant faults in a frame; return it with the rows of the answer.

    A copy comes some rows after the row it was made from, so that the sound one is first. Rows are
    counted from 1, in a table with a header as a person counts them in the sheet.
    """
    spoilt = frame.copy().astype({name: object for name in frame.columns if name != "geometry"})
    place = np.arange(len(frame), dtype=float)
    copies, copy_places = [], []
    for number, fault in enumerate(faults):
        if fault.is_copy:
            copy = spoilt.iloc[[fault.row]].copy()
            for column, value in fault.changes.items():
                copy[column] = pd.Series([value], index=copy.index, dtype=copy[column].dtype)
            copies.append(copy)
            copy_places.append(min(fault.row + 2.5, len(frame)) + 0.001 * number)
    for fault in faults:
        if not fault.is_copy:
            for column, value in fault.changes.items():
                spoilt.iloc[fault.row, spoilt.columns.get_loc(column)] = value
    whole = pd.concat([spoilt, *copies], ignore_index=True) if copies else spoilt
    order = np.argsort(np.concatenate([place, copy_places]), kind="stable")
    position = np.empty(len(order), dtype=int)
    position[order] = np.arange(1, len(order) + 1)
    records: list[tuple[str, int, str, str, str]] = []
    made = len(frame)
    for fault in faults:
        at = made if fault.is_copy else fault.row
        made += fault.is_copy
        records.append(
            (file, int(position[at]) + header_rows, fault.expected, fault.rule, fault.note)
        )
    return whole.iloc[order].reset_index(drop=True), records


def fault_table(records: list[tuple[str, int, str, str, str]]) -> pd.DataFrame:
    """Return the answer ``faults.csv``; row 0 stands for the file as a whole."""
    return pd.DataFrame(sorted(records), columns=list(COLUMNS))
