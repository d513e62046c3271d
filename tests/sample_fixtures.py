"""The sample district, written and built once a session, for every test that needs a whole city."""

import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from api.compile import compile_snapshot
from api.snapshot import Snapshot, open_snapshot
from gis.database import Database
from gis.server import Server
from gis.settings import Settings
from gis.workspace import Workspace, open_workspace
from pipelines.build import BuildOptions, build_delivery
from pipelines.reports import DatasetReport
from pipelines.sample.writing import write_sample

SAMPLE_CITY = "130102"
SAMPLE_CRS = "EPSG:4547"


@dataclass(frozen=True, kw_only=True)
class BuiltSample:
    """A workspace whose databases hold the sample district."""

    delivery: Path
    workspace: Workspace
    database: Database
    reports: tuple[DatasetReport, ...]


@pytest.fixture(scope="session")
def sample_delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample district of 1 km², seed 1, with its answers; tests must not change it.

    The workers of a run share one: the first to need it writes it, the others wait.
    """
    run = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        run = run.parent  # each worker has a folder of its own in that of the run
    folder = run / "sample" / "changan"
    folder.parent.mkdir(exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (done := folder.parent / "done").exists():
            write_sample(folder, area_km2=1.0, seed=1)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def built_sample(
    sample_delivery: Path,
    server: Server,
    template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[BuiltSample]:
    """The sample built into a database of its own; tests must not change it."""
    name = "built_sample"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    database = Database(url=server.url(name), crs=SAMPLE_CRS, srid=4547)
    root = tmp_path_factory.mktemp("sample_workspace")
    (root / "wanmi.toml").write_text(
        f'[city]\ncode = "{SAMPLE_CITY}"\nname = "长安区"\ncrs = "{SAMPLE_CRS}"\n', encoding="utf-8"
    )
    workspace = open_workspace(root, settings=Settings(workspace=root, database_url=database.url))
    reports = build_delivery(
        sample_delivery, workspace=workspace, options=BuildOptions(actor="tests")
    )
    yield BuiltSample(
        delivery=sample_delivery, workspace=workspace, database=database, reports=tuple(reports)
    )
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def sample_snapshot(built_sample: BuiltSample) -> Snapshot:
    """The snapshot of the built sample, with all that was laid out for earlier questions."""
    return open_snapshot(compile_snapshot(built_sample.database, built_sample.workspace))
