"""Change patching 修补: what changed inside an extent is replaced, all else stays as it is.

Outside the extent what is live holds. A live feature that crosses the border is cut there: its part
outside stays, its part inside is what was delivered, and the two are matched at the border as the
pieces of two sheets are. A live feature inside that was not delivered ends, if the patch brings its
class. A feature that says and shows the same as before, whatever its rounding, is left untouched.
"""

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pipelines.topography.assembly import PIECES
from pipelines.topography.edges import Floats, Geometries, Positions
from pipelines.topography.features import derived_codes
from pipelines.topography.matching import Matched, Sheets, match_edges, members
from pipelines.topography.sameness import changed_columns, find_pairs, same_shape
from pipelines.topography.seams import join_parts

Flags = NDArray[np.bool_]
INSIDE, OUTSIDE = 0, 1
"""Positions of the two sides of the border, as if they were sheets."""
_MARGIN_M = 1000.0


@dataclass(frozen=True, kw_only=True)
class Patch:
    """Where and of what a patch says what holds."""

    extent: shapely.Geometry
    classes: tuple[str, ...]
    """First digits of the classes that it brings whole."""
    tolerance_m: float
    """Of edge matching."""
    same_m: float
    """A feature no farther than this from where it was did not change."""
    are_local: bool = False
    """Identifiers are numbered by sheet."""
    spared: frozenset[str] = frozenset()
    """Codes of live rows that were delivered, but refused: they stay whole."""


@dataclass(frozen=True, kw_only=True)
class Patched:
    """What a patch makes of live rows; series are aligned to the delivered rows."""

    rows: gpd.GeoDataFrame
    """Rows to publish: new, changed, cut at the border, and as they are live."""
    named_by: Positions
    """Position of the delivered row that each of `rows` is named by; -1: a live one."""
    ends: tuple[str, ...]
    """Codes of live rows that end."""
    outside: Flags
    """Delivered outside the extent and not as it is live: not used."""
    other_class: Flags
    """Of a class that the patch does not bring: not used."""
    cut_m: Floats
    """How much of a feature lay outside and was not used, m (of areas: of their outline)."""
    given: "pd.Series[str]"
    """Code given in place of one that is used outside; None: its own."""
    edges: pd.DataFrame
    """Faults at the border, as `Matched.faults`, pieces by position in `pieces`."""
    pieces: gpd.GeoDataFrame
    """Pieces that were matched at the border; ``delivered_row`` -1: of a live feature."""


@dataclass(frozen=True, kw_only=True)
class _Side:
    """Rows cut at the border."""

    inside: Geometries
    outside: Geometries
    """None where nothing of it lies outside."""


def apply(live: gpd.GeoDataFrame, delivered: gpd.GeoDataFrame, patch: Patch) -> Patched:
    """Replace what changed inside the extent of a patch.

    Parameters
    ----------
    live : geopandas.GeoDataFrame
        All live rows of topography.
    delivered : geopandas.GeoDataFrame
        Rows of the patch, whole features, index 0 … .
    patch : Patch
        Extent, classes, tolerances.
    """
    shapely.prepare(patch.extent)
    brings = _of_classes(delivered, patch)
    lies = _lies_in(delivered.geometry.to_numpy(), patch)
    within = _of_classes(live, patch) & _lies_in(live.geometry.to_numpy(), patch)
    within &= ~live["code"].isin(patch.spared).to_numpy(dtype=bool)
    new, old = delivered[brings & lies], live[within]
    new_side, old_side = _cut(new, patch), _cut(old, patch)
    pairs = find_pairs(
        new.set_geometry(gpd.GeoSeries(new_side.inside, index=new.index, crs=new.crs)),
        old.set_geometry(gpd.GeoSeries(old_side.inside, index=old.index, crs=old.crs)),
        reach_m=2 * patch.tolerance_m,
        are_local=patch.are_local,
    )
    same = _unchanged(new, new_side, old, old_side, pairs, patch)
    codes, given = _codes(new, old, live, pairs)
    pieces = _pieces(new[~same], new_side.inside[~same], codes[~same], delivered)
    rest = _remains(old, old_side, pairs, same)
    beside = _beside(live, within, patch)
    border = gpd.GeoDataFrame(pd.concat([pieces, rest, beside], ignore_index=True))
    border = border.set_geometry(
        gpd.GeoSeries(border["geometry"].to_numpy(), crs=live.crs or delivered.crs)
    )
    matched = _match(border, patch)
    rows, named_by, absorbed = _rows(border, matched)
    kept = gpd.GeoDataFrame(old.iloc[pairs[same]][_COLUMNS])
    filled = [part for part in (rows, kept) if len(part)]
    result = gpd.GeoDataFrame(pd.concat(filled, ignore_index=True)) if filled else rows
    touched = {*old["code"], *absorbed}
    return Patched(
        rows=result,
        named_by=np.append(named_by, np.full(len(kept), -1, dtype=np.intp)),
        ends=tuple(
            sorted({str(code) for code in touched} - {str(code) for code in result["code"]})
        ),
        outside=brings & ~lies & ~_as_live(delivered, live, patch),
        other_class=~brings,
        cut_m=_cut_lengths(delivered, new, new_side, old_side, pairs, patch),
        given=given.reindex(delivered.index),
        edges=matched.faults,
        pieces=border,
    )


