"""Base, live and delivered rows of each component, side by side."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from census.merging.fields import Given
from census.merging.matching import Origins, Positions, find_origins

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Sides:
    """What is merged: frames with the columns of a component, one row per code, in the city's CRS."""

    base: gpd.GeoDataFrame | None
    """The state that both sides began from; None: not known, so that no side is the edited one."""
    live: gpd.GeoDataFrame
    delivered: gpd.GeoDataFrame
    """With ``source_file`` and ``source_row``; unique index."""
    complete: Mask | None = None
    """Rows of `base` that the delivery would hold if they still stood there; None: all."""
    given: Given = field(default_factory=Given)
    """What the delivered files say something of."""
    stated_base: "pd.Series[str] | None" = None
    """Code in `base` that a delivered row states, aligned to `delivered`."""
    recoded: Mapping[str, str] = field(default_factory=dict)
    """Code in `live` -> code in `base`, of components that got another code in between."""
    accuracy_m: Mapping[str, float] = field(default_factory=dict)
    """Class -> positions this near are alike, m; of other classes those within half a metre."""
    same_place_m: float = 0.5
    """Two of one class this near are suspected to be one, m."""


@dataclass(frozen=True, kw_only=True)
class Objects:
    """Each component once: its position in each frame, -1 where it is not."""

    base: Positions
    live: Positions
    delivered: Positions
    is_silent: Mask
    """The delivery says nothing of it: not delivered, and not to be expected there."""
    is_by_place: Mask
    """The delivered row was found by place alone."""

    @property
    def in_base(self) -> Mask:
        """Those that are in the base."""
        return self.base >= 0

    @property
    def in_live(self) -> Mask:
        """Those that are live."""
        return self.live >= 0

    @property
    def in_delivered(self) -> Mask:
        """Those that are delivered."""
        return self.delivered >= 0


def align(sides: Sides) -> Objects:
    """Find out which rows are one component: those of the base first, then those with one code."""
    base = sides.base
    if base is None:
        from_live, from_delivered = _nowhere(sides.live), _nowhere(sides.delivered)
        count = 0
    else:
        count = len(base)
        codes = sides.live["code"]
        from_live = find_origins(
            sides.live,
            base,
            stated=codes.map(dict(sides.recoded)) if sides.recoded else None,
            distance_m=sides.same_place_m,
        )
        from_delivered = find_origins(
            sides.delivered,
            base,
            stated=sides.stated_base,
            gone=sides.complete,
            distance_m=sides.same_place_m,
        )
    live, delivered, by_place = _invert(from_live, from_delivered, count)
    new = _pair_new(sides, from_live, from_delivered)
    complete = np.ones(count, dtype=bool) if sides.complete is None else sides.complete
    silent = (delivered < 0) & ~complete
    more = len(new)
    return Objects(
        base=np.concatenate([np.arange(count), np.full(more, -1)]).astype(np.intp),
        live=np.concatenate([live, new["live"].to_numpy()]).astype(np.intp),
        delivered=np.concatenate([delivered, new["delivered"].to_numpy()]).astype(np.intp),
        is_silent=np.concatenate([silent, np.zeros(more, dtype=bool)]),
        is_by_place=np.concatenate([by_place, np.zeros(more, dtype=bool)]),
    )


def _nowhere(rows: pd.DataFrame) -> Origins:
    return Origins(
        position=np.full(len(rows), -1, dtype=np.intp), is_by_place=np.zeros(len(rows), dtype=bool)
    )


def _invert(
    from_live: Origins, from_delivered: Origins, count: int
) -> tuple[Positions, Positions, Mask]:
    """Return for each base row its live and its delivered one, and which were found by place."""
    live, delivered = (np.full(count, -1, dtype=np.intp) for _ in range(2))
    by_place = np.zeros(count, dtype=bool)
    for target, origins in ((live, from_live), (delivered, from_delivered)):
        known = np.flatnonzero(origins.position >= 0)
        target[origins.position[known]] = known
    by_place[from_delivered.position[from_delivered.is_by_place]] = True
    return live, delivered, by_place


def _pair_new(sides: Sides, from_live: Origins, from_delivered: Origins) -> pd.DataFrame:
    """Return the rows that are not in the base, joined by code, in the order of code."""
    tables = [
        pd.DataFrame({"code": rows["code"].to_numpy(dtype=object)[where], name: where})
        for name, rows, origins in (
            ("live", sides.live, from_live),
            ("delivered", sides.delivered, from_delivered),
        )
        for where in [np.flatnonzero(origins.position < 0)]
    ]
    joined = tables[0].merge(tables[1], on="code", how="outer", validate="1:1", sort=True)
    return joined[["live", "delivered"]].fillna(-1).astype(np.intp)
