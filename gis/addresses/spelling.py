"""One spelling for all ways of writing a name or an address."""

import re
import unicodedata
from functools import lru_cache

from gis.addresses.characters import folded, written
from gis.addresses.numerals import figures, write_numbers

__all__ = ["LONGEST", "figures", "normalise", "tidy"]

LONGEST = 256
"""An address longer than this is none (事发位置 has 256 characters at most)."""

_PASSES = 6
_LATIN = re.compile(r"[A-Za-z#]")
_LETTER = re.compile(r"[A-Za-z]")
_NUMBERED = re.compile(r"[\dA-Za-z零一二两三四五六七八九十廿卅栋幢牌]|地下|负")
_ENGLISH = {
    "street": "St",
    "avenue": "Ave",
    "av": "Ave",
    "road": "Rd",
    "drive": "Dr",
    "place": "Pl",
    "square": "Sq",
    "court": "Ct",
    "lane": "Ln",
    "boulevard": "Blvd",
    "terrace": "Ter",
    "terr": "Ter",
    "parkway": "Pkwy",
    "highway": "Hwy",
    "circle": "Cir",
}
"""English words for ways -> their short forms (USPS Publication 28, appendix C)."""
_ENGLISH_WORD = re.compile(rf"\b(?:{'|'.join(_ENGLISH)})\b\.?", re.IGNORECASE)
_ENGLISH_AND = re.compile(r"(?<=[A-Za-z.]) +(?:and|at) +(?=[A-Za-z\d])", re.IGNORECASE)
_NUMBER_SIGN = re.compile(r"(?:(?<![A-Za-z])[Nn][Oo]\.? *|#)(\d+(?:-\d+)?)号?|(?<!\d)(\d+)#")
_LETTERED = re.compile(
    r"(?<![A-Za-z\d\-])[Ff](?P<floor>\d{1,2})(?:层|楼)?(?![\d\-A-Za-z])"
    r"|(?<![A-Za-z\d\-])(?P<storey>\d{1,3})[Ff](?![A-Za-z\d])"
    r"|(?<![A-Za-z])(?P<tower>[A-Za-z])(?:号?[栋幢]|号楼|楼(?!层))楼?"
    r"|(?<![A-Za-z])(?P<below>[Bb]\d)楼"
    # Letters for figures, as scanned text has them.
    r"|(?<=\d)(?P<nought>[Oo])(?=[\dOo]{0,4}[号弄])|(?<=[\d路街弄巷道])(?P<one>[lI])(?=\d{0,4}[号弄])"
)
_LONG_NUMBER = re.compile(r"\d{3}[-/ ]?\d{3,4}[-/ ]?\d|\d{6}|^\d{3,5}台")
_PHONE = re.compile(
    r"(?:(?:联系)?(?:电话|手机|座机)(?:号码?)?|邮编|[Tt][Ee][Ll]\.?) *\d[\d\- ]{4,14}\d"
    r"|(?<!\d)(?:1[3-9]\d(?:[- ]?\d{4}){2}|0\d{2,3}[- ]?\d{7,8}|[48]00(?:[- ]\d{3,4}){2})(?![\d号])"
    r"|^\d{6}(?![\d号弄a-zA-Z/.\-])(?=.)|(?<=[^\d杆码号编/.\-A-Za-z])\d{6} *$|^\d{3,6}(?=台湾)"
)
_BLANKS = re.compile(r" +")
_BETWEEN_FIGURES = re.compile(r"(?<=\d) +(?=\d)")
_LOOSE = re.compile(r"(?<!\d)\.|\.(?!\d)|#|\(\)|(?<=[-/])[-/]+|^[-/]+|[-/]+$|/(?=[()])|(?<=[()])/")
_LOOSE_SIGNS = re.compile(r"[.#()\-/]")
_PLATE_SIGNS = re.compile(r"[之甲乙丙丁戊栋幢牌至到负]|地下|[号弄巷楼]-")
_PLATE = re.compile(
    r"(?P<a>\d+)号?之(?P<b>\d+)(?:号(?!楼))?"
    r"|(?P<c>\d+)号-(?P<d>\d+)(?:号(?!楼)|(?![\d层室楼栋幢单\-]))"
    r"|(?P<e>\d+)号?[至到](?P<f>\d+)号(?!楼|线)"
    r"|(?P<g>[甲乙丙丁戊])字(?P<h>\d+)(?=号)"
    r"|(?P<i>\d+)(?P<j>[甲乙丙丁戊])(?=号)"
    r"|(?P<m>\d+)号?[栋幢]楼?"
    r"|(?P<p>[弄巷]|号楼)[\-之](?=\d)"
    r"|门牌号?(?P<n>\d+)"
    r"|(?:地下|负)(?P<o>[1-9])(?=层|楼)"
)


