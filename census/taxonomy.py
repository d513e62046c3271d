"""The classes of components 部件 and events 事件 of one generation, with the city's extensions.

Keyed on (kind, code) inside one standard: in GB/T 47678.5-2026 the same five digits mean a component
and the matter "component … 异常". Names and codes come from ``census/codes/*.csv``, where every row
says how sure it is; accuracy class and geometry kind are defaults that a city may overrule.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from gis.codes import read_table
from gis.errors import CodeError
from gis.workspace import ExtensionClass

Kind = Literal["component", "event"]
Evidence = Literal["found", "derived", "recalled", "unknown", "city"]

STANDARDS = ("CJ/T 214-2007", "GB/T 30428.2-2013", "GB/T 47678.5-2026")
"""The generations, oldest first."""
CODE_LENGTHS: Mapping[str, int] = {
    "CJ/T 214-2007": 4,
    "GB/T 30428.2-2013": 4,
    "GB/T 47678.5-2026": 5,
}
"""Digits of a minor class: two of its major class and two, since 2026 three, of its own."""
ACCURACY_M: Mapping[str, float] = {"A": 0.5, "B": 1.0, "C": 10.0}
"""Mean error of the position by accuracy class, m (2007 and later)."""

_ANOMALY = "异常"
_FIRST_LONG_EXTENSION = 80


@dataclass(frozen=True, kw_only=True)
class ClassEntry:
    """One class, major 大类 or minor 小类."""

    standard_ref: str
    kind: Kind
    code: str
    """Two digits for a major class, else four or five."""
    name: str
    major: str
    """Code of its major class; its own for a major class."""
    evidence: Evidence
    """How sure code and name are; ``city``: a local extension 扩展类."""
    accuracy: Literal["A", "B", "C"] = "C"
    """Accuracy class of the position, a default; events have no surveyed position: C."""
    geometry: Literal["point", "line", "polygon", "any"] = "any"
    """Geometry kind, a default; ``any`` where cities differ."""
    aliases: tuple[str, ...] = ()
    """Other spellings met in deliveries."""
    is_doubtful: bool = False
    """Perhaps not a class of this generation."""

    @property
    def accuracy_m(self) -> float:
        """Mean error of the position, m."""
        return ACCURACY_M[self.accuracy]

    @property
    def is_major(self) -> bool:
        """Whether this is a major class, which no single component or case has."""
        return self.code == self.major

    @property
    def is_extension(self) -> bool:
        """Whether the city added it to the standard's table."""
        return self.evidence == "city"


@dataclass(frozen=True)
class Taxonomy:
    """The classes of one generation with the city's extensions; immutable."""

    standard_ref: str
    _entries: Mapping[tuple[str, str], ClassEntry] = field(repr=False)
    _names: Mapping[tuple[str, str], tuple[str, ...]] = field(repr=False)

    @property
    def code_length(self) -> int:
        """Digits of a minor class code."""
        return CODE_LENGTHS[self.standard_ref]

    def get(self, kind: str, code: str) -> ClassEntry | None:
        """Return the class of this code, major or minor, or None."""
        return self._entries.get((kind, code))

    def exists(self, kind: str, code: str) -> bool:
        """Tell whether a component or case may have this code: a minor class that is known."""
        entry = self.get(kind, code)
        return entry is not None and not entry.is_major

    def find(self, kind: str, name: str) -> ClassEntry | None:
        """Return the minor class of this name or known spelling; None when none or several fit."""
        codes = self._names.get((kind, plain_name(name)), ())
        return self._entries[kind, codes[0]] if len(codes) == 1 else None

    def all(self, kind: str) -> tuple[ClassEntry, ...]:
        """Return the minor classes of a kind, by code."""
        return tuple(e for (k, _), e in self._entries.items() if k == kind and not e.is_major)

    def majors(self, kind: str) -> tuple[ClassEntry, ...]:
        """Return the major classes of a kind, by code."""
        return tuple(e for (k, _), e in self._entries.items() if k == kind and e.is_major)

    def restore(self, code: str) -> str:
        """Return the code with the leading zeros a spreadsheet took, or unchanged if that is not it.

        Only a number one digit short is padded, and only to a code that exists in either kind.

        Examples
        --------
        >>> read_taxonomy("GB/T 30428.2-2013").restore("104")
        '0104'
        >>> read_taxonomy("GB/T 30428.2-2013").restore("999")
        '999'
        """
        text = code.removesuffix(".0")
        padded = text.zfill(self.code_length)
        known = self.exists("component", padded) or self.exists("event", padded)
        return padded if text.isascii() and text.isdigit() and known else code


