"""A question of ``/v1/lookup`` read straight from its address, as most are written.

A workflow system asks thousands of times with the same class, system and accuracy at other places:
what stays the same is checked once. Whatever is written otherwise is read, and told of, in full.
"""

import re
from functools import lru_cache

from pydantic import ValidationError

from api.http.lean import pairs_of
from api.http.schemas import LookupIn
from api.models import Case, Position

_NUMBER = rb"(-?[0-9]{1,12}(?:\.[0-9]{1,15})?)"
_PLACE_FIRST = re.compile(rb"x=" + _NUMBER + rb"&y=" + _NUMBER + rb"((?:&.{1,250})?)")
_PLACE_LAST = re.compile(rb"(?:(.{1,250})&)?x=" + _NUMBER + rb"&y=" + _NUMBER)

Asked = tuple[Case, Position]
"""What is asked, and where; the position of the case itself is none of this question's."""


def plain_question(query: bytes) -> Asked | None:
    """Return an untraced question; None: it is to be read in full.

    Parameters
    ----------
    query : bytes
        The address from behind the question mark.

    Examples
    --------
    >>> case, position = plain_question(b"x=114.5&y=38.04&class_code=0102")
    >>> case.class_code, position.x, position.y, position.crs
    ('0102', 114.5, 38.04, 'EPSG:4326')
    >>> plain_question(b"x=114.5&y=north"), plain_question(b"x=1&y=2&trace=true")
    (None, None)
    """
    found = _PLACE_FIRST.fullmatch(query)
    if found is not None:
        x, y, rest = found.groups()
    else:
        found = _PLACE_LAST.fullmatch(query)
        if found is None:
            return None
        rest, x, y = found.groups(b"")
    known = _rest(rest)
    if known is None:
        return None
    case, place = known
    return case, Position(
        x=float(x),
        y=float(y),
        crs=place.crs,
        accuracy_m=place.accuracy_m,
        accuracy_minor_m=place.accuracy_minor_m,
        accuracy_bearing_deg=place.accuracy_bearing_deg,
    )


@lru_cache(maxsize=4096)
def _rest(query: bytes) -> Asked | None:
    """Return what is asked besides the place; None: what is wrong or unusual."""
    pairs = pairs_of(query)
    if not pairs.keys().isdisjoint(("x", "y")):
        return None
    try:
        asked = LookupIn.model_validate({"x": "0", "y": "0", **pairs})
    except ValidationError:
        return None
    if asked.trace:
        return None
    case = asked.case()
    assert case.position is not None
    return case, case.position
