"""Management and evaluation grids in the database: what they are judged against, and publishing them."""

import hashlib
import unicodedata
from collections.abc import Callable
from datetime import date

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
from psycopg import sql

from gis.builds import BuildRequest, BuildResult, Scope, live, publish
from gis.database import Database, read_features
from gis.faults import Faults
from gis.rows import read_rows
from gis.tables import FEATURE_TABLES
from gridding.graph import Floats
from gridding.numbering import used_codes
from gridding.trades.carrying import Carriage, carry, report_changes
from gridding.trades.delivered import MANAGEMENT, RULES, Sort, read_delivered
from gridding.trades.judging import FindUnit, Surroundings, judge, standing_rows
from gridding.trades.loads import count_points, patrol_lengths
from gridding.trades.trade import Trade


def plain_text(frame: pd.DataFrame, column: str) -> "pd.Series[str]":
    """Return a column as trimmed text, None for blank or a missing column.

    Examples
    --------
    >>> plain_text(pd.DataFrame({"a": [" x ", "", None, 3.0]}), "a").tolist()
    ['x', None, None, '3']
    """
    if column not in frame:
        return pd.Series(None, index=frame.index, dtype=object)
    return pd.Series([_plain(value) for value in frame[column]], index=frame.index, dtype=object)


def _plain(value: object) -> str | None:
    if value is None or value is pd.NA or value != value:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def unit_finder(units: pd.DataFrame) -> FindUnit:
    """Return what finds a unit of the directory by its code, or by its name.

    Examples
    --------
    >>> find = unit_finder(pd.DataFrame({"code": ["U1"], "name": ["环卫处"]}))
    >>> find("u1", None), find(None, "环卫处"), find(None, "绿化处")
    (('U1', '环卫处'), ('U1', '环卫处'), (None, None))
    """
    names = dict(zip(units["code"].astype(str), units["name"].astype(str), strict=True))
    keys = {_key(name): code for code, name in sorted(names.items(), reverse=True)}
    keys |= {_key(code): code for code in names}

    def find(code: str | None, name: str | None) -> tuple[str | None, str | None]:
        found = keys.get(_key(code)) or keys.get(_key(name))
        return (None, None) if found is None else (found, names[found])

    return find


def _key(text: str | None) -> str:
    return "".join(unicodedata.normalize("NFKC", text or "").split()).casefold()


def ever_used(database: Database, sort: Sort) -> list[str]:
    """Return every code that any version of a management or evaluation grid bore, sorted."""
    table = sql.Identifier(*FEATURE_TABLES[sort.dataset].split("."))
    query = sql.SQL("SELECT DISTINCT code FROM {} ORDER BY code").format(table)
    with database.connect(read_only=True) as connection:
        return [str(code) for code in read_rows(connection, query)["code"]]


def count_loads(database: Database, grids: gpd.GeoDataFrame, names: list[str]) -> dict[str, Floats]:
    """Return the loads asked for, per unit grid: components, cases ever located, patrol length in m."""
    shapes = np.asarray(grids.geometry.to_numpy(), dtype=object)

    def components() -> Floats:
        rows = live(database, "components", columns=["condition", "geometry"])
        stands = rows["condition"].ne("removed").to_numpy()
        return count_points(rows["geometry"].to_numpy(dtype=object)[stands], shapes)

    def cases() -> Floats:
        query = "SELECT geom FROM cases.case WHERE geom IS NOT NULL"
        with database.connect(read_only=True) as connection:
            rows = read_features(connection, query, crs=database.crs)
        return count_points(rows.geometry.to_numpy(), shapes)

    def patrol_length() -> Floats:
        rows = live(database, "topography", columns=["feature_class", "geometry"])
        return patrol_lengths(
            shapes, rows["geometry"].to_numpy(dtype=object), rows["feature_class"]
        )

    counted: dict[str, Callable[[], Floats]] = {
        "components": components,
        "cases": cases,
        "patrol_length": patrol_length,
    }
    return {name: counted[name]() for name in names}


