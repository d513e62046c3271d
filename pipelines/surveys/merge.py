"""A delivery of components merged into what is live: judged, joined, written in one transaction."""

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa

from census.conflicts import refuse_newer, write_conflicts, write_recodes
from census.lineage import VERSION, newest_build, normal
from census.merging.alignment import Sides
from census.merging.fields import COLUMNS, Given
from census.merging.repeats import part_repeats
from census.merging.threeway import Merged, merge
from census.merging.wording import tell
from census.taxonomy import read_taxonomy
from gis.builds import BuildRequest, BuildResult, Scope, find_build, publish
from gis.database import Connection, dataset_lock
from gis.errors import DeliveryError
from gis.remarks import Remark
from gis.workspace import Workspace
from pipelines.attributes import attribute_name
from pipelines.build import BuildOptions, Progress, open_context, silent
from pipelines.claims import claims_of
from pipelines.components import DATASET
from pipelines.contents import hash_content
from pipelines.context import BuildContext
from pipelines.delivery import Delivery
from pipelines.judging import Judged, judge_step
from pipelines.reports import summarise
from pipelines.sameness import surroundings_of
from pipelines.steps import STEPS
from pipelines.surveys.bases import Base, check_stated, find_base
from pipelines.unpacking import opened_delivery

_STEP = next(step for step in STEPS if step.dataset == DATASET)


