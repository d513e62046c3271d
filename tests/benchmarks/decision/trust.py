"""Where a component's record and the plan name different units: which of them handled the cases in truth."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pandas as pd

from api import Snapshot, open_snapshot
from api.advice.intervals import wilson
from api.advice.trust import contradictions
from api.assign import assign_frame

_COLUMNS = {
    "案件编号": "case_id", "类型": "kind", "类别代码": "class_code", "上报时间": "reported_at",
    "地址": "address", "X": "x", "Y": "y", "坐标系": "crs", "精度": "accuracy_m",
    "部件编码": "component_code", "处置单位": "truth",
}  # fmt: skip


TRUSTS = (0.8, 0.97)
"""Values of ``record_trust`` compared: as it was first, and as it is."""


def trust_lines(districts: Mapping[int, Path]) -> Iterator[str]:
    """Yield for each district, and all, how often the record was right: the value of ``record_trust``.

    The truth of an invented district is by the book, where the owner goes first, but for planted
    records of former owners: the share is an upper bound of what a city will find.
    """
    total = right = 0
    for seed, folder in districts.items():
        known = _history(folder)
        found = contradictions(open_snapshot(folder), known)
        total, right = total + found.cases, right + found.record
        yield f"record against plan, {seed}: {found.cases} cases, the record right in {found.record}"
    lower, upper = wilson(right, total)
    yield f"record against plan: right in {right} of {total}, {lower:.3f} to {upper:.3f} (95 %)"


def review_lines(districts: Mapping[int, Path]) -> Iterator[str]:
    """Yield for each trust in records how many cases a person looks at, and how many others are right."""
    for trust in TRUSTS:
        cases = reviewed = right = right_reviewed = 0
        for folder in districts.values():
            snapshot = _trusting(folder, trust)
            known = _history(folder)
            decided = assign_frame(snapshot, known.drop(columns="truth"))
            directory = snapshot.edition().directory
            units = [directory.find(text, text) for text in known["truth"]]
            truth = [None if unit is None else unit.code for unit in units]
            is_right = decided["unit_code"].eq(pd.Series(truth, index=decided.index)).to_numpy()
            looked_at = decided["needs_review"].to_numpy(dtype=bool)
            cases, reviewed = cases + len(decided), reviewed + int(looked_at.sum())
            right += int((is_right & ~looked_at).sum())
            right_reviewed += int((is_right & looked_at).sum())
        yield (
            f"record_trust {trust}: {reviewed:,} of {cases:,} cases go to review ({reviewed / cases:.1%}), "
            f"{right_reviewed / max(reviewed, 1):.1%} of them right; of the others {right / (cases - reviewed):.2%}"
        )


def _history(folder: Path) -> pd.DataFrame:
    """Return the cases of a district's delivery of which is known who handled them."""
    paths = sorted((folder / "delivery").glob("08*/*.csv"))
    cases = pd.concat([pd.read_csv(path, dtype=str, encoding="utf-8-sig") for path in paths])
    cases = cases.rename(columns=_COLUMNS)[list(_COLUMNS.values())].reset_index(drop=True)
    return cases[cases["truth"].notna()].reset_index(drop=True)


def _trusting(folder: Path, trust: float) -> Snapshot:
    snapshot = open_snapshot(folder)
    decision = msgspec.structs.replace(snapshot.profile.decision, record_trust=trust)
    snapshot.profile = msgspec.structs.replace(snapshot.profile, decision=decision)
    return snapshot
