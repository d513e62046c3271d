"""Questions to the databases: snapshot, place, unit grid, component, owning unit, and why.

Notebooks and programs start here:

    from api import open_snapshot
    snapshot = open_snapshot()      # the nearest workspace
    snapshot.assign(frame)          # one decision per row
"""

from api.models import Case, Decision, Position
from api.snapshot import Snapshot, open_snapshot

__all__ = ["Case", "Decision", "Position", "Snapshot", "open_snapshot"]
