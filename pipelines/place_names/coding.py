"""Codes of places that were delivered without: made of name, kind and place, the same every time."""

import hashlib
from collections.abc import Sequence

import geopandas as gpd
import pandas as pd
import shapely

from pipelines.place_names.categories import group_of

DIGITS = 10
_NEAR_M = 250.0
"""A place of the same name and kind, within this distance of a live one without delivered code, is it."""


def make_codes(
    name: "pd.Series[str]",
    category: "pd.Series[str]",
    geometry: gpd.GeoSeries,
    *,
    districts: "pd.Series[str]",
    city: str,
    live: pd.DataFrame,
) -> "pd.Series[str]":
    """Return a code for each row: that of the live place it is, else one made of what it is.

    A code is the district, ``N`` and ten signs of a hash of name and kind; where two places would
    have one, that farther west, then south, gets a number behind it. A live place keeps its code while
    its name and kind are the same and it lies within 250 m.

    Parameters
    ----------
    name, category : pandas.Series
        What the places are.
    geometry : geopandas.GeoSeries
        Where they are, in metres.
    districts : pandas.Series
        Area that each row lies in; made codes begin with its first six digits.
    city : str
        What they begin with where a row lies in no area.
    live : pandas.DataFrame
        Place names that hold so far.
    """
    keys = [
        f"{text}|{group_of(kind)}" for text, kind in zip(name.fillna(""), category, strict=True)
    ]
    made = pd.Series(None, index=name.index, dtype=object)
    points = shapely.point_on_surface(geometry.to_numpy())
    known = _live_by_key(live)
    order = sorted(
        range(len(keys)),
        key=lambda at: (keys[at], shapely.get_x(points[at]), shapely.get_y(points[at]), at),
    )
    used = set(live["code"]) if len(live) else set()
    counts: dict[str, int] = {}
    district_of = [
        area[:6] if isinstance(area, str) else city[:6] for area in districts.reindex(name.index)
    ]
    for at in order:
        code = _nearest(known.get(keys[at], ()), geometry.iloc[at])
        if code is not None:
            known[keys[at]] = [pair for pair in known[keys[at]] if pair[0] != code]
        while code is None:
            number = counts.get(keys[at], 0)
            counts[keys[at]] = number + 1
            candidate = _hashed(keys[at], district_of[at]) + (f"-{number + 1}" if number else "")
            code = None if candidate in used else candidate
        used.add(code)
        made.iloc[at] = code
    return made


def _hashed(key: str, district: str) -> str:
    return f"{district}N{hashlib.sha256(key.encode()).hexdigest()[:DIGITS]}"


def _live_by_key(live: pd.DataFrame) -> dict[str, list[tuple[str, shapely.Geometry]]]:
    result: dict[str, list[tuple[str, shapely.Geometry]]] = {}
    if live.empty:
        return result
    made = live[live["code"].str.fullmatch(rf"\d{{6}}N[0-9a-f]{{{DIGITS}}}(?:-\d+)?")]
    for code, name, category, shape in zip(
        made["code"], made["name"], made["category_code"], made["geometry"], strict=True
    ):
        result.setdefault(f"{name}|{group_of(category)}", []).append((code, shape))
    return result


def _nearest(
    candidates: Sequence[tuple[str, shapely.Geometry]], shape: shapely.Geometry | None
) -> str | None:
    if shape is None:
        return None
    near = sorted((float(shapely.distance(other, shape)), code) for code, other in candidates)
    return near[0][1] if near and near[0][0] <= _NEAR_M else None
