"""What every page of an atlas knows: the records, the sheets and their numbers, the pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gridding.atlas.changes import Changes
from gridding.atlas.records import Records
from gridding.atlas.sheets import Bounds, Sheet, plan_sheets

COVER = "cover"
INDEX = "index"


@dataclass(frozen=True, kw_only=True)
class Community:
    """A community 社区 with its sheets and what stands on them."""

    code: str
    name: str
    street_code: str
    number: str
    """Sheet number of the community, the same in every atlas of these areas."""
    land: shapely.Geometry
    grids: gpd.GeoDataFrame
    """Its grids by code, with ``kind`` (新增, 调整 or empty) and ``before``."""
    retired: gpd.GeoDataFrame
    """Its grids that ended since the day compared with."""
    sheets: tuple[Sheet, ...]
    """None where it has no grids."""

    @property
    def extent(self) -> shapely.Geometry:
        """Area and grids together."""
        return extent_of(self.land, self.grids)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The atlas before it is drawn."""

    title: str
    approval: str
    """Map approval number 审图号; empty: a line to write it on."""
    since: date | None
    records: Records
    changes: Changes | None
    communities: tuple[Community, ...]
    """All of the city, by code."""
    chosen: frozenset[str]
    """Codes of those whose sheets are in this atlas."""
    tree: shapely.STRtree = field(repr=False)
    """Index of the communities' areas."""
    fills: NDArray[np.object_] = field(repr=False)
    """Colour of each community on the index maps."""
    pages: dict[str, int] = field(default_factory=dict)
    """Destination -> page number, filled before anything is drawn."""

    @property
    def kept(self) -> list[Community]:
        """Communities whose sheets are in this atlas."""
        return [one for one in self.communities if one.code in self.chosen]

    def near(self, window: Bounds) -> list[Community]:
        """Return communities with land in a window, by code."""
        found = self.tree.query(shapely.box(*window), predicate="intersects")
        return [self.communities[position] for position in sorted(found)]

    def of_street(self, code: str) -> list[Community]:
        """Return the communities of a street, by code."""
        return [one for one in self.communities if one.street_code == code]


def extent_of(land: shapely.Geometry, grids: gpd.GeoDataFrame) -> shapely.Geometry:
    """Return an area with the parts of its grids that lie outside it."""
    shapes = [land, *grids.geometry.to_numpy()]
    bounds = shapely.total_bounds(np.array(shapes))
    if shapely.box(*bounds).equals(shapely.box(*land.bounds)):
        return land
    return shapely.union_all(np.array(shapes), grid_size=0.01)


def sheet_page(sheet: Sheet) -> str:
    """Return the destination of a sheet."""
    return f"sheet-{sheet.number}"


def community_page(community: Community) -> str:
    """Return the destination of a community's first page."""
    if len(community.sheets) > 1:
        return f"overview-{community.number}"
    return f"sheet-{community.number}"


def street_page(code: str) -> str:
    """Return the destination of a street's index sheet."""
    return f"street-{code}"


def arrange_communities(
    records: Records, changes: Changes | None, *, paper: str | None = None
) -> tuple[Community, ...]:
    """Return the communities of the city by code, numbered in that order, with their sheets."""
    grids = records.grids
    kinds = pd.Series("", index=grids.index, dtype=object)
    before: Mapping[str, Sequence[str]] = {}
    retired = grids.iloc[:0].assign(after=pd.Series(dtype=object))
    if changes is not None:
        kinds = grids["code"].map(changes.kind).fillna("")
        before, retired = changes.before, changes.retired
    marked = grids.assign(
        kind=kinds,
        before=pd.Series(
            [before.get(code, ()) for code in grids["code"]], index=grids.index, dtype=object
        ),
    )
    own = marked.groupby("community_code").indices
    gone = retired.groupby("community_code").indices
    nothing = np.array([], dtype=np.intp)
    digits = max(3, len(str(len(records.communities))))
    result = []
    areas = records.communities
    for position, (code, name, street, land) in enumerate(
        zip(areas["code"], areas["name"], areas["street_code"], areas.geometry, strict=True), 1
    ):
        rows = marked.iloc[own.get(code, nothing)].reset_index(drop=True)
        number = f"{position:0{digits}d}"
        sheets = plan_sheets(number, code, extent_of(land, rows), paper=paper) if len(rows) else []
        result.append(
            Community(
                code=code,
                name=name,
                street_code=street,
                number=number,
                land=land,
                grids=rows,
                retired=retired.iloc[gone.get(code, nothing)].reset_index(drop=True),
                sheets=tuple(sheets),
            )
        )
    return tuple(result)


def colour_areas(areas: NDArray[np.object_], colours: Sequence[str]) -> NDArray[np.object_]:
    """Return a colour for each area such that areas that touch differ wherever possible.

    Greedy, in the order given: the colour that fewest neighbours have, the first of those.

    Examples
    --------
    >>> boxes = np.array([shapely.box(x, 0, x + 1, 1) for x in range(3)])
    >>> colour_areas(boxes, ["red", "green"]).tolist()
    ['red', 'green', 'red']
    """
    tree = shapely.STRtree(areas)
    left, right = tree.query(areas, predicate="dwithin", distance=1.0)
    beside: dict[int, list[int]] = {}
    for one, other in zip(left.tolist(), right.tolist(), strict=True):
        if other < one:
            beside.setdefault(one, []).append(other)
    chosen: list[int] = []
    for position in range(len(areas)):
        taken = [chosen[other] for other in beside.get(position, [])]
        chosen.append(min(range(len(colours)), key=lambda colour: (taken.count(colour), colour)))
    return np.array([colours[position] for position in chosen], dtype=object)
