"""The pictures of ``docs/gridding.md``: ``python -m tests.benchmarks.grid_pictures docs/images``."""

import sys
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from gridding.atoms import OUTLINE, Atoms, cut_atoms
from gridding.change import Ground, UpdateRules, update
from gridding.changes import changed_features
from gridding.conflation import conflate
from gridding.coverage import snap_coverage
from gridding.division import divide
from gridding.lineage import overlaps
from gridding.lines import KINDS, Lines
from gridding.link import graph_of
from gridding.numbering import number
from gridding.options import DivisionOptions
from gridding.partition import partition
from gridding.ridges import GAP, OPEN
from gridding.scene import Scene, read_scene
from gridding.straightening import straighten
from gridding.zones import target_of, zone_shares
from tests.benchmarks.drawing import (
    COMMUNITY,
    GREEN,
    GRID,
    HOUSE,
    STYLES,
    WATER,
    Geometries,
    Window,
    draw_legend,
    draw_lines,
    draw_scale,
    fill_areas,
    frames_of,
    key_of,
    save_picture,
)
from tests.real.towns import Town, is_here, load

OPTIONS = DivisionOptions()
SNEZHINSK: Window = (359_330, 6_217_010, 359_930, 6_217_460)
BUND: Window = (355_530, 3_455_850, 356_230, 3_456_375)
NEW_STREET = shapely.LineString([(360_466, 6_217_041), (360_463, 6_217_341)])
PART_M = (600.0, 450.0)
THANKS = "© OpenStreetMap contributors, ODbL"

_SPECIAL = {GAP: "gap between buildings", OPEN: "open land", OUTLINE: "community border"}
_LADDER = ("#4575b4", "#91bfdb", "#e8f3e1", "#fdae61", "#d73027")
_STEPS = (0.5, 0.7, 1.3, 1.5)
_NAMES = ("< 0.5 of the target", "0.5–0.7", "0.7–1.3", "1.3–1.5", "> 1.5")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What became of one piece of land, step by step."""

    land: shapely.Polygon
    scene: Scene
    lines: Lines
    atoms: Atoms
    label: NDArray[np.intp]
    """Grid of each atom."""
    grids: Geometries
    """After straightening."""


def main() -> None:
    """Draw the pictures into the folder that is named; without a town's data its pictures are left out."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
    folder.mkdir(parents=True, exist_ok=True)
    mpl.use("Agg")
    mpl.rcParams.update({"font.size": 11, "font.family": "DejaVu Sans", "axes.titlesize": 12})
    part = "snezhinsk" if is_here("snezhinsk") else "sample-1"
    town = load(part)
    thanks = THANKS if part == "snezhinsk" else "Sample district"
    draw_steps(town, SNEZHINSK if part == "snezhinsk" else _middle(town, PART_M), folder, thanks)
    grids = divide(town.communities, features=town.features, options=OPTIONS)
    save_picture(draw_town(town, grids), folder / "gridding-4-town.png", thanks)
    draw_update(town, grids, folder / "gridding-6-update.png", thanks)
    if is_here("bund"):
        bund = load("bund")
        found = divide(bund.communities, features=bund.features, options=OPTIONS)
        figure = draw_plain(bund, found, BUND)
        save_picture(figure, folder / "gridding-5-bund.png", THANKS)
    else:
        sys.stdout.write("The Bund's data is not on this machine; its picture was left out.\n")


def _middle(town: Town, size_m: tuple[float, float]) -> Window:
    west, south, east, north = town.communities.total_bounds
    x, y = (west + east) / 2, (south + north) / 2
    return (x - size_m[0] / 2, y - size_m[1] / 2, x + size_m[0] / 2, y + size_m[1] / 2)


def _stages(town: Town, window: Window) -> list[Stage]:
    """Return every community that the window shows, taken through the steps of the division."""
    scene = read_scene(town.features, components=town.components, options=OPTIONS)
    shapes = np.asarray(town.communities.sort_values("code").geometry.to_numpy(), dtype=object)
    official, _ = snap_coverage(shapes, precision_m=OPTIONS.precision_m)
    stages = []
    for land in shapely.get_parts(official):
        if not land.intersects(shapely.box(*window)):
            continue
        near = scene.near(land)
        lines = conflate(land, near, options=OPTIONS)
        atoms = cut_atoms(land, near, lines, options=OPTIONS)
        graph, node = graph_of(atoms, near, options=OPTIONS)
        label = partition(graph, options=OPTIONS)[node]
        grids = np.array(straighten(atoms, label, land, near, options=OPTIONS), dtype=object)
        stages.append(
            Stage(land=land, scene=near, lines=lines, atoms=atoms, label=label, grids=grids)
        )
    return stages


