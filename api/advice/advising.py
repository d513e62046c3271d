"""Advise: read the evidence, find what comes back, try the remedy, rank."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from api.advice.borders import find_borders
from api.advice.changes import find_classes, replayed
from api.advice.evidence import agreement, read_evidence
from api.advice.findings import Finding, find_records, find_rows, judge, known_rows, ranked
from api.advice.roads import find_roads
from gis.database import Database

if TYPE_CHECKING:
    from api.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What the history of the cases teaches."""

    data_version: str
    agreement: dict[str, Any]
    """As `api.advice.evidence.agreement`: how many cases go to the unit that handled them."""
    findings: tuple[Finding, ...]
    """The surest first."""


def advise(
    database: Database,
    snapshot: "Snapshot",
    *,
    since: Any = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Advice:
    """Return the rows, records, borders, boundary roads and classes whose cases come back, with what would help.

    Cases along a border that is advised to be moved say nothing against the rows of the plan.

    Parameters
    ----------
    database : Database
        Where the cases are.
    snapshot : Snapshot
        The live data, by which every case is decided anew.
    since : datetime or None
        Only cases reported then or later.
    advance : callable
        Told the number of cases done.
    """
    evidence = read_evidence(database, snapshot, since=since, advance=advance)
    judged = judge(evidence)
    known = known_rows(judged)
    borders = find_borders(known, snapshot)
    explained = {row for finding in borders for row in finding.row_numbers}
    rest = known[~known.index.isin(explained)]
    found = [
        *borders,
        *find_roads(judged, snapshot),
        *(replayed(finding, known, snapshot) for finding in find_rows(rest)),
        *(replayed(finding, known, snapshot) for finding in find_records(rest)),
        *find_classes(rest, snapshot),
    ]
    return Advice(
        data_version=snapshot.version,
        agreement=agreement(evidence),
        findings=tuple(ranked([f for f in found if f.avoided > f.caused])),
    )
