"""One place from several sources: which rows are the same place, what each source adds to it.

A place is the row of the first source that has it, in the order in which the sources are joined;
later ones add names, provenance, and their geometry where it says more (a line more than a point for
a street, an outline more than a point for a compound or a stretch of the city). Two rows are the same
place when their names are equal, their kinds are ones that sources use for one another
(`pipelines.geocoding.places.GROUP`), and they lie within the reach of their kind of each other. A
place name needs no equal kind: its tables tell kinds in another way.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from pipelines.geocoding.places import GROUP, LISTS, plain_names, plate_keys, union_lists

REACH_M = {"area": 0.0, "street": 1_000.0, "plate": 200.0, "site": 200.0}
"""Two rows of one name farther apart than this are two places."""
KEY = "_key"
"""Column with what two rows must share to be one place; made once, as rows are many."""
_GROWS = frozenset({"area", "street", "block", "zone"})
"""Kinds whose extent says more than the point somebody delivered."""
_PAIRS_AT_ONCE = 5_000_000


def join_source(places: gpd.GeoDataFrame, others: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the places with those of another source: joined where they are the same, else after them.

    Both are in the city's CRS with a fresh index; several rows of the other source may join one
    place, each joins one at most: the one of equal kind, the nearest, the first.
    """
    if len(others) == 0:
        return places
    others = others.assign(**{KEY: _keys(others)})
    if len(places) == 0:
        return others
    places = _keyed(places)
    pairs = same_places(places, others)
    grown = _with_names(places, others, pairs)
    grown = _with_shapes(grown, others, pairs)
    rest = np.setdiff1d(np.arange(len(others)), pairs["other"].to_numpy())
    return _stacked(grown, others.iloc[rest])


