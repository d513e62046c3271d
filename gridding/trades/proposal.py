"""A proposal of management or evaluation grids: unit grids balanced by load, coded and described."""

from collections.abc import Iterable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.errors import CodeError
from gridding.graph import Floats
from gridding.trades.balance import Balance, balance, measure
from gridding.trades.judging import smallest_area, union_of
from gridding.trades.members import write_members

WITHIN = {"district": 6, "street": 9, "community": 12}
"""Area that a set stays inside -> digits of its code."""
_SEQUENCE = 3


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked for."""

    letters: str
    """Between area code and sequence of the codes: those of the trade."""
    series: tuple[str, str]
    """Column and value that all the sets get: ``("trade", "sanitation")``."""
    count: int
    """Sets in all."""
    title: str = ""
    """Begin of the names."""
    within: str = "street"
    """district, street or community."""


def propose(
    grids: gpd.GeoDataFrame, load: Floats, *, wish: Wish, used: Iterable[str] = ()
) -> tuple[gpd.GeoDataFrame, Balance]:
    """Return connected sets of unit grids with about equal load, and how even they are.

    Columns are those of a delivery: ``code``, the series, ``name``, ``area_code``, ``members``,
    ``unit_grids``, ``load``, ``area_m2``, ``origin``. Codes continue after the largest ever used in
    the area, sets numbered in bands from north to south, each from west to east.

    Parameters
    ----------
    grids : geopandas.GeoDataFrame
        Unit grids: ``code`` and ``geometry`` in metres.
    load : array of float
        Load of each.
    wish : Wish
        What is asked for.
    used : iterable of str
        Codes ever used.

    Raises
    ------
    CodeError
        An area needs a number past 999.
    """
    frame = grids.assign(load=load).sort_values("code").reset_index(drop=True)
    shapes = np.asarray(frame.geometry.to_numpy(), dtype=object)
    codes = frame["code"].astype(str)
    areas = codes.str[: WITHIN[wish.within]].to_numpy(dtype=object)
    loads = frame["load"].to_numpy(dtype=np.float64)
    labels = balance(shapes, loads, areas=areas, count=wish.count)
    rows = []
    known = codes.tolist()
    for number in range(int(labels.max()) + 1):
        held = np.flatnonzero(labels == number)
        members = codes.iloc[held].tolist()
        rows.append(
            {
                wish.series[0]: wish.series[1],
                "home": areas[held[0]],
                "area_code": smallest_area(members),
                "members": write_members(members, known),
                "unit_grids": len(members),
                "load": round(float(loads[held].sum()), 3),
                "geometry": union_of(shapes[held]),
            }
        )
    sets = gpd.GeoDataFrame(pd.DataFrame(rows), geometry="geometry", crs=grids.crs)
    sets["area_m2"] = np.round(sets.geometry.area, 3)
    sets["code"] = _codes(sets, wish, used)
    sets["name"] = wish.title + sets["code"].str[-_SEQUENCE:]
    sets["origin"] = "divided"
    order = ["code", wish.series[0], "name", "area_code", "members", "unit_grids", "load"]
    ordered = sets.sort_values("code").reset_index(drop=True)
    return ordered[[*order, "area_m2", "origin", "geometry"]], measure(shapes, labels, loads)


def _codes(sets: gpd.GeoDataFrame, wish: Wish, used: Iterable[str]) -> list[str]:
    begin = sets["home"] + wish.letters
    last: dict[str, int] = {}
    for code in used:
        head, tail = code[:-_SEQUENCE], code[-_SEQUENCE:]
        if tail.isdecimal():
            last[head] = max(last.get(head, 0), int(tail))
    centre = shapely.get_coordinates(shapely.centroid(sets.geometry.to_numpy()))
    band_m = np.sqrt(sets["area_m2"].groupby(begin).transform("mean").to_numpy())
    top = sets.geometry.bounds["maxy"].groupby(begin).transform("max").to_numpy()
    band = np.floor((top - centre[:, 1]) / band_m).astype(int)
    places = pd.DataFrame({"begin": begin, "band": band, "x": centre[:, 0].round(2)})
    ordered = places.sort_values(["begin", "band", "x"], kind="stable")
    rank = ordered.groupby("begin").cumcount().reindex(sets.index)
    number = rank + 1 + begin.map(last).fillna(0).astype(int)
    if (number >= 10**_SEQUENCE).any():
        worst = begin[number.idxmax()]
        msg = f"{worst} has no numbers left: {_SEQUENCE} digits end at 999; ask for fewer grids."
        raise CodeError(msg, zh=f"{worst} 的顺序码已用完（最大 999），请减少网格数目。")
    codes: list[str] = (begin + number.astype(str).str.zfill(_SEQUENCE)).tolist()
    return codes
