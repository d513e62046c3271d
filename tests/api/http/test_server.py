"""The server as its operator meets it: starts, swaps, absences, stops."""

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import httpx
import orjson
import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.compile import compile_snapshot
from gis import cluster
from gis.database import find_database, migrate, open_database
from gis.errors import RequestError, SnapshotError
from tests.api.http.town import LAMP, X0, Y0, build_town, components, publish_rows
from tests.server_fixtures import (
    Running,
    Town,
    free_port,
    make_workspace,
    serving,
    wait_for,
    wanmi,
)
from wanmi import app

pytestmark = [pytest.mark.xdist_group("server"), pytest.mark.slow]

TILES = 16
PLACE = {"x": X0 + 250, "y": Y0 + 250, "crs": "EPSG:4547", "class_code": "0137"}


def serve_here(town: Town, *arguments: str) -> Result:
    environ = {"WANMI_DATABASE_URL": str(town.workspace.settings.database_url)}
    return CliRunner().invoke(
        app, ["-w", str(town.workspace.root), "serve", *arguments], env=environ
    )


def test_a_port_in_use_is_told_in_one_sentence(running: Running, town: Town) -> None:
    port = running.url.rpartition(":")[2]
    refused = serve_here(town, "--port", port)
    assert isinstance(refused.exception, RequestError)
    assert refused.exception.message.startswith(f"Port {port} is in use; choose another")


def test_no_snapshot_is_told_with_the_command(town: Town, tmp_path: Path) -> None:
    empty = Town(make_workspace(tmp_path / "empty", None), town.database)
    refused = serve_here(empty, "--port", str(free_port()))
    assert isinstance(refused.exception, SnapshotError)
    assert "wanmi snapshot" in refused.exception.message


def test_the_first_tiles_of_a_cold_server_are_drawn_however_many_at_once(town: Town) -> None:
    """The library of tiles is loaded with the first: all who ask at once wait until it is there."""
    gate = threading.Barrier(TILES)
    with serving(town.workspace, "--workers", "1") as cold, cold.client() as client:

        def ask(number: int) -> tuple[int, str]:
            gate.wait()
            answer = client.get(f"/imagery/west/tiles/4/{number}/6.png")
            return answer.status_code, answer.text if answer.status_code != 200 else ""

        with ThreadPoolExecutor(TILES) as pool:
            assert set(pool.map(ask, range(TILES))) == {(200, "")}


