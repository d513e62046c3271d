"""Drawn areas of one size that overlap: their rows are equals, whatever their codes."""

from census.plan.chains import Chain
from census.plan.coverage import judge
from census.plan.search import Plan
from census.plan.ties import find_ties

PLACES = [Chain(district="D"), Chain(district="D", plan_areas=("P1", "P2"))]


def row(code, area, unit, **more):
    base = {"kind": "event", "class_code": "01", "role": "handler"}
    return base | {"code": code, "area_code": area, "unit_code": unit} | more


def ties(*rows, sizes, places=PLACES):
    plan = Plan(rows)
    coverage = judge(
        plan, classes={"event": ["0101", "0201"]}, places=places, order=lambda *_: ("handler",)
    )
    return find_ties(coverage, plan.rows, sizes=sizes)


def test_rows_of_areas_of_one_size_clash():
    same = {"P1": 2000.0, "P2": 2000.0 * (1 + 1e-9)}
    (found,) = ties(row("1", "P1", "A"), row("2", "P2", "B", class_code="0101"), sizes=same)
    assert (found.what, found.rows, found.classes, found.areas) == (
        "conflict", ("1", "2"), ("0101",), ("P1", "P2"),
    )  # fmt: skip
    assert found.places == (1,)


def test_other_sizes_units_classes_times_and_places_are_no_tie():
    same = {"P1": 2000.0, "P2": 2000.0}
    one = row("1", "P1", "A")
    assert ties(one, row("2", "P2", "B"), sizes={"P1": 1999.0, "P2": 2000.0}) == []
    assert ties(one, row("2", "P2", "A"), sizes=same) == []
    assert ties(one, row("2", "P2", "B", class_code="02"), sizes=same) == []
    assert ties(one, row("2", "P2", "B", role="owner"), sizes=same) == []
    apart = [Chain(plan_areas=("P1",)), Chain(plan_areas=("P2",))]
    assert ties(one, row("2", "P2", "B"), sizes=same, places=apart) == []
    day, night = ({"hours": hours} for hours in ("06:00/22:00", "22:00/06:00"))
    assert ties(row("1", "P1", "A", **day), row("2", "P2", "B", **night), sizes=same) == []
