"""A delivery beside what is live: added, removed, moved, recoded and changed components."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from census.merging.fields import ATTRIBUTE, FIELDS, Given, differ, distances, plain, texts_of
from census.merging.matching import Positions, find_origins
from census.merging.threeway import Merged

CHANGES = ("added", "removed", "recoded", "moved", "changed", "unchanged")
"""What may have become of a component; one that is several of these is the first of them."""
_ACCURACY_M = 0.5


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a delivery would change."""

    rows: gpd.GeoDataFrame
    """Per component ``change``, ``code``, ``live_code``, ``class_code``, ``name``, ``distance_m``, ``fields``
    (field -> old and new text), ``outcome`` (a merge takes it: taken; it becomes a conflict: waits; live is
    kept: stays), ``source_file``, ``source_row``, ``was`` (geometry that is
    live) and its geometry as delivered, else as live; by change and code."""
    counts: Mapping[str, int]
    """Change -> components."""
    fields: Mapping[str, int]
    """Field -> components in which it differs."""
    classes: Mapping[str, Mapping[str, int]]
    """Class -> change -> components."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """How two versions are compared."""

    reach: NDArray[np.bool_]
    """Live rows that the delivery would hold if they still stood there."""
    given: Given = field(default_factory=Given)
    """What the delivered files say something of."""
    moved_m: Mapping[str, float] = field(default_factory=dict)
    """Class -> distance from which on a component has moved, m; half a metre for others."""
    same_place_m: float = 0.5
    """Another code within this distance, of the same class, is suspected to be the same thing, m."""


def compare(
    live: gpd.GeoDataFrame, delivered: gpd.GeoDataFrame, *, question: Question
) -> Comparison:
    """Compare by business key, then by place, field by field.

    Parameters
    ----------
    live, delivered : GeoDataFrame
        `census.merging.fields.COLUMNS`, in the city's CRS; `delivered` with ``source_file`` and
        ``source_row``.
    question : Question
        How to compare.
    """
    origins = find_origins(
        delivered, live, gone=question.reach, distance_m=question.same_place_m
    ).position
    pairs = np.flatnonzero(origins >= 0)
    added = np.flatnonzero(origins < 0)
    gone = question.reach.copy()
    gone[origins[pairs]] = False
    parts = [
        _pairs(live, delivered, pairs, origins[pairs], question),
        _singles(delivered.iloc[added], "added"),
        _singles(
            live.iloc[np.flatnonzero(gone)].assign(source_file=None, source_row=None), "removed"
        ),
    ]
    rows = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    rows["change"] = pd.Categorical(rows["change"], CHANGES, ordered=True)
    rows = rows.sort_values(["change", "code"], ignore_index=True)
    rows["change"] = rows["change"].astype(str)
    table = rows.groupby(["class_code", "change"]).size()
    return Comparison(
        rows=gpd.GeoDataFrame(rows, geometry="geometry", crs=delivered.crs),
        counts={name: int((rows["change"] == name).sum()) for name in CHANGES},
        fields=_count_fields(rows),
        classes={
            str(code): {str(name): int(number) for name, number in part.droplevel(0).items()}
            for code, part in table.groupby(level=0)
        },
    )


def _count_fields(rows: pd.DataFrame) -> dict[str, int]:
    found: dict[str, int] = {}
    for fields in rows["fields"]:
        for name in fields:
            found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _singles(frame: gpd.GeoDataFrame, change: str) -> pd.DataFrame:
    there = frame["code"].to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "change": change,
            "code": there,
            "live_code": there if change == "removed" else None,
            "class_code": frame["class_code"].to_numpy(dtype=object),
            "name": frame["name"].to_numpy(dtype=object),
            "distance_m": np.nan,
            "fields": [{} for _ in there],
            "outcome": "taken",
            "source_file": frame["source_file"].to_numpy(dtype=object),
            "source_row": frame["source_row"].to_numpy(dtype=object),
            "was": frame.geometry.to_numpy() if change == "removed" else None,
            "geometry": frame.geometry.to_numpy(),
        }
    )


def _pairs(
    live: gpd.GeoDataFrame,
    delivered: gpd.GeoDataFrame,
    rows: Positions,
    others: Positions,
    question: Question,
) -> pd.DataFrame:
    old, new = live.iloc[others], delivered.iloc[rows]
    fields = _fields(old, new, question.given)
    distance = distances(old.geometry.to_numpy(), new.geometry.to_numpy())
    classes = new["class_code"].to_numpy(dtype=object)
    limits = np.array([question.moved_m.get(code, _ACCURACY_M) for code in classes], dtype=float)
    codes = new["code"].to_numpy(dtype=object)
    live_codes = old["code"].to_numpy(dtype=object)
    change = np.where([bool(entry) for entry in fields], "changed", "unchanged").astype(object)
    change[distance > limits] = "moved"
    change[codes != live_codes] = "recoded"
    return pd.DataFrame(
        {
            "change": change,
            "code": codes,
            "live_code": live_codes,
            "class_code": classes,
            "name": new["name"].to_numpy(dtype=object),
            "distance_m": distance,
            "fields": fields,
            "outcome": "taken",
            "source_file": new["source_file"].to_numpy(dtype=object),
            "source_row": new["source_row"].to_numpy(dtype=object),
            "was": old.geometry.to_numpy(),
            "geometry": new.geometry.to_numpy(),
        }
    )


def _fields(old: pd.DataFrame, new: pd.DataFrame, given: Given) -> list[dict[str, Any]]:
    """Return for each pair its fields that differ, with the old and the new text."""
    found: list[dict[str, Any]] = [{} for _ in range(len(new))]
    files = new["source_file"].tolist()
    for name in FIELDS:
        before, after = texts_of(old, name), texts_of(new, name)
        for place in np.flatnonzero(differ(before, after) & given.of(name, files)):
            found[place][name] = [_readable(before[place]), _readable(after[place])]
    documents = zip(old["attributes"], new["attributes"], files, strict=True)
    for number, (was, now, file) in enumerate(documents):
        if was == now:
            continue
        said = given.keys.get(file)
        for key in sorted({*(was or {}), *(now or {})}):
            pair = [plain((was or {}).get(key)), plain((now or {}).get(key))]
            if pair[0] != pair[1] and (said is None or key in said):
                found[number][ATTRIBUTE + key] = pair
    return found


def _readable(text: str | None) -> str | None:
    return None if text is None else " / ".join(part for part in text.split("\x1f") if part)


def foretell(comparison: Comparison, merged: Merged, *, has_base: bool) -> Comparison:
    """Say of each row what a merge would do with it.

    Parameters
    ----------
    comparison : Comparison
        What was compared.
    merged : Merged
        The same delivery, merged and not written.
    has_base : bool
        The base is known; without one nothing ends by a merge.
    """
    rows = comparison.rows
    waiting = set(merged.conflicts["code"]) | set(merged.conflicts["live_code"].dropna())
    waits = rows["code"].isin(waiting) | rows["live_code"].isin(waiting)
    loaded = merged.rows["code"]
    rows = rows.assign(outcome="taken")
    removed = rows["change"] == "removed"
    rows.loc[removed & ~rows["code"].isin(merged.ended), "outcome"] = "stays"
    held = ~removed & ~rows["code"].isin(loaded) & (rows["change"] != "unchanged")
    rows.loc[held, "outcome"] = "stays"
    rows.loc[_is_kept(rows, merged) & has_base, "outcome"] = "stays"
    rows.loc[waits & (rows["change"] != "unchanged"), "outcome"] = "waits"
    rows.loc[rows["change"] == "unchanged", "outcome"] = "stays"
    return Comparison(
        rows=rows, counts=comparison.counts, fields=comparison.fields, classes=comparison.classes
    )


def _is_kept(rows: gpd.GeoDataFrame, merged: Merged) -> "pd.Series[bool]":
    """Return changed rows of which a merge takes nothing: only live was edited since the base."""
    place = pd.Index(merged.rows["code"]).get_indexer(rows["code"])
    edited = rows["change"].isin(["changed", "moved"]).to_numpy()
    at = np.flatnonzero(edited & (place >= 0))
    final, fields = merged.rows.iloc[place[at]], rows["fields"].to_numpy(dtype=object)[at]
    same = np.ones(len(at), dtype=bool)
    for name in FIELDS:
        told = np.flatnonzero([name in entry for entry in fields])
        now = texts_of(final.iloc[told], name)
        before = [entry[name][0] for entry in fields[told]]
        alike = [_readable(text) == old for text, old in zip(now, before, strict=True)]
        same[told] &= np.array(alike, dtype=bool)
    for number, document in enumerate(final["attributes"]):
        for name, (was, _) in fields[number].items():
            if name.startswith(ATTRIBUTE):
                same[number] &= plain((document or {}).get(name.removeprefix(ATTRIBUTE))) == was
    moved = np.flatnonzero(rows["change"].to_numpy(dtype=object)[at] == "moved")
    was = rows["was"].to_numpy(dtype=object)[at[moved]]
    same[moved] &= shapely.equals(final.geometry.to_numpy()[moved], was)
    kept = pd.Series(False, index=rows.index)
    kept.iloc[at] = same
    return kept
