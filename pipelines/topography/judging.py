"""A delivery of topography judged as ``wanmi topography check`` does: as built, then as one map."""

import geopandas as gpd
import pandas as pd

from gis.faults import Faults, Outcome
from pipelines.context import BuildContext
from pipelines.topography.catalogue import topography_rules
from pipelines.topography.features import RULES, transform
from pipelines.topography.wholemap import check_whole

_PLACE = ["source_file", "source_row"]


def judge_map(frame: gpd.GeoDataFrame, context: BuildContext) -> Outcome:
    """Judge map features by every rule: those of a build, then those of the whole map on what it accepts."""
    built = transform(frame, context)
    rows = frame[_PLACE].assign(label=frame.index)
    found = built.accepted[_PLACE].merge(rows, on=_PLACE, how="left", validate="m:1")
    accepted = built.accepted.set_axis(found["label"].to_numpy())
    accepted = accepted[~accepted.index.duplicated()]
    rules = {**RULES, **topography_rules(context.profile.topography.severity)}
    faults = Faults(frame, rules=rules)
    check_whole(accepted, faults, context)
    parts = [part for part in (built.faults, faults.outcome().faults) if len(part)]
    table = pd.concat(parts, ignore_index=True) if parts else built.faults
    table = table.sort_values([*_PLACE, "rule"], kind="stable", ignore_index=True)
    return Outcome(accepted=built.accepted, faults=table)
