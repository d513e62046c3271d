"""A delivery judged without loading it: all its files, all its rows, and the verdict.

Rows are judged as a build would judge them: against what is live and what the same delivery brings
of areas, grids, units … What can not be read is told, and the rest is judged all the same, so
that the contractor learns everything at once.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from census.report.ground import Ground, empty_ground
from census.report.judgement import FAULT_COLUMNS, FileJudgement, Judgement
from census.report.subjects import SUBJECTS
from census.report.verdict import Tally, decide
from gis.builds import BuildRequest, Scope
from gis.errors import BuildError, DeliveryError, WanmiError
from gis.faults import Outcome
from gis.ledger import check_day
from gis.remarks import Remark
from gis.workspace import Profile, Workspace
from pipelines.build import Progress, choose_steps, open_context, silent
from pipelines.context import BuildContext
from pipelines.delivery import Delivery
from pipelines.judging import Judged, expect_rows, judge_step
from pipelines.rejects import all_rules
from pipelines.steps import STEPS, Step
from pipelines.surveys.tallies import class_names, classify, judge_files, tally_classes
from pipelines.topography.judging import judge_map
from pipelines.unpacking import opened_delivery

DATASET = "components"
Judge = Callable[[Any, BuildContext], Outcome]
_WHOLE: Mapping[str, Judge] = {"topography": judge_map}
"""Dataset -> how it is judged where more rules hold than those of a build."""
_ROADS = "43"
"""Feature classes of roads begin so (GB/T 13923)."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A delivery judged, and the ground to show its faults on."""

    judgement: Judgement
    ground: Ground


def check_delivery(
    folder: Path, *, workspace: Workspace, dataset: str = DATASET, progress: Progress = silent
) -> Checked:
    """Judge one dataset of a delivery and what it depends on; nothing is written.

    Parameters
    ----------
    folder : Path
        Folder with a ``delivery.toml``, or a zip archive of one.
    workspace : Workspace
        City whose live databases the rows are judged against.
    dataset : str
        What is judged, one of `census.report.subjects.SUBJECTS`.
    progress : callable
        Shows how far it is.

    Raises
    ------
    DeliveryError
        There is no such folder; or the delivery has no layer of the dataset, and none that should be
        one can not be read.
    DatabaseError
        The database can not be reached.
    """
    if not folder.exists():
        msg = f"There is no {folder}: correct the path of the delivery."
        raise DeliveryError(msg, zh=f"没有 {folder}：请更正交付的路径。")
    started = time.perf_counter()
    unread: list[FileJudgement] = []

    def refused(name: str, error: WanmiError) -> None:
        unread.append(FileJudgement(path=name, dataset=dataset, error=remark(error)))

    with ExitStack() as stack:
        try:
            delivery = stack.enter_context(opened_delivery(folder, refused=refused))
        except DeliveryError as error:
            return _unreadable(folder, workspace, remark(error), started, dataset=dataset)
        checked = _check(delivery, workspace, dataset=dataset, unread=unread, progress=progress)
    judgement = replace(checked.judgement, seconds=time.perf_counter() - started)
    return replace(checked, judgement=judgement)


def _check(
    delivery: Delivery,
    workspace: Workspace,
    *,
    dataset: str,
    unread: list[FileJudgement],
    progress: Progress,
) -> Checked:
    def failed(name: str, error: WanmiError, of: str) -> None:
        unread.append(FileJudgement(path=name, dataset=of, error=remark(error)))

    context = open_context(delivery, workspace)
    if not delivery.layers_of(dataset) and not unread:
        raise _nothing_to_check(delivery, dataset)
    steps = needed_steps(delivery, dataset)
    obstacles = _obstacles(steps, context)
    work = []
    for step in steps:
        total = sum(len(layer.files) for layer in delivery.layers_of(step.dataset)) + 1
        with progress(f"judging {step.dataset}", total=total) as advance:
            try:
                judged = judge_step(
                    step,
                    _request(delivery, step),
                    context,
                    advance=advance,
                    failed=partial(failed, of=step.dataset),
                )
            except (
                DeliveryError
            ) as error:  # of the rows as a whole, as when all lie in another city
                obstacles.append(remark(error))
                continue
        expect_rows(judged, context)
        work.append(judged)
    judgement = _conclude(work, context, dataset=dataset, unread=unread, obstacles=obstacles)
    return Checked(judgement=judgement, ground=_ground(work, context, dataset))


