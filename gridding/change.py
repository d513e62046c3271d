"""Unit grids after a change of the topography: only what it touches is divided again."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridding.appraisal import appraise
from gridding.changes import touched_grids
from gridding.division import divide_land
from gridding.lineage import overlaps
from gridding.options import DivisionOptions
from gridding.patching import Geometries, Indices, fit_land, is_sound, shared_borders, tie
from gridding.repair import cut_along, round_buildings
from gridding.scene import Scene, add_lines, read_scene
from gridding.uses import use_of

logger = logging.getLogger(__name__)

Policy = Literal["keep", "soft", "hard"]
POLICIES = ("keep", "soft", "hard")
_EXISTING_PRICE = 0.14
_NEAR_M = 60.0
_TOUCH_M = 0.05
_LOST_M = 1.0
_ROADS = ("42", "43", "44")
_STRONG_PRICE = 0.0


@dataclass(frozen=True, kw_only=True)
class UpdateRules:
    """How readily grids change."""

    policy: Policy = "soft"
    """keep: only borders through new buildings move; soft: whatever costs less afterwards; hard: a
    road of `hard_class` or above becomes a border, too."""
    hard_class: str = "4305"
    """Class of a road (GB/T 13923) that must be a border, with all that are worth as much."""
    gain: float = 0.1
    """By how much the cost must fall for each grid that changes."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What grids are updated on."""

    features: gpd.GeoDataFrame
    """Topography as it is now: ``feature_class``, ``geometry``."""
    components: gpd.GeoDataFrame | None = None
    """Components 部件: ``geometry``."""
    locked_borders: Geometries = field(default_factory=lambda: np.array([], dtype=object))
    """Lines that no change may remove."""
    locked_codes: frozenset[str] = frozenset()
    """Grids that stay as they are."""


@dataclass(frozen=True, kw_only=True)
class Update:
    """What becomes of a layer."""

    grids: gpd.GeoDataFrame
    """The whole layer: ``community_code``, ``geometry``, and ``code`` of the grids not divided again."""
    touched: tuple[str, ...]
    """Codes of the grids that the change touched and that were free."""
    replaced: tuple[str, ...]
    """Codes of those whose borders move."""
    pinned: tuple[str, ...]
    """Codes of the neighbours that keep their shape and receive a vertex."""
    left: Geometries
    """Stretches of road that policy hard could not make borders."""


