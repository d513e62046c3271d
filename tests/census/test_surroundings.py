"""What stands in houses and in water; classes that may, and bridges, are left alone."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, box

from census.surroundings import allowed_names, judge_surroundings, standard_names
from gis.codes import read_rules, read_table
from gis.faults import Faults

HOUSE, YARD, LAKE = box(0, 0, 20, 20), box(100, 0, 120, 20), box(200, 0, 400, 100)
ROAD = LineString([(300, -50), (300, 150)])
GROUND = gpd.GeoDataFrame(
    {"feature_class": ["310300", "310600", "230000", "430501"]},
    geometry=[HOUSE, YARD, LAKE, ROAD],
    crs="EPSG:4547",
)


def judge(*places, name="路灯", accuracy_m=0.5, ground=GROUND):
    rows = gpd.GeoDataFrame(
        {
            "class_name": name,
            "accuracy_m": accuracy_m,
            "source_file": "a.shp",
            "source_row": range(1, len(places) + 1),
        },
        geometry=shapely.points(places),
        crs="EPSG:4547",
    )
    faults = Faults(rows, rules=read_rules("census"))
    judge_surroundings(rows, faults, points=np.array(places, dtype=float), ground=ground)
    table = faults.outcome().faults
    return list(zip(table["source_row"], table["rule"], strict=True)), table


def test_a_lamp_in_a_house_is_doubted_deeper_than_its_accuracy():
    said, table = judge((10, 10), (0.4, 10), (0.5, 10), (0.6, 10), (0, 10), (50, 50), (110, 10))
    assert said == [(1, "C025"), (4, "C025")]  # a courtyard is open ground
    assert table["reason_en"][0] == "路灯 lies in a building, 10.0 m from its outline."


def test_a_lamp_in_water_is_doubted_but_not_on_a_bridge():
    said, table = judge((230, 50), (300, 50), (324.9, 50), (325.1, 50), (401, 50))
    assert said == [(1, "C026"), (4, "C026")]
    assert "30.0 m from the bank" in table["reason_en"][0]


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("公共厕所", ["C026"]),
        ("喷泉", ["C025"]),
        ("名称待核", []),
        ("爱心驿站", []),  # a class of the city's own
        ("雨水井盖", ["C025", "C026"]),
    ],
)
def test_classes_that_may_be_there_are_left_alone(name, rules):
    said, _ = judge((10, 10), (230, 50), name=name)
    assert [rule for _, rule in said] == rules


def test_without_a_base_map_nothing_is_said():
    assert judge((10, 10), ground=GROUND.iloc[:0])[0] == []


def test_the_table_names_classes_that_exist_and_says_why():
    for row in read_table("census.codes", "surroundings.csv"):
        assert row["name"] in standard_names()
        for surrounding in ("building", "water"):
            assert bool(row[surrounding]) == bool(row[f"{surrounding}_why"])
    assert allowed_names("building") != allowed_names("water")
