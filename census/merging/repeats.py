"""Warnings that a merge would only repeat: of rows that nobody edited, told when these came in."""

import pandas as pd

OF_THE_WHOLE = frozenset(
    f"C{number:03d}" for number in (6, 29, 36, 37, 42, 48, 67, 68, 90, 91, 92, 93, 94, 96, 97)
)
"""Rules told once for a file, class, unit or grid, at whatever row of it comes first."""
_CODE = r"(\d{16,17})"
_ROW = ["source_file", "source_row"]


def part_repeats(
    faults: pd.DataFrame, delivered: pd.DataFrame, *, untouched: "pd.Index[int]"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the faults that a merge tells, and those that it only counts.

    Counted are warnings of rows that the delivery leaves as they were. All else is told: what is
    refused, what is said of a delivery as a whole, and a warning that names an edited component, as
    the other of two that are perhaps one.

    Parameters
    ----------
    faults : pandas.DataFrame
        `gis.faults.REJECT_COLUMNS`.
    delivered : pandas.DataFrame
        Accepted rows: ``code``, ``source_file``, ``source_row``.
    untouched : pandas.Index
        Rows of `delivered` that say what the version they began from says.

    Examples
    --------
    >>> faults = pd.DataFrame({"source_file": "a", "source_row": [1, 2], "rule": "C060", "severity": "warning",
    ...                        "reason_en": ""})
    >>> rows = pd.DataFrame({"source_file": "a", "source_row": [1, 2], "code": ["x", "y"]})
    >>> told, repeated = part_repeats(faults, rows, untouched=pd.Index([0]))
    >>> told["source_row"].tolist(), repeated["source_row"].tolist()
    ([2], [1])
    """
    known = pd.MultiIndex.from_frame(delivered.loc[untouched, _ROW])
    row = pd.MultiIndex.from_frame(faults[_ROW])
    is_repeat = pd.Series(row.isin(known), index=faults.index)
    is_repeat &= faults["severity"].eq("warning") & ~faults["rule"].isin(OF_THE_WHOLE)
    edited = delivered.loc[delivered.index.difference(untouched), "code"]
    named = faults.loc[is_repeat, "reason_en"].str.extractall(_CODE)[0]
    news = named[named.isin(edited)].index.get_level_values(0)
    is_repeat[news] = False
    return faults[~is_repeat], faults[is_repeat]
