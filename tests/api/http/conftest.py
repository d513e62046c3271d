"""A client of the shared server, and towns that a test may change."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gis.server import Server
from tests.server_fixtures import Running, Town, town_in


@pytest.fixture
def own_town(server: Server, template: str, tmp_path: Path) -> Iterator[Town]:
    """A town for one test that changes it."""
    with town_in(server, template, tmp_path / "city", "own_town") as made:
        yield made


@pytest.fixture
def client(running: Running) -> Iterator[httpx.Client]:
    with running.client() as made:
        yield made
