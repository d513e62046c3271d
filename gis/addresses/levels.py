"""One delivered address into the ten levels of GB/T 30428.3, orientation and supplement."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gis.addresses.areas import LEVEL_OF_LENGTH, AreaNames, Chain, is_institution, read_chain
from gis.addresses.characters import folded
from gis.addresses.parts import AddressParts, take_apart
from gis.addresses.spelling import LONGEST, tidy

__all__ = ["AreaNames", "Levels", "split_levels", "split_many"]


_VILLAGE = re.compile(r".*?(?:村|社区|里(?=\d{1,3}邻))")


@dataclass(frozen=True, kw_only=True)
class Levels:
    """The ten levels of an address, orientation and supplement; empty where nothing is said."""

    province: str = ""
    city: str = ""
    district: str = ""
    street: str = ""
    community: str = ""
    road: str = ""
    """Road with section and lanes."""
    plate: str = ""
    block: str = ""
    building: str = ""
    poi: str = ""
    orientation: str = ""
    """Where the place lies from the mark: 南门对面, 东50米路北."""
    supplement: str = ""
    """Unit, storey, room, text in brackets."""
    area_code: str = ""
    """Code of the smallest area, where one only is meant."""
    rest: str = ""
    """The address without its areas."""
    doubts: tuple[str, ...] = ()
    """contradiction:…, ambiguous:…, unknown:…: areas that do not hold each other, that share a
    name, that are not known."""


def split_levels(text: str, areas: AreaNames) -> Levels:
    """Return the levels of a delivered address.

    Wider areas than those said are filled in from the code. The parts are as `tidy` spells them.

    Parameters
    ----------
    text : str
        Address; of one longer than 256 characters the first 256 are read.
    areas : AreaNames
        The areas that may be named, and the city's own.

    Examples
    --------
    >>> areas = AreaNames.of({"13": "河北省", "1301": "石家庄市", "130102": "长安区"})
    >>> found = split_levels("石家庄長安區裕华路12号建设小区3号楼2单元501室南门对面", areas)
    >>> found.province, found.city, found.district, found.road, found.plate
    ('河北省', '石家庄市', '长安区', '裕华路', '12号')
    >>> found.block, found.building, found.supplement, found.orientation
    ('建设小区', '3号楼', '2单元501室', '南门对面')
    """
    shown = tidy(text[:LONGEST])
    plain = shown.translate(folded())
    chain = read_chain(plain, areas)
    rest = plain[chain.length :]
    found = _named(chain, areas)
    if rest:
        found |= _in_place(take_apart(rest), shown[chain.length :])
    if chain.said and found.get("poi") and is_institution(rest):
        found["poi"] = chain.said[-1].text + found["poi"]
    return Levels(rest=shown[chain.length :], area_code=chain.code, doubts=_doubts(chain), **found)


def split_many(texts: Iterable[str], areas: AreaNames) -> dict[str, Levels]:
    """Return the levels of each distinct text.

    Examples
    --------
    >>> areas = AreaNames.of({"130102": "长安区"})
    >>> split_many(["长安区裕华路", "长安区裕华路"], areas)["长安区裕华路"].road
    '裕华路'
    """
    return {text: split_levels(text, areas) for text in dict.fromkeys(texts)}


def _named(chain: Chain, areas: AreaNames) -> dict[str, str]:
    """Return the names of the areas: of one code all that hold it, of several what they share."""
    found: dict[str, str] = {}
    codes = sorted(chain.codes)
    for length, level in LEVEL_OF_LENGTH.items():
        names = {_name(code[:length], areas) for code in codes if len(code) >= length}
        if len(names) == 1 and all(len(code) >= length for code in codes):
            found[level] = names.pop()
    if chain.unknown:
        found["district"] = chain.unknown
    return {level: name for level, name in found.items() if name}


def _name(code: str, areas: AreaNames) -> str:
    """Return the name of an area; the city of a municipality bears the municipality's."""
    name = areas.official.get(code, "")
    province = areas.official.get(code[:2], "")
    return province if not name and len(code) == 4 and province.endswith("市") else name


def _doubts(chain: Chain) -> tuple[str, ...]:
    doubts = [f"contradiction:{name}" for name in chain.contradicting]
    if len(chain.codes) > 1:
        doubts.append(f"ambiguous:{chain.said[-1].text}")
    if chain.unknown:
        doubts.append(f"unknown:{chain.unknown}")
    return tuple(doubts)


def _in_place(parts: AddressParts, shown: str) -> dict[str, str]:
    plain = shown.translate(folded())

    def show(said: str) -> str:
        at = plain.find(said)
        return shown[at : at + len(said)] if said and at >= 0 else said

    inside = "".join(show(said) for said in (parts.unit, parts.floor, parts.room))
    said = [inside, show(parts.beyond), show(parts.remark)]
    found = {
        "road": show(parts.road) + "".join(parts.lanes),
        "plate": show(parts.plate),
        "block": show(parts.block),
        "building": show(parts.building) or "",
        "poi": show(parts.poi),
        "orientation": show(parts.orientation),
    }
    if parts.crossing:
        one, two = (show(name) for name in parts.crossing)
        found |= {"road": one, "poi": f"{one}与{two}路口"}
    elif parts.between and parts.kind == "between":
        said.insert(0, show(parts.mark))
    if parts.area:
        found |= _small_area(show(parts.area))
    found["supplement"] = " ".join(word for word in said if word)
    return {level: value for level, value in found.items() if value}


def _small_area(area: str) -> dict[str, str]:
    """Return street or community of an area that is not among the known ones, by its word."""
    if area.endswith(("镇", "乡", "街道")):
        return {"street": area}
    village = _VILLAGE.match(area)
    return {"community": village[0]} if village else {}
