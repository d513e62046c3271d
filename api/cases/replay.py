"""Decide the cases of the past again, and compare with the units that handled them."""

from typing import Any

import pandas as pd


def confusion(evidence: pd.DataFrame, *, most: int = 20) -> list[dict[str, Any]]:
    """Return the pairs of units that differ most often, the commonest first.

    Parameters
    ----------
    evidence : pandas.DataFrame
        As `api.advice.evidence.read_evidence` gives it.
    most : int
        Pairs to return.

    Examples
    --------
    >>> rows = pd.DataFrame({"kind": ["event"] * 3, "class_code": ["0103"] * 3, "unit_code": ["A", "A", "B"],
    ...                      "truth": ["B", "B", "B"]})
    >>> confusion(rows)
    [{'kind': 'event', 'class_code': '0103', 'decided': 'A', 'handled_by': 'B', 'cases': 2}]
    """
    rows = evidence[["kind", "class_code", "unit_code", "truth"]].astype(object)
    rows = rows[rows["truth"].notna() & (rows["truth"] != rows["unit_code"])]
    counts = rows.value_counts(dropna=False).rename("cases").reset_index()
    counts = counts.sort_values(
        ["cases", "class_code", "unit_code", "truth"], ascending=[False, True, True, True]
    ).head(most)
    named = counts.rename(columns={"unit_code": "decided", "truth": "handled_by"})
    return [dict(zip(named.columns, row, strict=True)) for row in named.itertuples(index=False)]
