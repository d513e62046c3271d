"""A migration carried out: one build that ends the old codes, opens the new ones, and remembers which was which."""

import hashlib
from dataclasses import dataclass
from datetime import date

import geopandas as gpd
import pandas as pd

from census.migration import Migration
from gis.builds import BuildRequest, BuildResult, Scope, live, publish
from gis.conform import SOURCE, business_columns
from gis.database import Connection, Database, read_rows
from gis.errors import BuildError
from gis.faults import REJECT_COLUMNS
from gis.tables import FEATURE_TABLES, declare

DATASET = "components"
EVIDENCE = "generation"
"""What ``components.recode`` says of codes that changed with the generation."""


@dataclass(frozen=True, kw_only=True)
class Census:
    """The live components, and what the plan has to know of the past."""

    rows: gpd.GeoDataFrame
    used: "pd.Series[str]"
    """Every code that a component has or ever had."""
    build_id: int | None
    """Newest live build of components; None: there is none."""
    as_of: date | None
    """Its day."""


def read_census(database: Database) -> Census:
    """Return what is live, in a state that `carry_out` can tell from a later one."""
    with database.connect(read_only=True) as connection:
        newest = _newest(connection)
        used = read_rows(
            connection,
            "SELECT code FROM components.component UNION SELECT former_code FROM components.recode",
        )
    rows = gpd.GeoDataFrame(live(database, DATASET))
    return Census(
        rows=rows,
        used=used["code"],
        build_id=None if newest is None else newest[0],
        as_of=None if newest is None else newest[1],
    )


def carry_out(
    database: Database, migration: Migration, *, census: Census, as_of: date, actor: str
) -> BuildResult | None:
    """Publish the new codes in one transaction; None: there is nothing to move.

    The old versions end on `as_of`; ``components.recode`` keeps old and new code, so that whoever names
    the old one is understood. `wanmi rollback` undoes all of it.

    Raises
    ------
    BuildError
        A component is not decided yet, or the census was changed since it was read.
    LockedError
        A load of components is running.
    """
    waiting = migration.count("undecided")
    if waiting:
        msg = (
            f"{waiting:,} components are not decided yet, so nothing was changed: list them with "
            "`wanmi census migrate --to … -o list.xlsx`, fill in the column decision, and name the "
            "file with --decisions."
        )
        raise BuildError(
            msg,
            zh=f"尚有 {waiting:,} 件部件待定，未作改动：请导出清单填写 decision 列后用 --decisions 读回。",
        )
    plan = migration.rows
    moved = plan[plan["fate"].eq("moved")]
    if moved.empty and not plan["fate"].eq("closed").any():
        return None
    accepted = _new_rows(database, census.rows, migration)
    request = BuildRequest(
        delivery=f"migration to {migration.to_ref}",
        as_of=as_of,
        path="",
        delivery_hash=_hash(migration, census),
        dataset=DATASET,
        content_hash=_hash(migration, census),
    )
    recodes = moved.loc[moved["code"].ne(moved["to_code"]), ["to_code", "code"]]

    def also(connection: Connection, build_id: int) -> None:
        _refuse_changed(connection, census, build_id)
        _record(connection, build_id, recodes)

    return publish(
        database,
        request,
        accepted=accepted,
        faults=pd.DataFrame(columns=list(REJECT_COLUMNS)),
        rows_read=len(accepted),
        scope=Scope.matching("standard_ref", sorted(plan["standard_ref"].unique())),
        actor=actor,
        also=also,
    )


def _new_rows(database: Database, rows: gpd.GeoDataFrame, migration: Migration) -> gpd.GeoDataFrame:
    """Return the rows of the older generations as they will be: moved, or kept as they are."""
    plan = migration.rows
    stays = plan[plan["fate"].isin(["moved", "kept"])]
    moved = stays[stays["fate"].eq("moved")]
    table = declare(database.srid).tables[FEATURE_TABLES[DATASET]]
    result = rows.loc[stays.index, [*business_columns(table), *SOURCE]].copy()
    result.loc[moved.index, "code"] = moved["to_code"]
    result.loc[moved.index, "class_code"] = moved["to_class"]
    result.loc[moved.index, "standard_ref"] = migration.to_ref
    return gpd.GeoDataFrame(result, geometry="geometry", crs=rows.crs)


def _hash(migration: Migration, census: Census) -> str:
    """Return what tells this migration of this census from every other."""
    digest = hashlib.sha256(f"{DATASET} {migration.to_ref} {census.build_id}\n".encode())
    plan = migration.rows
    for code, to_code, fate in zip(plan["code"], plan["to_code"], plan["fate"], strict=True):
        digest.update(f"{code} {to_code} {fate}\n".encode())
    return digest.hexdigest()


def _newest(connection: Connection, *, before: int | None = None) -> tuple[int, date] | None:
    row = connection.execute(
        "SELECT build_id, as_of FROM meta.build WHERE dataset = %s AND status = 'live' "
        "AND build_id < coalesce(%s, build_id + 1) ORDER BY build_id DESC LIMIT 1",
        [DATASET, before],
    ).fetchone()
    return None if row is None else (int(row[0]), row[1])


def _refuse_changed(connection: Connection, census: Census, build_id: int) -> None:
    newest = _newest(connection, before=build_id)
    if (None if newest is None else newest[0]) != census.build_id:
        msg = "The census was changed by another load meanwhile, so nothing was migrated: run the command again."
        raise BuildError(msg, zh="部件数据在此期间被其他入库修改，未作迁移：请重新运行。")


def _record(connection: Connection, build_id: int, recodes: pd.DataFrame) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY components.recode (build_id, code, former_code, evidence) FROM STDIN"
        ) as copy,
    ):
        for code, former in recodes.itertuples(index=False):
            copy.write_row((build_id, code, former, EVIDENCE))


def default_day(census: Census, *, today: date) -> date:
    """Return the day a migration holds from: today, or the day of the newest build if that is later."""
    return today if census.as_of is None else max(today, census.as_of)
