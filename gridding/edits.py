"""Changes of unit grids made live: rows, edit and lineage in one transaction, or nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from psycopg import sql
from psycopg.types.json import Jsonb

from gis.builds import BuildRequest, Scope, publish
from gis.database import Connection, Database, copy_rows, read_rows
from gis.errors import ConflictError
from gis.faults import REJECT_COLUMNS
from gis.tables.columns import BOOKKEEPING
from gridding.lineage import name_rows, rounding_m2

Kind = Literal["update", "edit", "area_change"]
DATASET = "unit_grids"
_INHERITED = ("land_use", "management_grade", "responsible_body")
_STATED = ("name", *_INHERITED, "remark")
_ORIGINS = {"update": "divided", "edit": "edited", "area_change": None}
Also = Callable[[Connection, int], None]


@dataclass(frozen=True, kw_only=True)
class EditRequest:
    """Who changes unit grids, and why."""

    kind: Kind
    actor: str
    reason: str
    as_of: date
    """Day from which the new grids hold."""
    inputs_hash: str
    policy: str | None = None
    before: dict[str, Any] = field(default_factory=dict)
    """Figures of the changed grids before."""
    after: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class EditResult:
    """What an edit did."""

    edit_id: int
    build_id: int | None
    """None: no grid changed."""
    reshaped: int
    """Grids that keep their code with another border."""
    opened: int
    """Codes given."""
    retired: int
    """Codes closed for good."""
    pinned: int
    """Neighbours that received a vertex."""


def publish_edit(
    database: Database,
    old: gpd.GeoDataFrame,
    new: gpd.GeoDataFrame,
    *,
    succeeded: pd.DataFrame,
    request: EditRequest,
    also: Also | None = None,
) -> EditResult:
    """Make a changed layer live with its edit and lineage, in one transaction.

    Parameters
    ----------
    database : Database
        Migrated database.
    old : geopandas.GeoDataFrame
        Live rows, all columns of the table with ``row_id``.
    new : geopandas.GeoDataFrame
        ``code``, ``community_code``, ``geometry`` of all that should be live of them; attributes
        where they are stated.
    succeeded : pandas.DataFrame
        `gridding.lineage.succession` of the two, by position.
    request : EditRequest
        Who and why.
    also : callable or None
        Called with the connection and the edit's number: writes what belongs to the edit.

    Raises
    ------
    ConflictError
        One of the old rows was changed by someone else meanwhile.
    LockedError
        Another load of unit grids is running.
    """
    lineage = name_rows(succeeded, old["code"], new["code"])
    rows = changed_rows(old, new, succeeded=succeeded, request=request)
    retired = sorted(set(old["code"]) - set(new["code"]))
    edit: list[int] = []

    def record(connection: Connection, build_id: int | None) -> None:
        if build_id is not None:
            _check_base(connection, old["row_id"].tolist(), build_id)
        edit.append(_record(connection, request, build_id))
        named = lineage.assign(edit_id=edit[0])
        copy_rows(connection, "grids.lineage", named, srid=database.srid)
        if also is not None:
            also(connection, edit[0])

    build_id = None
    if rows.empty and not retired:
        with database.connect() as connection:
            record(connection, None)
    else:
        if rows.empty:  # the last grids of a place end: some row must stand for those that stay
            rest = old[~old["code"].isin(retired)].head(1)
            rows = gpd.GeoDataFrame(rest.drop(columns=list(BOOKKEEPING)).assign(is_moved=False))
            rows = rows.assign(source_file=None, source_row=None)
        result = publish(
            database,
            _build_request(request, new),
            accepted=rows.drop(columns="is_moved"),
            faults=pd.DataFrame(columns=list(REJECT_COLUMNS)),
            rows_read=len(rows),
            scope=Scope.matching("code", retired) if retired else Scope.nothing(),
            actor=request.actor,
            also=record,
        )
        build_id = result.build_id
    if not edit:
        edit.append(_edit_of(database, build_id))
    return _count(edit[0], build_id, old, rows, retired)


def _count(
    edit_id: int,
    build_id: int | None,
    old: gpd.GeoDataFrame,
    rows: gpd.GeoDataFrame,
    retired: list[str],
) -> EditResult:
    is_known = rows["code"].isin(old["code"])
    moved = (
        rows["change_date"].notna() & is_known & rows["is_moved"].eq(True)
        if len(rows)
        else is_known
    )
    return EditResult(
        edit_id=edit_id,
        build_id=build_id,
        reshaped=int(moved.sum()),
        opened=int((~is_known).sum()),
        retired=len(retired),
        pinned=int((is_known & ~moved).sum()),
    )


def changed_rows(
    old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, *, succeeded: pd.DataFrame, request: EditRequest
) -> gpd.GeoDataFrame:
    """Return the rows of the new layer that are not live yet, with the columns of the table.

    A grid that keeps its code keeps its attributes; one that got a code inherits land use, grade and
    responsible body from the grid that most of its land was. ``is_moved`` tells a border that moved
    from a border that only received a vertex.
    """
    before = old.set_index("code")
    known = new["code"].isin(before.index)
    was = before.reindex(new["code"])
    same = np.zeros(len(new), dtype=np.bool_)
    same[known] = shapely.equals_exact(
        new.geometry.to_numpy()[known], was.geometry.to_numpy()[known], tolerance=0.0
    )
    moved = np.zeros(len(new), dtype=np.bool_)
    moved[known] = ~_is_same_shape(new.geometry.to_numpy()[known], was.geometry.to_numpy()[known])
    for name in _STATED:
        if name in new:
            same &= (new[name].fillna("") == was[name].fillna("").to_numpy()).to_numpy()
    parent = _parents(succeeded, old, new)
    columns = [name for name in before.columns if name not in (*BOOKKEEPING, "geometry")]
    rows = was[columns].reset_index()
    for name in _INHERITED:
        rows[name] = rows[name].where(known.to_numpy(), parent[name])
    for name in _STATED:
        if name in new:
            rows[name] = new[name].to_numpy(dtype=object)
    origin = _ORIGINS[request.kind]
    rows["origin"] = np.where(moved | ~known, origin or parent["origin"], rows["origin"])
    rows["initial_date"] = rows["initial_date"].where(known.to_numpy(), request.as_of)
    rows["change_date"] = rows["change_date"].where(~moved, request.as_of)
    rows = rows.assign(
        community_code=new["community_code"].to_numpy(),
        area_m2=new.geometry.area.to_numpy(),
        is_moved=moved,
        source_file=None,
        source_row=None,
    )
    rows["patrol_order"] = _patrol_order(rows, old, succeeded)
    frame = gpd.GeoDataFrame(rows, geometry=new.geometry.to_numpy(), crs=new.crs)
    return gpd.GeoDataFrame(frame[~same].sort_values("code").reset_index(drop=True))


def _is_same_shape(
    new: "np.ndarray[tuple[int], np.dtype[np.object_]]",
    old: "np.ndarray[tuple[int], np.dtype[np.object_]]",
) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Return which outlines differ by rounding alone."""
    differ = shapely.area(shapely.symmetric_difference(new, old))
    result: np.ndarray[tuple[int], np.dtype[np.bool_]] = differ <= rounding_m2(old)
    return result


