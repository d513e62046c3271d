"""Road, lane, plate, building, unit, storey and room 门楼牌, read from words."""

import re
from typing import Any, NamedTuple

from gis.addresses.crossings import joined

_SUFFIX = r"(?:大街|大道|公路|街|路|(?<!街)道|巷|胡同|弄|线|环|高速|条)"
_NUMBERED_ROAD = r"(?:[a-z]?\d{1,4}(?=[国省县乡]道|公路|号路|号公路|号线|高速|号大街))?"
_CODED_ROAD = r"[a-z台南市县省]?\d{1,4}(?:-\d{1,2})?[甲乙丙]?(?:[国省县乡市区]道|线|公路|高速)"
_STANDS = r"(?:[甲乙丙丁戊]?\d|附\d)"
# A road whose plate or lane follows, or that ends the text.
_ROAD = re.compile(
    rf"(?P<road>{_NUMBERED_ROAD}[^\d]{{1,24}}?{_SUFFIX}(?:\d段)?|{_CODED_ROAD})"
    rf"(?!\d段)(?=/?{_STANDS}|$|\(|(?:上?的|从)(?=\d))"
)
_FILLED = re.compile(r"(?:上?的|从)(?=\d)")
# A road that something else follows: the earliest that is long enough.
_ROAD_BEFORE_NAME = re.compile(
    rf"(?P<road>{_NUMBERED_ROAD}[^\d号]{{1,7}}?(?:大街|大道|公路|街(?![道坊])|路(?![口段]|街道)|巷|胡同)(?:\d段)?)(?=[^\d].)"
)
_WESTERN = re.compile(
    r"^(?:(?P<first>\d{1,5}(?:-\d{1,5})?)/?(?P<after>(?:\d{1,3}(?:st|nd|rd|th))?[a-z.'·]{3,40})"
    r"|(?P<before>[a-z.'·]{3,40}?)(?P<last>\d{1,5}[a-z]?(?:-\d{1,5})?))$"
)
_LANE = re.compile(r"(?P<lane>\d{1,4}(?:-\d{1,3})?(?:支弄|支巷|横巷|弄|巷))堂?")
_NAMED_LANE = re.compile(r"(?P<name>[^\d(]{2,20}?)(?=\d{1,4}(?:弄|巷))")
_BUILT_FIRST = re.compile(r"(?P<building>\d{1,3}号楼)(?=\d{1,4}号(?!楼))")
_NOT_PLATE = r"(?!楼|线|地块|码头|路|公路|商铺|井(?!亭)|杆|闸)"
_NOT_BLOCK_PLATE = (
    r"(?!楼|线|店|铺|馆|厅|码头|房|库|地块|公馆|会所|食堂|门|站|车间|桥|商铺|社区|闸|井|杆|路)"
)
_PLATE = re.compile(
    r"/?(?P<plate>(?P<letter>[甲乙丙丁戊])?(?P<number>\d{1,9})(?P<suffix>[a-z])?"
    r"(?P<more>(?:[\-/]\d{1,5}[a-z]?){0,6})"
    rf"(?:号{_NOT_PLATE}|(?<=\d\d\d)号(?=楼))(?:(?=院)院(?!校|区|内|里))?"
    r"(?P<again>(?:/?\d{1,5}号(?!楼|线)){0,4})(?:附(?P<added>\d{1,4})号?|(?P<after>[甲乙丙丁戊])(?=$|[\d(/]))?)"
)
_COUNTED = (
    r"号|[米多来余几层楼室弄巷段栋幢座天路街期区组队线年月度世站元折班条环村里院]|单元|医院|中(?:学|$)"
    r"|小(?:学|区|$)|[\da-z\-/.]"
)
_BARE = re.compile(rf"(?P<plate>(?P<number>\d{{1,6}})(?P<more>(?:[\-/]\d{{1,5}})?))(?!{_COUNTED})")
_HOUSE = re.compile(
    r"(?P<name>[^\d(]{2,20}?)(?=[甲乙丙丁戊]?\d{1,5}(?:[\-/]\d{1,5}){0,3}号"
    + _NOT_BLOCK_PLATE
    + ")"
)
_FLAT = re.compile(r"(?<![a-z\d])(?P<building>\d{1,3})-(?:(?P<unit>\d{1,2})-)?(?P<room>\d{3,4})$")
_PARTS = re.compile(
    r"/?(?:(?P<building>\d{1,4}号楼|[a-z]\d{0,2}座|\d{1,2}座|[a-z]\d{1,2}号楼|\d{1,3}楼(?=\d{1,2}(?:单元|门))"
    r"|(?<![号大酒新老])[东南西北中]座|[东南西北]楼|主楼|裙楼|附楼)"
    r"|(?P<unit>[\da-z]{1,3}单元|(?<=楼)\d{1,2}门|(?<=[村队区里屯社庄寨])\d{1,3}[组队社])"
    r"|(?P<floor>地下室?|[b\-]?\d{1,3}(?:[\-/]\d{1,3})?层|b\d(?=$|[^\d]|\d{2,3}室)|\d{1,3}(?:[\-/]\d{1,3})?楼|顶[楼层])"
    r"|(?P<room>[a-z]?\d{1,5}[a-z]?(?:[\-/][a-z]?\d{1,5}[a-z]?){0,4}(?:室|铺位|商铺|铺|号铺|号商铺|房间?|号房|号室|户|单位)|(?:[a-z]?\d{1,4}号/){0,3}[a-z]?\d{1,4}(?:-\d{1,4})?号(?=$)"
    r"|[a-z]\d{1,5}(?:-\d{1,5}){0,3}[a-z]?$|\d{2,5}-\d{1,4}$|(?<=[层元座楼])\d{2,5}$))"
)
_BLOCK = re.compile(
    r"(?:小区|新村|花园|公寓|[家嘉佳馨雅怡庄]园|[东南西北]里|[一二三四五六七八九十][村里区期]|花苑|[佳名雅新]苑|大院|宿舍区?"
    r"|家属[院区]|别墅|苑|公馆|华庭|山庄|雅居|名[邸都门]|小镇|街坊|社区|(?<=..)[村里屯寨庄])$"
)
_OF_HOUSES = re.compile(r"[园苑庭府城轩阁邸湾郡]$")
_TOWN = re.compile(
    r"^(?P<town>[^\d路街]{2,5}?(?:镇|乡|街道|村|社区)|[^\d]{2,6}街道"
    r"|.{2,12}?(?:广场|小区|工业园区?|工业区|开发区|园区|校区|新村)(?:[一二三四五六七八九十]期)?)(?=.{3})"
)
_NEIGHBOURHOOD = re.compile(r"(?P<village>[^\d(]{0,12})\d{1,3}邻")
_RURAL = re.compile(r"(?P<town>[^\d路街]{2,5}?(?:镇|乡|街道))(?=.{3})")
# The number said before the road: 37号滨兴路, 81鹤庆路358弄.
_NUMBER_FIRST = re.compile(
    r"(?P<plate>[甲乙丙丁戊]?\d{1,5}(?:-\d{1,4})?)号?[/的]?"
    r"(?P<way>(?![国省县乡]道|公路|大街|[道路街线楼店门院馆栋幢弄巷])[^\d号/()]{2,16}(?:路|街|道|巷|弄|胡同|线|段)(?:\d{1,4}(?:弄|巷|段)){0,3})$"
)
_SECTIONS_OF_LANES = 4
_LONGEST_RANGE = 200
_FIGURES = re.compile(r"\d+")
_SHORTEST_PAIR = 6


