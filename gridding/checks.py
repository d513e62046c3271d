"""Checks of a layer of unit grids, ours or a contractor's: what is wrong, where, and the figures.

Each check is a function of ``gridding.inspection`` over all grids at once. Matching edges are found for
the whole layer in one pass (`shapely.coverage_invalid_edges`); overlays, which cost most, are made only
for grids whose edges do not match.
"""

from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.faults import Faults
from gridding.inspection.borders import find_mismatched, find_missing_vertices, find_overlaps
from gridding.inspection.codes import find_codes, find_unused_numbers
from gridding.inspection.contents import Load, buildings_of, find_cut_buildings, find_load
from gridding.inspection.findings import RULES, Findings
from gridding.inspection.land import find_gaps, find_overhang
from gridding.inspection.layer import (
    CheckOptions,
    GridLayer,
    Indices,
    Surroundings,
    make_layer,
)
from gridding.inspection.shapes import (
    find_loose_vertices,
    find_parts,
    find_rings,
    find_spikes,
    find_unusable,
)
from gridding.inspection.spread import find_sizes

__all__ = [
    "RULES",
    "CheckOptions",
    "Figures",
    "Review",
    "Surroundings",
    "check_coverage",
    "check_layer",
    "judge_codes",
    "judge_layer",
]

