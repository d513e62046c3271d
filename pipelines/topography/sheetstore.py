"""The sheets of a build and the faults at their edges, written beside its features."""

from collections.abc import Sequence
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
        """Open new versions of the sheets, and exchange the faults at their edges.

        A sheet may be delivered under another spelling of its number than before: the faults at its
        edges are known by all of them.
        """
        codes = self.sheets["code"].tolist()
        spellings = connection.execute(
            "SELECT DISTINCT number FROM topography.sheet WHERE code = ANY (%s)", [codes]
        ).fetchall()
        numbers = sorted({*self.sheets["number"], *(str(row[0]) for row in spellings)})
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
        end_empty_sheets(connection, build_id, as_of=self.as_of, spared=codes)

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


def end_empty_sheets(
    connection: Connection, build_id: int, *, as_of: date, spared: Sequence[str] = ()
) -> None:
    """End the live sheets, and the faults at their edges, that no live feature lies on any more.

    Parameters
    ----------
    connection : psycopg.Connection
        In the transaction that published the features.
    build_id : int
        The build that ended the features.
    as_of : datetime.date
        Day on which they end.
    spared : sequence of str
        Codes of sheets that stay, though nothing is drawn on them.
    """
    said = {"build": build_id, "day": as_of, "spared": list(spared)}
    ended = connection.execute(
        "UPDATE topography.sheet AS s SET valid_to = %(day)s, closed_build_id = %(build)s"
        " WHERE s.valid_to IS NULL AND s.features > 0 AND NOT s.code = ANY (%(spared)s) AND NOT EXISTS"
        " (SELECT FROM topography.feature f CROSS JOIN unnest(string_to_array(f.sheet, ';')) AS n(number)"
        " JOIN topography.sheet AS v ON v.code = s.code AND v.number = n.number"
        " WHERE f.valid_to IS NULL) RETURNING s.number",
        said,
    ).fetchall()
    connection.execute(
        "UPDATE topography.edge_fault SET valid_to = %(day)s, closed_build_id = %(build)s"
        " WHERE valid_to IS NULL AND (sheet = ANY (%(ended)s) OR other_sheet = ANY (%(ended)s))",
        {**said, "ended": [str(row[0]) for row in ended]},
    )
