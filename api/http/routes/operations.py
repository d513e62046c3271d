"""``/readyz``, ``/metrics``: for those who run the server."""

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.http.answers import json_answer
from api.http.metrics import CONTENT_TYPE
from api.http.problems import language_of
from api.http.routes.reference import describe_version
from api.http.serving import Serving, serving_of

router = APIRouter(tags=["operations 运维"])

_NOTES = {
    "no_snapshot": (
        "No snapshot is loaded: run `wanmi build DELIVERY`, then `wanmi snapshot`.",
        "尚未加载快照：请运行 wanmi build，再运行 wanmi snapshot。",
    ),
    "snapshot_fault": (
        "The newest snapshot could not be loaded, the previous one answers.",
        "最新快照无法加载，仍由上一个快照应答。",
    ),
    "database_away": (
        "The database is away: lookups go on from the snapshot; cases, /ogc and imagery wait.",
        "数据库不可用：查询仍由快照应答，案件、/ogc 与影像暂停。",
    ),
    "snapshot_stale": (
        "The database has newer builds than the snapshot: run `wanmi snapshot`.",
        "数据库中有比快照更新的数据：请运行 wanmi snapshot。",
    ),
}


@router.get("/readyz", summary="Can questions be answered")
async def readyz(request: Request) -> Response:
    """Say what works: 200 when lookups are answered, with notes on what does not; else 503."""
    serving = serving_of(request)
    await run_in_threadpool(serving.ask_database)
    names = troubles(serving)
    is_ready = serving.live.loaded is not None
    index = 1 if language_of(request) == "zh" else 0
    status = "ready" if not names else ("degraded" if is_ready else "not_ready")
    answer = json_answer(
        {
            "status": status,
            "database": "up" if serving.store.is_up else "away",
            **describe_version(serving),
            "notes": [{"code": name, "message": _NOTES[name][index]} for name in names],
        }
    )
    answer.status_code = 200 if is_ready else 503
    return answer


def troubles(serving: Serving) -> list[str]:
    """Return what does not work, by the names of the notes."""
    found: dict[str, Any] = {
        "no_snapshot": serving.live.loaded is None,
        "snapshot_fault": serving.live.fault is not None and serving.live.loaded is not None,
        "database_away": not serving.store.is_up,
        "snapshot_stale": serving.is_stale,
    }
    return [name for name, is_so in found.items() if is_so]


@router.get("/metrics", summary="Prometheus metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """Return counters and timings of all workers in Prometheus' text format."""
    return Response(serving_of(request).metrics.exposition(), media_type=CONTENT_TYPE)
