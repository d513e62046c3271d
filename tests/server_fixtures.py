"""A real server over a town of a real database, started once for the tests of a worker."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from gis.database import Database
from gis.server import Server
from gis.settings import Settings
from gis.workspace import Workspace, open_workspace
from tests.api.http.town import build_town
from tests.databases import created

PROFILE = '[city]\ncode = "130102"\nname = "长安区"\ncrs = "EPSG:4547"\n'
START_S = 120


@dataclass(frozen=True)
class Town:
    workspace: Workspace
    database: Database


@dataclass(frozen=True)
class Running:
    """A ``wanmi serve`` that answers."""

    url: str
    process: "subprocess.Popen[str]"

    def client(self, **options: object) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=180, **options)  # type: ignore[arg-type]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wanmi(workspace: Workspace, *arguments: str) -> "subprocess.Popen[str]":
    environ = {key: value for key, value in os.environ.items() if not key.startswith("WANMI_")}
    if workspace.settings.database_url:
        environ["WANMI_DATABASE_URL"] = workspace.settings.database_url
    return subprocess.Popen(
        [sys.executable, "-m", "wanmi", "-w", str(workspace.root), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env=environ,
        cwd=Path(__file__).resolve().parents[1],
    )


@contextmanager
def serving(workspace: Workspace, *arguments: str) -> Iterator[Running]:
    """Serve a workspace on a free port of the loopback address until the block ends."""
    port = free_port()
    process = wanmi(workspace, "serve", "--port", str(port), *arguments)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url, process)
        yield Running(url, process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=180)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise


def wait_for(url: str, process: "subprocess.Popen[str]") -> None:
    ends = time.monotonic() + START_S
    while time.monotonic() < ends:
        if process.poll() is not None:
            pytest.fail(f"the server ended: {process.communicate()[0]}")
        try:
            if httpx.get(f"{url}/healthz", timeout=20).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the server did not start")


def make_workspace(root: Path, database_url: str | None) -> Workspace:
    root.mkdir(parents=True, exist_ok=True)
    (root / "wanmi.toml").write_text(PROFILE, encoding="utf-8")
    return open_workspace(root, settings=Settings(workspace=root, database_url=database_url))


@contextmanager
def town_in(server: Server, template: str, root: Path, name: str) -> Iterator[Town]:
    """A town in a database of its own."""
    with created(server, name, of=template) as url:
        database = Database(url=url, crs="EPSG:4547", srid=4547)
        workspace = make_workspace(root, url)
        build_town(workspace, database)
        yield Town(workspace, database)


@pytest.fixture(scope="session")
def town(server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The town that read-only tests share."""
    with town_in(server, template, tmp_path_factory.mktemp("town") / "城", "town") as made:
        yield made


@pytest.fixture(scope="session")
def running(town: Town) -> Iterator[Running]:
    """A server of the shared town, open to this machine."""
    with serving(town.workspace) as made:
        yield made
