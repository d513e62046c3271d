"""``GET /v1/lookup``: what the workflow system asks of a place."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.http.answers import json_answer
from api.http.deciding import decide_one
from api.http.lean import LeanRoute, describe_parameters, read_parameters
from api.http.schemas import LookupIn
from api.models import Decision

router = APIRouter(tags=["decision 判定"], route_class=LeanRoute)


@router.get(
    "/v1/lookup",
    response_model=Decision,
    summary="Grid, areas, component and owner",
    openapi_extra={"parameters": describe_parameters(LookupIn)},
)
async def lookup(request: Request) -> Response:
    """Return the unit grid, the areas, the component and the owning unit of a position.

    Without `class_code` only the place is asked for: no component, and the territorial unit. What was
    looked at on the way is told with `trace=true`.
    """
    asked = read_parameters(request, LookupIn)
    return json_answer(await decide_one(request, asked.case(), traced=asked.trace))
