"""Ground as it is delivered at its worst, a small town of each kind."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import geopandas as gpd
import numpy as np
import shapely
from shapely import (
    GeometryCollection,
    LineString,
    MultiLineString,
    MultiPolygon,
    Point,
    Polygon,
    affinity,
    box,
)

CRS = "EPSG:4547"
EAST, NORTH = 531_000.0, 4_210_000.0
"""Where a city of the north lies in its zone: coordinates are as large as real ones."""
HALL = "310300"
COMPOUND = "310600"
STREET = "430503"
MAIN = "430501"
LAKE = "230000"
FOREST = "811000"

Row = tuple[str, shapely.Geometry | None]


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Communities and what lies on them, in metres from a corner."""

    lands: tuple[shapely.Geometry, ...]
    rows: tuple[Row, ...] = ()
    points: tuple[shapely.Geometry | None, ...] = ()
    rings: int = 0
    """Grids that can not but run round another one."""
    counts: tuple[int, int] = (1, 10_000)
    """Fewest and most grids there may be."""
    attributes: tuple[object, ...] | None = field(default=None)

    @property
    def communities(self) -> gpd.GeoDataFrame:
        codes = [f"130102001{number:03d}" for number in range(1, len(self.lands) + 1)]
        return gpd.GeoDataFrame({"code": codes}, geometry=placed(self.lands), crs=CRS)

    @property
    def features(self) -> gpd.GeoDataFrame:
        columns = {"feature_class": np.array([name for name, _ in self.rows], dtype=object)}
        if self.attributes is not None:
            columns["attributes"] = np.array(self.attributes, dtype=object)
        return gpd.GeoDataFrame(columns, geometry=placed([s for _, s in self.rows]), crs=CRS)

    @property
    def components(self) -> gpd.GeoDataFrame:
        return gpd.GeoDataFrame(geometry=placed(self.points), crs=CRS)


def placed(shapes: Iterable[shapely.Geometry | None]) -> gpd.GeoSeries:
    with np.errstate(invalid="ignore"):
        moved = [None if s is None else affinity.translate(s, EAST, NORTH) for s in shapes]
    return gpd.GeoSeries(moved, crs=CRS, dtype="geometry")


def wobbly(start: tuple[float, float], stop: tuple[float, float], *, seed: int) -> LineString:
    """A line drawn by hand along a straight one: a vertex each 2 m, 10 cm off."""
    rng = np.random.default_rng(seed)
    along = np.linspace(0.0, 1.0, int(np.hypot(*np.subtract(stop, start)) / 2) + 1)[:, None]
    straight = np.array(start) + along * (np.array(stop) - np.array(start))
    return LineString((straight + rng.uniform(-0.1, 0.1, straight.shape)).round(3))


def roads_beside_the_border() -> Ground:
    admin = LineString([(300, 0), (310, 150), (295, 260), (300, 400)])
    west, east = shapely.ops.split(box(0, 0, 600, 400), admin).geoms
    corners = list(admin.coords)
    along = [wobbly(a, b, seed=k) for k, (a, b) in enumerate(pairwise(corners))]
    across = wobbly((-10, 200), (610, 205), seed=9)
    rows = [(STREET, line) for line in (*along, across)]
    return Ground(lands=(west, east), rows=tuple(rows), counts=(18, 30))


def lines_twice_and_crossing() -> Ground:
    one = LineString([(0, 120), (500, 130)])
    part = LineString([(100, 122), (300, 126)])
    rng = np.random.default_rng(5)
    star = [LineString([(250, 250), tuple(rng.uniform(-20, 520, 2))]) for _ in range(15)]
    crossing = [LineString(rng.uniform(-20, 520, (2, 2))) for _ in range(15)]
    knot = LineString([(50, 50), (450, 450), (450, 50), (50, 450), (50, 50), (450, 450)])
    lines = [one, one, one.reverse(), part, part, *star, *crossing, knot, knot.reverse()]
    classes = [STREET, MAIN, STREET, "430600", "440300"]
    rows = [(classes[k % len(classes)], line) for k, line in enumerate(lines)]
    return Ground(lands=(box(0, 0, 500, 500),), rows=tuple(rows), counts=(15, 40))


