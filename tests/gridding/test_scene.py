"""What a division takes from the topography."""

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon, box

from gridding.options import DivisionOptions
from gridding.scene import KINDS, Lines, Scene, add_lines, read_scene
from gridding.uses import use_of

CRS = "EPSG:4547"
OPTIONS = DivisionOptions()


def topography(*rows: tuple[str, object], attributes: object = None) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(
        {"feature_class": [code for code, _ in rows]}, geometry=[g for _, g in rows], crs=CRS
    )
    if attributes is not None:
        frame["attributes"] = attributes
    return frame


def scene_of(*rows: tuple[str, object], **options: object) -> Scene:
    return read_scene(topography(*rows), options=DivisionOptions(**options))  # type: ignore[arg-type]


def kinds(lines: Lines) -> list[str]:
    return [KINDS[kind] for kind in lines.kind]


ROAD = LineString([(0, 0), (100, 0)])


@pytest.mark.parametrize(
    ("code", "kind", "price"),
    [
        ("430501", "main_road", -14.0),
        ("430502", "main_road", -11.5),
        ("430503", "street", -0.5),
        ("430600", "internal_road", 0.15),
        ("440300", "path", 0.22),
        ("410000", "railway", -6.5),
        ("210101", "water", -7.0),
        ("380101", "wall", 0.25),
        ("380201", "wall", 0.25),
    ],
)
def test_lines_have_kind_and_price_of_their_class(code: str, kind: str, price: float) -> None:
    lines = scene_of((code, ROAD)).lines
    assert (kinds(lines), lines.price.tolist()) == ([kind], [price])


@pytest.mark.parametrize("code", ["430300", "450301", "720000", "620000", "nan", ""])
def test_what_is_no_border_gives_no_line(code: str) -> None:
    assert len(scene_of((code, ROAD)).lines.lines) == 0


def test_a_stronger_kind_has_a_higher_rank() -> None:
    codes = ("210000", "410000", "430501", "430502", "430503", "430600", "440300")
    ranks = [use_of(code, shape="line").rank for code in codes]
    # The outline of a compound goes before its wall, which has gates.
    ranks += [use_of("310600", shape="area").rank, use_of("380201", shape="line").rank]
    ranks += [use_of(code, shape="area").rank for code in ("820000", "810000")]
    assert ranks == sorted(ranks, reverse=True)


def test_areas_are_buildings_things_kept_whole_or_outlines() -> None:
    scene = scene_of(
        ("310300", box(0, 0, 10, 10)),
        ("310600", box(100, 0, 200, 100)),  # 10,000 m²: just kept whole
        ("310600", box(300, 0, 400, 101)),  # too large
        ("820000", box(500, 0, 550, 90)),  # a bed of 4,500 m²
        ("230000", box(600, 0, 640, 40)),  # a pond of 1,600 m²
        ("230000", box(700, 0, 800, 100)),
    )
    assert shapely.area(scene.buildings).tolist() == [100]
    assert shapely.area(scene.kept_whole).tolist() == [10000, 4500, 1600]
    assert shapely.area(scene.water).tolist() == [10000]
    assert kinds(scene.lines) == ["parcel", "parcel", "water"]
    assert shapely.length(scene.lines.lines).tolist() == [400, 402, 400]


def test_what_has_no_usable_geometry_is_left_out() -> None:
    broken = shapely.linestrings([[0, 0], [np.inf, 1]])
    bow = Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    both = shapely.GeometryCollection([ROAD, MultiPolygon([box(0, 0, 5, 5), box(9, 9, 19, 19)])])
    scene = scene_of(
        ("430501", None),
        ("430501", LineString()),
        ("430501", broken),
        ("430501", Point(0, 0)),
        ("310300", LineString([(0, 0), (0, 0.001)])),
        ("310300", bow),
        ("310300", both),
        ("430501", LineString([(0, 0, 5), (50, 0, 7)])),
        ("430501", LineString([(0, 0), (0.001, 0.001)])),
    )
    assert shapely.length(scene.lines.lines).tolist() == [50]
    assert not shapely.has_z(scene.lines.lines).any()
    assert sorted(shapely.area(scene.buildings)) == [25, 25, 25, 100]


def test_tunnels_and_flyovers_are_no_borders() -> None:
    street = LineString([(0, 0), (200, 0)])
    given = [
        {},
        {"tunnel": "yes"},
        {"layer": "-1"},
        {"layer": 1},
        json.dumps({"bridge": "yes"}),
        {"bridge": "no", "layer": "0"},
        "no json",
        None,
        {"layer": float("nan")},
        {"level": 2},
    ]
    frame = topography(*[("430501", street)] * len(given), attributes=given)
    lengths = sorted(shapely.length(read_scene(frame, options=OPTIONS).lines.lines))
    # Five on the ground; of three decks the first and last 15 m, so that the street reaches the bank.
    assert lengths == [15] * 6 + [200] * 5
    columns = topography(("430501", street), ("430501", street))
    columns["layer"] = [np.nan, -1]
    assert len(read_scene(columns, options=OPTIONS).lines.lines) == 1


def test_a_short_bridge_stays() -> None:
    frame = topography(("430503", LineString([(0, 0), (25, 0)])), attributes=[{"bridge": True}])
    assert shapely.length(read_scene(frame, options=OPTIONS).lines.lines).tolist() == [25]


