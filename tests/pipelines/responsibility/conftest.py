"""A town in a database, and the commands of plans run on a copy of it."""

import pytest
from typer.testing import CliRunner

import wanmi
from gis.database import open_database
from gis.vector import write_vector
from pipelines.build import build_delivery
from tests.databases import created, opened
from tests.pipelines.responsibility.planbooks import UNITS
from tests.pipelines.town import (
    AREAS_LAYER,
    GRIDS_LAYER,
    ROADS_LAYER,
    areas,
    grids,
    roads,
    write_manifest,
)


@pytest.fixture(scope="session")
def built_town(server, template, tmp_path_factory):
    """Name of a database with the town; each test works on a copy of it."""
    name, folder = "plan_town", tmp_path_factory.mktemp("plan") / "town"
    folder.mkdir()
    write_vector(areas(), folder / "areas.gpkg", layer="areas")
    write_vector(grids(), folder / "grids.gpkg", layer="grids")
    write_vector(roads(), folder / "roads.shp", encoding="gb18030")
    (folder / "units.csv").write_text(UNITS, encoding="utf-8")
    layers = [AREAS_LAYER, GRIDS_LAYER, ROADS_LAYER, {"dataset": "units", "path": "units.csv"}]
    write_manifest(folder, layers)
    with created(server, name, of=template) as url:
        build_delivery(folder, workspace=opened(folder, url))
        yield name


@pytest.fixture
def town(server, built_town, tmp_path):
    with created(server, "plan_copy", of=built_town) as url:
        yield opened(tmp_path / "workspace", url)


@pytest.fixture
def database(town):
    return open_database(town)


@pytest.fixture
def run(town, monkeypatch):
    monkeypatch.setenv("WANMI_DATABASE_URL", town.settings.database_url)
    app = wanmi.mount(["pipelines.responsibility", "pipelines", "api.cases", "api.versions"])

    def call(*words, fails=False):
        arguments = ["-w", str(town.root), *map(str, words)]
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert (result.exit_code != 0) == fails, result.output
        return result.stdout

    return call
