"""What is planted in the component layers of the sample is found, and nothing else is."""

from pathlib import PurePosixPath

import pandas as pd
import pytest

from gis.builds import live
from gis.codes import read_table
from gis.database import read_rows

NOT_HERE = {
    "C008": "needs live components: test_resurvey.py",
    "C009": "needs a component that got another code: surveys/test_claims.py",
    "C013": "needs live components: test_resurvey.py",
    "C017": "needs live components: test_resurvey.py",
    "C018": "needs live components: test_resurvey.py",
    "C022": "would leave a component without grid, and the sample passes all checks: test_components.py",
    "C027": "needs live components: test_resurvey.py",
    "C032": "as C022",
    "C035": "needs a border between communities that grids follow: test_components.py",
    "C063": "needs a city of the 2026 generation: test_components.py",
    "C064": "needs an empty unit directory: test_components.py",
    "C065": "needs a unit that was split: test_components.py",
    "C090": "needs live components: test_resurvey.py",
    "C091": "needs live components: test_resurvey.py",
    "C092": "needs live components: test_resurvey.py",
    "C094": "needs dense ground all around: tests/census/test_density.py",
    "C097": "needs live components: test_resurvey.py",
}
"""Rules that the first delivery of the sample can not break, and where they are broken."""


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


def test_what_is_said_is_what_was_planted(planted, reported):
    """Both ways at once: every planted fault fires on its row, and every rule is quiet elsewhere."""
    severity = {"error": "refused", "warning": "warned"}
    spoken = planted[planted["rule"] != ""]
    rows = {row for row in spoken[["file", "source_row", "rule", "expected"]].itertuples(index=False, name=None)
            if row[1] > 0}  # fmt: skip
    whole = {(row.file, row.rule) for row in spoken.itertuples() if row.source_row == 0}
    found = {
        (row.file, int(row.source_row), row.rule, severity[row.severity])
        for row in reported.itertuples()
    }
    once = {row for row in found if (row[0], row[2]) in whole}
    assert found - once == rows
    assert {(file, rule) for file, _, rule, _ in once} == whole


def test_every_rule_is_planted(planted):
    files = ("identity", "position", "attributes", "units")
    rules = {row["code"] for name in files for row in read_table("census.rules", f"{name}.csv")}
    assert rules - set(planted["rule"]) == set(NOT_HERE)
    assert len(rules) >= 60


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
