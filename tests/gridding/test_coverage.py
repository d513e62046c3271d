"""Coverages: pieces of land divided apart come together without gap, overlap or unmatched vertex."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon, box

from gridding.coverage import fill_land, snap_coverage
from gridding.joining import join_outlines


def cut_apart(land: np.ndarray, seed: int, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Voronoi cells of every piece of land, noded each for itself on the centimetre grid."""
    random = np.random.default_rng(seed)
    polygons, home = [], []
    for number, piece in enumerate(land):
        west, south, east, north = piece.bounds
        sites = random.uniform((west, south), (east, north), (cells, 2))
        lines = shapely.voronoi_polygons(
            shapely.multipoints(sites), extend_to=piece, only_edges=True
        )
        noded = shapely.union_all(
            np.array([*shapely.get_parts(lines), piece.boundary]), grid_size=0.01
        )
        faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
        faces = faces[shapely.contains_properly(piece, shapely.point_on_surface(faces))]
        polygons += faces[shapely.area(faces) > 0.5].tolist()
        home += [number] * (len(polygons) - len(home))
    return np.array(polygons, dtype=object), np.array(home, dtype=np.intp)


def slanted_land(side: int, size_m: float = 300.0) -> np.ndarray:
    """A chequer of quadrangles whose corners are moved, so that no border follows the precision grid."""
    random = np.random.default_rng(side)
    corner = np.stack(np.meshgrid(np.arange(side + 1.0), np.arange(side + 1.0)), axis=-1) * size_m
    corner = np.round(corner + random.uniform(-60, 60, corner.shape), 2)
    return np.array(
        [
            Polygon([corner[j, i], corner[j, i + 1], corner[j + 1, i + 1], corner[j + 1, i]])
            for j in range(side)
            for i in range(side)
        ],
        dtype=object,
    )


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_pieces_divided_apart_become_one_coverage(seed: int) -> None:
    land = slanted_land(3)
    polygons, home = cut_apart(land, seed, 12)
    geometry, index = fill_land(polygons, land, home, precision_m=0.01)
    assert shapely.coverage_is_valid(geometry)
    assert shapely.is_valid(geometry).all()
    whole = shapely.coverage_union_all(geometry)
    assert shapely.get_num_interior_rings(whole) == 0
    outline = shapely.union_all(land)
    assert shapely.symmetric_difference(whole, outline).area < 0.01 * outline.length
    cells = shapely.get_coordinates(geometry) * 100
    assert np.abs(cells - np.rint(cells)).max() < 1e-4
    for number, piece in enumerate(land):
        own = shapely.area(geometry[home[index] == number]).sum()
        assert own == pytest.approx(piece.area, abs=0.01 * piece.length)


def test_a_piece_that_is_not_covered_is_filled_and_the_others_keep_their_polygons() -> None:
    land = slanted_land(3)
    polygons, home = cut_apart(land, 5, 12)
    inner = np.flatnonzero(home == 4)[3]
    kept = np.arange(len(polygons)) != inner
    geometry, index = fill_land(polygons[kept], land, home[kept], precision_m=0.01)
    assert shapely.coverage_is_valid(geometry)
    assert shapely.area(geometry).sum() == pytest.approx(shapely.area(land).sum(), abs=3.0)
    assert shapely.get_num_interior_rings(shapely.coverage_union_all(geometry)) == 0
    assert len(geometry) == kept.sum()
    elsewhere = home[kept][index] != 4
    before = shapely.area(polygons[kept][index[elsewhere]])
    # Vertices of the outline move by a centimetre at most.
    assert np.abs(shapely.area(geometry[elsewhere]) - before).max() < 2.0


def test_a_polygon_missing_at_the_outline_is_noticed() -> None:
    land = np.array([box(0, 0, 30, 10)])
    strips = shapely.box([0, 10], 0, [10, 20], 10)
    geometry, index = fill_land(strips, land, np.array([0, 0]), precision_m=0.01)
    assert shapely.area(geometry).tolist() == [100.0, 200.0]
    assert index.tolist() == [0, 1]


def test_neighbours_get_each_others_vertices_on_a_slanted_border() -> None:
    # (5, 1.67) and (7, 2.33) are the cells nearest to the border from (0, 0) to (12, 4).
    lower = Polygon([(0, 0), (12, 0), (12, 4), (5, 1.67)])
    upper = Polygon([(0, 0), (7, 2.33), (12, 4), (0, 4)])
    joined = join_outlines(np.array([lower, upper]), precision_m=0.01)
    assert shapely.coverage_is_valid(joined)
    assert [(5.0, 1.67) in shape.exterior.coords for shape in joined] == [True, True]
    assert [(7.0, 2.33) in shape.exterior.coords for shape in joined] == [True, True]


def test_vertices_a_centimetre_apart_become_one() -> None:
    west = box(0, 0, 10, 10).union(box(0, 10, 10, 20))
    west = Polygon([(0, 0), (10, 0), (10, 10), (10, 20), (0, 20)])
    south, north = box(10, 0, 20, 10.01), box(10, 10.01, 20, 20)
    joined = join_outlines(np.array([west, south, north]), precision_m=0.01)
    assert shapely.coverage_is_valid(joined)
    assert shapely.area(joined).sum() == pytest.approx(400)
    assert shapely.get_num_coordinates(joined).tolist() == [6, 5, 5]


def test_an_overlap_goes_to_the_first_and_a_lost_input_does_not_appear() -> None:
    shapes = np.array([box(0, 0, 10, 10), box(9, 0, 20, 10), box(2, 2, 4, 4)])
    geometry, index = snap_coverage(shapes, precision_m=0.01)
    assert index.tolist() == [0, 1]
    assert shapely.area(geometry).tolist() == [100.0, 100.0]
    assert shapely.coverage_is_valid(geometry)
