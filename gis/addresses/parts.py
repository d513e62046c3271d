"""The parts of an address and what they mean."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from gis.addresses.cross_streets import after_plate, of_remark, remarked_stretch, second_addresses
from gis.addresses.crossings import Stretch, alongside, crossings, is_way, joined, stretch
from gis.addresses.plates import in_town, plated
from gis.addresses.relation import DIRECTIONS, HERE, Located, Relation, split_relation
from gis.addresses.spelling import LONGEST

__all__ = ["DIRECTIONS", "AddressParts", "Relation", "readings", "take_apart"]

_BRACKETS = re.compile(r"\(([^()]*)\)?")
_NUMBER = re.compile(r"\d号")
_PLATE_AFTER = re.compile(r"[/处的东西南北侧]{0,3}(?P<address>.{2,}\d号.*)")
_STARTS_WITH_PLATE = re.compile(r"\d{1,5}(?:-\d{1,4})?号")
_MOST_READINGS = 8
_INNER = frozenset(("block", "building", "unit", "floor", "room", "poi"))
_LEAST_NAME = 2


@dataclass(frozen=True, kw_only=True)
class AddressParts:
    """An address taken apart, all parts in the one spelling of `normalise`."""

    mark: str
    """What the relation starts from: the address without its relation."""
    kind: str = "name"
    """What was read: crossing, between, plate, lane, road or name."""
    crossing: tuple[str, str] | None = None
    """Names of two roads that meet."""
    corner: str = ""
    """Corner of the crossing, one of `DIRECTIONS`, or empty."""
    between: tuple[str, tuple[str, str]] | None = None
    """Road (empty where it is not said) and the two marks that the place lies between."""
    area: str = ""
    """What stands before the road and belongs to no level known by its words: a town, a square."""
    road: str = ""
    """Road with its section, as in 国华街2段."""
    lanes: tuple[str, ...] = ()
    """Lanes off the road with their numbers, the widest first: 321巷, 88弄."""
    way: str = ""
    """What the plate counts along: road and lanes, or the estate or village that bears plates."""
    plate: str = ""
    """Plate with its 号, as in 12号."""
    number: int | None = None
    """Number of the plate, the first if there are several."""
    numbers: tuple[int, ...] = ()
    """All of them, of 12-14号 and 12/14号."""
    sub: str = ""
    """Second number of the plate: 3 of 12-3号, 甲 of 甲12号, 附5 of 12号附5号."""
    rest: str = ""
    """What follows road and plate: compound, building, point of interest."""
    block: str = ""
    """Compound, estate or village: 建设小区."""
    building: str = ""
    """Building: 3号楼, a座."""
    unit: str = ""
    """Stairway: 2单元."""
    floor: str = ""
    """Storey: 3层, b1层."""
    room: str = ""
    """Room: 501室."""
    poi: str = ""
    """What is left: a shop, an institution."""
    others: tuple[str, ...] = ()
    """A second address after the plate, as it may be read: 竹山路22号 of 中华大街16号和竹山路22号."""
    near: str = ""
    """Cross street: 广东路 of 浙江中路70号(近广东路)."""
    remark: str = ""
    """Text in brackets."""
    orientation: str = ""
    """The relation in its own words."""
    beyond: str = ""
    """What is said after the relation or the crossing."""
    relation: Relation = HERE


def take_apart(address: str) -> AddressParts:
    """Split an address that `normalise` has spelt, and whose areas were removed, into its parts.

    Of several readings it is the likeliest by its words; `readings` gives the others.

    Examples
    --------
    >>> parts = take_apart("裕华路与建设大街路口东50米路北")
    >>> parts.crossing, parts.relation.direction, parts.relation.distance_m, parts.relation.side
    (('裕华路', '建设大街'), '东', 50.0, '北')
    >>> parts = take_apart("裕华路12号建设小区3号楼附近")
    >>> parts.road, parts.plate, parts.rest, parts.relation.is_vague
    ('裕华路', '12号', '建设小区3号楼', True)
    >>> parts = take_apart("浙江中路70号a座(近广东路)")
    >>> parts.way, parts.plate, parts.building, parts.near
    ('浙江中路', '70号', 'a座', '广东路')
    """
    return next(_read(address))


def readings(address: str) -> tuple[AddressParts, ...]:
    """Return the ways of reading an address, the likeliest by its words first, at most eight.

    Which is right only the gazetteer can tell: 河和超市路口 is hardly the crossing of 河 and 超市.

    Examples
    --------
    >>> [(parts.kind, parts.crossing or parts.mark) for parts in readings("河和超市路口")]
    [('name', '河和超市'), ('name', '河和超市路口'), ('crossing', ('河路', '超市路')), ('crossing', ('河', '超市'))]
    """
    found: dict[tuple[object, ...], AddressParts] = {}
    for parts in _read(address):
        key = (parts.mark, parts.crossing, parts.between, parts.way, parts.plate, parts.orientation)
        found.setdefault(key, parts)
        if len(found) >= _MOST_READINGS:
            break
    return tuple(found.values())


def _read(address: str) -> Iterator[AddressParts]:
    address = address[:LONGEST]
    bare, remark = _cut_remark(address)
    located = split_relation(bare)
    mark = located.mark
    between = stretch(bare) or (remarked_stretch(mark, remark) if remark else None)
    if between:
        yield _of_stretch(bare, located, remark, between)
    doubtful = []
    is_crossing = False
    for pair, tail, is_sure in crossings(mark):
        parts = _of_crossing(located, remark, pair, tail)
        is_crossing = is_crossing or is_sure
        after = _PLATE_AFTER.match(tail) if tail else None
        if is_sure and after:
            # A plate after the crossing tells more than the crossing.
            yield from _read(after["address"])
        if is_sure:
            yield parts
        else:
            doubtful.append(parts)
    near = alongside(mark)
    if near:
        vague = located._replace(relation=replace(located.relation, is_vague=True))
        yield _of_crossing(vague, remark, near, "")
        yield replace(_plain(located._replace(mark=near[0]), remark), mark=mark, near=near[1])
    yield from _names(address, located, remark, doubtful=doubtful if not is_crossing else None)
    yield from doubtful


def _names(
    address: str, located: Located, remark: str, *, doubtful: list[AddressParts] | None
) -> Iterator[AddressParts]:
    """Yield the readings as a plate, a road or a name, with the relation and without."""
    mark = located.mark
    if doubtful is not None and mark.endswith("路口") and len(mark) > _LEAST_NAME + 1:
        # 人民医院路口 is the crossing at a place, 建设路口 a crossing on a road.
        short = mark.removesuffix("路口") if doubtful else mark.removesuffix("口")
        at_end = located._replace(mark=short, relation=replace(located.relation, is_vague=True))
        yield _plain(at_end, remark)
    if doubtful is None and not _NUMBER.search(mark):
        yield from _as_name(address, located, remark)
        return
    first = _plain(located, remark)
    is_road = first.kind == "road"
    if is_road and first.near and not first.poi:
        yield _of_crossing(located, remark, (first.road, first.near), "")
    pairs = joined(mark) if is_road and (not first.poi or is_way(first.poi)) else []
    for pair in pairs:
        yield _of_crossing(located, remark, pair, "")
    if doubtful is not None or not (is_road and first.poi):
        yield first
    if first.area:
        yield _plain(located, remark, whole=True)
    yield from _as_name(address, located, remark, is_known=not (is_road and first.poi))


def _as_name(
    address: str, located: Located, remark: str, *, is_known: bool = False
) -> Iterator[AddressParts]:
    """Yield what follows the relation, the mark as a name, the whole address as a name."""
    if len(located.beyond) >= _LEAST_NAME:
        yield from _read(located.beyond)
    if not is_known:
        mark = located.mark
        yield AddressParts(mark=mark, poi=mark, remark=remark, **_relation(located))
    if located.relation.words or remark:
        yield AddressParts(mark=address, poi=address)


def _plain(located: Located, remark: str, *, whole: bool = False) -> AddressParts:
    mark = located.mark
    found = plated(mark, whole=whole)
    told = _relation(located)
    if remark:
        told |= of_remark(remark, found["road"] if found else "")
    if found is None:
        inside = in_town(mark)
        stands = plated(remark) if _NUMBER.search(remark) else None
        if stands and "plate" in stands:
            # The address stands in brackets after the name.
            inside = stands | {"poi": mark}
        return AddressParts(mark=mark, **inside, **told)
    return AddressParts(mark=mark, **(_with_cross_street(found) | told))


def _with_cross_street(found: dict[str, Any]) -> dict[str, Any]:
    """Take the cross street off what follows a plate: it is no place of its own."""
    poi = found.get("poi", "")
    others = second_addresses(found.get("rest", "")) if "plate" in found else ()
    if others:
        return {name: told for name, told in found.items() if name not in _INNER} | {
            "others": others
        }
    if "plate" not in found or not poi or "block" in found:
        return found
    name, way = after_plate(poi)
    if not way or way == found["road"]:
        return found
    rest = found["rest"].removesuffix(poi.removeprefix(name))
    return found | {"poi": name, "near": way, "rest": rest}


def _of_crossing(located: Located, remark: str, pair: tuple[str, str], tail: str) -> AddressParts:
    relation = located.relation
    is_corner = relation.position == "角" and bool(relation.direction) and not relation.distance_m
    corner = relation.direction if is_corner else ""
    if corner:
        relation = replace(relation, direction="", position="", is_vague=False)
    return AddressParts(
        mark=located.mark,
        kind="crossing",
        crossing=pair,
        corner=corner,
        remark=remark,
        orientation=located.relation.words,
        beyond=tail or located.beyond,
        relation=relation,
    )


def _of_stretch(bare: str, located: Located, remark: str, between: Stretch) -> AddressParts:
    # 之间, 路段 are read as a part of the stretch.
    relation = located.relation if located.mark != bare else HERE
    return AddressParts(
        mark=bare,
        kind="between",
        between=(between.road, between.ends),
        road=between.road,
        way=between.road,
        remark=remark,
        relation=relation if relation.side or relation.distance_m else HERE,
        orientation=relation.words,
    )


def _relation(located: Located) -> dict[str, Any]:
    relation = located.relation
    if relation is HERE:
        return {}
    return {"relation": relation, "orientation": relation.words, "beyond": located.beyond}


def _cut_remark(address: str) -> tuple[str, str]:
    """Part what stands in brackets from an address that goes on without it."""
    if "(" not in address:
        return address, ""
    remarks = [said for said in _BRACKETS.findall(address) if said]
    bare = _BRACKETS.sub("", address).replace(")", "")
    if remarks and is_way(bare) and _STARTS_WITH_PLATE.match(remarks[0]):
        return bare + remarks[0], ""
    return bare, "/".join(remarks)
