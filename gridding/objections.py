"""What stands against an edit of unit grids: faults and doubts that it brings in, and where."""

from collections.abc import Collection, Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.builds import live
from gis.database import Database
from gis.workspace import Profile
from gridding.checks import CheckOptions, Surroundings, check_layer
from gridding.faultlayer import places_of
from gridding.patching import Geometries
from gridding.proposal import Proposal

COLUMNS = ("rule", "severity", "code", "x", "y", "reason_en", "reason_zh", "fix_en", "fix_zh")
_STRICT = frozenset({"UG05", "UG07", "UG08", "UG09", "UG10", "UG11", "UG18", "UG20", "UG28"})
"""Rules of the coverage that an edit may not break anew, though a delivery may."""
_COUNTED = frozenset({"UG30"})
"""Rules told once for a layer, with a count that any edit changes."""


def find_objections(
    proposal: Proposal,
    communities: gpd.GeoDataFrame,
    *,
    database: Database,
    profile: Profile,
) -> gpd.GeoDataFrame:
    """Return what the edit brings in; what was amiss before stands not against it.

    Only the communities that the edit touches are looked at. Severity ``error`` is what refuses the
    edit: errors of the check, and all that breaks the coverage. The rest are warnings: a building cut, a
    component on a border, a grid too small or large.

    Parameters
    ----------
    proposal : Proposal
        Live and edited layer, in the city's CRS.
    communities : geopandas.GeoDataFrame
        Live communities 社区: ``code`` and ``geometry``.
    database : Database
        Gives topography and components.
    profile : Profile
        Length of codes and target.

    Returns
    -------
    geopandas.GeoDataFrame
        `COLUMNS`, with a point of each place (m) and its ``geometry``; errors first.
    """
    old, new = proposal.old, proposal.new
    homes = set(old.loc[old["code"].isin(proposal.touched), "community_code"])
    changed = ~new["code"].isin(old["code"]) | new["code"].isin(proposal.touched)
    homes |= set(new.loc[changed, "community_code"])
    if not homes:
        empty = {name: pd.Series(dtype=object) for name in COLUMNS}
        return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=old.crs))
    land = communities[communities["code"].isin(homes)]
    reach = shapely.union_all(land.geometry.to_numpy())
    features, components = (
        _within(gpd.GeoDataFrame(live(database, name, columns=columns)), reach)
        for name, columns in (
            ("topography", ["code", "feature_class", "geometry"]),
            ("components", ["code", "geometry"]),
        )
    )
    options = CheckOptions(
        code_length=profile.grid_code_length, target_m2=profile.thresholds.grid_target_m2
    )
    found = []
    for layer in (old, new):
        # Those outside all communities, too: their home is one that is not there.
        rows = _within(layer[["code", "community_code", "geometry"]], reach, homes=homes)
        around = communities[communities["code"].isin(set(rows["community_code"]) | homes)]
        surroundings = Surroundings(
            communities=gpd.GeoDataFrame(around.reset_index(drop=True)),
            features=None if features.empty else features,
            components=None if components.empty else components,
        )
        found.append(check_layer(rows, around=surroundings, options=options).faults)
    return _fresh(*found)


def _within(
    rows: pd.DataFrame, reach: shapely.Geometry, *, homes: Collection[str] = ()
) -> gpd.GeoDataFrame:
    shapely.prepare(reach)
    near = shapely.intersects(reach, np.asarray(rows["geometry"], dtype=object))
    if homes:
        near |= rows["community_code"].isin(homes).to_numpy()
    return gpd.GeoDataFrame(rows[near].reset_index(drop=True))


def _fresh(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the faults of the edited layer that the live one does not have."""
    known = set(_keys(before))
    fresh = [key not in known for key in _keys(after)]
    told = after[np.array(fresh, dtype=np.bool_) & after["severity"].ne("note").to_numpy()]
    spots: Geometries = places_of(told.geometry.to_numpy())
    told = told.assign(
        severity=told["severity"].where(~told["rule"].isin(_STRICT), "error"),
        x=np.round(shapely.get_x(spots), 2),
        y=np.round(shapely.get_y(spots), 2),
    )
    told = told.sort_values("severity", kind="stable").reset_index(drop=True)
    return gpd.GeoDataFrame(told[[*COLUMNS, "geometry"]])


def _keys(faults: gpd.GeoDataFrame) -> Iterator[tuple[str, str]]:
    """Yield what makes a fault the same in both layers."""
    for rule, reason in zip(faults["rule"], faults["reason_en"], strict=True):
        yield rule, "" if rule in _COUNTED else reason
