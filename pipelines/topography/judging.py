"""A delivery of topography judged as ``wanmi topography check`` does: as built, then as one map."""

from dataclasses import replace

import geopandas as gpd
import pandas as pd

from gis.faults import Faults, Outcome
from pipelines.context import BuildContext
from pipelines.topography import intake
from pipelines.topography.catalogue import topography_rules
from pipelines.topography.features import RULES
from pipelines.topography.wholemap import check_whole

_PLACE = ["source_file", "source_row"]


def judge_map(frame: gpd.GeoDataFrame, context: BuildContext) -> Outcome:
    """Judge map features by every rule: those of a build, then those of the whole map on what it accepts."""
    judged = intake.judge_labelled(frame, context)
    built, labels = judged.outcome, judged.labels
    # A patch brings live rows too; they were judged when they came.
    is_delivered = ~pd.isna(labels)
    accepted = gpd.GeoDataFrame(built.accepted[is_delivered])
    accepted = accepted.set_axis(labels[is_delivered].astype(frame.index.dtype))
    rules = {**RULES, **topography_rules(context.profile.topography.severity)}
    faults = Faults(frame, rules=rules)
    check_whole(accepted, faults, context)
    parts = [part for part in (built.faults, faults.outcome().faults) if len(part)]
    table = pd.concat(parts, ignore_index=True) if parts else built.faults
    table = table.sort_values([*_PLACE, "rule"], kind="stable", ignore_index=True)
    return replace(built, faults=table)
