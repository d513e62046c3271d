"""The columns of components under the names that surveys, shapefiles and other systems give them.

``columns.csv`` has one row per platform column: the survey name of 2007 and 2013, the name, width and
demand of GB/T 47678.5-2026 table 2, and the name that a shapefile keeps (10 bytes).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from census.survey import known_words
from gis.codes import read_table

ColumnSet = Literal["platform", "survey", "2026", "zh"]
"""platform: this program's names; survey: those of 2007 and 2013, as contractors know them; 2026: the
exchange columns of GB/T 47678.5-2026 table 2 alone; zh: Chinese names."""
SHAPEFILE_BYTES = 10
"""What a DBF keeps of a column name."""

_WORDS: Mapping[str, Mapping[str, str]] = {
    "condition": {
        "intact": "完好",
        "damaged": "破损",
        "lost": "丢失",
        "abandoned": "废弃",
        "removed": "移除",
        "occupied": "占用",
        "unknown": "不明",
    },
    "ownership": {"confirmed": "确认", "disputed": "争议", "none": "无主", "unknown": "不明"},
}


@dataclass(frozen=True, kw_only=True)
class ExchangeColumn:
    """One column of a component in all its spellings."""

    column: str
    kind: Literal["text", "date", "integer"]
    title_en: str
    title_zh: str
    survey: str
    """Name of 2007 and 2013; blank where these have none."""
    exchange: str
    """Name in GB/T 47678.5-2026 table 2; blank where it has none."""
    exchange_width: int
    """Characters that table 2 allows; 0: it has no such column."""
    exchange_demand: Literal["M", "C", "O", ""]
    """Mandatory, on condition, optional."""
    short: str
    """Name in a shapefile."""
    role: Literal["key", "required", "fixed", "free", "derived", "stamp"]
    """``key``, ``fixed``: a field team does not edit it; ``derived``: in no lossless set; ``stamp``: of the
    export, not of the component."""
    domain: str
    """Which values it takes: class, standard, unit, condition, ownership; blank: any."""

    @property
    def is_read_only(self) -> bool:
        """Whether a field team's form shows it without letting it be changed."""
        return self.role in ("key", "fixed", "stamp")

    def name_in(self, names: ColumnSet, *, is_short: bool = False) -> str | None:
        """Return its name in a set; None: it is not in it."""
        if names == "2026":
            return self.exchange or None
        if self.role == "derived":
            return None
        if self.role == "stamp":  # under one name everywhere, so that a merge finds it
            return self.column
        if names == "survey":
            return self.survey or self.short
        if is_short and names == "platform":
            return self.short
        return self.title_zh if names == "zh" else self.column


@cache
def exchange_columns() -> tuple[ExchangeColumn, ...]:
    """Return the columns in the order in which they are written.

    Examples
    --------
    >>> [column.exchange for column in exchange_columns()][:3]
    ['GLBJBSM', '', '']
    """
    return tuple(
        ExchangeColumn(
            **{key: row[key] for key in row if key not in ("exchange_width", "survey_ref")},  # type: ignore[arg-type]
            exchange_width=int(row["exchange_width"] or 0),
        )
        for row in read_table("census.exchange", "columns.csv")
    )


@cache
def no_attributes() -> frozenset[str]:
    """Return the names that exports write beside a component's own columns: a load drops them."""
    own = [column for column in exchange_columns() if column.role in ("derived", "stamp")]
    names = {
        name
        for column in own
        for name in (column.column, column.exchange, column.short, column.title_zh)
        if name
    }
    return frozenset({*names, *(name.lower() for name in names), *POSITION_COLUMNS})


POSITION_COLUMNS = ("lon_cgcs2000", "lat_cgcs2000")
"""Longitude and latitude (EPSG:4490), degrees, that a table is given on request."""


def write_word(subject: str, value: object) -> object:
    """Return the Chinese word of a condition or state of ownership; others as they are.

    Examples
    --------
    >>> write_word("condition", "intact"), write_word("ownership", None)
    ('完好', None)
    """
    return _WORDS[subject].get(value, value) if isinstance(value, str) else value


def word_list(subject: str) -> dict[str, str]:
    """Return value -> Chinese word of each condition or state of ownership, in their order.

    Examples
    --------
    >>> word_list("ownership")["none"]
    '无主'
    """
    return dict(_WORDS[subject])


def read_back(subject: str) -> bool:
    """Tell whether every word that is written is one that a survey may say.

    Examples
    --------
    >>> read_back("condition") and read_back("ownership")
    True
    """
    known = known_words(subject)
    return all(known.get(word) == value for value, word in _WORDS[subject].items())


def short_names(
    names: Sequence[str], *, taken: Iterable[str] = (), encoding: str = "UTF-8"
) -> dict[str, str]:
    """Return name -> a name of 10 bytes at most, each once whatever the case, cut at whole characters.

    Parameters
    ----------
    names : sequence of str
        Names to shorten, in order; those that fit come first and stay.
    taken : iterable of str
        Short names in use.
    encoding : str
        Encoding that the bytes are counted in.

    Examples
    --------
    >>> short_names(["material_cover", "material_frame", "spec"])
    {'material_cover': 'material_c', 'material_frame': 'material_f', 'spec': 'spec'}
    >>> short_names(["材质与规格说明", "材质与规格型号"], encoding="GBK")
    {'材质与规格说明': '材质与规格', '材质与规格型号': '材质与规_2'}
    """
    used = {name.casefold() for name in taken}
    result: dict[str, str] = {}
    for name in sorted(
        names, key=lambda name: len(name.encode(encoding, "replace")) > SHAPEFILE_BYTES
    ):
        short, number = cut_text(name, SHAPEFILE_BYTES, encoding), 1
        while short.casefold() in used:
            number += 1
            short = cut_text(name, SHAPEFILE_BYTES - len(f"_{number}"), encoding) + f"_{number}"
        used.add(short.casefold())
        result[name] = short
    return {name: result[name] for name in names}


def cut_text(text: str, limit: int, encoding: str) -> str:
    """Return the longest beginning of a text that has at most `limit` bytes, in whole characters.

    Examples
    --------
    >>> cut_text("井盖a", 3, "GBK")
    '井'
    """
    return text.encode(encoding, "replace")[:limit].decode(encoding, "ignore")
