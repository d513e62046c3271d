"""Place names of the sample district: each rule speaks where its fault was planted, and nowhere else."""

import csv

import pytest

from gis.codes import read_rules
from gis.database import read_rows

FILES = ("标准地名.csv", "注记.shp")
NOT_HERE = {"PN21": "a place renamed needs a second delivery: test_history.py"}


@pytest.fixture(scope="module")
def told(built_sample):
    with built_sample.database.connect(read_only=True) as connection:
        rows = read_rows(
            connection,
            "SELECT source_file, source_row, rule FROM meta.reject WHERE dataset = 'place_names'",
        )
    return {
        (file.split("/")[-1], int(row), rule)
        for file, row, rule in zip(
            rows["source_file"], rows["source_row"], rows["rule"], strict=True
        )
    }


@pytest.fixture(scope="module")
def planted(sample_delivery):
    with (sample_delivery / "answers" / "faults.csv").open(encoding="utf-8") as file:
        return {
            (row["file"], int(row["source_row"]), row["rule"])
            for row in csv.DictReader(file)
            if row["file"] in FILES and row["rule"]
        }


def test_what_is_found_is_what_was_planted(told, planted):
    assert told == planted


def test_every_rule_of_place_names_is_planted(planted):
    rules = set(read_rules("pipelines.place_names"))
    assert {rule for _, _, rule in planted} & rules == rules - set(NOT_HERE)


def test_labels_along_streets_become_one_name_each(built_sample):
    with built_sample.database.connect(read_only=True) as connection:
        rows = read_rows(
            connection,
            "SELECT name, source, feature_code, cardinality(area_codes) AS areas "
            "FROM place_names.place_name WHERE valid_to IS NULL",
        )
    tabled = rows[rows["source"] == "table"]
    labels = rows[rows["source"] == "labels"]
    # All but the two planted ones, and a road that the table leaves out, name a place of the table, which
    # they tie to its feature.
    assert sorted(labels["name"]) == ["东岗旧货市场", "中华大街", "望尽街"]
    tied = tabled[tabled["feature_code"].notna()]
    assert {"中山路", "体育大街", "湖诚人民医院", "东桥家园二期工地"} <= set(tied["name"])
    assert len(tied) >= 35
