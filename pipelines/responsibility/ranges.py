"""Ranges of class codes as plans write them: 0101-0106, 101--106, 01至03."""

import re
import unicodedata
from dataclasses import dataclass

from census.taxonomy import Taxonomy
from gis.remarks import NOTHING, Remark

_RANGE = re.compile(r"(\d{1,5})类?(?:[-~‐–—―−〜]+|至|到)(\d{1,5})类?", re.ASCII)
_MAJOR_DIGITS = 2


@dataclass(frozen=True, kw_only=True)
class ClassRange:
    """What a range of codes was read as, or why it was not."""

    codes: tuple[str, ...] = ()
    restored: str = ""
    """The range with the zeros that its ends had lost, if they had."""
    why: Remark = NOTHING
    """Why it can not be read."""


def read_range(
    text: str, *, kind: str, taxonomy: Taxonomy, is_beside_major: bool = False
) -> ClassRange | None:
    """Return the classes from one code to another, both included; None: it is no range of codes.

    Both ends are minor classes, or both are major ones. What could mean something else is not read.

    Parameters
    ----------
    text : str
        Part of a cell.
    kind : str
        component or event.
    taxonomy : Taxonomy
        The classes of the city.
    is_beside_major : bool
        The row names its major class in another column: two digits may then be the end of a minor one.

    Examples
    --------
    >>> from census.taxonomy import read_taxonomy
    >>> def read(text, **more):
    ...     return read_range(text, kind="event", taxonomy=read_taxonomy("GB/T 30428.2-2013"), **more)
    >>> read("0101--0103").codes, read("01至03").codes, read("私搭乱建")
    (('0101', '0102', '0103'), ('01', '02', '03'), None)
    >>> read("101-103").codes, read("101-103").restored
    (('0101', '0102', '0103'), '0101-0103')
    >>> read("0105-0101").why.en, read("0101-06").why.en
    ('the first code is the greater', 'its ends differ in length')
    >>> read("0101-0199").why.en, read("1-3").why.en
    ('0199 is none of its classes', '1 is none of its classes')
    >>> read("01-01").why.en
    'it may mean the major class 01 or its class 0101'
    """
    found = _RANGE.fullmatch("".join(unicodedata.normalize("NFKC", text).split()))
    if found is None:
        return None
    said = found.groups()
    first, last = (_end(code, kind, taxonomy) for code in said)
    why = _why(said, (first, last))
    if first is None or last is None or why is not NOTHING:
        return ClassRange(why=why)
    if len(first) == _MAJOR_DIGITS and first == last:
        en = f"it may mean the major class {first} or its class {first}{last}"
        return ClassRange(why=Remark(en=en, zh=f"无法确定是大类 {first} 还是小类 {first}{last}"))
    if len(first) == _MAJOR_DIGITS:
        if is_beside_major:
            en = "beside a major class two digits are no class of their own"
            return ClassRange(why=Remark(en=en, zh="旁列已有大类，两位数字无法确定所指"))
        entries = taxonomy.majors(kind)
    else:
        entries = taxonomy.all(kind)
    return ClassRange(
        codes=tuple(entry.code for entry in entries if first <= entry.code <= last),
        restored="" if said == (first, last) else f"{first}-{last}",
    )


def _end(code: str, kind: str, taxonomy: Taxonomy) -> str | None:
    """Return the class of one end, with the one zero that a spreadsheet takes; None: there is none."""
    if len(code) == _MAJOR_DIGITS:
        return code if any(entry.code == code for entry in taxonomy.majors(kind)) else None
    padded = code.zfill(taxonomy.code_length) if len(code) > _MAJOR_DIGITS else code
    return padded if taxonomy.exists(kind, padded) else None


def _why(said: tuple[str, ...], ends: tuple[str | None, str | None]) -> Remark:
    first, last = ends
    lost = next((code for code, end in zip(said, ends, strict=True) if end is None), None)
    if lost is not None:
        return Remark(en=f"{lost} is none of its classes", zh=f"{lost} 不是其中的类别")
    if first is None or last is None or len(first) != len(last):
        return Remark(en="its ends differ in length", zh="两端位数不同")
    if first > last:
        return Remark(en="the first code is the greater", zh="前一代码大于后一代码")
    return NOTHING


def example_of(taxonomy: Taxonomy) -> str:
    """Return how a range is written in this generation.

    Examples
    --------
    >>> from census.taxonomy import read_taxonomy
    >>> example_of(read_taxonomy("GB/T 30428.2-2013"))
    '0101-0106'
    """
    digits = taxonomy.code_length - _MAJOR_DIGITS
    return f"01{'1'.zfill(digits)}-01{'6'.zfill(digits)}"
