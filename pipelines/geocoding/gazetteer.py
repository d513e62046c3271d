"""The geocoding database: delivered addresses and the places that the other databases name, each once."""

from collections.abc import Sequence

import geopandas as gpd
import pandas as pd

from pipelines.context import BuildContext
from pipelines.geocoding.codes import give_codes
from pipelines.geocoding.compounds import member_compounds
from pipelines.geocoding.crossings import crossing_places
from pipelines.geocoding.features import kinds_of, named_places
from pipelines.geocoding.joining import join_source, separated
from pipelines.geocoding.named_areas import area_places, is_real, name_places
from pipelines.geocoding.named_components import named_components, place_class_codes
from pipelines.geocoding.places import (
    AREA_LEVELS,
    LISTS,
    PLACE_COLUMNS,
    complete,
    frame_of,
    union_lists,
    with_columns,
)
from pipelines.geocoding.plates import member_plates
from pipelines.geocoding.short_names import Places, short_names
from pipelines.placement import chain_names, place
from pipelines.topography.network import BRIDGE_PREFIXES

DELIVERED = "addresses"
DERIVED = ("areas", "topography", "place_names", "components", "members")
"""Sources of places that nobody delivered as such."""
_JOINED = ("areas", "topography", "components", "place_names")


def build_places(
    context: BuildContext,
    *,
    delivered: gpd.GeoDataFrame | None = None,
    live: pd.DataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Return all places: the delivered ones first, in their order, then the derived ones by code.

    Parameters
    ----------
    context : BuildContext
        Areas, topography, place names, components and grids as they will hold.
    delivered : geopandas.GeoDataFrame
        Delivered places that will hold, as `pipelines.geocoding.addresses.transform` makes them.
    live : pandas.DataFrame
        Derived places that are live, for their codes.

    Returns
    -------
    GeoDataFrame
        `pipelines.geocoding.places.PLACE_COLUMNS` in the city's CRS, a fresh index.
    """
    crs = context.crs.crs
    own = _empty(context) if delivered is None else separated(delivered.reset_index(drop=True))
    places = gpd.GeoDataFrame(with_columns(own), geometry="geometry", crs=crs)
    before = live if live is not None else pd.DataFrame({"code": [], "other_sources": []})
    count = len(places)
    for source in _JOINED:
        others = _of_source(source, context)
        places = join_source(places, others[is_real(others)].reset_index(drop=True))
    places = _settled(places, count, context, before)
    crossings = _crossings(places, context)
    places = join_source(places, crossings)
    plates = member_plates(places[:count])
    compounds = member_compounds(places[:count], places)
    first = places["code"].isna() | ~places["code"].isin(crossings["code"])
    rest = gpd.GeoDataFrame(
        pd.concat([places[~first], plates, compounds], ignore_index=True), crs=crs
    )
    rest = _settled(rest, 0, context, before.iloc[:0])
    derived = pd.concat([places[first].iloc[count:], rest], ignore_index=True)
    derived = derived.sort_values("code", ignore_index=True)
    whole = pd.concat([places.iloc[:count], derived], ignore_index=True)
    return gpd.GeoDataFrame(whole[list(PLACE_COLUMNS)], geometry="geometry", crs=crs)


def _empty(context: BuildContext) -> gpd.GeoDataFrame:
    return frame_of({"kind": [], "name": []}, source=DELIVERED, geometry=[], crs=context.crs.crs)


def _of_source(source: str, context: BuildContext) -> gpd.GeoDataFrame:
    if source == "areas":
        had = context.references.names_had()
        return area_places(context.features("areas"), former=had)
    if source == "topography":
        return named_places(context.features("topography"))
    if source == "components":
        return named_components(place_components(context))
    return name_places(context.features("place_names"))


def place_components(context: BuildContext) -> gpd.GeoDataFrame:
    """Return the components of classes that people name."""
    rows = context.references.part("components", "class_code", place_class_codes())
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=context.crs.crs)


def _crossings(places: gpd.GeoDataFrame, context: BuildContext) -> gpd.GeoDataFrame:
    features = context.features("topography")
    is_bridge = features["feature_class"].astype(str).str.startswith(BRIDGE_PREFIXES).to_numpy()
    chosen = features[kinds_of(features).eq("street").to_numpy() | is_bridge]
    streets = places[places["kind"].eq("street").to_numpy()]
    return crossing_places(chosen, streets)


def _settled(
    places: gpd.GeoDataFrame, count: int, context: BuildContext, live: pd.DataFrame
) -> gpd.GeoDataFrame:
    """Fill place, levels, short names and codes of all rows but the first `count`, delivered ones."""
    derived = locate(places.iloc[count:].reset_index(drop=True), context)
    derived = give_codes(derived, live)
    made = short_names(derived["name"], derived["kind"], words=Places.of(context))
    derived["short_names"] = [
        union_lists(union_lists(own, more), (), but=name)
        for own, more, name in zip(derived["short_names"], made, derived["name"], strict=True)
    ]
    whole = pd.concat([places.iloc[:count], complete(derived)], ignore_index=True)
    return gpd.GeoDataFrame(whole, geometry="geometry", crs=context.crs.crs)


def locate(places: gpd.GeoDataFrame, context: BuildContext) -> gpd.GeoDataFrame:
    """Fill community, grid and the names of the areas around; a street is said by its district alone."""
    where = place(places.geometry, context)
    codes = places["code"].astype(object)
    is_area = codes.str.startswith("area:").eq(True)
    own = codes.str.removeprefix("area:")
    area_code = own.where(is_area, where.area_code)
    chain = chain_names(area_code, context)
    chain.loc[places["kind"].eq("street"), ["street", "community"]] = None
    result = places.copy()
    for level in AREA_LEVELS:
        result[level] = result[level].fillna(chain[level])
    result["community_code"] = where.community_code.mask(is_area, own.where(own.str.len() == 12))
    result["grid_code"] = where.grid_code.mask(is_area, None)
    return result


def changed_rows(places: gpd.GeoDataFrame, live: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which delivered places differ from their live rows by what other sources add to them.

    Parameters
    ----------
    places, live : pandas.DataFrame
        The same places in the same order.
    """
    result = pd.Series(False, index=places.index)
    columns: Sequence[str] = (*LISTS, "as_delivered")
    for column in columns:
        pairs = zip(places[column], live[column], strict=True)
        result |= pd.Series([one != other for one, other in pairs], index=places.index)
    same = places.geometry.reset_index(drop=True).geom_equals_exact(
        gpd.GeoSeries(live["geometry"].to_numpy(), crs=places.crs), 0.0
    )
    return result | ~same.to_numpy()
