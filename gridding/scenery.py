"""What of the base topography matters to a division; it goes to every worker, and loads no more than that."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import shapely

from gridding.lines import Floats, Geometries, Lines, unbound


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What of the topography matters to a division, each set in one fixed order."""

    lines: Lines
    buildings: Geometries
    """Polygons that must not be cut."""
    kept_whole: Geometries
    """Other polygons not to be cut: compounds small enough, pitches, flower beds, ponds."""
    water: Geometries
    """Polygons where grids may be large."""
    zones: Geometries
    """Polygons with a target area of their own; the smallest target wins where several hold a place."""
    zone_target_m2: Floats
    points: Floats
    """Places of the components, n x 2: borders keep clear of them."""
    loads: Floats
    """Weight of each of them; 1.0 for a component."""

    @cached_property
    def _trees(self) -> dict[str, shapely.STRtree]:
        sets = {
            "lines": self.lines.lines,
            "buildings": self.buildings,
            "kept_whole": self.kept_whole,
            "water": self.water,
            "zones": self.zones,
            "points": shapely.points(self.points),
        }
        return {name: shapely.STRtree(shapes) for name, shapes in sets.items()}

    def unbound(self) -> "Scene":
        """Return the scene with geometry that is bound to no precision grid any more."""
        return replace(
            self,
            lines=replace(self.lines, lines=unbound(self.lines.lines)),
            buildings=unbound(self.buildings),
            kept_whole=unbound(self.kept_whole),
            water=unbound(self.water),
            zones=unbound(self.zones),
        )

    def near(self, land: shapely.Polygon) -> "Scene":
        """Return what touches a piece of land, in the same order."""
        shapely.prepare(land)
        rows = {
            name: np.sort(tree.query(land, predicate="intersects"))
            for name, tree in self._trees.items()
        }
        return Scene(
            lines=self.lines.take(rows["lines"]),
            buildings=self.buildings[rows["buildings"]],
            kept_whole=self.kept_whole[rows["kept_whole"]],
            water=self.water[rows["water"]],
            zones=self.zones[rows["zones"]],
            zone_target_m2=self.zone_target_m2[rows["zones"]],
            points=self.points[rows["points"]],
            loads=self.loads[rows["points"]],
        )
