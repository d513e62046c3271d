"""Corrected rows judged and loaded alone: what was refused comes in, and nothing else changes.

The rows are judged as their delivery was, by the mapping of its manifest, against what is live now.
Each delivery whose rows come back gets one build, in one transaction; what is still wrong stays in
quarantine with its new reasons.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import shapely

from gis.builds import BuildRequest, Scope, publish
from gis.database import Connection, Database, dataset_lock
from gis.fields import find_column
from gis.ledger import settle
from gis.sources import hash_file
from gis.workspace import Workspace
from pipelines import components
from pipelines.build import BuildOptions, Progress, open_context, silent
from pipelines.context import BuildContext, Correction
from pipelines.delivery import Delivery
from pipelines.reports import summarise
from pipelines.sameness import surroundings_of
from pipelines.surveys.quarantine import Held, Place, Quarantine, Root, read_quarantine
from pipelines.surveys.returns import Changes, Line, Note, Returned, changes_of, read_returned

DATASET = components.DATASET
_REPEATED = "C012"
_DAY_ONE = date(1, 1, 1)


@dataclass(frozen=True, kw_only=True)
class ReloadReport:
    """What became of the rows of a file: ``rows = loaded + refused + unchanged + settled + left``."""

    file: str
    rows: int
    """Rows in the file, each counted once however many faults it has."""
    loaded: int
    refused: int
    """Judged anew and still wrong."""
    unchanged: int
    """As they were: nothing was corrected."""
    settled: int
    """Loaded by an earlier reload."""
    left: int
    """Not judged, for a reason that the notes tell."""
    absent: int
    """Refused rows of the same deliveries that are not in the file; they stay in quarantine."""
    builds: tuple[int, ...]
    """Builds made; in a rehearsal none."""
    faults: tuple[dict[str, Any], ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A row to judge."""

    place: Place
    record: Mapping[str, Any]
    geometry: Any
    claims: bool


@dataclass(frozen=True, kw_only=True)
class _Sorted:
    """The rows of a file by what is to be done with them."""

    rows: tuple[_Row, ...]
    unchanged: int
    settled: int
    left: int
    notes: tuple[Note, ...]


def reload_rows(
    file: Path,
    *,
    workspace: Workspace,
    options: BuildOptions | None = None,
    judge_unchanged: bool = False,
    progress: Progress = silent,
) -> ReloadReport:
    """Judge and load the corrected rows of a file that ``wanmi rejects -o`` wrote.

    Reloading the same file again changes nothing.

    Parameters
    ----------
    file : Path
        GeoPackage or workbook.
    workspace : Workspace
        Where the rows were refused.
    options : BuildOptions or None
        ``dry_run`` judges and writes nothing; ``actor`` is for the audit.
    judge_unchanged : bool
        Judge refused rows that are as they were too, as after the city's grids were corrected.
    progress : callable
        As for `pipelines.build.build_delivery`.

    Raises
    ------
    RequestError
        The file is not one that was exported.
    FileFormatError
        It can not be read.
    LockedError
        A build, or another reload, is running.
    """
    options = options or BuildOptions()
    nothing = Delivery(name="", as_of=_DAY_ONE, root=workspace.root, layers=())
    context = open_context(nothing, workspace)
    returned = read_returned(file, crs=context.crs.text)
    database = context.database
    with database.connect() as connection, dataset_lock(connection, "deliveries"):
        builds = frozenset(line.build_id for line in returned.lines if line.build_id is not None)
        quarantine = read_quarantine(connection, builds)
        found = _sort(returned, quarantine, context, judge_unchanged=judge_unchanged)
        results = []
        for root_id in sorted({row.place[0] for row in found.rows}):
            rows = [row for row in found.rows if row.place[0] == root_id]
            with progress("judging corrected components", total=1) as advance:
                work = _judge(rows, quarantine.roots[root_id], context, file=file)
                advance(1)
            build_id = None if options.dry_run else _publish(work, database, actor=options.actor)
            context.references.forget(DATASET)
            results.append((work, build_id))
    return _report(file, returned, quarantine, found, results)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """Rows of one delivery after judging."""

    request: BuildRequest
    accepted: pd.DataFrame
    faults: pd.DataFrame
    rows: tuple[_Row, ...]

    @property
    def refused(self) -> int:
        return len(self.rows) - len(self.accepted)


