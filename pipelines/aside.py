"""Work done aside, by a copy of this process on another core, while this one goes on."""

import logging
import os
import pickle
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, TypeVar

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


@contextmanager
def aside(function: Callable[[], Result], *, is_worth: bool) -> Iterator[Callable[[], Result]]:
    """Begin `function` in a copy of this process; what is yielded waits for its result.

    The copy sees everything as it is now, and changes nothing here: only what `function` returns
    comes back. It ends with the block, and with this process in whatever way that ends. Where there
    is one core, no copy can be made, or the copy fails, `function` runs here when its result is
    asked for.

    Parameters
    ----------
    function : callable
        Its result can be pickled. It may open connections of its own, and uses none that is open.
    is_worth : bool
        False runs it here: little work is done sooner than a copy is made.
    """
    copied = _copy(function) if is_worth and _has_another_core() else None
    if copied is None:
        yield function
        return
    child, answer, held = copied

    def result() -> Result:
        received = answer.read()
        if not received:
            return function()
        found: Result = pickle.loads(received)  # noqa: S301 - written by our own copy
        return found

    try:
        yield result
    finally:
        os.close(held)
        answer.close()
        os.waitpid(child, 0)


def _copy(function: Callable[[], Any]) -> tuple[int, IO[bytes], int] | None:
    """Return a copy of this process at work, its answer, and the pipe whose end is its end."""
    reader, writer = os.pipe()
    alive, held = os.pipe()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # threads of Arrow, which are idle
            child = os.fork()
    except OSError as error:
        logger.debug("No copy of the process: %s", error)
        for end in (reader, writer, alive, held):
            os.close(end)
        return None
    if child == 0:
        os.close(reader)
        os.close(held)
        _work(function, writer=writer, alive=alive)
    os.close(writer)
    os.close(alive)
    return child, os.fdopen(reader, "rb"), held


def _work(function: Callable[[], Any], *, writer: int, alive: int) -> None:
    """Run `function`, write its result and end, without what an ending process would tidy up."""
    code = 1
    try:
        threading.Thread(target=_end_with, args=(alive,), daemon=True).start()
        data = pickle.dumps(function(), protocol=pickle.HIGHEST_PROTOCOL)
        with os.fdopen(writer, "wb") as stream:
            stream.write(data)
        code = 0
    finally:
        os._exit(code)


def _end_with(alive: int) -> None:
    os.read(alive, 1)
    os._exit(1)


def _has_another_core() -> bool:
    if sys.platform != "linux":  # elsewhere libraries do not bear being copied
        return False
    return len(os.sched_getaffinity(0)) > 1
