"""The list of conflicts 冲突: written with a merge, read, renewed, and decided by a build of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, cast

import geopandas as gpd
import orjson
import pandas as pd
from psycopg.types.json import Jsonb

from census.coding import next_codes
from census.lineage import newest_build, normal
from census.merging.contradictions import CONFLICT_COLUMNS
from census.merging.fields import COLUMNS
from census.merging.ruling import Row, Rulings, Take, current, rule, same_values
from gis.builds import BuildRequest, Scope, publish
from gis.database import Connection, Database, dataset_lock, read_features, read_rows
from gis.errors import ConflictError, NotFoundError, RequestError
from gis.faults import REJECT_COLUMNS
from gis.ledger import audit
from gis.rows import copy_rows

STATUSES = ("open", "decided", "settled")
DATASET = "components"
_WRITTEN = tuple(name for name in CONFLICT_COLUMNS if name not in ("distance_m", "record"))
"""What the list keeps of a conflict; the rest is for the report of the merge."""
_LIST = """
    SELECT c.*, d.name AS delivery FROM components.conflict c
    JOIN meta.build b USING (build_id) JOIN meta.delivery d USING (delivery_id)
    WHERE (%(statuses)s::text[] IS NULL OR c.status = ANY(%(statuses)s))
      AND (%(ids)s::bigint[] IS NULL OR c.conflict_id = ANY(%(ids)s))
      AND (%(codes)s::text[] IS NULL OR c.code = ANY(%(codes)s) OR c.live_code = ANY(%(codes)s)
           OR c.base_code = ANY(%(codes)s))
    ORDER BY c.conflict_id
"""
_LIVE = 'SELECT * FROM components.component WHERE valid_to IS NULL AND code = ANY(%s) ORDER BY code COLLATE "C"'
_LARGEST = """
    SELECT left(code, -6) AS prefix, max(right(code, 6))::int AS largest
    FROM components.component WHERE left(code, -6) = ANY(%s) AND code ~ '^[0-9]{16,17}$' GROUP BY 1
"""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What deciding did."""

    conflicts: tuple[int, ...]
    take: Take
    because: str
    build_id: int
    changed: tuple[str, ...]
    """Codes whose row changed or is new."""
    ended: tuple[str, ...]
    """Codes that ended."""


def write_conflicts(
    connection: Connection, conflicts: pd.DataFrame, *, build_id: int, base: int | None, srid: int
) -> int:
    """List the conflicts of a merge that are not listed yet; return how many are new.

    Parameters
    ----------
    connection : psycopg.Connection
        In the transaction of the build.
    conflicts : pandas.DataFrame
        `census.merging.contradictions.CONFLICT_COLUMNS`.
    build_id : int
        The merge.
    base : int or None
        Build that both sides began from.
    srid : int
        The city's.
    """
    if conflicts.empty:
        return 0
    rows = pd.DataFrame(conflicts[list(_WRITTEN)]).drop_duplicates("fingerprint")
    rows = rows.assign(build_id=build_id, base_build_id=base)
    hashes = live_rows(connection, [code for code in rows["live_code"] if code])
    rows["live_hash"] = [hashes.get(code, {}).get("content_hash") for code in rows["live_code"]]
    names = ["geom" if name == "geometry" else name for name in rows.columns]
    columns = ", ".join(names)  # constant names
    connection.execute(
        f"CREATE TEMP TABLE found ON COMMIT DROP AS SELECT {columns} FROM components.conflict WITH NO DATA"  # noqa: S608
    )
    copy_rows(connection, "found", rows, srid=srid)
    return connection.execute(
        f"INSERT INTO components.conflict ({columns}) SELECT {columns} FROM found "  # noqa: S608
        "ON CONFLICT (fingerprint) DO NOTHING"
    ).rowcount


