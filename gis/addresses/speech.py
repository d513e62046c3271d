"""What callers say around an address: greetings, requests, words that point."""

import re
from functools import cache

from gis.codes import read_table

_LEAST = 2
_MOST = 4


def without_speech(text: str) -> str:
    """Return what a caller said without the words around the address, as `normalise` spells it.

    A name may begin or end like these words, as 这里书店: look it up as it stands before.

    Examples
    --------
    >>> without_speech("喂你好麻烦看一下裕华路12号这儿有问题")
    '裕华路12号'
    >>> without_speech("裕华路12号"), without_speech("那个")
    ('裕华路12号', '那个')
    """
    before, after, last = _patterns()
    for _ in range(_MOST):
        found = before.match(text)
        if not found or len(text) - found.end() < _LEAST:
            break
        text = text[found.end() :]
    for _ in range(_MOST):
        found = after.search(text) if text and text[-1] in last else None
        if not found or found.start() < _LEAST:
            break
        text = text[: found.start()]
    return text


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], frozenset[str]]:
    rows = read_table("gis.addresses", "speech.csv")
    words = {
        where: sorted((row["words"] for row in rows if row["where"] == where), key=len)[::-1]
        for where in ("before", "after")
    }
    return (
        re.compile("|".join(words["before"])),
        re.compile(f"(?:{'|'.join(words['after'])})$"),
        frozenset(word[-1] for word in words["after"]),
    )
