"""How stable unit grids stay: random changes of the topography, one at a time, and what they move.

By hand: ``python -m tests.benchmarks.stability snezhinsk``.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.affinity import translate

from gridding.change import Ground, Policy, UpdateRules, update
from gridding.changes import changed_features
from gridding.lineage import overlaps, succession
from gridding.options import DivisionOptions

_ROAD = "430503"
_BUILDING = "310300"


@dataclass(frozen=True, kw_only=True)
class Stability:
    """What some random edits did to a layer of unit grids."""

    edits: int
    touched: float
    """Grids touched per edit: they alone may change."""
    changed: float
    """Grids per edit whose land changes."""
    beyond: int
    """Grids that changed without being touched, over all edits: must be 0."""
    largest_shift_m: float
    """Greatest distance by which the border of an untouched grid moved (rounding), m."""
    unsound: int
    """Edits after which the layer was no valid coverage any more: must be 0."""
    gap_m2: float
    """Greatest difference of the area covered, m²."""
    seconds: float
    """Mean time of an update, s."""
    slowest_s: float
    by_kind: pd.DataFrame
    """``kind``, ``edits``, ``touched``, ``changed``, ``seconds`` per kind of edit."""


def measure_stability(
    grids: gpd.GeoDataFrame,
    features: gpd.GeoDataFrame,
    *,
    edits: int = 30,
    seed: int = 1,
    policy: Policy = "soft",
    options: DivisionOptions | None = None,
) -> Stability:
    """Return how much of a layer random edits change, each made on the layer as it is.

    The edits are new streets of 150-350 m, removed streets, new buildings and shifted roads, in turn.

    Parameters
    ----------
    grids : geopandas.GeoDataFrame
        ``community_code``, ``geometry`` and ``code``.
    features : geopandas.GeoDataFrame
        Topography: ``feature_class``, ``geometry``.
    edits : int
        How many.
    seed : int
        Seed of the random numbers.
    policy : str
        As for `gridding.change.update`.
    options : DivisionOptions or None
        As for the division that made the grids.
    """
    # The update sorts by code; so are the shapes it is compared with.
    grids = gpd.GeoDataFrame(grids.sort_values("code").reset_index(drop=True))
    was = grids.geometry.to_numpy()
    sound = bool(shapely.coverage_is_valid(was))
    rows, unsound, gap = [], 0, 0.0
    for kind, after in _edited(grids, features, edits=edits, seed=seed):
        start = time.perf_counter()
        changed = changed_features(features, after)
        result = update(
            grids,
            ground=Ground(features=after),
            changed=changed,
            rules=UpdateRules(policy=policy),
            options=options,
        )
        seconds = time.perf_counter() - start
        now = result.grids.geometry.to_numpy()
        table = succession(overlaps(was, now), counts=(len(was), len(now)))
        moved = _moved(table, was, now)
        touched = grids["code"].isin(result.touched).to_numpy()
        beyond = moved.to_numpy() & ~touched
        shift = _shift(was, result.grids, grids, touched)
        unsound += int(sound and not shapely.coverage_is_valid(now))
        gap = max(gap, abs(float(shapely.area(now).sum() - shapely.area(was).sum())))
        rows.append((kind, touched.sum(), moved.sum(), beyond.sum(), shift, seconds))
    table = pd.DataFrame(
        rows, columns=["kind", "touched", "changed", "beyond", "shift_m", "seconds"]
    )
    by_kind = table.groupby("kind", sort=False)[["touched", "changed", "seconds"]].mean()
    return Stability(
        edits=len(table),
        touched=float(table["touched"].mean()),
        changed=float(table["changed"].mean()),
        beyond=int(table["beyond"].sum()),
        largest_shift_m=float(table["shift_m"].max()),
        unsound=unsound,
        gap_m2=gap,
        seconds=float(table["seconds"].mean()),
        slowest_s=float(table["seconds"].max()),
        by_kind=by_kind.assign(edits=table.groupby("kind").size()).reset_index(),
    )


def _moved(
    table: pd.DataFrame,
    was: "np.ndarray[tuple[int], np.dtype[np.object_]]",
    now: "np.ndarray[tuple[int], np.dtype[np.object_]]",
) -> "pd.Series[bool]":
    """Return which old grids have other land than before, by more than rounding."""
    kept = table[(table["kind"] == "keep") | (table["kind"] == "reshape")]
    rounding = np.maximum(0.02, 0.008 * shapely.length(was[kept["old"]]))
    differ = shapely.area(was[kept["old"]]) + shapely.area(now[kept["new"]]) - 2 * kept["area_m2"]
    same = kept.loc[(differ <= rounding).to_numpy(), "old"]
    return ~pd.Series(range(len(was))).isin(same)


def _shift(
    was: "np.ndarray[tuple[int], np.dtype[np.object_]]",
    now: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame,
    touched: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
) -> float:
    """Return by how much the borders of grids that were not touched moved at most, m."""
    shape = now.dropna(subset="code").set_index("code").geometry
    codes = grids["code"][~touched]
    there = codes.isin(shape.index).to_numpy()
    first = was[~touched][there]
    second = shape[codes[there]].to_numpy()
    other = ~shapely.equals_exact(first, second, tolerance=0.0)
    if not other.any():
        return 0.0
    first, second = shapely.boundary(first[other]), shapely.boundary(second[other])
    return float(shapely.hausdorff_distance(first, second).max())


def _edited(
    grids: gpd.GeoDataFrame, features: gpd.GeoDataFrame, *, edits: int, seed: int
) -> Iterator[tuple[str, gpd.GeoDataFrame]]:
    """Yield the topography after one random edit each."""
    random = np.random.default_rng(seed)
    made: list[tuple[str, Callable[..., gpd.GeoDataFrame]]] = [
        ("new street", _new_street),
        ("new building", _new_building),
        ("removed street", _removed_street),
        ("shifted road", _shifted_road),
    ]
    features = gpd.GeoDataFrame(features[["feature_class", "geometry"]].reset_index(drop=True))
    for number in range(edits):
        kind, make = made[number % len(made)]
        yield kind, make(grids, features, random)


def _place(grids: gpd.GeoDataFrame, random: np.random.Generator) -> shapely.Point:
    return grids.geometry.iloc[random.integers(len(grids))].representative_point()


def _with(
    features: gpd.GeoDataFrame, feature_class: str, shape: shapely.Geometry
) -> gpd.GeoDataFrame:
    row = gpd.GeoDataFrame({"feature_class": [feature_class]}, geometry=[shape], crs=features.crs)
    return gpd.GeoDataFrame(pd.concat([features, row], ignore_index=True))


def _new_street(
    grids: gpd.GeoDataFrame, features: gpd.GeoDataFrame, random: np.random.Generator
) -> gpd.GeoDataFrame:
    middle, angle = _place(grids, random), random.uniform(0, np.pi)
    reach = random.uniform(75, 175)
    east, north = reach * np.cos(angle), reach * np.sin(angle)
    street = shapely.LineString(
        [(middle.x - east, middle.y - north), (middle.x + east, middle.y + north)]
    )
    return _with(features, _ROAD, street)


def _new_building(
    grids: gpd.GeoDataFrame, features: gpd.GeoDataFrame, random: np.random.Generator
) -> gpd.GeoDataFrame:
    # On a border, where it does harm.
    outline = grids.geometry.iloc[random.integers(len(grids))].exterior
    middle = outline.interpolate(random.uniform(0, 1), normalized=True)
    width, height = random.uniform(8, 40), random.uniform(8, 16)
    house = shapely.box(
        middle.x - width / 2, middle.y - height / 2, middle.x + width / 2, middle.y + height / 2
    )
    return _with(features, _BUILDING, house)


def _roads(features: gpd.GeoDataFrame, grids: gpd.GeoDataFrame) -> "pd.Index[int]":
    long = features.geometry.length.between(80, 400) & (
        shapely.get_dimensions(features.geometry.to_numpy()) == 1
    )
    inside = features.geometry.within(shapely.box(*grids.total_bounds))
    found = features.index[features["feature_class"].str.startswith("4305") & long & inside]
    return found if len(found) else features.index[long & inside]


def _removed_street(
    grids: gpd.GeoDataFrame, features: gpd.GeoDataFrame, random: np.random.Generator
) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(features.drop(index=random.choice(_roads(features, grids))))


def _shifted_road(
    grids: gpd.GeoDataFrame, features: gpd.GeoDataFrame, random: np.random.Generator
) -> gpd.GeoDataFrame:
    row = random.choice(_roads(features, grids))
    angle, far = random.uniform(0, 2 * np.pi), random.uniform(3, 12)
    shape = translate(features.geometry[row], far * np.cos(angle), far * np.sin(angle))
    changed = features.copy()
    changed.loc[row, "geometry"] = shape
    return changed


def main() -> None:
    """Divide a real town and print how stable its grids stay."""
    from gridding.division import divide
    from gridding.numbering import number
    from tests.real.towns import load

    town = load(sys.argv[1] if len(sys.argv) > 1 else "snezhinsk")
    grids = divide(town.communities, features=town.features)
    grids["code"] = number(grids)
    for policy in ("keep", "soft", "hard"):
        found = measure_stability(grids, town.features, policy=policy)
        sys.stdout.write(f"{policy}: {found}\n")


if __name__ == "__main__":
    main()
