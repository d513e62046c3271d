"""Holes, gaps, conflicts and rows that never win: by hand, and against asking every moment."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from census.plan.chains import Chain
from census.plan.coverage import CONFLICT, GAP, HOLE, OVERLAP, OWNED, TERRITORIAL, judge
from census.plan.findings import Regions, find, is_accepted
from census.plan.owning import compare
from census.plan.search import Plan

PLACES = [
    Chain(None, f"1301020{s:02}00{c}", f"1301020{s:02}", "130102", plan_areas=drawn)
    for s in (1, 2)
    for c in (1, 2)
    for drawn in ((), ("P1",)) if not drawn or (s, c) == (1, 1)
]  # fmt: skip
CLASSES = {"component": ["0101", "0102", "0201"], "event": ["0101", "0201"]}
STREET = "130102001"


def order(kind, _):
    return (
        ("maintainer", "competent", "territorial")
        if kind == "component"
        else ("territorial", "handler")
    )


def row(code, role="handler", kind="event", class_code="0101", area="*", unit="A", **more):
    return {
        "code": code,
        "kind": kind,
        "class_code": class_code,
        "area_code": area,
        "role": role,
        "unit_code": unit,
    } | more


def owner_of(plan, *, kind, class_code, chain, holding, roles):
    """Return the row that decides at one moment: the first role in order that has one, the territory last."""
    for role in dict.fromkeys((*roles, TERRITORIAL)):
        for match in plan.search(kind, role, class_code, chain, holding):
            if match.holds:
                return match
    return None


def told(rows):
    plan = Plan(rows)
    coverage = judge(plan, classes=CLASSES, places=PLACES, order=order)
    return coverage, find(coverage, plan.rows)


ALL = [
    row("c", role="competent", kind="component", class_code="*"),
    row("e", class_code="*"),
]


def test_a_plan_with_one_owner_everywhere_is_accepted():
    coverage, findings = told(ALL)
    assert findings == []
    assert is_accepted(findings)
    assert {coverage.state(answer) for answer in coverage.answers} == {OWNED}


def test_a_class_without_a_row_is_one_hole():
    _, findings = told([ALL[0], row("e1")])
    assert [(f.what, f.kind, f.classes, f.areas) for f in findings] == [
        ("hole", "event", ("0201",), ("*",))
    ]
    assert not is_accepted(findings)


def test_holes_of_all_minor_classes_are_told_as_their_major_class():
    _, findings = told([row("c", role="competent", kind="component", class_code="02"), ALL[1]])
    assert [(f.what, f.classes) for f in findings] == [("hole", ("01",))]


def test_an_area_without_a_row_is_told_by_its_largest_name():
    _, findings = told([ALL[0], row("e", class_code="*", area=STREET)])
    assert {f.areas for f in findings} == {("130102002",)}


def test_a_territorial_row_fills_no_hole_of_components():
    _, findings = told([row("t", role="territorial", kind="component", class_code="*"), ALL[1]])
    assert {(f.what, f.kind) for f in findings} == {("hole", "component")}


def test_a_territorial_row_owns_components_where_the_territory_is_asked_first():
    plan = Plan([row("t", role="territorial", kind="component", class_code="*")])
    asked = {"component": ["0101"]}
    for roles, state in ((("territorial", "owner"), OWNED), (("owner", "territorial"), HOLE)):
        found = judge(plan, classes=asked, places=PLACES, order=lambda *_, roles=roles: roles)
        assert found.state(found.answer("component", "0101", 0)) == state


def test_territorial_rows_decide_in_the_end_where_no_role_asked_has_a_row():
    plan = Plan([row("t", role="territorial", kind="component", unit="T"), row("h", unit="H")])
    for kind, roles, code in (
        ("component", ("owner", "territorial"), "t"),
        ("component", ("owner",), "t"),
        ("event", ("handler",), "h"),
    ):
        match = owner_of(
            plan, kind=kind, class_code="0101", chain=Chain(), holding=b"", roles=roles
        )
        assert match is not None
        assert match.row.code == code


def test_hours_leave_a_gap_and_a_second_row_fills_it():
    day = row("day", class_code="*", hours="06:00/22:00")
    _, findings = told([ALL[0], day])
    assert [(f.what, f.times) for f in findings] == [("gap", ((None, "22:00/06:00"),))] * 2
    _, findings = told([ALL[0], day, row("night", class_code="*", unit="B", hours="22:00/06:00")])
    assert findings == []


def test_equal_rows_conflict_and_meeting_seasons_overlap():
    rows = [
        *ALL,
        row("a", unit="A", area=STREET),
        row("b", unit="B", area=STREET),
        row("s", unit="A", class_code="0201", season="04-01/10-31"),
        row("w", unit="B", class_code="0201", season="10-01/03-31"),
    ]
    coverage, findings = told(rows)
    assert [(f.what, f.rows, f.areas, f.times) for f in findings if f.what != "never"] == [
        ("conflict", ("a", "b"), (STREET,), ((None, None),)),
        ("overlap", ("s", "w"), ("*",), (("10-01/10-31", None),)),
    ]
    assert coverage.state(coverage.answer("event", "0101", 0)) == CONFLICT
    assert coverage.state(coverage.answer("event", "0201", 0)) == OVERLAP


def test_one_unit_twice_is_no_conflict_and_both_rows_win():
    _, findings = told([*ALL, row("a", filing_condition="x"), row("b", filing_condition="y")])
    assert findings == []


def test_a_conflict_on_a_drawn_area_is_told_by_its_code():
    _, findings = told([*ALL, row("a", area="P1"), row("b", unit="B", area="P1")])
    assert [(f.what, f.areas) for f in findings] == [("conflict", ("P1",))]


def test_a_row_that_streets_cover_never_wins():
    rows = [*ALL, row("city"), row("s1", area=STREET), row("s2", area="130102002")]
    _, findings = told(rows)
    assert [(f.what, f.rows, f.beaten_by) for f in findings] == [("never", ("city",), ("s1", "s2"))]
    assert is_accepted(findings)


def test_rows_of_no_place_or_role_asked_never_win():
    _, findings = told([*ALL, row("nowhere", area="130199"), row("unasked", role="owner")])
    assert [(f.rows, f.beaten_by) for f in findings] == [(("nowhere",), ()), (("unasked",), ())]


def test_places_are_told_by_the_largest_areas():
    regions = Regions(PLACES)
    everywhere = range(len(PLACES))
    first_street = [n for n, place in enumerate(PLACES) if place.street == STREET]
    assert regions.cover(everywhere) == ("*",)
    assert regions.cover(first_street) == (STREET,)
    drawn = [n for n in everywhere if PLACES[n].plan_areas]
    assert regions.cover(drawn) == ("P1",)


CODES = st.sampled_from(["*", "01", "02", "0101", "0201"])
AREAS = st.sampled_from(["*", "130102", STREET, "130102002", "130102001001", "P1"])
WHEN = st.sampled_from(
    [(None, None)] * 3
    + [
        ("11-15/03-15", None),
        ("03-01/10-31", None),
        (None, "22:00/06:00"),
        ("06-01/08-31", "05:00/23:00"),
    ]
)


@st.composite
def plans(draw):
    rows = []
    for number in range(draw(st.integers(1, 9))):
        kind = draw(st.sampled_from(["component", "event"]))
        season, hours = draw(WHEN)
        rows.append(
            row(
                f"R{number}",
                role=draw(st.sampled_from([*order(kind, None)])),
                kind=kind,
                class_code=draw(CODES),
                area=draw(AREAS),
                unit=draw(st.sampled_from("ABC")),
                season=season,
                hours=hours,
            )
        )
    return rows


MOMENTS = [(day, minute) for day in (101, 229, 301, 315, 316, 615, 1031, 1115, 1231) for minute in (0, 299, 300, 359, 360, 1319, 1320, 1380)]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(plans())
def test_the_judgement_is_that_of_every_single_question(rows):
    plan = Plan(rows)
    coverage = judge(plan, classes=CLASSES, places=PLACES, order=order)
    days, minutes = (np.array(part) for part in zip(*MOMENTS, strict=True))
    holding = plan.holding(days, minutes)
    won = set()
    for kind, codes in CLASSES.items():
        for code in codes:
            for number, place in enumerate(PLACES):
                answer = coverage.answer(kind, code, number)
                for moment, held in zip(MOMENTS, holding, strict=True):
                    bit = bit_of(coverage.moments, plan, moment)
                    match = owner_of(
                        plan,
                        kind=kind,
                        class_code=code,
                        chain=place,
                        holding=held,
                        roles=order(kind, code),
                    )
                    told_owner = [unit for bits, unit, _ in answer.owners if bits & bit]
                    is_territory = match is not None and match.row.role == "territorial"
                    owns = match is not None and (kind == "event" or not is_territory)
                    assert told_owner == ([match.row.unit_code] if match and owns else [])
                    assert bool(answer.open_bits & bit) == (not owns)
                    for role in order(kind, code):
                        found = [m for m in plan.search(kind, role, code, place, held) if m.holds]
                        best = [m.row for m in found if m.specificity == found[0].specificity]
                        won |= {r.code for r in best}
                        clash = any(c.role == role and c.bits & bit for c in answer.clashes)
                        assert clash == (len({r.unit_code for r in best}) > 1)
    assert not won & set(coverage.beaten_by)


def bit_of(moments, plan, moment):
    """The bit of a moment: in all sets of conditions that hold then, in none of the others."""
    bit = moments.full
    (held,) = plan.holding(np.array([moment[0]]), np.array([moment[1]]))
    for (season, hours), holds in zip(plan.conditions, held, strict=False):
        bits = moments.bits(season, hours)
        bit &= bits if holds else moments.full & ~bits
    return bit


def test_what_a_second_plan_changes_is_told_by_class_area_and_time():
    before, after = Plan(ALL), Plan([*ALL, row("n", area=STREET, unit="B", hours="22:00/06:00")])
    from census.plan.moments import Moments

    moments = Moments([*before.conditions, *after.conditions])
    old, new = (
        judge(plan, classes=CLASSES, places=PLACES, order=order, moments=moments)
        for plan in (before, after)
    )
    (change,) = compare(old, new, current={}, places=PLACES)
    assert (change.kind, change.classes, change.areas) == ("event", ("0101",), (STREET,))
    assert (change.before, change.after, change.times) == ("A", "B", ((None, "22:00/06:00"),))
    assert compare(old, new, current={"B": "A"}, places=PLACES) == []
    assert compare(old, old, current={}, places=PLACES) == []


def test_states_are_ordered():
    coverage, _ = told([row("day", class_code="01", hours="06:00/22:00")])
    assert coverage.state(coverage.answer("event", "0101", 0)) == GAP
    assert coverage.state(coverage.answer("event", "0201", 0)) == HOLE
