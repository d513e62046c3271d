"""The conflicts 冲突 of a merge as rows: which component, what kind, and the values of all sides."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd

from census.merging.alignment import Mask, Objects, Sides
from census.merging.fields import ATTRIBUTE, COLUMNS, STATED, Texts, document, filled
from census.merging.joining import Joined, columns_of
from census.merging.matching import pairs_between

CONFLICT_COLUMNS = (
    "kind",
    "code",
    "live_code",
    "base_code",
    "field",
    "base_value",
    "live_value",
    "delivered_value",
    "fingerprint",
    "source_file",
    "source_row",
    "distance_m",
    "record",
    "geometry",
)
"""``record``: index of the delivered row, missing where the row was left out."""
MIRROR = {"delete_update": "update_delete", "update_delete": "delete_update"}
"""Kind of a conflict seen from the other side; the others keep theirs."""


@dataclass(frozen=True, kw_only=True)
class Codes:
    """The codes of each component, and the one it has after the merge."""

    base: Texts
    live: Texts
    delivered: Texts
    final: Texts
    is_recoded_twice: Mask
    """Both sides gave it another code."""
    is_taken: Mask
    """The delivered code is another component's by now."""


@dataclass(frozen=True, kw_only=True)
class _Frames:
    sides: Sides
    objects: Objects
    codes: Codes

    def row(self, side: str, number: int) -> "pd.Series[Any] | None":
        frame: gpd.GeoDataFrame | None = getattr(self.sides, side)
        position = int(getattr(self.objects, side)[number])
        return None if frame is None or position < 0 else frame.iloc[position]

    def whole(self, side: str, number: int) -> dict[str, Any] | None:
        row = self.row(side, number)
        if row is None:
            return None
        return document(row, COLUMNS) if side != "delivered" else self._delivered(row, number)

    def _delivered(self, row: "pd.Series[Any]", number: int) -> dict[str, Any]:
        """Return a delivered row with what its file says nothing of as it was before.

        What was not there before says what its file has: only a decision tells whose row it replaces.
        """
        stated = self.sides.given.stated(row["source_file"])
        found = (self.row(side, number) for side in ("base", "live"))
        before = next((other for other in found if other is not None), None)
        if before is None:
            return {**document(row, COLUMNS), STATED: stated}
        return document(filled(row, before, stated=stated), COLUMNS)

    def part(self, side: str, number: int, field: str) -> dict[str, Any] | None:
        row = self.row(side, number)
        if row is None:
            return None
        if field.startswith(ATTRIBUTE):
            key = field.removeprefix(ATTRIBUTE)
            return {key: (row["attributes"] or {}).get(key)}
        return document(row, ("code",) if field == "code" else columns_of(field).columns)


def list_conflicts(
    sides: Sides, objects: Objects, joined: Joined, codes: Codes, fate: Texts
) -> pd.DataFrame:
    """Return every conflict with `CONFLICT_COLUMNS`, by kind, code and field."""
    frames = _Frames(sides=sides, objects=objects, codes=codes)
    rows = [
        *_fields(frames, joined, fate),
        *_codes(frames, fate),
        *_whole_rows(frames, fate),
        *_places(frames, fate),
    ]
    table = pd.DataFrame(rows, columns=list(CONFLICT_COLUMNS), dtype=object)
    return table.sort_values(["kind", "code", "field"], ignore_index=True, na_position="first")


def _fields(frames: _Frames, joined: Joined, fate: Texts) -> Iterator[dict[str, Any]]:
    for name, contested in joined.contested.items():
        for number in np.flatnonzero(contested & (fate == "merged")):
            yield _conflict(frames, int(number), "field", field=name)


def _codes(frames: _Frames, fate: Texts) -> Iterator[dict[str, Any]]:
    codes = frames.codes
    for kind, where in (("recode", codes.is_recoded_twice), ("add_add", codes.is_taken)):
        for number in np.flatnonzero(where & (fate == "merged")):
            yield _conflict(frames, int(number), kind, field="code")


def _whole_rows(frames: _Frames, fate: Texts) -> Iterator[dict[str, Any]]:
    live = {code: number for number, code in enumerate(frames.codes.live) if code is not None}
    for kind in ("delete_update", "update_delete", "add_add"):
        for number in np.flatnonzero(fate == kind):
            # A code may be given twice to what are two components by their bases.
            code = frames.codes.delivered[number]
            other = live.get(code, int(number)) if kind == "add_add" else int(number)
            yield _conflict(frames, int(number), kind, other=other)


def _places(frames: _Frames, fate: Texts) -> Iterator[dict[str, Any]]:
    new = np.flatnonzero(fate == "place")
    stays = np.flatnonzero((fate == "left") | (fate == "delete_update"))
    left, right, distance = pairs_between(
        frames.sides.delivered.iloc[frames.objects.delivered[new]],
        frames.sides.live.iloc[frames.objects.live[stays]],
        distance_m=frames.sides.same_place_m,
    )
    first = pd.Series(left).drop_duplicates().index  # pairs are nearest first
    for place in first:
        yield _conflict(
            frames,
            int(new[left[place]]),
            "place",
            other=int(stays[right[place]]),
            distance_m=float(distance[place]),
        )


def _conflict(
    frames: _Frames,
    number: int,
    kind: str,
    *,
    field: str | None = None,
    other: int | None = None,
    distance_m: float | None = None,
) -> dict[str, Any]:
    """Return one conflict; `other` is the component whose live row it is about, if another one."""
    beside = number if other is None else other
    codes = frames.codes
    if field is None:
        values = [frames.whole(side, number) for side in ("base", "delivered")]
        live = frames.whole("live", beside)
    else:
        values = [frames.part(side, number, field) for side in ("base", "delivered")]
        live = frames.part("live", beside, field)
    delivered = frames.row("delivered", number)
    shown = frames.row("live", beside) if delivered is None else delivered
    base_code, code = codes.base[number], codes.delivered[number]
    identity = [kind, base_code or code, field, *values]
    return {
        "kind": kind,
        "code": code or codes.live[number],
        "live_code": codes.live[beside],
        "base_code": base_code,
        "field": field,
        "base_value": values[0],
        "live_value": live,
        "delivered_value": values[1],
        "fingerprint": sha256(
            orjson.dumps(identity, option=orjson.OPT_SORT_KEYS, default=str)
        ).hexdigest(),
        "source_file": None if delivered is None else delivered["source_file"],
        "source_row": None if delivered is None else delivered["source_row"],
        "distance_m": distance_m,
        "record": None if delivered is None else delivered.name,
        "geometry": None if shown is None else shown["geometry"],
    }
