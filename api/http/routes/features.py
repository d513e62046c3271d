"""``/v1/grids``, ``/v1/components``, ``/v1/areas``: the things themselves, on any day."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from api.http.access import Principal
from api.http.answers import GEOJSON, geojson_of, json_answer
from api.http.problems import MEDIA_TYPE, language_of, problem
from api.http.serving import serving_of
from api.retirement import Retirement, retirement_of
from gis.classification import area_type
from gis.crs import reproject_geometry
from gis.errors import AccessError, NotFoundError

router = APIRouter(tags=["things 要素"])

Key = Annotated[str, Path(pattern=r"^[0-9A-Za-z_.-]{1,64}$")]
Day = Annotated[date | None, Query(description="day on which it holds; missing: now")]
GEOJSON_200: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A GeoJSON feature in longitude and latitude (CGCS2000)",
        "content": {GEOJSON: {"schema": {"type": "object"}}},
    },
    404: {"description": "No such thing on that day"},
}
_NAMES = {
    "unit_grids": ("unit grid", "单元网格"),
    "components": ("component", "部件"),
    "areas": ("area", "行政区域"),
    "management_grids": ("management grid", "管理网格"),
    "evaluation_grids": ("evaluation grid", "评价网格"),
}
_TEXT = {"type": "string"}
_SHARE = {"type": "number", "description": "of the retired one's area, 0-1"}
_SUCCESSORS = {
    "unit_grids": "grids that hold its land, the largest share first",
    "areas": "areas of its level that hold its land, the largest share first",
    "components": "codes that it got later; one that is retired too is answered likewise",
}


def _responses(dataset: str) -> dict[int | str, dict[str, Any]]:
    """Return what is answered for things of which codes may be retired."""
    english, _ = _NAMES[dataset]
    share = {} if dataset == "components" else {"share": _SHARE}
    key = english.replace(" ", "_")
    schema = {
        "type": "object",
        "required": ["code", "detail", key, "ended_on", "successors"],
        "properties": {
            "code": {"const": "retired"},
            "detail": _TEXT,
            key: {**_TEXT, "description": "the code asked for"},
            "ended_on": {
                **_TEXT,
                "format": "date",
                "description": "first day on which it holds no more",
            },
            "was": {
                **_TEXT,
                "description": "where it is told as it was on its last day; missing: it never held a day",
            },
            "successors": {
                "type": "array",
                "description": _SUCCESSORS[dataset],
                "items": {
                    "type": "object",
                    "required": ["code", *share, "href"],
                    "properties": {"code": _TEXT, **share, "href": _TEXT},
                },
            },
        },
    }
    return {
        **GEOJSON_200,
        404: {"description": f"No such {english}, nor was there one before that day"},
        410: {
            "description": "The code is retired: since when, and what is there now",
            "content": {MEDIA_TYPE: {"schema": schema}},
        },
    }


_LEFT_OUT = ("geometry", "x", "y")


_PLACES = {"unit_grids": "grids", "areas": "areas", "components": "components"}
GRID_RESPONSES, AREA_RESPONSES, COMPONENT_RESPONSES = map(_responses, _PLACES)


@router.get(
    "/v1/grids/{code}", response_class=Response, responses=GRID_RESPONSES, summary="A unit grid"
)
def grid(request: Request, code: Key, as_of: Day = None) -> Response:
    """Return a unit grid 万米单元网格 with its outline.

    A code that is retired on the day is answered with 410: `ended_on` is the day since when, `was` leads
    to the grid on its last day, and `successors` are the grids that hold its land on the day asked for,
    the largest `share` of it first. The land tells: a code whose successors were divided again leads
    to the grids of that day at once.
    """
    return retired(request, code, as_of) or feature(request, "unit_grids", code, as_of)


@router.get(
    "/v1/components/{code}",
    response_class=Response,
    responses=COMPONENT_RESPONSES,
    summary="A component",
)
def component(request: Request, code: Key, as_of: Day = None) -> Response:
    """Return a component 部件 with the units its record names.

    The code that a component had before, as before a move to another standard, leads to it as well. One
    that ended by the day is answered with 410, like a retired unit grid: `ended_on`, `was`, and as
    `successors` the codes that it got later, if any.
    """
    gone = retired(request, code, as_of, dataset="components")
    return gone or feature(request, "components", code, as_of)


@router.get(
    "/v1/areas/{code}", response_class=Response, responses=AREA_RESPONSES, summary="An area"
)
def area(request: Request, code: Key, as_of: Day = None) -> Response:
    """Return a district 区县, street 街道 or community 社区 with its outline.

    `kind` says what the last three digits of the code stand for, as 街道, 镇 or 村民委员会; null where
    they are a number of the city's own. An area that ended by the day is answered with 410, like a
    retired unit grid; `successors` are the areas of its level that hold its land.
    """
    gone = retired(request, code, as_of, dataset="areas")
    return gone or feature(request, "areas", code, as_of, more={"kind": area_type(code)})


def retired(
    request: Request, code: str, as_of: date | None, *, dataset: str = "unit_grids"
) -> Response | None:
    """Return the answer for a code that ended by a day; None: it holds, or there was none.

    Raises
    ------
    AccessError
        It lies outside the districts of whoever asks.
    """
    check_sight(request, code)
    edition = serving_of(request).live.snapshot.edition(as_of)
    if edition.find(dataset, code) >= 0:
        return None
    found = retirement_of(edition, dataset, code)
    if found is None:
        return None
    place = f"{request.scope.get('root_path', '')}/v1/{_PLACES[dataset]}/"
    day = "" if as_of is None else f"?as_of={as_of}"
    language = language_of(request)
    named: dict[str, Any] = {_NAMES[dataset][0].replace(" ", "_"): code}
    was: dict[str, Any] = {}
    if found.last_day is not None:
        was = {"was": f"{place}{code}?as_of={found.last_day}"}
    return problem(
        410,
        "retired",
        language=language,
        detail=_told(dataset, code, found, language=language),
        **named,
        ended_on=found.ended_on,
        **was,
        successors=[
            {
                "code": later.code,
                **({} if later.share is None else {"share": later.share}),
                "href": f"{place}{later.code}{day}",
            }
            for later in found.successors
        ],
    )


def _told(dataset: str, code: str, found: Retirement, *, language: str) -> str:
    """Return the sentence of a retired code."""
    english, chinese = _NAMES[dataset]
    is_component = dataset == "components"
    if language == "zh":
        held = [
            later.code if later.share is None else f"{later.code}（{later.share:.0%}）"
            for later in found.successors
        ]
        land = f"其范围现属 {'、'.join(held)}" if held else f"其范围现无{chinese}"
        if is_component:
            land = f"后改用编码 {'、'.join(held)}" if held else "没有后续编码"
        short = chinese.removeprefix("单元")
        was = f"；查询原{short}请加 as_of={found.last_day}" if found.last_day else ""
        return f"{chinese} {code} 自 {found.ended_on} 起停用，{land}{was}。"
    held = [
        later.code if later.share is None else f"{later.code} ({later.share:.0%})"
        for later in found.successors
    ]
    land = f"its land is held by {', '.join(held)}" if held else f"no {english} holds its land"
    if is_component:
        land = f"its later codes: {', '.join(held)}" if held else "it got no later code"
    short = english.removeprefix("unit ")
    was = f" For the {short} as it was, add as_of={found.last_day}." if found.last_day else ""
    name = english[0].upper() + english[1:]
    return f"{name} {code} is retired since {found.ended_on}; {land}.{was}"


def check_sight(request: Request, code: str) -> None:
    """Refuse a code outside the districts of whoever asks.

    Raises
    ------
    AccessError
        It lies outside them.
    """
    principal: Principal = request.scope["principal"]
    if not principal.sees(code):
        allowed = ", ".join(principal.districts)
        msg = f"{code} lies outside the districts of this key ({allowed})."
        raise AccessError(msg, zh=f"{code} 不在此密钥的区县范围内（{allowed}）。")


def feature(
    request: Request,
    dataset: str,
    code: str,
    as_of: date | None,
    *,
    owner: str | None = None,
    hidden: Sequence[str] = (),
    more: Mapping[str, Any] | None = None,
) -> Response:
    """Return one row of the snapshot as a GeoJSON feature.

    Parameters
    ----------
    request : Request
        The request.
    dataset : str
        Table of the snapshot.
    code : str
        Business key.
    as_of : date or None
        Day on which it holds; None: now.
    owner : str or None
        Code that tells the district it lies in; None: its own.
    hidden : sequence of str
        Columns that whoever asks may not see.
    more : mapping or None
        Properties beside the columns.

    Raises
    ------
    NotFoundError
        No such row holds on that day.
    AccessError
        It lies outside the districts of whoever asks.
    """
    serving = serving_of(request)
    check_sight(request, owner or code)
    snapshot = serving.live.snapshot
    record = snapshot.record(dataset, code, as_of=as_of)
    if record is None:
        english, chinese = _NAMES[dataset]
        day = "now" if as_of is None else f"on {as_of}"
        msg = f"There is no {english} {code} {day}."
        raise NotFoundError(msg, zh=f"{as_of or '目前'}没有{chinese} {code}。")
    shape = np.array([record["geometry"]], dtype=object)
    degrees = reproject_geometry(shape, source=snapshot.crs, target="EPSG:4490")[0]
    return json_answer(
        {
            "type": "Feature",
            "id": code,
            "geometry": geojson_of(degrees),
            "properties": {
                **{k: v for k, v in record.items() if k not in (*_LEFT_OUT, *hidden)},
                **(more or {}),
            },
            "data_version": snapshot.version,
        },
        media_type=GEOJSON,
    )
