"""The road graph and its named crossings: worked out by hand, and against cities whose crossings are known."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from pipelines.sample.district import make_district
from pipelines.topography.carriageways import with_centrelines
from pipelines.topography.crossings import named_crossings, road_names
from pipelines.topography.judging import judge_map
from pipelines.topography.network import is_road, road_graph
from tests.pipelines.town import context, frame, line, rectangle, rules_of

DATA = Path(__file__).resolve().parents[3] / "../shared/data"


def roads(*rows, **columns):
    """Roads (name, points…) of class 430503 in a city's CRS."""
    table = pd.DataFrame({"name": [name for name, *_ in rows], "feature_class": "430503"}).assign(
        **columns
    )
    return gpd.GeoDataFrame(table, geometry=[line(*points) for _, *points in rows], crs="EPSG:4547")


def told(found):
    return [(row.name_a, row.name_b, row.kind, row.degree) for row in found.itertuples(index=False)]


def test_a_cross_a_t_a_corner_and_a_name_that_goes_on():
    west, east = ("东路", (0, 0), (50, 0)), ("西路", (50, 0), (100, 0))
    up, down = ("北街", (50, 0), (50, 50)), ("北街", (50, 0), (50, -50))
    assert told(named_crossings(roads(("甲路", (0, 0), (100, 0)), up, down))) == [
        ("北街", "甲路", "cross", 4)
    ]
    assert told(named_crossings(roads(("甲路", (0, 0), (100, 0)), up))) == [
        ("北街", "甲路", "T", 3)
    ]
    assert told(named_crossings(roads(west, up))) == [("东路", "北街", "corner", 2)]
    assert told(named_crossings(roads(west, east))) == [("东路", "西路", "continued", 2)]
    three = named_crossings(roads(west, east, up))
    assert told(three) == [
        ("东路", "北街", "corner", 3),
        ("东路", "西路", "continued", 3),
        ("北街", "西路", "corner", 3),
    ]
    assert set(three["names"]) == {("东路", "北街", "西路")}


def test_an_end_within_the_snap_meets_and_one_beyond_does_not():
    host = ("甲路", (0, 0), (100, 0))
    assert len(named_crossings(roads(host, ("乙街", (50, 0.5), (50, 50))))) == 1
    assert len(named_crossings(roads(host, ("乙街", (50, 0.51), (50, 50))))) == 0


@pytest.mark.parametrize(
    "columns",
    [
        {"attributes": [{}, {"layer": "1"}]},
        {"attributes": [{"tunnel": "yes"}, {}]},
        {"feature_class": ["430503", "430300"]},
    ],
)
def test_flyovers_and_tunnels_do_not_cross(columns):
    rows = roads(("甲路", (0, 0), (100, 0)), ("乙街", (50, -50), (50, 50)), **columns)
    assert len(named_crossings(rows)) == 0
    assert len(road_graph(rows).edges) == 2


def test_a_bridge_carries_one_road_over_the_other():
    rows = roads(("甲路", (0, 0), (100, 0)), ("乙街", (50, -50), (50, 50)))
    bridge = gpd.GeoDataFrame(
        {"name": [None], "feature_class": ["450301"]},
        geometry=[rectangle(45, -20, 55, 20)],
        crs=rows.crs,
    )
    both = gpd.GeoDataFrame(pd.concat([rows, bridge], ignore_index=True), crs=rows.crs)
    assert (len(named_crossings(rows)), len(named_crossings(both))) == (1, 0)


def test_where_crossings_are_cut_one_that_is_not_passes_over():
    cut = [(f"街{x}", (x, 0), (x, 50)) for x in (20, 40, 60)] + [
        (f"街{x}", (x, 0), (x, -50)) for x in (20, 40, 60)
    ]
    main = [("甲路", (a, 0), (b, 0)) for a, b in ((0, 20), (20, 40), (40, 60), (60, 100))]
    over = ("高架", (80, -50), (80, 50))
    rows = roads(*cut, *main, over)
    found = named_crossings(rows)
    assert set(found["name_a"]) | set(found["name_b"]) == {"甲路", "街20", "街40", "街60"}
    assert road_graph(rows).unnoded["is_joined"].tolist() == [False]
    table = [
        {
            "code": f"r{n}",
            "feature_class": "430503",
            "name": name,
            "geometry": line(*points),
            "WIDTH": 5,
        }
        for n, (name, *points) in enumerate([*cut, *main, over])
    ]
    assert (11, "TP54") in rules_of(judge_map(frame(table), context(DATA)).faults)


def test_two_carriageways_are_one_crossing():
    rows = roads(
        *[("大道", (0, y), (200, y)) for y in (0, 20)],
        *[("长街", (x, -80), (x, 100)) for x in (90, 110)],
    )
    found = named_crossings(rows)
    assert told(found) == [("大道", "长街", "cross", 4)]
    middle = found.geometry.iloc[0]
    assert middle.equals_exact(shapely.Point(540_100, 4_214_010), 1e-6)


def test_a_pair_that_meets_twice_far_apart_has_two_crossings():
    bow = ("环路", (0, 0), (0, 100), (300, 100), (300, 0))
    assert len(named_crossings(roads(("直路", (-50, 50), (350, 50)), bow))) == 2


