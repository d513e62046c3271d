"""The map of a report: grids, communities and numbered faults as one inline SVG."""

from dataclasses import dataclass

import numpy as np
import shapely

from gridding.checks import Review
from gridding.faultlayer import places_of
from gridding.homes import Geometries

WIDTH = 1200
"""Units across the drawing; a unit is about a pixel before zooming."""
_TALLEST = 1000
_MOST_GRIDS = 20_000
"""Past this many grids only those with faults are drawn, besides the communities."""
_FINE, _COARSE = 0.02, 0.4
"""Lines are simplified to this many units: few grids are zoomed into, of many the file would swell."""
_MANY = 5_000


@dataclass(frozen=True, kw_only=True)
class Frame:
    """From metres in the city's CRS to units of the drawing: north is up."""

    west: float
    north: float
    scale: float
    width: float
    height: float

    def path(self, shapes: Geometries) -> str:
        """Return the outlines as data of an SVG path, in hundredths of a unit, relative."""
        rings = shapely.get_rings(shapely.get_parts(shapes))
        crumb = _FINE if len(shapes) <= _MANY else _COARSE
        rings = shapely.simplify(rings, crumb / self.scale)
        points, ring = shapely.get_coordinates(rings, return_index=True)
        if len(points) == 0:
            return ""
        place = np.rint(
            np.column_stack([points[:, 0] - self.west, self.north - points[:, 1]])
            * (100 * self.scale)
        ).astype(np.int64)
        step = np.diff(place, axis=0, prepend=place[:1])
        begins = np.diff(ring, prepend=-1) != 0
        words = np.where(begins, "M", "l").astype(object)
        pair = np.where(begins[:, None], place, step)
        return "".join(f"{word}{x} {y}" for word, (x, y) in zip(words, pair.tolist(), strict=True))


def frame_of(review: Review) -> Frame:
    """Return the frame that holds all grids and faults."""
    shapes = np.concatenate([review.grids.geometry.to_numpy(), review.faults.geometry.to_numpy()])
    bounds = shapely.total_bounds(shapes)
    if not np.isfinite(bounds).all():
        bounds = np.array([0.0, 0.0, 1.0, 1.0])
    west, south, east, north = bounds
    across, up = max(east - west, 1.0), max(north - south, 1.0)
    scale = min(WIDTH / (1.04 * across), _TALLEST / (1.04 * up))
    return Frame(
        west=west - 0.02 * across,
        north=north + 0.02 * up,
        scale=scale,
        width=1.04 * across * scale,
        height=1.04 * up * scale,
    )


def draw_map(review: Review, *, numbers: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> str:
    """Return the map as SVG: communities, grids in magenta, faults red with their numbers.

    Parameters
    ----------
    review : Review
        What a check found.
    numbers : array of int
        Faults to draw, by `number`.
    """
    frame = frame_of(review)
    grids = review.grids
    faults = review.faults[review.faults["number"].isin(numbers)]
    shown = grids.geometry.to_numpy()
    if len(grids) > _MOST_GRIDS:
        shown = shown[grids["code"].isin(review.faults["code"]).to_numpy()]
    lines = [
        f'<svg id="map" xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {frame.width:.0f} {frame.height:.0f}" role="img">',
        f'<g transform="scale(.01)"><path class="grid" d="{frame.path(shown)}"/>',
        f'<path class="community" d="{frame.path(_communities(review))}"/>',
    ]
    for row in faults.itertuples():
        if row.geometry is not None and shapely.get_dimensions(row.geometry) == 2:
            data = frame.path(np.array([row.geometry], dtype=object))
            lines.append(f'<path class="fault {row.severity}" d="{data}"/>')
    lines.append("</g>")
    spots = places_of(faults.geometry.to_numpy())
    for row, spot in zip(faults.itertuples(), spots, strict=True):
        if spot is not None:
            x, y = (spot.x - frame.west) * frame.scale, (frame.north - spot.y) * frame.scale
            lines.append(
                f'<g class="mark {row.severity}" id="m{row.number}" data-x="{x:.2f}" data-y="{y:.2f}" '
                f'transform="translate({x:.2f},{y:.2f})"><circle r="4"/>'
                f'<text x="5" y="-4">{row.number}</text></g>'
            )
    return "".join([*lines, "</svg>"])


def _communities(review: Review) -> Geometries:
    """Return the land of each community as its grids cover it; grids that overlap are drawn whole."""
    grids = review.grids
    shapes = grids.geometry.to_numpy()
    home = grids["community_code"].fillna("").astype(str).to_numpy()
    order = np.argsort(home, kind="stable")
    starts = np.flatnonzero(np.diff(np.unique(home[order], return_inverse=True)[1], prepend=-1))
    parts = np.split(shapes[order], starts[1:])
    land = [_land(part) for part in parts if len(part)]
    result = np.empty(len(land), dtype=object)
    result[:] = land
    return result


def _land(shapes: Geometries) -> shapely.Geometry:
    is_valid = shapely.coverage_is_valid(shapes)
    return shapely.coverage_union_all(shapes) if is_valid else shapely.union_all(shapes)
