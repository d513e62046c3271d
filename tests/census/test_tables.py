"""The code tables say what they are stated to say, and agree with each other."""

from itertools import pairwise

import pytest

from census.crosswalk import read_crosswalk
from census.taxonomy import CODE_LENGTHS, STANDARDS, read_taxonomy
from gis.codes import read_table

OLD, MIDDLE, NEW = STANDARDS
TABLES = {"component": "component_classes.csv", "event": "event_classes.csv"}
WALKS = [(a, b, kind) for a, b in ((OLD, MIDDLE), (MIDDLE, NEW), (OLD, NEW)) for kind in TABLES]


@pytest.mark.parametrize(
    ("standard", "kind", "counts"),
    [
        (OLD, "component", {"01": 38, "02": 17, "03": 11, "04": 10, "05": 3, "06": 6}),
        (OLD, "event", {"01": 19, "02": 5, "03": 6, "04": 10, "05": 14}),
        (MIDDLE, "component", {"01": 60, "02": 31, "03": 15, "04": 10, "05": 9}),
        (MIDDLE, "event", {"01": 38, "02": 7, "03": 12, "04": 10, "05": 8, "06": 4}),
        (NEW, "component", {"01": 76, "02": 44, "03": 16, "04": 14, "05": 3}),
        (
            NEW,
            "event",
            {"01": 76, "02": 44, "03": 16, "04": 14, "05": 3}
            | {"06": 51, "07": 7, "08": 16, "09": 21, "10": 2},
        ),
    ],
)
def test_minor_classes_are_as_many_as_stated(standard, kind, counts):
    entries = read_taxonomy(standard).all(kind)
    assert {major: sum(e.major == major for e in entries) for major in counts} == counts
    assert len(entries) == sum(counts.values())


def test_totals_are_those_of_the_standards():
    assert len(read_taxonomy(OLD).all("component")) == 85
    assert len(read_taxonomy(NEW).all("component")) == 153
    assert len(read_taxonomy(NEW).all("event")) == 250
    # 121 minor classes are recalled for 2013: with the doubtful rows more, without them fewer.
    middle = read_taxonomy(MIDDLE).all("component")
    assert len([e for e in middle if not e.is_doubtful]) < 121 < len(middle)


@pytest.mark.parametrize(("kind", "name"), TABLES.items())
def test_rows_are_keyed_by_standard_kind_and_code(kind, name):
    rows = read_table("census.codes", name)
    keys = [(row["standard_ref"], row["kind"], row["code"]) for row in rows]
    assert len(set(keys)) == len(keys)
    assert {row["kind"] for row in rows} == {kind}
    for row in rows:
        is_major = not row["parent"]
        assert len(row["code"]) == (2 if is_major else CODE_LENGTHS[row["standard_ref"]])
        assert row["code"].startswith(row["parent"])
        assert row["name"] == row["name"].strip() != ""
        assert row["evidence"] in {"found", "derived", "recalled", "unknown"}


def test_every_parent_is_there():
    for standard in STANDARDS:
        taxonomy = read_taxonomy(standard)
        for kind in TABLES:
            majors = {entry.code for entry in taxonomy.majors(kind)}
            assert {entry.major for entry in taxonomy.all(kind)} <= majors


def test_accuracy_and_geometry_are_marked_as_defaults():
    minors = [row for row in read_table("census.codes", TABLES["component"]) if row["parent"]]
    assert {row["survey_evidence"] for row in minors} == {"default"}
    assert {row["accuracy"] for row in minors} == {"A", "B", "C"}
    assert {row["geometry"] for row in minors} == {"point", "line", "polygon", "any"}


def test_gaps_of_the_newest_tables_are_the_retired_codes():
    rows = read_table("census.codes", "retired_codes.csv")
    retired = {kind: {r["code"] for r in rows if r["kind"] == kind} for kind in TABLES}
    taxonomy = read_taxonomy(NEW)
    for kind, majors in (
        ("component", ("01", "02", "03", "04", "05")),
        ("event", ("06", "07", "08", "09")),
    ):
        gaps = set()
        for major in majors:
            numbers = [int(e.code[2:]) for e in taxonomy.all(kind) if e.major == major]
            gaps |= {f"{major}{n:03d}" for a, b in pairwise([0, *numbers]) for n in range(a + 1, b)}
        assert gaps == retired[kind]
    former = {(row["kind"], row["former_code"]) for row in rows}
    assert all(read_taxonomy(MIDDLE).exists(kind, code) for kind, code in former)


@pytest.mark.parametrize(("before", "after", "kind"), WALKS)
def test_crosswalks_lead_from_every_class_to_classes_that_exist(before, after, kind):
    walk = read_crosswalk(kind, from_ref=before, to_ref=after)
    assert set(walk) == {entry.code for entry in read_taxonomy(before).all(kind)}
    target = read_taxonomy(after)
    for successor in walk.values():
        assert all(target.exists(kind, code) for code in successor.codes)
        assert (successor.codes == ()) == (successor.relation == "none")
        assert (len(successor.codes) > 1) <= (successor.relation in {"split", "undecided"})


@pytest.mark.parametrize(("before", "after", "kind"), WALKS)
def test_same_in_a_crosswalk_means_the_same_name(before, after, kind):
    old, new = read_taxonomy(before), read_taxonomy(after)
    for code, successor in read_crosswalk(kind, from_ref=before, to_ref=after).items():
        if successor.relation in {"same", "renamed"}:
            is_equal = old.get(kind, code).name == new.get(kind, successor.codes[0]).name
            assert is_equal == (successor.relation == "same"), code


@pytest.mark.parametrize("kind", TABLES)
def test_two_steps_lead_where_one_does(kind):
    first = read_crosswalk(kind, from_ref=OLD, to_ref=MIDDLE)
    second = read_crosswalk(kind, from_ref=MIDDLE, to_ref=NEW)
    whole = read_crosswalk(kind, from_ref=OLD, to_ref=NEW)
    for code, successor in first.items():
        if successor.code and second[successor.code].code:
            assert second[successor.code].code in whole[code].codes


def test_events_of_2013_swapped_emergencies_and_street_order():
    walk = read_crosswalk("event", from_ref=OLD, to_ref=MIDDLE)
    assert walk["0401"].code == "0505"  # 路面塌陷
    assert walk["0501"].code == "0401"  # 无照经营游商


def test_extension_examples_are_unused_and_within_their_majors():
    taxonomy = read_taxonomy(MIDDLE)
    majors = {entry.code for entry in taxonomy.majors("component")}
    rows = read_table("census.codes", "extension_example.csv")
    assert len(rows) == 26
    for row in rows:
        assert not taxonomy.exists("component", row["code"])
        assert row["code"][:2] in majors


def test_words_mean_one_thing_each():
    rows = read_table("census.codes", "words.csv")
    keys = [(row["subject"], row["word"]) for row in rows]
    assert len(set(keys)) == len(keys)
    assert {r["value"] for r in rows if r["subject"] == "condition"} == {
        "intact", "damaged", "lost", "abandoned", "removed", "occupied", "unknown",
    }  # fmt: skip
    assert {r["value"] for r in rows if r["subject"] == "ownership"} == {
        "none", "unknown", "disputed", "confirmed",
    }  # fmt: skip
