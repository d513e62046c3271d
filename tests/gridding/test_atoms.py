"""Atoms and the borders between them, on land whose answer is known."""

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Polygon, box

from gridding.atoms import Atoms, cut_atoms
from gridding.lines import KINDS
from gridding.options import DivisionOptions
from tests.gridding.scenes import lines_of, scene_of

OPTIONS = DivisionOptions(lattice_m=45.0)
STREET = KINDS.index("street")


def assert_sound(atoms: Atoms, land: Polygon) -> None:
    """The atoms cover the land, and every border piece lies between its two sides and is whole."""
    polygons = atoms.polygons
    assert shapely.coverage_is_valid(polygons)
    assert shapely.is_valid(polygons).all()
    assert shapely.area(polygons).sum() == pytest.approx(land.area, abs=0.02 * land.length)
    centimetres = shapely.get_coordinates(polygons) * 100
    assert np.abs(centimetres - np.round(centimetres)).max() < 1e-6
    inner = atoms.right >= 0
    assert (atoms.left[inner] < atoms.right[inner]).all()
    for side in (atoms.left, atoms.right):
        rows = side >= 0
        outline = shapely.boundary(polygons[side[rows]])
        outside = shapely.length(shapely.difference(atoms.border[rows], outline))
        assert outside.max(initial=0.0) < 1e-6
    rings = shapely.get_rings(land)
    shapely.prepare(rings)
    beyond = rings[-1 - atoms.right[~inner]]
    assert shapely.dwithin(atoms.border[~inner], beyond, 0.02).all()
    lengths = shapely.length(atoms.border)
    around = np.bincount(atoms.left, lengths, minlength=len(polygons))
    around += np.bincount(atoms.right[inner], lengths[inner], minlength=len(polygons))
    assert around == pytest.approx(shapely.length(polygons), abs=1e-6)
    assert (atoms.price[~inner] == 0).all()
    assert ((atoms.kind == -3) == ~inner).all()


def test_streets_part_blocks_and_the_pieces_say_what_they_are() -> None:
    land = Polygon(
        [(0, 0), (100, 0), (100, 50), (0, 50)], [[(80, 10), (90, 10), (90, 20), (80, 20)]]
    )
    lines = lines_of(("street", LineString([(50, -20), (50, 70)])))
    atoms = cut_atoms(land, scene_of(), lines, options=OPTIONS)
    assert_sound(atoms, land)
    assert shapely.area(atoms.polygons).tolist() == [2500.0, 2400.0]
    pieces = sorted(
        zip(atoms.left, atoms.right, atoms.kind, shapely.length(atoms.border), strict=True)
    )
    assert pieces == [
        (0, -1, -3, 150.0),
        (0, 1, STREET, 50.0),
        (1, -2, -3, 40.0),
        (1, -1, -3, 150.0),
    ]
    assert atoms.price[atoms.kind == STREET].tolist() == [-0.5]


def test_a_border_changes_kind_where_its_line_does_and_the_stronger_line_counts() -> None:
    land = box(0, 0, 60, 50)
    lines = lines_of(
        ("path", LineString([(30, 0), (30, 50)])), ("street", LineString([(30, 0), (30, 20)]))
    )
    atoms = cut_atoms(land, scene_of(), lines, options=OPTIONS)
    found = {
        (KINDS[kind], length)
        for kind, length in zip(atoms.kind, shapely.length(atoms.border), strict=True)
        if kind >= 0
    }
    assert found == {("street", 20.0), ("path", 30.0)}


def test_line_ends_that_meet_nothing_are_dropped() -> None:
    land = box(0, 0, 60, 50)
    lines = lines_of(("street", LineString([(-10, 20), (40, 20)])))
    atoms = cut_atoms(land, scene_of(), lines, options=OPTIONS)
    assert len(atoms.polygons) == 1
    assert_sound(atoms, land)


def test_open_land_becomes_cells_of_which_whole_grids_can_be_made() -> None:
    land = box(0, 0, 300, 200)
    atoms = cut_atoms(land, scene_of(), lines_of(), options=OPTIONS)
    assert_sound(atoms, land)
    assert shapely.area(atoms.polygons) == pytest.approx(np.full(24, 2500.0))
    inner = atoms.right >= 0
    assert set(atoms.kind[inner]) == {-2}
    assert set(atoms.price[inner]) == {OPTIONS.open_price}


def test_borders_run_midway_between_buildings_and_cost_by_the_room_there() -> None:
    land = box(0, 0, 120, 60)
    gaps = ((40.0, 0.5, 2.0), (40.0, 2.0, 0.8), (40.0, 10.0, 0.45))
    for x, gap, price in gaps:
        buildings = [box(2, 2, x, 58), box(x + gap, 2, 118, 58)]
        atoms = cut_atoms(land, scene_of(buildings=buildings), lines_of(), options=OPTIONS)
        assert_sound(atoms, land)
        assert len(atoms.polygons) == 2
        (between,) = np.flatnonzero(atoms.right >= 0)
        assert atoms.kind[between] == -1
        assert atoms.price[between] == pytest.approx(price, abs=0.05)
        assert shapely.distance(atoms.border[between], shapely.union_all(buildings)) >= 0.3 * gap


def test_a_party_wall_is_a_border() -> None:
    land = box(0, 0, 120, 60)
    buildings = [box(2, 2, 61, 58), box(61, 2, 118, 58)]
    atoms = cut_atoms(land, scene_of(buildings=buildings), lines_of(), options=OPTIONS)
    assert len(atoms.polygons) == 2
    shared = shapely.area(shapely.intersection(atoms.polygons[:, None], buildings))
    assert np.sort(shared, axis=None)[:2].max() < 1.0
    (between,) = np.flatnonzero(atoms.right >= 0)
    assert atoms.price[between] > 1.9


