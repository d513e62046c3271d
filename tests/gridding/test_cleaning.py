"""Communities as they are delivered: overlapping, gapped, with slivers; every fix is told."""

import geopandas as gpd
import pytest
import shapely
from shapely import Polygon, box

from gridding.cleaning import clean_communities

CRS = "EPSG:4547"


def frame(**shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"code": list(shapes)}, geometry=list(shapes.values()), crs=CRS)


def test_an_overlap_goes_to_the_lower_code_and_is_told() -> None:
    cleaned, fixes = clean_communities(frame(b=box(90, 0, 200, 100), a=box(0, 0, 100, 100)))
    assert cleaned["code"].tolist() == ["a", "b"]
    assert cleaned.area.tolist() == [10_000.0, 10_000.0]
    assert fixes[["kind", "code", "other", "area_m2"]].to_numpy().tolist() == [
        ["overlap", "a", "b", 1000.0]
    ]
    assert fixes.geometry[0].equals(box(90, 0, 100, 100))
    assert fixes["reason_en"][0] == "Communities a and b overlapped by 1000.0 m², which went to a."


def test_a_sliver_ten_centimetres_wide_is_closed() -> None:
    west = box(0, 0, 100, 100)
    east = Polygon([(100, 0), (200, 0), (200, 100), (100, 100), (100.1, 50)])
    cleaned, fixes = clean_communities(frame(a=west, b=east))
    assert shapely.coverage_is_valid(cleaned.geometry.to_numpy())
    assert cleaned.area.sum() == pytest.approx(20_000)
    assert fixes["kind"].tolist() == ["gap"]
    assert fixes["area_m2"][0] == pytest.approx(5.0)


def test_a_wide_gap_stays() -> None:
    cleaned, fixes = clean_communities(frame(a=box(0, 0, 100, 100), b=box(105, 0, 200, 100)))
    assert cleaned.area.tolist() == [10_000.0, 9_500.0]
    assert len(fixes) == 0
    assert fixes.crs == CRS


def test_a_community_under_another_does_not_appear_but_is_told() -> None:
    cleaned, fixes = clean_communities(frame(a=box(0, 0, 100, 100), b=box(10, 10, 50, 50)))
    assert cleaned["code"].tolist() == ["a"]
    assert fixes["area_m2"].tolist() == [1600.0]


def test_clean_communities_stay_as_they_are() -> None:
    land = frame(a=box(0, 0, 100, 100), b=box(100, 0, 200, 100), c=box(0, 100, 200, 200))
    cleaned, fixes = clean_communities(land)
    assert cleaned.geometry.geom_equals(land.geometry).all()
    assert len(fixes) == 0


def test_a_gap_goes_to_the_community_that_is_still_to_be_divided() -> None:
    ground = frame(a=box(0, 0, 100, 100), b=box(100.5, 0, 200, 100))
    for takers, taker in ((None, "a"), (["b"], "b"), (["c"], "a")):
        _, fixes = clean_communities(ground, takers=takers)
        assert fixes["code"].tolist() == [taker], takers
