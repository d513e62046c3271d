"""The orthophotos that can be shown: the catalogue's rows, kept when the database is away."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import shapely

from api.http.store import Store
from gis.crs import reproject_geometry
from gis.database import read_features
from gis.errors import NotFoundError, WanmiError
from gis.workspace import Workspace

_QUERY = """
    SELECT code, name, path, gsd_m, width, height, bands, dtype, acquired_on, model,
        height_source, height_datum, rmse_m, rmse_limit_m, check_points, is_accepted,
        valid_from, build_id, geom
    FROM imagery.orthophoto WHERE valid_to IS NULL ORDER BY code
"""


@dataclass(frozen=True, kw_only=True)
class Image:
    """One live orthophoto."""

    code: str
    name: str
    path: Path
    """Absolute path of the file, inside the workspace."""
    footprint: Any
    """Valid pixels, a shapely geometry in longitude and latitude."""
    acquired_on: date | None
    valid_from: date
    facts: Mapping[str, Any]
    """The other columns of the catalogue."""


class Images:
    """The live orthophotos of a workspace.

    Parameters
    ----------
    workspace : Workspace
        Relative paths of the catalogue start at its root.
    store : Store
        Where the catalogue is.
    """

    def __init__(self, workspace: Workspace, store: Store) -> None:
        self._root = workspace.root.resolve()
        self._store = store
        self._lock = threading.Lock()
        self._known: dict[str, Image] | None = None
        self._known_for: frozenset[int] | None = None

    def all(self) -> dict[str, Image]:
        """Return the live orthophotos by code; the last known ones while the database is away.

        Raises
        ------
        WanmiError
            The database is away and the catalogue was never read.
        """
        with self._lock:
            builds = self._store.live_builds
            if self._known is None or builds != self._known_for:
                try:
                    self._known = self._read()
                    self._known_for = builds
                except WanmiError:
                    if self._known is None:
                        raise
            return self._known

    def get(self, code: str) -> Image:
        """Return one orthophoto.

        Raises
        ------
        NotFoundError
            The catalogue has no such image, or its file is not in the workspace.
        """
        image = self.all().get(code)
        if image is None:
            msg = f"There is no orthophoto {code}."
            raise NotFoundError(msg, zh=f"没有正射影像 {code}。")
        if not image.path.is_relative_to(self._root) or not image.path.is_file():
            msg = f"The file of orthophoto {code} is not in the workspace; build it again."
            raise NotFoundError(msg, zh=f"工作区中没有影像 {code} 的文件，请重新入库。")
        return image

    def _read(self) -> dict[str, Image]:
        database = self._store.open()
        with database.connect(read_only=True) as connection:
            frame = read_features(connection, _QUERY, crs=database.crs)
        shapes = reproject_geometry(
            frame.geometry.to_numpy(), source=database.crs, target="EPSG:4326"
        )
        rows = frame.drop(columns="geometry").astype(object).where(frame.notna(), None)
        return {
            row["code"]: Image(
                code=row["code"],
                name=row["name"] or row["code"],
                path=(self._root / row["path"]).resolve(),
                footprint=shapely.normalize(shape),
                acquired_on=row["acquired_on"],
                valid_from=row["valid_from"],
                facts=row,
            )
            for row, shape in zip(rows.to_dict("records"), shapes, strict=True)
        }
