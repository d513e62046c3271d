"""``/search``, ``/reverse``, ``/status``: the calls of Nominatim, so that its clients work unchanged.

What a client may send follows https://nominatim.org/release-docs/latest/api/Search/ and …/Reverse/;
parameters that are not known are passed over, as there. Answers are this city's own places.
"""

import math
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from api.geocoding.geocode import geocode
from api.geocoding.reverse import areas_at, containing, reverse
from api.http.answers import json_answer
from api.http.nominatim import Told, Wanted, documents, place_id_of, tell
from api.http.positions import check_range
from api.http.routes.places import seen
from api.http.schemas import Number, check_length, check_text
from api.http.serving import serving_of
from api.models import PlaceAnswer, Position
from api.snapshot import Snapshot
from gis.crs import GEOGRAPHIC, transform_xy
from gis.errors import RequestError

router = APIRouter(tags=["nominatim"])

_MOST = 40
"""More answers than this are never given (Nominatim's own limit)."""
_LEAST_SCORE = 0.02
"""Clients take the first answer for the place: less sure ones are left out. Forty equals have more."""
_AREA_BELOW = ((12, "district"), (14, "street"), (16, "community"))
"""Zoom below which an area is asked for -> its level; 10 is a city, 12 a town, 14 a neighbourhood."""
_ROADS_BELOW = 18
_LAYERS = {"address": ("area", "zone", "block", "street", "crossing", "plate"), "poi": ("poi",)}
_CHINA = "cn"
_CHINA_NAMES = ("cn", "china", "中国", "中华人民共和国", "people's republic of china")


def _box(text: str) -> str:
    numbers = text.split(",")
    try:
        is_box = [math.isfinite(float(number)) for number in numbers] == [True] * 4
    except ValueError:
        is_box = False
    if not is_box:
        raise PydanticCustomError("viewbox", "viewbox")
    return text


def _flag(value: object) -> bool:
    """Return a flag as Nominatim reads it: 0 and nothing are off."""
    return str(value).strip().lower() not in ("", "0", "false")


Flag = Annotated[bool, BeforeValidator(_flag)]
Word = Annotated[str, Field(max_length=200), AfterValidator(check_text)]
Form = Literal["jsonv2", "json", "geojson", "geocodejson"]


class _Asked(BaseModel):
    """What both calls may ask for."""

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True, populate_by_name=True)

    form: Annotated[Form, Field(alias="format")] = "jsonv2"
    """Form of the answer; xml is not offered."""
    extratags: Flag = False
    """Codes of the city, unit grid, way of matching, score."""
    namedetails: Flag = False
    """Other names."""
    polygon_geojson: Flag = False
    """Own geometry instead of a point."""
    layer: Word = ""
    """address, poi or both, comma-separated; empty: both."""

    def kinds(self) -> frozenset[str]:
        """Return the kinds of the layers asked for; layers not known here hold nothing."""
        named = [name.strip() for name in self.layer.split(",") if name.strip()] or list(_LAYERS)
        return frozenset(kind for name in named for kind in _LAYERS.get(name, ()))


class SearchIn(_Asked):
    """A search, as free text or in parts."""

    q: Word = ""
    """Name or address."""
    amenity: Word = ""
    street: Word = ""
    """Road and plate: 裕华路12号, or 12 Aberdeen Ave."""
    city: Word = ""
    county: Word = ""
    """District 区县."""
    state: Word = ""
    country: Word = ""
    limit: Annotated[int, Field(ge=1)] = 10
    """Most answers; more than 40 are never given."""
    addressdetails: Flag = False
    """The levels of the address apart."""
    viewbox: Annotated[str, AfterValidator(_box)] | None = None
    """West, south, east, north in degrees: places inside come first."""
    bounded: Flag = False
    """Places outside the viewbox are left out."""
    countrycodes: Word = ""
    """Comma-separated; places are in cn alone."""
    exclude_place_ids: Annotated[str, Field(max_length=2000)] = ""

    def text(self) -> str:
        """Return what is asked for in one text, parts from the widest to the smallest.

        Raises
        ------
        RequestError
            Neither free text nor parts, or both.
        """
        parts = self.state + self.city + self.county + self.street + self.amenity
        if bool(parts) == bool(self.q):
            msg = "Ask either by q or by parts (street, city, county, state, amenity)."
            zh = "请用 q，或用分项参数（street、city、county、state、amenity），二者取一。"
            raise RequestError(msg, zh=zh)
        return check_length(self.q or parts)

    def is_elsewhere(self) -> bool:
        """Say whether only other countries are asked for."""
        codes = [code.strip().lower() for code in self.countrycodes.split(",") if code.strip()]
        country = self.country.strip().lower()
        return (bool(codes) and _CHINA not in codes) or (
            bool(country) and country not in _CHINA_NAMES
        )


