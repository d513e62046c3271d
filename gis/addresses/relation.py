"""Where a place lies from its mark 方位: directions, distances, sides, gates and the like."""

import re
from dataclasses import dataclass, field, replace
from typing import NamedTuple

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

_WAY = "东北|东南|西北|西南|北东|南东|北西|南西|东|西|南|北"
_TURNED = {"北东": "东北", "南东": "东南", "北西": "西北", "南西": "西南"}
_ABOUT = "大约|大概|约莫|约|差不多|不到|将近|近"
_HAS_OFFSET = re.compile(r"[\d几多来余半百](?:米|m(?![a-z])|公里|千米|km|里地)")
_OFFSET = re.compile(
    r"(?=[往向朝以偏靠再东西南北前过外后大约差不将近\d半几百])"
    rf"(?:(?:往|向|朝|以|偏|靠|再){{0,2}}(?P<way>{_WAY})(?:侧|边|面|方向|方|头|行|走|直行){{0,2}}"
    r"|(?P<on>往前|向前|前行|前方|往里|向里|往回|过去|再走|外|后|前))?"
    rf"(?P<about>{_ABOUT})?"
    r"(?P<metres>\d{1,5}(?:\.\d{1,3})?(?:-\d{1,5})?几?|半|几百|几十|几|百十|百)(?P<more>[多来余几])?"
    r"(?P<unit>米|m(?![a-z])|公里半?|千米|km|里地)(?P<after>左右|处|的?地方|远|外|许|以外|以内){0,2}"
)
_LOOSE = {"半": 0.5, "几百": 300.0, "几十": 50.0, "几": 5.0, "百十": 110.0, "百": 100.0}
_SIDE = re.compile(r"(?:马路|道路|路)(?P<side>东|西|南|北)(?:侧|边|面)?(?:路边)?")
_SIDE_ENDS = frozenset("东西南北侧边面")
_WAY_ENDS = "路街道巷弄线口段头"
_HAS_THING = re.compile(r"的|那|这个|有个")
_THING = re.compile(
    r"(?P<mark>.{3,}?(?:对面|对过|旁边|隔壁|附近|门口|门前|后面|前面|[东西南北](?:侧|边|面|角)))"
    r"(?:的|那个|这个|有个|那边)+(?P<thing>[^\d路街巷弄号楼]{1,12})"
)
_END_SIGNS = frozenset(
    "面过口前外旁处线门侧边方首头角端段近围带壁上下后身内里部顶道底洞路带置左右间"
)
_WAYS = tuple(_WAY.split("|"))
_NUMBERED_GATE = re.compile(r"(?<![路街道巷弄线里村\d\-])\d{1,2}号门(?:口|前|外|旁)?$")


class _End(NamedTuple):
    kind: str
    way: str = ""


def _ends() -> dict[str, _End]:
    """Return the words that end an address and do not depend on what stands before them."""
    ends = {
        word: _End(kind)
        for kind, words in {
            "opposite": "对面 对过 斜对面 斜对过 正对面 马路对面 路对面 街对面 马路对过",
            "gate": "门口 门前 门外 门旁 大门口 大门 大门前 大门外 正门 正门口 后门 后门口 侧门 侧门口",
            "stretch": "中段",
            "near": "附近 周边 周围 一带 旁边 旁侧 近旁 边上 隔壁 左侧 右侧 两侧 一侧 外侧 路边 旁"
            " 附近处 周边处 沿线 沿线两侧 两旁",
            "behind": "后面 后方 背后 后身",
            "front": "前面 前方",
            "inside": "里面 内部 里边 内",
            "lane": "辅路 主路 辅道 非机动车道 机动车道 人行道 便道 绿化带 隔离带 盲道 路中间 路面",
            "at": "位置 地方",
        }.items()
        for word in words.split()
    }
    for way in _WAYS:
        ends |= {way + "门" + more: _End("gate", way) for more in ("", *"口前外旁处")}
        sides = ("侧", "边", "面", "方向", "方", "首", "头", "角", "端", "侧路边", "边路边", "角处")
        ends |= {way + side: _End("side", way) for side in sides}
        ends |= {way + "口": _End("mouth", way), way + "段": _End("stretch", way)}
    return ends


