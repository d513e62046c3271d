"""A few grids taken out of the network to be cut anew: small arrays in which a trial costs little.

Every node of a patch knows how much border it has with each part, so that what a move would change is
found without a look at its neighbours.
"""

from typing import Any, NamedTuple

import numpy as np

from gridding.compiling import compiled_in_place
from gridding.graph import Floats, Indices
from gridding.network import JOINT_M, worth_of

LARGEST = 600
"""Nodes that are cut anew at most: larger heaps are left to single moves."""
PARTS = 4
"""Grids that a patch may become at most."""
EPSILON = 1e-7
"""A gain smaller than this is none."""
_FORWARD = 6
"""Moves of a chain after its best point before it is given up."""

_SPOT = np.dtype(
    [
        ("node", "i8"),
        ("part", "i8"),  # the part it is in
        ("was", "i8"),  # the part it came from
        ("first", "i8"),  # where its neighbours begin; they end where the next one's begin
        ("mark", "i8"),
        ("is_moved", "i8"),
        ("area", "f8"),
        ("root", "f8"),  # root of its area
        ("share", "f8"),
        ("load", "f8"),
        ("rim", "f8"),
        ("key", "f8"),  # what it is sorted by
    ]
)
_WAY = np.dtype([("near", "i8"), ("length", "f8"), ("cost", "f8")])
_PART = np.dtype(
    [
        ("count", "i8"),
        ("area", "f8"),
        ("share", "f8"),
        ("load", "f8"),
        ("rim", "f8"),
        ("worth", "f8"),
    ]
)
_WAYS = 16
"""Ways of cutting a patch that are tried, at most."""

# Rows of the lists, and places of the counts.
ORDER, QUEUE, _LOG_SPOT, _LOG_PART = range(4)
SIZE, TAKEN = range(2)


class Patch(NamedTuple):
    """Room for the nodes of a few grids, with the borders between them; changed in place."""

    spots: Any
    ways: Any
    """Neighbours of every spot inside the patch, row by row."""
    parts: Any
    length: Floats
    """Length of a spot's borders with each part, m."""
    cost: Floats
    """Cost of a spot's borders with each part."""
    ends: Floats
    """How far a spot is from each of four ends, m."""
    known: Floats
    """What each way of cutting a patch came to."""
    lists: Any
    grids: Indices
    """Grid that each part is, or would be."""
    counts: Indices
    """How many nodes there are, and how many grids they come from."""


def patch_of(size: int, edges: int) -> Patch:
    """Return room for patches of a network with so many nodes and edges."""
    size = min(size, LARGEST)
    return Patch(
        spots=np.zeros(size + 1, dtype=_SPOT),
        ways=np.zeros(max(edges, 1), dtype=_WAY),
        parts=np.zeros(PARTS, dtype=_PART),
        length=np.zeros((size, PARTS)),
        cost=np.zeros((size, PARTS)),
        ends=np.zeros((4, size)),
        known=np.zeros(_WAYS),
        lists=np.zeros((4, size + 1), dtype=np.int64),
        grids=np.zeros(PARTS, dtype=np.int64),
        counts=np.zeros(2, dtype=np.int64),
    )


@compiled_in_place
def take(nodes: Any, grids: Any, patch: Any, grid: int, part: int, size: Any) -> Any:
    """Add the nodes of a grid to the first `size` of a patch; return how many it has then."""
    node = grids[grid]["head"]
    while node >= 0:
        here, spot = nodes[node], patch.spots[size]
        spot["node"], spot["was"], spot["is_moved"] = node, part, 0
        spot["area"], spot["root"] = here["area"], np.sqrt(here["area"])
        spot["share"], spot["load"], spot["rim"] = here["share"], here["load"], here["rim"]
        here["slot"] = size
        size += 1
        node = here["after"]
    return size


@compiled_in_place
def connect(nodes: Any, edges: Any, patch: Any, size: int) -> None:
    """Work out the neighbours of every spot inside a patch."""
    count = 0
    for k in range(size):
        node = patch.spots[k]["node"]
        patch.spots[k]["first"] = count
        for e in range(nodes[node]["first"], nodes[node + 1]["first"]):
            slot = nodes[edges[e]["near"]]["slot"]
            if slot < size and patch.spots[slot]["node"] == edges[e]["near"]:
                way = patch.ways[count]
                way["near"], way["length"], way["cost"] = slot, edges[e]["length"], edges[e]["cost"]
                count += 1
    patch.spots[size]["first"] = count


@compiled_in_place
def put_back(patch: Any, size: int) -> None:
    """Put every spot into the part that it came from."""
    for k in range(size):
        patch.spots[k]["part"] = patch.spots[k]["was"]


@compiled_in_place
def add_up(patch: Any, weights: Any, size: int) -> float:
    """Work out the sums of parts and borders anew; return the cost of the patch."""
    spots, ways, parts = patch.spots, patch.ways, patch.parts
    for p in range(PARTS):
        part = parts[p]
        part["count"], part["worth"] = 0, 0.0
        part["area"], part["share"], part["load"], part["rim"] = 0.0, 0.0, 0.0, 0.0
    total = 0.0
    for k in range(size):
        spot = spots[k]
        for p in range(PARTS):
            patch.length[k, p] = 0.0
            patch.cost[k, p] = 0.0
        for e in range(spot["first"], spots[k + 1]["first"]):
            p = spots[ways[e]["near"]]["part"]
            patch.length[k, p] += ways[e]["length"]
            patch.cost[k, p] += ways[e]["cost"]
            if p != spot["part"]:
                total += 0.5 * ways[e]["cost"]
        part = parts[spot["part"]]
        part["count"] += 1
        part["area"] += spot["area"]
        part["share"] += spot["share"]
        part["load"] += spot["load"]
        part["rim"] += spot["rim"] - patch.length[k, spot["part"]]
    for p in range(PARTS):
        if parts[p]["count"] > 0:
            part = parts[p]
            part["worth"] = worth_of(
                weights, part["area"], part["share"], part["load"], part["rim"]
            )
            total += part["worth"]
    return total