def draw_steps(town: Town, window: Window, folder: Path, thanks: str) -> None:
    """Draw lines, atoms, and grids before and after straightening."""
    stages = _stages(town, window)
    figure, (left, right) = frames_of(window, 2)
    for axes, title in (
        (left, "Lines as delivered"),
        (right, "After conflation: each street once"),
    ):
        _ground(axes, town, window, title)
    seen = ["community border"]
    for stage in stages:
        seen += _typed(left, _clipped(stage.scene.lines.lines, stage.land), stage.scene.lines.kind)
        seen += _typed(right, _clipped(stage.lines.lines, stage.land), stage.lines.kind)
    for axes in (left, right):
        draw_lines(axes, [stage.land.exterior for stage in stages], *STYLES["community border"])
    draw_legend(figure, seen)
    save_picture(figure, folder / "gridding-1-lines.png", thanks)

    figure, (axes,) = frames_of(window, 1, legend_rows=2)
    _ground(axes, town, window, "Atoms: small cells whose borders are all fit to be grid borders")
    seen = []
    for stage in stages:
        seen += _typed(axes, stage.atoms.border, stage.atoms.kind)
    draw_legend(figure, seen)
    save_picture(figure, folder / "gridding-2-atoms.png", thanks)

    figure, (left, right) = frames_of(window, 2)
    _ground(left, town, window, "Atoms clustered into grids")
    _ground(right, town, window, "After straightening")
    for stage in stages:
        before = _joined(stage.atoms.polygons, stage.label)
        draw_lines(left, shapely.boundary(stage.atoms.polygons), "#bbbbbb", 0.5)
        for axes, shapes in ((left, before), (right, stage.grids)):
            draw_lines(axes, shapely.boundary(shapes), GRID, 1.5)
            draw_lines(axes, [stage.land.exterior], *STYLES["community border"])
    _areas(right, np.concatenate([stage.grids for stage in stages]), window)
    draw_legend(
        figure,
        [],
        extra=[
            key_of("grid border", GRID),
            key_of("border of an atom", "#bbbbbb"),
            key_of("community border", COMMUNITY),
            Line2D([], [], ls="", label="numbers: area in 1,000 m²"),
        ],
    )
    save_picture(figure, folder / "gridding-3-grids.png", thanks)


def draw_town(town: Town, grids: gpd.GeoDataFrame) -> Figure:
    """Draw all grids by their area in targets of the land they lie on."""
    west, south, east, north = town.communities.total_bounds
    figure, (axes,) = frames_of((west, south, east, north), 1, legend_rows=1)
    shapes = np.asarray(grids.geometry.to_numpy(), dtype=object)
    scene = read_scene(town.features, options=OPTIONS)
    target = target_of(zone_shares(shapes, scene, options=OPTIONS))
    step = np.digitize(shapely.area(shapes) / target, _STEPS)
    for row, colour in enumerate(_LADDER):
        fill_areas(axes, shapes[step == row], colour, edge="#666666", width=0.35)
    draw_lines(axes, shapely.boundary(town.communities.geometry.to_numpy()), COMMUNITY, 1.3)
    km2 = grids.area.sum() / 1e6
    axes.set_title(f"{len(grids):,} unit grids over {km2:.1f} km², by area / target")
    counts = np.bincount(step, minlength=len(_LADDER))
    keys = [
        Patch(facecolor=colour, edgecolor="#666666", label=f"{name}: {count}")
        for colour, name, count in zip(_LADDER, _NAMES, counts, strict=True)
    ]
    draw_legend(figure, [], extra=[*keys, key_of("community border", COMMUNITY)])
    draw_scale(axes, 500)
    return figure


def draw_plain(town: Town, grids: gpd.GeoDataFrame, window: Window) -> Figure:
    """Draw grids over buildings, roads and water."""
    figure, (axes,) = frames_of(window, 1)
    _ground(axes, town, window, "Unit grids of a dense quarter (Shanghai, near the Bund)")
    _roads(axes, town)
    draw_lines(axes, shapely.boundary(grids.geometry.to_numpy()), GRID, 1.5)
    draw_lines(axes, shapely.boundary(town.communities.geometry.to_numpy()), COMMUNITY, 2.2)
    keys = [key_of("grid border", GRID), key_of("community border", COMMUNITY)]
    keys += [key_of(name.replace("_", " "), STYLES[name][0]) for name in ("main_road", "street")]
    draw_legend(figure, [], extra=keys)
    draw_scale(axes, 100)
    return figure


