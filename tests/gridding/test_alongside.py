"""Pairs of samples that run alongside each other, beside all pairs looked at one by one."""

import numpy as np
import pytest

from gridding import alongside
from gridding.alongside import Ranked, run_alongside
from gridding.samples import Samples

REACH_M = np.array([[3.0, 9.0, 20.0], [6.0, 4.0, 12.0], [5.0, 5.0, 5.0]])


def scattered(count: int, *, seed: int) -> Ranked:
    """Return short parts of ten lines, strewn over half a hectare."""
    draw = np.random.default_rng(seed)
    start = np.array([500_000.0, 4_000_000.0]) + draw.uniform(0.0, 70.0, (count, 2))
    angle = draw.uniform(0.0, 2.0 * np.pi, count)
    heading = np.column_stack([np.cos(angle), np.sin(angle)])
    length = draw.uniform(0.5, 4.0, count)
    samples = Samples(
        start=start,
        stop=start + heading * length[:, None],
        stroke=np.sort(draw.integers(0, 10, count)),
        along_m=np.cumsum(length),
        length_m=length,
        heading=heading,
        is_vertex=np.ones(count, dtype=bool),
    )
    return Ranked(
        samples=samples, kind=draw.integers(0, 3, count), order=draw.integers(0, 50, count)
    )


def all_pairs(ranked: Ranked, may_go: list[int], kinds: list[int]) -> dict[tuple[int, int], float]:
    samples, kind, order = ranked
    middle = (samples.start + samples.stop) / 2.0
    found = {}
    for weak in may_go:
        for strong in np.flatnonzero(np.isin(kind, kinds)).tolist():
            own = samples.stroke[weak] == samples.stroke[strong]
            goes = order[weak] < order[strong]
            if own:
                goes = samples.along_m[weak] - samples.along_m[strong] > 60.0
            offset = middle[weak] - middle[strong]
            ahead = (samples.stop - samples.start)[strong] / samples.length_m[strong]
            aside = abs(float(offset[0] * ahead[1] - offset[1] * ahead[0]))
            turn = abs(float(samples.heading[weak] @ samples.heading[strong]))
            limit = REACH_M[kind[weak], kind[strong]]
            on = abs(float(offset @ ahead)) <= samples.length_m[strong] / 2.0 + 1.0
            near = aside <= limit and np.hypot(*offset) <= limit + 2.0
            if goes and on and near and turn >= 0.82:
                found[weak, strong] = aside
    return found


@pytest.mark.parametrize("most_cells", [4_000_000, 6])
def test_pairs_are_those_of_all_pairs(monkeypatch: pytest.MonkeyPatch, most_cells: int):
    monkeypatch.setattr(alongside, "_MOST_CELLS", most_cells)
    ranked = scattered(300, seed=4)
    may_go = np.flatnonzero(ranked.samples.length_m > 1.0)
    weak, strong, apart_m = run_alongside(ranked, may_go, [0, 2], REACH_M)
    wanted = all_pairs(ranked, may_go.tolist(), [0, 2])
    pairs = list(zip(weak.tolist(), strong.tolist(), strict=True))
    assert len(pairs) == len(set(pairs)) > 100
    assert set(pairs) == set(wanted)
    assert apart_m == pytest.approx([wanted[pair] for pair in pairs], abs=1e-6)


def test_more_pairs_than_there_was_room_for():
    ranked = scattered(3000, seed=1)
    rows = np.arange(3000)
    weak, strong, _ = run_alongside(ranked, rows, [0, 1, 2], np.full((3, 3), 40.0))
    assert len(weak) > 50_000
    assert (ranked.order[weak] < ranked.order[strong])[
        ranked.samples.stroke[weak] != ranked.samples.stroke[strong]
    ].all()


def test_nothing_runs_alongside_nothing():
    ranked = scattered(20, seed=2)
    for may_go, kinds in ((np.arange(0), [0, 1, 2]), (np.arange(20), [])):
        assert [len(part) for part in run_alongside(ranked, may_go, kinds, REACH_M)] == [0, 0, 0]
