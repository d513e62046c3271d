"""One point at a time gives what arrays of points give."""

import math

import numpy as np
import pytest
import shapely

from gis.crs import GEOGRAPHIC, transform_point, transform_xy
from gis.index import CellIndex


@pytest.mark.parametrize("target", [GEOGRAPHIC, "EPSG:4547", "EPSG:4548", "GCJ-02", "BD-09"])
def test_a_point_goes_where_arrays_of_points_go(target: str) -> None:
    rng = np.random.default_rng(4)
    x, y = rng.uniform(4e5, 6e5, 20), rng.uniform(3e6, 5e6, 20)
    moved = np.column_stack(transform_xy(x, y, source="EPSG:4547", target=target))
    single = [
        transform_point(east, north, source="EPSG:4547", target=target)
        for east, north in zip(x.tolist(), y.tolist(), strict=True)
    ]
    np.testing.assert_allclose(single, moved, rtol=0, atol=1e-9)


@pytest.mark.parametrize("x", [math.nan, math.inf, 1e30])
def test_what_is_no_point_goes_nowhere(x: float) -> None:
    moved = transform_point(x, 4e6, source="EPSG:4547", target=GEOGRAPHIC)
    assert all(math.isnan(value) for value in moved)


def test_the_cell_of_one_point_is_that_of_arrays_inside_on_borders_and_outside() -> None:
    cells = [
        shapely.box(i * 10, j * 10, i * 10 + 10, j * 10 + 10) for i in range(5) for j in range(5)
    ]
    index = CellIndex([f"{number * 7 % 25:02d}" for number in range(25)], cells)
    points = [
        (x, y) for x in (-3.0, 0.0, 5.0, 10.0, 47.5, 50.0, 61.0) for y in (0.0, 12.5, 20.0, 55.0)
    ]
    held = index.holders(shapely.points(points)).tolist()
    assert [index.holder(x, y) for x, y in points] == held
    assert -1 in held
    assert held[points.index((10.0, 20.0))] == min(
        (place for place in range(25) if shapely.covers(cells[place], shapely.Point(10, 20))),
        key=lambda place: index.codes[place],
    )


def test_no_cell_holds_a_point_where_there_is_none() -> None:
    assert CellIndex([], []).holder(1.0, 2.0) == -1
    assert CellIndex(["a"], [shapely.box(0, 0, 1, 1)]).holder(math.nan, 0.5) == -1