def draw_update(town: Town, grids: gpd.GeoDataFrame, file: Path, thanks: str) -> None:
    """Draw grids before and after a new street; those whose land changed are hatched."""
    grids = gpd.GeoDataFrame(grids.assign(code=number(grids)).sort_values("code"))
    street = _new_street(town)
    row = gpd.GeoDataFrame({"feature_class": ["430503"]}, geometry=[street], crs=grids.crs)
    features = gpd.GeoDataFrame(pd.concat([town.features, row], ignore_index=True))
    result = update(
        grids.reset_index(drop=True),
        ground=Ground(features=features),
        changed=changed_features(town.features, features),
        rules=UpdateRules(policy="hard"),
        options=OPTIONS,
    )
    old, new = (np.asarray(g.geometry.to_numpy(), dtype=object) for g in (grids, result.grids))
    pairs = overlaps(old, new)
    same = pairs[pairs["likeness"] > 0.9999]
    gone, came = np.delete(old, same["old"]), np.delete(new, same["new"])
    middle = street.interpolate(0.5, normalized=True)
    x, y = PART_M
    window = (middle.x - x / 2, middle.y - y / 2, middle.x + x / 2, middle.y + y / 2)
    figure, frames = frames_of(window, 2)
    titles = (
        "Before: a new street is delivered",
        f"After: {len(gone)} of {len(old):,} grids changed",
    )
    for axes, title, shapes, other in zip(frames, titles, (old, new), (gone, came), strict=True):
        _ground(axes, town, window, title)
        _roads(axes, town)
        fill_areas(axes, other, "none", edge="#1f78b4", width=0.0, hatch="////")
        draw_lines(axes, [street], "#111111", 5.0)
        draw_lines(axes, [street], "#ffe08a", 3.4)
        draw_lines(axes, shapely.boundary(shapes), GRID, 1.5)
    hatch = Patch(facecolor="none", edgecolor="#1f78b4", hatch="////", label="grid that changes")
    street_key = Line2D([], [], color="#f2c94c", lw=4, label="new street")
    draw_legend(figure, [], extra=[key_of("grid border", GRID), hatch, street_key])
    save_picture(figure, file, thanks)


def _new_street(town: Town) -> shapely.LineString:
    """Return a straight street of 300 m that goes through no building."""
    if town.name == "snezhinsk":
        return NEW_STREET
    west, south, _, north = _middle(town, PART_M)
    return shapely.LineString(
        [(west + 150, (south + north) / 2), (west + 450, (south + north) / 2)]
    )


def _joined(polygons: Geometries, label: NDArray[np.intp]) -> Geometries:
    count = int(label.max()) + 1
    shapes = [shapely.coverage_union_all(polygons[label == k]) for k in range(count)]
    return np.array(shapes, dtype=object)


def _clipped(lines: Geometries, land: shapely.Polygon) -> Geometries:
    return np.asarray(shapely.intersection(lines, land), dtype=object)


def _of(town: Town, prefixes: tuple[str, ...], *, is_area: bool) -> Geometries:
    shapes = np.asarray(town.features.geometry.to_numpy(), dtype=object)
    kept = town.features["feature_class"].str.startswith(prefixes).to_numpy()
    return shapes[kept & ((shapely.get_dimensions(shapes) == 2) == is_area)]


def _ground(axes: Axes, town: Town, window: Window, title: str) -> None:
    for prefixes, colour in ((("81", "82"), GREEN), (("23", "24"), WATER)):
        fill_areas(axes, _of(town, prefixes, is_area=True), colour)
    fill_areas(
        axes, _of(town, ("3103", "3104", "3105"), is_area=True), HOUSE, edge="#a9a59c", width=0.4
    )
    axes.set_title(title)
    if window[2] - window[0] <= PART_M[0]:
        draw_scale(axes, 100)


def _roads(axes: Axes, town: Town) -> None:
    for prefixes, name in ((("430501", "430502"), "main_road"), (("430503",), "street")):
        draw_lines(axes, _of(town, prefixes, is_area=False), STYLES[name][0], 0.8)


def _typed(axes: Axes, lines: Geometries, kind: NDArray[np.intp]) -> list[str]:
    """Draw lines by kind, the weakest first; return the kinds that the frame shows."""
    west, east = axes.get_xlim()
    south, north = axes.get_ylim()
    shown = shapely.intersects(lines, shapely.box(west, south, east, north))
    seen = []
    for row in sorted(np.unique(kind[shown]).tolist(), reverse=True):
        name = KINDS[row] if row >= 0 else _SPECIAL[row]
        draw_lines(axes, lines[shown & (kind == row)], *STYLES[name])
        seen.append(name)
    return seen


def _areas(axes: Axes, grids: Geometries, window: Window) -> None:
    """Write the area in thousands of m² on the grids that lie in the window."""
    frame = shapely.buffer(shapely.box(*window), -30)
    for place, area in zip(
        shapely.get_coordinates(shapely.centroid(grids)), shapely.area(grids), strict=True
    ):
        if frame.contains(shapely.Point(place)) and place[1] > window[1] + 60:
            axes.text(*place, f"{area / 1000:.1f}", ha="center", va="center", fontsize=9)


if __name__ == "__main__":
    main()
