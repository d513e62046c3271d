"""What judging a delivery told, as the page, the workbook, the layer and machines are told it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import geopandas as gpd
import pandas as pd

from census.report.verdict import Tally, Verdict
from gis.codes import Rule
from gis.remarks import NOTHING, Remark

FAULT_COLUMNS = (
    "number",
    "dataset",
    "source_file",
    "source_row",
    "code",
    "class_code",
    "rule",
    "severity",
    "reason_en",
    "reason_zh",
    "record",
    "geometry",
)
"""Columns of `Judgement.faults`; ``number`` counts from 1, ``record`` is the row as delivered."""


@dataclass(frozen=True, kw_only=True)
class UnmappedColumn:
    """A column of a file that no platform column stands for; it is kept among the attributes."""

    name: str
    suggestion: str = ""
    """Platform column that it may be; empty: none is like it."""


@dataclass(frozen=True, kw_only=True)
class FileJudgement:
    """A file of the delivery."""

    path: str
    """Relative to the delivery."""
    dataset: str
    rows: int = 0
    refused: int = 0
    """Rows refused."""
    doubted: int = 0
    """Rows loaded with a warning."""
    driver: str = ""
    encoding: str = ""
    encoding_evidence: Remark = NOTHING
    crs: str = ""
    crs_source: str = ""
    warnings: tuple[Remark, ...] = ()
    unmapped: tuple[UnmappedColumn, ...] = ()
    error: Remark | None = None
    """Why it can not be read, and what to do; None: it was read."""


@dataclass(frozen=True, kw_only=True)
class ClassTally:
    """Rows of one class."""

    class_code: str
    """Empty: not known."""
    class_name: str
    rows: int
    refused: int
    doubted: int


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A delivery, judged."""

    delivery: str
    as_of: date | None
    """None: the manifest can not be read."""
    city: str
    crs: str
    checked_at: datetime
    seconds: float
    """Time that reading and judging took."""
    verdict: Verdict
    obstacles: tuple[Remark, ...]
    """What keeps the delivery as a whole from being loaded."""
    tallies: tuple[Tally, ...]
    """One per dataset judged, the subject first, then in building order."""
    skipped: tuple[str, ...]
    """Datasets delivered that the subject does not depend on: they are not judged here."""
    files: tuple[FileJudgement, ...]
    classes: tuple[ClassTally, ...]
    faults: gpd.GeoDataFrame = field(repr=False)
    """One row per fault, `FAULT_COLUMNS`, in the city's CRS."""
    rules: Mapping[str, Rule] = field(repr=False)
    """Rules that were broken, by code."""
    subject: str = "components"
    """Dataset that the report is about, one of `census.report.subjects.SUBJECTS`."""
    remarks: tuple[Remark, ...] = ()
    """What is to be said of the rows as a whole: sheets joined, names read from labels."""


def count_rules(judgement: Judgement) -> pd.DataFrame:
    """Return one row per rule broken: severity, faults, rows, and the first reasons.

    Errors come first, and of each severity what was found in the subject of the report.
    """
    faults = pd.DataFrame(judgement.faults.drop(columns="geometry"))
    table = faults.assign(
        place=faults["source_file"] + "\0" + faults["source_row"].astype(str),
        is_beside=faults["dataset"] != judgement.subject,
    )
    counts = table.groupby(["severity", "rule"], sort=True).agg(
        faults=("number", "size"),
        rows=("place", "nunique"),
        reason_en=("reason_en", "first"),
        reason_zh=("reason_zh", "first"),
        is_beside=("is_beside", "all"),
    )
    order = ["severity", "is_beside", "rule"]
    return counts.reset_index().sort_values(order, ignore_index=True).drop(columns="is_beside")


def describe_rule(rule: Rule | None) -> dict[str, Remark]:
    """Return why a rule is there and how its fault is mended; empty where the catalogue is silent."""
    return {
        name: Remark(en=getattr(rule, f"{name}_en", ""), zh=getattr(rule, f"{name}_zh", ""))
        for name in ("why", "fix")
    }
