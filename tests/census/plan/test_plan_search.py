"""Which row speaks: area before class before condition, smaller drawn areas first."""

import numpy as np
import pytest

from census.plan.chains import Chain
from census.plan.rows import TimeLimit
from census.plan.search import Plan

WHERE = Chain(
    "130102001001001",
    "130102001001",
    "130102001",
    "130102",
    plan_areas=("small", "large"),
    management_grids=("HW1", "YL1"),
)


def row(code, area="*", class_code="0101", unit="U", **more):
    return {
        "code": code,
        "kind": "event",
        "class_code": class_code,
        "area_code": area,
        "role": "handler",
        "unit_code": unit,
    } | more


def codes(plan, chain=WHERE, minute=12 * 60, class_code="0101"):
    (holding,) = plan.holding(np.array([615]), np.array([minute]))
    found = plan.search("event", "handler", class_code, chain, holding)
    return [match.row.code for match in found]


def test_every_level_of_area_in_its_order():
    areas = [
        "*", "130102", "130102001", "130102001001", "HW1", "130102001001001", "large", "small",
    ]  # fmt: skip
    plan = Plan([row(area, area) for area in areas])
    assert codes(plan) == areas[::-1]
    found = plan.search("event", "handler", "0101", WHERE, b"")
    assert [match.level for match in found] == [
        "plan_area", "plan_area", "grid", "management_grid", "community", "street", "district",
        "city",
    ]  # fmt: skip


def test_area_counts_before_class_and_class_before_condition():
    plan = Plan(
        [
            row("city-minor-night", hours="06:00/22:00"),
            row("city-minor"),
            row("city-major", class_code="01"),
            row("city-all", class_code="*"),
            row("street-all", "130102001", class_code="*"),
        ]
    )
    assert codes(plan) == ["street-all", "city-minor-night", "city-minor", "city-major", "city-all"]


def test_grids_of_two_trades_are_equals():
    plan = Plan([row("a", "YL1", unit="A"), row("b", "HW1", unit="B")])
    found = plan.search("event", "handler", "0101", WHERE, b"")
    assert found[0].specificity == found[1].specificity
    assert [match.row.unit_code for match in found] == ["A", "B"]


def test_a_row_out_of_its_hours_is_found_and_does_not_hold():
    plan = Plan([row("night", hours="22:00/06:00"), row("always")])
    (holding,) = plan.holding(np.array([615]), np.array([12 * 60]))
    found = plan.search("event", "handler", "0101", WHERE, holding)
    assert [(match.row.code, match.holds) for match in found] == [
        ("night", False),
        ("always", True),
    ]


def test_without_a_class_only_rows_for_all_classes_speak():
    plan = Plan([row("minor"), row("all", class_code="*")])
    assert codes(plan, class_code=None) == ["all"]


def test_a_row_keeps_its_limit_and_conditions():
    given = row("1", limit_value=4, limit_unit="working_hour", filing_condition="破损")
    (found,) = Plan([given]).rows
    assert found.limit == TimeLimit(value=4.0, unit="working_hour")
    assert (found.filing_condition, found.closing_condition) == ("破损", None)


@pytest.mark.parametrize("kept", [{"small", "130102"}, set()])
def test_a_chain_keeps_what_is_named(kept):
    named = WHERE.naming(kept)
    assert {area for _, _, area in named.areas()} == kept | {"*"}
