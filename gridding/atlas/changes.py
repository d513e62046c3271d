"""Which unit grids changed since a day: new, reshaped, retired, and which became which.

The two states are compared as they lie on the ground, so that a redelivery shows its changes as an
edit does.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

NEW = "新增"
RESHAPED = "调整"
_MOVED_M2 = 1.0
_SHARE = 0.1
"""Two grids share land when the common part is this share of either of them."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What changed between two states."""

    kind: "pd.Series[str]"
    """Code -> `NEW` or `RESHAPED`; unchanged grids are left out."""
    before: dict[str, tuple[str, ...]]
    """New code -> codes of the grids whose land it took over."""
    retired: gpd.GeoDataFrame
    """Rows of the old state whose code ended, with ``after``: the codes that took its land."""
    old_shapes: gpd.GeoDataFrame
    """Rows of the old state that were retired or reshaped, for their old borders."""


def compare_states(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> Changes:
    """Compare two states of the unit grids.

    Parameters
    ----------
    old, new : geopandas.GeoDataFrame
        Unique ``code`` and geometry, metres. A code in both is reshaped when more than 1 m² of
        its land changed; a change of attributes alone is none.

    Examples
    --------
    >>> old = gpd.GeoDataFrame({"code": ["a1", "a2"]}, geometry=[shapely.box(0, 0, 9, 9), shapely.box(9, 0, 18, 9)])
    >>> new = gpd.GeoDataFrame({"code": ["a1", "a3"]}, geometry=[shapely.box(0, 0, 9, 9), shapely.box(9, 0, 18, 9)])
    >>> changes = compare_states(old, new)
    >>> changes.kind.to_dict(), changes.before, changes.retired["after"].tolist()
    ({'a3': '新增'}, {'a3': ('a2',)}, [('a3',)])
    """
    old, new = old.reset_index(drop=True), new.reset_index(drop=True)
    place = pd.Series(old.index, index=old["code"]).reindex(new["code"]).to_numpy()
    is_new = np.isnan(place.astype(float))
    reshaped = np.zeros(len(new), dtype=bool)
    both = np.flatnonzero(~is_new)
    reshaped[both] = _differ(
        old.geometry.to_numpy()[place[both].astype(int)], new.geometry.to_numpy()[both]
    )
    kind = pd.Series(np.where(is_new, NEW, RESHAPED), index=new["code"], dtype=object)
    ended = ~old["code"].isin(new["code"]).to_numpy()
    moved = old["code"].isin(new["code"][reshaped]).to_numpy()
    pairs = _pairs(old, new, is_new=is_new, ended=ended)
    after = _grouped(pairs, "old", "new")
    return Changes(
        kind=kind[is_new | reshaped],
        before=_grouped(pairs[pairs["is_new"]], "new", "old"),
        retired=old[ended].assign(
            after=pd.Series(
                [after.get(code, ()) for code in old["code"][ended]],
                index=old.index[ended],
                dtype=object,
            )
        ),
        old_shapes=old[ended | moved],
    )


def _differ(old: NDArray[np.object_], new: NDArray[np.object_]) -> NDArray[np.bool_]:
    differ = ~shapely.equals_exact(old, new, tolerance=0.0, normalize=True)
    where = np.flatnonzero(differ)
    differ[where] = shapely.area(shapely.symmetric_difference(old[where], new[where])) > _MOVED_M2
    return np.asarray(differ, dtype=bool)


def _pairs(
    old: gpd.GeoDataFrame,
    new: gpd.GeoDataFrame,
    *,
    is_new: NDArray[np.bool_],
    ended: NDArray[np.bool_],
) -> pd.DataFrame:
    """Return which old and new grids share land, where one of them has no counterpart."""
    before, after = old.geometry.to_numpy(), new.geometry.to_numpy()
    left, right = shapely.STRtree(before).query(after, predicate="intersects")[::-1]
    wanted = is_new[right] | ended[left]
    left, right = left[wanted], right[wanted]
    common = shapely.area(shapely.intersection(before[left], after[right]))
    share = common / np.minimum(shapely.area(before[left]), shapely.area(after[right]))
    keep = share >= _SHARE
    return pd.DataFrame(
        {
            "old": old["code"].to_numpy()[left[keep]],
            "new": new["code"].to_numpy()[right[keep]],
            "is_new": is_new[right[keep]],
        }
    ).sort_values(["old", "new"])


def _grouped(pairs: pd.DataFrame, key: str, value: str) -> dict[str, tuple[str, ...]]:
    return {
        str(code): tuple(sorted(rows[value]))
        for code, rows in pairs.groupby(key, sort=True)
        if len(rows)
    }
