"""``/v1/management_grids``, ``/v1/evaluation_grids``, ``/v1/trades``: sets of unit grids, on any day."""

from collections import Counter
from datetime import date
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.http.access import Principal, may
from api.http.answers import json_answer
from api.http.routes.features import (
    GEOJSON_200,
    GRID_RESPONSES,
    Day,
    Key,
    feature,
    retired,
)
from api.http.serving import serving_of
from gis.datasets import PERSONS
from gis.errors import NotFoundError
from gridding.trades.trade import standard_trades

router = APIRouter(tags=["things 要素"])

_TOLD = ("code", "name", "trade", "kind", "area_code", "unit_code", "unit_name")


@router.get(
    "/v1/management_grids/{code}",
    response_class=Response,
    responses=GEOJSON_200,
    summary="A management grid",
)
def management_grid(request: Request, code: Key, as_of: Day = None) -> Response:
    """Return a management grid 管理网格 with its unit grids; persons only to roles that record cases."""
    return _set(request, "management_grids", code, as_of)


@router.get(
    "/v1/evaluation_grids/{code}",
    response_class=Response,
    responses=GEOJSON_200,
    summary="An evaluation grid",
)
def evaluation_grid(request: Request, code: Key, as_of: Day = None) -> Response:
    """Return an evaluation grid 评价网格 with its unit grids."""
    return _set(request, "evaluation_grids", code, as_of)


@router.get(
    "/v1/grids/{code}/sets",
    responses={status: GRID_RESPONSES[status] for status in (404, 410)},
    summary="Management and evaluation grids of a unit grid",
)
def sets_of(request: Request, code: Key, as_of: Day = None) -> Response:
    """Return the management grids of every trade, and the evaluation grids, that hold a unit grid.

    A retired code is answered as by `/v1/grids/{code}`.
    """
    serving = serving_of(request)
    serving.check_day(as_of)
    if (gone := retired(request, code, as_of)) is not None:
        return gone
    snapshot = serving.live.snapshot
    if snapshot.edition(as_of).find("unit_grids", code) < 0:
        msg = f"There is no unit grid {code} {'now' if as_of is None else f'on {as_of}'}."
        raise NotFoundError(msg, zh=f"{as_of or '目前'}没有单元网格 {code}。")
    sets = snapshot.edition(as_of).sets
    told = {
        dataset: [_describe(row, request) for row in sets[dataset].get(code, ())]
        for dataset in ("management_grids", "evaluation_grids")
    }
    return json_answer({"unit_grid": code, **told, "data_version": snapshot.version})


@router.get("/v1/trades", summary="Trades that have management grids")
def trades(request: Request, as_of: Day = None) -> Response:
    """Return the trades 行业 with their names and how many management grids each has on a day."""
    serving = serving_of(request)
    serving.check_day(as_of)
    snapshot = serving.live.snapshot
    rows = snapshot.holding("management_grids", as_of)
    held = snapshot.table("management_grids")["trade"].take(rows).to_pylist()
    counts = Counter(held)
    known = {trade.key: trade for trade in standard_trades()}
    order = [*known, *sorted(set(counts) - set(known))]
    listed = [
        {
            "trade": key,
            "name_zh": known[key].name_zh if key in known else key,
            "name_en": known[key].name_en if key in known else key,
            "management_grids": counts[key],
        }
        for key in order
        if counts[key]
    ]
    return json_answer({"trades": listed, "data_version": snapshot.version})


def _set(request: Request, dataset: str, code: str, as_of: date | None) -> Response:
    """Return one set as a feature; whose it is is told by its area, and persons by the role."""
    serving = serving_of(request)
    serving.check_day(as_of)
    row = serving.live.snapshot.record(dataset, code, as_of=as_of)
    owner = code if row is None else str(row["area_code"])
    hidden = () if _sees_persons(request) else PERSONS
    return feature(request, dataset, code, as_of, owner=owner, hidden=hidden)


def _describe(row: dict[str, Any], request: Request) -> dict[str, Any]:
    names = (*_TOLD, *PERSONS) if _sees_persons(request) else _TOLD
    return {name: row[name] for name in names if name in row}


def _sees_persons(request: Request) -> bool:
    principal: Principal = request.scope["principal"]
    return may(principal, "record")
