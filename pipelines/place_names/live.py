"""The place names that hold, judged as a delivery is: how they are spelt, which are named alike."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import geopandas as gpd
import pandas as pd

from gis.errors import NotFoundError
from gis.faults import Faults, Outcome
from gis.workspace import Workspace
from pipelines.build import open_context
from pipelines.context import BuildContext
from pipelines.delivery import Delivery
from pipelines.place_names.alike import judge_alike
from pipelines.place_names.categories import judge_categories
from pipelines.place_names.names import DATASET, PROVINCE_DIGITS, RULES
from pipelines.place_names.spelling import judge_spelling
from pipelines.place_names.texts import doubt_names
from pipelines.surveys.check import Checked, report_rows


def check_live(workspace: Workspace) -> Checked:
    """Judge the live place names of a city; nothing is written.

    Raises
    ------
    NotFoundError
        None are loaded.
    DatabaseError
        The database can not be reached.
    """
    started = time.perf_counter()
    city = workspace.profile.city
    nothing = Delivery(
        name=city.name or city.code, as_of=datetime.now(UTC).date(), root=workspace.root, layers=()
    )
    context = open_context(nothing, workspace)
    live = context.features(DATASET)
    if live.empty:
        msg = "No place names are loaded yet: build a delivery that has some, with `wanmi build DELIVERY`."
        raise NotFoundError(msg, zh="尚无已入库的地名：请先用 wanmi build DELIVERY 建库。")
    outcome = judge_live(live, context)
    checked = report_rows(outcome, context, dataset=DATASET)
    return replace(
        checked, judgement=replace(checked.judgement, seconds=time.perf_counter() - started)
    )


def judge_live(live: gpd.GeoDataFrame, context: BuildContext) -> Outcome:
    """Return what is to be said of the names that hold, by the rules that need no delivery."""
    rows = live.reset_index(drop=True)
    rows = rows.assign(
        source_file=rows["source_file"].fillna(""), source_row=rows["source_row"].fillna(0)
    )
    faults = Faults(rows, rules=RULES)
    province = context.profile.city.code[:PROVINCE_DIGITS]
    doubt_names(rows, rows["name"], faults)
    delivered = rows["category_code"].where(rows["category_source"].ne("derived"), None)
    judge_categories(
        delivered, rows["name"], rows.geometry, faults, quiet=pd.Series(False, index=rows.index)
    )
    judge_spelling(
        rows["pinyin"],
        rows["name"],
        rows["category_code"],
        areas=frozenset(context.rows("areas")["name"]),
        province=province,
        faults=faults,
    )
    judge_alike(rows, rows.iloc[:0], faults, province=province)
    return Outcome(accepted=rows, faults=faults.outcome().faults)
