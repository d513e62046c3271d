"""Which lines lie on the ground: tunnels and flyovers are no borders, short bridges are."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]

_NO = frozenset({"", "0", "no", "f", "false", "n", "none", "nan", "否", "0.0"})
_LEVELS = ("layer", "level")
_STUB_M = 15.0


def levels_of(table: pd.DataFrame, rows: Indices) -> Indices:
    """Return 0 for what lies on the ground, above 0 for decks and flyovers, below 0 for tunnels.

    Read from the keys ``layer``, ``level``, ``bridge`` and ``tunnel`` of the column ``attributes``
    (objects or JSON text), or from columns of those names; what can not be read is on the ground.

    Parameters
    ----------
    table : pandas.DataFrame
        Features.
    rows : array of int
        Positions of the rows to look at.
    """
    level = np.zeros(len(rows), dtype=np.intp)
    for name in (*_LEVELS, "bridge", "tunnel"):
        if name in table:
            values = table[name].iloc[rows].tolist()
            level = _merged(level, [_level({name: value}) for value in values])
    if "attributes" in table:
        values = table["attributes"].iloc[rows].tolist()
        level = _merged(level, [_level(_read(value)) for value in values])
    return level


def ground_parts(lines: Geometries, levels: Indices) -> tuple[Geometries, Indices]:
    """Return what of lines may be a border, and the row that each part comes from.

    Tunnels are left out. Of a deck the first and last 15 m are kept, so that a street on the ground
    still reaches the bank; a bridge of up to 30 m is kept whole.

    Examples
    --------
    >>> lines = np.array([shapely.LineString([(0, 0), (100, 0)])] * 3, dtype=object)
    >>> parts, row = ground_parts(lines, np.array([0, 1, -1]))
    >>> row.tolist(), shapely.length(parts).tolist()
    ([0, 1, 1], [100.0, 15.0, 15.0])
    """
    row = np.arange(len(lines), dtype=np.intp)
    is_long = (levels > 0) & (shapely.length(lines) > 2 * _STUB_M)
    kept = (levels == 0) | ((levels > 0) & ~is_long)
    parts, index = [lines[kept]], [row[kept]]
    for deck in np.flatnonzero(is_long).tolist():
        length = lines[deck].length
        stubs = [
            shapely.ops.substring(lines[deck], 0.0, _STUB_M),
            shapely.ops.substring(lines[deck], length - _STUB_M, length),
        ]
        parts.append(np.array(stubs, dtype=object))
        index.append(np.full(2, deck, dtype=np.intp))
    return np.concatenate(parts), np.concatenate(index)


def numbers_of(table: pd.DataFrame, rows: Indices, *, name: str) -> NDArray[np.float64]:
    """Return a number of ``attributes`` or of the column of that name; NaN where there is none."""
    found = np.full(len(rows), np.nan)
    if "attributes" in table:
        values = [_read(value).get(name) for value in table["attributes"].iloc[rows].tolist()]
        found = pd.to_numeric(pd.Series(values, dtype=object), errors="coerce").to_numpy(float)
    if name in table:
        column = pd.to_numeric(table[name].iloc[rows], errors="coerce").to_numpy(float)
        found = np.where(np.isnan(found), column, found)
    return found


def _merged(level: Indices, found: list[int]) -> Indices:
    return np.where(level == 0, np.array(found, dtype=np.intp), level)


def _read(value: object) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            found = json.loads(value)
        except ValueError:
            return {}
        return found if isinstance(found, Mapping) else {}
    return {}


def _level(attributes: Mapping[str, Any]) -> int:
    for name in _LEVELS:
        number = _number(attributes.get(name))
        if number:
            return int(np.sign(number))
    if _is_set(attributes.get("tunnel")):
        return -1
    return int(_is_set(attributes.get("bridge")))


def _number(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        return 0.0
    return number if np.isfinite(number) else 0.0


def _is_set(value: object) -> bool:
    return value is not None and str(value).strip().lower() not in _NO
