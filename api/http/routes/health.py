"""``/healthz``: asked by balancers every second, and the measure of what an answer costs at least."""

from fastapi import APIRouter
from starlette.responses import Response

from api.http.answers import json_answer

router = APIRouter(tags=["operations 运维"])


@router.get("/healthz", summary="Is the process alive")
async def healthz() -> Response:
    """Answer as long as the process does."""
    return json_answer({"status": "alive"})
