"""Where a case is: by its component code, else its position, else its address; and if they agree."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from api.edition import Edition
from api.geocoding.geocode import geocode_texts
from api.models import PlaceAnswer, Position
from api.questions import CITY_CRS, Floats, Questions, Texts
from census.taxonomy import ACCURACY_M
from gis.crs import parse_crs, transform_xy
from gis.errors import CrsError, RequestError

POSITION_ACCURACY_M = 10.0
"""Standard deviation of a position that states none: a telephone in a street."""
AGREEMENT_SIGMA = 3.0
"""Two sightings farther apart than this many of their joint standard deviations disagree."""
SOURCES = ("component_code", "position", "address")
"""Sightings in the order in which they are believed."""
_ADDRESSES_KEPT = 100_000


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """What one source says: coordinates in the city's CRS, m; nan where it says nothing."""

    x: Floats
    y: Floats
    sigma_m: Floats

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where the source says something."""
        return np.asarray(np.isfinite(self.x) & np.isfinite(self.y))


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Where the cases are taken to be."""

    x: Floats
    """East in the city's CRS, m; nan: nowhere."""
    y: Floats
    sigma_m: Floats
    source: Texts
    """component_code, position, address or none."""
    certainty: Floats
    """Probability that the source means this place: below 1 for an address."""
    sightings: Mapping[str, Sighting]
    component: NDArray[np.intp]
    """Row of the component named in the case, -1: none or unknown."""
    addresses: tuple[PlaceAnswer | None, ...]
    """Best answer to each address."""
    reasons: Mapping[str, NDArray[np.bool_]]


def check_position(position: Position, *, city: str) -> None:
    """Refuse a position that is none: what a single question is told instead of a doubtful answer.

    Parameters
    ----------
    position : Position
        The position asked for.
    city : str
        The city's CRS, which the name ``city`` stands for.

    Raises
    ------
    RequestError
        The CRS is unknown, or the coordinates are not finite or outside its domain.

    Examples
    --------
    >>> check_position(Position(x=114.5, y=38.0), city="EPSG:4547")
    """
    name = city if position.crs.lower() == CITY_CRS else position.crs
    try:
        parse_crs(name)
        x, _ = transform_xy([position.x], [position.y], source=name, target=city)
    except CrsError as error:
        raise RequestError(error.message, zh=error.zh) from error
    if not np.isfinite(x[0]):
        msg = (
            f"The position ({position.x}, {position.y}) is no place in {position.crs}: x is east or "
            "longitude, y is north or latitude."
        )
        raise RequestError(
            msg,
            zh=f"坐标 ({position.x}, {position.y}) 在 {position.crs} 中无效：x 为东向或经度，y 为北向或纬度。",
        )


def place(edition: Edition, questions: Questions) -> Placed:
    """Locate the cases by all that they say, and mark those whose sources disagree.

    The sources are believed in the order of `SOURCES`; two disagree when they lie farther apart than
    `AGREEMENT_SIGMA` joint standard deviations.
    """
    count = len(questions)
    component = np.array(
        [edition.find("components", code) if code else -1 for code in questions.component_code],
        dtype=np.intp,
    )
    addresses = _addresses(edition, questions)
    sightings = {
        "component_code": _by_component(edition, component),
        "position": _by_position(edition, questions),
        "address": _by_address(addresses),
    }
    x, y = np.full(count, np.nan), np.full(count, np.nan)
    sigma_m, certainty = np.full(count, np.nan), np.ones(count)
    source = np.full(count, "none", dtype=object)
    for name in reversed(SOURCES):
        sighting = sightings[name]
        known = sighting.known
        x[known], y[known], sigma_m[known] = (
            sighting.x[known],
            sighting.y[known],
            sighting.sigma_m[known],
        )
        source[known] = name
    by_address = source == "address"
    scores = np.array([answer.score if answer else 0.0 for answer in addresses])
    certainty[by_address] = scores[by_address]
    return Placed(
        x=x,
        y=y,
        sigma_m=sigma_m,
        source=source,
        certainty=certainty,
        sightings=sightings,
        component=component,
        addresses=addresses,
        reasons=_doubts(questions, sightings, component),
    )