def _sort(
    returned: Returned, quarantine: Quarantine, context: BuildContext, *, judge_unchanged: bool
) -> _Sorted:
    groups: dict[tuple[int | None, str, int | None], list[Line]] = {}
    for line in returned.lines:
        root = quarantine.root_of.get(line.build_id or 0)
        key = (root, line.source_file, line.source_row)
        # A line that names no row is a row of its own.
        groups.setdefault(key if root else (None, "", -line.number), []).append(line)
    rows: list[_Row] = []
    notes: list[Note] = []
    unchanged = settled = 0
    for key, lines in groups.items():
        root, source_file, source_row = key
        place = (root or 0, source_file, source_row or 0)
        if place in quarantine.settled:
            settled += 1
            continue
        held = quarantine.held.get(place)
        if held is None:
            notes.append(_unknown(lines[0], quarantine))
            continue
        if quarantine.roots[place[0]].is_merge:
            notes.append(_merged(lines[0]))
            continue
        changes = changes_of(lines, held.record, held.geometry)
        if isinstance(changes, Note):
            notes.append(changes)
        elif changes.is_none and any(line.code not in held.codes for line in lines):
            notes.append(_wrong_column(lines[0]))
        elif changes.is_none and not (judge_unchanged and held.is_refused):
            unchanged += 1
        else:
            rows.append(_corrected(place, held, changes, quarantine.roots[place[0]]))
    rows, stale = _without_stale(rows, quarantine, context)
    notes += stale
    return _Sorted(
        rows=tuple(rows),
        unchanged=unchanged,
        settled=settled,
        left=len(notes),
        notes=tuple(notes),
    )


def _corrected(place: Place, held: Held, changes: Changes, root: Root) -> _Row:
    record = {**held.record, **changes.cells}
    column = root.columns.get(place[1], {}).get("code", "code")
    before, after = held.record.get(column), record.get(column)
    return _Row(
        place=place,
        record=record,
        geometry=changes.geometry if changes.is_moved else held.geometry,
        claims=before != after or _REPEATED in held.rules,
    )


def _without_stale(
    rows: list[_Row], quarantine: Quarantine, context: BuildContext
) -> tuple[list[_Row], list[Note]]:
    """Leave out rows whose component came again by a later delivery: the newer one counts."""
    live = context.rows(DATASET)
    build_of = dict(zip(live["code"], live["build_id"], strict=True))
    kept, notes = [], []
    for row in rows:
        root = quarantine.roots[row.place[0]]
        code = row.record.get(root.columns.get(row.place[1], {}).get("code", "code"))
        newer = build_of.get(code, 0)
        if row.claims or newer <= root.build_id or newer in root.builds:
            kept.append(row)
            continue
        notes.append(
            Note(
                line=None,
                en=f"{row.place[1]} row {row.place[2]}: component {code} was delivered again since "
                f"(build {newer}); correct it in that delivery.",
                zh=f"{row.place[1]} 第 {row.place[2]} 行：部件 {code} 已由后来的交付更新（构建 {newer}），"
                "请在该次交付中修改。",
            )
        )
    return kept, notes


def _judge(rows: list[_Row], root: Root, context: BuildContext, *, file: Path) -> _Work:
    frame = _frame(rows, root, context)
    claims = pd.Series([row.claims for row in rows], index=frame.index, dtype=bool)
    alone = replace(
        context, as_of=root.as_of, corrects=Correction(builds=root.builds, claims=claims)
    )
    outcome = components.transform(frame, alone)
    records = {row.place[1:]: dict(row.record) for row in rows}
    faults = outcome.faults
    sources = zip(faults["source_file"], faults["source_row"], strict=True)
    faults["record"] = [records[(source, int(number))] for source, number in sources]
    request = BuildRequest(
        delivery=root.delivery,
        as_of=max(root.as_of, _newest_day(context)),
        path=str(file.resolve()),
        delivery_hash=root.delivery_hash,
        dataset=DATASET,
        content_hash=_content_hash(rows, root, context),
        files={file.name: {"sha256": hash_file(file), "rows": len(rows)}},
        corrects_build_id=root.build_id,
    )
    return _Work(request=request, accepted=outcome.accepted, faults=faults, rows=tuple(rows))


