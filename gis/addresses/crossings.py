"""Crossings 路口 and stretches between two marks, read from words."""

import re
from collections.abc import Iterator
from typing import NamedTuple

WAY = (
    r"(?:大街|大道|公路|马路|街|路|(?<!街)道|巷|胡同|弄|线|条|环|高速|桥|(?<=[路街道线])\d段"
    r"|(?<=[a-z])(?:st|ave|rd|dr|pl|sq|ct|ln|blvd|ter|pkwy|hwy|way|cir))"
)
"""How the name of a way ends."""
_WAY_ENDS = (*"路街道巷弄线条环桥", "胡同", "高速")
_LATIN_WAY_ENDS = ("st", "ave", "rd", "dr", "pl", "sq", "ct", "ln", "blvd", "ter", "pkwy", "hwy")
_SECTION = re.compile(r"[路街道线]\d{1,2}段$")
_HAS_END = re.compile(r"口|交[叉岔汇界会处]|相交|[转拐]角|立交")
_END = re.compile(
    r"(?:的|相交|交)?(?:十字路口|丁字路口|三[岔叉]路口|交[叉岔]路口|[叉岔]路口|交叉口|交叉处?|交汇[处口]?|交会处?"
    r"|交界[处口]?|相交处?|交口|路口|[转拐]角处?|转弯处|立交桥?|口)"
)
_AND = re.compile(r"与|和|跟|同|及|/|&|-|靠近|临近|接近|近|交(?=.{2})")
_NEAR = re.compile(
    rf"(?P<one>.{{2,14}}?{WAY})(?:靠近|临近|邻近|接近|近|靠)(?P<two>.{{2,14}}?{WAY})(?:路?口)?$"
)
_CUT = re.compile(
    r"(?:大街|大道|公路|街(?!道)|路(?!街道)|(?<!街)道|巷|胡同)(?:\d段)?(?![\d与和跟同及近/&\-])"
)
_HAS_BETWEEN = re.compile(r"间|至|到|路段|段$")
_SIGN = re.compile(r"与|和|至|到|-|/|同|及")
_AFTER = re.compile(
    r"^(?P<two>[^()]{2,14}?)(?P<end>之间|中间|区间|间)?(?:的?(?:路段|区域|地段)|段)?\)?$"
)
_ROAD_AFTER = re.compile(
    rf"(?P<one>[^()]{{2,14}}?{WAY})(?:与|和|至|到|及|/|-)(?P<two>[^()]{{2,14}}?)(?:之间|中间|间)的?"
    r"(?P<road>[^()]{2,14}?)(?:的?(?:路段|区段|地段)|段)?"
)
_RAMP = re.compile(r"(?:出口|入口|匝道)$")
_ALONG = re.compile(r"^(?:道路)?(?:沿线|两侧|两旁)+从?")
_ALONG_END = re.compile(r"(?:道路)?(?:沿线|两侧|两旁)+$")
_HAS_PLATE = re.compile(r"\d号")
_SHORTEST_JOINED = 3
_SHORTEST_WAY = 2
_KIND_OF_STREET = re.compile(
    r"(?:步行|商业|美食|小吃|风情|古玩|服装|文化|酒吧|电子|建材)(?:一条)?街$"
)
_PLAIN_SIGNS = re.compile(r"[与和跟及/&](?=[^\d]{2})")


class Stretch(NamedTuple):
    """A piece of a road between two marks."""

    road: str
    """Empty where it is not said."""
    ends: tuple[str, str]


def is_way(name: str) -> bool:
    """Tell whether a name is that of a way.

    Examples
    --------
    >>> [is_way(name) for name in ("裕华路", "国华街2段", "街道", "人民医院", "路")]
    [True, True, False, False, False]
    """
    if len(name) < _SHORTEST_WAY or name.endswith("街道"):
        return False
    if name.endswith("段"):
        return _SECTION.search(name) is not None
    return name.endswith(_LATIN_WAY_ENDS if name.isascii() else _WAY_ENDS)


def crossings(mark: str) -> Iterator[tuple[tuple[str, str], str, bool]]:
    """Yield the pairs of roads that a mark may mean as a crossing, the likeliest first.

    With each comes what follows the crossing, and whether both are spelt as ways: a name with 和
    in it is no crossing, and only the gazetteer knows it.

    Examples
    --------
    >>> [pair for pair, _, _ in crossings("建和巷和裕华路交口")]
    [('建和巷', '裕华路'), ('建', '巷和裕华路')]
    >>> [pair for pair, _, _ in crossings("裕华路建设大街路口")]
    [('裕华路', '建设大街')]
    >>> list(crossings("河和超市路口"))
    [(('河路', '超市路'), '', False), (('河', '超市'), '', False)]
    """
    if not _HAS_END.search(mark):
        if _PLAIN_SIGNS.search(mark):
            yield from ((pair, "", True) for pair, sure in _pairs(mark, "") if sure)
        return
    is_found = False
    for end in _END.finditer(mark):
        if is_found:
            return
        body, tail = mark[: end.start()], mark[end.end() :]
        for pair, is_sure in _pairs(body, end[0]):
            is_found = is_found or is_sure
            yield pair, tail, is_sure


