"""What is planted in the component layers of the sample is found, and nothing else is."""

from pathlib import PurePosixPath

import pandas as pd
import pytest

from gis.builds import live
from gis.database import read_rows


@pytest.fixture(scope="module")
def planted(built_sample):
    table = pd.read_csv(built_sample.delivery / "answers" / "faults.csv", keep_default_na=False)
    layers = {path.name for path in (built_sample.delivery / "05部件").iterdir()}
    return table[table["file"].isin(layers)]


@pytest.fixture(scope="module")
def reported(built_sample):
    query = "SELECT source_file, source_row, rule, severity FROM meta.reject WHERE dataset = 'components'"
    with built_sample.database.connect(read_only=True) as connection:
        rows = read_rows(connection, query)
    return rows.assign(file=[PurePosixPath(name).name for name in rows["source_file"]])


def test_every_planted_row_is_judged_as_expected(planted, reported):
    found = {
        (row.file, int(row.source_row), row.rule, row.severity) for row in reported.itertuples()
    }
    severity = {"refused": "error", "warned": "warning"}
    missed = [
        (row.file, row.source_row, row.rule, row.note)
        for row in planted[planted["source_row"] > 0].itertuples()
        if row.rule and (row.file, row.source_row, row.rule, severity[row.expected]) not in found
    ]
    assert missed == []
    assert len(planted) > 20


def test_nothing_else_is_said_of_any_row(planted, reported):
    rows = {(row.file, row.source_row, row.rule) for row in planted.itertuples()}
    whole = {(row.file, row.rule) for row in planted[planted["source_row"] == 0].itertuples()}
    other = [
        (row.file, row.source_row, row.rule)
        for row in reported.itertuples()
        if (row.file, row.source_row, row.rule) not in rows and (row.file, row.rule) not in whole
    ]
    assert other == []


def test_rows_to_be_read_as_meant_are_live_without_a_word(planted, reported, built_sample):
    fixed = planted[(planted["expected"] == "fixed") & (planted["source_row"] > 0)]
    said = set(zip(reported["file"], reported["source_row"], strict=True))
    components = live(built_sample.database, "components")
    files = [PurePosixPath(name).name for name in components["source_file"]]
    there = set(zip(files, components["source_row"], strict=True))
    for row in fixed.itertuples():
        assert (row.file, row.source_row) in there
        assert (row.file, row.source_row) not in said
    assert len(fixed) >= 3
