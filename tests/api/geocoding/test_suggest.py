"""Suggestions while typing: what comes first, by which letters it is found, what is never shown."""

import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api import Snapshot
from api.geocoding import probes
from api.geocoding.ranks import tree_of
from api.geocoding.suggest import complete, suggest
from api.geocoding.texts import Texts, text_arrays
from tests.api.district import AREAS, X0, Y0, area, box, line, open_district, place, point

ELSEWHERE = "130103001001"


def plate(code: str, number: str, road: str = "裕华路", x: float = 0.0) -> dict[str, Any]:
    told = {"road": road, "plate": number, "full_address": f"长安区{road}{number}"}
    return place(code, "plate", number, point(x, 58), **told)


PLACES = [
    place("r1", "street", "裕华路", line((0, 50), (200, 50)), road="裕华路", aliases=["槐安路"]),
    place("r2", "street", "裕华西路", line((0, 90), (200, 90)), road="裕华西路"),
    *(plate(f"n{number:03d}", f"{number}号", x=number) for number in (1, 2, 10, 11, 12, 100)),
    place("s1", "poi", "老王面馆", point(21, 60), road="裕华路", plate="12号", poi="老王面馆"),
    place("b1", "block", "裕华小区", box(110, 110, 190, 190), block="裕华小区"),
    place("h1", "poi", "裕华医院", point(150, 20)),
    place("h2", "poi", "重庆饭店", point(150, 20)),
    place("k1", "poi", "便民超市", point(20, 20)),
    place(
        "k2",
        "poi",
        "便民超市",
        point(180, 20),
        community_code=ELSEWHERE,
        full_address="桥西区便民超市",
    ),
    place("k3", "poi", "便民超市", point(100, 20), valid_to=date(2026, 1, 1)),
    place("e1", "poi", "KFC🍗餐厅", point(100, 20)),
    place("e2", "poi", "店", point(100, 20)),
]
TWIN = [
    area("130103", "桥西区", box(200, 0, 400, 200)),
    area("130103001", "中山街道", box(200, 0, 400, 200)),
    area(ELSEWHERE, "东风社区", box(200, 0, 400, 200)),
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return open_district(tmp_path_factory.mktemp("places"), places=PLACES, areas=[*AREAS, *TWIN])


def codes(snapshot: Snapshot, typed: str, **told: Any) -> list[str]:
    return [answer.code for answer in suggest(snapshot, typed, **told)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("裕", ["r1", "r2", "b1", "h1"]),  # streets, the one with plates first; compounds; marks
        ("裕华路", ["r1", "n001", "n002", "n010", "n011", "n012", "n100"]),  # plates by number
        ("裕华路1", ["n001", "n010", "n011", "n012", "n100"]),
        ("裕华路12号", ["n012"]),
        ("槐安", ["r1"]),
        ("yu", ["r1", "r2", "b1", "h1"]),
        ("YuHua", ["r1", "r2", "b1", "h1"]),
        ("yhl", ["r1"]),
        ("yuhuax", ["r2", "b1"]),
        ("yuhua路", ["r1"]),
        ("裕h路", ["r1"]),
        ("裕hua小", ["b1"]),
        ("yuhualu10", ["n010", "n100"]),
        ("yhl12", ["n012"]),
        ("槐安路11", ["n011"]),  # the plates stand under the road's own name
        ("chongq", ["h2"]),
        ("玉华路", ["r1"]),  # nothing is written so: what sounds so
        ("长安区裕华路1", ["n001", "n010", "n011", "n012", "n100"]),
        ("长安区花园社区裕华小", ["b1"]),
        ("长安区yhyy", ["h1"]),
        ("kfc", ["e1"]),
        ("店", ["e2"]),
    ],
)
def test_what_comes_first(snapshot: Snapshot, typed: str, first: list[str]) -> None:
    assert codes(snapshot, typed)[: len(first)] == first


def test_an_area_before_a_name_leaves_out_what_lies_elsewhere(snapshot: Snapshot) -> None:
    assert set(codes(snapshot, "便民")) == {"k1", "k2"}
    assert codes(snapshot, "桥西区便民") == codes(snapshot, "桥西区bm") == ["k2"]
    assert codes(snapshot, "长安区便民") == ["k1"]
    assert codes(snapshot, "桥西区裕华") == []


def test_near_places_come_first(snapshot: Snapshot) -> None:
    for typed in ("便民", "bmcs", "便民超市"):
        assert codes(snapshot, typed, near=(X0 + 20, Y0 + 20)) == ["k1", "k2"]
        assert codes(snapshot, typed, near=(X0 + 180, Y0 + 20)) == ["k2", "k1"]


