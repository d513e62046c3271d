"""The fields of a component as merging sees them: what is compared, and which columns go along."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import orjson
import pandas as pd
import shapely
from numpy.typing import NDArray

Texts = NDArray[np.object_]

SAME_POSITION_M = 0.01
"""A position that differs by no more was not edited: files round, and CRS are changed and back, m."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """Columns that are merged as one."""

    compared: tuple[str, ...]
    """Columns whose values decide whether it was changed."""
    followers: tuple[str, ...] = ()
    """Columns that come from the same side."""

    @property
    def columns(self) -> tuple[str, ...]:
        """All its columns."""
        return self.compared + self.followers


FIELDS: Mapping[str, Field] = {
    "class_code": Field(compared=("class_code",), followers=("standard_ref",)),
    "name": Field(compared=("name",)),
    "competent": Field(compared=("competent_name", "competent_code")),
    "owner": Field(compared=("owner_name", "owner_code")),
    "maintainer": Field(compared=("maintainer_name", "maintainer_code")),
    "condition": Field(compared=("condition",)),
    "ownership_state": Field(compared=("ownership_state",)),
    "initial_date": Field(compared=("initial_date",)),
    "change_date": Field(compared=("change_date",)),
    "data_source": Field(compared=("data_source",)),
    "location_note": Field(compared=("location_note",)),
    "remark": Field(compared=("remark",)),
}
"""Fields beside code, geometry and attributes; a unit's name and code are one field."""
GEOMETRY = Field(compared=("geometry",), followers=("grid_code", "community_code"))
"""The position, with what follows from it."""
LATEST = "change_date"
"""Field that is no edit of its own: where both sides changed it the later day holds."""
STATED = "stated"
"""In the document of a delivered row: what its file says something of, see `Given.stated`."""
ATTRIBUTE = "attributes."
"""Before the key of an attribute in the name of a field."""
ALWAYS_GIVEN = frozenset({"class_code"})
COLUMNS = (
    "code",
    *(name for entry in FIELDS.values() for name in entry.columns),
    *GEOMETRY.followers,
    "attributes",
    "geometry",
)
"""Columns of a frame to merge."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the delivered files have columns for: of all else they say nothing.

    Examples
    --------
    >>> given = Given(columns={"a.shp": frozenset({"owner_name"})}, keys={"a.shp": frozenset()})
    >>> given.of("owner", ["a.shp"]).tolist(), given.of("remark", ["a.shp"]).tolist()
    ([True], [False])
    """

    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """File -> platform columns; a file that is not named gives all."""
    keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """File -> keys of attributes; a file that is not named gives all."""

    def of(self, name: str, files: Sequence[Any]) -> NDArray[np.bool_]:
        """Return for each row, by its file, whether the field `name` is given."""
        if name in ALWAYS_GIVEN:
            return np.ones(len(files), dtype=bool)
        if name.startswith(ATTRIBUTE):
            key = name.removeprefix(ATTRIBUTE)
            known = {file: key in keys for file, keys in self.keys.items()}
        else:
            compared = set(FIELDS[name].compared)
            known = {file: bool(compared & has) for file, has in self.columns.items()}
        codes, distinct = pd.factorize(np.asarray(files, dtype=object), use_na_sentinel=False)
        says = np.array([known.get(file, True) for file in distinct], dtype=bool)
        result: NDArray[np.bool_] = says[codes] if len(distinct) else np.ones(0, dtype=bool)
        return result

    def stated(self, file: str) -> dict[str, list[str] | None]:
        """Return the columns and the keys of attributes that a file says something of; None: all.

        Examples
        --------
        >>> Given(columns={"a.shp": frozenset({"remark"})}, keys={"a.shp": frozenset()}).stated("a.shp")
        {'columns': ['class_code', 'standard_ref', 'remark'], 'keys': []}
        """
        columns = [
            column
            for name, entry in FIELDS.items()
            if self.of(name, [file])[0]
            for column in entry.columns
        ]
        keys = self.keys.get(file)
        return {"columns": columns, "keys": None if keys is None else sorted(keys)}


def plain(value: Any) -> str | None:
    """Return a value as text that is equal for equal values; None for a blank one.

    Numbers are compared as numbers whatever the file's type, so that 3, 3.0 and "3" are equal.

    Examples
    --------
    >>> plain(3.0), plain("3"), plain(date(2026, 5, 31)), plain(" "), plain(float("nan"))
    ('3', '3', '2026-05-31', None, None)
    """
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, float | np.floating):
        if value != value:
            return None
        return format(float(value), ".15g")
    if isinstance(value, date):
        return value.isoformat()[:10]
    if isinstance(value, dict | list):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str).decode()
    return str(value).strip() or None


def texts_of(frame: pd.DataFrame, name: str) -> Texts:
    """Return the field `name` of each row as `plain` text, None where all of it is blank."""
    parts = [_coded(frame[column]) for column in FIELDS[name].compared]
    codes, texts = parts[0]
    for more, others in parts[1:]:
        # Work on the distinct combinations, of which a million rows have a few hundred.
        combined, distinct = pd.factorize(codes * len(others) + more)
        pairs = [divmod(int(code), len(others)) for code in distinct]
        joined = np.empty(len(pairs), dtype=object)
        joined[:] = [_join(texts[left], others[right]) for left, right in pairs]
        codes, texts = combined.astype(np.int64), joined
    return texts[codes] if len(texts) else np.empty(0, dtype=object)


