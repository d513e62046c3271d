"""Frames of cases: the same answers as one by one, whatever stands in the columns."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import Case, Decision, Position, Snapshot
from api.assign import DECISION_COLUMNS, assign_frame, decide
from gis.errors import RequestError
from tests.api.district import (
    A1,
    X0,
    Y0,
    line,
    open_district,
    place,
    plan,
    point,
    scattered_components,
)

NOW = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    components = scattered_components(40, seed=5)
    return open_district(
        tmp_path_factory.mktemp("district"),
        components=components,
        responsibility=[
            plan(
                "1",
                "competent",
                "G1",
                area_code="130102001001",
                limit_value=4,
                limit_unit="working_hour",
            ),
            plan("2", "handler", "W1", kind="event", hours="22:00/06:00"),
            plan(
                "3",
                "handler",
                "W2",
                kind="event",
                class_code="01",
                area_code=A1,
                season="11-15/03-15",
            ),
            plan("4", "territorial", "S1", kind="event", area_code="130102001002"),
            plan("5", "territorial", "D1", kind="event", area_code="130102001002"),
        ],
        places=[
            place("p1", "street", "裕华路", line((0, 50), (200, 50)), road="裕华路"),
            place("p2", "street", "建设大街", line((100, 0), (100, 200)), road="建设大街"),
            place("p3", "poi", "人民医院", point(150, 150)),
        ],
    )


def case_of(row: dict[str, Any]) -> Case:
    position = None
    if row["x"] is not None and row["y"] is not None:
        position = Position(x=row["x"], y=row["y"], crs=row["crs"], accuracy_m=row["accuracy_m"])
    return Case(
        kind=row["kind"],
        class_code=row["class_code"],
        position=position,
        address=row["address"],
        component_code=row["component_code"],
        reported_at=row["reported_at"],
        as_of=row["as_of"],
    )


def told(decision: Decision) -> dict[str, Any]:
    """The decision as the row of a frame says it."""
    areas = decision.areas
    owner, grid, found = decision.owner, decision.grid, decision.component
    limit = owner.time_limit if owner else None
    return {
        "grid_code": grid.code if grid else None,
        "grid_probability": grid.probability if grid else 0.0,
        "district_code": areas.district.code if areas.district else None,
        "street_code": areas.street.code if areas.street else None,
        "community_code": areas.community.code if areas.community else None,
        "component_code": found.code if found else None,
        "unit_code": owner.unit_code if owner else None,
        "unit_name": owner.unit_name if owner else None,
        "role": owner.role if owner else None,
        "rule": owner.rule if owner else None,
        "limit_value": limit.value if limit else None,
        "limit_unit": limit.unit if limit else None,
        "probability": decision.probability,
        "needs_review": decision.needs_review,
        "reasons": ";".join(decision.reasons),
        "location_source": decision.location.source,
        "location_x": decision.location.x,
        "location_y": decision.location.y,
        "data_version": decision.data_version,
    }


def assert_same(frame: pd.DataFrame, rows: list[dict[str, Any]], snapshot: Snapshot) -> None:
    for number, row in enumerate(rows):
        wanted = told(decide(snapshot, case_of(row), now=NOW))
        found = frame.iloc[number]
        for name, value in wanted.items():
            if value is None:
                assert pd.isna(found[name]), (name, row)
            elif isinstance(value, float):
                assert found[name] == pytest.approx(value, abs=1e-12), (name, row)
            else:
                assert found[name] == value, (name, row)


COORDINATE = st.one_of(
    st.sampled_from([0.0, 50.0, 100.0, 200.0]), st.floats(-60, 260, allow_nan=False, width=32)
)
ROW = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["component", "event"]),
        "class_code": st.sampled_from(["0103", "0104", "103", "0201", "9999", None]),
        "x": COORDINATE.map(lambda v: X0 + v),
        "y": COORDINATE.map(lambda v: Y0 + v),
        "crs": st.just("city"),
        "accuracy_m": st.sampled_from([None, 0.0, 1.0, 8.0, 40.0]),
        "address": st.sampled_from(
            [None, None, "人民医院附近", "裕华路与建设大街路口东50米路北", "不知道"]
        ),
        "component_code": st.sampled_from(
            [None, None, None, "1301020104000003", "1301020103000007", "9"]
        ),
        "reported_at": st.sampled_from([None, datetime(2026, 1, 5, 23, tzinfo=NOW.tzinfo), NOW]),
        "as_of": st.sampled_from([None, None, NOW.date(), date(2020, 1, 1)]),
    }
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(ROW, min_size=1, max_size=8), st.booleans())
def test_one_is_as_many(snapshot: Snapshot, rows: list[dict[str, Any]], drop: bool) -> None:
    if drop:
        rows[0] |= {"x": None, "y": None}
    frame = pd.DataFrame(rows, index=range(100, 100 + len(rows)))
    frame["reported_at"] = frame["reported_at"].astype(object)
    answers = assign_frame(snapshot, frame, now=NOW)
    assert answers.index.tolist() == frame.index.tolist()
    assert tuple(answers.columns) == DECISION_COLUMNS
    assert_same(answers, rows, snapshot)


def test_texts_of_a_csv_answer_as_values_do(snapshot: Snapshot) -> None:
    values = pd.DataFrame(
        {
            "kind": ["部件", "event", ""],
            "class_code": ["0104", "104", "0103"],
            "x": [X0 + 51, X0 + 150, X0 + 20],
            "y": [Y0 + 50, Y0 + 60.5, Y0 + 30],
            "crs": ["city", "EPSG:4547", "City"],
            "accuracy_m": [3, 5, np.nan],
            "reported_at": pd.to_datetime(["2026-01-05 23:00", "2026-01-05 12:00", None]),
        }
    )
    texts = values.astype(object).where(values.notna(), None)
    texts = texts.assign(
        x=[f" {value} " for value in values["x"]],
        y=[str(value) for value in values["y"]],
        accuracy_m=["3", "5.0", ""],
        reported_at=["2026-01-05 23:00", "2026-01-05T04:00:00Z", None],
    )
    pd.testing.assert_frame_equal(
        assign_frame(snapshot, values, now=NOW), assign_frame(snapshot, texts, now=NOW)
    )


def test_what_can_not_be_read_is_a_reason_of_its_row(snapshot: Snapshot) -> None:
    frame = pd.DataFrame(
        {
            "kind": ["component", "component", "?", "component", "component", "event"],
            "class_code": "0104",
            "x": ["abc", 38.0, X0 + 50, 114.0, X0 + 50, 1e308],
            "y": [1.0, 114.0, Y0 + 50, 38.0, None, -1e308],
            "crs": ["city", "EPSG:4326", "city", "EPSG:0", "city", "city"],
            "reported_at": [None, None, "gestern", None, None, None],
            "as_of": [None, None, None, None, "never", None],
        }
    )
    answers = assign_frame(snapshot, frame, now=NOW)
    reasons = [set(text.split(";")) for text in answers["reasons"]]
    for row in (0, 1, 3, 4, 5):
        assert {"position_invalid", "not_located"} <= reasons[row]
    assert {"kind_invalid", "time_invalid"} <= reasons[2]
    assert "as_of_invalid" in reasons[4]
    assert answers["unit_code"].notna().all()
    assert answers["needs_review"].all()


@pytest.mark.parametrize(
    ("crs", "x", "y"),
    [
        ("EPSG:4326", 474.0, 38.0),
        ("EPSG:4326", -246.0, 38.0),
        ("EPSG:4326", 200.0, 38.0),
        ("gcj02", 474.0, 38.0),
        ("EPSG:4490", 114.0, 398.0),
        ("EPSG:3857", 20_037_509.0, 4_579_425.8),
        ("EPSG:3857", 52_765_543.3, 4_579_425.8),
        ("EPSG:4526", 38_500_050.0, Y0 + 4 * 10_001_965.7),
        ("EPSG:4526", 500_050.0, Y0),
        ("epsg:4547", 1e8, Y0),
        ("city", X0, -1e8),
    ],
)
def test_what_lies_beyond_the_ends_of_a_system_is_no_place(
    snapshot: Snapshot, crs: str, x: float, y: float
) -> None:
    frame = pd.DataFrame(
        {
            "class_code": "0104",
            "x": [x, X0 + 50, np.nan],
            "y": [y, Y0 + 50, np.nan],
            "crs": [crs, "city", crs],
        }
    )
    answers = assign_frame(snapshot, frame, now=NOW)
    reasons = [set(text.split(";")) for text in answers["reasons"]]
    assert {"position_invalid", "not_located"} <= reasons[0]
    assert "position_invalid" not in reasons[1]
    assert answers["grid_code"].notna().tolist() == [False, True, False]
    with pytest.raises(RequestError, match="is no place in"):
        decide(snapshot, Case(position=Position(x=x, y=y, crs=crs)), now=NOW)


@pytest.mark.parametrize(
    ("crs", "x", "y"),
    [
        ("EPSG:4326", 180.0, -38.0),
        ("EPSG:4326", 2.35, 48.86),
        ("EPSG:3857", -20_037_508.34, 4_579_425.8),
        ("EPSG:4545", 1_200_000.0, Y0),
    ],
)
def test_what_lies_elsewhere_on_the_earth_is_outside_the_grids(
    snapshot: Snapshot, crs: str, x: float, y: float
) -> None:
    frame = pd.DataFrame({"class_code": ["0104"], "x": [x], "y": [y], "crs": [crs]})
    (row,) = assign_frame(snapshot, frame, now=NOW).to_dict("records")
    assert "outside_grids" in row["reasons"]
    assert "position_invalid" not in row["reasons"]
    assert decide(snapshot, Case(position=Position(x=x, y=y, crs=crs)), now=NOW).grid is not None


def test_an_empty_frame_and_a_frame_without_columns(snapshot: Snapshot) -> None:
    assert (
        tuple(assign_frame(snapshot, pd.DataFrame({"x": [], "y": []})).columns) == DECISION_COLUMNS
    )
    bare = assign_frame(snapshot, pd.DataFrame(index=[7, 7]))
    assert bare.index.tolist() == [7, 7]
    assert bare["reasons"].str.contains("not_located").all()


def test_codes_that_pandas_made_numbers_are_read(snapshot: Snapshot) -> None:
    frame = pd.DataFrame(
        {
            "class_code": [104.0, np.nan],
            "component_code": [np.nan, np.nan],
            "x": X0 + 50,
            "y": Y0 + 50,
            "crs": "city",
        }
    )
    answers = assign_frame(snapshot, frame, now=NOW)
    assert "class_unknown" not in answers["reasons"][0]
    assert "class_missing" in answers["reasons"][1]
