"""Unit grids beside their neighbours."""

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely import box

from census.density import beside_neighbours, judge_density, touching
from gis.codes import read_rules
from gis.faults import Faults

SIDE = 7
CODES = [
    f"130102001{1 + row // 4:03d}{10 * row + column:03d}"
    for row in range(SIDE)
    for column in range(SIDE)
]
GRIDS = gpd.GeoDataFrame(
    {"code": CODES},
    geometry=[box(x * 100, y * 100, x * 100 + 100, y * 100 + 100) for y in range(SIDE) for x in range(SIDE)],
    crs="EPSG:4547",
)  # fmt: skip


def judge(counts, score=6.0, class_code="0104"):
    grid = pd.Series(np.repeat(CODES, counts), dtype=object)
    rows = pd.DataFrame(
        {"class_code": class_code, "source_file": "a.shp", "source_row": range(1, len(grid) + 1)}
    )
    faults = Faults(rows, rules=read_rules("census"))
    judge_density(rows, faults, grid=grid, grids=GRIDS, score=score)
    table = faults.outcome().faults
    return list(zip(grid[table["source_row"] - 1], table["rule"], strict=True)), table


def test_even_ground_is_quiet_and_a_crowd_stands_out():
    rng = np.random.default_rng(1)
    counts = rng.poisson(30, SIDE * SIDE)
    assert judge(counts)[0] == []
    counts[24] = 150
    said, table = judge(counts)
    assert said == [(CODES[24], "C093")]
    assert f"{CODES[24]} has 150 components of major class 01" in table["reason_en"][0]


def test_an_empty_grid_among_full_ones_is_told_on_a_row_of_its_community():
    counts = np.full(SIDE * SIDE, 40)
    counts[24] = 0
    said, table = judge(counts)
    assert [rule for _, rule in said] == ["C094"]
    assert said[0][0][:12] == CODES[24][:12]
    assert f"Unit grid {CODES[24]} has 0 components" in table["reason_en"][0]
    assert "make 40." in table["reason_en"][0]


def test_a_community_that_was_not_surveyed_is_no_sparse_ground():
    counts = np.full(SIDE * SIDE, 40)
    counts[28:] = 0  # the whole second community, a border away from the first
    assert judge(counts)[0] == []


def test_few_components_and_other_major_classes_tell_nothing():
    counts = np.zeros(SIDE * SIDE, dtype=int)
    counts[24] = 99
    assert judge(counts)[0] == []
    counts[24] = 100
    assert judge(counts)[0] == [(CODES[24], "C093")]


def test_patchy_ground_is_quiet():
    """Every second grid is a park: the sparser quarter of the neighbours is empty, the denser full."""
    counts = np.where(np.arange(SIDE * SIDE) % 2 == 0, 60, 0)
    assert judge(counts)[0] == []


def test_the_area_counts_not_the_number_alone():
    wide = gpd.GeoSeries([box(0, 0, 200, 100), box(200, 0, 300, 100), box(0, 100, 100, 200),
                          box(100, 100, 200, 200), box(200, 100, 300, 200)])  # fmt: skip
    table = beside_neighbours(
        np.array([80.0, 40, 40, 40, 40]), wide.area.to_numpy(), pairs=touching(wide.to_numpy())
    )
    # The third touches two others only, which is too few to tell.
    assert table["expected"].tolist() == [80, 40, 0, 40, 40]
    assert table["score"].abs().max() == 0
