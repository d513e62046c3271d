"""What a build did with each dataset, for the command line and for programs."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from gis.builds import BuildResult
from gis.remarks import Remark


@dataclass(frozen=True, kw_only=True)
class DatasetReport:
    """What a build did with one dataset, or would do."""

    dataset: str
    status: str
    """``built``, ``unchanged`` or, in a dry run, ``judged``."""
    build_id: int | None
    rows_read: int
    rows_accepted: int
    rows_rejected: int
    rows_opened: int | None
    """New versions; None in a dry run, which does not compare with the database."""
    rows_closed: int | None
    rows_unchanged: int | None
    faults: tuple[dict[str, Any], ...] = ()
    """Rule, severity, number of rows and one example, of this build's refused and doubted rows."""
    warnings: tuple[str, ...] = ()
    """Doubts about whole files, file by file, and what is to be said of the whole."""
    warnings_zh: tuple[str, ...] = ()
    """The same in Chinese, in the same order."""


def report_result(
    result: BuildResult,
    *,
    faults: tuple[dict[str, Any], ...] = (),
    warnings: tuple[Remark, ...] = (),
) -> DatasetReport:
    """Report a build that was made, or found to be live already."""
    return DatasetReport(
        dataset=result.dataset,
        status=result.status,
        build_id=result.build_id,
        rows_read=result.rows_read,
        rows_accepted=result.rows_accepted,
        rows_rejected=result.rows_rejected,
        rows_opened=result.rows_opened,
        rows_closed=result.rows_closed,
        rows_unchanged=result.rows_unchanged,
        faults=faults,
        warnings=tuple(warning.en for warning in warnings),
        warnings_zh=tuple(warning.zh for warning in warnings),
    )


def report_nothing(dataset: str) -> DatasetReport:
    """Report a dataset that the delivery touches but leaves as it is."""
    return DatasetReport(
        dataset=dataset,
        status="unchanged",
        build_id=None,
        rows_read=0,
        rows_accepted=0,
        rows_rejected=0,
        rows_opened=0,
        rows_closed=0,
        rows_unchanged=0,
    )


def summarise(faults: pd.DataFrame) -> tuple[dict[str, Any], ...]:
    """Count faults by rule, errors first, each with its first reason as an example.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"rule": ["B", "A", "B"], "severity": ["warning", "error", "warning"]}
    >>> rows |= {"reason_en": ["b1", "a1", "b2"], "reason_zh": ["", "", ""]}
    >>> [(row["rule"], row["rows"], row["example"]) for row in summarise(pd.DataFrame(rows))]
    [('A', 1, 'a1'), ('B', 2, 'b1')]
    """
    return tuple(
        {
            "rule": rule,
            "severity": severity,
            "rows": len(rows),
            "example": rows["reason_en"].iloc[0],
            "example_zh": rows["reason_zh"].iloc[0],
        }
        for (severity, rule), rows in faults.groupby(["severity", "rule"], sort=True)
    )
