"""What reading a delivery found out about single values, judged: cut, misread, or lost on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gis.faults import Faults
from gis.findings import Finding, Kind

_RULES: Mapping[Kind, str] = {
    "cut": "C070",
    "damaged": "C071",
    "likely_cut": "C072",
    "mojibake": "C073",
    "suspect": "C074",
    "question_marks": "C075",
    "other_encoding": "C076",
    "no_number": "C080",
    "overflow": "C081",
}
_CODE_RULES: Mapping[Kind, str] = {"scientific": "C077", "digits_lost": "C078"}
"""Rules of the component's own code, which no longer says which component it is."""
_OTHER_RULES: Mapping[Kind, str] = {"scientific": "C082", "digits_lost": "C082"}
_SHOWN = 60


@dataclass(frozen=True, kw_only=True)
class FileFinding:
    """A finding about a file of a delivery."""

    source_file: str
    platform: str | None
    """The platform column that the file's column stands for."""
    finding: Finding


def judge_readings(frame: pd.DataFrame, faults: Faults, *, findings: Sequence[FileFinding]) -> None:
    """Report the rows whose values reading damaged, mended or doubted.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows with ``source_file`` and ``source_row``.
    faults : Faults
        Gets C070-C078 and C080-C082, one per row and column.
    findings : sequence of FileFinding
        What was found on reading; rows that are not in `frame` are left out.

    Examples
    --------
    >>> from gis.codes import read_rules
    >>> frame = pd.DataFrame({"source_file": "a.shp", "source_row": [1, 2], "code": None})
    >>> faults = Faults(frame, rules=read_rules("census"))
    >>> cut = Finding(kind="cut", column="QSDWMC", rows=np.array([2]), given=("市政",), read=("市",))
    >>> found = FileFinding(source_file="a.shp", platform="owner_name", finding=cut)
    >>> judge_readings(frame, faults, findings=[found])
    >>> faults.outcome().faults[["rule", "source_row"]].values.tolist()
    [['C070', 2]]
    """
    by_file: dict[str, pd.Index] = {}
    for one in findings:
        if one.source_file not in by_file:
            rows = frame.loc[frame["source_file"].eq(one.source_file), "source_row"]
            by_file[one.source_file] = pd.Index(rows.index[np.argsort(rows.to_numpy())])
        _report(frame, faults, one, index=by_file[one.source_file])


def _report(
    frame: pd.DataFrame, faults: Faults, one: FileFinding, *, index: "pd.Index[int]"
) -> None:
    finding = one.finding
    table = _CODE_RULES if one.platform == "code" else _OTHER_RULES
    rule = _RULES.get(finding.kind) or table[finding.kind]
    numbers = frame.loc[index, "source_row"].to_numpy()
    at = np.searchsorted(numbers, finding.rows)
    there = at < len(numbers)
    there[there] = numbers[at[there]] == finding.rows[there]
    rows = index[at[there]]
    mask = pd.Series(True, index=rows).reindex(frame.index, fill_value=False)
    texts = {
        name: pd.Series(
            [_short(text) for text, kept in zip(values, there, strict=True) if kept],
            index=rows,
            dtype=object,
        )
        for name, values in (("given", finding.given), ("read", finding.read))
        if values
    }
    faults.add(rule, mask, column=finding.column, **texts)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def restore_zeros(
    column: "pd.Series[str]", known: Sequence[str]
) -> tuple["pd.Series[str]", "pd.Series[bool]"]:
    """Return codes with the leading zeros that a spreadsheet took, and which rows they are.

    It is proved where no code is written as delivered and just one is with zeros before it.

    Examples
    --------
    >>> codes, restored = restore_zeros(pd.Series(["12", "7", None], dtype=object), ["0012", "07", "007"])
    >>> codes.tolist(), restored.tolist()
    (['0012', '7', None], [True, False, False])
    """
    bare: dict[str, list[str]] = {}
    for code in known:
        if code.startswith("0") and code.lstrip("0"):
            bare.setdefault(code.lstrip("0"), []).append(code)
    whole = frozenset(known)
    only = {
        short: codes[0] for short, codes in bare.items() if len(codes) == 1 and short not in whole
    }
    values = column.astype(object)
    if not only:
        return values, pd.Series(False, index=column.index)
    restored = column.isin(only)
    return values.where(~restored, values.map(only)), restored