class Asker(threading.Thread):
    """Looks the lamp up again and again and keeps what it was told."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._stop_asking = threading.Event()
        self.answers: list[tuple[int, str]] = []

    def run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=180) as client:
            while not self._stop_asking.is_set():
                answer = client.get("/v1/lookup", params=PLACE)
                version = answer.json().get("data_version", "") if answer.content else ""
                self.answers.append((answer.status_code, version))

    def finish(self) -> list[tuple[int, str]]:
        self._stop_asking.set()
        self.join()
        return self.answers


def wait_for_version(client: httpx.Client, version: str) -> None:
    ends = time.monotonic() + 180
    while client.get("/v1/builds").json()["data_version"] != version:
        assert time.monotonic() < ends, "the snapshot was not taken in"
        time.sleep(0.1)


def notes(client: httpx.Client) -> list[str]:
    told = client.get("/readyz")
    assert told.status_code == 200
    return [note["code"] for note in told.json()["notes"]]


def test_a_new_snapshot_is_taken_in_without_losing_a_request(own_town: Town) -> None:
    pointer = own_town.workspace.snapshots / "current"
    items = "/ogc/collections/components/items"
    with serving(own_town.workspace) as server, server.client() as client:
        before = client.get("/v1/builds").json()["data_version"]
        assert notes(client) == []
        asker = Asker(server.url)
        asker.start()
        kept = components()[1:]
        publish_rows(own_town.database, "components", kept, as_of=date(2026, 3, 1))

        # The layers show the live rows at once; the snapshot is older now, and the server says so.
        assert client.get(items).json()["numberMatched"] == 3
        earlier = client.get(items, params={"datetime": "2026-02-28T00:00:00Z"}).json()
        assert LAMP in [feature["id"] for feature in earlier["features"]]
        assert notes(client) == ["snapshot_stale"]

        after = compile_snapshot(own_town.database, own_town.workspace).name
        wait_for_version(client, after)
        assert notes(client) == []
        # The lamp is gone from now on, and still there on an earlier day.
        now = client.get("/v1/lookup", params=PLACE).json()
        assert now["component"]["code"] != LAMP
        then = client.get("/v1/lookup", params={**PLACE, "as_of": "2026-02-28"}).json()
        assert then["component"]["code"] == LAMP

        # The pointer decides: back to the previous one, and not to one that is not there.
        pointer.write_text(f"{before}\n", encoding="utf-8")
        wait_for_version(client, before)
        pointer.write_text("nothing\n", encoding="utf-8")
        ends = time.monotonic() + 180
        while "snapshot_fault" not in notes(client):
            assert time.monotonic() < ends
            time.sleep(0.1)
        assert client.get("/v1/lookup", params=PLACE).json()["data_version"] == before

        answers = asker.finish()
        assert {status for status, _ in answers} == {200}
        assert {version for _, version in answers} == {before, after}

        # What is loaded for a later day is told, and shows neither in layers nor in answers yet.
        later = datetime.now(UTC).date() + timedelta(days=40)
        publish_rows(own_town.database, "components", kept[1:], as_of=later)
        newest = compile_snapshot(own_town.database, own_town.workspace).name
        wait_for_version(client, newest)
        assert client.get(items).json()["numberMatched"] == 3
        then = client.get(items, params={"datetime": f"{later}T00:00:00Z"}).json()
        assert then["numberMatched"] == 2
        (change,) = client.get("/v1/builds").json()["coming"]
        told = (change["day"], change["dataset"], change["begins"], change["ends"])
        assert told == (f"{later}", "components", 0, 1)


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
        ends = time.monotonic() + 180
        while client.get("/readyz").json()["status"] != "ready":
            assert time.monotonic() < ends
            time.sleep(0.2)
        assert client.get(items).status_code == 200
        assert client.get("/imagery").status_code == 200
        assert {status for status, _ in asker.finish()} == {200}


def test_a_server_answers_without_its_database_and_stops_politely(own_town: Town) -> None:
    away = make_workspace(
        own_town.workspace.root, "postgresql://nobody:hunter2@127.0.0.1:1/nothing"
    )
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = wanmi(away, "serve", "--port", str(port))
    try:
        wait_for(url, process)
        with httpx.Client(base_url=url, timeout=180) as client:
            assert client.get("/v1/lookup", params=PLACE).json()["component"]["code"] == LAMP
            assert notes(client) == ["database_away"]
            assert client.get("/ogc/collections").status_code == 200
            refused = client.get("/ogc/collections/unit_grids/items")
            assert refused.status_code == 503
            assert "hunter2" not in refused.text
        answers: list[tuple[int, bytes]] = []
        asked = threading.Event()
        asking = threading.Thread(target=lambda: answers.append(ask_batch(port, asked)))
        asking.start()
        assert asked.wait(180)
        time.sleep(0.5)  # for the worker to read what was sent
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=180)
    asking.join()
    assert process.returncode == 0, output
    ((status, body),) = answers
    assert status == 200
    assert len(orjson.loads(body)) == 3000
    assert "Serving from the snapshot alone" in output
    assert "hunter2" not in output
    assert "Traceback" not in output


def test_workers_end_when_the_first_process_was_killed(own_town: Town) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = wanmi(own_town.workspace, "serve", "--port", str(port), "--workers", "2")
    try:
        wait_for(url, process)
    finally:
        process.kill()
    # The pipe of the output is closed when the last of them is gone.
    process.communicate(timeout=60)
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{url}/healthz", timeout=10)


def ask_batch(port: int, asked: threading.Event) -> tuple[int, bytes]:
    """Return status and body of a batch's answer; tell when the batch was sent."""
    position = {"x": X0 + 250, "y": Y0 + 250, "crs": "EPSG:4547"}
    cases = [{"class_code": "0137", "position": position} for _ in range(3000)]
    connection = HTTPConnection("127.0.0.1", port, timeout=180)
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/v1/assign/batch", orjson.dumps(cases), headers)
    asked.set()
    answer = connection.getresponse()
    return answer.status, answer.read()
