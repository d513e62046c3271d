"""Open a snapshot: memory-mapped, checked by checksum, shared by all workers, usable with no database."""

import threading
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import orjson
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from api.edition import Edition
from api.force import Calendar, rows_of_day, rows_without_end
from api.geocoding.index import SearchIndex
from api.integrity import Integrity, damaged
from api.layout import (
    AREA_TILING,
    COMPONENT_RECORDS,
    COMPONENT_THINGS,
    DATASETS,
    FORMAT,
    GRID_OUTLINES,
    GRID_TILING,
    MANIFEST,
    POINTER,
    SEARCH,
)
from census.taxonomy import Taxonomy, read_taxonomy
from gis.errors import SnapshotError
from gis.mapped import read_arrays
from gis.nearness import Nearness
from gis.settings import Settings
from gis.shares import Outlines
from gis.tiling import Tiling, read_tiling
from gis.workspace import PROFILE_NAME, Profile, find_workspace

if TYPE_CHECKING:
    import pandas as pd

    from api.models import Case, Decision

_EDITIONS_KEPT = 4
_AHEAD = timedelta(minutes=10)


class Snapshot:
    """The six databases as they were when the snapshot was compiled; never edited.

    Tables are mapped and checked when they are first asked for. Safe to use from several threads.

    Parameters
    ----------
    folder : Path
        Folder of one version, as `open_snapshot` finds it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = _read_manifest(folder)
        self.version: str = self.manifest["version"]
        self.crs: str = self.manifest["crs"]
        self.profile: Profile = msgspec.convert(self.manifest["city"], Profile)
        self._integrity = Integrity(folder, self.manifest["files"])
        self.calendar = Calendar(self.manifest["changes"], timezone=self.profile.city.timezone)
        """On which days something changes, and which day is in force."""
        self._tables: dict[str, pa.Table] = {}
        self._editions: dict[date | None, Edition] = {}
        self._coming: Edition | None = None
        self._lock = threading.RLock()

    @property
    def builds(self) -> list[dict[str, Any]]:
        """The live builds the rows came from, with build_id, dataset, as_of, delivery."""
        return list(self.manifest["builds"])

    @property
    def counts(self) -> Mapping[str, int]:
        """Rows per table, old versions included."""
        return dict(self.manifest["counts"])

    @cached_property
    def taxonomy(self) -> Taxonomy:
        """Classes of the city's generation with its extensions."""
        return read_taxonomy(self.profile.city.standard, self.profile.extension_class)

    def table(self, name: str) -> pa.Table:
        """Return a table of the snapshot, memory-mapped.

        Raises
        ------
        SnapshotError
            The file is missing or damaged.
        """
        table = self._tables.get(name)
        if table is None:
            with self._lock:
                path = self._checked(f"{name}.arrow")
                table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
                self._tables[name] = table
        return table

    @cached_property
    def search(self) -> SearchIndex:
        """By what the places are looked up; made once for all days."""
        return SearchIndex(self.table(SEARCH), self.table("places"))

    @cached_property
    def components_by_code(self) -> NDArray[np.int64]:
        """Row of each component in the order of their codes."""
        path = self._checked("components_by_code.npy")
        # An array of no rows has no bytes to map.
        order: NDArray[np.int64]
        order = np.load(path, mmap_mode="r") if self.counts["components"] else np.load(path)
        return order

    @cached_property
    def component_records(self) -> NDArray[np.int32]:
        """Row in ``own_records`` of what each component says of its units."""
        path = self._checked(f"{COMPONENT_RECORDS}.npy")
        record: NDArray[np.int32]
        record = np.load(path, mmap_mode="r") if self.counts["components"] else np.load(path)
        return record

    @cached_property
    def component_things(self) -> Nearness:
        """The live components that stand, to be found by their distance, memory-mapped."""
        return read_arrays(Nearness, self._checked, name=COMPONENT_THINGS)

    @cached_property
    def grid_outlines(self) -> Outlines:
        """The outlines of the live unit grids, memory-mapped."""
        return read_arrays(Outlines, self._checked, name=GRID_OUTLINES)

    @cached_property
    def grid_tiling(self) -> Tiling:
        """The pattern by which the live unit grids are looked up, memory-mapped."""
        return read_tiling(self._checked, name=GRID_TILING)

    def area_tiling(self, level: str) -> Tiling | None:
        """Return the pattern of the live areas of a level, memory-mapped; None: it was not compiled."""
        name = AREA_TILING.format(level)
        is_there = f"{name}.frame.npy" in self.manifest["files"]
        return read_tiling(self._checked, name=name) if is_there else None

    def edition(self, as_of: date | None = None) -> Edition:
        """Return the rows that hold on a day, indexed; None: those in force, today's from midnight on."""
        edition = self._editions.get(as_of)
        if edition is None or edition.is_over:
            with self._lock:
                edition = self._editions.get(as_of)
                if edition is None or edition.is_over:
                    edition = self._begun() if as_of is None else Edition(self, as_of)
                while len(self._editions) >= _EDITIONS_KEPT:
                    self._editions.pop(next(key for key in self._editions if key is not None))
                self._editions[as_of] = edition
        return edition

    def present(self) -> tuple[datetime, Edition]:
        """Return the present moment, where the city is, and the rows in force then.

        Many cases answered together are answered as of one moment: rows and conditions of two days
        would not fit each other.
        """
        while True:
            edition, moment = self.edition(), self.calendar.moment()
            if not edition.is_over:  # else midnight struck in between
                return moment, edition

    def known_edition(self, as_of: date) -> Edition | None:
        """Return the edition of a day that was asked for before; None: it was not, or is no longer kept."""
        return self._editions.get(as_of)

    def _begun(self) -> Edition:
        """Return the edition of today, the one made ahead if its day has come."""
        today, coming = self.calendar.today(), self._coming
        self._coming = None
        is_made = coming is not None and coming.day == today and not coming.is_over
        return coming if is_made and coming is not None else Edition(self, None)

    def prepare(self, *, ahead: timedelta = _AHEAD) -> Edition | None:
        """Make the edition that follows today's if its day is near; None: it is not, or was made.

        Who serves calls this now and then, so that nobody waits at midnight.
        """
        ends = self.edition().ends
        if ends is None or self.calendar.today(ahead=ahead) < ends:
            return None
        with self._lock:
            if self._coming is not None and self._coming.day == ends:
                return None
            self._coming = Edition(self, None, day=ends)
            return self._coming

    def holding(self, name: str, as_of: date | None) -> NDArray[np.intp]:
        """Return the rows of a table that hold on a day, in row order; None: today."""
        day = as_of or self.calendar.today()
        table = self.table(name)
        settled = self.calendar.is_settled(name, day)
        return rows_without_end(table) if settled else rows_of_day(table, day)

    def record(
        self, dataset: str, code: str, *, as_of: date | None = None
    ) -> dict[str, Any] | None:
        """Return one row by its code, with ``geometry`` as a shapely geometry in the city's CRS.

        Parameters
        ----------
        dataset : str
            ``areas``, ``unit_grids``, ``components``, ``units``, ``responsibility`` or ``places``.
        code : str
            Business key.
        as_of : date or None
            Day on which the row holds; None: the live one.

        Returns
        -------
        dict or None
            None when no such row holds on that day.
        """
        row = self.edition(as_of).find(dataset, code)
        if row < 0:
            return None
        record: dict[str, Any] = self.table(dataset).slice(row, 1).to_pylist()[0]
        if "geometry" in record:
            record["geometry"] = shapely.from_wkb(record["geometry"])
        if "attributes" in record:
            record["attributes"] = orjson.loads(record["attributes"] or b"{}")
        return record

    def frame(self, dataset: str, *, as_of: date | None = None) -> "pd.DataFrame":
        """Return a dataset as a frame for analysis, a GeoDataFrame in the city's CRS if it has places.

        Parameters
        ----------
        dataset : str
            As for `record`.
        as_of : date or None
            Day on which the rows hold; None: the live ones.
        """
        rows = self.table(dataset).take(self.holding(dataset, as_of)).to_pandas()
        if "geometry" not in rows:
            return rows
        # Only analysis needs it, and servers start faster without.
        import geopandas as gpd

        shapes = gpd.GeoSeries.from_wkb(rows["geometry"], crs=self.crs)
        return gpd.GeoDataFrame(rows, geometry=shapes)

    def decide(self, case: "Case") -> "Decision":
        """Decide one case; see ``api.assign.decide``."""
        from api.assign import decide

        return decide(self, case)

    def assign(self, rows: "pd.DataFrame | pa.Table | pa.RecordBatch") -> Any:
        """Decide the cases of a frame, GeoDataFrame or Arrow table; see ``api.frames.assign_rows``."""
        from api.frames import assign_rows

        return assign_rows(self, rows)

    def verify(self, *, anew: bool = True) -> None:
        """Check every file against its checksum.

        Parameters
        ----------
        anew : bool
            Read every file; else only those that changed since they were last found whole.

        Raises
        ------
        SnapshotError
            A file is missing or damaged.
        """
        self._integrity.check_all(anew=anew)

    def _checked(self, name: str) -> Path:
        return self._integrity.check(name)


