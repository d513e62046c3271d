"""Administrative areas 区域 and place names 地名 as places."""

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.names.romanisation import generic_kind
from pipelines.geocoding.places import frame_of, union_lists

_KIND_OF_GENERIC = {"street": "street", "area": "area"}
_KIND_OF_CATEGORY = {"1": "zone", "217": "zone", "21": "area", "22": "block", "27": "poi"}
"""Beginning of a category of GB/T 18521 -> kind of place; for others the generic part decides."""


def area_places(
    areas: gpd.GeoDataFrame, *, former: Mapping[str, Sequence[str]]
) -> gpd.GeoDataFrame:
    """Return a place per area, its code ``area:`` and the area's.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame
        Areas that hold.
    former : mapping
        Area code -> names the area had.
    """
    once = [
        union_lists(former.get(code, ()), (), but=name)
        for code, name in zip(areas["code"], areas["name"], strict=True)
    ]
    return frame_of(
        {
            "code": [f"area:{code}" for code in areas["code"]],
            "kind": "area",
            "name": areas["name"].to_numpy(),
            "aliases": [list(names) for names in once],
            "former_names": once,
            "other_sources": [[f"areas:{code}"] for code in areas["code"]],
        },
        source="areas",
        geometry=areas.geometry.to_numpy(),
        crs=areas.crs,
    )


def name_places(names: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a place per place name; its former names are aliases that hold no more."""
    categories = names.get("category_code", [None] * len(names))
    aliases = [
        union_lists(known, former, but=name)
        for name, known, former in zip(
            names["name"], names["aliases"], names["former_names"], strict=True
        )
    ]
    return frame_of(
        {
            "kind": [
                kind_of_name(name, category)
                for name, category in zip(names["name"], categories, strict=True)
            ],
            "name": names["name"].to_numpy(),
            "aliases": aliases,
            "former_names": [list(former) for former in names["former_names"]],
            "other_sources": [[f"place_names:{code}"] for code in names["code"]],
        },
        source="place_names",
        geometry=names.geometry.to_numpy(),
        crs=names.crs,
    )


def kind_of_name(name: str, category: object) -> str:
    """Return the kind of place of a name by its category, or else by its generic part.

    Examples
    --------
    >>> kind_of_name("民心河", "12"), kind_of_name("平安巷", None), kind_of_name("老槐树", None)
    ('zone', 'street', 'poi')
    """
    told = category if isinstance(category, str) else ""  # missing is None or NaN
    for digits in (3, 2, 1):
        if told[:digits] in _KIND_OF_CATEGORY:
            return _KIND_OF_CATEGORY[told[:digits]]
    return _KIND_OF_GENERIC.get(generic_kind(name), "poi")


def is_real(places: gpd.GeoDataFrame) -> "pd.Series[bool]":
    """Tell which places have a geometry and a name."""
    shapes = places.geometry.to_numpy()
    has_shape = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    return places["name"].notna() & pd.Series(np.asarray(has_shape), index=places.index)
