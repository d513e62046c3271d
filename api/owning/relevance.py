"""What of a place and a moment can matter to a kind and class: the areas and conditions its rows name."""

from typing import TYPE_CHECKING, NamedTuple

from api.owning.owners import Resolution
from census.plan.rows import ANYWHERE

if TYPE_CHECKING:
    from census.plan.search import Plan

_DIRECTORY = "directory:"


class Relevance(NamedTuple):
    """Areas and conditions that rows for a kind and class name."""

    areas: frozenset[str]
    conditions: frozenset[int]

    def holding(self, holding: bytes) -> bytes:
        """Return which conditions hold, those that do not matter left out.

        Examples
        --------
        >>> list(Relevance(frozenset(), frozenset([1])).holding(bytes([1, 1, 0])))
        [0, 1, 0]
        """
        return bytes(
            held if number in self.conditions else 0 for number, held in enumerate(holding)
        )


def relevance_of(plan: "Plan", kind: str, class_code: str | None) -> Relevance:
    """Return what rows for a kind and class name; None: the rows for all classes."""
    classes = {ANYWHERE} if class_code is None else {class_code, class_code[:2], ANYWHERE}
    rows = [row for row in plan.rows if row.kind == kind and row.class_code in classes]
    return Relevance(
        areas=frozenset(row.area_code for row in rows),
        conditions=frozenset(row.condition for row in rows if row.condition >= 0),
    )


def is_settled(resolution: Resolution) -> bool:
    """Tell whether record and plan alone decided, so that the units of no territory were asked.

    Then the answer is the same wherever the plan sees the same areas. A dispute asks for the next
    candidate, which may be the unit of a territory.
    """
    if resolution.unit is None or resolution.rule.startswith(_DIRECTORY):
        return False
    if resolution.certainty < 1.0 and not resolution.rivals:
        return False
    return not any(rival.rule.startswith(_DIRECTORY) for rival in resolution.rivals)
