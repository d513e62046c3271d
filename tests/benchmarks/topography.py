"""``python -m tests.benchmarks.topography``: a city's base map judged by every rule, and its road graph made.

The map is a made one: blocks of 100 m with buildings, streets cut at their crossings, contours, spot
heights, greens and ponds, one feature in a thousand at fault. It is judged in memory, as
``wanmi topography check`` judges what it has read. Reading and the report are not counted; figures are
seconds of processor, as the machine may have other work.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipelines.context import BuildContext, References
from pipelines.topography.crossings import crossings_of
from pipelines.topography.features import transform
from pipelines.topography.judging import judge_map
from pipelines.topography.network import road_graph
from tests.benchmarks.measure import Figure, show
from tests.pipelines.town import context, live_areas

CRS = "EPSG:4547"
BLOCK_M = 100.0
X0, Y0 = 500_000.0, 4_200_000.0
QGIS_81K_S = 766.0
"""Seconds that QGIS takes for four topology checks of 81,000 polygons (QGIS issue 45498)."""
_BUILDINGS = 12
_PER_BLOCK = 20.0
"""Features of a block: 12 buildings, 2 streets, 4 spot heights, a green, a contour or a pond."""


def make_map(count: int, *, seed: int = 1) -> gpd.GeoDataFrame:
    """Return about `count` features of a square city as delivered rows; the same seed gives the same map."""
    rng = np.random.default_rng(seed)
    side = max(3, round(np.sqrt(count / _PER_BLOCK)))
    column, row = (each.ravel() for each in np.meshgrid(np.arange(side), np.arange(side)))
    west, south = X0 + column * BLOCK_M, Y0 + row * BLOCK_M
    parts = [
        _buildings(west, south, rng),
        _streets(west, south, column, row),
        _heights(west, south, rng),
        _greens(west, south),
        _contours(side),
    ]
    table = pd.concat(parts, ignore_index=True)
    table["code"] = [f"M{number:08d}" for number in range(len(table))]
    table["source_file"], table["source_row"] = "map.gpkg", np.arange(1, len(table) + 1)
    return gpd.GeoDataFrame(table, geometry="geometry", crs=CRS)


def _layer(shapes: np.ndarray, **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"geometry": shapes, **columns})


def _buildings(west: np.ndarray, south: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    x = np.repeat(west, _BUILDINGS) + np.tile([8, 30, 52, 74], len(west) * 3) + 1
    y = np.repeat(south, _BUILDINGS) + np.tile(np.repeat([10, 38, 66], 4), len(west))
    wide, deep = rng.uniform(12, 16, len(x)), rng.uniform(10, 14, len(x))
    faulty = rng.random(len(x)) < 0.001
    wide[faulty] += 12.0  # into the neighbour
    shapes = shapely.box(x, y, x + wide, y + deep)
    floors = rng.integers(1, 30, len(x)).astype(float)
    return _layer(shapes, feature_class="310300", FLOORS=floors, MATERIAL="混")


def _streets(
    west: np.ndarray, south: np.ndarray, column: np.ndarray, row: np.ndarray
) -> pd.DataFrame:
    along = shapely.linestrings(
        np.stack([np.c_[west, south], np.c_[west + BLOCK_M, south]], axis=1)
    )
    up = shapely.linestrings(np.stack([np.c_[west, south], np.c_[west, south + BLOCK_M]], axis=1))
    names = np.concatenate(
        [[f"东西{each}路" for each in row], [f"南北{each}街" for each in column]]
    )
    return _layer(
        np.concatenate([along, up]), feature_class="430503", NAME=names, WIDTH=12.0
    ).rename(columns={"NAME": "name"})


def _ground(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 70.0 + (x - X0) / 200.0 + 0.0 * y


def _heights(west: np.ndarray, south: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    x = np.repeat(west, 4) + rng.uniform(5, 95, 4 * len(west))
    y = np.repeat(south, 4) + rng.uniform(5, 95, 4 * len(west))
    value = _ground(x, y) + np.where(rng.random(len(x)) < 0.001, 40.0, 0.0)
    return _layer(shapely.points(x, y), feature_class="720000", ELEV=np.round(value, 2))


def _greens(west: np.ndarray, south: np.ndarray) -> pd.DataFrame:
    shapes = shapely.box(west + 10, south + 84, west + 90, south + 94)
    pond = np.arange(len(west)) % 10 == 0
    return _layer(shapes, feature_class=np.where(pond, "230000", "820000"))


def _contours(side: int) -> pd.DataFrame:
    """Return contours of 0.5 m, as they follow from the slope of the ground, wavy and cut into pieces."""
    length = side * BLOCK_M
    x = X0 + np.arange(1, int(length / 100.0)) * 100.0 + 3.0
    steps = np.linspace(0, 500, 51)
    starts = Y0 + np.arange(0, length, 500.0)
    at = np.array([(east, start) for east in x for start in starts])
    points = np.empty((len(at), len(steps), 2))
    points[:, :, 0] = at[:, :1] + 2.0 * np.sin(steps / 40.0)[None, :]
    points[:, :, 1] = at[:, 1:] + steps[None, :]
    value = np.round(_ground(at[:, 0] - 3.0, at[:, 1]) * 2) / 2
    return _layer(shapely.linestrings(points), feature_class="710000", ELEV=value)


def bare_context(folder: Path) -> BuildContext:
    """Return a context without areas: nothing bounds the map."""
    none = live_areas().iloc[:0]
    return replace(context(folder), references=References(None, judged={"areas": none}))


def measure(*, features: int, polygons: int) -> Iterator[Figure]:
    """Measure and tell."""
    frame = make_map(features)
    with tempfile.TemporaryDirectory(prefix="wanmi-map-") as folder:
        around = bare_context(Path(folder))
        built, clock, _ = _spent(lambda: transform(frame, around))
        yield Figure(
            work=f"build's rules, {len(frame):,} features", ours=built, unit="s", note=clock
        )
        spent, clock, outcome = _spent(lambda: judge_map(frame, around))
        found = outcome.faults["rule"].value_counts().sort_index().to_dict()
        yield Figure(
            work=f"every rule, {len(frame):,} features",
            ours=spent,
            unit="s",
            note=f"{clock}; {found}",
        )
        spent, clock, crossings = _spent(lambda: crossings_of(road_graph(outcome.accepted)))
        work = f"road graph, {len(crossings):,} named crossings"
        yield Figure(work=work, ours=spent, unit="s", note=clock)
        houses = frame[frame["feature_class"] == "310300"].iloc[:polygons].reset_index(drop=True)
        spent, clock, _ = _spent(lambda: judge_map(houses, around))
        yield Figure(
            work=f"every rule, {len(houses):,} polygons",
            ours=spent,
            unit="s",
            peer="QGIS, 4 checks of 81,000 (stated)",
            peers=QGIS_81K_S,
            note=f"{clock}; QGIS issue 45498, another machine; gap, overlap, within, duplicate",
        )


def _spent(work: Callable[[], Any]) -> tuple[float, str, Any]:
    """Return the seconds of processor that work takes, those of the clock in words, and its result."""
    clock, start = time.perf_counter(), time.process_time()
    result = work()
    return time.process_time() - start, f"clock {time.perf_counter() - clock:.1f} s", result


def main() -> None:
    """Measure and show the table."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.topography", description=__doc__
    )
    parser.add_argument("--features", type=int, default=1_000_000)
    parser.add_argument("--polygons", type=int, default=81_000)
    sizes = parser.parse_args()
    show(list(measure(features=sizes.features, polygons=sizes.polygons)))


if __name__ == "__main__":
    main()