def _stacked(places: gpd.GeoDataFrame, others: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    parts = [part for part in (places, others) if len(part)]
    if not parts:
        return places
    whole = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    return gpd.GeoDataFrame(whole.reset_index(drop=True), geometry="geometry", crs=places.crs)


def same_places(places: gpd.GeoDataFrame, others: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return ``place`` and ``other``, the positions of rows that are the same place, by `other`."""
    other = _side(others, np.arange(len(others)), "other")
    rows = np.flatnonzero(places[KEY].isin(set(other["key"])).to_numpy())
    known = _side(places.iloc[rows], rows, "place")
    found = []
    for start in range(0, max(len(other), 1), 20_000):
        part = other.iloc[start : start + 20_000]
        pairs = part.merge(known, on="key", how="inner", validate="m:m")
        found.append(_near(pairs, places, others))
    whole = pd.concat(found, ignore_index=True)
    whole = whole.sort_values(["other", "is_other_kind", "distance_m", "place"], kind="stable")
    return whole.drop_duplicates("other")[["place", "other"]].reset_index(drop=True)


def _side(rows: gpd.GeoDataFrame, position: NDArray[np.intp], name: str) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "key": rows[KEY].to_numpy(dtype=object),
            name: position,
            f"group_{name}": rows["kind"].map(GROUP).to_numpy(dtype=object),
            f"source_{name}": rows["source"].to_numpy(dtype=object),
        }
    )
    return table[table["key"].notna()]


def _keyed(places: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    if KEY not in places:
        return places.assign(**{KEY: _keys(places)})
    unknown = places[KEY].isna().to_numpy()
    if unknown.any():
        keys = places[KEY].astype(object)
        keys[unknown] = _keys(places[unknown])
        return places.assign(**{KEY: keys})
    return places


def _keys(rows: gpd.GeoDataFrame) -> "pd.Series[str]":
    """Return the name, or of a plate what makes it this plate; the district is told by the distance."""
    keys = plain_names(rows["name"]).astype(object)
    is_plate = rows["kind"].eq("plate").to_numpy()
    if is_plate.any():
        plates = plate_keys(rows[is_plate].assign(district=None))
        keys[is_plate] = plates.fillna(keys[is_plate])
    return keys


def _near(pairs: pd.DataFrame, places: gpd.GeoDataFrame, others: gpd.GeoDataFrame) -> pd.DataFrame:
    is_other_kind = pairs["group_place"].ne(pairs["group_other"])
    is_named = pairs["source_other"].eq("place_names") | pairs["source_place"].eq("place_names")
    kept = pairs[~is_other_kind | is_named].assign(is_other_kind=is_other_kind)
    distance = np.empty(len(kept))
    for start in range(0, len(kept), _PAIRS_AT_ONCE):
        part = kept.iloc[start : start + _PAIRS_AT_ONCE]
        distance[start : start + len(part)] = shapely.distance(
            places.geometry.to_numpy()[part["place"].to_numpy()],
            others.geometry.to_numpy()[part["other"].to_numpy()],
        )
    reach = kept["group_place"].map(REACH_M).to_numpy(dtype=float)
    near = distance <= reach
    return kept.assign(distance_m=distance)[near]


def _with_names(
    places: gpd.GeoDataFrame, others: gpd.GeoDataFrame, pairs: pd.DataFrame
) -> gpd.GeoDataFrame:
    """Add the other rows' names and references; a delivered row keeps what it was before."""
    result = places.copy()
    columns = {name: result[name].tolist() for name in LISTS}
    as_delivered = result["as_delivered"].tolist()
    names, sources = result["name"].tolist(), result["source"].tolist()
    added = {name: others[name].tolist() for name in columns}
    for place, other in pairs.itertuples(index=False, name=None):
        for name, values in columns.items():
            whole = union_lists(values[place], added[name][other], but=names[place])
            if whole == values[place]:
                continue
            if sources[place] == "addresses":
                as_delivered[place] = {name: values[place]} | as_delivered[place]
            values[place] = whole
    for name, values in {**columns, "as_delivered": as_delivered}.items():
        result[name] = pd.Series(values, index=result.index, dtype=object)
    return result


def _with_shapes(
    places: gpd.GeoDataFrame, others: gpd.GeoDataFrame, pairs: pd.DataFrame
) -> gpd.GeoDataFrame:
    """Give a street its line, and a compound or stretch of the city its outline, where a point was."""
    place, other = pairs["place"].to_numpy(), pairs["other"].to_numpy()
    shapes, theirs = places.geometry.to_numpy().copy(), others.geometry.to_numpy()
    grows = places["kind"].isin(_GROWS).to_numpy()[place]
    grows &= shapely.get_dimensions(theirs[other]) > shapely.get_dimensions(shapes[place])
    changed, first = np.unique(place[grows], return_index=True)
    if len(changed) == 0:
        return places
    result = places.copy()
    as_delivered = result["as_delivered"].tolist()
    is_delivered = result["source"].eq("addresses").to_numpy()
    for row in changed[is_delivered[changed]].tolist():
        kept = {"geometry": shapely.to_wkb(shapes[row], hex=True)}
        as_delivered[row] = kept | as_delivered[row]
    shapes[changed] = theirs[other[grows][first]]
    result["as_delivered"] = pd.Series(as_delivered, index=result.index, dtype=object)
    result["geometry"] = gpd.GeoSeries(shapes, index=result.index, crs=places.crs)
    return result


def separated(places: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return delivered places as they were before other sources were joined to them."""
    changed = np.flatnonzero(places["as_delivered"].map(bool).to_numpy())
    if len(changed) == 0:
        return places
    result = places.copy()
    columns = {name: result[name].tolist() for name in (*LISTS, "as_delivered")}
    shapes = result.geometry.to_numpy().copy()
    for row in changed.tolist():
        kept = columns["as_delivered"][row]
        columns["as_delivered"][row] = {}
        for name in LISTS:
            columns[name][row] = list(kept.get(name, columns[name][row]))
        if "geometry" in kept:
            shapes[row] = shapely.from_wkb(kept["geometry"])
    for name, values in columns.items():
        result[name] = pd.Series(values, index=result.index, dtype=object)
    result["geometry"] = gpd.GeoSeries(shapes, index=result.index, crs=places.crs)
    return result
