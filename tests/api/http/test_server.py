"""The server as its operator meets it: starts, swaps, absences, stops."""

import signal
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from api.compile import compile_snapshot
from gis import cluster
from gis.database import find_database, migrate, open_database
from tests.api.http.conftest import (
    Running,
    Town,
    free_port,
    make_workspace,
    serving,
    wait_for,
    wanmi,
)
from tests.api.http.town import LAMP, X0, Y0, build_town, components, publish_rows

pytestmark = [pytest.mark.xdist_group("http"), pytest.mark.slow]

PLACE = {"x": X0 + 250, "y": Y0 + 250, "crs": "EPSG:4547", "class_code": "0137"}


def test_a_port_in_use_is_told_in_one_sentence(running: Running, town: Town) -> None:
    port = running.url.rpartition(":")[2]
    process = wanmi(town.workspace, "serve", "--port", port)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output.strip().splitlines()[-1].startswith(f"Error: Port {port} is in use")
    assert "Traceback" not in output


def test_no_snapshot_is_told_with_the_command(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "empty", None)
    process = wanmi(workspace, "serve", "--port", str(free_port()))
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "wanmi snapshot" in output
    assert "Traceback" not in output


class Asker(threading.Thread):
    """Looks the lamp up again and again and keeps what it was told."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._stop_asking = threading.Event()
        self.answers: list[tuple[int, str]] = []

    def run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=30) as client:
            while not self._stop_asking.is_set():
                answer = client.get("/v1/lookup", params=PLACE)
                version = answer.json().get("data_version", "") if answer.content else ""
                self.answers.append((answer.status_code, version))

    def finish(self) -> list[tuple[int, str]]:
        self._stop_asking.set()
        self.join()
        return self.answers


def test_a_new_snapshot_is_taken_in_without_losing_a_request(own_town: Town) -> None:
    with serving(own_town.workspace) as server, server.client() as client:
        before = client.get("/v1/builds").json()["data_version"]
        asker = Asker(server.url)
        asker.start()
        publish_rows(own_town.database, "components", components()[1:], as_of=date(2026, 3, 1))
        after = compile_snapshot(own_town.database, own_town.workspace).name
        ends = time.monotonic() + 20
        while client.get("/v1/builds").json()["data_version"] != after:
            assert time.monotonic() < ends
            time.sleep(0.1)
        answers = asker.finish()
        assert {status for status, _ in answers} == {200}
        assert {version for _, version in answers} == {before, after}
        # The lamp is gone from now on, and still there on an earlier day.
        now = client.get("/v1/lookup", params=PLACE).json()
        assert now["component"]["code"] != LAMP
        then = client.get("/v1/lookup", params={**PLACE, "as_of": "2026-02-28"}).json()
        assert then["component"]["code"] == LAMP
        # Back to the previous one: the pointer decides.
        (own_town.workspace.snapshots / "current").write_text(f"{before}\n", encoding="utf-8")
        while client.get("/v1/builds").json()["data_version"] != before:
            assert time.monotonic() < ends + 20
            time.sleep(0.1)


def test_a_damaged_snapshot_leaves_the_previous_one_in_use(own_town: Town) -> None:
    with serving(own_town.workspace) as server, server.client() as client:
        before = client.get("/v1/builds").json()["data_version"]
        (own_town.workspace.snapshots / "current").write_text("nothing\n", encoding="utf-8")
        ends = time.monotonic() + 20
        while client.get("/readyz").json()["status"] == "ready":
            assert time.monotonic() < ends
            time.sleep(0.1)
        told = client.get("/readyz")
        assert told.status_code == 200
        assert [note["code"] for note in told.json()["notes"]] == ["snapshot_fault"]
        assert client.get("/v1/lookup", params=PLACE).json()["data_version"] == before


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Town]:
    """A town in an embedded cluster of its own, which the test may stop."""
    workspace = make_workspace(tmp_path / "workspace", None)
    tmp_path.chmod(0o755)
    cluster.up(workspace.root, is_durable=False)
    try:
        migrate(find_database(workspace))
        database = open_database(workspace)
        build_town(workspace, database)
        yield Town(workspace, database)
    finally:
        cluster.down(workspace.root)


def test_lookups_go_on_while_the_database_is_away(embedded: Town) -> None:
    items = "/ogc/collections/unit_grids/items?limit=1"
    with serving(embedded.workspace) as server, server.client() as client:
        assert client.get("/readyz").json()["status"] == "ready"
        assert client.get(items).status_code == 200
        asker = Asker(server.url)
        asker.start()
        cluster.down(embedded.workspace.root)
        told = client.get("/readyz")
        assert told.status_code == 200
        assert (told.json()["status"], told.json()["database"]) == ("degraded", "away")
        assert [note["code"] for note in told.json()["notes"]] == ["database_away"]
        found = client.get("/v1/lookup", params=PLACE).json()
        assert found["component"]["code"] == LAMP
        for method, path, body in (
            ("GET", items, None),
            ("GET", "/v1/cases/1", None),
            (
                "POST",
                "/v1/cases",
                {"case_id": "1", "class_code": "0137", "position": {"x": 114.003, "y": 37.935}},
            ),
        ):
            answer = client.request(method, path, json=body)
            assert (answer.status_code, answer.json()["code"]) == (503, "database"), path
            assert answer.headers["retry-after"] == "5"
        # The catalogue of imagery was not asked for before; the server does not start the database.
        assert client.get("/imagery").status_code == 503
        cluster.up(embedded.workspace.root, is_durable=False)
        ends = time.monotonic() + 30
        while client.get("/readyz").json()["status"] != "ready":
            assert time.monotonic() < ends
            time.sleep(0.2)
        assert client.get(items).status_code == 200
        assert client.get("/imagery").status_code == 200
        assert {status for status, _ in asker.finish()} == {200}


def test_a_server_starts_and_answers_without_its_database(own_town: Town) -> None:
    nowhere = make_workspace(
        own_town.workspace.root, "postgresql://nobody:hunter2@127.0.0.1:1/nothing"
    )
    port = free_port()
    process = wanmi(nowhere, "serve", "--port", str(port))
    try:
        wait_for(f"http://127.0.0.1:{port}", process)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            assert client.get("/v1/lookup", params=PLACE).json()["component"]["code"] == LAMP
            assert client.get("/readyz").json()["status"] == "degraded"
            assert client.get("/ogc/collections").status_code == 200
            away = client.get("/ogc/collections/unit_grids/items")
            assert away.status_code == 503
            assert "hunter2" not in away.text
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    assert "hunter2" not in output
    assert "Serving from the snapshot alone" in output


def test_a_stop_lets_requests_finish(town: Town) -> None:
    port = free_port()
    process = wanmi(town.workspace, "serve", "--port", str(port))
    url = f"http://127.0.0.1:{port}"
    wait_for(url, process)
    position = {"x": X0 + 250, "y": Y0 + 250, "crs": "EPSG:4547"}
    cases = [{"class_code": "0137", "position": position} for _ in range(3000)]
    answers: list[httpx.Response] = []

    def ask() -> None:
        answers.append(httpx.post(f"{url}/v1/assign/batch", json=cases, timeout=60))

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.4)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    asking.join()
    assert process.returncode == 0, output
    assert [answer.status_code for answer in answers] == [200]
    assert len(answers[0].json()) == 3000
    assert "Traceback" not in output