def test_a_roundabout_joins_all_that_leave_it():
    turn = np.radians(np.arange(0, 361, 15))
    ring = np.column_stack([100 + 20 * np.cos(turn), 100 + 20 * np.sin(turn)])
    rows = roads(
        ("", *map(tuple, ring)),
        ("东路", (120, 100), (200, 100)),
        ("西路", (80, 100), (0, 100)),
        ("南街", (100, 80), (100, 0)),
    )
    found = named_crossings(rows)
    assert told(found) == [
        ("东路", "南街", "roundabout", 3),
        ("东路", "西路", "roundabout", 3),
        ("南街", "西路", "roundabout", 3),
    ]
    assert all(point.distance(shapely.Point(540_100, 4_214_100)) < 15 for point in found.geometry)
    square = roads(
        ("", (80, 80), (120, 80), (120, 120), (80, 120), (80, 80)),
        ("东路", (120, 80), (200, 80)),
        ("西路", (80, 120), (0, 120)),
    )
    assert len(named_crossings(square)) == 0  # a lane around a house is no roundabout


def test_turning_lanes_join_and_have_no_name():
    rows = roads(
        ("甲路", (0, 0), (40, 0)), ("路口转向", (40, 0), (60, 20)), ("乙街", (60, 20), (60, 90))
    )
    assert told(named_crossings(rows))[0][:2] == ("乙街", "甲路")
    assert road_names(pd.Series(["无名路", "Unnamed Road", "裕华路"])).tolist() == [
        None,
        None,
        "裕华路",
    ]


def test_edges_make_up_the_roads_whole():
    rows = roads(("甲路", (0, 0), (30, 40), (100, 0)), ("乙街", (50, -50), (50, 50)))
    graph = road_graph(rows)
    assert graph.edges.length.sum() == pytest.approx(rows.length.sum())
    assert graph.nodes["degree"].sum() == 2 * len(graph.edges)
    empty = road_graph(rows.iloc[:0])
    assert len(empty.edges) == len(empty.nodes) == len(named_crossings(rows.iloc[:0])) == 0
    assert is_road(pd.Series(["430100", "420600"])).tolist() == [False, True]


def test_names_go_on_and_pieces_hang_together(tmp_path):
    rows = [
        ("a", "甲路", (0, 0), (100, 0)),
        ("b", None, (100, 0), (200, 0)),
        ("c", "甲路", (200, 0), (300, 0)),
        ("d", "丁街", (100, 0), (100, 100)),
        ("e", "孤路", (350, 150), (360, 150)),
    ]
    table = [
        {
            "code": code,
            "feature_class": "430503",
            "name": name,
            "geometry": line(*points),
            "WIDTH": 5,
        }
        for code, name, *points in rows
    ]
    assert rules_of(judge_map(frame(table), context(tmp_path)).faults) == [(2, "TP50"), (5, "TP53")]


def match(found, truth, *, within_m):
    """Shares of the true crossings found and of the found ones true, by names and place."""
    places: dict[tuple[str, str], list[shapely.Point]] = {}
    for a, b, point in truth:
        places.setdefault((a, b), []).append(point)
    own: dict[tuple[str, str], list[shapely.Point]] = {}
    for a, b, point in zip(found["name_a"], found["name_b"], found.geometry, strict=True):
        own.setdefault((a, b), []).append(point)

    def share(some, others):
        hits = [
            any(point.distance(other) <= within_m for other in others.get(pair, []))
            for pair, points in some.items()
            for point in points
        ]
        return np.mean(hits)

    return share(places, own), share(own, places)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_crossings_of_the_sample_district_are_all_found_and_no_other(seed):
    network = (district := make_district(area_km2=4, seed=seed)).network
    rows = gpd.GeoDataFrame(
        {"name": [network.names[road] for road in network.segment_road], "feature_class": "430503"},
        geometry=list(district.segments),
        crs="EPSG:4547",
    )
    truth = [
        (*sorted((network.names[a], network.names[b])), shapely.Point(at))
        for at, (a, b) in zip(district.junctions, network.junction_roads, strict=True)
        if network.names[a] != network.names[b]
    ]
    assert match(named_crossings(rows), truth, within_m=1.0) == (1.0, 1.0)
    assert len(truth) > 300


def test_cambridge_has_the_crossings_that_its_city_lists():
    folder = DATA / "cambridge"
    if not folder.is_dir():
        pytest.skip("the data of Cambridge are not beside the project")
    lines = gpd.read_file(f"/vsigzip/{folder}/TRANS_Centerlines.geojson.gz").to_crs(32619)
    rows = lines[["geometry"]].assign(name=lines["Street"], feature_class="430503")
    listed = gpd.read_file(f"/vsigzip/{folder}/TRANS_Intersections.geojson.gz").to_crs(32619)
    truth = []
    for text, point in zip(
        listed["Intersection"].fillna("").astype(str), listed.geometry, strict=True
    ):
        names = sorted({name.strip() for name in text.split("&")})
        truth += [(a, b, point) for n, a in enumerate(names) for b in names[n + 1 :]]
    found, right = match(named_crossings(rows), truth, within_m=40.0)
    assert found > 0.95
    assert right > 0.95


def test_roads_delivered_as_areas_get_centrelines():
    areas = gpd.GeoDataFrame(
        {"name": ["甲路", "乙街", "丙路"], "feature_class": "430503"},
        geometry=[
            rectangle(0, 45, 200, 55),
            rectangle(95, 55, 105, 150),
            rectangle(0, 200, 200, 210),
        ],
        crs="EPSG:4547",
    )
    drawn = roads(("丙路", (0, 205), (200, 205)))
    both = gpd.GeoDataFrame(pd.concat([areas, drawn], ignore_index=True), crs=areas.crs)
    traced = with_centrelines(both)
    assert traced["name"].tolist()[:4] == both["name"].tolist()
    assert set(traced["name"].iloc[4:]) == {"甲路", "乙街"}  # the third has its line
    found = named_crossings(traced)
    assert told(found) == [("乙街", "甲路", "T", 3)]
    assert (
        found.geometry.iloc[0].distance(shapely.Point(540_100, 4_214_050)) < 2.0
    )  # the middle sags at a T
    assert len(with_centrelines(drawn)) == 1
