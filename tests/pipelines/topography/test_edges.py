"""A map cut along the edges of sheets, its ends disturbed, and matched: the same map again."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.topography.matching import Matched, Sheets, match_edges

SIDE = 250.0
TOLERANCE = 0.15


def sheets_of(columns: int, rows: int, *, age: list[float] | None = None) -> Sheets:
    boxes = [
        shapely.box(x * SIDE, y * SIDE, (x + 1) * SIDE, (y + 1) * SIDE)
        for y in range(rows)
        for x in range(columns)
    ]
    count = len(boxes)
    return Sheets(
        extents=np.array(boxes, dtype=object),
        tolerance_m=np.full(count, TOLERANCE),
        age=np.array(age or [0.0] * count),
    )


def pieces_of(rows: list[tuple[str, str, str | None, dict, int, shapely.Geometry]]):
    frame = gpd.GeoDataFrame(
        [row[:4] for row in rows],
        columns=["code", "feature_class", "name", "attributes"],
        geometry=[row[5] for row in rows],
    )
    return frame, np.array([row[4] for row in rows], dtype=np.intp)


def match(rows, *, columns=2, high=1, age=None) -> Matched:
    frame, sheet = pieces_of(rows)
    return match_edges(frame, sheet, sheets_of(columns, high, age=age))


def road(code, sheet, *points, name=None, kind="430501", **attributes):
    return (code, kind, name, attributes, sheet, shapely.LineString(points))


def area(code, sheet, shape, *, name=None, kind="820000", **attributes):
    return (code, kind, name, attributes, sheet, shape)


def rules(matched: Matched) -> list[str]:
    return matched.faults["rule"].tolist()


def cut_up(shapes, kinds, sheets):
    """Cut features by the sheets: rows as delivered, and the feature of each."""
    rows, truth = [], []
    for number, (shape, kind) in enumerate(zip(shapes, kinds, strict=True)):
        for place, extent in enumerate(sheets.extents):
            part = shapely.intersection(shape, extent)
            for piece in shapely.get_parts(part):
                if piece.length > 0 and piece.geom_type == shape.geom_type:
                    code = f"{place}-{len(rows)}"
                    rows.append((code, kind, None, {}, place, piece))
                    truth.append(number)
    return rows, np.array(truth)


def disturbed(rows, sheets, *, seed, by_m):
    """Move every vertex that lies on an edge, by at most `by_m` along and across it."""
    random = np.random.default_rng(seed)
    result = []
    edges = shapely.boundary(sheets.extents)
    for code, kind, name, attributes, sheet, shape in rows:
        xy = shapely.get_coordinates(shape)
        on = shapely.distance(shapely.points(xy), edges[sheet]) < 1e-9
        shift = random.uniform(-by_m, by_m, xy.shape) / 2**0.5
        moved = np.where(on[:, None], xy + shift, xy)
        if shape.geom_type == "Polygon":
            moved[-1] = moved[0]
            bent = shapely.set_coordinates(shapely.Polygon(shape.exterior), moved[: len(xy)])
        else:
            bent = shapely.LineString(moved)
        result.append((code, kind, name, attributes, sheet, bent))
    return result


def random_map(seed, *, count=14, size=3):
    """Long lines and convex areas of one class each, so that no two of them could be joined.

    None grazes an edge or passes a corner so near that its cut is shorter than the tolerance.
    """
    random = np.random.default_rng(seed)
    grid = sheets_of(size, size).extents
    shapes, kinds = [], []
    number = 0
    while len(shapes) < count:
        number += 1
        if number % 2:
            bends = random.uniform(20, size * SIDE - 20, (4, 2))
            shape, kind = shapely.LineString(bends), f"43{number:04d}"
        else:
            middle = random.uniform(100, size * SIDE - 100, 2)
            points = middle + random.uniform(-90, 90, (8, 2))
            shape, kind = shapely.MultiPoint(points).convex_hull, f"31{number:04d}"
        if _is_plain(shape, grid):
            shapes.append(shape)
            kinds.append(kind)
    return shapes, kinds


def _is_plain(shape, grid):
    edges = shapely.union_all(shapely.boundary(grid))
    corners = shapely.multipoints(shapely.get_coordinates(grid))
    outline = shape if shape.geom_type == "LineString" else shape.boundary
    parts = shapely.get_parts(shapely.intersection(outline, grid))
    stretches = shapely.get_parts(shapely.intersection(shape, edges))
    vertices = shapely.points(shapely.get_coordinates(shape))
    return (
        shapely.is_simple(shape)
        and shapely.distance(outline, corners) > 1
        and min(part.length for part in parts if not part.is_empty) > 1
        and min([1.1, *(line.length for line in stretches if line.length)]) > 1
        and shapely.distance(vertices, edges).min() > 1
    )


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_a_map_cut_by_sheets_and_matched_is_the_map_again(seed):
    sheets = sheets_of(3, 3)
    shapes, kinds = random_map(seed)
    rows, truth = cut_up(shapes, kinds, sheets)
    frame, sheet = pieces_of(disturbed(rows, sheets, seed=seed, by_m=0.07))
    matched = match_edges(frame, sheet, sheets)
    # Each piece is in one feature, and pieces are together exactly if they were before.
    assert len(matched.group) == len(rows)
    together = {}
    for feature, was in zip(matched.group.tolist(), truth.tolist(), strict=True):
        together.setdefault(feature, set()).add(was)
    assert all(len(group) == 1 for group in together.values())
    for feature in together:
        assert shapely.is_valid(matched.shapes[feature])
    for number, shape in enumerate(shapes):
        found = np.unique(matched.group[truth == number])
        assert len(found) == 1, (number, kinds[number], rules(matched))
        assert shapely.hausdorff_distance(matched.shapes[found[0]], shape) < 0.15


@settings(max_examples=10)
@given(st.integers(0, 10**6))
def test_the_order_of_pieces_and_sheets_does_not_matter(seed):
    sheets = sheets_of(2, 2)
    shapes, kinds = random_map(seed, count=8, size=2)
    rows, _ = cut_up(shapes, kinds, sheets)
    rows = disturbed(rows, sheets, seed=seed, by_m=0.07)
    frame, sheet = pieces_of(rows)
    one = match_edges(frame, sheet, sheets)
    turned_sheets = Sheets(
        extents=sheets.extents[::-1], tolerance_m=sheets.tolerance_m, age=sheets.age
    )
    other = match_edges(frame.iloc[::-1].reset_index(drop=True), 3 - sheet[::-1], turned_sheets)

    def groups(matched, codes):
        found = {}
        for code, feature in zip(codes, matched.group.tolist(), strict=True):
            found.setdefault(feature, set()).add(code)
        return {
            frozenset(group): shapely.normalize(shapely.set_precision(matched.shapes[f], 1e-3)).wkt
            for f, group in found.items()
        }

    assert groups(one, frame["code"]) == groups(other, frame["code"][::-1])


def test_ends_meet_in_the_middle_or_at_the_newer_sheet():
    rows = [road("a", 0, (200, 100), (250, 100)), road("b", 1, (250, 100.1), (300, 100))]
    assert match(rows).shapes[0].wkt == "LINESTRING (200 100, 250 100.05, 300 100)"
    newer = match(rows, age=[0.0, 1.0])
    assert newer.shapes[0].wkt == "LINESTRING (200 100, 250 100.1, 300 100)"
    assert rules(newer) == []


def test_matching_again_changes_nothing():
    rows = [road("a", 0, (200, 100), (250, 100)), road("b", 1, (250, 100.1), (300, 100))]
    once = match(rows)
    whole = [("a", "430501", None, {}, 0, once.shapes[0])]
    again = match(whole)
    assert again.shapes[0].wkt == once.shapes[0].wkt
    assert rules(again) == []


@pytest.mark.parametrize(
    ("gap", "joined", "told"),
    [(0.0, 1, []), (0.15, 1, []), (0.151, 1, ["TP83"]), (0.3, 1, ["TP83"]), (0.301, 0, ["TP84"])],
)
def test_a_gap_is_closed_told_or_left(gap, joined, told):
    rows = [road("a", 0, (200, 100), (250, 100)), road("b", 1, (250, 100 + gap), (300, 100))]
    matched = match(rows)
    assert matched.joins == joined
    assert rules(matched) == told
    assert len(matched.shapes) == 2 - joined


def test_an_unmatched_end_is_told_once_with_its_counterpart_and_its_place():
    rows = [road("a", 0, (200, 100), (250, 100)), road("b", 1, (250, 101), (300, 100))]
    (fault,) = match(rows).faults.to_dict("records")
    assert (fault["row"], fault["other_row"], fault["gap_m"]) == (0, 1, 1.0)
    assert (fault["sheet"], fault["other_sheet"]) == (0, 1)
    assert fault["geometry"].wkt == "POINT (250 100)"


def test_an_end_at_the_edge_of_the_coverage_need_not_go_on():
    rows = [road("a", 0, (0, 100), (200, 100)), road("b", 1, (300, 250), (300, 100))]
    assert rules(match(rows)) == []


def test_a_line_along_the_edge_need_not_go_on():
    rows = [road("a", 0, (249.95, 20), (249.95, 100)), road("b", 1, (300, 100), (400, 100))]
    assert rules(match(rows)) == []


def test_another_class_another_name_another_width_stay_apart_and_are_told():
    here = {"name": "裕华路", "width_m": 30.0}
    for change, rule, columns in (
        ({"kind": "430502"}, "TP80", ()),
        ({"name": "建设路"}, "TP81", ("name",)),
        ({"width_m": 24.0}, "TP81", ("width_m",)),
    ):
        rows = [
            road("a", 0, (200, 100), (250, 100), **here),
            road("b", 1, (250, 100), (300, 100), **(here | change)),
        ]
        matched = match(rows)
        assert matched.joins == 0
        assert rules(matched) == [rule]
        assert matched.faults["columns"].iloc[0] == columns


def test_what_only_one_side_knows_does_not_contradict():
    rows = [
        road("a", 0, (200, 100), (250, 100), name="裕华路"),
        road("b", 1, (250, 100), (300, 100), width_m=30.0, length=50.0),
    ]
    assert match(rows).joins == 1


def test_a_chain_does_not_bring_two_names_together():
    # The middle piece has no name: it goes to one of the two, not to both.
    rows = [
        road("a", 0, (200, 100), (250, 100), name="裕华路"),
        road("b", 1, (250, 100), (500, 100)),
        road("c", 2, (500, 100), (600, 100), name="建设路"),
    ]
    matched = match(rows, columns=3)
    assert matched.joins == 1
    assert rules(matched) == ["TP81"]
    assert matched.faults["columns"].iloc[0] == ("name",)


def test_the_same_identifier_joins_in_spite_of_a_name_and_says_so():
    rows = [
        road("a", 0, (200, 100), (250, 100), name="裕华路"),
        road("a", 1, (250, 100), (300, 100), name="裕华东路"),
    ]
    matched = match(rows)
    assert matched.joins == 1
    assert rules(matched) == ["TP82"]


def test_at_a_crossing_on_the_edge_each_line_goes_straight_on():
    rows = [
        road("a", 0, (200, 50), (250, 100)),
        road("b", 0, (200, 150), (250, 100)),
        road("c", 1, (250, 100), (300, 150)),
        road("d", 1, (250, 100), (300, 50)),
    ]
    matched = match(rows)
    assert matched.group.tolist() == [0, 1, 0, 1]
    assert [shape.length for shape in matched.shapes] == pytest.approx([2**0.5 * 100] * 2)


def test_a_river_over_nine_sheets_is_one():
    bends = [(20, 20), (740, 120), (30, 380), (735, 500), (60, 735)]
    sheets = sheets_of(3, 3)
    river = shapely.LineString(bends).buffer(8)
    rows, _ = cut_up([river], ["210101"], sheets)
    assert {row[4] for row in rows} == set(range(9))
    frame, sheet = pieces_of(disturbed(rows, sheets, seed=3, by_m=0.03))
    matched = match_edges(frame, sheet, sheets)
    assert len(matched.shapes) == 1
    assert matched.shapes[0].area == pytest.approx(river.area, rel=1e-4)
    assert len(shapely.get_rings(matched.shapes[0])) == len(shapely.get_rings(river))


def test_an_area_over_a_corner_of_four_sheets_is_one_without_slivers():
    square = shapely.box(200, 200, 300, 300)
    sheets = sheets_of(2, 2)
    rows, _ = cut_up([square], ["820000"], sheets)
    frame, sheet = pieces_of(disturbed(rows, sheets, seed=1, by_m=0.05))
    matched = match_edges(frame, sheet, sheets)
    assert len(matched.shapes) == 1
    assert len(shapely.get_rings(matched.shapes[0])) == 1
    assert matched.shapes[0].symmetric_difference(square).area < 100 * 0.15 * 4
    assert rules(matched) == []


def test_areas_whose_cuts_disagree_stay_apart_and_are_told():
    rows = [
        area("a", 0, shapely.box(200, 100, 250, 140)),
        area("b", 1, shapely.box(250, 100, 300, 141)),
    ]
    matched = match(rows)
    assert matched.joins == 0
    assert rules(matched) == ["TP85"]
    rows[1] = area("b", 1, shapely.box(250, 100, 300, 140.2))
    matched = match(rows)
    assert (matched.joins, rules(matched)) == (1, ["TP83"])


def test_an_area_that_is_a_whole_sheet_and_a_sliver_at_the_edge():
    rows = [
        area("a", 0, shapely.box(0, 0, 250, 250)),
        area("b", 1, shapely.box(250, 0, 300, 250)),
        area("c", 1, shapely.box(250, 0, 250.02, 60), kind="340000"),
    ]
    matched = match(rows)
    assert matched.group.tolist() == [0, 0, 1]
    assert matched.shapes[0].area == 300 * 250
    assert matched.shapes[1].equals(rows[2][5])


def test_nothing_at_all_and_pieces_on_no_sheet():
    frame, sheet = pieces_of([road("a", -1, (240, 100), (250, 100))])
    matched = match_edges(frame, sheet, sheets_of(2, 1))
    assert (matched.group.tolist(), matched.joins) == ([0], 0)
    empty = match_edges(frame.iloc[:0], sheet[:0], sheets_of(2, 1))
    assert (len(empty.group), len(empty.shapes), len(empty.faults)) == (0, 0, 0)