def only_roads() -> Ground:
    # Lanes 7 m apart both ways: as land there is none but scraps.
    lanes = [LineString([(x, -5), (x, 305)]) for x in range(4, 300, 7)]
    lanes += [LineString([(-5, y), (305, y)]) for y in range(4, 300, 7)]
    return Ground(
        lands=(box(0, 0, 300, 300),), rows=tuple((STREET, line) for line in lanes), counts=(6, 13)
    )


def road_areas_everywhere() -> Ground:
    rows = ((STREET, box(-10, -10, 310, 210)), (MAIN, box(-10, 90, 310, 110)))
    return Ground(lands=(box(0, 0, 300, 200),), rows=rows, counts=(3, 9))


def islands() -> Ground:
    ring = box(0, 0, 300, 300) - box(100, 100, 200, 200)
    scattered = MultiPolygon([box(x, 400, x + 12, 412) for x in range(0, 240, 40)])
    return Ground(
        lands=(ring, box(100, 100, 200, 200), scattered, MultiPolygon([box(400, 0, 600, 100)])),
        rows=((STREET, LineString([(-20, 150), (620, 150)])),),
        counts=(12, 24),
    )


def lake_in_island_in_lake() -> Ground:
    outer, island, inner = (Point(500, 500).buffer(r, 24) for r in (390, 260, 130))
    rows = ((LAKE, outer - island), (LAKE, inner))
    return Ground(lands=(box(0, 0, 1000, 1000),), rows=rows, counts=(50, 90))


def building_of_twelve_grids() -> Ground:
    hall = box(100, 100, 500, 400)
    small = [(HALL, box(x, 20, x + 40, 60)) for x in range(20, 560, 60)]
    court = (HALL, box(650, 50, 900, 450) - box(700, 100, 850, 400))
    lane = (STREET, LineString([(-10, 250), (960, 250)]))
    yard = (STREET, LineString([(770, 110), (780, 390)]))
    return Ground(
        lands=(box(0, 0, 950, 500),), rows=((HALL, hall), *small, court, lane, yard), rings=1
    )


def community_of_one_building() -> Ground:
    house = box(200, 100, 240, 125)
    return Ground(
        lands=(house, box(0, 0, 400, 200) - house),
        rows=((HALL, house), (STREET, LineString([(220, -5), (220, 205)]))),
        counts=(6, 12),
    )


def nothing_is_sound() -> Ground:
    nan, inf = float("nan"), float("inf")
    with np.errstate(invalid="ignore"):
        broken = [
            shapely.linestrings([(nan, 1), (5, nan)]),
            shapely.linestrings([(10, 10), (inf, 10)]),
        ]
        places = [shapely.points(nan, nan), shapely.points(inf, 3)]
    rows: tuple[Row, ...] = (
        (STREET, None),
        (STREET, LineString()),
        (STREET, broken[0]),
        (STREET, broken[1]),
        (STREET, LineString([(50, 50), (50, 50)])),
        (STREET, LineString([(-EAST, -NORTH), (200, 150)])),
        (STREET, LineString([(0, 100, 7.5), (400, 100, 8.0)])),
        (STREET, MultiLineString([[(200, 0), (200, 300)], [(200, 0), (200, 300)]])),
        (HALL, Polygon()),
        (HALL, Polygon([(20, 20), (60, 50), (60, 20), (20, 50)])),
        (HALL, Polygon([(100, 20), (130, 20), (130, 20), (130, 50), (100, 50), (115, 50.001)])),
        (HALL, GeometryCollection([box(300, 20, 330, 50), Point(1, 1)])),
        (HALL, Point(7, 7)),
        (COMPOUND, MultiPolygon([box(20, 220, 90, 280), box(50, 250, 120, 290)])),
        ("", box(0, 0, 10, 10)),
        ("街道", LineString([(0, 50), (400, 60)])),
    )
    points = (None, Point(), *places, Point(200, 30), LineString(), Point(9, 9))
    return Ground(lands=(box(0, 0, 400, 300),), rows=rows, points=points, counts=(8, 16))


