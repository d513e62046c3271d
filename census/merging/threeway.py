"""Three-way merge of a delivery with what is live: no edit is lost, whichever side comes first."""

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from census.merging.alignment import Mask, Objects, Sides, align
from census.merging.contradictions import Codes, list_conflicts
from census.merging.fields import COLUMNS, Texts
from census.merging.joining import Joined, columns_of, join_fields
from census.merging.matching import pairs_between

SOURCE = ("source_file", "source_row")


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What a merge changes, and what it leaves to be decided."""

    rows: gpd.GeoDataFrame
    """Delivered components as they hold from now on, equal to what is live where nothing changes;
    index as delivered."""
    ended: tuple[str, ...]
    """Live codes that end."""
    held: "pd.Series[str]"
    """Delivered rows that are not loaded, by their index: the kind of their conflict, or ``ended``."""
    conflicts: pd.DataFrame
    """`census.merging.contradictions.CONFLICT_COLUMNS`, by kind, code and field."""
    recodes: pd.DataFrame
    """``code``, ``former_code``, ``evidence`` of live components that get another code."""
    untouched: "pd.Index[int]"
    """Delivered rows that say what the base says, or without one what is live; index as delivered."""
    counts: Mapping[str, int]
    """new, changed, unchanged, recoded, ended, held, conflicts, left: live and not to be expected."""


def merge(sides: Sides) -> Merged:
    """Merge a delivery into what is live, from the base that both began from.

    Delivered as in the base: live stays. Live as in the base: delivered is taken. Changed on both
    sides alike: fine, within the accuracy of the class for positions. Changed differently: live
    stays and a conflict is listed. A component that one side ended and the other changed, a code
    given twice, and two new codes for one component are conflicts as well. What is listed depends
    on the order of two deliveries only in which of them is called live.

    Parameters
    ----------
    sides : Sides
        Base, live and delivered rows.
    """
    objects = align(sides)
    joined = join_fields(sides, objects)
    codes = _join_codes(sides, objects, joined)
    fate = _decide_fates(sides, objects, joined)
    _refuse_places(sides, objects, fate)
    _refuse_repeats(objects, codes, fate)
    return _gather(sides, objects, joined, codes, fate)


def _join_codes(sides: Sides, objects: Objects, joined: Joined) -> Codes:
    """Join the code, which is a field as others are, but for repeats."""
    base, live, delivered = (
        _pick(None if frame is None else frame["code"], position)
        for frame, position in (
            (sides.base, objects.base),
            (sides.live, objects.live),
            (sides.delivered, objects.delivered),
        )
    )
    three = objects.in_base
    is_live_new = three & objects.in_live & (live != base)
    is_delivered_new = three & objects.in_delivered & (delivered != base)
    joined.is_edited_live[:] |= is_live_new
    joined.is_edited_delivered[:] |= is_delivered_new
    both = objects.in_live & objects.in_delivered
    final = live.copy()
    taken = both & is_delivered_new & ~is_live_new
    final[taken] = delivered[taken]
    final[~objects.in_live] = delivered[~objects.in_live]
    return Codes(
        base=base,
        live=live,
        delivered=delivered,
        final=final,
        is_recoded_twice=both & is_delivered_new & is_live_new & (live != delivered),
        is_taken=np.zeros(len(base), dtype=bool),
    )


def _pick(column: "pd.Series[str] | None", position: np.ndarray) -> Texts:
    result = np.full(len(position), None, dtype=object)
    if column is not None:
        there = position >= 0
        result[there] = column.to_numpy(dtype=object)[position[there]]
    return result


def _decide_fates(sides: Sides, objects: Objects, joined: Joined) -> Texts:
    """Return what becomes of each component, as far as it alone is concerned."""
    b, li, d = objects.in_base, objects.in_live, objects.in_delivered
    spoken = ~objects.is_silent & (sides.base is not None)
    fate = np.full(len(b), "absent", dtype=object)
    fate[li & ~d] = "left"
    fate[li & d] = "merged"
    fate[li & d & ~b & joined.is_unlike & (sides.base is not None)] = "add_add"
    fate[~li & d & ~b] = "new"
    fate[~li & d & b] = np.where(joined.is_edited_delivered, "update_delete", "gone")[~li & d & b]
    deleted = b & li & ~d & spoken
    fate[deleted] = np.where(joined.is_edited_live, "delete_update", "ended")[deleted]
    return fate


def _refuse_places(sides: Sides, objects: Objects, fate: Texts) -> None:
    """Hold back new components at the place of a live one that the delivery does not have."""
    new = np.flatnonzero(fate == "new")
    stays = np.flatnonzero((fate == "left") | (fate == "delete_update"))
    left, _, _ = pairs_between(
        sides.delivered.iloc[objects.delivered[new]],
        sides.live.iloc[objects.live[stays]],
        distance_m=sides.same_place_m,
    )
    fate[new[left]] = "place"


def _refuse_repeats(objects: Objects, codes: Codes, fate: Texts) -> None:
    """Let a new code that another component has by now wait; until no code is there twice."""
    while True:
        there = np.flatnonzero(np.isin(fate, ["left", "merged", "new", "delete_update", "add_add"]))
        # A pair whose code is given twice has one live row, whose code stays.
        repeats = pd.Series(codes.final[there]).duplicated(keep=False).to_numpy()
        clashing = there[repeats]
        moves = clashing[codes.final[clashing] != codes.live[clashing]]
        if len(moves) == 0:
            return
        has_live = objects.in_live[moves]
        fate[moves[~has_live]] = "add_add"
        codes.final[moves[~has_live]] = None
        codes.final[moves[has_live]] = codes.live[moves[has_live]]
        codes.is_taken[moves[has_live]] = True


def _gather(sides: Sides, objects: Objects, joined: Joined, codes: Codes, fate: Texts) -> Merged:
    merged, new = np.flatnonzero(fate == "merged"), np.flatnonzero(fate == "new")
    kept = np.sort(np.concatenate([merged, new]))
    rows = _rows(sides, objects, joined, codes, kept)
    recoded = merged[codes.final[merged] != codes.live[merged]]
    survives = np.isin(fate, ["left", "merged", "new", "delete_update"])
    survives |= (fate == "add_add") & objects.in_live
    still = set(codes.final[survives])
    ending = np.concatenate([np.flatnonzero(fate == "ended"), recoded])
    ended = sorted(code for code in codes.live[ending] if code not in still)
    held = np.flatnonzero(objects.in_delivered & ~np.isin(fate, ["merged", "new"]))
    kinds = np.where(fate == "gone", "ended", fate)[held]
    conflicts = list_conflicts(sides, objects, joined, codes, fate)
    changed = _is_changed(objects, joined, merged) | (codes.final[merged] != codes.live[merged])
    return Merged(
        rows=rows,
        ended=tuple(ended),
        held=pd.Series(
            kinds, index=sides.delivered.index[objects.delivered[held]], dtype=object
        ).sort_index(),
        conflicts=conflicts,
        recodes=pd.DataFrame(
            {
                "code": codes.final[recoded],
                "former_code": codes.live[recoded],
                "evidence": np.where(objects.is_by_place[recoded], "place", "base"),
            }
        ).sort_values("code", ignore_index=True),
        untouched=sides.delivered.index[_untouched(objects, joined)],
        counts={
            "new": len(new),
            "changed": int(np.count_nonzero(changed)),
            "unchanged": int(np.count_nonzero(~changed)),
            "recoded": len(recoded),
            "ended": int(np.count_nonzero(fate == "ended")),
            "held": len(held),
            "conflicts": len(conflicts),
            "left": int(np.count_nonzero(fate == "left")),
        },
    )


def _untouched(objects: Objects, joined: Joined) -> np.ndarray:
    """Return the positions of the delivered rows in which nothing was edited, in the order delivered."""
    is_new = ~objects.in_base & ~objects.in_live
    edited = np.where(objects.in_base, joined.is_edited_delivered, joined.is_unlike | is_new)
    return np.sort(objects.delivered[objects.in_delivered & ~edited])


def _is_changed(objects: Objects, joined: Joined, merged: np.ndarray) -> Mask:
    result = np.zeros(len(objects.base), dtype=bool)
    for taken in joined.taken.values():
        result |= taken
    result[list(joined.attributes)] = True
    changed: Mask = result[merged]
    return changed


def _rows(
    sides: Sides, objects: Objects, joined: Joined, codes: Codes, kept: np.ndarray
) -> gpd.GeoDataFrame:
    """Return the components `kept` with joined values, in the order delivered."""
    is_new = ~objects.in_live[kept]
    at, of = objects.live[kept], objects.delivered[kept]
    columns = {}
    for name in COLUMNS:
        values = np.full(len(kept), None, dtype=object)
        values[~is_new] = sides.live[name].to_numpy(dtype=object)[at[~is_new]]
        values[is_new] = sides.delivered[name].to_numpy(dtype=object)[of[is_new]]
        columns[name] = values
    for name, taken in joined.taken.items():
        here = np.flatnonzero(taken[kept] & ~is_new)
        for column in columns_of(name).columns:
            columns[column][here] = sides.delivered[column].to_numpy(dtype=object)[of[here]]
    for number, place in zip(kept.tolist(), range(len(kept)), strict=True):
        if number in joined.attributes and not is_new[place]:
            columns["attributes"][place] = joined.attributes[number]
    columns["code"] = codes.final[kept]
    for name in SOURCE:
        columns[name] = sides.delivered[name].to_numpy(dtype=object)[of]
    geometry = columns.pop("geometry")
    index = sides.delivered.index[of]
    plain = {name: pd.Series(values, index=index, dtype=object) for name, values in columns.items()}
    rows = gpd.GeoDataFrame(plain, geometry=geometry, crs=sides.delivered.crs, index=index)
    return rows.iloc[np.argsort(of, kind="stable")]