Values = dict[str, Any]
"""Parts of an address by the names of the fields of ``AddressParts``; those not said are absent."""


class _House(NamedTuple):
    plate: str = ""
    numbers: tuple[int, ...] = ()
    sub: str = ""
    end: int = 0


def plated(mark: str, *, whole: bool = False) -> Values | None:
    """Return road, plate and the rest of a mark; nothing where neither road nor plate is said.

    Parameters
    ----------
    mark : str
        An address as `normalise` spells it.
    whole : bool
        Take what stands before the number for one name of a road, even if it looks like two.

    Examples
    --------
    >>> found = plated("太仓路181弄22号1层")
    >>> [found[part] for part in ("road", "lanes", "way", "plate", "floor")]
    ['太仓路', ('181弄',), '太仓路181弄', '22号', '1层']
    >>> found = plated("四平路鞍山五村7号105室")
    >>> [found[part] for part in ("road", "block", "way", "plate", "room")]
    ['四平路', '鞍山五村', '鞍山五村', '7号', '105室']
    """
    if mark.isascii():
        return _western(mark)
    before = _NEIGHBOURHOOD.match(mark) if "邻" in mark else None
    if before:
        rest, village = mark[before.end() :], before["village"]
        found = _placed(rest, whole=whole) or _in_block("", village + rest, "")
        return found | {"area": before[0]} if found else None
    return _placed(mark, whole=whole)


