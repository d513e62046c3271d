"""Which faults of a merge are told, and which are only counted."""

import pandas as pd

from census.merging.repeats import OF_THE_WHOLE, part_repeats
from gis.codes import read_rules
from gis.faults import REJECT_COLUMNS

EDITED, STILL, OTHER = (f"130102010400000{number}" for number in (1, 2, 3))


def rows() -> pd.DataFrame:
    return pd.DataFrame(
        {"code": [EDITED, STILL, OTHER], "source_file": "a.gpkg", "source_row": [1, 2, 3]},
        index=[10, 11, 12],
    )


def fault(row: int, rule: str, *, severity: str = "warning", reason: str = "") -> dict[str, object]:
    told = {"source_file": "a.gpkg", "source_row": row, "rule": rule, "severity": severity}
    return {**dict.fromkeys(REJECT_COLUMNS), **told, "reason_en": reason}


def parted(*faults: dict[str, object]) -> tuple[list[str], list[str]]:
    table = pd.DataFrame(list(faults), columns=list(REJECT_COLUMNS))
    told, repeated = part_repeats(table, rows(), untouched=pd.Index([11, 12]))
    assert len(told) + len(repeated) == len(faults)
    return told["rule"].tolist(), repeated["rule"].tolist()


def test_warnings_of_rows_that_nobody_edited_are_only_counted() -> None:
    assert parted(fault(1, "C060"), fault(2, "C020"), fault(3, "C060")) == (
        ["C060"],
        ["C020", "C060"],
    )


def test_a_near_duplicate_of_an_edited_component_is_told() -> None:
    near, far = f"Only 0.20 m from {EDITED}, which …", f"Only 0.20 m from {OTHER}, which …"
    assert parted(fault(2, "C021", reason=near), fault(3, "C021", reason=far)) == (
        ["C021"],
        ["C021"],
    )


def test_refused_rows_and_what_is_said_of_a_whole_are_told() -> None:
    faults = (fault(2, "C012", severity="error"), fault(3, "C042"), fault(2, "C091"))
    assert parted(*faults) == (["C012", "C042", "C091"], [])


def test_a_delivery_without_faults() -> None:
    assert parted() == ([], [])


def test_rules_of_the_whole_are_rules() -> None:
    assert set(read_rules("census")) >= OF_THE_WHOLE
