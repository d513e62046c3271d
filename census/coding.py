"""Codes for components that were delivered without one, the same at every load."""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from census.identifiers import LAST_SEQUENCE, SEQUENCE_DIGITS
from gis.errors import CodeError

SAME_PLACE_M = 0.5
"""A component without code is taken for the live one of its class this near, m."""


def recall_codes(
    points: np.ndarray, classes: "pd.Series[str]", *, before: pd.DataFrame
) -> "pd.Series[str]":
    """Return the code that each place had before, None where there was none.

    Nearest pairs are joined first, each code is given once; at equal distance the earlier row and
    the lower code come first.

    Parameters
    ----------
    points : numpy.ndarray
        East and north per row, m.
    classes : pandas.Series
        Minor class per row; its index is the result's.
    before : pandas.DataFrame
        ``code``, ``class_code``, ``x``, ``y`` of the components whose codes may be recalled.

    Examples
    --------
    >>> before = pd.DataFrame({"code": ["k"], "class_code": ["0104"], "x": [0.0], "y": [0.0]})
    >>> xy = np.array([[0.4, 0.0], [0.1, 0.0]])
    >>> recall_codes(xy, pd.Series(["0104", "0104"]), before=before).tolist()
    [None, 'k']
    """
    result = np.full(len(points), None, dtype=object)
    if len(points) and len(before):
        old = before.sort_values("code")
        near = cKDTree(points).sparse_distance_matrix(
            cKDTree(old[["x", "y"]].to_numpy(dtype=float)), SAME_PLACE_M, output_type="ndarray"
        )
        same = (
            classes.to_numpy(dtype=object)[near["i"]]
            == old["class_code"].to_numpy(dtype=object)[near["j"]]
        )
        codes = old["code"].to_numpy(dtype=object)
        rows: set[int] = set()
        given: set[int] = set()
        for row, other, _ in np.sort(near[same], order=["v", "i", "j"]):
            if row not in rows and other not in given:
                rows.add(row)
                given.add(other)
                result[row] = codes[other]
    return pd.Series(result, index=classes.index, dtype=object)


def next_codes(
    prefixes: "pd.Series[str]",
    *,
    largest: Mapping[str, int],
    taken: Mapping[str, Collection[int]] | None = None,
    used: Mapping[str, Collection[int]] | None = None,
) -> "pd.Series[str]":
    """Return new codes, each the next after the largest sequence its prefix ever had.

    Sequences that are taken are passed over. Where too few are left after the largest, those that
    were never used are given, from the lowest.

    Parameters
    ----------
    prefixes : pandas.Series
        District and class of each component, in the order of numbering.
    largest : mapping
        Prefix -> largest sequence used, in this delivery or ever before.
    taken : mapping or None
        Prefix -> further sequences that are not to be given, as those of refused rows.
    used : mapping or None
        Prefix -> all sequences ever used, where those after the largest may not suffice.

    Raises
    ------
    CodeError
        A prefix has no sequence left.

    Examples
    --------
    >>> next_codes(pd.Series(["1301020104", "1301020104"]), largest={"1301020104": 7}).tolist()
    ['1301020104000008', '1301020104000009']
    """
    result = pd.Series(None, index=prefixes.index, dtype=object)
    full: list[str] = []
    for name, rows in prefixes.groupby(prefixes, sort=True):
        prefix = str(name)
        busy = _array((taken or {}).get(prefix, ()))
        free = _without(np.arange(largest.get(prefix, 0) + 1, LAST_SEQUENCE + 1), busy)
        if len(free) < len(rows) and prefix in (used or {}):
            busy = np.union1d(busy, _array((used or {})[prefix]))
            free = _without(np.arange(1, LAST_SEQUENCE + 1), busy)
        if len(free) < len(rows):
            full.append(prefix)
            continue
        text = pd.Series(free[: len(rows)], index=rows.index).astype("str")
        result[rows.index] = prefix + text.str.zfill(SEQUENCE_DIGITS)
    if full:
        msg = f"No sequence is left under {', '.join(full)}; deliver codes for these components."
        raise CodeError(msg, zh=f"{'、'.join(full)} 下的顺序号已用完，请在交付中提供标识码。")
    return result


def _array(sequences: Collection[int]) -> NDArray[np.int64]:
    return np.fromiter(sequences, dtype=np.int64, count=len(sequences))


def _without(sequences: NDArray[np.int64], busy: NDArray[np.int64]) -> NDArray[np.int64]:
    # np.setdiff1d hashes a million sequences for every prefix, which takes most of a second.
    free: NDArray[np.int64] = sequences[~np.isin(sequences, busy)]
    return free
