"""The keys a worker knows: read again every second, kept when the database is away."""

import time
from collections.abc import Callable, Mapping

import structlog

from api.http.access import Principal
from api.keys import ApiKey, holds, list_keys, split_key
from gis.database import Database

logger = structlog.get_logger(__name__)

REFRESH_S = 1.0
"""Longest time for which a revoked key goes on being accepted while the database is there."""


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
        self.refreshed_at: float | None = None

    def refresh(self) -> None:
        """Read the keys anew; when the database is away the known ones stay."""
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