def update(
    grids: gpd.GeoDataFrame,
    *,
    ground: Ground,
    changed: gpd.GeoDataFrame,
    rules: UpdateRules | None = None,
    options: DivisionOptions | None = None,
) -> Update:
    """Divide again the grids that a change of the topography touches, each community for itself.

    Grids touched that lie together are one piece of land; its old borders are candidates for the new
    ones, and the old division stays unless the cost falls. All other grids keep their shape: they
    only receive vertices where a new border ends on theirs. A result that would not fit in exactly
    is not taken.

    Parameters
    ----------
    grids : geopandas.GeoDataFrame
        ``code``, ``community_code``, ``geometry``; a coverage in a metric CRS.
    ground : Ground
        Topography and locks.
    changed : geopandas.GeoDataFrame
        ``feature_class`` and ``geometry`` of what was added, removed or moved
        (`gridding.changes.changed_features`), ``change`` if known.
    rules : UpdateRules or None
        Policy and thresholds.
    options : DivisionOptions or None
        As for a division.
    """
    rules, options = rules or UpdateRules(), options or DivisionOptions()
    grids = gpd.GeoDataFrame(grids.sort_values("code", kind="stable").reset_index(drop=True))
    shapes = grids.geometry.to_numpy().copy()
    codes = grids["code"].to_numpy(dtype=object)
    touched = _touched(grids, changed)
    touched &= ~np.isin(codes, sorted(ground.locked_codes))
    bench = _Bench(
        scene=_scene(shapes[touched], ground, options),
        roads=_hard_roads(ground.features, rules),
        fresh=_added(changed),
        locked=ground.locked_borders,
        rules=rules,
        options=options,
    )
    layer = _Layer(shapes=shapes, home=grids["community_code"].to_numpy(dtype=object))
    left: list[shapely.Geometry] = []
    for rows in _clusters(shapes, grids["community_code"], touched):
        rivals = layer.around(rows)
        found, given_up = bench.best(layer.shapes[rows], layer.shapes[rivals])
        left.extend(given_up)
        if found is not None:
            layer.replace(rows, rivals, found)
    alive = layer.alive[: len(grids)]
    stayed = shapely.equals_exact(layer.shapes[: len(grids)], shapes, tolerance=0.0)
    fresh = np.full(len(layer.shapes) - len(grids), None, dtype=object)
    whole = pd.DataFrame({"code": np.append(codes, fresh), "community_code": layer.home})
    result = gpd.GeoDataFrame(whole, geometry=layer.shapes, crs=grids.crs)
    return Update(
        grids=gpd.GeoDataFrame(result[layer.alive].reset_index(drop=True)),
        touched=tuple(codes[touched]),
        replaced=tuple(codes[~alive]),
        pinned=tuple(codes[alive & ~stayed]),
        left=np.asarray(left, dtype=object),
    )


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A better division of one piece of land."""

    polygons: Geometries
    """New grids."""
    kept: Indices
    """Which old grids stay as they are."""
    same: Geometries
    """Those, with the vertices they received."""
    around: Geometries
    """The neighbours outside, likewise."""


class _Layer:
    """The grids while pieces of land are replaced one after the other; new ones come at the end."""

    def __init__(self, *, shapes: Geometries, home: NDArray[np.object_]) -> None:
        self.shapes = shapes.copy()
        self.home = home
        self.alive = np.ones(len(shapes), dtype=np.bool_)

    def around(self, rows: Indices) -> Indices:
        """Return the grids that touch those of `rows`."""
        tree = shapely.STRtree(self.shapes)
        found = tree.query(self.shapes[rows], predicate="dwithin", distance=_TOUCH_M)[1]
        near = np.setdiff1d(found, rows).astype(np.intp)
        return near[self.alive[near]]

    def replace(self, rows: Indices, rivals: Indices, found: _Found) -> None:
        """Put a better division in the place of `rows`."""
        moved = ~np.isin(np.arange(len(rows)), found.kept)
        self.shapes[rivals] = found.around
        self.shapes[rows[found.kept]] = found.same
        self.alive[rows[moved]] = False
        place = self.home[rows[0]]
        self.shapes = np.concatenate([self.shapes, found.polygons])
        self.home = np.append(self.home, np.full(len(found.polygons), place, dtype=object))
        self.alive = np.append(self.alive, np.ones(len(found.polygons), dtype=np.bool_))


@dataclass(frozen=True, kw_only=True)
class _Bench:
    """The surroundings in which divisions of a piece of land are tried."""

    scene: Scene
    roads: Geometries
    fresh: Geometries
    locked: Geometries
    rules: UpdateRules
    options: DivisionOptions

    def best(
        self, old: Geometries, around: Geometries
    ) -> tuple[_Found | None, list[shapely.Geometry]]:
        """Return the best division that fits in and is worth it; None: the old one stays."""
        land = shapely.union_all(old)
        if land.geom_type != "Polygon":
            logger.warning("A piece of land near %s is no polygon and was left.", land.centroid)
            return None, []
        near = self.scene.near(land)
        roads = self._roads(land)
        must = self.rules.policy == "hard" and len(roads) > 0
        before = appraise(old, near, options=self.options)
        ranked: list[tuple[float, int, _Found, Geometries]] = []
        given_up: list[shapely.Geometry] = []
        for rank, (polygons, left) in enumerate(self._candidates(old, land, near, roads)):
            if must:
                given_up = list(left)
            fitted = fit_land(polygons, land, precision_m=self.options.precision_m)
            found = (
                None if self._breaks_lock(fitted, land) else self._fit_in(fitted, old, around, land)
            )
            if found is None:
                continue
            after = appraise(
                np.concatenate([found.polygons, found.same]), near, options=self.options
            )
            changes = len(old) - len(found.kept)
            gain = before.cost - after.cost - self.rules.gain * changes
            if changes and (gain > 0 or must):
                ranked.append((-round(gain, 6), rank, found, left))
        if not ranked:
            return None, given_up
        _, _, found, left = min(ranked, key=lambda entry: entry[:2])
        return found, list(left)

    def _candidates(
        self, old: Geometries, land: shapely.Polygon, near: Scene, roads: Geometries
    ) -> Iterator[tuple[Geometries, Geometries]]:
        """Yield divisions worth trying, with the stretches of road they give up."""
        none = np.array([], dtype=object)
        buildings = near.buildings
        if self.rules.policy == "keep":
            added = shapely.STRtree(buildings).query(self.fresh, predicate="intersects")[1]
            buildings = buildings[np.unique(added)]
            yield round_buildings(old, buildings, options=self.options), none
            return
        if len(roads):
            parts, left = cut_along(old, roads, scene=near, options=self.options)
            yield round_buildings(parts, buildings, options=self.options), left
            if self.rules.policy == "hard":
                return
        yield round_buildings(old, buildings, options=self.options), none
        with_old = add_lines(
            near, _borders(old), kind="existing", price=_EXISTING_PRICE, options=self.options
        )
        divided = divide_land(land, with_old, options=self.options)
        yield np.array(divided, dtype=object), none

    def _roads(self, land: shapely.Polygon) -> Geometries:
        """Return the stretches of strong road inside the land."""
        lines = self.roads
        if self.rules.policy == "soft":
            lines = self.fresh[shapely.get_dimensions(self.fresh) == 1]
        lines = lines[shapely.intersects(lines, land)]
        parts = shapely.get_parts(shapely.intersection(lines, land))
        kept: Geometries = parts[shapely.length(parts) > 1.0]
        return kept

    def _breaks_lock(self, polygons: Geometries, land: shapely.Polygon) -> bool:
        """Return whether a locked border inside the land would be none any more."""
        lines = shapely.intersection(self.locked[shapely.intersects(self.locked, land)], land)
        if len(lines) == 0:
            return False
        borders = shapely.buffer(shapely.union_all(shapely.boundary(polygons)), _TOUCH_M)
        return float(shapely.length(shapely.difference(lines, borders)).sum()) > _LOST_M

    def _fit_in(
        self,
        polygons: Geometries,
        old: Geometries,
        around: Geometries,
        land: shapely.Polygon,
    ) -> _Found | None:
        pairs = overlaps(old, polygons)
        same = pairs[pairs["likeness"] > 1.0 - 1e-6]
        fresh = np.delete(polygons, same["new"].to_numpy())
        if len(fresh) == 0:
            return None
        kept = same["old"].to_numpy()
        rest = np.concatenate([old[kept], around])
        new, rest = tie(fresh, rest, outline=land.boundary)
        if not is_sound(new, rest, before=np.concatenate([old, around])):
            logger.debug("A division near %s does not fit in.", polygons[0].centroid)
            return None
        return _Found(polygons=new, kept=kept, same=rest[: len(kept)], around=rest[len(kept) :])


def _touched(grids: gpd.GeoDataFrame, changed: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Return which grids a change touches; one made by a later build knew of it already."""
    shapes = grids.geometry.to_numpy()
    if "build_id" not in grids or "build_id" not in changed:
        return touched_grids(shapes, changed.geometry.to_numpy())
    touched = np.zeros(len(grids), dtype=np.bool_)
    for build in np.unique(grids["build_id"]):
        own = grids["build_id"].to_numpy() == build
        later = changed.geometry.to_numpy()[changed["build_id"].to_numpy() > build]
        touched[own] = touched_grids(shapes[own], later)
    return touched


