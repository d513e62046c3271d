"""Figures of a division, on layers whose figures are known."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, Point, box

from gridding.options import DivisionOptions
from gridding.quality import measure

CRS = "EPSG:4547"


def layer(*shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=list(shapes), crs=CRS)


def topography(*rows: tuple[str, shapely.Geometry]) -> gpd.GeoDataFrame:
    classes = np.array([feature_class for feature_class, _ in rows], dtype=object)
    return gpd.GeoDataFrame(
        {"feature_class": classes}, geometry=[shape for _, shape in rows], crs=CRS
    )


PAIR = layer(box(0, 0, 100, 100), box(100, 0, 200, 100))


def test_a_border_on_a_street_and_borders_in_the_open() -> None:
    street = ("430503", LineString([(100, 0), (100, 100)]))
    figures = measure(PAIR, features=topography(street))
    # 100 m of the 700 m of borders lie on the street, and four pieces of 5 m begin at its ends.
    assert figures.border_on_features == pytest.approx(120 / 700)
    assert figures.border_open == pytest.approx(580 / 700)
    assert figures.border_clear == 1.0


def test_borders_close_to_a_building_are_not_clear() -> None:
    house = ("310300", box(101, 20, 120, 70))
    touching = ("310300", box(100.2, 20, 120, 70))
    assert measure(PAIR, features=topography(house)).border_clear == 1.0
    # 50 m beside the wall, and what reaches round its corners within a metre.
    figures = measure(PAIR, features=topography(touching))
    assert figures.border_clear == pytest.approx(1 - 50 / 700, abs=0.01)


def test_two_carriageways_are_served_by_one_border() -> None:
    along, beside = LineString([(100, 0), (100, 100)]), LineString([(120, 0), (120, 100)])
    across = LineString([(100, 50), (200, 50)])
    one = measure(PAIR, features=topography(("430501", along), ("430501", beside)))
    assert one.main_roads_on_borders == 1.0
    lonely = measure(PAIR, features=topography(("430501", beside)))
    # But for the pieces at either end, which are near the outer border.
    assert lonely.main_roads_on_borders == pytest.approx(0.1)
    crossing = measure(PAIR, features=topography(("430501", along), ("430501", across)))
    # Of the crossing road 7 m at either end lie near a border.
    assert crossing.main_roads_on_borders == pytest.approx(114 / 200, abs=0.03)


def test_a_community_border_stands_for_a_main_road_beside_it_alone() -> None:
    area = gpd.GeoDataFrame({"code": ["1"]}, geometry=[box(0, 0, 200, 100)], crs=CRS)
    beside, inside = LineString([(0, 91), (200, 91)]), LineString([(0, 85), (200, 85)])
    across = LineString([(150, 0), (150, 100)])

    def served(road: LineString) -> tuple[float, float]:
        figures = measure(PAIR, features=topography(("430501", road)), communities=area)
        return figures.main_roads_on_borders, figures.main_roads_served

    # At either end and where they pass the border between the two, a few metres are near one.
    assert served(beside) == (pytest.approx(0.15, abs=0.06), 1.0)
    assert served(inside) == (pytest.approx(0.15, abs=0.06), pytest.approx(0.15, abs=0.06))
    # A road that meets the border runs not along it: 2 x 10 m count at most.
    all_borders, with_strips = served(across)
    assert with_strips == pytest.approx(all_borders, abs=0.1)


def test_components_on_community_borders_are_told_apart() -> None:
    area = gpd.GeoDataFrame({"code": ["1"]}, geometry=[box(0, 0, 200, 100)], crs=CRS)
    components = layer(Point(100.3, 50), Point(50, 0.2), Point(40, 50), Point(30, 50))
    figures = measure(PAIR, features=topography(), components=components, communities=area)
    assert (figures.components_on_borders, figures.components_on_own_borders) == (0.5, 0.25)


def test_components_near_borders_and_per_grid() -> None:
    components = layer(Point(100.3, 50), Point(50, 50), Point(40, 50), Point(30, 50), Point(900, 0))
    figures = measure(PAIR, features=topography(), components=components)
    assert figures.components_on_borders == 0.25
    # Three and one: standard deviation 1, mean 2.
    assert figures.component_variation == 0.5


def test_gaps_and_overlaps() -> None:
    area = gpd.GeoDataFrame({"code": ["1"]}, geometry=[box(0, 0, 200, 100)], crs=CRS)
    whole = measure(PAIR, features=topography(), communities=area)
    assert (whole.gaps_m2, whole.overlaps_m2) == (0.0, 0.0)
    apart = layer(box(0, 0, 90, 100), box(110, 0, 200, 100))
    assert measure(apart, features=topography(), communities=area).gaps_m2 == 2_000.0
    twice = layer(box(0, 0, 110, 100), box(100, 0, 200, 100))
    assert measure(twice, features=topography(), communities=area).overlaps_m2 == 1_000.0


def test_grids_on_land_of_another_target_are_held_to_that() -> None:
    lake = ("230000", box(0, 0, 400, 200))
    grids = layer(box(0, 0, 400, 200), box(400, 0, 500, 100))
    figures = measure(grids, features=topography(lake), options=DivisionOptions(water_factor=8.0))
    assert (figures.grids, figures.built_up, figures.share_within) == (2, 1, 1.0)


def test_ways_to_walk_and_the_longest_walk() -> None:
    street = ("430503", LineString([(100, 0), (100, 100)]))
    lane = ("430600", LineString([(10, 50), (60, 50)]))
    figures = measure(PAIR, features=topography(street, lane))
    # Half the street each, and the lane in the first: 100 m and 50 m.
    assert figures.patrol_m == pytest.approx(75, abs=1)
    assert figures.longest_walk_m == pytest.approx(np.hypot(100, 100))
