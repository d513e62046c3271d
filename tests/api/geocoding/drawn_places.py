"""A drawn city of places, and what is to be found in it by plain loops over all of them."""

import tempfile
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from api.edition import Edition
from api.geocoding.gazetteer import Gazetteer, Key
from api.geocoding.sounds import fold
from gis.addresses.spelling import normalise
from gis.names.readings import readings
from tests.api.district import box, line, open_district, place, point

ROADS = ["裕华路", "玉华路", "建设大街", "A路", "裕华东路", "路"]
NAMES = [
    "长安小区",
    "常安小区",
    "便民超市",
    "老王面馆",
    "KFC",
    "🙂笑脸店",
    "店",
    "重庆饭店",
    "新华书店",
    "甲",
    "裕华路",
]
GONE = date(2026, 1, 1)

plates = st.sampled_from(
    ["1号", "2号", "10号", "12号", "12-3号", "甲12号", "12号附3号", "123弄5号", "大门"]
)


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what is told of one place; roads, plates and names repeat, so that keys collide."""
    kind = draw(st.sampled_from(["plate", "poi", "block", "street", "area", "zone"]))
    road, plate, name = draw(st.sampled_from(ROADS)), draw(plates), draw(st.sampled_from(NAMES))
    at = point(draw(st.integers(0, 200)), draw(st.integers(0, 200)))
    told: dict[str, Any] = {"name": name, "shape": at}
    if kind == "plate" and draw(st.booleans()):
        told |= {
            "name": "3号楼",
            "block": name,
            "building": draw(st.sampled_from(["3号楼", "b座"])),
        }
    elif kind == "plate":
        told |= {"name": plate, "road": road, "plate": plate}
    elif kind == "street":
        told |= {"name": road, "road": road, "shape": line((0, 10), (200, 10))}
    elif kind == "block":
        told |= {"block": name, "shape": box(10, 10, 60, 60)}
    elif draw(st.booleans()):
        told |= {"road": road, "plate": plate, "poi": name}
    told["aliases"] = draw(st.lists(st.sampled_from(NAMES), max_size=2))
    told["valid_to"] = draw(st.sampled_from([None, None, GONE]))
    levels = ("district", "road", "plate", "block", "building", "poi")
    whole = [{"district": "长安区"} | told][0]
    told["full_address"] = "".join(whole.get(level) or "" for level in levels)
    return {"kind": kind} | told


cities = st.lists(records(), max_size=12)


def rows_of(drawn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the drawn places as rows of the database, in the order drawn."""
    return [
        place(f"p{number:03d}", record["kind"], record["name"], record["shape"], **{
            name: value for name, value in record.items() if name not in ("kind", "name", "shape")
        })
        for number, record in enumerate(drawn)
    ]  # fmt: skip


class Opened:
    """A compiled city for the length of a block."""

    def __init__(self, drawn: list[dict[str, Any]], as_of: date | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory()
        snapshot = open_district(Path(self._folder.name), places=rows_of(drawn))
        self.edition: Edition = snapshot.edition(as_of)

    def __enter__(self) -> Gazetteer:
        return self.edition.gazetteer

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


def joined(*levels: str) -> str:
    """Return levels of an address in one text, repeated neighbours once."""
    return "".join(after for before, after in pairwise(("", *levels)) if after != before)


def keys_by_hand(drawn: list[dict[str, Any]], *, live: bool = True) -> set[Key]:
    """Return the keys that the places have, by the words of the documentation."""
    keys = set()
    for row, record in enumerate(drawn):
        if live and record["valid_to"] is not None:
            continue
        is_plate = record["kind"] == "plate"
        name = normalise(record["name"])
        levels = [
            normalise(record.get(level) or "")
            for level in ("road", "plate", "block", "building", "poi")
        ]
        road, plate, block, building, poi = levels
        keys.add(Key(normalise(record["full_address"]), row, "address"))
        if not is_plate:
            keys.add(Key(name, row, "name"))
            keys |= {
                Key(normalise(a), row, "alias") for a in record["aliases"] if len(normalise(a)) > 1
            }
        own = "plate" if is_plate else "address"
        if road and (plate or block or poi):
            whole = joined(*levels)
            keys.add(Key(normalise(whole if is_plate or name in whole else whole + name), row, own))
        if road and plate:
            keys.add(
                Key(
                    normalise(road + plate),
                    row,
                    "plate" if is_plate and not (building or poi) else "member",
                )
            )
        if block and plate and not road:
            keys.add(Key(normalise(joined(block, plate, building, poi)), row, own))
        elif block and (building or poi):
            keys.add(Key(normalise(joined(block, building, poi)), row, own))
    return {key for key in keys if key.key}


def named_by_hand(drawn: list[dict[str, Any]], *, live: bool = True) -> set[Key]:
    """Return of the keys those that are names."""
    return {key for key in keys_by_hand(drawn, live=live) if key.how in ("name", "alias")}


def edits(one: str, two: str) -> float:
    """Return the edit distance by the whole table; a character that sounds alike is half an edit."""
    read = readings("13").read_bare
    heard = [[fold(part) for part in read(text)] for text in (one, two)]
    table = np.zeros((len(one) + 1, len(two) + 1))
    table[:, 0], table[0, :] = range(len(one) + 1), range(len(two) + 1)
    for i, a in enumerate(one, 1):
        for j, b in enumerate(two, 1):
            cost = 0.0 if a == b else 0.5 if heard[0][i - 1] == heard[1][j - 1] else 1.0
            table[i, j] = min(table[i - 1, j - 1] + cost, table[i - 1, j] + 1, table[i, j - 1] + 1)
    return float(table[-1, -1])
