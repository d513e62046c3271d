"""Short names 简称 made by rule: what people call a school, a hospital, an office, a compound.

Weaker than the aliases that a source gives: 二中 may mean several schools. The rules are data
(``short_names.csv`` for institutions, ``name_endings.csv`` for endings that are not said), each with
its reason.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

import pandas as pd

from gis.codes import read_table
from pipelines.context import BuildContext

_BRANCH = re.compile(r"^(.{2,}?)[(（](.+?)[)）]$")
_OFFICE = re.compile(r"^.{0,12}?(?:公安局|分局)(.{2,}派出所)$")
_PROVINCE = re.compile(r"[\u4e00-\u9fff]{2,3}省")
_LEVEL_WORDS = {"省": "省", "市": "市", "区": "区", "县": "县", "镇": "镇", "乡": "乡"}
_LEAST = 2
_SHORTEST_REST = 3
"""What is left without the area must be longer than this to name a place by itself."""
_MOST = 12
"""Most short names of a place; a name that yields more is no name people shorten."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """Names of the areas that institutions are named after."""

    names: tuple[str, ...]
    """Full names, the longest first: 石家庄市, 长安区, 建北街道."""

    beginning: Mapping[str, Sequence[str]] = field(init=False, compare=False, repr=False)
    """The same by their first two characters."""

    def __post_init__(self) -> None:
        table: dict[str, list[str]] = {}
        for name in self.names:
            table.setdefault(name[:_LEAST], []).append(name)
        object.__setattr__(self, "beginning", table)

    @classmethod
    def of(cls, context: BuildContext) -> "Places":
        """Return the names of the city and of its districts and towns."""
        areas = context.rows("areas")
        named = areas.loc[areas["code"].astype(str).str.len() <= 9, "name"].dropna()
        whole = {*named.astype(str), str(context.profile.city.name or "")}
        kept = [name for name in whole if name[-1:] in _LEVEL_WORDS and len(name) > _LEAST]
        return cls(names=tuple(sorted(kept, key=lambda name: (-len(name), name))))


@cache
def _too_plain() -> frozenset[str]:
    """Return what may be left of a name but says no place of its own."""
    return frozenset(row["word"] for row in read_table("pipelines.geocoding", "plain_words.csv"))


@cache
def _rules() -> tuple[tuple[re.Pattern[str], str, bool], ...]:
    rows = read_table("pipelines.geocoding", "short_names.csv")
    return tuple((re.compile(row["pattern"]), row["short"], row["bare"] == "yes") for row in rows)


@cache
def _endings() -> dict[str, tuple[tuple[str, str, int], ...]]:
    """Return kind of place -> endings that are not said: ending, what stands for it, least stem."""
    found: dict[str, list[tuple[str, str, int]]] = {}
    for row in read_table("pipelines.geocoding", "name_endings.csv"):
        for kind in row["kinds"].split():
            found.setdefault(kind, []).append((row["ending"], row["short"], int(row["least"])))
    return {kind: tuple(rules) for kind, rules in found.items()}


@cache
def _tails(kind: str) -> tuple[str, ...]:
    """Return the last characters of names that a rule may shorten: all others are left alone."""
    return tuple(
        {ending[-1] for ending, _, _ in _endings().get(kind, ())} | set("学院园校府所心馆公)）")
    )


def short_names(
    names: "pd.Series[str]", kinds: "pd.Series[str]", *, words: Places
) -> list[list[str]]:
    """Return the short names of each place, in a fixed order; plates and streets have none.

    Examples
    --------
    >>> areas = Places(names=("石家庄市", "河北省", "长安区"))
    >>> names = pd.Series(["石家庄市第二中学", "河北省人民医院", "星巴克(新天地店)", "翠屏小区"])
    >>> kinds = pd.Series(["poi", "poi", "poi", "block"])
    >>> for made in short_names(names, kinds, words=areas):
    ...     print(made)
    ['市第二中学', '第二中学', '市二中', '石家庄二中', '二中']
    ['省人民医院', '省医院']
    ['星巴克', '星巴克新天地店']
    ['翠屏']
    """
    result: list[list[str]] = []
    for name, kind in zip(names, kinds, strict=True):
        if (
            kind in ("plate", "street")
            or not isinstance(name, str)
            or not name.endswith(_tails(kind))
        ):
            result.append([])
        else:
            result.append(list(_shortened(name, kind, words)))
    return result


@lru_cache(maxsize=100_000)
def _shortened(name: str, kind: str, words: Places) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for text in _forms(name, kind, words):
        if len(text) >= _LEAST and text != name and text not in _too_plain():
            found[text] = None
    return tuple(found)[:_MOST]


def _forms(name: str, kind: str, words: Places) -> Iterator[str]:
    branch = _BRANCH.match(name)
    if branch:
        yield branch[1]
        yield branch[1] + branch[2]
    office = _OFFICE.match(name)
    if office:
        yield office[1]
    if kind == "poi":
        yield from _of_institution(name, words)
    yield from _of_ending(name, kind)


def _of_institution(name: str, words: Places) -> Iterator[str]:
    """Yield a name without its city, with the mere level of it, and in the short forms of the rest."""
    heads = words.beginning.get(name[:_LEAST], ())
    head = next((each for each in heads if name.startswith(each)), "")
    if not head and (province := _PROVINCE.match(name)):
        head = province[0]
    if not head:
        yield from (text for text, is_bare in _said(name) if is_bare)
        return
    rest, level = name[len(head) :], _LEVEL_WORDS[head[-1]]
    if len(rest) <= _LEAST:
        return
    stem = head[:-1]
    forms = [(rest, len(rest) > _SHORTEST_REST), *_said(rest)]
    for text, is_bare in forms:
        yield level + text
        if is_bare and text != rest:
            yield stem + text
        if is_bare:
            yield text


def _said(rest: str) -> Iterator[tuple[str, bool]]:
    for pattern, short, is_bare in _rules():
        found = pattern.fullmatch(rest)
        if found:
            yield short.format("", *found.groups()), is_bare


def _of_ending(name: str, kind: str) -> Iterator[str]:
    plain = name.replace("（", "(").replace("）", ")")
    fitting = [rule for rule in _endings().get(kind, ()) if plain.endswith(rule[0])]
    longest = max((len(ending) for ending, _, _ in fitting), default=0)
    for ending, short, least in fitting:  # 翠屏社区 ends with 社区, not with 区
        if len(ending) == longest and len(plain) - longest >= least:
            yield plain[:-longest] + short
