"""Things near points against shapely: the same things, in the same order, at the same distance to the last bit."""

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from gis.nearness import find_near, lay_things


def things(seed: int) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Points, lines, areas with and without holes, collections, empty and missing ones; and groups."""
    rng = np.random.default_rng(seed)
    points = shapely.points(rng.uniform(0, 300, (2000, 2)).round(1))
    lines = [
        shapely.LineString(rng.uniform(0, 300, 2) + rng.normal(0, 25, (k, 2)).cumsum(axis=0))
        for k in rng.integers(2, 9, 200)
    ]
    discs = [shapely.buffer(shapely.Point(*at), r) for at, r in zip(rng.uniform(0, 300, (50, 2)), rng.uniform(1, 25, 50), strict=True)]  # fmt: skip
    rings = [
        shapely.difference(disc, shapely.buffer(shapely.centroid(disc), 2)) for disc in discs[:20]
    ]
    others = [
        *(shapely.MultiPoint(rng.uniform(0, 300, (3, 2))) for _ in range(20)),
        shapely.GeometryCollection([lines[0], discs[0], points[0]]),
        shapely.MultiPolygon([shapely.box(0, 0, 3, 3), shapely.box(200, 200, 230, 210)]),
        shapely.LineString([(0, 0), (300, 290)]),
        shapely.Point(),
        None,
    ]
    found = np.array([*points, *lines, *discs, *rings, *others], dtype=object)
    return found[rng.permutation(len(found))], np.sort(rng.integers(0, 5, len(found)))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_things_as_shapely_in_the_same_order(seed: int) -> None:
    shapes, groups = things(seed)
    rows = np.arange(len(shapes)) + 10
    made = lay_things(shapes, groups, rows)
    rng = np.random.default_rng(seed + 10)
    x, y = rng.uniform(-20, 320, (2, 600)).round(1)
    x[:200], y[:200] = shapely.get_coordinates(shapes).round(9)[rng.integers(0, 2000, 200)].T
    group, reach = rng.integers(-1, 7, 600), rng.uniform(0, 30, 600)
    found = find_near(made, (x, y), group, reach)
    for number in range(600):
        own = np.flatnonzero(groups == group[number])
        metres = shapely.distance(shapes[own], shapely.Point(x[number], y[number]))
        near = metres <= reach[number]
        order = np.lexsort((rows[own][near], metres[near]))[:20]
        told = found.point == number
        assert found.row[told].tolist() == rows[own][near][order].tolist()
        np.testing.assert_array_equal(found.distance_m[told], metres[near][order])
        apart = np.hypot(*found.apart[told].T)
        np.testing.assert_allclose(apart, found.distance_m[told], atol=1e-9)


def test_equal_distances_go_by_row_and_only_so_many_are_told() -> None:
    ring = [(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 60, endpoint=False)]
    shapes = shapely.points([*ring, (0.0, 5.0), (5.0, 0.0), (0.0, -5.0)])
    made = lay_things(shapes, np.zeros(63, dtype=int), np.arange(63)[::-1].copy())
    found = find_near(made, ([0.0], [0.0]), [0], [5.0], most=63)
    assert found.row[-3:].tolist() == [0, 1, 2]
    assert len(find_near(made, ([0.0], [0.0]), [0], [5.0], most=7).row) == 7
    assert len(find_near(made, ([0.0], [0.0]), [0], [4.999999], most=63).row) == 60


def test_nothing_is_found_where_nothing_is_asked_or_there() -> None:
    made = lay_things(shapely.points([[0.0, 0.0]]), np.array([2]), np.array([0]))
    x = [np.nan, 0.0, np.inf, 0.0, 0.0, 0.0]
    found = find_near(made, (x, [0.0] * 6), [2, 0, 2, -1, 9, 2], [9.0, 9.0, 9.0, 9.0, 9.0, np.nan])
    assert len(found.point) == 0
    assert found.density.tolist() == [0.0] * 6
    empty = lay_things(np.array([], dtype=object), np.array([], dtype=int), np.array([], dtype=int))
    assert len(find_near(empty, ([0.0], [0.0]), [0], [9.0]).point) == 0


def test_density_is_that_of_the_ground_around() -> None:
    # A lattice of 10 m: a hundredth of a thing per m², and none in the other half of the box.
    xs, ys = np.meshgrid(np.arange(0, 1000, 10.0), np.arange(0, 500, 10.0))
    far = np.array([[0.0, 1000.0], [1000.0, 1000.0]])
    points = np.vstack([np.column_stack([xs.ravel(), ys.ravel()]), far])
    made = lay_things(
        shapely.points(points), np.zeros(len(points), dtype=int), np.arange(len(points))
    )
    found = find_near(made, ([500.0, 500.0], [250.0, 800.0]), [0, 0], [5.0, 5.0])
    assert found.density[0] == pytest.approx(0.01, rel=0.15)
    assert found.density[1] < 0.001
