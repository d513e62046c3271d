"""What the district looks like from above, painted from its vectors."""

import numpy as np
import numpy.typing as npt
import shapely
from PIL import Image, ImageDraw
from scipy import ndimage

from pipelines.sample.components import Layer
from pipelines.sample.district import District
from pipelines.sample.plan import Array
from pipelines.sample.roads import CARRIAGEWAY_M

Colour = tuple[int, int, int]

_LAND: Colour = (158, 154, 142)
_PATCHES: dict[str, Colour] = {
    "green": (96, 118, 74), "park": (84, 110, 66), "lake": (60, 82, 88), "pitch": (168, 98, 78),
    "square": (186, 180, 170), "field": (140, 142, 92), "vacant": (164, 148, 122),
    "parking": (120, 120, 122),
}  # fmt: skip
_ROAD: tuple[Colour, ...] = ((104, 104, 108), (110, 110, 113), (118, 117, 118), (138, 134, 126))
_PAVEMENT: Colour = (176, 168, 156)
_ROOFS: tuple[Colour, ...] = (
    (178, 84, 66), (196, 190, 182), (150, 148, 150), (120, 130, 150), (206, 200, 186), (96, 110, 140),
)  # fmt: skip
_WATER: Colour = (66, 88, 84)
_SHADOW: Colour = (58, 58, 62)
_SUN = (-0.30, 0.52)
"""Where a shadow falls per metre of height: the sun stands in the south-east."""


class Canvas:
    """A picture of a square of ground, `step_m` per pixel, north up."""

    def __init__(self, *, west: float, north: float, side_m: float, step_m: float) -> None:
        self.west, self.north, self.step_m = west, north, step_m
        count = int(np.ceil(side_m / step_m))
        self.image = Image.new("RGB", (count, count), _LAND)
        self._pen = ImageDraw.Draw(self.image)
        self._window = shapely.box(west, north - side_m, west + side_m, north)

    def sees(self, shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.int64]:
        """Return the indices of the shapes that touch the picture."""
        if len(shapes) == 0:
            return np.empty(0, dtype=np.int64)
        found: npt.NDArray[np.int64] = np.flatnonzero(shapely.intersects(shapes, self._window))
        return found

    def fill(self, shape: shapely.Geometry, colour: Colour) -> None:
        """Paint a polygon, holes left out."""
        for part in shapely.get_parts(shape):
            if part.geom_type == "Polygon" and not part.is_empty:
                self._pen.polygon(self._pixels(part.exterior), fill=colour)

    def draw(self, line: shapely.LineString, colour: Colour, width_m: float) -> None:
        """Paint a line."""
        width = max(1, round(width_m / self.step_m))
        self._pen.line(self._pixels(line), fill=colour, width=width, joint="curve")

    def dot(self, at: Array, colour: Colour, radius_m: float) -> None:
        """Paint a dot."""
        x, y = (at[0] - self.west) / self.step_m, (self.north - at[1]) / self.step_m
        radius = radius_m / self.step_m
        self._pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)

    def _pixels(self, shape: shapely.Geometry) -> list[tuple[float, float]]:
        xy = shapely.get_coordinates(shape)
        columns = (xy[:, 0] - self.west) / self.step_m
        rows = (self.north - xy[:, 1]) / self.step_m
        return list(zip(columns.tolist(), rows.tolist(), strict=True))


def paint(district: District, layers: list[Layer], canvas: Canvas) -> npt.NDArray[np.uint8]:
    """Paint the district; return rows x columns x 3."""
    stream = district.plan.stream("texture")
    _paint_land(district, canvas)
    _paint_roads(district, canvas)
    _paint_buildings(district, canvas, stream)
    _paint_trees(layers, canvas)
    picture = np.asarray(canvas.image, dtype=np.float32)
    grain = ndimage.gaussian_filter(stream.normal(size=picture.shape[:2]), 1.2) * 9.0
    broad = ndimage.zoom(stream.normal(size=(24, 24)), picture.shape[0] / 24, order=1)
    rows, columns = picture.shape[:2]
    mottled = picture + (grain + 3.5 * broad[:rows, :columns])[..., None]
    result: npt.NDArray[np.uint8] = np.clip(mottled, 0, 255).astype(np.uint8)
    return result


def _paint_land(district: District, canvas: Canvas) -> None:
    for index in canvas.sees(district.patches).tolist():
        kind = district.fabric.patches[index].kind
        if kind != "lake":
            canvas.fill(district.patches[index], _PATCHES[kind])
    for index in canvas.sees(district.patches).tolist():
        if district.fabric.patches[index].kind == "lake":
            canvas.fill(district.patches[index], _PATCHES["lake"])
    canvas.fill(district.plan.warp.geometries([district.plan.river])[0], _WATER)
    for path in district.paths:
        canvas.draw(path, _ROAD[3], 4.0)


def _paint_roads(district: District, canvas: Canvas) -> None:
    ranks = district.network.ranks
    seen = canvas.sees(district.roads)
    for rank in (3, 2, 1, 0):
        for index in seen[ranks[seen] == rank].tolist():
            canvas.draw(district.roads[index], _PAVEMENT, CARRIAGEWAY_M[rank] + 5.0)
    for rank in (3, 2, 1, 0):
        for index in seen[ranks[seen] == rank].tolist():
            canvas.draw(district.roads[index], _ROAD[rank], CARRIAGEWAY_M[rank])
    for index in seen[ranks[seen] <= 1].tolist():
        canvas.draw(district.roads[index], (206, 200, 160), 0.6)


def _paint_buildings(district: District, canvas: Canvas, stream: np.random.Generator) -> None:
    seen = canvas.sees(district.footprints)
    heights = district.buildings.floors * 3.0
    for index in seen.tolist():
        base = shapely.get_coordinates(district.footprints[index])
        tip = base + np.array(_SUN) * heights[index]
        canvas.fill(shapely.MultiPoint(np.concatenate([base, tip])).convex_hull, _SHADOW)
    roofs = stream.integers(0, len(_ROOFS), len(district.footprints))
    shade = stream.integers(-12, 13, len(district.footprints))
    for index in seen.tolist():
        red, green, blue = _ROOFS[int(roofs[index])]
        light = int(shade[index])
        canvas.fill(district.footprints[index], (red + light, green + light, blue + light))


def _paint_trees(layers: list[Layer], canvas: Canvas) -> None:
    for layer in layers:
        if layer.class_code == "0402":
            for index in canvas.sees(layer.geometry).tolist():
                canvas.dot(layer.at[index], (70, 92, 54), 2.2)
