"""What each class of the base topography is to a division, read from ``borders.csv`` and ``land.csv``.

The longest prefix of a class of GB/T 13923 wins; a class that no row names plays no part.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from gis.codes import read_table
from gridding.options import DivisionOptions


@dataclass(frozen=True, kw_only=True)
class Use:
    """What a class of features is to a division."""

    role: str
    """border, road (an area that stands for its centreline), building, compound, whole or ignore."""
    price: float
    """Cost of 100 m of border along it; negative: a wanted border."""
    minimum_m2: float
    """An area smaller than this has no border of its own and is not cut."""
    kind: str
    """One of ``scene.KINDS``; empty where it gives no lines."""
    rank: int
    """Which of two lines side by side gives way: the lower."""


_IGNORE = Use(role="ignore", price=0.0, minimum_m2=0.0, kind="", rank=0)


def use_of(feature_class: str, *, shape: str) -> Use:
    """Return the use of a class delivered as ``line`` or as ``area``, by its longest known prefix.

    Examples
    --------
    >>> use_of("430501", shape="line").kind, use_of("430501", shape="area").role
    ('main_road', 'road')
    >>> use_of("310300", shape="area").role, use_of("720000", shape="line").role
    ('building', 'ignore')
    """
    table = _uses()
    found = _longest(feature_class, {prefix: prefix for prefix, kind in table if kind == shape})
    return _IGNORE if found is None else table[found, shape]


def zone_target_m2(feature_class: str, *, options: DivisionOptions) -> float | None:
    """Return the target area of grids on land of a class, m²; None: that of the options.

    ``zone_targets`` of the options go before the factors of ``land.csv``.

    Examples
    --------
    >>> options = DivisionOptions(zone_targets={"3206": 30_000.0})
    >>> zone_target_m2("320601", options=options), zone_target_m2("810000", options=options)
    (30000.0, 80000.0)
    >>> zone_target_m2("310600", options=options) is None
    True
    """
    wanted = _longest(feature_class, options.zone_targets)
    if wanted is not None:
        return float(options.zone_targets[wanted])
    factors = _factors()
    found = _longest(feature_class, factors)
    if found is None:
        return None
    return float(factors[found] or options.water_factor) * options.target_m2


@cache
def _uses() -> dict[tuple[str, str], Use]:
    return {
        (row["prefix"], row["shape"]): Use(
            role=row["use"],
            price=float(row["price"]),
            minimum_m2=float(row["minimum_m2"]),
            kind=row["kind"],
            rank=int(row["rank"]),
        )
        for row in read_table("gridding", "borders.csv")
    }


@cache
def _factors() -> dict[str, str]:
    return {row["prefix"]: row["factor"] for row in read_table("gridding", "land.csv")}


def _longest(feature_class: str, known: Mapping[str, object]) -> str | None:
    """Return the longest key of `known` that a class begins with."""
    for length in range(len(feature_class), 0, -1):
        if feature_class[:length] in known:
            return feature_class[:length]
    return None