def report_rows(outcome: Outcome, context: BuildContext, *, dataset: str) -> Checked:
    """Return what judging rows that are live told, as a report on a delivery tells it."""
    step = next(step for step in STEPS if step.dataset == dataset)
    judged = Judged(
        step=step,
        request=_request(context.delivery, step),
        outcome=outcome,
        rows_read=len(outcome.accepted) + outcome.refused,
        scope=Scope.nothing(),
    )
    judgement = _conclude([judged], context, dataset=dataset, unread=(), obstacles=())
    return Checked(judgement=judgement, ground=_ground([judged], context, dataset))


def needed_steps(delivery: Delivery, dataset: str = DATASET) -> list[Step]:
    """Return the datasets delivered that `dataset` depends on, and itself, in building order.

    What a build would make of them by itself, such as grids of communities that have none, is not made.
    """
    by_name = {step.dataset: step for step in STEPS}
    needed = {dataset}
    while more := {name for known in needed for name in by_name[known].inputs} - needed:
        needed |= more
    delivered = needed & set(delivery.datasets)
    chosen = [step for step in choose_steps(delivery, only=()) if step.dataset in delivered]
    whole = _WHOLE.get(dataset)
    return [
        replace(step, judge=whole) if whole is not None and step.dataset == dataset else step
        for step in chosen
    ]


def remark(error: WanmiError) -> Remark:
    """Return what an error says."""
    return Remark(en=error.message, zh=error.zh)


def _nothing_to_check(delivery: Delivery, dataset: str) -> DeliveryError:
    rows = SUBJECTS[dataset].rows
    brought = ", ".join(delivery.datasets)
    msg = (
        f"The delivery {delivery.name!r} has no {rows.en}, only {brought}: judge it with "
        "`wanmi build DELIVERY --dry-run`."
    )
    return DeliveryError(
        msg,
        zh=f"交付“{delivery.name}”不含{rows.zh}，只有 {brought}：请用 wanmi build DELIVERY --dry-run 检查。",
    )


def _obstacles(steps: Sequence[Step], context: BuildContext) -> list[Remark]:
    """Return what would keep a build from loading, though every row were sound."""
    with context.database.connect(read_only=True) as connection:
        for step in steps:
            try:
                check_day(connection, dataset=step.dataset, as_of=context.as_of)
            except BuildError as error:
                return [remark(error)]
    return []


def _request(delivery: Delivery, step: Step) -> BuildRequest:
    """Return a request that is never built: only what judging tells of the files is wanted."""
    return BuildRequest(
        delivery=delivery.name,
        as_of=delivery.as_of,
        path=str(delivery.source or delivery.root),
        delivery_hash="",
        dataset=step.dataset,
        content_hash="",
        files={},
    )


def _conclude(
    work: Sequence[Judged],
    context: BuildContext,
    *,
    dataset: str,
    unread: Sequence[FileJudgement],
    obstacles: Sequence[Remark],
) -> Judgement:
    # The subject comes first; the rest, which is built before it, follows.
    work = sorted(work, key=lambda judged: judged.step.dataset != dataset)
    faults = _join_faults(work, context)
    files = list(unread) + [file for judged in work for file in judge_files(judged)]
    tallies = tuple(_tally(judged) for judged in work if not judged.is_nothing)
    rules = all_rules()
    profile = context.profile
    judged_names = {judged.step.dataset for judged in work}
    return Judgement(
        delivery=context.delivery.name,
        as_of=context.as_of,
        city=profile.city.name or profile.city.code,
        crs=context.crs.text,
        checked_at=datetime.now(UTC),
        seconds=0.0,
        verdict=decide(
            tallies,
            refused_limit=refused_limit(profile, dataset),
            obstacles=len(obstacles),
            unread=len(unread),
            file_warnings=sum(len(file.warnings) for file in files),
            subject=dataset,
        ),
        obstacles=tuple(obstacles),
        tallies=tallies,
        skipped=tuple(name for name in context.delivery.datasets if name not in judged_names),
        files=tuple(files),
        classes=tally_classes(work, faults, dataset=dataset, names=class_names(context, dataset)),
        faults=faults,
        rules={code: rules[code] for code in sorted(faults["rule"].unique()) if code in rules},
        subject=dataset,
        remarks=tuple(remark for judged in work for remark in judged.outcome.remarks),
    )


