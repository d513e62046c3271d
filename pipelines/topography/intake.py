"""Topography as it comes in: rows judged, sheets told apart, pieces joined, patches put in place."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from hashlib import sha256

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis.codes import Rule
from gis.faults import Faults, Outcome
from gis.remarks import Remark
from pipelines.context import BuildContext
from pipelines.topography import edgefaults, sheetchecks
from pipelines.topography.assembly import assemble
from pipelines.topography.catalogue import topography_rules
from pipelines.topography.edges import tolerances
from pipelines.topography.features import DATASET, RULES, transform
from pipelines.topography.identifiers import Ids, Settled, are_by_sheet, decide_ids, settle_codes
from pipelines.topography.matching import Matched, Sheets, match_edges
from pipelines.topography.patches import (
    Delivered,
    apply_patch,
    live_days,
    live_sheets,
    refuse_older,
)
from pipelines.topography.sheetplan import (
    SheetPlan,
    delivered_numbers,
    read_extents,
    read_plan,
    row_numbers,
    survey_days,
)
from pipelines.topography.sheets import Sheet, sheet_key
from pipelines.topography.sheetstore import Store, end_empty_sheets
from pipelines.topography.survey import Survey


@dataclass(frozen=True, kw_only=True)
class Joined:
    """What became of the pieces of a sheet-wise delivery."""

    features: gpd.GeoDataFrame
    """Rows of topography, index that of the delivered row each is named by."""
    faults: pd.DataFrame
    """Faults of rows, sheets and edges."""
    edges: gpd.GeoDataFrame
    """Rows of ``topography.edge_fault``."""
    survey: Survey
    """The pieces that stood."""
    joins: int
    """Places at which pieces were joined."""
    ids: Ids
    """Whether identifiers are of the city or of the sheet."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a build makes of a delivery."""

    outcome: Outcome
    labels: NDArray[np.object_]
    """Index of the delivered row that each accepted one is named by; None: of one that was live before."""


def judge(frame: gpd.GeoDataFrame, context: BuildContext) -> Outcome:
    """Judge map features as `judge_labelled` does, without what each is named by."""
    return judge_labelled(frame, context).outcome


def judge_labelled(frame: gpd.GeoDataFrame, context: BuildContext) -> Judged:
    """Judge map features as a build does; join the pieces of sheets, put patches in their place.

    Raises
    ------
    DeliveryError
        What the manifest says of sheets or of a patch can not be used.
    """
    plan = read_plan(context.delivery.layers_of(DATASET))
    if plan is None:
        # Delivered as one: sheets of before end when nothing of them is left.
        whole = transform(frame, context)
        return Judged(
            outcome=replace(whole, beside=partial(end_empty_sheets, as_of=context.as_of)),
            labels=whole.accepted.index.to_numpy(dtype=object),
        )
    rows = transform(frame, context, repeats=False)
    survey = read_survey(gpd.GeoDataFrame(rows.accepted), frame, plan, context)
    days = live_days(context.database) if plan.is_patch else {}
    joined = join_sheets(survey, frame, context, days=days)
    faults = _sorted(rows.faults, joined.faults)
    outcome = Outcome(
        accepted=joined.features.reset_index(drop=True),
        faults=_with_sheets(faults, frame, plan) if joined.ids == "sheet" else faults,
        remarks=(*_remarks(joined), *_left_out(joined, plan, context)),
        beside=Store(
            sheets=_records(joined.survey, context),
            faults=joined.edges.drop(columns="row"),
            as_of=context.as_of,
            database=context.database,
        ),
    )
    labels = joined.features.index.to_numpy(dtype=object)
    if not plan.is_patch:
        return Judged(outcome=outcome, labels=labels)
    delivered = Delivered(
        features=joined.features, survey=joined.survey, ids=joined.ids, rules=_rules(context)
    )
    placed, named_by = apply_patch(outcome, delivered, context)
    # A live row may come from the same row of a file of the same name: its place tells nothing.
    return Judged(outcome=placed, labels=np.array([*labels, None], dtype=object)[named_by])


def _rules(context: BuildContext) -> Mapping[str, Rule]:
    return {**RULES, **topography_rules(context.profile.topography.severity)}


def _sorted(*tables: pd.DataFrame) -> pd.DataFrame:
    filled = [table for table in tables if len(table)]
    if not filled:
        return tables[0]
    return pd.concat(filled, ignore_index=True).sort_values(
        ["source_file", "source_row", "rule"], kind="stable", ignore_index=True
    )


def _with_sheets(faults: pd.DataFrame, frame: pd.DataFrame, plan: SheetPlan) -> pd.DataFrame:
    """Return faults with the codes that refused rows have in the database, so that these stay live."""
    if plan.sheet_from == "field" and "sheet" not in frame:
        return faults
    place = ["source_file", "source_row"]
    number = row_numbers(frame, plan).set_axis(pd.MultiIndex.from_frame(frame[place]))
    sheet = number.reindex(pd.MultiIndex.from_frame(faults[place])).set_axis(faults.index)
    is_refused = faults["severity"].eq("error") & faults["code"].notna() & sheet.notna()
    local = sheet.astype(str).str.strip() + "/" + faults["code"].astype(str)
    return faults.assign(code=faults["code"].astype(object).mask(is_refused, local))


