"""The revisions and the declarations of ``gis.tables`` must say the same, column by column."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import psycopg
import pytest
import shapely
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from gis import migrations
from gis.builds import BuildRequest, Scope, live, publish
from gis.database import Database, migrate, open_database, pending_migrations
from gis.errors import DatabaseError
from gis.faults import REJECT_COLUMNS
from gis.settings import Settings
from gis.tables import SCHEMAS, declare
from gis.workspace import Workspace, open_workspace

# Everything that can differ between two databases, as PostgreSQL itself writes it.
CATALOGUE = {
    "columns": """
        SELECT c.oid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.attidentity, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relkind = 'r' AND c.relnamespace = ANY (%s::text[]::regnamespace[]) AND c.relname <> 'alembic_version'
        ORDER BY 1, a.attnum""",
    "tables": """
        SELECT c.oid::regclass::text, obj_description(c.oid, 'pg_class') FROM pg_class c
        WHERE c.relkind = 'r' AND c.relnamespace = ANY (%s::text[]::regnamespace[]) AND c.relname <> 'alembic_version'
        ORDER BY 1""",
    "indexes": """
        SELECT pg_get_indexdef(i.indexrelid), i.indisunique, i.indisprimary FROM pg_index i
        JOIN pg_class c ON c.oid = i.indrelid
        WHERE c.relnamespace = ANY (%s::text[]::regnamespace[]) AND c.relname <> 'alembic_version' ORDER BY 1""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = ANY (%s::text[]::regnamespace[]) AND conrelid::regclass::text <> 'meta.alembic_version'
        ORDER BY 1, 2""",
}


def catalogue(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.connect() as connection:
        return {
            name: connection.execute(query, [list(SCHEMAS)]).fetchall()
            for name, query in CATALOGUE.items()
        }


@contextmanager
def session(database: Database) -> Iterator[sa.Connection]:
    engine = database.engine()
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def test_migrations_make_exactly_what_is_declared(
    database: Database, empty_database: Database
) -> None:
    with empty_database.connect() as connection:
        connection.execute("CREATE EXTENSION postgis")
        for name in SCHEMAS:
            connection.execute(f"CREATE SCHEMA {name}")  # type: ignore[arg-type]
    with session(empty_database) as connection:
        declare(4547).create_all(connection)
    migrated, declared = catalogue(database), catalogue(empty_database)
    for name in CATALOGUE:
        assert migrated[name] == declared[name], name
    assert len(declared["columns"]) == sum(
        len(table.columns) for table in declare(4547).tables.values()
    )


def test_alembic_sees_no_difference(database: Database) -> None:
    def is_ours(name: str | None, kind: str, parents: Any) -> bool:
        return kind != "schema" or name in SCHEMAS

    def is_compared(item: Any, name: str, kind: str, *rest: Any) -> bool:
        return name != migrations.VERSION_TABLE

    options = {
        "include_schemas": True,
        "include_name": is_ours,
        "include_object": is_compared,
        "compare_server_default": True,
    }
    with session(database) as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, declare(4547)) == []


def test_every_revision_is_one_step_of_one_line() -> None:
    names = migrations.revisions()
    assert names == [f"{number:04d}" for number in range(1, len(names) + 1)]
    assert migrations.head() == names[-1]
    folder = Path(migrations.__file__).parent / "versions"
    assert len(list(folder.glob("r*.py"))) == len(names)


def test_migrating_again_changes_nothing(database: Database) -> None:
    before = catalogue(database)
    assert migrate(database) == []
    assert catalogue(database) == before


def test_down_and_up_again_one_by_one(empty_database: Database) -> None:
    assert migrate(empty_database) == migrations.revisions()
    whole = catalogue(empty_database)
    for name in [*migrations.revisions()[-2::-1], "base"]:
        with session(empty_database) as connection:
            migrations.downgrade(connection, srid=4547, revision=name)
    left = catalogue_of_what_is_left(empty_database)
    assert left == ["meta"]
    for name in migrations.revisions():
        assert migrate(empty_database, revision=name) == [name]
    assert catalogue(empty_database) == whole


def catalogue_of_what_is_left(database: Database) -> list[str]:
    with database.connect() as connection:
        rows = connection.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname = ANY (%s)", [list(SCHEMAS)]
        )
        return [row[0] for row in rows]


def test_rows_of_other_schemas_outlive_a_downgrade_and_upgrade(database: Database) -> None:
    grid = gpd.GeoDataFrame(
        {
            "code": ["130102001001001"],
            "community_code": ["130102001001"],
            "area_m2": [10_000.0],
            "origin": ["delivered"],
            "initial_date": [date(2026, 1, 1)],
        },
        geometry=[shapely.box(500_000, 4_210_000, 500_100, 4_210_100)],
        crs="EPSG:4547",
    )
    publish(
        database,
        BuildRequest(
            delivery="d",
            as_of=date(2026, 5, 31),
            path="p",
            delivery_hash="h",
            dataset="unit_grids",
            content_hash="c",
        ),
        accepted=grid,
        faults=empty_faults(),
        rows_read=1,
        scope=Scope.everything(),
        actor="tester",
    )
    before = live(database, "unit_grids")
    with session(database) as connection:
        migrations.downgrade(connection, srid=4547, revision="0002")
    assert migrate(database) == migrations.revisions()[2:]
    after = live(database, "unit_grids")
    assert after.drop(columns="geometry").equals(before.drop(columns="geometry"))
    assert after.geometry.geom_equals_exact(before.geometry, 0).tolist() == [True]


def empty_faults() -> Any:
    return gpd.pd.DataFrame(columns=list(REJECT_COLUMNS))


def test_a_database_of_a_newer_program_is_refused(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("UPDATE meta.alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseError, match=r"revision 9999.*newer.*install that version"):
        pending_migrations(database)


def test_a_failing_migration_leaves_nothing(empty_database: Database) -> None:
    with empty_database.connect() as connection:
        connection.execute("CREATE SCHEMA grids")
        connection.execute("CREATE TABLE grids.area (in_the_way int)")
    with pytest.raises(sa.exc.ProgrammingError, match="already exists"):
        migrate(empty_database)
    assert catalogue_of_what_is_left(empty_database) == ["grids"]


def test_a_migration_waits_only_a_while_for_others(database: Database) -> None:
    with session(database) as connection:
        migrations.downgrade(connection, srid=4547, revision="0008")
    with psycopg.connect(database.url) as other:
        other.execute("LOCK TABLE meta.build IN ACCESS EXCLUSIVE MODE")
        # cases.case refers to meta.build; a short limit stands for the usual fifteen seconds.
        with session(database) as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
            with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
                migrations.upgrade(connection, srid=4547)


LOCAL_WKT = """PROJCS["Shijiazhuang local",GEOGCS["CGCS2000",DATUM["China_2000",
SPHEROID["CGCS2000",6378137,298.257222101]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],
PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",114.5],
PARAMETER["scale_factor",1],PARAMETER["false_easting",100000],PARAMETER["false_northing",-4000000],
UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH]]"""


@pytest.fixture
def local_workspace(tmp_path: Path, empty_database: Database) -> Workspace:
    (tmp_path / "local.wkt").write_text(LOCAL_WKT)
    (tmp_path / "wanmi.toml").write_text('[city]\ncode = "130102"\ncrs = "local.wkt"\n')
    return open_workspace(tmp_path, settings=Settings(database_url=empty_database.url))


def test_a_local_crs_is_registered_and_used(local_workspace: Workspace) -> None:
    from gis.database import find_database

    database = find_database(local_workspace)
    assert database.srid >= 910_000
    migrate(database)
    assert open_database(local_workspace) == database
    with database.connect() as connection:
        # 114.5° E, 38° N: on the central meridian, so x is the false easting.
        row = connection.execute(
            "SELECT ST_X(p), ST_Y(p) FROM ST_Transform(ST_SetSRID(ST_Point(114.5, 38), 4490), %s) AS p",
            [database.srid],
        ).fetchone()
        assert row is not None
        assert row[0] == pytest.approx(100_000, abs=1e-6)
        # Meridian arc to 38° N on the CGCS2000 ellipsoid, less four million metres.
        assert row[1] == pytest.approx(4_207_498.019 - 4_000_000, abs=0.01)
        row = connection.execute("SELECT Find_SRID('grids', 'area', 'geom')").fetchone()
        assert row == (database.srid,)


def test_another_crs_than_the_database_holds_is_refused(database: Database, tmp_path: Path) -> None:
    (tmp_path / "wanmi.toml").write_text('[city]\ncode = "130102"\ncrs = "EPSG:4526"\n')
    workspace = open_workspace(tmp_path, settings=Settings(database_url=database.url))
    with pytest.raises(DatabaseError, match=r"SRID 4547, but wanmi\.toml names SRID 4526"):
        open_database(workspace)