def test_overlapping_buildings_and_what_lies_in_a_compound_are_one() -> None:
    land = box(0, 0, 120, 60)
    overlapping = [box(20, 20, 50, 40), box(45, 20, 80, 40)]
    inside = [box(20, 20, 40, 40), box(60, 20, 80, 40)]
    for scene in (
        scene_of(buildings=overlapping),
        scene_of(buildings=inside, kept_whole=[box(15, 15, 85, 45)]),
    ):
        atoms = cut_atoms(land, scene, lines_of(), options=OPTIONS)
        assert_sound(atoms, land)
        held = shapely.intersects(atoms.polygons, shapely.union_all(scene.buildings))
        assert held.sum() == 1


LAKE = box(100, 100, 500, 500)
ISLAND = box(200, 200, 400, 400)
POND = box(250, 250, 350, 350)


@pytest.mark.parametrize(
    ("land", "buildings", "lines"),
    [
        (box(0, 0, 6, 5), [], []),
        (box(0, 0, 6, 5), [box(-10, -10, 20, 20)], []),
        (box(0, 0, 300, 200), [box(0, 0, 300, 200)], []),
        (box(0, 0, 600, 600), [box(50, 50, 450, 450)], []),
        (box(0, 0, 600, 600), [], [("street", s.exterior) for s in (LAKE, ISLAND, POND)]),
        (box(0, 0, 600, 600) - ISLAND, [box(10, 10, 90, 90)], [("street", LAKE.exterior)]),
        (box(0, 0, 400, 9), [], []),
        (Polygon([(0, 0), (500, 0), (0, 500), (0, 499), (499, 0.5), (0, 0.5)]), [], []),
    ],
    ids=["tiny", "built up", "one building", "huge building", "lakes", "hole", "strip", "sickle"],
)
def test_odd_land_is_covered_too(land: Polygon, buildings: list, lines: list) -> None:
    typed = lines_of(*[(kind, LineString(ring.coords)) for kind, ring in lines])
    atoms = cut_atoms(land, scene_of(buildings=buildings), typed, options=OPTIONS)
    assert_sound(atoms, land)
    if len(buildings) == 1 and land.area > 1000:
        held = shapely.area(shapely.intersection(atoms.polygons, buildings[0])) > 1
        assert held.sum() == 1


def test_larger_targets_make_larger_cells() -> None:
    land = box(0, 0, 6000, 6000)
    scene = scene_of(zones=[(land, 250_000.0)])
    atoms = cut_atoms(land, scene, lines_of(), options=OPTIONS)
    assert 500 < len(atoms.polygons) < 900
    assert shapely.area(atoms.polygons) == pytest.approx(
        np.full(len(atoms.polygons), 62_500.0), 0.3
    )


corners = st.tuples(
    st.integers(0, 260), st.integers(0, 160), st.integers(5, 60), st.integers(5, 60)
)
ends = st.tuples(*[st.integers(-20, 320) for _ in range(4)])


@settings(max_examples=25, deadline=None)
@given(st.lists(corners, max_size=12), st.lists(ends, max_size=5), st.randoms())
def test_any_scene_in_any_order_gives_the_same_sound_atoms(boxes, roads, random) -> None:
    land = Polygon([(0, 0), (300, 10), (320, 200), (20, 190)], [[(99, 99), (120, 99), (110, 120)]])
    buildings = [box(x, y, x + w, y + h) for x, y, w, h in boxes]
    rows = [("street", LineString([(a, b), (c, d)])) for a, b, c, d in roads if (a, b) != (c, d)]
    atoms = cut_atoms(land, scene_of(buildings=buildings), lines_of(*rows), options=OPTIONS)
    assert_sound(atoms, land)
    random.shuffle(buildings)
    random.shuffle(rows)
    turned = [(kind, line.reverse()) for kind, line in rows]
    other = cut_atoms(land, scene_of(buildings=buildings), lines_of(*turned), options=OPTIONS)
    for name in ("polygons", "border"):
        one, two = shapely.to_wkb(getattr(atoms, name)), shapely.to_wkb(getattr(other, name))
        assert one.tolist() == two.tolist()
    for name in ("left", "right", "kind", "price"):
        assert getattr(atoms, name).tolist() == getattr(other, name).tolist()


def test_buildings_apart_are_not_cut() -> None:
    places = itertools.product(range(10, 580, 33), range(10, 380, 27))
    buildings = [
        shapely.affinity.rotate(box(x, y, x + 20 + y % 9, y + 15), x % 90) for x, y in places
    ]
    free = []
    for building in buildings:
        if all(building.distance(other) > 1.0 for other in free):
            free.append(building)
    land = box(0, 0, 600, 400)
    atoms = cut_atoms(land, scene_of(buildings=free), lines_of(), options=OPTIONS)
    assert_sound(atoms, land)
    inner = atoms.border[atoms.right >= 0]
    crossed = shapely.length(
        shapely.intersection(shapely.union_all(inner), shapely.union_all(free))
    )
    assert crossed == 0.0


@pytest.mark.parametrize(("length", "kept"), [(60.0, 60.0), (20.0, 0.0)])
def test_a_main_road_that_ends_in_the_open_is_led_on(length: float, kept: float) -> None:
    # 20 m are no more than the stub of a flyover.
    land = box(0, 0, 50, 100)
    road = shapely.LineString([(25, 0), (25, length)])
    atoms = cut_atoms(land, scene_of(), lines_of(("main_road", road)), options=OPTIONS)
    assert_sound(atoms, land)
    along = atoms.border[atoms.kind == KINDS.index("main_road")]
    assert shapely.length(along).sum() == kept
