"""What surveyors send for names, and what becomes of it."""

import pytest

from pipelines.place_names.categories import derive, restore
from pipelines.place_names.names import transform
from tests.pipelines.town import at, context, frame, rectangle, rules_of

MOJIBAKE = "裕华路与建设大街社区".encode().decode("gb18030", errors="ignore")


def judged(tmp_path, **row):
    given = {"code": "D1", "name": "裕华路", "category_code": "23", "geometry": at(50, 50)} | row
    outcome = transform(frame([given]), context(tmp_path))
    return [rule for _, rule in rules_of(outcome.faults)], outcome.accepted.to_dict("records")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("裕", ["PN15"]),
        ("裕华路2", ["PN08"]),
        ("CBD路", ["PN08"]),
        ("裕华路（东段）", ["PN08"]),
        ("裕华\n路", ["PN07"]),
        ("裕 华 路", ["PN07"]),
        ("國強路", ["PN09"]),
        ("路", ["PN16"]),
        ("老槐树", ["PN15"]),
    ],
)
def test_odd_names_are_loaded_and_doubted(tmp_path, name, told):
    rules, rows = judged(tmp_path, name=name)
    assert rules == told
    assert len(rows) == 1


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "P003"),
        ("　", "P003"),
        (None, "P003"),
        (MOJIBAKE, "PN04"),
        ("锟斤拷锟斤拷", "PN04"),
        ("??????", "PN04"),
        ("<script>alert(1)</script>裕华路", "PN05"),
        ("裕华&nbsp;路", "PN05"),
        ("裕华\x00路", "PN05"),
        ("裕华路" * 67, "PN06"),
    ],
)
def test_what_is_no_name_is_refused(tmp_path, name, rule):
    rules, rows = judged(tmp_path, name=name)
    assert rules == [rule]
    assert rows == []


def test_the_hint_on_mojibake_says_what_was_meant(tmp_path):
    misread = "裕华大街".encode().decode("gb18030")
    given = {"code": "D1", "name": misread, "geometry": at(50, 50)}
    outcome = transform(frame([given]), context(tmp_path))
    assert "裕华大街" in outcome.faults["reason_zh"][0]


@pytest.mark.parametrize(
    ("category", "told", "kept"),
    [
        ("23", [], "23"),
        ("2２１００", ["PN19"], "22100"),
        ("99", ["PN01"], "99"),
        (None, ["PN18"], "23"),
        ("12", ["PN19"], "12"),
    ],
)
def test_categories_are_checked_restored_derived(tmp_path, category, told, kept):
    rules, rows = judged(tmp_path, category_code=category)
    assert (rules, rows[0]["category_code"]) == (told, kept)


def test_a_category_without_its_first_figures_is_restored():
    assert [restore(code) for code in ("1620", "620", "2190", "00", "100")] == [
        "21620", "21620", "22190", "00", "100",
    ]  # fmt: skip
    assert derive("和平里") == "22100"
    assert derive("和平里", 1) == "23"


@pytest.mark.parametrize(
    ("pinyin", "told", "kept"),
    [
        ("YUHUA LU", ["PN20"], "Yuhua Lu"),
        ("yu4hua2lu4", ["PN20"], "Yuhua Lu"),
        ("Yù huá lù", ["PN20"], "Yuhua Lu"),
        ("Yuhua Lu", [], "Yuhua Lu"),
        ("Yuhua Road", ["PN02"], "Yuhua Road"),
        ("", [], "Yuhua Lu"),
    ],
)
def test_romanisations_of_all_spellings(tmp_path, pinyin, told, kept):
    rules, rows = judged(tmp_path, pinyin=pinyin)
    assert (rules, rows[0]["pinyin"]) == (told, kept)


def test_a_place_far_away_is_refused_and_one_over_a_border_names_both_sides(tmp_path):
    assert judged(tmp_path, geometry=at(90_000, 0))[0] == ["G009"]
    _, rows = judged(
        tmp_path, name="人民公园", category_code="25", geometry=rectangle(150, 20, 250, 80)
    )
    assert rows[0]["area_codes"] == ["130102001001", "130102001002"]
    # The representative point lies in the park, on the border: the lower code.
    assert rows[0]["area_code"] == "130102001001"
