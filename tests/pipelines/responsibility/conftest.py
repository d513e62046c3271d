"""A town in a database, and the commands of plans run on a copy of it."""

import psycopg
import pytest
from typer.testing import CliRunner

import wanmi
from gis.database import open_database
from gis.settings import Settings
from gis.vector import write_vector
from gis.workspace import open_workspace
from pipelines.build import build_delivery
from tests.pipelines.responsibility.planbooks import UNITS
from tests.pipelines.town import (
    AREAS_LAYER,
    CRS,
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
    name = "plan_town"
    execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    folder = tmp_path_factory.mktemp("plan") / "town"
    folder.mkdir()
    write_vector(areas(), folder / "areas.gpkg", layer="areas")
    write_vector(grids(), folder / "grids.gpkg", layer="grids")
    write_vector(roads(), folder / "roads.shp", encoding="gb18030")
    (folder / "units.csv").write_text(UNITS, encoding="utf-8")
    layers = [AREAS_LAYER, GRIDS_LAYER, ROADS_LAYER, {"dataset": "units", "path": "units.csv"}]
    write_manifest(folder, layers)
    build_delivery(folder, workspace=at_home(folder, server.url(name)))
    yield name
    execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def execute(server, statement):
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(statement)


def at_home(root, url):
    (root / "wanmi.toml").write_text(f'[city]\ncode = "130102"\ncrs = "{CRS}"\n', encoding="utf-8")
    return open_workspace(root, settings=Settings(workspace=root, database_url=url))


@pytest.fixture
def town(server, built_town, tmp_path):
    execute(server, f"CREATE DATABASE plan_copy TEMPLATE {built_town}")
    root = tmp_path / "workspace"
    root.mkdir()
    yield at_home(root, server.url("plan_copy"))
    execute(server, "DROP DATABASE plan_copy WITH (FORCE)")


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
