"""One polygon of land divided into unit grids: what a worker does, who loads no more than that takes."""

import numpy as np
import shapely

from gridding.atoms import cut_atoms
from gridding.conflation import conflate
from gridding.graph import grid_targets
from gridding.lines import unbound
from gridding.link import graph_of
from gridding.options import DivisionOptions
from gridding.partition import partition
from gridding.scenery import Scene
from gridding.straightening import straighten

_CHIP_SHARE = 0.01


def divide_land(
    land: shapely.Polygon, scene: Scene, *, options: DivisionOptions
) -> list[shapely.Polygon]:
    """Divide one polygon: cut it into atoms, cluster them, straighten what follows no feature.

    Parameters
    ----------
    land : shapely.Polygon
        Metres, on the precision grid.
    scene : Scene
        What of the topography touches it.
    options : DivisionOptions
        Targets and prices.

    Returns
    -------
    list of shapely.Polygon
        Grids, a valid coverage of the land to within a precision cell.
    """
    land, scene = unbound(np.array([land], dtype=object))[0], scene.unbound()
    lines = conflate(land, scene, options=options)
    atoms = cut_atoms(land, scene, lines, options=options)
    if len(atoms.polygons) < 2:
        return [land]
    graph, node = graph_of(atoms, scene, options=options)
    label = partition(graph, options=options)
    target_m2 = grid_targets(graph, label)
    grids = straighten(atoms, label[node], land, scene, target_m2=target_m2, options=options)
    least_m2 = _CHIP_SHARE * options.target_m2
    # What noding chipped off is filled in from its neighbours when all land is put together.
    kept = [grid for grid in grids if grid.area > least_m2]
    return list(unbound(np.array(kept, dtype=object))) or [land]
