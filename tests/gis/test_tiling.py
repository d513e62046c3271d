"""The compiled look-up against GEOS, where it is hardest: vertices, edges, one ulp off, holes, overlaps."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gis.laying import lay_tiles
from gis.orientation import turn
from gis.probe import find
from gis.tiling import SIDES

X0, Y0 = 500_000.0, 4_200_000.0


def oracle(polygons: NDArray[Any], x: Any, y: Any) -> tuple[list[int], list[bool]]:
    """Return the first polygon that covers each point by GEOS, and whether on its border."""
    points = shapely.points(x, y)
    ranks, borders = [], []
    for point in points:
        covering = np.flatnonzero(shapely.covers(polygons, point))
        rank = int(covering[0]) if len(covering) else -1
        ranks.append(rank)
        borders.append(rank >= 0 and not shapely.contains_properly(polygons[rank], point))
    return ranks, borders


def agree(polygons: NDArray[Any], x: Any, y: Any) -> None:
    rank, border = find(np.asarray(x, float), np.asarray(y, float), lay_tiles(polygons))
    ranks, borders = oracle(polygons, x, y)
    assert rank.tolist() == ranks
    assert border.tolist() == borders


def around(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values with their neighbours one ulp to either side."""
    return np.concatenate([values, np.nextafter(values, -np.inf), np.nextafter(values, np.inf)])


