"""Codes of an older generation moved on: what is sure moves, the rest waits, no code is given twice."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from census.crosswalk import number_codes, read_crosswalk
from census.migration import CLOSE, KEEP, Decisions, find_standard, plan_migration
from census.taxonomy import STANDARDS, read_taxonomy
from gis.errors import CodeError
from gis.workspace import ExtensionClass

OLD, MIDDLE, NEW = STANDARDS
SHARED = Path(__file__).resolve().parents[2] / "../shared/standards"


def census(rows: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Live components of (standard, code); the class is the one in the code."""
    frame = pd.DataFrame(rows, columns=["standard_ref", "code"])
    digits = frame["standard_ref"].map({OLD: 4, MIDDLE: 4, NEW: 5})
    frame["class_code"] = [code[6 : 6 + n] for code, n in zip(frame["code"], digits, strict=True)]
    return frame.assign(name="部件")


def plan(rows, to_ref=NEW, *, used=(), decisions=None, extensions=()):
    frame = census(rows)
    return plan_migration(
        frame,
        to_ref=to_ref,
        used=pd.Series([*frame["code"], *used], dtype=object),
        decisions=decisions,
        extensions=extensions,
    )


def fates(migration) -> dict[str, tuple[str, str | None]]:
    rows = migration.rows
    return {c: (f, t) for c, f, t in zip(rows["code"], rows["fate"], rows["to_code"], strict=True)}


def test_one_to_one_moves_with_district_and_sequence():
    moved = plan([(MIDDLE, "1301020104000123"), (MIDDLE, "1301050506000007")])
    assert fates(moved) == {
        "1301020104000123": ("moved", "13010201004000123"),
        "1301050506000007": ("moved", "13010501069000007"),
    }


def test_several_to_one_never_share_a_code():
    # 0306 became 03006 for sure; 0307 was split between 03006 and 03007, and a person says 03006.
    rows = [(OLD, "1301020306000001"), (OLD, "1301020307000001"), (OLD, "1301020307000002")]
    decided = Decisions(classes={(OLD, "0307"): "03006"})
    assert fates(plan(rows, decisions=decided)) == {
        "1301020306000001": ("moved", "13010203006000001"),
        "1301020307000001": ("moved", "13010203006000003"),
        "1301020307000002": ("moved", "13010203006000002"),
    }


def test_split_gone_and_local_classes_wait_with_their_candidates():
    migration = plan(
        [(OLD, "1301020117000001"), (OLD, "1301020601000001"), (OLD, "1301022101000001")]
    )
    rows = migration.rows.set_index("class_code")
    assert migration.count("undecided") == 3
    assert rows.loc["0117", "candidates"] == ["01030", "01031", "01032", "01033", "01034"]
    assert "split" in rows.loc["0117", "reason_en"]
    assert "no successor" in rows.loc["0601", "reason_en"]
    assert "local class" in rows.loc["2101", "reason_en"]
    assert rows["to_code"].isna().all()


def test_a_component_is_decided_before_its_class():
    rows = [(OLD, f"130102011700000{n}") for n in (1, 2, 3, 4)]
    decided = Decisions(
        classes={(OLD, "0117"): "01030"},
        components={rows[1][1]: "01034", rows[2][1]: KEEP, rows[3][1]: CLOSE},
    )
    assert [fate for fate, _ in fates(plan(rows, decisions=decided)).values()] == [
        "moved",
        "moved",
        "kept",
        "closed",
    ]
    assert fates(plan(rows, decisions=decided))[rows[1][1]] == ("moved", "13010201034000002")


def test_a_class_decision_holds_for_its_standard_alone():
    # 0117 was split in 2007 and is one class in 2013.
    rows = [(OLD, "1301020117000001"), (MIDDLE, "1301020117000002")]
    found = fates(plan(rows, decisions=Decisions(classes={(OLD, "0117"): "01034"})))
    assert found["1301020117000001"][1] == "13010201034000001"
    assert found["1301020117000002"][1] == "13010201017000002"


def test_from_2007_to_2013_a_code_that_meant_another_component_is_not_given():
    # 0131 became 0124, but 1301020124000001 was the code of a component of the old class 0124.
    rows = [(OLD, "1301020131000001"), (OLD, "1301020124000001"), (OLD, "1301020131000002")]
    found = fates(plan(rows, MIDDLE))
    old_0124 = read_crosswalk("component", from_ref=OLD, to_ref=MIDDLE)["0124"].code
    assert old_0124 is not None
    assert found["1301020124000001"][1] == f"130102{old_0124}000001"
    assert found["1301020131000001"][1] not in {code for _, code in rows}
    assert found["1301020131000002"][1] == "1301020124000002"


def test_a_component_keeps_its_own_code_where_the_class_stays():
    found = fates(plan([(OLD, "1301020104000001"), (OLD, "1301020104000009")], MIDDLE))
    assert {code: to for code, (_, to) in found.items()} == {code: code for code in found}


def test_codes_of_components_long_gone_are_not_given_again():
    used = ["13010201004000001", "13010201004000050"]
    found = fates(plan([(MIDDLE, "1301020104000001"), (MIDDLE, "1301020104000002")], used=used))
    assert found["1301020104000001"][1] == "13010201004000051"
    assert found["1301020104000002"][1] == "13010201004000002"


def test_newer_rows_are_left_alone_and_counted():
    migration = plan([(NEW, "13010201004000001"), (MIDDLE, "1301020104000001")])
    assert migration.beyond == 1
    assert fates(migration) == {"1301020104000001": ("moved", "13010201004000002")}


