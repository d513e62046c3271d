"""The keys a worker knows: read every second and when asked for a new one, kept without database."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping

import structlog
from starlette.concurrency import run_in_threadpool

from api.http.access import Principal
from api.keys import ApiKey, holds, list_keys, split_key
from gis.database import Database

logger = structlog.get_logger(__name__)

REFRESH_S = 1.0
"""Longest time for which a revoked key goes on being accepted while the database is there."""

REREAD_S = 0.1
"""Shortest time between two readings that unknown keys ask for, so that guessing costs little."""

WAIT_S = 2.0
"""Longest time an unknown key waits for such a reading."""


class Keyring:
    """Keys by id, replaced whole at each refresh.

    Parameters
    ----------
    open_store : callable
        Opens the database; called at each refresh until it succeeds once.
    """

    def __init__(self, open_store: Callable[[], Database]) -> None:
        self._open_store = open_store
        self._keys: Mapping[str, ApiKey] = {}
        self._is_stale = False
        self._refreshing = threading.Lock()
        self._reading: asyncio.Task[None] | None = None
        self._read_from = 0.0
        self.refreshed_at: float | None = None

    def refresh(self) -> None:
        """Read the keys anew; when the database is away the known ones stay.

        One reading after the other: what an earlier one found never replaces what a later one did.
        """
        with self._refreshing:
            self._read_all()

    def _read_all(self) -> None:
        try:
            keys = list_keys(self._open_store())
        except Exception as error:
            if not self._is_stale:
                logger.warning("keys not refreshed, database away", reason=type(error).__name__)
            self._is_stale = True
            return
        self._is_stale = False
        self._keys = {key.key_id: key for key in keys}
        self.refreshed_at = time.time()

    def identify(self, presented: str) -> Principal | None:
        """Return who holds a presented key; None when it is unknown, wrong or revoked."""
        parts = split_key(presented)
        if parts is None:
            return None
        key = self._keys.get(parts[0])
        if key is None or not holds(key, secret=parts[1]):
            return None
        return Principal(
            key_id=key.key_id,
            role=key.role,
            districts=key.districts,
            requests_per_minute=key.requests_per_minute,
        )

    async def identify_anew(self, presented: str) -> Principal | None:
        """Return who holds a key this worker did not know, from keys read after it was presented.

        A key just made is thereby good at every worker at once; those who present the same moment
        share one reading. None as of :meth:`identify`, and when the database is away.
        """
        parts = split_key(presented)
        if parts is None or parts[0] in self._keys or self._is_stale:
            return None
        presented_at = time.monotonic()
        while self._read_from < presented_at and not self._is_stale:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read())
            left_s = presented_at + WAIT_S - time.monotonic()
            done, _ = await asyncio.wait({self._reading}, timeout=max(left_s, 0))
            if not done:
                break
        return self.identify(presented)

    async def _read(self) -> None:
        await asyncio.sleep(self._read_from + REREAD_S - time.monotonic())
        began = time.monotonic()
        await run_in_threadpool(self.refresh)
        self._read_from = began