def _pairs(body: str, end: str) -> Iterator[tuple[tuple[str, str], bool]]:
    """Yield the ways of parting the text before 路口; 建设路口 is the 口 of 建设路."""
    found: list[tuple[int, tuple[str, str]]] = []
    for sign in _AND.finditer(body):
        one, two = body[: sign.start()], body[sign.end() :]
        if not one or not two:
            continue
        two = _RAMP.sub("", two)
        missing = 2 - is_way(one) - is_way(two)
        if end == "路口" and not is_way(two):
            # 裕华与建设路口: both names lack their 路.
            said = one if is_way(one) else one + "路"
            found.append((missing - 1, (said, two + "路")))
        if _HAS_PLATE.search(one):
            missing = 2
        found.append((missing, (one, two)))
    if end and not _HAS_PLATE.search(body):
        whole = body if is_way(body) or end != "路口" else body + "路"
        found += [(0, pair) for pair in joined(whole)]
    for missing, pair in sorted(found, key=lambda item: item[0]):
        yield pair, missing == 0


def joined(text: str) -> list[tuple[str, str]]:
    """Return the ways of parting two names of ways that stand side by side.

    Examples
    --------
    >>> joined("海安路2段民生路2段"), joined("中华东路"), joined("铁路东街")
    ([('海安路2段', '民生路2段')], [], [])
    """
    if len(text) < 2 * _SHORTEST_JOINED or not is_way(text) or _KIND_OF_STREET.search(text):
        return []
    cuts = [end.end() for end in _CUT.finditer(text)][:-1]
    return [
        (text[:cut], text[cut:])
        for cut in cuts
        if cut >= _SHORTEST_JOINED and is_way(text[cut:]) and len(text) - cut >= _SHORTEST_JOINED
    ]


def alongside(mark: str) -> tuple[str, str] | None:
    """Return road and cross street of a mark such as 裕华路近建设大街.

    Examples
    --------
    >>> alongside("裕华路近建设大街"), alongside("近水路")
    (('裕华路', '建设大街'), None)
    """
    found = _NEAR.match(mark) if "近" in mark or "靠" in mark else None
    return (found["one"], found["two"]) if found else None


def stretch(text: str) -> Stretch | None:
    """Return the stretch that a text means: 裕华路(建设大街至中山路), A路与B路之间.

    Examples
    --------
    >>> stretch("裕华路(建设大街至中山路)")
    Stretch(road='裕华路', ends=('建设大街', '中山路'))
    >>> stretch("裕华路建设大街到中山路段"), stretch("人民医院与二中之间")
    (Stretch(road='裕华路', ends=('建设大街', '中山路')), Stretch(road='', ends=('人民医院', '二中')))
    >>> stretch("河和超市"), stretch("四平路到家超市")
    (None, None)
    >>> stretch("建设大街与中山路之间的裕华路")
    Stretch(road='裕华路', ends=('建设大街', '中山路'))
    """
    if not _HAS_BETWEEN.search(text) and "(" not in text:
        return None
    last = _ROAD_AFTER.fullmatch(text) if "间" in text else None
    if last and all(is_way(last[part]) for part in ("one", "two", "road")):
        return Stretch(last["road"], (last["one"], last["two"]))
    for sign in _SIGN.finditer(text):
        found = _stretch_at(text, sign)
        if found:
            return found
    return None


def _stretch_at(text: str, sign: re.Match[str]) -> Stretch | None:
    after = _AFTER.match(text[sign.end() :])
    before = text[: sign.start()]
    if after is None or not before or (sign[0] in "-/" and before[-1].isdigit()):
        return None
    two, said = after["two"], text[sign.end() + len(after["two"]) :]
    is_open = "(" in before and said.endswith(")")
    if two and not is_way(two) and "路段" in said:
        two += "路"
    tells = bool(after["end"])
    road, one = _before(before)
    if is_way(two) and is_way(one) and (tells or sign[0] not in "与和同及/"):
        return Stretch(road, (one, two)) if (road or tells or said or is_open) else None
    return Stretch(road, (one, two)) if tells and not road else None


def _before(text: str) -> tuple[str, str]:
    """Part the road from the first end: by a bracket, a word, or as two ways side by side."""
    for sign in ("(", "从", "自", "由"):
        road, found, one = text.partition(sign)
        if found and one and is_way(_ALONG_END.sub("", road)):
            return _ALONG_END.sub("", road), one
    pairs = joined(text)
    return (pairs[0][0], _ALONG.sub("", pairs[0][1])) if pairs else ("", text)
