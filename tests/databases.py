"""Databases of the tests' server: copies of others, made in a blink and dropped with the test."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from gis.server import Server
from gis.settings import Settings
from gis.workspace import Workspace, open_workspace

CITY_CODE = "130102"
CRS = "EPSG:4547"
SRID = 4547
PROFILE = f'[city]\ncode = "{CITY_CODE}"\ncrs = "{CRS}"\n'


def create(server: Server, name: str, *, of: str | None = None) -> None:
    """Create a database, a copy of `of`; nothing may be connected to that."""
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        if of is not None:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(of))
            if connection.info.server_version >= 150_000:
                # By the log, as is usual since then, takes half as long again.
                statement += sql.SQL(" STRATEGY FILE_COPY")
        connection.execute(statement)


def drop(server: Server, name: str) -> None:
    """Drop a database and end what is connected to it."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def created(server: Server, name: str, *, of: str | None = None) -> Iterator[str]:
    """Create a database for the block; yields its URL."""
    create(server, name, of=of)
    yield server.url(name)
    drop(server, name)


def opened(root: Path, url: str, *, profile: str = PROFILE) -> Workspace:
    """Return the workspace `root`, made where needed, whose database is at `url`."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "wanmi.toml").write_text(profile, encoding="utf-8")
    return open_workspace(root, settings=Settings(workspace=root, database_url=url))
