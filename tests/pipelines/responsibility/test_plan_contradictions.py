"""Where records of components and the plan differ is listed just where the decision finds it case by case."""

from collections import Counter

import pandas as pd
import pytest

from api.questions import ask_frame
from api.solution import solve
from gis.builds import live
from pipelines.build import open_context
from pipelines.delivery import Delivery
from pipelines.responsibility.contradictions import find_contradictions
from pipelines.responsibility.judging import plan_of

MOMENTS = ("2026-01-05 12:00", "2026-01-05 03:00", "2026-07-06 12:00", "2026-07-06 03:00")


@pytest.fixture(scope="module")
def listed(built_sample):
    from datetime import date

    workspace = built_sample.workspace
    nothing = Delivery(name="x", as_of=date(2026, 1, 1), root=workspace.root, layers=())
    context = open_context(nothing, workspace)
    plan = plan_of(live(context.database, "responsibility"))
    return find_contradictions(context, plan, drawn=live(context.database, "plan_areas"))


def test_the_list_is_what_the_decision_finds(listed, sample_snapshot):
    components = sample_snapshot.frame("components")
    components = components[components["condition"] != "removed"]
    edition = sample_snapshot.edition()
    found: dict[str, tuple[str, str, str]] = {}
    for moment in MOMENTS:
        asked = pd.DataFrame(
            {
                "kind": "component",
                "class_code": components["class_code"].to_numpy(),
                "component_code": components["code"].to_numpy(),
                "reported_at": moment,
            }
        )
        solution = solve(edition, ask_frame(sample_snapshot, asked))
        for code, class_code, answer in zip(
            asked["component_code"], asked["class_code"], solution.resolutions, strict=True
        ):
            for rival in answer.rivals:
                if rival.cause == "record":
                    found[code] = (class_code, answer.unit.code, rival.unit.code)
    assert found
    told = {
        (each.class_code, each.unit_code, each.plan_unit_code): each.components for each in listed
    }
    assert told == Counter(found.values())
    assert all(set(each.examples) <= set(found) for each in listed)
    assert [each.components for each in listed] == sorted(told.values(), reverse=True)
