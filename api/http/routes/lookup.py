"""``GET /v1/lookup``: what the workflow system asks of a place."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.requests import Request
from starlette.responses import Response

from api.assign import decide
from api.http.answers import json_answer
from api.http.deciding import checked
from api.http.schemas import Accuracy, ClassCode, CrsName, Number
from api.http.serving import serving_of
from api.models import Case, Decision, Position

router = APIRouter(tags=["decision 判定"])


@router.get("/v1/lookup", response_model=Decision, summary="Grid, areas, component and owner")
async def lookup(
    request: Request,
    x: Annotated[Number, Query(description="east or longitude", examples=[114.5149])],
    y: Annotated[Number, Query(description="north or latitude", examples=[38.0428])],
    crs: Annotated[CrsName, Query()] = "EPSG:4326",
    kind: Annotated[Literal["component", "event"], Query()] = "component",
    class_code: Annotated[ClassCode | None, Query()] = None,
    accuracy_m: Annotated[Accuracy | None, Query()] = None,
    reported_at: Annotated[AwareDatetime | None, Query()] = None,
    as_of: Annotated[date | None, Query(description="day whose data answer")] = None,
) -> Response:
    """Return the unit grid, the areas, the component and the owning unit of a position.

    Without `class_code` only the place is asked for: no component, and the territorial unit.
    """
    case = Case(
        kind=kind,
        class_code=class_code,
        position=Position(x=x, y=y, crs=crs, accuracy_m=accuracy_m),
        reported_at=reported_at,
        as_of=as_of,
    )
    serving = serving_of(request)
    snapshot = serving.live.snapshot
    return json_answer(checked(request, case, lambda: decide(snapshot, case)))
