"""Merging worked out by hand: every kind of edit against every other."""

from datetime import date

from census.merging.fields import Given
from tests.census.merging.surveys import after, at, found, merged, row, survey

BASE = survey(row("a", 0, owner_name="甲", remark="r"), row("b", 10), row("c", 20))


def values(frame, code, *columns):
    rows = frame[frame["code"] == code]
    assert len(rows) == 1
    return tuple(rows.iloc[0][name] for name in columns)


def test_a_delivery_like_its_base_changes_nothing():
    live = survey(row("a", 0, owner_name="乙", remark="r"), row("c", 20, condition="damaged"))
    result = merged(BASE, live, BASE)
    assert after(live, result)["code"].tolist() == ["a", "c"]
    assert values(after(live, result), "a", "owner_name") == ("乙",)
    assert result.held.to_dict() == {1: "ended"}  # others ended b; carrying it along is no edit
    assert found(result) == []
    assert (result.counts["unchanged"], result.counts["changed"]) == (2, 0)


def test_edits_of_different_fields_are_joined():
    live = survey(row("a", 0, owner_name="乙", remark="r"), row("b", 10), row("c", 20))
    edited = survey(row("a", 0, owner_name="甲", remark="新"), row("b", 13), row("c", 20))
    result = merged(BASE, live, edited)
    assert values(after(live, result), "a", "owner_name", "remark") == ("乙", "新")
    assert values(after(live, result), "b", "geometry") == (at(13),)
    assert result.counts["changed"] == 2
    assert found(result) == []


def test_edits_alike_are_fine_and_edits_unlike_wait():
    live = survey(row("a", 0, owner_name="乙", remark="x"), row("b", 13), row("c", 23))
    edited = survey(row("a", 0, owner_name="乙", remark="y"), row("b", 13.3), row("c", 24))
    result = merged(BASE, live, edited, accuracy_m={"0104": 0.5})
    assert found(result) == [("field", "a", "remark"), ("field", "c", "geometry")]
    assert values(after(live, result), "a", "owner_name", "remark") == ("乙", "x")
    assert values(after(live, result), "b", "geometry") == (at(13),)  # 0.3 m apart is alike
    conflict = result.conflicts.iloc[0]
    sides = [conflict[f"{side}_value"] for side in ("base", "live", "delivered")]
    assert sides == [{"remark": "r"}, {"remark": "x"}, {"remark": "y"}]
    assert (conflict["source_file"], conflict["source_row"]) == ("a.shp", 1)


def test_a_unit_is_one_field():
    live = survey(row("a", 0, owner_name="乙", owner_code="U2", remark="r"))
    edited = survey(row("a", 0, owner_name="丙", owner_code="U3", remark="r"))
    result = merged(BASE.iloc[:1], live, edited)
    assert found(result) == [("field", "a", "owner")]
    assert result.conflicts["delivered_value"][0] == {"owner_name": "丙", "owner_code": "U3"}


def test_the_later_change_date_holds():
    def with_date(day):
        return survey(row("a", 0, change_date=date(2026, 5, day)))

    for mine, theirs in ((3, 9), (9, 3)):
        result = merged(with_date(1), with_date(mine), with_date(theirs))
        assert values(after(with_date(mine), result), "a", "change_date") == (date(2026, 5, 9),)
        assert found(result) == []


def test_attributes_are_joined_key_by_key():
    base = survey(row("a", 0, attributes={"w": 3.0, "m": "铁", "k": "1"}))
    live = survey(row("a", 0, attributes={"w": 3.0, "m": "钢", "k": "2"}))
    edited = survey(row("a", 0, attributes={"w": "3", "k": "3", "n": "new"}))
    result = merged(base, live, edited)
    assert values(after(live, result), "a", "attributes") == (
        {"w": 3.0, "m": "钢", "k": "2", "n": "new"},
    )
    # m was taken away on one side and changed on the other.
    assert found(result) == [("field", "a", "attributes.k"), ("field", "a", "attributes.m")]


def test_a_column_that_a_file_lacks_says_nothing():
    edited = survey(row("a", 0), row("b", 10), row("c", 20), file="b.shp")
    given = Given(columns={"b.shp": frozenset({"remark"})}, keys={"b.shp": frozenset()})
    result = merged(BASE, BASE, edited, given=given)
    assert values(after(BASE, result), "a", "owner_name", "remark") == ("甲", None)


def test_ending_against_changing_is_never_silent():
    changed = survey(row("a", 0, owner_name="乙", remark="r"), row("b", 10), row("c", 20))
    without = survey(row("b", 10), row("c", 20))
    result = merged(BASE, changed, without)
    assert found(result) == [("delete_update", "a", None)]
    assert after(changed, result)["code"].tolist() == ["a", "b", "c"]
    assert result.conflicts["delivered_value"][0] is None
    result = merged(BASE, without, changed)
    assert found(result) == [("update_delete", "a", None)]
    assert after(without, result)["code"].tolist() == ["b", "c"]
    assert result.conflicts["delivered_value"][0]["owner_name"] == "乙"
    assert result.held.to_dict() == {0: "update_delete"}