def test_land_has_targets_of_its_own() -> None:
    forest, lake = box(0, 0, 300, 300), box(400, 0, 600, 200)
    rows = (("810300", forest), ("230000", lake), ("430501", box(0, 500, 300, 530)))
    scene = scene_of(*rows)
    assert shapely.area(scene.zones).tolist() == [90000, 40000]
    assert scene.zone_target_m2.tolist() == [80000, 80000]
    wanted = scene_of(*rows, zone_targets={"8103": 200_000.0, "2": 50_000.0}, water_factor=4.0)
    assert wanted.zone_target_m2.tolist() == [200_000, 50_000]


def test_components_count_at_one_place_each() -> None:
    shapes = [Point(5, 5), LineString([(0, 0), (4, 0)]), box(10, 10, 12, 12), None, Point()]
    frame = gpd.GeoDataFrame({"load": [1, 2, 3, 4, 5]}, geometry=shapes, crs=CRS)
    scene = read_scene(topography(), components=frame, options=OPTIONS)
    assert scene.points.tolist() == [[2, 0], [5, 5], [11, 11]]
    assert scene.loads.tolist() == [2, 1, 3]
    plain = read_scene(topography(), components=frame[["geometry"]], options=OPTIONS)
    assert plain.loads.tolist() == [1, 1, 1]


def test_road_areas_become_centrelines_where_no_line_is() -> None:
    avenue, alley = box(0, 0, 500, 40), box(200, 40, 210, 300)
    scene = scene_of(("430501", avenue), ("430503", alley))
    assert sorted(set(kinds(scene.lines))) == ["main_road", "street"]
    roads = shapely.union_all(scene.lines.lines)
    centre = LineString([(0, 20), (500, 20)]).union(LineString([(205, 20), (205, 300)]))
    assert shapely.hausdorff_distance(roads, centre, densify=0.1) < 2
    served = scene_of(
        ("430501", avenue), ("430503", alley), ("430501", LineString([(0, 18), (500, 18)]))
    )
    assert kinds(served.lines) == ["main_road", "street"]


def test_main_roads_as_grids_of_their_own() -> None:
    frame = topography(
        ("430501", LineString([(0, 0), (500, 0)])),
        ("430503", LineString([(250, -100), (250, 100)])),
        attributes=[{"width_m": 40}, {}],
    )
    scene = read_scene(frame, options=DivisionOptions(main_roads="own"))
    assert shapely.area(scene.zones).tolist() == [540 * 40]
    assert scene.zone_target_m2.tolist() == [40_000]
    strong = scene.lines.take(np.flatnonzero(scene.lines.kind == KINDS.index("main_road")))
    assert shapely.bounds(strong.lines).tolist() == [[-20, -20, 520, 20]]
    assert strong.rank[0] > use_of("210000", shape="line").rank
    street = scene.lines.lines[scene.lines.kind == KINDS.index("street")]
    assert sorted(shapely.bounds(street).tolist()) == [[250, -100, 250, -20], [250, 20, 250, 100]]


def test_shared_water_is_divided_at_its_centreline() -> None:
    river, lake = box(0, 0, 1000, 60), box(0, 200, 100, 300)
    own = scene_of(("210101", river), ("230000", lake))
    assert shapely.area(own.water).tolist() == [60000, 10000]
    shared = scene_of(("210101", river), ("230000", lake), water="shared")
    assert len(shared.water) == 0 or shapely.area(shared.water).tolist() == [10000]
    assert shapely.area(shared.kept_whole).tolist() == [10000]
    (line,) = shared.lines.lines
    assert kinds(shared.lines) == ["water"]
    assert shapely.bounds(line)[[1, 3]] == pytest.approx([30, 30], abs=1)
    assert line.length > 900


def test_near_gives_what_touches_in_the_same_order() -> None:
    scene = scene_of(
        ("430501", ROAD), ("430503", LineString([(0, 90), (100, 90)])), ("310300", box(1, 1, 9, 9))
    )
    near = scene.near(box(0, 0, 10, 10))
    assert (kinds(near.lines), len(near.buildings)) == (["main_road"], 1)
    assert len(scene.near(box(500, 500, 510, 510)).lines.lines) == 0


def test_added_lines_are_locked() -> None:
    scene = scene_of(("430501", ROAD))
    wide = add_lines(
        scene, np.array([LineString([(5, 5), (9, 9)])]), kind="locked", options=OPTIONS
    )
    assert kinds(wide.lines) == ["main_road", "locked"]
    assert wide.lines.price.tolist() == [-14.0, -1000.0]


def test_the_order_and_direction_of_rows_play_no_part() -> None:
    rng = np.random.default_rng(5)
    roads = [("430503", LineString(rng.uniform(0, 500, (3, 2)))) for _ in range(20)]
    twins = [("430501", geometry) for _, geometry in roads[:5]]
    areas = [("430503", box(x, y, x + 90, y + 12)) for x, y in rng.uniform(0, 500, (9, 2))]
    houses = [("310300", box(x, y, x + 9, y + 9)) for x, y in rng.uniform(0, 500, (20, 2))]
    frame = topography(*roads, *twins, *houses, *areas)
    one = read_scene(frame, options=OPTIONS)
    mixed = frame.sample(frac=1, random_state=2)
    mixed = mixed.set_geometry(shapely.reverse(mixed.geometry.to_numpy()), crs=CRS)
    two = read_scene(mixed, options=OPTIONS)
    assert [line.wkb for line in one.lines.lines] == [line.wkb for line in two.lines.lines]
    assert one.lines.price.tolist() == two.lines.price.tolist()
    assert [shape.wkb for shape in one.buildings] == [shape.wkb for shape in two.buildings]
