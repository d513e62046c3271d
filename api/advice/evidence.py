"""The evidence: for every case which unit the rules lead to now, and which one handled it in truth."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from api.assign import assign_frame
from api.questions import ask_frame
from api.sharing import other_unit
from api.solution import solve
from api.telling.finding import finding_of
from gis.database import Database, read_rows

if TYPE_CHECKING:
    from api.snapshot import Snapshot

CHUNK_ROWS = 50_000
QUESTION = (
    "case_id", "kind", "class_code", "reported_at", "x", "y", "crs", "accuracy_m", "address",
    "component_code",
)  # fmt: skip
"""What a case asks; the columns of `assign_frame`."""
DECIDED = (
    "unit_code", "rule", "grid_code", "community_code", "street_code", "district_code",
    "found_component", "probability", "needs_review", "location_x", "location_y",
)  # fmt: skip
"""What was decided, beside the question; ``found_component`` is the component decided."""
TRUTH = ("truth", "returns", "category")
"""``truth``: unit that handled it, or that the last return names; missing where nobody knows."""
ROAD, SIDE, ACROSS = "road_code", "road_side", "across_unit"
"""Boundary road of a case whose truth is known, which of its two areas answers (0, 1; -1: no road), and
the unit that the other area leads to; missing where that is the same."""
SHARED = "shared_unit"
"""The same unit where it handled the case; else missing."""
ON_ROAD = (ROAD, SIDE, ACROSS, SHARED)
"""What is known of cases on boundary roads."""
_TEXTS = (
    "kind", "class_code", "crs", "unit_code", "rule", "grid_code", "community_code", "street_code",
    "district_code", "truth", "category", "road_code", "across_unit", "shared_unit",
)  # fmt: skip

_CASES = """
SELECT c.case_id, c.kind, c.class_code, c.reported_at, c.x, c.y, c.crs, c.accuracy_m, c.address,
    c.component_code, c.returns, coalesce(c.handled_by, r.suggested_unit_code) AS truth, r.category
FROM cases.case AS c
LEFT JOIN LATERAL (
    SELECT h.category, h.suggested_unit_code FROM cases.history AS h
    WHERE c.returns > 0 AND h.case_id = c.case_id AND h.action = 'returned'
    ORDER BY h.at DESC, h.history_id DESC LIMIT 1
) AS r ON true
WHERE c.case_id > %s AND c.duplicate_of IS NULL
    AND (%s::timestamptz IS NULL OR c.reported_at >= %s)
