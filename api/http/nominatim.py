"""Places in the forms that clients of Nominatim read: jsonv2, json, geojson, geocodejson.

The fields follow the output page of the Nominatim documentation (https://nominatim.org/release-docs/latest/api/Output/)
and GeocodeJSON 0.1.0 (https://github.com/geocoders/geocodejson-spec). ``osm_type`` and ``osm_id`` are
left out, as Nominatim leaves them out for places that are not OpenStreetMap's.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from api.http.answers import geojson_of
from api.models import PlaceAnswer
from api.snapshot import Snapshot
from gis.crs import GEOGRAPHIC, reproject_geometry

LICENCE = "Data of this city's databases"
_ADDRESS = {
    "poi": "amenity",
    "building": "building",
    "plate": "house_number",
    "road": "road",
    "block": "residential",
    "community": "neighbourhood",
    "street": "suburb",
    "district": "city_district",
    "city": "city",
    "province": "state",
}
"""Level of an address -> its name in Nominatim's ``address``, the smallest first."""
_GEOCODEJSON = {
    "house_number": "housenumber",
    "road": "street",
    "neighbourhood": "locality",
    "suburb": "district",
    "city_district": "county",
    "city": "city",
    "state": "state",
}
_TYPE = {
    "area": ("boundary", "administrative", "administrative", 12, "district"),
    "zone": ("place", "quarter", "quarter", 20, "locality"),
    "block": ("landuse", "residential", "residential", 24, "locality"),
    "street": ("highway", "road", "road", 26, "street"),
    "crossing": ("highway", "crossing", "road", 26, "street"),
    "plate": ("place", "house", "place", 30, "house"),
    "poi": ("amenity", "poi", "amenity", 30, "house"),
}
"""Kind -> category, type, addresstype, place_rank of Nominatim; type of GeocodeJSON."""
_AREA_TYPES = {
    6: ("city_district", 12, "district"),
    9: ("suburb", 18, "district"),
    12: ("neighbourhood", 22, "locality"),
}
"""Digits of an area's code -> addresstype, place_rank, type of GeocodeJSON."""
_METRES_PER_DEGREE = 111_320.0
FORMATS = ("jsonv2", "json", "geojson", "geocodejson")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a client wants told of each place."""

    address: bool = False
    names: bool = False
    extra: bool = False
    geometry: bool = False


@dataclass(frozen=True, kw_only=True)
class Told:
    """A place with all that any form tells of it."""

    answer: PlaceAnswer
    label: str
    address: Mapping[str, str]
    kind: tuple[str, str, str, int, str]
    box: Sequence[float]
    """West, south, east, north, degrees."""
    geometry: Any
    """Own geometry in degrees; None: it has none of its own."""
    aliases: tuple[str, ...]


def place_id_of(answer: PlaceAnswer) -> int:
    """Return a number for a place: the same as long as its code, name and kind are.

    Examples
    --------
    >>> place = PlaceAnswer(code="a", name="A", kind="poi", full_address="A", lon=0, lat=0, x=0, y=0,
    ...     score=1, uncertainty_m=1, match="name")
    >>> 0 < place_id_of(place) < 2**53, place_id_of(place) == place_id_of(place)
    (True, True)
    """
    told = (answer.code, answer.name, answer.kind)
    digest = hashlib.blake2b("\0".join(told).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 11  # what a JavaScript number holds


def tell(
    snapshot: Snapshot,
    answer: PlaceAnswer,
    *,
    label: str = "",
    areas: Mapping[str, str] | None = None,
) -> Told:
    """Return what the forms tell of a place.

    Parameters
    ----------
    snapshot : Snapshot
        Where its address levels and geometry are.
    answer : PlaceAnswer
        The place.
    label : str
        Its address in one line; empty: the place's full address.
    areas : mapping or None
        Level -> name of the areas that count instead of the place's own.
    """
    record = snapshot.record("places", answer.code) or {}
    is_made = answer.kind == "crossing" or answer.name != record.get("name")
    shape = None if is_made else record.get("geometry")
    geometry = None if shape is None else _in_degrees(shape, snapshot.crs)
    # A point has no extent to show: its uncertainty is shown instead.
    is_point = geometry is None or shapely.get_dimensions(geometry) == 0
    levels = record | dict(areas or {})
    address = {
        name: str(levels[level]) for level, name in _ADDRESS.items() if levels.get(level)
    } | {"country": "中国", "country_code": "cn"}
    if is_made and answer.kind == "plate":
        road = address.get("road", "")
        address = {"house_number": answer.name.removeprefix(road)} | address
    return Told(
        answer=answer,
        label=label or answer.full_address,
        address=address,
        kind=_kind_of(answer),
        box=_box(answer) if is_point else shapely.bounds(geometry).tolist(),
        geometry=geometry,
        aliases=tuple(record.get("aliases") or ()),
    )


def _in_degrees(shape: Any, crs: str) -> Any:
    return reproject_geometry(np.array([shape], dtype=object), source=crs, target=GEOGRAPHIC)[0]


def _kind_of(answer: PlaceAnswer) -> tuple[str, str, str, int, str]:
    category, kind, address_type, rank, simple = _TYPE[answer.kind]
    code = answer.code.removeprefix("area:")
    if answer.kind == "area" and len(code) in _AREA_TYPES:
        address_type, rank, simple = _AREA_TYPES[len(code)]
    return category, kind, address_type, rank, simple


def _box(answer: PlaceAnswer) -> tuple[float, float, float, float]:
    """Return the square that one standard deviation spans about a place without extent."""
    high = answer.uncertainty_m / _METRES_PER_DEGREE
    wide = high / max(0.01, math.cos(math.radians(answer.lat)))
    return answer.lon - wide, answer.lat - high, answer.lon + wide, answer.lat + high


def place_document(told: Told, *, wanted: Wanted, form: str) -> dict[str, Any]:
    """Return a place as json or jsonv2 writes it, coordinates as text."""
    west, south, east, north = told.box
    return {
        **_properties(told, wanted=wanted, form=form),
        "lat": f"{told.answer.lat:.7f}",
        "lon": f"{told.answer.lon:.7f}",
        "boundingbox": [f"{value:.7f}" for value in (south, north, west, east)],
        **({"geojson": _shape(told)} if wanted.geometry else {}),
    }


def _properties(told: Told, *, wanted: Wanted, form: str) -> dict[str, Any]:
    category, kind, address_type, rank, _ = told.kind
    answer = told.answer
    return {
        "place_id": place_id_of(answer),
        "licence": LICENCE,
        "class" if form == "json" else "category": category,
        "type": kind,
        "place_rank": rank,
        "importance": round(answer.score, 4),
        "addresstype": address_type,
        "name": answer.name,
        "display_name": told.label,
        **({"address": dict(told.address)} if wanted.address else {}),
        **({"extratags": _extra(answer)} if wanted.extra else {}),
        **({"namedetails": _names(told)} if wanted.names else {}),
    }


def _extra(answer: PlaceAnswer) -> dict[str, str]:
    """Return what no field of Nominatim holds: codes of the city, how it matched and how surely."""
    told = {
        "code": answer.code,
        "grid_code": answer.grid_code,
        "community_code": answer.community_code,
        "match": answer.match,
        "score": answer.score,
        "uncertainty_m": answer.uncertainty_m,
    }
    return {name: str(value) for name, value in told.items() if value is not None}


def _names(told: Told) -> dict[str, str]:
    aliases = {"alt_name": ";".join(told.aliases)} if told.aliases else {}
    return {"name": told.answer.name} | aliases


def _shape(told: Told) -> dict[str, Any] | None:
    return geojson_of(told.geometry or shapely.Point(told.answer.lon, told.answer.lat))


def _feature(told: Told, properties: Mapping[str, Any], *, wanted: Wanted) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": [told.answer.lon, told.answer.lat]}
    return {
        "type": "Feature",
        "properties": properties,
        "bbox": list(told.box),
        "geometry": _shape(told) if wanted.geometry else point,
    }


def _geocodejson_properties(told: Told, *, wanted: Wanted) -> dict[str, Any]:
    answer = told.answer
    address = {new: told.address[old] for old, new in _GEOCODEJSON.items() if old in told.address}
    fields = {
        "place_id": place_id_of(answer),
        "osm_key": told.kind[0],
        "osm_value": told.kind[1],
        "type": told.kind[4],
        "accuracy": round(answer.uncertainty_m),
        "label": told.label,
        "name": answer.name,
        **({**address, "country": "中国", "country_code": "cn"} if wanted.address else {}),
        **({"extra": _extra(answer)} if wanted.extra else {}),
    }
    return {"geocoding": fields}


def documents(told: Iterable[Told], *, form: str, query: str, wanted: Wanted) -> Any:
    """Return places as one of `FORMATS`: a list of places, or a collection of features."""
    if form in ("json", "jsonv2"):
        return [place_document(place, wanted=wanted, form=form) for place in told]
    if form == "geojson":
        return {
            "type": "FeatureCollection",
            "licence": LICENCE,
            "features": [
                _feature(place, _properties(place, wanted=wanted, form=form), wanted=wanted)
                for place in told
            ],
        }
    return {
        "type": "FeatureCollection",
        "geocoding": {"version": "0.1.0", "attribution": LICENCE, "licence": "", "query": query},
        "features": [
            _feature(place, _geocodejson_properties(place, wanted=wanted), wanted=wanted)
            for place in told
        ],
    }
