"""What the cells of a plan name: classes, areas and units, by code, by name, several in one cell."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from census.matching import UnitNames
from census.plan.rows import ANYWHERE
from census.taxonomy import STANDARDS, Taxonomy, plain_name, read_taxonomy
from census.units import UnitDirectory
from gis.remarks import Remark
from pipelines.responsibility.excepted import But, is_within, read_but, rest_of
from pipelines.responsibility.ranges import read_range

_SEPARATORS = re.compile(r"([;；,，、\n|]|(?<=\D)[/](?=\D))")
_EVERY_CLASS = frozenset({"*", "全部", "所有", "不限", "全部小类", "所有小类", "全部类别"})
_EVERYWHERE = frozenset({"*", "全市", "全区", "全部", "所有", "不限", "全域", "全辖区", "辖区内"})
_TERRITORIAL = frozenset(
    f"{front}{tail}"
    for front in ("属地", "各", "所在")
    for tail in ("街道", "街道办", "街道办事处", "镇街", "单位")
) | {"属地"}
_AREA_TAILS = ("街道办事处", "街道办", "办事处", "居民委员会", "居委会", "村委会", "村民委员会")
_MOST_LIKE = 2
_NOTHING = frozenset({"/", "-", "—", "——", "无", "空"})


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a cell was found to name."""

    codes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """Parts that name nothing."""
    restored: tuple[tuple[str, str], ...] = ()
    """Codes as written that lost zeros, with what they were read as."""
    broken: tuple[tuple[str, Remark], ...] = ()
    """Ranges of classes, and areas but for parts of them, that can not be read, with the reason."""


def split(text: str, *, knows: Callable[[str], bool]) -> list[str]:
    """Split a cell that names several things; what is known as a whole is not split.

    Names may hold the signs that lists are written with: the longest run of parts that is known is
    one name.

    Examples
    --------
    >>> split("边坡、挡土墙、台阶", knows={"边坡、挡土墙", "台阶"}.__contains__)
    ['边坡、挡土墙', '台阶']
    >>> split("甲、丙", knows={"甲"}.__contains__)
    ['甲', '丙']
    """
    pieces = _SEPARATORS.split(text)
    result = []
    at = 0
    while at < len(pieces):
        ends = (
            range(len(pieces), at, -2) if (len(pieces) - at) % 2 else range(len(pieces) - 1, at, -2)
        )
        end = next((end for end in ends if knows("".join(pieces[at:end]).strip())), at + 1)
        name = "".join(pieces[at:end]).strip()
        if name:
            result.append(name)
        at = end + 1
    return result


def is_nothing(text: str | None) -> bool:
    """Tell whether a cell says that there is nothing: blank, a dash, 无."""
    return text is None or text.strip() in _NOTHING or not text.strip()


class Classes:
    """The classes of a city, for both kinds, by code and by name.

    Examples
    --------
    >>> classes = Classes(read_taxonomy("GB/T 30428.2-2013"))
    >>> classes.find("component", "上水井盖、0104").codes
    ('0101', '0104')
    >>> classes.find("component", "公用设施类/雨水箅子").codes, classes.find("event", "01").codes
    (('0104',), ('01',))
    >>> classes.find("component", "104").restored, classes.find("component", "9999").unknown
    ((('104', '0104'),), ('9999',))
    >>> classes.find("component", "0101～0103、0122至0124").codes, classes.find("event", "01--02、0301").codes
    (('0101', '0102', '0103', '0122', '0123', '0124'), ('01', '02', '0301'))
    """

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self._majors = {
            kind: {
                name: entry.code
                for entry in taxonomy.majors(kind)
                for name in (
                    entry.code,
                    plain_name(entry.name),
                    plain_name(entry.name).removesuffix("类"),
                )
            }
            for kind in ("component", "event")
        }

    def one(self, kind: str, text: str) -> str | None:
        """Return the class of one code or name, minor or major, or None."""
        plain = "".join(unicodedata.normalize("NFKC", text).split())
        if plain in _EVERY_CLASS:
            return ANYWHERE
        if self.taxonomy.exists(kind, plain):
            return plain
        major = self._major(kind, plain)
        if major is not None:
            return major
        entry = self.taxonomy.find(kind, text.strip())
        if entry is not None:
            return entry.code
        head, mark, tail = text.strip().partition("/")
        if mark and self._major(kind, head) and tail.strip():
            return self.one(kind, tail)
        return None

    def _major(self, kind: str, text: str) -> str | None:
        plain = plain_name(text)
        known = self._majors.get(kind, {})
        return known.get(plain) or known.get(plain.removesuffix("类"))

    def find(self, kind: str, text: str, *, is_beside_major: bool = False) -> Found:
        """Return the classes that a cell names; the row may name its major class in another one."""
        codes: list[str] = []
        unknown, restored, broken = [], [], []
        for part in split(text, knows=lambda each: self.one(kind, each) is not None):
            code = self.one(kind, part)
            if code is not None:
                codes.append(code)
                continue
            plain = "".join(unicodedata.normalize("NFKC", part).split())
            padded = self.taxonomy.restore(plain)
            between = read_range(
                part, kind=kind, taxonomy=self.taxonomy, is_beside_major=is_beside_major
            )
            if padded != plain and self.taxonomy.exists(kind, padded):
                restored.append((plain, padded))
                codes.append(padded)
            elif between is not None and between.codes:
                codes += between.codes
                restored += [(plain, between.restored)] if between.restored else []
            elif between is not None and self.other_generation(kind, part) is None:
                broken.append((part, between.why))
            else:
                unknown.append(part)
        return Found(
            codes=tuple(dict.fromkeys(codes)),
            unknown=tuple(unknown),
            restored=tuple(restored),
            broken=tuple(broken),
        )

    def other_generation(self, kind: str, text: str) -> str | None:
        """Return the generation that has a class which this one lacks, the newest first; None: none."""
        for standard in reversed(STANDARDS):
            if standard != self.taxonomy.standard_ref:
                other = Classes(read_taxonomy(standard))
                between = read_range(text, kind=kind, taxonomy=other.taxonomy, is_beside_major=True)
                if other.one(kind, text) is not None or (between is not None and between.codes):
                    return standard
        return None