def read_survey(
    rows: gpd.GeoDataFrame, delivered: pd.DataFrame, plan: SheetPlan, context: BuildContext
) -> Survey:
    """Return the accepted rows with their sheets, and the sheets with their ground and day."""
    number = row_numbers(rows, plan)
    key = number.map(sheet_key, na_action="ignore").astype(object)
    rows = rows.assign(sheet=number.where(number.notna(), None))
    points = shapely.get_coordinates(shapely.point_on_surface(rows.geometry.to_numpy()))
    located = pd.DataFrame(points, columns=["x", "y"], index=rows.index).groupby(key).median()
    middles = {str(name): (float(x), float(y)) for name, x, y in located.itertuples(name=None)}
    named = {str(value) for value in number.dropna()} | set(delivered_numbers(context, plan))
    if plan.sheet_from == "field" and "sheet" in delivered:
        named |= {str(value).strip() for value in delivered["sheet"].dropna()} - {""}
    sheets, order = read_extents(sorted(named), plan, context, middles=middles)
    place = {sheet_key(sheet.number): position for position, sheet in enumerate(sheets)}
    return Survey(
        rows=rows,
        sheet=key.map(place).fillna(-1).to_numpy(dtype=np.intp),
        sheets=tuple(sheets),
        tolerance_m=tolerances(
            [sheet.scale for sheet in sheets], context.profile.topography.edge_mm
        ),
        days=_days(rows, key, sheets, context),
        order=order,
        plan=plan,
        unplaced=tuple(sorted(named - {sheet.number for sheet in sheets})),
    )


def _days(
    rows: gpd.GeoDataFrame, key: "pd.Series[str]", sheets: list[Sheet], context: BuildContext
) -> tuple[tuple[date | None, str | None], ...]:
    """Return day and contractor of each sheet: the latest day among its files."""
    stated = survey_days(context)
    pairs = pd.DataFrame({"key": key, "file": rows["source_file"]}).dropna().drop_duplicates()
    found: dict[str, list[tuple[date | None, str | None]]] = {}
    for name, file in pairs.itertuples(index=False):
        found.setdefault(str(name), []).append(stated.get(str(file), (None, None)))
    result = []
    for sheet in sheets:
        known = found.get(sheet_key(sheet.number), [(None, None)])
        result.append(max(known, key=lambda entry: (entry[0] or date.min, entry[1] or "")))
    return tuple(result)


def join_sheets(
    survey: Survey, frame: pd.DataFrame, context: BuildContext, *, days: Mapping[str, date]
) -> Joined:
    """Join the pieces of a survey.

    Parameters
    ----------
    survey : Survey
        Accepted rows and their sheets.
    frame : pandas.DataFrame
        The rows as delivered, for the lists of faults.
    context : BuildContext
        City.
    days : mapping
        Sheet code -> day of the survey that is live; older sheets are refused.
    """
    rules = _rules(context)
    faults = Faults(frame.loc[survey.rows.index], rules=rules)
    sheetchecks.check_rows(survey, faults)
    sheetchecks.refuse_twice(survey, faults)
    current = refuse_older(survey, faults, days)
    kept = current.kept(~faults.refused.to_numpy(dtype=bool))
    matched = match_edges(
        kept.rows,
        kept.sheet,
        Sheets(extents=kept.extents, tolerance_m=kept.tolerance_m, age=kept.age),
    )
    settled, ids, local = _settle(kept, matched, context)
    _refuse_repeats(kept, settled, faults)
    stands = ~(settled.repeated | settled.clashing)
    whole = settled.matched
    pieces = kept.rows.assign(code=settled.code, delivered=kept.rows["code"])
    used, group = np.unique(whole.group[stands], return_inverse=True)
    age = np.append(kept.age, 0.0)  # for rows on no sheet, at -1
    features = assemble(
        gpd.GeoDataFrame(pieces[stands]),
        group.astype(np.intp),
        whole.shapes[used],
        numbers=kept.numbers[stands],
        age=age[kept.sheet[stands]],
    )
    codes = np.full(len(whole.shapes), None, dtype=object)
    codes[used] = features["code"].to_numpy()
    edges = edgefaults.describe(
        whole.faults,
        kept.rows,
        sheets=[sheet.number for sheet in kept.sheets],
        codes=codes[whole.group],
        rules=rules,
    )
    _tell_parted(kept, settled, faults)
    told = sheetchecks.sheet_faults(kept, delivered=current, rules=rules, local=local)
    return Joined(
        features=features,
        faults=_sorted(faults.outcome().faults, told, edgefaults.as_rejects(edges, kept.rows)),
        edges=edges,
        survey=kept,
        joins=whole.joins,
        ids=ids,
    )


