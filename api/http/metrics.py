"""Counters and timings for Prometheus, gathered over the workers of one server.

Each worker writes its own samples to a file in the shared folder once a second; whichever worker is
asked reads them all and tells them apart by the label ``worker``, so no series ever jumps.
"""

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Others are counted as one: whoever asks may invent them, and a series stays for good."""
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The samples of this worker.

    Parameters
    ----------
    shared : Path or None
        Folder the workers share; None: this worker alone.
    """

    def __init__(self, shared: Path | None) -> None:
        self._registry = CollectorRegistry()
        self._shared = shared
        self._worker = str(os.getpid())
        self._requests = Counter(
            "wanmi_requests",
            "Requests answered",
            ("method", "route", "status", "worker"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "wanmi_request_seconds",
            "Time from request to answer",
            ("route", "worker"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._samples: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._snapshot = Gauge(
            "wanmi_snapshot_loaded_timestamp_seconds",
            "When the snapshot in use was loaded",
            ("version", "worker"),
            registry=self._registry,
        )
        self._database = Gauge(
            "wanmi_database_up", "1: the database answers", ("worker",), registry=self._registry
        )

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        if method not in _METHODS:
            method = "other"
        samples = self._samples.get((method, route, status))
        if samples is None:
            samples = (
                self._requests.labels(method, route, str(status), self._worker),
                self._seconds.labels(route, self._worker),
            )
            self._samples[method, route, status] = samples
        samples[0].inc()
        samples[1].observe(seconds)

    def note_snapshot(self, version: str, loaded_at: float) -> None:
        """Say which snapshot is in use since when."""
        self._snapshot.clear()
        self._snapshot.labels(version, self._worker).set(loaded_at)

    def note_database(self, *, is_up: bool) -> None:
        """Say whether the database answers."""
        self._database.labels(self._worker).set(1 if is_up else 0)

    def store(self) -> None:
        """Write this worker's samples where the others find them."""
        if self._shared is None:
            return
        path = self._shared / f"{self._worker}.prom"
        fresh = path.with_suffix(".new")
        fresh.write_bytes(generate_latest(self._registry))
        fresh.replace(path)

    def exposition(self) -> bytes:
        """Return the samples of all workers in Prometheus' text format."""
        if self._shared is None:
            return generate_latest(self._registry)
        self.store()
        pages = [path.read_bytes() for path in sorted(self._shared.glob("*.prom"))]
        return merge(pages)


def merge(pages: list[bytes]) -> bytes:
    r"""Join expositions: each family's HELP and TYPE once, then the samples of every page.

    Examples
    --------
    >>> page = b"# HELP a A.\n# TYPE a gauge\na{worker=\"%d\"} 1.0\n"
    >>> merge([page % 1, page % 2]).decode().splitlines()[-2:]
    ['a{worker="1"} 1.0', 'a{worker="2"} 1.0']
    """
    families: dict[bytes, list[bytes]] = {}
    heads: dict[bytes, list[bytes]] = {}
    for page in pages:
        name = b""
        for line in page.splitlines():
            if line.startswith(b"# HELP "):
                name = line.split(b" ", 3)[2]
                families.setdefault(name, [])
            if line.startswith(b"# "):
                known = heads.setdefault(name, [])
                if line not in known:
                    known.append(line)
            elif line:
                families[name].append(line)
    lines = [line for name, rows in families.items() for line in (*heads[name], *rows)]
    return b"\n".join(lines) + b"\n"