@dataclass(frozen=True, kw_only=True)
class AreaNames:
    """Everything that a row may name as its area."""

    names: Mapping[str, tuple[str, ...]] = field(repr=False)
    """Plain name -> codes."""
    codes: frozenset[str] = field(repr=False)
    parents: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Community -> street, street -> district."""
    ended: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Code or plain name of an area that ended -> the day."""
    children: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """District -> streets, street -> communities, `ANYWHERE` -> what lies in nothing else."""

    def one(self, text: str, *, within: str | None = None) -> str | None:
        """Return the area of one code or name; of several with the name, the one in `within`."""
        plain = plain_area(text)
        if plain in _EVERYWHERE:
            return within or ANYWHERE
        if plain in self.codes:
            return plain
        found = self._named(plain)
        if within is not None:
            inside = [code for code in found if self._is_in(code, within)]
            found = tuple(inside) or found
        if len(found) == 1:
            return found[0]
        return self._path(text) if not found else None

    def _named(self, plain: str) -> tuple[str, ...]:
        for tail in ("", *_AREA_TAILS):
            if tail and not plain.endswith(tail):
                continue
            stem = plain.removesuffix(tail)
            for name in (stem, f"{stem}街道", f"{stem}社区", f"{stem}村") if tail else (stem,):
                if name in self.names:
                    return self.names[name]
        return ()

    def _path(self, text: str) -> str | None:
        """Read 中山路街道/建设社区, or the two written as one."""
        head, mark, tail = text.partition("/")
        if mark:
            outer = self.one(head)
            return None if outer is None else self.one(tail, within=outer)
        plain = plain_area(text)
        for end in range(len(plain) - 1, 1, -1):
            outers = self.names.get(plain[:end], ())
            if len(outers) == 1:
                inside = [c for c in self._named(plain[end:]) if self._is_in(c, outers[0])]
                if len(inside) == 1:
                    return inside[0]
        return None

    def _is_in(self, code: str, outer: str) -> bool:
        at: str | None = code
        while at is not None:
            if at == outer:
                return True
            at = self.parents.get(at)
        return False

    def find(self, text: str, *, within: str | None = None) -> Found:
        """Return the areas that a cell names; of one without parts of it, those that make up the rest."""
        codes: list[str] = []
        unknown, broken = [], []
        for part in split(
            text,
            knows=lambda each: (
                self.one(each, within=within) is not None or read_but(plain_area(each)) is not None
            ),
        ):
            code = self.one(part, within=within)
            but = read_but(plain_area(part)) if code is None else None
            if code is not None:
                codes.append(code)
            elif but is None:
                unknown.append(part)
            else:
                rest, wrong = self._rest(but, within)
                codes += rest
                broken += [(part, Remark(en=wrong, zh=wrong))] if wrong else []
        return Found(
            codes=tuple(dict.fromkeys(codes)), unknown=tuple(unknown), broken=tuple(broken)
        )

    def _rest(self, but: But, within: str | None) -> tuple[tuple[str, ...], str]:
        """Return the areas left, or the part that can not be left out."""
        whole = self.one(but.whole, within=within) if but.whole else within or ANYWHERE
        if whole is None:
            return (), but.whole
        found = self.find(but.parts, within=within)
        wrong = [*found.unknown, *(part for part, _ in found.broken)]
        if not all(is_within(code, whole, children=self.children) for code in found.codes):
            wrong.append(but.parts)
        rest = () if wrong else rest_of(whole, found.codes, children=self.children)
        return rest, "" if rest else (wrong or [but.parts])[0]

    def when_ended(self, text: str) -> str | None:
        """Return the day on which the area of this code or name ended, if it did."""
        return self.ended.get(plain_area(text))


