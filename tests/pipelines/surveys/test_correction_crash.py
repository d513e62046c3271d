"""Reloads that are killed, and loads of two teams at once: what was live stays, and a rerun completes."""

import signal
import threading

import pandas as pd
import pytest

from gis.builds import list_builds, live
from gis.errors import LockedError
from pipelines.build import build_delivery
from pipelines.surveys.correction import reload_rows
from tests.pipelines.killing import reloading, wait_until_alone, wait_until_blocked
from tests.pipelines.surveys.test_correction import (
    correct,
    edited,
    exported,
    standing,
    write_survey,
)


@pytest.mark.parametrize("phase", ["judging", "meta.reject", "components.component"])
def test_a_killed_reload_leaves_the_quarantine_as_it_was(workspace, database, tmp_path, phase):
    build_delivery(write_survey(tmp_path / "may"), workspace=workspace)
    file = edited(exported(database, tmp_path / "r.gpkg"), correct)
    before, faults, builds = (
        live(database, "components"),
        standing(database),
        list_builds(database),
    )
    if phase == "judging":
        with reloading(file, workspace, "judging corrected components") as process:
            assert process.has_stopped()
            assert process.kill() == -signal.SIGKILL
    else:
        with database.connect() as connection:
            connection.execute(f"LOCK TABLE {phase} IN SHARE MODE")  # stops the writer midway
            with reloading(file, workspace, "never") as process:
                wait_until_blocked(database)
                assert process.kill() == -signal.SIGKILL
    wait_until_alone(database)
    pd.testing.assert_frame_equal(live(database, "components"), before)
    pd.testing.assert_frame_equal(list_builds(database), builds)
    assert standing(database) == faults
    assert reload_rows(file, workspace=workspace).loaded == 3
    assert standing(database) == []


def test_two_teams_at_once_load_a_delivery_once(workspace, database, tmp_path):
    folder = write_survey(tmp_path / "may")
    gate = threading.Barrier(2)
    results: list[object] = []

    def load() -> None:
        gate.wait()
        try:
            results.append(build_delivery(folder, workspace=workspace))
        except LockedError as error:
            results.append(error)

    teams = [threading.Thread(target=load) for _ in range(2)]
    for team in teams:
        team.start()
    for team in teams:
        team.join()
    refused = [result for result in results if isinstance(result, LockedError)]
    for error in refused:
        assert "Another load of deliveries is running" in error.message
        assert "wait until it has ended" in error.message
    assert len(refused) <= 1
    assert len(results) == 2
    assert len(list_builds(database).query("dataset == 'components'")) == 1
    assert live(database, "components")["code"].is_unique
    reports = {report.dataset: report for report in build_delivery(folder, workspace=workspace)}
    assert reports["components"].status == "unchanged"