def _join(left: str | None, right: str | None) -> str | None:
    return None if left is None and right is None else f"{left or ''}\x1f{right or ''}"


def _coded(column: "pd.Series[Any]") -> tuple[NDArray[np.int64], Texts]:
    """Return for each row the number of its text, and the texts."""
    codes, values = pd.factorize(column.to_numpy(dtype=object), use_na_sentinel=True)
    texts = np.empty(len(values) + 1, dtype=object)
    texts[:-1] = [plain(value) for value in values]
    return np.where(codes < 0, len(values), codes).astype(np.int64), texts


def differ(a: Texts, b: Texts) -> NDArray[np.bool_]:
    """Return where two columns of `plain` texts differ; blank equals blank.

    Examples
    --------
    >>> column = np.array([None, "x", "y"], dtype=object)
    >>> differ(column, np.array([None, "x", None], dtype=object)).tolist()
    [False, False, True]
    """
    return np.asarray(a != b, dtype=bool)


def apart(a: Texts, b: Texts, distance_m: "float | NDArray[np.float64]") -> NDArray[np.bool_]:
    """Return where two geometries are more than `distance_m` apart (Hausdorff distance).

    A missing geometry is apart from every other, and equal to a missing one.

    Examples
    --------
    >>> near = np.array([shapely.Point(0, 0)]), np.array([shapely.Point(0, 0.3)])
    >>> apart(*near, 0.5).tolist(), apart(*near, 0.01).tolist()
    ([False], [True])
    """
    result: NDArray[np.bool_] = distances(a, b) > distance_m
    return result


def distances(a: Texts, b: Texts) -> NDArray[np.float64]:
    """Return how far geometries are apart (Hausdorff distance), m; infinite where one is missing."""
    none_a, none_b = shapely.is_missing(a), shapely.is_missing(b)
    result = np.where(none_a & none_b, 0.0, np.inf)
    both = ~none_a & ~none_b
    left, right = a[both], b[both]
    found = np.zeros(len(left))
    rest = ~shapely.equals_exact(left, right)
    found[rest] = shapely.hausdorff_distance(left[rest], right[rest])
    # An empty geometry has no distance to anything.
    result[both] = np.where(np.isnan(found), np.inf, found)
    return result


def filled(
    row: Mapping[str, Any],
    before: Mapping[str, Any],
    *,
    stated: Mapping[str, Collection[str] | None],
) -> dict[str, Any]:
    """Return a delivered row with what its file says nothing of as it was before.

    Parameters
    ----------
    row, before : mapping
        Values of the same component.
    stated : mapping
        `Given.stated` of the row's file.

    Examples
    --------
    >>> row = {"remark": None, "owner_name": None, "owner_code": None, "attributes": {"k": 1}}
    >>> before = {"remark": "x", "owner_name": "甲", "owner_code": "1", "attributes": {"k": 2, "m": 3}}
    >>> now = filled(row, before, stated={"columns": ["remark"], "keys": ["k"]})
    >>> now["remark"], now["owner_name"], now["attributes"]
    (None, '甲', {'m': 3, 'k': 1})
    """
    columns, keys = stated["columns"], stated["keys"]
    result = dict(row)
    for entry in FIELDS.values():
        for column in entry.columns:
            if columns is not None and column not in columns and column in before:
                result[column] = before[column]
    if keys is not None:
        kept = {k: v for k, v in (before["attributes"] or {}).items() if k not in keys}
        result["attributes"] = {**kept, **(row["attributes"] or {})}
    return result


def document(row: Mapping[str, Any], columns: Iterable[str]) -> dict[str, Any]:
    """Return values of a row as JSON can hold them; a geometry as hexadecimal WKB.

    Examples
    --------
    >>> document({"code": "a", "initial_date": date(2026, 1, 2), "x": 1}, ["code", "initial_date"])
    {'code': 'a', 'initial_date': '2026-01-02'}
    """
    return {name: _to_json(row[name]) for name in columns}


def restore(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `document` wrote as values of a row.

    Examples
    --------
    >>> restore({"code": "a", "initial_date": "2026-01-02"})
    {'code': 'a', 'initial_date': datetime.date(2026, 1, 2)}
    """
    result = dict(values)
    for name, value in values.items():
        if value is None:
            continue
        if name.endswith("_date"):
            result[name] = date.fromisoformat(value)
        elif name == "geometry":
            result[name] = shapely.from_wkb(value)
    return result


def _to_json(value: Any) -> Any:
    if isinstance(value, shapely.Geometry):
        return shapely.to_wkb(value, hex=True)
    if isinstance(value, date):
        return value.isoformat()[:10]
    if isinstance(value, dict | list):
        return value
    if isinstance(value, np.generic):
        value = value.item()
    return None if plain(value) is None and not isinstance(value, str) else value
