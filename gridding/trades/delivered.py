"""Delivered rows of management and evaluation grids as the judge reads them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from gis.codes import read_rules
from gis.datasets import PERSONS
from gridding.trades.trade import Trade, find_trade

RULES = read_rules("gridding.trades")
ONLY_KIND = "*"
"""Kind of evaluation grids where a city has but one."""
_TEXTS = ("name", "unit_code", "unit_name", "remark")


@dataclass(frozen=True, kw_only=True)
class Sort:
    """Management grids or evaluation grids: what differs between the two."""

    dataset: str
    prefix: str
    """Begin of its rule codes."""
    series: str
    """Column that sets apart grids which may overlap: trade, or kind."""
    persons: tuple[str, ...] = ()
    """Columns of persons."""

    def rule(self, number: int) -> str:
        """Return the code of a rule.

        Examples
        --------
        >>> MANAGEMENT.rule(7), EVALUATION.rule(12)
        ('MG07', 'EG12')
        """
        return f"{self.prefix}{number:02d}"


MANAGEMENT = Sort(dataset="management_grids", prefix="MG", series="trade", persons=PERSONS)
EVALUATION = Sort(dataset="evaluation_grids", prefix="EG", series="kind")

Reader = Callable[[pd.DataFrame, str], "pd.Series[str]"]
"""Reads a column as trimmed text, None for blank or missing."""


def read_delivered(
    frame: pd.DataFrame, *, sort: Sort, text_of: Reader, local: Iterable[Trade] = ()
) -> pd.DataFrame:
    """Return delivered rows with the columns of the table, blanks as None.

    Rows of one grid, each with one of its unit grids, become one row, the first of them. Geometry,
    where the file has any, is kept as ``geometry``.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows with the platform's column names, ``source_file`` and ``source_row``.
    sort : Sort
        Management or evaluation grids.
    text_of : callable
        Reads a column.
    local : iterable of Trade
        Trades that the city added.
    """
    columns = ("code", "members", sort.series, *_TEXTS, *sort.persons)
    rows = pd.DataFrame({name: text_of(frame, name) for name in columns}, index=frame.index)
    rows["said"] = rows[sort.series]
    if sort is MANAGEMENT:
        known = {word: find_trade(word, local=local) for word in rows["said"].dropna().unique()}
        keys = {word: trade.key for word, trade in known.items() if trade is not None}
        rows[sort.series] = rows["said"].map(keys).astype(object)
    else:
        rows[sort.series] = rows["said"].fillna(ONLY_KIND)
    rows["source_file"], rows["source_row"] = frame["source_file"], frame["source_row"]
    none = pd.Series(None, index=frame.index, dtype=object)
    rows["geometry"] = frame["geometry"].astype(object) if "geometry" in frame else none
    rows = rows.astype(object).where(rows.notna(), None)
    return _join_lists(rows, sort)


def _join_lists(rows: pd.DataFrame, sort: Sort) -> pd.DataFrame:
    """Join rows of the same file, code and series that list unit grids one by one."""
    listed = rows["members"].notna() & rows["code"].notna() & rows["geometry"].isna()
    keys = [rows[name].fillna("") for name in ("source_file", sort.series, "code")]
    first = rows.index.to_series().groupby(keys).transform("first")
    again = listed & first.ne(rows.index.to_series()) & first.map(listed)
    if not again.any():
        return rows
    joined = rows.loc[listed, "members"].groupby(first[listed]).agg(";".join)
    filled = rows[listed].groupby(first[listed]).first()
    kept = rows[~again].copy()
    for name in (*_TEXTS, *sort.persons):
        kept[name] = filled[name].reindex(kept.index).where(kept[name].isna(), kept[name])
    kept["members"] = joined.reindex(kept.index).where(
        joined.reindex(kept.index).notna(), kept["members"]
    )
    return kept.astype(object).where(kept.notna(), None)
