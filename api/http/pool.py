"""The pool of read-only connections behind ``/ogc``, which lives through the database's absences."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
from psycopg.conninfo import conninfo_to_dict
from starlette.concurrency import run_in_threadpool

from gis.database import Database
from gis.errors import DatabaseError
from gis.roles import API_ROLE

MAX_CONNECTIONS = 6
CONNECT_S = 5
ABSENCES = (
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
"""Errors that mean the database is away."""


class ReadPool:
    """Connections with the rights of the API, none before the first is asked for.

    The rights are taken for the length of a loan: a session that is handed on, by this pool or by a
    pooler before the database, carries neither the role nor more than the role to the next one.

    Parameters
    ----------
    open_store : callable
        Opens the database; asked again at each acquisition until it succeeds once.
    query_s : float
        Longest time a query may take, s.
    """

    def __init__(self, open_store: Callable[[], Database], *, query_s: float) -> None:
        self._open_store = open_store
        self._query_s = query_s
        self._pool: Any = None
        self._is_limited = False
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        """Lend a connection in a read-only transaction as the role of the API.

        Raises
        ------
        DatabaseError
            The database can not be reached, or gives no role that may read only.
        """
        try:
            pool = await self._made()
            connection = await pool.acquire(timeout=CONNECT_S)
        except (OSError, *ABSENCES) as error:
            raise _away() from error
        try:
            async with connection.transaction(readonly=True):
                if not self._is_limited:
                    await connection.execute(f'SET LOCAL ROLE "{API_ROLE}"')
                yield connection
        finally:
            await pool.release(connection)

    async def _made(self) -> Any:
        async with self._lock:
            if self._pool is None:
                database = await run_in_threadpool(self._open_store)
                pool = await asyncpg.create_pool(
                    min_size=0,
                    max_size=MAX_CONNECTIONS,
                    timeout=CONNECT_S,
                    command_timeout=self._query_s + 1,
                    init=_prepare,
                    server_settings={
                        "application_name": "wanmi ogc",
                        "default_transaction_read_only": "on",
                        "statement_timeout": str(int(self._query_s * 1000)),
                    },
                    **connection_options(database.url),
                )
                try:
                    async with pool.acquire(timeout=CONNECT_S) as connection:
                        self._is_limited = not await _may_become_api(connection)
                except BaseException:
                    pool.terminate()
                    raise
                self._pool = pool
        return self._pool

    async def close(self) -> None:
        """Close all connections."""
        if self._pool is not None:
            await self._pool.close()


def connection_options(url: str) -> dict[str, Any]:
    """Return asyncpg's options for what psycopg connects by, Unix sockets included.

    Examples
    --------
    >>> connection_options("postgresql://wanmi@/city?host=/run/wanmi&port=5433")
    {'host': '/run/wanmi', 'port': 5433, 'user': 'wanmi', 'database': 'city'}
    """
    told = conninfo_to_dict(url)
    names = {"host": "host", "port": "port", "user": "user", "password": "password"}
    options: dict[str, Any] = {
        name: told[source] for name, source in names.items() if told.get(source) is not None
    }
    if "port" in options:
        options["port"] = int(options["port"])
    if told.get("dbname") is not None:
        options["database"] = told["dbname"]
    if told.get("sslmode") is not None:
        options["ssl"] = told["sslmode"]
    return options


def _away() -> DatabaseError:
    return DatabaseError(
        "The database can not be reached; start it with `wanmi db up`.",
        zh="无法连接数据库，请运行 wanmi db up。",
    )


async def _prepare(connection: Any) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, encoder=orjson.dumps, decoder=orjson.loads, schema="pg_catalog"
        )


async def _may_become_api(connection: Any) -> bool:
    """Say whether the user may act as the role of the API; one that may not must not write either."""
    # Since version 16 who made a role is its member, but may not act as it.
    right = "SET" if connection.get_server_version().major >= 16 else "MEMBER"
    query = "SELECT pg_has_role(oid, $2) FROM pg_roles WHERE rolname = $1"
    if await connection.fetchval(query, API_ROLE, right):
        return True
    writes = "SELECT has_table_privilege('grids.unit_grid', 'INSERT, UPDATE, DELETE, TRUNCATE')"
    if not await connection.fetchval(writes):
        return False
    raise DatabaseError(
        f"The layers would be read with rights to change everything: grant {API_ROLE} to the user of the "
        "database, then run `wanmi db migrate`.",
        zh=f"图层读取将拥有过大的权限：请将角色 {API_ROLE} 授予数据库用户，再运行 wanmi db migrate。",
    )
