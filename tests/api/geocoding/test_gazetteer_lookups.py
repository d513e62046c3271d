"""The search file against plain loops over all places: what is looked up is what is there."""

import math
import re
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api import open_snapshot
from api.geocoding.gazetteer import Key
from api.geocoding.sounds import fold
from gis.addresses.spelling import normalise
from gis.errors import SnapshotError
from gis.names.readings import readings
from tests.api.district import X0, Y0, box, compile_district, line, open_district, place, point
from tests.api.geocoding.drawn_places import (
    NAMES,
    ROADS,
    Opened,
    cities,
    edits,
    keys_by_hand,
    named_by_hand,
)


@given(cities)
@settings(max_examples=12)
def test_exact_and_prefix_find_all_keys_and_no_others(drawn: list[dict[str, Any]]) -> None:
    keys = keys_by_hand(drawn)
    texts = {key.key for key in keys} | {"裕华路12号", "", "无"}
    with Opened(drawn) as gazetteer:
        for text in texts:
            found = gazetteer.exact(text)
            assert sorted(found) == sorted(key for key in keys if key.key == text)
            assert gazetteer.named(text) == [key for key in found if key.how in ("name", "alias")]
        for prefix in {text[:length] for text in texts for length in (1, 2, 4) if text}:
            begun = [
                k
                for k in gazetteer.starting(prefix, limit=500)
                if k.how not in ("pinyin", "initials")
            ]
            assert sorted(begun) == sorted(key for key in keys if key.key.startswith(prefix))
            assert gazetteer.starting(prefix, limit=2) == gazetteer.starting(prefix, limit=500)[:2]


@given(cities)
@settings(max_examples=8)
def test_a_day_of_the_past_has_its_own_places(drawn: list[dict[str, Any]]) -> None:
    keys = keys_by_hand(drawn, live=False)
    with Opened(drawn, as_of=date(2025, 6, 1)) as gazetteer:
        for text in {key.key for key in keys}:
            assert sorted(gazetteer.exact(text)) == sorted(key for key in keys if key.key == text)
    with Opened(drawn, as_of=date(2024, 6, 1)) as gazetteer:
        assert not any(gazetteer.exact(key.key) for key in keys)
        assert gazetteer.near(X0, Y0, reach_m=1e6) == []


@given(cities, st.lists(st.sampled_from([*ROADS, *NAMES, "x", "12号"]), max_size=5))
@settings(max_examples=12)
def test_names_inside_a_text(drawn: list[dict[str, Any]], words: list[str]) -> None:
    text = normalise("".join(words))
    names = {key.key for key in named_by_hand(drawn)}
    size = len(text)
    spans = {
        (start, end)
        for start in range(size)
        for end in range(start + 2, size + 1)
        if text[start:end] in names
    }
    with Opened(drawn) as gazetteer:
        found = gazetteer.names_in(text)
        assert set(found) == spans
        assert len(found) == len(spans)
        assert found == sorted(found, key=lambda span: (span[0] - span[1], span[0]))
        apart = gazetteer.longest_names(text)
        assert set(apart) <= spans
        assert all(a[1] <= b[0] for a, b in pairwise(sorted(apart)))
        assert bool(apart) == bool(spans)


@given(
    cities,
    st.sampled_from([*NAMES, *ROADS, "长按小区", "便民超", "老李面馆", "新花书店", "裕花路", "KF"]),
)
@settings(max_examples=15)
def test_names_alike_in_writing(drawn: list[dict[str, Any]], asked: str) -> None:
    text = normalise(asked)
    expected = {
        key: 1.0 - edits(text, key.key) / max(len(text), len(key.key))
        for key in named_by_hand(drawn)
    }
    with Opened(drawn) as gazetteer:
        found = gazetteer.similar(text, limit=500)
        assert all(likeness == pytest.approx(expected[key]) for key, likeness in found)
        # All that shares a character is compared.
        assert {key for key, _ in found} >= {key for key in expected if set(key.key) & set(text)}
        assert [-likeness for _, likeness in found] == sorted(-likeness for _, likeness in found)
        streets = gazetteer.similar(text, kinds=("street",), limit=500)
        assert streets == [item for item in found if gazetteer.kind(item[0].row) == "street"]
        assert not gazetteer.index.scratch.any()


