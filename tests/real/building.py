"""A real city built into a database of its own, for the tests that hold its figures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from api.compile import compile_snapshot
from api.snapshot import Snapshot, open_snapshot
from gis.crs import city_crs
from gis.database import Database, migrate
from gis.server import Server
from gis.settings import Settings
from gis.workspace import Workspace, open_workspace
from pipelines.build import BuildOptions, DatasetReport, build_delivery
from tests.databases import created


@dataclass(frozen=True, kw_only=True)
class RealCity:
    """What was built."""

    delivery: Path
    workspace: Workspace
    database: Database
    reports: dict[str, DatasetReport]
    snapshot: Snapshot

    def build_again(self) -> dict[str, DatasetReport]:
        """Build the same delivery once more."""
        return build_all(self.delivery, self.workspace)


def build_all(delivery: Path, workspace: Workspace) -> dict[str, DatasetReport]:
    """Build a delivery and return the reports by dataset."""
    options = BuildOptions(actor="tests")
    reports = build_delivery(delivery, workspace=workspace, options=options)
    return {report.dataset: report for report in reports}


@contextmanager
def built(
    server: Server, folder: Path, *, write_workspace: Callable[[Path], Path], name: str
) -> Iterator[RealCity]:
    """Write the workspace and delivery into `folder`, build all of it, compile a snapshot."""
    delivery = write_workspace(folder)
    with created(server, name) as url:
        workspace = open_workspace(folder, settings=Settings(workspace=folder, database_url=url))
        crs = city_crs(workspace.profile, workspace.root)
        database = Database(url=url, crs=crs.text, srid=crs.srid)
        migrate(database)
        reports = build_all(delivery, workspace)
        compile_snapshot(database, workspace)
        yield RealCity(
            delivery=delivery,
            workspace=workspace,
            database=database,
            reports=reports,
            snapshot=open_snapshot(folder),
        )
