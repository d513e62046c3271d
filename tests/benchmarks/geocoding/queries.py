"""Questions whose answers are known, and what came back for them."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from api.edition import Edition
from api.geocoding.calibration import OPEN, group_of, is_of_part
from api.geocoding.geocode import geocode_edition
from api.models import PlaceAnswer
from gis.addresses.spelling import normalise

LIMIT = 5
SAME_M = 2.0
"""An answer this near is the thing itself, out of another database."""
_WARM = 20
"""Questions asked before the clock runs: indexes are read when they are first needed."""
Point = tuple[float, float]
Ask = Callable[[str], list[PlaceAnswer]]


@dataclass(frozen=True, kw_only=True)
class Query:
    """A text and the place it means."""

    text: str
    x: float
    """East in the city's CRS, m."""
    y: float
    line: str
    """Line of the table it counts in."""
    code: str = ""
    """Code of the place; empty where no single row is meant, as for a crossing."""
    near_m: float = SAME_M
    """An answer is right within this distance, m, or when it has the code."""
    plate: tuple[str, int] | None = None
    """Road and number, where the database has them: another point of that plate is the right place."""
    wanted: str = ""
    """The place in words, for the list of failures."""
    is_ambiguous: bool = False
    """The text fits another place as well as the one meant."""
    has_answer: bool = True
    """False: the database can not know the place; only silence or doubt is right."""


def ask_all(edition: Edition, queries: Sequence[Query], *, ask: Ask | None = None) -> pd.DataFrame:
    """Ask all and return one row per query, with the seconds that each took."""
    ask = ask or (lambda text: geocode_edition(edition, text, limit=LIMIT))
    for query in queries[:_WARM]:
        ask(query.text)
    rows = []
    for query in queries:
        start = time.perf_counter()
        answers = ask(query.text)
        rows.append(_row(query, answers, time.perf_counter() - start))
    frame = pd.DataFrame(rows)
    return frame.join(_areas(edition, frame)) if len(frame) else frame


def _row(query: Query, answers: list[PlaceAnswer], seconds: float) -> dict[str, object]:
    hits = [_is_right(query, answer) for answer in answers]
    top = answers[0] if answers else None
    return {
        "line": query.line,
        "text": query.text,
        "wanted": query.wanted,
        "x": query.x,
        "y": query.y,
        "is_ambiguous": query.is_ambiguous,
        "has_answer": query.has_answer,
        "is_answered": top is not None,
        "hit1": bool(hits[:1]) and hits[0],
        "is_right": bool(hits[:1]) and (hits[0] or _is_plate(query, answers[0])),
        "hit5": any(hits[:LIMIT]),
        "score": top.score if top else np.nan,
        "match": top.match if top else "",
        "group": group_of(top.match, top.why) if top else "",
        "is_open": top is not None and not OPEN.isdisjoint(top.why),
        "is_part": top is not None and is_of_part(top.match, top.why),
        "got": (top.full_address or top.name) if top else "",
        "got_x": top.x if top else np.nan,
        "got_y": top.y if top else np.nan,
        "uncertainty_m": top.uncertainty_m if top else np.nan,
        "error_m": _apart_m(query, top) if top else np.nan,
        "seconds": seconds,
    }


def rival_all(
    edition: Edition, queries: Sequence[Query], find: Callable[[Query], Point | None]
) -> pd.DataFrame:
    """Ask a rival that gives one point and no score; the same rows as of `ask_all`."""
    rows = []
    for query in queries:
        start = time.perf_counter()
        point = find(query)
        row = _row(query, [], time.perf_counter() - start)
        if point is not None:
            error_m = float(np.hypot(point[0] - query.x, point[1] - query.y))
            is_right = error_m <= query.near_m
            row |= {
                "is_answered": True, "error_m": error_m, "got_x": point[0], "got_y": point[1],
                "hit1": is_right, "hit5": is_right, "is_right": is_right,
            }  # fmt: skip
        rows.append(row)
    frame = pd.DataFrame(rows)
    return frame.join(_areas(edition, frame)) if len(frame) else frame


def _is_right(query: Query, answer: PlaceAnswer) -> bool:
    is_it = bool(query.code) and answer.code == query.code
    return is_it or _apart_m(query, answer) <= query.near_m


def _is_plate(query: Query, answer: PlaceAnswer) -> bool:
    """Tell whether an answer is the row of the plate that is asked for, wherever that row lies."""
    if query.plate is None or answer.match == "interpolated":
        return False
    road, number = query.plate
    return (
        re.search(rf"{re.escape(road)}{number}(?!\d)", normalise(answer.full_address)) is not None
    )


def _apart_m(query: Query, answer: PlaceAnswer) -> float:
    return float(np.hypot(answer.x - query.x, answer.y - query.y))


def _areas(edition: Edition, frame: pd.DataFrame) -> pd.DataFrame:
    """Say whether the top answer lies in the district, community and unit grid of the truth."""
    cells = {"in_grid": edition.grids} | {
        f"in_{level}": edition.areas[level] for level in ("community", "district")
    }
    found = {}
    for name, of_level in cells.items():
        if len(of_level.codes) == 0:
            found[name] = np.full(len(frame), np.nan)
            continue
        true = of_level.index.locate(frame["x"].to_numpy(), frame["y"].to_numpy()).position
        far = frame[["got_x", "got_y"]].fillna(0.0).to_numpy()
        got = of_level.index.locate(far[:, 0], far[:, 1]).position
        is_same = (true == got) & frame["is_answered"].to_numpy()
        found[name] = np.where(true >= 0, is_same.astype(float), np.nan)
    return pd.DataFrame(found, index=frame.index)
