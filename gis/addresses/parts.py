"""The parts of an address and what they mean."""

import re
from dataclasses import dataclass, field

DIRECTIONS = {
    "东北": (1.0, 1.0),
    "东南": (1.0, -1.0),
    "西北": (-1.0, 1.0),
    "西南": (-1.0, -1.0),
    "东": (1.0, 0.0),
    "西": (-1.0, 0.0),
    "南": (0.0, -1.0),
    "北": (0.0, 1.0),
}
"""Direction -> (east, north), not of unit length."""

_WAY = "东北|东南|西北|西南|东|西|南|北"
_OFFSET = re.compile(
    rf"(?:往|向|以|偏)?(?P<way>{_WAY})(?:侧|边|面|方向|方)?(?:约|大约|大概)?"
    r"(?P<metres>\d+(?:\.\d+)?)(?P<unit>米|m|公里|km)(?:左右|处|的?地方)*"
)
_SIDE = re.compile(r"(?:马路|道路|路)(?P<side>东|西|南|北)(?:侧|边|面)?")
_AT = ("门前", "门口", "大门口", "正门", "处")
_WAY_ENDS = "路街道巷弄线口"
_NEAR = re.compile(
    r"(?:附近|旁边|旁|对面|对过|门前|门口|大门口|正门|周边|内|里面|院内|楼下|楼前|楼后|处)+$"
)
_CROSSING_END = r"(?:十字路口|丁字路口|三岔路口|交叉路口|交叉口|交汇处|交汇口|交口|路口|口)"
_CROSSING = re.compile(
    rf"(?P<one>.{{2,12}}?)(?:与|和|、|/|&|-)(?P<two>.{{2,12}}?)(?:的|相交)?{_CROSSING_END}"
)
_CROSSING_JOINED = re.compile(
    rf"(?P<one>.{{1,11}}?(?:路|大街|街|大道|道|巷))(?P<two>.{{1,11}}?(?:路|大街|街|大道|道|巷))(?:的|相交)?{_CROSSING_END}"
)
_ROAD = re.compile(
    r"(?P<road>[^\d号]{1,14}?(?:大街|大道|公路|街|路|道|巷|胡同|弄|线))(?=\d|甲|乙|丙|丁|$)"
)
_PLATE = re.compile(
    r"(?P<plate>[甲乙丙丁]?(?P<number>\d+)(?:[-之](?P<sub>\d+))?号(?!楼)(?:院)?(?:附\d+号?)?)"
)


@dataclass(frozen=True, kw_only=True)
class Relation:
    """Where a place lies from its mark."""

    direction: str = ""
    """One of `DIRECTIONS`, or empty."""
    distance_m: float = 0.0
    side: str = ""
    """Side of the road: 东, 西, 南, 北, or empty."""
    is_vague: bool = False
    """附近, 旁 …: near the mark, not at it."""
    is_opposite: bool = False
    """对面: across the road from the mark."""


@dataclass(frozen=True, kw_only=True)
class AddressParts:
    """An address taken apart, all parts in the one spelling of `normalise`."""

    mark: str
    """What the relation starts from: the address without its relation."""
    crossing: tuple[str, str] | None = None
    """Names of two roads that meet."""
    road: str = ""
    plate: str = ""
    """Plate with its 号, as in 12号."""
    number: int | None = None
    """Number of the plate."""
    rest: str = ""
    """What follows road and plate: compound, building, point of interest."""
    relation: Relation = field(default_factory=Relation)


def take_apart(address: str) -> AddressParts:
    """Split an address that `normalise` has spelt, and whose areas were removed, into its parts.

    Examples
    --------
    >>> parts = take_apart("裕华路与建设大街路口东50米路北")
    >>> parts.crossing, parts.relation.direction, parts.relation.distance_m, parts.relation.side
    (('裕华路', '建设大街'), '东', 50.0, '北')
    >>> parts = take_apart("裕华路12号建设小区3号楼附近")
    >>> parts.road, parts.plate, parts.rest, parts.relation.is_vague
    ('裕华路', '12号', '建设小区3号楼', True)
    """
    mark, relation = _split_relation(address)
    for pattern in (_CROSSING, _CROSSING_JOINED):
        crossing = pattern.fullmatch(mark)
        if crossing:
            return AddressParts(
                mark=mark, crossing=(crossing["one"], crossing["two"]), relation=relation
            )
    road = _ROAD.match(mark)
    after = mark[road.end() :] if road else mark
    plate = _PLATE.match(after) if road else None
    return AddressParts(
        mark=mark,
        road=road["road"] if road else "",
        plate=plate["plate"] if plate else "",
        number=int(plate["number"][:9]) if plate else None,
        rest=after[plate.end() :] if plate else after if road else "",
        relation=relation,
    )


def _split_relation(address: str) -> tuple[str, Relation]:
    mark, direction, distance_m, side = address, "", 0.0, ""
    offset = _last(_OFFSET, address)
    if offset and offset.start() > 0:
        direction = offset["way"]
        distance_m = float(offset["metres"]) * (1000 if offset["unit"] in ("公里", "km") else 1)
        tail = address[offset.end() :]
        found = _SIDE.search(tail)
        side = found["side"] if found else ""
        mark = address[: offset.start()]
    else:
        found = _last(_SIDE, address)
        if found and found.start() > 0 and found.end() == len(address):
            # 裕华路北 is the road 裕华路 and its north side; 裕华路路北 says the same.
            before = address[: found.start()]
            is_own = found[0].startswith("路") and before[-1] not in _WAY_ENDS
            side, mark = found["side"], before + "路" * is_own
    near = _NEAR.search(mark)
    words = near[0] if near and near.start() > 0 else ""
    is_opposite = "对面" in words or "对过" in words
    relation = Relation(
        direction=direction,
        distance_m=distance_m,
        side=side,
        is_vague=bool(words) and not is_opposite and not words.startswith(_AT),
        is_opposite=is_opposite,
    )
    return mark.removesuffix(words), relation


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = None
    for found in pattern.finditer(text):  # noqa: B007 (the last one is wanted)
        pass
    return found
