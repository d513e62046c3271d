"""Division into unit grids, on small towns whose answer is known."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, MultiPolygon, box

from gis.errors import DeliveryError, SettingsError
from gridding.division import divide
from gridding.options import DivisionOptions
from gridding.quality import cut_buildings, measure

CRS = "EPSG:4547"


def communities(*shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    codes = [f"130102001{number:03d}" for number in range(1, len(shapes) + 1)]
    return gpd.GeoDataFrame({"code": codes}, geometry=list(shapes), crs=CRS)


def topography(*rows: tuple[str, shapely.Geometry]) -> gpd.GeoDataFrame:
    classes = [feature_class for feature_class, _ in rows]
    return gpd.GeoDataFrame(
        {"feature_class": np.array(classes, dtype=object)},
        geometry=[shape for _, shape in rows],
        crs=CRS,
    )


def assert_covers(grids: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> None:
    shapes = grids.geometry.to_numpy()
    assert set(grids.geom_type) == {"Polygon"}
    assert shapely.coverage_is_valid(shapes)
    for code, land in areas.set_index("code")["geometry"].items():
        own = grids.loc[grids["community_code"] == code].geometry
        assert own.area.sum() == pytest.approx(land.area, abs=0.02 * land.length)
        assert shapely.symmetric_difference(shapely.union_all(own.to_numpy()), land).area <= (
            0.02 * land.length
        )


def as_set(grids: gpd.GeoDataFrame) -> set[tuple[str, bytes]]:
    shapes = shapely.to_wkb(shapely.normalize(grids.geometry.to_numpy()))
    return set(zip(grids["community_code"], shapes, strict=True))


def test_a_checkerboard_of_streets_gives_its_blocks() -> None:
    # 3 x 2 blocks of exactly one hectare between streets 100 m apart.
    area = communities(box(0, 0, 300, 200))
    streets = topography(
        ("430503", LineString([(100, -20), (100, 220)])),
        ("430503", LineString([(200, -20), (200, 220)])),
        ("430503", LineString([(-20, 100), (320, 100)])),
    )
    grids = divide(area, features=streets)
    wanted = {box(x, y, x + 100, y + 100) for x in (0, 100, 200) for y in (0, 100)}
    assert {shapely.normalize(shape) for shape in grids.geometry} == {
        shapely.normalize(shape) for shape in wanted
    }


def test_a_community_without_roads_is_cut_into_even_grids() -> None:
    area = communities(box(0, 0, 300, 200))
    grids = divide(area, features=topography())
    assert_covers(grids, area)
    assert len(grids) == 6
    assert grids.geometry.area.between(8_000, 12_000).all()


def test_small_blocks_are_merged_and_large_ones_cut() -> None:
    lanes = [("430600", LineString([(x, 0), (x, 100)])) for x in range(25, 200, 25)]
    streets = topography(*lanes, ("430501", LineString([(0, 100), (200, 100)])))
    area = communities(box(0, 0, 200, 400))
    grids = divide(area, features=streets)
    assert_covers(grids, area)
    assert len(grids) == 8
    assert grids.geometry.area.between(5_000, 15_000).all()
    # The main road is a border all along.
    main = LineString([(0, 100), (200, 100)])
    assert shapely.intersection(main, shapely.union_all(grids.boundary.to_numpy())).length == (
        pytest.approx(200)
    )


def test_buildings_are_not_cut_where_a_gap_can_be_found() -> None:
    # Four slabs across the middle: the even cut through y = 100 would cut all of them.
    slabs = [("310300", box(x, 85, x + 30, 120)) for x in (10, 60, 110, 160)]
    area = communities(box(0, 0, 200, 200))
    grids = divide(area, features=topography(*slabs))
    assert_covers(grids, area)
    # The slabs leave no way for four squares, but for four grids near the target.
    assert len(grids) == 4
    assert grids.area.between(7_000, 13_000).all()
    assert cut_buildings(grids, np.array([shape for _, shape in slabs])).empty


def test_a_cut_steps_round_a_building_no_straight_line_avoids() -> None:
    # Staggered rows: every straight line that halves the land meets a building.
    rows = [
        ("310300", box(x + shift, y, x + shift + 26, y + 14))
        for k, y in enumerate(range(4, 196, 20))
        for shift in [17 * (k % 2)]
        for x in range(4, 156, 34)
    ]
    area = communities(box(0, 0, 200, 200))
    grids = divide(area, features=topography(*rows))
    assert_covers(grids, area)
    assert cut_buildings(grids, np.array([shape for _, shape in rows])).empty
    assert len(grids) == 4


def test_open_land_round_a_large_building_is_cut_off() -> None:
    # 9 900 m²: with the land half-way to the next cells of open ground it would be a grid of 1.6 targets.
    area = communities(box(0, 0, 260, 200))
    grids = divide(area, features=topography(("310300", box(60, 50, 170, 140))))
    assert_covers(grids, area)
    assert grids.area.between(5_000, 15_000).all()


def test_a_huge_building_stays_whole() -> None:
    hall = box(20, 20, 230, 180)  # 33 600 m²
    area = communities(box(0, 0, 400, 200))
    grids = divide(area, features=topography(("310300", hall)))
    assert_covers(grids, area)
    holder = grids[grids.geometry.buffer(0.02).contains(hall)]
    assert len(holder) == 1


def test_compounds_are_kept_whole_and_large_ones_are_blocks() -> None:
    small = [("310600", box(x, 5, x + 90, 95)) for x in (5, 105, 205, 305)]
    area = communities(box(0, 0, 400, 100))
    grids = divide(area, features=topography(*small))
    assert_covers(grids, area)
    assert cut_buildings(grids, np.array([shape for _, shape in small])).empty
    assert len(grids) == 4


def test_islands_are_divided_on_their_own() -> None:
    island = MultiPolygon([box(0, 0, 200, 100), box(500, 0, 520, 20)])
    area = communities(island)
    grids = divide(area, features=topography())
    assert_covers(grids, area)
    assert sorted(grids.geometry.area) == pytest.approx([400, 10_000, 10_000], abs=500)


def test_a_tiny_community_is_one_grid() -> None:
    area = communities(box(0, 0, 30, 30), box(30, 0, 230, 100))
    grids = divide(area, features=topography(("430503", LineString([(10, -5), (10, 50)]))))
    assert_covers(grids, area)
    assert (grids["community_code"] == "130102001001").sum() == 1


def test_a_lake_is_one_large_grid() -> None:
    lake = box(100, 100, 300, 300)  # 40 000 m²
    area = communities(box(0, 0, 400, 400))
    grids = divide(area, features=topography(("230000", lake)))
    assert_covers(grids, area)
    assert any(shape.equals(lake) for shape in grids.geometry)


def test_no_grid_crosses_a_community_though_a_road_does() -> None:
    area = communities(box(0, 0, 100.004, 200), box(100.004, 0, 260, 200))
    road = ("430501", LineString([(-10, 90), (270, 120)]))
    grids = divide(area, features=topography(road))
    assert_covers(grids, area)


def test_the_order_of_the_input_plays_no_part() -> None:
    rng = np.random.default_rng(7)
    houses = [
        ("310300", box(x, y, x + 12, y + 9)) for x, y in rng.uniform(0, 580, size=(150, 2)).round(3)
    ]
    roads = [("430503", LineString(rng.uniform(-50, 650, size=(2, 2)).round(3))) for _ in range(12)]
    features = topography(*houses, *roads)
    areas = communities(box(0, 0, 300, 600), box(300, 0, 600, 600))
    first = divide(areas, features=features)
    shuffled = features.sample(frac=1, random_state=3)
    reversed_lines = shuffled.set_geometry(shapely.reverse(shuffled.geometry.to_numpy()), crs=CRS)
    again = divide(areas.iloc[::-1], features=reversed_lines)
    assert_covers(first, areas)
    assert as_set(first) == as_set(again)
    assert first["community_code"].tolist() == again["community_code"].tolist()


def test_figures_of_a_division() -> None:
    grids = gpd.GeoDataFrame(geometry=[box(0, 0, 100, 100), box(100, 0, 300, 100)], crs=CRS)
    figures = measure(grids, features=topography(("310300", box(90, 10, 110, 20))))
    assert (figures.grids, figures.share_within, figures.share_near) == (2, 0.5, 0.5)
    assert (figures.buildings, figures.buildings_cut, figures.area_km2) == (1, 1, 0.03)


def test_wrong_input_is_refused_in_one_sentence() -> None:
    area = communities(box(0, 0, 100, 100))
    with pytest.raises(DeliveryError, match="projected CRS"):
        divide(area.to_crs("EPSG:4490"), features=topography().to_crs("EPSG:4490"))
    with pytest.raises(DeliveryError, match="projected CRS"):
        divide(area, features=topography().to_crs("EPSG:4546"))
    with pytest.raises(DeliveryError, match="comes 2 times"):
        divide(area.iloc[[0, 0]], features=topography())
    with pytest.raises(DeliveryError, match="has no area"):
        divide(communities(shapely.Polygon()), features=topography())
    with pytest.raises(SettingsError, match="at least 100"):
        DivisionOptions(target_m2=5)
