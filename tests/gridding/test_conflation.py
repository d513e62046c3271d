"""Of lines side by side one stays, and faces close."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, Point, Polygon, box

from gridding.conflation import conflate
from gridding.options import DivisionOptions
from gridding.scene import KINDS, Lines, Scene, add_lines, read_scene

CRS = "EPSG:4547"
OPTIONS = DivisionOptions()
LAND = box(0, 0, 1000, 1000)
MAIN, STREET, INNER, PATH, WALL, COMPOUND, RAIL = (
    "430501", "430503", "430600", "440300", "380201", "310600", "410000",
)  # fmt: skip

Row = tuple[str, shapely.Geometry]


def scene_of(*rows: Row) -> Scene:
    frame = gpd.GeoDataFrame(
        {"feature_class": [code for code, _ in rows]}, geometry=[g for _, g in rows], crs=CRS
    )
    return read_scene(frame, options=OPTIONS)


def lines_of(*rows: Row, land: Polygon = LAND) -> Lines:
    return conflate(land, scene_of(*rows), options=OPTIONS)


def faces(lines: Lines, land: Polygon = LAND) -> list[Polygon]:
    noded = shapely.union_all(np.append(lines.lines, land.boundary), grid_size=0.01)
    found = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    return [face for face in found if land.contains(face.representative_point())]


def areas(lines: Lines, land: Polygon = LAND) -> list[int]:
    return sorted(round(face.area) for face in faces(lines, land))


def length_of(lines: Lines, kind: str) -> float:
    return float(shapely.length(lines.lines[lines.kind == KINDS.index(kind)]).sum())


def wavy(
    start: tuple[float, float], stop: tuple[float, float], *, noise: float, seed: int
) -> LineString:
    """Return a line with a vertex every 7 m, each off by noise."""
    rng = np.random.default_rng(seed)
    count = int(Point(start).distance(Point(stop)) / 7)
    share = np.linspace(0, 1, count)[:, None]
    points = np.array(start) * (1 - share) + np.array(stop) * share
    points[1:-1] += rng.normal(0, noise, (count - 2, 2))
    return LineString(points)


def test_no_lines_leave_the_land_whole() -> None:
    assert areas(lines_of()) == [1_000_000]
    assert areas(lines_of(("310300", box(5, 5, 20, 20)))) == [1_000_000]


def test_a_crossing_stays() -> None:
    cross = (
        (MAIN, LineString([(0, 500), (1000, 500)])),
        (STREET, LineString([(400, 0), (400, 1000)])),
        (PATH, LineString([(700, -5), (700, 520), (705, 1005)])),
    )
    lines = lines_of(*cross)
    assert len(areas(lines)) == 6
    assert length_of(lines, "street") == pytest.approx(1000)


@pytest.mark.parametrize("noise", [0.0, 0.1, 1.5])
def test_a_road_along_the_border_with_noise_makes_no_sliver(noise: float) -> None:
    road = wavy((0, 0.05), (1000, 0.05), noise=noise, seed=3)
    side = LineString([(500, 0), (500, 1000)])
    lines = lines_of((MAIN, road), (STREET, side))
    assert areas(lines) == [500_000, 500_000]
    assert length_of(lines, "main_road") == 0


def test_a_road_beside_the_border_for_a_while_is_tied_to_it() -> None:
    # Comes in from the north, runs 3 m beside the border for 500 m, goes out north again.
    road = LineString([(200, 1000), (200, 3), (700, 3), (700, 1000)])
    lines = lines_of((MAIN, road))
    assert areas(lines) == [200_000, 300_000, 500_000]
    assert length_of(lines, "main_road") == pytest.approx(2000, abs=5)


def test_a_dual_carriageway_is_one_border() -> None:
    north = wavy((0, 506), (1000, 506), noise=0.2, seed=1)
    south = wavy((0, 494), (1000, 494), noise=0.2, seed=2)
    sides = [LineString([(x, 0), (x, 494)]) for x in (300, 600)]
    others = [LineString([(x, 506), (x, 1000)]) for x in (200, 800)]
    link = LineString([(450, 494), (450, 506)])
    rows = [(MAIN, north), (MAIN, south), (STREET, link), *((STREET, x) for x in (*sides, *others))]
    found = areas(lines_of(*rows))
    # Three blocks on each side, and streets that ended at the carriageway dropped reach the other.
    assert len(found) == 6
    assert min(found) > 90_000


def test_the_border_lies_midway_between_carriageways() -> None:
    rows = [
        (MAIN, LineString([(0, 508), (1000, 508)])),
        (MAIN, LineString([(0, 492), (1000, 492)])),
        (STREET, LineString([(300, 0), (300, 492)])),
        (STREET, LineString([(700, 508), (700, 1000)])),
        (STREET, LineString([(500, 0), (500, 1000)])),
    ]
    lines = lines_of(*rows)
    assert areas(lines) == pytest.approx(
        [100_000, 100_000, 150_000, 150_000, 250_000, 250_000], abs=1
    )
    main = lines.lines[lines.kind == KINDS.index("main_road")]
    assert shapely.bounds(main)[0].tolist() == pytest.approx([0, 500, 1000, 500])


def test_duplicate_lines_count_once() -> None:
    one = LineString([(0, 300), (1000, 300)])
    rows = [(STREET, one), (STREET, one), (STREET, LineString([(1000, 300), (600, 300), (0, 300)]))]
    lines = lines_of(*rows, (INNER, one), (STREET, wavy((0, 300), (1000, 300), noise=0.1, seed=4)))
    assert areas(lines) == pytest.approx([300_000, 700_000], abs=50)
    assert float(shapely.length(lines.lines).sum()) == pytest.approx(1000, abs=1)


def test_lines_that_overlap_in_part_make_one() -> None:
    first = LineString([(0, 400), (600, 400)])
    second = LineString([(400, 401), (1000, 401)])
    assert areas(lines_of((STREET, first), (STREET, second))) == pytest.approx(
        [400_000, 600_000], abs=500
    )


def test_lines_that_cross_at_a_small_angle_stay_two() -> None:
    rows = (
        (STREET, LineString([(0, 480), (1000, 520)])),
        (STREET, LineString([(0, 520), (1000, 480)])),
    )
    assert len(areas(lines_of(*rows))) == 4


def test_a_sidewalk_gives_way_to_its_street() -> None:
    street = LineString([(0, 500), (1000, 500)])
    walks = [LineString([(0, y), (1000, y)]) for y in (487, 513)]
    zebra = LineString([(300, 487), (300, 513)])
    lines = lines_of((STREET, street), *((PATH, one) for one in (*walks, zebra)))
    assert areas(lines) == [500_000, 500_000]
    apart = lines_of((STREET, street), (PATH, LineString([(0, 540), (1000, 540)])))
    assert len(areas(apart)) == 3


def test_fronts_of_parcels_go_and_their_sides_reach_the_street() -> None:
    street = LineString([(0, 500), (1000, 500)])
    parcels = [box(x, 512, x + 50, 600) for x in range(0, 1000, 50)]
    lines = lines_of((STREET, street), *((COMPOUND, one) for one in parcels))
    found = faces(lines)
    assert areas(lines) == [*([5000] * 20), 400_000, 500_000]
    assert shapely.area(shapely.union_all(found)) == pytest.approx(1_000_000)


def test_the_wall_of_a_compound_is_its_outline() -> None:
    yard = box(300, 300, 420, 420)
    gate = LineString(
        [(355, 300.4), (300.4, 300.4), (300.4, 419.6), (419.6, 419.6), (419.6, 300.4), (365, 300.4)]
    )
    lines = lines_of((COMPOUND, yard), (WALL, gate))
    assert len(areas(lines)) == 2
    assert min(areas(lines)) == pytest.approx(14_400, rel=0.01)


def test_a_roundabout_stays_a_ring() -> None:
    ring = Point(500, 500).buffer(25).exterior
    arms = [
        LineString([(0, 500), (475, 500)]),
        LineString([(525, 500), (1000, 500)]),
        LineString([(500, 0), (500, 475)]),
        LineString([(500, 525), (500, 1000)]),
    ]
    found = areas(lines_of((MAIN, ring), *((MAIN, arm) for arm in arms)))
    assert len(found) == 5
    assert found[0] == pytest.approx(np.pi * 625, rel=0.02)


def test_loose_ends_reach_the_next_line() -> None:
    rows = (
        (MAIN, LineString([(3, 500), (994, 500)])),  # 3 and 6 m short of the border
        (STREET, LineString([(400, 4), (400, 492)])),  # 4 and 8 m short
        (STREET, LineString([(700, 960), (700, 560)])),  # a cul-de-sac: meets nothing
    )
    lines = lines_of(*rows)
    assert areas(lines) == [200_000, 300_000, 500_000] or areas(lines) == [
        200_000,
        300_000,
        500_000,
    ]
    assert length_of(lines, "street") == pytest.approx(500 + 400, abs=1)


def test_no_connector_goes_through_a_building() -> None:
    rows = (
        (STREET, LineString([(0, 500), (992, 500)])),
        ("310300", box(994, 480, 998, 520)),
    )
    assert areas(lines_of(*rows)) == [1_000_000]


def test_locked_and_existing_lines_stay_as_they_are() -> None:
    street = LineString([(0, 500), (1000, 500)])
    locked = np.array([LineString([(0, 503), (1000, 503)])])
    scene = add_lines(scene_of((MAIN, street)), locked, kind="locked", options=OPTIONS)
    lines = conflate(LAND, scene, options=OPTIONS)
    assert [KINDS[kind] for kind in lines.kind] == ["locked"]
    assert lines.lines[0].equals_exact(locked[0], 0) or lines.lines[0].equals(locked[0])
    assert lines.price.tolist() == [-1000]
    old = np.array(
        [LineString([(0, 501), (600, 501), (1000, 501)]), LineString([(0, 520), (1000, 520)])]
    )
    scene = add_lines(scene_of((MAIN, street)), old, kind="existing", price=0.1, options=OPTIONS)
    lines = conflate(LAND, scene, options=OPTIONS)
    # The old border along the street stays where it is and is worth what the street is.
    assert [KINDS[kind] for kind in lines.kind] == ["existing", "existing"]
    assert sorted(lines.price.tolist()) == [-14.0, 0.1]


def test_shared_edges_of_parcels_are_cut_nowhere() -> None:
    parcels = [box(x, y, x + 40, y + 60) for x in range(100, 500, 40) for y in range(100, 700, 60)]
    lines = lines_of(*((COMPOUND, one) for one in parcels))
    assert areas(lines)[:100] == [2400] * 100
    assert float(shapely.length(lines.lines).sum()) == pytest.approx(11 * 400 + 11 * 600)


def test_many_streets_side_by_side_lose_none() -> None:
    rows = [(STREET, LineString([(0, y), (1000, y)])) for y in range(50, 1000, 50)]
    assert len(areas(lines_of(*rows))) == 20


def test_only_what_lies_near_the_land_is_returned() -> None:
    far = LineString([(2000, 0), (2000, 1000)])
    through = LineString([(-50_000, 500), (50_000, 500)])
    lines = lines_of((MAIN, far), (MAIN, through))
    assert areas(lines) == [500_000, 500_000]
    assert shapely.length(lines.lines).sum() < 1200


def test_land_with_holes_and_parts_outside() -> None:
    land = Polygon(LAND.exterior, [box(400, 400, 600, 600).exterior])
    road = wavy((400, 396), (600, 396), noise=0.1, seed=9)
    lines = lines_of((STREET, road), (STREET, LineString([(0, 500), (1000, 500)])), land=land)
    assert areas(lines, land) == [480_000, 480_000]


def town(seed: int) -> list[Row]:
    """Return a crooked town with everything drawn twice and three times."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for at in np.arange(60, 1000, 120):
        a, b = rng.normal(0, 8, 2)
        rows.append(
            (
                MAIN if at > 800 else STREET,
                wavy((0, at + a), (1000, at + b), noise=0.4, seed=int(at)),
            )
        )
        rows.append((STREET, wavy((at + a, -20), (at + b, 1020), noise=0.4, seed=int(at) + 1)))
        rows.append((PATH, wavy((0, at + a + 9), (1000, at + b + 9), noise=0.6, seed=int(at) + 2)))
    for x, y in rng.uniform(0, 950, (60, 2)):
        rows.append((COMPOUND, box(x, y, x + rng.uniform(15, 60), y + rng.uniform(15, 60))))
    return rows


def test_order_and_direction_play_no_part() -> None:
    rows = town(7)
    one = lines_of(*rows)
    two = lines_of(*[(code, shapely.reverse(shape)) for code, shape in rows[::-1]])
    assert [line.wkb for line in one.lines] == [line.wkb for line in two.lines]
    assert one.price.tolist() == two.price.tolist()
    assert one.kind.tolist() == two.kind.tolist()


@pytest.mark.parametrize("seed", range(4))
def test_a_crooked_town_keeps_its_streets_and_has_no_strips(seed: int) -> None:
    rows = [row for row in town(seed) if row[0] != COMPOUND]
    lines = lines_of(*rows)
    streets = [shape for code, shape in rows if code in (MAIN, STREET)]
    inside = [shape.intersection(LAND.buffer(-20)) for shape in streets]
    kept = shapely.union_all(lines.lines).union(LAND.boundary).buffer(13)
    lost = sum(shape.difference(kept).length for shape in inside)
    assert lost < 0.005 * sum(shape.length for shape in inside)
    found = faces(lines)
    assert len(found) == 81
    assert not [face for face in found if face.buffer(-6).is_empty]
