"""Identifiers of cases 案件编号: what every address, file and table of the platform can carry."""

import re

CASE_ID = r"^(?:[^\s/\x00-\x1f]{3,64}|[^\s/.\x00-\x1f][^\s/\x00-\x1f]?|\.[^\s/.\x00-\x1f])$"
"""Pattern of an identifier: 1 to 64 signs, no blanks, slashes or control signs, and neither ``.`` nor
``..``, which mean a folder in an address."""
_CASE_ID = re.compile(CASE_ID)


def is_case_id(text: str) -> bool:
    """Tell whether a text can be the identifier of a case.

    Examples
    --------
    >>> [is_case_id(text) for text in ("2026-000123", "城管〔2026〕5号", "2026/5", "a b", "..", "")]
    [True, True, False, False, False, False]
    """
    return _CASE_ID.match(text) is not None and text.strip() == text
