"""Moving codes from one generation of the standards to a later one.

The crosswalks are worked out by name and sequence, so a move is a proposal: a class that was split,
dropped or is not known to have a successor is listed for a person to decide, never guessed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import pandas as pd

from census.identifiers import LAST_SEQUENCE, SEQUENCE_DIGITS, split_component_codes
from census.taxonomy import CODE_LENGTHS
from gis.codes import read_table
from gis.errors import CodeError

Relation = Literal["same", "renamed", "split", "merged", "none", "undecided"]
_SURE = ("same", "renamed", "merged")


@dataclass(frozen=True, kw_only=True)
class Successor:
    """What became of a class."""

    relation: Relation
    codes: tuple[str, ...]
    """Candidates in order of code; empty when there is none."""

    @property
    def code(self) -> str | None:
        """The one successor, or None when a person has to decide."""
        return self.codes[0] if len(self.codes) == 1 and self.relation in _SURE else None


@cache
def read_crosswalk(kind: str, *, from_ref: str, to_ref: str) -> Mapping[str, Successor]:
    """Return what became of each class of a generation.

    Raises
    ------
    CodeError
        There is no crosswalk between these two, as backwards.

    Examples
    --------
    >>> walk = read_crosswalk("component", from_ref="CJ/T 214-2007", to_ref="GB/T 47678.5-2026")
    >>> walk["0114"]
    Successor(relation='renamed', codes=('01023',))
    >>> walk["0117"].code is None
    True
    """
    rows = [
        row
        for row in read_table("census.codes", "crosswalks.csv")
        if (row["kind"], row["from_ref"], row["to_ref"]) == (kind, from_ref, to_ref)
    ]
    if not rows:
        msg = (
            f"No crosswalk of {kind} classes leads from {from_ref} to {to_ref}; move forwards only."
        )
        raise CodeError(
            msg, zh=f"没有从 {from_ref} 到 {to_ref} 的类别对照表，只能由旧标准迁往新标准。"
        )
    walk: dict[str, Successor] = {}
    for row in rows:
        before = walk.get(row["from_code"])
        codes = (*(before.codes if before else ()), *([row["to_code"]] if row["to_code"] else ()))
        walk[row["from_code"]] = Successor(relation=row["relation"], codes=codes)  # type: ignore[arg-type]
    return walk


def migrate_classes(codes: Iterable[str], *, kind: str, from_ref: str, to_ref: str) -> pd.DataFrame:
    """Move class codes to a later generation.

    Returns
    -------
    pandas.DataFrame
        ``code``, ``to_code`` (None: to be decided), ``relation`` (``unknown``: not in the crosswalk,
        as with local extensions) and ``candidates``, one row per input in its order.

    Raises
    ------
    CodeError
        There is no such crosswalk.

    Examples
    --------
    >>> migrate_classes(
    ...     ["0104", "0199"], kind="component", from_ref="CJ/T 214-2007", to_ref="GB/T 47678.5-2026"
    ... )["to_code"].tolist()
    ['01004', None]
    """
    walk = read_crosswalk(kind, from_ref=from_ref, to_ref=to_ref)
    given = list(codes)
    found = [walk.get(code) for code in given]
    columns: dict[str, list[object]] = {
        "code": list(given),
        "to_code": [entry.code if entry else None for entry in found],
        "relation": [entry.relation if entry else "unknown" for entry in found],
        "candidates": [list(entry.codes) if entry else [] for entry in found],
    }
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


def migrate_component_codes(codes: "pd.Series[str]", *, from_ref: str, to_ref: str) -> pd.DataFrame:
    """Move component codes to a later generation, keeping district and sequence where that is free.

    Where several old classes become one, later rows that would repeat a code get the next free
    sequence of their district and class, in the order given.

    Returns
    -------
    pandas.DataFrame
        ``code``, ``to_code`` (None: to be decided) and ``relation``, same index and order.

    Raises
    ------
    CodeError
        There is no such crosswalk, or a class of a district has no sequence left.

    Examples
    --------
    >>> old = pd.Series(["1301020306000001", "1301020501000001"])
    >>> moved = migrate_component_codes(old, from_ref="CJ/T 214-2007", to_ref="GB/T 47678.5-2026")
    >>> moved["to_code"].tolist()
    ['13010203006000001', '13010203008000001']
    """
    parts = split_component_codes(codes, class_digits=CODE_LENGTHS[from_ref])
    known = sorted(parts["class_code"].dropna().unique())
    moves = migrate_classes(known, kind="component", from_ref=from_ref, to_ref=to_ref).set_index(
        "code"
    )
    to_class = parts["class_code"].map(moves["to_code"])
    relation = parts["class_code"].map(moves["relation"]).fillna("unknown")
    prefix = parts["district"] + to_class
    return pd.DataFrame(
        {
            "code": codes,
            "to_code": number_codes(prefix, parts["sequence"]),
            "relation": relation,
        },
        index=codes.index,
    )


def number_codes(
    prefix: "pd.Series[str]",
    sequence: "pd.Series[int]",
    *,
    own: "pd.Series[str] | None" = None,
    used: "pd.Series[str] | None" = None,
) -> "pd.Series[str]":
    """Return prefix and sequence joined, each code once; the others take the next numbers after the largest.

    Parameters
    ----------
    prefix : pandas.Series
        District and class; None: no code is wanted.
    sequence : pandas.Series
        Sequence wanted, aligned.
    own : pandas.Series or None
        Code that each row has now: it may keep it, and comes before others that want it.
    used : pandas.Series or None
        Codes that some component has or ever had: no other row gets one of these.

    Raises
    ------
    CodeError
        A prefix has no sequence left.

    Examples
    --------
    >>> prefix = pd.Series(["1301020123", "1301020123"])
    >>> used = pd.Series(["1301020123000001", "1301020123000007"])
    >>> number_codes(prefix, pd.Series([1, 2]), used=used).tolist()
    ['1301020123000008', '1301020123000002']
    """
    keyed = pd.DataFrame({"prefix": prefix, "sequence": sequence}).dropna()
    keyed["code"] = _joined(keyed["prefix"], keyed["sequence"])
    owned = keyed["code"].eq(own.reindex(keyed.index)) if own is not None else keyed["code"].isna()
    taken = pd.Series(dtype=object) if used is None else used
    free = owned | ~keyed["code"].isin(taken)
    # Of rows that want one code the one that has it comes first, then the earlier.
    order = keyed.index[np.argsort(~owned.to_numpy(), kind="stable")]
    first = ~keyed.loc[order, "code"].duplicated()
    kept = free & first.reindex(keyed.index)
    again = keyed[~kept]
    if not again.empty:
        largest = _largest(pd.concat([keyed.loc[kept, "code"], keyed["code"], taken.dropna()]))
        number = again["prefix"].map(largest) + again.groupby("prefix").cumcount() + 1
        if (number > LAST_SEQUENCE).any():
            full = sorted(again.loc[number > LAST_SEQUENCE, "prefix"].unique())
            msg = f"No sequence is left under {', '.join(full)}; move these components by hand."
            raise CodeError(msg, zh=f"{'、'.join(full)} 下的顺序号已用完，请人工处理。")
        keyed.loc[again.index, "code"] = _joined(again["prefix"], number)
    return keyed["code"].reindex(prefix.index).astype(object).where(lambda c: c.notna(), None)


def _joined(prefix: "pd.Series[str]", sequence: "pd.Series[int]") -> "pd.Series[str]":
    text = sequence.astype("int64").astype("str").str.zfill(SEQUENCE_DIGITS)
    return (prefix.astype("str") + text).astype(object)


def _largest(codes: "pd.Series[str]") -> dict[str, int]:
    """Return prefix -> largest sequence; what does not end in six digits is no code."""
    text = codes.astype("str")
    sequence = text.str[-SEQUENCE_DIGITS:]
    is_code = sequence.str.fullmatch("[0-9]{6}").fillna(False).astype(bool)
    numbers = sequence[is_code].astype(int)
    found: dict[str, int] = numbers.groupby(text[is_code].str[:-SEQUENCE_DIGITS]).max().to_dict()
    return found
