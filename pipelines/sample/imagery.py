"""A raw satellite image of the district's centre with RPC, control points and a DEM."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import ndimage

from gis.raster import write_raster
from pipelines.sample.camera import Camera, fit_rpc
from pipelines.sample.components import Layer
from pipelines.sample.district import District
from pipelines.sample.plan import CRS, ORIGIN, Array
from pipelines.sample.tables import write_csv
from pipelines.sample.texture import Canvas, paint
from pipelines.sample.topography import elevation

UNDULATION_M = -14.6
"""Ellipsoidal height less normal height in the district, m."""
GSD_M = 0.5
_DEM_STEP_M = 5.0
_MARGIN_M = 120.0
_TERRAIN_PX = 8
_CONTROL, _CHECK = 9, 12
_RIM_PX = 40
_READING_PX, _SURVEY_M = 0.25, 0.04


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The image's ground and camera."""

    camera: Camera
    side_m: float


def plan_scene(*, area_km2: float) -> Scene:
    """Return a scene of at most 1 km² over the centre of the district."""
    side = float(np.clip(np.sqrt(area_km2) * 700, 650, 1000))
    camera = Camera(
        x=ORIGIN[0], y=ORIGIN[1], height_m=80.0 + UNDULATION_M, gsd_m=GSD_M, size=int(side / GSD_M)
    )
    return Scene(camera=camera, side_m=side)


def heights(x: Array, y: Array) -> Array:
    """Return the terrain's ellipsoidal height, m."""
    points = np.column_stack([np.ravel(x), np.ravel(y)])
    return (elevation(points) + UNDULATION_M).reshape(np.shape(x))


def write_imagery(folder: Path, *, district: District, layers: list[Layer]) -> pd.DataFrame:
    """Write raw image, DEM and control points; return the check points with their true places."""
    folder.mkdir(exist_ok=True)
    scene = plan_scene(area_km2=district.plan.area_km2)
    reach = scene.side_m / 2 + _MARGIN_M
    west, north = ORIGIN[0] - reach, ORIGIN[1] + reach
    canvas = Canvas(west=west, north=north, side_m=2 * reach, step_m=GSD_M)
    raw = _expose(scene.camera, paint(district, layers, canvas), canvas)
    rpc = fit_rpc(scene.camera, heights_m=(20.0, 160.0))
    write_raster(folder / "raw.tif", raw, crs=None, transform=None, rpcs=rpc)
    count = int(2 * reach / _DEM_STEP_M)
    at = (np.arange(count) + 0.5) * _DEM_STEP_M
    x, y = np.meshgrid(west + at, north - at)
    transform = (_DEM_STEP_M, 0.0, west, 0.0, -_DEM_STEP_M, north)
    dem = np.round(heights(x, y), 2).astype(np.float32)
    write_raster(folder / "dem.tif", dem, crs=CRS, transform=transform, nodata=-9999.0)
    points = _points(district, scene)
    write_csv(points, folder / "gcps.csv")
    return points[points["role"] == "check"][["id", "x", "y", "h"]]


def _expose(
    camera: Camera, picture: npt.NDArray[np.uint8], canvas: Canvas
) -> npt.NDArray[np.uint8]:
    """Look up for every pixel the ground it sees, the terrain in the way included."""
    ticks = np.linspace(0, camera.size - 1, (camera.size - 1) // _TERRAIN_PX + 2)
    row, col = np.meshgrid(ticks, ticks, indexing="ij")
    height = np.full(row.shape, camera.height_m)
    for _ in range(4):
        height = heights(*camera.ground(col, row, height))
    x, y = (_finer(part, camera.size) for part in camera.ground(col, row, height))
    where = np.stack(
        [(canvas.north - y) / canvas.step_m - 0.5, (x - canvas.west) / canvas.step_m - 0.5]
    )
    bands = [
        ndimage.map_coordinates(picture[..., band], where, order=1, mode="nearest")
        for band in range(3)
    ]
    return np.stack(bands).astype(np.uint8)


def _finer(coarse: Array, size: int) -> npt.NDArray[np.float32]:
    """Interpolate a lattice over the whole image to every pixel; the terrain is smooth."""
    share = np.linspace(0, len(coarse) - 1, size)
    low = np.minimum(share.astype(int), len(coarse) - 2)
    part = share - low
    rows = coarse[low] * (1 - part)[:, None] + coarse[low + 1] * part[:, None]
    result: npt.NDArray[np.float32] = rows[:, low] * (1 - part) + rows[:, low + 1] * part
    return result


def _points(district: District, scene: Scene) -> pd.DataFrame:
    """Measure crossings and facades, spread over the image, as control and check points."""
    stream = district.plan.stream("gcps")
    corners = np.concatenate([district.junctions, district.gates])
    seen = scene.camera.project(corners[:, 0], corners[:, 1], heights(*corners.T))
    last = scene.camera.size - _RIM_PX
    inside = [(place > _RIM_PX) & (place < last) for place in seen]
    chosen = _spread(corners[inside[0] & inside[1]], _CONTROL + _CHECK)
    x, y = chosen[:, 0], chosen[:, 1]
    h = heights(x, y)
    col, row = scene.camera.project(x, y, h)
    reading = stream.normal(size=(2, len(x))) * _READING_PX
    survey = stream.normal(size=(3, len(x))) * _SURVEY_M
    roles = np.where(np.arange(len(x)) < _CONTROL, "control", "check")
    return pd.DataFrame(
        {
            "id": [f"G{number:02d}" for number in range(1, len(x) + 1)],
            "col": [f"{value:.2f}" for value in col + reading[0]],
            "row": [f"{value:.2f}" for value in row + reading[1]],
            "x": [f"{value:.3f}" for value in x + survey[0]],
            "y": [f"{value:.3f}" for value in y + survey[1]],
            "h": [f"{value:.3f}" for value in h + survey[2]],
            "role": roles,
        }
    )


def _spread(points: Array, count: int) -> Array:
    """Choose points far from each other, the first nearest to the middle."""
    middle = points.mean(axis=0)
    chosen = [int(np.argmin(np.hypot(*(points - middle).T)))]
    while len(chosen) < min(count, len(points)):
        gaps = np.min([np.hypot(*(points - points[index]).T) for index in chosen], axis=0)
        chosen.append(int(np.argmax(gaps)))
    return points[chosen]
