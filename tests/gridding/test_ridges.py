"""Ridges between buildings, and cells of open land."""

import numpy as np
import pytest
import shapely
from shapely import box

from gridding.options import DivisionOptions
from gridding.ridges import cut_ridges
from gridding.sites import read_obstacles, sites_in
from tests.gridding.scenes import scene_of, shapes

OPTIONS = DivisionOptions(lattice_m=45.0)
TARGET = np.array([10_000.0])


def test_the_ridge_between_two_long_walls_is_one_straight_line_halfway() -> None:
    face = shapes([box(0, 0, 100, 60)])
    scene = scene_of(buildings=[box(1, 1, 40, 59), box(52, 1, 99, 59)])
    ridges = cut_ridges(face, TARGET, scene, options=OPTIONS)
    assert len(ridges.lines) == 1
    assert ridges.kind.tolist() == [-1]
    assert ridges.price.tolist() == [pytest.approx(0.45)]
    line = ridges.lines[0]
    assert shapely.hausdorff_distance(line, shapely.LineString([(46, 0), (46, 60)])) < 0.2
    assert shapely.get_num_coordinates(line) <= 4


def test_a_ridge_costs_most_where_buildings_all_but_touch() -> None:
    face = shapes([box(0, 0, 100, 60)])
    # Half of the wall 0.5 m apart, half 20 m apart: (2.0 + 0.45) / 2.
    step = shapely.union_all([box(50.5, 0, 99, 30), box(70, 30, 99, 60)])
    scene = scene_of(buildings=[box(1, 0, 50, 60), step])
    ridges = cut_ridges(face, TARGET, scene, options=OPTIONS)
    length = shapely.length(ridges.lines)
    mean = float((ridges.price * length).sum() / length.sum())
    assert 1.0 < mean < 1.5


def test_each_face_is_shared_out_by_itself() -> None:
    # A building just beyond the street does not draw the ridge of this side towards itself.
    faces = shapes([box(0, 0, 100, 60), box(100, 0, 200, 60)])
    alone = scene_of(buildings=[box(5, 5, 30, 55), box(60, 5, 90, 55)])
    beside = scene_of(buildings=[box(5, 5, 30, 55), box(60, 5, 90, 55), box(101, 5, 199, 55)])
    one = cut_ridges(faces, TARGET.repeat(2), alone, options=OPTIONS)
    two = cut_ridges(faces, TARGET.repeat(2), beside, options=OPTIONS)
    left = shapely.box(0, 0, 100, 60)
    assert {line.wkt for line in one.lines if left.contains(line)} == {
        line.wkt for line in two.lines
    }


def test_ridges_keep_clear_of_compounds_as_of_buildings() -> None:
    face = shapes([box(0, 0, 300, 200)])
    compound = shapely.Point(150, 100).buffer(60)
    scene = scene_of(
        buildings=[box(120, 80, 130, 90), box(160, 110, 180, 120)], kept_whole=[compound]
    )
    ridges = cut_ridges(face, TARGET, scene, options=OPTIONS)
    assert len(ridges.lines) > 4
    assert shapely.distance(ridges.lines, compound).min() > 2.0


def test_open_land_gets_sites_spaced_as_the_target_asks() -> None:
    face = shapes([box(0, 0, 300, 200), box(300, 0, 1300, 1000)])
    obstacles = read_obstacles(scene_of(buildings=[box(100, 100, 110, 110)]), face)
    sites = sites_in(face, np.array([10_000.0, 250_000.0]), obstacles, OPTIONS)
    lattice = sites.owner >= len(obstacles.owner)
    near = sites.points[lattice & (sites.face == 0)]
    far = sites.points[lattice & (sites.face == 1)]
    assert shapely.distance(shapely.points(near), box(100, 100, 110, 110)).min() >= 18.0
    # 2 x 2 cells in each of the four grids of 500 m.
    assert sorted(map(tuple, far.tolist())) == [
        (x, y) for x in (425.0, 675.0, 925.0, 1175.0) for y in (125.0, 375.0, 625.0, 875.0)
    ]


def test_a_curved_strip_that_the_lattice_misses_gets_sites_all_along() -> None:
    arc = shapely.Point(0, 0).buffer(300, quad_segs=64).exterior
    strip = shapely.buffer(shapely.ops.substring(arc, 0, 900), 12, cap_style="flat")
    face = shapes([strip])
    sites = sites_in(face, TARGET, read_obstacles(scene_of(), face), OPTIONS)
    along = np.sort(shapely.line_locate_point(arc, shapely.points(sites.points)))
    assert len(along) >= 12
    assert np.diff(along).max() < 100.0


def test_no_obstacles_and_a_small_face_make_no_ridges() -> None:
    face = shapes([box(0, 0, 30, 30)])
    ridges = cut_ridges(face, TARGET, scene_of(), options=OPTIONS)
    assert len(ridges.lines) == len(ridges.price) == 0
