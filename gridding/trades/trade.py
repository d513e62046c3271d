"""Trades 行业: who works by management grids of their own. The list is data; a city adds to it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from gis.codes import read_table
from gis.errors import RequestError

LOADS = ("components", "cases", "patrol_length")
"""Loads that can be counted; ``area`` and ``grids`` stand in where none of them is there."""

_LOCAL = re.compile(r"[\w（）()·-]{1,30}")


@dataclass(frozen=True, kw_only=True)
class Trade:
    """One trade."""

    key: str
    """As in the tables: ``sanitation``."""
    letters: str
    """Between area code and sequence of the codes it is given: ``HW``."""
    name_en: str
    name_zh: str
    words: tuple[str, ...] = ()
    """Other words by which deliveries call it."""


@cache
def standard_trades() -> tuple[Trade, ...]:
    """Return the trades of ``trades.csv``.

    Examples
    --------
    >>> [(trade.key, trade.letters) for trade in standard_trades()][:2]
    [('enforcement', 'ZF'), ('sanitation', 'HW')]
    """
    return tuple(
        Trade(
            key=row["trade"],
            letters=row["letters"],
            name_en=row["name_en"],
            name_zh=row["name_zh"],
            words=tuple(row["words"].split(";")),
        )
        for row in read_table("gridding.trades", "trades.csv")
    )


def find_trade(word: str | None, *, local: Iterable[Trade] = ()) -> Trade | None:
    """Return the trade that a delivery or a command means by a word; None: it is not on the list.

    Parameters
    ----------
    word : str or None
        Key, name or other word in either language.
    local : iterable of Trade
        Trades that the city added.

    Examples
    --------
    >>> find_trade("环卫").key, find_trade(" Lighting ").key, find_trade("养老")
    ('sanitation', 'lighting', None)
    >>> find_trade("养老", local=[local_trade("养老", letters="YA")]).letters
    'YA'
    """
    plain = "" if word is None else word.strip().casefold()
    for trade in (*local, *standard_trades()):
        names = (trade.key, trade.name_en, trade.name_zh, *trade.words)
        if plain and plain in (name.casefold() for name in names):
            return trade
    return None


def local_trade(name: str, *, letters: str) -> Trade:
    """Return a trade of the city's own under its own name.

    Raises
    ------
    RequestError
        The name is blank or has signs in it, or the letters are not 1 to 4 capital letters.

    Examples
    --------
    >>> local_trade("校园周边", letters="XY").key
    '校园周边'
    """
    if not _LOCAL.fullmatch(name.strip()):
        msg = (
            f"{name!r} can not be the name of a trade: use up to 30 letters or Chinese characters."
        )
        raise RequestError(msg, zh=f"“{name}”不能作为行业名称：请使用不超过 30 个字母或汉字。")
    if not re.fullmatch(r"[A-Z]{1,4}", letters):
        msg = f"The letters of trade {name} are {letters!r}; give 1 to 4 capital letters, as YL."
        raise RequestError(msg, zh=f"行业“{name}”的字母码为“{letters}”：请用 1 至 4 个大写字母。")
    return Trade(key=name.strip(), letters=letters, name_en=name.strip(), name_zh=name.strip())


def known_trades() -> str:
    """Return the keys and names of the standard trades, for a sentence that names them.

    Examples
    --------
    >>> known_trades().split(", ")[1]
    'sanitation 环境卫生'
    """
    return ", ".join(f"{trade.key} {trade.name_zh}" for trade in standard_trades())
