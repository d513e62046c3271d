"""Pictures of deviations as SVG: a map with arrows, and all of them over their limit."""

from html import escape

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from census.accuracy.judgement import Assessment
from census.accuracy.statistics import gross_limit

_WIDTH = 1000.0
_MARGIN = 0.04
_FACTORS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_SHARE_OF_MAP = 0.03
"""A deviation of the limit is drawn about this long, as a share of the map's width."""
_REACH = 3.0
"""Deviations are drawn up to this multiple of their limit; beyond, on the rim."""


def draw_map(assessment: Assessment, borders: gpd.GeoDataFrame) -> tuple[str, float]:
    """Return the map, north up, and how many times longer its arrows are than the deviations."""
    points, absent = assessment.measured.points, assessment.measured.not_found
    places = pd.concat(
        [
            points[["survey_x", "survey_y"]].set_axis(["x", "y"], axis=1),
            absent[["x", "y"]],
        ]
    ).astype(float)
    if places.empty:
        return '<svg viewBox="0 0 10 1"></svg>', 1.0
    west, south, east, north = _extent(places)
    scale = _WIDTH / (east - west)
    height = (north - south) * scale

    def across(x: float) -> float:
        return (x - west) * scale

    def down(y: float) -> float:
        return (north - y) * scale

    factor = _factor(points, east - west)
    parts = [f'<svg viewBox="0 0 {_WIDTH:g} {height:.0f}" role="img" aria-label="map">']
    parts += [
        f'<path class="community" d="{_path(shape, west, north, scale)}"/>'
        for shape in borders.geometry
        if shape is not None and shape.intersects(shapely.box(west, south, east, north))
    ]
    for row in points.itertuples():
        x, y = across(row.survey_x), down(row.survey_y)
        gross = " gross" if row.is_gross else ""
        if not row.is_outline and row.deviation_m * factor < (east - west) / 4:
            far_x, far_y = x + row.dx_m * factor * scale, y - row.dy_m * factor * scale
            parts.append(
                f'<line class="arrow{gross}" x1="{x:.1f}" y1="{y:.1f}" x2="{far_x:.1f}" y2="{far_y:.1f}"/>'
            )
        label = f"{row.code} {row.class_name} {row.deviation_m:.2f} m"
        kind = "gross" if row.is_gross else escape(str(row.accuracy))
        parts.append(
            f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"><title>{escape(label)}</title></circle>'
        )
    parts += [
        f'<circle class="absent" cx="{across(row.x):.1f}" cy="{down(row.y):.1f}" r="5">'
        f"<title>{escape(str(row.code))}</title></circle>"
        for row in absent.itertuples()
    ]
    return "".join([*parts, "</svg>"]), float(factor)


def draw_target(assessment: Assessment) -> str:
    """Return all deviations over the limit of their class, with the limit and the gross limit."""
    side, middle = 480.0, 240.0
    unit = (middle - 20) / _REACH
    rim = gross_limit(1.0, check=assessment.limits.check)
    parts = [
        f'<svg viewBox="0 0 {side:g} {side:g}" role="img" aria-label="deviations">',
        f'<path class="axis" d="M{middle} 0V{side}M0 {middle}H{side}"/>',
        f'<circle class="limit" cx="{middle}" cy="{middle}" r="{unit:.1f}"/>',
        f'<circle class="twice" cx="{middle}" cy="{middle}" r="{unit * rim:.1f}"/>',
        f'<text x="{middle + 4}" y="14">N</text><text x="{side - 14}" y="{middle - 4}">E</text>',
    ]
    for row in assessment.measured.points.itertuples():
        if row.is_outline:
            continue
        length = row.deviation_m / row.limit_m
        shown = min(length, _REACH) / length if length else 0.0
        x = middle + row.dx_m / row.limit_m * shown * unit
        y = middle - row.dy_m / row.limit_m * shown * unit
        kind = "gross" if row.is_gross else escape(str(row.accuracy))
        label = f"{row.code} {row.deviation_m:.2f} m"
        parts.append(
            f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{escape(label)}</title></circle>'
        )
    return "".join([*parts, "</svg>"])


def _extent(places: pd.DataFrame) -> tuple[float, float, float, float]:
    west, east = float(places["x"].min()), float(places["x"].max())
    south, north = float(places["y"].min()), float(places["y"].max())
    margin = max(east - west, north - south, 50.0) * _MARGIN + 5.0
    return west - margin, south - margin, east + margin, north + margin


def _factor(points: pd.DataFrame, width_m: float) -> int:
    if points.empty:
        return 1
    typical = float(np.median(points["limit_m"]))
    wanted = _SHARE_OF_MAP * width_m / typical
    return max((factor for factor in _FACTORS if factor <= wanted), default=1)


def _path(shape: shapely.Geometry, west: float, north: float, scale: float) -> str:
    lines = []
    for ring in shapely.get_parts(shapely.boundary(shapely.simplify(shape, 1 / scale))):
        xy = shapely.get_coordinates(ring)
        steps = " ".join(f"{(x - west) * scale:.1f},{(north - y) * scale:.1f}" for x, y in xy)
        lines.append(f"M{steps}")
    return "".join(lines)
