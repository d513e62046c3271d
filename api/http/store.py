"""The database as a worker sees it: opened once, asked now and then whether it is there."""

import threading
import time

import structlog

from gis.database import Database, open_database
from gis.errors import WanmiError
from gis.workspace import Workspace

logger = structlog.get_logger(__name__)

RETRY_S = 10.0
"""Seconds between two tries to open a database that could not be opened."""


class Store:
    """The workspace's database, or the error that says why there is none.

    Once opened it is never started again from here: a database that an operator stopped stays so.

    Parameters
    ----------
    workspace : Workspace
        Whose database it is.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._database: Database | None = None
        self._fault: WanmiError | None = None
        self._tried_at = float("-inf")
        self.is_up = False
        """Whether the last probe was answered."""
        self.live_builds: frozenset[int] | None = None
        """Ids of the live builds at the last probe that was answered."""

    def open(self) -> Database:
        """Return the database.

        Raises
        ------
        WanmiError
            It could not be opened; tried again every 10 seconds.
        """
        with self._lock:
            if self._database is not None:
                return self._database
            if self._fault is None or time.monotonic() - self._tried_at >= RETRY_S:
                self._tried_at = time.monotonic()
                try:
                    self._database = open_database(self._workspace)
                    return self._database
                except WanmiError as error:
                    self._fault = error
            raise self._fault

    def probe(self) -> None:
        """Ask the database for its live builds, and remember whether it answered."""
        try:
            with self.open().connect(read_only=True) as connection:
                rows = connection.execute(
                    "SELECT build_id FROM meta.build WHERE status = 'live'"
                ).fetchall()
        except Exception as error:
            if self.is_up:
                logger.warning("database away", reason=type(error).__name__)
            self.is_up = False
            return
        if not self.is_up:
            logger.info("database up")
        self.is_up = True
        self.live_builds = frozenset(int(build) for (build,) in rows)
