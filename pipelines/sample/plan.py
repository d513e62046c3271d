"""The plan of the district: a lattice of arterials, gently warped, with river, railway, diagonal.

Everything is planned in plan space: metres, arterials parallel to the axes, the centre at (0, 0).
`Warp` bends plan space into the district's CRS, so that streets are never quite straight.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy import ndimage

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

CRS = "EPSG:4547"
"""CGCS2000, three-degree Gauss-Krüger zone, central meridian 114°E, metres."""
ORIGIN = (541_000.0, 4_214_000.0)
"""Where the centre of the plan lies, east and north in `CRS`."""
RIVER_WIDTH_M = 46.0
BANK_M = 16.0
"""Width of the green strip between a bank and its riverside road."""


@dataclass(frozen=True, kw_only=True)
class Warp:
    """A smooth, nearly rigid map from plan space to the district's CRS."""

    angle: float
    """Rotation of the whole lattice, radians."""
    waves: Array
    """One row per wave: axis moved (0 or 1), amplitude m, wave numbers along u and v, phase."""

    def forward(self, points: Array) -> Array:
        """Map plan points (n, 2) to east, north, rounded to the millimetre."""
        bent = points.astype(float).copy()
        for axis, amplitude, ku, kv, phase in self.waves:
            bent[:, int(axis)] += amplitude * np.sin(ku * points[:, 0] + kv * points[:, 1] + phase)
        cosine, sine = np.cos(self.angle), np.sin(self.angle)
        east = ORIGIN[0] + cosine * bent[:, 0] - sine * bent[:, 1]
        north = ORIGIN[1] + sine * bent[:, 0] + cosine * bent[:, 1]
        return np.round(np.column_stack([east, north]), 3)

    def heading(self, points: Array) -> Array:
        """Return by how much the plan is turned at each plan point, radians."""
        turn = np.full(len(points), self.angle)
        for axis, amplitude, ku, kv, phase in self.waves:
            slope = amplitude * np.cos(ku * points[:, 0] + kv * points[:, 1] + phase)
            turn += 0.5 * slope * (ku if axis == 1 else -kv)
        return turn

    def geometries(self, plan: npt.ArrayLike, *, step_m: float = 30.0) -> npt.NDArray[np.object_]:
        """Map plan geometries, bending long edges every `step_m`."""
        dense = shapely.segmentize(np.asarray(plan, dtype=object), step_m)
        mapped: npt.NDArray[np.object_] = shapely.transform(dense, self.forward)
        return mapped

    def rigid(self, vertices: Array) -> Array:
        """Map batches of rings (n, k, 2) without bending: each is moved and turned as a whole."""
        centres = vertices.mean(axis=1)
        turn = self.heading(centres)[:, None]
        offset = vertices - centres[:, None, :]
        cosine, sine = np.cos(turn), np.sin(turn)
        turned = np.stack(
            [
                cosine * offset[..., 0] - sine * offset[..., 1],
                sine * offset[..., 0] + cosine * offset[..., 1],
            ],
            axis=-1,
        )
        mapped: Array = np.round(self.forward(centres)[:, None, :] + turned, 3)
        return mapped


