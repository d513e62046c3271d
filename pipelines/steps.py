"""The datasets as steps of a build: how each is judged, what it needs, which live rows it replaces."""

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from gis.builds import Scope
from gis.faults import Outcome
from pipelines import (
    areas,
    cases,
    components,
    evaluation_grids,
    grids,
    imagery,
    management_grids,
    units,
)
from pipelines.context import BuildContext
from pipelines.geocoding import step as geocoding
from pipelines.place_names import names as place_names
from pipelines.responsibility import intake as responsibility
from pipelines.topography import intake as topography

DISTRICT_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class Step:
    """One dataset of a build."""

    dataset: str
    judge: Callable[[pd.DataFrame, BuildContext], Outcome]
    """Delivered rows (none, if only the triggers were delivered) -> accepted and refused ones."""
    scope: Callable[[pd.DataFrame, BuildContext], Scope]
    """Accepted rows of the layers that replace -> live rows to close if they are not delivered."""
    inputs: tuple[str, ...] = ()
    """Datasets its rows are judged against: if one of them changes, it is judged again."""
    triggers: tuple[str, ...] = ()
    """Datasets whose delivery makes this one anew even if it is not delivered itself."""
    foresees: tuple[str, ...] = ()
    """Datasets judged after it that it sees as the delivery will leave them, with what they are judged against."""
    facts: Callable[[BuildContext], list[str]] | None = None
    """What else its rows are judged against, as texts: the part of a dataset that matters to it."""
    is_row_by_row: bool = False
    """Each delivered row is accepted or refused; else rows are joined, divided or made of others."""


def _everything(accepted: pd.DataFrame, context: BuildContext) -> Scope:
    del accepted, context
    return Scope.everything()


def _nothing(accepted: pd.DataFrame, context: BuildContext) -> Scope:
    """Add to what is live: images of other days stay."""
    del accepted, context
    return Scope.nothing()


def _districts(codes: "pd.Series[str]") -> tuple[str, ...]:
    """Return the district codes that codes begin with, sorted."""
    return tuple(sorted(codes.astype("str").str[:DISTRICT_DIGITS].unique()))


def _area_scope(accepted: pd.DataFrame, context: BuildContext) -> Scope:
    """Replace the delivered levels in the delivered districts."""
    del context
    return Scope.matching(
        "level", sorted(accepted["level"].unique()), code_prefix=_districts(accepted["code"])
    )


def _topography_scope(accepted: pd.DataFrame, context: BuildContext) -> Scope:
    """Replace the delivered feature classes."""
    del context
    return Scope.matching("feature_class", sorted(accepted["feature_class"].unique()))


def _grid_scope(accepted: pd.DataFrame, context: BuildContext) -> Scope:
    """Replace the grids of the communities delivered; divided ones are only added."""
    del context
    return Scope.matching("community_code", sorted(accepted["community_code"].unique()))


def _component_scope(accepted: pd.DataFrame, context: BuildContext) -> Scope:
    """Replace the delivered classes in the delivered districts."""
    del context
    return Scope.matching(
        "class_code",
        sorted(accepted["class_code"].unique()),
        code_prefix=_districts(accepted["code"]),
    )


def _place_name_scope(accepted: pd.DataFrame, context: BuildContext) -> Scope:
    """Replace the names of the sources delivered; those written on the map are read anew each time."""
    del context
    return Scope.matching("source", sorted({*accepted["source"], "map"}))


def judge_grids(frame: pd.DataFrame, context: BuildContext) -> Outcome:
    """Judge delivered grids, or else divide the communities that have none."""
    if context.delivery.layers_of(grids.DATASET):
        return grids.transform(gpd.GeoDataFrame(frame), context)
    return grids.divide_missing(context)


STEPS = (
    Step(dataset="areas", judge=areas.transform, scope=_area_scope, is_row_by_row=True),
    Step(
        dataset="topography",
        judge=topography.judge,
        scope=_topography_scope,
        inputs=("areas",),
    ),
    Step(
        dataset="unit_grids",
        judge=judge_grids,
        scope=_grid_scope,
        inputs=("areas", "topography"),
        triggers=("areas", "topography"),
        foresees=("units", "components"),
    ),
    Step(
        dataset="place_names",
        judge=place_names.transform,
        scope=_place_name_scope,
        inputs=("areas", "topography", "unit_grids"),
        triggers=("topography",),
    ),
    Step(
        dataset="units",
        judge=units.transform,
        scope=_everything,
        inputs=("areas",),
        is_row_by_row=True,
    ),
    Step(
        dataset="management_grids",
        judge=management_grids.transform,
        scope=management_grids.scope,
        inputs=("areas", "unit_grids", "units"),
        triggers=("unit_grids",),
    ),
    Step(
        dataset="evaluation_grids",
        judge=evaluation_grids.transform,
        scope=evaluation_grids.scope,
        inputs=("areas", "unit_grids", "units", "management_grids"),
        triggers=("unit_grids",),
    ),
    Step(
        dataset="responsibility",
        judge=responsibility.transform,
        scope=_everything,
        inputs=("areas", "topography", "unit_grids", "units", "management_grids"),
    ),
    Step(
        dataset="components",
        judge=components.transform,
        scope=_component_scope,
        inputs=("areas", "topography", "unit_grids", "units"),
        is_row_by_row=True,
    ),
    Step(
        dataset="addresses",
        judge=geocoding.judge,
        scope=geocoding.scope,
        inputs=("areas", "topography", "unit_grids", "place_names"),
        triggers=("areas", "topography", "place_names", "components"),
        facts=geocoding.facts,
    ),
    Step(dataset="cases", judge=cases.transform, scope=_everything),
    Step(
        dataset="imagery",
        judge=imagery.transform,
        scope=_nothing,
        inputs=("areas",),
        is_row_by_row=True,
    ),
)
"""All steps in the order in which they are built."""
