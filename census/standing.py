"""Which rows still stand while a survey is judged, and what is said once for a whole file."""

from typing import Any

import pandas as pd

from gis.faults import Faults


def standing(rows: pd.DataFrame, faults: Faults) -> "pd.Series[bool]":
    """Return True for the rows that no check has refused so far, aligned to `rows`.

    Parameters
    ----------
    rows : pandas.DataFrame
        All rows of the frame behind `faults`, or some of them.
    faults : Faults
        What was found so far.

    Examples
    --------
    >>> frame = pd.DataFrame({"code": ["a", "b"]})
    >>> standing(frame.iloc[1:], Faults(frame, rules={})).to_dict()
    {1: True}
    """
    return faults.stands(rows.index)


def first_of(mask: "pd.Series[bool]") -> "pd.Series[bool]":
    """Return a mask of the first True alone.

    Examples
    --------
    >>> first_of(pd.Series([False, True, True])).tolist()
    [False, True, False]
    """
    return mask & (mask.cumsum() == 1)


def add_once(
    faults: Faults,
    rule: str,
    mask: "pd.Series[bool]",
    *,
    groups: "pd.Series[Any]",
    **values: Any,
) -> None:
    """Report a rule once for each group of rows, on its first row at fault.

    The reason may name ``{count}``, the rows at fault, and ``{total}``, all rows of the group.

    Parameters
    ----------
    faults : Faults
        Gets the rule.
    rule : str
        Rule code.
    mask : pandas.Series
        Rows at fault.
    groups : pandas.Series
        What is reported once, as ``source_file``; same index; rows without group are left out.
    **values
        Further values of the reason, as in `Faults.add`.
    """
    wrong = groups.where(mask)
    head = wrong.notna() & ~wrong.duplicated(keep="first")
    if not head.any():
        return
    names = wrong[head]
    count = names.map(wrong.value_counts())
    total = names.map(groups.value_counts())
    faults.add(rule, head, count=count, total=total, **values)
