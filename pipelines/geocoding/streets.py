"""Streets 街巷 from the base topography: the stretches of one name joined, far ones told apart."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from pipelines.geocoding.places import frame_of, plain_names

SEPARATE_M = 1_000.0
"""Stretches of one name farther apart than this are two streets."""
Geometries = NDArray[np.object_]


def join_streets(features: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return one place per street: stretches of a name that lie within `SEPARATE_M` of each other.

    Lines are taken before outlines: a road drawn by its kerbs is a street where no centreline of
    its name is near. What has no length and no area is left out.

    Parameters
    ----------
    features : geopandas.GeoDataFrame
        Named features of kind street: ``code``, ``name``, geometry in metres.

    Returns
    -------
    GeoDataFrame
        Places, sorted by name and lowest feature code.
    """
    real = features[(features.geometry.length > 0) & ~features.geometry.is_empty]
    real = real.sort_values("code", kind="stable")
    groups = cluster(real, distance_m=SEPARATE_M)
    is_line = shapely.get_dimensions(real.geometry.to_numpy()) == 1
    has_line = pd.Series(is_line).groupby(groups).transform("any").to_numpy(dtype=bool)
    kept = is_line | ~has_line
    return joined(real[kept], groups[kept], kind="street")


def cluster(features: gpd.GeoDataFrame, *, distance_m: float) -> NDArray[np.int64]:
    """Return a number for each feature: the same for those of one name that a chain of gaps joins.

    Gaps are at most `distance_m` long; names are compared as `plain_names`.
    """
    names, _ = pd.factorize(plain_names(features["name"]))
    shapes = features.geometry.to_numpy()
    order = np.argsort(names, kind="stable")
    starts = np.flatnonzero(np.diff(names[order], prepend=-2))
    first, second = [], []
    for rows in np.split(order, starts[1:]):
        if len(rows) < 2:
            continue
        one, two = shapely.STRtree(shapes[rows]).query(
            shapes[rows], predicate="dwithin", distance=distance_m
        )
        first.append(rows[one])
        second.append(rows[two])
    if not first:
        return np.arange(len(features), dtype=np.int64)
    one, two = np.concatenate(first), np.concatenate(second)
    links = coo_matrix((np.ones(len(one)), (one, two)), shape=(len(features),) * 2)
    _, numbers = connected_components(links, directed=False)
    return np.asarray(numbers, dtype=np.int64)


def joined(features: gpd.GeoDataFrame, groups: NDArray[np.int64], *, kind: str) -> gpd.GeoDataFrame:
    """Return one place per group, made of the geometry of all of it, by name and lowest code.

    All features it is made of are named as its sources, so that it is known again by any of them.
    """
    frame = pd.DataFrame(
        {
            "group": groups,
            "name": features["name"].to_numpy(),
            "code": features["code"].to_numpy(),
            "shape": features.geometry.to_numpy(),
        }
    ).sort_values(["group", "code"], kind="stable")
    heads = frame.drop_duplicates("group")
    cuts = np.flatnonzero(frame["group"].diff().to_numpy()[1:]) + 1
    parts = np.split(frame["shape"].to_numpy(), cuts)
    shapes = [_united(part) for part in parts] if len(frame) else []
    codes = np.split(frame["code"].to_numpy(), cuts) if len(frame) else []
    table = pd.DataFrame({"name": heads["name"].to_numpy(), "code": heads["code"].to_numpy()})
    order = table.sort_values(["name", "code"], kind="stable").index
    table = table.loc[order]
    return frame_of(
        {
            "kind": kind,
            "name": table["name"].to_numpy(),
            "other_sources": [[f"topography:{code}" for code in codes[group]] for group in order],
        },
        source="topography",
        geometry=np.array([*shapes, None], dtype=object)[:-1][order],
        crs=features.crs,
    )


def _united(shapes: Geometries) -> shapely.Geometry:
    if len(shapes) == 1:
        return shapes[0]
    whole = shapely.union_all(shapes)
    return shapely.line_merge(whole) if shapely.get_dimensions(whole) == 1 else whole
