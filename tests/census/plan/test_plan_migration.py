"""What becomes of a plan's rows by the crosswalk: moved, made several, or left to a person."""

import pandas as pd
import pytest

from census.plan.migration import generation_of, migrate_plan
from gis.errors import CodeError

OLD, NEW = "CJ/T 214-2007", "GB/T 47678.5-2026"


def plan(*rows: tuple[str, str, str]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows), columns=["code", "kind", "class_code"])
    return table.assign(area_code="*", role="owner", unit_code="U1", season=None, hours=None)


def pairs(migration):
    return list(migration.rows[["code", "class_code"]].itertuples(index=False, name=None))


def test_each_part_of_a_split_class_keeps_the_unit():
    found = migrate_plan(
        plan(("1", "component", "0104"), ("2.owner:0117@A", "component", "0117")),
        from_ref=OLD,
        to_ref=NEW,
    )
    assert pairs(found) == [
        ("1", "01004"),
        *((f"2.owner:{code}@A", code) for code in ("01030", "01031", "01032", "01033", "01034")),
    ]
    assert set(found.rows["unit_code"]) == {"U1"}
    assert (found.count("moved"), found.count("undecided")) == (2, 0)


def test_two_split_classes_of_one_line_that_share_a_part_give_one_row():
    """0202 and 0205 of 2007 both became 07003 and 07006."""
    found = migrate_plan(
        plan(("8:0202", "event", "0202"), ("8:0205", "event", "0205")), from_ref=OLD, to_ref=NEW
    )
    assert pairs(found) == [("8:07003", "07003"), ("8:07006", "07006")]


def test_no_row_is_lost_where_a_part_has_the_code_of_another_class_of_its_line():
    """0307 became 0306 and 0307 in 2013, and what 0306 was became another class."""
    line = plan(
        ("3:0306", "component", "0306"),
        ("3:0307", "component", "0307"),
        ("4:0306", "component", "0306"),
    )
    found = migrate_plan(
        line,
        from_ref=OLD,
        to_ref="GB/T 30428.2-2013",
        decisions={("component", "0306"): ["0305"]},
    )
    # The line that nothing was split of keeps its code.
    assert pairs(found) == [
        ("3:0305", "0305"), ("3:0306", "0306"), ("3:0307", "0307"), ("4:0306", "0305"),
    ]  # fmt: skip


def test_a_major_class_goes_over_only_where_all_its_classes_do():
    rows = plan(("1", "component", "01"), ("2", "event", "01"), ("3", "component", "*"))
    found = migrate_plan(rows, from_ref=OLD, to_ref=NEW)
    fates = found.classes.set_index(["kind", "class_code"])["fate"].to_dict()
    # Of the events 0199 has no successor, so that 06 is only proposed.
    assert fates == {
        ("component", "*"): "moved",
        ("component", "01"): "moved",
        ("event", "01"): "undecided",
    }
    assert pairs(found) == [("1", "01"), ("2", "01"), ("3", "*")]
    assert any("major" in remark.en for remark in found.warnings)


def test_decisions_name_several_classes_keep_or_close():
    rows = plan(("1", "component", "0601"), ("2", "component", "0602"), ("3", "event", "0401"))
    decisions = {
        ("component", "0601"): ("01001", "01002"),
        ("component", "0602"): ("close",),
        ("event", "0401"): ("keep",),
    }
    assert migrate_plan(rows, from_ref=OLD, to_ref=NEW).count("undecided") == 3
    found = migrate_plan(rows, from_ref=OLD, to_ref=NEW, decisions=decisions)
    assert pairs(found) == [("1:01001", "01001"), ("1:01002", "01002"), ("3", "0401")]
    assert [found.count(fate) for fate in ("moved", "closed", "kept")] == [1, 1, 1]
    for wrong in (("99999",), ("keep", "01001")):
        with pytest.raises(CodeError, match="no class"):
            migrate_plan(rows, from_ref=OLD, to_ref=NEW, decisions={("component", "0601"): wrong})


def test_merged_classes_with_different_units_are_told():
    """0306 and 0307 of 2007 share 03006."""
    rows = plan(("1", "component", "0306"), ("2", "component", "0307"))
    rows["unit_code"] = ["U1", "U2"]
    found = migrate_plan(rows, from_ref=OLD, to_ref=NEW)
    assert any("1 classes and places have several units" in each.en for each in found.warnings)


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (["0104"], "earlier"),
        (["01004", "01"], "later"),
        (["0104", "01004"], "mixed"),
        (["*"], None),
    ],
)
def test_lengths_tell_the_generation(classes, expected):
    assert generation_of(pd.DataFrame({"class_code": classes}), to_ref=NEW) == expected


def test_decisions_for_classes_that_the_plan_does_not_have_are_told_in_one_sentence() -> None:
    rows = pd.DataFrame({"code": ["1"], "kind": ["component"], "class_code": ["0104"]})
    decisions = {("component", "0306"): ["keep"], ("event", "0199"): ["close"]}
    found = migrate_plan(rows, from_ref=OLD, to_ref=NEW, decisions=decisions)
    told = [remark.en for remark in found.warnings if "not in the plan" in remark.en]
    assert told == ["Decided for, but not in the plan, so not used: component 0306, event 0199."]
    used = migrate_plan(rows, from_ref=OLD, to_ref=NEW, decisions={("component", "0104"): ["keep"]})
    assert not any("not in the plan" in remark.en for remark in used.warnings)
