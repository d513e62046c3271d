"""Faults of delivered rows: a bad row is data, refused with a rule code and a reason, never lost."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
import pandas as pd

from gis.codes import Rule, Severity
from gis.remarks import Remark, row_in_chinese

REJECT_COLUMNS = (
    "source_file",
    "source_row",
    "code",
    "rule",
    "severity",
    "reason_en",
    "reason_zh",
    "record",
    "geometry",
)


_NOT_DELIVERED = frozenset({"geometry", "source_file", "source_row"})
_REMEMBERED = 100_000


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of the rows of a frame: read = accepted + refused."""

    accepted: pd.DataFrame
    """Rows to load, in the input's order, same columns (a GeoDataFrame stays one)."""
    faults: pd.DataFrame
    """One row per fault with `REJECT_COLUMNS`; severity ``error`` means the row was refused."""
    ends: tuple[str, ...] | None = None
    """Codes of live rows that end, and no others; None: those that the dataset's scope says."""
    remarks: tuple[Remark, ...] = ()
    """What is to be said of the delivery as a whole."""
    beside: Callable[[Any, int], None] | None = None
    """Called with connection and build number when the rows are published, in their transaction."""

    @property
    def count(self) -> int:
        """Number of rows accepted."""
        return len(self.accepted)

    def parts(self) -> "Iterator[Outcome]":
        """Yield the outcome in parts that can be held one after the other: this one alone."""
        yield self

    @property
    def refused(self) -> int:
        """Number of rows refused, each counted once however many faults it has."""
        errors = self.faults[self.faults["severity"] == "error"]
        return len(errors[["source_file", "source_row"]].drop_duplicates())


class Faults:
    """Gathers the faults of one frame, rule by rule, each over all rows at once.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows with unique index, ``source_file`` and ``source_row``.
    rules : mapping
        Rule code -> rule, whose reasons may name values: ``"{distance_m:.1f} m apart"``.

    Examples
    --------
    >>> import pandas as pd
    >>> from gis.codes import Rule
    >>> frame = pd.DataFrame({"source_file": "a.shp", "source_row": [1, 2], "code": ["x", None]})
    >>> rule = Rule(code="T1", severity="error", reason_en="No code.", reason_zh="缺少编码。")
    >>> faults = Faults(frame, rules={"T1": rule})
    >>> faults.add("T1", frame["code"].isna())
    >>> faults.outcome().accepted["source_row"].tolist()
    [1]
    """

    def __init__(self, frame: pd.DataFrame, *, rules: Mapping[str, Rule]) -> None:
        self.frame = frame
        self._rules = rules
        self._parts: list[pd.DataFrame] = []
        self._refused = pd.Series(False, index=frame.index)

    def add(
        self,
        rule: str,
        mask: "pd.Series[bool]",
        *,
        drawn: "pd.Series[Any] | None" = None,
        **values: Any,
    ) -> None:
        """Record that the rows of `mask` break `rule`.

        Parameters
        ----------
        rule : str
            Rule code.
        mask : pandas.Series
            True for the rows at fault, aligned to the frame; missing counts as False.
        drawn : pandas.Series or None
            Geometry that shows the fault where the row's own does not, as a line between two places.
        **values
            What the reason's placeholders stand for: a Series aligned to the frame, or one value.
        """
        if mask.dtype == bool and not mask.to_numpy().any():
            return  # as most rules do on most columns
        flagged = mask.reindex(self.frame.index).fillna(False).astype(bool)
        rows = self.frame.index[flagged]
        if len(rows) == 0:
            return
        entry = self._rules[rule]
        if entry.severity == "off":
            return
        texts = _texts(entry, rows, values)
        told = {
            "rule": rule,
            "severity": entry.severity,
            "reason_en": texts[0],
            "reason_zh": texts[1],
            "drawn": None if drawn is None else drawn.reindex(rows).astype(object),
        }
        self._parts.append(pd.DataFrame(told, index=rows))
        if entry.severity == "error":
            self._refused |= flagged

    def severity(self, rule: str) -> Severity:
        """Return what breaking a rule does; ``off``: it need not be looked for."""
        return self._rules[rule].severity

    @property
    def refused(self) -> "pd.Series[bool]":
        """True for rows that broke a rule of severity ``error`` so far."""
        return self._refused

    def stands(self, rows: "pd.Index[Any]") -> "pd.Series[bool]":
        """Return True for those of these rows of the frame that no rule has refused so far."""
        whole = self.frame.index
        if isinstance(whole, pd.RangeIndex) and whole.equals(pd.RangeIndex(len(whole))):
            return pd.Series(~self._refused.to_numpy()[rows.to_numpy(dtype=np.intp)], index=rows)
        return ~self._refused.reindex(rows)

    @property
    def told(self) -> int:
        """How often rows were told to break a rule so far; see `since`."""
        return len(self._parts)

    def since(self, told: int) -> list[pd.DataFrame]:
        """Return what was told since `told`, to be taken over by `take` elsewhere."""
        return self._parts[told:]

    def take(self, parts: list[pd.DataFrame]) -> bool:
        """Add what a copy of these faults told since it was made; return whether rows were refused."""
        self._parts.extend(parts)
        wrong = [part.index for part in parts if (part["severity"] == "error").any()]
        for rows in wrong:
            self._refused |= pd.Series(True, index=rows).reindex(self.frame.index, fill_value=False)
        return bool(wrong)

    def copy(self) -> "Faults":
        """Return the faults as they are now, to be told more of apart."""
        result = Faults(self.frame, rules=self._rules)
        result._parts, result._refused = list(self._parts), self._refused.copy()
        return result

    def outcome(self) -> Outcome:
        """Split the frame into accepted rows and the table of faults."""
        return Outcome(accepted=self.frame[~self._refused], faults=self.table())

    def table(self) -> pd.DataFrame:
        """Return all that was told: one row per fault with `REJECT_COLUMNS`."""
        if not self._parts:
            return pd.DataFrame(columns=list(REJECT_COLUMNS))
        table = pd.concat(self._parts)
        rows = self.frame.loc[table.index]
        table["source_file"] = rows["source_file"].to_numpy()
        table["source_row"] = rows["source_row"].to_numpy()
        table["code"] = rows["code"].to_numpy() if "code" in rows else None
        own = rows["geometry"].to_numpy(dtype=object) if "geometry" in rows else None
        drawn = table["drawn"].to_numpy(dtype=object)
        table["geometry"] = np.where(pd.isna(drawn), own, drawn)
        table["record"] = _records(self.frame, table.index)
        table = table.sort_values(["source_file", "source_row", "rule"], kind="stable")
        return table[list(REJECT_COLUMNS)].reset_index(drop=True)


