"""Text that went through a wrong encoding, and text that was cut: found, and read back where provable.

Mojibake 乱码 is repaired only where nothing is guessed: the repair is strictly reversible, what comes
out is everyday Chinese, and what went in is not. Everything else is reported and left as it is.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gis.encoding import everyday_characters, likeness
from gis.findings import Finding, Kind

_HEALTHY = 0.62
"""Text at least so like Chinese is left alone, whatever else it could be read as: of 17,147 names of
classes and streets all but one in a hundred are above, their mojibake in GBK all but one in a thousand
below."""
_GAIN = 0.25
_CLEAR_GUESS = 0.7
_SAME_WAY = 0.5
"""Likeness that is enough where other values of the column went the same way."""
_LOST = re.compile(r"\?{2,}|？{3,}|\ufffd")
_LONG = 80  # shorter text can not fill 254 bytes
_FULL = frozenset({252, 253, 254})
_ENDS = "。.!！）)；;"
_MAX_ROUNDS = 2  # text that went wrong on import and again on export


@dataclass(frozen=True, kw_only=True)
class Way:
    """How bytes were misread: written in `right`, read as `wrong`."""

    wrong: str
    right: str
    most: float
    """Likeness of the misread text to Chinese from which it counts as sound."""
    clear: float
    """Likeness of the text read back from which it is proved."""
    least: int
    """Characters that must come out, so that chance is no explanation."""


def _way(wrong: str, right: str, most: float, clear: float, least: int) -> Way:
    return Way(wrong=wrong, right=right, most=most, clear=clear, least=least)


_WAYS = (
    # Everyday Chinese in GBK is never valid UTF-8 of Chinese: that begins with the rare characters of
    # rows E4 to E9. So little proves it.
    _way("gbk", "utf-8", _HEALTHY, 0.5, 2),
    _way("big5", "utf-8", _HEALTHY, 0.5, 2),
    _way("latin", "utf-8", 0.2, 0.5, 1),
    # Almost any pair of bytes is a character of GBK or Big5, so much is asked for.
    _way("latin", "gb18030", 0.2, 0.7, 2),
    _way("cp437", "gb18030", 0.2, 0.7, 2),
    _way("cp850", "gb18030", 0.2, 0.7, 2),
    _way("latin", "big5", 0.2, 0.7, 3),
    _way("big5", "gb18030", 0.4, 0.8, 4),
    _way("gbk", "big5", 0.4, 0.8, 4),
)


@dataclass(frozen=True, kw_only=True)
class Repair:
    """Text read back."""

    text: str
    way: Way


def repair_text(text: str) -> Repair | None:
    """Return the text as it was written; None: it is sound, or nothing is proved.

    Examples
    --------
    >>> repair_text("裕华路".encode().decode("latin-1")).text
    '裕华路'
    >>> repair_text("裕华路街道办事处".encode().decode("gb18030")).text
    '裕华路街道办事处'
    >>> repair_text("裕华路"), repair_text("Müller"), repair_text("ok")
    (None, None, None)
    """
    found: Repair | None = None
    for _ in range(_MAX_ROUNDS):
        better = _repair_once(found.text if found else text)
        if better is None:
            break
        found = better
    return found


def _repair_once(text: str) -> Repair | None:
    before = likeness(text)
    if text.isascii() or before >= _HEALTHY:
        return None
    best: tuple[float, Repair] | None = None
    for way in _WAYS:
        read = _read_back(text, way) if before < way.most else None
        if read is None or sum(character > "\x7f" for character in read) < way.least:
            continue
        score = likeness(read)
        is_proved = score >= way.clear and score - before >= _GAIN
        if is_proved and (best is None or score > best[0]):
            best = score, Repair(text=read, way=way)
    return best[1] if best else None


def _read_back(text: str, way: Way) -> str | None:
    """Return the text read in the right encoding; None: not every character goes there and back."""
    if way.right != "utf-8" and way.wrong in ("gbk", "big5") and not _is_mostly_han(text):
        return None
    data = _bytes_of(text, way.wrong)
    if data is None:
        return None
    try:
        read = data.decode(way.right)
    except UnicodeDecodeError:
        return None
    if read.encode(way.right) != data or not _is_misread(data, way.wrong, text):
        return None
    return read if read.isprintable() and all(map(_is_chinese, read)) else None


def _bytes_of(text: str, wrong: str) -> bytes | None:
    """Return the bytes that were misread as `text`; None: the encoding has no such characters."""
    try:
        if wrong == "latin":
            return b"".join(map(_latin_byte, text))
        if wrong == "gbk":
            return text.encode("gb18030")
        return text.encode(wrong)
    except UnicodeEncodeError:
        return None


def _latin_byte(character: str) -> bytes:
    """Return a byte of Windows-1252, whose gaps are read as ISO 8859-1."""
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return character.encode("latin-1")


def _is_misread(data: bytes, wrong: str, text: str) -> bool:
    """Tell whether reading `data` in the wrong encoding gives `text` again."""
    if wrong == "latin":
        windows = "".join(
            bytes((value,)).decode("cp1252", errors="ignore") or chr(value) for value in data
        )
        return text in (windows, data.decode("latin-1"))
    try:
        return data.decode("gb18030" if wrong == "gbk" else wrong) == text
    except UnicodeDecodeError:
        return False


def _is_mostly_han(text: str) -> bool:
    foreign = [character for character in text if character > "\x7f"]
    return 2 * sum("\u4e00" <= character <= "\u9fff" for character in foreign) > len(foreign)


def _is_chinese(character: str) -> bool:
    return (
        character < "\x80"
        or "\u4e00" <= character <= "\u9fff"
        or "\u3000" <= character <= "\u303f"
        or "\uff00" <= character <= "\uffee"
        or character in "·—–…“”‘’℃№①②③④⑤⑥⑦⑧⑨⑩㎡×±°ⅠⅡⅢⅣⅤ"
    )


@dataclass(frozen=True, kw_only=True)
class _Verdict:
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
    codes, distinct = pd.factorize(column)
    verdicts = _examine_values([value if isinstance(value, str) else "" for value in distinct])
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


def repair_names(names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return column names with mojibake read back, and which were: new name -> as in the file.

    Examples
    --------
    >>> repair_names(["code", "权属单位".encode().decode("gb18030")])[1]
    {'权属单位': '鏉冨睘鍗曚綅'}
    """
    verdicts = _examine_values(names)
    read = list(names)
    repaired: dict[str, str] = {}
    for place, verdict in verdicts.items():
        if verdict.kind == "mojibake" and verdict.read not in read:
            repaired[verdict.read] = names[place]
            read[place] = verdict.read
    return read, repaired


