"""Worker processes leave Ctrl-C to their parent and end with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from gis.workers import worker_pool

PARENT = """
import time
from gis.workers import worker_pool
from os import getpid
with worker_pool(1) as pool:
    print(pool.submit(getpid).result(), flush=True)
    time.sleep(60)
"""


def interrupt_oneself() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_an_interrupt_does_not_reach_a_worker_that_begins() -> None:
    with worker_pool(1, prepare=interrupt_oneself) as pool:
        assert pool.submit(abs, -3).result() == 3
        assert pool.submit(interrupt_oneself).result() is None


def test_the_parent_is_interrupted_as_before() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with worker_pool(1) as pool:
        pool.submit(abs, -3).result()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_a_worker_ends_with_a_parent_that_was_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert is_there(worker)
        parent.kill()
        parent.wait()
        end = time.monotonic() + 10
        while is_there(worker):
            assert time.monotonic() < end
            time.sleep(0.02)