def _texts(rule: Rule, rows: "pd.Index[Any]", values: Mapping[str, Any]) -> list[Any]:
    """Return the reasons in both languages, each distinct set of values put into words once."""
    columns = [
        value.reindex(rows).tolist() if isinstance(value, pd.Series) else repeat(value, len(rows))
        for value in values.values()
    ]
    known: dict[Any, tuple[str, str]] = {}
    result = []
    for cells in zip(*columns, strict=True) if columns else repeat((), len(rows)):
        # 1 and 1.0 and True are one key, but not one text.
        key: Any = tuple((type(cell), cell) for cell in cells)
        try:
            found = known.get(key)
        except TypeError:  # a list is no key
            key, found = None, None
        if found is None:
            words = dict(zip(values, cells, strict=True))
            chinese = {name: row_in_chinese(cell) for name, cell in words.items()}
            found = (rule.reason_en.format(**words), rule.reason_zh.format(**chinese))
            if key is not None and len(known) < _REMEMBERED:
                known[key] = found
        result.append(found)
    return [[english for english, _ in result], [chinese for _, chinese in result]]


def _records(frame: pd.DataFrame, rows: "pd.Index[Any]") -> list[dict[Any, Any]]:
    """Return each row as delivered, made once however many faults it has."""
    position, distinct = pd.factorize(rows)
    names = [name for name in frame.columns if name not in _NOT_DELIVERED]
    part = frame.loc[distinct, names]
    columns = [part[name].tolist() for name in names]
    cells = zip(*columns, strict=True) if columns else repeat((), len(distinct))
    records = [dict(zip(names, row, strict=True)) for row in cells]
    return [records[place] for place in position]
