"""Builds and reloads in processes of their own, to be killed on the way.

They are forked from a process that has loaded the libraries, which takes longer than a small build.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from gis.database import Database
from gis.settings import Settings
from gis.workspace import Workspace, open_workspace
from pipelines.build import build_delivery
from pipelines.surveys.correction import reload_rows

_WAIT_S = 180
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["pipelines.build", "pipelines.surveys.correction"])

Work = Callable[..., Any]
"""Takes a file or folder, ``workspace`` and ``progress``."""


@dataclass(frozen=True)
class Killable:
    """A process that tells when it has come to the step where it stops."""

    process: ForkServerProcess
    told: Connection

    def has_stopped(self) -> bool:
        """Wait until it stops at its step; False: it ended before."""
        try:
            return self.told.poll(_WAIT_S) and self.told.recv() == "stopped"
        except EOFError:
            return False

    def kill(self) -> int | None:
        """Kill it and return its exit code."""
        self.process.kill()
        self.process.join()
        return self.process.exitcode


@contextmanager
def killable(work: Work, path: Path, *, workspace: Workspace, label: str) -> Iterator[Killable]:
    """Run ``work(path)`` in a process that stops at the step `label` and ends with the block."""
    told, telling = _FORKS.Pipe(duplex=False)
    database_url = workspace.settings.database_url
    process = _FORKS.Process(
        target=_run, args=(work, path, workspace.root, database_url, label, telling)
    )
    process.start()
    telling.close()
    try:
        yield Killable(process, told)
    finally:
        process.kill()
        process.join()
        told.close()


def _run(
    work: Work, path: Path, root: Path, database_url: str, label: str, telling: Connection
) -> None:
    @contextmanager
    def progress(step: str, *, total: int | None = None) -> Iterator[Callable[[int], None]]:
        if step == label:
            telling.send("stopped")
            time.sleep(_WAIT_S)
        yield lambda _: None

    workspace = open_workspace(root, settings=Settings(workspace=root, database_url=database_url))
    work(path, workspace=workspace, progress=progress)


def building(folder: Path, workspace: Workspace, label: str) -> AbstractContextManager[Killable]:
    """Build a delivery up to the step `label`."""
    return killable(build_delivery, folder, workspace=workspace, label=label)


def reloading(file: Path, workspace: Workspace, label: str) -> AbstractContextManager[Killable]:
    """Load corrected rows up to the step `label`."""
    return killable(reload_rows, file, workspace=workspace, label=label)


def wait_until_blocked(database: Database) -> None:
    """Wait until some connection waits for a lock."""
    _wait_for(
        database,
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()",
        otherwise="no writer was stopped",
    )


def wait_until_alone(database: Database) -> None:
    """Wait until the server has noticed that the killed client is gone."""
    _wait_for(
        database,
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
        otherwise="the killed process still holds its connection",
    )


def _wait_for(database: Database, query: str, *, otherwise: str) -> None:
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        with database.connect() as connection:
            found = connection.execute(query).fetchone()
            if found is not None and found[0]:
                return
        time.sleep(0.05)
    pytest.fail(otherwise)
