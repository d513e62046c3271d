"""Places named alike: the same name, the same sound, nearly the same, another's alias or former name.

Names are compared within one district and one group of categories: streets with streets, communities
with communities, estates with estates and buildings. The rule is that of the regulations on place
names (地名管理条例): no two of them should have the same name, nor sound the same.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis.codes import read_table
from gis.faults import Faults
from gis.names.generics import split_generic
from gis.names.readings import syllables_of
from pipelines.place_names.categories import group_of

DISTRICT_DIGITS = 6
_MOST = 50
"""Places of one key beyond which pairs are not all told: each is told of its nearest."""
_SYSTEM = re.compile(r"[东西南北中前后左右内外上下大小新老甲乙丙丁一二三四五六七八九十百\d]")
"""Signs by which streets are told apart on purpose: 建设北大街 and 建设南大街, 一巷 and 二巷."""
_SHORT, _LONG = 2, 3
_CONFUSED = (
    ("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("eng", "en"), ("ing", "in"),
    ("l", "n"), ("hu", "fu"),
)  # fmt: skip
"""Sounds that many speakers do not part, each pair written as the second."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """Places to compare, as columns of one length."""

    code: NDArray[np.object_]
    name: NDArray[np.object_]
    scope: NDArray[np.object_]
    """District and group of category; places of other scopes are never alike; "" is compared with none."""
    sound: NDArray[np.object_]
    """Syllables, tones aside."""
    others: NDArray[np.object_]
    """Aliases and former names: lists of (name, what it is)."""
    shape: NDArray[np.object_]


@dataclass(frozen=True, order=True, kw_only=True)
class Pair:
    """Two places named alike; `row` is the later, `other` the earlier of them."""

    row: int
    rule: str
    other: int
    said: str
    """The sound, or what the name is of the other."""


def compare(frame: gpd.GeoDataFrame, *, province: str) -> tuple[Names, list[Pair]]:
    """Return the places and the pairs of them that are named alike, each pair once, by its gravest rule.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        ``code``, ``name``, ``category_code``, ``area_code``, ``aliases``, ``former_names``, geometry in
        metres; the rows of the delivery after those that are live beside it.
    province : str
        For readings that differ by province.
    """
    names = _names_of(frame, province)
    found: dict[tuple[int, int], tuple[str, str]] = {}
    for rule, row, other, said in (
        *_keyed("PN10", _keys(names, names.name), names),
        *_others(names),
        *_keyed("PN11", _keys(names, names.sound), names),
        *_keyed("PN12", _keys(names, _blurred(names.sound)), names),
        *_one_sign_apart(names),
    ):
        found.setdefault((max(row, other), min(row, other)), (rule, said))
    pairs = [
        Pair(row=row, rule=rule, other=other, said=said)
        for (row, other), (rule, said) in found.items()
    ]
    return names, sorted(pairs)


def judge_alike(
    frame: gpd.GeoDataFrame, beside: pd.DataFrame, faults: Faults, *, province: str
) -> None:
    """Report places named alike (PN10 to PN14), on the later row of each pair.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Rows to load, indexed as those of `faults`.
    beside : pandas.DataFrame
        Live places that stay beside them.
    faults : Faults
        Gets the warnings, with the other place and the distance.
    province : str
        First two digits of the area codes.
    """
    columns = [
        "code", "name", "category_code", "area_code", "aliases", "former_names", "geometry",
    ]  # fmt: skip
    stay = beside[~beside["code"].isin(frame["code"])] if len(beside) else beside
    parts = [part[columns] for part in (stay, frame) if len(part)]
    if not parts:
        return
    both = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry")
    names, pairs = compare(both, province=province)
    first = len(both) - len(frame)
    told: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.row >= first:
            told[pair.rule].append(pair)
    for rule, of_rule in sorted(told.items()):
        for batch in _once_per_row(of_rule):
            _report(rule, batch, names, faults, frame.index[[pair.row - first for pair in batch]])


def _report(
    rule: str, pairs: list[Pair], names: Names, faults: Faults, rows: "pd.Index[int]"
) -> None:
    own = [pair.row for pair in pairs]
    other = [pair.other for pair in pairs]
    apart = shapely.distance(names.shape[own], names.shape[other])
    said = pd.Series([pair.said for pair in pairs], index=rows, dtype=object)
    former = said.eq("former")
    faults.add(
        rule,
        pd.Series(True, index=rows),
        drawn=pd.Series(_links(names.shape[own], names.shape[other]), index=rows, dtype=object),
        name=pd.Series(names.name[own], index=rows),
        other=pd.Series(names.name[other], index=rows),
        code=pd.Series(names.code[other], index=rows),
        distance_m=pd.Series(apart, index=rows).fillna(0.0),
        sound=said,
        relation=pd.Series(np.where(former, "a former name", "an alias"), index=rows),
        relation_zh=pd.Series(np.where(former, "曾用名", "别名"), index=rows),
    )


def _links(shapes: NDArray[np.object_], others: NDArray[np.object_]) -> list[shapely.Geometry]:
    """Return a line from each place to the one that is named like it; the place itself if at one point."""
    lines = shapely.shortest_line(shapes, others)
    return [
        shape if line is None or line.length == 0 else line
        for shape, line in zip(shapes, lines.tolist(), strict=True)
    ]


def _once_per_row(pairs: list[Pair]) -> Iterator[list[Pair]]:
    """Yield the pairs in batches in which no row comes twice."""
    rest = pairs
    while rest:
        seen: set[int] = set()
        batch: list[Pair] = []
        later: list[Pair] = []
        for pair in rest:
            (later if pair.row in seen else batch).append(pair)
            seen.add(pair.row)
        yield batch
        rest = later


def _names_of(frame: gpd.GeoDataFrame, province: str) -> Names:
    name = frame["name"].to_numpy(dtype=object)
    scope = [
        f"{area[:DISTRICT_DIGITS]}|{group}" if isinstance(area, str) and group else ""
        for area, group in zip(
            frame["area_code"],
            (group_of(code if isinstance(code, str) else None) for code in frame["category_code"]),
            strict=True,
        )
    ]
    others = [
        [*((text, "alias") for text in aliases), *((text, "former") for text in former)]
        for aliases, former in zip(frame["aliases"], frame["former_names"], strict=True)
    ]
    return Names(
        code=frame["code"].to_numpy(dtype=object),
        name=name,
        scope=np.array(scope, dtype=object),
        sound=_objects(syllables_of(name, province=province)),
        others=_objects(others),
        shape=frame.geometry.to_numpy(),
    )


def _objects(values: Iterable[object]) -> NDArray[np.object_]:
    given = list(values)
    result = np.empty(len(given), dtype=object)
    result[:] = given
    return result


def _keys(names: Names, values: NDArray[np.object_]) -> dict[tuple[str, object], list[int]]:
    result: dict[tuple[str, object], list[int]] = defaultdict(list)
    for place, (scope, value) in enumerate(zip(names.scope, values, strict=True)):
        if scope and value:
            result[scope, value].append(place)
    return result


Found = tuple[str, int, int, str]


def _keyed(rule: str, keys: dict[tuple[str, object], list[int]], names: Names) -> Iterator[Found]:
    for places in keys.values():
        if len(places) > 1:
            for one, other in _pairs(places, names):
                yield rule, one, other, " ".join(names.sound[one])


def _pairs(places: list[int], names: Names) -> Iterator[tuple[int, int]]:
    """Return all pairs; of very many places each with the nearest before it."""
    if len(places) <= _MOST:
        yield from combinations(places, 2)
        return
    for at in range(1, len(places)):
        before = places[max(0, at - _MOST) : at]
        distances = shapely.distance(names.shape[before], names.shape[places[at]])
        yield before[int(np.nanargmin(distances))], places[at]


def _others(names: Names) -> Iterator[Found]:
    """Find names that are an alias or a former name of another place."""
    standard = _keys(names, names.name)
    for place, (scope, others) in enumerate(zip(names.scope, names.others, strict=True)):
        for text, relation in others:
            for bearer in standard.get((scope, text), ()):
                if bearer != place:
                    yield "PN14", bearer, place, relation


def _blurred(sounds: NDArray[np.object_]) -> NDArray[np.object_]:
    return _objects(tuple(map(blur, sound)) for sound in sounds)


@cache
def blur(syllable: str) -> str:
    """Return a syllable with sounds made one that many speakers do not part.

    Examples
    --------
    >>> blur("zhang") == blur("zan"), blur("ling") == blur("nin"), blur("lu") == blur("lü")
    (True, True, False)
    """
    for given, meant in _CONFUSED:
        if syllable.startswith(given) and given[0] not in "aei":
            syllable = meant + syllable[len(given) :]
        elif syllable.endswith(given) and given[0] in "aei":
            syllable = syllable[: -len(given)] + meant
    return syllable


def _one_sign_apart(names: Names) -> Iterator[Found]:
    """Find names of one length that differ by one sign which is no direction or ordinal.

    Specific parts of two or three characters must differ by characters that look alike, 未央 and 末央,
    longer ones by any, since villages are 张各庄 and 李各庄 on purpose; of one specific part the generic
    one may differ, 建设路 and 建设街.
    """
    keys: dict[tuple[str, object], list[int]] = defaultdict(list)
    for place, (scope, name) in enumerate(zip(names.scope, names.name, strict=True)):
        if not scope:
            continue
        specific, generic = split_generic(name)
        for key in _open_keys(specific, generic):
            keys[scope, key].append(place)
    for places in keys.values():
        for one, other in _pairs(places, names) if len(places) > 1 else ():
            if _is_apart(names.name[one], names.name[other]):
                yield "PN13", one, other, ""


def _open_keys(specific: str, generic: str) -> Iterator[tuple[str, str]]:
    """Return the keys under which a name meets those one sign apart."""
    if generic and len(specific) >= _SHORT:
        yield "generic", specific
    for at, sign in enumerate(specific):
        if len(specific) > _LONG:
            yield f"{specific[:at]}*{specific[at + 1 :]}", generic
        look = _looks().get(sign)
        if look and _SHORT <= len(specific) <= _LONG:
            yield f"{specific[:at]}={look}={specific[at + 1 :]}", generic


def _is_apart(one: str, other: str) -> bool:
    specific, generic = split_generic(one)
    other_specific, other_generic = split_generic(other)
    if specific == other_specific:
        return generic != other_generic
    differing = [
        (mine, theirs)
        for mine, theirs in zip(specific, other_specific, strict=True)
        if mine != theirs
    ]
    return not any(_SYSTEM.match(mine) or _SYSTEM.match(theirs) for mine, theirs in differing)


@cache
def _looks() -> dict[str, str]:
    """Return characters that are mistaken for each other -> the first of them."""
    return {
        sign: row["characters"][0]
        for row in read_table("pipelines.place_names", "lookalikes.csv")
        for sign in row["characters"]
    }
