"""The geocoding database as a step of a build: delivered addresses judged, other sources joined."""

from hashlib import sha256

import geopandas as gpd
import pandas as pd
import shapely

from gis.builds import Scope
from gis.faults import Outcome
from pipelines.context import BuildContext
from pipelines.geocoding import addresses
from pipelines.geocoding.gazetteer import (
    DELIVERED,
    DERIVED,
    build_places,
    changed_rows,
    place_components,
)
from pipelines.geocoding.likeness import check_sources
from pipelines.geocoding.named_components import named_components
from pipelines.geocoding.places import PLACE_COLUMNS
from pipelines.geocoding.plate_checks import check_plates


def judge(frame: pd.DataFrame, context: BuildContext) -> Outcome:
    """Judge delivered addresses, and make one place of what they and the other databases name.

    Live delivered places that are not delivered again are part of the answer where a change of
    another database changes them: a name that was added or taken away, a line instead of a point.
    """
    outcome = addresses.transform(gpd.GeoDataFrame(frame), context)
    accepted = outcome.accepted
    standing = _standing(accepted, outcome, context)
    known = pd.concat([accepted, standing[list(PLACE_COLUMNS)]], ignore_index=True)
    delivered = gpd.GeoDataFrame(known, geometry="geometry", crs=context.crs.crs)
    live = context.references.part(addresses.DATASET, "source", DERIVED)
    places = build_places(context, delivered=delivered, live=live)
    count = len(accepted)
    still = places.iloc[count : len(known)]
    is_changed = changed_rows(still, standing)
    kept = [places.iloc[:count], still[is_changed.to_numpy()], places.iloc[len(known) :]]
    whole = gpd.GeoDataFrame(
        pd.concat(kept, ignore_index=True), geometry="geometry", crs=context.crs.crs
    )
    own = places.iloc[:count].set_axis(accepted.index)
    doubts = [
        check_plates(own, places, frame=frame),
        check_sources(own, places.iloc[len(known) :], frame=frame),
    ]
    return Outcome(accepted=whole, faults=_joined(outcome.faults, *doubts))


def _standing(
    accepted: gpd.GeoDataFrame, outcome: Outcome, context: BuildContext
) -> gpd.GeoDataFrame:
    """Return the live delivered places that stay: refused now, or not among what is delivered whole."""
    live = context.references.part(addresses.DATASET, "source", [DELIVERED])
    if _replaces(context):
        errors = outcome.faults[outcome.faults["severity"] == "error"]
        live = live[live["code"].isin(errors["code"].dropna().astype(str))]
    rest = live[~live["code"].isin(accepted["code"])].reset_index(drop=True)
    return gpd.GeoDataFrame(rest, geometry="geometry", crs=context.crs.crs)


def _replaces(context: BuildContext) -> bool:
    return any(layer.mode == "replace" for layer in context.delivery.layers_of(addresses.DATASET))


def _joined(faults: pd.DataFrame, *doubts: pd.DataFrame) -> pd.DataFrame:
    parts = [part for part in (faults, *doubts) if len(part)]
    if not parts:
        return faults
    whole = pd.concat(parts, ignore_index=True)
    order = ["source_file", "source_row", "rule"]
    return whole.sort_values(order, kind="stable", ignore_index=True)


def scope(accepted: pd.DataFrame, context: BuildContext) -> Scope:
    """Replace all derived places, and the delivered ones if addresses were delivered whole."""
    del accepted
    return Scope.matching("source", [*DERIVED, *([DELIVERED] if _replaces(context) else [])])


def facts(context: BuildContext) -> list[str]:
    """Return a hash of the places that components name: other components bring about no new ones.

    What is hashed is made of the rows, not the rows: judged ones and the same rows read back from the
    database differ in the order of their attributes.
    """
    places = named_components(place_components(context))
    digest = sha256()
    for name in ("name", "category", "other_sources"):
        digest.update(repr(places[name].tolist()).encode())
    digest.update(b"".join(shapely.to_wkb(shapely.force_2d(places.geometry.to_numpy()))))
    return [f"components={digest.hexdigest()}"]