_COLUMNS = [
    "code",
    "feature_class",
    "theme",
    "name",
    "sheet",
    "attributes",
    "geometry",
    "source_file",
    "source_row",
]


def _of_classes(rows: gpd.GeoDataFrame, patch: Patch) -> Flags:
    kinds = rows["feature_class"].astype(str)
    return np.array([kind.startswith(patch.classes) for kind in kinds], dtype=bool)


def _lies_in(shapes: Geometries, patch: Patch) -> Flags:
    """Return which features have more inside the extent than the tolerance; points: are in it."""
    if len(shapes) == 0:
        return np.zeros(0, dtype=bool)
    result: Flags = shapely.intersects(patch.extent, shapes)
    lines = np.flatnonzero(result & (shapely.get_dimensions(shapes) > 0))
    inner = shapely.buffer(patch.extent, -patch.tolerance_m)
    inner = patch.extent if inner.is_empty else inner
    shapely.prepare(inner)
    result[lines] = shapely.intersects(inner, shapes[lines])
    return result


def _cut(rows: gpd.GeoDataFrame, patch: Patch) -> _Side:
    shapes = rows.geometry.to_numpy()
    inside, outside = shapes.copy(), np.full(len(shapes), None, dtype=object)
    reach = shapely.buffer(patch.extent, patch.tolerance_m)
    shapely.prepare(reach)
    crosses: Positions = np.flatnonzero(~shapely.covers(reach, shapes))
    for place in crosses.tolist():
        shape = shapes[place]
        part = _part(shapely.intersection(shape, patch.extent), shape, patch.tolerance_m)
        rest = _part(shapely.difference(shape, patch.extent), shape, patch.tolerance_m)
        if part is not None and rest is not None:
            inside[place], outside[place] = part, rest
    return _Side(inside=inside, outside=outside)


def _part(
    cut: shapely.Geometry, whole: shapely.Geometry, tolerance_m: float
) -> shapely.Geometry | None:
    """Return what is left of a feature after a cut, without slivers; None: nothing."""
    dimension = shapely.get_dimensions(whole)
    parts = shapely.get_parts(cut)
    parts = parts[shapely.get_dimensions(parts) == dimension]
    if dimension == 1:
        parts = parts[shapely.length(parts) > tolerance_m]
    elif dimension == 2:
        parts = parts[shapely.area(parts) > tolerance_m * shapely.length(parts) / 2]
    return join_parts(parts) if len(parts) else None


def _unchanged(
    new: gpd.GeoDataFrame,
    new_side: _Side,
    old: gpd.GeoDataFrame,
    old_side: _Side,
    pairs: Positions,
    patch: Patch,
) -> Flags:
    """Return which delivered features say and show what is live.

    Where a feature crosses the border its end there may have been moved to meet another, so that
    twice the tolerance counts as the same.
    """
    result = np.zeros(len(new), dtype=bool)
    at = np.flatnonzero(pairs >= 0)
    crosses = ~pd.isna(old_side.outside[pairs[at]])
    within = np.where(crosses, max(2 * patch.tolerance_m, patch.same_m), patch.same_m)
    alike = same_shape(new_side.inside[at], old_side.inside[pairs[at]], within)
    records, before = new.to_dict("records"), old.to_dict("records")
    for place in at[alike].tolist():
        result[place] = not changed_columns(records[place], before[pairs[place]])
    return result


