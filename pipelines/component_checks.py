"""Components beside what is there: grids, areas, ground, and the components that are live."""

from dataclasses import dataclass
from functools import partial

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from census.density import judge_density
from census.duplicates import judge_against_live, judge_neighbours
from census.history import judge_completeness, judge_counts, judge_same_codes
from census.identifiers import DISTRICT_DIGITS
from census.positions import judge_communities, judge_grids, judge_moves
from census.shapes import judge_precision
from census.surroundings import judge_surroundings
from gis.codes import Rule
from gis.faults import Faults
from pipelines.context import BuildContext
from pipelines.numbering import coordinates
from pipelines.placement import Placement

DATASET = "components"
_GROUND_RULES = ("C025", "C026")
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Places:
    """Rows with what was found of their places."""

    rows: gpd.GeoDataFrame
    """Sound rows with ``code`` and the class decided, in the city's CRS."""
    where: Placement
    points: Floats
    """Representative points, m."""


def judge_places(
    rows: gpd.GeoDataFrame,
    faults: Faults,
    *,
    where: Placement,
    context: BuildContext,
    rules: dict[str, Rule],
) -> None:
    """Report what is odd about the places of components, and about the delivery beside what is live.

    Corrected rows that are judged alone say nothing of a delivery as a whole.

    Parameters
    ----------
    rows : geopandas.GeoDataFrame
        Sound rows with ``code`` and the class decided, in the city's CRS.
    faults : Faults
        Gets C008, C013, C017, C018, C021, C022, C025-C037 and C090-C094.
    where : Placement
        Grid, community and area of each row.
    context : BuildContext
        Grids, areas, base map and live components.
    rules : dict
        Rules with the city's severities; the base map is not read when nobody asks for it.
    """
    places = Places(rows=rows, where=where, points=coordinates(rows))
    census, areas, grids = (
        context.profile.census,
        context.features("areas"),
        context.features("unit_grids"),
    )
    faults.add("C022", where.area_code.isna() & (len(areas) > 0))
    judge_grids(rows, faults, actual=where.grid_code, grids=grids)
    judge_communities(rows, faults, actual=where.community_code, areas=areas)
    judge_neighbours(
        rows,
        faults,
        points=places.points,
        distance_m=context.profile.thresholds.duplicate_distance_m,
        stack_size=census.stack_size,
    )
    if any(rules[rule].severity != "off" for rule in _GROUND_RULES):
        ground = context.features("topography")
        judge_surroundings(rows, faults, points=places.points, ground=ground)
    _judge_live(places, faults, context=context)
    if context.corrects is None:
        to_degrees = partial(_to_degrees, crs=context.crs.crs)
        judge_precision(rows, faults, to_degrees=to_degrees, share=census.lattice_share)
        judge_density(rows, faults, grid=where.grid_code, grids=grids, score=census.density_score)


def _judge_live(places: Places, faults: Faults, *, context: BuildContext) -> None:
    live = context.features(DATASET)
    if len(live) == 0 or len(places.rows) == 0:
        return
    rows, census = places.rows, context.profile.census
    judge_same_codes(rows, faults, live=live)
    judge_moves(rows, faults, before=live, recode_distance_m=census.recode_distance_m)
    at = coordinates(live)
    replaced = _replaced(rows, live, context)
    known = pd.DataFrame(
        {
            "code": live["code"],
            "class_code": live["class_code"],
            "x": at[:, 0],
            "y": at[:, 1],
            "is_replaced": replaced,
        }
    )
    distance_m = context.profile.thresholds.duplicate_distance_m
    judge_against_live(rows, faults, points=places.points, live=known, distance_m=distance_m)
    if context.corrects is None and replaced.any():
        own = live[replaced]
        judge_completeness(rows, faults, live=own, drop=census.completeness_drop)
        placed = rows.assign(community_code=places.where.community_code)
        judge_counts(placed, faults, live=own, change=census.count_change)


def _replaced(rows: pd.DataFrame, live: pd.DataFrame, context: BuildContext) -> "pd.Series[bool]":
    """Tell which live components the delivery stands for: its classes in its districts, see `steps`."""
    replacing = rows if context.corrects is None else rows.iloc[:0]
    replacing = replacing_rows(replacing, context, DATASET)
    district = live["code"].astype("str").str[:DISTRICT_DIGITS]
    return live["class_code"].isin(replacing["class_code"].unique()) & district.isin(
        replacing["code"].astype("str").str[:DISTRICT_DIGITS].unique()
    )


def replacing_rows(rows: pd.DataFrame, context: BuildContext, dataset: str) -> pd.DataFrame:
    """Return the rows of layers that replace; those of layers that update close nothing."""
    updating = {
        context.delivery.source_name(layer, path)
        for layer in context.delivery.layers_of(dataset)
        if layer.mode == "update"
        for path in layer.files
    }
    return rows[~rows["source_file"].isin(updating)] if updating else rows


def _to_degrees(points: Floats, *, crs: CRS) -> Floats:
    """Return longitude and latitude of points in metres, on the CRS's own ellipsoid."""
    back = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    return np.column_stack(back.transform(points[:, 0], points[:, 1]))
