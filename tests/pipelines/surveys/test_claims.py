"""Rows that the history has overtaken are told: former codes, and versions that others changed."""

from datetime import date

import pytest

from gis.builds import list_builds, live
from gis.vector import write_vector
from pipelines.build import build_delivery
from pipelines.surveys.merge import merge_delivery
from tests.pipelines.town import COMPONENTS_LAYER, components, write_manifest

ONE, TWO, NEW = "1301020104000001", "1301020104000002", "1301020104000009"
JUNE, JULY = date(2026, 6, 30), date(2026, 7, 31)


@pytest.fixture
def model(standing_town):
    return standing_town


@pytest.fixture
def base(database):
    """Build number of the town's components."""
    builds = list_builds(database)
    return int(builds.loc[builds["dataset"] == "components", "build_id"].iloc[0])


def hand_in(folder, rows, *, as_of=JUNE, **layer):
    folder.mkdir()
    write_vector(rows, folder / "components.gpkg", layer="components")
    entry = {**COMPONENTS_LAYER, "path": "components.gpkg", **layer}
    write_manifest(folder, [entry], name=folder.name, as_of=as_of)
    return folder


def rules_of(reports):
    return {fault["rule"]: fault["rows"] for fault in reports[0].faults}


@pytest.fixture
def recoded(base, database):
    """The town after ONE got the code NEW."""
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO components.recode (build_id, code, former_code, evidence)"
            " VALUES (%s, %s, %s, 'generation')",
            [base, NEW, ONE],
        )
        connection.execute("UPDATE components.component SET code = %s WHERE code = %s", [NEW, ONE])
    return base


def test_a_former_code_does_not_put_its_component_there_twice(
    recoded, database, workspace, tmp_path
):
    rows = components()
    folder = hand_in(tmp_path / "old", rows, mode="update")
    reports = build_delivery(folder, workspace=workspace)
    assert rules_of(reports)["C009"] == 1
    assert reports[0].rows_rejected == 1
    codes = live(database, "components")["code"].tolist()
    assert NEW in codes
    assert ONE not in codes
    assert len(codes) == len(rows)


def test_loading_over_the_edits_of_others_is_told_row_by_row(base, workspace, tmp_path):
    rows = components()
    changed = rows.assign(ObjState=["破损"] + ["完好"] * (len(rows) - 1))
    build_delivery(hand_in(tmp_path / "others", changed), workspace=workspace)
    export = rows.assign(base_build=base)
    reports = build_delivery(hand_in(tmp_path / "late", export, as_of=JULY), workspace=workspace)
    assert rules_of(reports)["C039"] == 1


def test_a_merge_joins_both_and_says_nothing_of_it(base, workspace, tmp_path):
    rows = components()
    changed = rows.assign(ObjState=["破损"] + ["完好"] * (len(rows) - 1))
    build_delivery(hand_in(tmp_path / "others", changed), workspace=workspace)
    report = merge_delivery(
        hand_in(tmp_path / "late", rows.assign(base_build=base), as_of=JULY), workspace=workspace
    )
    assert report.base_build_id == base
    assert "C039" not in {fault["rule"] for fault in report.faults}
    assert report.changed == 0


def test_a_row_that_nobody_else_changed_is_loaded_without_a_word(base, workspace, tmp_path):
    rows = components().assign(base_build=base, Note="现场核实")
    reports = build_delivery(hand_in(tmp_path / "late", rows), workspace=workspace)
    assert "C039" not in rules_of(reports)
