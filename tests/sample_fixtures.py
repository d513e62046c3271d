"""The sample district, written and built once a session, for every test that needs a whole city."""

import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.compile import compile_snapshot
from api.snapshot import Snapshot, open_snapshot
from gis.database import Database
from gis.server import Server
from gis.workspace import Workspace
from pipelines.build import BuildOptions, build_delivery
from pipelines.reports import DatasetReport
from pipelines.sample.writing import write_sample
from tests.databases import created, opened

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
    name, root = "built_sample", tmp_path_factory.mktemp("sample_workspace")
    profile = f'[city]\ncode = "{SAMPLE_CITY}"\nname = "长安区"\ncrs = "{SAMPLE_CRS}"\n'
    with created(server, name, of=template) as url:
        workspace = opened(root, url, profile=profile)
        reports = build_delivery(
            sample_delivery, workspace=workspace, options=BuildOptions(actor="tests")
        )
        yield BuiltSample(
            delivery=sample_delivery,
            workspace=workspace,
            database=Database(url=url, crs=SAMPLE_CRS, srid=4547),
            reports=tuple(reports),
        )


@pytest.fixture(scope="session")
def sample_snapshot(built_sample: BuiltSample) -> Snapshot:
    """The snapshot of the built sample, with all that was laid out for earlier questions."""
    return open_snapshot(compile_snapshot(built_sample.database, built_sample.workspace))
