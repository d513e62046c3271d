"""Text as it was delivered: mojibake read back, and what was cut or lost on the way found."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gis.encoding import everyday_characters, likeness
from gis.findings import Finding, Kind
from gis.mojibake import HEALTHY, Way, is_chinese, read_back, repair_text
from gis.remarks import Remark

_CLEAR_GUESS = 0.7
_SAME_WAY = 0.5
"""Likeness that is enough where other values of the column went the same way."""
_LOST = re.compile(r"\?{2,}|？{3,}|\ufffd")
_LONG = 80  # shorter text can not fill 254 bytes
_FULL = frozenset({252, 253, 254})
_ENDS = "。.!！）)；;"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is the matter with a text."""

    kind: Kind
    read: str
    """What stands in the table from now on."""
    guess: str = ""
    """What it may have been, where that is not proved."""


def examine_column(column: "pd.Series", *, rows: "np.ndarray") -> tuple["pd.Series", list[Finding]]:
    """Return a text column with mojibake read back where provable, and what was found in it.

    Parameters
    ----------
    column : pandas.Series
        Values as read; what is not text is left alone.
    rows : numpy.ndarray
        ``source_row`` of each.

    Examples
    --------
    >>> broken = pd.Series(["裕华路街道".encode().decode("latin-1"), "长安区", None], dtype=object)
    >>> fixed, findings = examine_column(broken, rows=np.array([1, 2, 3]))
    >>> fixed.tolist(), findings[0].kind
    (['裕华路街道', '长安区', None], 'mojibake')
    """
    try:
        codes, distinct = pd.factorize(column)
    except TypeError:  # lists among the values
        texts = [value if isinstance(value, str) else None for value in column]
        codes, distinct = pd.factorize(pd.Series(texts, dtype=object))
    verdicts = examine_values([value if isinstance(value, str) else "" for value in distinct])
    if not verdicts:
        return column, []
    table = np.empty(len(distinct), dtype=object)
    table[:] = list(distinct)
    findings = []
    for kind in dict.fromkeys(verdict.kind for verdict in verdicts.values()):
        places = [place for place, verdict in verdicts.items() if verdict.kind == kind]
        at = np.flatnonzero(np.isin(codes, places))
        hit = codes[at]
        findings.append(
            Finding(
                kind=kind,
                column=str(column.name),
                rows=rows[at],
                given=tuple(str(distinct[place]) for place in hit),
                read=tuple(verdicts[place].guess or verdicts[place].read for place in hit),
            )
        )
    for place, verdict in verdicts.items():
        table[place] = verdict.read
    values = column.to_numpy(dtype=object, copy=True)
    there = codes >= 0
    values[there] = table[codes[there]]
    return pd.Series(values, index=column.index, name=column.name, dtype=object), findings


def examine_frame(
    frame: pd.DataFrame, *, rows: "np.ndarray"
) -> tuple[pd.DataFrame, tuple[Finding, ...], tuple[Remark, ...]]:
    """Return a frame whose text and column names were examined, the findings, and warnings.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns as read; those that are no text are left alone.
    rows : numpy.ndarray
        ``source_row`` of each row.
    """
    names, repaired = repair_names([str(name) for name in frame.columns])
    named = frame.set_axis(names, axis="columns") if repaired else frame
    changed: dict[str, pd.Series] = {}
    findings: list[Finding] = []
    for name in named.columns:
        if named[name].dtype == object:
            values, found = examine_column(named[name], rows=rows)
            if found:
                changed[str(name)] = values
                findings.extend(found)
    return named.assign(**changed), tuple(findings), name_warnings(repaired)


def name_warnings(repaired: dict[str, str]) -> tuple[Remark, ...]:
    """Return what is to be said of column names that were read back."""
    return tuple(
        Remark(
            en=f"The name of column {name} was read in a wrong encoding ({given}); it was read back.",
            zh=f"列名 {name} 曾以错误编码读取（{given}），已还原。",
        )
        for name, given in repaired.items()
    )