def _settle(
    kept: Survey, matched: Matched, context: BuildContext
) -> tuple[Settled, Ids, tuple[str, int] | None]:
    """Make one feature of pieces with one identifier, where identifiers are of the city."""
    reach_m = 2 * float(kept.tolerance_m.max(initial=0.15))
    ids, local = kept.plan.ids, None
    if ids is None:
        ids, local = decide_ids(
            kept.rows,
            kept.sheet,
            matched,
            reach_m=reach_m,
            is_live_by_sheet=kept.plan.is_patch
            and are_by_sheet(
                context.features("topography")["code"].astype(str),
                [sheet.number for sheet in kept.sheets],
            ),
        )
    numbers = kept.numbers
    settled = settle_codes(kept.rows, matched, ids=ids, numbers=numbers, reach_m=reach_m)
    return settled, ids, local


def _refuse_repeats(kept: Survey, settled: Settled, faults: Faults) -> None:
    """Refuse (P002) pieces whose identifier another feature has, or that are it over again."""
    rows = kept.rows
    mask = pd.Series(settled.repeated | settled.clashing, index=rows.index)
    place = rows["source_file"].astype(str) + " row " + rows["source_row"].astype(str)
    first = place.groupby(settled.code).transform("first")
    faults.add("P002", mask, code=rows["code"], first=first)


def _tell_parted(kept: Survey, settled: Settled, faults: Faults) -> None:
    rows = kept.rows
    mask = pd.Series(False, index=rows.index)
    sheets = pd.Series("", index=rows.index, dtype=object)
    for places in settled.parted.values():
        label = rows.index[places[0]]
        mask[label] = True
        sheets[label] = ", ".join(sorted({str(kept.numbers[place]) for place in places}))
    faults.add("TP86", mask, code=rows["code"], sheets=sheets)


def _remarks(joined: Joined) -> tuple[Remark, ...]:
    survey = joined.survey
    if len(survey.sheets) == 0:
        return ()
    return (
        Remark(
            en=f"{len(survey.rows)} features on {len(survey.sheets)} sheets were joined at {joined.joins} places "
            f"to {len(joined.features)}; {len(joined.edges)} faults at edges: wanmi topography sheets",
            zh=f"{len(survey.sheets)} 幅图的 {len(survey.rows)} 个要素在 {joined.joins} 处接边，合为 "
            f"{len(joined.features)} 个；图边问题 {len(joined.edges)} 处：wanmi topography sheets",
        ),
    )


def _left_out(joined: Joined, plan: SheetPlan, context: BuildContext) -> tuple[Remark, ...]:
    """Say which sheets end with a delivery that replaces all, in case it was meant for its own alone."""
    if plan.is_patch or not context.database.url:
        return ()
    ends = live_sheets(context.database) - {sheet.code for sheet in joined.survey.sheets}
    if not ends:
        return ()
    first = min(ends).partition(":")[2]
    return (
        Remark(
            en=f"{len(ends)} live sheets were not delivered, as {first}: features of the classes "
            'delivered end there. To replace these sheets alone, state mode = "patch".',
            zh=f"{len(ends)} 幅现势图未交付，如 {first}：所交付各类要素在这些图幅内将终止。"
            '如只更新所交图幅，请写明 mode = "patch"。',
        ),
    )


def _records(survey: Survey, context: BuildContext) -> gpd.GeoDataFrame:
    """Return the rows of ``topography.sheet``."""
    rows = survey.rows
    content = [
        sha256(f"{kind}|{name}|".encode() + wkb).digest()
        for kind, name, wkb in zip(
            rows["feature_class"],
            rows["name"],
            shapely.to_wkb(shapely.normalize(rows.geometry.to_numpy())),
            strict=True,
        )
    ]
    digests: list[list[bytes]] = [[] for _ in survey.sheets]
    for place, digest in zip(survey.sheet.tolist(), content, strict=True):
        if place >= 0:
            digests[place].append(digest)
    return gpd.GeoDataFrame(
        {
            "code": [sheet.code for sheet in survey.sheets],
            "number": [sheet.number for sheet in survey.sheets],
            "scale": pd.Series([sheet.scale for sheet in survey.sheets], dtype="Int64"),
            "extent_from": [sheet.source for sheet in survey.sheets],
            "surveyed_on": pd.Series([day for day, _ in survey.days], dtype=object),
            "contractor": pd.Series([name for _, name in survey.days], dtype=object),
            "delivery": context.delivery.name,
            "features": np.array([len(parts) for parts in digests], dtype=np.int64),
            "digest": [sha256(b"".join(sorted(parts))).hexdigest() for parts in digests],
        },
        geometry=[sheet.extent for sheet in survey.sheets],
        crs=rows.crs,
    )
