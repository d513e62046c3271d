"""The small town, built once, to copy for each test."""

from collections.abc import Iterator
from datetime import date

import pytest

from gis.server import Server
from gis.workspace import Workspace
from pipelines.build import build_delivery
from tests.databases import created, opened
from tests.pipelines.changes.ground import (
    EAST_SIDE,
    STREETS,
    WEST_SIDE,
    deliver,
    land,
    squares,
)


@pytest.fixture(scope="session")
def built(server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of a database with the town of May, to copy: building it takes longer than any test."""
    name, root = "grid_change_template", tmp_path_factory.mktemp("built")
    folder = deliver(
        root / "may",
        day=date(2027, 5, 1),
        communities={WEST_SIDE: land(0, 200), EAST_SIDE: land(200, 400)},
        features=STREETS,
        grids=squares(),
    )
    with created(server, name, of=template) as url:
        build_delivery(folder, workspace=opened(root, url))
        yield name


@pytest.fixture
def model(built: str) -> str:
    return built


@pytest.fixture
def town(workspace: Workspace) -> Workspace:
    return workspace