def write_recodes(
    connection: Connection, recodes: Sequence[tuple[str, str, str]], *, build_id: int
) -> None:
    """Record new code, former code and evidence of components that a build gave another code."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO components.recode (build_id, code, former_code, evidence) VALUES (%s, %s, %s, %s)",
            [(build_id, *step) for step in recodes],
        )


def read_conflicts(
    connection: Connection,
    *,
    crs: str,
    statuses: Sequence[str] | None = ("open",),
    ids: Sequence[int] | None = None,
    codes: Sequence[str] | None = None,
) -> gpd.GeoDataFrame:
    """Return conflicts with the name of their delivery, oldest first.

    Parameters
    ----------
    connection : psycopg.Connection
        Open connection.
    crs : str
        The city's CRS.
    statuses : sequence of str or None
        Only these; None: all.
    ids : sequence of int or None
        Only these.
    codes : sequence of str or None
        Only those about components with these codes.
    """
    given = {"statuses": statuses, "ids": ids, "codes": codes}
    values = {name: None if value is None else list(value) for name, value in given.items()}
    return normal(read_features(connection, _LIST, values, crs=crs))


def live_rows(connection: Connection, codes: Sequence[str]) -> dict[str, Row]:
    """Return code -> live row of components, ``content_hash`` too."""
    if not codes:
        return {}
    rows = normal(read_features(connection, _LIVE, [sorted(set(codes))], crs=""))
    return {row["code"]: row for row in rows.to_dict("records")}


def _codes_of(conflicts: pd.DataFrame) -> list[str]:
    return [
        code
        for name in ("code", "live_code", "base_code")
        for code in conflicts[name]
        if code is not None
    ]


def find_stale(connection: Connection, conflicts: pd.DataFrame) -> list[bool]:
    """Return for each open conflict whether what is live changed since it was found or renewed."""
    rulings = _rulings(connection, conflicts)
    return [
        entry["status"] == "open" and not same_values(current(rulings, entry), entry["live_value"])
        for entry in conflicts.to_dict("records")
    ]


def renew_conflicts(database: Database, *, actor: str) -> dict[str, int]:
    """Bring the live side of open conflicts up to date; return how many were renewed and settled.

    Settled is what says the same on both sides by now; it is open again if that build is rolled back.
    """
    counts = {"renewed": 0, "settled": 0}
    with database.connect() as connection, dataset_lock(connection, "deliveries"):
        conflicts = read_conflicts(connection, crs=database.crs)
        rulings = _rulings(connection, conflicts)
        newest = newest_build(connection)
        for entry in conflicts.to_dict("records"):
            now = current(rulings, entry)
            if same_values(now, entry["live_value"]):
                continue
            is_settled = same_values(now, entry["delivered_value"])
            counts["settled" if is_settled else "renewed"] += 1
            connection.execute(
                "UPDATE components.conflict SET live_value = CASE WHEN %s THEN live_value ELSE %s END, "
                "live_hash = %s, status = %s, applied_build_id = %s WHERE conflict_id = %s",
                [
                    is_settled,
                    None if now is None else Jsonb(now),
                    rulings.live.get(entry["live_code"], {}).get("content_hash"),
                    "settled" if is_settled else "open",
                    newest[0] if is_settled and newest else None,
                    entry["conflict_id"],
                ],
            )
        audit(connection, actor=actor, action="conflicts_renew", detail=_Renewal(**counts))
    return counts


@dataclass(frozen=True, kw_only=True)
class _Renewal:
    renewed: int
    settled: int


def decide(
    database: Database, ids: Sequence[int], *, take: Take, because: str, actor: str
) -> Decision:
    """Decide conflicts by one build: all of them, or none.

    Parameters
    ----------
    database : Database
        Migrated database.
    ids : sequence of int
        Open conflicts.
    take : str
        ``live``: what is live stays; ``delivered``, ``base``: that value holds; ``both``: of two
        components with one code or at one place both hold, the delivered one under a free code.
    because : str
        Reason, kept with the conflict.
    actor : str
        Who decides.

    Raises
    ------
    NotFoundError
        There is no such conflict.
    ConflictError
        It is decided already, or what is live changed since.
    RequestError
        There is no reason, or that side can not be taken.
    """
    if not because.strip():
        msg = 'A decision needs its reason: add --because with what was seen, as "checked in the field".'
        raise RequestError(msg, zh="裁决须写明理由：请用 --because 说明依据。")
    wanted = sorted(set(ids))
    with database.connect() as connection, dataset_lock(connection, "deliveries"):
        conflicts = read_conflicts(connection, crs=database.crs, statuses=None, ids=wanted)
        _refuse_decided(conflicts, wanted)
        rulings = _rulings(connection, conflicts)
        entries = conflicts.to_dict("records")
        for entry in entries:
            rule(rulings, entry, take)
        newest = newest_build(connection)
        assert newest is not None  # conflicts come from a build that is live
        request = _request(wanted, take, because, newest)
        accepted = _accepted(rulings, entries, database)
        decision = Decision(
            conflicts=tuple(wanted),
            take=take,
            because=because.strip(),
            build_id=0,
            changed=tuple(accepted["code"]),
            ended=tuple(sorted(rulings.ended)),
        )

        def also(inner: Connection, build_id: int) -> None:
            refuse_newer(inner, seen=newest[0], build_id=build_id)
            _record(inner, replace(decision, build_id=build_id), rulings, actor=actor)

        result = publish(
            database,
            request,
            accepted=accepted,
            faults=pd.DataFrame(columns=list(REJECT_COLUMNS)),
            rows_read=len(accepted),
            scope=Scope.codes(decision.ended),
            actor=actor,
            also=also,
        )
    return replace(decision, build_id=result.build_id)


def refuse_newer(connection: Connection, *, seen: int, build_id: int) -> None:
    """Refuse to go on when another build of components came in between.

    Raises
    ------
    ConflictError
        Another build is live, or the one that was seen was rolled back.
    """
    row = connection.execute(
        "SELECT coalesce(max(build_id), 0) FROM meta.build WHERE dataset = %s AND status = 'live' "
        "AND build_id <> %s",
        [DATASET, build_id],
    ).fetchone()
    if row is not None and int(row[0]) != seen:
        msg = "The components were changed while this was being worked out: nothing was written; run it again."
        raise ConflictError(msg, zh="处理期间部件数据已被更改，未写入任何内容：请重新运行。")


def _refuse_decided(conflicts: pd.DataFrame, wanted: Sequence[int]) -> None:
    missing = sorted(set(wanted) - set(conflicts["conflict_id"]))
    if missing or not wanted:
        msg = f"There is no conflict {', '.join(map(str, missing))}: `wanmi census conflicts` lists them."
        raise NotFoundError(
            msg, zh=f"没有冲突 {'、'.join(map(str, missing))}：请用 wanmi census conflicts 查看。"
        )
    for entry in conflicts.to_dict("records"):
        if entry["status"] == "open":
            continue
        number, build = entry["conflict_id"], entry["applied_build_id"]
        msg = (
            f"Conflict {number} is {entry['status']} (build {build}): to decide anew, roll that build back "
            f"with `wanmi rollback {build}`."
        )
        raise ConflictError(
            msg,
            zh=f"冲突 {number} 已处理（构建 {build}）：如需重新裁决，请先 wanmi rollback {build}。",
        )


def _rulings(connection: Connection, conflicts: pd.DataFrame) -> Rulings:
    given: dict[str, int] = {}

    def next_code(code: str) -> str:
        prefix = code[:-6]
        if not code.isdigit():
            msg = f"{code} is no platform code, so there is no next one: take live or delivered."
            raise ConflictError(
                msg, zh=f"{code} 不是平台编码，无法顺延：请选择 live 或 delivered。"
            )
        if prefix not in given:
            rows = read_rows(connection, _LARGEST, [[prefix]])
            given[prefix] = int(rows["largest"].iloc[0]) if len(rows) else 0
        new = str(next_codes(pd.Series([prefix]), largest=given).iloc[0])
        given[prefix] = int(new[-6:])
        return new

    return Rulings(live=live_rows(connection, _codes_of(conflicts)), next_code=next_code)


def _request(ids: Sequence[int], take: Take, because: str, newest: tuple[int, Any]) -> BuildRequest:
    digest = sha256(orjson.dumps([list(ids), take, because, newest[0]])).hexdigest()
    shown = ", ".join(map(str, ids[:5])) + (", …" if len(ids) > 5 else "")
    return BuildRequest(
        delivery=f"decision on conflict {shown}: {take}",
        as_of=newest[1],
        path="",
        delivery_hash=digest,
        dataset=DATASET,
        content_hash=digest,
    )


def _accepted(
    rulings: Rulings, entries: list[dict[str, Any]], database: Database
) -> gpd.GeoDataFrame:
    rows = [rulings.changed[code] for code in sorted(rulings.changed)]
    table = pd.DataFrame(rows, columns=[*COLUMNS, "source_file", "source_row"], dtype=object)
    source: Mapping[str, Any] = {entry["code"]: entry for entry in entries}
    for name in ("source_file", "source_row"):
        table[name] = [
            source[code][name] if code in source else before
            for code, before in zip(table["code"], table[name], strict=True)
        ]
    shapes = gpd.GeoSeries(list(table.pop("geometry")), index=table.index, crs=database.crs)
    plain = cast(pd.DataFrame, table.astype(object).where(table.notna(), None))
    return gpd.GeoDataFrame(plain, geometry=shapes, crs=database.crs)


def _record(connection: Connection, decision: Decision, rulings: Rulings, *, actor: str) -> None:
    connection.execute(
        "UPDATE components.conflict SET status = 'decided', decision = %s, because = %s, decided_by = %s, "
        "decided_at = clock_timestamp(), applied_build_id = %s WHERE conflict_id = ANY(%s)",
        [
            decision.take,
            decision.because,
            actor,
            decision.build_id,
            list(decision.conflicts),
        ],
    )
    write_recodes(
        connection,
        [(code, former, "decision") for code, former in rulings.recodes],
        build_id=decision.build_id,
    )
    audit(connection, actor=actor, action="conflict_decide", detail=decision)
