"""Management grids 管理网格: sets of unit grids, delivered by hand or divided, and carried along."""

import pandas as pd

from gis.builds import Scope
from gis.faults import Outcome
from gridding.trades.delivered import MANAGEMENT
from pipelines.context import BuildContext
from pipelines.managed_grids import judge_sets, scope_of

DATASET = "management_grids"


def transform(frame: pd.DataFrame, context: BuildContext) -> Outcome:
    """Judge delivered management grids against unit grids, areas and the unit directory."""
    return judge_sets(frame, context, sort=MANAGEMENT)


def scope(accepted: pd.DataFrame, context: BuildContext) -> Scope:
    """Return which live management grids a delivery replaces."""
    return scope_of(accepted, context, sort=MANAGEMENT)
