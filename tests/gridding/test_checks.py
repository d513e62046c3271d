"""Every rule of a unit grid layer, on layers with exactly that fault."""

from collections import Counter
from itertools import islice

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, box

from gis.errors import CrsError
from gridding.checks import RULES, CheckOptions, Surroundings, check_coverage, check_layer
from gridding.inspection.findings import IN_CHECK, SEVERITIES
from tests.gridding.lattice import (
    PLANTS,
    Town,
    border,
    make_town,
    moved,
    plant_gap,
    plant_overhang,
    plant_overlap,
    spots,
)

CRS = "EPSG:4547"
EAST, WEST = "130102001002", "130102001001"


@pytest.fixture
def communities() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"code": [WEST, EAST]}, geometry=[box(0, 0, 200, 100), box(200, 0, 300, 100)], crs=CRS
    )


def layer(*rows: tuple[str | None, shapely.Geometry]) -> gpd.GeoDataFrame:
    codes, shapes = zip(*rows, strict=True)
    return gpd.GeoDataFrame({"code": list(codes)}, geometry=list(shapes), crs=CRS)


GOOD = (
    (f"{WEST}001", box(0, 0, 100, 100)),
    (f"{WEST}002", box(100, 0, 200, 100)),
    (f"{EAST}001", box(200, 0, 300, 100)),
)


def found(grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame) -> list[tuple[str, int]]:
    faults = check_coverage(grids, communities)
    return list(zip(faults["rule"], faults["source_row"], strict=True))


def test_a_clean_layer_has_no_faults(communities: gpd.GeoDataFrame) -> None:
    assert found(layer(*GOOD), communities) == []


def test_codes(communities: gpd.GeoDataFrame) -> None:
    shapes = [shape for _, shape in GOOD]
    codes = [None, f"{WEST}2", f"{EAST}001"]
    assert ("UG01", 1) in found(layer(*zip(codes, shapes, strict=True)), communities)
    assert ("UG02", 2) in found(layer(*zip(codes, shapes, strict=True)), communities)
    twice = layer(*GOOD[:2], (f"{WEST}002", GOOD[2][1]))
    assert ("UG03", 3) in found(twice, communities)
    assert ("UG06", 3) in found(twice, communities)
    foreign = layer(*GOOD[:2], ("130102009001001", GOOD[2][1]))
    assert ("UG04", 3) in found(foreign, communities)


def test_parts_and_rings(communities: gpd.GeoDataFrame) -> None:
    ring = shapely.difference(box(0, 0, 200, 100), box(50, 25, 100, 75))
    rows = [(f"{WEST}001", ring), (f"{WEST}002", box(50, 25, 100, 75)), GOOD[2]]
    assert found(layer(*rows), communities) == [("UG11", 1)]
    parts = MultiPolygon([box(0, 0, 50, 100), box(150, 0, 200, 100)])
    rows = [(f"{WEST}001", parts), (f"{WEST}002", box(50, 0, 150, 100)), GOOD[2]]
    assert found(layer(*rows), communities) == [("UG05", 1)]


def test_overhang_overlap_and_gap_are_told_with_their_area(
    communities: gpd.GeoDataFrame,
) -> None:
    rows = [GOOD[0], (f"{WEST}002", box(100, 0, 210, 100)), GOOD[2]]
    faults = check_coverage(layer(*rows), communities)
    assert faults["rule"].tolist() == ["UG07", "UG08"]
    assert set(faults["severity"]) == {"error"}
    assert "1000.0 m² of grid 130102001001002 lie outside" in faults["reason_en"].iloc[0]
    assert "overlap by 1000.0 m²" in faults["reason_en"].iloc[1]
    rows = [GOOD[0], (f"{WEST}002", box(100, 0, 200, 90)), GOOD[2]]
    faults = check_coverage(layer(*rows), communities)
    assert "UG09" in faults["rule"].tolist()
    gap = faults.loc[faults["rule"] == "UG09", "reason_en"].iloc[0]
    assert gap.startswith("A gap of 1000.0 m² beside grid")


def test_vertices_that_do_not_meet(communities: gpd.GeoDataFrame) -> None:
    loose = shapely.Polygon([(100, 0), (200, 0), (200, 100), (100, 100), (100, 50)])
    rows = [GOOD[0], (f"{WEST}002", loose), GOOD[2]]
    assert found(layer(*rows), communities) == [("UG10", 1)]


def test_a_millimetre_is_rounding(communities: gpd.GeoDataFrame) -> None:
    rows = [GOOD[0], (f"{WEST}002", box(100, 0, 200.001, 100.001)), GOOD[2]]
    rules = {rule for rule, _ in found(layer(*rows), communities)}
    assert rules <= {"UG10"}


