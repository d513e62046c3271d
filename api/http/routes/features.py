"""``/v1/grids``, ``/v1/components``, ``/v1/areas``: the things themselves, on any day."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from api.http.access import Principal
from api.http.answers import GEOJSON, geojson_of, json_answer
from api.http.serving import serving_of
from gis.crs import reproject_geometry
from gis.errors import AccessError, NotFoundError

router = APIRouter(tags=["things 要素"])

Key = Annotated[str, Path(pattern=r"^[0-9A-Za-z_.-]{1,64}$")]
Day = Annotated[date | None, Query(description="day on which it holds; missing: now")]
GEOJSON_200: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A GeoJSON feature in longitude and latitude (CGCS2000)",
        "content": {GEOJSON: {"schema": {"type": "object"}}},
    },
    404: {"description": "No such thing on that day"},
}
_NAMES = {
    "unit_grids": ("unit grid", "单元网格"),
    "components": ("component", "部件"),
    "areas": ("area", "行政区域"),
    "management_grids": ("management grid", "管理网格"),
    "evaluation_grids": ("evaluation grid", "评价网格"),
}
_LEFT_OUT = ("geometry", "x", "y")


@router.get(
    "/v1/grids/{code}", response_class=Response, responses=GEOJSON_200, summary="A unit grid"
)
def grid(request: Request, code: Key, as_of: Day = None) -> Response:
    """Return a unit grid 万米单元网格 with its outline."""
    return feature(request, "unit_grids", code, as_of)


@router.get(
    "/v1/components/{code}", response_class=Response, responses=GEOJSON_200, summary="A component"
)
def component(request: Request, code: Key, as_of: Day = None) -> Response:
    """Return a component 部件 with the units its record names."""
    return feature(request, "components", code, as_of)


@router.get("/v1/areas/{code}", response_class=Response, responses=GEOJSON_200, summary="An area")
def area(request: Request, code: Key, as_of: Day = None) -> Response:
    """Return a district 区县, street 街道 or community 社区 with its outline."""
    return feature(request, "areas", code, as_of)


def check_sight(request: Request, code: str) -> None:
    """Refuse a code outside the districts of whoever asks.

    Raises
    ------
    AccessError
        It lies outside them.
    """
    principal: Principal = request.scope["principal"]
    if not principal.sees(code):
        allowed = ", ".join(principal.districts)
        msg = f"{code} lies outside the districts of this key ({allowed})."
        raise AccessError(msg, zh=f"{code} 不在此密钥的区县范围内（{allowed}）。")


def feature(
    request: Request,
    dataset: str,
    code: str,
    as_of: date | None,
    *,
    owner: str | None = None,
    hidden: Sequence[str] = (),
) -> Response:
    """Return one row of the snapshot as a GeoJSON feature.

    Parameters
    ----------
    request : Request
        The request.
    dataset : str
        Table of the snapshot.
    code : str
        Business key.
    as_of : date or None
        Day on which it holds; None: now.
    owner : str or None
        Code that tells the district it lies in; None: its own.
    hidden : sequence of str
        Columns that whoever asks may not see.

    Raises
    ------
    NotFoundError
        No such row holds on that day.
    AccessError
        It lies outside the districts of whoever asks.
    """
    serving = serving_of(request)
    check_sight(request, owner or code)
    snapshot = serving.live.snapshot
    record = snapshot.record(dataset, code, as_of=as_of)
    if record is None:
        english, chinese = _NAMES[dataset]
        day = "now" if as_of is None else f"on {as_of}"
        msg = f"There is no {english} {code} {day}."
        raise NotFoundError(msg, zh=f"{as_of or '目前'}没有{chinese} {code}。")
    shape = np.array([record["geometry"]], dtype=object)
    degrees = reproject_geometry(shape, source=snapshot.crs, target="EPSG:4490")[0]
    return json_answer(
        {
            "type": "Feature",
            "id": code,
            "geometry": geojson_of(degrees),
            "properties": {k: v for k, v in record.items() if k not in (*_LEFT_OUT, *hidden)},
            "data_version": snapshot.version,
        },
        media_type=GEOJSON,
    )
