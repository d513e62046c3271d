"""The server ends when workers die again and again, not when all of them are killed at once."""

import math

import pytest

from api.http.deaths import WINDOW_S, Deaths


@pytest.mark.parametrize("workers", [1, 2, 12, 32])
def test_all_workers_may_be_killed_at_once_twice(workers: int) -> None:
    deaths = Deaths(workers=workers)
    found = [deaths.get(number, 0.0) for _ in range(2) for number in range(workers)]
    assert found == [-math.inf] * 2 * workers


@pytest.mark.parametrize(("workers", "most"), [(1, 10), (3, 10), (4, 12), (16, 48)])
def test_workers_that_die_again_and_again_end_the_server(
    workers: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    deaths = Deaths(workers=workers)
    assert [deaths.get(0, 0.0) for _ in range(most - 1)] == [-math.inf] * (most - 1)
    assert deaths.get(0, 0.0) == now
    now += WINDOW_S + 1
    assert deaths.get(0, 0.0) == -math.inf