ORDER BY c.case_id LIMIT %s
"""


def read_evidence(
    database: Database,
    snapshot: "Snapshot",
    *,
    as_of: date | None = None,
    since: Any = None,
    advance: Callable[[int], None] = lambda _: None,
) -> pd.DataFrame:
    """Return every case with what the rules lead to and what became of it, chunk by chunk read.

    Cases that a person marked as repeats are left out. Units are told by those that answer for them
    now (successors).

    Parameters
    ----------
    database : Database
        Where the cases are.
    snapshot : Snapshot
        The data that decide.
    as_of : date or None
        Day whose grids, components, plan and units decide; None: the live ones.
    since : datetime or None
        Only cases reported then or later.
    advance : callable
        Told the number of cases done.

    Returns
    -------
    pandas.DataFrame
        `QUESTION`, `DECIDED`, `TRUTH`, `ON_ROAD`; texts that repeat are categories, so a million cases take
        some hundred megabytes.
    """
    parts = []
    for cases in _chunks(database, since=since):
        parts.append(_packed(decide_rows(snapshot, cases, as_of=as_of)))
        advance(len(cases))
    if not parts:
        return pd.DataFrame(columns=[*QUESTION, *DECIDED, *TRUTH, *ON_ROAD])
    result = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    return result.astype(dict.fromkeys(_TEXTS, "category"))


def _chunks(database: Database, *, since: Any) -> Iterator[pd.DataFrame]:
    after = ""
    while True:
        with database.connect(read_only=True) as connection:
            cases = read_rows(connection, _CASES, [after, since, since, CHUNK_ROWS])
        if cases.empty:
            return
        after = str(cases["case_id"].iloc[-1])
        yield cases


def decide_rows(
    snapshot: "Snapshot", cases: pd.DataFrame, *, as_of: date | None = None
) -> pd.DataFrame:
    """Return cases with `DECIDED` and `ON_ROAD`, and their truth as the unit that answers for it now."""
    asked = cases[list(QUESTION)]
    if as_of is not None:
        asked = asked.assign(as_of=as_of.isoformat())
    found = assign_frame(snapshot, asked).rename(columns={"component_code": "found_component"})
    directory = snapshot.edition(as_of).directory
    named = cases["truth"].where(cases["truth"].notna(), None)
    known: dict[Any, str | None] = {}
    for text in named.dropna().unique():
        unit = directory.find(text, text)
        known[text] = unit.code if unit is not None else None
    truth = [known.get(text) for text in named]
    rows = cases.assign(**{name: found[name] for name in DECIDED}, truth=truth)
    on_road = (
        found["reasons"].str.contains(r"(?:^|;)boundary_road(?:;|$)", regex=True).fillna(False)
    )
    here = on_road.to_numpy(dtype=bool) & rows["truth"].notna().to_numpy()
    return rows.assign(**_on_roads(snapshot, rows, np.flatnonzero(here), as_of=as_of))


def _on_roads(
    snapshot: "Snapshot", rows: pd.DataFrame, here: NDArray[np.intp], *, as_of: date | None
) -> dict[str, NDArray[Any]]:
    """Return `ON_ROAD` of cases, of which those at `here` lie on boundary roads."""
    side = np.full(len(rows), -1, dtype=np.int8)
    road, across, shared = (np.full(len(rows), None, dtype=object) for _ in range(3))
    if len(here):
        edition = snapshot.edition(as_of)
        solution = solve(edition, ask_frame(snapshot, rows[list(QUESTION)].iloc[here]))
        roads = edition.chains.roads.roads
        truth = rows["truth"].to_numpy(dtype=object)
        for at, case in enumerate(here.tolist()):
            finding = finding_of(solution, at)
            road[case], side[case] = roads[finding.boundary].code, finding.side
            across[case] = other_unit(finding)
            shared[case] = across[case] if across[case] == truth[case] else None
    return {ROAD: road, SIDE: side, ACROSS: across, SHARED: shared}


def _packed(rows: pd.DataFrame) -> pd.DataFrame:
    kept = rows[[*QUESTION, *DECIDED, *TRUTH, *ON_ROAD]].copy()
    for name in ("case_id", "address", "component_code", "found_component"):
        kept[name] = kept[name].astype("string[pyarrow]")
    for name in _TEXTS:
        kept[name] = kept[name].astype("string[pyarrow]")
    kept["returns"] = pd.to_numeric(kept["returns"]).fillna(0).astype(np.int32)
    return kept


def agreement(evidence: pd.DataFrame) -> dict[str, Any]:
    """Return how many cases the rules send to the unit that handled them at last.

    ``shared``: how many of the others the unit of the other area of a boundary road handled.

    Examples
    --------
    >>> rows = pd.DataFrame({"truth": ["A", "A", None], "unit_code": ["A", "B", "B"],
    ...                      "needs_review": [False, True, False], "kind": ["event"] * 3,
    ...                      "shared_unit": [None, "A", None]})
    >>> agreement(rows)["agree"], agreement(rows)["known"], agreement(rows)["shared"]
    (1, 2, 1)
    """
    known = evidence[evidence["truth"].notna()]
    right = known["truth"].astype(object) == known["unit_code"].astype(object)
    plain = ~known["needs_review"].astype(bool)
    by_kind = {
        str(kind): {
            "known": int((known["kind"] == kind).sum()),
            "agree": int(right[known["kind"] == kind].sum()),
        }
        for kind in sorted(known["kind"].dropna().unique())
    }
    return {
        "cases": len(evidence),
        "known": len(known),
        "agree": int(right.sum()),
        "shared": int(known[SHARED].notna().sum()),
        "known_without_review": int(plain.sum()),
        "agree_without_review": int((right & plain).sum()),
        "by_kind": by_kind,
    }
