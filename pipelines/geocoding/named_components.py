"""Components 部件 that people name: bus stops, bridges, public toilets, car parks, monuments."""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis.codes import read_table
from pipelines.geocoding.places import frame_of
from pipelines.geocoding.streets import cluster
from pipelines.placement import representative_points

SAME_STOP_M = 300.0
"""Components of one class and name nearer than this are one place: a stop's two sides of the road."""
_LEAST_NAME = 2
_STOPS = ("公交站亭（牌）", "公交站亭", "公交站设施")


class PlaceClass(NamedTuple):
    """A component class whose members are places when they bear a name."""

    name: str
    """Name of the class."""
    fields: tuple[str, ...]
    """Attributes that hold the name, the likeliest first."""
    ending: str
    """What a name ends with in speech, where the attribute leaves it out."""


@cache
def place_classes() -> Mapping[tuple[str, str], PlaceClass]:
    """Return standard and class code -> the classes of ``component_places.csv``."""
    chosen = {
        row["class_name"]: PlaceClass(
            row["class_name"], tuple(row["fields"].split(";")), row["ending"]
        )
        for row in read_table("pipelines.geocoding", "component_places.csv")
    }
    return {
        (row["standard_ref"], row["code"]): chosen[row["name"]]
        for row in read_table("census.codes", "component_classes.csv")
        if row["name"] in chosen
    }


@cache
def _class_names() -> frozenset[str]:
    rows = read_table("census.codes", "component_classes.csv")
    aliases = (alias for row in rows for alias in row["aliases"].split(";"))
    return frozenset([*(row["name"] for row in rows), *aliases]) - {""}


def place_class_codes() -> tuple[str, ...]:
    """Return the class codes, of any standard, whose components may be places."""
    return tuple(sorted({code for _, code in place_classes()}))


def named_components(components: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a place for each name that components of the chosen classes bear.

    The name is an attribute of the class, or else the component's own name where it is not that of
    a class. Components of one class and name within `SAME_STOP_M` are one place, at the point of the
    one in their middle.
    """
    entries = [
        place_classes().get((standard, code))
        for standard, code in zip(components["standard_ref"], components["class_code"], strict=True)
    ]
    attributes = components["attributes"] if "attributes" in components else [None] * len(entries)
    names = [
        _name_of(entry, name, told)
        for entry, name, told in zip(entries, components["name"], attributes, strict=True)
    ]
    has_name = np.array([bool(name) for name in names], dtype=bool)
    if not has_name.any():
        return frame_of(
            {"kind": [], "name": []}, source="components", geometry=[], crs=components.crs
        )
    kept = components[has_name].assign(
        name=[name for name in names if name],
        category=[entry.name for entry, name in zip(entries, names, strict=True) if entry and name],
    )
    kept = kept.sort_values("code", kind="stable")
    groups = cluster(
        kept.assign(name=kept["name"] + "|" + kept["category"]), distance_m=SAME_STOP_M
    )
    middle = _middles(representative_points(kept.geometry), groups)
    heads = kept.iloc[middle]
    codes = kept["code"].astype(str).groupby(groups).agg(list)
    return frame_of(
        {
            "kind": "poi",
            "name": heads["name"].to_numpy(),
            "category": heads["category"].to_numpy(),
            "short_names": [
                _stop_names(name) if category in _STOPS else []
                for name, category in zip(heads["name"], heads["category"], strict=True)
            ],
            "other_sources": [[f"components:{code}" for code in each] for each in codes],
        },
        source="components",
        geometry=heads.geometry.to_numpy(),
        crs=components.crs,
    )


def _name_of(entry: PlaceClass | None, name: object, attributes: object) -> str:
    if entry is None:
        return ""
    told = attributes if isinstance(attributes, dict) else {}
    for text in (*(told.get(field) for field in entry.fields), name):
        if isinstance(text, str) and _is_name(text.strip()):
            plain = text.strip()
            is_whole = (
                not entry.ending or plain.endswith((entry.ending, "亭", "牌")) or plain.isascii()
            )
            return plain if is_whole else plain + entry.ending
    return ""


def _is_name(text: str) -> bool:
    """Tell whether a text names one component: it is no class and no number."""
    has_letters = sum(character.isalpha() for character in text) >= _LEAST_NAME
    return has_letters and text not in _class_names()


def _stop_names(name: str) -> list[str]:
    """Return what else callers say of a bus stop.

    Examples
    --------
    >>> _stop_names("人民医院站")
    ['人民医院公交站', '人民医院公交车站', '人民医院公交站牌']
    """
    if name.isascii():
        return []
    stem = name.removesuffix("站").removesuffix("公交").removesuffix("公交车")
    ways = [f"{stem}公交站", f"{stem}公交车站", f"{stem}公交站牌", f"{stem}站"]
    return [way for way in ways if way != name]


def _middles(points: gpd.GeoSeries, groups: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return, for each group in order, the row nearest to the median of the group's points."""
    xy = shapely.get_coordinates(points.to_numpy())
    table = pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1], "group": groups})
    middle = table.groupby("group")[["x", "y"]].transform("median")
    table["off"] = np.hypot(table["x"] - middle["x"], table["y"] - middle["y"])
    order = table.sort_values(["group", "off"], kind="stable").drop_duplicates("group")
    return np.asarray(order.index, dtype=np.intp)
