"""The areas an address names at its beginning 行政区划: province, city, district, street, community."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from gis.addresses.beginnings import Beginnings
from gis.addresses.spelling import normalise

LEVEL_OF_LENGTH = {2: "province", 4: "city", 6: "district", 9: "street", 12: "community"}
"""Length of an area code -> level (GB/T 2260, GB/T 10114)."""
_PEOPLES = (
    r"(?:(?:维吾尔|哈萨克|柯尔克孜|塔吉克|蒙古|回|藏|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|傣|黎|傈僳|佤"
    r"|畲|拉祜|水|东乡|纳西|景颇|土|达斡尔|仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|阿昌|普米|怒|保安|裕固|独龙|鄂伦春|各)族?)"
)
_SUFFIX = re.compile(
    rf"(?:维吾尔|{_PEOPLES}+)?(?:自治区|自治州|自治县|自治旗|特别行政区)$"
    r"|(?:地区|林区|新区|省|市|盟|区|县|旗)$"
)
_COUNTY = re.compile(rf"(?<=.)(?:{_PEOPLES}+)自治(?P<kind>[县旗])$")
_NOT_NAMES = frozenset(("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划", "办事处"))
_IGNORED = re.compile(
    r"中国(?![^省市区县]{0,4}(?:银行|移动|电信|联通|石化|石油|人民|人寿|邮政))|市辖区|自治区直辖县级行政区划|省直辖县级行政区划"
)
_NEIGHBOURHOOD = re.compile(r"\d{1,3}邻")
# Before these an area's name is a part of another name: 河北路, 山西南路.
_ROAD_GOES_ON = re.compile(
    r"[东西南北中前后]?[一二三四五六七八九十\d]{0,3}"
    r"(?:路|街(?!道)|大街|大道|公路|道|巷|里弄|弄|胡同|桥|环|线|高速)"
)
# 花园社区服务站, 北京大学; and 长安 of 长安县, an area that is not known.
_GOES_ON = re.compile(
    r"[省市区县旗盟州镇乡]|服务|卫生|居委|居民|村委|派出|办事|医院|小学|中学|大学|学院|幼儿|地铁|车站|站|政府|人民|文化"
    r"|党群|公园|广场|大厦|饭店|酒店|宾馆|银行|商场|超市|法院|检察|公安|花园|庄园|师范|科技|国际|第[一二三四五六七八九十]"
)
_INSTITUTION = re.compile(
    r"第[一二三四五六七八九十]{1,3}|人民(?:医院|政府|法院|检察院|公园)|中心医院|中医院?|妇幼|图书馆|博物馆|政府|公安局|实验|体育"
    r"|少年宫|文化宫|法院|检察院"
)
_UNKNOWN = re.compile(
    r"[^\d路街镇乡村()/]{2,7}?(?:开发区|高新区|新区|度假区|(?<![小社园校景库厂院辖])[区县])(?=[^\d].)"
)
_OF_A_ROAD = re.compile(
    r"[^\d路街道]{1,6}(?:镇|乡|村|社区)|[^\d路街道]{2,7}(?:路|街|大道|道|巷|弄)(?:\d|[^\d]{0,6}$)"
)
_OFFICE = "办事处"
_MOST_AREAS = 12
_CITY, _DISTRICT = 4, 6


class Said(NamedTuple):
    """One area as an address says it."""

    text: str
    codes: frozenset[str]
    """Codes of all areas of that name."""
    is_whole: bool
    """Said with its 省, 市, 区 …"""


@dataclass(frozen=True)
class Chain:
    """What the areas at the beginning of an address come to."""

    code: str = ""
    """Code of the smallest area; empty where none is named or several bear the name."""
    codes: frozenset[str] = frozenset()
    """All that the names allow."""
    said: tuple[Said, ...] = ()
    contradicting: tuple[str, ...] = ()
    """Areas named that do not hold the others."""
    unknown: str = ""
    """A district that is not among the known ones: a stale name, a development zone."""
    length: int = 0
    """Characters of the address that they take."""


@dataclass(frozen=True)
class AreaNames:
    """The names of areas, ready to be found at the beginning of an address."""

    official: Mapping[str, str]
    """Code -> name as it is shown."""
    whole: Mapping[str, frozenset[str]]
    """Normalised name with its 省, 市, 区 … -> codes."""
    short: Mapping[str, frozenset[str]]
    """Normalised name without."""
    stale: Mapping[str, frozenset[str]]
    """Normalised name with another ending, as it may have been before: 祁阳县 of 祁阳市."""

    @cached_property
    def beginnings(self) -> Beginnings:
        """All of these names by how they begin."""
        return Beginnings.of((*self.whole, *self.short, *self.stale))

    @classmethod
    def of(cls, names: Mapping[str, str | Sequence[str]]) -> "AreaNames":
        """Return the names of areas by code; of several names the first is shown.

        Codes nest: 13, 1301, 130102, 130102001, 130102001002; 130000 and 130100 are understood.

        Examples
        --------
        >>> areas = AreaNames.of({"13": "河北省", "1301": "石家庄市", "130102": ("长安区", "老长安")})
        >>> areas.official["130102"], sorted(areas.short)
        ('长安区', ['河北', '石家庄', '长安'])
        """
        official: dict[str, str] = {}
        whole: dict[str, set[str]] = {}
        short: dict[str, set[str]] = {}
        stale: dict[str, set[str]] = {}
        codes = {_code(code) for code in names}
        for given, told in names.items():
            code = _code(given)
            spellings = (told,) if isinstance(told, str) else tuple(told)
            if not spellings or spellings[0] in _NOT_NAMES:
                continue
            official[code] = spellings[0]
            for spelling in spellings:
                plain = normalise(spelling)
                whole.setdefault(plain, set()).add(code)
                county = _COUNTY.search(plain)
                if county:
                    whole.setdefault(plain[: county.start()] + county["kind"], set()).add(code)
                for other in _short_of(plain, code, codes):
                    short.setdefault(other, set()).add(code)
                    if len(code) == _DISTRICT:
                        for ending in "区县市":
                            stale.setdefault(other + ending, set()).add(code)
        return cls(official, _frozen(whole), _frozen(short), _frozen(stale))

    def parents(self, code: str) -> list[str]:
        """Return the codes of an area and of those that hold it, the widest first."""
        return [
            code[:end]
            for end in LEVEL_OF_LENGTH
            if end <= len(code) and code[:end] in self.official
        ]


def read_chain(text: str, areas: AreaNames) -> Chain:
    """Read the areas at the beginning of a text that `normalise` has spelt.

    An area that others contradict is told: the chain is the largest set of areas that hold each
    other, of two equally large the one named first.

    Examples
    --------
    >>> areas = AreaNames.of({"13": "河北省", "1301": "石家庄市", "130102": "长安区", "37": "山东省"})
    >>> chain = read_chain("河北石家庄长安区河北路12号", areas)
    >>> chain.code, "河北石家庄长安区河北路12号"[chain.length :]
    ('130102', '河北路12号')
    >>> read_chain("山东省石家庄市长安区", areas).contradicting
    ('山东省',)
    >>> read_chain("河北路12号", areas).length
    0
    """
    said: list[Said] = []
    at = 0
    while len(said) < _MOST_AREAS:
        ignored = _IGNORED.match(text, at) or (_NEIGHBOURHOOD.match(text, at) if said else None)
        if ignored:
            at = ignored.end()
            continue
        found = _at(text, at, areas, said)
        if found is None:
            break
        said.append(found)
        at += len(found.text)
    if not said:
        return Chain(length=at)
    chain = _agree(said, at)
    unknown = _UNKNOWN.match(text, at)
    if unknown and all(len(code) <= _CITY for code in chain.codes):
        return replace(chain, unknown=unknown[0], length=unknown.end())
    return chain


def is_institution(text: str) -> bool:
    """Tell whether a text names an institution that bears the name of the area before it.

    Examples
    --------
    >>> is_institution("第二中学"), is_institution("裕华路12号")
    (True, False)
    """
    return _INSTITUTION.match(text) is not None


def _at(text: str, at: int, areas: AreaNames, said: Sequence[Said]) -> Said | None:
    for name in areas.beginnings.at(text, at):
        end = at + len(name)
        codes = areas.whole.get(name)
        if codes and _is_whole(text, end, codes, said):
            office = text.startswith(_OFFICE, end) and len(text) > end + len(_OFFICE)
            return Said(name + _OFFICE * office, codes, True)
        codes = areas.stale.get(name)
        if codes and said and _nests(said[-1].codes, codes):
            return Said(name, codes, True)
        codes = areas.short.get(name)
        if codes and _is_short(text, end, areas, codes, said):
            return Said(name, codes, False)
    return None


def _is_whole(text: str, end: int, codes: frozenset[str], said: Sequence[Said]) -> bool:
    if _ROAD_GOES_ON.match(text, end):
        return False
    if any(len(code) <= _DISTRICT for code in codes):
        return True
    # Streets and communities share their names with much else: they count inside what was named.
    if said and not any(_nests(area.codes, codes) for area in said):
        return False
    office = text.startswith(_OFFICE, end) and len(text) > end + len(_OFFICE)
    return office or not _GOES_ON.match(text, end)


def _nests(known: frozenset[str], codes: frozenset[str]) -> bool:
    return any(_holds(one, other) for one in known for other in codes)


def _is_short(
    text: str, end: int, areas: AreaNames, codes: frozenset[str], said: Sequence[Said]
) -> bool:
    """Tell whether a name without its 省, 市, 区 stands for the area: only where areas go on.

    A province or city may also stand before a road of its own name, or alone.
    """
    if _GOES_ON.match(text, end) or _ROAD_GOES_ON.match(text, end):
        return False
    known = said[-1].codes if said else None
    if known is not None and not _nests(known, codes):
        return False
    if end == len(text):
        return True
    if _leads_on(text, end, areas, codes):
        return True
    wide = any(len(code) <= _CITY for code in codes)
    return (wide or known is not None) and _OF_A_ROAD.match(text, end) is not None


def _leads_on(text: str, at: int, areas: AreaNames, codes: Iterable[str]) -> bool:
    for name in areas.beginnings.at(text, at):
        end = at + len(name)
        inner = areas.whole.get(name, frozenset()) | areas.short.get(name, frozenset())
        if inner and not _ROAD_GOES_ON.match(text, end):
            return any(_holds(code, other) for code in codes for other in inner)
    return False


def _holds(outer: str, inner: str) -> bool:
    return inner.startswith(outer) or outer.startswith(inner)


def _agree(said: list[Said], length: int) -> Chain:
    """Return the chain with the most areas in it; its smallest area is the answer."""
    said = _sharpened(said)
    anchors = sorted({code for area in said for code in area.codes})
    count = {
        anchor: sum(any(anchor.startswith(code) for code in area.codes) for area in said)
        for anchor in anchors
    }
    most = max(count.values())
    # Of equal chains the one that the first area is in.
    first = {
        anchor: next(
            i for i, area in enumerate(said) if any(anchor.startswith(c) for c in area.codes)
        )
        for anchor in anchors
        if count[anchor] == most
    }
    best = min(first.values())
    chosen = [anchor for anchor in first if first[anchor] == best]
    smallest = [a for a in chosen if not any(b != a and a.startswith(b) for b in chosen)]
    contradicting = tuple(
        area.text
        for area in said
        if not any(_holds(code, anchor) for code in area.codes for anchor in smallest)
    )
    return Chain(
        code=smallest[0] if len(smallest) == 1 else "",
        codes=frozenset(smallest),
        said=tuple(said),
        contradicting=contradicting,
        length=length,
    )


def _sharpened(said: Sequence[Said]) -> list[Said]:
    """吉林 alone is the province; 吉林 after 吉林省 is the city."""
    result: list[Said] = []
    known: frozenset[str] = frozenset()
    for area in said:
        other = frozenset(code for code in area.codes - known if len(code) <= _CITY)
        result.append(area._replace(codes=other) if other and known & area.codes else area)
        known |= area.codes if len(area.codes) == 1 else frozenset()
    return result


def _code(code: str) -> str:
    """Return a code without the noughts that fill it: 130100 is 1301."""
    if len(code) == 6:
        return code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code
    return code


def _short_of(name: str, code: str, codes: set[str]) -> set[str]:
    if len(code) > 9:
        return set()
    if len(code) == 9:
        # Where a city has no districts its streets are spoken of as such: 莞城区.
        base = name.removesuffix("街道")
        return {base + "区", base} if code[:6] not in codes and base != name else set()
    found = set()
    suffix = _SUFFIX.search(name)
    if suffix and suffix.start() >= 2:
        found.add(name[: suffix.start()])
    return found


def _frozen(names: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {name: frozenset(codes) for name, codes in names.items()}
