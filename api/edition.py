"""An edition: the rows of a snapshot that hold on one day, indexed for questions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from api.directory import Directory
from api.geocoding.gazetteer import Gazetteer
from api.models import PlaceAnswer
from api.recodes import TABLE as RECODES
from api.recodes import later_codes
from census.plan.chains import Chain
from census.plan.search import Plan
from gis.index import CellIndex
from gis.tiling import Tiling

if TYPE_CHECKING:
    from api.snapshot import Snapshot

LEVELS = ("district", "street", "community")
"""Levels of areas, largest first."""
_NEVER_MATCHED = "removed"


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Polygons of one kind with their index; position i is `rows[i]` of the table."""

    rows: NDArray[np.intp]
    codes: NDArray[Any]
    names: NDArray[Any]
    parents: NDArray[Any]
    """Code of the area one level up, or None."""
    index: CellIndex


@dataclass(frozen=True, kw_only=True)
class ComponentClass:
    """The components of one class that can be matched."""

    rows: NDArray[np.intp]
    shapes: NDArray[Any]
    tree: shapely.STRtree


class Edition:
    """What holds on one day; its parts are read when they are first needed.

    Parameters
    ----------
    snapshot : Snapshot
        The snapshot.
    as_of : date or None
        The day; None: the live rows.
    """

    def __init__(self, snapshot: "Snapshot", as_of: date | None) -> None:
        self.snapshot = snapshot
        self.as_of = as_of
        self._classes: dict[str, ComponentClass] = {}
        self._held: dict[str, NDArray[np.bool_]] = {}
        self.resolutions: dict[Any, Any] = {}
        """Owners found so far, kept by ``api.owners``."""
        self.addresses: dict[str, PlaceAnswer | None] = {}
        """Addresses found so far, kept by ``api.locate``."""

    def holds(self, dataset: str) -> NDArray[np.bool_]:
        """Return for each row of a table whether it holds on the day."""
        held = self._held.get(dataset)
        if held is None:
            held = np.zeros(self.snapshot.table(dataset).num_rows, dtype=bool)
            held[self.snapshot.holding(dataset, self.as_of)] = True
            self._held[dataset] = held
        return held

    @cached_property
    def grids(self) -> Cells:
        """Unit grids; the parent is the community."""
        rows = self.snapshot.holding("unit_grids", self.as_of)
        # The pattern of the live grids is part of the snapshot; that of another day is laid now.
        tiling = self.snapshot.grid_tiling if self.as_of is None else None
        return self._cells("unit_grids", rows, "community_code", tiling=tiling)

    @cached_property
    def sets(self) -> Mapping[str, Mapping[str, list[dict[str, Any]]]]:
        """Management and evaluation grids: dataset -> unit grid code -> rows that hold it, by code."""
        return {name: self._sets(name) for name in ("management_grids", "evaluation_grids")}

    def _sets(self, dataset: str) -> dict[str, list[dict[str, Any]]]:
        held: dict[str, list[dict[str, Any]]] = {}
        rows = self.snapshot.holding(dataset, self.as_of)
        table = self.snapshot.table(dataset).drop_columns(["geometry"]).take(rows)
        for record in table.to_pylist():
            for code in record["members"]:
                held.setdefault(code, []).append(record)
        return held

    @cached_property
    def areas(self) -> Mapping[str, Cells]:
        """Areas by level: district, street, community."""
        rows = self.snapshot.holding("areas", self.as_of)
        levels = self.snapshot.table("areas")["level"].to_numpy(zero_copy_only=False)[rows]
        return {
            level: self._cells("areas", rows[levels == level], "parent_code") for level in LEVELS
        }

    def _cells(
        self, dataset: str, rows: NDArray[np.intp], parent: str, *, tiling: Tiling | None = None
    ) -> Cells:
        part = self.snapshot.table(dataset).select(["code", "name", parent, "geometry"]).take(rows)
        codes, names, parents, wkb = (
            part[name].to_numpy(zero_copy_only=False) for name in part.column_names
        )
        return Cells(
            rows=rows,
            codes=codes,
            names=names,
            parents=parents,
            index=CellIndex(codes, shapely.from_wkb(wkb), tiling=tiling),
        )

    @cached_property
    def area_by_code(self) -> Mapping[str, tuple[str, int]]:
        """Level and position of each area."""
        return {
            code: (level, position)
            for level, cells in self.areas.items()
            for position, code in enumerate(cells.codes)
        }

    @cached_property
    def grid_chains(self) -> list[Chain]:
        """Grid, community, street and district of each unit grid: parents, else leading digits."""
        known = {code: self.above(code) for code in dict.fromkeys(self.grids.parents)}
        return [
            Chain(code, community, *known[community])
            for code, community in zip(self.grids.codes, self.grids.parents, strict=True)
        ]

    def above(self, community: str) -> tuple[str, str]:
        """Return street and district of a community: its parents, else its leading digits."""
        street = self._parent(community) or community[:9]
        return street, self._parent(street) or street[:6]

    def _parent(self, code: str) -> str | None:
        level, position = self.area_by_code.get(code, ("", -1))
        return None if position < 0 else self.areas[level].parents[position]

    @cached_property
    def grid_areas(self) -> Mapping[str, NDArray[np.intp]]:
        """For each level the number of the area that each unit grid belongs to."""
        levels = ("grid", "community", "street", "district")
        columns = zip(*(chain[:4] for chain in self.grid_chains), strict=True)
        return {
            level: np.unique(np.array(column, dtype=str), return_inverse=True)[1]
            for level, column in zip(levels, columns, strict=True)
        }

    @cached_property
    def directory(self) -> Directory:
        """The unit directory; a succession counts from its day on."""
        zone = ZoneInfo(self.snapshot.profile.city.timezone)
        day = self.as_of or datetime.now(zone).date()
        return Directory(self._records("units"), as_of=day)

    @cached_property
    def plan(self) -> Plan:
        """The responsibility plan."""
        return Plan(self._records("responsibility"))

    @cached_property
    def areas_named(self) -> frozenset[str]:
        """Codes of the areas that the plan or the directory names: only these decide anything."""
        return self.plan.areas | self.directory.areas

    @cached_property
    def gazetteer(self) -> Gazetteer:
        """Places by name."""
        return Gazetteer(self)

    def _records(self, dataset: str) -> list[dict[str, Any]]:
        rows = self.snapshot.holding(dataset, self.as_of)
        records: list[dict[str, Any]] = self.snapshot.table(dataset).take(rows).to_pylist()
        return records

    def components(self, class_code: str) -> ComponentClass:
        """Return the components of a minor class that stand: removed ones are left out."""
        found = self._classes.get(class_code)
        if found is None:
            first, last = self._class_rows.get(class_code, (0, 0))
            rows = np.arange(first, last)[self.holds("components")[first:last]]
            part = self.snapshot.table("components").select(["condition", "geometry"]).take(rows)
            stands = pc.not_equal(part["condition"], _NEVER_MATCHED).to_numpy()
            shapes = shapely.from_wkb(part["geometry"].to_numpy()[stands])
            found = ComponentClass(rows=rows[stands], shapes=shapes, tree=shapely.STRtree(shapes))
            self._classes[class_code] = found
        return found

    @cached_property
    def _class_rows(self) -> Mapping[str, tuple[int, int]]:
        """First row and row past the last of each class: the table lies class by class."""
        codes = self.snapshot.table("components")["class_code"].combine_chunks()
        if not len(codes):
            return {}
        runs = pc.run_end_encode(codes, run_end_type=pa.int64())
        ends = runs.run_ends.to_pylist()
        starts = [0, *ends[:-1]]
        return dict(zip(runs.values.to_pylist(), zip(starts, ends, strict=True), strict=True))

    def find(self, dataset: str, code: str) -> int:
        """Return the row of a code that holds on the day, or -1.

        A component that does not hold under the code is looked for under the codes it got later.
        """
        row = self._find(dataset, code)
        if row >= 0 or dataset != "components":
            return row
        recodes = self.snapshot.table(RECODES)
        waiting, seen = later_codes(recodes, code), {code}
        while waiting:
            later = waiting.pop(0)
            if later not in seen:
                seen.add(later)
                row = self._find(dataset, later)
                if row >= 0:
                    return row
                waiting += later_codes(recodes, later)
        return -1

    def _find(self, dataset: str, code: str) -> int:
        column = self.snapshot.table(dataset)["code"]
        order = self.snapshot.components_by_code if dataset == "components" else None
        low, high = 0, len(column)
        while low < high:
            middle = (low + high) // 2
            row = middle if order is None else int(order[middle])
            if column[row].as_py() < code:
                low = middle + 1
            else:
                high = middle
        held = self.holds(dataset)
        while low < len(column):
            row = low if order is None else int(order[low])
            if column[row].as_py() != code:
                return -1
            if held[row]:
                return row
            low += 1
        return -1