@given(
    cities,
    st.sampled_from(
        [
            "玉华路",
            "yuhualu",
            "裕hua路",
            "裕发路",
            "长安小区",
            "畅安小区",
            "重庆饭店",
            "虫庆饭店",
            "KFC",
            "lao王面馆",
        ]
    ),
)
@settings(max_examples=15)
def test_names_that_sound_the_same(drawn: list[dict[str, Any]], asked: str) -> None:
    text = normalise(asked)
    read = readings("13").read_bare
    expected = {}
    for key in named_by_hand(drawn):
        if [*map(fold, read(key.key))] == [*map(fold, read(text))]:
            expected[key] = 1.0 if read(key.key) == read(text) else 0.85
        if (
            re.search("[a-z]", text)
            and not key.key.isascii()
            and "".join(read(key.key)) == "".join(read(text))
        ):
            expected[key] = 1.0
    with Opened(drawn) as gazetteer:
        assert dict(gazetteer.sounding(text)) == expected


@given(cities)
@settings(max_examples=12)
def test_plates_of_a_road_in_the_order_of_their_numbers(drawn: list[dict[str, Any]]) -> None:
    numbers = {"1号": (1, 0), "2号": (2, 0), "10号": (10, 0), "12号": (12, 0), "12-3号": (12, 3)}
    numbers |= {"甲12号": (12, 1001), "12号附3号": (12, 3)}
    spelt = {normalise(text): number for text, number in numbers.items()}
    expected: dict[str, list[tuple[int, int, int]]] = {}
    for row, record in enumerate(drawn):
        plate = normalise(record.get("plate") or "")
        if record["kind"] == "plate" and plate in spelt and record["valid_to"] is None:
            expected.setdefault(normalise(record["road"]), []).append((*spelt[plate], row))
    streets = {
        normalise(r["name"]): row
        for row, r in reversed([*enumerate(drawn)])
        if r["kind"] == "street"
    }
    with Opened(drawn) as gazetteer:
        assert {road for road in map(normalise, ROADS) if gazetteer.plates_on(road)} == set(
            expected
        )
        for road, told in expected.items():
            found = gazetteer.plates_on(road)
            assert found is not None
            assert [*zip(found.number, found.sub, found.row, strict=True)] == sorted(told)
            assert found.x.tolist() == [gazetteer.x[row] for row in found.row]
            assert {gazetteer.road_of(int(row)) for row in found.row} == {road}
            if road not in streets:
                assert set(found.street.tolist()) == {-1}
        assert gazetteer.plates_on("没有的路") is None


@given(cities, st.integers(0, 200), st.integers(0, 200), st.sampled_from([0.0, 30.0, 500.0]))
@settings(max_examples=12)
def test_places_near_a_point(drawn: list[dict[str, Any]], x: int, y: int, reach_m: float) -> None:
    at = point(x, y)
    expected = sorted(
        (record["shape"].distance(at), row)
        for row, record in enumerate(drawn)
        if record["valid_to"] is None and record["shape"].distance(at) <= reach_m
    )
    with Opened(drawn) as gazetteer:
        found = gazetteer.near(X0 + x, Y0 + y, reach_m=reach_m, limit=500)
        assert [row for _, row in sorted(found)] == [row for _, row in expected]
        assert [d for d, _ in found] == pytest.approx([d for d, _ in expected])
        pois = gazetteer.near(X0 + x, Y0 + y, reach_m=reach_m, kinds=("poi",))
        assert [row for _, row in pois] == [r for _, r in expected if drawn[r]["kind"] == "poi"]


SHANGHAI = [
    place("a", "plate", "123弄5号", point(0, 0), road="桂平路", plate="123弄5号"),
    place("b", "plate", "123弄7号", point(10, 0), road="桂平路", plate="123弄7号"),
    place("c", "plate", "125弄", point(20, 0), road="桂平路", plate="125弄"),
    place("d", "plate", "6号", point(30, 0), road="桂平路123弄", plate="6号"),
    place("e", "plate", "B座", point(40, 0), block="时代大厦", building="B座"),
    place("f", "plate", "11号楼", point(50, 0), block="时代大厦", building="11号楼"),
    place("g", "plate", "2号楼", point(60, 0), block="时代大厦", building="2号楼"),
    place("h", "plate", "8号", point(70, 0), road="人民路", plate="8号"),
    place("i", "plate", "9号", point(170, 0), road="人民路", plate="9号"),
    place("j", "street", "人民路", line((60, 5), (80, 5)), road="人民路"),
    place("l", "plate", "179号", point(90, 0), block="玉成里", plate="179号"),
    place("k", "street", "人民路", line((160, 5), (180, 5)), road="人民路"),
]