def _placed(mark: str, *, whole: bool) -> Values | None:
    if mark[:1].isdigit() and (turned := _NUMBER_FIRST.match(mark)):
        mark = f"{turned['way']}{turned['plate']}号"
    found = _ROAD.match(mark)
    if found and found["road"][-1] in "弄巷" and found["road"][-2].isdigit():
        found = None
    if found is None:
        before_name = _ROAD_BEFORE_NAME.match(mark)
        if before_name is None:
            return _in_block("", mark, "")
        area, road = ("", before_name["road"]) if whole else _without_area(before_name["road"])
        return _in_block(road, mark[before_name.end() :], area)
    area, road = ("", found["road"]) if whole else _without_area(found["road"])
    rest = mark[found.end() :]
    filled = _FILLED.match(rest)
    if filled:
        rest = rest[filled.end() :]
    lanes, rest = _lanes(rest)
    if lanes:
        return _in_lane(road, rest, area, lanes)
    house = _house(rest)
    return _built(rest[house.end :], house, area=area, road=road, way=road)


def _lanes(text: str) -> tuple[tuple[str, ...], str]:
    lanes: list[str] = []
    while len(lanes) < _SECTIONS_OF_LANES and (lane := _LANE.match(text)):
        lanes.append(lane["lane"])
        text = text[lane.end() :]
    return tuple(lanes), text


def _in_lane(road: str, rest: str, area: str, lanes: tuple[str, ...]) -> Values | None:
    way = road + "".join(lanes)
    building = _BUILT_FIRST.match(rest)
    after = rest[building.end() :] if building else rest
    house = _house(after)
    if not house.plate:
        return _in_block(road, rest, area, lanes=lanes, way=way)
    found = _built(after[house.end :], house, area=area, road=road, lanes=lanes, way=way)
    return found | {"building": building["building"]} if building else found


def _western(mark: str) -> Values | None:
    found = _WESTERN.match(mark)
    if not found:
        return None
    road, plate = found["after"] or found["before"], found["first"] or found["last"]
    number = int(_FIGURES.match(plate)[0])  # type: ignore[index]
    return {
        "road": road,
        "way": road,
        "plate": plate,
        "number": number,
        "numbers": (number,),
        "kind": "plate",
    }


def _without_area(road: str) -> tuple[str, str]:
    """Part town, square or other road from the road itself: the last of two names counts."""
    area = ""
    if len(road) < _SHORTEST_PAIR:
        return area, road
    town = _TOWN.match(road)
    if town:
        area, road = town["town"], road[town.end() :]
    pairs = joined(road)
    if pairs:
        area, road = area + pairs[-1][0], pairs[-1][1]
    return area, road


def _in_block(
    road: str, rest: str, area: str, *, lanes: tuple[str, ...] = (), way: str = ""
) -> Values | None:
    """Read a text that names something before the number: a village, an estate."""
    off = _NAMED_LANE.match(rest) if road and not lanes else None
    if off:
        inside, after = _lanes(rest[off.end() :])
        found = _in_lane(road, after, area, inside)
        return found | {"block": off["name"]} if found else None
    named = _HOUSE.match(rest)
    house = _house(rest[named.end() :]) if named else _House()
    if named and house.plate:
        name = named["name"]
        tail = rest[named.end() + house.end :]
        if way or not road or _BLOCK.search(name):
            way = way or name
            return _built(tail, house, area=area, road=road, lanes=lanes, way=way, block=name)
        # A house's name between road and number: the number is the road's.
        found = _built(tail, house, area=area, road=road, way=road)
        return found | {"poi": name + found.get("poi", ""), "rest": name + tail}
    if not road:
        return None
    return _built(rest, _House(), area=area, road=road, lanes=lanes, way=way or road)


