"""Answers of the cell index beside those of GEOS where cells and points are at their worst."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gis.errors import WanmiError
from gis.index import CellIndex
from gis.laying import lay_tiles
from gis.tiling import read_tiling, write_tiling
from gis.within import cells_within

PLACES = ((0.0, 0.0), (500_000.0, 4_200_000.0), (40_500_000.0, 4_200_000.0), (-3.0, -7.0))
SIZES = (1e-3, 1.0, 7.3, 1e4)


def answers(polygons: list[Any], x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[Any, Any]:
    """Return the first polygon that covers each point, or else the first nearest, and the distance, by GEOS."""
    cells = np.array(polygons, dtype=object)
    points = shapely.points(x, y)
    position, distance_m = [], []
    for point in points:
        covering = np.flatnonzero(shapely.covers(cells, point))
        away = shapely.distance(cells, point)
        position.append(int(covering[0]) if len(covering) else int(np.nanargmin(away)))
        # Outside by less than a distance can tell is still outside.
        distance_m.append(0.0 if len(covering) else max(float(np.nanmin(away)), 1e-300))
    return position, distance_m


def check(polygons: list[Any], x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """Compare every way to ask with GEOS, point by point."""
    index = CellIndex([f"{number:04d}" for number in range(len(polygons))], polygons)
    position, distance_m = answers(polygons, x, y)
    found = index.locate(x, y)
    assert found.position.tolist() == position
    assert found.distance_m.tolist() == distance_m
    cells = np.array(polygons, dtype=object)[position]
    borders = [
        bool(shapely.covers(cell, point) and not shapely.contains_properly(cell, point))
        for cell, point in zip(cells, shapely.points(x, y), strict=True)
    ]
    assert found.on_boundary.tolist() == borders
    one = [index.locate_one(*place) for place in zip(x.tolist(), y.tolist(), strict=True)]
    assert one == list(zip(position, borders, distance_m, strict=True))
    inside = [p if d == 0.0 else -1 for p, d in zip(position, distance_m, strict=True)]
    assert index.holders(shapely.points(x, y)).tolist() == inside
    edge_m = shapely.distance(shapely.boundary(cells), shapely.points(x, y))
    np.testing.assert_array_max_ulp(index.edge_distance(x, y, found.position), edge_m, maxulp=4)


def hard(polygons: list[Any], seed: int, most: int = 60) -> tuple[Any, Any]:
    """Return vertices, points of edges, levels of vertices, points about, each also one ulp off."""
    rng = np.random.default_rng(seed)
    vertices = shapely.get_coordinates(polygons)
    share = rng.choice([0.0, 0.25, 0.5, rng.uniform()], size=(len(vertices) - 1, 1))
    edges = vertices[:-1] + share * np.diff(vertices, axis=0)
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    about = rng.uniform(low - 0.3 * (high - low), high + 0.3 * (high - low), size=(40, 2))
    level = np.column_stack([about[:, 0], rng.choice(vertices[:, 1], len(about))])
    points = rng.permutation(np.concatenate([vertices, edges, about, level]))[:most]
    step = rng.choice([-np.inf, 0.0, np.inf], size=points.shape)
    points = np.where(step == 0.0, points, np.nextafter(points, step))
    # Beside zero an ulp is so small that squares and products vanish, in GEOS too.
    points = np.where((points != 0.0) & (abs(points) < 1e-140), np.copysign(1e-140, points), points)
    return points[:, 0].copy(), points[:, 1].copy()


def moved(polygon: Any, place: tuple[float, float], size: float) -> Any:
    return shapely.transform(polygon, lambda xy: xy * size + np.array(place))


rings = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=3, max_size=9)


@st.composite
def ragged(draw: st.DrawFn) -> Any:
    """A valid polygon or several on whole numbers: what `make_valid` makes of any ring."""
    whole = shapely.make_valid(shapely.Polygon(draw(rings)), method="structure")
    if draw(st.booleans()):
        hole = shapely.make_valid(shapely.Polygon(draw(rings)), method="structure")
        whole = shapely.difference(whole, hole)
    parts = [p for p in shapely.get_parts(whole) if p.geom_type == "Polygon" and p.area > 0.0]
    return shapely.MultiPolygon(parts) if len(parts) != 1 else parts[0]


@settings(max_examples=120, deadline=None)
@given(
    st.lists(ragged(), min_size=1, max_size=6),
    st.sampled_from(PLACES),
    st.sampled_from(SIZES),
    st.integers(0, 1000),
)
def test_any_cells_anywhere(
    shapes: list[Any], place: tuple[float, float], size: float, seed: int
) -> None:
    shapes = [moved(shape, place, size) for shape in shapes if not shape.is_empty]
    shapes = [shape for shape in shapes if shapely.is_valid(shape)]
    if shapes:
        check(shapes, *hard(shapes, seed))


def test_many_cells_that_touch_in_one_corner() -> None:
    turns = np.linspace(0, 2 * np.pi, 401)
    rim = np.column_stack([X + 50 * np.cos(turns), Y + 50 * np.sin(turns)])
    rim[-1] = rim[0]
    fan = [shapely.Polygon([(X, Y), rim[k], rim[k + 1]]) for k in range(400)]
    x, y = hard(fan, 1, most=200)
    near = np.random.default_rng(2).normal((X, Y), 1e-3, size=(100, 2))
    check(fan, np.append(np.append(x, X), near[:, 0]), np.append(np.append(y, Y), near[:, 1]))


X, Y = 40_512_345.678, 4_212_345.678


def test_tiny_cells_beside_huge_ones() -> None:
    huge = shapely.box(X - 1e5, Y - 1e5, X + 1e5, Y + 1e5)
    tiny = [shapely.box(X + k * 1e-6, Y, X + (k + 1) * 1e-6, Y + 1e-6) for k in range(0, 40, 2)]
    cells = [cell for cell in tiny if shapely.is_valid(cell)] + [huge]
    assert len(cells) > 10
    check(cells, *hard(cells, 3))


@pytest.mark.parametrize("width", [1e-6, 1e-3])
def test_slivers(width: float) -> None:
    strips = [shapely.box(X + k * width, Y, X + (k + 1) * width, Y + 300) for k in range(6)]
    leaning = shapely.Polygon([(X, Y), (X + 300, Y + 299.5), (X + 300, Y + 299.5 + width)])
    cells = [*strips, leaning, shapely.box(X - 20, Y - 20, X + 20, Y + 320)]
    check(cells, *hard(cells, 4, most=150))


def test_duplicates_and_vertices_in_line() -> None:
    box = shapely.box(X, Y, X + 10, Y + 10)
    dense = shapely.segmentize(shapely.box(X + 10, Y, X + 20, Y + 10), 0.7)
    twice = shapely.Polygon(
        [(X, Y), (X, Y), (X + 10, Y), (X + 10, Y + 10), (X + 10, Y + 10), (X, Y + 10)]
    )
    cells = [dense, box, twice, box]
    check(cells, *hard(cells, 5, most=150))


def test_one_cell_and_empty_ones() -> None:
    check([shapely.Point(X, Y).buffer(30)], *hard([shapely.Point(X, Y).buffer(30)], 6))
    index = CellIndex(["a", "b", "c"], [None, shapely.Polygon(), shapely.box(0, 0, 1, 1)])
    assert index.locate([0.5, 9.0], [0.5, 0.5]).position.tolist() == [2, 2]
    assert math.isnan(index.edge_distance([0.5], [0.5], [0])[0])
    none = CellIndex(["a"], [shapely.Polygon()])
    assert none.locate([1.0], [1.0]).position.tolist() == [-1]
    assert none.locate_one(1.0, 1.0)[0] == -1


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_no_point(bad: float) -> None:
    index = CellIndex(["a"], [shapely.box(0, 0, 1, 1)])
    for place in ((bad, 0.5), (0.5, bad), (bad, bad)):
        position, on_boundary, distance_m = index.locate_one(*place)
        assert (position, on_boundary, math.isnan(distance_m)) == (-1, False, True)
    assert index.locate([bad], [0.5]).position.tolist() == [-1]
    assert np.isnan(index.edge_distance([bad], [0.5], [0]))[0]


def test_an_open_ring_is_closed_and_a_crossed_one_is_repaired_and_told() -> None:
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    twice = shapely.MultiPolygon([shapely.box(20, 0, 30, 10), shapely.box(25, 0, 35, 10)])
    index = CellIndex(["b", "a", "c"], [bow, shapely.Polygon([(40, 0), (50, 0), (50, 9)]), twice])
    assert index.repaired.tolist() == [0, 2]
    # In the overlap of its own parts a cell is still inside.
    assert index.locate([2.0, 8.0, 5.0, 27.0], [5.0, 5.0, 9.0, 5.0]).distance_m.tolist()[::3] == [
        0,
        0,
    ]
    assert index.holder(27.0, 5.0) == 2
    assert index.holder(5.0, 9.0) == -1
    assert CellIndex(["a"], [shapely.box(0, 0, 1, 1)]).repaired.tolist() == []


def test_a_cell_of_a_million_vertices() -> None:
    turns = np.linspace(0, 2 * np.pi, 1_000_000, endpoint=False)
    wave = 3000.0 + 200.0 * np.sin(700 * turns) + 5.0 * np.sin(90_000 * turns)
    ring = np.column_stack([X + wave * np.cos(turns), Y + wave * np.sin(turns)])
    cell = shapely.Polygon(ring)
    index = CellIndex(["a"], [cell])
    rng = np.random.default_rng(7)
    points = np.concatenate([ring[:300], rng.permutation(ring)[:300] + rng.normal(size=(300, 2))])
    points = np.concatenate(
        [points, rng.uniform((X - 3500, Y - 3500), (X + 3500, Y + 3500), (2000, 2))]
    )
    shapely.prepare(cell)
    wanted = shapely.covers(cell, shapely.points(points))
    found = index.locate(points[:, 0], points[:, 1])
    assert ((found.distance_m == 0.0) == wanted).all()
    assert found.on_boundary[:300].all()
    some = rng.permutation(len(points))[:20]
    edge_m = index.edge_distance(points[some, 0], points[some, 1], np.zeros(20, dtype=int))
    border = shapely.boundary(cell)
    wanted_m = shapely.distance(border, shapely.points(points[some]))
    np.testing.assert_array_max_ulp(edge_m, wanted_m, maxulp=4)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.4, 3.0, 25.0, 400.0]))
def test_cells_within_a_reach_are_those_of_geos(seed: int, reach_m: float) -> None:
    rng = np.random.default_rng(seed)
    corners = np.stack(np.meshgrid(np.arange(6.0), np.arange(6.0)), axis=-1).reshape(-1, 2) * 20
    cells = np.array([shapely.box(*c, *(c + rng.uniform(0.1, 20, 2))) for c in corners], object)
    made = lay_tiles(cells)
    found, boxes = np.empty(64, dtype=np.int64), np.empty((0, 4))
    for x, y in rng.uniform(-30, 150, (10, 2)):
        count = cells_within(x, y, reach_m, tuple(vars(made).values()), boxes, found)
        wanted = np.flatnonzero(shapely.dwithin(cells, shapely.Point(x, y), reach_m))
        assert found[:count].tolist() == wanted.tolist()


def test_a_list_too_short_for_the_cells_within_reach_is_told() -> None:
    cells = np.array([shapely.box(k, 0, k + 1, 1) for k in range(9)], dtype=object)
    made = tuple(vars(lay_tiles(cells)).values())
    assert cells_within(4.5, 0.5, 9.0, made, np.empty((0, 4)), np.empty(4, dtype=np.int64)) == -1


def test_the_nearest_cell_far_away_and_across_empty_land() -> None:
    cells = [shapely.box(k * 1e4, 0, k * 1e4 + 10, 10) for k in range(12)]
    index = CellIndex([f"{k:02d}" for k in range(12)], cells)
    x = np.array([5_005.0 - 1e-6, 5_005.0, 5_005.0 + 1e-6, -1e6, 1e9, 54_321.0])
    y = np.array([5.0, 5.0, 5.0, 5.0, -1e9, 8_000.0])
    position, distance_m = answers(cells, x, y)
    found = index.locate(x, y)
    assert found.position.tolist() == position == [0, 0, 1, 0, 11, 5]
    assert found.distance_m.tolist() == distance_m
    # Twelve cells a province apart take no more than twelve side by side.
    close = CellIndex(index.codes, [shapely.box(k * 10, 0, k * 10 + 10, 10) for k in range(12)])
    assert index.tiling.nbytes() < 40_000 + 3 * close.tiling.nbytes()


@pytest.mark.parametrize("part", ["tiles", "squares", "records", "vertices", "rings"])
def test_a_tiling_cut_short_is_refused(tmp_path: Path, part: str) -> None:
    made = lay_tiles(np.array([shapely.box(k, 0, k + 1, 1) for k in range(40)], dtype=object))
    write_tiling(made, tmp_path, name="t")
    assert read_tiling(lambda name: tmp_path / name, name="t").nbytes() == made.nbytes()
    path = tmp_path / f"t.{part}.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - 64])
    with pytest.raises(WanmiError, match=r"t\."):
        read_tiling(lambda name: tmp_path / name, name="t")
    array = np.load(tmp_path / "t.blocks.npy")
    path.write_bytes(whole)
    np.save(tmp_path / f"t.{part}.npy", array[:0])
    with pytest.raises(WanmiError, match=r"t\."):
        read_tiling(lambda name: tmp_path / name, name="t")
