"""The town of `tests.pipelines.town`, built once a worker for every test that begins with it."""

from collections.abc import Iterator

import pytest

from gis.server import Server
from pipelines.build import build_delivery
from tests.databases import created, opened
from tests.pipelines.town import write_town


@pytest.fixture(scope="session")
def standing_town(
    server: Server, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Name of a database with the town; a test file gets copies of it by overriding `model`."""
    name, root = "standing_town", tmp_path_factory.mktemp("standing")
    with created(server, name, of=template) as url:
        build_delivery(write_town(root / "town"), workspace=opened(root, url))
        yield name