def _frame(rows: list[_Row], root: Root, context: BuildContext) -> gpd.GeoDataFrame:
    """Return the rows under platform columns, as reading the delivery gave them."""
    records = []
    for row in rows:
        names = {column: name for name, column in root.columns.get(row.place[1], {}).items()}
        record: dict[str, Any] = {}
        for column, value in row.record.items():
            name = names.get(column) or _platform(column, names.values())
            record[name] = value
        records.append({**record, "source_file": row.place[1], "source_row": row.place[2]})
    shapes = np.empty(len(rows), dtype=object)
    shapes[:] = [row.geometry for row in rows]
    table = pd.DataFrame(records, dtype=object)
    table["source_row"] = table["source_row"].astype("int64")
    geometry = gpd.GeoSeries(shapes, index=table.index, crs=context.crs.crs)
    return gpd.GeoDataFrame(table, geometry=geometry, crs=context.crs.crs)


def _platform(column: str, mapped: Iterable[str]) -> str:
    """Return the platform's name of a column that the surveyor added, or the column's own."""
    found = find_column(column, dataset=DATASET)
    return column if found is None or found in mapped else found


def _newest_day(context: BuildContext) -> Any:
    with context.database.connect(read_only=True) as connection:
        row = connection.execute(
            "SELECT max(as_of) FROM meta.build WHERE dataset = %s AND status = 'live'", [DATASET]
        ).fetchone()
    assert row is not None
    return row[0]


def _content_hash(rows: list[_Row], root: Root, context: BuildContext) -> str:
    cells = [
        [row.place[1:], dict(row.record), shapely.to_wkb(row.geometry, hex=True)] for row in rows
    ]
    parts = ["correction", root.content_hash, surroundings_of(context), cells]
    return sha256(orjson.dumps(parts, default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _publish(work: _Work, database: Database, *, actor: str) -> int:
    assert work.request.corrects_build_id is not None
    corrected = work.request.corrects_build_id

    def also(connection: Connection, build_id: int) -> None:
        places = [row.place[1:] for row in work.rows]
        settle(connection, corrected=corrected, by=build_id, rows=places)

    result = publish(
        database,
        work.request,
        accepted=work.accepted,
        faults=work.faults,
        rows_read=len(work.rows),
        scope=Scope.nothing(),
        actor=actor,
        also=also,
    )
    return result.build_id


def _report(
    file: Path,
    returned: Returned,
    quarantine: Quarantine,
    found: _Sorted,
    results: list[tuple[_Work, int | None]],
) -> ReloadReport:
    loaded = sum(len(work.accepted) for work, _ in results)
    named = {
        (quarantine.root_of.get(line.build_id or 0), line.source_file, line.source_row)
        for line in returned.lines
    }
    absent = sum(held.is_refused and place not in named for place, held in quarantine.held.items())
    faults = [work.faults for work, _ in results if len(work.faults)]
    return ReloadReport(
        file=file.name,
        rows=len(found.rows) + found.unchanged + found.settled + found.left,
        loaded=loaded,
        refused=len(found.rows) - loaded,
        unchanged=found.unchanged,
        settled=found.settled,
        left=found.left,
        absent=absent,
        builds=tuple(build for _, build in results if build is not None),
        faults=summarise(pd.concat(faults)) if faults else (),
        notes=(*returned.notes, *found.notes),
    )


def _unknown(line: Line, quarantine: Quarantine) -> Note:
    root = quarantine.root_of.get(line.build_id or 0)
    if root is not None and root not in quarantine.roots:
        return Note(
            line=line.number,
            en=f"Build {line.build_id} was rolled back: export the refused rows anew.",
            zh=f"构建 {line.build_id} 已回滚：请重新导出退回数据。",
        )
    shown = f"row {line.source_row} of {line.source_file or '?'} in build {line.build_id}"
    return Note(
        line=line.number,
        en=f"There is no refused {shown} in this workspace: leave build_id, source_file and "
        "source_row as they were exported, and deliver new rows as an update.",
        zh=f"本工作空间中没有构建 {line.build_id} 的 {line.source_file or '?'} 第 {line.source_row} 行退回数据："
        "请勿改动 build_id、source_file、source_row，新增数据请另行交付。",
    )


def _merged(line: Line) -> Note:
    # Loaded alone, the row would put its values over those that the merge let stand.
    return Note(
        line=line.number,
        en="Its delivery was merged with what others changed: correct the row there and merge it again with "
        "`wanmi census merge`; what contradicts waits in `wanmi census conflicts`.",
        zh="该交付已与他人的修改合并：请在交付中更正该行后再次运行 wanmi census merge；"
        "矛盾之处见 wanmi census conflicts。",
    )


def _wrong_column(line: Line) -> Note:
    return Note(
        line=line.number,
        en="The column code belongs to the report: correct the code in the delivered column, further right.",
        zh="code 列属于检查报告：请在右侧的原始字段中修改标识码。",
    )
