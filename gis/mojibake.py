"""Mojibake 乱码, text read in a wrong encoding: read back where that is provable.

Nothing is guessed: the repair is strictly reversible, what comes out is everyday Chinese, and what
went in is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gis.encoding import likeness

HEALTHY = 0.62
"""Text at least so like Chinese is left alone, whatever else it could be read as: of 17,147 names of
classes and streets all but one in a hundred are above, their mojibake in GBK all but one in a thousand
below."""
_GAIN = 0.25
_RIVAL = 0.59
"""Likeness from which another reading of the same bytes leaves it open which is right."""


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
    _way("gbk", "utf-8", HEALTHY, 0.5, 2),
    _way("big5", "utf-8", HEALTHY, 0.5, 2),
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
    found = _repair_once(text)
    return found if found is not None else _repair_twice(text)


def _repair_twice(text: str) -> Repair | None:
    """Read back text that went wrong on import and again on export, as UTF-8 read as Latin."""
    data = None if text.isascii() else _bytes_of(text, "latin")
    if data is None or not _is_misread(data, "latin", text):
        return None
    try:
        return _repair_once(data.decode("utf-8"))
    except UnicodeDecodeError:
        return None


def _repair_once(text: str) -> Repair | None:
    before = likeness(text)
    if text.isascii() or before >= HEALTHY:
        return None
    readings: dict[str, tuple[float, Way]] = {}
    for way in _WAYS:
        read = read_back(text, way) if before < way.most else None
        if read is not None and sum(character > "\x7f" for character in read) >= way.least:
            readings.setdefault(read, (likeness(read), way))
    return _only_proof(readings, before=before)


def _only_proof(readings: Mapping[str, tuple[float, Way]], *, before: float) -> Repair | None:
    """Return the reading that is proved; None: there is none, or another one is everyday Chinese too."""
    proved = [
        (score, read, way)
        for read, (score, way) in readings.items()
        if score >= way.clear and score - before >= _GAIN
    ]
    if not proved:
        return None
    certain = [proof for proof in proved if proof[2].right == "utf-8"]
    _, read, way = max(certain or proved, key=lambda proof: proof[0])
    rivals = [score for other, (score, _) in readings.items() if other != read]
    is_open = not certain and max(rivals, default=0.0) >= _RIVAL
    return None if is_open else Repair(text=read, way=way)


def read_back(text: str, way: Way) -> str | None:
    """Return the text read in the right encoding; None: not every character goes there and back.

    Examples
    --------
    >>> read_back("Ô£»ªÂ·", Way(wrong="latin", right="gb18030", most=0.2, clear=0.7, least=2))
    '裕华路'
    """
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
    return read if read.isprintable() and all(map(is_chinese, read)) else None


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


def is_chinese(character: str) -> bool:
    """Tell whether Chinese text may hold a character.

    Examples
    --------
    >>> [is_chinese(character) for character in "路①aé"]
    [True, True, True, False]
    """
    return (
        character < "\x80"
        or "\u4e00" <= character <= "\u9fff"
        or "\u3000" <= character <= "\u303f"
        or "\uff00" <= character <= "\uffee"
        or character in "·—–…“”‘’℃№①②③④⑤⑥⑦⑧⑨⑩㎡×±°ⅠⅡⅢⅣⅤ"
    )
