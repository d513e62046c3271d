"""Shapes next to nothing, and files whose precision was lost."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Transformer
from shapely import LineString, box

from census.shapes import judge_precision, judge_sizes
from gis.codes import read_rules
from gis.faults import Faults

CRS = "EPSG:4547"
EAST, NORTH = 544_000.0, 4_212_000.0
TO_DEGREES = Transformer.from_crs(CRS, "EPSG:4490", always_xy=True)
TO_METRES = Transformer.from_crs("EPSG:4490", CRS, always_xy=True)


def survey(shapes, files="a.shp"):
    return gpd.GeoDataFrame(
        {"source_file": files, "source_row": range(1, len(shapes) + 1)}, geometry=shapes, crs=CRS
    )


def found(faults):
    table = faults.outcome().faults
    return list(zip(table["source_file"], table["source_row"], table["rule"], strict=True))


def judge(points, files="a.shp"):
    rows = survey(list(shapely.points(points)), files)
    faults = Faults(rows, rules=read_rules("census"))
    judge_precision(
        rows,
        faults,
        to_degrees=lambda xy: np.column_stack(TO_DEGREES.transform(*xy.T)),
        share=0.9,
    )
    return faults


def scattered(count=40, seed=1):
    rng = np.random.default_rng(seed)
    return np.round(rng.uniform((EAST, NORTH), (EAST + 900, NORTH + 900), (count, 2)), 3)


def test_lines_and_polygons_next_to_nothing_are_doubted():
    shapes = [
        LineString([(0, 0), (0.1, 0)]), LineString([(0, 0), (0.099, 0)]),
        LineString([(0, 0), (0, 0)]), box(0, 0, 1, 0.05), box(0, 0, 0.2, 0.2), shapely.Point(0, 0),
    ]  # fmt: skip
    rows = survey(shapes)
    faults = Faults(rows, rules=read_rules("census"))
    judge_sizes(rows, faults, least_line_m=0.1, least_polygon_m2=0.05)
    assert [(row, rule) for _, row, rule in found(faults)] == [
        (2, "C023"),
        (3, "C023"),
        (5, "C024"),
    ]


@pytest.mark.parametrize(
    ("step", "rule", "told"),
    [
        (1.0, "C029", "rounded to 1 m"),
        (0.25, "C029", "rounded to 0.25 m"),
        (50.0, "C029", "rounded to 50 m"),
    ],
)
def test_rounded_metres_are_said_once(step, rule, told):
    faults = judge(np.round(scattered() / step) * step)
    assert found(faults) == [("a.shp", 1, rule)]
    assert f"40 of 40 positions of this file are {told}" in faults.outcome().faults["reason_en"][0]


def test_single_precision_is_found_in_the_northing():
    points = scattered().astype(np.float32).astype(float)
    assert found(judge(points)) == [("a.shp", 1, "C029")]


def test_degrees_of_five_decimals_are_found_and_of_seven_not():
    degrees = np.column_stack(TO_DEGREES.transform(*scattered().T))
    for decimals, expected in ((5, ["C037"]), (4, ["C037"]), (7, [])):
        points = np.column_stack(TO_METRES.transform(*np.round(degrees, decimals).T))
        for cut in (points, np.round(points, 3)):
            assert [rule for _, _, rule in found(judge(cut))] == expected


def test_a_lattice_anywhere_is_found_and_a_straight_row_is_none():
    x, y = np.meshgrid(np.arange(6) * 20.0, np.arange(6) * 20.0)
    lattice = np.column_stack([x.ravel() + EAST + 0.123, y.ravel() + NORTH + 0.457])
    assert found(judge(lattice)) == [("a.shp", 1, "C036")]
    row = np.column_stack([EAST + 0.123 + np.arange(40) * 20.0, np.full(40, NORTH + 0.457)])
    assert found(judge(row)) == []


def test_only_the_file_at_fault_is_named_and_few_points_tell_nothing():
    points = np.concatenate([scattered(), np.round(scattered(seed=2))])
    files = ["a.shp"] * 40 + ["b.shp"] * 40
    assert found(judge(points, files)) == [("b.shp", 41, "C029")]
    assert found(judge(np.round(scattered(19)))) == []
    mixed = scattered()
    mixed[:30] = np.round(mixed[:30])  # three in four is not nine in ten
    assert found(judge(mixed)) == []
