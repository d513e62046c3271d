"""A delivery beside what is live, worked out by hand."""

import numpy as np

from census.comparison import Question, compare, foretell
from census.merging.fields import Given
from tests.census.merging.surveys import merged, row, survey

LIVE = survey(
    row("a", 0, owner_name="甲", attributes={"w": 3.0}),
    row("b", 10),
    row("c", 20),
    row("d", 30),
    row("e", 40),
)


def compared(delivered, *, reach=None, **options):
    mask = np.ones(len(LIVE), dtype=bool) if reach is None else reach
    return compare(LIVE, delivered, question=Question(reach=mask, **options))


def by_code(comparison, *columns):
    rows = comparison.rows
    return {row["code"]: tuple(row[name] for name in columns) for row in rows.to_dict("records")}


DELIVERED = survey(
    row("a", 0, owner_name="乙", attributes={"w": "3", "k": "1"}),
    row("b", 10.4),
    row("c", 21, remark="r"),
    row("x", 30.2),
    row("n", 90),
)


def test_each_component_is_one_of_six():
    result = compared(DELIVERED)
    assert {code: change for code, (change,) in by_code(result, "change").items()} == {
        "n": "added",
        "e": "removed",
        "x": "recoded",
        "c": "moved",
        "a": "changed",
        "b": "unchanged",
    }
    assert result.counts == {
        "added": 1,
        "removed": 1,
        "recoded": 1,
        "moved": 1,
        "changed": 1,
        "unchanged": 1,
    }
    assert result.rows["change"].tolist() == list(result.counts)
    assert by_code(result, "live_code")["x"] == ("d",)
    assert round(by_code(result, "distance_m")["c"][0], 6) == 1.0


def test_fields_have_old_and_new_values():
    found = by_code(compared(DELIVERED), "fields")
    assert found["a"] == ({"owner": ["甲", "乙"], "attributes.k": [None, "1"]},)
    assert found["c"] == ({"remark": [None, "r"]},)
    assert compared(DELIVERED).fields == {"attributes.k": 1, "owner": 1, "remark": 1}


def test_the_accuracy_of_the_class_or_the_city_decides_what_has_moved():
    assert compared(DELIVERED, moved_m={"0104": 1.5}).counts["moved"] == 0
    assert compared(DELIVERED, moved_m={"0104": 0.3}).counts["moved"] == 2


def test_what_is_out_of_reach_is_neither_removed_nor_recoded():
    result = compared(DELIVERED, reach=np.zeros(len(LIVE), dtype=bool))
    assert (result.counts["removed"], result.counts["recoded"], result.counts["added"]) == (0, 0, 2)


def test_a_column_that_a_file_lacks_is_no_change():
    given = Given(columns={"a.shp": frozenset({"remark"})}, keys={"a.shp": frozenset({"w"})})
    assert compared(DELIVERED, given=given).fields == {"remark": 1}


def test_nothing_beside_nothing():
    empty = LIVE.iloc[:0]
    result = compare(empty, empty, question=Question(reach=np.zeros(0, dtype=bool)))
    assert (set(result.counts.values()), result.fields, len(result.rows)) == ({0}, {}, 0)


def test_a_merge_is_foretold():
    """Since the base a's owner was changed, b was changed and d was added by others."""
    base = survey(row("a", 0, owner_name="丙", attributes={"w": 3.0}), *_plain("b", "c", "e"))
    live = survey(
        row("a", 0, owner_name="甲", attributes={"w": 3.0}),
        row("b", 10, remark="others"),
        *_plain("c", "d", "e"),
    )
    mine = survey(
        row("a", 0, owner_name="乙", attributes={"w": 3.0}),
        row("b", 10),
        row("c", 20, remark="mine"),
    )
    result = foretell(
        compare(live, mine, question=Question(reach=np.ones(5, dtype=bool))),
        merged(base, live, mine),
        has_base=True,
    )
    assert by_code(result, "change", "outcome") == {
        "a": ("changed", "waits"),
        "b": ("changed", "stays"),
        "c": ("changed", "taken"),
        "d": ("removed", "stays"),
        "e": ("removed", "taken"),
    }


def _plain(*codes):
    places = {"b": 10, "c": 20, "d": 30, "e": 40}
    return [row(code, places[code]) for code in codes]
