"""Where a case is: by its component code, else its position, else its address; and if they agree."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.columns import Floats
from api.edition import Edition
from api.geocoding.geocode import geocode_texts
from api.matching.component_codes import find_components
from api.models import PlaceAnswer, Position
from api.placing.earth import city_point, city_xy
from api.placing.fusion import agreement, fuse
from api.placing.misreading import misread
from api.placing.vagueness import WORST_M
from api.questions import CITY_CRS, Questions, Texts
from census.taxonomy import ACCURACY_M
from gis.errors import CrsError, RequestError
from gis.shares import covariances

POSITION_ACCURACY_M = 10.0
"""Standard deviation of a position that states none: a telephone in a street."""
AGREEMENT_SIGMA = 3.0
"""Two sightings farther apart than this many of their joint standard deviations disagree."""
LEAST_AGREEMENT = 0.9
"""Position and address are put together if they mean one place at least so surely."""
SOURCES = ("component_code", "position", "address")
"""Sightings in the order in which they are believed."""
_ADDRESSES_KEPT = 100_000
_NOT_ASKED = "not asked"


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """What one source says: coordinates in the city's CRS, m; nan where it says nothing."""

    x: Floats
    y: Floats
    sigma_m: Floats
    """Standard deviation per axis, m; of an ellipse the root of the mean of both variances."""
    covariance: Floats
    """(n, 3): variance east, covariance, variance north, m²."""

    @cached_property
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
    """Standard deviation per axis, m; of an ellipse the root of the mean of both variances."""
    covariance: Floats
    """(n, 3): variance east, covariance, variance north, m²."""
    source_number: NDArray[np.int8]
    """Number among `SOURCES`, -1: none."""
    certainty: Floats
    """Probability that the source means this place: below 1 for an address."""
    sightings: Mapping[str, Sighting]
    component: NDArray[np.intp]
    """Row of the component named in the case, -1: none or unknown."""
    answers: tuple[PlaceAnswer | None, ...]
    """Best answer to each distinct address, then None."""
    address_number: NDArray[np.int32]
    """For each case the number of its answer, -1: it has no address."""
    reasons: Mapping[str, NDArray[np.bool_]]

    @cached_property
    def source(self) -> Texts:
        """component_code, position, address or none of each case: slow, for telling of single cases."""
        return np.array([*SOURCES, "none"], dtype=object)[self.source_number]

    @cached_property
    def addresses(self) -> tuple[PlaceAnswer | None, ...]:
        """Best answer to each case's address: slow, for telling of single cases."""
        return tuple(self.answers[number] for number in self.address_number.tolist())


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
        x, _ = city_point(position.x, position.y, source=name, city=city)
    except CrsError as error:
        raise RequestError(error.message, zh=error.zh) from error
    if isnan(x):
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
    `AGREEMENT_SIGMA` joint standard deviations. A position and an address that surely mean one place
    are put together, each by its precision (`api.placing.fusion`).
    """
    count = len(questions)
    component = _named(edition, questions)
    answers = _answers(edition, questions)
    sightings = {
        "component_code": _by_component(edition, component),
        "position": _by_position(edition, questions),
        "address": _by_address(answers, questions.address_number),
    }
    x, y = np.full(count, np.nan), np.full(count, np.nan)
    covariance, certainty = np.full((count, 3), np.nan), np.ones(count)
    source_number = np.full(count, -1, dtype=np.int8)
    for number in reversed(range(len(SOURCES))):
        sighting = sightings[SOURCES[number]]
        known = sighting.known
        if not known.any():
            continue
        np.copyto(x, sighting.x, where=known)
        np.copyto(y, sighting.y, where=known)
        np.copyto(covariance, sighting.covariance, where=known[:, None])
        source_number[known] = number
    scores = np.array([answer.score if answer else 0.0 for answer in answers])
    scores = scores[questions.address_number]
    by_address = source_number == SOURCES.index("address")
    certainty[by_address] = scores[by_address]
    by_position = source_number == SOURCES.index("position")
    _join(sightings, scores, by_position, (x, y, covariance))
    reasons = _doubts(questions, sightings, component)
    reasons["crs_doubtful"] = _misread(edition, questions, (sightings, reasons), scores)
    return Placed(
        x=x,
        y=y,
        sigma_m=_sigma_m(covariance),
        covariance=covariance,
        source_number=source_number,
        certainty=certainty,
        sightings=sightings,
        component=component,
        answers=answers,
        address_number=questions.address_number,
        reasons=reasons,
    )


def _join(
    sightings: Mapping[str, Sighting],
    scores: Floats,
    by_position: NDArray[np.bool_],
    taken: tuple[Floats, Floats, Floats],
) -> None:
    """Put positions and addresses that surely mean one place together, in place."""
    position, address = sightings["position"], sightings["address"]
    rows = np.flatnonzero(by_position & address.known)
    if not len(rows):
        return
    x, y, covariance = taken
    place, spread, density = fuse(
        (np.column_stack([position.x[rows], position.y[rows]]), position.covariance[rows]),
        (np.column_stack([address.x[rows], address.y[rows]]), address.covariance[rows]),
    )
    is_one = (agreement(scores[rows], density) >= LEAST_AGREEMENT) & ~_disagree(
        position, address, rows=rows
    )
    rows = rows[is_one]
    x[rows], y[rows] = place[is_one].T
    covariance[rows] = spread[is_one]


def _misread(
    edition: Edition,
    questions: Questions,
    found: tuple[Mapping[str, Sighting], Mapping[str, NDArray[np.bool_]]],
    scores: Floats,
) -> NDArray[np.bool_]:
    """Return the positions that would be at their address if they were read in another system."""
    sightings, reasons = found
    address = sightings["address"]
    doubtful = reasons["position_address_disagree"] | reasons["position_invalid"]
    result = np.zeros(len(questions), dtype=bool)
    rows = np.flatnonzero(doubtful & address.known & np.isfinite(questions.x))
    if len(rows):
        names = np.array(questions.crss, dtype=object)[questions.crs_number[rows]]
        stated_m = questions.accuracy_m[rows]
        near_m = AGREEMENT_SIGMA * np.hypot(
            np.where(np.isfinite(stated_m), stated_m, POSITION_ACCURACY_M), address.sigma_m[rows]
        )
        result[rows] = misread(
            (questions.x[rows], questions.y[rows], names),
            (address.x[rows], address.y[rows], near_m),
            scores[rows],
            city=edition.snapshot.crs,
        )
    return result


def _sigma_m(covariance: Floats) -> Floats:
    sigma_m: Floats = np.sqrt(0.5 * (covariance[:, 0] + covariance[:, 2]))
    return sigma_m


def _doubts(
    questions: Questions, sightings: Mapping[str, Sighting], component: NDArray[np.intp]
) -> dict[str, NDArray[np.bool_]]:
    named, asked = questions.code_number >= 0, questions.address_number >= 0
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


def _disagree(
    one: Sighting, other: Sighting, *, rows: NDArray[np.intp] | None = None
) -> NDArray[np.bool_]:
    if not (one.known.any() and other.known.any()):
        return np.zeros(len(one.x), dtype=bool)
    which = slice(None) if rows is None else rows
    apart = np.hypot(one.x[which] - other.x[which], one.y[which] - other.y[which])
    joint_m = np.hypot(one.sigma_m[which], other.sigma_m[which])
    return np.asarray(apart > AGREEMENT_SIGMA * joint_m)


def _named(edition: Edition, questions: Questions) -> NDArray[np.intp]:
    """Return the row of the component that each case names, -1: none or unknown."""
    rows = np.append(find_components(edition, questions.codes), -1)
    return rows[questions.code_number]


def _by_component(edition: Edition, component: NDArray[np.intp]) -> Sighting:
    known = np.flatnonzero(component >= 0)
    if not len(known):
        return _nothing(len(component))
    x, y, sigma_m = (np.full(len(component), np.nan) for _ in range(3))
    part = edition.snapshot.table("components").select(["x", "y", "class_code"])
    part = part.take(component[known])
    x[known], y[known] = part["x"].to_numpy(), part["y"].to_numpy()
    sigma_m[known] = [class_accuracy_m(edition, code) for code in part["class_code"].to_pylist()]
    return _round(x, y, sigma_m)


def _nothing(count: int) -> Sighting:
    """Return what a source says that no case names; it takes no memory."""
    none = np.broadcast_to(np.nan, count)
    return Sighting(x=none, y=none, sigma_m=none, covariance=np.broadcast_to(np.nan, (count, 3)))


def _round(x: Floats, y: Floats, sigma_m: Floats) -> Sighting:
    covariance = np.column_stack([sigma_m**2, 0.0 * sigma_m, sigma_m**2])
    return Sighting(x=x, y=y, sigma_m=sigma_m, covariance=covariance)


def class_accuracy_m(edition: Edition, class_code: str) -> float:
    """Return the mean error of the position of a component class, m; the largest if it is unknown."""
    entry = edition.snapshot.taxonomy.get("component", class_code)
    return entry.accuracy_m if entry else max(ACCURACY_M.values())


def _by_position(edition: Edition, questions: Questions) -> Sighting:
    x, y = _in_city(edition, questions)
    stated_m = np.minimum(questions.accuracy_m, WORST_M)
    sigma_m = np.where(np.isfinite(questions.accuracy_m), stated_m, POSITION_ACCURACY_M)
    sighting = _round(x, y, np.where(np.isfinite(x), sigma_m, np.nan))
    has_minor = np.isfinite(questions.accuracy_minor_m)
    if not has_minor.any():
        return sighting
    minor_m = np.minimum(questions.accuracy_minor_m, WORST_M)
    bearing_deg = questions.accuracy_bearing_deg
    ellipses = np.isfinite(x) & np.isfinite(questions.accuracy_m) & has_minor
    rows = np.flatnonzero(ellipses & np.isfinite(bearing_deg))
    if not len(rows):
        return sighting
    covariance = sighting.covariance
    covariance[rows] = covariances(stated_m[rows], minor_m[rows], bearing_deg[rows])
    return Sighting(x=x, y=y, sigma_m=_sigma_m(covariance), covariance=covariance)


def _in_city(edition: Edition, questions: Questions) -> tuple[Floats, Floats]:
    """Return the reported positions in the city's CRS; nan: none, nowhere, or of an unknown CRS."""
    x, y = np.full(len(questions), np.nan), np.full(len(questions), np.nan)
    stated = np.isfinite(questions.x) & np.isfinite(questions.y)
    number = questions.crs_number
    groups: list[tuple[int, Any]] = []
    if stated.any() and number.min() == number.max():  # the rule: nothing is picked out then
        groups = [(int(number[0]), slice(None))]
    elif stated.any():
        rows = np.flatnonzero(stated)
        order = rows[np.argsort(number[rows], kind="stable")]
        names, starts = np.unique(number[order], return_index=True)
        groups = list(zip(names.tolist(), np.split(order, starts[1:]), strict=True))
    for name, here in groups:
        try:
            x[here], y[here] = city_xy(
                questions.x[here],
                questions.y[here],
                source=questions.crss[name],
                city=edition.snapshot.crs,
            )
        except CrsError:
            continue  # told as position_invalid, since the coordinates stay nan
    return x, y


