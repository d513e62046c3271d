"""Other ways to find the cells of points, each on one core: GEOS's tree, geopandas, DuckDB, SedonaDB, PostGIS.

A peer that is not installed is told, not an error: ``uv pip install --group bench``.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import psycopg
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from gis import cluster

Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Points and the cells that hold them."""


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A way to ask, or why there is none."""

    name: str
    ask: Callable[[], Pairs] | None = None
    absent: str = ""
    on_clock: bool = False
    """It works in another process, so only the clock tells its time."""


def peers(cells: NDArray[Any], points: NDArray[Any], *, slow: bool) -> Iterator[Peer]:
    """Yield the peers, each ready to be asked: geometries made, cells indexed where that can be done ahead."""
    tree = shapely.STRtree(cells)
    tree.query(points[:1000], predicate="intersects")
    for predicate in ("intersects", "covered_by"):
        yield Peer(
            name=f"shapely STRtree {predicate}",
            ask=lambda p=predicate: tuple(tree.query(points, predicate=p)),  # type: ignore[misc]
        )
    left = gpd.GeoDataFrame(geometry=points)
    right = gpd.GeoDataFrame(geometry=cells)
    _ = right.sindex
    yield Peer(name="geopandas.sjoin", ask=lambda: _joined(left, right))
    for make in (_duckdb, _sedonadb, _postgis) if slow else ():
        with contextlib.ExitStack() as stack:
            yield from make(cells, points, stack)


def _joined(left: gpd.GeoDataFrame, right: gpd.GeoDataFrame) -> Pairs:
    joined = left.sjoin(right, predicate="intersects")
    return joined.index.to_numpy(), joined["index_right"].to_numpy()


def _duckdb(
    cells: NDArray[Any], points: NDArray[Any], stack: contextlib.ExitStack
) -> Iterator[Peer]:
    try:
        import duckdb
        from duckdb_extensions import import_extension
    except ImportError as error:
        yield Peer(name="DuckDB spatial", absent=str(error))
        return
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="wanmi-duckdb-"))
    connection = duckdb.connect(config={"extension_directory": folder, "threads": 1})
    try:
        import_extension("spatial", con=connection)
        connection.sql("LOAD spatial")
    except (duckdb.Error, ImportError) as error:
        yield Peer(name="DuckDB spatial", absent=str(error))
        return
    held = pa.table({"rank": np.arange(len(cells)), "wkb": pa.array(shapely.to_wkb(cells))})
    x, y = shapely.get_x(points), shapely.get_y(points)
    asked = pa.table({"id": np.arange(len(points)), "x": x, "y": y})
    connection.register("held", held)
    connection.register("asked", asked)
    connection.sql("CREATE TABLE cells AS SELECT rank, ST_GeomFromWKB(wkb) geom FROM held")
    connection.sql("CREATE TABLE points AS SELECT id, ST_Point(x, y) geom FROM asked")
    for predicate in ("ST_Intersects", "ST_Covers"):
        text = f"SELECT p.id, c.rank FROM points p JOIN cells c ON {predicate}(c.geom, p.geom)"

        def ask(text: str = text) -> Pairs:
            found = connection.sql(text).fetchnumpy()
            return found["id"], found["rank"]

        yield Peer(name=f"DuckDB {duckdb.__version__} {predicate}", ask=ask)


def _sedonadb(
    cells: NDArray[Any], points: NDArray[Any], stack: contextlib.ExitStack
) -> Iterator[Peer]:
    try:
        import geoarrow.pyarrow  # noqa: F401  SedonaDB hands results over by it
        import sedonadb
    except ImportError as error:
        yield Peer(name="SedonaDB", absent=str(error))
        return
    session = sedonadb.connect()
    session.sql("SET datafusion.execution.target_partitions = 1").execute()
    for name, shapes in (("cells", cells), ("points", points)):
        frame = gpd.GeoDataFrame({"id": np.arange(len(shapes))}, geometry=shapes)
        session.create_data_frame(frame).to_view(name)
    for predicate in ("ST_Intersects", "ST_Covers"):
        text = f"""SELECT p.id, c.id AS rank FROM points p
            JOIN cells c ON {predicate}(c.geometry, p.geometry)"""

        def ask(text: str = text) -> Pairs:
            found = session.sql(text).to_arrow_table()
            return found["id"].to_numpy(), found["rank"].to_numpy()

        yield Peer(name=f"SedonaDB {sedonadb.__version__} {predicate}", ask=ask)


def _postgis(
    cells: NDArray[Any], points: NDArray[Any], stack: contextlib.ExitStack
) -> Iterator[Peer]:
    root = Path(tempfile.mkdtemp(prefix="wanmi-postgis-"))
    root.chmod(0o755)
    stack.callback(shutil.rmtree, root, ignore_errors=True)
    server = cluster.up(root, is_durable=False)
    stack.callback(shutil.rmtree, server.home, ignore_errors=True)
    stack.callback(cluster.down, root)
    connection = stack.enter_context(psycopg.connect(server.url("postgres"), autocommit=True))
    connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    connection.execute("SET max_parallel_workers_per_gather = 0; SET work_mem = '256MB'")
    for name, shapes in (("cells", cells), ("points", points)):
        connection.execute(f"CREATE UNLOGGED TABLE {name} (id int, geom geometry)")
        with connection.cursor().copy(f"COPY {name} FROM STDIN") as copy:
            for number, text in enumerate(shapely.to_wkb(shapes, hex=True)):
                copy.write_row((number, text))
    connection.execute("CREATE INDEX ON cells USING gist (geom)")
    connection.execute("VACUUM ANALYZE cells")
    connection.execute("VACUUM ANALYZE points")

    def ask() -> Pairs:
        text = """SELECT p.id, min(c.id) FROM points p JOIN cells c ON ST_Covers(c.geom, p.geom)
            GROUP BY p.id"""
        rows = np.array(connection.execute(text).fetchall(), dtype=np.intp).reshape(-1, 2)
        return rows[:, 0], rows[:, 1]

    yield Peer(name="PostGIS ST_Covers, min()", ask=ask, on_clock=True)
