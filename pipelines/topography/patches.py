"""A patch 修补 put in its place."""

from gis.faults import Outcome
from pipelines.context import BuildContext
from pipelines.topography.survey import Survey


def apply_patch(outcome: Outcome, survey: Survey, context: BuildContext) -> Outcome:
    """Replace what changed inside the extent of a patch."""
    del survey, context
    return outcome
