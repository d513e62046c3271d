"""What a workbook would change: rows, owners of classes in areas, and open cases."""

from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from census.plan.chains import Chain
from census.plan.coverage import judge
from census.plan.moments import Moments
from census.plan.owning import OwnerChange, compare
from census.plan.prospects import CaseChanges, Prospect, offered
from census.plan.search import Plan
from gis.builds import live
from gis.workspace import Workspace
from pipelines.context import BuildContext
from pipelines.responsibility.judging import PlanJudgement, classes_of, judge_workbook, plan_of
from pipelines.responsibility.places import places_of
from pipelines.responsibility.store import standing_rows
from pipelines.responsibility.validity import DAYS, in_force

_LIVE = "\0"
"""Put before the codes of live plan areas while places are made: both plans cut the grids."""
_ROW = (
    *("kind", "class_code", "area_code", "role", "unit_code", "season", "hours"),
    *("limit_value", "limit_unit", "filing_condition", "closing_condition", "remark"),
    *DAYS,
)
_AREA = ("name", "kind", "road_name", "from_road", "to_road", "width_m", "sharing", "sides", "axis")


@dataclass(frozen=True, kw_only=True)
class RowChange:
    """A row, or a plan area, that is new, gone or different."""

    change: str
    """added, removed, changed."""
    what: str
    """row or area."""
    code: str
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    """Column -> value before and after."""


@dataclass(frozen=True, kw_only=True)
class PlanChanges:
    """A workbook compared with the plan that holds on its day."""

    judged: PlanJudgement
    rows: tuple[RowChange, ...]
    unchanged: int
    owners: tuple[OwnerChange, ...]
    cases: CaseChanges | None
    """Open cases that would go to another unit; None: nobody decides cases in this program."""


def compare_workbook(path: Path, *, workspace: Workspace, as_of: date) -> PlanChanges:
    """Compare a workbook with the plan that is live; nothing is written.

    Lines refused keep what is live of them, as they do when the workbook is loaded.

    Raises
    ------
    DeliveryError, FileFormatError
        As for ``judging.delivery_of``.
    """
    judged = judge_workbook(path, workspace=workspace, as_of=as_of, days_ahead=0)
    context = judged.context
    every = live(context.database, "responsibility")
    drawn = gpd.GeoDataFrame(live(context.database, "plan_areas"))
    rows = in_force(every, as_of)
    standing = in_force(standing_rows(judged.outcome, every), as_of)
    changes, unchanged = _compare_rows(rows, standing, names=_ROW, what="row")
    areas, _ = _compare_rows(
        _comparable(drawn), _comparable(judged.areas), names=(*_AREA, "outline"), what="area"
    )
    before, after = plan_of(rows), plan_of(standing)
    return PlanChanges(
        judged=judged,
        rows=(*changes, *areas),
        unchanged=unchanged,
        owners=tuple(_owners(judged, (before, after), drawn)),
        cases=None
        if (decide := offered()) is None
        else decide(workspace, _prospect(rows, drawn), _prospect(standing, judged.areas)),
    )


def _prospect(rows: pd.DataFrame, areas: gpd.GeoDataFrame) -> Prospect:
    return Prospect(rows=_documents(rows), areas=_documents(pd.DataFrame(areas)))


def _documents(frame: pd.DataFrame) -> list[dict[str, Any]]:
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


def _comparable(areas: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return areas with their outlines as text, to the centimetre."""
    outline = [
        "" if shape is None else shape.normalize().wkt if len(shape.wkt) < 200 else _digest(shape)
        for shape in areas.geometry.set_precision(0.01)
    ]
    return pd.DataFrame(areas.drop(columns=areas.geometry.name)).assign(outline=outline)


def _digest(shape: Any) -> str:
    """Return size and place of a shape, and a mark that differs when any vertex does."""
    mark = sha256(shape.normalize().wkb).hexdigest()[:8]
    return f"{shape.area:.1f} m² ({shape.centroid.x:.1f}, {shape.centroid.y:.1f}) {mark}"


def _compare_rows(
    before: pd.DataFrame, after: pd.DataFrame, *, names: tuple[str, ...], what: str
) -> tuple[list[RowChange], int]:
    old, new = (_records(frame, names) for frame in (before, after))
    changes = [RowChange(change="removed", what=what, code=code) for code in old if code not in new]
    changes += [RowChange(change="added", what=what, code=code) for code in new if code not in old]
    same = 0
    for code, record in new.items():
        if code not in old:
            continue
        fields = {
            name: (old[code][name], record[name])
            for name in names
            if old[code][name] != record[name]
        }
        same += not fields
        if fields:
            changes.append(RowChange(change="changed", what=what, code=code, fields=fields))
    changes = _renamed(changes, old, new, what=what)
    return sorted(changes, key=lambda each: (each.change, each.code)), same


def _renamed(
    changes: list[RowChange],
    old: dict[str, dict[str, Any]],
    new: dict[str, dict[str, Any]],
    *,
    what: str,
) -> list[RowChange]:
    """Tell a row that is gone and one that is new and says the same as one whose name changed."""
    gone: dict[tuple[Any, ...], list[str]] = {}
    for each in changes:
        if each.change == "removed":
            gone.setdefault(_said(old[each.code]), []).append(each.code)
    former = {
        each.code: codes.pop(0)
        for each in changes
        if each.change == "added" and (codes := gone.get(_said(new[each.code])))
    }
    renamed = set(former.values())
    kept = [
        each
        for each in changes
        if not (each.change == "removed" and each.code in renamed)
        and not (each.change == "added" and each.code in former)
    ]
    return kept + [
        RowChange(change="changed", what=what, code=code, fields={"code": (before, code)})
        for code, before in former.items()
    ]


def _said(record: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(tuple(each) if isinstance(each, list) else each for each in record.values())


def _records(frame: pd.DataFrame, names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    table = frame.reindex(columns=["code", *names]).astype(object)
    records = table.to_dict("records")
    return {
        str(record["code"]): {name: _plain(record[name]) for name in names} for record in records
    }


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return list(value)
    return None if value is None or value != value else value


def _owners(
    judged: PlanJudgement, plans: tuple[Plan, Plan], drawn: gpd.GeoDataFrame
) -> list[OwnerChange]:
    context, (before, after) = judged.context, plans
    live_areas = drawn.assign(code=_LIVE + drawn["code"].astype(str))
    both = [part for part in (judged.areas, live_areas) if len(part)]
    areas = (
        gpd.GeoDataFrame(
            pd.concat(both, ignore_index=True), geometry="geometry", crs=context.crs.crs
        )
        if both
        else judged.areas
    )
    named = {*after.areas, *before.areas, *(_LIVE + code for code in before.areas)}
    places = places_of(context, areas, named=named)
    moments = Moments([*before.conditions, *after.conditions])
    old, new = (
        judge(
            plan,
            classes=classes_of(judged.taxonomy),
            places=[_seen(place, live=is_live) for place in places],
            order=context.profile.decision.order,
            moments=moments,
        )
        for plan, is_live in ((before, True), (after, False))
    )
    return compare(
        old, new, current=_current(context), places=[_seen(p, live=None) for p in places]
    )


def _seen(place: Chain, *, live: bool | None) -> Chain:
    """Return a place with the plan areas of one plan; of both for None."""
    kept = [c for c in place.plan_areas if live is None or c.startswith(_LIVE) == live]
    names = dict.fromkeys(code.removeprefix(_LIVE) for code in kept)
    return place._replace(plan_areas=tuple(names))


def _current(context: BuildContext) -> dict[str, str]:
    directory = context.unit_directory()
    return {code: directory.current(code) for code in directory.names}