Verdict = Literal["sound", "doubtful", "faulty"]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Figures of a layer of unit grids; None where there was nothing to measure it by."""

    grids: int
    communities: int
    """Communities that have grids in the layer."""
    area_km2: float
    median_m2: float
    lower_quartile_m2: float
    upper_quartile_m2: float
    smallest_m2: float
    largest_m2: float
    share_within: float | None
    """Share of grids within the window of area (0.5-1.5 of the target by default); grids that water or
    vegetation may make larger do not count."""
    share_near: float | None
    """Share of them within 0.7-1.3 of the target."""
    compactness: float
    """Median of 4 π area / perimeter²: 0.785 for a square."""
    compactness_low: float
    """The tenth part of the grids is below this."""
    vertices: float
    """Mean number of vertices of a grid."""
    loose_share: float
    """Share of vertices off the precision grid."""
    gap_m2: float
    overlap_m2: float
    buildings: int | None
    buildings_cut: int | None
    """Buildings cut inside a community."""
    components: int | None
    components_mean: float | None
    """Mean number of components of a grid."""
    components_cv: float | None
    """Their standard deviation by the mean 负载离散系数: 0 when all grids hold as many."""
    components_most: int | None
    near_border_share: float | None
    """Share of point components nearer to a border than the clearance."""


@dataclass(frozen=True, kw_only=True)
class Review:
    """What the check of a layer found."""

    faults: gpd.GeoDataFrame
    """One row per fault, `gridding.inspection.findings.COLUMNS`; ``geometry`` is where it is."""
    figures: Figures
    options: CheckOptions
    grids: gpd.GeoDataFrame
    """The grids with a polygon: ``code``, ``community_code`` and ``geometry``, mended."""

    @property
    def verdict(self) -> Verdict:
        """``faulty``: there are errors; ``doubtful``: warnings; ``sound``: neither."""
        found = set(self.faults["severity"])
        return "faulty" if "error" in found else "doubtful" if "warning" in found else "sound"

    def count(self, severity: str) -> int:
        """Return the number of faults of a severity."""
        return int((self.faults["severity"] == severity).sum())


def check_layer(
    grids: gpd.GeoDataFrame,
    *,
    around: Surroundings | None = None,
    options: CheckOptions | None = None,
) -> Review:
    """Check a whole layer of unit grids.

    Parameters
    ----------
    grids : geopandas.GeoDataFrame
        ``geometry`` in a metric CRS, ``code``; ``source_file`` and ``source_row`` where it was delivered.
    around : Surroundings or None
        Communities, topography, components and retired codes, same CRS; what is missing is not checked.
    options : CheckOptions or None
        What the layer is measured by.

    Raises
    ------
    CrsError
        Grids and communities are in different CRS, or the grids are in degrees.

    Examples
    --------
    >>> squares = [shapely.box(x, 0, x + 100, 100) for x in (0, 90)]
    >>> grids = gpd.GeoDataFrame({"code": ["130102001001001", "130102001001002"]}, geometry=squares)
    >>> review = check_layer(grids)
    >>> review.verdict, review.faults["reason_en"].tolist()
    ('faulty', ['Grids 130102001001001 and 130102001001002 overlap by 1000.0 m².'])
    """
    around, options = around or Surroundings(), options or CheckOptions()
    layer = make_layer(grids, around.communities)
    findings = Findings(label=layer.label, shapes=layer.shapes)
    find_codes(layer, findings, around=around, options=options)
    find_unused_numbers(layer, findings, around=around, options=options)
    find_unusable(layer, findings)
    find_spikes(layer, findings)
    loose = find_loose_vertices(layer, findings, options=options)
    gap_m2, overlap_m2 = _find_coverage(layer, findings, around=around, options=options)
    open_land = find_sizes(layer, findings, features=around.features, options=options)
    buildings = _find_buildings(layer, findings, around.features)
    load = (
        None
        if around.components is None
        else find_load(layer, findings, components=around.components, options=options)
    )
    measured = {"gap_m2": gap_m2, "overlap_m2": overlap_m2, "loose_share": loose}
    return Review(
        faults=findings.table(layer.frame, layer.home),
        figures=_figures(
            layer, options, open_land, measured=measured, buildings=buildings, load=load
        ),
        options=options,
        grids=_drawn(layer),
    )


def check_coverage(
    grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame, *, code_length: int = 15
) -> pd.DataFrame:
    """Return the faults of a layer of unit grids held against its communities alone.

    Codes, shapes, coverage and communities are judged, sizes are not: ``rule``, ``severity``, ``code``,
    ``source_row``, ``reason_en``, ``reason_zh`` and ``geometry``, where it is, among others.

    Parameters
    ----------
    grids : geopandas.GeoDataFrame
        ``code`` and ``geometry``; ``source_file`` and ``source_row`` where it was delivered.
    communities : geopandas.GeoDataFrame
        ``code`` (12 digits) and ``geometry``, same CRS.
    code_length : int
        Digits of a grid code, 14 or 15.

    Raises
    ------
    CrsError
        The two are in different CRS.
    """
    around = Surroundings(communities=communities)
    options = CheckOptions(code_length=code_length)
    layer = make_layer(grids, communities)
    findings = Findings(label=layer.label, shapes=layer.shapes)
    find_codes(layer, findings, around=around, options=options)
    find_unusable(layer, findings)
    _find_coverage(layer, findings, around=around, options=options)
    return findings.table(layer.frame, layer.home)


def judge_codes(
    faults: Faults,
    code: "pd.Series[str]",
    *,
    code_length: int,
    communities: gpd.GeoDataFrame,
) -> None:
    """Judge that every code is there, has its digits, is used once and begins with a community."""
    rows = faults.frame
    place = [None] * len(rows)
    named = gpd.GeoDataFrame(
        {"code": code, "source_file": rows["source_file"], "source_row": rows["source_row"]},
        geometry=gpd.GeoSeries(place, index=rows.index, crs=communities.crs),
    )
    layer = make_layer(named, communities)
    findings = Findings(label=layer.label, shapes=layer.shapes)
    around = Surroundings(communities=communities)
    find_codes(layer, findings, around=around, options=CheckOptions(code_length=code_length))
    findings.report(faults, rows.index)


def judge_layer(
    faults: Faults, grids: gpd.GeoDataFrame, *, communities: gpd.GeoDataFrame
) -> "pd.Series[bool]":
    """Judge shapes, borders and communities of a delivered layer; return which grids may be loaded.

    Grids that lie mostly outside their community are refused first, and judged no further.

    Parameters
    ----------
    faults : Faults
        Faults of the delivered frame, whose index that of `grids` is part of.
    grids : geopandas.GeoDataFrame
        ``code``, ``source_file``, ``source_row`` and valid polygons.
    communities : geopandas.GeoDataFrame
        ``code`` and ``geometry``, same CRS.
    """
    first = make_layer(grids, communities)
    findings = Findings(label=first.label, shapes=first.shapes)
    find_overhang(first, findings, communities=communities)
    findings.report(faults, grids.index)
    rows = grids[~faults.refused.reindex(grids.index)]
    layer = make_layer(rows, communities)
    findings = Findings(label=layer.label, shapes=layer.shapes)
    _find_coverage(
        layer,
        findings,
        around=Surroundings(communities=communities),
        options=CheckOptions(),
        is_judged=True,
    )
    findings.report(faults, rows.index)
    return ~faults.refused.reindex(grids.index)


def _find_coverage(
    layer: GridLayer,
    findings: Findings,
    *,
    around: Surroundings,
    options: CheckOptions,
    is_judged: bool = False,
) -> tuple[float, float]:
    """Run the checks of shapes, communities and borders; return the areas of gaps and overlaps."""
    communities = around.communities
    find_parts(layer, findings, options=options)
    find_rings(layer, findings)
    if not is_judged:
        find_overhang(layer, findings, communities=communities)
    edges = find_mismatched(layer)
    gap_m2 = find_gaps(layer, findings, communities=communities, edges=edges, options=options)
    overlap_m2 = find_overlaps(layer, findings, edges=edges)
    find_missing_vertices(layer, findings, edges=edges)
    return gap_m2, overlap_m2


def _find_buildings(
    layer: GridLayer, findings: Findings, features: gpd.GeoDataFrame | None
) -> tuple[int, int] | None:
    if features is None:
        return None
    return find_cut_buildings(layer, findings, buildings=buildings_of(features))


def _drawn(layer: GridLayer) -> gpd.GeoDataFrame:
    rows = layer.rows
    columns = {"code": layer.label[rows], "community_code": layer.home[rows]}
    return gpd.GeoDataFrame(columns, geometry=layer.shapes[rows], crs=layer.frame.crs)


def _figures(
    layer: GridLayer,
    options: CheckOptions,
    open_land: Indices,
    *,
    measured: dict[str, float],
    buildings: tuple[int, int] | None,
    load: Load | None,
) -> Figures:
    shapes = layer.shapes[layer.rows]
    area, length = shapely.area(shapes), shapely.length(shapes)
    if len(area) == 0:
        area, length = np.zeros(1), np.ones(1)
    ratio = area / options.target_m2
    round_ = 4 * np.pi * area / np.maximum(length, 1e-9) ** 2
    lower, median, upper = (float(value) for value in np.percentile(area, [25, 50, 75]))
    counted = ratio[~np.isin(layer.rows, open_land)] if len(layer.rows) else ratio
    within = (counted >= options.lower_ratio) & (counted <= options.upper_ratio)
    vertices = shapely.get_num_coordinates(shapes) - 1
    held = load.held if load is not None and len(load.held) else np.zeros(1)
    mean = float(held.mean())
    return Figures(
        grids=len(layer.shapes),
        communities=len({name for name in layer.home if name is not None}),
        area_km2=float(area.sum() / 1e6),
        median_m2=median,
        lower_quartile_m2=lower,
        upper_quartile_m2=upper,
        smallest_m2=float(area.min()),
        largest_m2=float(area.max()),
        share_within=float(within.mean()) if len(counted) else None,
        share_near=float(((counted >= 0.7) & (counted <= 1.3)).mean()) if len(counted) else None,
        compactness=float(np.median(round_)),
        compactness_low=float(np.percentile(round_, 10)),
        vertices=float(vertices.mean()) if len(vertices) else 0.0,
        **measured,
        buildings=buildings[0] if buildings else None,
        buildings_cut=buildings[1] if buildings else None,
        components=load.components if load else None,
        components_mean=mean if load else None,
        components_cv=float(held.std() / mean) if load and mean else None,
        components_most=int(held.max()) if load else None,
        near_border_share=load.near_border / load.points if load and load.points else None,
    )
