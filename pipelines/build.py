"""A build: a delivery judged whole, then published dataset by dataset, each in one transaction.

Nothing is written until every file was read and every row judged, so that a bad file leaves all as
it was. Each dataset is then swapped whole: a crash between two datasets leaves the earlier ones new
and the later ones old, and building again goes on where it stopped.
"""

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from gis.builds import BuildRequest, BuildResult, find_build, publish
from gis.crs import city_crs
from gis.database import Database, dataset_lock, open_database
from gis.errors import BuildError
from gis.ledger import check_day
from gis.workspace import Workspace
from pipelines.cases import DATASET
from pipelines.casespool import summary_of
from pipelines.collecting import rare_collections
from pipelines.contents import HashOf, hashed_beside
from pipelines.context import BuildContext, References
from pipelines.corrected import settle_again
from pipelines.delivery import DATASETS, Delivery
from pipelines.files import closest
from pipelines.grids import DATASET as GRIDS
from pipelines.grids import MEMO
from pipelines.judging import Advance, Judged, expect_rows, judge_step
from pipelines.records import publish_cases
from pipelines.reports import DatasetReport, report_nothing, report_result
from pipelines.sameness import beside_files, content_hash_of, live_hashes
from pipelines.steps import STEPS, Step
from pipelines.unpacking import opened_delivery

logger = logging.getLogger(__name__)

Progress = Callable[..., AbstractContextManager[Advance]]
"""``progress(label, total=n)``, as `gis.command.progress`."""


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """How to build."""

    only: tuple[str, ...] = ()
    """Datasets to build; empty: all that the delivery has or brings about."""
    dry_run: bool = False
    """Judge everything, write nothing."""
    actor: str = "unknown"
    """Who builds, for the audit."""


@contextmanager
def silent(label: str, *, total: int | None = None) -> Iterator[Advance]:
    """Show no progress."""
    del label, total
    yield lambda _: None


def build_delivery(
    folder: Path,
    *,
    workspace: Workspace,
    options: BuildOptions | None = None,
    progress: Progress = silent,
) -> list[DatasetReport]:
    """Build the datasets of a delivery, a folder or a zip archive, in dependency order.

    Building the same delivery again changes nothing. Rows refused are data and no error; a file
    that can not be read, a manifest that is wrong, or a day older than the newest build are errors
    and leave everything as it was.

    Raises
    ------
    DeliveryError
        The manifest or a file can not be read.
    BuildError
        An ``only`` dataset is unknown or not delivered, or the delivery is older than what is live.
    LockedError
        Another build is running.
    """
    with opened_delivery(folder) as delivery:
        return build_opened(
            delivery, workspace=workspace, options=options or BuildOptions(), progress=progress
        )


def build_opened(
    delivery: Delivery, *, workspace: Workspace, options: BuildOptions, progress: Progress
) -> list[DatasetReport]:
    """Build a delivery that was read or made up, as `build_delivery` does."""
    steps = choose_steps(delivery, only=options.only)
    context = open_context(delivery, workspace)
    database = context.database
    with (
        rare_collections(),
        TemporaryDirectory(prefix="wanmi-build-") as scratch,
        database.connect() as connection,
        dataset_lock(connection, "deliveries"),
    ):
        context = replace(context, scratch=Path(scratch))
        if options.dry_run:
            return _rehearse(steps, context, progress=progress)
        work = _judge_all(steps, context, progress=progress)
        # What the delivery brings about must not be older than what is live either.
        waiting = [item for item in work if isinstance(item, Judged) and not item.is_nothing]
        _refuse_older(delivery, [item.step.dataset for item in waiting], database)
        done = [_finish(item, database, options=options, progress=progress) for item in work]
        # A build of something else leaves what a killed one kept of its division.
        if any(item.step.dataset == GRIDS for item in waiting):
            shutil.rmtree(workspace.root / MEMO, ignore_errors=True)
        return done


def open_context(delivery: Delivery, workspace: Workspace) -> BuildContext:
    """Return what the rows of `delivery` are judged with: the city, and what is live in its database."""
    database = open_database(workspace)
    return BuildContext(
        workspace=workspace,
        database=database,
        crs=city_crs(workspace.profile, workspace.root),
        profile=workspace.profile,
        as_of=delivery.as_of,
        delivery=delivery,
        references=References(database),
    )


def _rehearse(
    steps: Sequence[Step], context: BuildContext, *, progress: Progress
) -> list[DatasetReport]:
    """Judge everything; orthophotos are made in a folder that is removed again."""
    with TemporaryDirectory(prefix="wanmi-dry-run-") as folder:
        workspace = replace(context.workspace, root=Path(folder))
        aside = replace(context, workspace=workspace)
        return [_forecast(item) for item in _judge_all(steps, aside, progress=progress)]