def test_another_crs_is_refused(communities: gpd.GeoDataFrame) -> None:
    with pytest.raises(CrsError, match="one CRS"):
        check_coverage(layer(*GOOD), communities.to_crs("EPSG:4546"))


def test_every_rule_speaks_both_languages() -> None:
    assert set(IN_CHECK) == set(RULES)
    assert set(IN_CHECK.values()) == set(SEVERITIES)
    for rule in RULES.values():
        assert rule.reason_en.endswith(".")
        assert rule.reason_zh.endswith("。")
        assert rule.fix_en
        assert rule.fix_zh


@pytest.fixture(scope="module")
def clean() -> Town:
    return make_town(2, 1)


def copy_of(town: Town) -> Town:
    return Town(
        grids=town.grids.copy(),
        communities=town.communities,
        features=town.features,
        components=town.components,
        width=town.width,
    )


def rules(town: Town, **more: object) -> Counter[str]:
    return Counter(check_layer(town.grids, around=town.surroundings(**more)).faults["rule"])


def test_a_clean_town_is_sound_and_its_figures_are_right(clean: Town) -> None:
    review = check_layer(clean.grids, around=clean.surroundings())
    assert review.verdict == "sound"
    assert review.faults.empty
    figures = review.figures
    land = clean.communities.geometry.area.sum()
    assert (figures.grids, figures.communities, figures.vertices) == (512, 2, 16.0)
    assert figures.area_km2 == pytest.approx(land / 1e6)
    assert (figures.share_within, figures.share_near) == (1.0, 1.0)
    assert (figures.buildings, figures.buildings_cut) == (512, 0)
    assert (figures.components, figures.components_mean, figures.components_cv) == (1536, 3.0, 0.0)
    assert (figures.gap_m2, figures.overlap_m2, figures.near_border_share) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("rule", PLANTS)
def test_a_planted_fault_is_found_where_it_is_and_nothing_else(clean: Town, rule: str) -> None:
    town = copy_of(clean)
    plant, others = PLANTS[rule]
    column, row = 6, 5
    plant(town, column, row)
    faults = check_layer(town.grids, around=town.surroundings()).faults
    assert Counter(faults["rule"]) == Counter([rule, *others])
    near = box(*shapely.buffer(clean.shape(column + 1, row), 2 * 100).bounds)
    found = faults.loc[(faults["rule"] == rule) & (rule != "UG17"), "geometry"]
    assert shapely.intersects(near, found.to_numpy()).all()


@settings(max_examples=12, deadline=None)
@given(chosen=st.lists(st.sampled_from(sorted(set(PLANTS) - {"UG01", "UG02", "UG03", "UG04"}))))
def test_planted_faults_are_counted_whatever_else_there_is(clean: Town, chosen: list[str]) -> None:
    town = copy_of(clean)
    expected: Counter[str] = Counter()
    for rule, place in zip(chosen, islice(spots(town), len(chosen)), strict=False):
        plant, others = PLANTS[rule]
        plant(town, *place)
        expected.update([rule, *others])
    assert rules(town) == expected


def test_the_order_of_the_rows_plays_no_part(clean: Town) -> None:
    town = copy_of(clean)
    for rule, place in zip(PLANTS, spots(town), strict=False):
        PLANTS[rule][0](town, *place)
    straight = check_layer(town.grids, around=town.surroundings())
    turned = check_layer(town.grids.iloc[::-1], around=town.surroundings())
    assert Counter(straight.faults["rule"]) == Counter(turned.faults["rule"])
    assert straight.figures.gap_m2 == pytest.approx(turned.figures.gap_m2)


def test_the_place_of_a_gap_and_of_an_overlap_is_their_polygon(clean: Town) -> None:
    for plant, rule in ((plant_gap, "UG09"), (plant_overlap, "UG08")):
        town = copy_of(clean)
        before = town.shape(6, 5)
        plant(town, 6, 5)
        faults = check_layer(town.grids, around=town.surroundings()).faults
        fault = faults[faults["rule"] == rule].iloc[0]
        changed = shapely.symmetric_difference(before, town.shape(6, 5))
        assert fault.geometry.area == pytest.approx(changed.area, rel=1e-3)
        assert f"{fault.geometry.area:.1f} m²" in fault["reason_en"]
        assert f"{fault.geometry.area:.1f} 平方米" in fault["reason_zh"]


def test_a_border_across_communities_is_told_at_the_grid_that_reaches_out(clean: Town) -> None:
    town = copy_of(clean)
    plant_overhang(town, 15, 5)
    faults = check_layer(town.grids, around=town.surroundings()).faults
    assert faults["rule"].tolist() == ["UG07"]
    assert faults["code"].tolist() == [town.grids["code"].iloc[town.at(15, 5)]]