_ENDS = _ends()
_LENGTHS: dict[str, tuple[int, ...]] = {
    last: tuple(sorted({len(word) for word in _ENDS if word[-1] == last}, reverse=True))
    for last in {word[-1] for word in _ENDS}
}
_DEPENDENT_SIGNS = frozenset("门后前里内下上旁顶头底洞面处口")
_DEPENDENT = re.compile(
    r"(?P<opposite>(?<![相东西])对门)"
    r"|(?P<behind>(?<=[院店校厦站号厅场馆座])后)"
    r"|(?P<front>(?<=[院店校厦站号厅场馆座])前)"
    r"|(?P<inside>(?<=院)里)"
    r"|(?P<mouth>(?<=巷)巷口|(?<=弄)弄口|(?<=[巷弄])口|(?<=胡同)口)"
    r"|(?P<below>(?<![\d号大小主东西南北中新老旧座])楼[下上前后旁顶]|(?<=楼)[下上前后旁顶]|(?<=座)下)"
    r"|(?P<bridge>(?<=桥)[下上头底洞]面?)"
    r"|(?P<at>(?<![事理售收总代筹管团业汇叉交界会])处)"
)
_YARD = re.compile(r"(?<=[区园村厦里苑校局司厂队会院])院[内里]$")
_POSITIONS = {
    "opposite": "对面",
    "gate": "门",
    "side": "侧",
    "mouth": "口",
    "stretch": "段",
    "near": "附近",
    "behind": "后",
    "front": "前",
    "inside": "内",
    "below": "楼下",
    "bridge": "桥下",
    "lane": "辅路",
    "at": "",
}
_MOST_ENDS = 3
_LONGEST_OFFSET = 14
_LEAST_MARK = 2


@dataclass(frozen=True, kw_only=True)
class Relation:
    """Where a place lies from its mark."""

    direction: str = ""
    """One of `DIRECTIONS`, or empty. With no distance: the side of the mark, as in 南侧."""
    distance_m: float = 0.0
    side: str = ""
    """Side of the road: 东, 西, 南, 北, or empty."""
    is_vague: bool = False
    """附近, 旁 …: near the mark, not at it."""
    is_opposite: bool = False
    """对面: across the road from the mark."""
    is_approximate: bool = False
    """约, 多米: the distance is not measured."""
    position: str = ""
    """对面, 斜对面, 门, 侧, 头, 口, 段, 附近, 后, 前, 内, 楼下, 桥下, 桥上, 辅路, 角, or empty."""
    gate: str = ""
    """Direction of the gate: 南 of 南门."""
    words: str = ""
    """The relation in its own words."""


HERE = Relation()
"""At the mark."""


class Located(NamedTuple):
    """A mark, the relation to it, and what is said after it."""

    mark: str
    relation: Relation
    beyond: str = ""
    """What follows distance and side, as 老王面馆 in 路口东50米路北老王面馆."""


@dataclass
class _Found:
    mark: str
    beyond: str = ""
    words: list[str] = field(default_factory=list)
    values: dict[str, str | float | bool] = field(default_factory=dict)


def split_relation(address: str) -> Located:
    """Split an address into its mark and the relation of the place to it.

    Examples
    --------
    >>> mark, relation, beyond = split_relation("裕华路与建设大街路口往东约50米路北老王面馆")
    >>> mark, relation.direction, relation.distance_m, relation.side, beyond
    ('裕华路与建设大街路口', '东', 50.0, '北', '老王面馆')
    >>> mark, relation, _ = split_relation("人民医院南门斜对面")
    >>> mark, relation.gate, relation.position, relation.is_opposite
    ('人民医院', '南', '斜对面', True)
    >>> mark, relation, beyond = split_relation("人民医院对面的小超市")
    >>> mark, relation.is_opposite, relation.is_vague, beyond
    ('人民医院', True, True, '小超市')
    """
    thing = _THING.fullmatch(address) if _HAS_THING.search(address) else None
    if thing:
        mark, relation, _ = split_relation(thing["mark"])
        if relation is not HERE:
            return Located(mark, replace(relation, is_vague=True), thing["thing"])
    found = _Found(address)
    has_offset = _HAS_OFFSET.search(address)
    if has_offset:
        _take_offset(found, max(0, has_offset.start() - _LONGEST_OFFSET))
    if not found.words and found.mark and found.mark[-1] in _SIDE_ENDS:
        _take_side(found)
    for _ in range(_MOST_ENDS):
        if not found.mark or found.mark[-1] not in _END_SIGNS or not _take_end(found):
            break
    if not found.words:
        return Located(found.mark, HERE)
    words = "".join(reversed(found.words))
    return Located(found.mark, Relation(words=words, **found.values), found.beyond)  # type: ignore[arg-type]