def _parents(succeeded: pd.DataFrame, old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return for each new grid the attributes of the old one that most of its land was."""
    pairs = succeeded[(succeeded["old"] >= 0) & (succeeded["new"] >= 0)]
    best = pairs.sort_values(["new", "overlap_new", "old"], ascending=[True, False, True])
    best = best.drop_duplicates("new").set_index("new")["old"].reindex(range(len(new)))
    columns = [*_INHERITED, "origin"]
    values = pd.DataFrame(old[columns]).reset_index(drop=True).reindex(best.fillna(-1).astype(int))
    values["origin"] = values["origin"].fillna("divided")
    return values.reset_index(drop=True)


def _patrol_order(
    rows: pd.DataFrame, old: gpd.GeoDataFrame, succeeded: pd.DataFrame
) -> "pd.Series[int]":
    """Return the place of every grid in the order of patrol, without moving those that have one.

    A new grid takes the place of the grid that most of its land was, if that is gone and no other new one
    has it, inside the same community or one that is new; the others follow at the end of their community.
    Where no grid of a community has a place, none gets one.
    """
    order = rows["patrol_order"].astype("Float64").where(rows["code"].isin(old["code"]))
    home = rows["community_code"].to_numpy(dtype=object)
    place, was = old["patrol_order"].to_numpy(), old["community_code"].to_numpy(dtype=object)
    pairs = succeeded[(succeeded["old"] >= 0) & (succeeded["new"] >= 0)]
    pairs = pairs.sort_values(["overlap_old", "new", "old"], ascending=[False, True, True])
    gone = ~old["code"].isin(rows["code"]).to_numpy()
    fresh = ~np.isin(home, was)
    taken = set(zip(home, order, strict=True))
    for one, other in zip(pairs["old"].tolist(), pairs["new"].tolist(), strict=True):
        is_free = pd.notna(place[one]) and (home[other], place[one]) not in taken
        stays = home[other] == was[one] or fresh[other]
        if gone[one] and is_free and stays and pd.isna(order[other]):
            order[other] = place[one]
            taken.add((home[other], place[one]))
    last = order.groupby(rows["community_code"]).transform("max")
    follows = order.isna() & last.notna()
    behind = follows.groupby(rows["community_code"]).cumsum()
    return order.where(~follows, last + behind).astype("Int64")


def inputs_hash(*parts: Any) -> str:
    """Return the SHA-256 of what an edit began with.

    Examples
    --------
    >>> inputs_hash("a", 1)[:8]
    '4f395a2e'
    """
    return sha256("\n".join(str(part) for part in parts).encode()).hexdigest()


def _build_request(request: EditRequest, new: gpd.GeoDataFrame) -> BuildRequest:
    outcome = sha256(b"".join(shapely.to_wkb(new.geometry.to_numpy()))).hexdigest()
    codes = "".join(new["code"])
    return BuildRequest(
        delivery=f"grid {request.kind}: {request.reason}",
        as_of=request.as_of,
        path="",
        delivery_hash=request.inputs_hash,
        dataset=DATASET,
        content_hash=inputs_hash(request.inputs_hash, outcome, codes),
    )


def _check_base(connection: Connection, row_ids: list[int], build_id: int) -> None:
    row = connection.execute(
        "SELECT count(*) FROM grids.unit_grid WHERE row_id = ANY (%s)"
        " AND (valid_to IS NULL OR closed_build_id = %s)",
        [row_ids, build_id],
    ).fetchone()
    if row is None or row[0] != len(row_ids):
        msg = "The unit grids were changed by someone else meanwhile: run the command again."
        raise ConflictError(msg, zh="单元网格已被他人更改，请重新运行。")


def _record(connection: Connection, request: EditRequest, build_id: int | None) -> int:
    row = connection.execute(
        "INSERT INTO grids.edit (build_id, actor, reason, kind, inputs_hash, policy, before, after)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING edit_id",
        [
            build_id,
            request.actor,
            request.reason,
            request.kind,
            request.inputs_hash,
            request.policy,
            Jsonb(request.before),
            Jsonb(request.after),
        ],
    ).fetchone()
    assert row is not None
    return int(row[0])


def _edit_of(database: Database, build_id: int | None) -> int:
    with database.connect(read_only=True) as connection:
        query = sql.SQL("SELECT max(edit_id) AS edit_id FROM grids.edit WHERE build_id = %s")
        return int(read_rows(connection, query, [build_id])["edit_id"].iloc[0])


def newest_day(database: Database) -> date:
    """Return the day from which an edit made now holds: today, or the newest day of what it rests on."""
    with database.connect(read_only=True) as connection:
        row = connection.execute(
            "SELECT greatest(max(as_of), current_date) FROM meta.build"
            " WHERE dataset IN ('areas', 'topography', 'unit_grids') AND status = 'live'",
        ).fetchone()
    assert row is not None
    day: date = row[0]
    return day
