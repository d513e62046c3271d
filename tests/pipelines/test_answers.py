"""The platform held to the sample district's answers: each planted fault, and nothing besides."""

import pandas as pd
import pytest

from gis.builds import live
from pipelines.build import build_delivery
from pipelines.rejects import read_rejects
from pipelines.verify import verify
from tests.sample_fixtures import BuiltSample

DATASET_OF_SHEET = {"单位": "units", "职责": "responsibility"}
WHOLE_FILE = 0
EXPECTED_BESIDES = {"RP10"}
"""A contradiction in the plan is an answer of cases.csv (plan_conflict), not a planted fault."""


@pytest.fixture(scope="module")
def faults(built_sample: BuiltSample) -> pd.DataFrame:
    """Planted faults, each with the rules and severities that spoke of its row."""
    found = read_rejects(built_sample.database)
    found["file"] = found["source_file"].str.rpartition("/")[2]
    planted = pd.read_csv(built_sample.delivery / "answers" / "faults.csv", keep_default_na=False)
    planted["spoke"] = [spoken(found, fault) for fault in planted.itertuples()]
    return planted


def spoken(found: pd.DataFrame, fault) -> set[tuple[str, str]]:
    name, _, sheet = fault.file.partition("#")
    rows = found[found["file"] == name]
    if sheet:
        rows = rows[rows["dataset"] == DATASET_OF_SHEET[sheet]]
    if fault.source_row != WHOLE_FILE:
        rows = rows[rows["source_row"] == fault.source_row]
    return set(zip(rows["rule"], rows["severity"], strict=True))


def is_right(fault) -> bool:
    errors = {rule for rule, severity in fault.spoke if severity == "error"}
    warnings = {rule for rule, severity in fault.spoke if severity == "warning"}
    if fault.expected == "refused":
        return fault.rule in errors
    if fault.expected == "warned":
        return fault.rule in warnings and (fault.source_row == WHOLE_FILE or not errors)
    return not errors  # fixed: loaded, whether or not a word is said about it


def test_every_planted_fault_is_refused_warned_or_fixed_as_expected(faults):
    wrong = [fault for fault in faults.itertuples() if not is_right(fault)]
    assert not wrong, f"{len(faults) - len(wrong)} of {len(faults)} as expected; not: {wrong}"
    assert len(faults) >= 50
    assert set(faults["expected"]) == {"refused", "warned", "fixed"}


def test_nothing_else_is_refused_and_hardly_anything_else_doubted(built_sample, faults):
    found = read_rejects(built_sample.database)
    found["file"] = found["source_file"].str.rpartition("/")[2]
    known = {(fault.file.partition("#")[0], fault.source_row) for fault in faults.itertuples()}
    whole = {file for file, row in known if row == WHOLE_FILE}
    besides = [
        (row.file, row.source_row, row.rule)
        for row in found.itertuples()
        if (row.file, row.source_row) not in known and row.file not in whole
    ]
    assert {rule for _, _, rule in besides} <= EXPECTED_BESIDES


def test_rows_read_are_accepted_or_rejected_and_none_is_lost(built_sample):
    for report in built_sample.reports:
        assert report.rows_read == report.rows_accepted + report.rows_rejected
        assert report.rows_opened == report.rows_accepted
    built = {report.dataset for report in built_sample.reports}
    assert len(built) == 12


def test_fixed_rows_are_loaded_as_they_were_meant(built_sample, faults):
    components = live(built_sample.database, "components")
    fixed = faults[faults["expected"] == "fixed"].set_index("note")
    by_row = components.set_index(["source_file", "source_row"])

    def component(note):
        fault = fixed.loc[note]
        return by_row.loc[(f"05部件/{fault['file']}", fault["source_row"])]

    assert component("code in full-width digits").name is not None
    assert by_row.index.is_unique
    assert component("date in Chinese writing")["initial_date"] is not None
    assert component("maintainer by an alias of the directory")["maintainer_code"] is not None
    addresses = live(built_sample.database, "addresses")
    plates = addresses.loc[addresses["source"] == "addresses", "full_address"]
    assert not plates.str.contains("[０-９]").any()


def test_the_sample_passes_the_checks_after_building(built_sample):
    results = verify(built_sample.database, built_sample.workspace)
    # Other tests may have compiled a snapshot of the shared sample or decided its cases.
    later = {"stored_cases_are_decided", "snapshot_is_of_the_live_builds"}
    assert {result.name for result in results if not result.passed} <= later


def test_building_the_sample_again_changes_nothing(built_sample):
    again = build_delivery(built_sample.delivery, workspace=built_sample.workspace)
    assert {report.status for report in again} == {"unchanged"}
    assert [report.build_id for report in again] == [
        report.build_id for report in built_sample.reports
    ]
