"""A server under load while its snapshot is replaced, rolled back and damaged: no answer is lost or mixed."""

import os
import shutil
import signal
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import orjson
import pytest
from typer.testing import CliRunner

from api.layout import MANIFEST
from api.versions.kept import point_at, roll_back
from tests.api.district import UNITS, X0, Y0, compile_district, component, plan, point
from tests.server_fixtures import Running, make_workspace, serving
from wanmi import app

pytestmark = [pytest.mark.xdist_group("server"), pytest.mark.slow]

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
QUESTION: dict[str, Any] = {"x": X0 + 50, "y": Y0 + 50, "crs": "EPSG:4547", "class_code": "0104"}
SWITCHES = 10


class Hammer(threading.Thread):
    """Asks without a pause; keeps status, version and unit of each answer, and what was no answer."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._stopped = threading.Event()
        self.answers: list[tuple[int, str, str]] = []
        self.losses: list[str] = []

    def run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=60) as client:
            while not self._stopped.is_set():
                try:
                    answer = client.get("/v1/lookup", params=QUESTION)
                except httpx.HTTPError as error:
                    self.losses.append(repr(error))
                    continue
                told = answer.json()
                owner = (told.get("owner") or {}).get("unit_code", "")
                self.answers.append((answer.status_code, told.get("data_version", ""), owner))

    def finish(self) -> None:
        self._stopped.set()
        self.join()


def compiled(snapshots: Path, unit_code: str) -> str:
    """Compile the district with its one well kept by a unit, and return the version."""
    well = component("1301020104000001", point(50, 50), maintainer_code=unit_code)
    rows = [plan("1", "owner", "W2")]
    return compile_district(snapshots, units=UNITS, components=[well], responsibility=rows).name


def point_at_half(snapshots: Path, good: str) -> None:
    """Make a version current that is half copied: some of the files, the last of them cut short."""
    half = snapshots / "0123456789ab"
    half.mkdir()
    for name in (MANIFEST, "areas.arrow", "unit_grids.arrow"):
        shutil.copy(snapshots / good / name, half / name)
    with (half / "unit_grids.arrow").open("r+b") as file:
        file.truncate(100)
    point_at(snapshots, half.name)


def standings(server: Running) -> dict[int, str]:
    """Return the version of each worker by its process; nothing while nobody answers."""
    try:
        told = httpx.get(f"{server.url}/v1/builds", timeout=60).json()["workers"]
    except httpx.TransportError:
        return {}
    return {worker["worker"]: worker["data_version"] for worker in told}


def wait_for_workers(server: Running, version: str, *, count: int) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        told = httpx.get(f"{server.url}/v1/builds", timeout=60).json()["workers"]
        if [worker["data_version"] for worker in told] == [version] * count:
            return
        time.sleep(0.05)
    pytest.fail(f"not every worker took {version} in: {told}")


def test_switching_under_load_loses_no_request_and_mixes_no_versions(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, NOWHERE)
    owners = {compiled(workspace.snapshots, unit): unit for unit in ("W2", "W1")}
    first, second = owners
    with serving(workspace, "--workers", "2") as server:
        wait_for_workers(server, second, count=2)
        hammers = [Hammer(server.url) for _ in range(4)]
        for hammer in hammers:
            hammer.start()
        for turn in range(SWITCHES):
            wanted = (first, second)[turn % 2]
            roll_back(workspace.snapshots, wanted)
            wait_for_workers(server, wanted, count=2)
        for hammer in hammers:
            hammer.finish()
    answers = [answer for hammer in hammers for answer in hammer.answers]
    assert [loss for hammer in hammers for loss in hammer.losses] == []
    assert {status for status, _, _ in answers} == {200}
    # Owner and version always belong together, and both versions were met.
    assert {(version, owner) for _, version, owner in answers} == set(owners.items())


def test_a_version_that_is_not_whole_is_refused_and_the_old_one_goes_on(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, NOWHERE)
    good = compiled(workspace.snapshots, "W1")
    with serving(workspace) as server, server.client() as client:
        wait_for_workers(server, good, count=1)
        point_at_half(workspace.snapshots, good)
        ends = time.monotonic() + 60
        while (notes := client.get("/readyz").json()["notes"])[0]["code"] != "snapshot_fault":
            assert time.monotonic() < ends, notes
            time.sleep(0.1)
        answer = client.get("/v1/lookup", params=QUESTION)
        assert (answer.status_code, answer.json()["data_version"]) == (200, good)
        command = ["-w", str(workspace.root), "snapshot", "rollback", good[:6]]
        assert CliRunner().invoke(app, command).exit_code == 0
        while "snapshot_fault" in [note["code"] for note in client.get("/readyz").json()["notes"]]:
            assert time.monotonic() < ends
            time.sleep(0.1)


@pytest.mark.parametrize("workers", [1, 2])
def test_who_takes_a_dead_workers_place_goes_on_with_its_version(
    tmp_path: Path, workers: int
) -> None:
    workspace = make_workspace(tmp_path, NOWHERE)
    first = compiled(workspace.snapshots, "W2")
    with serving(workspace, "--workers", f"{workers}") as server:
        wait_for_workers(server, first, count=workers)
        # What the first process opened is no longer what its workers answer from.
        second = compiled(workspace.snapshots, "W1")
        wait_for_workers(server, second, count=workers)
        point_at_half(workspace.snapshots, second)
        known = standings(server)
        dying = min(known)
        for _ in range(2):  # the second dies as soon as it has begun: no reason to end the server
            os.kill(dying, signal.SIGKILL)
            ends = time.monotonic() + 60
            while (now := standings(server)).keys() <= known.keys():
                assert time.monotonic() < ends, now
                time.sleep(0.05)
            (dying,) = now.keys() - known.keys()
            assert now[dying] == second
            known |= now
        for _ in range(20):  # each over a connection of its own, so that every worker answers some
            told = httpx.get(f"{server.url}/v1/lookup", params=QUESTION, timeout=60).json()
            assert (told["data_version"], told["owner"]["unit_code"]) == (second, "W1")
        notes = httpx.get(f"{server.url}/readyz", timeout=60).json()["notes"]
        assert "The newest snapshot could not be loaded, the previous one answers." in [
            note["message"] for note in notes
        ]


def test_a_plan_of_later_days_is_told_and_waits_for_its_day(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, NOWHERE)
    turn = datetime.now(ZoneInfo("Asia/Shanghai")).date() + timedelta(days=30)
    later = {"valid_from": turn, "build_id": 2}
    rows = [plan("1", "owner", "W1", valid_to=turn), plan("2", "owner", "W2", **later)]
    version = compile_district(workspace.snapshots, units=UNITS, responsibility=rows).name
    with serving(workspace) as server, server.client() as client:
        wait_for_workers(server, version, count=1)
        told = client.get("/v1/builds").json()
        assert client.get("/v1/lookup", params=QUESTION).json()["owner"]["unit_code"] == "W1"
        assert client.get("/v1/lookup", params={**QUESTION, "as_of": f"{turn}"}).status_code == 422
    change = {"day": f"{turn}", "dataset": "responsibility", "begins": 1, "ends": 1, "builds": [2]}
    assert told["coming"] == [change]
    assert told["day"] == f"{turn - timedelta(days=30)}"


def test_builds_tell_what_is_live(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path, NOWHERE)
    version = compiled(workspace.snapshots, "W1")
    manifest = orjson.loads((workspace.snapshots / version / MANIFEST).read_bytes())
    with serving(workspace) as server, server.client() as client:
        wait_for_workers(server, version, count=1)
        told = client.get("/v1/builds").json()
    assert told["data_version"] == version
    assert told["compiled_at"] == manifest["compiled_at"]
    assert told["counts"]["components"] == 1
    assert [worker["data_version"] for worker in told["workers"]] == [version]
    assert told["workers"][0]["since"] > manifest["compiled_at"][:19]
    assert told["coming"] == []
    assert told["builds"] == manifest["builds"]
    assert told["builds"][0]["dataset"] == "unit_grids"
