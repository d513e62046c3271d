"""Topics of cases: kind, class and the conditions of the plan that hold, as one number each."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from api.columns import Numbers
from api.numbering import number_values
from api.questions import Questions
from census.plan.conditions import hours_hold, season_holds

if TYPE_CHECKING:
    from api.edition import Edition
    from api.owning.owner_table import OwnerTable
    from census.plan.search import Plan

_BITS_AT_ONCE = 24


def class_numbers(
    edition: "Edition", questions: Questions, component: NDArray[np.intp]
) -> tuple[Numbers, list[str]]:
    """Return the class of each case, that of its component if it states none, with the classes.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day.
    questions : Questions
        The cases.
    component : ndarray
        Row of the component of each case that is about one, -1: none.
    """
    classes = list(questions.classes)
    lacking = np.flatnonzero((questions.class_number < 0) & (component >= 0))
    if not len(lacking):
        return questions.class_number, classes
    number = questions.class_number.copy()
    place = {code: at for at, code in enumerate(classes)}
    known = edition.component_classes
    own = known.of(component[lacking])
    for which in np.unique(own).tolist():
        code = known.codes[which]
        if code not in place:
            place[code] = len(classes)
            classes.append(code)
        number[lacking[own == which]] = place[code]
    return number, classes


def topics(
    table: "OwnerTable", plan: "Plan", questions: Questions, classes: tuple[Numbers, list[str]]
) -> NDArray[np.int64]:
    """Return the number in `table` of what each case is about besides place and component."""
    class_number, class_codes = classes
    holding, conditions = holdings(plan, questions.day, questions.minute)
    width = len(class_codes) + 1
    key = (holding * 2 + questions.kinds) * width + class_number + 1
    is_used = np.zeros(len(conditions) * 2 * width, dtype=bool)
    is_used[key] = True
    numbers = np.zeros(len(is_used), dtype=np.int64)
    for used in np.flatnonzero(is_used).tolist():
        held, (kind, which) = used // (2 * width), divmod(used % (2 * width), width)
        code = class_codes[which - 1] if which else None
        numbers[used] = table.topic(kind, code, conditions[held])
    found: NDArray[np.int64] = numbers[key]
    return found


def holdings(
    plan: "Plan", day: NDArray[np.int64], minute: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[bytes]]:
    """Return for each moment the number of the set of conditions that hold, and those sets.

    Examples
    --------
    >>> from census.plan.search import Plan
    >>> row = {"code": "1", "kind": "event", "class_code": "*", "area_code": "*", "role": "handler",
    ...        "unit_code": "A", "hours": "22:00/06:00"}
    >>> number, sets = holdings(Plan([row]), np.array([101, 101]), np.array([0, 720]))
    >>> [list(sets[at]) for at in number]
    [[1], [0]]
    """
    number = np.zeros(len(day), dtype=np.int64)
    if not plan.conditions or not len(day):
        return number, plan.holding(day[:1], minute[:1]) or [b""]
    for place, (season, hours) in enumerate(plan.conditions):
        if place and place % _BITS_AT_ONCE == 0:
            number = number_values(number)[0].astype(np.int64)
        number = number * 2 + (season_holds(season, day) & hours_hold(hours, minute))
    found, distinct = number_values(number)
    first = np.empty(len(distinct), dtype=np.intp)
    first[found[::-1]] = np.arange(len(found))[::-1]
    return found.astype(np.int64), plan.holding(day[first], minute[first])
