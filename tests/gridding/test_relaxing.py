"""Relaxed borders: shorter and of better size, on their features, clear of what stands there."""

import numpy as np
import pytest
import shapely
from shapely import LineString, Point, Polygon, box

from gridding.arcs import Arcs
from gridding.objective import grid_costs, weights_of
from gridding.obstacles import Obstacles
from gridding.options import DivisionOptions
from gridding.relaxing import Limits, relax

OUTLINE, STREET, OPEN = "outline", "street", "open"
SQUARE = [(0, 0), (200, 0), (200, 200), (0, 200)]


def arcs_of(*rows: tuple[list, str, int, int]) -> Arcs:
    """Arcs of lines with what they follow and the grids on their left and right."""
    lines, kind, left, right = zip(*rows, strict=True)
    ends = [tuple(map(float, place)) for line in lines for place in (line[0], line[-1])]
    number = {place: k for k, place in enumerate(dict.fromkeys(ends))}
    node = np.array([number[place] for place in ends]).reshape(-1, 2)
    free = np.array([k == OPEN for k in kind])
    return Arcs(
        lines=np.array([LineString(line) for line in lines], dtype=object),
        left=np.array(left),
        right=np.array(right),
        start=node[:, 0],
        end=node[:, 1],
        is_free=free,
        is_feature=np.array([k == STREET for k in kind]),
        is_soft=np.zeros(len(kind), dtype=bool),
    )


def relaxed(arcs: Arcs, *, houses=(), lamps=(), reach_m2: float = 5_000.0) -> Arcs:
    options = DivisionOptions()
    obstacles = Obstacles(
        solids=np.array(list(houses), dtype=object).reshape(-1),
        buildings=len(houses),
        points=shapely.points(np.array(list(lamps), dtype=float).reshape(-1, 2)),
        clearance_m=options.clearance_m,
        point_clearance_m=options.component_clearance_m,
    )
    area = areas(arcs)
    limits = Limits(
        target_m2=np.full(len(area), 10_000.0),
        least_m2=area - reach_m2,
        most_m2=area + reach_m2,
    )
    return relax(arcs, obstacles, limits, options=options)


def polygon(arcs: Arcs, grid: int) -> Polygon:
    around = arcs.lines[(arcs.left == grid) | (arcs.right == grid)]
    return shapely.get_parts(shapely.polygonize(around))[0]


def areas(arcs: Arcs) -> np.ndarray:
    count = int(max(arcs.left.max(), arcs.right.max())) + 1
    return shapely.area([polygon(arcs, grid) for grid in range(count)])


def cost(arcs: Arcs) -> float:
    options = DivisionOptions()
    shapes = [polygon(arcs, grid) for grid in range(len(areas(arcs)))]
    area, rim = shapely.area(shapes), shapely.length(shapes)
    each = grid_costs(area, rim, area / 10_000.0, weights=weights_of(options))
    return float(
        each.sum() + options.open_price * shapely.length(arcs.lines[arcs.is_free]).sum() / 100
    )


def oblique(kind: str = OPEN) -> Arcs:
    """Two grids of one hectare with an oblique border between two streets."""
    return arcs_of(
        ([(85, 0), (115, 100)], kind, 0, 1),
        ([(85, 0), (200, 0), (200, 100), (115, 100)], OUTLINE, 1, -1),
        ([(115, 100), (0, 100), (0, 50)], OUTLINE, 0, -1),
        ([(0, 50), (0, 0), (85, 0)], OUTLINE, 0, -1),
    )


def three_ways(middle: tuple[float, float]) -> Arcs:
    """Three grids in a square, whose borders meet in the open."""
    return arcs_of(
        ([middle, (100, 0)], OPEN, 1, 0),
        ([middle, (200, 150)], OPEN, 2, 1),
        ([middle, (0, 150)], OPEN, 0, 2),
        ([(0, 150), (0, 0), (100, 0)], OUTLINE, 0, -1),
        ([(100, 0), (200, 0), (200, 150)], OUTLINE, 1, -1),
        ([(200, 150), (200, 200), (0, 200), (0, 150)], OUTLINE, 2, -1),
    )


def test_an_oblique_border_is_set_upright_by_sliding_along_both_streets() -> None:
    border = relaxed(oblique()).lines[0]
    # Upright it is 100 m long; half a metre is the last step.
    assert border.length < 100.01
    assert areas(relaxed(oblique())) == pytest.approx([10_000, 10_000], abs=100)


