"""The district in which the case of ``small_case`` lies."""

from pathlib import Path

import pytest

from api import Snapshot
from tests.api.district import component, open_district, plan, point


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return open_district(
        tmp_path / "snapshots",
        components=[
            component("1301020104000001", point(50, 50), maintainer_code="W1", owner_code="W2")
        ],
        responsibility=[
            plan("1", "competent", "G1"),
            plan("2", "territorial", "S1", kind="event", limit_value=4, limit_unit="working_hour"),
        ],
    )
