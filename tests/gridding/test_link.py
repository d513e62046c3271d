"""Atoms joined into nodes, and the graph of nodes."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Polygon, box

from gridding.atoms import Atoms, cut_atoms
from gridding.graph import Graph
from gridding.link import graph_of
from gridding.options import DivisionOptions
from gridding.scene import Scene
from tests.gridding.scenes import lines_of, scene_of

OPTIONS = DivisionOptions(lattice_m=45.0)


def shapes_of(atoms: Atoms, node: np.ndarray) -> list[shapely.Geometry]:
    return [shapely.union_all(atoms.polygons[node == n]) for n in range(int(node.max()) + 1)]


def assert_consistent(graph: Graph, atoms: Atoms, node: np.ndarray) -> None:
    """The graph says of every node what the union of its atoms says."""
    shapes = shapes_of(atoms, node)
    count = len(shapes)
    assert len(graph.area_m2) == len(graph.target_m2) == len(graph.load) == count
    assert {shape.geom_type for shape in shapes} == {"Polygon"}
    assert graph.area_m2 == pytest.approx(shapely.area(shapes))
    order = np.lexsort((graph.right, graph.left))
    assert (order == np.arange(len(order))).all()
    assert (graph.left < graph.right).all()
    assert (graph.left < count).all()
    assert len(set(zip(graph.left.tolist(), graph.right.tolist(), strict=True))) == len(order)
    inner = graph.right < count
    around = np.bincount(graph.left, graph.length_m, minlength=count)
    around += np.bincount(graph.right[inner], graph.length_m[inner], minlength=count)
    assert around == pytest.approx(shapely.length(shapes))
    assert (graph.cost[~inner] == 0).all()
    first = [int(np.flatnonzero(node == n)[0]) for n in range(count)]
    assert first == sorted(first)


def graph_in(land: Polygon, scene: Scene, lines) -> tuple[Graph, Atoms, np.ndarray]:
    atoms = cut_atoms(land, scene, lines, options=OPTIONS)
    graph, node = graph_of(atoms, scene, options=OPTIONS)
    assert_consistent(graph, atoms, node)
    return graph, atoms, node


def test_two_blocks_are_two_nodes_with_a_priced_border() -> None:
    land = Polygon(
        [(0, 0), (100, 0), (100, 50), (0, 50)], [[(80, 10), (90, 10), (90, 20), (80, 20)]]
    )
    scene = scene_of(points=[(10, 10), (10, 20), (60, 10), (50, 25), (500, 500)])
    graph, _, node = graph_in(land, scene, lines_of(("street", LineString([(50, -9), (50, 59)]))))
    assert node.tolist() == [0, 1]
    assert graph.area_m2.tolist() == [2500.0, 2400.0]
    assert graph.left.tolist() == [0, 0, 1, 1]
    assert graph.right.tolist() == [1, 2, 2, 3]
    assert graph.length_m.tolist() == [50.0, 150.0, 150.0, 40.0]
    assert graph.cost.tolist() == [-0.25, 0.0, 0.0, 0.0]
    # The point on the border counts for the first, the one far away for none.
    assert graph.load.tolist() == [3.0, 1.0]
    assert graph.target_m2.tolist() == [10_000.0, 10_000.0]


@pytest.mark.parametrize(
    ("kind", "nodes"), [("street", 1), ("path", 1), ("main_road", 2), ("railway", 2), ("locked", 2)]
)
def test_a_building_holds_both_sides_together_but_not_across_a_main_road(kind, nodes) -> None:
    lines = lines_of((kind, LineString([(50, -9), (50, 59)])))
    scene = scene_of(buildings=[box(40, 20, 60, 30)])
    graph, _, _ = graph_in(box(0, 0, 100, 50), scene, lines)
    assert len(graph.area_m2) == nodes


@pytest.mark.parametrize(("overlap", "nodes"), [(0.04, 2), (1.0, 1)])
def test_a_building_that_a_street_only_grazes_does_not_join_its_sides(overlap, nodes) -> None:
    lines = lines_of(("street", LineString([(50, -9), (50, 59)])))
    scene = scene_of(buildings=[box(30, 20, 50 + overlap, 30)])
    graph, _, _ = graph_in(box(0, 0, 100, 50), scene, lines)
    assert len(graph.area_m2) == nodes


def test_a_compound_that_overlaps_its_neighbour_a_little_does_not_join_them() -> None:
    lines = lines_of(("street", LineString([(50, -9), (50, 59)])))
    a_little, much = box(10, 5, 51, 45), box(10, 5, 60, 45)
    for compound, nodes in ((a_little, 2), (much, 1)):
        graph, _, _ = graph_in(box(0, 0, 100, 50), scene_of(kept_whole=[compound]), lines)
        assert len(graph.area_m2) == nodes


def test_a_small_block_joins_across_its_dearest_border() -> None:
    # 10 x 20 m between a street, a path and the edge of the land.
    lines = lines_of(
        ("street", LineString([(50, -9), (50, 29)])), ("path", LineString([(60, -9), (60, 29)]))
    )
    graph, _, node = graph_in(box(0, 0, 110, 20), scene_of(), lines)
    assert node.tolist() == [0, 1, 1]
    assert graph.cost.tolist() == [-0.1, 0.0, 0.0]


def test_a_small_block_stays_where_only_locked_borders_are_round_it() -> None:
    lines = lines_of(("locked", LineString([(50, -9), (50, 29)])))
    graph, _, _ = graph_in(box(0, 0, 60, 20), scene_of(), lines)
    assert graph.area_m2.tolist() == [1000.0, 200.0]


def test_a_sliver_stays_inside_the_grid_there_was() -> None:
    lines = lines_of(
        ("existing", LineString([(50, -9), (50, 29)])), ("street", LineString([(58, -9), (58, 29)]))
    )
    _, _, node = graph_in(box(0, 0, 110, 20), scene_of(), lines)
    assert node.tolist() == [0, 1, 1]


@pytest.mark.parametrize(("side", "areas"), [(40.0, [4900.0]), (72.0, [1458.0, 1458.0, 5184.0])])
def test_a_loop_inside_one_node_is_part_of_it_unless_it_is_large(side, areas) -> None:
    land = box(0, 0, 70, 70) if side == 40.0 else box(0, 0, 90, 90)
    # A large one stays, and what runs round it is cut open.
    loop = land.centroid.buffer(side / 2, cap_style="square")
    lines = lines_of(("path", LineString(loop.exterior.coords)))
    graph, *_ = graph_in(land, scene_of(kept_whole=[loop]), lines)
    assert graph.area_m2.tolist() == areas


def test_the_strip_between_two_carriageways_is_no_node_unless_wanted() -> None:
    sides = [("main_road", LineString([(-9, y), (409, y)])) for y in (40, 50)]
    land = box(0, 0, 400, 90)
    scene = scene_of(buildings=[box(5, 5, 395, 35), box(5, 55, 395, 85)])
    graph, atoms, _ = graph_in(land, scene, lines_of(*sides))
    assert sorted(graph.area_m2) == [16_000.0, 20_000.0]
    graph, _ = graph_of(atoms, scene, options=DivisionOptions(main_roads="own"))
    assert sum(graph.area_m2 == 4000.0) + sum(graph.area_m2 < 4000.0) >= 1


def test_what_lies_partly_in_water_may_be_larger_by_that_share() -> None:
    lake = box(0, 0, 120, 50)
    lines = lines_of(("street", LineString([(100, -9), (100, 59)])))
    graph, _, _ = graph_in(box(0, 0, 200, 50), scene_of(zones=[(lake, 80_000.0)]), lines)
    assert graph.area_m2.tolist() == [5000.0, 2500.0, 2500.0]
    # The middle: 1 000 of 2 500 m² are water, 1 000 / 80 000 + 1 500 / 10 000 of a grid.
    assert graph.target_m2 == pytest.approx([80_000.0, 2_500 / 0.1625, 10_000.0])


def test_the_smallest_target_wins_where_zones_overlap() -> None:
    land = box(0, 0, 40, 50)
    zones = [(land, 40_000.0), (box(0, 0, 30, 50), 5_000.0)]
    graph, _, _ = graph_in(land, scene_of(zones=zones), lines_of())
    # 1 500 m² ask for 0.3 of a grid, the 500 m² in the large zone alone for 0.0125.
    assert graph.target_m2 == pytest.approx(2_000 / 0.3125)


corners = st.tuples(
    st.integers(0, 360), st.integers(0, 260), st.integers(5, 90), st.integers(5, 90)
)
ends = st.tuples(*[st.integers(-20, 420) for _ in range(4)])


@settings(max_examples=25, deadline=None)
@given(st.lists(corners, max_size=12), st.lists(ends, max_size=6), st.randoms())
def test_no_node_cuts_a_building_and_order_plays_no_part(boxes, roads, random) -> None:
    land = Polygon([(0, 0), (400, 10), (420, 300), (20, 290)])
    buildings = [box(x, y, x + w, y + h) for x, y, w, h in boxes]
    rows = [("street", LineString([(a, b), (c, d)])) for a, b, c, d in roads if (a, b) != (c, d)]
    scene = scene_of(buildings=buildings)
    graph, atoms, node = graph_in(land, scene, lines_of(*rows))
    inside = [building & land for building in buildings if (building & land).area > 0]
    held = shapely.area(shapely.intersection(np.array(shapes_of(atoms, node))[:, None], inside))
    whole = [part.geom_type == "Polygon" for part in inside]
    assert (np.sort(held, axis=0)[:-1][:, whole] <= 1.0 + 1e-6).all()
    random.shuffle(buildings)
    again, _, same = graph_in(land, scene_of(buildings=buildings), lines_of(*rows[::-1]))
    assert node.tolist() == same.tolist()
    for name in ("area_m2", "target_m2", "load", "left", "right", "length_m", "cost"):
        assert getattr(graph, name).tolist() == getattr(again, name).tolist()