def test_a_border_on_a_street_stays() -> None:
    arcs = oblique(STREET)
    assert [line.wkt for line in relaxed(arcs).lines] == [line.wkt for line in arcs.lines]


def test_the_outline_keeps_its_corners_and_takes_the_new_ends() -> None:
    arcs = relaxed(oblique())
    ring = shapely.get_coordinates(
        shapely.line_merge(shapely.MultiLineString(list(arcs.lines[1:])))
    )
    assert set(map(tuple, ring)) >= {(0, 0), (200, 0), (200, 100), (0, 100), (0, 50)}
    assert len(np.unique(ring, axis=0)) == 7
    assert shapely.coverage_is_valid([polygon(arcs, 0), polygon(arcs, 1)])


@pytest.mark.parametrize("middle", [(100.0, 100.0), (80.0, 120.0), (130.0, 90.0)])
def test_a_place_where_three_borders_meet_goes_where_they_cost_least(
    middle: tuple[float, float],
) -> None:
    before = three_ways(middle)
    after = relaxed(before)
    assert cost(after) < cost(before)
    assert areas(after).sum() == pytest.approx(40_000)
    grids = np.array([polygon(after, grid) for grid in range(3)])
    assert shapely.coverage_is_valid(grids)
    # Half a metre more in any direction gains nothing worth mentioning.
    there = shapely.get_coordinates(after.lines[0])[0]
    ends = [tuple(shapely.get_coordinates(after.lines[k])[-1]) for k in range(3)]
    for turn in np.linspace(0, 2 * np.pi, 9)[:-1]:
        place = tuple(there + 0.5 * np.array([np.cos(turn), np.sin(turn)]))
        lines = after.lines.copy()
        lines[:3] = [LineString([place, end]) for end in ends]
        assert cost(after.with_lines(lines)) > cost(after) - 0.01


def test_a_house_in_the_way_stays_whole_and_clear() -> None:
    house = box(100, 40, 110, 45)
    assert relaxed(oblique()).lines[0].distance(house) < 0.5
    border = relaxed(oblique(), houses=[house]).lines[0]
    assert border.distance(house) >= 0.5 - 1e-6
    assert border.length < oblique().lines[0].length


def test_a_border_comes_no_nearer_to_a_lamp_than_the_clearance() -> None:
    lamp = (100.0, 20.0)
    assert relaxed(oblique()).lines[0].distance(Point(lamp)) < 0.6
    border = relaxed(oblique(), lamps=[lamp]).lines[0]
    assert border.distance(Point(lamp)) >= 0.6 - 1e-6


def test_no_grid_leaves_its_limits() -> None:
    arcs = arcs_of(
        ([(40, 0), (70, 100)], OPEN, 0, 1),
        ([(40, 0), (200, 0), (200, 100), (70, 100)], OUTLINE, 1, -1),
        ([(70, 100), (0, 100), (0, 0), (40, 0)], OUTLINE, 0, -1),
    )
    assert areas(arcs) == pytest.approx([5_500, 14_500])
    found = areas(relaxed(arcs, reach_m2=1_000.0))
    assert found[0] == pytest.approx(6_500, abs=60)
    assert found[0] <= 6_500


def test_ends_on_one_street_stay_apart_and_in_order() -> None:
    # Two borders that would both end where the house leaves room.
    arcs = arcs_of(
        ([(98, 0), (60, 100)], OPEN, 0, 1),
        ([(102, 0), (140, 100)], OPEN, 1, 2),
        ([(98, 0), (102, 0)], OUTLINE, 1, -1),
        ([(102, 0), (200, 0), (200, 100), (140, 100)], OUTLINE, 2, -1),
        ([(140, 100), (60, 100)], OUTLINE, 1, -1),
        ([(60, 100), (0, 100), (0, 0), (98, 0)], OUTLINE, 0, -1),
    )
    after = relaxed(arcs)
    foot = [shapely.get_coordinates(after.lines[k])[0][0] for k in (0, 1)]
    assert foot[1] - foot[0] > 4.0
    assert shapely.coverage_is_valid(np.array([polygon(after, grid) for grid in range(3)]))


def test_nothing_that_moves_is_no_work() -> None:
    arcs = arcs_of((SQUARE + SQUARE[:1], OUTLINE, 0, -1))
    assert relaxed(arcs) is arcs
