"""Why units send cases back 退件原因: a small table of codes, with the words exports use for them."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from gis.codes import read_table

OTHER = "other"
"""Reason of a return whose words are none of the known ones."""

_PUNCTUATION = re.compile(r"[\s，。；、,.;:：！!（）()]+")


@dataclass(frozen=True, kw_only=True)
class ReturnReason:
    """One coded reason."""

    code: str
    concerns: Literal["place", "component", "duty", "class", "case"]
    """What it says is wrong: where, which thing, whose duty, what kind; ``case``: not the unit."""
    then: Literal["next", "person"]
    """The next candidate is asked, or the case waits for a person."""
    en: str
    zh: str
    words: tuple[str, ...]
    """How exports put it."""


@cache
def return_reasons() -> dict[str, ReturnReason]:
    """Return the reasons by code, in the order of the table.

    Examples
    --------
    >>> return_reasons()["duplicate"].then
    'person'
    """
    return {
        row["code"]: ReturnReason(**{**row, "words": tuple(row["words"].split(";"))})  # type: ignore[arg-type]
        for row in read_table("gis.codes", "return_reasons.csv")
    }


@cache
def category_of(text: str) -> str:
    """Return the code of a reason given in words: a code itself, or words that contain known ones.

    Words that ask for a person go before those that ask for the next unit, for who says "a repeat, and
    not ours" would have the case go on to others; of the rest the longest decide; none: ``other``.

    Examples
    --------
    >>> category_of("经核实不属我单位职责，请改派"), category_of("该灯杆已移交街道"), category_of("?")
    ('not_our_duty', 'not_our_component', 'other')
    >>> category_of("不属我单位管养范围"), category_of("此事不归我单位管")
    ('not_our_component', 'not_our_duty')
    >>> category_of("重复案件，不属我单位"), category_of("该处不属我单位辖区")
    ('duplicate', 'not_our_area')
    """
    reasons = return_reasons()
    if text.strip() in reasons:
        return text.strip()
    plain = _PUNCTUATION.sub("", text)
    found = [
        ((reason.then == "person", len(word)), reason.code)
        for reason in reasons.values()
        for word in reason.words
        if word in plain
    ]
    return max(found, key=lambda pair: pair[0])[1] if found else OTHER
