"""Categories of places (GB/T 18521): given ones checked, lost figures restored, missing ones derived."""

from functools import cache

import geopandas as gpd
import pandas as pd
import shapely

from gis.classification import place_name_categories
from gis.faults import Faults
from gis.names.generics import trailing_generic
from pipelines.place_names.texts import each

DELIVERED, DERIVED = "delivered", "derived"
_GROUPS = {"11": "1", "12": "1", "13": "1", "22": "b", "26": "b", "25": "b", "27": "b", "24": "c"}
"""Classes that a generic part does not tell apart for certain: 园 is a park or an estate."""
_RIVALS = {frozenset("1c"), frozenset(("23", "c")), frozenset(("b", "217")), frozenset(("1", "b"))}
"""Groups that may bear the same generic parts: 渠 is water or a work, 湖 of 翠湖 an estate."""


def judge_categories(
    category: "pd.Series[str]",
    name: "pd.Series[str]",
    geometry: gpd.GeoSeries,
    faults: Faults,
    *,
    quiet: "pd.Series[bool]",
) -> tuple["pd.Series[str]", "pd.Series[str]"]:
    """Return each place's category and where it is from, and report what is doubtful.

    Parameters
    ----------
    category : pandas.Series
        Codes as delivered; one that lost its first figures is restored where only one code ends so.
    name, geometry : pandas.Series, geopandas.GeoSeries
        What a missing code is derived from: the generic part, else the kind of shape.
    quiet : pandas.Series
        Rows of which it is not told that their category was derived: those of labels have none.
    faults : Faults
        Gets PN01 (unknown), PN17 (restored), PN18 (derived), PN19 (does not fit the generic part).
    """
    restored = each(category, restore)
    lost = category.notna() & restored.ne(category)
    faults.add("PN17", lost & ~faults.refused, value=category, expected=restored)
    known = place_name_categories()
    unknown = restored.notna() & ~restored.isin(list(known))
    faults.add("PN01", unknown, value=category)
    kinds = shapely.get_dimensions(geometry.to_numpy())
    derived = pd.Series(
        [derive(text, kind) for text, kind in zip(name, kinds.tolist(), strict=True)],
        index=name.index,
        dtype=object,
    )
    missing = restored.isna() & derived.notna()
    titles = each(derived, _titled)
    faults.add("PN18", missing & ~quiet & ~faults.refused, expected=titles)
    unfit = pd.Series(
        [_contradicts(given, meant) for given, meant in zip(restored, derived, strict=True)],
        index=name.index,
        dtype=bool,
    )
    faults.add(
        "PN19",
        unfit & ~unknown & ~faults.refused,
        value=restored,
        said=each(restored, _name_of),
        name=name,
        expected=derived,
        meant=each(derived, _name_of),
    )
    source = pd.Series(None, index=name.index, dtype=object)
    source[derived.notna()] = DERIVED
    source[restored.notna()] = DELIVERED
    return restored.where(restored.notna(), derived), source


@cache
def restore(category: str) -> str:
    """Return a code with the leading figures that it lost, if only one known code ends so.

    Examples
    --------
    >>> restore("1620"), restore("21620"), restore("0"), restore("770")
    ('21620', '21620', '0', '21770')
    """
    known = place_name_categories()
    if category in known or len(category) < len("620") or not category.isdecimal():
        return category
    fitting = [code for code in known if code.endswith(category) and len(code) > len(category)]
    return fitting[0] if len(fitting) == 1 else category


@cache
def derive(name: str | None, dimension: int = 0) -> str | None:
    """Return the category that a generic part tells of; without one, streets are known by being lines.

    Parameters
    ----------
    name : str or None
        Standard name.
    dimension : int
        Of its shape: 0 point, 1 line, 2 polygon.

    Examples
    --------
    >>> derive("裕华路"), derive("翠屏社区"), derive("石津渠"), derive("老槐树"), derive("和平里", 1)
    ('23', '21620', '24', None, '23')
    """
    if not name:
        return None
    generic = trailing_generic(name)
    if generic is None:
        return None
    if generic.term == "里":
        return "23" if dimension == 1 else "22100"
    return generic.category or None


def group_of(category: str | None) -> str:
    """Return the group of a category within which names must differ: streets, settlements and so on.

    Examples
    --------
    >>> group_of("23"), group_of("22190"), group_of("21620"), group_of("12"), group_of(None)
    ('23', '22', '216', '1', '')
    """
    if not category:
        return ""
    if category.startswith("1"):
        return "1"
    if category.startswith("26"):
        return "22"  # buildings and estates
    return category[:3] if category.startswith("21") else category[:2]


def _contradicts(given: str | None, meant: str | None) -> bool:
    if not given or not meant or len(given) < len("23"):
        return False
    one, other = _compared(given), _compared(meant)
    return one != other and frozenset((one, other)) not in _RIVALS


def _compared(category: str) -> str:
    if category.startswith("217"):
        return "217"
    return _GROUPS.get(category[:2], category[:2])


def _name_of(code: str) -> str:
    known = place_name_categories()
    return next((known[code[:n]].name for n in range(len(code), 0, -1) if code[:n] in known), code)


def _titled(code: str) -> str:
    return f"{code} {_name_of(code)}"