def _scene(free: Geometries, ground: Ground, options: DivisionOptions) -> Scene:
    """Read the topography near the free grids, and the locked borders."""
    near = shapely.STRtree(ground.features.geometry.to_numpy()).query(
        free, predicate="dwithin", distance=_NEAR_M
    )[1]
    features = gpd.GeoDataFrame(ground.features.iloc[np.unique(near)])
    components = ground.components
    if components is not None:
        rows = shapely.STRtree(components.geometry.to_numpy()).query(free, predicate="intersects")
        components = gpd.GeoDataFrame(components.iloc[np.unique(rows[1])])
    scene = read_scene(features, components=components, options=options)
    return add_lines(scene, ground.locked_borders, kind="locked", options=options)


def _hard_roads(features: gpd.GeoDataFrame, rules: UpdateRules) -> Geometries:
    """Return the roads worth at least as much as those of the hard class."""
    none: Geometries = np.array([], dtype=object)
    if rules.policy != "hard":
        return none
    limit = use_of(rules.hard_class, shape="line").price
    shapes = features.geometry.to_numpy()
    classes = features["feature_class"].astype(str)
    known = {code: use_of(code, shape="line") for code in classes.unique()}
    strong = {
        code
        for code, use in known.items()
        if code.startswith(rules.hard_class)
        or (code.startswith(_ROADS) and use.role == "border" and use.price <= limit)
    }
    chosen = classes.isin(strong).to_numpy() & (shapely.get_dimensions(shapes) == 1)
    result: Geometries = shapely.force_2d(shapes[chosen])
    return result


def _added(changed: gpd.GeoDataFrame) -> Geometries:
    """Return what was added: areas, and lines that are wanted borders."""
    if "change" in changed:
        changed = gpd.GeoDataFrame(changed[changed["change"] == "added"])
    shapes: Geometries = shapely.force_2d(changed.geometry.to_numpy())
    price = np.array([use_of(str(code), shape="line").price for code in changed["feature_class"]])
    kept: Geometries = shapes[(shapely.get_dimensions(shapes) == 2) | (price < _STRONG_PRICE)]
    return kept


def _clusters(
    shapes: Geometries, community: "pd.Series[str]", touched: NDArray[np.bool_]
) -> list[Indices]:
    """Return the free grids of each piece of land, in the order of their first grid."""
    rows = np.flatnonzero(touched)
    borders = shared_borders(shapes[rows])
    home = community.to_numpy()[rows]
    left, right = borders["left"].to_numpy(), borders["right"].to_numpy()
    inner = home[left] == home[right]
    size = (len(rows), len(rows))
    edges = coo_array((np.ones(int(inner.sum())), (left[inner], right[inner])), shape=size)
    group = connected_components(edges, directed=False)[1] if len(rows) else np.array([])
    return [rows[group == number] for number in pd.unique(group)]


def _borders(polygons: Geometries) -> Geometries:
    borders = shared_borders(polygons)
    ends = borders[["x1", "y1", "x2", "y2"]].to_numpy(dtype=np.float64).reshape(-1, 2, 2)
    lines: Geometries = shapely.get_parts(
        shapely.line_merge(shapely.multilinestrings(shapely.linestrings(ends)))
        if len(ends)
        else shapely.MultiLineString()
    )
    return lines
