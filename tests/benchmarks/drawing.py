"""Maps drawn with matplotlib: frames, lines, areas, legend and scale, as the pictures of grids need them."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as Outline
from numpy.typing import NDArray
from PIL import Image

Geometries = NDArray[np.object_]
Window = tuple[float, float, float, float]

GRID, COMMUNITY, HOUSE, WATER, GREEN = "#d6006e", "#b00020", "#d5d2cc", "#cfe6f5", "#e3f1dc"
STYLES: dict[str, tuple[str, float]] = {
    "water": ("#2a7fd4", 1.8),
    "railway": ("#222222", 1.8),
    "main_road": ("#d7301f", 2.2),
    "street": ("#f08a24", 1.8),
    "internal_road": ("#8a6d3b", 1.3),
    "path": ("#c2a76b", 1.0),
    "wall": ("#111111", 1.2),
    "parcel": ("#7b3fb5", 1.2),
    "green": ("#2f9e44", 1.2),
    "land_use": ("#8fbc5a", 1.2),
    "gap between buildings": ("#0097a7", 1.0),
    "open land": ("#9aa0a6", 0.9),
    "community border": (COMMUNITY, 2.2),
}


def frames_of(
    window: Window, count: int, *, legend_rows: int = 1
) -> tuple[Figure, tuple[Axes, ...]]:
    """Return a figure of frames side by side that show the window, 1100 pixels wide in all."""
    west, south, east, north = window
    each = 11.0 / count
    height = (each - 0.15) * (north - south) / (east - west) + 0.35 + 0.28 * legend_rows
    figure, axes = plt.subplots(1, count, figsize=(11.0, height), dpi=100, squeeze=False)
    bottom = 0.28 * legend_rows / height
    figure.subplots_adjust(
        left=0.005, right=0.995, bottom=bottom, top=1 - 0.32 / height, wspace=0.02
    )
    for one in axes[0]:
        one.set_xlim(west, east)
        one.set_ylim(south, north)
        one.set_aspect("equal")
        one.set_xticks([])
        one.set_yticks([])
    return figure, tuple(axes[0])


def draw_lines(
    axes: Axes,
    shapes: Sequence[shapely.Geometry] | Geometries,
    colour: str,
    width: float,
) -> None:
    """Draw lines and outlines."""
    paths = [shapely.get_coordinates(part) for part in shapely.get_parts(_single(shapes))]
    axes.add_collection(
        LineCollection(paths, colors=colour, linewidths=width, capstyle="round"),
        autolim=False,
    )


def _single(shapes: Sequence[shapely.Geometry] | Geometries) -> Geometries:
    parts = shapely.get_parts(shapely.get_parts(np.asarray(shapes, dtype=object)))
    return np.asarray(parts[np.isin(shapely.get_type_id(parts), (1, 2))])


def fill_areas(
    axes: Axes,
    shapes: Geometries,
    colour: str,
    *,
    edge: str = "none",
    width: float = 0.0,
    hatch: str | None = None,
) -> None:
    """Draw polygons, holes left open."""
    patches = [
        PathPatch(
            Outline.make_compound_path(
                *(Outline(shapely.get_coordinates(ring)) for ring in shapely.get_rings(part))
            )
        )
        for part in shapely.get_parts(shapes)
        if part.geom_type == "Polygon"
    ]
    drawn = PatchCollection(patches, facecolor=colour, edgecolor=edge, linewidth=width, hatch=hatch)
    axes.add_collection(drawn, autolim=False)


def draw_scale(axes: Axes, length_m: int) -> None:
    """Draw a scale bar in the lower left."""
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    x, y = west + 0.025 * (east - west), south + 0.035 * (north - south)
    axes.plot([x, x + length_m], [y, y], color="black", lw=2.5, solid_capstyle="butt")
    axes.text(
        x + length_m / 2, y + 0.012 * (north - south), f"{length_m} m", ha="center", va="bottom",
        fontsize=9, bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1},
    )  # fmt: skip


def key_of(name: str, colour: str) -> Line2D:
    """Return a line for the legend."""
    return Line2D([], [], color=colour, lw=2.2, label=name)


def draw_legend(figure: Figure, names: list[str], *, extra: Sequence[Line2D | Patch] = ()) -> None:
    """Write the legend: kinds of border by name, and more."""
    keys: list[Line2D | Patch] = [
        Line2D(
            [],
            [],
            color=STYLES[name][0],
            lw=max(1.6, STYLES[name][1]),
            label=name.replace("_", " "),
        )
        for name in STYLES
        if name in names
    ]
    figure.legend(
        handles=[*keys, *extra], loc="lower left", ncol=6, frameon=False, fontsize=9.5,
        bbox_to_anchor=(0.0, 0.0), borderaxespad=0.2, columnspacing=1.2, handlelength=1.8,
    )  # fmt: skip


def save_picture(figure: Figure, file: Path, thanks: str) -> None:
    """Write the picture with 200 colours at most, and say so."""
    figure.text(0.995, 0.008, thanks, ha="right", va="bottom", fontsize=8, color="#555555")
    figure.savefig(file)
    plt.close(figure)
    with Image.open(file) as picture:
        plain = picture.convert("RGB").quantize(
            200, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
    plain.save(file, optimize=True)
    sys.stdout.write(f"{file}: {file.stat().st_size / 1000:.0f} kB\n")
