"""What a page needs to list and draw the faults of a judgement, as JSON inside the page."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import pandas as pd
import shapely
from numpy.typing import NDArray

from census.report.document import clean, places_of, rule_rows
from census.report.ground import (
    Geometries,
    Ground,
    is_finite,
    origin_of,
    pack_ground,
    whole,
)
from census.report.judgement import Judgement

MOST_FAULTS = 100_000
"""Faults in a page; of more, each rule gives its first ones, and the workbook and the layer have all."""
MOST_RECORDS = 30_000
"""Rows of which the page shows all delivered columns."""
MOST_OUTLINE_VERTICES = 300_000
"""Vertices of lines and areas at fault in a page; the others are shown by a point."""
_VALUE_CHARACTERS = 200


def as_page_data(judgement: Judgement, ground: Ground) -> bytes:
    """Return the faults and the ground as JSON that stands safely inside a ``<script>`` of a page."""
    faults = judgement.faults
    chosen = first_of_each_rule(faults, most=MOST_FAULTS)
    shapes = chosen.geometry.to_numpy(dtype=object)
    layers: list[Geometries] = [ground.areas, ground.grids, ground.components, ground.shapes]
    origin = origin_of([layer for layer in layers if len(layer)] or [shapes])
    near = _near(shapes, layers)
    table = _Strings()
    data: dict[str, Any] = {
        "origin": origin,
        "total": len(faults),
        "ground": pack_ground(ground, origin=origin),
        "extent": _extent(layers, shapes[near], origin),
        "faults": {
            "number": chosen["number"].tolist(),
            "row": [int(row) if pd.notna(row) else 0 for row in chosen["source_row"]],
            "severity": (chosen["severity"] == "error").astype(int).tolist(),
            **{
                name: table.numbers(chosen[column])
                for name, column in (
                    ("rule", "rule"),
                    ("dataset", "dataset"),
                    ("file", "source_file"),
                    ("code", "code"),
                    ("class", "class_code"),
                    ("en", "reason_en"),
                    ("zh", "reason_zh"),
                )
            },
            "at": _points(shapes, origin),
        },
        "outlines": _outlines(shapes, origin),
        "records": _records(chosen, table),
        "classes": clean({tally.class_code: tally.class_name for tally in judgement.classes}),
        "rules": clean({row["rule"]: row for row in rule_rows(judgement)}),
    }
    data["strings"] = table.texts
    text = orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)
    # Inside <script> only these could end the text or be taken for something else.
    for sign, escape in ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026")):
        text = text.replace(sign, escape)
    return text


def first_of_each_rule(faults: Any, *, most: int) -> Any:
    """Return at most `most` faults: the first of every rule, then the second …, in the table's order."""
    if len(faults) <= most:
        return faults
    turn = faults.groupby(["severity", "rule"]).cumcount()
    order = np.argsort(turn.to_numpy(), kind="stable")[:most]
    return faults.iloc[np.sort(order)]


class _Strings:
    """Texts, each kept once; columns hold their numbers. Number 0 is no text."""

    def __init__(self) -> None:
        self.texts: list[str] = [""]
        self._numbers: dict[str, int] = {"": 0}

    def number(self, value: Any) -> int:
        text = "" if value is None or value is pd.NA or value != value else str(value)
        if text not in self._numbers:
            self._numbers[text] = len(self.texts)
            self.texts.append(str(clean(text)))
        return self._numbers[text]

    def numbers(self, column: Sequence[Any]) -> list[int]:
        return [self.number(value) for value in column]


def _points(shapes: Geometries, origin: tuple[float, float]) -> list[int | None]:
    """Return x, y, x, y … in whole centimetres; None twice for a fault without a place."""
    x, y = places_of(shapes)
    places = (np.column_stack([x, y]) - np.array(origin)) * 100
    there = np.isfinite(places).all(axis=1)
    rounded = np.rint(np.where(there[:, None], places, 0)).astype(np.int64)
    return [
        number if is_there else None
        for pair, is_there in zip(rounded.tolist(), there.tolist(), strict=True)
        for number in pair
    ]


def _outlines(shapes: Geometries, origin: tuple[float, float]) -> dict[int, list[list[int]]]:
    """Return lines and rings of faults by their place in the table, in whole centimetres."""
    spread = np.flatnonzero(is_finite(shapes) & (shapely.get_dimensions(shapes) > 0))
    total = np.cumsum(shapely.get_num_coordinates(shapes[spread]))
    spread = spread[total <= MOST_OUTLINE_VERTICES]
    parts, owner = shapely.get_parts(shapes[spread], return_index=True)
    is_area = shapely.get_dimensions(parts) == 2
    rings, part = shapely.get_rings(parts[is_area], return_index=True)
    is_line = shapely.get_dimensions(parts) == 1
    lines = np.concatenate([parts[is_line], rings])
    owners = np.concatenate([owner[is_line], owner[is_area][part]])
    points, line = shapely.get_coordinates(lines, return_index=True)
    places = whole(points, origin=origin, unit_m=0.01)
    ends = np.flatnonzero(np.diff(line, prepend=-1))[1:]
    found: dict[int, list[list[int]]] = {}
    if len(lines):
        for number, coordinates in zip(owners, np.split(places, ends), strict=True):
            found.setdefault(int(spread[number]), []).append(coordinates.ravel().tolist())
    return found


def _records(chosen: Any, table: _Strings) -> dict[int, list[int]]:
    """Return the delivered columns of the first rows: place in the table -> name, value, name, value."""
    found: dict[int, list[int]] = {}
    for place, record in enumerate(chosen["record"].head(MOST_RECORDS)):
        if isinstance(record, Mapping):
            pairs = [(str(name), short_text(value)) for name, value in record.items()]
            found[place] = [table.number(text) for pair in pairs if pair[1] for text in pair]
    return found


def short_text(value: Any) -> str:
    """Return a delivered value as text, cut at 200 characters; empty for a missing one."""
    is_missing = value is None or value is pd.NA or value is pd.NaT or value != value
    text = "" if is_missing else str(value)
    return text if len(text) <= _VALUE_CHARACTERS else f"{text[:_VALUE_CHARACTERS]}…"


def _near(shapes: Geometries, layers: Sequence[Geometries]) -> NDArray[np.bool_]:
    """Tell which faults lie close enough to the city that the first view shows them too."""
    there = is_finite(shapes)
    known = [layer for layer in layers if len(layer)]
    if not known:
        return there
    bounds = np.array([shapely.total_bounds(layer[is_finite(layer)]) for layer in known])
    west, south = np.nanmin(bounds[:, :2], axis=0)
    east, north = np.nanmax(bounds[:, 2:], axis=0)
    reach = 0.2 * max(east - west, north - south)
    x, y = places_of(shapes)
    inside = (x > west - reach) & (x < east + reach) & (y > south - reach) & (y < north + reach)
    result: NDArray[np.bool_] = there & inside
    return result


def _extent(
    layers: Sequence[Geometries], shapes: Geometries, origin: tuple[float, float]
) -> list[float]:
    """Return west, south, east and north of the first view, m from `origin`."""
    known = [layer[is_finite(layer)] for layer in (*layers, shapes) if len(layer)]
    bounds = np.array([shapely.total_bounds(layer) for layer in known if len(layer)])
    if len(bounds) == 0:
        return [0.0, 0.0, 1.0, 1.0]
    low = bounds[:, :2].min(axis=0) - np.array(origin)
    high = bounds[:, 2:].max(axis=0) - np.array(origin)
    return [*low.round(1).tolist(), *high.round(1).tolist()]
