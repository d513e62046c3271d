"""Every rule of a unit grid layer, on layers with exactly that fault."""

import geopandas as gpd
import pytest
import shapely
from shapely import MultiPolygon, box

from gis.errors import CrsError
from gridding.checks import RULES, check_coverage

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
    for rule in RULES.values():
        assert rule.reason_en.endswith(".")
        assert rule.reason_zh.endswith("。")
        assert rule.fix_en
        assert rule.fix_zh
