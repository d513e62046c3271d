"""The snapshot a worker answers from: replaced whole, between two requests and under none.

A background task looks at the pointer file four times a second. A request takes the snapshot once, at its
start, and keeps it to its end, so a swap loses nobody's answer; the old files are freed when the
last request that uses them is done.
"""

import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow.compute as pc
import structlog

from api.assign import decide
from api.edition import Edition
from api.geocoding.geocode import geocode
from api.geocoding.reverse import reverse
from api.geocoding.suggest import suggest
from api.layout import DATASETS, SEARCH
from api.models import Case, Position
from api.recodes import TABLE as RECODES
from api.snapshot import Snapshot, open_snapshot
from api.versions.kept import read_pointer
from gis.errors import SnapshotError, WanmiError
from gis.workspace import Workspace

logger = structlog.get_logger(__name__)

_FIRST_QUESTIONS = ("人民路与解放大街路口东50米路北", "renminlu", "人民苑三号楼")
POLL_S = 0.25
"""Seconds between two looks at the pointer."""
RETRY_S = 10.0
"""Seconds between two tries to load a version that could not be loaded: each may read all of it."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A snapshot in use."""

    snapshot: Snapshot
    pointer: str
    """What the pointer file said."""
    loaded_at: float
    """Seconds since the epoch."""
    first_day: date
    """Day from which there are areas and grids; nothing is known of the days before."""


class Live:
    """Holds the current snapshot of a workspace.

    Parameters
    ----------
    workspace : Workspace
        Its ``snapshots`` folder is watched.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._folder = workspace.snapshots
        self._loaded: Loaded | None = None
        self.fault: WanmiError | None = None
        """Why the pointer's snapshot could not be loaded; the previous one goes on."""
        self._can_geocode = False
        """Whether the words of addresses are at hand, which every version shares."""
        self._failed: tuple[str, float] | None = None
        """Pointer that could not be loaded, and when that was tried."""

    @property
    def loaded(self) -> Loaded | None:
        """The snapshot in use and since when; None: none yet."""
        return self._loaded

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot in use.

        Raises
        ------
        SnapshotError
            None was compiled yet, or none could be read.
        """
        if self._loaded is not None:
            return self._loaded.snapshot
        if self.fault is not None:
            raise self.fault
        raise no_snapshot()

    def check(self) -> None:
        """Refuse a workspace without a snapshot.

        Raises
        ------
        SnapshotError
            None was compiled yet.
        """
        if read_pointer(self._folder) is None:
            raise no_snapshot()

    def refresh(self) -> bool:
        """Load what the pointer names if it is not in use yet; say whether it was swapped in.

        Once the words of addresses were read a version is taken in when it can answer everything at
        once; the first of a process as soon as it can decide.
        """
        self._prepare()
        pointer = read_pointer(self._folder)
        if pointer is None:
            return False
        if self._loaded is not None and self._loaded.pointer == pointer:
            self.fault = self._failed = None
            return False
        if self._just_failed(pointer):
            return False
        try:
            self._take_in(self._folder, pointer)
        except WanmiError as error:
            if self.fault is None or self.fault.message != error.message:
                logger.error("snapshot not loaded", pointer=pointer, reason=error.message)
            self.fault, self._failed = error, (pointer, time.monotonic())
            return False
        self.fault = self._failed = None
        return True

    def fall_back(self, version: str) -> None:
        """Answer from another version while the pointer's can not be loaded; nothing if that can not either."""
        if self._loaded is not None and self._loaded.pointer == version:
            return
        try:
            self._take_in(self._folder / version, version)
        except WanmiError as error:
            logger.error("snapshot not loaded", pointer=version, reason=error.message)

    def _take_in(self, folder: Path, pointer: str) -> None:
        snapshot = open_snapshot(folder)
        first_day = warm(snapshot)
        if self._can_geocode:
            warm_words(snapshot)
        self._loaded = Loaded(
            snapshot=snapshot, pointer=pointer, loaded_at=time.time(), first_day=first_day
        )
        logger.info("snapshot in use", version=pointer)

    def read_words(self) -> None:
        """Read the words of addresses, so that no caller waits for them."""
        if self._loaded is not None and not self._can_geocode:
            warm_words(self._loaded.snapshot)
            self._can_geocode = True

    def _prepare(self) -> None:
        """Make ready what will be in force next when its day is near."""
        coming = None if self._loaded is None else self._loaded.snapshot.prepare()
        if coming is not None:
            warm_edition(coming)
            logger.info("edition prepared", day=str(coming.day))

    def _just_failed(self, pointer: str) -> bool:
        if self._failed is None or self._failed[0] != pointer:
            return False
        return time.monotonic() - self._failed[1] < RETRY_S


def no_snapshot() -> SnapshotError:
    """Return the error of a workspace that has no snapshot."""
    msg = "No snapshot yet: run `wanmi build DELIVERY`, then `wanmi snapshot`."
    return SnapshotError(msg, zh="尚无快照：请先运行 wanmi build，再运行 wanmi snapshot。")


def warm(snapshot: Snapshot) -> date:
    """Map every table and index the live rows before the first question; return the first day.

    A version's files may be removed once newer ones are there: what is mapped by then stays.
    """
    snapshot.verify(anew=False)
    for name in (*DATASETS, SEARCH, RECODES):
        snapshot.table(name)
    for part in (snapshot.components_by_code, snapshot.taxonomy):
        logger.debug("warmed", part=type(part).__name__)
    warm_edition(snapshot.edition())
    _decide_one(snapshot)
    days = [
        day
        for name in ("areas", "unit_grids")
        if (day := pc.min(snapshot.table(name)["valid_from"]).as_py()) is not None
    ]
    return min(days, default=date.min)


def warm_edition(edition: Edition) -> None:
    """Index the rows of an edition."""
    for part in (
        edition.grids,
        edition.areas,
        edition.directory,
        edition.plan,
        edition.tracts if len(edition.plan_areas) else edition.chains,
    ):
        logger.debug("warmed", part=type(part).__name__)


def _decide_one(snapshot: Snapshot) -> None:
    """Decide a first case, about a component or in a unit grid: compiled code is read then."""
    for name in ("components", "unit_grids"):
        row = snapshot.table(name).slice(0, 1).to_pylist()
        if row:
            place = Position(x=row[0]["x"], y=row[0]["y"], crs=snapshot.crs)
            decide(snapshot, Case(position=place, class_code=row[0].get("class_code")))
            return


def warm_words(snapshot: Snapshot) -> None:
    """Ask the first question of each kind about addresses, which reads word tables and compiled code."""
    for question in _FIRST_QUESTIONS:
        geocode(snapshot, question, limit=1)
        suggest(snapshot, question, limit=1)
    places = snapshot.edition().gazetteer
    if len(places.x):
        reverse(snapshot, float(places.x[0]), float(places.y[0]), limit=1)
