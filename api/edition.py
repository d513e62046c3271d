"""An edition: the rows of a snapshot that hold on one day, indexed for questions."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from api.cells import Cells, cells_of
from api.geocoding.gazetteer import Gazetteer
from api.matching.component_index import lay_components
from api.models import PlaceAnswer
from api.owning.directory import Directory
from api.placing.chains import Chains, GridChains
from api.placing.tracts import Tracts, lay_tracts
from api.recodes import TABLE as RECODES
from api.recodes import later_codes
from census.plan.chains import Chain
from census.plan.search import Plan
from gis.columns import numbers_of, rows_of
from gis.nearness import Nearness
from gis.shares import Outlines
from gis.tiling import Tiling

if TYPE_CHECKING:
    from api.snapshot import Snapshot

LEVELS = ("district", "street", "community")
"""Levels of areas, largest first."""
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class ComponentClasses:
    """Which rows of ``components`` are of which class: the table lies class by class."""

    codes: tuple[str, ...]
    ends: NDArray[np.int64]
    """Row past the last of each class."""

    def of(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the number of the class of each row."""
        return np.searchsorted(self.ends, rows, side="right")


class Edition:
    """What holds on one day; its parts are read when they are first needed.

    Parameters
    ----------
    snapshot : Snapshot
        The snapshot.
    as_of : date or None
        The day asked for; None: what is in force.
    day : date or None
        The day of what is in force, from which on it is; None: today.
    """

    def __init__(
        self, snapshot: "Snapshot", as_of: date | None, *, day: date | None = None
    ) -> None:
        self.snapshot = snapshot
        self.as_of = as_of
        self.day = as_of or day or snapshot.calendar.today()
        """The day whose rows these are."""
        self._held: dict[str, NDArray[np.bool_]] = {}
        self._kept: dict[Any, Any] = {}
        self._lock = threading.RLock()
        self.resolutions: dict[Any, Any] = {}
        """Owners found so far, kept by ``api.owning.owners``."""
        self.addresses: dict[str, PlaceAnswer | None] = {}
        """Addresses found so far, kept by ``api.placing.locate``."""

    def kept(self, key: Any, make: Callable[[], T]) -> T:
        """Return what is kept under a key, made by `make` if there is nothing.

        What is kept stays as long as the edition: numbers of one thing are written down in others.
        """
        found: T | None = self._kept.get(key)
        if found is None:
            with self._lock:
                found = self._kept.get(key)
                if found is None:
                    found = self._kept[key] = make()
        return found

    def peek(self, key: Any) -> Any:
        """Return what is kept under a key; None: nothing is yet."""
        return self._kept.get(key)

    def holds(self, dataset: str) -> NDArray[np.bool_]:
        """Return for each row of a table whether it holds on the day."""
        held = self._held.get(dataset)
        if held is None:
            held = np.zeros(self.snapshot.table(dataset).num_rows, dtype=bool)
            held[self.snapshot.holding(dataset, self.day)] = True
            self._held[dataset] = held
        return held

    @cached_property
    def grids(self) -> Cells:
        """Unit grids; the parent is the community."""
        rows = self.snapshot.holding("unit_grids", self.day)
        # The pattern of the newest grids is part of the snapshot; that of others is laid now.
        if not self._is_settled("unit_grids"):
            return self._cells("unit_grids", rows, "community_code")
        laid = (self.snapshot.grid_tiling, self.snapshot.grid_outlines)
        return self._cells("unit_grids", rows, "community_code", laid=laid)

    @cached_property
    def sets(self) -> Mapping[str, Mapping[str, list[dict[str, Any]]]]:
        """Management and evaluation grids: dataset -> unit grid code -> rows that hold it, by code."""
        return {name: self._sets(name) for name in ("management_grids", "evaluation_grids")}

    def _sets(self, dataset: str) -> dict[str, list[dict[str, Any]]]:
        held: dict[str, list[dict[str, Any]]] = {}
        rows = self.snapshot.holding(dataset, self.day)
        table = self.snapshot.table(dataset).drop_columns(["geometry"]).take(rows_of(rows))
        for record in table.to_pylist():
            for code in record["members"]:
                held.setdefault(code, []).append(record)
        return held

    @cached_property
    def areas(self) -> Mapping[str, Cells]:
        """Areas by level: district, street, community."""
        rows = self.snapshot.holding("areas", self.day)
        levels = np.array(self.snapshot.table("areas")["level"].to_pylist(), dtype=object)[rows]
        tilings = {
            level: self.snapshot.area_tiling(level) if self._is_settled("areas") else None
            for level in LEVELS
        }
        return {
            level: self._cells(
                "areas", rows[levels == level], "parent_code", laid=(tilings[level], None)
            )
            for level in LEVELS
        }

    def _cells(
        self,
        dataset: str,
        rows: NDArray[np.intp],
        parent: str,
        *,
        laid: tuple[Tiling | None, Outlines | None] = (None, None),
    ) -> Cells:
        return cells_of(self.snapshot.table(dataset), rows, parent, laid=laid)

    @cached_property
    def area_by_code(self) -> Mapping[str, tuple[str, int]]:
        """Level and position of each area."""
        return {
            code: (level, position)
            for level, cells in self.areas.items()
            for position, code in enumerate(cells.codes)
        }

    @cached_property
    def grid_chains(self) -> GridChains:
        """Chain of each unit grid: its areas by parents, else leading digits, and its management grids."""
        return GridChains(self)

    @cached_property
    def managed(self) -> Mapping[str, tuple[str, ...]]:
        """Codes of the management grids of each unit grid, if the plan names any at all."""
        if self.management_grids.keys().isdisjoint(self.areas_answering):
            return {}
        sets = self.sets["management_grids"]
        return {code: tuple(sorted(row["code"] for row in rows)) for code, rows in sets.items()}

    @cached_property
    def management_grids(self) -> Mapping[str, int]:
        """Row of each management grid 管理网格 in its table."""
        rows = self.snapshot.holding("management_grids", self.day)
        codes = self.snapshot.table("management_grids")["code"].take(rows_of(rows)).to_pylist()
        return dict(zip(codes, rows.tolist(), strict=True))

    @cached_property
    def plan_areas(self) -> list[dict[str, Any]]:
        """Areas that the plan draws itself, boundary roads with them; ``geometry`` as a shape."""
        records = self._records("plan_areas")
        for record in records:
            record["geometry"] = shapely.from_wkb(record["geometry"])
        return records

    @cached_property
    def areas_answering(self) -> frozenset[str]:
        """Codes of the areas that rows of the plan or the sides of boundary roads name."""
        sides = {side for record in self.plan_areas for side in record["sides"] or ()}
        return self.plan.areas | sides

    @cached_property
    def chains(self) -> Chains:
        """The chains of places."""
        return Chains(self)

    @cached_property
    def tracts(self) -> Tracts:
        """Parts of the unit grids that plan areas and boundary roads cut."""
        return lay_tracts(self)

    @cached_property
    def grid_shapes(self) -> NDArray[Any]:
        """Polygons of the unit grids."""
        part = self.snapshot.table("unit_grids")["geometry"].take(rows_of(self.grids.rows))
        shapes: NDArray[Any] = shapely.from_wkb(part.to_numpy())
        return shapes

    @cached_property
    def _grid_by_code(self) -> Mapping[str, int]:
        return {code: position for position, code in enumerate(self.grids.codes)}

    def knows_area(self, code: str) -> bool:
        """Tell whether an area of this code, of any level, holds on the day."""
        return (
            code in self.area_by_code
            or code in self._grid_by_code
            or code in self.management_grids
            or code in self.chains.plan_areas.rank
        )

    def chain_of(self, code: str) -> Chain:
        """Return the chain of an area: itself and what lies above it."""
        if code in self._grid_by_code:
            return self.grid_chains[self._grid_by_code[code]]
        if code in self.management_grids:
            table = self.snapshot.table("management_grids")
            above = table["area_code"][self.management_grids[code]].as_py()
            return self.chain_of(above)._replace(management_grids=(code,))
        level, _ = self.area_by_code.get(code, ("", -1))
        if level == "community":
            return Chain(None, code, *self.above(code))
        if level == "street":
            return Chain(None, None, code, self._parent(code) or code[:6])
        return Chain(None, None, None, code)

    def above(self, community: str) -> tuple[str, str]:
        """Return street and district of a community: its parents, else its leading digits."""
        street = self._parent(community) or community[:9]
        return street, self._parent(street) or street[:6]

    def _parent(self, code: str) -> str | None:
        level, position = self.area_by_code.get(code, ("", -1))
        return None if position < 0 else self.areas[level].parents[position]

    @cached_property
    def grid_community(self) -> NDArray[np.intp]:
        """Position among the communities of the one each unit grid names, -1: it is not among them."""
        communities = self.areas["community"].codes.column
        found = pc.index_in(self.grids.parents.column, value_set=communities)
        return numbers_of(found, np.int32, missing=-1).astype(np.intp)

    @cached_property
    def ends(self) -> date | None:
        """First day on which something else is in force, or a unit is succeeded; None: not known yet."""
        if self.as_of is not None:
            return None
        column = self.snapshot.table("units")["successor_from"]
        days: list[date] = []
        if column.null_count < len(column):
            rows = self.snapshot.holding("units", self.day)
            succeeded = column.take(rows_of(rows)).drop_null().to_pylist()
            days = [day for day in succeeded if day > self.day]
        change = self.snapshot.calendar.next_change(self.day)
        return min(days if change is None else [*days, change], default=None)

    @property
    def is_over(self) -> bool:
        """Tell whether the day has come on which something else is in force."""
        ends = self.ends
        return ends is not None and self.snapshot.calendar.today() >= ends

    def _is_settled(self, dataset: str) -> bool:
        """Tell whether the rows of a dataset are its newest, whose indexes are part of the snapshot."""
        return self.snapshot.calendar.is_settled(dataset, self.day)

    @cached_property
    def directory(self) -> Directory:
        """The unit directory; a succession counts from its day on."""
        return Directory(self._records("units"), as_of=self.day)

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
        rows = self.snapshot.holding(dataset, self.day)
        records: list[dict[str, Any]] = self.snapshot.table(dataset).take(rows_of(rows)).to_pylist()
        return records

    @cached_property
    def component_things(self) -> Nearness:
        """The components that stand, to be found by their distance; group: number of the class."""
        if self._is_settled("components"):
            return self.snapshot.component_things
        rows = self.snapshot.holding("components", self.day)
        return lay_components(self.snapshot.table("components"), rows)

    @cached_property
    def component_classes(self) -> ComponentClasses:
        """Rows of the components class by class."""
        codes = self.snapshot.table("components")["class_code"].combine_chunks()
        runs = pc.run_end_encode(codes, run_end_type=pa.int64())
        ends = numbers_of(runs.run_ends, np.int64) if len(codes) else np.empty(0, dtype=np.int64)
        return ComponentClasses(codes=tuple(runs.values.to_pylist()), ends=ends)

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
