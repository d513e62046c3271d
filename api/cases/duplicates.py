"""Which cases may be about the same thing 重复案件: hinted at, never merged by itself."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from psycopg.rows import dict_row

from api.cases.likeness import (
    LEAST_PROBABILITY,
    MOST_REACH_M,
    REACH,
    SURROUNDINGS_DAYS,
    SURROUNDINGS_M,
    USUAL_SIGMA_M,
    background_rate,
    joint_sigma,
    likeness,
    told,
    window_of,
)
from api.cases.records import DuplicateHint
from gis.database import Database, read_rows

if TYPE_CHECKING:
    import pandas as pd

MOST_HINTS = 10
_MOST_LOOKED_AT = 200
_CHUNK_ROWS = 100_000
_PLACE = (
    "ST_X(geom) AS x, ST_Y(geom) AS y,"
    " coalesce((decision->'location'->>'accuracy_m')::float8, accuracy_m) AS sigma_m,"
    " decision->'component'->>'code' AS component,"
    " (decision->'component'->>'probability')::float8 AS certainty"
)
_FACTOR = (
    "coalesce((SELECT factor FROM cases.repeats ORDER BY learned_at DESC LIMIT 1), 1) AS factor"
)


def hint(
    database: Database, case_id: str, *, earlier_only: bool = False
) -> tuple[tuple[DuplicateHint, str | None], ...]:
    """Return the open cases that may be about the same thing as one, the most probable first.

    Of the same class, within the joint error of the places and the time window of the class.

    Parameters
    ----------
    database : Database
        Where the cases are.
    case_id : str
        The case.
    earlier_only : bool
        Only cases reported before it, so that the one who posts sees the same however often.

    Returns
    -------
    tuple
        Hints, each with the district its case lies in. Empty for a case without a place, or closed.
    """
    with database.connect(read_only=True) as connection:
        cursor = connection.cursor(row_factory=dict_row)
        own = cursor.execute(
            f"SELECT kind, class_code, reported_at, state, {_PLACE}, {_FACTOR} FROM cases.case"  # noqa: S608
            " WHERE case_id = %s",
            [case_id],
        ).fetchone()
        if own is None or own["x"] is None or own["state"] == "closed":
            return ()
        window = window_of(own["kind"], own["class_code"])
        values = {
            **own,
            "case_id": case_id,
            "srid": database.srid,
            "hours": window.window_h,
            "reach": MOST_REACH_M,
            "half": SURROUNDINGS_M / 2,
            "days": SURROUNDINGS_DAYS / 2,
            "most": _MOST_LOOKED_AT,
        }
        earlier = " AND (reported_at, case_id) < (%(reported_at)s, %(case_id)s)"
        query = _NEAR + (earlier if earlier_only else "") + _NEAREST
        others = cursor.execute(query, values).fetchall()
        if not others:
            return ()
        around = cursor.execute(_AROUND, values).fetchone()
    found = [_compare(own, other, around=int(around["n"]) if around else 0) for other in others]
    kept = [pair for pair in found if pair is not None]
    kept.sort(key=lambda pair: (-pair[0].probability, pair[0].case_id))
    return tuple(kept[:MOST_HINTS])


_SAME = (
    " FROM cases.case WHERE class_code = %(class_code)s AND kind = %(kind)s"
    " AND case_id <> %(case_id)s"
)
_POINT = "ST_SetSRID(ST_MakePoint(%(x)s::float8, %(y)s::float8), %(srid)s::int)"
_NEAR = (
    f"SELECT case_id, district_code, reported_at, {_PLACE}{_SAME} AND state <> 'closed'"
    " AND reported_at BETWEEN %(reported_at)s::timestamptz - %(hours)s * interval '1 hour'"
    " AND %(reported_at)s::timestamptz + %(hours)s * interval '1 hour'"
    f" AND ST_DWithin(geom, {_POINT}, %(reach)s)"
)
_NEAREST = f" ORDER BY geom <-> {_POINT}, case_id LIMIT %(most)s"
_AROUND = (
    f"SELECT count(*) AS n{_SAME} AND geom && ST_Expand({_POINT}, %(half)s)"
    " AND reported_at BETWEEN %(reported_at)s::timestamptz - %(days)s * interval '1 day'"
    " AND %(reported_at)s::timestamptz + %(days)s * interval '1 day'"
)


def _compare(
    own: Mapping[str, Any], other: Mapping[str, Any], *, around: int
) -> tuple[DuplicateHint, str | None] | None:
    sigma_m = float(joint_sigma(own["sigma_m"] or USUAL_SIGMA_M, other["sigma_m"] or USUAL_SIGMA_M))
    distance_m = float(np.hypot(own["x"] - other["x"], own["y"] - other["y"]))
    hours = abs((own["reported_at"] - other["reported_at"]).total_seconds()) / 3600
    shared = own["component"] if own["component"] == other["component"] else None
    same = 1.0
    if shared is not None:
        distance_m = 0.0
    elif own["component"] and other["component"]:
        same = 1 - (own["certainty"] or 0.0) * (other["certainty"] or 0.0)
    if distance_m > REACH * sigma_m:
        return None
    window = window_of(own["kind"], own["class_code"])
    others = max(around - 1, 0)
    probability = float(
        likeness(
            distance_m=distance_m,
            sigma_m=sigma_m,
            hours=hours,
            window=(window.scale_h, window.repeats * own["factor"]),
            same=same,
            background=background_rate(others),
        )
    )
    if probability < LEAST_PROBABILITY:
        return None
    why, why_zh = told(
        distance_m=distance_m, sigma_m=sigma_m, hours=hours, component=shared, others=others
    )
    found = DuplicateHint(
        case_id=other["case_id"],
        probability=round(probability, 4),
        distance_m=round(distance_m, 1),
        hours=round(hours, 2),
        why=why,
        why_zh=why_zh,
    )
    return found, other["district_code"]


def read_places(
    database: Database,
    *,
    with_closed: bool = False,
    advance: Callable[[int], None] = lambda _: None,
) -> "pd.DataFrame":
    """Return what `api.cases.pairs.find_pairs` compares of all cases that have a place, chunk by chunk read.

    Parameters
    ----------
    database : Database
        Where the cases are.
    with_closed : bool
        Closed cases too.
    advance : callable
        Told the number of cases read.
    """
    import pandas as pd

    parts, after = [], ""
    with database.connect(read_only=True) as connection:
        while True:
            part = read_rows(
                connection,
                f"SELECT case_id, kind, class_code, reported_at, closed_at, {_PLACE} FROM cases.case"  # noqa: S608
                " WHERE case_id > %s AND geom IS NOT NULL AND (%s OR state <> 'closed')"
                " ORDER BY case_id LIMIT %s",
                [after, with_closed, _CHUNK_ROWS],
            )
            if part.empty:
                break
            after = str(part["case_id"].iloc[-1])
            parts.append(_packed(part))
            advance(len(part))
    if not parts:
        return _packed(pd.DataFrame(columns=["case_id", *_PLACE_COLUMNS]))
    return pd.concat(parts, ignore_index=True)


def remember_repeats(database: Database, *, cases: int, factor: float) -> None:
    """Keep how often cases are repeated here, for the hints of cases to come.

    Parameters
    ----------
    database : Database
        Where the cases are.
    cases : int
        Cases compared.
    factor : float
        How many times as often as the table of windows says, see ``api.cases.pairs.compare``.
    """
    with database.connect(as_api=True) as connection:
        connection.execute(
            "INSERT INTO cases.repeats (learned_at, cases, factor)"
            " VALUES (clock_timestamp(), %s, %s)",
            [cases, factor],
        )


_PLACE_COLUMNS = (
    "kind", "class_code", "reported_at", "closed_at", "x", "y", "sigma_m", "component", "certainty",
)  # fmt: skip


def _packed(part: "pd.DataFrame") -> "pd.DataFrame":
    """Return the columns in few bytes a row."""
    import pandas as pd

    result = pd.DataFrame({"case_id": part["case_id"].astype("string[pyarrow]")})
    for name in ("kind", "class_code", "component"):
        result[name] = part[name].astype("string[pyarrow]")
    for name in ("reported_at", "closed_at"):
        result[name] = pd.to_datetime(part[name], utc=True).astype("datetime64[us, UTC]")
    for name in ("x", "y", "sigma_m", "certainty"):
        result[name] = pd.to_numeric(part[name]).astype("float64")
    return result
