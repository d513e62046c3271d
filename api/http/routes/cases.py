"""``/v1/cases``: cases assigned and recorded, returned 退件, overridden, closed, listed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from api.assign import decide
from api.cases.duplicates import hint
from api.cases.listing import CasePage, list_cases
from api.cases.moving import assign_case, close_case, reopen_case, return_case
from api.cases.posting import post_case
from api.cases.records import WAITING, DuplicateHint, StoredCase, get_case
from api.http.access import Principal
from api.http.answers import json_answer
from api.http.deciding import check_asked, check_district, checked
from api.http.problems import language_of
from api.http.reports import AssignIn, CasesIn, CloseIn, ReopenIn, ReportIn, ReturnIn
from api.http.serving import serving_of
from api.models import Decision
from gis.caseids import CASE_ID
from gis.errors import AccessError
from gis.returns import return_reasons

router = APIRouter(tags=["cases 案件"])

Key = Annotated[str, Path(pattern=CASE_ID, description="identifier of the case")]


@dataclass(frozen=True, kw_only=True)
class RecordedDecision(Decision):
    """A decision on record, with the open cases that may be about the same thing."""

    duplicates: tuple[DuplicateHint, ...] = ()


@router.post("/v1/cases", response_model=RecordedDecision, summary="Assign and record a case")
def post(request: Request, report: ReportIn) -> Response:
    """Decide a case and record it.

    The same case posted again gets the decision on record; another report under a `case_id` that
    is taken is refused with 409, which says in what they differ. `duplicates` are earlier cases that
    are open and may be about the same thing; nothing is merged.
    """
    case = report.case()
    serving = serving_of(request)
    snapshot = serving.live.snapshot
    check_asked(request, case)
    database = serving.store.open()
    decision = post_case(
        database,
        lambda asked: checked(request, asked, lambda: decide(snapshot, asked)),
        case,
        actor=_principal(request).key_id,
        channel=report.channel,
        description=report.description,
    )
    # One on record was perhaps decided for another key.
    check_district(_principal(request), decision)
    hints = hint(database, report.case_id, earlier_only=True)
    visible = _visible(request, hints)
    return json_answer(RecordedDecision(**vars(decision), duplicates=visible))


@router.get("/v1/cases", response_model=CasePage, summary="Cases on record, page by page")
def listed(request: Request, asked: Annotated[CasesIn, Query()]) -> Response:
    """Return cases of the districts of whoever asks, the newest report first.

    `next` leads to the next page. `due` is how an open case stands to its time limit: `soon` is the
    last quarter of the time.
    """
    page = list_cases(
        serving_of(request).store.open(),
        asked.wanted(_principal(request).districts),
        limit=asked.limit,
        after=asked.next,
    )
    return json_answer(page)


@router.get("/v1/return_reasons", summary="Reasons that a unit may send a case back for")
def reasons(request: Request) -> Response:
    """Return the coded reasons of returns 退件原因; `then` says who is asked next."""
    listed = [
        {
            "code": reason.code,
            "text": reason.zh if language_of(request) == "zh" else reason.en,
            "en": reason.en,
            "zh": reason.zh,
            "concerns": reason.concerns,
            "then": reason.then,
        }
        for reason in return_reasons().values()
    ]
    return json_answer({"return_reasons": listed})


@router.get("/v1/cases/{case_id}", response_model=StoredCase, summary="A case on record")
def get(request: Request, case_id: Key) -> Response:
    """Return a case with the decision in force, all that happened to it, and what may repeat it."""
    return _told(request, case_id)


@router.post(
    "/v1/cases/{case_id}/return", response_model=StoredCase, summary="A unit's return 退件"
)
def give_back(request: Request, case_id: Key, told: ReturnIn) -> Response:
    """Record that the unit which has the case says it is not theirs, and assign it to the next.

    Units that sent the case back are not asked again; when nobody is left, or the reason is one that
    no other unit can help with, it waits for a person.
    """
    visible_case(request, case_id)
    serving = serving_of(request)
    return_case(
        serving.store.open(),
        serving.live.snapshot,
        case_id,
        told=told.told(),
        actor=_principal(request).key_id,
    )
    return _told(request, case_id)


@router.post(
    "/v1/cases/{case_id}/assign", response_model=StoredCase, summary="A person's override 改派"
)
def override(request: Request, case_id: Key, told: AssignIn) -> Response:
    """Give the case to the unit that a person names, whatever was decided."""
    visible_case(request, case_id)
    serving = serving_of(request)
    assign_case(
        serving.store.open(),
        serving.live.snapshot,
        case_id,
        unit_code=told.unit_code,
        reason=told.reason,
        actor=_principal(request).key_id,
    )
    return _told(request, case_id)


@router.post("/v1/cases/{case_id}/close", response_model=StoredCase, summary="Close a case 结案")
def close(request: Request, case_id: Key, told: CloseIn) -> Response:
    """Close a case, as a repeat of another one if a person found it is."""
    if told.duplicate_of is not None:
        visible_case(request, told.duplicate_of)
    return _moved(
        request,
        case_id,
        lambda database, actor: close_case(
            database,
            case_id,
            reason=told.reason,
            duplicate_of=told.duplicate_of,
            actor=actor,
        ),
    )


@router.post("/v1/cases/{case_id}/reopen", response_model=StoredCase, summary="Reopen a case")
def reopen(request: Request, case_id: Key, told: ReopenIn) -> Response:
    """Reopen a closed case: it goes back to the unit that had it."""
    return _moved(
        request,
        case_id,
        lambda database, actor: reopen_case(database, case_id, reason=told.reason, actor=actor),
    )


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
    principal = _principal(request)
    if case.decision is not None:
        check_district(principal, case.decision)
    elif principal.districts:
        msg = f"Case {case_id} was not decided yet: a key of some districts can not see it."
        raise AccessError(msg, zh=f"案件 {case_id} 尚未判定，限区县的密钥无法查看。")
    return case


def _moved(request: Request, case_id: str, move: Callable[[Any, str], None]) -> Response:
    visible_case(request, case_id)
    move(serving_of(request).store.open(), _principal(request).key_id)
    return _told(request, case_id)


def _told(request: Request, case_id: str) -> Response:
    case = visible_case(request, case_id)
    hints = hint(serving_of(request).store.open(), case_id)
    text = None
    if case.waiting is not None:
        text = WAITING[case.waiting][language_of(request) == "zh"]
    return json_answer(
        replace(case, waiting_text=text, duplicates=_visible(request, hints)),
        headers={"Vary": "Accept-Language"},
    )


def _visible(
    request: Request, hints: tuple[tuple[DuplicateHint, str | None], ...]
) -> tuple[DuplicateHint, ...]:
    """Leave out what lies in districts that whoever asks may not see."""
    principal = _principal(request)
    return tuple(found for found, district in hints if principal.sees(district))


def _principal(request: Request) -> Principal:
    principal: Principal = request.scope["principal"]
    return principal
