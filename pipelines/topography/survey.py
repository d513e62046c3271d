"""The rows of a sheet-wise delivery with the sheets that they lie on."""

from dataclasses import dataclass, replace
from datetime import date

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from pipelines.topography.edges import Floats, Positions
from pipelines.topography.sheetplan import SheetPlan
from pipelines.topography.sheets import Order, Sheet


@dataclass(frozen=True, kw_only=True)
class Survey:
    """Accepted rows and their sheets."""

    rows: gpd.GeoDataFrame
    """Rows of topography, pieces of features, index that of the delivered frame."""
    sheet: Positions
    """Position of each row's sheet in `sheets`; -1: on none."""
    sheets: tuple[Sheet, ...]
    """Sheets delivered of which the ground is known, by key."""
    tolerance_m: Floats
    """Of edge matching, per sheet."""
    days: tuple[tuple[date | None, str | None], ...]
    """Day of the survey and contractor of each sheet."""
    order: Order
    """Which figure of the numbers is north."""
    plan: SheetPlan
    unplaced: tuple[str, ...]
    """Numbers of which the ground is not known."""

    def kept(self, mask: NDArray[np.bool_]) -> "Survey":
        """Return the survey with these rows alone."""
        return replace(self, rows=self.rows[mask], sheet=self.sheet[mask])

    def without(self, sheets: tuple[int, ...]) -> "Survey":
        """Return the survey without some sheets; their rows stay, on none."""
        left = [place for place in range(len(self.sheets)) if place not in sheets]
        now = np.full(
            len(self.sheets) + 1, -1, dtype=np.intp
        )  # the last is for rows on none, at -1
        now[left] = np.arange(len(left))
        return replace(
            self,
            sheet=now[self.sheet],
            sheets=tuple(self.sheets[place] for place in left),
            days=tuple(self.days[place] for place in left),
            tolerance_m=self.tolerance_m[left],
        )

    @property
    def numbers(self) -> NDArray[np.object_]:
        """Sheet number of each row, empty where it has none."""
        return np.array([number or "" for number in self.rows["sheet"]], dtype=object)

    @property
    def age(self) -> Floats:
        """Day of each sheet as a number, 0 where it is not known."""
        return np.array([float(day.toordinal()) if day else 0.0 for day, _ in self.days])

    @property
    def extents(self) -> NDArray[np.object_]:
        """Ground of each sheet."""
        result = np.empty(len(self.sheets), dtype=object)
        result[:] = [sheet.extent for sheet in self.sheets]
        return result
