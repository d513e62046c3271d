"""Former names 曾用名: with their dates as delivered, and kept by the platform when a place is renamed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.faults import Faults
from pipelines.place_names.categories import group_of
from pipelines.values import names_of, text_of

SAME_PLACE_M = 1.0
"""Shapes that differ by less stand for one place, if their kind is the same."""
_DATED = re.compile(
    r"(?P<name>[^()（）〔〕\[\]]+)[(（〔\[](?P<dates>[^()（）〕\]]*\d[^()（）〕\]]*)[)）〕\]]"
)
_DAY = r"(\d{4})(?:[-./年](\d{1,2}))?(?:[-./月](\d{1,2})日?)?[年月]?"
_SPAN = re.compile(rf"(?:{_DAY})?\s*(?:/|[-—－–~～]{{1,2}}|至|到|\.\.)\s*(?:{_DAY})?(?:前|止)?")
_ONE = re.compile(rf"(至|到|前)?\s*{_DAY}\s*(年?以?[前后]|起|止)?")
_SEPARATORS = re.compile(r"[;；,，、|]")


@dataclass(frozen=True, kw_only=True)
class Former:
    """Former names of a place and when each of them held."""

    names: tuple[str, ...] = ()
    spans: tuple[str, ...] = ()
    """``1958/1982``, ``1958/..``, ``../1966``; empty: not known."""

    def with_name(self, name: str, span: str = "") -> "Former":
        """Return these with one more, unless it is there; a span that was not known is filled in."""
        if name in self.names:
            at = self.names.index(name)
            if self.spans[at] or not span:
                return self
            spans = (*self.spans[:at], span, *self.spans[at + 1 :])
            return Former(names=self.names, spans=spans)
        return Former(names=(*self.names, name), spans=(*self.spans, span))


def read_former(frame: pd.DataFrame, faults: Faults) -> "pd.Series[Former]":
    """Return the former names as delivered, dates taken from brackets or the column beside them.

    Examples
    --------
    >>> from gis.faults import Faults
    >>> rows = pd.DataFrame({"source_file": "a", "source_row": [1], "former_names": ["马路（1912—1958）；老街"]})
    >>> read_former(rows, Faults(rows, rules={}))[0]
    Former(names=('马路', '老街'), spans=('1912/1958', ''))
    """
    dates = text_of(frame, "former_spans")
    texts = text_of(frame, "former_names")
    result, bad = [], pd.Series(False, index=frame.index)
    for row, names, text, beside in zip(
        frame.index, names_of(frame, "former_names"), texts, dates, strict=True
    ):
        former, unread = _former(names, text, beside)
        result.append(former)
        bad[row] = unread
    shown = dates.fillna(texts)
    faults.add("PN22", bad, value=texts, dates=shown)
    return pd.Series(result, index=frame.index, dtype=object)


def _former(names: Sequence[str], text: str | None, beside: str | None) -> tuple[Former, bool]:
    former, unread = Former(), False
    if not isinstance(text, str):
        return former, isinstance(beside, str)
    dated = {match["name"].strip(" ;；,，、|"): match["dates"] for match in _DATED.finditer(text)}
    plain = [name for name in names_without_dates(text) if name]
    spans = [part.strip() for part in _SEPARATORS.split(beside)] if isinstance(beside, str) else []
    for place, name in enumerate(plain or names):
        given = dated.get(name) or (spans[place] if place < len(spans) else "")
        span = read_span(given)
        unread |= bool(given) and not span
        former = former.with_name(name, span)
    return former, unread


def names_without_dates(text: str) -> list[str]:
    """Return the names of a list, brackets with dates left out.

    Examples
    --------
    >>> names_without_dates("马路（1912—1958）；老街")
    ['马路', '老街']
    """
    plain = _DATED.sub(lambda match: match["name"], text)
    return [part.strip() for part in re.split(r"[;；,，、|/]", plain)]


def read_span(text: str) -> str:
    """Return a span of years or days as ISO 8601 writes it; empty: it can not be read.

    Examples
    --------
    >>> read_span("1958—1982"), read_span("1966年前"), read_span("1949.10-1966"), read_span("民国")
    ('1958/1982', '../1966', '1949-10/1966', '')
    >>> read_span("1958年起"), read_span("-1980"), read_span("1966-1958")
    ('1958/..', '../1980', '')
    """
    text = text.strip()
    match = _SPAN.fullmatch(text)
    if match and any(match.groups()):
        start, end = _day(match.groups()[:3]), _day(match.groups()[3:6])
        return "" if start and end and start > end else f"{start or '..'}/{end or '..'}"
    match = _ONE.fullmatch(text)
    if not match:
        return ""
    day, tail = _day(match.groups()[1:4]), match[5] or ""
    if match[1] or tail.endswith(("前", "止")):
        return f"../{day}"
    return f"{day}/.." if tail.endswith(("起", "后")) else day


def _day(parts: Sequence[str | None]) -> str:
    return "-".join(f"{int(part):02d}" for part in parts if part)


def keep_old_names(
    accepted: gpd.GeoDataFrame, live: pd.DataFrame, faults: Faults, *, as_of: date
) -> gpd.GeoDataFrame:
    """Return the rows with what is known of their former names, and of places renamed the old name.

    A place is the live one of the same code; else the live one of the same kind at the same place
    (`SAME_PLACE_M`) whose code is not delivered. Former names once known stay.

    Parameters
    ----------
    accepted : geopandas.GeoDataFrame
        Rows to load: ``code``, ``name``, ``category_code``, ``former_names``, ``former_spans``.
    live : pandas.DataFrame
        Place names that hold so far.
    faults : Faults
        Gets PN21 for each place renamed.
    as_of : datetime.date
        Day of the delivery: until then the old name held.
    """
    before = _before(accepted, live)
    names, spans = [], []
    renamed = pd.Series(None, index=accepted.index, dtype=object)
    for row, name, former_names, former_spans in zip(
        accepted.index,
        accepted["name"],
        accepted["former_names"],
        accepted["former_spans"],
        strict=True,
    ):
        former = Former(names=tuple(former_names), spans=tuple(former_spans))
        old = before.get(row)
        if old is not None:
            for known, span in zip(old["former_names"], _padded(old), strict=True):
                former = former.with_name(known, span) if known != name else former
            if old["name"] != name:
                former = former.with_name(old["name"], f"../{as_of.isoformat()}")
                renamed[row] = old["name"]
        names.append(list(former.names))
        spans.append(list(former.spans))
    faults.add("PN21", renamed.notna(), former=renamed, name=accepted["name"])
    columns = {
        "former_names": pd.Series(names, index=accepted.index, dtype=object),
        "former_spans": pd.Series(spans, index=accepted.index, dtype=object),
    }
    return accepted.assign(**columns)


def _padded(old: Mapping[str, Any]) -> list[str]:
    spans = list(old.get("former_spans") or [])
    return [*spans, *[""] * (len(old["former_names"]) - len(spans))]


def _before(accepted: gpd.GeoDataFrame, live: pd.DataFrame) -> dict[Any, dict[str, Any]]:
    """Return for each row the live place it was, by index; rows of new places have none."""
    if live.empty:
        return {}
    records = live.to_dict("records")
    by_code = {record["code"]: record for record in records}
    found = {
        row: by_code[code]
        for row, code in zip(accepted.index, accepted["code"], strict=True)
        if code in by_code
    }
    gone = ~live["code"].isin(accepted["code"])
    rest = accepted[~accepted.index.isin(list(found))]
    if not gone.any() or rest.empty:
        return found
    left = live[gone].reset_index(drop=True)
    shapes = left["geometry"].to_numpy()
    pairs = shapely.STRtree(shapes).query(
        rest.geometry.to_numpy(), predicate="dwithin", distance=SAME_PLACE_M
    )
    groups = left["category_code"].map(group_of, na_action="ignore").fillna("").to_numpy()
    own = rest["category_code"].map(group_of, na_action="ignore").fillna("").to_numpy()
    taken: set[int] = set()
    for mine, theirs in sorted(zip(*pairs.tolist(), strict=True)):
        row = rest.index[mine]
        fits = own[mine] == groups[theirs] and _same(rest.geometry.iloc[mine], shapes[theirs])
        if row not in found and theirs not in taken and fits:
            found[row] = left.iloc[theirs].to_dict()
            taken.add(theirs)
    return found


def _same(one: shapely.Geometry, other: shapely.Geometry) -> bool:
    if shapely.get_type_id(one) == shapely.get_type_id(other) == shapely.GeometryType.POINT:
        return True
    return bool(np.isfinite(shapely.hausdorff_distance(one, other))) and bool(
        shapely.hausdorff_distance(one, other) <= SAME_PLACE_M
    )