@dataclass(frozen=True, kw_only=True)
class Superblock:
    """A cell between arterials."""

    column: int
    row: int
    box: tuple[float, float, float, float]
    """u0, v0, u1, v1 on the arterials' centrelines."""
    kind: str
    """core, old, slab, tower, industry, rural, park, station or campus."""
    split_u: float | None
    """Where a secondary road runs north-south through it."""
    split_v: float | None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The layout all other modules fill."""

    seed: int
    area_km2: float
    warp: Warp
    us: Array
    """Positions of the north-south arterials."""
    vs: Array
    superblocks: tuple[Superblock, ...]
    river: shapely.Polygon
    """Water surface; empty when the district is too small for one."""
    river_axis: shapely.LineString
    railway: shapely.LineString
    """Empty when the district is too small for one."""
    diagonal: shapely.LineString
    """Centreline of the diagonal avenue; empty when the district is too small for one."""

    def stream(self, purpose: str) -> np.random.Generator:
        """Return the random stream of one purpose: modules do not disturb each other."""
        return np.random.default_rng([self.seed, *purpose.encode()])


def make_plan(*, area_km2: float, seed: int) -> Plan:
    """Lay out a district of about `area_km2`, from 1 to 1,000 km².

    Examples
    --------
    >>> plan = make_plan(area_km2=4, seed=1)
    >>> round(sum((b.box[2] - b.box[0]) * (b.box[3] - b.box[1]) for b in plan.superblocks) / 1e6, 1)
    4.0
    """
    stream = np.random.default_rng([seed, 1])
    us, vs, mask = _lattice(stream, area_km2)
    river_row = _nearest(vs, -0.2 * (vs[-1] - vs[0])) if len(vs) > 3 else None
    rail_column = _nearest(us, 0.3 * (us[-1] - us[0])) if len(us) > 4 else None
    axis = _river_axis(stream, us, vs, river_row)
    diagonal = _diagonal(us, vs, mask)
    blocks = _superblocks(stream, us, vs, mask, (river_row, rail_column))
    return Plan(
        seed=seed,
        area_km2=area_km2,
        warp=_warp(stream),
        us=us,
        vs=vs,
        superblocks=blocks,
        river=axis.buffer(RIVER_WIDTH_M / 2, cap_style="flat").intersection(_land(blocks)),
        river_axis=axis,
        railway=_railway(us, vs, mask, rail_column),
        diagonal=diagonal,
    )


def _land(blocks: tuple[Superblock, ...]) -> shapely.Geometry:
    return shapely.union_all([shapely.box(*block.box) for block in blocks])


def _lattice(
    stream: np.random.Generator, area_km2: float
) -> tuple[Array, Array, npt.NDArray[np.bool_]]:
    small = area_km2 < 3.0
    grow = 1.0 if small else 1.2
    width = np.sqrt(area_km2 * 1.15) * 1000 * grow
    height = area_km2 * 1e6 * grow**2 / width
    us, vs = _positions(stream, width), _positions(stream, height)
    sizes = np.outer(np.diff(vs), np.diff(us))
    mask = np.ones(sizes.shape, dtype=bool)
    if not small:
        u = (us[:-1] + us[1:]) / width
        v = (vs[:-1] + vs[1:]) / height
        far = np.abs(v)[:, None] ** 2.6 + np.abs(u)[None, :] ** 2.6
        order = np.argsort(far, axis=None, kind="stable")
        enough = np.searchsorted(np.cumsum(sizes.ravel()[order]), area_km2 * 1e6) + 1
        flat = np.zeros(sizes.size, dtype=bool)
        flat[order[:enough]] = True
        mask = ndimage.binary_fill_holes(flat.reshape(sizes.shape))
    scale = np.sqrt(area_km2 * 1e6 / sizes[mask].sum())
    return us * scale, vs * scale, mask


def _positions(stream: np.random.Generator, length: float) -> Array:
    """Return arterial positions, 400-800 m apart, centred on 0."""
    count = max(2, round(length / 590))
    gaps = stream.uniform(0.78, 1.24, count)
    positions: Array = np.concatenate([[0.0], np.cumsum(gaps / gaps.sum() * length)]) - length / 2
    return np.round(positions, 1)


def _warp(stream: np.random.Generator) -> Warp:
    lengths = np.array([2600.0, 5200.0, 2900.0, 6100.0])
    amplitudes = np.array([13.0, 30.0, 15.0, 34.0]) * stream.uniform(0.8, 1.2, 4)
    phases = stream.uniform(0, 2 * np.pi, 4)
    number = 2 * np.pi / lengths
    lean = stream.uniform(-0.3, 0.3, 4)
    return Warp(
        angle=float(stream.uniform(0.02, 0.06)),
        waves=np.column_stack(
            [
                [0, 0, 1, 1],
                amplitudes,
                number * np.array([lean[0], lean[1], 1, 1]),
                number * np.array([1, 1, lean[2], lean[3]]),
                phases,
            ]
        ),
    )


def _nearest(positions: Array, target: float) -> int:
    return int(np.argmin(np.abs((positions[:-1] + positions[1:]) / 2 - target)))


def _river_axis(
    stream: np.random.Generator, us: Array, vs: Array, row: int | None
) -> shapely.LineString:
    if row is None:
        return shapely.LineString()
    middle, half = (vs[row] + vs[row + 1]) / 2, (vs[row + 1] - vs[row]) / 2
    u = np.arange(us[0] - 60, us[-1] + 60, 15.0)
    swing = (half - 120) * 0.9
    phases = stream.uniform(0, 2 * np.pi, 2)
    v = middle + swing * (0.65 * np.sin(u / 330 + phases[0]) + 0.35 * np.sin(u / 150 + phases[1]))
    return shapely.LineString(np.column_stack([u, v]))


def _railway(
    us: Array, vs: Array, mask: npt.NDArray[np.bool_], column: int | None
) -> shapely.LineString:
    if column is None:
        return shapely.LineString()
    rows = np.flatnonzero(mask[:, column])
    u = us[column] + 0.55 * (us[column + 1] - us[column])
    return shapely.LineString([(u, vs[rows[0]]), (u, vs[rows[-1] + 1])])


def _diagonal(us: Array, vs: Array, mask: npt.NDArray[np.bool_]) -> shapely.LineString:
    """Lead an avenue from the centre's lattice node to the north-west, as far as cells go."""
    if min(len(us), len(vs)) < 4:
        return shapely.LineString()
    column, row = int(np.argmin(np.abs(us))), int(np.argmin(np.abs(vs)))
    reach = 0
    while (
        reach < 6
        and column - reach > 0
        and row + reach < len(vs) - 1
        and mask[row + reach, column - reach - 1]
    ):
        reach += 1
    ends = [(us[column], vs[row]), (us[column - reach], vs[row + reach])]
    line = shapely.LineString(ends) if reach else shapely.LineString()
    land = [shapely.box(us[c], vs[r], us[c + 1], vs[r + 1]) for r, c in np.argwhere(mask)]
    inside = shapely.union_all(land).intersection(line)
    parts = [part for part in shapely.get_parts(inside) if part.geom_type == "LineString"]
    nearest = min(parts, key=lambda part: part.distance(shapely.Point(ends[0])), default=line)
    return nearest if nearest.length > 250 else shapely.LineString()


