"""The chain of a place: everything there that a row of the plan can name."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from census.plan.rows import ANYWHERE

CHAIN_LEVELS = (
    "plan_area",
    "grid",
    "management_grid",
    "community",
    "street",
    "district",
    "city",
)
"""Levels of a chain, the most specific first; the city is the last of all."""
TERRITORIES = ("grid", "community", "street", "district")
"""Levels that a territorial unit 属地单位 may answer for: the first four parts of a chain."""


class Chain(NamedTuple):
    """Codes of what holds a place; None or empty where there is none.

    Its first four parts are those of `TERRITORIES`, in that order.

    Examples
    --------
    >>> chain = Chain("130102001001001", "130102001001", plan_areas=("P1", "P2"))
    >>> [(CHAIN_LEVELS[level], nth, code) for level, nth, code in chain.areas()]
    [('plan_area', 0, 'P1'), ('plan_area', 1, 'P2'), ('grid', 0, '130102001001001'), \
('community', 0, '130102001001'), ('city', 0, '*')]
    >>> chain.naming({"P2", "130102001001"})
    Chain(grid=None, community='130102001001', street=None, district=None, plan_areas=('P2',), \
management_grids=())
    """

    grid: str | None = None
    """Unit grid."""
    community: str | None = None
    street: str | None = None
    district: str | None = None
    plan_areas: tuple[str, ...] = ()
    """Plan areas that hold the place, the smallest first (by area, then code); boundary roads are not
    among them: they say how two sides share, and never own."""
    management_grids: tuple[str, ...] = ()
    """Management grids 管理网格 of all trades that the unit grid is a member of, by code."""

    def areas(self) -> Iterator[tuple[int, int, str]]:
        """Yield level (a position in `CHAIN_LEVELS`), rank within the level, and code; the city last.

        Plan areas rank one after another; management grids of several trades are equals.
        """
        for rank, code in enumerate(self.plan_areas):
            yield 0, rank, code
        if self.grid is not None:
            yield 1, 0, self.grid
        for code in self.management_grids:
            yield 2, 0, code
        for level, area in enumerate((self.community, self.street, self.district), 3):
            if area is not None:
                yield level, 0, area
        yield 6, 0, ANYWHERE

    def naming(self, codes: Collection[str]) -> "Chain":
        """Return the chain without the areas that are not among `codes`: equal effect, fewer chains."""
        grid, community, street, district = (code if code in codes else None for code in self[:4])
        return Chain(
            grid,
            community,
            street,
            district,
            plan_areas=tuple(code for code in self.plan_areas if code in codes),
            management_grids=tuple(code for code in self.management_grids if code in codes),
        )
