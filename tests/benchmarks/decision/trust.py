"""Where a component's record and the plan name different units: which of them handled the cases in truth."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from api import open_snapshot
from api.advice.intervals import wilson
from api.advice.trust import contradictions

_COLUMNS = {
    "案件编号": "case_id", "类型": "kind", "类别代码": "class_code", "上报时间": "reported_at",
    "地址": "address", "X": "x", "Y": "y", "坐标系": "crs", "精度": "accuracy_m",
    "部件编码": "component_code", "处置单位": "truth",
}  # fmt: skip


def trust_lines(districts: Mapping[int, Path]) -> Iterator[str]:
    """Yield for each district, and all, how often the record was right: the value of ``record_trust``.

    The truth of an invented district is by the book, where the owner goes first, but for planted
    records of former owners: the share is an upper bound of what a city will find.
    """
    total = right = 0
    for seed, folder in districts.items():
        paths = sorted((folder / "delivery").glob("08*/*.csv"))
        cases = pd.concat([pd.read_csv(path, dtype=str, encoding="utf-8-sig") for path in paths])
        cases = cases.rename(columns=_COLUMNS)[list(_COLUMNS.values())].reset_index(drop=True)
        known = cases[cases["truth"].notna()].reset_index(drop=True)
        found = contradictions(open_snapshot(folder), known)
        total, right = total + found.cases, right + found.record
        yield f"record against plan, {seed}: {found.cases} cases, the record right in {found.record}"
    lower, upper = wilson(right, total)
    yield f"record against plan: right in {right} of {total}, {lower:.3f} to {upper:.3f} (95 %)"
