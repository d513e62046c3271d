"""What the database of a workspace is and in which state, without changing or starting it."""

from dataclasses import dataclass
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from gis import cluster
from gis.crs import city_crs
from gis.database import Connection, Database, pending_migrations
from gis.roles import API_ROLE
from gis.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Health:
    """The state of a database."""

    kind: str
    """``embedded`` or ``url``."""
    state: str
    """``running``, ``stopped`` or ``absent`` (never made)."""
    place: str
    """Socket folder, or host and name of the database; never a password."""
    data: str | None = None
    """Data directory of the embedded cluster."""
    log: str | None = None
    pid: int | None = None
    postgresql: str | None = None
    """Version of the server."""
    postgis: str | None = None
    """Version of the extension in the database; None: not enabled."""
    size_bytes: int | None = None
    crs: str | None = None
    pending: tuple[str, ...] = ()
    """Revisions the database lacks; `wanmi db migrate` applies them."""
    has_api_role: bool | None = None
    """The role with the limited rights of the API exists."""


def inspect_database(workspace: Workspace) -> Health:
    """Return the state of the workspace's database; an embedded server that is down stays down.

    Raises
    ------
    DatabaseError
        The database named by URL can not be reached.
    """
    city = city_crs(workspace.profile, workspace.root)
    url = workspace.settings.database_url
    facts: dict[str, Any] = {"kind": "url", "state": "running", "crs": city.text}
    if url is None:
        found = cluster.find(workspace.root)
        state = cluster.state(workspace.root)
        facts |= {"kind": "embedded", "state": state.state, "pid": state.pid, "place": ""}
        if found is not None:
            facts |= {"place": str(found.sockets), "data": str(found.data), "log": str(found.log)}
            url = found.url()
        if found is None or state.state != "running":
            return Health(**facts)
    else:
        facts["place"] = _place(url)
    assert url is not None
    database = Database(url=url, crs=city.text, srid=city.srid)
    with database.connect() as connection:
        facts |= _server_facts(connection)
    return Health(**facts, pending=tuple(pending_migrations(database)))


def _place(url: str) -> str:
    parts = conninfo_to_dict(url)
    return f"{parts.get('host', 'local')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def _server_facts(connection: Connection) -> dict[str, Any]:
    row = connection.execute(
        "SELECT current_setting('server_version'), pg_database_size(current_database()), "
        "(SELECT extversion FROM pg_extension WHERE extname = 'postgis'), "
        "EXISTS (SELECT FROM pg_roles WHERE rolname = %s)",
        [API_ROLE],
    ).fetchone()
    assert row is not None
    names = ("postgresql", "size_bytes", "postgis", "has_api_role")
    return dict(zip(names, row, strict=True))