def refused_limit(profile: Profile, dataset: str) -> float:
    """Return the greatest share of rows of a dataset that may be refused in this city."""
    return (
        profile.topography.refused_limit
        if dataset == "topography"
        else profile.census.refused_limit
    )


def _tally(judged: Judged) -> Tally:
    faults = judged.outcome.faults
    rows = faults[["source_file", "source_row", "severity"]].drop_duplicates()
    faulty = len(rows[["source_file", "source_row"]].drop_duplicates())
    refused = judged.outcome.refused
    return Tally(
        dataset=judged.step.dataset,
        read=judged.rows_read,
        refused=refused,
        doubted=faulty - refused,
    )


def _join_faults(work: Iterable[Judged], context: BuildContext) -> gpd.GeoDataFrame:
    parts = [
        classify(judged, context).assign(dataset=judged.step.dataset)
        for judged in work
        if len(judged.outcome.faults)
    ]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=FAULT_COLUMNS)
    table = table.assign(number=np.arange(1, len(table) + 1))
    shapes: Any = gpd.GeoSeries(table["geometry"].to_numpy(dtype=object), crs=context.crs.crs)
    return gpd.GeoDataFrame(table[list(FAULT_COLUMNS)].assign(geometry=shapes), crs=context.crs.crs)


def _ground(work: Iterable[Judged], context: BuildContext, dataset: str) -> Ground:
    topography = context.features("topography")
    roads = topography[topography["feature_class"].astype(str).str.startswith(_ROADS)]
    accepted = [judged.outcome.accepted for judged in work if judged.step.dataset == dataset]
    parts = [frame["geometry"].to_numpy(dtype=object) for frame in accepted]
    shapes = np.concatenate([*parts, np.empty(0, dtype=object)])
    # Of a base map the lines and areas are the subject; components are drawn as dots, whatever they are.
    spread = (
        shapely.get_dimensions(shapes) > 0
        if dataset == "topography"
        else np.zeros(len(shapes), bool)
    )
    return Ground(
        areas=context.features("areas").geometry.to_numpy(dtype=object),
        grids=context.features("unit_grids").geometry.to_numpy(dtype=object),
        roads=roads.geometry.to_numpy(dtype=object),
        components=shapes[~spread],
        shapes=shapes[spread],
    )


def _unreadable(
    folder: Path, workspace: Workspace, why: Remark, started: float, *, dataset: str
) -> Checked:
    """Return the judgement of a delivery whose manifest can not be read."""
    city = workspace.profile.city
    faults = gpd.GeoDataFrame(
        pd.DataFrame(columns=[name for name in FAULT_COLUMNS if name != "geometry"]),
        geometry=gpd.GeoSeries([], crs=None),
    )
    judgement = Judgement(
        delivery=folder.resolve().name,
        as_of=None,
        city=city.name or city.code,
        crs=city.crs,
        checked_at=datetime.now(UTC),
        seconds=time.perf_counter() - started,
        verdict=decide(
            (),
            refused_limit=refused_limit(workspace.profile, dataset),
            obstacles=1,
            unread=0,
            subject=dataset,
        ),
        obstacles=(why,),
        tallies=(),
        skipped=(),
        files=(),
        classes=(),
        faults=faults,
        rules={},
        subject=dataset,
    )
    return Checked(judgement=judgement, ground=empty_ground())
