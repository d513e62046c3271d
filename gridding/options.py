"""What a division into unit grids aims at, and what each kind of border is worth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gis.errors import SettingsError
from gis.workspace import Profile


@dataclass(frozen=True, kw_only=True)
class DivisionOptions:
    """Targets and prices of a division; the defaults are those of ``docs``' measurements."""

    target_m2: float = 10_000.0
    """Area a grid should have, m²: a target, not a limit."""
    lower_ratio: float = 0.5
    """Grids smaller than this share of the target are merged where a neighbour takes them."""
    upper_ratio: float = 1.5
    """Grids larger than this multiple of the target are cut where a cut can be found."""
    precision_m: float = 0.01
    """Side of the cells on which all coordinates lie, m."""
    clearance_m: float = 0.5
    """Distance a cut keeps from the buildings it goes round, where there is room, m."""
    area_weight: float = 4.0
    """Cost of missing the target area."""
    shape_weight: float = 4.5
    """Cost of a shape unlike a square."""
    grid_reward: float = 1.6
    """Reward of one more grid: makes the mean area hit the target."""
    open_price: float = 0.5
    """Cost of 100 m of border that follows no feature."""
    water_factor: float = 8.0
    """A grid that is all water may be this many times as large as the target."""
    compound_limit: float = 1.0
    """A compound 院落 up to this multiple of the target is kept whole; a larger one is cut where that pays."""
    neatness: float = 0.25
    """0: grids of even size; 1: grids of neat shape; between: a measured line of compromises."""
    balance_weight: float = 0.0
    """Cost of missing the mean load by all of it: balances components 负载均衡 between grids; 0: not wanted."""
    component_clearance_m: float = 0.6
    """Distance a border in the open keeps from components, m."""
    conflation_m: float = 6.0
    """A weaker line within this distance of a stronger one that runs along with it is dropped, m."""
    lattice_m: float = 30.0
    """Spacing of the cells that open land is cut into before grids are made of them, m."""
    zone_targets: Mapping[str, float] = field(default_factory=dict)
    """Target area in m² by feature class prefix, over the factors of ``land.csv``."""
    main_roads: Literal["centreline", "own"] = "centreline"
    """Neighbours meet at a main road's centreline, or its carriageway makes grids of its own."""
    water: Literal["own", "shared"] = "own"
    """Wide water makes grids of its own, or neighbours meet at its centreline."""

    def __post_init__(self) -> None:
        if not self.target_m2 >= 100.0 or not 0 < self.lower_ratio < 1 < self.upper_ratio:
            msg = (
                f"A target of {self.target_m2} m² with ratios {self.lower_ratio} and {self.upper_ratio} "
                "divides nothing: give a target of at least 100 m² and ratios below and above 1."
            )
            raise SettingsError(
                msg, zh="网格目标面积应不小于 100 平方米，上下限系数应分别大于和小于 1。"
            )
        if not 0 <= self.neatness <= 1:
            msg = f"A neatness of {self.neatness} is out of range: give 0 (even size) to 1 (neat shape)."
            raise SettingsError(msg, zh=f"规整度 {self.neatness} 超出范围，请取 0 到 1。")


def options_of(profile: Profile, *, target_m2: float | None = None) -> DivisionOptions:
    """Return the options that a city profile states.

    Parameters
    ----------
    profile : Profile
        Tables ``[thresholds]`` and ``[grids]`` count.
    target_m2 : float or None
        Another target area than the profile's, m².
    """
    wanted = profile.grids
    return DivisionOptions(
        target_m2=target_m2 or profile.thresholds.grid_target_m2,
        neatness=wanted.neatness,
        balance_weight=wanted.balance_weight,
        component_clearance_m=wanted.component_clearance_m,
        compound_limit=wanted.compound_limit,
        main_roads=wanted.main_roads,
        water=wanted.water,
        zone_targets=dict(wanted.zone_targets),
    )
