"""All that one worker holds, and the task that keeps it fresh."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.http.images import Images
from api.http.keyring import REFRESH_S, Keyring
from api.http.layers import LAYERS
from api.http.live import POLL_S, Live, Loaded
from api.http.metrics import Metrics
from api.http.options import ServerOptions
from api.http.rates import RateLimiter
from api.http.roster import Roster
from api.http.store import Store
from api.http.tiles import outline
from gis.crs import city_crs
from gis.errors import RequestError

if TYPE_CHECKING:
    from api.http.collections import LayerCollection
    from api.http.pool import ReadPool

logger = structlog.get_logger(__name__)

STORE_S = 1.0
"""Seconds between two writings of a worker's metrics."""
PROBE_S = 3.0
"""Seconds between two questions whether the database is there."""
WORDS_S = 1.0
"""Seconds between two looks whether the words of addresses are to be read: once there is a snapshot."""
WORLD = (-180.0, -90.0, 180.0, 90.0)


class Serving:
    """The parts of a worker.

    Parameters
    ----------
    options : ServerOptions
        How it serves.
    live : Live or None
        The snapshot, if the process has opened it; None: it is opened here.
    """

    def __init__(self, options: ServerOptions, live: Live | None = None) -> None:
        shared = options.shared
        self.options = options
        self.crs = city_crs(options.workspace.profile, options.workspace.root)
        self.live = live or Live(options.workspace)
        self._told: str | None = None
        self.store = Store(options.workspace)
        self.keyring = Keyring(self.store.open)
        self.limiter = RateLimiter(None if shared is None else shared / "rates")
        self.metrics = Metrics(shared)
        self.roster = Roster(shared)
        self.images = Images(options.workspace, self.store)
        self._collections: dict[str, LayerCollection] = {}
        self._collected_for: str | None = None

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the city's districts in degrees; the world before any data."""
        loaded = self.live.loaded
        return WORLD if loaded is None else city_bounds(loaded, self.crs.text)

    @cached_property
    def pool(self) -> "ReadPool":
        """The connections behind ``/ogc``."""
        from api.http.pool import ReadPool

        return ReadPool(self.store.open, query_s=self.options.bounds.query_s)

    def collections(self) -> "dict[str, LayerCollection]":
        """Return the layers of ``/ogc`` by id."""
        from api.http.collections import LayerCollection

        loaded = self.live.loaded
        version = None if loaded is None else loaded.pointer
        if not self._collections or version != self._collected_for:
            self._collections = {
                layer.name: LayerCollection.of(
                    layer,
                    srid=self.crs.srid,
                    crs=self.crs.text,
                    bounds=self.bounds,
                    today=self.today,
                )
                for layer in LAYERS
            }
            self._collected_for = version
        return self._collections

    def today(self) -> date:
        """Return the present day in the city's time zone."""
        return datetime.now(ZoneInfo(self.options.workspace.profile.city.timezone)).date()

    def check_day(self, as_of: date | None) -> None:
        """Refuse a day of which the snapshot knows nothing.

        Raises
        ------
        RequestError
            The day is to come, or before the first data.
        """
        if as_of is None:
            return
        loaded = self.live.loaded
        today = self.today()
        if as_of > today:
            msg = f"as_of {as_of} is to come: the latest day that can be asked for is {today}."
            raise RequestError(msg, zh=f"as_of {as_of} 尚未到来，最晚可查询 {today}。")
        if loaded is not None and as_of < loaded.first_day:
            msg = f"as_of {as_of} is before the data, which begin on {loaded.first_day}."
            raise RequestError(msg, zh=f"as_of {as_of} 早于数据起始日 {loaded.first_day}。")

    @property
    def is_stale(self) -> bool | None:
        """Whether the database holds other live builds than the snapshot; None: not known."""
        loaded, builds = self.live.loaded, self.store.live_builds
        if loaded is None or builds is None:
            return None
        return builds != {int(build["build_id"]) for build in loaded.snapshot.builds}

    def look(self) -> None:
        """Take in a new snapshot if there is one."""
        self.live.refresh()
        loaded = self.live.loaded
        if loaded is None:
            self.roster.note(None, since=None)
            return
        if loaded.pointer != self._told:
            self.metrics.note_snapshot(loaded.pointer, loaded.loaded_at)
            self._told = loaded.pointer
        self.roster.note(loaded.snapshot.version, since=loaded.loaded_at)

    def begin(self) -> None:
        """Take in a first snapshot: the newest, else the one that the other workers answer from.

        A worker that takes a dead one's place holds what the first process opened when it began,
        which may be older than what answered since.
        """
        self.live.refresh()
        latest = self.roster.latest()
        if self.live.fault is not None and latest is not None and latest.data_version is not None:
            self.live.fall_back(latest.data_version)
        self.look()

    def ask_database(self) -> None:
        """Find out whether the database is there."""
        self.store.probe()
        self.metrics.note_database(is_up=self.store.is_up)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep everything fresh while the worker serves."""
        await run_in_threadpool(self.begin)
        if self.options.keys_required:
            await run_in_threadpool(self.keyring.refresh)
        chores = (
            (self.look, POLL_S),
            (self.live.read_words, WORDS_S),
            (self.ask_database, PROBE_S),
            (self.metrics.store, STORE_S),
            (self.keyring.refresh, REFRESH_S),
        )
        tasks = [asyncio.create_task(repeat(chore, pause_s)) for chore, pause_s in chores]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            if "pool" in vars(self):
                await self.pool.close()
            self.limiter.close()


async def repeat(chore, pause_s: float) -> None:  # type: ignore[no-untyped-def]
    """Run a chore in a thread again and again; one that fails is logged and tried again."""
    while True:
        try:
            await run_in_threadpool(chore)
        except Exception as error:
            logger.error("chore failed", chore=chore.__qualname__, exc_info=error)
        await asyncio.sleep(pause_s)


def city_bounds(loaded: Loaded, crs: str) -> tuple[float, float, float, float]:
    """Return west, south, east, north of the live districts in degrees; the world without any."""
    cells = loaded.snapshot.edition().areas["district"]
    if not len(cells.rows):
        return WORLD
    boxes = [
        loaded.snapshot.record("areas", str(code))["geometry"].bounds  # type: ignore[index]
        for code in cells.codes
    ]
    west, south, east, north = zip(*boxes, strict=True)
    box = (min(west), min(south), max(east), max(north))
    return outline(box, source=crs, target="EPSG:4326")


def serving_of(request: Request) -> Serving:
    """Return the parts of the worker that answers `request`."""
    serving: Serving = request.app.state.serving
    return serving
