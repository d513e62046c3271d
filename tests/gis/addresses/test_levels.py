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
