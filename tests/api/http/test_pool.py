"""The rights of the layers' connections: taken for one loan, left behind after it."""

import asyncio

import asyncpg
import pytest

from api.http.pool import ReadPool
from gis.roles import API_ROLE
from tests.server_fixtures import Town

pytestmark = pytest.mark.xdist_group("server")


def test_a_loan_reads_as_the_role_of_the_api_and_leaves_nothing_behind(town: Town) -> None:
    async def lend() -> None:
        pool = ReadPool(lambda: town.database, query_s=5.0)
        async with pool.acquire() as connection:
            session = await connection.fetchval("SELECT pg_backend_pid()")
            assert await connection.fetchval("SELECT current_user") == API_ROLE
            assert await connection.fetchval("SELECT count(*) FROM grids.unit_grid") == 100
        for words in ('DELETE FROM cases."case"', "SET ROLE NONE; DELETE FROM grids.unit_grid"):
            with pytest.raises(asyncpg.PostgresError, match=r"permission denied|read-only"):
                async with pool.acquire() as connection:
                    await connection.execute(words)
        # The same session, met by somebody else after the loan.
        raw = pool._pool
        async with raw.acquire() as connection:
            assert await connection.fetchval("SELECT pg_backend_pid()") == session
            assert await connection.fetchval("SELECT current_user = session_user")
        async with pool.acquire() as connection:
            assert await connection.fetchval("SELECT current_user") == API_ROLE
        await pool.close()

    asyncio.run(lend())
