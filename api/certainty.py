"""How probable it is that the owning unit is right, for many cases at once."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from api.columns import Floats
from api.owner_table import COMPONENT_LEVEL, LEVEL_NAMES
from api.record_table import record_table_of

if TYPE_CHECKING:
    from api.components import Matches
    from api.edition import Edition
    from api.locate import Placed
    from gis.index import CellIndex, Located, Shares

_ABSENT_COMPONENT = 0.5
"""Certainty of an owner found without the component the case is about."""


def component_certainty(
    edition: "Edition", matches: "Matches", *, wanted: NDArray[np.bool_]
) -> Floats:
    """Return how probable it is that the component found leads to the right unit.

    The sum over the candidates whose records lead to the same unit as the nearest's.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day.
    matches : Matches
        Components that may be meant.
    wanted : ndarray
        Cases that are about a component of some class.
    """
    result = np.where(wanted & (matches.chosen < 0), _ABSENT_COMPONENT, 1.0)
    question = matches.question
    if not len(question):
        return result
    records = record_table_of(edition)
    lead = records.leads(records.meanings(matches.row))
    starts = np.flatnonzero(np.diff(question, prepend=-1))
    sizes = np.diff(np.append(starts, len(question)))
    agreeing = lead == np.repeat(lead[starts], sizes)
    result[question[starts]] = np.add.reduceat(matches.probability * agreeing, starts)
    return result


def area_certainty(
    edition: "Edition",
    placed: "Placed",
    *,
    grid: "Located",
    shares: "Shares",
    level: NDArray[np.int8],
) -> Floats:
    """Return the share of the error disc in the area of the deciding row.

    It is 1 where a component's record or a row for the whole city decided.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day.
    placed : Placed
        Where the cases are.
    grid : Located
        Their unit grids.
    shares : Shares
        Share of each unit grid in the error disc of each case.
    level : ndarray
        Levels of the deciding rows, numbers in ``owner_table.LEVEL_NAMES``.
    """
    result = np.ones(len(level))
    for name in ("grid", "community", "street", "district"):
        asked = level == LEVEL_NAMES.index(name)
        if not asked.any():
            continue
        if len(edition.grids.rows):
            area = edition.grid_areas[name]
            pairs = np.flatnonzero(asked[shares.point])
            point = shares.point[pairs]
            same = area[shares.position[pairs]] == area[grid.position[point]]
            weights = shares.probability[pairs] * same
            shared = np.bincount(point, weights=weights, minlength=len(level))
            result[asked] = shared[asked]
        else:
            result[asked] = _own_share(edition.areas[name].index, placed)[asked]
    everywhere = np.isin(level, (LEVEL_NAMES.index("city"), COMPONENT_LEVEL))
    result[~np.isfinite(placed.x) & ~everywhere] = 0.0
    return result


def _own_share(index: "CellIndex", placed: "Placed") -> Floats:
    located = index.locate(placed.x, placed.y)
    shares = index.shares(placed.x, placed.y, placed.sigma_m)
    own = shares.position == located.position[shares.point]
    result = np.zeros(len(placed.x))
    result[shares.point[own]] = shares.probability[own]
    return result