def test_lanes_and_roads_of_one_name(tmp_path: Path) -> None:
    gazetteer = open_district(tmp_path, places=SHANGHAI).edition().gazetteer
    lanes = gazetteer.lanes_on("桂平路")
    assert lanes is not None
    assert [*zip(lanes.number.tolist(), lanes.row.tolist(), strict=True)] == [
        (123, 0),
        (123, 1),
        (123, 3),
        (125, 2),
    ]
    inside = gazetteer.plates_in_lane("桂平路", 123)
    assert inside is not None
    assert [*zip(inside.number.tolist(), inside.row.tolist(), strict=True)] == [
        (5, 0),
        (6, 3),
        (7, 1),
    ]
    assert gazetteer.plates_on("桂平路") is None
    plates = gazetteer.plates_on("人民路")
    assert plates is not None
    assert plates.street.tolist() == [9, 10]
    own = gazetteer.plates_on("人民路", street=10)
    assert own is not None
    assert own.number.tolist() == [9]
    assert gazetteer.of_road("人民路").tolist() == [7, 8, 9, 10]
    assert gazetteer.of_road("").tolist() == []
    village = gazetteer.plates_on("玉成里")
    assert village is not None
    assert (village.number.tolist(), village.row.tolist()) == ([179], [11])
    assert gazetteer.exact("玉成里179号") == [Key("玉成里179号", 11, "plate")]


def test_a_city_without_places_answers_nothing(tmp_path: Path) -> None:
    gazetteer = open_district(tmp_path).edition().gazetteer
    assert (
        gazetteer.exact("裕华路") == gazetteer.starting("裕", limit=5) == gazetteer.named("") == []
    )
    assert (
        gazetteer.sounding("裕华路")
        == gazetteer.similar("裕华路")
        == gazetteer.names_in("裕华路")
        == []
    )
    assert gazetteer.similar("裕华路", road="裕华路") == gazetteer.near(X0, Y0, reach_m=500.0) == []
    assert gazetteer.plates_on("裕华路") is None
    assert list(gazetteer.kinds) == []


def test_what_a_row_says_without_its_geometry(tmp_path: Path) -> None:
    places = [
        place("a", "block", "建设小区", box(0, 0, 30, 30), community_code=None),
        place("b", "street", "裕华路", line((0, 0), (30, 40)), road="裕華路"),
        place("c", "poi", "人民医院", point(7, 8)),
    ]
    gazetteer = open_district(tmp_path, places=places).edition().gazetteer
    assert [gazetteer.dimension(row) for row in range(3)] == [2, 1, 0]
    assert [gazetteer.extent_m(row) for row in range(3)] == [30.0, 50.0, 0.0]
    assert [gazetteer.community(row) for row in range(3)] == ["", "130102001001", "130102001001"]
    assert [gazetteer.road_of(row) for row in range(3)] == ["", "裕华路", ""]
    assert [gazetteer.name(row) for row in range(3)] == ["建设小区", "裕华路", "人民医院"]
    assert gazetteer.point(2) == (X0 + 7, Y0 + 8)
    assert gazetteer.shape(1).equals(places[1]["geometry"])
    assert gazetteer.record(2)["code"] == "c"
    assert gazetteer.record(0)["community_code"] is None
    assert math.isclose(gazetteer.near(X0 + 7, Y0 + 38, reach_m=10.0, kinds=("block",))[0][0], 8.0)


@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_search_file_is_told(tmp_path: Path, damage: str) -> None:
    folder = compile_district(tmp_path, places=SHANGHAI)
    path = folder / "search.arrow"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(bytes(content if damage == "flip" else content[:-9]))
    with pytest.raises(SnapshotError, match="wanmi snapshot"):
        open_snapshot(folder).edition().gazetteer.exact("人民路")
    # Compiling again repairs it.
    assert compile_district(tmp_path, places=SHANGHAI) == folder
    assert len(open_snapshot(folder).edition().gazetteer.roads("人民路")) == 2


@pytest.mark.parametrize("text", ["\ud800", "裕" * 300, "🙂" * 40, "\x00", "a" * 256])
def test_odd_texts_are_looked_for_in_vain(tmp_path: Path, text: str) -> None:
    places = [place("a", "poi", "人民医院", point(7, 8)), place("b", "poi", "a", point(7, 8))]
    gazetteer = open_district(tmp_path, places=places).edition().gazetteer
    assert gazetteer.exact(text) == gazetteer.named(text) == gazetteer.names_in(text) == []
    assert gazetteer.sounding(text) == []
    assert all(likeness < 0.1 for _, likeness in gazetteer.similar(text))
