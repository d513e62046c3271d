"""A dataset of a delivery read and judged, and what later or earlier datasets see of it; nothing is written."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd

from gis.builds import BuildRequest, Scope
from gis.errors import WanmiError
from gis.faults import Outcome
from gis.remarks import Remark
from gis.tables import FEATURE_TABLES
from pipelines.cases import DATASET
from pipelines.casespool import is_large, judge_spooled
from pipelines.context import BuildContext
from pipelines.corrected import spare_corrected
from pipelines.layers import Extract, Failed, describe, extract, no_rows
from pipelines.steps import STEPS, Step

Advance = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A dataset of a delivery after judging."""

    step: Step
    request: BuildRequest
    outcome: Outcome
    rows_read: int
    scope: Scope
    warnings: tuple[Remark, ...] = ()
    """Doubts about whole files, file by file, and what is to be said of the whole."""

    @property
    def is_nothing(self) -> bool:
        """Neither delivered nor brought about: there is nothing to publish."""
        return not self.outcome.count and not self.request.files and not self.outcome.ends


def judge_step(
    step: Step,
    request: BuildRequest,
    context: BuildContext,
    *,
    advance: Advance,
    failed: Failed | None = None,
) -> Judged:
    """Read and judge what the delivery brings of one dataset; nothing is written.

    With `failed`, files that can not be read are told to it and left out; then no live row ends.
    """
    failures: list[str] = []

    def note(name: str, error: WanmiError) -> None:
        assert failed is not None
        failures.append(name)
        failed(name, error)

    if step.dataset == DATASET and context.scratch is not None and is_large(context):
        spooled, files = judge_spooled(context, context.scratch, advance=advance)
        advance(1)
        return Judged(
            step=step,
            request=BuildRequest(**{**vars(request), "files": describe(files)}),
            outcome=spooled,
            rows_read=spooled.count + spooled.refused,
            scope=Scope.nothing(),
            warnings=files.warnings,
        )
    delivered = context.delivery.layers_of(step.dataset)
    extracted = (
        extract(context, step.dataset, advance=advance, failed=note if failed else None)
        if delivered
        else Extract(frame=no_rows(context, step.dataset), reports=(), unmapped={}, columns={})
    )
    with _foreseeing(step, context):
        outcome = step.judge(extracted.frame, replace(context, findings=extracted.findings))
    faults = outcome.faults
    faults["record"] = [
        extracted.as_delivered(record, file)
        for record, file in zip(faults["record"], faults["source_file"], strict=True)
    ]
    advance(1)
    scope = Scope.nothing() if failures else _scope(step, outcome, context)
    return Judged(
        step=step,
        request=BuildRequest(**{**vars(request), "files": describe(extracted)}),
        outcome=outcome,
        # What was read, not what came out: the store counts whether rows were lost on the way.
        rows_read=len(extracted.frame) if step.is_row_by_row else outcome.count + outcome.refused,
        scope=spare_corrected(scope, request, context.database),
        warnings=extracted.warnings + outcome.remarks,
    )


def _scope(step: Step, outcome: Outcome, context: BuildContext) -> Scope:
    if outcome.ends is not None:
        return Scope.codes(outcome.ends)
    replaced = _replaced(outcome.accepted, context, step.dataset)
    return Scope.nothing() if replaced.empty else step.scope(replaced, context)


def _replaced(accepted: pd.DataFrame, context: BuildContext, dataset: str) -> pd.DataFrame:
    """Return the accepted rows of layers that replace; those of layers that update close nothing."""
    updating = {
        context.delivery.source_name(layer, path)
        for layer in context.delivery.layers_of(dataset)
        if layer.mode == "update"
        for path in layer.files
    }
    return accepted[~accepted["source_file"].isin(updating)] if updating else accepted


def expect_rows(judged: Judged, context: BuildContext) -> None:
    """Let later datasets see the rows as they will be: refused ones keep their live version."""
    if judged.step.dataset not in FEATURE_TABLES:
        return
    context.references.expect(judged.step.dataset, partial(_as_published, judged))


def _as_published(judged: Judged, live: pd.DataFrame) -> pd.DataFrame:
    """Return the live rows as they will be once what was judged is published."""
    accepted, faults = judged.outcome.accepted, judged.outcome.faults
    refused = faults.loc[faults["severity"] == "error", "code"].dropna().astype(str)
    ends = judged.scope.covers(live) & ~live["code"].isin(refused)
    kept = live[~ends & ~live["code"].isin(accepted["code"])]
    return accepted if kept.empty else pd.concat([kept, accepted], ignore_index=True)


@contextmanager
def _foreseeing(step: Step, context: BuildContext) -> Iterator[None]:
    """Let a dataset see what it foresees, which is judged after it, as the delivery will leave it.

    That is read and judged when it is first asked for, against what holds by then, and again in its
    own turn: then against all that comes before it.
    """
    delivery, references = context.delivery, context.references
    ahead = [item for item in STEPS if item.dataset in step.foresees]
    ahead = [item for item in ahead if delivery.layers_of(item.dataset)]

    def judged(item: Step, live: pd.DataFrame) -> pd.DataFrame:
        request = BuildRequest(
            delivery=delivery.name,
            as_of=delivery.as_of,
            path="",
            delivery_hash="",
            dataset=item.dataset,
            content_hash="",
            files={},
        )
        return _as_published(judge_step(item, request, context, advance=lambda _: None), live)

    for item in ahead:
        references.expect(item.dataset, partial(judged, item))
    try:
        yield
    finally:
        for item in ahead:
            references.forget(item.dataset)
