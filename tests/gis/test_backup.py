"""Backups with the real programs: back exactly, or not at all."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psycopg
import pytest

from gis import migrations
from gis.backup import _environment, back_up, restore
from gis.database import Database, migrate, read_rows
from gis.errors import DatabaseError
from tests.gis.test_migrations import catalogue, session

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def filled(database: Database) -> Database:
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO meta.delivery (name, as_of, path, content_hash) VALUES ('春季', '2026-05-31', 'p', 'h')"
        )
        connection.execute(
            "INSERT INTO cases.case (case_id, kind, class_code, reported_at, needs_review, state, request_hash, geom) "
            "SELECT n::text, 'event', '0101', '2026-05-31 08:00+08', false, 'assigned', repeat(md5(n::text), 20), "
            "ST_SetSRID(ST_Point(n, n), 4547) FROM generate_series(1, 2000) AS n"
        )
    return database


def cases(database: Database) -> pd.DataFrame:
    with database.connect() as connection:
        return read_rows(connection, "SELECT * FROM cases.case ORDER BY case_id")


def test_a_backup_comes_back_in_an_empty_database(
    filled: Database, empty_database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "备份 1.dump"
    assert back_up(filled, file) == file.stat().st_size > 1000
    assert restore(empty_database, file) == []
    pd.testing.assert_frame_equal(cases(empty_database), cases(filled))
    assert catalogue(empty_database) == catalogue(filled)
    with empty_database.connect(as_api=True) as api:
        assert api.execute("SELECT count(*) FROM cases.case").fetchone() == (2000,)
    # Numbers go on where they were.
    with empty_database.connect() as connection:
        row = connection.execute(
            "INSERT INTO meta.delivery (name, as_of, path, content_hash) VALUES ('x', '2026-06-30', 'p', 'h') "
            "RETURNING delivery_id"
        ).fetchone()
    assert row == (2,)


def test_content_is_replaced_only_by_force(filled: Database, tmp_path: Path) -> None:
    file = tmp_path / "a.dump"
    back_up(filled, file)
    with filled.connect() as connection:
        connection.execute("DELETE FROM cases.case WHERE case_id = '7'")
        connection.execute("CREATE TABLE public.of_another_program AS SELECT 1 AS n")
    with pytest.raises(DatabaseError, match="is not empty: `wanmi db restore FILE --force`"):
        restore(filled, file)
    assert len(cases(filled)) == 1999
    restore(filled, file, force=True)
    assert len(cases(filled)) == 2000
    with filled.connect() as connection:
        assert connection.execute("SELECT n FROM public.of_another_program").fetchone() == (1,)


def test_a_damaged_backup_changes_nothing(filled: Database, tmp_path: Path) -> None:
    file = tmp_path / "a.dump"
    size = back_up(filled, file)
    before = cases(filled)
    cut = tmp_path / "cut.dump"
    # Cut in the middle of the rows: the list of contents is whole, the data is not.
    cut.write_bytes(file.read_bytes()[: size - 5000])
    with pytest.raises(
        DatabaseError, match=r"can not be restored \(.*\); the database was not changed"
    ):
        restore(filled, cut, force=True)
    pd.testing.assert_frame_equal(cases(filled), before)
    other = tmp_path / "notes.txt"
    other.write_text("not a backup")
    with pytest.raises(DatabaseError, match="is no backup of Wanmi"):
        restore(filled, other, force=True)
    with pytest.raises(DatabaseError, match="is no file"):
        restore(filled, tmp_path / "none.dump", force=True)


def test_a_backup_of_another_crs_is_refused(
    filled: Database, empty_database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "a.dump"
    back_up(filled, file)
    other = Database(url=empty_database.url, crs="EPSG:4526", srid=4526)
    migrate(other)
    with pytest.raises(DatabaseError, match=r"another CRS than SRID 4526 of wanmi\.toml"):
        restore(other, file)
    with other.connect() as connection:
        assert connection.execute("SELECT Find_SRID('grids', 'area', 'geom')").fetchone() == (4526,)


def test_a_backup_of_a_newer_wanmi_is_refused(
    filled: Database, empty_database: Database, tmp_path: Path
) -> None:
    with filled.connect() as connection:
        connection.execute("UPDATE meta.alembic_version SET version_num = '9999'")
    file = tmp_path / "a.dump"
    back_up(filled, file)
    with pytest.raises(DatabaseError, match="of a newer version of Wanmi"):
        restore(empty_database, file)


def test_a_backup_of_an_earlier_wanmi_is_migrated(
    filled: Database, empty_database: Database, tmp_path: Path
) -> None:
    whole = catalogue(filled)
    with session(filled) as connection:
        migrations.downgrade(connection, srid=4547, revision="0008")
    file = tmp_path / "a.dump"
    back_up(filled, file)
    assert restore(empty_database, file) == migrations.revisions()[8:]
    assert catalogue(empty_database) == whole


def test_a_backup_of_a_newer_server_is_refused(
    filled: Database, empty_database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "a.dump"
    back_up(filled, file)
    with filled.connect() as connection:
        major = connection.info.server_version // 10_000
    # The archive's head holds the versions of server and program as text.
    newer = tmp_path / "newer.dump"
    newer.write_bytes(file.read_bytes().replace(f"{major}.".encode(), b"99.", 2))
    with pytest.raises(DatabaseError, match=rf"is of PostgreSQL 99 and this server is {major}"):
        restore(empty_database, newer)


def test_a_file_that_exists_is_kept(filled: Database, tmp_path: Path) -> None:
    file = tmp_path / "a.dump"
    file.write_text("mine")
    with pytest.raises(DatabaseError, match="exists: name another file"):
        back_up(filled, file)
    assert file.read_text() == "mine"
    with pytest.raises(DatabaseError, match="The backup failed"):
        back_up(filled, tmp_path / "none" / "a.dump")


def test_schemas_of_another_program_are_left_alone(
    filled: Database, empty_database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "a.dump"
    back_up(filled, file)
    with psycopg.connect(empty_database.url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA cases")
    with pytest.raises(DatabaseError, match=r"schemas of another program \(cases\)"):
        restore(empty_database, file, force=True)


def test_a_password_goes_by_the_environment_not_the_command_line() -> None:
    url = "postgresql://gis:s%20cret@db.example:6543/city?sslmode=require"
    environment = _environment(Database(url=url, crs="EPSG:4547", srid=4547))
    assert environment["PGPASSWORD"] == "s cret"
    assert environment["PGHOST"] == "db.example"
    assert environment["PGPORT"] == "6543"
    assert environment["PGSSLMODE"] == "require"


STOPPED = """
import sys
from pathlib import Path
from gis.backup import back_up
from gis.database import Database
back_up(Database(url=sys.argv[1], crs="EPSG:4547", srid=4547), Path(sys.argv[2]))
"""


def test_a_backup_that_is_stopped_leaves_no_file(filled: Database, tmp_path: Path) -> None:
    with filled.connect() as connection:
        connection.execute("LOCK TABLE cases.case IN ACCESS EXCLUSIVE MODE")  # pg_dump waits for it
        command = [sys.executable, "-c", STOPPED, filled.url, str(tmp_path / "a.dump")]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as running:
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            while connection.execute(waiting).fetchone() == (0,):
                assert running.poll() is None
                time.sleep(0.05)
            running.send_signal(signal.SIGINT)
    assert running.returncode != 0
    assert list(tmp_path.iterdir()) == []
