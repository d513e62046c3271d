"""Division of ground as it is delivered at its worst: whatever comes, the invariants hold."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, Polygon, box

from gis.errors import DeliveryError
from gridding.cleaning import clean_communities
from gridding.division import Locks, divide
from gridding.exceptions import list_exceptions
from gridding.options import DivisionOptions
from gridding.quality import cut_buildings
from gridding.scene import KINDS, read_scene
from tests.gridding.grounds import (
    COMPOUND,
    CRS,
    GROUNDS,
    HALL,
    MAIN,
    TOWN,
    Ground,
    building_of_twelve_grids,
    lake_in_island_in_lake,
    placed,
    roads_beside_the_border,
    thrown,
    town,
)

STRONG = [KINDS.index(name) for name in ("railway", "main_road")]
"""What cuts even a building."""


def assert_sound(ground: Ground, grids: gpd.GeoDataFrame) -> None:
    areas = ground.communities
    shapes = grids.geometry.to_numpy()
    assert set(grids.geom_type) == {"Polygon"}
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    for code, land in areas.set_index("code").geometry.make_valid().items():
        own = shapely.union_all(shapes[(grids["community_code"] == code).to_numpy()])
        assert shapely.symmetric_difference(own, land).area <= 0.02 * land.length, code
    scene = read_scene(ground.features, options=DivisionOptions())
    strong = scene.lines.lines[np.isin(scene.lines.kind, STRONG)]
    crossed = shapely.STRtree(scene.buildings).query(strong, predicate="intersects")[1]
    assert set(cut_inside(grids, scene.buildings, areas)) <= set(crossed.tolist())
    found = list_exceptions(grids, communities=areas, scene=scene, options=DivisionOptions())
    assert (found["kind"] == "ring").sum() <= ground.rings
    assert ground.counts[0] <= len(grids) <= ground.counts[1]


def cut_inside(
    grids: gpd.GeoDataFrame,
    buildings: "np.ndarray[tuple[int], np.dtype[np.object_]]",
    areas: gpd.GeoDataFrame,
) -> list[int]:
    """Return the buildings cut though they lie in one community."""
    inside = [
        b for b in range(len(buildings)) if areas.geometry.buffer(0.02).covers(buildings[b]).any()
    ]
    return sorted(set(cut_buildings(grids, buildings)["building"].astype(int)) & set(inside))


def as_list(grids: gpd.GeoDataFrame) -> list[tuple[str, bytes]]:
    shapes = shapely.to_wkb(grids.geometry.to_numpy())
    return list(zip(grids["community_code"], shapes, strict=True))


@pytest.mark.parametrize("name", sorted(GROUNDS))
def test_whatever_the_ground_the_grids_are_sound_and_order_plays_no_part(name: str) -> None:
    ground = GROUNDS[name]()
    features, components = ground.features, ground.components
    grids = divide(ground.communities, features=features, components=components)
    assert_sound(ground, grids)
    turned = features.iloc[::-1]
    sound = turned.geometry[turned.geom_type == "LineString"]
    sound = sound[np.isfinite(sound.bounds).all(axis=1)]
    turned.loc[sound.index, "geometry"] = sound.reverse()
    again = divide(ground.communities.iloc[::-1], features=turned, components=components.iloc[::-1])
    assert as_list(again) == as_list(grids)


@pytest.mark.parametrize("seed", range(12))
def test_ground_drawn_at_random_is_divided_soundly(seed: int) -> None:
    ground = thrown(seed)
    grids = divide(ground.communities, features=ground.features, components=ground.components)
    assert_sound(ground, grids)


@pytest.mark.parametrize(
    ("feature_class", "attributes"),
    [
        (MAIN, {"tunnel": "yes"}),
        (MAIN, '{"layer": "-1"}'),
        ("430300", None),
        ("430300", {"layer": 2}),
        ("410000", {"level": -2}),
    ],
)
def test_what_passes_under_or_over_the_ground_changes_nothing(
    feature_class: str, attributes: object
) -> None:
    line = LineString([(-20, 30), (420, 170)])
    plain = divide(TOWN.communities, features=town())
    passed = divide(TOWN.communities, features=town((feature_class, line), attributes=attributes))
    assert as_list(passed) == as_list(plain)
    on_ground = divide(TOWN.communities, features=town((MAIN, line)))
    assert as_list(on_ground) != as_list(plain)


def test_a_flyover_on_the_map_as_a_deck_leaves_the_buildings_below_whole() -> None:
    deck = (MAIN, LineString([(-20, 26), (420, 26)]))
    features = town(deck, attributes={"bridge": "viaduct", "layer": 1})
    grids = divide(TOWN.communities, features=features)
    halls = features.geometry[features["feature_class"] == HALL].to_numpy()
    assert cut_inside(grids, halls, TOWN.communities) == []


def test_roads_beside_the_border_leave_no_strip() -> None:
    ground = roads_beside_the_border()
    grids = divide(ground.communities, features=ground.features)
    assert grids.geometry.area.min() > 5_000
    # Between the admin line and the road on it there are 10 cm: no grid is as thin as that anywhere.
    inner = grids.geometry.buffer(-1.0)
    assert (inner.geom_type == "Polygon").all()
    assert not inner.is_empty.any()


def test_a_lake_in_an_island_in_a_lake_keeps_its_shores() -> None:
    ground = lake_in_island_in_lake()
    grids = divide(ground.communities, features=ground.features)
    borders = shapely.union_all(grids.boundary.to_numpy())
    for lake in ground.features.geometry:
        shore = lake.exterior
        assert shapely.intersection(shore, borders.buffer(0.1)).length > 0.95 * shore.length


def test_a_building_of_twelve_grids_is_one_grid_and_listed_with_its_reason() -> None:
    ground = building_of_twelve_grids()
    grids = divide(ground.communities, features=ground.features)
    hall = ground.features.geometry.iloc[0]
    assert grids.geometry.buffer(0.02).contains(hall).sum() == 1
    options = DivisionOptions()
    scene = read_scene(ground.features, options=options)
    found = list_exceptions(grids, communities=ground.communities, scene=scene, options=options)
    large = found[found["kind"] == "large"]
    assert "indivisible" in set(large["cause"])


def test_an_annulus_is_cut_open() -> None:
    # A pitch of nine tenths of a grid with a band of land round it that would enclose it.
    pitch = box(50, 50, 140, 150)
    ground = Ground(lands=(box(0, 0, 190, 200),), rows=((COMPOUND, pitch),))
    grids = divide(ground.communities, features=ground.features)
    assert_sound(ground, grids)
    assert 3 <= len(grids) <= 5


def test_communities_that_overlap_or_gape_are_divided_and_the_cleaner_tells() -> None:
    lands = (
        box(0, 0, 200, 200),
        box(195, 0, 400, 200),  # 5 m of overlap
        box(400.4, 0, 600, 200),  # 40 cm of gap
        Polygon([(0, 200), (300, 200), (300, 399), (600, 200.001), (600, 400), (0, 400)]),
        box(100, 300, 120, 320),  # inside the fourth
    )
    ground = Ground(lands=lands)
    road = town((MAIN, LineString([(0, 300), (600, 300)])))
    plain = divide(ground.communities, features=road)
    assert shapely.coverage_is_valid(plain.geometry.to_numpy())
    assert set(plain.geom_type) == {"Polygon"}
    whole = shapely.union_all(ground.communities.geometry.to_numpy())
    assert plain.geometry.area.sum() == pytest.approx(whole.area, abs=20)
    cleaned, fixes = clean_communities(ground.communities)
    found = list(zip(fixes["kind"], fixes["code"].str[-1], fixes["other"].str[-1], strict=True))
    assert ("overlap", "1", "2") in found
    assert ("gap", "2", "3") in found
    assert ("overlap", "4", "5") in found
    assert "130102001005" not in set(cleaned["code"])
    grids = divide(cleaned, features=road)
    assert shapely.coverage_is_valid(grids.geometry.to_numpy())
    for code, land in cleaned.set_index("code").geometry.items():
        own = grids.geometry[grids["community_code"] == code]
        assert own.area.sum() == pytest.approx(land.area, abs=0.01 * land.length)


def test_degrees_are_refused_whatever_they_are_called() -> None:
    degrees = TOWN.communities.to_crs("EPSG:4490")
    with pytest.raises(DeliveryError, match="projected CRS"):
        divide(degrees, features=town().to_crs("EPSG:4490"))
    mislabelled = degrees.set_crs(CRS, allow_override=True)
    with pytest.raises(DeliveryError, match="look to be in degrees"):
        divide(mislabelled, features=town())
    features = town().to_crs("EPSG:4490").set_crs(CRS, allow_override=True)
    with pytest.raises(DeliveryError, match=r"Topography .* look to be in degrees"):
        divide(TOWN.communities, features=features)


@pytest.mark.parametrize("shape", [None, Polygon(), LineString([(0, 0), (9, 9)])])
def test_a_community_without_area_is_named(shape: shapely.Geometry | None) -> None:
    ground = Ground(lands=(box(0, 0, 100, 100), shape))
    with pytest.raises(DeliveryError, match="130102001002 has no area"):
        divide(ground.communities, features=town())


def test_no_communities_give_no_grids() -> None:
    grids = divide(TOWN.communities.iloc[:0], features=town())
    assert list(grids.columns) == ["community_code", "geometry"]
    assert len(grids) == 0


def test_locked_borders_become_borders_and_locked_grids_stay() -> None:
    border = placed([LineString([(0, 40), (120, 57), (205, 41)])])
    held = placed([Polygon([(230, 20), (330, 10), (345, 85), (255, 90)])])
    locks = Locks(borders=gpd.GeoDataFrame(geometry=border), grids=gpd.GeoDataFrame(geometry=held))
    # Without the slabs that both would cut.
    features = town()
    features = features[features["feature_class"] != HALL]
    grids = divide(TOWN.communities, features=features, locks=locks)
    assert shapely.coverage_is_valid(grids.geometry.to_numpy())
    lines = shapely.union_all(grids.boundary.to_numpy())
    assert border.iloc[0].difference(lines.buffer(0.03)).length < 0.1
    assert (grids.geometry.symmetric_difference(held.iloc[0]).area < 0.5).sum() == 1
    # Borders that end on one of its sides may bend that by less than a cell; its corners stay.
    kept = grids.geometry.iloc[int(grids.geometry.intersection(held.iloc[0]).area.argmax())]
    assert shapely.hausdorff_distance(kept.exterior, held.iloc[0].exterior, densify=0.1) < 0.01
    corners = set(map(tuple, held.iloc[0].exterior.coords))
    assert corners <= set(map(tuple, kept.exterior.coords))


def test_a_locked_border_stays_even_through_a_building_and_off_the_land() -> None:
    border = placed([LineString([(-100, 66), (500, 66)]), LineString([(900, 0), (950, 9)])])
    nothing = gpd.GeoDataFrame(geometry=gpd.GeoSeries([], crs=CRS))
    grids = divide(
        TOWN.communities,
        features=town(),
        locks=Locks(borders=gpd.GeoDataFrame(geometry=border), grids=nothing),
    )
    lines = shapely.union_all(grids.boundary.to_numpy())
    inside = placed([LineString([(0, 66), (400, 66)])]).iloc[0]
    assert inside.difference(lines.buffer(0.03)).length < 0.1


def test_a_locked_grid_across_two_communities_is_held_in_each() -> None:
    held = placed([box(150, 50, 260, 150)])
    nothing = gpd.GeoDataFrame(geometry=gpd.GeoSeries([], crs=CRS))
    locks = Locks(borders=nothing, grids=gpd.GeoDataFrame(geometry=held))
    features = town()
    grids = divide(
        TOWN.communities, features=features[features["feature_class"] != HALL], locks=locks
    )
    assert shapely.coverage_is_valid(grids.geometry.to_numpy())
    assert set(grids.geom_type) == {"Polygon"}
    areas = grids.geometry.area.round(1).tolist()
    assert {5500.0} <= set(areas)
    assert grids.geometry.area.sum() == pytest.approx(80_000, abs=1)


@pytest.mark.parametrize("end", [(60.0, 70.0), (150.0, 20.0), (120.0, 120.0)])
def test_a_locked_border_that_ends_in_the_open_is_led_on(end: tuple[float, float]) -> None:
    border = placed([LineString([(0, 40), end])])
    nothing = gpd.GeoDataFrame(geometry=gpd.GeoSeries([], crs=CRS))
    locks = Locks(borders=gpd.GeoDataFrame(geometry=border), grids=nothing)
    features = town()
    features = features[features["feature_class"] != HALL]
    grids = divide(TOWN.communities, features=features, locks=locks)
    assert shapely.coverage_is_valid(grids.geometry.to_numpy())
    lines = shapely.union_all(grids.boundary.to_numpy())
    assert border.iloc[0].difference(lines.buffer(0.03)).length < 0.1
