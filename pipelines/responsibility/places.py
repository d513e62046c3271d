"""All different places of a city as far as a plan tells them apart."""

from collections.abc import Collection, Iterable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from census.plan.chains import Chain
from pipelines.context import BuildContext
from pipelines.responsibility.plan_areas import BOUNDARY

_SLIVER_M2 = 1.0
"""Pieces smaller than this, where an area cuts a grid, are drawing and no place."""


def places_of(
    context: BuildContext, drawn: gpd.GeoDataFrame, *, named: Collection[str]
) -> list[Chain]:
    """Return every different chain of the city, sorted: communities, and what rows name beside them.

    Unit grids cut by drawn areas are taken apart, so that each piece lies in the same areas. A place on
    a boundary road has the chain of one of its sides.

    Parameters
    ----------
    context : BuildContext
        Areas, unit grids and management grids.
    drawn : geopandas.GeoDataFrame
        Plan areas.
    named : collection of str
        Areas that rows name.
    """
    above = parents_of(context.rows("areas"))
    grids = context.features("unit_grids")
    trades = trades_of(context.rows("management_grids"), named)
    chains: set[Chain] = set()
    own = [
        chain_of(
            above, community, grid=code if code in named else None, trades=trades.get(code, ())
        )
        for code, community in zip(grids["code"], grids["community_code"], strict=True)
    ]
    chains.update(own)
    chains.update(_pieces(own, grids, drawn))
    held = {chain.community for chain in own}
    rows = context.rows("areas")
    for code in rows.loc[rows["level"].eq("community"), "code"]:
        if code not in held:
            chains.add(chain_of(above, code))
    for sides in drawn.loc[drawn["kind"].eq(BOUNDARY), "sides"]:
        chains.update(_side(above, code) for code in sides)
    return sorted(chains, key=_key)


def _key(chain: Chain) -> tuple[str, ...]:
    parts = [part or "" for part in (chain.district, chain.street, chain.community, chain.grid)]
    return (*parts, "/".join(chain.plan_areas), "/".join(chain.management_grids))


def parents_of(areas: pd.DataFrame) -> dict[str, str | None]:
    """Return area -> the area above it; where it is not told, leading digits of the code."""
    told = areas["parent_code"] if "parent_code" in areas else [None] * len(areas)
    lengths = {12: 9, 9: 6}
    return {
        code: parent if isinstance(parent, str) else code[: lengths.get(len(code), 0)] or None
        for code, parent in zip(areas["code"], told, strict=True)
    }


def chain_of(
    above: dict[str, str | None], community: str, *, grid: str | None = None, trades: Any = ()
) -> Chain:
    """Return the chain of a place in a community."""
    street = above.get(community) or community[:9]
    district = above.get(street) or street[:6]
    return Chain(grid, community, street, district, management_grids=tuple(trades))


def _side(above: dict[str, str | None], code: str) -> Chain:
    """Return the chain of an area that answers for its side of a boundary road."""
    if code not in above:
        return Chain(plan_areas=(code,))
    ends = {6: "district", 9: "street", 12: "community"}
    chain: dict[str, str | None] = {}
    at: str | None = code
    while at is not None and len(at) in ends:
        chain[ends[len(at)]] = at
        at = above.get(at)
    return Chain(**chain)  # type: ignore[arg-type]


def trades_of(rows: pd.DataFrame, named: Collection[str]) -> dict[str, list[str]]:
    """Return unit grid -> management grids named that it is a member of."""
    found: dict[str, list[str]] = {}
    told = rows[rows["code"].isin(list(named))].sort_values("code")
    for code, members in zip(told["code"], told["members"], strict=True):
        for grid in members:
            found.setdefault(grid, []).append(code)
    return found


def _pieces(own: list[Chain], grids: gpd.GeoDataFrame, drawn: gpd.GeoDataFrame) -> Iterable[Chain]:
    """Yield the chains of the pieces into which drawn areas cut unit grids."""
    solid = drawn[drawn["kind"].ne(BOUNDARY)]
    if solid.empty or grids.empty:
        return
    order = np.lexsort((solid["code"].to_numpy(dtype=str), solid.geometry.area.to_numpy()))
    codes = solid["code"].to_numpy()[order]
    shapes = solid.geometry.to_numpy()[order]
    tree = shapely.STRtree(grids.geometry.to_numpy())
    area, grid = tree.query(shapes, predicate="intersects")
    for at in np.unique(grid).tolist():
        pieces: list[tuple[Any, tuple[str, ...]]] = [(grids.geometry.iloc[at], ())]
        for number in np.sort(area[grid == at]).tolist():
            cut = []
            for shape, held in pieces:
                for part, codes_held in (
                    (shapely.intersection(shape, shapes[number]), (*held, str(codes[number]))),
                    (shapely.difference(shape, shapes[number]), held),
                ):
                    if part.area > _SLIVER_M2:
                        cut.append((part, codes_held))
            pieces = cut
        for _, held in pieces:
            if held:
                yield own[at]._replace(plan_areas=held)