def test_only_what_holds_on_the_day_is_shown(snapshot: Snapshot) -> None:
    assert "k3" in codes(snapshot, "便民", as_of=date(2025, 6, 1))
    assert codes(snapshot, "裕华", as_of=date(2020, 1, 1)) == []


def test_the_score_is_the_share_typed(snapshot: Snapshot) -> None:
    answers = suggest(snapshot, "裕华")
    assert [(a.code, a.score) for a in answers[:2]] == [
        ("r1", pytest.approx(2 / 3, abs=1e-4)),
        ("r2", 0.5),
    ]
    assert suggest(snapshot, "裕华路")[0].score == 1.0


@pytest.mark.parametrize(
    "typed", ["", " ", "。", "z" * 300, "🙂", "%", "'; --", "没有", "12", "\x00", "qqq"]
)
def test_nothing_fits(snapshot: Snapshot, typed: str) -> None:
    assert suggest(snapshot, typed) == []


def test_as_many_as_asked_for_and_each_place_once(snapshot: Snapshot) -> None:
    assert len(suggest(snapshot, "裕华", limit=3)) == 3
    assert suggest(snapshot, "裕华", limit=0) == []
    everything = codes(snapshot, "裕华", limit=100)
    assert len(everything) == len(set(everything))


def test_a_city_without_places_and_with_one(tmp_path: Path) -> None:
    assert suggest(open_district(tmp_path / "none"), "裕") == []
    alone = open_district(tmp_path / "one", places=[place("a", "poi", "裕", point(1, 1))])
    assert codes(alone, "裕") == codes(alone, "y") == codes(alone, "yu") == ["a"]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.data())
def test_the_best_of_a_range_are_those_of_a_sorted_list(
    values: list[int], data: st.DataObject
) -> None:
    low = data.draw(st.integers(0, len(values)))
    high = data.draw(st.integers(low, len(values)))
    count = data.draw(st.integers(0, 50))
    tree = tree_of(np.array(values, dtype=np.uint16))
    found = probes.best_of_range(tree, low, high, count).tolist()
    ordered = sorted(
        (place for place in range(low, high) if values[place]), key=lambda p: -values[p]
    )
    assert [values[place] for place in found] == [values[place] for place in ordered[:count]]
    assert len(set(found)) == len(found)
    assert all(low <= place < high for place in found)


@given(st.sets(st.text("ab裕é🙂", max_size=5)), st.text("ab裕é🙂", max_size=5))
def test_texts_are_found_by_hash_and_by_prefix(known: set[str], asked: str) -> None:
    ordered = sorted(known)
    texts = Texts(text_arrays(ordered))
    assert texts.find(asked) == (ordered.index(asked) if asked in known else -1)
    low, high = texts.starting(asked)
    assert ordered[low:high] == [text for text in ordered if text.startswith(asked)]
    assert [texts[number] for number in range(len(texts))] == ordered


@given(st.sets(st.text("ab裕", min_size=1, max_size=4), min_size=1))
def test_how_many_names_go_on_from_one(known: set[str]) -> None:
    ordered = sorted(known)
    arrays = text_arrays(ordered)
    found = probes.continued(arrays["bytes"], arrays["offsets"], 1000).tolist()
    assert found == [sum(o != n and o.startswith(n) for o in ordered) for n in ordered]
    bounded = probes.continued(arrays["bytes"], arrays["offsets"], 2).tolist()
    assert bounded == [min(count, 2) for count in found]


def test_a_name_that_others_go_on_from_comes_before_one_of_its_length(tmp_path: Path) -> None:
    names = ["复旦中学", "复旦大学", "复旦大学食堂", "复旦大学图书馆", "复旦小学"]
    places = [place(f"p{n}", "poi", name, point(n, n)) for n, name in enumerate(names)]
    assert codes(open_district(tmp_path, places=places), "复旦")[0] == "p1"


names = st.lists(st.text("裕玉华花路街区", min_size=1, max_size=4), min_size=1, max_size=8)


@given(names, st.text("裕玉华花路街", min_size=1, max_size=3))
@settings(max_examples=15)
def test_all_that_begins_so_is_among_the_suggestions(named: list[str], typed: str) -> None:
    places = [place(f"p{n}", "poi", name, point(n, n)) for n, name in enumerate(named)]
    with tempfile.TemporaryDirectory() as folder:
        edition = open_district(Path(folder), places=places).edition()
        found = {item.key.row for item in complete(edition, typed, limit=50)}
    begun = {row for row, name in enumerate(named) if name.startswith(typed)}
    assert found >= begun
    if begun:
        assert found == begun
