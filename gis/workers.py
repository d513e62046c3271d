"""A pool of worker processes that leave Ctrl-C to their parent and end with it."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def worker_pool(workers: int, *, prepare: Callable[[], None] | None = None) -> ProcessPoolExecutor:
    """Return a pool of `workers` processes, started as tasks are submitted.

    Ctrl-C reaches every process of a terminal: the workers never see it, not even while they import; the
    parent stops them as it leaves the pool. When the parent is killed they end by themselves.

    Parameters
    ----------
    workers : int
        Processes.
    prepare : callable, optional
        Called once in each; a function of a module, so that workers find it.
    """
    # Spawned: a fork would inherit locks and threads of compiled code in an unknown state.
    return _Pool(workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(prepare,))


class _Pool(ProcessPoolExecutor):
    """Starts its processes, which it does on submitting, with the interrupt blocked: they inherit that."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        with _interrupt_blocked():
            return super().submit(fn, *args, **kwargs)


@contextmanager
def _interrupt_blocked() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(prepare: Callable[[], None] | None) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if prepare is not None:
        prepare()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