def _superblocks(
    stream: np.random.Generator,
    us: Array,
    vs: Array,
    mask: npt.NDArray[np.bool_],
    special: tuple[int | None, int | None],
) -> tuple[Superblock, ...]:
    river_row, rail_column = special
    shared_u = us[:-1] + np.diff(us) * stream.uniform(0.42, 0.58, len(us) - 1)
    shared_v = vs[:-1] + np.diff(vs) * stream.uniform(0.42, 0.58, len(vs) - 1)
    kinds = _kinds(stream, us, vs, mask, special)
    blocks = []
    for row, column in np.argwhere(mask):
        box = (us[column], vs[row], us[column + 1], vs[row + 1])
        kind = kinds[(int(column), int(row))]
        own = stream.uniform(0.36, 0.64, 2)
        has = stream.uniform(size=2) < 0.8
        u = shared_u[column] if has[0] else box[0] + own[0] * (box[2] - box[0])
        v = shared_v[row] if has[1] else box[1] + own[1] * (box[3] - box[1])
        plain = kind in ("park", "rural")
        blocks.append(
            Superblock(
                column=int(column),
                row=int(row),
                box=(float(box[0]), float(box[1]), float(box[2]), float(box[3])),
                kind=kind,
                split_u=None if plain or column == rail_column else round(float(u), 1),
                split_v=None if plain or row == river_row else round(float(v), 1),
            )
        )
    return tuple(blocks)


def _kinds(
    stream: np.random.Generator,
    us: Array,
    vs: Array,
    mask: npt.NDArray[np.bool_],
    special: tuple[int | None, int | None],
) -> dict[tuple[int, int], str]:
    """Decide what each superblock is: by distance from the centre, a little chance, and wishes."""
    river_row, rail_column = special
    cells = [(int(c), int(r)) for r, c in np.argwhere(mask)]
    middle = np.array([[(us[c] + us[c + 1]) / 2, (vs[r] + vs[r + 1]) / 2] for c, r in cells])
    distance = np.hypot(middle[:, 0], middle[:, 1])
    rank = np.argsort(np.argsort(distance, kind="stable"), kind="stable") / len(cells)
    chance = stream.uniform(size=len(cells))
    kinds = {}
    for index, cell in enumerate(cells):
        if rank[index] < 0.55:
            kind = "slab" if chance[index] < 0.62 else "tower"
        else:
            kind = "tower" if chance[index] < 0.5 else "slab"
        if rank[index] > 0.7 and chance[index] > 0.8:
            kind = "industry"
        kinds[cell] = kind
    near = [cells[i] for i in np.argsort(distance, kind="stable")]
    kinds[near[0]] = "core"
    kinds[near[1]] = "old"
    for cell in near[len(near) // 3 :: 17]:
        kinds[cell] = "old"
    if len(cells) >= 9:
        _edge(kinds, near, (us, vs))
    if river_row is not None:
        row_cells = [cell for cell in near if cell[1] == river_row and kinds[cell] != "core"]
        for cell in row_cells[1::9]:
            kinds[cell] = "park"
    if rail_column is not None:
        by_rail = [cell for cell in near if cell[0] == rail_column and kinds[cell] != "core"]
        # Rather on a plain superblock; a small district may have none of these beside the rails.
        by_rail.sort(key=lambda cell: kinds[cell] not in ("slab", "tower"))
        kinds[by_rail[0]] = "station"
    for cell in [c for c in near if kinds[c] == "slab"][3::12]:
        kinds[cell] = "campus"
    return kinds


def _edge(
    kinds: dict[tuple[int, int], str], near: list[tuple[int, int]], lattice: tuple[Array, Array]
) -> None:
    """Make the outermost cells towards the north-east rural."""
    us, vs = lattice
    outer = near[int(len(near) * 0.6) :]
    towards = sorted(outer, key=lambda c: -(us[c[0] + 1] / us[-1] + vs[c[1] + 1] / vs[-1]))
    for cell in towards[: max(1, round(len(near) * 0.09))]:
        kinds[cell] = "rural"
