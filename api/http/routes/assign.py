"""``POST /v1/assign``: the full decision of one case; nothing is stored."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.assign import decide
from api.http.answers import json_answer
from api.http.deciding import checked
from api.http.schemas import CaseIn
from api.http.serving import serving_of
from api.models import Decision

router = APIRouter(tags=["decision 判定"])


@router.post("/v1/assign", response_model=Decision, summary="Decide one case")
async def assign(request: Request, asked: CaseIn) -> Response:
    """Return where the case is, its owning unit, and why; stores nothing."""
    case = asked.case()
    snapshot = serving_of(request).live.snapshot
    return json_answer(checked(request, case, lambda: decide(snapshot, case)))