def forest() -> Ground:
    rng = np.random.default_rng(2)
    paths = [("440300", LineString(rng.uniform(0, 1400, (4, 2)))) for _ in range(6)]
    return Ground(
        lands=(box(0, 0, 1400, 1400),), rows=((FOREST, box(20, 20, 1380, 1380)), *paths), rings=1
    )


def slivers_of_land() -> Ground:
    needle = Polygon([(0, 0), (3000, 0.4), (3000, 0.9)])
    spike = Polygon(
        [(0, 10), (200, 10), (200, 105), (900, 105.02), (200, 105.06), (200, 200), (0, 200)]
    )
    bow = Polygon([(300, 10), (500, 100), (500, 10), (300, 100)])
    return Ground(lands=(needle, spike, bow), rows=((STREET, LineString([(-5, 105), (950, 105)])),))


def courtyards() -> Ground:
    # Rings of houses round yards: what encloses can not be cut open.
    rings = [
        box(x, y, x + 90, y + 90) - box(x + 12, y + 12, x + 78, y + 78)
        for x in range(10, 400, 110)
        for y in range(10, 300, 110)
    ]
    return Ground(
        lands=(box(0, 0, 450, 340),), rows=tuple((HALL, r) for r in rings), counts=(9, 22)
    )


GROUNDS: dict[str, Callable[[], Ground]] = {
    made.__name__: made
    for made in (
        only_roads,
        road_areas_everywhere,
        roads_beside_the_border,
        lines_twice_and_crossing,
        islands,
        lake_in_island_in_lake,
        building_of_twelve_grids,
        community_of_one_building,
        nothing_is_sound,
        forest,
        slivers_of_land,
        courtyards,
    )
}


def thrown(seed: int) -> Ground:
    """Lines, blobs, rings and tangles of all classes, thrown at random over random communities."""
    rng = np.random.default_rng(seed)
    side = rng.uniform(200, 700)
    rows: list[Row] = []
    for _ in range(int(rng.integers(5, 50))):
        at = rng.uniform(0, side, 2)
        size = rng.exponential(side / 12) + 2
        blob = Point(at).buffer(size, int(rng.integers(1, 6)))
        shapes = (
            LineString(rng.uniform(-0.1 * side, 1.1 * side, (int(rng.integers(2, 8)), 2))),
            blob,
            blob - Point(at).buffer(size * rng.uniform(0.3, 0.9)),
            affinity.rotate(box(*at, *(at + size * rng.uniform(0.3, 2, 2))), rng.uniform(0, 90)),
            Polygon(rng.uniform(0, side / 3, (5, 2)) + at),
        )
        feature_class = str(
            rng.choice([MAIN, STREET, HALL, COMPOUND, LAKE, FOREST, "380200", "410000"])
        )
        # Tangles may enclose: as buildings they would be indivisible rings.
        kinds = [0, 0, 3] if feature_class in (HALL, COMPOUND) else [0, 0, 1, 2, 3, 4]
        rows.append((feature_class, shapes[int(rng.choice(kinds))]))
    base = box(0, 0, side, side)
    if seed % 3 == 0:
        base -= Point(side / 2, side / 3).buffer(side / 6)
    places = shapely.multipoints(rng.uniform(0, side, (4, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(places, extend_to=base))
    lands = tuple(shapely.intersection(cells, base))
    points = tuple(shapely.points(rng.uniform(0, side, (30, 2))))
    return Ground(lands=lands, rows=tuple(rows), points=points)


def town(*extra: Row, attributes: object = None) -> gpd.GeoDataFrame:
    rows = [
        (STREET, LineString([(0, 95), (400, 105)])),
        (STREET, LineString([(210, 0), (200, 200)])),
        *(
            (HALL, box(x, y, x + 30, y + 12))
            for x in range(20, 360, 60)
            for y in (20, 60, 130, 160)
        ),
        *extra,
    ]
    notes = (None,) * (len(rows) - len(extra)) + (attributes,) * len(extra)
    return Ground(lands=(), rows=tuple(rows), attributes=notes).features


TOWN = Ground(lands=(box(0, 0, 205, 200), box(205, 0, 400, 200)))