def _codes(
    new: gpd.GeoDataFrame, old: gpd.GeoDataFrame, live: gpd.GeoDataFrame, pairs: Positions
) -> tuple[NDArray[np.object_], "pd.Series[str]"]:
    """Return the code of each delivered feature: that of the live one, else its own if it is free."""
    own = new["code"].astype(object)
    used = set(live["code"])
    is_new = pd.Series(pairs < 0, index=new.index)
    clash = is_new & own.isin(used)
    derived = derived_codes(new["feature_class"], new.geometry)
    given = derived.where(clash, None)
    codes = own.where(~clash, derived).to_numpy(dtype=object).copy()
    found = pairs >= 0
    codes[found] = old["code"].to_numpy(dtype=object)[pairs[found]]
    return codes, given


def _pieces(
    rows: gpd.GeoDataFrame,
    shapes: Geometries,
    codes: NDArray[np.object_],
    delivered: gpd.GeoDataFrame,
) -> pd.DataFrame:
    table = pd.DataFrame(rows[_COLUMNS]).assign(own=rows["code"])
    table = table.assign(code=codes, side=INSIDE, was=None, is_cut=False)
    table["geometry"] = pd.Series(shapes, index=table.index, dtype=object)
    place = {label: position for position, label in enumerate(delivered.index)}
    return table.assign(delivered_row=[place[label] for label in rows.index])


def _remains(old: gpd.GeoDataFrame, side: _Side, pairs: Positions, same: Flags) -> pd.DataFrame:
    """Return the parts outside of live features that were cut; those unchanged stay whole."""
    untouched = np.zeros(len(old), dtype=bool)
    untouched[pairs[same]] = True
    crosses = ~pd.isna(side.outside) & ~untouched
    table = pd.DataFrame(old.loc[crosses, _COLUMNS]).assign(
        side=OUTSIDE, delivered_row=-1, is_cut=True
    )
    table["was"] = table["own"] = table["code"]
    table["geometry"] = pd.Series(side.outside[crosses], index=table.index, dtype=object)
    return table


def _beside(live: gpd.GeoDataFrame, within: Flags, patch: Patch) -> pd.DataFrame:
    """Return the live features that end at the border from outside: something new may go on there."""
    shapes = live.geometry.to_numpy()
    near = ~within & _of_classes(live, patch)
    near &= ~live["code"].isin(patch.spared).to_numpy(dtype=bool)
    near &= shapely.get_dimensions(shapes) > 0
    border = shapely.boundary(patch.extent)
    shapely.prepare(border)
    near &= shapely.dwithin(border, shapes, 2 * patch.tolerance_m)
    table = pd.DataFrame(live.loc[near, _COLUMNS]).assign(side=OUTSIDE, delivered_row=-1)
    return table.assign(was=table["code"], own=table["code"], is_cut=False)


def _match(border: gpd.GeoDataFrame, patch: Patch) -> Matched:
    """Match the pieces on both sides of the border; those with one code are one in any case."""
    bounds = shapely.box(*patch.extent.bounds)
    if len(border):
        bounds = shapely.box(*shapely.union_all([bounds, shapely.box(*border.total_bounds)]).bounds)
    ground = shapely.difference(shapely.buffer(bounds, _MARGIN_M, join_style="mitre"), patch.extent)
    extents = np.empty(2, dtype=object)
    extents[:] = [patch.extent, ground]
    sheets = Sheets(
        extents=extents, tolerance_m=np.full(2, patch.tolerance_m), age=np.array([1.0, 0.0])
    )
    matched = match_edges(border, border["side"].to_numpy(dtype=np.intp), sheets)
    group, shapes = matched.group.copy(), matched.shapes.copy()
    for _, places in sorted(border.groupby("code").indices.items()):
        apart = np.unique(group[places])
        if len(apart) > 1:
            shapes[apart[0]] = join_parts(shapes[apart])
            group[np.isin(group, apart)] = apart[0]
    used, feature = np.unique(group, return_inverse=True)
    return Matched(
        group=feature.astype(np.intp),
        shapes=shapes[used],
        faults=matched.faults,
        joins=matched.joins,
    )