def judge_layer(
    database: Database, frame: pd.DataFrame, *, sort: Sort, local: list[Trade], adds: bool = False
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Judge a layer against the live unit grids, areas and units; return accepted rows and faults.

    Parameters
    ----------
    database : Database
        Migrated database.
    frame : pandas.DataFrame
        Rows with the platform's column names, ``source_file`` and ``source_row``.
    sort : Sort
        Management or evaluation grids.
    local : list of Trade
        Trades of the city's own.
    adds : bool
        The layer adds to what is live; else it replaces its trades in its districts.
    """
    rows = read_delivered(frame, sort=sort, text_of=plain_text, local=local)
    faults = Faults(rows.drop(columns="said"), rules=RULES)
    sets: dict[str, list[str]] = {}
    if sort is not MANAGEMENT:
        known = live(database, MANAGEMENT.dataset, columns=["code", "members"])
        sets = dict(zip(known["code"], known["members"], strict=True))
    accepted = judge(
        rows,
        faults,
        sort=sort,
        surroundings=Surroundings(
            grids=gpd.GeoDataFrame(live(database, "unit_grids", columns=["code", "geometry"])),
            closed=frozenset(used_codes(database)),
            area_codes=frozenset(live(database, "areas", columns=["code"])["code"]),
            live=live(database, sort.dataset),
            updating=frozenset(rows["source_file"]) if adds else frozenset(),
            sets=sets,
            find_unit=unit_finder(live(database, "units", columns=["code", "name"])),
        ),
    )
    return accepted, faults.outcome().faults


def load_layer(
    database: Database,
    frame: pd.DataFrame,
    *,
    sort: Sort,
    local: list[Trade],
    as_of: date,
    actor: str,
) -> tuple[BuildResult, pd.DataFrame]:
    """Judge a layer and make what is accepted live; return the build and the faults.

    The layer replaces its trades in its districts. Loading it again on the same day changes nothing.
    """
    accepted, faults = judge_layer(database, frame, sort=sort, local=local)
    before = live(database, sort.dataset)
    dates = before.set_index("code")["initial_date"].to_dict() if len(before) else {}
    said = plain_text(frame, "origin").reindex(accepted.index)
    rows = accepted.assign(
        origin=said.where(said.isin(["divided", "edited"]), "delivered"),
        initial_date=[dates.get(code, as_of) for code in accepted["code"]],
    )
    ends = ~before["code"].isin(standing_rows(rows, before, sort=sort)["code"])
    result = publish(
        database,
        _request(sort, rows, as_of=as_of, name=str(frame["source_file"].iloc[0])),
        accepted=rows,
        faults=faults,
        rows_read=len(rows) + _refused(faults),
        scope=Scope.matching("code", sorted(before.loc[ends, "code"])),
        actor=actor,
    )
    return result, faults


def carry_live(database: Database, *, sort: Sort, as_of: date, actor: str) -> Carriage:
    """Bring the live grids up to the unit grids that hold now, in one build; nothing if all do.

    Grids of which no unit grid is left are closed.
    """
    grids = gpd.GeoDataFrame(live(database, "unit_grids", columns=["code", "geometry"]))
    carriage = carry(gpd.GeoDataFrame(live(database, sort.dataset)), grids, sort=sort)
    if carriage.rows.empty and not carriage.emptied:
        return carriage
    rows = carriage.rows.assign(source_file=None, source_row=None)
    publish(
        database,
        _request(sort, rows, as_of=as_of, name="unit grids changed"),
        accepted=rows,
        faults=report_changes(carriage, sort=sort),
        rows_read=len(rows),
        scope=Scope.matching("code", carriage.emptied),
        actor=actor,
    )
    return carriage


def _refused(faults: pd.DataFrame) -> int:
    errors = faults[faults["severity"] == "error"]
    return len(errors[["source_file", "source_row"]].drop_duplicates())


def _request(sort: Sort, rows: pd.DataFrame, *, as_of: date, name: str) -> BuildRequest:
    told = rows.drop(columns=["geometry", "source_file", "source_row"], errors="ignore")
    lines = told.sort_values("code").to_dict("records")
    content = hashlib.sha256(orjson.dumps(lines, default=str, option=orjson.OPT_SERIALIZE_NUMPY))
    digest = content.hexdigest()
    return BuildRequest(
        delivery=name,
        as_of=as_of,
        path="",
        delivery_hash=digest,
        dataset=sort.dataset,
        content_hash=digest,
    )