def plain_area(text: str) -> str:
    """Return the name of an area without blanks and full-width signs.

    Examples
    --------
    >>> plain_area(" 中山路 街道（东）")
    '中山路街道(东)'
    """
    return "".join(unicodedata.normalize("NFKC", text).split())


def name_areas(
    rows: Iterable[tuple[str, str | None, str | None]],
    *,
    ended: Mapping[str, str] | None = None,
    divided: Collection[str] = (),
) -> AreaNames:
    """Return the areas of code, name and parent, for looking up.

    `divided` are districts, streets and communities, which together make up the areas above them.

    Examples
    --------
    >>> areas = name_areas([("130102", "长安区", None), ("130102001", "中山路街道", "130102"),
    ...     ("130102001001", "建设社区", "130102001"), ("130102002001", "建设社区", "130102002"),
    ...     ("130102002", "建设街道", "130102")])
    >>> areas.find("中山路街道、建设街道办事处").codes
    ('130102001', '130102002')
    >>> areas.find("建设社区").unknown, areas.find("中山路街道/建设社区").codes
    (('建设社区',), ('130102001001',))
    >>> areas.find("中山路街道建设社区").codes, areas.find("全区").codes
    (('130102001001',), ('*',))
    >>> areas = name_areas([("1", "甲区", None), ("11", "乙街道", "1"), ("12", "丙街道", "1")],
    ...     divided=("1", "11", "12"))
    >>> areas.find("全区（除乙街道外）").codes, areas.find("甲区除丁街道以外").broken[0][1].en
    (('12',), '丁街道')
    """
    names: dict[str, list[str]] = {}
    codes, parents = set(), {}
    children: dict[str, list[str]] = {}
    for code, name, parent in rows:
        codes.add(code)
        if isinstance(name, str):
            names.setdefault(plain_area(name), []).append(code)
        if isinstance(parent, str):
            parents[code] = parent
    for code in divided:
        above = parents.get(code)
        children.setdefault(above if above in divided and above else ANYWHERE, []).append(code)
    return AreaNames(
        names={name: tuple(sorted(set(held))) for name, held in names.items()},
        codes=frozenset(codes),
        parents=parents,
        ended=dict(ended or {}),
        children={code: tuple(sorted(held)) for code, held in children.items()},
    )


@dataclass(frozen=True, kw_only=True)
class Units:
    """The unit directory."""

    directory: UnitDirectory
    ended: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Code or name of a unit that left the directory -> the day."""

    def find(self, text: str) -> Found:
        """Return the units that a cell names by code, name or alias; several of one name are unknown."""
        codes, unknown = [], []
        for part in split(text, knows=lambda each: self._one(each) is not None):
            code = self._one(part)
            if code is None:
                unknown.append(part)
            else:
                codes.append(code)
        return Found(codes=tuple(dict.fromkeys(codes)), unknown=tuple(unknown))

    def _one(self, text: str) -> str | None:
        match = self.directory.find(text, text)
        return match.code if match.how in ("code", "name") else None

    def like(self, text: str) -> str:
        """Return the units whose names are most like one that is not known, or nothing."""
        found = self._search.candidates(text, limit=_MOST_LIKE)
        return "、".join(f"{unit.name} {unit.unit_code}" for unit in found)

    @cached_property
    def _search(self) -> UnitNames:
        return UnitNames(self.directory)

    def is_ambiguous(self, text: str) -> bool:
        """Tell whether several units bear this name."""
        return self.directory.find(None, text).how == "ambiguous"


def means_territory(text: str | None) -> bool:
    """Tell whether a cell means each area's own territorial unit, as 属地街道办事处 does.

    Examples
    --------
    >>> means_territory("属地 街道办事处"), means_territory("建北街道办事处")
    (True, False)
    """
    return text is not None and "".join(text.split()) in _TERRITORIAL
