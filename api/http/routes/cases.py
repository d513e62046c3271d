"""``/v1/cases``: cases assigned and recorded, and a unit's "not ours" 退件."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from api.assign import decide
from api.cases import StoredCase, get_case, post_case, return_case
from api.http.access import Principal
from api.http.answers import json_answer
from api.http.deciding import check_district, checked
from api.http.schemas import ReportIn, ReturnIn
from api.http.serving import serving_of
from api.models import Decision
from gis.errors import AccessError

router = APIRouter(tags=["cases 案件"])

Key = Annotated[str, Path(pattern=r"^[^\s/\x00-\x1f]{1,64}$", description="identifier of the case")]


@router.post("/v1/cases", response_model=Decision, summary="Assign and record a case")
def post(request: Request, report: ReportIn) -> Response:
    """Decide a case and record it.

    The same case posted again gets the decision on record; another report under a `case_id` that
    is taken is refused with 409.
    """
    case = report.case()
    serving = serving_of(request)
    snapshot = serving.live.snapshot
    checked(request, case, lambda: decide(snapshot, case))
    principal: Principal = request.scope["principal"]
    decision = post_case(serving.store.open(), snapshot, case, actor=principal.key_id)
    return json_answer(decision)


@router.get("/v1/cases/{case_id}", response_model=StoredCase, summary="A case on record")
def get(request: Request, case_id: Key) -> Response:
    """Return a case with the decision in force and all that happened to it."""
    return json_answer(visible_case(request, case_id))


@router.post(
    "/v1/cases/{case_id}/return", response_model=StoredCase, summary="A unit's return 退件"
)
def give_back(request: Request, case_id: Key, told: ReturnIn) -> Response:
    """Record that the unit which has the case says it is not theirs, and assign it to the next.

    Units that sent the case back are not asked again; when nobody is left it waits for a person.
    """
    visible_case(request, case_id)
    serving = serving_of(request)
    principal: Principal = request.scope["principal"]
    return_case(
        serving.store.open(),
        serving.live.snapshot,
        case_id,
        unit_code=told.unit_code,
        reason=told.reason,
        actor=principal.key_id,
    )
    return json_answer(visible_case(request, case_id))


def visible_case(request: Request, case_id: str) -> StoredCase:
    """Return a case on record that lies in the districts of whoever asks.

    Raises
    ------
    NotFoundError
        There is no such case.
    AccessError
        It lies in another district, or was not decided yet.
    """
    case = get_case(serving_of(request).store.open(), case_id)
    principal: Principal = request.scope["principal"]
    if case.decision is not None:
        check_district(principal, case.decision)
    elif principal.districts:
        msg = f"Case {case_id} was not decided yet: a key of some districts can not see it."
        raise AccessError(msg, zh=f"案件 {case_id} 尚未判定，限区县的密钥无法查看。")
    return case
