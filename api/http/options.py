"""What a server process must know before it serves: handed to `create_app`, never looked up."""

from dataclasses import dataclass
from pathlib import Path

from gis.workspace import Workspace

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Limits on what one request may ask and cost."""

    body_bytes: int = MEBIBYTE
    """Greatest request body, except of a batch."""
    batch_bytes: int = 64 * MEBIBYTE
    """Greatest body of ``POST /v1/assign/batch``."""
    batch_cases: int = 100_000
    """Most cases in one batch answered as a table."""
    batch_decisions: int = 10_000
    """Most cases in one batch answered with full decisions."""
    request_s: float = 60.0
    """Longest time one request may take."""
    query_s: float = 15.0
    """Longest time one database query may take."""


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """How one worker serves."""

    workspace: Workspace
    keys_required: bool = False
    """Every call but health, page and documentation needs an API key."""
    hosts: tuple[str, ...] = LOOPBACK_NAMES
    """Names under which an open server answers; a key makes any name right."""
    proxies: tuple[str, ...] = ()
    """Addresses and networks of proxies whose ``X-Forwarded-Proto`` and ``-For`` are believed."""
    shared: Path | None = None
    """Folder in which the workers of one server share rate limits and metrics; None: one worker."""
    access_log: bool = False
    """Log every request, not only the slow and the failed."""
    bounds: Bounds = Bounds()
