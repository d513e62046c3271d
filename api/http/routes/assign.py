"""``POST /v1/assign``: the full decision of one case; nothing is stored."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.http.answers import json_answer
from api.http.deciding import decide_one
from api.http.schemas import CaseIn
from api.models import Decision

router = APIRouter(tags=["decision 判定"])


@router.post("/v1/assign", response_model=Decision, summary="Decide one case")
async def assign(request: Request, asked: CaseIn) -> Response:
    """Return where the case is, its owning unit, and why; stores nothing."""
    return json_answer(await decide_one(request, asked.case()))