def _doubts(
    questions: Questions, sightings: Mapping[str, Sighting], component: NDArray[np.intp]
) -> dict[str, NDArray[np.bool_]]:
    named = questions.component_code != None  # noqa: E711 (elementwise)
    asked = questions.address != None  # noqa: E711
    stated = np.isfinite(questions.x) & np.isfinite(questions.y)
    by_component, by_position, by_address = (sightings[name] for name in SOURCES)
    return {
        "not_located": ~(by_component.known | by_position.known | by_address.known),
        "position_invalid": stated & ~by_position.known,
        "component_code_unknown": named & (component < 0),
        "address_unknown": asked & ~by_address.known,
        "position_address_disagree": _disagree(by_position, by_address),
        "component_position_disagree": _disagree(by_component, by_position)
        | _disagree(by_component, by_address),
    }


def _disagree(one: Sighting, other: Sighting) -> NDArray[np.bool_]:
    apart = np.hypot(one.x - other.x, one.y - other.y)
    return np.asarray(apart > AGREEMENT_SIGMA * np.hypot(one.sigma_m, other.sigma_m))


def _by_component(edition: Edition, component: NDArray[np.intp]) -> Sighting:
    x, y, sigma_m = (np.full(len(component), np.nan) for _ in range(3))
    known = np.flatnonzero(component >= 0)
    if len(known):
        part = edition.snapshot.table("components").select(["x", "y", "class_code"])
        part = part.take(component[known])
        x[known], y[known] = part["x"].to_numpy(), part["y"].to_numpy()
        sigma_m[known] = [
            class_accuracy_m(edition, code) for code in part["class_code"].to_pylist()
        ]
    return Sighting(x=x, y=y, sigma_m=sigma_m)


def class_accuracy_m(edition: Edition, class_code: str) -> float:
    """Return the mean error of the position of a component class, m; the largest if it is unknown."""
    entry = edition.snapshot.taxonomy.get("component", class_code)
    return entry.accuracy_m if entry else max(ACCURACY_M.values())


def _by_position(edition: Edition, questions: Questions) -> Sighting:
    x, y = np.full(len(questions), np.nan), np.full(len(questions), np.nan)
    stated = np.flatnonzero(np.isfinite(questions.x) & np.isfinite(questions.y))
    names = questions.crs[stated]
    for name in dict.fromkeys(names.tolist()):
        rows = stated[names == name]
        try:
            x[rows], y[rows] = transform_xy(
                questions.x[rows], questions.y[rows], source=name, target=edition.snapshot.crs
            )
        except CrsError:
            continue  # told as position_invalid, since the coordinates stay nan
    stated_m = questions.accuracy_m
    sigma_m = np.where(np.isfinite(stated_m), stated_m, POSITION_ACCURACY_M)
    return Sighting(x=x, y=y, sigma_m=np.where(np.isfinite(x), sigma_m, np.nan))


def _addresses(edition: Edition, questions: Questions) -> tuple[PlaceAnswer | None, ...]:
    known = edition.addresses
    if len(known) > _ADDRESSES_KEPT:
        known.clear()
    texts = [text for text in dict.fromkeys(questions.address) if text is not None]
    fresh = [text for text in texts if text not in known]
    for text, found in zip(fresh, geocode_texts(edition, fresh, limit=1), strict=True):
        known[text] = found[0] if found else None
    return tuple(known[text] if text is not None else None for text in questions.address)


def _by_address(addresses: tuple[PlaceAnswer | None, ...]) -> Sighting:
    nothing = (np.nan, np.nan, np.nan)
    values = np.array(
        [(a.x, a.y, a.uncertainty_m) if a else nothing for a in addresses], dtype=np.float64
    ).reshape(-1, 3)
    return Sighting(x=values[:, 0], y=values[:, 1], sigma_m=values[:, 2])
