"""The role of the API: it may read everything and write the schema ``cases`` only."""

import logging
from typing import Any

import psycopg
from psycopg import sql

from gis.datasets import SCHEMAS
from gis.errors import DatabaseError

API_ROLE = "wanmi_api"
_WRITABLE = "cases"
_STATEMENT_TIMEOUT = "15s"

Connection = psycopg.Connection[Any]

logger = logging.getLogger(__name__)


def grant_api_role(connection: Connection) -> bool:
    """Make the role of the API if it is missing, and grant it exactly its rights.

    Returns
    -------
    bool
        False: this user may not make roles; the log says what the administrator should run.
    """
    try:
        with connection.transaction():
            _make_role(connection)
            _grant(connection)
    except psycopg.errors.InsufficientPrivilege as error:
        logger.warning(
            "The role of the API was not set up (%s): %s",
            error.diag.message_primary,
            _advice(connection),
        )
        return False
    return True


def become_api(connection: Connection) -> None:
    """Give up all rights but those of the API, until the transaction ends.

    Raises
    ------
    DatabaseError
        The role is missing or not granted to this user, who could write more than the API may.
    """
    connection.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(_STATEMENT_TIMEOUT))
    if _may_become(connection):
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(API_ROLE)))
        return
    row = connection.execute(
        "SELECT has_table_privilege('grids.unit_grid', 'INSERT, UPDATE, DELETE, TRUNCATE')"
    ).fetchone()
    if row is not None and not row[0]:
        return  # a user that the administrator limited already
    msg = f"The API would run with rights to change everything: {_advice(connection)}"
    raise DatabaseError(msg, zh=f"API 将拥有过大的权限：{_advice(connection)}")


def _make_role(connection: Connection) -> None:
    role = sql.Identifier(API_ROLE)
    row = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [API_ROLE]).fetchone()
    if row is None:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
    if not _may_become(connection):
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))


def _may_become(connection: Connection) -> bool:
    # Since version 16 who made a role is its member, but may not act as it.
    right = "SET" if connection.info.server_version >= 160_000 else "MEMBER"
    row = connection.execute(
        "SELECT pg_has_role(oid, %s) FROM pg_roles WHERE rolname = %s", [right, API_ROLE]
    ).fetchone()
    return row is not None and bool(row[0])


def _grant(connection: Connection) -> None:
    role = sql.Identifier(API_ROLE)
    for name in SCHEMAS:
        schema = sql.Identifier(name)
        rights = "SELECT, INSERT, UPDATE, DELETE" if name == _WRITABLE else "SELECT"
        for statement in (
            "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
            "GRANT USAGE ON SCHEMA {schema} TO {role}",
            f"GRANT {rights} ON ALL TABLES IN SCHEMA {{schema}} TO {{role}}",
        ):
            connection.execute(sql.SQL(statement).format(schema=schema, role=role))


def _advice(connection: Connection) -> str:
    return (
        f"have the administrator run `CREATE ROLE {API_ROLE} NOLOGIN; "
        f'GRANT {API_ROLE} TO "{connection.info.user}"`, then run `wanmi db migrate` again.'
    )
