"""The unit directory: which unit a delivered code or name means, and who took over its duties."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import pandas as pd

How = Literal["code", "name", "ambiguous", "unknown", "blank"]

_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_CREDIT_LENGTH = 18


@dataclass(frozen=True, kw_only=True)
class UnitMatch:
    """What a delivered code and name were found to mean."""

    code: str | None
    """Unit code of the directory; None when nothing fits."""
    how: How
    """By its code, its name, a name that several units bear; or why nothing fits."""
    is_contradicted: bool = False
    """The name is not one of the unit that the code means; the code was taken."""


@dataclass(frozen=True, kw_only=True)
class UnitDirectory:
    """Units by code, name and alias; immutable."""

    names: Mapping[str, str] = field(repr=False)
    """Unit code -> full name."""
    codes_by_name: Mapping[str, tuple[str, ...]] = field(repr=False)
    """Plain name or alias -> unit codes; full names win over aliases."""
    successors: Mapping[str, str] = field(repr=False)
    """Unit code -> code of the unit that took over."""
    since: Mapping[str, date] = field(default_factory=dict, repr=False)
    """Unit code -> day from which its successor answers, where it is known."""
    heirs: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """Unit code -> units that share its duties since a split 拆分: there is no one successor."""
    confirmed: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Plain spelling -> unit code, as a person confirmed it; the directory's own names win."""
    written: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Plain name or alias -> as the directory writes it."""

    def find(self, code: str | None, name: str | None) -> UnitMatch:
        """Return the unit of a code, else of a name or alias; of several, the lowest code."""
        plain_code, plain = plain_unit_code(code), plain_unit_name(name)
        named = self.codes_by_name.get(plain, ()) if plain else ()
        if plain_code in self.names:
            return UnitMatch(
                code=plain_code,
                how="code",
                is_contradicted=bool(plain) and plain_code not in named,
            )
        if named:
            how: How = "name" if len(named) == 1 else "ambiguous"
            return UnitMatch(code=min(named), how=how)
        return UnitMatch(code=None, how="unknown" if plain_code or plain else "blank")

    def current(self, code: str, *, as_of: date | None = None) -> str:
        """Return the unit that answers: the last of the successors that the directory has.

        A ring of successors ends before it repeats, so that there is always one answer. Where a unit
        was split there is no one successor, and it answers itself; see ``heirs``.

        Parameters
        ----------
        code : str
            Code of a unit.
        as_of : datetime.date or None
            Only successions that held by then; a succession without a day always holds. None: all.
        """
        return self.chain(code, as_of=as_of)[-1]

    def chain(self, code: str, *, as_of: date | None = None) -> tuple[str, ...]:
        """Return a unit and those that took over from it one after another, see `current`."""
        found = [code]
        while (following := self.successors.get(code)) and following in self.names:
            since = self.since.get(code)
            if following in found or (as_of and since and since > as_of):
                break
            found.append(following)
            code = following
        return tuple(found)

    def split_of(self, code: str, *, as_of: date | None = None) -> tuple[str, ...]:
        """Return the units that share the duties of the one that answers, if it was split."""
        last = self.current(code, as_of=as_of)
        since = self.since.get(last)
        is_later = as_of is not None and since is not None and since > as_of
        return () if is_later else self.heirs.get(last, ())


def read_directory(
    units: pd.DataFrame, *, confirmed: Mapping[str, str] | None = None
) -> UnitDirectory:
    """Return the directory of a frame of units.

    Parameters
    ----------
    units : pandas.DataFrame
        ``code``, ``name``; ``aliases`` and ``heirs`` (lists), ``successor_code`` and
        ``successor_from`` where there are any.
    confirmed : mapping or None
        Plain spelling -> unit code, decided by a person. Those that name a unit which is not there,
        or a spelling that the directory itself has, do not count.

    Examples
    --------
    >>> units = pd.DataFrame({"code": ["U1"], "name": ["市排水公司"], "aliases": [["排水（集团）"]]})
    >>> read_directory(units).find(None, " 排水(集团) ").code
    'U1'
    >>> read_directory(units, confirmed={"排水处": "U1"}).find(None, "排水处").code
    'U1'
    """
    codes = [str(code) for code in units["code"]]
    names = dict(zip(codes, units["name"], strict=True))
    own = _by_name(zip(codes, ([name] for name in units["name"]), strict=True))
    other = _by_name(zip(codes, _lists(units, "aliases"), strict=True))
    known = {**other, **own}
    kept = {
        plain: code
        for plain, code in (confirmed or {}).items()
        if code in names and plain not in known
    }
    columns = (
        units.get(name, [None] * len(units)) for name in ("successor_code", "successor_from")
    )
    following = list(zip(codes, *columns, strict=True))
    return UnitDirectory(
        names=names,
        codes_by_name={**known, **{plain: (code,) for plain, code in kept.items()}},
        successors={code: after for code, after, _ in following if _is_text(after)},
        since={code: day for code, _, day in following if isinstance(day, date)},
        heirs={
            code: tuple(heirs)
            for code, heirs in zip(codes, _lists(units, "heirs"), strict=True)
            if heirs
        },
        confirmed=kept,
        written={
            plain_unit_name(name): name
            for column in (_lists(units, "aliases"), ([name] for name in units["name"]))
            for names_of_unit in column
            for name in names_of_unit
            if _is_text(name)
        },
    )


def _by_name(units: Iterable[tuple[str, Iterable[object]]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for code, names in units:
        for name in names:
            plain = plain_unit_name(name)
            if plain and code not in found.get(plain, ()):
                found[plain] = (*found.get(plain, ()), code)
    return found


def _lists(units: pd.DataFrame, column: str) -> list[list[Any]]:
    """Return a column of lists, empty ones where it is missing."""
    cells = units[column] if column in units else [None] * len(units)
    return [list(cell) if isinstance(cell, list | tuple) else [] for cell in cells]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def plain_unit_name(name: object) -> str:
    """Return a unit name without blanks, full-width letters and brackets made half-width.

    Examples
    --------
    >>> plain_unit_name(" 长安区　排水（集团）ＡＢ ")
    '长安区排水(集团)ab'
    >>> plain_unit_name(None)
    ''
    """
    if not isinstance(name, str):
        return ""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def plain_unit_code(code: object) -> str:
    """Return a unit code without blanks, full-width letters made half-width, in capitals.

    Examples
    --------
    >>> plain_unit_code("９１130102ma01w2ed7u")
    '91130102MA01W2ED7U'
    """
    if not isinstance(code, str):
        return ""
    return "".join(unicodedata.normalize("NFKC", code).split()).upper()


def credit_check_digit(body: str) -> str:
    """Return the check character of the first 17 of a unified social credit code (GB 32100).

    Raises
    ------
    ValueError
        `body` is not 17 characters of the code's alphabet, which has no I, O, S, V, Z.

    Examples
    --------
    >>> credit_check_digit("91350100M000100Y4")
    '3'
    """
    if len(body) != len(_CREDIT_WEIGHTS):
        msg = f"{body!r} is not {len(_CREDIT_WEIGHTS)} characters."
        raise ValueError(msg)
    total = sum(
        _CREDIT_ALPHABET.index(letter) * weight
        for letter, weight in zip(body, _CREDIT_WEIGHTS, strict=True)
    )
    return _CREDIT_ALPHABET[-total % len(_CREDIT_ALPHABET)]


def is_credit_code(code: str) -> bool:
    """Tell whether `code` is a unified social credit code 统一社会信用代码 with the right check digit.

    Examples
    --------
    >>> is_credit_code("91350100M000100Y43"), is_credit_code("91350100M000100Y44")
    (True, False)
    """
    if len(code) != _CREDIT_LENGTH or any(letter not in _CREDIT_ALPHABET for letter in code):
        return False
    return credit_check_digit(code[:-1]) == code[-1]
