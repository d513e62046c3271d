"""Unit grids carried along when communities 社区 are split, merged, renamed or move 区划调整."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridding.division import divide_land
from gridding.lineage import pick
from gridding.numbering import COMMUNITY_DIGITS
from gridding.objective import grid_costs, weights_of
from gridding.options import DivisionOptions
from gridding.patching import Geometries, Indices, tie
from gridding.scene import Scene, read_scene
from gridding.zones import Floats, zone_shares

_ROUNDING_M = 0.02
_HAIRLINE_M = 0.05
_CRUMB_M2 = 0.5


@dataclass(frozen=True, kw_only=True)
class Reform:
    """A layer after the communities changed."""

    grids: gpd.GeoDataFrame
    """``community_code`` and ``geometry`` of all grids, ``code`` where it stays or is renamed."""
    touched: tuple[str, ...]
    """Codes of the grids whose community changed."""


def carry(
    grids: gpd.GeoDataFrame,
    communities: gpd.GeoDataFrame,
    *,
    features: gpd.GeoDataFrame,
    options: DivisionOptions,
) -> Reform:
    """Give every grid to the community that holds most of it, and cut those that cross a new line.

    A grid whose community's code changed and whose land did not keeps its border. A grid that the new
    line crosses is cut along it; a piece under ``lower_ratio`` of the target that holds there goes to the
    neighbour in its own community that it suits best. Land that no grid covers is divided. All other grids keep
    shape and code.

    Parameters
    ----------
    grids : geopandas.GeoDataFrame
        ``code``, ``community_code``, ``geometry``.
    communities : geopandas.GeoDataFrame
        ``code`` and ``geometry`` as they are now, same metric CRS.
    features : geopandas.GeoDataFrame
        Topography: the targets that hold there, and borders for land that is divided.
    options : DivisionOptions
        As for a division.
    """
    grids = gpd.GeoDataFrame(grids.sort_values("code", kind="stable").reset_index(drop=True))
    areas = gpd.GeoDataFrame(communities.sort_values("code", kind="stable").reset_index(drop=True))
    shapes, land = grids.geometry.to_numpy().copy(), areas.geometry.to_numpy()
    home, crossing = _homes(shapes, grids["community_code"], areas)
    pieces, place = _cut(shapes[crossing], land, options)
    gaps, gap_place = _gaps(shapes, land)
    scene = _scene(
        land[np.unique(np.concatenate([place[place >= 0], gap_place]))], features, options
    )
    state = _State(
        shapes=shapes, home=home.copy(), source=np.arange(len(grids)), scene=scene, options=options
    )
    state = state.replaced(crossing, pieces, place)
    place = gap_place
    large = _shares(gaps, scene, options) >= options.lower_ratio
    divided, at = _divide(gaps[large], scene, options)
    state = state.replaced(
        np.array([], dtype=np.intp),
        np.concatenate([gaps[~large], divided]),
        np.concatenate([place[~large], place[large][at]]).astype(np.intp),
    )
    state = state.merged()
    whole = state.home >= 0  # what lies in no community any more is given up
    community = areas["code"].to_numpy(dtype=object)[state.home[whole]]
    codes = pick(grids["code"].to_numpy(dtype=object), state.source[whole])
    frame = pd.DataFrame({"code": codes, "community_code": community}, dtype=object)
    was = grids["community_code"].to_numpy(dtype=object)
    moved = was != pick(areas["code"].to_numpy(dtype=object), home)
    moved[crossing] = True
    result = gpd.GeoDataFrame(frame, geometry=state.shapes[whole], crs=grids.crs)
    return Reform(grids=_renamed(result, grids), touched=tuple(grids.loc[moved, "code"]))


@dataclass(frozen=True, kw_only=True)
class _State:
    """A layer while it is carried along."""

    shapes: Geometries
    home: Indices
    """Community of each; -1: none."""
    source: Indices
    """Old grid that each still is; -1: a new one."""
    scene: Scene
    """What of the topography lies in the communities whose grids are cut or divided."""
    options: DivisionOptions

    def replaced(self, rows: Indices, pieces: Geometries, home: Indices) -> "_State":
        """Return the layer with pieces in the place of some rows, the borders around them matched."""
        stay = np.setdiff1d(np.arange(len(self.shapes)), rows)
        shapes = self.shapes[stay].copy()
        if len(pieces):
            near = np.unique(
                shapely.STRtree(shapes).query(pieces, predicate="dwithin", distance=_HAIRLINE_M)[1]
            )
            pieces, shapes[near] = tie(pieces, shapes[near])
        fresh = np.full(len(pieces), -1, dtype=np.intp)
        return _State(
            shapes=np.concatenate([shapes, pieces]),
            home=np.concatenate([self.home[stay], home]).astype(np.intp),
            source=np.concatenate([self.source[stay], fresh]),
            scene=self.scene,
            options=self.options,
        )

    def merged(self) -> "_State":
        """Return the layer with small new pieces merged, the smallest first."""
        state = self
        tried: set[bytes] = set()
        while True:
            fresh = np.flatnonzero((state.source < 0) & (state.home >= 0))
            share = _shares(state.shapes[fresh], self.scene, self.options)
            small = [
                (round(float(size), 6), int(row))
                for size, row in zip(share, fresh, strict=True)
                if size < self.options.lower_ratio
                and shapely.to_wkb(state.shapes[row]) not in tried
            ]
            if not small:
                return state
            one = min(small)[1]
            partner = state.partner(one)
            if partner < 0:
                tried.add(shapely.to_wkb(state.shapes[one]))
                continue
            union = shapely.coverage_union_all(state.shapes[[one, partner]])
            state = state.replaced(
                np.array([one, partner]),
                np.array([shapely.normalize(union)], dtype=object),
                np.array([state.home[one]]),
            )

    def partner(self, one: int) -> int:
        """Return the grid of the same community to merge with, -1: none."""
        shape = self.shapes[one]
        near = shapely.STRtree(self.shapes).query(shape, predicate="dwithin", distance=0.02)
        near = np.sort(near[(near != one) & (self.home[near] == self.home[one])])
        best, least = -1, np.inf
        for row in near:
            union = shapely.coverage_union_all(self.shapes[[one, row]])
            if union.geom_type != "Polygon":
                continue
            cost = self._cost(union) - self._cost(self.shapes[row])
            if cost < least - 1e-9:
                best, least = int(row), cost
        return best

    def _cost(self, shape: shapely.Polygon) -> float:
        area, length = np.array([shape.area]), np.array([shape.length])
        share = _shares(np.array([shape]), self.scene, self.options)
        return float(grid_costs(area, length, share, weights=weights_of(self.options))[0])


def _shares(shapes: Geometries, scene: Scene, options: DivisionOptions) -> Floats:
    """Return how many grids shapes should hold, by what they lie in: water, forest, built-up land."""
    return zone_shares(shapes, scene, options=options).grids


def _scene(land: Geometries, features: gpd.GeoDataFrame, options: DivisionOptions) -> Scene:
    """Read the topography that touches communities."""
    tree = shapely.STRtree(features.geometry.to_numpy())
    rows = np.unique(tree.query(land, predicate="intersects")[1])
    return read_scene(gpd.GeoDataFrame(features.iloc[rows]), options=options)


def _homes(
    shapes: Geometries, was: "pd.Series[str]", areas: gpd.GeoDataFrame
) -> tuple[Indices, Indices]:
    """Return the community that holds most of each grid (-1: none), and which grids cross a line."""
    land = areas.geometry.to_numpy()
    community, grid = shapely.STRtree(shapes).query(land, predicate="intersects")
    held = shapely.area(shapely.intersection(shapes[grid], land[community]))
    own = areas["code"].to_numpy(dtype=object)[community] == was.to_numpy(dtype=object)[grid]
    table = pd.DataFrame({"grid": grid, "community": community, "held": held.round(4), "own": own})
    table = table.sort_values(["grid", "held", "own"], ascending=[True, False, False])
    best = table.drop_duplicates("grid").set_index("grid")
    home = best["community"].reindex(range(len(shapes))).fillna(-1).to_numpy(dtype=np.intp)
    inside = best["held"].reindex(range(len(shapes))).fillna(0.0).to_numpy(dtype=np.float64)
    rest = shapely.area(shapes) - inside
    crosses = rest > np.maximum(_CRUMB_M2, _ROUNDING_M * shapely.length(shapes))
    return home, np.flatnonzero(crosses & (home >= 0)).astype(np.intp)


def _cut(
    shapes: Geometries, land: Geometries, options: DivisionOptions
) -> tuple[Geometries, Indices]:
    """Cut grids along community lines: the pieces, and the community of each (-1: none)."""
    none: Geometries = np.array([], dtype=object)
    if len(shapes) == 0:
        return none, np.array([], dtype=np.intp)
    _, near = shapely.STRtree(land).query(shapes, predicate="intersects")
    reach = shapely.buffer(shapely.union_all(shapes), 1.0)
    lines = shapely.intersection(shapely.boundary(land[np.unique(near)]), reach)
    noded = shapely.union_all([*shapely.boundary(shapes), *lines], grid_size=options.precision_m)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    inside = shapely.point_on_surface(faces)
    face, grid = shapely.STRtree(shapes).query(inside, predicate="within")
    owner = pd.Series(grid).groupby(face).min()
    faces, inside = faces[owner.index], inside[owner.index]
    face, community = shapely.STRtree(land).query(inside, predicate="within")
    place = np.full(len(faces), -1, dtype=np.intp)
    order = np.argsort(-community, kind="stable")
    place[face[order]] = community[order]
    pieces, home = [], []
    for _, rows in pd.Series(range(len(faces))).groupby([owner.to_numpy(), place]):
        parts = shapely.get_parts(shapely.coverage_union_all(faces[rows.to_numpy()]))
        pieces.extend(shapely.normalize(parts))
        home.extend([place[rows.iloc[0]]] * len(parts))
    return np.array(pieces, dtype=object), np.array(home, dtype=np.intp)


def _gaps(shapes: Geometries, land: Geometries) -> tuple[Geometries, Indices]:
    """Return the land that no grid covers, and the community of each piece."""
    community, grid = shapely.STRtree(shapes).query(land, predicate="intersects")
    held = shapely.area(shapely.intersection(land[community], shapes[grid]))
    bare = shapely.area(land) - np.bincount(community, held, len(land))
    gaps: list[shapely.Polygon] = []
    place: list[int] = []
    for row in np.flatnonzero(bare > np.maximum(_CRUMB_M2, _ROUNDING_M * shapely.length(land))):
        near = shapely.union_all(shapes[grid[community == row]])
        parts = shapely.get_parts(shapely.difference(land[row], near))
        wide = ~shapely.is_empty(shapely.buffer(parts, -_HAIRLINE_M))
        gaps.extend(parts[wide])
        place.extend([int(row)] * int(wide.sum()))
    return np.array(gaps, dtype=object), np.array(place, dtype=np.intp)


def _divide(gaps: Geometries, scene: Scene, options: DivisionOptions) -> tuple[Geometries, Indices]:
    """Divide land that has no grids: the grids, and the piece each comes from."""
    grids: list[shapely.Polygon] = []
    at: list[int] = []
    for row, gap in enumerate(gaps):
        found = divide_land(gap, scene.near(gap), options=options)
        grids.extend(found)
        at.extend([row] * len(found))
    return np.array(grids, dtype=object), np.array(at, dtype=np.intp)


def _renamed(result: gpd.GeoDataFrame, old: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Keep the numbers of grids whose community as a whole has another code now.

    That is so where all its grids went to one community, which took no others; in every other case a
    grid whose community changed gets a new number.
    """
    prefix = result["code"].str[:COMMUNITY_DIGITS]
    pairs = pd.DataFrame({"was": prefix, "now": result["community_code"]}).dropna()
    pairs = pairs.drop_duplicates()
    single = ~pairs["was"].duplicated(keep=False) & ~pairs["now"].duplicated(keep=False)
    known = set(old["community_code"])
    single &= ~pairs["now"].isin(known) | pairs["was"].eq(pairs["now"])
    name = pairs[single].set_index("was")["now"]
    stays = prefix.eq(result["community_code"])
    renames = prefix.isin(name.index)
    fresh = prefix.map(name) + result["code"].str[COMMUNITY_DIGITS:]
    codes = result["code"].where(stays, fresh.where(renames, None))
    return result.assign(code=codes)