def repair_names(names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return column names with mojibake read back, and which were: new name -> as in the file.

    Examples
    --------
    >>> repair_names(["code", "权属单位".encode().decode("gb18030")])[1]
    {'权属单位': '鏉冨睘鍗曚綅'}
    """
    verdicts = examine_values(names)
    read = list(names)
    repaired: dict[str, str] = {}
    for place, verdict in verdicts.items():
        if verdict.kind == "mojibake" and verdict.read not in read:
            repaired[verdict.read] = names[place]
            read[place] = verdict.read
    return read, repaired


def examine_values(values: Sequence[str]) -> dict[int, Verdict]:
    """Return position -> verdict of the values that are not sound.

    Examples
    --------
    >>> examine_values(["裕华路", "????"])
    {1: Verdict(kind='question_marks', read='????', guess='')}
    """
    joined = "".join(values)
    odd = set() if joined.isascii() else set(joined) - everyday_characters()
    is_lossy = any(sign in joined for sign in ("??", "？？？", "\ufffd"))  # as _LOST, but fast
    is_long = max(map(len, values), default=0) > _LONG
    found = _examine_odd(values, odd)
    for place, value in enumerate(values) if is_lossy or is_long else ():
        if place in found:
            continue
        if is_lossy and _LOST.search(value) and (verdict := _lost(value)) is not None:
            found[place] = verdict
        elif len(value) > _LONG and _is_full(value):
            found[place] = Verdict(kind="likely_cut", read=value)
    return found


def _examine_odd(values: Sequence[str], odd: set[str]) -> dict[int, Verdict]:
    """Return the verdicts on values with characters that everyday Chinese does not have."""
    if not odd:
        return {}
    pattern = re.compile("[" + re.escape("".join(sorted(odd))) + "]")
    doubtful = [place for place, value in enumerate(values) if pattern.search(value)]
    repairs = {place: repair_text(values[place]) for place in doubtful}
    found = {
        place: Verdict(kind="mojibake", read=repair.text)
        for place, repair in repairs.items()
        if repair is not None
    }
    ways = Counter(repair.way for repair in repairs.values() if repair is not None)
    for place in doubtful:
        if place not in found:
            verdict = _went_the_same_way(values[place], ways) or _suspect(values[place])
            if verdict is not None:
                found[place] = verdict
    return found


def _went_the_same_way(text: str, ways: "Counter[Way]") -> Verdict | None:
    """Read short text back by the way that other values of the column were proved to have gone."""
    way = ways.most_common(1)[0][0] if ways else None
    if way is None or likeness(text) >= way.most:
        return None
    read = read_back(text, way)
    if read is None or likeness(read) < _SAME_WAY:
        return None
    return Verdict(kind="mojibake", read=read)


def _suspect(text: str) -> Verdict | None:
    """Tell text of UTF-8 read as GBK of which bytes were lost, with what can be seen of it."""
    if likeness(text) >= HEALTHY:
        return None
    data = b"".join(
        b"?" if character in "?\ufffd" else character.encode("gb18030") for character in text
    )
    guess = data.decode("utf-8", errors="ignore").replace("?", "")
    seen = [character for character in guess if character > "\x7f"]
    if len(seen) < 2 or likeness(guess) < _CLEAR_GUESS or not all(map(is_chinese, guess)):
        return None
    return Verdict(kind="suspect", read=text, guess=f"{guess}…")


def _lost(text: str) -> Verdict | None:
    if "\ufffd" in text:
        return Verdict(kind="damaged", read=text)
    marks = sum(character in "?？" for character in text)
    return Verdict(kind="question_marks", read=text) if 2 * marks >= len(text.strip()) else None


def _is_full(text: str) -> bool:
    """Tell whether text is as long as the widest column of a shapefile, in GBK or in UTF-8."""
    if text[-1] in _ENDS:
        return False
    sizes = {len(text.encode("utf-8", errors="replace")), len(text.encode("gb18030", "replace"))}
    return bool(sizes & _FULL)
