import geopandas as gpd
import pandas as pd
import pytest

from pipelines.place_names.alike import compare
from pipelines.place_names.names import transform
from tests.pipelines.town import CRS, at, context, frame, rules_of

ROAD, ESTATE = "23", "22100"


def places(*names, area="130102001001", kind=ROAD):
    """One place per name, 10 m apart; a name may be (name, aliases)."""
    rows = [name if isinstance(name, tuple) else (name, []) for name in names]
    return gpd.GeoDataFrame(
        {
            "code": [f"D{n}" for n in range(len(rows))],
            "name": [name for name, _ in rows],
            "category_code": kind,
            "area_code": area,
            "aliases": [list(aliases) for _, aliases in rows],
            "former_names": [[] for _ in rows],
        },
        geometry=[at(10 * n, 0) for n in range(len(rows))],
        crs=CRS,
    )


def rules(*names, **more):
    _, pairs = compare(places(*names, **more), province="13")
    return [(pair.other, pair.row, pair.rule) for pair in pairs]


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [
        ("裕华路", "裕华路", "PN10"),
        ("裕华路", "育华路", "PN11"),
        ("重庆路", "崇庆路", "PN11"),
        ("丽水路", "李水路", "PN11"),  # tones do not part names
        ("金山巷", "金桑巷", "PN12"),
        ("林海路", "宁海路", "PN12"),
        ("未央路", "末央路", "PN13"),
        ("建设路", "建设街", "PN13"),
        ("世纪新城路", "世家新城路", "PN13"),
    ],
)
def test_pairs_are_told_by_the_gravest_rule(one, other, rule):
    assert rules(one, other) == [(0, 1, rule)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("建设北大街", "建设南大街"),
        ("大川淀一巷", "大川淀二巷"),
        ("和平路", "和谐路"),
        ("翠屏路", "翠屏东路"),
        ("张各庄", "李各庄"),
    ],
)
def test_names_told_apart_on_purpose_are_not_alike(one, other):
    assert rules(one, other) == []


def test_a_name_that_is_another_places_alias_is_told():
    assert rules(("裕华路", ["状元街"]), "状元街") == [(0, 1, "PN14")]


def test_only_places_of_one_kind_in_one_district_are_compared():
    roads, estates = places("裕华路"), places("裕华路", kind=ESTATE)
    elsewhere = places("裕华路", area="130104001001")
    both = pd.concat([roads, estates, elsewhere], ignore_index=True)
    assert compare(gpd.GeoDataFrame(both), province="13")[1] == []


def test_a_thousand_places_of_one_name_are_told_once_each():
    names = ["新村"] * 1000
    _, pairs = compare(places(*names, kind=ESTATE), province="13")
    assert len(pairs) == 999
    assert {pair.row for pair in pairs} == set(range(1, 1000))


def test_the_report_names_both_places_and_their_distance(tmp_path):
    rows = [
        {"code": "D1", "name": "裕华路", "category_code": ROAD, "geometry": at(10, 50)},
        {"code": "D2", "name": "育华路", "category_code": ROAD, "geometry": at(110, 50)},
    ]
    outcome = transform(frame(rows), context(tmp_path))
    assert rules_of(outcome.faults) == [(2, "PN11")]
    assert outcome.faults["reason_en"].tolist() == [
        "育华路 sounds like 裕华路 (D1), 100 m away in the same district: yu hua lu."
    ]
    assert "相距 100 米" in outcome.faults["reason_zh"][0]


def test_live_places_that_stay_are_compared_too(tmp_path):
    label = {"code": "L1", "name": "裕华路", "category_code": ROAD, "geometry": at(10, 50)}
    live = transform(frame([label]), context(tmp_path)).accepted.assign(source="labels")
    row = {"code": "D2", "name": "裕华路", "category_code": ROAD, "geometry": at(60, 50)}
    outcome = transform(frame([row]), context(tmp_path, place_names=live.reset_index(drop=True)))
    assert rules_of(outcome.faults) == [(1, "PN10")]
