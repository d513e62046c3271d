"""Gi* against the published formula, and the verdict against planted clusters."""

import math
from itertools import combinations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gis.errors import RequestError
from gis.hotspots import count_per_cell, find_hotspots

SIDE = 12


@pytest.fixture
def cells() -> gpd.GeoDataFrame:
    squares = [(i, j) for i in range(SIDE) for j in range(SIDE)]
    return gpd.GeoDataFrame(
        {"code": [f"{i:02}{j:02}" for i, j in squares]},
        geometry=[shapely.box(i * 100, j * 100, i * 100 + 100, j * 100 + 100) for i, j in squares],
        crs=4547,
    )


def planted(cells: gpd.GeoDataFrame) -> pd.Series:
    values = pd.Series(np.random.default_rng(3).poisson(2, len(cells)), index=cells["code"])
    for i in (3, 4, 5):
        for j in (3, 4, 5):
            values[f"{i:02}{j:02}"] = 20
    return values


def test_z_is_the_standardised_gi_star_of_ord_and_getis(cells: gpd.GeoDataFrame) -> None:
    values = planted(cells)
    found = find_hotspots(cells, values).set_index("code")
    grid = values.to_numpy(dtype=float).reshape(SIDE, SIDE)
    n, mean, s = grid.size, grid.mean(), grid.std()
    for i, j in ((4, 4), (0, 0), (11, 5)):
        window = grid[max(0, i - 1) : i + 2, max(0, j - 1) : j + 2]
        k = window.size
        expected = (window.sum() - mean * k) / (s * np.sqrt((n * k - k**2) / (n - 1)))
        assert found.loc[f"{i:02}{j:02}", "z"] == pytest.approx(expected, rel=1e-9)
        assert found.loc[f"{i:02}{j:02}", "p"] == pytest.approx(
            math.erfc(abs(expected) / math.sqrt(2))
        )


def test_the_planted_cluster_is_hot_and_little_else(cells: gpd.GeoDataFrame) -> None:
    found = find_hotspots(cells, planted(cells)).set_index("code")
    # The four corners of the block have five of nine neighbours outside it.
    core = ["0404", "0304", "0504", "0403", "0405"]
    assert (found.loc[core, "verdict"] == "hot").all()
    ring = {f"{i:02}{j:02}" for i in range(2, 7) for j in range(2, 7)}
    assert set(found.index[found["verdict"] == "hot"]) <= ring


def test_permuted_p_is_two_sided(cells: gpd.GeoDataFrame) -> None:
    found = find_hotspots(cells, planted(cells), permutations=999).set_index("code")
    assert found.loc["0404", "p"] == pytest.approx(2 / 1000)


def test_permuted_p_is_that_of_all_ways_to_relabel() -> None:
    squares = [(i, j) for i in range(4) for j in range(3)]
    cells = gpd.GeoDataFrame(
        {"code": [f"{i}{j}" for i, j in squares]},
        geometry=[shapely.box(i, j, i + 1, j + 1) for i, j in squares],
        crs=4547,
    )
    values = pd.Series([9, 7, 0, 5, 6, 1, 0, 2, 1, 1, 0, 3], index=cells["code"])
    found = find_hotspots(cells, values, permutations=9999).set_index("code")["p"]
    for i, j in squares:
        others = [code for code in cells["code"] if code != f"{i}{j}"]
        near = [code for code in others if abs(int(code[0]) - i) <= 1 >= abs(int(code[1]) - j)]
        sums = [values[list(drawn)].sum() for drawn in combinations(others, len(near))]
        seen = values[near].sum()
        rarer = min(np.mean(np.array(sums) >= seen), np.mean(np.array(sums) <= seen))
        assert found[f"{i}{j}"] == pytest.approx(min(1.0, 2 * rarer), abs=0.02)


def test_the_same_seed_gives_the_same_answer(cells: gpd.GeoDataFrame) -> None:
    first = find_hotspots(cells, planted(cells), permutations=999, seed=7)
    second = find_hotspots(cells, planted(cells), permutations=999, seed=7)
    pd.testing.assert_series_equal(first["p"], second["p"])


def test_equal_values_have_no_hot_spot(cells: gpd.GeoDataFrame) -> None:
    found = find_hotspots(cells, pd.Series(4, index=cells["code"]))
    assert set(found["verdict"]) == {"none"}


def test_a_missing_value_is_refused(cells: gpd.GeoDataFrame) -> None:
    with pytest.raises(RequestError, match="a value for each"):
        find_hotspots(cells, pd.Series({"0000": 1}))


def test_counts_keep_cells_without_a_case(cells: gpd.GeoDataFrame) -> None:
    counts = count_per_cell(cells, pd.Series(["0001", "0001", None, "nowhere"]))
    assert counts["0001"] == 2
    assert counts.sum() == 2
    assert len(counts) == SIDE * SIDE
