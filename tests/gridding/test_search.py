"""The parts of the search: sums kept while nodes move, contiguity, rings, chains and recuts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridding.contiguity import is_connected, is_ring, may_move
from gridding.enclosure import open_rings
from gridding.graph import Graph
from gridding.greedy import merge_greedily, neighbours
from gridding.network import TOUCHED, Network, fill_grids, move, move_change, network_of
from gridding.objective import division_cost, weights_of
from gridding.options import DivisionOptions
from gridding.patches import (
    PARTS,
    Patch,
    add_up,
    chain,
    connect,
    patch_of,
    settle,
    take,
)
from gridding.recut import recut
from gridding.search import anneal, descend
from gridding.sweeps import lay, measure
from tests.gridding.graphs import enclosed, graph_of, lattice, painted
from tests.gridding.graphs import is_connected as hangs_together

OPTIONS = DivisionOptions(balance_weight=1.0, neatness=0.5)


def divided(graph: Graph, labels: object) -> Network:
    network = network_of(graph, weights=weights_of(OPTIONS))
    fill_grids(*network, np.asarray(labels, dtype=np.int64).ravel())
    return network


def test_sums_of_a_grid_follow_its_cells() -> None:
    network = divided(graph_of(lattice(2, 3)), [[0, 0, 4], [0, 4, 4]])
    assert network.grids["count"][[0, 4]].tolist() == [3, 3]
    assert network.grids["area"][[0, 4]].tolist() == [7500.0, 7500.0]
    assert network.grids["rim"][[0, 4]].tolist() == [400.0, 400.0]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_move_costs_what_the_division_costs_more(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = graph_of(lattice(5, 6), load=rng.integers(0, 5, 30), price=-0.3)
    network = divided(graph, rng.integers(0, 6, 30))
    before = division_cost(graph, network.nodes["label"][:30], options=OPTIONS)
    for node in rng.integers(0, 30, 12):
        grid = int(rng.integers(0, 6))
        if grid == network.nodes["label"][node]:
            continue
        change = move_change(*network[:4], node, grid)
        move(*network[:4], node, grid)
        after = division_cost(graph, network.nodes["label"][:30], options=OPTIONS)
        assert change == pytest.approx(after - before, abs=1e-6)
        before = after


def test_a_grid_may_not_lose_the_cell_that_holds_it_together() -> None:
    network = divided(graph_of(lattice(2, 3)), [[0, 0, 0], [1, 1, 1]])
    assert not may_move(network, 1, 1)
    assert may_move(network, 0, 1)


def test_a_grid_may_not_close_round_another() -> None:
    plan = lattice(4, 4)
    labels = np.full((4, 4), 9)
    labels[0, :3] = labels[2, :3] = labels[:3, 0] = 0
    labels[1, 1] = 5
    network = divided(graph_of(plan), labels)
    # Cell (1, 2) would close the ring round cell (1, 1).
    assert not may_move(network, 6, 0)
    assert not is_ring(network, 0)
    move(*network[:4], 6, 0)
    assert is_ring(network, 0)
    assert not is_ring(network, 5)


def test_a_grid_from_edge_to_edge_is_no_ring() -> None:
    network = divided(graph_of(lattice(3, 3)), [[0, 0, 0], [1, 1, 1], [2, 2, 2]])
    assert not is_ring(network, 1)


def test_two_pieces_are_not_connected() -> None:
    network = divided(graph_of(lattice(1, 3)), [[0, 1, 0]])
    assert not is_connected(network, 0)
    assert is_connected(network, 1)


def test_neighbours_come_in_order() -> None:
    network = divided(graph_of(lattice(3, 3)), [[8, 3, 2], [8, 3, 2], [1, 1, 1]])
    count = neighbours(network, 3)
    assert network.room[TOUCHED, :count].tolist() == [1, 2, 8]


def test_greedy_merging_stops_at_the_limit() -> None:
    network = network_of(graph_of(lattice(6, 6)), weights=weights_of(OPTIONS))
    merge_greedily(network)
    used = network.grids["count"] > 0
    assert network.grids["area"][used].max() <= 22_000.0
    assert network.grids["count"].sum() == 36


def test_a_misplaced_cell_goes_home() -> None:
    labels = np.kron(lattice(2, 2), np.ones((2, 2), dtype=int))
    wrong = labels.copy()
    wrong[1, 2] = 0
    network = divided(graph_of(lattice(4, 4)), wrong)
    descend(network)
    assert (network.nodes["label"][:16].reshape(4, 4) == labels).all()


def test_strips_are_cut_anew_into_squares() -> None:
    plan = lattice(4, 4)
    strips = np.repeat(np.arange(4), 4)
    graph = graph_of(plan)
    network = divided(graph, strips)
    patch = patch_of(16, len(network.edges))
    while recut(network, patch) > 0:
        descend(network)
    labels = network.nodes["label"][:16]
    assert division_cost(graph, labels, options=DivisionOptions()) == pytest.approx(-5.12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 3), st.integers(0, 7))
def test_a_patch_costs_what_its_grids_cost(seed: int, wanted: int, direction: int) -> None:
    rng = np.random.default_rng(seed)
    plan = lattice(6, 6)
    graph = graph_of(plan, load=rng.integers(0, 5, 36), price=-0.3)
    # Two grids of three columns each are the whole land, so that the patch's cost is the division's.
    labels = np.repeat([[0, 0, 0, 7, 7, 7]], 6, axis=0)
    network = divided(graph, labels)
    patch = patch_of(36, len(network.edges))
    size = take(network.nodes, network.grids, patch, 0, 0, 0)
    size = take(network.nodes, network.grids, patch, 7, 1, size)
    connect(network.nodes, network.edges, patch, size)
    measure(patch, size)
    lay(patch, size, wanted, direction)
    total = add_up(patch, network.weights, size)
    assert total == pytest.approx(_cost_of(graph, patch), abs=1e-6)
    for better in (settle, chain):
        change = better(patch, network.weights, size, wanted)
        assert change <= 0.0
        assert total + change == pytest.approx(_cost_of(graph, patch), abs=1e-6)
        kept = [patch.length.copy(), patch.cost.copy(), patch.parts["rim"].copy()]
        total = add_up(patch, network.weights, size)
        assert total == pytest.approx(_cost_of(graph, patch), abs=1e-6)
        for was, now in zip(kept, [patch.length, patch.cost, patch.parts["rim"]], strict=True):
            assert np.allclose(was, now, atol=1e-6)
    assert np.bincount(patch.spots["part"][:size], minlength=PARTS)[:wanted].min() >= 1


def _cost_of(graph: Graph, patch: Patch) -> float:
    labels = np.zeros(36, dtype=np.intp)
    labels[patch.spots["node"][:36]] = patch.spots["part"][:36]
    return division_cost(graph, labels, options=OPTIONS)


def test_a_part_keeps_the_cell_that_holds_it_together() -> None:
    # A corridor of cells, 0 at both ends of 1: only the middle one of 1 could be had by splitting it.
    graph = graph_of(lattice(1, 8))
    network = divided(graph, [[0, 0, 1, 1, 1, 1, 1, 1]])
    patch = patch_of(8, len(network.edges))
    size = take(network.nodes, network.grids, patch, 0, 0, 0)
    size = take(network.nodes, network.grids, patch, 1, 1, size)
    connect(network.nodes, network.edges, patch, size)
    patch.spots["part"][:size] = patch.spots["was"][:size]
    add_up(patch, network.weights, size)
    settle(patch, network.weights, size, 2)
    chain(patch, network.weights, size, 2)
    part = np.zeros(8, dtype=int)
    part[patch.spots["node"][:size]] = patch.spots["part"][:size]
    assert part.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_shaking_keeps_grids_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    plan = lattice(8, 8)
    graph = graph_of(plan, load=rng.integers(0, 4, 64))
    network = network_of(graph, weights=weights_of(OPTIONS))
    merge_greedily(network)
    anneal(network, 5000, 1.0, 0.5)
    grids = painted(plan, network.nodes["label"][:64])
    for label in np.unique(grids):
        assert hangs_together(grids == label)
        assert enclosed(grids, label) == 0


def test_what_is_enclosed_is_found_at_every_depth() -> None:
    # 0 runs round 1, which runs round 2; 3 lies beside them.
    plan = np.zeros((5, 6), dtype=int)
    plan[1:4, 1:4] = 1
    plan[2, 2] = 2
    plan[:, 5] = 3
    graph = graph_of(plan, target_m2=100_000.0)
    opened, node = open_rings(graph, network_of(graph, weights=weights_of(OPTIONS)))
    assert node.tolist() == [0, 0, 0, 1]
    assert opened.area_m2.tolist() == [62_500.0, 12_500.0]
    assert opened.left.tolist() == [0, 0, 1]
    assert opened.right.tolist() == [1, 2, 2]
    assert opened.length_m.tolist() == [250.0, 750.0, 350.0]


def test_large_ground_that_is_enclosed_gets_an_exterior_of_its_own() -> None:
    plan = np.zeros((4, 4), dtype=int)
    plan[1:3, 1:3] = 1
    graph = graph_of(plan)
    opened, node = open_rings(graph, network_of(graph, weights=weights_of(OPTIONS)))
    assert node.tolist() == [0, 1]
    assert opened.left.tolist() == [0, 0, 1]
    assert opened.length_m.tolist() == [800.0, 400.0, 400.0]
