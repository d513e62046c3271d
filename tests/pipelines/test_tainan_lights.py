"""Whose is a street light that does not burn: real cases asked against real cables of Tainan."""

from collections.abc import Iterator

import pytest

from gis.builds import live
from tests.real import tainan, tainan_pipelines
from tests.real.building import RealCity, built
from tests.real.questions import LIGHT_CABLES, Lights, light_cases

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not tainan.SOURCE.is_dir(), reason="the shared real data is not here"),
]


@pytest.fixture(scope="module")
def city(server, tmp_path_factory) -> Iterator[RealCity]:
    folder = tmp_path_factory.mktemp("tainan-lights")
    write = tainan_pipelines.write_workspace
    with built(server, folder, write_workspace=write, name="tainan_lights") as real:
        yield real


@pytest.fixture(scope="module")
def lights(city: RealCity) -> Lights:
    components = live(city.database, "components")
    return light_cases(city.snapshot, components[components["class_code"] == LIGHT_CABLES])


def test_a_case_that_finds_a_cable_finds_its_unit(lights: Lights) -> None:
    assert lights.cases > 1_000
    assert lights.found > 0.0
    assert lights.unit_of_found > 0.95


def test_no_cable_is_chosen_where_none_is_near(lights: Lights) -> None:
    # A position good to 10 m is searched for some tens of metres about.
    assert lights.near[5.0] <= lights.near[10.0] <= lights.near[50.0] <= lights.near[100.0]
    assert lights.found <= lights.near[100.0]
    assert lights.found >= 0.5 * lights.near[10.0]
