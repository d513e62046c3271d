"""Answers as JSON, written straight from the plain values."""

from collections.abc import Mapping
from typing import Any

import orjson
import shapely
from starlette.responses import Response

GEOJSON = "application/geo+json"
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def json_answer(
    content: Any, *, media_type: str = "application/json", headers: Mapping[str, str] | None = None
) -> Response:
    """Return a JSON answer; dataclasses, dates and numpy values are written as they are."""
    body = orjson.dumps(content, option=_OPTIONS)
    return Response(body, media_type=media_type, headers=headers)


def geojson_of(geometry: Any) -> dict[str, Any] | None:
    """Return a geometry in longitude and latitude as GeoJSON, to 9 decimals (0.1 mm).

    Examples
    --------
    >>> geojson_of(shapely.Point(114.51490000001, 38.0428))
    {'type': 'Point', 'coordinates': [114.5149, 38.0428]}
    """
    if geometry is None:
        return None
    rounded = shapely.transform(geometry, lambda xy: xy.round(9))
    result: dict[str, Any] = orjson.loads(shapely.to_geojson(rounded))
    return result
