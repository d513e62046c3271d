"""Candidates for a spelling that the unit directory lacks: units whose names are like it.

A candidate is a suggestion for a person, never an answer: nothing here decides. What surveyors write
differs from the directory by script, brackets, legal form, a place left out, a shortened name, a
character of the same sound, a typing error; figures in a name (一公司, 二公司) tell units apart.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz.distance import Indel

from census.naming import Name, features, likeness, near_sound, take_apart
from census.units import UnitDirectory

Why = Literal["script", "form", "initials", "sound", "short", "long", "like"]

REASONS: Mapping[str, tuple[str, str]] = {
    "script": ("same but for script or signs", "仅简繁或符号不同"),
    "form": ("same but for the words of its legal form", "仅组织形式写法不同"),
    "initials": ("its initials", "首字母缩写"),
    "sound": ("same sound", "同音或近音"),
    "short": ("a short form", "简称"),
    "long": ("the name with more words", "名称之外多出文字"),
    "like": ("alike", "近似"),
}
"""How a spelling is like a name, in both languages."""
LEAST_SCORE = 0.5
"""Names less like than this are no candidates."""

_SCRIPT, _FORM, _INITIALS, _MOST = 0.99, 0.95, 0.85, 0.94
_HIGH, _LOW, _PLAIN = 0.5, 0.25, 0.25
_RETRIEVED = 24
"""Names compared in full per spelling."""
_OTHER_FIGURES, _FIGURES_ON_ONE_SIDE = 0.6, 0.93
_FIGURES = frozenset("一二三四五六七八九十")
_LEVELS = frozenset("省市区县旗镇乡")
"""At the head of a name: whose office it is."""
_OTHER_LEVEL = 0.85
_UNEXPLAINED = 0.3
"""Part of the score lost where nothing of the spelling's rest is in any name of the unit."""

