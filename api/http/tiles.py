"""Vector tiles: the query that makes one, and the box it looks into."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gis.crs import transform_xy

if TYPE_CHECKING:
    from tipg.collections import Column

MAX_ZOOM = 24
TILE_FEATURES = 20_000
"""Most features in one vector tile."""


def tile_query(columns: "Sequence[Column]", *, source: str, where: str, srid: int, key: str) -> str:
    """Return the query of a tile: a layer of the shapes and one of their labels.

    The label layer has a point inside each named shape, in the one tile that holds it, so that a
    shape cut by the edges of tiles is named once.

    Its parameters: 1-4 the box to search, in the city's CRS; 5-8 the tile, in EPSG:3857; 9 the
    layer's name; 10 the greatest count. When there are more the largest features win.
    """
    names = "".join(f'"{column.name}", ' for column in columns)
    return (
        f"WITH found AS MATERIALIZED (SELECT {names} geom"  # noqa: S608 (declared names)
        f" {source} {where} AND geom && ST_MakeEnvelope($1, $2, $3, $4, {srid})"
        " ORDER BY ST_XMax(geom) - ST_XMin(geom) + ST_YMax(geom) - ST_YMin(geom) DESC,"
        f' "{key}" LIMIT $10),'
        " tile AS (SELECT ST_MakeEnvelope($5, $6, $7, $8, 3857) AS box),"
        f" shape AS (SELECT {names}"
        " ST_AsMVTGeom(ST_Transform(geom, 3857), box, 4096, 64, true) AS geom FROM found, tile),"
        f" point AS (SELECT {names} ST_Transform(ST_PointOnSurface(geom), 3857) AS spot FROM found"
        " WHERE ST_Dimension(geom) = 2),"
        f" label AS (SELECT {names} ST_AsMVTGeom(spot, box, 4096, 0, true) AS geom"
        " FROM point, tile WHERE ST_X(spot) >= $5 AND ST_X(spot) < $7"
        " AND ST_Y(spot) >= $6 AND ST_Y(spot) < $8)"
        " SELECT (SELECT ST_AsMVT(shape.*, $9::text, 4096, 'geom') FROM shape"
        " WHERE geom IS NOT NULL)"
        " || (SELECT ST_AsMVT(label.*, $9::text || '_label', 4096, 'geom') FROM label)"
    )


def outline(box: Sequence[float], *, source: str, target: str) -> tuple[float, float, float, float]:
    """Return the box in `target` that holds a box of `source`, its edges followed by 9 points each.

    Examples
    --------
    >>> outline((0, 0, 10, 10), source="EPSG:3857", target="EPSG:3857")
    (0.0, 0.0, 10.0, 10.0)
    """
    west, south, east, north = box
    steps = [part / 8 for part in range(9)]
    xs = [west + (east - west) * step for step in steps]
    ys = [south + (north - south) * step for step in steps]
    x, y = transform_xy(
        [*xs, *xs, *([west] * 9), *([east] * 9)],
        [*([south] * 9), *([north] * 9), *ys, *ys],
        source=source,
        target=target,
    )
    return float(min(x)), float(min(y)), float(max(x)), float(max(y))
