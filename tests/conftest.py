"""A real PostGIS for the tests: one throw-away cluster a session, one fresh database a test."""

import gc
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from playwright.sync_api import Playwright, sync_playwright

from api.static.vendor import FOLDER
from gis import cluster
from gis.database import Database, migrate
from gis.server import Server
from gis.workspace import Workspace
from tests.databases import CRS, SRID, create, created, opened
from tests.sample_fixtures import built_sample, sample_delivery, sample_snapshot
from tests.server_fixtures import running, town
from tests.town_fixtures import standing_town

# Fixtures, offered to every test.
__all__ = [
    "built_sample",
    "running",
    "sample_delivery",
    "sample_snapshot",
    "standing_town",
    "town",
]

_numbers = count(1)

_PLENTY_BYTES = 8 * 2**30
"""Memory beside which the clusters of some workers do not count: each takes some hundreds of MB."""

# A slow machine is no fault, and the same code gives the same verdict each time.
settings.register_profile("wanmi", deadline=None, derandomize=True)
settings.load_profile("wanmi")

# What a shell runs in the background ignores Ctrl-C, and so would all that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A running cluster without ``fsync``; it stops when this process ends, in whatever way."""
    with tempfile.TemporaryDirectory(
        prefix="wanmi-tests-", dir=_memory(), ignore_cleanup_errors=True
    ) as name:
        root = Path(name)
        root.chmod(0o755)
        running = _with_postgis_loaded(root)
        watch = _stop_when_orphaned(running, root)
        try:
            yield running
        finally:
            cluster.down(root)
            watch.communicate()
            shutil.rmtree(running.home, ignore_errors=True)


def _memory() -> Path | None:
    """Return the folder of files in memory where there is plenty of it, else None: the usual one.

    A database is a thousand files: there they are copied and dropped in a tenth of the time.
    """
    folder, told = Path("/dev/shm"), Path("/proc/meminfo")
    if not folder.is_dir() or not told.exists():
        return None
    available = re.search(r"^MemAvailable: *(\d+) kB$", told.read_text("ascii"), re.MULTILINE)
    free = min(shutil.disk_usage(folder).free, int(available[1]) * 1024 if available else 0)
    return folder if free > _PLENTY_BYTES and os.access(folder, os.W_OK) else None


def _with_postgis_loaded(root: Path) -> Server:
    """Start the cluster with PostGIS in it: loading it takes longer than most connections need.

    Not for cities: the PostGIS 3.3 of a connection could no longer be interrupted.
    """
    running = cluster.up(root, is_durable=False)
    with psycopg.connect(running.url("postgres"), autocommit=True) as connection:
        try:
            connection.execute("LOAD 'postgis-3'")
        except psycopg.Error:
            return running  # another name of the library
        connection.execute("ALTER SYSTEM SET shared_preload_libraries = 'postgis-3'")
    cluster.down(root)
    return cluster.up(root, is_durable=False)