def read_taxonomy(standard_ref: str, extensions: Sequence[ExtensionClass] = ()) -> Taxonomy:
    """Return the classes of a generation with the city's extension classes 扩展类.

    Parameters
    ----------
    standard_ref : str
        One of `STANDARDS`.
    extensions : sequence of ExtensionClass
        ``[[extension_class]]`` of the city profile.

    Raises
    ------
    CodeError
        The standard is unknown, or an extension has the wrong length or takes a code in use.

    Examples
    --------
    >>> taxonomy = read_taxonomy("GB/T 30428.2-2013")
    >>> taxonomy.get("component", "0104").name
    '雨水箅子'
    >>> taxonomy.get("component", "0104").accuracy_m
    0.5
    >>> len(read_taxonomy("GB/T 47678.5-2026").all("event"))
    250
    """
    if standard_ref not in STANDARDS:
        msg = f"Unknown standard {standard_ref!r}; use one of {', '.join(STANDARDS)}."
        raise CodeError(msg, zh=f"未知的标准 {standard_ref}，可用的有 {'、'.join(STANDARDS)}。")
    entries: dict[tuple[str, str], ClassEntry] = {
        (e.kind, e.code): e for e in _standard_entries(standard_ref)
    }
    for extension in extensions:
        entry = _extension_entry(standard_ref, extension, entries)
        entries[entry.kind, entry.code] = entry
    ordered = dict(sorted(entries.items()))
    return Taxonomy(standard_ref, ordered, _name_index(ordered.values()))


def doubtful_extensions(taxonomy: Taxonomy) -> dict[str, str]:
    """Return extension codes that do not follow the numbering, with what is odd about each.

    Extensions count down: from 99 in two digits, above the standard's last; from 999 to 080 in three.
    Cities do not always obey, so this is a remark and never a refusal.

    Examples
    --------
    >>> low = ExtensionClass(kind="component", code="01078", name="爱心驿站")
    >>> list(doubtful_extensions(read_taxonomy("GB/T 47678.5-2026", [low])))
    ['01078']
    """
    remarks: dict[str, str] = {}
    retired = {
        (row["kind"], row["code"])
        for row in read_table("census.codes", "retired_codes.csv")
        if row["standard_ref"] == taxonomy.standard_ref
    }
    for kind in ("component", "event"):
        for entry in taxonomy.all(kind):
            if not entry.is_extension:
                continue
            number, lowest = int(entry.code[2:]), _lowest_extension(taxonomy, entry)
            if taxonomy.get(kind, entry.major) is None:
                remarks[entry.code] = f"lies in no major class: {entry.major} is not one"
            elif (kind, entry.code) in retired:
                remarks[entry.code] = "is a retired code, which is never given out again"
            elif number < lowest:
                remarks[entry.code] = (
                    f"extensions of class {entry.major} start at {lowest} and above"
                )
    return remarks


def plain_name(name: str) -> str:
    """Return a class name without blanks and with half-width brackets made full-width.

    Examples
    --------
    >>> plain_name(" 变压器(箱) ")
    '变压器（箱）'
    """
    return "".join(name.split()).replace("(", "（").replace(")", "）")


