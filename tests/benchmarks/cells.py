"""``python -m tests.benchmarks.cells``: the cell index beside other ways to ask which cell holds a point.

Every contestant has one core: the program is pinned to it, threads and server with it. What is timed is
the question alone, in seconds of processor of the program (of the clock for PostGIS, which works in a
server), best of some runs: geometries are made and cells indexed before (DuckDB and SedonaDB index within
the question, some hundredths of it). Each answer is compared with GEOS: ``covers``, lowest code.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.index import CellIndex
from gis.laying import lay_tiles
from gis.tiling import Tiling
from gridding.division import divide
from tests.benchmarks.cell_peers import Pairs, peers
from tests.benchmarks.city import CELL_M, X0, Y0
from tests.benchmarks.city import cells as make_cells
from tests.benchmarks.measure import Figure, show
from tests.real.towns import is_here, load

Floats = NDArray[np.float64]
SCALES = (50_000, 500_000, 5_000_000)
TOWNS = ("sample-4", "snezhinsk", "wuhan-16")
_KNOWN_TO_GEOS = 200_000


def main() -> None:
    """Measure and show the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.cells", description=__doc__)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--grids", type=int, default=50_000)
    parser.add_argument("--most", type=int, default=5_000_000, help="grids of the largest city")
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument(
        "--only", choices=("peers", "borders", "towns", "scale", "single"), action="append"
    )
    asked = parser.parse_args()
    os.sched_setaffinity(0, {asked.core})
    wanted = asked.only or ["peers", "borders", "towns", "single", "scale"]
    sys.stdout.write(f"pinned to core {asked.core}: {', '.join(wanted)}\n")
    figures: list[Figure] = []
    if "peers" in wanted:
        figures += _beside_peers(asked.grids, asked.points)
    if "borders" in wanted:
        figures += _at_borders(asked.grids, asked.points // 5)
    if "towns" in wanted:
        for town in TOWNS:
            figures += _in_town(town, asked.points // 5)
    if "single" in wanted:
        figures += _single(asked.grids)
    if "scale" in wanted:
        figures += _scale([size for size in SCALES if size <= asked.most], asked.points)
    show(figures)


def _best_of(work: Callable[[], Any], *, times: int, on_clock: bool = False) -> tuple[float, Any]:
    """Return the least time of some runs and the last result; other work on the machine costs no processor."""
    watch = time.perf_counter if on_clock else time.process_time
    spent, result = [], None
    for _ in range(times):
        start = watch()
        result = work()
        spent.append(watch() - start)
    return min(spent), result


def _city(grids: int) -> tuple[NDArray[Any], float]:
    side = round(np.sqrt(grids))
    return make_cells(side, np.random.default_rng(1)), side * CELL_M


def _laid(grids: int) -> tuple[Tiling, float, float]:
    """Return the pattern of a city, how long it took to lay, s, and the city's side, m."""
    start = time.process_time()
    cells, side_m = _city(grids)
    handed_over = [cells]
    del cells
    made_s = time.process_time() - start
    tiling = lay_tiles(handed_over.pop())
    return tiling, time.process_time() - start - made_s, side_m


def _anywhere(count: int, side_m: float, seed: int = 2) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return X0 + rng.uniform(0, side_m, count), Y0 + rng.uniform(0, side_m, count)


def _index(cells: NDArray[Any]) -> CellIndex:
    index = CellIndex([f"{number:012d}" for number in range(len(cells))], cells)
    index.locate([0.0], [0.0])
    return index


def _lowest(pairs: Pairs, count: int, cells: int) -> NDArray[np.intp]:
    """Return the lowest cell of each point; -1: none."""
    lowest = np.full(count, cells, dtype=np.intp)
    np.minimum.at(lowest, pairs[0], pairs[1])
    return np.where(lowest == cells, -1, lowest)


def _differences(index: CellIndex, cells: NDArray[Any], x: Floats, y: Floats) -> int:
    """Count the points for which GEOS gives another cell, or another answer to "inside at all"."""
    found = index.locate(x, y)
    pairs = shapely.STRtree(cells).query(shapely.points(x, y), predicate="covered_by")
    wanted = _lowest((pairs[0], pairs[1]), len(x), len(cells))
    ours = np.where(found.distance_m == 0.0, found.position, -1)
    return int((ours != wanted).sum())


def _beside_peers(grids: int, count: int, *, slow: bool = True) -> Iterator[Figure]:
    cells, side_m = _city(grids)
    x, y = _anywhere(count, side_m)
    yield from _race(f"{count:,} points, {len(cells):,} grids", cells, x, y, slow=slow)


def _race(work: str, cells: NDArray[Any], x: Floats, y: Floats, *, slow: bool) -> Iterator[Figure]:
    start = time.perf_counter()
    index = _index(cells)
    _ = index.tiling
    laid_s = time.perf_counter() - start
    differences = _differences(index, cells, x, y)
    wanted = index.locate(x, y)
    inside = np.where(wanted.distance_m == 0.0, wanted.position, -1)
    memory = index.tiling.nbytes() / max(len(cells), 1)
    for peer in peers(cells, shapely.points(x, y), slow=slow):
        # Ours beside each peer anew: the machine may have other work at times.
        spent, _ = _best_of(partial(index.locate, x, y), times=7, on_clock=peer.on_clock)
        ours = len(x) / spent
        if peer.ask is None:
            yield Figure(work=work, ours=ours, unit="points/s", peer=peer.name, note=peer.absent)
            continue
        seconds, pairs = _best_of(peer.ask, times=3, on_clock=peer.on_clock)
        other = int((_lowest(pairs, len(x), len(cells)) != inside).sum())
        yield Figure(
            work=work, ours=ours, unit="points/s", peer=peer.name, peers=len(x) / seconds,
            note=f"{1e9 * spent / len(x):.0f} ns, {differences} differences from GEOS, {other} from this peer; "
            f"{memory:,.0f} B/grid, laid in {laid_s:.1f} s",
        )  # fmt: skip


def _at_borders(grids: int, count: int) -> Iterator[Figure]:
    """Points at vertices, on edges, one ulp and one millimetre beside them."""
    cells, _ = _city(grids)
    x, y = near_borders(cells, count)
    yield from _race(f"{count:,} at borders, {len(cells):,} grids", cells, x, y, slow=False)


def near_borders(cells: NDArray[Any], count: int, *, seed: int = 3) -> tuple[Floats, Floats]:
    """Return a quarter each of vertices, points of edges, those one ulp off, and those a millimetre off."""
    rng = np.random.default_rng(seed)
    vertices, cell = shapely.get_coordinates(cells, return_index=True)
    first = rng.integers(len(vertices) - 1, size=count)
    first = np.where(cell[first] == cell[first + 1], first, first - 1)
    share = rng.uniform(size=(count, 1)) * (np.arange(count) % 4 > 0)[:, None]
    points = vertices[first] + share * (vertices[first + 1] - vertices[first])
    off = np.arange(count) % 4
    points[off == 2] = np.nextafter(points[off == 2], rng.choice([-np.inf, np.inf], (2,)))
    points[off == 3] += rng.normal(scale=1e-3, size=points[off == 3].shape)
    return points[:, 0].copy(), points[:, 1].copy()


def _in_town(name: str, count: int) -> Iterator[Figure]:
    """Yield the figures of grids that the division has made of a real town."""
    if not is_here(name):
        sys.stdout.write(f"{name}: its data are not here\n")
        return
    cells = divided(name)
    west, south, east, north = shapely.total_bounds(cells)
    rng = np.random.default_rng(4)
    x, y = rng.uniform(west, east, count), rng.uniform(south, north, count)
    yield from _race(f"{count:,} points, {len(cells):,} grids of {name}", cells, x, y, slow=False)
    x, y = near_borders(cells, count)
    yield from _race(
        f"{count:,} at borders, {len(cells):,} grids of {name}", cells, x, y, slow=False
    )


def divided(name: str) -> NDArray[Any]:
    """Return the unit grids that the division makes of a town."""
    town = load(name)
    grids = divide(town.communities, features=town.features, components=town.components)
    cells: NDArray[Any] = grids.geometry.to_numpy()
    return cells


def _single(grids: int) -> Iterator[Figure]:
    cells, side_m = _city(grids)
    index = _index(cells)
    x, y = _anywhere(200_000, side_m)
    places = list(zip(x.tolist(), y.tolist(), strict=True))
    index.locate_one(*places[0])
    spent, _ = _best_of(lambda: [index.locate_one(*place) for place in places], times=3)
    yield Figure(
        work="one point from Python: locate_one", ours=len(places) / spent, unit="points/s",
        note=f"{1e6 * spent / len(places):.2f} us",
    )  # fmt: skip
    position = index.locate(x, y).position
    spent, ours = _best_of(lambda: index.edge_distance(x, y, position), times=3)
    borders = shapely.boundary(cells)
    shapely.prepare(borders)
    points = shapely.points(x, y)
    few = slice(0, 20_000)
    seconds, theirs = _best_of(
        lambda: shapely.distance(borders[position[few]], points[few]), times=3
    )
    off = float(np.abs(ours[few] / theirs - 1.0).max())
    yield Figure(
        work="distance to the border of the cell", ours=len(x) / spent, unit="points/s",
        peer="shapely.distance, prepared", peers=20_000 / seconds, note=f"{off:.0e} off at most",
    )  # fmt: skip


def _scale(sizes: list[int], count: int) -> Iterator[Figure]:
    """Yield the cost of a point among more and more cells, points in no order and sorted by place."""
    base: dict[str, float] = {}
    for grids in sizes:
        tiling, laid_s, side_m = _laid(grids)
        codes = np.char.zfill(np.arange(len(tiling.first_ring) - 1).astype("U12"), 12)
        index = CellIndex(codes, np.full(len(codes), None, dtype=object), tiling=tiling)
        x, y = _anywhere(count, side_m)
        by_place = np.lexsort((x, np.floor((y - Y0) / CELL_M)))
        for order, rows in (("no order", slice(None)), ("sorted by place", by_place)):
            spent, _ = _best_of(partial(index.locate, x[rows], y[rows]), times=7)
            base.setdefault(order, spent)
            yield Figure(
                work=f"{count:,} points, {grids:,} grids, {order}", ours=count / spent, unit="points/s",
                note=f"{1e9 * spent / count:.0f} ns, {spent / base[order]:.2f} x of {sizes[0]:,}; "
                f"{tiling.nbytes() / grids:,.0f} B/grid, {tiling.nbytes() / 1e9:.2f} GB, laid in {laid_s:.0f} s",
            )  # fmt: skip


if __name__ == "__main__":
    main()
