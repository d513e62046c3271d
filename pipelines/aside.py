"""Work done aside, by a copy of this process on another core, while this one goes on."""

import logging
import os
import pickle
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

STILL_S = 120.0
"""A copy that has not answered and has used no processor for so long will not answer any more."""
_LOOK_S = 1.0
_LENGTH = 8
_AT_ONCE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class _Copy:
    """A copy of this process at work."""

    process: int
    answer: int
    """Pipe that its result comes by: eight bytes with the length, then so many."""
    held: int
    """Pipe whose end is its end."""


@contextmanager
def aside(
    function: Callable[[], Result], *, is_worth: bool, still_s: float = STILL_S
) -> Iterator[Callable[[], Result]]:
    """Begin `function` in a copy of this process; what is yielded waits for its result.

    The copy sees everything as it is now, and changes nothing here: only what `function` returns
    comes back. It ends with the block, and with this process in whatever way that ends. Where there
    is one core, no copy can be made, or the copy fails, is killed or stands still, `function` runs
    here when its result is asked for.

    Parameters
    ----------
    function : callable
        Its result can be pickled. It may open connections of its own, and uses none that is open.
    is_worth : bool
        False runs it here: little work is done sooner than a copy is made.
    still_s : float
        A copy that uses no processor for so long, seconds, is given up.
    """
    copied = _copy(function) if is_worth and _has_another_core() else None
    if copied is None:
        yield function
        return

    def result() -> Result:
        received = _received(copied, still_s=still_s)
        if received is None:
            return function()
        found: Result = pickle.loads(received)  # noqa: S301 - written by our own copy
        return found

    try:
        yield result
    finally:
        _end(copied)


def _copy(function: Callable[[], Any]) -> _Copy | None:
    """Return a copy of this process at work; None: none can be made."""
    answer, writer = os.pipe()
    alive, held = os.pipe()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # threads of Arrow, which are idle
            child = os.fork()
    except OSError as error:
        logger.debug("No copy of the process: %s", error)
        for end in (answer, writer, alive, held):
            os.close(end)
        return None
    if child == 0:
        os.close(answer)
        os.close(held)
        _work(function, writer=writer, alive=alive)
    os.close(writer)
    os.close(alive)
    return _Copy(process=child, answer=answer, held=held)


def _work(function: Callable[[], Any], *, writer: int, alive: int) -> None:
    """Run `function`, write its result and end, without what an ending process would tidy up."""
    code = 1
    try:
        threading.Thread(target=_end_with, args=(alive,), daemon=True).start()
        data = pickle.dumps(function(), protocol=pickle.HIGHEST_PROTOCOL)
        with os.fdopen(writer, "wb") as stream:
            stream.write(len(data).to_bytes(_LENGTH, "big"))
            stream.write(data)
        code = 0
    finally:
        os._exit(code)


def _end_with(alive: int) -> None:
    os.read(alive, 1)
    os._exit(1)


def _received(copied: _Copy, *, still_s: float) -> bytes | None:
    """Return the result that a copy sent, whole; None: it ended before, or stands still."""
    parts: list[bytes] = []
    spent, moved = _spent(copied.process), time.monotonic()
    while True:
        if select.select([copied.answer], [], [], _LOOK_S)[0]:
            part = os.read(copied.answer, _AT_ONCE)
            if not part:
                break
            parts.append(part)
            moved = time.monotonic()
            continue
        before, spent = spent, _spent(copied.process)
        if spent != before:
            moved = time.monotonic()
        elif time.monotonic() - moved > still_s:
            logger.warning(
                "A copy of this process (%s) has stood still for %.0f s and is ended: its work is "
                "done here instead.",
                copied.process,
                still_s,
            )
            return None
    whole = b"".join(parts)
    if len(whole) >= _LENGTH and len(whole) == _LENGTH + int.from_bytes(whole[:_LENGTH], "big"):
        return whole[_LENGTH:]
    logger.warning(
        "A copy of this process (%s) ended before its work was done, as when memory runs out: its "
        "work is done here instead.",
        copied.process,
    )
    return None


def _spent(process: int) -> str:
    """Return what a process has used of the processor, as the system writes it; empty: it is gone."""
    try:
        words = (
            Path(f"/proc/{process}/stat").read_text("utf-8", "replace").rsplit(") ", 1)[1].split()
        )
    except (OSError, IndexError):
        return ""
    return " ".join(words[11:13])


def _end(copied: _Copy) -> None:
    os.close(copied.held)
    os.close(copied.answer)
    with suppress(ProcessLookupError):
        os.kill(copied.process, signal.SIGKILL)  # one that stands still sees no pipe close
    os.waitpid(copied.process, 0)


def _has_another_core() -> bool:
    if sys.platform != "linux":  # elsewhere libraries do not bear being copied
        return False
    return len(os.sched_getaffinity(0)) > 1
