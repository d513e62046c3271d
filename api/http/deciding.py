"""What every decision asked for over HTTP is checked for, before and after."""

from collections.abc import Callable
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.assign import decide
from api.http.access import Principal, may
from api.http.asking import Asked
from api.http.positions import FAR_M, check_distance, check_range
from api.http.serving import Serving, serving_of
from api.models import Case, Decision
from api.single import ready_single
from api.telling.finding import Finding
from api.telling.writing import writer_of
from census.taxonomy import Taxonomy
from gis.errors import AccessError, RequestError


def checked(request: Request, case: Case, answer: Callable[[], Decision]) -> Decision:
    """Return the decision of a case that can be meant, of a district the asker may see.

    Raises
    ------
    RequestError
        Position, class or day can not be meant.
    AccessError
        The place lies outside the districts of the key.
    """
    check_asked(request, case)
    decision = answer()
    if case.position is not None:
        check_distance(decision, case.position)
    check_district(request.scope["principal"], decision)
    return seen_by(request.scope["principal"], decision)


def check_asked(request: Request, case: Case) -> None:
    """Refuse a question that can not be meant.

    Raises
    ------
    RequestError
        Position, class or day are none.
    """
    serving = serving_of(request)
    check_question(case, serving.live.snapshot.taxonomy)
    serving.check_day(case.as_of)


def seen_by(principal: Principal, decision: Decision) -> Decision:
    """Return a decision without personal data, unless the asker's role records cases."""
    if decision.owner is None or not decision.owner.persons or may(principal, "record"):
        return decision
    return replace(decision, owner=replace(decision.owner, persons=()))


async def decide_one(request: Request, case: Case, *, traced: bool = True) -> Decision:
    """Return the checked decision of a case; of another day in a thread, as it may be indexed anew."""
    snapshot = serving_of(request).live.snapshot
    if case.as_of is None:
        return checked(request, case, lambda: decide(snapshot, case, traced=traced))
    return await run_in_threadpool(
        checked, request, case, lambda: decide(snapshot, case, traced=traced)
    )


def write_one(serving: Serving, principal: Principal, asked: Asked) -> bytes | None:
    """Return the checked and untraced answer of a case, written; None: it is to be told in full.

    Parameters
    ----------
    serving : Serving
        The parts of the worker.
    principal : Principal
        Who asks.
    asked : tuple
        The case, and where it is.

    Raises
    ------
    RequestError
        Position, class or day can not be meant.
    """
    case, position = asked
    snapshot = serving.live.snapshot
    single = ready_single(snapshot, case.as_of)
    if single is None:
        return None
    serving.check_day(case.as_of)
    check_range(position)
    check_class(case, snapshot.taxonomy)
    finding = single.find(case, position, now=None, excluded=frozenset())
    if finding is None or finding.grid_distance_m > FAR_M or not _is_seen(principal, finding):
        return None
    persons = may(principal, "record")
    return writer_of(finding.edition).write(finding, persons=persons, reported_at=case.reported_at)


def _is_seen(principal: Principal, finding: Finding) -> bool:
    """Tell whether a case lies in the districts of whoever asks, as `check_district` has it."""
    if not principal.districts:
        return True
    edition, district = finding.edition, finding.areas[0]
    cells, at = (
        (edition.areas["district"], district) if district >= 0 else (edition.grids, finding.grid)
    )
    return principal.sees(cells.codes[at] if at >= 0 else None)


def check_question(case: Case, taxonomy: Taxonomy) -> None:
    """Refuse a question that names nothing, an unknown class, or degrees that are none.

    Raises
    ------
    RequestError
        What is wrong, and what to ask instead.
    """
    if case.position is None and not case.address and not case.component_code:
        msg = "Say where: give a position, an address or a component_code."
        raise RequestError(msg, zh="请说明位置：提供 position、address 或 component_code 之一。")
    if case.position is not None:
        check_range(case.position)
    check_class(case, taxonomy)


def check_class(case: Case, taxonomy: Taxonomy) -> None:
    """Refuse an unknown class.

    Raises
    ------
    RequestError
        What is wrong, and where the classes are listed.
    """
    if case.class_code is not None and not taxonomy.exists(case.kind, case.class_code):
        msg = (
            f"{case.class_code} is no minor class of {case.kind}s in {taxonomy.standard_ref}; "
            "GET /v1/classes lists them."
        )
        kind = "部件" if case.kind == "component" else "事件"
        raise RequestError(
            msg,
            zh=f"{taxonomy.standard_ref} 中没有{kind}小类 {case.class_code}，可用 /v1/classes 查看。",
        )


def check_district(principal: Principal, decision: Decision) -> None:
    """Refuse an answer from outside the districts of whoever asks.

    Raises
    ------
    AccessError
        The place lies in another district, or in none.
    """
    if not principal.districts:
        return
    district = decision.areas.district
    code = district.code if district else (decision.grid.code if decision.grid else None)
    if not principal.sees(code):
        allowed = ", ".join(principal.districts)
        msg = f"The place lies outside the districts of this key ({allowed})."
        raise AccessError(msg, zh=f"该位置不在此密钥的区县范围内（{allowed}）。")
