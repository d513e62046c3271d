import geopandas as gpd
import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, Point, box

from census.duplicates import judge_neighbours, near_pairs
from census.positions import judge_geometry, judge_grids, judge_moves
from gis.codes import read_rules
from gis.faults import Faults

CRS = "EPSG:4547"


def survey(shapes, **columns):
    frame = gpd.GeoDataFrame(
        {
            "code": [f"c{n}" for n in range(len(shapes))],
            "class_code": "0104",
            "accuracy_m": 0.5,
            "grid_code": None,
            "source_file": "a.shp",
            "source_row": range(1, len(shapes) + 1),
        },
        geometry=list(shapes),
        crs=CRS,
    )
    return frame.assign(**columns)


def found(faults):
    table = faults.outcome().faults
    return list(zip(table["source_row"], table["rule"], strict=True))


def new_faults(rows):
    return Faults(rows, rules=read_rules("census"))


def test_neighbours_of_one_class_are_reported_the_later_of_each_pair():
    rows = survey(
        [Point(0, 0), Point(0.49, 0), Point(0.5, 10), Point(0, 10), Point(0, 0)],
        class_code=["a", "a", "a", "a", "b"],
    )
    faults = new_faults(rows)
    points = np.array([[p.x, p.y] for p in rows.geometry])
    judge_neighbours(rows, faults, points=points, distance_m=0.5, stack_size=9)
    assert found(faults) == [(2, "C021")]  # exactly 0.5 m is not near; another class neither
    assert faults.outcome().faults["reason_en"][0].startswith("Only 0.49 m from c0")


def test_no_rows_have_no_neighbours():
    assert near_pairs(np.empty((0, 2)), pd.Series([], dtype=object), distance_m=0.5).empty


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 12), st.sampled_from("ab")),
        min_size=1,
        max_size=25,
    )
)
def test_neighbours_are_those_a_comparison_of_all_with_all_finds(rows):
    points = np.array([[x / 4, y / 4] for x, y, _ in rows])
    classes = pd.Series([c for *_, c in rows])
    expected = {
        i
        for i in range(len(rows))
        for j in range(i)
        if classes[i] == classes[j] and np.hypot(*(points[i] - points[j])) < 0.5
    }
    assert set(near_pairs(points, classes, distance_m=0.5)["row"]) == expected


def test_unusual_geometry_is_reported():
    rows = survey([Point(0, 0), LineString([(0, 0), (1, 0)]), box(0, 0, 1, 1), box(0, 0, 1, 1)])
    faults = new_faults(rows)
    judge_geometry(rows, faults, expected=pd.Series(["point", "point", "any", "polygon"]))
    assert found(faults) == [(2, "C020")]


GRIDS = gpd.GeoDataFrame(
    {"code": ["220206001007006", "220206001007007"]},
    geometry=[box(0, 0, 10, 10), box(10, 0, 20, 10)],
    crs=CRS,
)


def test_grids_that_contradict_the_position_are_reported():
    rows = survey(
        [
            Point(5, 5),
            Point(15, 5),
            Point(10.4, 5),
            Point(30, 5),
            Point(5, 5),
            Point(5, 6),
            Point(5, 7),
        ],
        grid_code=[
            "220206001007006",
            "220206001007006",
            "220206001007006",
            None,
            "999",
            None,
            "22020600100706",
        ],
    )
    faults = new_faults(rows)
    actual = pd.Series(
        ["220206001007006", "220206001007007", "220206001007007", None, *["220206001007006"] * 3]
    )
    judge_grids(rows, faults, actual=actual, grids=GRIDS)
    # Row 3 lies 0.4 m outside the grid it names: within the accuracy of its class.
    assert found(faults) == [(2, "C030"), (4, "C032"), (5, "C031")]
    assert "5.0 m from" in faults.outcome().faults["reason_en"][0]


def test_without_grids_nothing_is_said_of_them():
    rows = survey([Point(0, 0)], grid_code="x")
    faults = new_faults(rows)
    judge_grids(rows, faults, actual=pd.Series([None], dtype=object), grids=GRIDS.iloc[:0])
    assert found(faults) == []


def test_codes_that_moved_are_reported():
    before = survey([Point(0, 0), Point(0, 0), Point(0, 0)])
    rows = survey([Point(9, 0), Point(11, 0), Point(19, 0)], accuracy_m=[0.5, 0.5, 10.0])
    faults = new_faults(rows)
    judge_moves(rows, faults, before=before, recode_distance_m=500.0)
    assert found(faults) == [(2, "C013")]  # 10 m at least, and twice the accuracy of the class