_Cell = tuple[float, float, float, int, int]
_EMPTY: _Cell = (0.0, 0.0, 0.0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A unit that a spelling may mean."""

    unit_code: str
    name: str
    """The one of its names and aliases that is most like the spelling."""
    score: float
    """0 to 1; from 0.95 on only signs, script or legal form differ."""
    why: Why
    """How it is like, see `REASONS`."""


@dataclass(frozen=True, kw_only=True)
class _Aligned:
    """Two names laid beside each other, token to token in order."""

    shares: tuple[float, float]
    """Share of the weight of either name that meets its like in the other."""
    met: int
    """Tokens that meet."""
    unequal: int
    """Of these, how many are only alike in sound or spelling."""


class UnitNames:
    """All names and aliases of a directory, ready to be searched.

    Examples
    --------
    >>> import pandas as pd
    >>> from census.units import read_directory
    >>> units = pd.DataFrame({"code": ["U1", "U2"], "name": ["市城市照明有限公司", "市热力公司"]})
    >>> names = UnitNames(read_directory(units))
    >>> [(found.unit_code, found.why) for found in names.candidates("城市昭明公司")]
    [('U1', 'sound')]
    """

    def __init__(self, directory: UnitDirectory) -> None:
        self._written = {
            plain: directory.written.get(plain, plain) for plain in directory.codes_by_name
        }
        self._codes = directory.codes_by_name
        self._names = {plain: take_apart(name) for plain, name in self._written.items()}
        self._names = {plain: name for plain, name in self._names.items() if name.tokens}
        self._words = _words_of_units(self._names, self._codes)
        self._weights = _weights(self._names.values())
        self._rarest = math.log(1 + len(self._names)) + 1
        self._holders: dict[str, list[str]] = defaultdict(list)
        for plain, name in sorted(self._names.items()):
            for feature in features(name):
                self._holders[feature].append(plain)

    def candidates(self, spelling: str, *, limit: int = 5) -> list[Candidate]:
        """Return the units most like a spelling, best first, each once; equals by code.

        Parameters
        ----------
        spelling : str
            Name as delivered.
        limit : int
            Greatest number of candidates.
        """
        given = take_apart(spelling)
        if not given.tokens:
            return []
        best: dict[str, Candidate] = {}
        for plain in self._near(given):
            alike, why = self._compare(given, self._names[plain])
            for code in self._codes[plain]:
                score = alike if alike >= _FORM else round(alike * self._explain(given, code), 3)
                if score >= LEAST_SCORE and (code not in best or score > best[code].score):
                    name = self._written[plain]
                    best[code] = Candidate(unit_code=code, name=name, score=score, why=why)
        order = sorted(best.values(), key=lambda found: (-found.score, found.unit_code))
        return order[:limit]

    def _near(self, given: Name) -> list[str]:
        """Return the names that share the rarest signs and sounds with the given one."""
        shared: Counter[str] = Counter()
        for feature in sorted(set(features(given))):
            holders = self._holders.get(feature, ())
            weight = round(1000 * (self._rarest - math.log(1 + len(holders))))
            for plain in holders:
                shared[plain] += weight
        length = {plain: math.sqrt(4 + len(self._names[plain].tokens)) for plain in shared}
        order = sorted(shared, key=lambda plain: (-shared[plain] / length[plain], plain))
        return order[:_RETRIEVED]

    def _compare(self, given: Name, known: Name) -> tuple[float, Why]:
        if given.simple == known.simple:
            return _SCRIPT, "script"
        if given.loose == known.loose:
            return _FORM, "form"
        if _is_initials(given, known) or _is_initials(known, given):
            return _INITIALS, "initials"
        aligned = self._align(given.tokens, known.tokens)
        high, low = max(aligned.shares), min(aligned.shares)
        alike = Indel.normalized_similarity(given.loose, known.loose)
        score = _HIGH * high + _LOW * low + _PLAIN * alike
        score *= _figure_factor(given.tokens, known.tokens)
        levels = {given.tokens[0], known.tokens[0]}
        score *= _OTHER_LEVEL if len(levels) == 2 and levels <= _LEVELS else 1
        return round(min(score, _MOST), 3), _reason(given, known, aligned)

    def _explain(self, given: Name, code: str) -> float:
        """Return less than 1 where a spelling has words that no name of the unit has: another place."""
        strange = [
            token
            for token in given.tokens
            if token not in self._words[code] and near_sound(token) not in self._words[code]
        ]
        share = sum(map(self._weigh, strange)) / sum(map(self._weigh, given.tokens))
        return 1 - _UNEXPLAINED * share

    def _align(self, first: Sequence[str], second: Sequence[str]) -> _Aligned:
        """Lay two names beside each other so that as much weight as possible meets its like."""
        weights = [self._weigh(token) for token in second]
        row = [_EMPTY] * (len(second) + 1)
        for token in first:
            above, row = row, [_EMPTY]
            weight = self._weigh(token)
            for place, other in enumerate(second):
                best = max(above[place + 1], row[place])
                like = likeness(token, other)
                if like:
                    best = max(best, _meet(above[place], like, weight, weights[place]))
                row.append(best)
        _, of_first, of_second, met, unequal = row[-1]
        total = sum(self._weigh(token) for token in first)
        return _Aligned(
            shares=(of_first / total, of_second / sum(weights)), met=met, unequal=unequal
        )

    def _weigh(self, token: str) -> float:
        return self._weights.get(token, self._rarest)


def _meet(before: _Cell, like: float, weight: float, other: float) -> _Cell:
    return (
        before[0] + like * (weight + other) / 2,
        before[1] + like * weight,
        before[2] + like * other,
        before[3] + 1,
        before[4] + (like < 1),
    )


def _words_of_units(
    names: Mapping[str, Name], codes: Mapping[str, tuple[str, ...]]
) -> dict[str, set[str]]:
    """Return all tokens of all names of each unit, and how they sound."""
    words: dict[str, set[str]] = defaultdict(set)
    for plain, name in names.items():
        for code in codes[plain]:
            words[code].update(name.tokens, map(near_sound, name.tokens), [name.initials])
    return words


def _weights(names: Iterable[Name]) -> dict[str, float]:
    """Return what each token tells: the fewer names have it, the more."""
    kept = list(names)
    held = Counter(token for name in kept for token in set(name.tokens))
    top = math.log(1 + len(kept))
    return {token: 1 + top - math.log(count) for token, count in held.items()}


def _is_initials(short: Name, long: Name) -> bool:
    return len(long.tokens) > 1 and len(short.loose) > 1 and short.loose == long.initials


def _figure_factor(first: Sequence[str], second: Sequence[str]) -> float:
    mine, theirs = _figures(first), _figures(second)
    if mine == theirs:
        return 1.0
    return _OTHER_FIGURES if mine and theirs else _FIGURES_ON_ONE_SIDE


def _figures(tokens: Sequence[str]) -> list[str]:
    return sorted(token for token in tokens if token.isdigit() or token in _FIGURES)


def _reason(given: Name, known: Name, aligned: _Aligned) -> Why:
    whole_given, whole_known = aligned.met == len(given.tokens), aligned.met == len(known.tokens)
    if aligned.unequal:
        return "sound" if (whole_given or whole_known) and not given.loose.isascii() else "like"
    if whole_given:
        return "short"
    return "long" if whole_known else "like"
