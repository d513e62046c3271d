"""A town built once, and two teams that contradict each other in it."""

import pandas as pd
import pytest

from gis.builds import list_builds
from pipelines.surveys.merge import merge_delivery
from tests.pipelines.surveys.merging.teams import FOUR, ONE, TWO, edited, new, team
from tests.pipelines.town import at


@pytest.fixture
def model(standing_town):
    return standing_town


@pytest.fixture
def town(database):
    """Build number of the town's components."""
    builds = list_builds(database)
    return int(builds.loc[builds["dataset"] == "components", "build_id"].iloc[0])


@pytest.fixture
def contested(town, workspace, tmp_path):
    """Both teams changed the state of ONE; A ended TWO, which B changed; both found a FOUR."""
    a = edited(ObjState={ONE: "破损"}, DeptName1={ONE: "市政处"})
    a = pd.concat([a[a["ObjID"] != TWO], new(FOUR, at(70, 70))])
    b = edited(ObjState={ONE: "丢失", TWO: "废弃"}, DataSource={ONE: "核查"})
    b = pd.concat([b, new(FOUR, at(330, 70))])
    merge_delivery(team(tmp_path / "a", a, base=town), workspace=workspace)
    return merge_delivery(team(tmp_path / "b", b, base=town), workspace=workspace)
