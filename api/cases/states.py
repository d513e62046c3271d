"""States of a case 案件, and which action leads from which to which: one table."""

from collections.abc import Mapping
from typing import Literal

from gis.errors import ConflictError

State = Literal["received", "assigned", "returned", "closed"]

RECEIVED, ASSIGNED, RETURNED, CLOSED = "received", "assigned", "returned", "closed"
REASSIGNED, REOPENED = "reassigned", "reopened"

STATES: Mapping[str, tuple[str, str]] = {
    RECEIVED: ("imported, not decided yet", "已导入、尚未判定"),
    ASSIGNED: ("with its owning unit", "已派遣至责任单位"),
    RETURNED: ("sent back, waits for a person", "已退件、等待人工处理"),
    CLOSED: ("closed", "已结案"),
}
"""State -> what it means, in English and Chinese."""

TRANSITIONS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    ASSIGNED: (frozenset({RECEIVED}), frozenset({ASSIGNED})),
    RETURNED: (frozenset({ASSIGNED}), frozenset({ASSIGNED, RETURNED})),
    REASSIGNED: (frozenset({RECEIVED, ASSIGNED, RETURNED}), frozenset({ASSIGNED})),
    CLOSED: (frozenset({RECEIVED, ASSIGNED, RETURNED}), frozenset({CLOSED})),
    REOPENED: (frozenset({CLOSED}), frozenset({ASSIGNED, RETURNED})),
}
"""Action -> states it may be taken in, and states it leads to.

A return leads back to ``assigned`` when another unit is found; ``reassigned`` is that, or a person's
override; a case that is reopened goes back to the unit that had it, if any.
"""

_WORDS = {
    ASSIGNED: ("decided", "判定"),
    RETURNED: ("returned", "退件"),
    REASSIGNED: ("assigned anew", "改派"),
    CLOSED: ("closed", "结案"),
    REOPENED: ("reopened", "恢复"),
}


def check_action(case_id: str, *, state: str, action: str) -> None:
    """Refuse an action that a case's state does not allow.

    Raises
    ------
    ConflictError
        The sentence names the state and those the action may be taken in.

    Examples
    --------
    >>> check_action("1", state="assigned", action="returned")
    >>> check_action("1", state="closed", action="returned")
    Traceback (most recent call last):
    gis.errors.ConflictError: Case 1 is closed: only a case that is assigned can be returned.
    """
    allowed, _ = TRANSITIONS[action]
    if state in allowed:
        return
    english, chinese = _WORDS[action]
    order = [name for name in STATES if name in allowed]
    msg = f"Case {case_id} is {state}: only a case that is {' or '.join(order)} can be {english}."
    told = STATES[state][1]
    wanted = "”或“".join(STATES[name][1] for name in order)
    raise ConflictError(msg, zh=f"案件 {case_id} {told}：只有“{wanted}”的案件可以{chinese}。")
