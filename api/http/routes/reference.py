"""``/v1/classes``, ``/v1/reasons``, ``/v1/city``, ``/v1/builds``: what the answers are made of."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.http.answers import json_answer
from api.http.layers import LAYERS
from api.http.serving import Serving, serving_of
from api.telling.wording import reasons
from census.taxonomy import ClassEntry

router = APIRouter(tags=["reference 参考"])


@router.get("/v1/classes", summary="Classes of components and events")
def classes(
    request: Request,
    kind: Annotated[Literal["component", "event"] | None, Query()] = None,
    as_of: Annotated[date | None, Query(description="day; the classes are those of now")] = None,
) -> Response:
    """Return the minor classes 小类 of the city's generation with its extensions, by code.

    The tables of a generation do not change from day to day; `as_of` is only checked.
    """
    serving = serving_of(request)
    serving.check_day(as_of)
    taxonomy = serving.live.snapshot.taxonomy
    kinds = ("component", "event") if kind is None else (kind,)
    listed = [
        describe_class(entry, taxonomy.get(entry.kind, entry.major))
        for wanted in kinds
        for entry in taxonomy.all(wanted)
    ]
    return json_answer({"standard": taxonomy.standard_ref, "classes": listed})


def describe_class(entry: ClassEntry, major: ClassEntry | None) -> dict[str, Any]:
    """Return what a client needs to offer a class."""
    return {
        "kind": entry.kind,
        "code": entry.code,
        "name": entry.name,
        "major_code": entry.major,
        "major_name": "" if major is None else major.name,
        "accuracy": entry.accuracy,
        "geometry": entry.geometry,
        "evidence": entry.evidence,
        "is_extension": entry.is_extension,
    }


@router.get("/v1/reasons", summary="What the reasons of a decision mean")
def all_reasons() -> Response:
    """Return every reason a decision may carry, in both languages, the gravest first."""
    listed = [
        {"code": row["code"], "review": row["review"] == "yes", "en": row["en"], "zh": row["zh"]}
        for row in reasons().values()
    ]
    return json_answer({"reasons": listed})


@router.get("/v1/city", summary="The city this server answers for")
def city(request: Request) -> Response:
    """Return name, CRS, extent and data version: what a map needs to begin with."""
    serving = serving_of(request)
    profile = serving.options.workspace.profile.city
    loaded = serving.live.loaded
    return json_answer(
        {
            "code": profile.code,
            "name": profile.name or district_name(serving),
            "standard": profile.standard,
            "crs": profile.crs,
            "timezone": profile.timezone,
            "bounds": serving.bounds,
            "data_version": None if loaded is None else loaded.snapshot.version,
            "counts": {} if loaded is None else loaded.snapshot.counts,
            "first_day": None if loaded is None else loaded.first_day,
            "layers": [{"id": layer.name, "title": layer.title} for layer in LAYERS],
        }
    )


def district_name(serving: Serving) -> str:
    """Return the name of the city's own area, blank while it is not known."""
    loaded = serving.live.loaded
    code = serving.options.workspace.profile.city.code
    record = None if loaded is None else loaded.snapshot.record("areas", code)
    return "" if record is None else str(record["name"])


@router.get("/v1/builds", summary="Which builds answer now")
def builds(
    request: Request,
    as_of: Annotated[
        date | None, Query(description="only builds of deliveries up to a day")
    ] = None,
) -> Response:
    """Return what answers now: version, rows, builds, and since when each worker has which version.

    `day` is the day from which what answers is in force, `coming` what begins or ceases to hold on
    later days: the server goes over to it by itself. `is_stale` says whether the database has newer
    builds than this version.
    """
    serving = serving_of(request)
    serving.check_day(as_of)
    listed = serving.live.snapshot.builds
    if as_of is not None:
        listed = [build for build in listed if str(build["as_of"]) <= as_of.isoformat()]
    workers = [
        {
            "worker": standing.worker,
            "data_version": standing.data_version,
            "since": None
            if standing.since is None
            else datetime.fromtimestamp(standing.since, UTC),
        }
        for standing in serving.roster.standings()
    ]
    counts = serving.live.snapshot.counts
    told = {
        **describe_version(serving),
        "day": serving.live.snapshot.edition().day,
        "coming": serving.live.snapshot.calendar.coming(serving.live.snapshot),
        "counts": counts,
        "workers": workers,
        "builds": listed,
    }
    return json_answer(told)


def describe_version(serving: Serving) -> dict[str, Any]:
    """Return which snapshot answers and how it stands to the database."""
    loaded = serving.live.loaded
    return {
        "data_version": None if loaded is None else loaded.snapshot.version,
        "compiled_at": None if loaded is None else loaded.snapshot.manifest["compiled_at"],
        "is_stale": serving.is_stale,
    }
