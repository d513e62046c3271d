from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from pyproj import CRS

from gis.database import Database, migrate, open_database, pending_migrations
from gis.errors import DatabaseError
from gis.roles import become_api, grant_api_role
from gis.settings import Settings
from gis.tables import declare
from gis.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
REVISIONS = len(list((ROOT / "gis/migrations/versions").glob("r*.py")))


def test_a_fresh_database_lacks_nothing(database: Database) -> None:
    assert pending_migrations(database) == []


def test_a_workspace_opens_its_database(workspace: Workspace, database: Database) -> None:
    assert open_database(workspace) == database


def test_an_exception_rolls_back(database: Database) -> None:
    def fail() -> None:
        with database.connect() as connection:
            connection.execute("INSERT INTO meta.audit (actor, action) VALUES ('me', 'test')")
            connection.execute("SELECT 1 FROM meta.nothing")

    with pytest.raises(psycopg.errors.UndefinedTable):
        fail()
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM meta.audit").fetchone() == (0,)


def test_an_empty_database_names_the_command(
    empty_database: Database, workspace: Workspace
) -> None:
    empty = replace(workspace, settings=Settings(database_url=empty_database.url))
    with pytest.raises(
        DatabaseError, match=rf"lacks {REVISIONS} migrations: run `wanmi db migrate`"
    ):
        open_database(empty)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://127.0.0.1:1/none", "can not be reached"),
        ("not a url", "is no database URL: write postgresql://"),
    ],
)
def test_unreachable_database_is_one_sentence(url: str, told: str) -> None:
    gone = Database(url=url, crs="EPSG:4547", srid=4547)
    with pytest.raises(DatabaseError, match=told), gone.connect():
        pass


def test_a_lost_connection_is_one_sentence(database: Database) -> None:
    def lose() -> None:
        with database.connect() as connection:
            connection.execute("INSERT INTO meta.audit (actor, action) VALUES ('me', 'test')")
            with psycopg.connect(database.url, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
            connection.execute("SELECT 1")

    with pytest.raises(
        DatabaseError, match="was lost and nothing was changed: run the command again"
    ):
        lose()
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM meta.audit").fetchone() == (0,)


def test_reading_is_one_moment_and_can_not_write(database: Database) -> None:
    count = "SELECT count(*) FROM meta.audit"
    insert = "INSERT INTO meta.audit (actor, action) VALUES ('me', 'test')"
    with database.connect(read_only=True) as reader:
        assert reader.execute(count).fetchone() == (0,)
        with database.connect() as writer:
            writer.execute(insert)
        assert reader.execute(count).fetchone() == (0,)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            reader.execute(insert)


def test_the_api_reads_all_and_writes_cases_alone(database: Database) -> None:
    case = (
        "INSERT INTO cases.case (case_id, kind, class_code, reported_at, needs_review, state, request_hash) "
        "VALUES ('1', 'event', '0101', now(), false, 'assigned', 'h')"
    )
    history = "INSERT INTO cases.history (case_id, action, actor) VALUES ('1', 'assigned', 'key')"
    with database.connect(as_api=True) as api:
        api.execute(case)
        api.execute(history)
        api.execute("UPDATE cases.case SET state = 'closed'")
        for schema, table in tables(database):
            api.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(schema, table)))
    refused = [(schema, table) for schema, table in tables(database) if schema != "cases"]
    assert len(refused) == 25
    for schema, table in refused:
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            database.connect(as_api=True) as api,
        ):
            api.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(schema, table)))
    for statement in (
        "CREATE TABLE cases.mine (n int)",
        "DROP TABLE cases.case",
        "CREATE SCHEMA mine",
    ):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            database.connect(as_api=True) as api,
        ):
            api.execute(statement)


def test_a_password_is_not_shown(database: Database) -> None:
    assert "secret" not in repr(replace(database, url="postgresql://gis:secret@db/city"))


