"""The cell index against GEOS, point by point, where it is hardest: edges, vertices, holes, overlaps."""

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from gis.index import CellIndex

A, B = shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)


def expected(codes: list[str], polygons: list[shapely.Polygon], x: float, y: float) -> str:
    """The rule in its plainest form: lowest code that covers, else lowest of the nearest."""
    point = shapely.Point(x, y)
    covering = [c for c, p in zip(codes, polygons, strict=True) if shapely.covers(p, point)]
    if covering:
        return min(covering)
    distances = {c: shapely.distance(p, point) for c, p in zip(codes, polygons, strict=True)}
    return min(c for c, d in distances.items() if d == min(distances.values()))


def test_shared_edge_and_vertex_go_to_the_lowest_code_in_any_order() -> None:
    four = {"d": A, "b": B, "c": shapely.box(0, 10, 10, 20), "a": shapely.box(10, 10, 20, 20)}
    index = CellIndex(list(four), list(four.values()))
    found = index.locate([10, 10, 5, 0], [5, 10, 10, 0])
    assert index.codes[found.position].tolist() == ["b", "a", "c", "d"]
    assert found.on_boundary.all()
    assert found.distance_m.tolist() == [0, 0, 0, 0]


def test_one_ulp_beside_a_slanted_edge_agrees_with_geos() -> None:
    left = shapely.Polygon([(0, 0), (7, 0), (3, 11), (0, 11)])
    right = shapely.Polygon([(7, 0), (12, 0), (12, 11), (3, 11)])
    index = CellIndex(["r", "l"], [right, left])
    t = np.linspace(0, 1, 501)
    x, y = 7 - 4 * t, 11 * t
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            east = x if dx == 0 else np.nextafter(x, np.inf * dx)
            north = y if dy == 0 else np.nextafter(y, np.inf * dy)
            found = index.locate(east, north)
            wanted = [
                expected(["r", "l"], [right, left], *xy) for xy in zip(east, north, strict=True)
            ]
            assert index.codes[found.position].tolist() == wanted


def test_a_hole_is_outside_and_its_rim_inside() -> None:
    ring = shapely.Polygon(
        [(0, 0), (30, 0), (30, 30), (0, 30)], [[(10, 10), (20, 10), (20, 20), (10, 20)]]
    )
    island = shapely.box(14, 14, 16, 16)
    index = CellIndex(["a", "b"], [ring, island])
    found = index.locate([11, 10, 15, 13.5, 12], [15, 15, 15, 15, 15])
    assert found.position.tolist() == [0, 0, 1, 1, 0]
    assert found.distance_m.tolist() == [1, 0, 0, 0.5, 2]
    assert found.on_boundary.tolist() == [False, True, False, False, False]


def test_parts_overlaps_and_gaps() -> None:
    two_parts = shapely.union(shapely.box(0, 0, 1, 1), shapely.box(5, 0, 6, 1))
    over = shapely.box(5, 0, 8, 1)
    index = CellIndex(["z", "y"], [two_parts, over])
    found = index.locate([0.5, 5.5, 3.0], [0.5, 0.5, 0.5])
    assert index.codes[found.position].tolist() == ["z", "y", "y"]  # overlap and equal distance: y
    assert found.on_boundary.tolist() == [False, False, False]
    assert found.distance_m.tolist() == [0, 0, 2]


def test_no_point_and_no_cell() -> None:
    index = CellIndex(["a"], [A])
    found = index.locate([np.nan, 5, np.inf], [5, np.nan, 5])
    assert found.position.tolist() == [-1, -1, -1]
    assert np.isnan(found.distance_m).all()
    empty = CellIndex([], [])
    assert empty.locate([1.0], [1.0]).position.tolist() == [-1]
    assert len(empty.shares([1.0], [1.0], [1.0]).point) == 0
    assert len(index.locate([], []).position) == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 4), st.integers(1, 4)),
        min_size=1,
        max_size=6,
    ),
    st.lists(st.tuples(st.integers(-4, 24), st.integers(-4, 24)), min_size=1, max_size=12),
)
def test_any_boxes_any_points(boxes: list[tuple[int, ...]], points: list[tuple[int, int]]) -> None:
    # Half-integer points of overlapping and touching boxes hit edges and vertices often.
    polygons = [shapely.box(x, y, x + w, y + h) for x, y, w, h in boxes]
    codes = [f"c{(7 * number) % 11:02d}" for number in range(len(polygons))]
    index = CellIndex(codes, polygons)
    x, y = np.array(points, dtype=float).T / 2
    found = index.locate(x, y)
    wanted = [expected(codes, polygons, *xy) for xy in zip(x, y, strict=True)]
    assert index.codes[found.position].tolist() == wanted
    for number, position in enumerate(found.position):
        point = shapely.Point(x[number], y[number])
        assert found.distance_m[number] == shapely.distance(polygons[position], point)
        assert found.on_boundary[number] == bool(shapely.touches(polygons[position], point))