class ReverseIn(_Asked):
    """A position, with how coarse the answer shall be."""

    lat: Number
    lon: Number
    zoom: Annotated[int, Field(ge=0, le=18)] = 18
    """18: the nearest plate or mark; 16, 17: the road; 14: community; 12: street; 10 and less: district."""
    addressdetails: Flag = True
    """The levels of the address apart."""


@router.get("/search", response_class=Response, summary="Search as Nominatim does")
async def search(request: Request, asked: Annotated[SearchIn, Query()]) -> Response:
    """Return the places that a text or the parts of an address mean, the surest first."""
    snapshot = serving_of(request).live.snapshot
    text = asked.text()
    found: list[PlaceAnswer] = []
    if not asked.is_elsewhere():
        found = await run_in_threadpool(geocode, snapshot, text, limit=_MOST)
    wanted = _wanted(asked, address=asked.addressdetails)
    told = [tell(snapshot, place) for place in _chosen(seen(request, found), asked)]
    return json_answer(documents(told, form=asked.form, query=text, wanted=wanted))


def _chosen(found: list[PlaceAnswer], asked: SearchIn) -> list[PlaceAnswer]:
    """Leave out what was not asked for or is hardly meant, put what lies in the viewbox first, cut to the limit."""
    kinds = asked.kinds()
    excluded = set(asked.exclude_place_ids.split(","))
    likely = [place for place in found if place.score >= _LEAST_SCORE]
    kept = [p for p in likely if p.kind in kinds and str(place_id_of(p)) not in excluded]
    if asked.viewbox:
        first, second, third, fourth = (float(number) for number in asked.viewbox.split(","))
        (west, east), (south, north) = sorted((first, third)), sorted((second, fourth))
        inside = [p for p in kept if west <= p.lon <= east and south <= p.lat <= north]
        outside = [] if asked.bounded else [p for p in kept if p not in inside]
        kept = inside + outside
    return kept[: min(asked.limit, _MOST)]


@router.get("/reverse", response_class=Response, summary="Reverse as Nominatim does")
async def place_at(request: Request, asked: Annotated[ReverseIn, Query()]) -> Response:
    """Return the place that tells a position best; areas are those that hold the position itself."""
    check_range(Position(x=asked.lon, y=asked.lat))
    snapshot = serving_of(request).live.snapshot
    told = await run_in_threadpool(_told_at, request, snapshot, asked)
    query = f"{asked.lat},{asked.lon}"
    if told is None:
        return json_answer({"error": "Unable to geocode"})
    wanted = _wanted(asked, address=asked.addressdetails)
    answer = documents([told], form=asked.form, query=query, wanted=wanted)
    return json_answer(answer[0] if isinstance(answer, list) else answer)


def _told_at(request: Request, snapshot: Snapshot, asked: ReverseIn) -> Told | None:
    level = next((name for below, name in _AREA_BELOW if asked.zoom < below), None)
    x, y = (
        float(axis[0])
        for axis in transform_xy([asked.lon], [asked.lat], source=GEOGRAPHIC, target=snapshot.crs)
    )
    if level:
        area = containing(snapshot, x, y, level=level)
        return tell(snapshot, area) if area and seen(request, [area]) else None
    kinds = asked.kinds()
    if asked.zoom < _ROADS_BELOW:
        kinds &= {"street"}
    found = seen(request, reverse(snapshot, asked.lon, asked.lat, crs=GEOGRAPHIC, limit=_MOST))
    place = next((place for place in found if place.kind in kinds), None)
    if place is None:
        return None
    areas = areas_at(snapshot.edition(), x, y)
    return tell(snapshot, place, label=place.location_text, areas=areas)


def _wanted(asked: _Asked, *, address: bool) -> Wanted:
    return Wanted(
        address=address,
        names=asked.namedetails,
        extra=asked.extratags,
        geometry=asked.polygon_geojson,
    )


@router.get("/status", response_class=Response, summary="Whether places can be searched")
async def status(
    request: Request, form: Annotated[Literal["text", "json"], Query(alias="format")] = "text"
) -> Response:
    """Say that searches are answered, and from which data."""
    snapshot = serving_of(request).live.snapshot
    if form == "text":
        return PlainTextResponse("OK")
    told = {"status": 0, "message": "OK", "data_version": snapshot.version}
    return json_answer(told | {"data_updated": snapshot.manifest["compiled_at"]})
