"""Reloads that are killed, and loads of two teams at once: what was live stays, and a rerun completes."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest

from gis.builds import list_builds, live
from gis.errors import LockedError
from pipelines.build import build_delivery
from pipelines.surveys.correction import reload_rows
from tests.pipelines.surveys.test_correction import (
    correct,
    edited,
    exported,
    standing,
    write_survey,
)
from tests.pipelines.test_crash import ended, wait_until_alone, wait_until_blocked

_RELOADING = """
import sys, time
from contextlib import contextmanager
from pathlib import Path
from gis.settings import Settings
from gis.workspace import open_workspace
from pipelines.surveys.correction import reload_rows

@contextmanager
def progress(label, *, total=None):
    if label == sys.argv[4]:
        print("reached", flush=True)
        time.sleep(60)
    yield lambda _: None

root = Path(sys.argv[1])
workspace = open_workspace(root, settings=Settings(workspace=root, database_url=sys.argv[2]))
reload_rows(Path(sys.argv[3]), workspace=workspace, progress=progress)
"""


def start(workspace, file: Path, label: str) -> "subprocess.Popen[str]":
    arguments = [str(workspace.root), workspace.settings.database_url, str(file), label]
    return subprocess.Popen(
        [sys.executable, "-c", _RELOADING, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[3],
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
        with ended(start(workspace, file, "judging corrected components")) as process:
            assert process.stdout.readline() == "reached\n"
            process.kill()
            assert process.wait() == -signal.SIGKILL
    else:
        with database.connect() as connection:
            connection.execute(f"LOCK TABLE {phase} IN SHARE MODE")  # stops the writer midway
            with ended(start(workspace, file, "never")) as process:
                wait_until_blocked(database)
                process.kill()
                assert process.wait() == -signal.SIGKILL
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
