"""Atoms joined where nothing may be cut or left over, and seen as a graph."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridding.atoms import Atoms
from gridding.graph import Graph
from gridding.lines import KINDS
from gridding.options import DivisionOptions
from gridding.scenery import Scene
from gridding.zones import sum_by, target_of, zone_shares

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]

_LOCKED = KINDS.index("locked")
_KEPT = (_LOCKED, KINDS.index("railway"), KINDS.index("main_road"))
"""Borders that stay even under a building: the building then counts as cut."""
_BARRED = (_LOCKED, KINDS.index("existing"))
"""Borders that what is too small never joins across: an editor's, and those of grids there were."""
_ROADS = (KINDS.index("railway"), KINDS.index("main_road"), KINDS.index("street"))

_SHARED_M2 = 1.0
_SHARED_SHARE = 0.05
_SMALL_M2 = 250.0
_THIN_M = 3.0
_STRIP_M = 12.0
_STRIP_SHARE = 0.8
_ENCLOSED_SHARE = 0.5
_ROUNDS = 60


def graph_of(atoms: Atoms, scene: Scene, *, options: DivisionOptions) -> tuple[Graph, Indices]:
    """Return the graph of atoms that stay together, and the node of each atom.

    Neighbours that share more than 1 m² of a building, or of another thing kept whole, are one node, but
    not across a main road, a railway or a locked border. Nodes too small or too thin to be of use join the
    neighbour across the dearest border. Every node is connected; nodes are numbered by their first atom.
    Areas are in m², lengths in m; a component on a border counts for the first of its atoms.
    """
    node = _absorbed(atoms, _linked(atoms, scene), scene, options)
    count = int(node.max()) + 1
    left, right, piece = _pairs(atoms, node)
    length = sum_by(piece, shapely.length(atoms.border), count=len(left) + 1)
    cost = sum_by(piece, _costs(atoms), count=len(left) + 1)
    shares = zone_shares(atoms.polygons, scene, options=options).grouped(node, count)
    graph = Graph(
        area_m2=sum_by(node, shapely.area(atoms.polygons), count=count),
        target_m2=target_of(shares),
        load=sum_by(node, _loads(atoms, scene), count=count),
        left=left,
        right=right,
        length_m=length[:-1],
        cost=cost[:-1],
    )
    return graph, node


def _costs(atoms: Atoms) -> Floats:
    """Return what every border piece costs as a grid border."""
    cost: Floats = atoms.price * shapely.length(atoms.border) / 100.0
    return cost


def _pairs(atoms: Atoms, node: Indices) -> tuple[Indices, Indices, Indices]:
    """Return the pairs of neighbouring nodes in order, and the pair of every border piece.

    Outside nodes follow the others. Pieces inside a node get the number of pairs.
    """
    count = int(node.max()) + 1
    one = node[atoms.left]
    other = np.where(atoms.right >= 0, node[atoms.right], count - 1 - atoms.right)
    low, high = np.minimum(one, other), np.maximum(one, other)
    size = count + 1 + int(max(0, -atoms.right.min(initial=0)))
    between = low != high
    pairs, index = np.unique(low[between] * size + high[between], return_inverse=True)
    piece = np.full(len(one), len(pairs), dtype=np.intp)
    piece[between] = index
    return pairs // size, pairs % size, piece


def _loads(atoms: Atoms, scene: Scene) -> Floats:
    """Return the load in every atom; what lies on a border counts for the first."""
    points = shapely.points(scene.points)
    atom, point = shapely.STRtree(points).query(atoms.polygons, predicate="intersects")
    home = np.full(len(points), len(atoms.polygons), dtype=np.intp)
    np.minimum.at(home, point, atom)
    return sum_by(home, scene.loads, count=len(atoms.polygons) + 1)[:-1]


def _joined(count: int, one: Indices, other: Indices) -> Indices:
    """Return labels of items that pairs join, numbered by first appearance."""
    edges = coo_array((np.ones(len(one)), (one, other)), shape=(count, count))
    label = connected_components(edges, directed=False)[1]
    _, first, label = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[label]


def _linked(atoms: Atoms, scene: Scene) -> Indices:
    """Return labels of atoms, the same for neighbours that share something not to be cut."""
    count = len(atoms.polygons)
    things = np.concatenate([scene.buildings, scene.kept_whole])
    least = np.full(len(things), _SHARED_M2)
    # Compounds as drawn overlap their neighbours a little, and would chain a whole quarter together.
    whole = slice(len(scene.buildings), None)
    least[whole] = np.maximum(_SHARED_M2, _SHARED_SHARE * shapely.area(things[whole]))
    tree = shapely.STRtree(atoms.polygons)
    split = np.flatnonzero(_beyond_home(things, atoms.polygons, tree) > least)
    thing, atom = tree.query(things[split], predicate="intersects")
    thing = split[thing]
    shared = shapely.area(shapely.intersection(things[thing], atoms.polygons[atom]))
    held = (shared > least[thing]) | (shared > 0.5 * shapely.area(atoms.polygons[atom]))
    held |= (thing < len(scene.buildings)) & (_running_sum(thing, shared) > _SHARED_M2)
    holding = thing[held] * count + atom[held]
    free = np.flatnonzero((atoms.right >= 0) & ~np.isin(atoms.kind, _KEPT))
    cut = np.unique(thing[held])
    found, piece = shapely.STRtree(atoms.border[free]).query(things[cut], predicate="intersects")
    found, piece = cut[found], free[piece]
    both = np.isin(found * count + atoms.left[piece], holding)
    both &= np.isin(found * count + atoms.right[piece], holding)
    return _joined(count, atoms.left[piece[both]], atoms.right[piece[both]])