def _house(text: str) -> _House:
    found = _PLATE.match(text)
    if found:
        added = f"附{found['added']}" if found["added"] else ""
        number, more = int(found["number"]), found["more"]
        numbers, second = _numbers(number, more) if more else ((number,), "")
        again = found["again"]
        if again:
            numbers = (*numbers, *(int(said) for said in _FIGURES.findall(again)))
        sub = found["letter"] or found["after"] or added or found["suffix"] or second
        return _House(found["plate"], numbers, sub, found.end())
    bare = _BARE.match(text)
    if not bare:
        return _House()
    numbers, second = _numbers(int(bare["number"]), bare["more"])
    return _House(bare["plate"] + "号", numbers, second, bare.end())


def _numbers(first: int, more: str) -> tuple[tuple[int, ...], str]:
    """Return the numbers meant, and the second number of a plate: 12-14 are two, 12-1 is one."""
    if not more:
        return (first,), ""
    said = [int(number) for number in _FIGURES.findall(more)]
    if more[0] == "/":
        return (first, *said), ""
    second = said[0]
    up = first < second <= first + _LONGEST_RANGE
    down = first >= 100 and first - 40 <= second < first
    return (tuple(sorted((first, second))) if up or down else (first,)), str(second)


def _built(
    rest: str,
    house: _House,
    *,
    area: str = "",
    road: str = "",
    lanes: tuple[str, ...] = (),
    way: str = "",
    block: str = "",
) -> Values:
    found = inner(rest) if rest else {}
    found |= {"way": way, "road": road}
    if area:
        found["area"] = area
    if lanes:
        found["lanes"] = lanes
    if block:
        found["block"] = block
    if house.plate:
        found["plate"], found["sub"], found["rest"] = house.plate, house.sub, rest
        found["number"], found["numbers"], found["kind"] = house.numbers[0], house.numbers, "plate"
    else:
        found["rest"], found["kind"] = block + rest, "lane" if lanes else "road"
    return found


def inner(rest: str) -> Values:
    """Return block, building, unit, floor, room and point of interest of what follows a plate.

    Examples
    --------
    >>> inner("建设小区3号楼2单元501室")
    {'building': '3号楼', 'unit': '2单元', 'room': '501室', 'block': '建设小区'}
    >>> inner("建设小区3-2-501")
    {'building': '3号楼', 'unit': '2单元', 'room': '501室', 'block': '建设小区'}
    >>> inner("长风大悦城b1层1009铺")
    {'floor': 'b1层', 'room': '1009铺', 'poi': '长风大悦城'}
    """
    parts: Values = {}
    names = [rest]
    if any(character.isdigit() for character in rest) or "楼" in rest or "座" in rest:
        flat = _FLAT.search(rest)
        if flat:
            parts["building"] = f"{flat['building']}号楼"
            if flat["unit"]:
                parts["unit"] = f"{flat['unit']}单元"
            parts["room"] = f"{flat['room']}室"
            rest = rest[: flat.start()]
        names = _take_parts(rest, parts)
    for name in names:
        name = name.strip("/-()")
        if name and "block" not in parts and "poi" not in parts and _is_block(name, parts):
            parts["block"] = name
        elif name:
            parts["poi"] = parts.get("poi", "") + name
    return parts


def _is_block(name: str, parts: Values) -> bool:
    houses = "building" in parts and _OF_HOUSES.search(name) is not None
    return houses or _BLOCK.search(name) is not None


def in_town(mark: str) -> Values:
    """Return the same of a mark without road and plate, and the town it begins with.

    Examples
    --------
    >>> in_town("忠州镇梅湾村13组")
    {'unit': '13组', 'block': '梅湾村', 'area': '忠州镇'}
    """
    town = _RURAL.match(mark)
    return inner(mark[town.end() :]) | {"area": town["town"]} if town else inner(mark)


def _take_parts(rest: str, parts: Values) -> list[str]:
    names, at = [], 0
    for found in _PARTS.finditer(rest):
        kind = found.lastgroup or ""
        if kind in parts:
            continue
        said = found[kind]
        if kind == "building" and said[-1] == "楼" and said[:-1].isdigit():
            said = f"{said[:-1]}号楼"
        if kind == "floor" and said[-1] == "楼":
            said = f"{said[:-1]}层"
        if kind == "room" and said.isdigit():
            said += "室"
        parts[kind] = said
        names.append(rest[at : found.start()])
        at = found.end()
    return [*names, rest[at:]]
