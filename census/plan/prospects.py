"""A plan as it would be, and the open cases that it would send to another unit.

Plans are judged where they are loaded, cases where they are decided; neither imports the other. What
both hand over stands here: the plan, the answer, and the place where who decides cases offers to do so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gis.workspace import Workspace

UNDECIDED, BY_PERSON, WAITING, SAME, NO_SNAPSHOT = (
    "undecided",
    "by_person",
    "waiting",
    "same",
    "no_snapshot",
)
REASONS: Mapping[str, tuple[str, str]] = {
    UNDECIDED: ("not decided yet", "尚未派遣"),
    BY_PERSON: ("given to their unit by a person", "由人工指定责任单位"),
    WAITING: ("sent back, wait for a person", "已退件，等待人工处理"),
    SAME: ("same unit", "单位不变"),
    NO_SNAPSHOT: (
        "not judged: there is no snapshot to decide by; run wanmi snapshot",
        "未判断：没有快照，请先运行 wanmi snapshot",
    ),
}
"""Why an open case is not among those that change."""


@dataclass(frozen=True, kw_only=True)
class Prospect:
    """A plan that may hold: its rows and the areas it draws."""

    rows: Sequence[Mapping[str, Any]] = field(repr=False)
    """Rows of ``responsibility.row``, missing values as None."""
    areas: Sequence[Mapping[str, Any]] = field(repr=False)
    """Rows of ``responsibility.plan_area``, ``geometry`` as a shape in the city's CRS."""


@dataclass(frozen=True, kw_only=True)
class CaseChange:
    """An open case that would go to another unit."""

    case_id: str
    kind: str
    class_code: str
    reported_at: str
    """In the city's time zone."""
    grid_code: str | None
    unit_code: str | None
    """Unit that has it."""
    before: str
    """Unit it goes to if it is decided now; empty: none."""
    after: str
    """Unit it would go to."""
    rule_before: str
    """What decides: ``plan:ROW``, ``component:ROLE`` or ``directory:AREA``."""
    rule_after: str


@dataclass(frozen=True, kw_only=True)
class CaseChanges:
    """All open cases."""

    count: int
    changes: tuple[CaseChange, ...]
    others: Mapping[str, int]
    """Reason, see `REASONS` -> cases that are not among the changes."""
    data_version: str = ""
    """Snapshot whose components, grids, units and areas decided; empty: none."""
    is_stale: bool = False
    """Other data than the plan were loaded since it was compiled."""


Judge = Callable[[Workspace, Prospect, Prospect], CaseChanges]
"""Called with the workspace, the plan that holds and the one that may."""
_judges: list[Judge] = []


def offer(judge: Judge) -> None:
    """Let `judge` decide open cases for whoever compares plans; the last who offers does."""
    _judges[:] = [judge]


def offered() -> Judge | None:
    """Return who decides open cases; None: nobody does in this program."""
    return _judges[0] if _judges else None
