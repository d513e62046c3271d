"""The sheets of a build and the faults at their edges, written beside its features."""

from dataclasses import dataclass
from datetime import date

import geopandas as gpd
import shapely
from psycopg import sql

from gis import staging
from gis.conform import conform
from gis.database import Connection, Database
from gis.tables import declare

SHEETS, FAULTS = "topography.sheet", "topography.edge_fault"


@dataclass(frozen=True, kw_only=True)
class Store:
    """What to write when the features are published; call it with connection and build number."""

    sheets: gpd.GeoDataFrame
    """Rows of ``topography.sheet``."""
    faults: gpd.GeoDataFrame
    """Rows of ``topography.edge_fault``: all that hold at the edges of these sheets."""
    as_of: date
    database: Database
    ground: shapely.Geometry | None = None
    """Faults in it hold no longer; None: those at the edges of these sheets alone."""

    def __call__(self, connection: Connection, build_id: int) -> None:
        """Open new versions of the sheets, and exchange the faults at their edges."""
        numbers = self.sheets["number"].tolist()
        ground = None if self.ground is None else shapely.to_wkb(self.ground)
        closing = connection.execute(
            "SELECT code FROM topography.edge_fault WHERE valid_to IS NULL"
            " AND (sheet = ANY (%(numbers)s) OR other_sheet = ANY (%(numbers)s) OR"
            " ST_DWithin(geom, ST_GeomFromWKB(%(ground)s, %(srid)s), 1))",
            {"numbers": numbers, "ground": ground, "srid": self.database.srid},
        ).fetchall()
        for name, frame, ends in (
            (SHEETS, self.sheets, []),
            (FAULTS, self.faults, [str(row[0]) for row in closing]),
        ):
            self._exchange(connection, name, frame, ends, build_id)

    def _exchange(
        self,
        connection: Connection,
        name: str,
        frame: gpd.GeoDataFrame,
        ends: list[str],
        build_id: int,
    ) -> None:
        table = declare(self.database.srid).tables[name]
        rows = conform(frame, table=table, crs=self.database.crs)
        for temporary in ("staging", "incoming", "closing"):
            connection.execute(
                sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(sql.Identifier(temporary))
            )
        staging.stage(connection, table, rows, srid=self.database.srid)
        limits = staging.Limits(
            is_empty=not ends, column="code", values=tuple(ends), prefixes=("",)
        )
        staging.compare(connection, table, limits=limits, kept=[])
        staging.exchange(connection, table, build_id=build_id, as_of=self.as_of)
