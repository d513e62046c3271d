"""Merging held to what must be so of any two surveys: no edit is lost, whichever comes first."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from census.merging.contradictions import MIRROR
from census.merging.fields import COLUMNS, plain
from tests.census.merging.surveys import after, merged, row, survey

CODES = ("a", "b", "c", "d", "e")
OWNERS = (None, "甲", "乙", "丙")
ACCURACY_M = 0.5
WHOLE = {"delete_update", "update_delete", "recode", "place"}


@st.composite
def contents(draw):
    return {
        "owner_name": draw(st.sampled_from(OWNERS)),
        "remark": draw(st.sampled_from((None, "x", "y"))),
        "change_date": draw(st.sampled_from((None, date(2026, 5, 1), date(2026, 5, 2)))),
        "attributes": draw(
            st.dictionaries(st.sampled_from(("k", "m")), st.sampled_from(("1", "2")))
        ),
        "shift": draw(st.sampled_from((0.0, 0.0, 0.004, 2.0, 2.3, 3.5))),
    }


@st.composite
def bases(draw):
    codes = draw(st.lists(st.sampled_from(CODES), unique=True))
    return {code: draw(contents()) | {"shift": 0.0} for code in sorted(codes)}


@st.composite
def edits(draw, base):
    """A survey that began from `base`: components kept, changed, moved, left out, recoded, added."""
    rows, used = {}, set()
    for code, values in base.items():
        what = draw(st.sampled_from(("keep", "keep", "change", "change", "end", "recode")))
        new = dict(values)
        if what in ("change", "recode"):
            for name, value in draw(contents()).items():
                if draw(st.booleans()):
                    new[name] = value
        name = code
        if what == "recode":
            name = draw(st.sampled_from(("r", "s", "n")))
            name = code if name in used else name
        used.add(name)
        if what != "end":
            rows[code] = (name, CODES.index(code) * 10.0, new)
    for cell, name in enumerate(draw(st.permutations(("n", "o", "p")))):
        if name not in used and draw(st.booleans()):
            rows[f"new {cell}"] = (name, 100.0 + cell * 10.0, draw(contents()) | {"shift": 0.0})
    return rows


@st.composite
def cases(draw):
    base = draw(bases())
    return base, draw(edits(base)), draw(edits(base))


def table(rows):
    made = []
    for name, place, values in rows.values():
        given_values = dict(values)
        made.append(row(name, place + given_values.pop("shift"), **given_values))
    return survey(*made)


def table_of_base(base):
    return table({code: (code, CODES.index(code) * 10.0, values) for code, values in base.items()})


def stated_of(frame, rows):
    by_name = {name: key for key, (name, _, _) in rows.items() if key in CODES}
    return frame["code"].map(by_name).astype(object).where(frame["code"].isin(by_name), None)


def join(base, first, second):
    """Merge two surveys one after the other; return what is live then, and the second merge."""
    start = table_of_base(base)
    tables = [table(first), table(second)]
    stated = [stated_of(tables[0], first), stated_of(tables[1], second)]
    one = merged(start, start, tables[0], stated_base=stated[0])
    live = after(start, one)
    recoded = dict(zip(one.recodes["code"], one.recodes["former_code"], strict=True))
    two = merged(start, live, tables[1], stated_base=stated[1], recoded=recoded)
    return one, live, two, recoded


def cells(frame):
    """Code -> comparable values, without the position."""
    return {
        values["code"]: {
            name: plain(values[name]) for name in COLUMNS if name not in ("code", "geometry")
        }
        for values in frame.to_dict("records")
    }


def keys(conflicts, *, mirrored=False):
    rows = conflicts.to_dict("records")
    troubled = {
        code
        for entry in rows
        if entry["kind"] in WHOLE
        for code in (entry["code"], entry["live_code"], entry["base_code"])
    } - {None}
    result = set()
    for entry in rows:
        kind = MIRROR.get(entry["kind"], entry["kind"]) if mirrored else entry["kind"]
        if kind == "add_add":
            if {entry["code"], entry["live_code"], entry["base_code"]} & troubled:
                continue  # a code that is free or not as the other conflict is decided
            result.add((kind, entry["code"], None))
        elif kind == "place":
            result.add((kind, *sorted((entry["code"], entry["live_code"]))))
        else:
            result.add((kind, entry["base_code"], entry["field"]))
    return result


def held(conflicts):
    """Codes that a conflict about more than one field is about."""
    return {
        code
        for entry in conflicts.to_dict("records")
        if entry["kind"] != "field"
        for code in (entry["code"], entry["live_code"], entry["base_code"])
    }


@settings(max_examples=40, deadline=None)
@given(cases())
def test_the_order_of_two_surveys_decides_only_which_is_called_live(case):
    base, first, second = case
    one, live, ab, _ = join(base, first, second)
    assert len(one.conflicts) == 0
    assert cells(live) == cells(table(first))  # a survey merged into its base is what was surveyed
    _, other_live, ba, _ = join(base, second, first)
    assert keys(ab.conflicts) == keys(ba.conflicts, mirrored=True)
    touched = held(ab.conflicts) | held(ba.conflicts)
    there = {code: row for code, row in cells(after(live, ab)).items() if code not in touched}
    back = {code: row for code, row in cells(after(other_live, ba)).items() if code not in touched}
    assert set(there) == set(back)
    listed = ab.conflicts.to_dict("records")
    for code in there:
        about = {
            str(entry["field"]) for entry in listed if code in (entry["code"], entry["live_code"])
        }
        for name in ("owner_name", "remark", "change_date"):
            if name.removesuffix("_name") not in about:
                assert there[code][name] == back[code][name]
        if not any(name.startswith("attributes") for name in about):
            assert there[code]["attributes"] == back[code]["attributes"]


@settings(max_examples=40, deadline=None)
@given(cases())
def test_no_edit_is_lost_and_merging_again_changes_nothing(case):
    base, first, second = case
    _, live, two, recoded = join(base, first, second)
    delivered = table(second)
    assert sorted([*two.rows.index, *two.held.index]) == list(delivered.index)
    assert set(two.held[two.held != "ended"].index) <= set(two.conflicts["record"].dropna())
    then = after(live, two)
    assert then["code"].is_unique
    lineage = trace(two, recoded, then)
    now = {lineage.get(code, code): values for code, values in cells(then).items()}
    for rows in (first, second):
        for code, values in base.items():
            assert_kept(code, values, rows.get(code), now, two.conflicts.to_dict("records"))
    again = merged(
        table_of_base(base),
        then,
        delivered,
        stated_base=stated_of(delivered, second),
        recoded=lineage,
    )
    assert again.ended == ()
    assert cells(after(then, again)) == cells(then)
    assert set(again.conflicts["fingerprint"]) == set(two.conflicts["fingerprint"])


def trace(two, recoded, then):
    """Code that is live -> code in the base."""
    lineage = {
        entry["code"]: recoded.get(entry["former_code"], entry["former_code"])
        for entry in two.recodes.to_dict("records")
    }
    left = set(then["code"]) - set(lineage)
    return lineage | {code: former for code, former in recoded.items() if code in left}


def assert_kept(code, values, surveyed, now, listed):
    """Each field that a survey changed is live, or stands in a conflict."""
    about = [entry for entry in listed if code == entry["base_code"]]
    if any(entry["kind"] in ("delete_update", "update_delete") for entry in about):
        return
    if surveyed is None:
        assert code not in now
        return
    edited = surveyed[2]
    if code not in now:  # ended on the other side: then nothing was edited here
        assert edited | {"shift": 0.0} == values
        assert edited["shift"] < 0.01
        return
    for name in ("owner_name", "remark"):
        if edited[name] != values[name]:
            fields = {entry["field"] for entry in about}
            assert now[code][name] == edited[name] or name.removesuffix("_name") in fields
