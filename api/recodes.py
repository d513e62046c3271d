"""Codes that components had before: after a migration or a merge the old one still finds its component."""

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd

TABLE = "recodes"
"""Table of a snapshot: former code and code of every component that got another one, by former code."""
_SCHEMA = pa.schema([pa.field("former_code", pa.string()), pa.field("code", pa.string())])


def to_recodes(rows: "pd.DataFrame | None") -> pa.Table:
    """Return the table of a snapshot, by former code, the newest build first.

    Parameters
    ----------
    rows : pandas.DataFrame or None
        ``former_code``, ``code`` and ``build_id``; None: nothing was ever recoded.
    """
    if rows is None or rows.empty:
        return _SCHEMA.empty_table()
    newest = rows.sort_values(
        ["former_code", "build_id", "code"], ascending=[True, False, True], kind="stable"
    ).drop_duplicates(["former_code", "code"])
    return pa.Table.from_pydict(
        {name: newest[name].tolist() for name in _SCHEMA.names}, schema=_SCHEMA
    )


def later_codes(table: pa.Table, code: str) -> list[str]:
    """Return the codes that a former code became, the newest first; none if it never was one.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"former_code": ["b", "a"], "code": ["c", "b"], "build_id": [2, 1]})
    >>> later_codes(to_recodes(rows), "a"), later_codes(to_recodes(rows), "c")
    (['b'], [])
    """
    former = table["former_code"]
    low, high = 0, len(former)
    while low < high:
        middle = (low + high) // 2
        if former[middle].as_py() < code:
            low = middle + 1
        else:
            high = middle
    found = []
    while low < len(former) and former[low].as_py() == code:
        found.append(table["code"][low].as_py())
        low += 1
    return found
