"""Which live rows a delivery is complete for, so that they end when it does not hold them."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Which live rows end when a delivery does not hold them.

    Examples
    --------
    >>> Scope.matching("class_code", ["0104"], code_prefix="130102").values
    ('0104',)
    """

    column: str | None = None
    """Column compared with `values`; None: `values` is not looked at."""
    values: tuple[str, ...] = ()
    code_prefix: str | tuple[str, ...] = ""
    """Only rows whose code begins so, or with one of these."""
    is_empty: bool = False
    """No row ends: the delivery adds to what is live."""
    is_named: bool = False
    """Rows were named one by one, so that all may end."""
    spared: tuple[str, ...] = ()
    """Codes that do not end, delivered or not."""

    @classmethod
    def everything(cls, *, code_prefix: str | tuple[str, ...] = "") -> "Scope":
        """Every live row of the dataset: the delivery is complete."""
        return cls(code_prefix=code_prefix)

    @classmethod
    def nothing(cls) -> "Scope":
        """No row: the delivery is an update."""
        return cls(is_empty=True)

    @classmethod
    def matching(
        cls, column: str, values: Iterable[str], *, code_prefix: str | tuple[str, ...] = ""
    ) -> "Scope":
        """Rows whose `column` is among `values`: the delivery is complete for these."""
        return cls(column=column, values=tuple(values), code_prefix=code_prefix)

    @classmethod
    def codes(cls, codes: Iterable[str]) -> "Scope":
        """Exactly the rows with these codes."""
        return cls(column="code", values=tuple(codes), is_named=True)

    def covers(self, frame: pd.DataFrame) -> "pd.Series[bool]":
        """Return which rows of a frame of the dataset are in the scope.

        Examples
        --------
        >>> rows = pd.DataFrame({"code": ["1a", "2a"], "class_code": ["0104", "0104"]})
        >>> Scope.matching("class_code", ["0104"], code_prefix=("1", "3")).covers(rows).tolist()
        [True, False]
        """
        result = pd.Series(not self.is_empty, index=frame.index, dtype=bool)
        if self.column is not None:
            result &= frame[self.column].isin(list(self.values))
        if self.code_prefix:
            result &= frame["code"].astype(str).str.startswith(self.code_prefix)
        if self.spared:
            result &= ~frame["code"].isin(self.spared)
        return result