def normalise(text: str) -> str:
    """Return the one spelling of a name or address by which texts are compared.

    Full-width forms become half-width, radicals and traditional characters the simplified ones,
    Chinese numerals before 号, 栋, 米 … figures, figures in names numerals; blanks, punctuation,
    emoji and telephone numbers are dropped, Latin letters are lower case. Doing it twice changes
    nothing; any text has a spelling, an empty one if need be.

    Examples
    --------
    >>> normalise(" 裕華路　１２號 ")
    '裕华路12号'
    >>> normalise("⻄三环⻓安街二十三号楼，北50米🙂")
    '西三环长安街23号楼北50米'
    >>> normalise("中山2路12號之3"), normalise("建设小区3栋"), normalise("静安邨12、14号")
    ('中山二路12-3号', '建设小区3号楼', '静安村12/14号')
    """
    return _normalise(text) if len(text) <= LONGEST else tidy(text).translate(folded())


@lru_cache(maxsize=1 << 16)
def _normalise(text: str) -> str:
    return tidy(text).translate(folded())


def tidy(text: str) -> str:
    """Return a name or address as it may be shown: as `normalise`, with its own case and variants.

    It has the length of what `normalise` returns, so that a place found in the one is a slice of
    the other.

    Examples
    --------
    >>> tidy("静安邨　Ａ棟三樓"), normalise("静安邨　Ａ棟三樓")
    ('静安邨A座3楼', '静安村a座3楼')
    """
    plain = text.translate(written())
    if " " in plain:
        if _LONG_NUMBER.search(plain):
            plain = _PHONE.sub(" ", plain)
        if _LETTER.search(plain):
            plain = _write_words(plain)
        plain = _BLANKS.sub("", _BETWEEN_FIGURES.sub("/", plain))
    for _ in range(_PASSES):
        before, plain = plain, _write_parts(plain)
        if plain == before:
            break
    return plain


def _write_words(text: str) -> str:
    """Write what only blanks tell apart: English words, No. 3."""
    if text.isascii():
        text = _ENGLISH_AND.sub("/", text)
        return _ENGLISH_WORD.sub(_write_english, text)
    return _NUMBER_SIGN.sub(r"\1\2号", text)


def _write_parts(text: str) -> str:
    """Return a text without blanks with its numbers, plates and buildings in the one way."""
    plain = text
    has_letters = _LATIN.search(plain) is not None
    if _LONG_NUMBER.search(plain):
        plain = _PHONE.sub("", plain)
    if has_letters:
        plain = _NUMBER_SIGN.sub(r"\1\2" if plain.isascii() else r"\1\2号", plain)
    if _LOOSE_SIGNS.search(plain):
        plain = _LOOSE.sub("", plain)
    if plain.isascii():
        return _ENGLISH_WORD.sub(_write_english, plain) if has_letters else plain
    plain = unicodedata.normalize("NFC", plain)
    if _NUMBERED.search(plain):
        plain = write_numbers(plain)
        if has_letters:
            plain = _LETTERED.sub(_write_lettered, plain)
        if _PLATE_SIGNS.search(plain):
            plain = _PLATE.sub(_write_plate, plain)
    return plain


def _write_english(found: re.Match[str]) -> str:
    return _ENGLISH[found[0].lower().rstrip(".")]


def _write_lettered(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    said = found[kind]
    return {
        "floor": f"{said}层",
        "storey": f"{said}层",
        "tower": f"{said}座",
        "below": f"{said}层",
        "nought": "0",
        "one": "1",
    }[kind]


def _write_plate(found: re.Match[str]) -> str:
    """Return the one way of writing a plate's second number, its letter, a building."""
    first, *more = (group for group in found.groups() if group)
    kind = found.lastgroup
    if kind in ("b", "d", "f"):
        return f"{first}-{more[0]}号"
    if kind == "h":
        return first + more[0]
    if kind == "j":
        return more[0] + first
    return {"m": f"{first}号楼", "n": first, "p": first, "o": f"B{first}"}[kind or ""]
