"""A second survey of the sample district, judged beside the first: each fault is found, nothing else."""

from pathlib import PurePosixPath

import pytest

from gis.builds import BuildRequest, live
from gis.database import read_rows
from pipelines.build import open_context
from pipelines.judging import judge_step
from pipelines.manifest import read_manifest
from pipelines.sample.resurvey import write_resurvey
from pipelines.steps import STEPS

# What the second team repeats of the first one's: blanks and units that are gone.
REPEATED = {"C067", "C096"}


@pytest.fixture(scope="module")
def judged(built_sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("resurvey")
    with built_sample.database.connect(read_only=True) as connection:
        query = "SELECT source_file, source_row, rule FROM meta.reject WHERE dataset = 'components'"
        blamed = read_rows(connection, query)
    blamed = blamed[~blamed["rule"].isin(REPEATED)]
    components = live(built_sample.database, "components")
    keys = set(zip(blamed["source_file"], blamed["source_row"], strict=True))
    own = zip(components["source_file"], components["source_row"], strict=True)
    planted = write_resurvey(folder, components[[key not in keys for key in own]])
    delivery = read_manifest(folder)
    context = open_context(delivery, built_sample.workspace)
    [step] = [step for step in STEPS if step.dataset == "components"]
    request = BuildRequest(
        delivery="resurvey", as_of=delivery.as_of, path=str(folder), delivery_hash="",
        dataset="components", content_hash="",
    )  # fmt: skip
    return planted, judge_step(step, request, context, advance=lambda _: None)


def test_each_fault_is_found_and_nothing_else(judged):
    planted, result = judged
    severity = {"error": "refused", "warning": "warned"}
    rows = {
        (row.file, row.source_row, row.rule, row.expected)
        for row in planted.itertuples()
        if row.source_row
    }
    whole = {(row.file, row.rule) for row in planted.itertuples() if not row.source_row}
    found = {
        (PurePosixPath(row.source_file).name, row.source_row, row.rule, severity[row.severity])
        for row in result.outcome.faults.itertuples()
        if row.rule not in REPEATED
    }
    once = {row for row in found if (row[0], row[2]) in whole}
    assert found - once == rows
    assert {(file, rule) for file, _, rule, _ in once} == whole
    assert len(once) == len(whole)  # each is said once for its class
    assert {rule for _, _, rule, _ in found} >= {
        "C008", "C013", "C017", "C018", "C027", "C090", "C091", "C092", "C097",
    }  # fmt: skip


def test_rows_in_are_rows_loaded_and_refused(judged):
    _, result = judged
    assert result.rows_read == len(result.outcome.accepted) + result.outcome.refused
    assert result.outcome.refused == 1
