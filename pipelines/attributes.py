"""Delivered columns that no platform column stands for, kept as one JSON object per row."""

from collections.abc import Hashable
from functools import cache
from typing import Any

import pandas as pd

from gis.codes import read_table
from pipelines.values import numbers_of, text_of

_NOT_ATTRIBUTES = frozenset({"geometry", "source_file", "source_row"})


@cache
def _known() -> dict[str, tuple[str, str]]:
    rows = read_table("pipelines", "attribute_names.csv")
    # An attribute is known by its own name too, as exports write it.
    own = {row["attribute"]: (row["attribute"], row["kind"]) for row in rows}
    return own | {row["delivered"].casefold(): (row["attribute"], row["kind"]) for row in rows}


def attributes_of(frame: pd.DataFrame, *, columns: frozenset[str]) -> "pd.Series[dict[str, Any]]":
    """Return one object per row with every column that is not in `columns`; blanks are left out.

    Known spellings get their platform name with its unit (WIDTH -> ``width_m``) and become numbers;
    others keep theirs in lower case and stay text.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"code": ["a", "b"], "WIDTH": ["30.0", ""], "Owner": [None, "me"]})
    >>> attributes_of(rows, columns=frozenset({"code"})).tolist()
    [{'width_m': 30.0}, {'owner': 'me'}]
    """
    parts: dict[str, list[Any]] = {}
    for column in frame.columns:
        if column in columns or column in _NOT_ATTRIBUTES:
            continue
        name, values = _read(frame, column)
        parts.setdefault(name, values)
    rows = [
        {name: value for name, value in zip(parts, row, strict=True) if value is not None}
        for row in zip(*parts.values(), strict=True)
    ]
    return pd.Series(rows or [{} for _ in frame.index], index=frame.index, dtype=object)


def attribute_name(column: str) -> str:
    """Return the name that a delivered column has among the attributes.

    Examples
    --------
    >>> attribute_name("WIDTH"), attribute_name("Owner")
    ('width_m', 'owner')
    """
    return _known().get(column.casefold(), (column.lower(), ""))[0]


def is_attribute(column: str) -> bool:
    """Tell whether a delivered column is a known attribute of map features.

    Examples
    --------
    >>> is_attribute("FLOORS"), is_attribute("Owner")
    (True, False)
    """
    return column.casefold() in _known()


def _read(frame: pd.DataFrame, column: Hashable) -> tuple[str, list[Any]]:
    delivered = str(column)
    text = text_of(frame, delivered)
    name, kind = _known().get(delivered.casefold(), (delivered.lower(), "text"))
    if kind == "text":
        return name, text.tolist()
    numbers = numbers_of(frame, delivered)
    # A value that is no number ("砖3") stays as it was written.
    return name, [
        float(number) if number == number else raw
        for number, raw in zip(numbers, text, strict=True)
    ]