def _running_sum(group: Indices, values: Floats) -> Floats:
    """Return the sum of each value and the lesser ones of its group.

    Examples
    --------
    >>> _running_sum(np.array([0, 0, 1, 0]), np.array([0.7, 0.6, 5.0, 9.0])).round(1).tolist()
    [1.3, 0.6, 5.0, 10.3]
    """
    order = np.lexsort((values, group))
    total = np.cumsum(values[order])
    start = np.flatnonzero(np.diff(group[order], prepend=-1))
    before = np.append(0.0, total)[start]
    result = np.empty(len(values))
    result[order] = total - np.repeat(before, np.diff(np.append(start, len(values))))
    return result


def _beyond_home(things: Geometries, polygons: Geometries, tree: shapely.STRtree) -> Floats:
    """Return the area of each thing outside the polygon that holds a point inside it, m²."""
    thing, polygon = tree.query(shapely.point_on_surface(things), predicate="within")
    beyond: Floats = shapely.area(things)
    beyond[thing] -= shapely.area(shapely.intersection(things[thing], polygons[polygon]))
    return beyond


@dataclass(frozen=True, kw_only=True)
class _Shapes:
    """What tells whether a node is of use, for every node."""

    area_m2: Floats
    perimeter_m: Floats
    road_m: Floats
    neighbours: Indices
    """Number of neighbours, the outside among them."""
    built: Flags

    def wanting(self, options: DivisionOptions) -> Flags:
        """Return which nodes are no use as or in a grid of their own.

        They are small or thin, strips between the two lines of one road, or lie inside another node and
        are less than half a grid.
        """
        # Width of the rectangle of the same area and perimeter; a square's side where there is none.
        half = self.perimeter_m / 4.0
        width = half - np.sqrt(np.maximum(0.0, half**2 - self.area_m2))
        small = self.area_m2 < min(_SMALL_M2, _SMALL_M2 * options.target_m2 / 10_000.0)
        wanting = small | (width < _THIN_M)
        wanting |= (self.neighbours == 1) & (self.area_m2 < _ENCLOSED_SHARE * options.target_m2)
        if options.main_roads == "centreline":
            strip = (width < _STRIP_M) & (self.road_m > _STRIP_SHARE * self.perimeter_m)
            wanting |= strip & ~self.built
        return wanting


def _absorbed(atoms: Atoms, node: Indices, scene: Scene, options: DivisionOptions) -> Indices:
    """Return labels with the nodes of no use joined to the neighbour across the dearest border."""
    built = np.zeros(len(atoms.polygons), dtype=np.bool_)
    built[shapely.STRtree(atoms.polygons).query(scene.buildings, predicate="intersects")[1]] = True
    for _ in range(_ROUNDS):
        count = int(node.max()) + 1
        left, right, piece = _pairs(atoms, node)
        shapes = _shapes(atoms, node, built, (left, right, piece))
        one, other = _dearest(atoms, shapes.wanting(options), (left, right, piece))
        if len(one) == 0:
            break
        node = _joined(count, one, other)[node]
    return node


def _shapes(
    atoms: Atoms, node: Indices, built: Flags, pairs: tuple[Indices, Indices, Indices]
) -> _Shapes:
    """Return the shapes of nodes, given which atoms have buildings in them."""
    left, right, piece = pairs
    count = int(node.max()) + 1
    length = np.where(piece < len(left), shapely.length(atoms.border), 0.0)
    road = np.where(np.isin(atoms.kind, _ROADS), length, 0.0)
    inner = atoms.right >= 0

    def around(values: Floats) -> Floats:
        total = sum_by(node[atoms.left], values, count=count)
        return total + sum_by(node[atoms.right[inner]], values[inner], count=count)

    return _Shapes(
        area_m2=sum_by(node, shapely.area(atoms.polygons), count=count),
        perimeter_m=around(length),
        road_m=around(road),
        neighbours=np.bincount(np.concatenate([left, right[right < count]]), minlength=count),
        built=sum_by(node, built.astype(np.float64), count=count) > 0,
    )


def _dearest(
    atoms: Atoms, wanting: Flags, pairs: tuple[Indices, Indices, Indices]
) -> tuple[Indices, Indices]:
    """Return wanting nodes, and the neighbour across the dearest border that each now joins."""
    left, right, piece = pairs
    size = len(left) + 1
    cost = sum_by(piece, _costs(atoms), count=size)[:-1]
    length = sum_by(piece, shapely.length(atoms.border), count=size)[:-1]
    barred = np.isin(atoms.kind, _BARRED).astype(np.float64)
    kept = (right < len(wanting)) & (sum_by(piece, barred, count=size)[:-1] == 0)
    left, right, cost, length = left[kept], right[kept], cost[kept], length[kept]
    one, other = np.concatenate([left, right]), np.concatenate([right, left])
    order = np.lexsort(
        (other, -np.round(np.tile(length, 2), 3), -np.round(np.tile(cost, 2), 6), one)
    )
    one, other = one[order], other[order]
    first = np.flatnonzero(np.diff(one, prepend=-1))
    best = np.full(len(wanting), -1, dtype=np.intp)
    best[one[first]] = other[first]
    # Two that want each other, or one that wants a neighbour which stays: never a chain of small ones.
    one = np.flatnonzero(wanting & (best >= 0))
    one = one[~wanting[best[one]] | (best[best[one]] == one)]
    return one, best[one]
