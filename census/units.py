"""The unit directory: which unit a delivered code or name means, and who took over its duties."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

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

    def current(self, code: str) -> str:
        """Return the unit that answers today: the last of the successors that the directory has.

        A ring of successors ends before it repeats, so that there is always one answer.
        """
        seen = {code}
        while (following := self.successors.get(code)) and following in self.names:
            if following in seen:
                break
            seen.add(following)
            code = following
        return code


def read_directory(units: pd.DataFrame) -> UnitDirectory:
    """Return the directory of a frame of units.

    Parameters
    ----------
    units : pandas.DataFrame
        ``code``, ``name``; ``aliases`` (lists) and ``successor_code`` where there are any.

    Examples
    --------
    >>> units = pd.DataFrame({"code": ["U1"], "name": ["市排水公司"], "aliases": [["排水（集团）"]]})
    >>> read_directory(units).find(None, " 排水(集团) ").code
    'U1'
    """
    blank: list[None] = [None] * len(units)
    codes = [str(code) for code in units["code"]]
    own: dict[str, tuple[str, ...]] = {}
    other: dict[str, tuple[str, ...]] = {}
    for code, name in zip(codes, units["name"], strict=True):
        own[plain_unit_name(name)] = (*own.get(plain_unit_name(name), ()), code)
    for code, aliases in zip(codes, units.get("aliases", blank), strict=True):
        for alias in aliases if isinstance(aliases, list | tuple) else ():
            plain = plain_unit_name(alias)
            if plain and code not in other.get(plain, ()):
                other[plain] = (*other.get(plain, ()), code)
    following = units.get("successor_code", blank)
    return UnitDirectory(
        names=dict(zip(codes, units["name"], strict=True)),
        codes_by_name={**other, **own},
        successors={
            code: successor
            for code, successor in zip(codes, following, strict=True)
            if isinstance(successor, str) and successor
        },
    )


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