@compiled_in_place
def settle(patch: Any, weights: Any, size: int, wanted: int) -> float:
    """Move spots between parts while each move gains; return the change."""
    total = 0.0
    for _ in range(8):
        gain = 0.0
        for k in range(size):
            change, part = _best_part(patch, weights, size, wanted, k, -EPSILON)
            if part >= 0:
                _move(patch, weights, k, part)
                gain += change
        total += gain
        if gain == 0.0:
            break
    return total


@compiled_in_place
def chain(patch: Any, weights: Any, size: int, wanted: int) -> float:
    """Move spots between parts, each once, the best first, losses too.

    What follows the best point is undone (Fiduccia and Mattheyses 1982). Returns the change.
    """
    spots, log, log_part = patch.spots, patch.lists[_LOG_SPOT], patch.lists[_LOG_PART]
    total, best, length, kept = 0.0, 0.0, 0, 0
    while length < size and length < kept + _FORWARD:
        spot: Any = np.int64(-1)
        part: Any = np.int64(-1)
        change = np.inf
        for k in range(size):
            if spots[k]["is_moved"] == 0:
                found, target = _best_part(patch, weights, size, wanted, k, change - EPSILON)
                if target >= 0:
                    change, spot, part = found, k, target
        if spot < 0:
            break
        log[length], log_part[length] = spot, spots[spot]["part"]
        spots[spot]["is_moved"] = 1
        _move(patch, weights, spot, part)
        length += 1
        total += change
        if total < best - EPSILON:
            best, kept = total, length
    for k in range(length - 1, -1, -1):
        spots[log[k]]["is_moved"] = 0
        if k >= kept:
            _move(patch, weights, log[k], log_part[k])
    return best


@compiled_in_place
def _best_part(
    patch: Any, weights: Any, size: int, wanted: int, k: int, below: float
) -> tuple[float, Any]:
    """Return the part a spot had best go to, if that changes the cost by less than `below`."""
    best: Any = np.int64(-1)
    spot = patch.spots[k]
    own = spot["part"]
    old = patch.parts[own]
    if old["count"] == 1:
        return below, best
    rest = np.inf
    for p in range(wanted):
        if p == own or patch.length[k, p] <= JOINT_M:
            continue
        if rest == np.inf:
            rest = patch.cost[k, own] - old["worth"]
            rest += worth_of(
                weights,
                old["area"] - spot["area"],
                old["share"] - spot["share"],
                old["load"] - spot["load"],
                old["rim"] - spot["rim"] + 2.0 * patch.length[k, own],
            )
        new = patch.parts[p]
        change = rest - patch.cost[k, p] - new["worth"]
        if new["count"] == 0:
            continue
        change += worth_of(
            weights,
            new["area"] + spot["area"],
            new["share"] + spot["share"],
            new["load"] + spot["load"],
            new["rim"] + spot["rim"] - 2.0 * patch.length[k, p],
        )
        if change < below:
            if best < 0 and _breaks(patch, size, k):
                return below, best
            best, below = p, change
    return below, best


@compiled_in_place
def _move(patch: Any, weights: Any, k: int, target: int) -> None:
    """Make a spot part of another part."""
    spots, ways = patch.spots, patch.ways
    spot = spots[k]
    own = spot["part"]
    old, new = patch.parts[own], patch.parts[target]
    new["rim"] += spot["rim"] - 2.0 * patch.length[k, target]
    old["rim"] += 2.0 * patch.length[k, own] - spot["rim"]
    for part, sign in ((new, 1.0), (old, -1.0)):
        part["area"] += sign * spot["area"]
        part["share"] += sign * spot["share"]
        part["load"] += sign * spot["load"]
        part["count"] += np.int64(sign)
        part["worth"] = worth_of(weights, part["area"], part["share"], part["load"], part["rim"])
    spot["part"] = target
    for e in range(spot["first"], spots[k + 1]["first"]):
        near = ways[e]["near"]
        patch.length[near, own] -= ways[e]["length"]
        patch.length[near, target] += ways[e]["length"]
        patch.cost[near, own] -= ways[e]["cost"]
        patch.cost[near, target] += ways[e]["cost"]


@compiled_in_place
def _breaks(patch: Any, size: int, k: int) -> bool:
    """Return whether a spot's part falls apart without it."""
    spots, ways, queue = patch.spots, patch.ways, patch.lists[QUEUE]
    part = spots[k]["part"]
    for i in range(size):
        spots[i]["mark"] = 0
    left, start = 0, -1
    for e in range(spots[k]["first"], spots[k + 1]["first"]):
        near = ways[e]["near"]
        if spots[near]["part"] == part and ways[e]["length"] > JOINT_M:
            spots[near]["mark"] = 1
            start = near
            left += 1
    if left < 2:
        return bool(left == 0)
    spots[k]["mark"] = 2
    spots[start]["mark"] = 2
    queue[0] = start
    left -= 1
    head, tail = 0, 1
    while head < tail and left > 0:
        here = queue[head]
        head += 1
        for e in range(spots[here]["first"], spots[here + 1]["first"]):
            near = ways[e]["near"]
            mark = spots[near]["mark"]
            if mark == 2 or spots[near]["part"] != part or ways[e]["length"] <= JOINT_M:
                continue
            left -= mark
            spots[near]["mark"] = 2
            queue[tail] = near
            tail += 1
    return bool(left > 0)
