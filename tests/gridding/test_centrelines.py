"""Centrelines of areas."""

import numpy as np
import pytest
import shapely
from shapely import LineString, Point, box

from gridding.centrelines import trace_centrelines
from gridding.lines import Geometries

NONE = np.empty(0, dtype=object)


def traced(*areas: shapely.Polygon, known: Geometries = NONE) -> tuple[Geometries, list[int]]:
    shapes = np.array(areas, dtype=object)
    lines, area = trace_centrelines(shapes, known=known, precision_m=0.01)
    return lines, area.tolist()


def off(lines: Geometries, wanted: shapely.Geometry) -> float:
    return float(shapely.hausdorff_distance(shapely.union_all(lines), wanted, densify=0.05))


def test_nothing_has_no_centreline() -> None:
    lines, area = traced()
    assert (len(lines), area) == (0, [])


def test_a_crossing_has_four_arms_that_reach_the_ends() -> None:
    lines, area = traced(box(0, 90, 200, 110), box(95, 0, 105, 300))
    wanted = LineString([(0, 100), (200, 100)]).union(LineString([(100, 0), (100, 300)]))
    assert off(lines, wanted) < 1.5
    assert sorted(set(area)) == [0, 1]
    assert len(lines) == 4


def test_a_bend_is_followed() -> None:
    road = LineString([(0, 0), (200, 0), (300, 200)])
    lines, _ = traced(road.buffer(8, cap_style="flat"))
    assert off(lines, road) < 4


def test_a_block_inside_gives_a_ring() -> None:
    lines, _ = traced(box(0, 0, 200, 200).difference(box(20, 20, 180, 180)))
    # The middle between two corners lies on their diagonal.
    assert off(lines, box(10, 10, 190, 190).exterior) < 4
    assert shapely.polygonize([shapely.union_all(lines)]).geoms[0].area == pytest.approx(
        180 * 180, rel=0.01
    )


def test_known_lines_serve_their_road_only() -> None:
    known = np.array([LineString([(0, 103), (200, 103)])])
    lines, area = traced(box(0, 90, 200, 110), box(95, 0, 105, 300), known=known)
    assert set(area) == {1}
    assert shapely.length(lines).sum() == pytest.approx(280, abs=30)
    assert not shapely.intersects(lines, Point(20, 100).buffer(15)).any()


def test_areas_far_from_the_origin_and_from_each_other() -> None:
    lines, area = traced(
        box(500_000, 4_000_000, 500_100, 4_000_010), box(520_000, 4_000_000, 520_100, 4_000_012)
    )
    assert area == [0, 1]
    assert shapely.length(lines).tolist() == pytest.approx([100, 100], abs=0.1)


def test_a_road_longer_than_a_tile_is_one_line() -> None:
    lines, _ = traced(box(0, 0, 7000, 12))
    assert len(lines) == 1
    assert off(lines, LineString([(0, 6), (7000, 6)])) < 1


def test_a_chip_has_no_centreline_and_harms_nothing() -> None:
    lines, area = traced(box(0, 0, 0.5, 0.5), box(10, 0, 200, 12))
    assert area == [1]
    assert len(lines) == 1
