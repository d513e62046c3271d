"""Delivered addresses into the ten levels: the strings that other parsers are known to get wrong."""

import csv
from dataclasses import asdict
from pathlib import Path

import pytest

from gis.addresses.areas import read_chain
from gis.addresses.levels import AreaNames, split_levels, split_many
from gis.addresses.spelling import LONGEST, normalise

HERE = Path(__file__).parent
JUDGED = (
    *("province", "city", "district", "street", "community"),
    *("road", "plate", "block", "building", "poi", "orientation", "supplement"),
)


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


AREAS = AreaNames.of({row["code"]: row["name"] for row in rows("areas.csv")})


@pytest.mark.parametrize("row", rows("gold.csv"), ids=lambda row: row["text"])
def test_what_a_delivered_address_says(row: dict[str, str]) -> None:
    found = asdict(split_levels(row["text"], AREAS))
    assert {level: found[level] for level in JUDGED} == {level: row[level] for level in JUDGED}
    assert found["doubts"] == tuple(filter(None, row["doubts"].split(" ")))


@pytest.mark.parametrize(
    ("text", "code", "rest"),
    [
        ("河北省石家庄市长安区裕华路", "130102", "裕华路"),
        ("石家庄长安区裕华路", "130102", "裕华路"),
        ("吉林", "22", ""),
        ("吉林市", "2202", ""),
        ("北京市朝阳区朝阳路", "110105", "朝阳路"),
        ("上海上海市上海徐汇区", "310104", ""),
        ("长安公园", "", "长安公园"),
        ("重庆路", "", "重庆路"),
        ("", "", ""),
    ],
)
def test_the_chain_of_areas(text: str, code: str, rest: str) -> None:
    plain = normalise(text)
    chain = read_chain(plain, AREAS)
    assert (chain.code, plain[chain.length :]) == (code, rest)


def test_of_areas_that_contradict_the_larger_part_holds() -> None:
    chain = read_chain("山东省石家庄市长安区", AREAS)
    assert (chain.code, chain.contradicting) == ("130102", ("山东省",))
    chain = read_chain("河北省西安市", AREAS)
    assert (chain.code, chain.contradicting) == ("13", ("西安市",))  # equal: the first named


def test_odd_texts_have_levels() -> None:
    for text in ("🙂", "x" * 10_000, "路" * 10_000, "河北" * 5_000, "\x00", "(((", "号"):
        found = split_levels(text, AREAS)
        assert len(found.rest) <= LONGEST
    assert list(split_many(["裕华路", "裕华路", ""], AREAS)) == ["裕华路", ""]