def test_edge_distance_counts_holes_and_is_zero_on_the_border() -> None:
    ring = shapely.Polygon(
        [(0, 0), (30, 0), (30, 30), (0, 30)], [[(10, 10), (20, 10), (20, 20), (10, 20)]]
    )
    index = CellIndex(["a"], [ring])
    distance_m = index.edge_distance([9, 1, 10, 40], [15, 15, 15, 30], [0, 0, 0, 0])
    assert distance_m.tolist() == [1, 1, 0, 10]
    assert np.isnan(index.edge_distance([1], [1], [-1])[0])


def test_shares_of_a_box_are_products_of_normal_probabilities() -> None:
    index = CellIndex(["a", "b"], [A, B])
    x, y, sigma = 8.0, 3.0, 2.0
    shares = index.shares([x], [y], sigma)
    column = norm.cdf(10, y, sigma) - norm.cdf(0, y, sigma)
    left = (norm.cdf(10, x, sigma) - norm.cdf(0, x, sigma)) * column
    right = (norm.cdf(20, x, sigma) - norm.cdf(10, x, sigma)) * column
    assert shares.position.tolist() == [0, 1]
    np.testing.assert_allclose(shares.probability, [left, right], atol=1e-9)


@pytest.mark.parametrize(
    ("x", "y", "inside"), [(10.0, 5.0, 0.5), (10.0, 10.0, 0.25), (10.0, 0.0, 0.25)]
)
def test_a_point_on_an_edge_is_half_in_and_on_a_corner_a_quarter(
    x: float, y: float, inside: float
) -> None:
    shares = CellIndex(["a", "b"], [A, B]).shares([x], [y], [0.5])
    np.testing.assert_allclose(shares.probability, [inside, inside], atol=1e-9)


def test_shares_of_slanted_cells_with_holes_agree_with_sampling() -> None:
    outer = shapely.Polygon([(0, 0), (40, -10), (60, 30), (10, 50)])
    hole = shapely.Polygon([(20, 10), (30, 12), (25, 25)])
    cells = [shapely.difference(outer, hole), hole]
    index = CellIndex(["a", "b"], cells)
    errors = np.random.default_rng(1).normal(scale=9.0, size=(400_000, 2))
    sample = shapely.points(errors + np.array([24.0, 11.0]))
    wanted = [
        shapely.contains_xy(cell, *shapely.get_coordinates(sample).T).mean() for cell in cells
    ]
    shares = index.shares([24.0], [11.0], [9.0])
    by_cell = dict(zip(shares.position.tolist(), shares.probability.tolist(), strict=True))
    np.testing.assert_allclose([by_cell[0], by_cell[1]], wanted, atol=0.003)


def test_shares_where_the_error_is_none_tiny_or_huge() -> None:
    index = CellIndex(["a", "b"], [A, B])
    shares = index.shares([10, 3, 3, 25, 10], [5, 5, 5, 5, 5], [0, np.nan, 1e-6, 0, 1e5])
    # On the shared edge the lowest code has all; outside nobody; a huge error leaves next to nothing.
    assert list(zip(shares.point.tolist(), shares.position.tolist(), strict=True)) == [
        (0, 0),
        (1, 0),
        (2, 0),
    ]
    np.testing.assert_allclose(shares.probability, 1.0)


def test_shares_of_overlapping_cells_add_up_to_one() -> None:
    index = CellIndex(
        ["a", "b"], [shapely.box(-100, -100, 100, 100), shapely.box(-100, -100, 100, 100)]
    )
    np.testing.assert_allclose(index.shares([0], [0], [1]).probability, [0.5, 0.5])


def test_many_points_answer_as_each_alone() -> None:
    rng = np.random.default_rng(2)
    cells = [
        shapely.box(c * 10, r * 10, c * 10 + 10, r * 10 + 10) for r in range(9) for c in range(9)
    ]
    codes = [f"{number:03d}" for number in rng.permutation(len(cells))]
    index = CellIndex(codes, cells)
    x, y, sigma = rng.uniform(-5, 95, 300), rng.uniform(-5, 95, 300), rng.uniform(0.1, 15, 300)
    together = index.shares(x, y, sigma)
    for number in range(0, 300, 17):
        alone = index.shares(
            x[number : number + 1], y[number : number + 1], sigma[number : number + 1]
        )
        own = together.point == number
        assert together.position[own].tolist() == alone.position.tolist()
        np.testing.assert_array_equal(together.probability[own], alone.probability)


def test_polygons_are_not_read_where_the_pattern_is_known() -> None:
    codes, polygons = ["b", "a"], [A, B]
    tiling = CellIndex(codes, polygons).tiling

    def read() -> list[shapely.Polygon]:
        msg = "read"
        raise AssertionError(msg)

    index = CellIndex(pa.array(codes), read, tiling=tiling)
    assert index.locate([15.0], [5.0]).position.tolist() == [1]
    assert index.by_code.tolist() == [1, 0]
    lazily = CellIndex(pa.array(codes), lambda: polygons)
    assert lazily.locate([15.0], [5.0]).position.tolist() == [1]
