"""The patrol path: every grid once, from neighbour to neighbour, the same whatever the order."""

from itertools import pairwise, permutations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridding.adjacency import shared_borders
from gridding.numbering import reading_order
from gridding.patrol import measure_order, patrol_order
from tests.gridding.lattice import make_town

CRS = "EPSG:4547"


def squares(places: list[tuple[int, int]], community: str = "130102001001") -> gpd.GeoDataFrame:
    shapes = [shapely.box(100 * x, 100 * y, 100 * x + 100, 100 * y + 100) for x, y in places]
    frame = {"community_code": [community] * len(places)}
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=CRS)


def test_a_row_is_walked_from_its_western_end() -> None:
    grids = squares([(2, 0), (0, 0), (3, 0), (1, 0)])
    assert patrol_order(grids).tolist() == [3, 1, 4, 2]


def test_one_grid_and_two() -> None:
    assert patrol_order(squares([(0, 0)])).tolist() == [1]
    assert patrol_order(squares([(1, 0), (0, 0)])).tolist() == [2, 1]
    assert patrol_order(squares([])).empty


def test_every_community_has_its_own_path() -> None:
    grids = pd.concat(
        [squares([(0, 0), (1, 0), (2, 0)]), squares([(3, 0), (4, 0)], "130102001002")],
        ignore_index=True,
    )
    assert patrol_order(gpd.GeoDataFrame(grids)).tolist() == [1, 2, 3, 1, 2]


@settings(max_examples=40, deadline=None)
@given(
    places=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=60, unique=True
    ),
    seed=st.integers(0, 9),
)
def test_the_path_holds_every_grid_once_in_any_order_of_rows(
    places: list[tuple[int, int]], seed: int
) -> None:
    grids = squares(places)
    order = patrol_order(grids)
    assert sorted(order) == list(range(1, len(places) + 1))
    shuffled = grids.sample(frac=1, random_state=seed)
    assert patrol_order(shuffled).reindex(grids.index).equals(order)


@settings(max_examples=15, deadline=None)
@given(
    places=st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=7, unique=True
    )
)
def test_small_paths_are_nearly_the_best_of_all(places: list[tuple[int, int]]) -> None:
    grids = squares(places)
    centre = np.array(places, dtype=float) * 100
    left, right, _ = shared_borders(grids.geometry.to_numpy())
    joined = {*zip(left.tolist(), right.tolist(), strict=True)}

    def cost(path: tuple[int, ...]) -> float:
        steps = [(min(a, b), max(a, b)) for a, b in pairwise(path)]
        return sum(
            np.hypot(*(centre[a] - centre[b])) + 100 * ((a, b) not in joined) for a, b in steps
        )

    order = patrol_order(grids)
    found = cost(tuple(order.sort_values().index))
    best = min(cost(path) for path in permutations(range(len(places))))
    assert found <= 1.35 * best + 1e-6


def test_a_town_is_walked_from_neighbour_to_neighbour() -> None:
    town = make_town(2, 1)
    grids = town.grids.assign(community_code=town.grids["code"].str[:12])
    read = measure_order(grids, reading_order(grids))
    walked = measure_order(grids, patrol_order(grids))
    # Each of 16 bands of 16 grids ends with a leap back of some 1,500 m.
    assert read.longest_jump_m > 1400
    assert walked.adjacent_share > 0.97
    assert walked.mean_jump_m < 105 < read.mean_jump_m
    assert walked.longest_jump_m < 250


def test_neighbours_share_a_border_not_a_corner() -> None:
    grids = squares([(0, 0), (1, 0), (1, 1), (5, 5)])
    left, right, length = shared_borders(grids.geometry.to_numpy())
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [(0, 1), (1, 2)]
    assert length.tolist() == [100.0, 100.0]
    hole = shapely.Polygon(
        [(0, 0), (90, 0), (90, 90), (0, 90)], [[(30, 30), (60, 30), (60, 60), (30, 60)]]
    )
    left, right, length = shared_borders(np.array([hole, shapely.box(30, 30, 60, 60)]))
    assert (left.tolist(), right.tolist(), length.tolist()) == ([0], [1], [120.0])


def test_figures_worked_out_by_hand() -> None:
    grids = squares([(0, 0), (1, 0), (1, 1), (0, 1)])
    figures = measure_order(grids, pd.Series([1, 2, 3, 4]))
    assert (figures.mean_jump_m, figures.adjacent_share, figures.longest_jump_m) == (100, 1.0, 100)
    crossed = measure_order(grids, pd.Series([1, 3, 2, 4]))
    assert crossed.mean_jump_m == pytest.approx((2 * 2**0.5 + 1) * 100 / 3)
    assert crossed.adjacent_share == pytest.approx(1 / 3)
