"""Old and new unit grids side by side: what stays, what changes, and whose grid that changes."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis.errors import CrsError
from gridding.lineage import CodeRules, holder, overlaps, pick, succession

WORDS = ("kept", "reshaped", "split", "merged", "replaced", "new", "retired")
"""Order in which the kinds are told."""
_WORD = {
    "keep": "kept",
    "reshape": "reshaped",
    "split": "split",
    "merge": "merged",
    "replace": "replaced",
    "retire": "retired",
    "new": "new",
}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a new layer of unit grids changes."""

    table: gpd.GeoDataFrame
    """One row per pair that tells something: ``kind`` (of `WORDS`), ``old_code``, ``new_code``,
    ``overlap_old``, ``overlap_new``, and the new grid (the old one where none follows)."""
    components: pd.DataFrame
    """Components 部件 that change grid: ``code``, ``old_grid``, ``new_grid``."""
    cases: pd.DataFrame
    """Open cases 案件 that change grid: ``code``, ``old_grid``, ``new_grid``."""
    unchanged: int
    """Old grids whose land and code stay."""

    @property
    def counts(self) -> dict[str, int]:
        """Old grids of each kind; of ``new``, new ones."""
        kinds = self.table["kind"]
        counts = {"kept": self.unchanged}
        for word in WORDS[1:]:
            side = "new_code" if word == "new" else "old_code"
            counts[word] = int(self.table.loc[kinds == word, side].nunique())
        return counts


def compare(
    old: gpd.GeoDataFrame,
    new: gpd.GeoDataFrame,
    *,
    components: gpd.GeoDataFrame | None = None,
    cases: gpd.GeoDataFrame | None = None,
    rules: CodeRules | None = None,
) -> Comparison:
    """Compare two layers of unit grids by the land they share.

    Parameters
    ----------
    old, new : geopandas.GeoDataFrame
        ``code`` and ``geometry`` (polygons), one metric CRS.
    components, cases : geopandas.GeoDataFrame or None
        ``code`` and ``geometry``; the point on a line or surface counts. A point on a border belongs
        to the lowest code.
    rules : CodeRules or None
        When a grid whose border moved counts as the same.

    Raises
    ------
    CrsError
        The CRS differ.

    Examples
    --------
    >>> from shapely import box
    >>> whole = gpd.GeoDataFrame({"code": ["1"]}, geometry=[box(0, 0, 200, 100)])
    >>> parts = [box(0, 0, 100, 100), box(100, 0, 200, 100)]
    >>> compare(whole, gpd.GeoDataFrame({"code": ["2", "3"]}, geometry=parts)).counts["split"]
    1
    """
    if old.crs != new.crs:
        msg = f"The layers are in {old.crs} and {new.crs}: bring both to one CRS to compare them."
        raise CrsError(msg, zh="两个单元网格图层坐标系不同，请先统一坐标系。")
    old, new = _by_code(old), _by_code(new)
    first, second = old.geometry.to_numpy(), new.geometry.to_numpy()
    table = succession(overlaps(first, second), counts=(len(old), len(new)), rules=rules)
    table = _coded(table, old, new)
    unchanged = table["kind"].eq("keep") & table["old_code"].eq(table["new_code"])
    told = table[~unchanged & (table["is_main"] | table["is_same"])].copy()
    moved = told["kind"].isin(["keep", "reshape"]) & told["old_code"].ne(told["new_code"])
    told.loc[moved, "kind"] = "replace"
    # Components that stayed may have kept the code where the land alone would not have.
    told.loc[told["kind"].eq("replace") & told["old_code"].eq(told["new_code"]), "kind"] = "reshape"
    told["kind"] = told["kind"].map(_WORD)
    shapes = pick(second, told["new"].to_numpy())
    gone = told["new"].to_numpy() < 0
    shapes[gone] = pick(first, told["old"].to_numpy()[gone])
    columns = ["kind", "old_code", "new_code", "overlap_old", "overlap_new"]
    result = gpd.GeoDataFrame(told[columns], geometry=shapes, crs=new.crs)
    rank = result["kind"].map({word: place for place, word in enumerate(WORDS)})
    order = result.assign(rank=rank).sort_values(["rank", "old_code", "new_code"]).index
    return Comparison(
        table=gpd.GeoDataFrame(result.loc[order].reset_index(drop=True)),
        components=movers(components, old, new),
        cases=movers(cases, old, new),
        unchanged=int(unchanged.sum()),
    )


def _by_code(grids: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(grids.sort_values("code", kind="stable").reset_index(drop=True))


def _coded(table: pd.DataFrame, old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> pd.DataFrame:
    return table.assign(
        old_code=pick(old["code"].to_numpy(dtype=object), table["old"].to_numpy()),
        new_code=pick(new["code"].to_numpy(dtype=object), table["new"].to_numpy()),
    )


def movers(
    things: gpd.GeoDataFrame | None, old: gpd.GeoDataFrame, new: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Return the things whose place is in another grid than before: ``code``, ``old_grid``, ``new_grid``.

    None stands for outside every grid. The grids are sorted by code.
    """
    if things is None or things.empty:
        return pd.DataFrame({"code": [], "old_grid": [], "new_grid": []}, dtype=object)
    places = shapely.point_on_surface(things.geometry.to_numpy())
    frame = pd.DataFrame(
        {
            "code": things["code"].to_numpy(dtype=object),
            "old_grid": holders(places, old),
            "new_grid": holders(places, new),
        }
    )
    before, after = frame["old_grid"].fillna(""), frame["new_grid"].fillna("")
    return frame[before != after].sort_values("code").reset_index(drop=True)


def holders(places: NDArray[np.object_], grids: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Return the code of the grid that holds each point; the first one's on a border, None outside."""
    rows = holder(places, grids.geometry.to_numpy())
    return pick(grids["code"].to_numpy(dtype=object), rows)