def _rows(
    border: gpd.GeoDataFrame, matched: Matched
) -> tuple[gpd.GeoDataFrame, Positions, set[str]]:
    """Return one row per feature that is new or no longer what it was, what it is named by, and codes of parts.

    Live features that end at the border, and that nothing met, are left out.
    """
    records = border.to_dict("records")
    rows: list[dict[str, Any]] = []
    named_by: list[int] = []
    absorbed: set[str] = set()
    for number, places in enumerate(members(matched.group)):
        parts = [records[place] for place in places.tolist()]
        if len(parts) == 1 and parts[0]["delivered_row"] < 0 and not parts[0]["is_cut"]:
            continue
        absorbed |= {str(part["was"]) for part in parts if isinstance(part["was"], str)}
        first = _first_said(parts)
        rows.append(_merge(first) | {"geometry": matched.shapes[number]})
        named_by.append(first[0]["delivered_row"])
    table = pd.DataFrame(rows, columns=_COLUMNS)
    shapes = np.empty(len(rows), dtype=object)
    shapes[:] = [row["geometry"] for row in rows]
    frame = gpd.GeoDataFrame(table.drop(columns="geometry"), geometry=shapes, crs=border.crs)
    return gpd.GeoDataFrame(frame[_COLUMNS]), np.array(named_by, dtype=np.intp), absorbed


def _first_said(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the parts of a feature in the order in which they are heard: the delivered ones first."""
    return sorted(parts, key=lambda part: (part["delivered_row"] < 0, str(part["code"])))


def _merge(ordered: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the parts of a feature say, the first ones first; the code of a live one."""
    live = sorted(str(part["was"]) for part in ordered if isinstance(part["was"], str))
    first = dict(ordered[0])
    first["code"] = live[0] if live else min(str(part["code"]) for part in ordered)
    first["name"] = next((p["name"] for p in ordered if isinstance(p["name"], str)), None)
    pieces: dict[str, list[str]] = {}
    for part in ordered:
        for sheet, codes in _pieces_of(part).items():
            pieces.setdefault(sheet, codes)
    attributes = {name: value for name, value in first["attributes"].items() if name != PIECES}
    known = {sheet: codes for sheet, codes in sorted(pieces.items()) if sheet}
    if len(known) > 1:
        attributes[PIECES] = known
    first["attributes"] = attributes
    first["sheet"] = ";".join(known) or None
    return {name: first[name] for name in _COLUMNS}


def _pieces_of(part: dict[str, Any]) -> dict[str, list[str]]:
    before = part["attributes"].get(PIECES)
    if isinstance(before, dict):
        return {str(sheet): [str(code) for code in codes] for sheet, codes in before.items()}
    return {str(part["sheet"] or ""): [str(part["own"])]}


def _as_live(delivered: gpd.GeoDataFrame, live: gpd.GeoDataFrame, patch: Patch) -> Flags:
    """Return which delivered features are live just so: they may be delivered as surroundings."""
    place = pd.Series(np.arange(len(live)), index=live["code"])
    at = place.reindex(delivered["code"]).to_numpy(dtype=np.float64)
    known = np.flatnonzero(~np.isnan(at))
    found = at[known].astype(np.intp)
    result = np.zeros(len(delivered), dtype=bool)
    result[known] = same_shape(
        delivered.geometry.to_numpy()[known],
        live.geometry.to_numpy()[found],
        np.full(len(known), max(patch.same_m, 2 * patch.tolerance_m)),
    )
    return result


def _cut_lengths(
    delivered: gpd.GeoDataFrame,
    new: gpd.GeoDataFrame,
    new_side: _Side,
    old_side: _Side,
    pairs: Positions,
    patch: Patch,
) -> Floats:
    """Return how much of each delivered feature lay outside and is not live there."""
    result = np.zeros(len(delivered))
    positions = np.flatnonzero(delivered.index.isin(new.index))
    for place in np.flatnonzero(~pd.isna(new_side.outside)).tolist():
        rest = new_side.outside[place]
        partner = pairs[place]
        if partner >= 0 and old_side.outside[partner] is not None:
            rest = shapely.difference(
                rest, shapely.buffer(old_side.outside[partner], 2 * patch.tolerance_m)
            )
        length = float(shapely.length(rest))
        result[positions[place]] = length if length > 2 * patch.tolerance_m else 0.0
    return result
