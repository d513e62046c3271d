"""Classes of the base map (GB/T 13923), of place names (GB/T 18521) and of areas, read as data.

Names are marked with their evidence in the CSV files; a class that is not listed is no fault by
itself, because the standard leaves its lower levels to be extended.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from gis.codes import read_table

TOPOGRAPHY_THEMES: Mapping[str, str] = {
    "1": "control",
    "2": "hydrography",
    "3": "residential",
    "4": "transport",
    "5": "pipeline",
    "6": "boundary",
    "7": "relief",
    "8": "vegetation",
}
"""First digit of a feature class -> theme of the topography database."""


@dataclass(frozen=True, kw_only=True)
class Category:
    """A class of a code table with one level above it."""

    standard_ref: str
    code: str
    parent: str
    """Code one level up; empty at the top."""
    name: str
    evidence: str
    """found, derived, recalled, unknown, or local: a sub-class of this platform."""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Standard:
    """A standard and when it held."""

    standard_ref: str
    generation: str
    """1, 2 or 3 in the families of urban management; empty: a standard of another field."""
    subject: str
    title: str
    effective: str
    """First day in force as YYYY-MM-DD; empty: not known."""
    superseded_by: str
    evidence: str


@cache
def topography_classes() -> dict[str, Category]:
    """Return the known feature classes by code, in order of code.

    Examples
    --------
    >>> topography_classes()["310600"].name
    '院落'
    """
    return _categories("topography_classes.csv")


@cache
def place_name_categories() -> dict[str, Category]:
    """Return the known categories of place names by code, in order of code.

    Examples
    --------
    >>> place_name_categories()["21620"].parent
    '21600'
    """
    return _categories("place_name_categories.csv")


@cache
def standards() -> dict[str, Standard]:
    """Return the standards the platform knows by reference, oldest generation first.

    Examples
    --------
    >>> standards()["GB/T 30428.2-2013"].superseded_by
    'GB/T 47678.5-2026'
    """
    fields = Standard.__dataclass_fields__
    return {
        row["standard_ref"]: Standard(**{name: row[name] for name in fields})
        for row in read_table("gis.codes", "standards.csv")
    }


def label(feature_class: str) -> str:
    """Return the name of a feature class, of the nearest known class above it, or its code.

    Examples
    --------
    >>> label("430501"), label("310377"), label("999999")
    ('主干路', '单幢房屋/普通房屋', '999999')
    """
    known = topography_classes()
    above = (feature_class, feature_class[:4] + "00", feature_class[:2] + "0000", feature_class[:1])
    return next((known[code].name for code in above if code in known), feature_class)


def area_type(code: str) -> str | None:
    """Return what kind of street or community a code stands for, by its last three digits.

    Parameters
    ----------
    code : str
        9 digits of a street (GB/T 10114) or 12 of a community; others, and numbers that cities
        made up themselves, give None.

    Examples
    --------
    >>> area_type("130102001"), area_type("130102100"), area_type("130102001201")
    ('街道', '镇', '村民委员会')
    """
    level = {9: "street", 12: "community"}.get(len(code))
    last = code[-3:]
    return next(
        (
            row["name"]
            for row in read_table("gis.codes", "area_code_ranges.csv")
            if row["level"] == level and row["first"] <= last <= row["last"]
        ),
        None,
    )


def _categories(name: str) -> dict[str, Category]:
    fields = Category.__dataclass_fields__
    rows = sorted(read_table("gis.codes", name), key=lambda row: row["code"])
    return {row["code"]: Category(**{field: row[field] for field in fields}) for row in rows}
