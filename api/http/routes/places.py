"""``/v1/geocode``, ``/v1/reverse``, ``/v1/suggest``: places by name and by position."""

from dataclasses import replace
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.geocoding.geocode import geocode as places_of
from api.geocoding.reverse import reverse as places_near
from api.geocoding.suggest import suggest as places_like
from api.http.access import Principal
from api.http.answers import json_answer
from api.http.positions import check_range, focus_of
from api.http.schemas import CrsName, GeocodeIn, Number
from api.http.serving import serving_of
from api.models import PlaceAnswer, Position
from api.placing.locate import check_position

router = APIRouter(tags=["places 地点"])

Text = Annotated[str, Query(min_length=1, max_length=200, examples=["裕华路12号"])]
_MOST = 50
Limit = Annotated[int, Query(ge=1, le=_MOST)]
Day = Annotated[date | None, Query(description="day whose data answer")]


@router.get("/v1/geocode", response_model=list[PlaceAnswer], summary="Address to places")
async def geocode(request: Request, asked: Annotated[GeocodeIn, Query()]) -> Response:
    """Return the places an address or a name leads to, the surest first, each with how it matched.

    The first answer carries a `question` when other places fit as well.
    """
    serving = serving_of(request)
    serving.check_day(asked.as_of)
    snapshot = serving.live.snapshot
    found = await run_in_threadpool(
        places_of, snapshot, asked.text(), limit=reach(request, asked.limit), as_of=asked.as_of
    )
    return json_answer(seen(request, found)[: asked.limit])


@router.get("/v1/suggest", response_model=list[PlaceAnswer], summary="Places while typing")
async def suggest(
    request: Request,
    q: Text,
    limit: Limit = 8,
    near: Annotated[
        str | None, Query(max_length=64, description="longitude,latitude: near places come first")
    ] = None,
    as_of: Day = None,
) -> Response:
    """Return places whose name, alias or romanisation begins with what was typed so far."""
    serving = serving_of(request)
    serving.check_day(as_of)
    snapshot = serving.live.snapshot
    focus = None if near is None else focus_of(near, city=snapshot.crs)
    found = await run_in_threadpool(
        places_like, snapshot, q, limit=reach(request, limit), as_of=as_of, near=focus
    )
    return json_answer(seen(request, found)[:limit])


@router.get("/v1/reverse", response_model=list[PlaceAnswer], summary="Position to places")
async def reverse(
    request: Request,
    x: Annotated[Number, Query(description="east or longitude")],
    y: Annotated[Number, Query(description="north or latitude")],
    crs: Annotated[CrsName, Query()] = "EPSG:4326",
    limit: Limit = 5,
    as_of: Day = None,
) -> Response:
    """Return the places near a position, the nearest first, each with the position in words."""
    serving = serving_of(request)
    serving.check_day(as_of)
    snapshot = serving.live.snapshot
    position = Position(x=x, y=y, crs=crs)
    check_range(position)
    check_position(position, city=snapshot.crs)
    found = await run_in_threadpool(
        places_near, snapshot, x, y, crs=crs, limit=reach(request, limit), as_of=as_of
    )
    return json_answer(seen(request, found)[:limit])


def reach(request: Request, limit: int) -> int:
    """Return how many answers to look for: those outside the districts of whoever asks are left out."""
    principal: Principal = request.scope["principal"]
    return _MOST if principal.districts else limit


def seen(request: Request, found: list[PlaceAnswer]) -> list[PlaceAnswer]:
    """Return the places that lie in the districts of whoever asks, and no question that names others."""
    principal: Principal = request.scope["principal"]
    if not principal.districts:
        return found
    kept = [place for place in found if principal.sees(place.community_code or place.grid_code)]
    return [replace(place, question="", question_zh="") for place in kept]
