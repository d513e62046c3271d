"""Which rows still stand while a survey is judged check by check."""

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
    return ~faults.refused.reindex(rows.index)


def first_of(mask: "pd.Series[bool]") -> "pd.Series[bool]":
    """Return a mask of the first True alone.

    Examples
    --------
    >>> first_of(pd.Series([False, True, True])).tolist()
    [False, True, False]
    """
    return mask & (mask.cumsum() == 1)
