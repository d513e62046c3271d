"""Which worker answers from which version since when, told by each worker to all through a shared folder."""

import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

GONE_S = 15.0
"""A worker that said nothing for so long has ended."""
_SAID_AGAIN_S = 3.0


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What one worker says of itself."""

    worker: int
    """Process id."""
    data_version: str | None
    """None: it has no snapshot yet."""
    since: float | None
    """When it began to answer from that version, seconds since the epoch."""
    seen: float
    """When it said so."""


class Roster:
    """The standings of the workers of one server.

    Parameters
    ----------
    shared : Path or None
        Folder the workers share; None: this worker alone.
    """

    def __init__(self, shared: Path | None) -> None:
        self._shared = shared
        self._own = Standing(worker=os.getpid(), data_version=None, since=None, seen=0.0)

    def note(self, version: str | None, *, since: float | None) -> None:
        """Say from which version this worker answers."""
        now, own = time.time(), self._own
        if own.data_version == version and own.since == since and now - own.seen < _SAID_AGAIN_S:
            return
        self._own = Standing(worker=own.worker, data_version=version, since=since, seen=now)
        if self._shared is None:
            return
        path = self._shared / f"{self._own.worker}.standing"
        fresh = path.with_suffix(".new-standing")
        fresh.write_bytes(orjson.dumps(asdict(self._own)))
        fresh.replace(path)

    def standings(self) -> list[Standing]:
        """Return what the workers that still run say, by process id."""
        found = {self._own.worker: self._own}
        if self._shared is not None:
            for path in self._shared.glob("*.standing"):
                told = _read(path)
                if told is not None and time.time() - told.seen < GONE_S:
                    found.setdefault(told.worker, told)
        return [found[worker] for worker in sorted(found)]

    def latest(self) -> Standing | None:
        """Return what the worker says that took in its version last; None: none has any.

        One that ended a moment ago counts too: this one may stand in its place.
        """
        having = [told for told in self.standings() if told.since is not None]
        return max(having, key=lambda told: told.since or 0.0, default=None)


def _read(path: Path) -> Standing | None:
    try:
        told: dict[str, Any] = orjson.loads(path.read_bytes())
        return Standing(**told)
    except (OSError, ValueError, TypeError):  # the worker ended, or was ended while writing
        return None