@dataclass(frozen=True, kw_only=True)
class MergeReport:
    """What a merge did, or would do; rows read = accepted + refused by rules + held."""

    delivery: str
    status: str
    """``merged``, ``unchanged`` (it was merged before) or, in a rehearsal, ``judged``."""
    build_id: int | None
    base_build_id: int | None
    """Build that both sides began from; None: not known, so that two values that differ contradict."""
    base_evidence: str | None
    rows_read: int = 0
    refused: int = 0
    """Refused by the rules of the census, as a load would."""
    held: int = 0
    """Held back by a conflict, or because others ended the component."""
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    recoded: int = 0
    ended: int = 0
    left: int = 0
    """Live and not to be expected in this delivery."""
    conflicts: int = 0
    """Contradictions found, those that wait already or were decided among them."""
    new_conflicts: int | None = None
    """Conflicts added to the list; None in a rehearsal."""
    faults: tuple[dict[str, Any], ...] = ()
    repeated: tuple[dict[str, Any], ...] = ()
    """Warnings of rows that nobody edited: they stand with the build that brought these rows."""
    warnings: tuple[str, ...] = ()
    warnings_zh: tuple[str, ...] = ()
    """The same in Chinese, in the same order."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """A delivery judged and merged, not written."""

    request: BuildRequest
    judged: Judged
    base: Base
    delivered: gpd.GeoDataFrame
    live: gpd.GeoDataFrame
    merged: Merged
    faults: pd.DataFrame
    repeated: tuple[dict[str, Any], ...]
    """See `MergeReport.repeated`."""
    seen: int
    """Newest live build of components; 0: none."""


def merge_delivery(
    folder: Path,
    *,
    workspace: Workspace,
    options: BuildOptions | None = None,
    progress: Progress = silent,
) -> MergeReport:
    """Merge the components of a delivery into what is live; the other datasets are left alone.

    Merging the same delivery again changes nothing. What contradicts is listed and waits.

    Raises
    ------
    DeliveryError
        The manifest or a file can not be read, or it has no components.
    LockedError
        A build or another merge is running.
    ConflictError
        The components were rolled back meanwhile.
    """
    options = options or BuildOptions()
    with opened_delivery(folder) as delivery:
        refuse_others(delivery)
        context = open_context(delivery, workspace)
        database = context.database
        with database.connect() as connection, dataset_lock(connection, "deliveries"):
            request = _request(delivery, context, connection)
            before = find_build(database, dataset=DATASET, content_hash=request.content_hash)
            if before is not None:
                return _again(delivery, before, connection)
            work = judge_and_merge(request, context, connection, progress=progress)
            if options.dry_run:
                return _report(delivery, work, status="judged")
            with progress("publishing components", total=1) as advance:
                report = _publish(delivery, work, context, actor=options.actor)
                advance(1)
            return report


def refuse_others(delivery: Delivery) -> None:
    """Refuse a delivery that has no components."""
    if not delivery.layers_of(DATASET):
        msg = f"The delivery {delivery.name!r} has no components to merge: load it with `wanmi build`."
        raise DeliveryError(
            msg, zh=f"交付“{delivery.name}”不含部件，无可合并：请用 wanmi build 入库。"
        )


def _request(delivery: Delivery, context: BuildContext, connection: Connection) -> BuildRequest:
    layers = delivery.layers_of(DATASET)
    content = hash_content(delivery, layers)
    parts = ["merge", content, str(delivery.base), surroundings_of(context)]
    newest = newest_build(connection)
    return BuildRequest(
        delivery=delivery.name,
        # A survey that was finished a day before another one was merged still holds.
        as_of=delivery.as_of if newest is None else max(delivery.as_of, newest[1]),
        path=str(delivery.source or delivery.root),
        delivery_hash=hash_content(delivery, delivery.layers),
        dataset=DATASET,
        content_hash=sha256("\n".join(parts).encode()).hexdigest(),
    )


def judge_and_merge(
    request: BuildRequest,
    context: BuildContext,
    connection: Connection,
    *,
    progress: Progress = silent,
) -> Work:
    """Judge the components of a delivery, find their base, and merge; nothing is written."""
    check_stated(context.delivery, connection)
    judged, claims = _judge(request, context, progress=progress)
    with progress("merging components", total=1) as advance:
        delivered, judged = _delivered(judged)
        live = normal(context.features(DATASET)[[*COLUMNS, *VERSION]])
        context.references.forget(DATASET)  # what is normal stands for it from here on
        pa.default_memory_pool().release_unused()
        base = find_base(context.delivery, claims, connection, live=live)
        merged = merge(_sides(judged, base, delivered, live, context))
        unknown = None if base.unknown is None else base.unknown.reindex(delivered.index).dropna()
        told = tell(merged, delivered, unknown=unknown)
        own, repeated = part_repeats(judged.outcome.faults, delivered, untouched=merged.untouched)
        faults = [table for table in (own, told) if len(table)]
        advance(1)
    newest = newest_build(connection)
    files = {name: {**facts, "merged": True} for name, facts in judged.request.files.items()}
    return Work(
        request=replace(judged.request, files=files),
        judged=judged,
        base=base,
        delivered=delivered,
        live=live,
        merged=merged,
        faults=pd.concat(faults, ignore_index=True) if faults else told,
        repeated=summarise(repeated),
        seen=0 if newest is None else newest[0],
    )


def _judge(
    request: BuildRequest, context: BuildContext, *, progress: Progress
) -> tuple[Judged, pd.DataFrame]:
    """Judge as a build would; return also what the rows say of their base, by the rows' index."""
    read: list[pd.DataFrame] = []

    def judge(frame: pd.DataFrame, seen: BuildContext) -> Any:
        read.append(claims_of(frame))
        return _STEP.judge(frame, replace(seen, merges=True))

    total = sum(len(layer.files) for layer in context.delivery.layers_of(DATASET)) + 1
    with progress("judging components", total=total) as advance:
        judged = judge_step(replace(_STEP, judge=judge), request, context, advance=advance)
    return judged, read[0]


def _delivered(judged: Judged) -> tuple[gpd.GeoDataFrame, Judged]:
    """Return the accepted rows to merge, and what was judged without their values."""
    outcome = judged.outcome
    delivered = normal(gpd.GeoDataFrame(outcome.accepted))
    return delivered, replace(judged, outcome=replace(outcome, accepted=outcome.accepted[[]]))


def _sides(
    judged: Judged,
    base: Base,
    delivered: gpd.GeoDataFrame,
    live: gpd.GeoDataFrame,
    context: BuildContext,
) -> Sides:
    rows = base.rows
    complete = None if rows is None else _complete(judged, base).to_numpy(dtype=bool)
    stated = None if base.stated is None else base.stated.reindex(delivered.index).astype(object)
    return Sides(
        base=rows,
        live=live,
        delivered=delivered,
        complete=complete,
        given=given_of(judged),
        stated_base=None if stated is None else stated.where(stated.notna(), None),
        recoded=base.recoded or {},
        accuracy_m=accuracies(context, delivered, live),
        same_place_m=context.profile.thresholds.duplicate_distance_m,
    )