def test_a_row_that_waits_whole_keeps_what_its_file_says_nothing_of():
    given = Given(columns={"a.shp": frozenset({"name"})}, keys={"a.shp": frozenset({"w"})})
    before = row("a", 0, owner_name="甲", attributes={"w": 1, "h": 2})
    delivered = survey(row("a", 0, name="新名", attributes={"w": 5}), row("b", 9))
    ended = merged(survey(before, row("b", 9)), survey(row("b", 9)), delivered, given=given)
    twice = merged(survey(row("b", 9)), survey(before, row("b", 9)), delivered, given=given)
    assert [*found(ended), *found(twice)] == [("update_delete", "a", None), ("add_add", "a", None)]
    for result in (ended, twice):
        value = result.conflicts["delivered_value"].iloc[0]
        assert (value["name"], value["owner_name"]) == ("新名", "甲")
        assert value["attributes"] == {"w": 5, "h": 2}


def test_what_one_side_ends_and_the_other_leaves_alone_ends():
    result = merged(BASE, BASE, BASE.iloc[1:])
    assert result.ended == ("a",)
    assert found(result) == []


def test_what_was_not_to_be_expected_is_not_ended():
    complete = (BASE["code"] == "b").to_numpy()
    assert merged(BASE, BASE, BASE.iloc[:0], complete=complete).ended == ("b",)


def test_one_code_for_two_new_components_waits():
    live = survey(row("a", 0), row("n", 50))
    mine = survey(row("a", 0), row("n", 80))
    result = merged(survey(row("a", 0)), live, mine)
    assert found(result) == [("add_add", "n", None)]
    assert values(after(live, result), "n", "geometry") == (at(50),)
    assert found(merged(survey(row("a", 0)), live, live)) == []


def test_two_codes_for_one_new_component_wait():
    live = survey(row("a", 0), row("n", 50))
    mine = survey(row("a", 0), row("m", 50.2), row("o", 60))
    result = merged(survey(row("a", 0)), live, mine)
    assert found(result) == [("place", "m", None)]
    assert result.conflicts["live_code"].tolist() == ["n"]
    assert round(result.conflicts["distance_m"][0], 3) == 0.2
    assert after(live, result)["code"].tolist() == ["a", "n", "o"]


def test_a_new_code_keeps_what_others_changed():
    live = survey(row("a", 0, owner_name="乙", remark="r"), row("b", 10), row("c", 20))
    mine = survey(row("x", 0.1, owner_name="甲", remark="新"), row("b", 10), row("c", 20))
    result = merged(BASE, live, mine)
    assert (result.ended, found(result)) == (("a",), [])
    assert values(after(live, result), "x", "owner_name", "remark") == ("乙", "新")
    assert result.recodes.values.tolist() == [["x", "a", "place"]]


def test_a_row_that_names_its_version_may_get_another_code_and_move():
    mine = survey(row("x", 7, owner_name="甲", remark="r"), row("b", 10), row("c", 20))
    stated = mine["code"].map({"x": "a", "b": "b", "c": "c"})
    result = merged(BASE, BASE, mine, stated_base=stated)
    assert result.recodes.values.tolist() == [["x", "a", "base"]]
    again = merged(BASE, after(BASE, result), mine, stated_base=stated, recoded={"x": "a"})
    assert (again.counts["unchanged"], again.ended) == (3, ())


def test_two_new_codes_for_one_component_wait():
    live = survey(row("y", 0, owner_name="甲", remark="r"), row("b", 10), row("c", 20))
    mine = survey(row("x", 0, owner_name="丙", remark="r"), row("b", 10), row("c", 20))
    result = merged(BASE, live, mine)
    assert found(result) == [("recode", "x", "code")]
    assert values(after(live, result), "y", "owner_name") == ("丙",)


def test_a_new_code_that_is_taken_waits():
    live = survey(*(dict(values) for values in BASE.iloc[:, :-2].to_dict("records")), row("x", 90))
    mine = survey(row("x", 0, owner_name="甲", remark="新"), row("b", 10), row("c", 20))
    result = merged(BASE, live, mine)
    assert found(result) == [("add_add", "x", "code")]
    assert values(after(live, result), "a", "remark") == ("新",)
    assert values(after(live, result), "x", "geometry") == (at(90),)


def test_codes_may_be_exchanged():
    mine = survey(row("b", 0, owner_name="甲", remark="r"), row("a", 10), row("c", 20))
    stated = mine["code"].map({"b": "a", "a": "b", "c": "c"})
    result = merged(BASE, BASE, mine, stated_base=stated)
    assert (result.ended, found(result), result.counts["recoded"]) == ((), [], 2)
    assert values(after(BASE, result), "b", "owner_name", "geometry") == ("甲", at(0))


def test_without_a_base_nothing_ends_and_what_differs_waits():
    live = survey(row("a", 0, owner_name="甲"), row("b", 10), row("c", 20))
    mine = survey(row("a", 0, owner_name="乙", remark="新"), row("d", 30), row("e", 20.1))
    result = merged(None, live, mine)
    assert found(result) == [("field", "a", "owner"), ("place", "e", None)]
    assert after(live, result)["code"].tolist() == ["a", "b", "c", "d"]
    assert values(after(live, result), "a", "owner_name", "remark") == ("甲", "新")


def test_nothing_merges_into_nothing():
    empty = BASE.iloc[:0]
    for base in (None, empty):
        result = merged(base, empty, empty)
        assert (len(result.rows), result.ended, found(result)) == (0, (), [])
    assert merged(empty, empty, BASE).counts["new"] == 3