def _examine_values(values: Sequence[str]) -> dict[int, _Verdict]:
    """Return position -> verdict of the values that are not sound."""
    joined = "".join(values)
    odd = set(joined) - everyday_characters()
    odd |= set(joined) & set("?？")
    long = {place: None for place, value in enumerate(values) if len(value) > _LONG}
    if not odd and not long:
        return {}
    pattern = re.compile("[" + re.escape("".join(sorted(odd))) + "]") if odd else None
    doubtful = [
        place
        for place, value in enumerate(values)
        if pattern is not None and not value.isascii() and pattern.search(value)
    ]
    repairs = {place: repair_text(values[place]) for place in doubtful}
    found = {
        place: _Verdict(kind="mojibake", read=repair.text)
        for place, repair in repairs.items()
        if repair is not None
    }
    ways = Counter(repair.way for repair in repairs.values() if repair is not None)
    for place in doubtful:
        if place not in found:
            verdict = _went_the_same_way(values[place], ways) or _suspect(values[place])
            if verdict is not None:
                found[place] = verdict
    for place, value in enumerate(values):
        if place not in found and _LOST.search(value):
            verdict = _lost(value)
            if verdict is not None:
                found[place] = verdict
    for place in long:
        if place not in found and _is_full(values[place]):
            found[place] = _Verdict(kind="likely_cut", read=values[place])
    return found


def _went_the_same_way(text: str, ways: "Counter[Way]") -> _Verdict | None:
    """Read short text back by the way that other values of the column were proved to have gone."""
    way = ways.most_common(1)[0][0] if ways else None
    if way is None or likeness(text) >= way.most:
        return None
    read = _read_back(text, way)
    if read is None or likeness(read) < _SAME_WAY:
        return None
    return _Verdict(kind="mojibake", read=read)


def _suspect(text: str) -> _Verdict | None:
    """Tell text of UTF-8 read as GBK of which bytes were lost, with what can be seen of it."""
    if likeness(text) >= _HEALTHY:
        return None
    data = b"".join(
        b"?" if character in "?\ufffd" else character.encode("gb18030") for character in text
    )
    guess = data.decode("utf-8", errors="ignore").replace("?", "")
    seen = [character for character in guess if character > "\x7f"]
    if len(seen) < 2 or likeness(guess) < _CLEAR_GUESS or not all(map(_is_chinese, guess)):
        return None
    return _Verdict(kind="suspect", read=text, guess=f"{guess}…")


def _lost(text: str) -> _Verdict | None:
    if "\ufffd" in text:
        return _Verdict(kind="damaged", read=text)
    marks = sum(character in "?？" for character in text)
    return _Verdict(kind="question_marks", read=text) if 2 * marks >= len(text.strip()) else None


def _is_full(text: str) -> bool:
    """Tell whether text is as long as the widest column of a shapefile, in GBK or in UTF-8."""
    if text[-1] in _ENDS:
        return False
    sizes = {len(text.encode("utf-8", errors="replace")), len(text.encode("gb18030", "replace"))}
    return bool(sizes & _FULL)