def test_retired_codes_are_not_borne_again_and_leave_gaps_in_peace(clean: Town) -> None:
    code = clean.grids["code"].iloc[clean.at(6, 5)]
    assert rules(clean, retired=frozenset({code})) == Counter({"UG27": 1})
    town = copy_of(clean)
    place = town.at(6, 5)
    town.put(5, 5, shapely.coverage_union_all([town.shape(5, 5), town.shape(6, 5)]))
    town.grids = town.grids.drop(index=town.grids.index[place])
    assert rules(town) == Counter({"UG22": 1, "UG26": 1})
    assert rules(town, retired=frozenset({code})) == Counter({"UG22": 1})


def test_a_layer_without_codes_or_communities_is_checked_all_the_same(clean: Town) -> None:
    town = copy_of(clean)
    plant_gap(town, 6, 5)
    plant_overlap(town, 10, 9)
    town.grids = town.grids.drop(columns="code")
    faults = check_layer(town.grids, around=town.surroundings()).faults
    assert Counter(faults["rule"]) == Counter({"UG29": 1, "UG09": 1, "UG08": 1})
    assert check_layer(town.grids).faults["rule"].tolist() == ["UG08", "UG09", "UG29"]


def test_a_layer_off_the_precision_grid_is_told_once(clean: Town) -> None:
    town = copy_of(clean)
    town.grids = town.grids.set_geometry(town.grids.geometry.translate(0.003, 0.003))
    around = Surroundings()
    review = check_layer(town.grids, around=around)
    assert review.faults["rule"].tolist() == ["UG30"]
    assert review.figures.loose_share == 1.0
    assert check_layer(town.grids, options=CheckOptions(precision_m=0.001)).faults.empty


def test_a_building_cut_by_the_community_border_is_a_note(clean: Town) -> None:
    town = copy_of(clean)
    PLANTS["UG16"][0](town, 15, 5)
    assert rules(town) == Counter({"UG32": 1})


def test_a_component_drawn_as_an_area_is_not_cut(clean: Town) -> None:
    town = copy_of(clean)
    line = border(town.shape(6, 5), town.shape(7, 5))
    rows = gpd.GeoDataFrame({"code": ["shelter"]}, geometry=[Point(line[2]).buffer(2)], crs=CRS)
    faults = check_layer(town.grids, around=Surroundings(components=rows)).faults
    assert faults["rule"].tolist() == ["UG33"]
    assert faults["reason_en"].iloc[0].startswith("Component shelter, drawn as an area, is cut")


def test_large_water_is_no_fault(clean: Town) -> None:
    town = copy_of(clean)
    pair = shapely.coverage_union_all([town.shape(5, 5), town.shape(6, 5)])
    town.put(5, 5, pair)
    town.grids = town.grids.drop(index=town.grids.index[town.at(6, 5)])
    lake = gpd.GeoDataFrame(
        {"code": ["lake"], "feature_class": ["230101"]}, geometry=[pair], crs=CRS
    )
    around = Surroundings(communities=town.communities)
    assert "UG22" in set(check_layer(town.grids, around=around).faults["rule"])
    around = Surroundings(communities=town.communities, features=lake)
    review = check_layer(town.grids, around=around)
    assert "UG22" not in set(review.faults["rule"])
    # It counts neither for nor against the window of area; all others are of a hectare.
    assert review.figures.share_within == 1.0
    alone = gpd.GeoDataFrame(town.grids.iloc[[town.at(5, 5)]].reset_index(drop=True))
    assert check_layer(alone, around=around).figures.share_within is None


def test_a_vertex_that_is_a_few_millimetres_off_is_told(clean: Town) -> None:
    town = copy_of(clean)
    here, there = town.shape(6, 5), town.shape(7, 5)
    vertex = border(here, there)[2:3]
    town.put(6, 5, moved(here, vertex, vertex - np.array([0.01, 0.0])))
    assert rules(town) == Counter({"UG10": 1})


def test_nothing_at_all_is_no_error(clean: Town) -> None:
    review = check_layer(clean.grids.iloc[:0], around=clean.surroundings())
    assert review.figures.grids == 0
    assert review.faults.empty


def test_divided_grids_have_no_file_and_are_named_by_their_position(clean: Town) -> None:
    town = copy_of(clean)
    PLANTS["UG01"][0](town, 6, 5)
    live = town.grids.assign(source_file=None, source_row=np.nan)
    faults = check_layer(live, around=Surroundings(communities=town.communities)).faults
    assert faults.loc[faults["rule"] == "UG01", "source_row"].tolist() == [town.at(6, 5) + 1]


def test_degrees_are_refused(clean: Town) -> None:
    with pytest.raises(CrsError, match="degrees"):
        check_layer(clean.grids.to_crs("EPSG:4490"))
