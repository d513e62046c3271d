"""Romanisations as published, and how often the rules give them."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from gis.names.readings import syllables
from gis.names.romanisation import romanise

GOLD = Path(__file__).parent / "gold" / "romanisations.csv"
STREETS = Path(__file__).resolve().parents[3] / "../shared/data/china_codes/modood_streets.csv"


def gold():
    with GOLD.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_published_romanisations_are_what_the_rules_give():
    rows = gold()
    assert Counter(row["group"] for row in rows) == {"city": 299, "county": 193, "rule": 61}
    assert [row["name"] for row in rows if romanise(row["name"]) != row["pinyin"]] == []


def test_spellings_without_the_tables_of_places_would_be_wrong():
    from pypinyin import lazy_pinyin

    def letters(text):
        return "".join(sign for sign in text.casefold().replace("ü", "u") if sign.isalpha())

    counties = [row for row in gold() if row["group"] == "county"]
    plain = [letters("".join(lazy_pinyin(row["name"], v_to_u=True))) for row in counties]
    wrong = [
        row["name"]
        for row, text in zip(counties, plain, strict=True)
        if text != letters(row["pinyin"])
    ]
    assert {"单县", "涡阳县", "都匀市", "宕昌县"} <= set(wrong)


@pytest.mark.skipif(not STREETS.exists(), reason="the real list of streets is not here")
def test_every_street_of_the_country_is_read_sign_by_sign():
    with STREETS.open(encoding="utf-8") as file:
        rows = [(row["code"][:2], row["name"]) for row in csv.DictReader(file)]
    han = [
        (province, name) for province, name in rows if all("一" <= sign <= "鿿" for sign in name)
    ]
    assert len(han) > 41_000
    assert all(len(syllables(name, province=province)) == len(name) for province, name in han)
    spelt = [romanise(name, province=province) for province, name in han]
    assert all(text[0].isupper() or text[0].isdigit() for text in spelt)


@pytest.mark.parametrize(
    ("name", "province", "reading"),
    [
        ("新圩镇", "44", "xin xu zhen"),
        ("新圩镇", "32", "xin wei zhen"),
        ("东涌镇", "44", "dong chong zhen"),
        ("涌金门", "33", "yong jin men"),
        ("殷行街道", "31", "yin hang jie dao"),
        ("步行街", "31", "bu xing jie"),
        ("黄陂区", "", "huang pi qu"),
        ("石家庄市长江路", "", "shi jia zhuang shi chang jiang lu"),
        ("重工街", "", "zhong gong jie"),
        ("人民银行", "", "ren min yin hang"),
        ("绿春县", "", "lu chun xian"),
        ("ＣＢＤ１２号", "", "cbd 12 hao"),
        ("阿城e站", "", "a cheng e zhan"),
        ("", "", ""),
    ],
)
def test_names_are_read_as_they_are_called_there(name, province, reading):
    assert " ".join(syllables(name, province=province)) == reading
