"""Clustering of atoms into grids, on lattices whose best division is known and on random plans."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gridding.enclosure import open_rings
from gridding.greedy import merge_greedily
from gridding.network import network_of
from gridding.objective import division_cost, weights_of
from gridding.options import DivisionOptions
from gridding.partition import compact, partition
from tests.gridding.graphs import enclosed, graph_of, is_connected, lattice, painted

OPTIONS = DivisionOptions(neatness=0.5)


def grids_of(plan: np.ndarray, **settings: object) -> np.ndarray:
    labels = partition(graph_of(plan, **settings), options=OPTIONS)
    return painted(plan, labels)


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (2, 8), (6, 6), (8, 12)])
def test_a_lattice_of_quarter_grids_becomes_squares(rows: int, columns: int) -> None:
    plan = lattice(rows, columns)
    grids = grids_of(plan)
    blocks = np.kron(lattice(rows // 2, columns // 2), np.ones((2, 2), dtype=int))
    assert (grids == blocks).all()
    squares = -OPTIONS.grid_reward * rows * columns / 4
    assert division_cost(graph_of(plan), grids.ravel(), options=OPTIONS) == pytest.approx(squares)


def test_nothing_and_one_node_have_a_division() -> None:
    graph = graph_of(lattice(1, 1))
    assert partition(graph, options=OPTIONS).tolist() == [0]
    none = np.zeros(0)
    empty = replace(
        graph, area_m2=none, target_m2=none, load=none, left=none.astype(int), right=none.astype(int),
        length_m=none, cost=none,
    )  # fmt: skip
    assert partition(empty, options=OPTIONS).tolist() == []


def test_a_node_without_area_is_divided_with_the_others() -> None:
    graph = graph_of(lattice(2, 2))
    graph.area_m2[3] = 0.0
    assert partition(graph, options=OPTIONS).tolist() == [0, 0, 0, 0]


def test_a_wanted_border_is_kept_where_it_costs_no_shape() -> None:
    # Rows 0-1 and 2-3 could be 2 x 2 squares; the road between rows 0 and 1 shifts them by one.
    plan = lattice(5, 8)
    prices = {(k, k + 8): -4.0 for k in range(8)}
    grids = grids_of(plan, prices=prices)
    assert not set(grids[0]) & set(grids[1])


def test_a_locked_border_wins_over_every_size() -> None:
    plan = lattice(2, 3)
    # A single cell is a quarter of a grid; the lock leaves it alone.
    grids = grids_of(plan, prices={(0, 1): -1000.0, (0, 3): -1000.0})
    assert (grids == grids[0, 0]).sum() == 1


def test_a_lock_between_two_nodes_holds_for_their_whole_grids() -> None:
    plan = lattice(4, 4)
    prices = {(k, k + 1): -1000.0 for k in range(0, 16, 4)}
    grids = grids_of(plan, prices=prices)
    assert not set(grids[:, 0]) & set(grids[:, 1])


def test_touching_by_a_few_decimetres_joins_nothing() -> None:
    graph = graph_of(lattice(1, 2), target_m2=5000.0)
    assert partition(graph, options=OPTIONS).tolist() == [0, 0]
    graph.length_m[graph.right == 1] = 0.3
    assert partition(graph, options=OPTIONS).tolist() == [0, 1]


def test_what_lies_apart_is_divided_apart() -> None:
    plan = np.array([[0, 1, -1, 4, 5], [2, 3, -1, 6, 7]])
    assert partition(graph_of(plan), options=OPTIONS).tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


def test_a_lake_with_a_target_of_its_own_stays_whole() -> None:
    plan = lattice(8, 8)
    target = np.where(plan.ravel() < 32, 80_000.0, 10_000.0)
    grids = grids_of(plan, target_m2=target)
    assert len(np.unique(grids[:4])) == 1
    assert len(np.unique(grids[4:])) == 8


def test_a_small_thing_inside_another_joins_it() -> None:
    plan = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    assert partition(graph_of(plan, target_m2=20_000.0), options=OPTIONS).tolist() == [0, 0]


def test_what_a_node_encloses_is_divided_on_its_own_when_it_is_large() -> None:
    plan = np.zeros((6, 6), dtype=int)
    plan[1:5, 1:5] = lattice(4, 4) + 1
    grids = grids_of(plan)
    assert grids[0, 0] not in grids[1:5, 1:5]
    assert len(np.unique(grids[1:5, 1:5])) == 4


def test_a_hole_of_the_land_may_lie_inside_a_grid() -> None:
    plan = lattice(3, 3)
    plan[1, 1] = -1
    plan[plan > 4] -= 1
    assert len(np.unique(grids_of(plan, target_m2=20_000.0)[plan >= 0])) == 1


def test_balance_evens_out_the_load() -> None:
    rng = np.random.default_rng(3)
    plan = lattice(16, 16)
    load = rng.poisson(rng.choice([0.5, 4.0], 256)).astype(float)
    graph = graph_of(plan, load=load)

    def spread(weight: float) -> float:
        labels = partition(graph, options=DivisionOptions(balance_weight=weight))
        loads = np.bincount(labels, load)
        return float(loads.std() / loads.mean())

    assert spread(5.0) < 0.7 * spread(0.0)


def test_neatness_trades_size_for_shape() -> None:
    rng = np.random.default_rng(5)
    graph = graph_of(random_plan(rng, 48, 48))

    def parts(neatness: float) -> tuple[float, float]:
        labels = partition(graph, options=DivisionOptions(neatness=neatness))
        ratio = np.bincount(labels, graph.area_m2) / 10_000.0
        left = labels[graph.left]
        right = np.append(labels, -1)[np.minimum(graph.right, len(labels))]
        cut = left != right
        rim = np.bincount(left[cut], graph.length_m[cut], len(ratio))
        inner = cut & (right >= 0)
        rim += np.bincount(right[inner], graph.length_m[inner], len(ratio))
        ragged = rim**2 / (16 * 10_000 * ratio)
        return float(((ratio - 1) ** 2).mean()), float(ragged.mean())

    even, neat = parts(0.0), parts(1.0)
    assert neat[1] < even[1]
    assert even[0] < neat[0]


def test_labels_are_numbered_as_they_appear() -> None:
    labels = partition(graph_of(random_plan(np.random.default_rng(1), 12, 12)), options=OPTIONS)
    assert labels.dtype == np.intp
    assert (compact(labels) == labels).all()


def test_the_same_graph_gives_the_same_division() -> None:
    graph = graph_of(random_plan(np.random.default_rng(9), 20, 20))
    first = partition(graph, options=OPTIONS)
    assert (partition(graph, options=OPTIONS) == first).all()


def random_plan(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Return a lattice whose cells are joined at random to nodes of a few cells."""
    plan = lattice(rows, columns)
    for _ in range(rows * columns // 4):
        i, j = rng.integers(rows), rng.integers(columns - 1)
        one, other = plan[i, j], plan[i, j + 1]
        if (plan == one).sum() + (plan == other).sum() <= 5:
            plan[plan == other] = one
    return compact(plan.ravel()).reshape(plan.shape)


@st.composite
def plans(draw: st.DrawFn) -> np.ndarray:
    """Draw land with nodes of many shapes, holes, and nodes that run round others."""
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    plan = lattice(*shape)
    joins = draw(st.lists(st.tuples(st.integers(0, 80), st.booleans()), max_size=60))
    for cell, is_down in joins:
        i, j = divmod(cell % plan.size, shape[1])
        other = (i + 1, j) if is_down else (i, j + 1)
        if other[0] < shape[0] and other[1] < shape[1]:
            plan[plan == plan[other]] = plan[i, j]
    holes = draw(hnp.arrays(bool, shape, elements=st.sampled_from([False] * 9 + [True])))
    names = [name for name in np.unique(plan) if holes[plan == name].any()]
    gone = np.isin(plan, names[:3])
    if gone.all():
        gone[:] = False
    numbered = np.full(shape, -1)
    numbered[~gone] = compact(plan[~gone])
    return numbered


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans(), st.floats(-1.0, 1.0), st.integers(1, 12))
def test_any_land_is_divided_into_connected_grids_without_rings(
    plan: np.ndarray, price: float, quarters: int
) -> None:
    graph = graph_of(plan, price=price, target_m2=2500.0 * quarters)
    labels = partition(graph, options=OPTIONS)
    grids = painted(plan, labels)
    assert sorted(np.unique(labels)) == list(range(labels.max() + 1))
    nodes = np.bincount(labels)
    for label in np.unique(labels):
        assert is_connected(grids == label)
        # Only what can not be cut may run round others.
        if enclosed(grids, label) > 0:
            node = [k for k in np.flatnonzero(labels == label) if enclosed(plan, k) > 0]
            assert node, (nodes, label)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans(), st.floats(-1.0, 1.0))
def test_the_search_never_leaves_the_greedy_start_worse(plan: np.ndarray, price: float) -> None:
    graph = graph_of(plan, price=price)
    weights = weights_of(OPTIONS)
    opened, node = open_rings(graph, network_of(graph, weights=weights))
    network = network_of(opened, weights=weights)
    merge_greedily(network)
    start = division_cost(graph, network.nodes["label"][node], options=OPTIONS)
    found = division_cost(graph, partition(graph, options=OPTIONS), options=OPTIONS)
    assert found <= start + 1e-6