def open_snapshot(folder: Path | str | None = None) -> Snapshot:
    """Open the current snapshot of a workspace.

    Parameters
    ----------
    folder : Path or str or None
        A workspace, its folder of snapshots, or the folder of one version; None: the nearest
        workspace from here upwards.

    Raises
    ------
    SnapshotError
        There is none, or it is damaged.

    Examples
    --------
    >>> from api import open_snapshot
    >>> open_snapshot("/nowhere")
    Traceback (most recent call last):
    gis.errors.SnapshotError: No snapshot in /nowhere: compile one with `wanmi snapshot`.
    """
    if folder is None:
        folder = find_workspace(Settings(), start=Path.cwd())
    return Snapshot(find_version(Path(folder)))


def find_version(folder: Path) -> Path:
    """Return the folder of the current version in a workspace or a folder of snapshots."""
    if (folder / MANIFEST).is_file():
        return folder
    snapshots = folder / "snapshots" if (folder / PROFILE_NAME).is_file() else folder
    try:
        version = (snapshots / POINTER).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"No snapshot in {folder}: compile one with `wanmi snapshot`."
        raise SnapshotError(
            msg, zh=f"{folder} 中没有快照：请运行 `wanmi snapshot` 编译。"
        ) from error
    return snapshots / version


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest: dict[str, Any] = orjson.loads(path.read_bytes())
        if manifest["format"] != FORMAT:
            msg = (
                f"The snapshot in {folder} has layout {manifest['format']}, this program reads {FORMAT}: "
                "compile it anew with `wanmi snapshot`."
            )
            raise SnapshotError(
                msg, zh=f"快照 {folder} 的格式不符：请运行 `wanmi snapshot` 重新编译。"
            )
        files: Mapping[str, Any] = manifest["files"]
        if manifest["changes"].keys() != set(DATASETS):
            raise damaged(path)
        if _absent(folder, files, needed=[f"{name}.arrow" for name in DATASETS]):
            raise damaged(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(path) from error
    return manifest


def _absent(folder: Path, files: Mapping[str, Any], *, needed: Sequence[str]) -> bool:
    if any(name not in files for name in needed):
        return True
    return any((folder / name).stat().st_size != told["bytes"] for name, told in files.items())