def _answers(edition: Edition, questions: Questions) -> tuple[PlaceAnswer | None, ...]:
    """Return the best answer to each distinct address, and None for the number -1."""
    if not len(questions.addresses):
        return (None,)
    known = edition.addresses
    texts = questions.addresses.to_pylist()
    # Another thread may clear what is known: nothing is looked up twice.
    held = [(text, known.get(text, _NOT_ASKED)) for text in texts]
    found = {text: answer for text, answer in held if not isinstance(answer, str)}
    fresh = [text for text in texts if text not in found]
    for text, places in zip(fresh, geocode_texts(edition, fresh, limit=1), strict=True):
        found[text] = places[0] if places else None
    if len(known) + len(fresh) > _ADDRESSES_KEPT:
        known.clear()
    known.update((text, found[text]) for text in fresh[:_ADDRESSES_KEPT])
    return (*(found[text] for text in texts), None)


def _by_address(answers: tuple[PlaceAnswer | None, ...], number: NDArray[np.int32]) -> Sighting:
    if not any(answers):
        return _nothing(len(number))
    nothing = (np.nan, np.nan, np.nan)
    values = np.array(
        [(a.x, a.y, a.uncertainty_m) if a else nothing for a in answers], dtype=np.float64
    )
    x, y, sigma_m = values[number].T
    return _round(x, y, sigma_m)
