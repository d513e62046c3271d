"""What lies around one point is what the searches for many points tell of it."""

import math

import numpy as np
import pytest
import shapely

from gis.index import CellIndex
from gis.nearness import Nearness, find_near, lay_things
from gis.shares import covariances
from gis.surroundings import Surroundings

Layout = tuple[CellIndex, CellIndex, Nearness]


@pytest.fixture(scope="module")
def layout() -> Layout:
    """25 cells with a hole between them, four districts over them, points and lines of two groups."""
    rng = np.random.default_rng(5)
    boxes = [
        shapely.box(i * 10, j * 10, i * 10 + 10, j * 10 + 10) for i in range(5) for j in range(5)
    ]
    cells = CellIndex([f"{number * 7 % 25:02d}" for number in range(24)], boxes[:12] + boxes[13:])
    halves = [
        shapely.box(i * 25, j * 25, i * 25 + 25, j * 25 + 25) for i in range(2) for j in range(2)
    ]
    shapes = [shapely.Point(*rng.uniform(-5, 55, 2)) for _ in range(30)]
    shapes[10:15] = [shapely.LineString(rng.uniform(0, 50, (3, 2))) for _ in range(5)]
    groups = np.repeat([0, 1], 15)
    return (
        cells,
        CellIndex(["d", "c", "b", "a"], halves),
        lay_things(np.array(shapes), groups, np.arange(30)),
    )


@pytest.mark.parametrize("sigma_m", [0.0, 0.5, 4.0, 30.0, math.nan])
@pytest.mark.parametrize("is_oval", [False, True])
def test_one_point_is_told_what_many_are(layout: Layout, sigma_m: float, *, is_oval: bool) -> None:
    cells, halves, things = layout
    around = Surroundings(cells, [halves, cells], things, most=4)
    rng = np.random.default_rng(6)
    places = [
        *rng.uniform(-20, 70, (30, 2)),
        (10.0, 20.0),
        (25.0, 25.0),
        (25.0, 30.0),
        (math.nan, 3.0),
    ]
    for number, (x, y) in enumerate(places):
        oval = covariances(3.0, 1.0, 10.0 * number)[None] if is_oval else None
        group, reach_m = number % 3 - 1, 12.0
        found = around.of(
            x, y, sigma_m, near=(group, reach_m),
            covariance=None if oval is None else tuple(oval[0].tolist()),
        )  # fmt: skip
        located = cells.locate([x], [y])
        assert found.position == located.position[0]
        assert found.on_boundary == located.on_boundary[0]
        np.testing.assert_equal(found.distance_m, located.distance_m[0])
        np.testing.assert_equal(
            found.edge_distance_m, cells.edge_distance([x], [y], located.position)[0]
        )
        assert found.held == tuple(
            int(c.holders(shapely.points([[x, y]]))[0]) for c in (halves, cells)
        )
        shares = cells.shares([x], [y], [sigma_m], covariance=oval)
        assert [cell for cell, _ in found.shares] == shares.position.tolist()
        np.testing.assert_allclose([s for _, s in found.shares], shares.probability, atol=1e-9)
        own = cells.own_shares(([x], [y]), [sigma_m], located.position, covariance=oval)
        assert found.own_share == pytest.approx(own[0], abs=1e-9)
        near = find_near(things, ([x], [y]), [group], [reach_m], most=4)
        told = found.things.reshape(-1, 4)
        assert told[:, 0].tolist() == near.row.tolist()
        assert told[:, 1:].tolist() == np.column_stack([near.distance_m, near.apart]).tolist()
        assert found.density == (near.density[0] if group >= 0 else 0.0)


def test_where_there_is_no_cell_nothing_is_told() -> None:
    none = CellIndex([], [])
    things = lay_things(np.array([shapely.Point(0, 0)]), np.array([0]), np.array([9]))
    found = Surroundings(none, [none], things, most=3).of(0.0, 3.0, 2.0, near=(0, 5.0))
    assert (found.position, found.shares, found.held) == (-1, [], (-1,))
    assert math.isnan(found.distance_m)
    assert found.things.tolist() == [9.0, 3.0, 0.0, -3.0]
