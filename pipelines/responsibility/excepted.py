"""Areas but for parts of them, as plans write them: 全区（除翠屏社区外）."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

_BUT = r"(?:除去|除了|除)"
_OUT = r"(?:以外|之外|外)"
_REST = r"(?:的?(?:其他|其它|其余)[^()]*)?"
_WHOLE = r"(?P<whole>[^(),;、|]+)"
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"{_WHOLE}\((?:{_BUT}|不含|不包括|不包含)(?P<parts>[^()]+?)(?:{_OUT}{_REST})?\)",
        rf"{_WHOLE}\((?P<parts>[^()]+?)除外\)",
        rf"(?P<whole>[^(),;、|]+?){_BUT}(?P<parts>[^()除]+?)(?:{_OUT}|除外)",
        rf"{_WHOLE}(?:不含|不包括|不包含)(?P<parts>[^()]+)",
        rf"{_BUT}(?P<parts>[^()]+?){_OUT}的?{_WHOLE}",
    )
)
_OTHERS = re.compile(r"(?:其他|其它|其余|各|所有|全部)(?:区域|地区|街道|镇街|社区|范围)")


@dataclass(frozen=True, kw_only=True)
class But:
    """An area and what is left out of it, as written."""

    whole: str
    """Empty: everything else."""
    parts: str


def read_but(plain: str) -> But | None:
    """Return the area and the parts left out of it that a text names; None: it says no such thing.

    Examples
    --------
    >>> read_but("全区(除甲街道、乙街道外)")
    But(whole='全区', parts='甲街道、乙街道')
    >>> read_but("全区(除甲街道外的其他街道)").parts, read_but("甲区除乙社区外、丙街道除丁社区外")
    ('甲街道', None)
    >>> read_but("除甲街道外的其他街道"), read_but("甲街道(不含乙社区)").parts, read_but("甲街道(东)")
    (But(whole='', parts='甲街道'), '乙社区', None)
    >>> read_but("丙街道、全区(除甲街道外)"), read_but("甲区除乙街道、丙街道以外").parts
    (None, '乙街道、丙街道')
    """
    for form in _FORMS:
        found = form.fullmatch(plain)
        if found:
            whole = "" if _OTHERS.fullmatch(found["whole"]) else found["whole"]
            return But(whole=whole, parts=found["parts"])
    return None


def rest_of(
    whole: str, left_out: Collection[str], *, children: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Return the largest areas that make up `whole` without those left out, sorted.

    Examples
    --------
    >>> children = {"*": ("1",), "1": ("11", "12"), "12": ("121", "122")}
    >>> rest_of("*", {"121"}, children=children), rest_of("12", {"121", "122"}, children=children)
    (('11', '122'), ())
    """
    if whole in left_out:
        return ()
    if not _holds(whole, left_out, children.get):
        return (whole,)
    parts = (rest_of(each, left_out, children=children) for each in children[whole])
    return tuple(sorted(area for part in parts for area in part))


def is_within(area: str, whole: str, *, children: Mapping[str, tuple[str, ...]]) -> bool:
    """Tell whether an area is a part of another, however small.

    Examples
    --------
    >>> is_within("121", "1", children={"1": ("12",), "12": ("121",)})
    True
    """
    return _holds(whole, {area}, children.get)


def _holds(
    whole: str, wanted: Collection[str], children: Callable[[str], tuple[str, ...] | None]
) -> bool:
    return any(each in wanted or _holds(each, wanted, children) for each in children(whole) or ())
