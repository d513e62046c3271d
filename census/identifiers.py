"""Component codes 部件标识码 and event codes 事件代码: taken apart, put together, checked in bulk.

A component code is six digits of the district, the minor class, and a sequence of six: 16 digits in
the generations of 2007 and 2013, 17 since 2026. An event code ends with the class: 10 digits, then 11.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from gis.errors import CodeError

DISTRICT_DIGITS = 6
SEQUENCE_DIGITS = 6
LAST_SEQUENCE = 999_999


@dataclass(frozen=True)
class ComponentCode:
    """The parts of a component code."""

    district: str
    class_code: str
    sequence: int
    """1-999999 within district and minor class."""

    def __str__(self) -> str:
        """Return the code in digits."""
        return f"{self.district}{self.class_code}{self.sequence:0{SEQUENCE_DIGITS}d}"


def parse_component_code(code: str, *, class_digits: int) -> ComponentCode:
    """Take a component code apart.

    Parameters
    ----------
    code : str
        The digits.
    class_digits : int
        4 for the generations of 2007 and 2013, 5 since 2026.

    Raises
    ------
    CodeError
        Not the right number of ASCII digits.

    Examples
    --------
    >>> parse_component_code("1301020104000123", class_digits=4)
    ComponentCode(district='130102', class_code='0104', sequence=123)
    """
    length = DISTRICT_DIGITS + class_digits + SEQUENCE_DIGITS
    if not _is_digits(code, length):
        msg = (
            f"Component code {code!r} is not {length} digits: six of the district, "
            f"{class_digits} of the class, six of the sequence."
        )
        raise CodeError(
            msg,
            zh=f"部件标识码 {code} 应为 {length} 位数字：行政区 6 位、类别 {class_digits} 位、顺序号 6 位。",
        )
    middle = DISTRICT_DIGITS + class_digits
    return ComponentCode(code[:DISTRICT_DIGITS], code[DISTRICT_DIGITS:middle], int(code[middle:]))


def build_component_code(district: str, *, class_code: str, sequence: int) -> str:
    """Put a component code together.

    Raises
    ------
    CodeError
        The district is not six digits, the class not four or five, or the sequence not 1-999999.

    Examples
    --------
    >>> build_component_code("130102", class_code="01004", sequence=123)
    '13010201004000123'
    """
    _check_parts(district, class_code)
    if not 1 <= sequence <= LAST_SEQUENCE:
        msg = f"Sequence {sequence} of class {class_code} is not between 1 and {LAST_SEQUENCE}."
        raise CodeError(
            msg, zh=f"类别 {class_code} 的顺序号 {sequence} 应在 1 至 {LAST_SEQUENCE} 之间。"
        )
    return str(ComponentCode(district, class_code, sequence))


def parse_event_code(code: str, *, class_digits: int) -> tuple[str, str]:
    """Take an event code apart into district and class.

    Raises
    ------
    CodeError
        Not the right number of ASCII digits.

    Examples
    --------
    >>> parse_event_code("13010206012", class_digits=5)
    ('130102', '06012')
    """
    length = DISTRICT_DIGITS + class_digits
    if not _is_digits(code, length):
        msg = f"Event code {code!r} is not {length} digits: six of the district, then the class."
        raise CodeError(msg, zh=f"事件代码 {code} 应为 {length} 位数字：行政区 6 位，其后为类别。")
    return code[:DISTRICT_DIGITS], code[DISTRICT_DIGITS:]


def build_event_code(district: str, *, class_code: str) -> str:
    """Put an event code together: the class of the event in that district, not one case.

    Raises
    ------
    CodeError
        The district is not six digits or the class not four or five.

    Examples
    --------
    >>> build_event_code("130102", class_code="0110")
    '1301020110'
    """
    _check_parts(district, class_code)
    return district + class_code


def split_component_codes(codes: "pd.Series[str]", *, class_digits: int) -> pd.DataFrame:
    """Take many component codes apart; rows that are no code have missing parts.

    Returns
    -------
    pandas.DataFrame
        ``is_code``, ``district``, ``class_code`` and ``sequence`` (nullable integer), same index.

    Examples
    --------
    >>> split_component_codes(pd.Series(["1301020104000123", "x"]), class_digits=4)["is_code"].tolist()
    [True, False]
    """
    length = DISTRICT_DIGITS + class_digits + SEQUENCE_DIGITS
    middle = DISTRICT_DIGITS + class_digits
    text = codes.astype("str")
    is_code = text.str.fullmatch(f"[0-9]{{{length}}}").fillna(False).astype(bool)
    valid = text.where(is_code)
    return pd.DataFrame(
        {
            "is_code": is_code,
            "district": valid.str[:DISTRICT_DIGITS],
            "class_code": valid.str[DISTRICT_DIGITS:middle],
            "sequence": _whole_numbers(valid.str[middle:]),
        },
        index=codes.index,
    )


def _whole_numbers(digits: "pd.Series[str]") -> "pd.Series[Any]":
    """Return texts of digits as numbers, missing where they are."""
    numbers = pa.array(digits, type=pa.large_string(), from_pandas=True).cast(pa.int64())
    if isinstance(numbers, pa.ChunkedArray):
        numbers = numbers.combine_chunks()
    missing = numbers.is_null().to_numpy(zero_copy_only=False)
    plain = numbers.fill_null(0).to_numpy(zero_copy_only=False)
    return pd.Series(pd.arrays.IntegerArray(plain.copy(), missing.copy()), index=digits.index)


def _is_digits(text: str, length: int) -> bool:
    return len(text) == length and text.isascii() and text.isdigit()


def _check_parts(district: str, class_code: str) -> None:
    if not _is_digits(district, DISTRICT_DIGITS):
        msg = f"District {district!r} is not six digits (GB/T 2260)."
        raise CodeError(msg, zh=f"行政区代码 {district} 应为六位数字（GB/T 2260）。")
    if not (_is_digits(class_code, 4) or _is_digits(class_code, 5)):
        msg = f"Class {class_code!r} is not four or five digits."
        raise CodeError(msg, zh=f"类别代码 {class_code} 应为四位或五位数字。")
