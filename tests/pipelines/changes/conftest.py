"""The small town, built once, to copy for each test."""

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest

from gis.database import Database
from gis.server import Server
from gis.settings import Settings
from gis.workspace import Workspace, open_workspace
from pipelines.build import build_delivery
from tests.conftest import CRS, SRID
from tests.pipelines.changes.ground import (
    EAST_SIDE,
    PROFILE,
    STREETS,
    WEST_SIDE,
    deliver,
    land,
    squares,
)


@pytest.fixture(scope="session")
def built(server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a database with the town of May, to copy: building it takes longer than any test."""
    name, root = "grid_change_template", tmp_path_factory.mktemp("built")
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    (root / "wanmi.toml").write_text(PROFILE, encoding="utf-8")
    settings = Settings(workspace=root, database_url=server.url(name))
    folder = deliver(
        root / "may",
        day=date(2027, 5, 1),
        communities={WEST_SIDE: land(0, 200), EAST_SIDE: land(200, 400)},
        features=STREETS,
        grids=squares(),
    )
    build_delivery(folder, workspace=open_workspace(root, settings=settings))
    return name


@pytest.fixture
def database(server: Server, built: str) -> Iterator[Database]:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE grid_change TEMPLATE {built}")
        yield Database(url=server.url("grid_change"), crs=CRS, srid=SRID)
        connection.execute("DROP DATABASE grid_change WITH (FORCE)")


@pytest.fixture
def town(workspace: Workspace) -> Workspace:
    return workspace
