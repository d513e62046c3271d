"""Questions to the databases: snapshot, place, unit grid, component, owning unit, and why.

Notebooks and programs start here:

    from api import open_snapshot
    snapshot = open_snapshot()      # the nearest workspace
    snapshot.assign(frame)          # one decision per row
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.models import Case, Decision, Position
    from api.snapshot import Snapshot, open_snapshot

__all__ = ["Case", "Decision", "Position", "Snapshot", "open_snapshot"]

_HOMES = {
    "Case": "api.models",
    "Decision": "api.models",
    "Position": "api.models",
    "Snapshot": "api.snapshot",
    "open_snapshot": "api.snapshot",
}


def __getattr__(name: str) -> Any:
    """Return an export, imported when it is first asked for: `wanmi --help` needs none of them."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_HOMES[name]), name)