def test_a_local_class_that_became_standard_is_proposed_by_name():
    name = read_taxonomy(NEW).get("component", "01076").name
    frame = census([(MIDDLE, "1301020199000001")]).assign(name=name)
    migration = plan_migration(frame, to_ref=NEW, used=frame["code"])
    assert migration.rows["candidates"].tolist() == [["01076"]]
    assert migration.count("undecided") == 1


def test_an_extension_class_of_the_city_may_be_decided_for():
    extension = ExtensionClass(kind="component", code="01999", name="爱心驿站")
    rows = [(MIDDLE, "1301020199000001")]
    decided = Decisions(classes={(MIDDLE, "0199"): "01999"})
    found = fates(plan(rows, decisions=decided, extensions=[extension]))
    assert found["1301020199000001"] == ("moved", "13010201999000001")
    with pytest.raises(CodeError, match="01999"):
        plan(rows, decisions=decided)


def test_a_code_that_is_none_waits_whatever_its_class():
    frame = census([(MIDDLE, "1301020104000001")]).assign(code="A-17")
    migration = plan_migration(frame, to_ref=NEW, used=frame["code"])
    assert migration.rows["fate"].tolist() == ["undecided"]
    assert "no code of its standard" in migration.rows["reason_en"].iloc[0]


def test_what_is_not_verified_is_said():
    warnings = " ".join(map(str, plan([(OLD, "1301020104000001")]).warnings))
    assert "not verified" in warnings
    # 0231 is perhaps no class of 2013.
    decided = Decisions(classes={(OLD, "0605"): "0231"})
    warnings = " ".join(
        map(str, plan([(OLD, "1301020605000001")], MIDDLE, decisions=decided).warnings)
    )
    assert "Not sure to be classes" in warnings


def test_decisions_for_nothing_are_told():
    decided = Decisions(components={"1301020117000009": "01030"})
    assert "1 decisions name components" in " ".join(map(str, plan([], decisions=decided).warnings))


def test_standards_are_named_in_full_or_by_year():
    assert [find_standard(text) for text in ("2007", "2013", NEW)] == [OLD, MIDDLE, NEW]
    with pytest.raises(CodeError, match="2026"):
        find_standard("2020")


def test_the_crosswalk_to_2026_is_that_of_the_standards_notes():
    path = SHARED / "crosswalk_components_2007_2026.tsv"
    if not path.is_file():
        pytest.skip(f"no {path.name}")
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    told = {
        cells[0]: () if cells[2] == "-" else tuple(cells[2].split("|"))
        for cells in lines
        if not cells[0].startswith("#") and cells[0].isdigit()
    }
    assert len(told) == 85
    walk = read_crosswalk("component", from_ref=OLD, to_ref=NEW)
    assert {code: walk[code].codes for code in told} == told


@pytest.mark.parametrize(("before", "after"), [(OLD, MIDDLE), (MIDDLE, NEW), (OLD, NEW)])
def test_every_class_moves_or_waits_with_a_reason(before, after):
    codes = [entry.code for entry in read_taxonomy(before).all("component")]
    migration = plan([(before, f"130102{code}000001") for code in codes], after)
    walk = read_crosswalk("component", from_ref=before, to_ref=after)
    rows = migration.rows.set_index("class_code")
    assert set(rows.index) == set(codes)
    for code, row in rows.iterrows():
        assert row["to_class"] == walk[code].code
        assert (row["fate"] == "moved") == (walk[code].code is not None)
        assert bool(row["reason_en"]) == bool(row["reason_zh"]) == (row["fate"] == "undecided")
    assert migration.classes["rows"].sum() == len(codes)


CODES = st.lists(
    st.tuples(
        st.sampled_from(["130102", "130104"]),
        st.sampled_from(["0101", "0123", "0124", "0131", "0306", "0307", "0117", "0601"]),
        st.integers(1, 6),
    ),
    unique=True,
    max_size=40,
)


@settings(deadline=None, max_examples=60)
@given(
    CODES,
    st.sampled_from([MIDDLE, NEW]),
    st.permutations(range(40)),
    st.sets(st.integers(1, 6), max_size=3),
)
def test_no_code_is_given_twice_nor_that_of_another_whatever_the_order(parts, to_ref, order, gone):
    rows = [(OLD, f"{district}{code}{number:06d}") for district, code, number in parts]
    digits = "0123" if to_ref == MIDDLE else "01023"
    used = [f"130102{digits}{number:06d}" for number in gone]
    decided = Decisions(classes={(OLD, "0307"): "0306" if to_ref == MIDDLE else "03006"})
    found = fates(plan(rows, to_ref, used=used, decisions=decided))
    given_codes = [to for _, to in found.values() if to is not None]
    assert len(set(given_codes)) == len(given_codes)
    taken = {code for _, code in rows} | set(used)
    for code, (fate, to) in found.items():
        assert (to is None) == (fate != "moved")
        assert to is None or to == code or to not in taken
        assert to is None or to[:6] == code[:6]
    shuffled = [rows[i] for i in order if i < len(rows)]
    assert fates(plan(shuffled, to_ref, used=used, decisions=decided)) == found


def test_a_row_that_has_the_code_comes_before_one_that_wants_it():
    prefix, sequence = pd.Series(["1301020104"] * 2), pd.Series([5, 5])
    own = pd.Series(["1301020199000005", "1301020104000005"])
    assert number_codes(prefix, sequence, own=own).tolist() == [
        "1301020104000006",
        "1301020104000005",
    ]
