"""The territorial unit 属地单位 that answers for an area, also for one that a plan or a trade draws."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

_SLIVER_M2 = 1.0
"""A drawn area that reaches this little over a border does not lie beyond it."""
_STREET_DIGITS = 9


@dataclass(frozen=True, kw_only=True)
class Territories:
    """Which territorial unit answers for which area.

    Examples
    --------
    >>> territories = Territories(units={"130102001": "S1"}, parents={"130102001001": "130102001"},
    ...     divided={"P2": ("S1", "S2")})
    >>> [territories.of(area) for area in ("130102001", "130102001001", "P2", "P9")]
    ['S1', 'S1', '', '']
    """

    units: Mapping[str, str] = field(repr=False)
    """Area -> unit."""
    parents: Mapping[str, str] = field(repr=False)
    """Grid, community or street -> the area above it."""
    divided: Mapping[str, tuple[str, ...]] = field(repr=False)
    """Drawn area that lies in the territories of several units -> the units."""

    @property
    def streets(self) -> tuple[str, ...]:
        """Streets that have a territorial unit, sorted."""
        return tuple(sorted(code for code in self.units if len(code) == _STREET_DIGITS))

    def of(self, area: str) -> str:
        """Return the unit of an area or of the nearest above it; empty: none, or several."""
        at: str | None = area
        seen: set[str] = set()
        while at is not None and at not in seen:
            if at in self.units:
                return self.units[at]
            seen.add(at)
            at = self.parents.get(at)
        return ""


def find_territories(
    units: Mapping[str, str],
    parents: Mapping[str, str],
    *,
    areas: gpd.GeoDataFrame,
    drawn: gpd.GeoDataFrame,
) -> Territories:
    """Return the territories, with those of drawn areas: the units of the ground they lie on.

    Parameters
    ----------
    units : mapping
        Area -> its territorial unit.
    parents : mapping
        Grid, community or street -> the area above it.
    areas : geopandas.GeoDataFrame
        Districts, streets and communities: ``code``, ``level``.
    drawn : geopandas.GeoDataFrame
        Plan areas, in the same CRS.
    """
    plain = Territories(units=units, parents=parents, divided={})
    own, divided = dict(units), dict[str, tuple[str, ...]]()
    ground = areas[areas["level"].eq("community")] if len(areas) else areas
    if len(ground) and len(drawn):
        tree = shapely.STRtree(ground.geometry.to_numpy())
        codes = ground["code"].to_numpy()
        for code, shape in zip(drawn["code"], drawn.geometry, strict=True):
            held = sorted({plain.of(str(at)) for at in _under(tree, codes, shape)} - {""})
            if len(held) == 1:
                own[code] = held[0]
            elif held:
                divided[code] = tuple(held)
    return Territories(units=own, parents=parents, divided=divided)


def _under(tree: shapely.STRtree, codes: Any, shape: Any) -> Iterator[str]:
    if shape is None:
        return
    near = tree.query(shape, predicate="intersects")
    common = shapely.area(shapely.intersection(tree.geometries[near], shape))
    yield from codes[near[np.asarray(common) > _SLIVER_M2]]