def _take_offset(found: _Found, start: int) -> None:
    offset = None
    for match in _OFFSET.finditer(found.mark, start):
        offset = match if match.start() >= _LEAST_MARK else offset
    if offset is None:
        return
    tail = found.mark[offset.end() :]
    # 80米大道 is a name.
    if not offset["way"] and not offset["on"] and tail.startswith(("大", "路", "街", "道", "阳")):
        return
    side = _SIDE.match(tail)
    words = offset[0] + (side[0] if side else "")
    found.beyond = tail[side.end() :] if side else tail
    if side:
        found.values["side"] = side["side"]
    found.mark = found.mark[: offset.start()]
    found.words.append(words)
    way = offset["way"] or ""
    found.values["direction"] = _TURNED.get(way, way)
    found.values["distance_m"] = _metres(offset["metres"], offset["unit"])
    found.values["is_approximate"] = bool(
        offset["about"] or offset["more"] or offset["metres"] in _LOOSE or "几" in offset["metres"]
    )


def _metres(said: str, unit: str) -> float:
    if said in _LOOSE:
        number = _LOOSE[said]
    elif "-" in said:
        low, high = said.rstrip("几").split("-")
        number = (float(low) + float(high)) / 2
    else:
        number = float(said.rstrip("几")) + (5.0 if said.endswith("几") else 0.0)
    if unit == "公里半":
        number += 0.5
    return number * {"米": 1.0, "m": 1.0, "里地": 500.0}.get(unit, 1000.0)


def _take_side(found: _Found) -> None:
    """裕华路北 is the road 裕华路 and its north side; 裕华路路北 says the same."""
    side = None
    for match in _SIDE.finditer(found.mark):
        side = match
    if side is None or side.end() != len(found.mark) or not side.start():
        return
    before = found.mark[: side.start()]
    is_own = side[0].startswith("路") and before[-1] not in _WAY_ENDS
    found.values["side"] = side["side"]
    found.words.append(side[0].removeprefix("路") if is_own else side[0])
    found.mark = before + "路" * is_own


def _take_end(found: _Found) -> bool:
    length, (kind, way) = _find_end(found.mark)
    if not length or len(found.mark) - length < _LEAST_MARK:
        return False
    words, values = found.mark[-length:], found.values
    found.mark = found.mark[:-length].removesuffix("的")
    found.words.append(words)
    if kind == "gate":
        if way:
            values["gate"] = way
    elif way:
        values.setdefault("direction", _TURNED.get(way, way))
    if kind == "opposite":
        values["is_opposite"] = True
    elif kind not in ("gate", "at", "mouth") and not values.get("is_opposite"):
        values["is_vague"] = True
    values.setdefault("position", _position(kind, words))
    return True


def _find_end(mark: str) -> tuple[int, _End]:
    """Return the length and the meaning of the longest word of relation that ends a mark."""
    if "号门" in mark[-5:] and (gate := _NUMBERED_GATE.search(mark)):
        return len(gate[0]), _End("gate")
    if mark[-1] in "内里" and _YARD.search(mark):
        return 2, _End("inside")
    for length in _LENGTHS.get(mark[-1], ()):
        end = _ENDS.get(mark[-length:])
        if end:
            return length, end
    if mark[-1] in _DEPENDENT_SIGNS:
        for start in range(max(0, len(mark) - 2), len(mark)):
            found = _DEPENDENT.match(mark, start)
            if found and found.end() == len(mark):
                return len(mark) - start, _End(found.lastgroup or "")
    return 0, _End("")


def _position(kind: str, words: str) -> str:
    if kind == "opposite" and "斜" in words:
        return "斜对面"
    if kind == "side" and "角" in words:
        return "角"
    if kind == "side" and words[-1] in "头端首":
        return "头"
    if kind == "bridge" and "上" in words:
        return "桥上"
    return _POSITIONS[kind]