def _stop_when_orphaned(running: Server, root: Path) -> "subprocess.Popen[bytes]":
    # The pipe closes even when the tests are killed; then the server is ended and its files removed.
    script = (
        'cat >/dev/null; pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid"; '
        'sleep 0.2; rm -rf "$1" "$2"'
    )
    return subprocess.Popen(
        ["/bin/sh", "-c", script, "sh", str(running.home), str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.fixture(scope="session")
def template(server: Server) -> str:
    """Name of a migrated database to copy."""
    name = "wanmi_template"
    create(server, name)
    migrate(Database(url=server.url(name), crs=CRS, srid=SRID))
    return name


@pytest.fixture
def model(template: str) -> str:
    """Name of what `database` is a copy of: empty here, a built town where a file overrides it."""
    return template


@pytest.fixture
def database(server: Server, model: str) -> Iterator[Database]:
    """A fresh migrated database in EPSG:4547."""
    with created(server, f"test_{next(_numbers)}", of=model) as url:
        yield Database(url=url, crs=CRS, srid=SRID)


@pytest.fixture
def empty_database(server: Server) -> Iterator[Database]:
    """A database without anything in it, not even PostGIS."""
    with created(server, f"test_{next(_numbers)}") as url:
        yield Database(url=url, crs=CRS, srid=SRID)


@pytest.fixture
def workspace(tmp_path: Path, database: Database) -> Workspace:
    """A workspace of city 130102 whose database is `database`."""
    return opened(tmp_path / "workspace", database.url)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The one Playwright of a worker; a second would meet the first one's event loop."""
    with sync_playwright() as made:
        yield made


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> str:
    """Path of the system's Chromium, else Playwright's own; skipped where there is none."""
    if not FOLDER.is_dir():
        pytest.skip("no browser libraries: python -m api.static.vendor")
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if (found := shutil.which(name)) is not None:
            return found
    own = Path(playwright.chromium.executable_path)
    if own.is_file():
        return str(own)
    pytest.skip("no Chromium: install it, as with sudo apt-get install chromium")


# Fixture -> group: what is expensive to make is made in one worker only.
_GROUPS = {
    "built_sample": "sample",
    "running": "server",
    "town": "server",
    "playwright": "server",
}

# On a fresh checkout the sample compiles what is looked up by; whatever ran beside it would compile that once
# more: divisions first, then the search for places, then decisions. So the other worker begins with files that
# need nothing compiled, as long as divisions take, goes on with surveys, which need what is compiled by then,
# and then divides a city and decides on its cases.
_BEGINNING = (
    "sample",
    "test_vector",
    "tests/census/merging/test_properties.py",
    "tests/census/plan/test_plan_coverage.py",
    "tests/census/accuracy/test_measurement.py",
    "tests/census/test_migration.py",
    "test_shapefile_fuzz",
    "test_cluster",
    "tests/gis/test_backup.py",
    "test_builds",
    "tests/gis/test_builds.py",
    "test_real_teams",
    "test_cambridge",
)


def pytest_configure(config: pytest.Config) -> None:
    """Have pytest-xdist hand the groups out in the order of the tests, not the biggest first."""
    gc.disable()  # until all is collected: a third of the time would go into looking for garbage
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


# First, before pytest-xdist reads the marks.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests that share something expensive in one worker; begin with what takes long."""
    groups = {item: _group_of(item) for item in items}
    slow = {groups[item] for item in items if item.get_closest_marker("slow")}
    # Long work at the end would leave the other worker idle.
    items.sort(key=lambda item: _turn(item, group=groups[item], slow=slow))
    for item, group in groups.items():
        if group is None:
            continue
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(group))
        if config.getoption("loadgroup", default=False) and hasattr(item, "_id"):
            # pytest-xdist 3.8 writes the group into a field that pytest 9.2 no longer reads.
            item._id = item._id.parse(f"{item.nodeid}@{group}")


def pytest_collection_finish() -> None:
    """Take what is loaded by now, all of which stays, out of what the collector goes through."""
    gc.freeze()
    gc.enable()


def _turn(item: pytest.Item, *, group: str | None, slow: Set[str | None]) -> tuple[int, int]:
    if group in _BEGINNING:
        return 0, _BEGINNING.index(group)
    if group in slow:
        return 1, 0
    made = _made_for(item)
    if _shared_by(item) is not None:
        return 2, 0
    return (3 if "server" in made else 4), 0


def _group_of(item: pytest.Item) -> str | None:
    """Return what must be in one worker: tests with a common fixture, else those of one file."""
    if (group := _shared_by(item)) is not None:
        return group
    # One by one the thousands of short tests would keep the scheduler busy, long ones alone fit better.
    return None if item.get_closest_marker("slow") else item.nodeid.split("::")[0]


def _shared_by(item: pytest.Item) -> str | None:
    if (mark := item.get_closest_marker("xdist_group")) is not None:
        return str(mark.args[0])
    made = _made_for(item)
    for name, group in _GROUPS.items():
        if name in made and made[name][-1].scope == "session":
            return group
    # What is made once a module is made for the whole of it.
    is_shared = any(found[-1].scope == "module" for found in made.values())
    return item.path.stem if is_shared else None


def _made_for(item: pytest.Item) -> Mapping[str, Sequence[Any]]:
    fixtures = getattr(item, "_fixtureinfo", None)
    return fixtures.name2fixturedefs if fixtures is not None else {}
