"""The cross street or stretch that an address names beside its plate: 12号(近广东路), 12号(武定路口)."""

import re
from typing import Any

from gis.addresses.crossings import WAY, Stretch, crossings, is_way, joined, stretch

_NEAR = re.compile(r"^(?:靠近|临近|邻近|近|靠)")
_END = re.compile(r"(?:交[叉岔]?路?口|路口|口)$")
_MOUTH = re.compile(r"(?<=[路街道巷])路?口")
_NUMBER = re.compile(r"\d号")
_LONGEST_WAY = 14
_AFTER_PLATE = re.compile(
    r"(?:^|(?<=[\u4e00-\u9fff\d]))(?:靠近|临近|邻近|近|靠)(?P<way>[^\d()/]{2,10})$"
)
_SECOND = re.compile(
    rf"(?P<sign>[/和与跟及或、,，-]?)(?P<road>(?![近靠临邻])[^\d/()]{{1,12}}?{WAY})(?P<plate>[甲乙丙]?\d{{1,5}}(?:-\d{{1,4}})?号(?!楼|线|门))"
)
_SIGNS = "和与跟及或"


def of_remark(remark: str, road: str) -> dict[str, Any]:
    """Return what a text in brackets says of an address: ``near`` or ``between``, and itself.

    Parameters
    ----------
    remark : str
        The text without its brackets.
    road : str
        Road of the address, or empty.

    Examples
    --------
    >>> of_remark("近广东路", "浙江中路")["near"], of_remark("武定路口", "陕西北路")["near"]
    ('广东路', '武定路')
    >>> of_remark("常德路余姚路", "常德路")["near"], of_remark("万源路合川路间", "平南路")["between"]
    ('余姚路', ('平南路', ('万源路', '合川路')))
    """
    told: dict[str, Any] = {"remark": remark}
    if road:
        other = _other(remark, road)
        if other:
            return told | {"near": other}
        ends = ends_of(remark)
        if ends:
            return told | {"between": (road, ends)}
    way = _way(remark)
    return told | {"near": way} if way else told


def _other(remark: str, road: str) -> str:
    """Return the road that is said to meet the address's own."""
    said = _NEAR.sub("", remark)
    pairs = [pair for pair, _, is_sure in crossings(said) if is_sure]
    for one, two in (*pairs, *joined(said)):
        if two == road and one != road:
            return one
        # A town may stand before the road: 嘉定梅园路清河路.
        if one.endswith(road) and two != road:
            return two
    return ""


def _way(remark: str) -> str:
    """Return the one way of a remark such as 近广东路, 武定路口, 广东路路口."""
    said = _NEAR.sub("", remark)
    for way in (_END.sub("", said), said.removesuffix("口")):
        way = way[:-1] if way.endswith("路路") else way
        if 1 < len(way) <= _LONGEST_WAY and is_way(way):
            return way
    return ""


def remarked_stretch(mark: str, remark: str) -> Stretch | None:
    """Return the stretch of 裕华路(建设大街至中山路).

    Examples
    --------
    >>> remarked_stretch("裕华路", "建设大街至中山路")
    Stretch(road='裕华路', ends=('建设大街', '中山路'))
    """
    ends = ends_of(remark) if is_way(mark) and not _NUMBER.search(mark) else None
    return Stretch(mark, ends) if ends else None


def ends_of(remark: str) -> tuple[str, str] | None:
    """Return the two roads of a remark such as 万源路合川路间."""
    plain = _MOUTH.sub("", remark)
    found = stretch(plain) or stretch(f"{plain}路段")
    if found:
        return found.ends
    pairs = joined(plain.removesuffix("间").removesuffix("之"))
    return pairs[0] if pairs else None


def second_addresses(rest: str) -> tuple[str, ...]:
    """Return the address that follows a plate, as in 中华大街16号和竹山路22号; none: there is none.

    Whether 和 is the first character of its road, only the gazetteer can tell.

    Examples
    --------
    >>> second_addresses("竹山路22号"), second_addresses("和平路16号老王面馆")
    (('竹山路22号',), ('和平路16号', '平路16号'))
    >>> second_addresses("近广东路12号"), second_addresses("建设小区3号楼"), second_addresses("老王面馆")
    ((), (), ())
    """
    found = _SECOND.match(rest)
    if not found or not is_way(found["road"]):
        return ()
    address = found["road"] + found["plate"]
    return (found["sign"] + address, address) if found["sign"] in tuple(_SIGNS) else (address,)


def after_plate(poi: str) -> tuple[str, str]:
    """Part the cross street from what follows a plate: the rest, and the street.

    Examples
    --------
    >>> after_plate("上海大酒店近福建中路"), after_plate("近漕宝路"), after_plate("金平路")
    (('上海大酒店', '福建中路'), ('', '漕宝路'), ('', '金平路'))
    >>> after_plate("老王面馆"), after_plate("近水楼台")
    (('老王面馆', ''), ('近水楼台', ''))
    """
    found = _AFTER_PLATE.search(poi)
    if found and (way := _way(found["way"])):
        return poi[: found.start()], way
    way = _way(poi) if is_way(poi) else ""
    return ("", way) if way else (poi, "")
