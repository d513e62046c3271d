import psycopg
import pytest

from gis.database import Database, open_database, pending_migrations
from gis.errors import DatabaseError
from gis.workspace import Workspace


def test_a_fresh_database_lacks_nothing(database: Database) -> None:
    assert pending_migrations(database) == []


def test_a_workspace_opens_its_database(workspace: Workspace, database: Database) -> None:
    assert open_database(workspace) == database


def test_an_exception_rolls_back(database: Database) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable), database.connect() as connection:
        connection.execute("INSERT INTO meta.audit (actor, action) VALUES ('me', 'test')")
        connection.execute("SELECT 1 FROM meta.nothing")
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM meta.audit").fetchone() == (0,)


def test_an_empty_database_names_the_command(
    empty_database: Database, workspace: Workspace
) -> None:
    assert len(pending_migrations(empty_database)) == 9


def test_unreachable_database_is_one_sentence() -> None:
    gone = Database(url="postgresql://127.0.0.1:1/none", crs="EPSG:4547", srid=4547)
    with pytest.raises(DatabaseError, match="can not be reached"), gone.connect():
        pass