def hard_points(polygons: NDArray[Any], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return vertices, points on edges and points anywhere, each also one ulp off."""
    vertices = shapely.get_coordinates(polygons)
    share = rng.uniform(size=(len(vertices) - 1, 1))
    edges = vertices[:-1] + share * np.diff(vertices, axis=0)
    low, high = vertices.min(axis=0) - 5.0, vertices.max(axis=0) + 5.0
    anywhere = rng.uniform(low, high, size=(200, 2))
    level = np.column_stack([rng.uniform(low[0], high[0], 100), rng.choice(vertices[:, 1], 100)])
    points = np.concatenate([vertices[:200], edges[:200], anywhere, level])
    x, y = around(points[:, 0]), around(points[:, 1])
    return np.column_stack([x, y])


def lattice(seed: int, *, side: int, shift: float) -> NDArray[Any]:
    """Return quadrangles that share their edges; with `shift` 0 they are squares on whole metres."""
    rng = np.random.default_rng(seed)
    ticks = np.arange(side + 1) * 10.0
    corners = np.stack(np.meshgrid(ticks + X0, ticks + Y0), axis=-1)
    corners += rng.uniform(-shift, shift, corners.shape)
    cells = [
        shapely.Polygon(
            [corners[i, j], corners[i, j + 1], corners[i + 1, j + 1], corners[i + 1, j]]
        )
        for i in range(side)
        for j in range(side)
    ]
    return np.array(cells, dtype=object)[rng.permutation(side * side)]


def star(rng: np.random.Generator, *, spikes: int, hole: bool) -> Any:
    """Return a ragged polygon, with a ragged hole or without."""
    turns = np.sort(rng.uniform(0, 2 * np.pi, spikes))
    radii = rng.uniform(12, 30, spikes)
    middle = rng.uniform(0, 60, 2) + np.array([X0, Y0])
    ring = middle + np.column_stack([radii * np.cos(turns), radii * np.sin(turns)])
    inner = [middle + (ring - middle) * 0.4] if hole else []
    return shapely.make_valid(shapely.Polygon(ring, inner))


@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_cells_that_share_edges(shift: float) -> None:
    polygons = lattice(1, side=7, shift=shift)
    points = hard_points(polygons, np.random.default_rng(2))
    agree(polygons, points[:, 0], points[:, 1])


@pytest.mark.parametrize("seed", range(6))
def test_ragged_cells_that_overlap_with_holes_and_islands(seed: int) -> None:
    rng = np.random.default_rng(seed)
    polygons = [star(rng, spikes=int(rng.integers(5, 80)), hole=bool(n % 2)) for n in range(9)]
    island = shapely.MultiPolygon(
        [shapely.box(X0 + k, Y0, X0 + k + 3, Y0 + 3) for k in (0, 3.5, 7)]
    )
    both = np.array([p for p in polygons if p.geom_type != "GeometryCollection"] + [island], object)
    points = hard_points(both, rng)
    agree(both, points[:, 0], points[:, 1])


def test_a_cell_of_many_edges_beside_tiny_ones() -> None:
    turns = np.linspace(0, 2 * np.pi, 5000, endpoint=False)
    wave = 400.0 + 20.0 * np.sin(40 * turns)
    ring = np.column_stack([X0 + wave * np.cos(turns), Y0 + wave * np.sin(turns)])
    tiny = [shapely.box(X0 + 50 + k / 64, Y0, X0 + 50 + (k + 1) / 64, Y0 + 1) for k in range(8)]
    polygons = np.array([*tiny, shapely.Polygon(ring)], dtype=object)
    points = hard_points(polygons, np.random.default_rng(3))
    agree(polygons, points[:, 0], points[:, 1])


def test_slivers_and_cells_thinner_than_a_square() -> None:
    sliver = shapely.Polygon([(X0, Y0), (X0 + 300, Y0 + 1e-7), (X0 + 300, Y0 + 2e-7)])
    needle = shapely.Polygon([(X0, Y0 + 1), (X0 + 300, Y0 + 1), (X0 + 150, Y0 + 1.000001)])
    polygons = np.array([sliver, needle, shapely.box(X0, Y0 - 9, X0 + 300, Y0 + 9)], dtype=object)
    points = hard_points(polygons, np.random.default_rng(4))
    agree(polygons, points[:, 0], points[:, 1])


@given(st.integers(0, 10_000), st.integers(1, 6), st.sampled_from([0.0, 0.5, 3.0]))
def test_any_lattice(seed: int, side: int, shift: float) -> None:
    polygons = lattice(seed, side=side, shift=shift)
    rng = np.random.default_rng(seed)
    points = rng.permutation(hard_points(polygons, rng))[:60]
    agree(polygons, points[:, 0], points[:, 1])


def test_many_points_are_found_as_few_are() -> None:
    polygons = lattice(5, side=60, shift=3.0)
    tiling = lay_tiles(polygons)
    rng = np.random.default_rng(6)
    x, y = rng.uniform(X0 - 20, X0 + 620, 20_000), rng.uniform(Y0 - 20, Y0 + 620, 20_000)
    x[:3] = np.nan, np.inf, -np.inf
    rank, border = find(x, y, tiling)  # enough points to be grouped by place
    few = [find(x[k : k + 100], y[k : k + 100], tiling) for k in range(0, len(x), 100)]
    assert np.array_equal(rank, np.concatenate([part[0] for part in few]))
    assert np.array_equal(border, np.concatenate([part[1] for part in few]))
    assert rank[:3].tolist() == [-1, -1, -1]
    inside = (x > X0 + 5) & (x < X0 + 595) & (y > Y0 + 5) & (y < Y0 + 595)
    assert (rank[inside] >= 0).all()
    assert (rank[np.nan_to_num(x) > X0 + 610] == -1).all()


def test_nothing_holds_nothing() -> None:
    for polygons in ([], [None, shapely.Polygon()]):
        rank, border = find(np.array([1.0]), np.array([2.0]), lay_tiles(np.array(polygons, object)))
        assert (rank.tolist(), border.tolist()) == ([-1], [False])


def test_most_squares_need_one_look() -> None:
    tiling = lay_tiles(lattice(7, side=40, shift=3.0))
    sides = tiling.tiles % SIDES
    # Every square counts by its area: a square of a tile cut n times a side is 1 / n² of the tile.
    weights = np.repeat(1.0 / sides**2, sides**2)
    crossed = weights[tiling.squares < -1].sum() / weights.sum()
    assert crossed < 0.5
    assert tiling.nbytes() < 3000 * 1600


@given(
    st.lists(st.floats(-1e7, 1e7, allow_nan=False), min_size=6, max_size=6),
    st.floats(-0.5, 1.5),
    st.integers(-1, 1),
)
def test_turns_are_exact(numbers: list[float], share: float, ulps: int) -> None:
    ax, ay, bx, by, _, _ = numbers
    px, py = ax + share * (bx - ax), ay + share * (by - ay)
    px = float(np.nextafter(px, np.inf * ulps)) if ulps else px
    exact = [Fraction(value) for value in (ax, ay, bx, by, px, py)]
    a, b, c, d, e, f = exact
    value = (a - e) * (d - f) - (b - f) * (c - e)
    assert turn(ax, ay, bx, by, px, py) == (value > 0) - (value < 0)
