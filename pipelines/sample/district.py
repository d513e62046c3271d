"""The finished district: everything placed in the district's CRS, named and numbered."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from pipelines.sample.areas import Areas, divide_areas
from pipelines.sample.blocks import Block, divide_land
from pipelines.sample.buildings import fill_blocks
from pipelines.sample.fabric import Buildings, Fabric
from pipelines.sample.names import Names
from pipelines.sample.plan import Array, Plan, make_plan
from pipelines.sample.roads import Network, build_network

Geometries = npt.NDArray[np.object_]

_SUFFIX = {
    "school": ("小学", "中学", "实验小学", "第二中学"),
    "hospital": ("医院", "中医院", "人民医院"),
    "market": ("市场", "综合市场", "便民市场"),
    "sheds": ("机械厂", "制药厂", "纺织厂", "物流园"),
    "site": ("家园二期工地", "广场项目工地"),
}


@dataclass(frozen=True, kw_only=True)
class District:
    """All that the deliveries are written from; coordinates in `plan.CRS`, metres."""

    plan: Plan
    blocks: tuple[Block, ...]
    fabric: Fabric
    buildings: Buildings
    network: Network
    areas: Areas
    footprints: Geometries
    """Building polygons by building index."""
    roads: Geometries
    """Road centrelines by road index."""
    paths: Geometries
    """Internal roads of compounds, which go around buildings or end before them."""
    segments: Geometries
    """Road pieces between junctions, by segment index."""
    junctions: Array
    compounds: Geometries
    compound_names: tuple[str, ...]
    gates: Array
    """Gate of each compound."""
    patches: Geometries
    names: Names
    """Goes on giving out names: shops, bridges, stops."""


def make_district(*, area_km2: float, seed: int) -> District:
    """Make the district of about `area_km2`; the same seed makes the same district."""
    plan = make_plan(area_km2=area_km2, seed=seed)
    names = Names(plan.stream("names"))
    blocks, edges = divide_land(plan)
    fabric = fill_blocks(plan, blocks)
    buildings = fabric.buildings()
    network = build_network(plan, [*edges, *fabric.lanes], names)
    areas = divide_areas(plan, names)
    warp = plan.warp
    footprints = _polygons(plan, buildings)
    gates = np.array([compound.gate for compound in fabric.compounds]).reshape(-1, 2)
    return District(
        plan=plan,
        blocks=tuple(blocks),
        fabric=fabric,
        buildings=buildings,
        network=network,
        areas=areas,
        footprints=footprints,
        roads=warp.geometries(network.lines),
        paths=_clear_of(footprints, warp.geometries(fabric.paths)),
        segments=warp.geometries(network.segments),
        junctions=warp.forward(network.junctions),
        compounds=warp.geometries([compound.land for compound in fabric.compounds]),
        compound_names=_compound_names(plan, fabric, names),
        gates=warp.forward(gates),
        patches=warp.geometries([patch.land for patch in fabric.patches]),
        names=names,
    )


def _polygons(plan: Plan, buildings: Buildings) -> Geometries:
    parts = [shapely.polygons(plan.warp.rigid(rings)) for rings in buildings.rings]
    return np.concatenate(parts)


def _clear_of(footprints: Geometries, paths: Geometries) -> Geometries:
    """Return the pieces of the paths that keep 1.5 m from every building."""
    path, building = shapely.STRtree(footprints).query(paths, predicate="dwithin", distance=1.5)
    clear = paths.copy()
    starts = np.flatnonzero(np.diff(path, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(path)], strict=True):
        walls = shapely.union_all(shapely.buffer(footprints[building[start:end]], 1.5))
        clear[path[start]] = paths[path[start]].difference(walls)
    pieces = shapely.get_parts(clear)
    kept: Geometries = pieces[shapely.length(pieces) > 10]
    return kept


def _compound_names(plan: Plan, fabric: Fabric, names: Names) -> tuple[str, ...]:
    stream = plan.stream("compounds")
    result = []
    for compound in fabric.compounds:
        suffixes = _SUFFIX.get(compound.kind)
        if suffixes is None:
            result.append(names.compound())
        else:
            result.append(names.stem() + str(stream.choice(list(suffixes))))
    return tuple(result)
