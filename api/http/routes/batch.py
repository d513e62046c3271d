"""``POST /v1/assign/batch``: many cases at once, in the format of the caller's choice."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.assign import assign_table
from api.http.access import Principal
from api.http.deciding import seen_by
from api.http.formats import (
    MEDIA_TYPES,
    Format,
    accepted_format,
    format_of,
    media_type_of,
    read_cases,
    read_table,
    write_records,
    write_table,
)
from api.http.problems import Refusal
from api.http.schemas import CaseIn, PositionIn, may_be_asked
from api.http.serving import Serving, serving_of
from api.models import Case, Decision
from api.questions import ask_cases
from api.snapshot import Snapshot
from api.solution import solve
from api.telling.answers import plain
from api.telling.decision import tell
from api.telling.finding import finding_of
from gis.errors import AccessError, RequestError

if TYPE_CHECKING:
    import pandas as pd

router = APIRouter(tags=["decision 判定"])

_NAMES = ", ".join(MEDIA_TYPES)
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_CASE_LIST = {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/CaseIn"}}}
_DECISIONS = {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Decision"}}}
_LINES = {"schema": {"type": "string"}}


@router.post(
    "/v1/assign/batch",
    response_class=Response,
    summary="Decide many cases",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": _CASE_LIST,
                "application/x-ndjson": _LINES,
                "application/vnd.apache.arrow.stream": _BINARY,
                "application/vnd.apache.parquet": _BINARY,
            },
        }
    },
    responses={
        200: {
            "description": "One answer per case, in order",
            "content": {
                "application/json": _DECISIONS,
                "application/x-ndjson": _LINES,
                "application/vnd.apache.arrow.stream": _BINARY,
                "application/vnd.apache.parquet": _BINARY,
            },
        }
    },
)
async def assign_batch(request: Request) -> Response:
    """Return one answer per case, in order: every case comes out, with its decision or its reason.

    JSON and NDJSON answers are full decisions; Arrow and Parquet answers are tables with one row
    per case and the columns of ``wanmi assign``. `Accept` may ask for another format than the one
    sent. A value that can not be meant is a reason of its case (``class_unknown``,
    ``position_invalid`` …), not an error of the batch.
    """
    sent = format_of(request.headers.get("content-type", ""))
    if sent is None:
        raise Refusal(415, f"Send one of {_NAMES}.", zh=f"请发送以下格式之一：{_NAMES}。")
    wanted = accepted_format(request.headers.get("accept", ""), default=sent)
    if wanted is None:
        raise Refusal(406, f"Ask for one of {_NAMES}.", zh=f"可返回的格式为：{_NAMES}。")
    body = await request.body()
    serving = serving_of(request)
    principal: Principal = request.scope["principal"]
    answer = await run_in_threadpool(_answer, serving, principal, body, (sent, wanted))
    return Response(answer, media_type=media_type_of(wanted))


def _answer(
    serving: Serving, principal: Principal, body: bytes, formats: tuple[Format, Format]
) -> bytes:
    sent, wanted = formats
    snapshot = serving.live.snapshot
    is_table = wanted in ("arrow", "parquet")
    bounds = serving.options.bounds
    most = bounds.batch_cases if is_table else bounds.batch_decisions
    if sent == "json" or sent == "ndjson":
        asked = read_cases(body, format_name=sent, most=most)
        for day in {case.as_of for case in asked}:
            serving.check_day(day)
        if not is_table:
            decided = decide_all(snapshot, [case.case() for case in asked])
            decisions = [seen_by(principal, decision) for decision in decided]
            codes = [d.areas.district.code if d.areas.district else None for d in decisions]
            check_districts(principal, pa.chunked_array([pa.array(codes, type=pa.string())]))
            return write_records(decisions, format_name=wanted)
        table = pa.Table.from_pandas(frame_of(asked), preserve_index=False)
    else:
        table = read_table(body, format_name=sent, most=most)
        check_systems(table)
    answers = plain(assign_table(snapshot, table))
    check_districts(principal, answers["district_code"])
    if "case_id" in table.column_names:
        answers = answers.add_column(0, "case_id", table["case_id"])
    return write_table(answers, format_name=wanted)


def check_systems(table: pa.Table) -> None:
    """Refuse a table that names coordinate systems which may not be asked for, as with single cases.

    Raises
    ------
    RequestError
        Which name it is.
    """
    if "crs" not in table.column_names:
        return
    column = table["crs"]
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    for name in pc.unique(column).drop_null().to_pylist():
        if str(name).strip() and not may_be_asked(str(name)):
            shown = str(name)[:60]
            msg = (
                f"crs {shown!r} is not known: write EPSG:4326, EPSG:4490, another EPSG code, GCJ-02, "
                "BD-09, or city for the city's own."
            )
            zh = (
                f"crs {shown!r} 无法识别：可用 EPSG:4326、EPSG:4490 等 EPSG 编号、GCJ-02、BD-09，"
                "或 city（本市坐标系）。"
            )
            raise RequestError(msg, zh=zh)


def decide_all(snapshot: Snapshot, cases: Sequence[Case]) -> list[Decision]:
    """Return the full decision of each case, in order, as of one moment; the cases of a day are solved together."""
    decisions: list[Decision | None] = [None] * len(cases)
    moment, live = snapshot.present()
    days = {case.as_of for case in cases}
    for day in sorted(days, key=lambda value: (value is not None, value)):
        places = [place for place, case in enumerate(cases) if case.as_of == day]
        questions = ask_cases(snapshot, [cases[place] for place in places], now=moment)
        solution = solve(live if day is None else snapshot.edition(day), questions)
        for number, place in enumerate(places):
            decisions[place] = tell(finding_of(solution, number))
    return [decision for decision in decisions if decision is not None]


def frame_of(asked: Sequence[CaseIn]) -> "pd.DataFrame":
    """Return cases as a frame with the columns of ``api.assign.assign_frame``."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for case in asked:
        row = case.model_dump(exclude={"position"})
        row |= {} if case.position is None else case.position.model_dump()
        rows.append(row)
    columns = [*CaseIn.model_fields, *PositionIn.model_fields]
    columns.remove("position")
    frame = pd.DataFrame(rows, columns=columns)
    for name in PositionIn.model_fields.keys() - {"crs"}:
        frame[name] = frame[name].astype(np.float64)
    return frame


def check_districts(principal: Principal, codes: pa.ChunkedArray) -> None:
    """Refuse a batch with cases outside the districts of whoever asks.

    Raises
    ------
    AccessError
        How many of the cases lie outside.
    """
    if not principal.districts:
        return
    counts = pc.value_counts(codes).to_pylist()
    outside = sum(told["counts"] for told in counts if not principal.sees(told["values"]))
    if outside:
        allowed = ", ".join(principal.districts)
        msg = f"{outside} of {len(codes)} cases lie outside the districts of this key ({allowed})."
        raise AccessError(
            msg, zh=f"{len(codes)} 条中有 {outside} 条不在此密钥的区县范围内（{allowed}）。"
        )
