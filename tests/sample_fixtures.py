"""The sample district, written and built once a session, for every test that needs a whole city."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from gis.database import Database
from gis.server import Server
from gis.settings import Settings
from gis.workspace import Workspace, open_workspace
from pipelines.build import BuildOptions, build_delivery
from pipelines.reports import DatasetReport
from pipelines.sample.writing import write_sample

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
    """The sample district of 1 km², seed 1, with its answers; tests must not change it."""
    folder = tmp_path_factory.mktemp("sample") / "changan"
    write_sample(folder, area_km2=1.0, seed=1)
    return folder


@pytest.fixture(scope="session")
def built_sample(
    sample_delivery: Path,
    server: Server,
    template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[BuiltSample]:
    """The sample built into a database of its own; tests must not change it."""
    name = "built_sample"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    database = Database(url=server.url(name), crs=SAMPLE_CRS, srid=4547)
    root = tmp_path_factory.mktemp("sample_workspace")
    (root / "wanmi.toml").write_text(
        f'[city]\ncode = "{SAMPLE_CITY}"\nname = "长安区"\ncrs = "{SAMPLE_CRS}"\n', encoding="utf-8"
    )
    workspace = open_workspace(root, settings=Settings(workspace=root, database_url=database.url))
    reports = build_delivery(
        sample_delivery, workspace=workspace, options=BuildOptions(actor="tests")
    )
    yield BuiltSample(
        delivery=sample_delivery, workspace=workspace, database=database, reports=tuple(reports)
    )
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
