"""Identifiers 标识码 over many sheets: one per feature, or numbered anew on each sheet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pipelines.topography.edges import Geometries, Positions
from pipelines.topography.matching import Matched
from pipelines.topography.seams import join_parts

Ids = Literal["city", "sheet"]

_LOCAL_SHARE = 0.5
"""Of identifiers on several sheets, if more than this share mean different things, they are local."""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """Features of which each identifier names one."""

    matched: Matched
    code: "pd.Series[str]"
    """Per piece: its identifier, with the sheet's number before it where they are numbered by sheet."""
    repeated: NDArray[np.bool_]
    """Pieces that are a feature delivered whole on another sheet too."""
    clashing: NDArray[np.bool_]
    """Pieces whose identifier another feature has: of another class, or drawn elsewhere on the sheet."""
    parted: Mapping[str, tuple[int, ...]]
    """Identifier whose pieces do not meet -> a piece of each part."""
    local: tuple[str, int] | None = None
    """An identifier used for several things, and on how many sheets; None: used once in the city."""


def decide_ids(
    pieces: gpd.GeoDataFrame,
    sheet: Positions,
    matched: Matched,
    *,
    reach_m: float,
    is_live_by_sheet: bool = False,
) -> tuple[Ids, tuple[str, int] | None]:
    """Tell whether identifiers are of the city or of the sheet, by what they are given to.

    Sheets that share no identifier, or one sheet alone, say nothing: they are as they are live.

    Parameters
    ----------
    pieces : geopandas.GeoDataFrame
        As for `match_edges`.
    sheet : array of int
        Position of the sheet per piece.
    matched : Matched
        The same pieces joined across edges.
    reach_m : float
        Pieces no farther apart than this meet.
    is_live_by_sheet : bool
        Live features of these sheets have identifiers of the sheet, see `are_by_sheet`.

    Returns
    -------
    tuple
        The kind, and for those of the sheet an example: identifier, number of its sheets.
    """
    frame = pd.DataFrame(
        {
            "code": pieces["code"].to_numpy(),
            "kind": pieces["feature_class"].to_numpy(),
            "sheet": sheet,
            "group": matched.group,
        }
    )
    counts = frame.groupby("code", sort=True).agg(
        sheets=("sheet", "nunique"), kinds=("kind", "nunique"), groups=("group", "nunique")
    )
    several = counts[counts["sheets"] > 1]
    if len(several) == 0:
        return ("sheet" if is_live_by_sheet else "city"), None
    doubtful = several[(several["kinds"] == 1) & (several["groups"] > 1)]
    rows = frame[frame["code"].isin(doubtful.index)].drop_duplicates(["code", "group"])
    apart = {
        str(code)
        for code, part in rows.groupby("code")["group"]
        if not _meet(matched.shapes[part.to_numpy(dtype=np.intp)], reach_m)
    }
    other = several.index[(several["kinds"] > 1)].union(pd.Index(sorted(apart), dtype=object))
    if len(other) <= _LOCAL_SHARE * len(several):
        return "city", None
    example = str(min(other, key=lambda code: (-int(several.loc[code, "sheets"]), str(code))))
    return "sheet", (example, int(several.loc[example, "sheets"]))


def are_by_sheet(codes: Iterable[str], numbers: Iterable[str]) -> bool:
    """Tell whether features of these sheets were numbered by sheet when they were loaded.

    Examples
    --------
    >>> are_by_sheet(["4214.25-541.00/12", "88"], ["4214.25-541.00"]), are_by_sheet(["88"], ["88"])
    (True, False)
    """
    prefixes = tuple(f"{number}/" for number in numbers)
    return bool(prefixes) and any(code.startswith(prefixes) for code in codes)


def _meet(shapes: Geometries, reach_m: float) -> bool:
    """Tell whether each of some geometries comes near another one of them."""
    first, second = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=reach_m)
    return len(np.unique(first[first != second])) == len(shapes)


def settle_codes(
    pieces: gpd.GeoDataFrame,
    matched: Matched,
    *,
    ids: Ids,
    numbers: NDArray[np.object_],
    reach_m: float,
) -> Settled:
    """Make one feature of all pieces with one identifier that can be one.

    Pieces of one class and one dimension become one feature, whether they meet or not; what equals a
    piece already there is a repeat; the rest clash with the first and are for the caller to refuse.

    Parameters
    ----------
    pieces : geopandas.GeoDataFrame
        As for `match_edges`.
    matched : Matched
        The same pieces joined across edges.
    ids : str
        ``sheet``: identifiers of different sheets have nothing to do with each other.
    numbers : array of str
        Sheet number per piece.
    reach_m : float
        Pieces no farther apart than this meet.
    """
    delivered = pieces["code"].astype(object)
    local = pd.Series(
        [f"{number}/{code}" for number, code in zip(numbers, delivered, strict=True)],
        index=pieces.index,
        dtype=object,
    )
    code = local if ids == "sheet" else delivered
    group, shapes = matched.group.copy(), matched.shapes.copy()
    repeated = np.zeros(len(pieces), dtype=bool)
    clashing = np.zeros(len(pieces), dtype=bool)
    parted: dict[str, tuple[int, ...]] = {}
    kind = pieces["feature_class"].to_numpy()
    frame = pd.DataFrame({"code": code.to_numpy(), "group": matched.group})
    several = frame.groupby("code", sort=True)["group"].nunique()
    wanted = frame[frame["code"].isin(several.index[several > 1])]
    for name, rows in wanted.groupby("code", sort=True).indices.items():
        places = wanted.index.to_numpy()[rows]
        groups = list(dict.fromkeys(group[places].tolist()))
        keep, others = groups[0], groups[1:]
        first = int(places[0])
        together = [keep]
        for other in others:
            mine = places[group[places] == other]
            if kind[mine[0]] != kind[first] or not _same_dimension(shapes[keep], shapes[other]):
                clashing[mine] = True
            elif any(_same(shapes[each], shapes[other], reach_m) for each in together):
                repeated[mine] = True
            else:
                together.append(other)
        if len(together) > 1:
            parts = shapes[together]
            if not _meet(parts, reach_m):
                parted[str(name)] = tuple(
                    int(places[group[places] == each][0]) for each in together
                )
            shapes[keep] = join_parts(parts)
            group[np.isin(group, together)] = keep
    used, feature = np.unique(group, return_inverse=True)
    return Settled(
        matched=replace(matched, group=feature.astype(np.intp), shapes=shapes[used]),
        code=code,
        repeated=repeated,
        clashing=clashing,
        parted=parted,
    )


def _same_dimension(one: shapely.Geometry, other: shapely.Geometry) -> bool:
    return bool(shapely.get_dimensions(one) == shapely.get_dimensions(other))


def _same(one: shapely.Geometry, other: shapely.Geometry, reach_m: float) -> bool:
    return bool(shapely.hausdorff_distance(one, other) <= reach_m)
