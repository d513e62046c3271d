"""Workers are forked so that they hear a stop from the first moment on, and share the words of addresses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BEGIN = """
import multiprocessing, os, signal, time
from api.http import server
signal.signal(signal.SIGTERM, lambda *_: None)  # the ears of the first process, for it alone
signal.signal(signal.SIGINT, lambda *_: None)
server.read_words_ahead = lambda: print("words", flush=True)
forks = server._Forks(workers={workers})
forks.watch()
processes = multiprocessing.get_context("fork")
"""
STOP_AT_ONCE = """
for number in range(20):
    worker = processes.Process(target=time.sleep, args=(60,))
    worker.start()
    os.kill(worker.pid, (signal.SIGTERM, signal.SIGINT)[number % 2])
    worker.join()
    print(worker.exitcode, flush=True)
assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())
assert callable(signal.getsignal(signal.SIGTERM))
"""
FORK_THREE = """
for number in range(3):
    worker = processes.Process(target=print, args=("worker", number), kwargs={"flush": True})
    worker.start()
    worker.join()
"""


def told_by(script: str, *, workers: int) -> list[str]:
    """Return what a process of its own says: hooks of forks stay as long as their process."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN.format(workers=workers) + script],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


def test_a_worker_that_has_no_ears_yet_ends_when_it_is_stopped() -> None:
    # Minus the number of the signal: the worker neither ignored it nor slept its minute.
    assert told_by(STOP_AT_ONCE, workers=1) == ["-15", "-2"] * 10


@pytest.mark.parametrize(
    ("workers", "lines"),
    [
        (3, ["worker 0", "words", "worker 1", "worker 2"]),
        (1, ["worker 0", "worker 1", "worker 2"]),  # a worker alone, and those that take its place
    ],
)
def test_words_are_read_once_before_the_second_worker(workers: int, lines: list[str]) -> None:
    assert told_by(FORK_THREE, workers=workers) == lines
