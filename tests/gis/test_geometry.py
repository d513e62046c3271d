"""Geometry checks on shapes drawn by hand."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import wkt

from gis.codes import read_rules
from gis.faults import Faults
from gis.geometry import check_geometry

RULES = read_rules("gis.codes")
CITY = shapely.box(0, 0, 100, 1000)
POLYGON = frozenset({"Polygon"})
POLYGONS = frozenset({"Polygon", "MultiPolygon"})
SQUARE = "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0))"


def check(*shapes, kinds=POLYGON, within=None):
    """Return the checked shapes and, per row, the rules it broke with their reasons."""
    parsed = [wkt.loads(shape) if isinstance(shape, str) else shape for shape in shapes]
    frame = gpd.GeoDataFrame(
        {"source_file": "a.shp", "source_row": range(1, len(parsed) + 1)},
        geometry=gpd.GeoSeries(parsed, crs="EPSG:4547"),
    )
    faults = Faults(frame, rules=RULES)
    checked = check_geometry(frame, faults, kinds=kinds, within=within)
    assert checked.index.equals(frame.index)
    assert checked.crs == frame.crs
    table = faults.outcome().faults
    rules = {
        row: dict(zip(part["rule"], part["reason_en"], strict=True))
        for row, part in table.groupby("source_row")
    }
    return checked.geometry.tolist(), rules


def test_a_good_polygon_passes_untouched():
    shapes, rules = check(SQUARE, within=CITY)
    assert shapes[0].equals_exact(wkt.loads(SQUARE))
    assert rules == {}


@pytest.mark.parametrize(
    ("shape", "rule"),
    [
        (None, "G001"),
        ("POLYGON EMPTY", "G002"),
        ("GEOMETRYCOLLECTION EMPTY", "G002"),
        (shapely.transform(wkt.loads(SQUARE), lambda xy: np.where(xy > 5, np.nan, xy)), "G003"),
        (shapely.Polygon([(0, 0), (float("inf"), 0), (1, 1)]), "G003"),
        ("POLYGON ((0 0, 10 0, 5 0, 0 0))", "G004"),
        ("POINT (1 1)", "G008"),
        ("LINESTRING (0 0, 1 1)", "G008"),
        ("MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))", "G008"),
        (
            "GEOMETRYCOLLECTION (POLYGON ((0 0, 1 0, 1 1, 0 0)), POLYGON ((5 5, 6 5, 6 6, 5 5)))",
            "G008",
        ),
        ("POLYGON ((200 2000, 210 2000, 210 2010, 200 2000))", "G009"),
        ("POLYGON ((500 50, 510 50, 510 60, 500 50))", "G010"),
    ],
)
def test_a_bad_row_is_refused_once_with_its_reason(shape, rule):
    shapes, rules = check(SQUARE, shape, within=CITY)
    assert list(rules) == [2]
    assert list(rules[2]) == [rule]
    assert shapes[1] is None


def test_self_crossing_is_repaired_and_the_area_told():
    # A bow tie of two triangles of 25 m²; the other is a square with a spike.
    bow = "POLYGON ((0 0, 10 10, 10 0, 0 10, 0 0))"
    spike = "POLYGON ((0 0, 10 0, 10 10, 5 10, 5 15, 5 10, 0 10, 0 0))"
    shapes, rules = check(bow, spike, kinds=POLYGONS)
    assert shapes[0].geom_type == "MultiPolygon"
    assert [shape.area for shape in shapes] == [50, 100]
    assert "area 0.00 to 50.00 m²" in rules[1]["G005"]
    assert "area 100.00 to 100.00 m²" in rules[2]["G005"]


def test_a_bow_tie_is_refused_where_only_one_part_may_be():
    shapes, rules = check("POLYGON ((0 0, 10 10, 10 0, 0 10, 0 0))")
    assert list(rules[1]) == ["G005", "G008"]
    assert shapes == [None]


def test_heights_are_dropped_and_told_unless_they_are_zero():
    shapes, rules = check(
        "POINT Z (1 2 7.5)", "POINT Z (1 2 0)", "POINT M (1 2 3)", kinds=frozenset({"Point"})
    )
    assert [shape.wkt for shape in shapes] == ["POINT (1 2)"] * 3
    assert list(rules) == [1]
    assert "up to 7.50" in rules[1]["G006"]


def test_parts_are_unwrapped_and_wrapped_as_the_dataset_wants():
    one = "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))"
    single, rules = check(one, kinds=POLYGONS)
    assert (single[0].geom_type, rules) == ("Polygon", {})
    multi, rules = check(SQUARE, one, kinds=frozenset({"MultiPolygon"}))
    assert ([shape.geom_type for shape in multi], rules) == (["MultiPolygon"] * 2, {})


def test_a_collection_with_one_part_of_the_kind_becomes_it():
    shapes, rules = check(
        f"GEOMETRYCOLLECTION (POINT (1 1), LINESTRING (0 0, 1 1), {SQUARE})",
        f"GEOMETRYCOLLECTION ({SQUARE})",
    )
    assert [shape.area for shape in shapes] == [100, 100]
    assert list(rules) == [1]
    assert "2 other parts" in rules[1]["G007"]


def test_the_citys_border_belongs_to_the_city():
    points = frozenset({"Point"})
    _, rules = check("POINT (100 1000)", "POINT (100.01 1000)", kinds=points, within=CITY)
    assert list(rules) == [2]
    assert "0 m from its border" in rules[2]["G009"]


def test_nothing_in_nothing_out():
    shapes, rules = check(within=CITY)
    assert (shapes, rules) == ([], {})


def test_reasons_are_there_in_chinese():
    assert all(rule.reason_zh != rule.reason_en for rule in RULES.values())


def test_what_geos_leaves_invalid_is_repaired_all_the_same():
    # make_valid(method="structure") of GEOS 3.14 gives two parts that share an edge.
    shapes, rules = check("POLYGON ((3 0, 0 2, 1 1, 3 0, 0 0, 1 1, 3 0))", kinds=POLYGONS)
    assert shapes[0].is_valid
    assert list(rules[1]) == ["G005"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=9))
def test_what_passes_is_valid_and_of_its_kind(ring):
    shapes, rules = check(shapely.Polygon(ring), kinds=POLYGONS)
    if shapes[0] is None:
        assert set(rules[1]) <= {"G002", "G004"}
    else:
        assert shapes[0].is_valid
        assert shapes[0].geom_type in POLYGONS
        assert shapes[0].area > 0
