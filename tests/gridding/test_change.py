"""Grids after a change of the topography: what is touched, what moves, and that all else stays."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, Polygon, box

from gridding.appraisal import appraise
from gridding.change import Ground, UpdateRules, update
from gridding.changes import changed_features, touched_grids
from gridding.options import DivisionOptions
from gridding.patching import fit_land, insert_vertices, is_sound, shared_borders, tie
from gridding.reform import carry
from gridding.repair import cut_along, round_buildings
from gridding.scene import read_scene

CRS = "EPSG:4547"
EAST, NORTH = 500_000.0, 4_210_000.0
WEST_SIDE, EAST_SIDE = "130102001001", "130102001002"


def at(west: float, south: float, east: float, north: float) -> Polygon:
    return box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def line(*points: tuple[float, float]) -> LineString:
    return LineString([(EAST + x, NORTH + y) for x, y in points])


def town(columns: int = 4, rows: int = 3) -> gpd.GeoDataFrame:
    """Hectares: the two western columns are one community, the others the second."""
    cells = [(x, y) for x in range(columns) for y in range(rows)]
    communities = [WEST_SIDE if x < 2 else EAST_SIDE for x, _ in cells]
    numbers = {WEST_SIDE: 0, EAST_SIDE: 0}
    codes = []
    for community in communities:
        numbers[community] += 1
        codes.append(f"{community}{numbers[community]:03d}")
    return gpd.GeoDataFrame(
        {"code": codes, "community_code": communities},
        geometry=[at(100 * x, 100 * y, 100 * x + 100, 100 * y + 100) for x, y in cells],
        crs=CRS,
    )


def topography(*rows: tuple[str, shapely.Geometry]) -> gpd.GeoDataFrame:
    classes, shapes = zip(*rows, strict=True) if rows else ((), ())
    return gpd.GeoDataFrame({"feature_class": list(classes)}, geometry=list(shapes), crs=CRS)


STREETS = [("430503", line((100 * x, -10), (100 * x, 310))) for x in range(5)]


def changed(*more: tuple[str, shapely.Geometry]) -> tuple[Ground, gpd.GeoDataFrame]:
    before, after = topography(*STREETS), topography(*STREETS, *more)
    return Ground(features=after), changed_features(before, after)


def assert_stable(
    old: gpd.GeoDataFrame,
    result: gpd.GeoDataFrame,
    touched: tuple[str, ...],
    *,
    area_m2: float = 1e-3,
) -> None:
    shapes = result.geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    assert shapely.area(shapes).sum() == pytest.approx(old.geometry.area.sum(), abs=area_m2)
    stay = old[~old["code"].isin(touched)].set_index("code").geometry
    now = result.dropna(subset="code").set_index("code").geometry
    assert set(stay.index) <= set(now.index)
    differ = shapely.area(shapely.symmetric_difference(stay, now[stay.index]))
    # Half a centimetre beside a border is rounding.
    assert (differ <= 0.005 * shapely.length(stay)).all()


def test_what_is_delivered_again_under_another_code_or_a_metre_off_has_not_changed() -> None:
    old = topography(*STREETS, ("310300", at(10, 10, 20, 20)))
    assert changed_features(old, old.sample(frac=1, random_state=1)).empty
    nudged = old.set_geometry(
        shapely.transform(old.geometry.to_numpy(), lambda xy: xy + np.array([0.3, 0.4]))
    )
    assert changed_features(old, nudged.set_crs(CRS)).empty


def test_added_removed_and_moved_are_told_by_their_course() -> None:
    old = topography(("430503", line((0, 0), (100, 0))), ("430600", line((0, 50), (100, 50))))
    new = topography(("430503", line((0, 0), (60, 0), (100, 40))), ("720000", line((0, 9), (9, 9))))
    found = changed_features(old, new)
    table = {
        (change, code): round(geometry.length, 1)
        for change, code, geometry in zip(
            found["change"], found["feature_class"], found.geometry, strict=True
        )
    }
    # The bend leaves the old street within a metre for √2 m of its 56.6 m; the old one likewise.
    assert table == {
        ("added", "430503"): pytest.approx(56.6 - 1.4, abs=0.5),
        ("removed", "430503"): pytest.approx(40 - 1.4, abs=0.5),
        ("removed", "430600"): 100.0,
    }


def test_five_metres_of_line_touch_a_grid_and_along_a_border_both() -> None:
    grids = np.array([at(0, 0, 100, 100), at(100, 0, 200, 100)])
    assert touched_grids(grids, np.array([line((50, 50), (103, 50))])).tolist() == [True, False]
    assert touched_grids(grids, np.array([line((100, 10), (100, 90))])).tolist() == [True, True]
    assert touched_grids(grids, np.array([at(95, 10, 102, 11)])).tolist() == [True, True]
    assert not touched_grids(grids, np.array([], dtype=object)).any()


@pytest.mark.parametrize("policy", ["keep", "soft", "hard"])
def test_only_touched_grids_change(policy: str) -> None:
    grids = town()
    ground, what = changed(
        ("430501", line((-10, 163), (200, 168))), ("310300", at(290, 240, 312, 252))
    )
    result = update(grids, ground=ground, changed=what, rules=UpdateRules(policy=policy))  # type: ignore[arg-type]
    assert set(result.touched) == {
        f"{WEST_SIDE}002", f"{WEST_SIDE}005", f"{EAST_SIDE}003", f"{EAST_SIDE}006"
    }  # fmt: skip
    assert set(result.replaced) <= set(result.touched)
    assert_stable(grids, result.grids, result.touched)
    house = at(290, 240, 312, 252)
    held = shapely.area(shapely.intersection(result.grids.geometry.to_numpy(), house))
    assert np.sort(held)[-1] == pytest.approx(house.area)


def test_policies_differ_in_what_a_new_road_does() -> None:
    grids = town()
    ground, what = changed(("430501", line((-10, 163), (200, 168))))
    found = {
        policy: update(grids, ground=ground, changed=what, rules=UpdateRules(policy=policy))  # type: ignore[arg-type]
        for policy in ("keep", "hard")
    }
    assert found["keep"].replaced == ()
    assert len(found["hard"].replaced) == 2
    road = line((0, 163.2381), (200, 168))
    outlines = shapely.union_all(shapely.boundary(found["hard"].grids.geometry.to_numpy()))
    assert shapely.length(shapely.intersection(road, outlines.buffer(0.2))) == pytest.approx(
        road.length, abs=1
    )


def test_two_communities_that_change_at_once_still_share_their_vertices() -> None:
    grids = town()
    # Across the line between the communities, askew, so that its crossing is off the precision grid.
    ground, what = changed(
        ("430501", line((-10, 141), (410, 173))), ("430501", line((-10, 31), (410, 59)))
    )
    result = update(grids, ground=ground, changed=what, rules=UpdateRules(policy="hard"))
    assert {code[:12] for code in result.replaced} == {WEST_SIDE, EAST_SIDE}
    assert_stable(grids, result.grids, result.touched)


def test_the_same_change_in_another_order_gives_the_same_grids() -> None:
    ground, what = changed(
        ("430501", line((-10, 163), (200, 168))), ("310300", at(90, 40, 112, 52))
    )
    first = update(town(), ground=ground, changed=what).grids
    shuffled = Ground(
        features=ground.features.sample(frac=1, random_state=3).reset_index(drop=True)
    )
    second = update(
        town().sample(frac=1, random_state=2),
        ground=shuffled,
        changed=what[::-1].reset_index(drop=True),
    ).grids
    assert shapely.to_wkb(first.geometry.to_numpy()).tolist() == (
        shapely.to_wkb(second.geometry.to_numpy()).tolist()
    )


def test_locked_grids_are_not_free_and_locked_borders_are_not_lost() -> None:
    grids = town()
    ground, what = changed(("310300", at(90, 40, 112, 52)))
    locked = Ground(features=ground.features, locked_codes=frozenset({f"{WEST_SIDE}001"}))
    result = update(grids, ground=locked, changed=what, rules=UpdateRules(policy="keep"))
    assert result.touched == (f"{WEST_SIDE}004",)
    assert result.replaced == ()
    border = Ground(features=ground.features, locked_borders=np.array([line((100, 0), (100, 100))]))
    result = update(grids, ground=border, changed=what, rules=UpdateRules(policy="keep"))
    assert len(result.touched) == 2
    assert result.replaced == ()
    free = update(grids, ground=ground, changed=what, rules=UpdateRules(policy="keep"))
    assert len(free.replaced) == 2


def test_grids_made_after_a_change_are_not_touched_by_it() -> None:
    grids = town().assign(build_id=5)
    grids.loc[grids["code"] == f"{WEST_SIDE}002", "build_id"] = 9
    ground, what = changed(("430501", line((-10, 163), (200, 168))))
    result = update(grids, ground=ground, changed=what.assign(build_id=7))
    assert result.touched == (f"{WEST_SIDE}005",)


def test_a_delivered_layer_off_the_precision_grid_keeps_its_vertices() -> None:
    grids = town()
    grids["geometry"] = shapely.transform(
        grids.geometry.to_numpy(), lambda xy: xy + np.array([0.0037, -0.0021])
    )
    ground, what = changed(("430501", line((-10, 163), (200, 168))))
    result = update(grids, ground=ground, changed=what, rules=UpdateRules(policy="hard"))
    assert len(result.replaced) == 2
    # The road's end lies on the precision grid, four millimetres off the outline of the town.
    assert_stable(grids, result.grids, result.touched, area_m2=0.2)
    vertices = shapely.MultiPoint(shapely.get_coordinates(grids.geometry.to_numpy()))
    after = shapely.MultiPoint(shapely.get_coordinates(result.grids.geometry.to_numpy()))
    assert shapely.difference(vertices, after).is_empty


def test_a_layer_with_gaps_is_updated_without_making_it_worse() -> None:
    grids = town()
    grids.loc[7, "geometry"] = at(200, 100, 299.4, 200)
    ground, what = changed(("310300", at(90, 40, 112, 52)))
    result = update(grids, ground=ground, changed=what, rules=UpdateRules(policy="keep"))
    assert len(result.replaced) == 2
    before, after = (
        shapely.union_all(layer.geometry.to_numpy()).area for layer in (grids, result.grids)
    )
    assert after == pytest.approx(before, abs=1e-3)


def test_nothing_changed_changes_nothing() -> None:
    grids = town()
    ground, what = changed()
    result = update(grids, ground=ground, changed=what)
    assert result.touched == result.replaced == result.pinned == ()
    assert result.grids["code"].tolist() == sorted(grids["code"])


def test_a_vertex_is_inserted_where_it_lies_on_the_outline_alone() -> None:
    ring = at(0, 0, 100, 100).difference(at(40, 40, 60, 60))
    points = np.array(
        [[EAST + 30, NORTH + 0.005], [EAST + 50, NORTH + 40], [EAST + 50, NORTH + 50]]
    )
    (after,) = insert_vertices(np.array([ring]), points)
    assert len(after.exterior.coords) == len(ring.exterior.coords) + 1
    assert len(after.interiors[0].coords) == len(ring.interiors[0].coords) + 1
    assert insert_vertices(np.array([after]), points)[0].equals_exact(after, 0)
    two = shapely.MultiPolygon([at(0, 0, 9, 9), at(20, 0, 29, 9)])
    (both,) = insert_vertices(np.array([two]), np.array([[EAST + 25, NORTH]]))
    assert shapely.get_num_coordinates(both) == 11


def test_tied_borders_are_a_coverage() -> None:
    around = np.array([at(100, 0, 200, 100)])
    new = np.array([at(0, 0, 100, 37), at(0, 37, 100, 100)])
    assert not shapely.coverage_is_valid(np.concatenate([new, around]))
    tied, rest = tie(new, around)
    whole = np.concatenate([tied, rest])
    assert shapely.coverage_is_valid(whole)
    assert is_sound(tied, rest, before=np.array([at(0, 0, 100, 100), *around]))
    assert shared_borders(whole)["length_m"].sum() == pytest.approx(200)


def test_a_piece_that_overlaps_its_neighbour_is_not_sound() -> None:
    around, before = np.array([at(100, 0, 200, 100)]), np.array([at(0, 0, 100, 100)])
    wide = np.array([at(0, 0, 101, 100)])
    assert not is_sound(wide, around, before=np.concatenate([before, around]))


def test_fitted_polygons_cover_the_land() -> None:
    land = at(0, 0, 200, 100)
    parts = fit_land(np.array([at(0, 0, 99.98, 100), at(100, 0, 200, 100)]), land, precision_m=0.01)
    assert shapely.area(parts).sum() == pytest.approx(land.area)
    assert shapely.coverage_is_valid(parts)


def test_a_building_goes_whole_to_the_grid_that_holds_most_of_it() -> None:
    grids = np.array([at(0, 0, 100, 100), at(100, 0, 200, 100), at(0, 100, 200, 200)])
    houses = np.array([at(92, 60, 102, 70), at(99, 95, 105, 103)])
    after = round_buildings(grids, houses, options=DivisionOptions())
    held = shapely.area(shapely.intersection(houses[:, None], after[None, :]))
    assert np.sort(held, axis=1)[:, -1] == pytest.approx(shapely.area(houses))
    assert shapely.coverage_is_valid(after)
    assert round_buildings(after, houses, options=DivisionOptions()) is after


def test_a_small_piece_stays_on_its_own_side_of_the_road() -> None:
    grids = np.array([at(0, 0, 100, 100), at(100, 0, 200, 100)])
    road = np.array([line((-5, 80), (205, 80))])
    parts, left = cut_along(grids, road, options=DivisionOptions())
    assert sorted(shapely.area(parts)) == pytest.approx([4_000, 8_000, 8_000])
    assert len(left) == 0
    # Alone, 2,000 m² are no grid: there the road is no border.
    alone, left = cut_along(grids[:1], road, options=DivisionOptions())
    assert shapely.area(alone).tolist() == [10_000]
    assert shapely.length(left).sum() == pytest.approx(100)


def test_in_a_forest_a_road_cuts_off_nothing_that_is_small_for_a_forest() -> None:
    options = DivisionOptions(zone_targets={"81": 60_000.0})
    grid = np.array([at(0, 0, 300, 200)])
    road = np.array([line((-10, 40), (310, 40))])
    forest = read_scene(topography(("810000", grid[0])), options=options)
    parts, left = cut_along(grid, road, scene=forest, options=options)
    assert shapely.area(parts).tolist() == [60_000]
    assert shapely.length(left).sum() == pytest.approx(300)
    # Where the usual target holds, 12,000 m² are a grid.
    built = read_scene(topography(), options=options)
    parts, left = cut_along(grid, road, scene=built, options=options)
    assert sorted(shapely.area(parts)) == pytest.approx([12_000, 48_000])
    assert len(left) == 0


def test_a_cut_building_and_a_border_in_the_open_cost() -> None:
    options = DivisionOptions()
    halves = np.array([at(0, 0, 100, 100), at(100, 0, 200, 100)])
    bare = appraise(halves, read_scene(topography(), options=options), options=options)
    street = topography(("430503", line((100, 0), (100, 100))))
    along = appraise(halves, read_scene(street, options=options), options=options)
    assert bare.cost - along.cost == pytest.approx(1.0)  # 100 m at 0.5 or at -0.5
    house = topography(("310300", at(90, 40, 110, 50)))
    cut = appraise(halves, read_scene(house, options=options), options=options)
    assert cut.buildings_cut == 1
    assert cut.cost > bare.cost + 20


def communities(**shapes: Polygon) -> gpd.GeoDataFrame:
    codes = {"west": WEST_SIDE, "east": EAST_SIDE, "third": "130102001003"}
    return gpd.GeoDataFrame(
        {"code": [codes[name] for name in shapes]}, geometry=list(shapes.values()), crs=CRS
    )


def carried(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    result = carry(town(), areas, features=topography(), options=DivisionOptions())
    assert shapely.coverage_is_valid(result.grids.geometry.to_numpy())
    for code, land in zip(areas["code"], areas.geometry, strict=True):
        own = result.grids[result.grids["community_code"] == code]
        assert shapely.union_all(own.geometry.to_numpy()).symmetric_difference(land).area < 1
    return result.grids


def test_communities_that_stay_touch_no_grid() -> None:
    after = carried(communities(west=at(0, 0, 200, 300), east=at(200, 0, 400, 300)))
    assert after["code"].tolist() == sorted(town()["code"])
    result = carry(
        town(),
        communities(west=at(0, 0, 200.01, 300), east=at(200.01, 0, 400, 300)),
        features=topography(),
        options=DivisionOptions(),
    )
    assert result.touched == ()  # a centimetre is rounding


def test_a_line_that_moves_a_little_gives_the_strip_to_the_neighbours() -> None:
    after = carried(communities(west=at(0, 0, 206, 300), east=at(206, 0, 400, 300)))
    areas = after.groupby("community_code").agg({"geometry": "count"})["geometry"].tolist()
    assert areas == [6, 6]
    assert sorted(after.geometry.area.round()) == [9_400] * 3 + [10_000] * 6 + [10_600] * 3


def test_land_given_up_loses_its_grids() -> None:
    after = carried(communities(west=at(0, 0, 200, 300), east=at(200, 0, 300, 300)))
    assert len(after) == 9
    assert after["code"].notna().all()


def test_a_piece_is_small_or_not_by_the_target_that_holds_there() -> None:
    # 6,000 m² are more than half a grid, but in a forest, where eight times as much is asked for.
    areas = communities(west=at(0, 0, 260, 300), east=at(260, 0, 400, 300))
    forest = gpd.GeoDataFrame({"feature_class": ["810300"]}, geometry=[at(0, 0, 400, 300)], crs=CRS)
    after = {
        name: carry(town(), areas, features=features, options=DivisionOptions()).grids
        for name, features in (("built", topography()), ("forest", forest))
    }
    least = {
        name: grids.geometry.area[
            grids["code"].isna() & grids["community_code"].eq(WEST_SIDE)
        ].min()
        for name, grids in after.items()
    }
    assert least["built"] == pytest.approx(6_000, abs=1)
    assert least["forest"] >= 40_000
