"""A workbook judged against what is live: its rows, and what they leave open."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd

from census.plan.chains import Chain
from census.plan.coverage import Coverage, judge
from census.plan.findings import REFUSING, WORDS, Finding, find, is_accepted
from census.plan.search import Plan
from census.plan.ties import find_ties
from census.taxonomy import Taxonomy
from gis.errors import DeliveryError
from gis.faults import Outcome
from gis.workspace import Workspace
from pipelines.build import open_context
from pipelines.context import BuildContext
from pipelines.delivery import Delivery, LayerSpec
from pipelines.layers import extract
from pipelines.responsibility.ahead import DAYS_AHEAD, Ahead, gather
from pipelines.responsibility.contradictions import Contradiction, find_contradictions
from pipelines.responsibility.intake import DATASET, taxonomy_of, transform
from pipelines.responsibility.places import places_of
from pipelines.responsibility.store import AreaStore
from pipelines.responsibility.validity import days_ahead as days_of_change
from pipelines.responsibility.validity import in_force
from pipelines.responsibility.workbook import AREA, read_plan

KINDS = ("component", "event")


@dataclass(frozen=True, kw_only=True)
class PlanJudgement:
    """Everything found out about a workbook."""

    file: str
    as_of: date
    context: BuildContext = field(repr=False)
    outcome: Outcome = field(repr=False)
    """Rows accepted, and the faults of those that were refused or doubted."""
    rows_read: int
    """Lines of the workbook: rows and areas."""
    areas: gpd.GeoDataFrame = field(repr=False)
    """Plan areas that the rows may name."""
    taxonomy: Taxonomy = field(repr=False)
    plan: Plan = field(repr=False)
    coverage: Coverage = field(repr=False)
    findings: tuple[Finding, ...] = field(repr=False)
    """What holds on the day; it decides whether the plan is accepted."""
    contradictions: tuple[Contradiction, ...] = field(repr=False)
    """Where records of live components name other units than the plan; told, never refused."""
    ahead: Ahead = field(default_factory=Ahead, repr=False)
    """What is found on later days, which never refuses it."""

    @property
    def places(self) -> list[Chain]:
        """Different places of the city."""
        return list(self.coverage.places)

    @property
    def rows(self) -> pd.DataFrame:
        """Rows accepted that hold on the day."""
        return in_force(self.outcome.accepted, self.as_of)

    @property
    def refused(self) -> int:
        """Lines refused."""
        return self.outcome.refused

    def told(self, *, is_chinese: bool) -> str:
        """Return what it is not accepted for in words: ``lines refused 2, hole 3``."""
        counts = {("lines refused", "拒绝的行"): self.refused} | _counts(self.findings)
        return _listed(counts, is_chinese=is_chinese)

    def told_ahead(self, *, is_chinese: bool) -> str:
        """Return what would refuse it on later days, in the same words; empty: nothing."""
        return _listed(_counts(self.ahead.findings), is_chinese=is_chinese)

    @property
    def is_accepted(self) -> bool:
        """Every line was read, and every class has one owner everywhere and always."""
        return not self.refused and is_accepted(self.findings)


def _counts(findings: Iterable[Finding]) -> dict[tuple[str, str], int]:
    counts: Counter[str] = Counter(finding.what for finding in findings)
    return {WORDS[what]: counts[what] for what in REFUSING}


def _listed(counts: Mapping[tuple[str, str], int], *, is_chinese: bool) -> str:
    parts = [f"{words[is_chinese]} {count:,}" for words, count in counts.items() if count]
    return ("、" if is_chinese else ", ").join(parts)


def delivery_of(path: Path, *, as_of: date) -> Delivery:
    """Return the workbook, with the layers that its areas name, as a delivery of its own.

    Raises
    ------
    DeliveryError
        The workbook, or a layer that it names, is not there.
    FileFormatError
        The workbook can not be read.
    """
    if not path.is_file():
        msg = f"There is no {path}: correct the path of the workbook."
        raise DeliveryError(msg, zh=f"没有 {path}：请更正工作簿的路径。")
    root = path.resolve().parent
    frame = read_plan(path).frame
    named = frame.loc[frame["part"].eq(AREA), "layer"].dropna() if "layer" in frame else []
    layers = [_layer(path.name, path.resolve(), None)]
    for name in sorted({str(name).strip() for name in named}):
        file, _, layer = name.partition("|")
        found = root / file
        if not found.is_file() or not found.resolve().is_relative_to(root):
            msg = f"{path.name} names the layer {file}, which does not lie beside it: put it there."
            raise DeliveryError(msg, zh=f"{path.name} 引用的图层 {file} 不在同一目录：请放在旁边。")
        layers.append(_layer(file, found.resolve(), layer or None))
    return Delivery(name=path.stem, as_of=as_of, root=root, layers=tuple(layers))


def _layer(name: str, file: Path, layer: str | None) -> LayerSpec:
    return LayerSpec(dataset=DATASET, path=name, layer=layer, fields={}, options={}, files=(file,))


def judge_workbook(
    path: Path, *, workspace: Workspace, as_of: date, days_ahead: int = DAYS_AHEAD
) -> PlanJudgement:
    """Judge a workbook as it would be on a day and on the next days of change; nothing is written.

    Parameters
    ----------
    path : Path
        The workbook.
    workspace : Workspace
        What it is judged against.
    as_of : date
        The day.
    days_ahead : int
        So many later days on which rows begin or end are judged too.

    Raises
    ------
    DeliveryError, FileFormatError
        As for `delivery_of`.
    """
    delivery = delivery_of(path, as_of=as_of)
    context = open_context(delivery, workspace)
    extracted = extract(context, DATASET)
    outcome = transform(extracted.frame, replace(context, findings=extracted.findings))
    told = [word for report in extracted.reports for word in report.warnings]
    outcome = replace(outcome, remarks=(*told, *outcome.remarks))
    store = outcome.beside
    areas = store.standing if isinstance(store, AreaStore) else context.features("plan_areas")
    changing = days_of_change(outcome.accepted, as_of)
    days = (as_of, *changing[:days_ahead])
    plans = {day: plan_of(in_force(outcome.accepted, day)) for day in days}
    taxonomy = taxonomy_of(context)
    places = places_of(
        context, areas, named=frozenset().union(*(each.areas for each in plans.values()))
    )
    sizes = dict(zip(areas["code"], areas.geometry.area, strict=True)) if len(areas) else {}
    coverages, found = {}, {}
    for day, each in plans.items():
        coverages[day] = judge(
            each,
            classes=classes_of(taxonomy),
            places=places,
            order=context.profile.decision.order,
        )
        found[day] = [
            *find(coverages[day], each.rows),
            *find_ties(coverages[day], each.rows, sizes=sizes),
        ]
    held = {day: frozenset(row.code for row in each.rows) for day, each in plans.items()}
    findings, ahead = gather(found, held, left=changing[days_ahead:])
    return PlanJudgement(
        file=path.name,
        as_of=as_of,
        context=context,
        outcome=outcome,
        rows_read=len(extracted.frame),
        areas=areas,
        taxonomy=taxonomy,
        plan=plans[as_of],
        coverage=coverages[as_of],
        findings=findings,
        contradictions=tuple(find_contradictions(context, plans[as_of], drawn=areas)),
        ahead=ahead,
    )


def plan_of(rows: pd.DataFrame) -> Plan:
    """Return the rows of the table, delivered or live, as a plan."""
    plain = rows.astype(object).where(rows.notna(), None)
    return Plan(plain.to_dict("records"))


def classes_of(taxonomy: Taxonomy) -> dict[str, list[str]]:
    """Return kind -> minor classes of the city."""
    return {kind: [entry.code for entry in taxonomy.all(kind)] for kind in KINDS}