def test_a_slow_question_of_the_api_ends(database: Database) -> None:
    with database.connect(as_api=True) as api:
        assert api.execute("SHOW statement_timeout").fetchone() == ("15s",)
        api.execute("SET LOCAL statement_timeout = '50ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            api.execute("SELECT pg_sleep(5)")


def test_without_its_role_the_api_does_not_start(database: Database) -> None:
    """A user who may not become wanmi_api, but may write, is refused; one who may not write is fine."""
    with database.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS plain")
        connection.execute("CREATE ROLE plain LOGIN")
        connection.execute("GRANT USAGE ON SCHEMA grids TO plain")
        connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA grids TO plain")
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("SET SESSION AUTHORIZATION plain")
        with (
            pytest.raises(DatabaseError, match=r"ROLE wanmi_api NOLOGIN; GRANT wanmi_api TO"),
            connection.transaction(),
        ):
            become_api(connection)
        assert not grant_api_role(connection)
        connection.execute("RESET SESSION AUTHORIZATION")
        connection.execute("REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON grids.unit_grid FROM plain")
        connection.execute("SET SESSION AUTHORIZATION plain")
        with connection.transaction():
            become_api(connection)
            assert connection.execute("SELECT current_user").fetchone() == ("plain",)
        connection.execute("RESET SESSION AUTHORIZATION")
        connection.execute("DROP OWNED BY plain")
        connection.execute("DROP ROLE plain")


@pytest.fixture
def limited(empty_database: Database) -> Iterator[Database]:
    """An empty database by the URL of an owner who is no superuser and may not make roles."""
    with psycopg.connect(empty_database.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE owner NOLOGIN")
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO owner").format(name))
        connection.execute("GRANT CREATE ON SCHEMA public TO owner")
    yield replace(empty_database, url=f"{empty_database.url}&options=-c%20role%3Downer")
    with psycopg.connect(empty_database.url, autocommit=True) as connection:
        connection.execute("REASSIGN OWNED BY owner TO wanmi")
        connection.execute("DROP OWNED BY owner")
        connection.execute("DROP ROLE owner")


def test_an_owner_without_postgis_is_told_what_to_ask_for(limited: Database) -> None:
    with pytest.raises(
        DatabaseError, match=r"have the administrator run `CREATE EXTENSION postgis`"
    ):
        migrate(limited)


def test_an_owner_who_may_not_make_roles_can_migrate(
    limited: Database, empty_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with empty_database.connect() as connection:
        connection.execute("CREATE EXTENSION postgis")
    with caplog.at_level("WARNING"):
        assert len(migrate(limited)) == REVISIONS
    assert "role of the API was not set up" in caplog.text
    assert "GRANT wanmi_api TO" in caplog.text
    assert pending_migrations(limited) == []
    with (
        pytest.raises(DatabaseError, match="The API would run with rights to change everything"),
        limited.connect(as_api=True),
    ):
        pass
    # The administrator does as told; migrating again sets up the rest.
    with empty_database.connect() as connection:
        connection.execute("GRANT wanmi_api TO owner")
    assert migrate(limited) == []
    with limited.connect(as_api=True) as api:
        assert api.execute("SELECT count(*) FROM grids.area").fetchone() == (0,)


def test_a_local_crs_that_may_not_be_registered(
    limited: Database, empty_database: Database
) -> None:
    with empty_database.connect() as connection:
        connection.execute("CREATE EXTENSION postgis")
    wkt = CRS.from_epsg(4547).to_wkt().replace("114", "114.5")
    local = replace(limited, crs=wkt, srid=910_001)
    with pytest.raises(DatabaseError, match="have the administrator add SRID 910001"):
        migrate(local)


def tables(database: Database) -> list[tuple[str, str]]:
    names = [table.fullname for table in declare(database.srid).tables.values()]
    return [(name.split(".")[0], name.split(".")[1]) for name in names]