@cache
def _standard_entries(standard_ref: str) -> tuple[ClassEntry, ...]:
    components = [
        ClassEntry(
            standard_ref=standard_ref,
            kind="component",
            code=row["code"],
            name=row["name"],
            major=row["parent"] or row["code"],
            evidence=row["evidence"],  # type: ignore[arg-type]
            accuracy=row["accuracy"] or "C",  # type: ignore[arg-type]
            geometry=row["geometry"] or "any",  # type: ignore[arg-type]
            aliases=_split(row["aliases"]),
            is_doubtful=row["doubtful"] == "yes",
        )
        for row in read_table("census.codes", "component_classes.csv")
        if row["standard_ref"] == standard_ref
    ]
    events = [
        ClassEntry(
            standard_ref=standard_ref,
            kind="event",
            code=row["code"],
            name=row["name"],
            major=row["parent"] or row["code"],
            evidence=row["evidence"],  # type: ignore[arg-type]
            aliases=_split(row["aliases"]),
            is_doubtful=row["doubtful"] == "yes",
        )
        for row in read_table("census.codes", "event_classes.csv")
        if row["standard_ref"] == standard_ref
    ]
    if standard_ref == "GB/T 47678.5-2026":
        events += [_anomaly(entry) for entry in components if not entry.is_major]
    return (*components, *events)


def _anomaly(component: ClassEntry) -> ClassEntry:
    """Return the matter 事项 that the 2026 standard has for each component."""
    return ClassEntry(
        standard_ref=component.standard_ref,
        kind="event",
        code=component.code,
        name=component.name + _ANOMALY,
        major=component.major,
        evidence=component.evidence,
        aliases=tuple(alias + _ANOMALY for alias in component.aliases),
    )


def _extension_entry(
    standard_ref: str,
    extension: ExtensionClass,
    entries: Mapping[tuple[str, str], ClassEntry],
) -> ClassEntry:
    length = CODE_LENGTHS[standard_ref]
    label = f"Extension class {extension.code} {extension.name}"
    if len(extension.code) != length:
        msg = f"{label} needs {length} digits under {standard_ref}; correct it in wanmi.toml."
        raise CodeError(
            msg,
            zh=f"扩展类 {extension.code} 在 {standard_ref} 下应为 {length} 位，请修改城市配置。",
        )
    taken = entries.get((extension.kind, extension.code))
    if taken is not None:
        msg = f"{label} takes the code of {taken.name}; choose an unused number in wanmi.toml."
        raise CodeError(
            msg, zh=f"扩展类 {extension.code} 与 {taken.name} 的代码重复，请改用未使用的编号。"
        )
    return ClassEntry(
        standard_ref=standard_ref,
        kind=extension.kind,
        code=extension.code,
        name=extension.name,
        major=extension.code[:2],
        evidence="city",
        accuracy=extension.accuracy,
        geometry=extension.geometry,
    )


def _lowest_extension(taxonomy: Taxonomy, entry: ClassEntry) -> int:
    if taxonomy.code_length > len("0000"):
        return _FIRST_LONG_EXTENSION
    standard = (
        int(other.code[2:])
        for other in taxonomy.all(entry.kind)
        if other.major == entry.major and not other.is_extension and other.code[2:] != "99"
    )
    return max(standard, default=0) + 1


def _name_index(entries: Iterable[ClassEntry]) -> dict[tuple[str, str], tuple[str, ...]]:
    index: dict[tuple[str, str], tuple[str, ...]] = {}
    own: set[tuple[str, str]] = set()
    minors = [entry for entry in entries if not entry.is_major]
    for entry in minors:
        key = (entry.kind, plain_name(entry.name))
        own.add(key)
        index[key] = (*index.get(key, ()), entry.code)
    for entry in minors:
        for alias in entry.aliases:
            key = (entry.kind, plain_name(alias))
            if key not in own:  # a class's own name wins over another's spelling
                index[key] = (*index.get(key, ()), entry.code)
    return index


def _split(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(";") if part)