def _complete(judged: Judged, base: Base) -> "pd.Series[bool]":
    """Return which base rows the delivery would hold if they still stood there.

    What was delivered but refused is there, whatever is wrong with its row.
    """
    assert base.rows is not None
    refused = refused_codes(judged)
    if base.stated is not None:
        accepted = judged.outcome.accepted.index
        refused |= set(base.stated[~base.stated.index.isin(accepted)])
    return judged.scope.covers(base.rows) & ~base.rows["code"].isin(refused)


def refused_codes(judged: Judged) -> set[str]:
    """Return the codes of rows that the rules refused."""
    faults = judged.outcome.faults
    return set(faults.loc[faults["severity"] == "error", "code"].dropna().astype(str).str.strip())


def given_of(judged: Judged) -> Given:
    """Return what the files have columns for, by the names that the rows have."""
    columns, keys = {}, {}
    for name, entry in judged.request.files.items():
        columns[name] = frozenset(entry["columns"])
        keys[name] = frozenset(attribute_name(column) for column in entry["unmapped"])
    return Given(columns=columns, keys=keys)


def accuracies(context: BuildContext, *frames: pd.DataFrame) -> dict[str, float]:
    """Return class -> accuracy of its positions, m, of the classes in the frames."""
    pairs = pd.concat([frame[["standard_ref", "class_code"]] for frame in frames])
    city = context.profile.city.standard
    found: dict[str, float] = {}
    for ref, code in sorted(set(pairs.drop_duplicates().itertuples(index=False, name=None))):
        extensions = context.profile.extension_class if ref == city else ()
        entry = read_taxonomy(ref, extensions).get("component", code)
        if entry is not None:
            found[code] = entry.accuracy_m
    return found


def _publish(delivery: Delivery, work: Work, context: BuildContext, *, actor: str) -> MergeReport:
    merged, counted = work.merged, [0]
    database = context.database

    def also(connection: Connection, build_id: int) -> None:
        refuse_newer(connection, seen=work.seen, build_id=build_id)
        counted[0] = write_conflicts(
            connection,
            merged.conflicts,
            build_id=build_id,
            base=work.base.build_id,
            srid=database.srid,
        )
        steps = merged.recodes[["code", "former_code", "evidence"]]
        write_recodes(connection, list(steps.itertuples(index=False, name=None)), build_id=build_id)

    result = publish(
        database,
        work.request,
        accepted=merged.rows,
        faults=work.faults,
        rows_read=work.judged.rows_read,
        scope=Scope.codes(merged.ended),
        actor=actor,
        also=also,
    )
    report = _report(delivery, work, status="merged")
    return replace(report, build_id=result.build_id, new_conflicts=counted[0])


def _again(delivery: Delivery, before: BuildResult, connection: Connection) -> MergeReport:
    row = connection.execute(
        "SELECT count(*) FROM components.conflict WHERE build_id = %s", [before.build_id]
    ).fetchone()
    assert row is not None
    return MergeReport(
        delivery=delivery.name,
        status="unchanged",
        build_id=before.build_id,
        base_build_id=delivery.base,
        base_evidence=None,
        rows_read=before.rows_read,
        unchanged=before.rows_accepted,
        conflicts=int(row[0]),
        new_conflicts=0,
    )


def _report(delivery: Delivery, work: Work, *, status: str) -> MergeReport:
    counts = work.merged.counts
    others = [name for name in delivery.datasets if name != DATASET]
    warnings = [*work.judged.warnings, *work.base.warnings]
    if others:
        warnings.append(
            Remark(
                en=f"not merged: {', '.join(others)}; load them with `wanmi build --only`",
                zh=f"未合并：{'、'.join(others)}；请用 wanmi build --only 加载",
            )
        )
    return MergeReport(
        delivery=delivery.name,
        status=status,
        build_id=None,
        base_build_id=work.base.build_id,
        base_evidence=work.base.evidence,
        rows_read=work.judged.rows_read,
        refused=work.judged.outcome.refused,
        faults=summarise(work.faults),
        repeated=work.repeated,
        warnings=tuple(warning.en for warning in warnings),
        warnings_zh=tuple(warning.zh for warning in warnings),
        **{name: int(value) for name, value in counts.items()},
    )
