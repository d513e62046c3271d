"""Decide: which unit grid, which owning unit, why, how sure; for one case or a frame of many."""

import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from api.columns import cases_table, read_days
from api.models import Case, Decision
from api.numbering import order_of_places
from api.placing.locate import check_position
from api.questions import FIELDS, ask_cases, ask_table
from api.sharing import turned
from api.single import find_one
from api.solution import solve
from api.spans import by_span
from api.telling.answers import ANSWER_SCHEMA, joined, plain, tabulate
from api.telling.decision import tell
from api.telling.finding import Finding, finding_of
from api.workdays import with_deadline

if TYPE_CHECKING:
    import pandas as pd

    from api.snapshot import Snapshot

DECISION_COLUMNS = tuple(ANSWER_SCHEMA.names)
"""Columns that `assign_frame` and `assign_table` answer with."""
BLOCK_ROWS = 65_536
"""Cases decided at once by one thread: what bounds the memory."""
_FIRST_ROWS = 1_024
"""Cases that are decided before threads begin: they read what all need."""


def decide(
    snapshot: "Snapshot",
    case: Case,
    *,
    now: datetime | None = None,
    excluded: frozenset[str] = frozenset(),
    traced: bool = True,
) -> Decision:
    """Decide one case, with alternatives and the trace of every candidate.

    Parameters
    ----------
    snapshot : Snapshot
        The data.
    case : Case
        The question; a missing class asks for the place and its territorial unit only.
    now : datetime or None
        Aware; the time of a case that states none. None: the present.
    excluded : frozenset of str
        Units that sent the case back.
    traced : bool
        Tell every candidate that was looked at; else the trace is empty.

    Raises
    ------
    RequestError
        The position is no place or its CRS is unknown.
    """
    finding = find_one(snapshot, case, now=now, excluded=excluded)
    if finding is None:
        finding = _find(snapshot, case, now, excluded)
    decision = tell(turned(finding, excluded), traced=traced)
    if case.reported_at is None:
        return decision
    zone = ZoneInfo(snapshot.profile.city.timezone)
    return with_deadline(decision, case.reported_at, zone=zone, calendar=snapshot.profile.calendar)


def _find(
    snapshot: "Snapshot", case: Case, now: datetime | None, excluded: frozenset[str]
) -> Finding:
    """Return what is found about any case, by arrays of length one."""
    edition = snapshot.edition(case.as_of)
    solution = solve(edition, ask_cases(snapshot, [case], now=now), excluded=excluded)
    if case.position is not None and not solution.placed.sightings["position"].known[0]:
        check_position(case.position, city=snapshot.crs)
    return finding_of(solution, 0)


def assign_frame(
    snapshot: "Snapshot", frame: "pd.DataFrame", *, now: datetime | None = None
) -> "pd.DataFrame":
    """Decide the cases of a frame, one answer per row, with the same answers as `decide`.

    Parameters
    ----------
    snapshot : Snapshot
        The data.
    frame : pandas.DataFrame
        Any of the columns case_id; kind (component, event, 部件, 事件); class_code; x, y and crs
        (missing: EPSG:4326; ``city``: the city's own); accuracy_m, and where the error is no circle
        accuracy_minor_m and accuracy_bearing_deg; address; component_code; reported_at (local time
        unless it has an offset); as_of (day). Absent columns are empty. A value that can not be read
        is a reason of its row, never an error.
    now : datetime or None
        Aware; the time of cases that state none. None: the present.

    Returns
    -------
    pandas.DataFrame
        `DECISION_COLUMNS` with the frame's index: codes are text or missing, ``reasons`` are joined
        by ``;``, the position is in the city's CRS.
    """
    answers = plain(assign_table(snapshot, cases_table(frame, FIELDS), now=now))
    return answers.to_pandas().set_axis(frame.index, axis=0)


def assign_table(
    snapshot: "Snapshot",
    table: pa.Table,
    *,
    now: datetime | None = None,
    threads: int | None = None,
    block_rows: int = BLOCK_ROWS,
) -> pa.Table:
    """Decide the cases of an Arrow table, one answer per row and in their order.

    Parameters
    ----------
    snapshot : Snapshot
        The data.
    table : pyarrow.Table
        Columns as for `assign_frame`, of any type.
    now : datetime or None
        As for `assign_frame`.
    threads : int or None
        Threads that decide blocks of cases side by side; None: one for each processor. The answers
        do not depend on it.
    block_rows : int
        Cases per block; neither do they depend on it.

    Returns
    -------
    pyarrow.Table
        Columns and types of ``api.telling.answers.ANSWER_SCHEMA``; ``api.telling.answers.plain`` writes texts out.
    """
    moment, live = snapshot.present()
    present = now or moment
    cases = cases_table(table, FIELDS)
    days, number, _ = read_days(cases, "as_of")
    if len(days) > 2:
        days, number = by_span(snapshot, days, number)
    order = np.argsort(number, kind="stable") if number.any() else None
    if order is not None:
        cases, number = cases.take(order), number[order]
    workers = threads or os.cpu_count() or 1
    blocks = [
        (days[which], cases.slice(start, size))
        for which, start, size in _blocks(
            number, len(days), _even(len(number), block_rows, workers)
        )
    ]

    def answered(block: tuple[date | None, pa.Table]) -> pa.Table:
        day, part = block
        # Neighbours are decided one after the other: what is read of the city is at hand then.
        questions = replace(ask_table(snapshot, part, now=present), ids=None)
        order = order_of_places(questions.x, questions.y)
        edition = live if day is None else snapshot.edition(day)
        solution = solve(edition, questions.taken(order))
        return tabulate(solution, order=order)

    # The first block alone, a small one, reads what all need.
    parts = list(map(answered, blocks[:1]))
    workers = min(workers, len(blocks) - 1)
    if workers > 1:
        with ThreadPoolExecutor(workers) as pool:
            parts += pool.map(answered, blocks[1:])
    else:
        parts += map(answered, blocks[1:])
    answers = joined(parts)
    if order is None:
        return answers
    inverse = np.empty(len(order), dtype=np.int64)
    inverse[order] = np.arange(len(order))
    return answers.take(inverse)


def _even(rows: int, block_rows: int, workers: int) -> int:
    """Return how many cases a block has, so that all workers have as many blocks and end together.

    Examples
    --------
    >>> _even(100_000, 65_536, 2), _even(200_000, 65_536, 1), _even(10, 65_536, 4)
    (50000, 50000, 65536)
    """
    if rows <= block_rows:
        return block_rows
    return -(-rows // (workers * -(-rows // (workers * block_rows))))


def _blocks(
    number: NDArray[np.int32], days: int, block_rows: int
) -> Iterator[tuple[int, int, int]]:
    """Yield day, first row and length of each block of rows of one day; rows lie day by day."""
    starts = np.searchsorted(number, np.arange(days + 1)).tolist()
    size = min(_FIRST_ROWS, block_rows) if len(number) > block_rows else block_rows
    for which, (first, last) in enumerate(itertools.pairwise(starts)):
        start = first
        while start < last:
            yield which, start, min(size, last - start)
            start, size = start + size, block_rows
