"""Rate limits per key, shared by the workers of one server through a small mapped file."""

import fcntl
import mmap
import struct
import threading
import time
import zlib
from pathlib import Path

SLOTS = 4096
_SLOT = struct.Struct("<dd")


class RateLimiter:
    """Token buckets, one per key: `limit` requests a minute, all of which may come at once.

    The buckets lie in a file that every worker maps, so a limit holds for the server and not for
    each worker. Two keys may fall on one bucket (4096 of them): they then share it.

    Parameters
    ----------
    path : Path or None
        File the workers share, made if missing; None: this process alone.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._file = None
        size = SLOTS * _SLOT.size
        if path is None:
            self._map = mmap.mmap(-1, size)
            return
        with path.open("ab") as file:
            file.truncate(max(size, file.tell()))
        self._file = path.open("r+b")
        self._map = mmap.mmap(self._file.fileno(), size)

    def take(self, key_id: str, *, limit: int, now: float | None = None) -> float:
        """Take one request from a key's bucket; return 0, or the seconds to wait for the next.

        Parameters
        ----------
        key_id : str
            Key that asks.
        limit : int
            Requests a minute, at least 1.
        now : float, optional
            Time in seconds on any clock that all workers share; default: the system's.
        """
        moment = time.time() if now is None else now
        offset = zlib.crc32(key_id.encode()) % SLOTS * _SLOT.size
        with self._lock:
            if self._file is not None:
                fcntl.lockf(self._file, fcntl.LOCK_EX, _SLOT.size, offset)
            try:
                spent, since = _SLOT.unpack_from(self._map, offset)
                spent = max(0.0, spent - max(0.0, moment - since) * limit / 60)
                wait = 0.0 if spent + 1 <= limit else (spent + 1 - limit) * 60 / limit
                _SLOT.pack_into(self._map, offset, spent if wait else spent + 1, moment)
            finally:
                if self._file is not None:
                    fcntl.lockf(self._file, fcntl.LOCK_UN, _SLOT.size, offset)
        return wait

    def close(self) -> None:
        """Let the shared file go."""
        self._map.close()
        if self._file is not None:
            self._file.close()