def choose_steps(delivery: Delivery, *, only: Sequence[str]) -> list[Step]:
    """Return the steps that a delivery sets off, in building order.

    Raises
    ------
    BuildError
        An ``only`` dataset does not exist, or the delivery does not bring it about.
    """
    delivered = set(delivery.datasets)
    possible = [step for step in STEPS if delivered & {step.dataset, *step.triggers}]
    names = [step.dataset for step in possible]
    for name in only:
        if name not in DATASETS:
            near = closest(name, DATASETS)
            msg = f"There is no dataset {name!r}: did you mean {near!r}? Known: {', '.join(DATASETS)}."
            raise BuildError(
                msg, zh=f"没有数据集“{name}”：是否应为“{near}”？可用：{'、'.join(DATASETS)}。"
            )
        if name not in names:
            msg = f"The delivery has no {name}: it brings {', '.join(names)}; leave out --only {name}."
            raise BuildError(
                msg, zh=f"该交付不含 {name}，只含 {'、'.join(names)}；请去掉 --only {name}。"
            )
    return [step for step in possible if not only or step.dataset in only]


def _judge_all(
    steps: Sequence[Step], context: BuildContext, *, progress: Progress
) -> list[Judged | BuildResult]:
    database, delivery = context.database, context.delivery
    delivered = [step.dataset for step in steps if delivery.layers_of(step.dataset)]
    _refuse_older(delivery, delivered, database)
    standing = live_hashes(database)
    with hashed_beside(delivery) as hash_of:
        found = [
            _judge_one(step, context, standing=standing, hash_of=hash_of, progress=progress)
            for step in steps
        ]
    return [item for item in found if item is not None]


def _judge_one(
    step: Step,
    context: BuildContext,
    *,
    standing: dict[str, str],
    hash_of: HashOf,
    progress: Progress,
) -> Judged | BuildResult | None:
    """Judge a dataset unless it is live already; None: neither delivered nor ever loaded.

    What is to be live of it is noted in `standing`.
    """
    delivery, dataset = context.delivery, step.dataset
    layers = delivery.layers_of(dataset)
    surroundings = beside_files(step, context, standing=standing)
    # What was never loaded is judged while its files are hashed: no build can be the same.
    judged = None if dataset in standing else _judge(step, context, progress=progress)
    content_hash = content_hash_of(step, hash_of(layers), layers=layers, surroundings=surroundings)
    if judged is None:
        before = find_build(context.database, dataset=dataset, content_hash=content_hash)
        is_live = bool(layers) or step.facts is None or standing.get(dataset) == content_hash
        if before is not None and is_live:
            return before
        hashes = (hash_of(delivery.layers), content_hash)
        judged = _judge(step, context, hashes=hashes, progress=progress)
    if judged.is_nothing and dataset not in standing:
        return None  # there is nothing to tell of it
    if not judged.is_nothing:
        standing[dataset] = content_hash
    expect_rows(judged, context)
    request = replace(
        judged.request, delivery_hash=hash_of(delivery.layers), content_hash=content_hash
    )
    return replace(judged, request=request)


def _judge(
    step: Step, context: BuildContext, *, hashes: tuple[str, str] = ("", ""), progress: Progress
) -> Judged:
    delivery = context.delivery
    total = sum(len(layer.files) for layer in delivery.layers_of(step.dataset)) + 1
    with progress(f"judging {step.dataset}", total=total) as advance:
        request = BuildRequest(
            delivery=delivery.name,
            as_of=delivery.as_of,
            path=str(delivery.source or delivery.root),
            delivery_hash=hashes[0],
            dataset=step.dataset,
            content_hash=hashes[1],
            files={},
        )
        return judge_step(step, request, context, advance=advance)


def _refuse_older(delivery: Delivery, datasets: Sequence[str], database: Database) -> None:
    """Refuse a delivery older than what is live; `publish` would do so after the first datasets."""
    with database.connect(read_only=True) as connection:
        for name in datasets:
            check_day(connection, dataset=name, as_of=delivery.as_of)


def _finish(
    item: Judged | BuildResult, database: Database, *, options: BuildOptions, progress: Progress
) -> DatasetReport:
    if isinstance(item, BuildResult):
        return report_result(item)
    dataset, warnings = item.step.dataset, item.warnings
    with progress(f"publishing {dataset}", total=1) as advance:
        if dataset == DATASET:
            result, left = publish_cases(
                database, item.request, outcome=item.outcome, actor=options.actor
            )
            warnings += left
        elif item.is_nothing:
            return report_nothing(dataset)
        else:
            result = publish(
                database,
                item.request,
                accepted=item.outcome.accepted,
                faults=item.outcome.faults,
                rows_read=item.rows_read,
                scope=item.scope,
                actor=options.actor,
                also=settle_again if dataset == "components" else item.outcome.beside,
            )
        advance(1)
    logger.info("%s: build %s, %s rows", dataset, result.build_id, result.rows_accepted)
    return report_result(result, faults=summary_of(item.outcome), warnings=warnings)


def _forecast(item: Judged | BuildResult) -> DatasetReport:
    if isinstance(item, BuildResult):
        return report_result(item)
    return DatasetReport(
        dataset=item.step.dataset,
        status="judged",
        build_id=None,
        rows_read=item.rows_read,
        rows_accepted=item.outcome.count,
        rows_rejected=item.outcome.refused,
        rows_opened=None,
        rows_closed=None,
        rows_unchanged=None,
        faults=summary_of(item.outcome),
        warnings=tuple(warning.en for warning in item.warnings),
        warnings_zh=tuple(warning.zh for warning in item.warnings),
    )
