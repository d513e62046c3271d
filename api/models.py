"""The question and the answer of the decision, as plain values.

The fields are those of ``POST /v1/assign``; units are in the names; codes are text.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from census.plan.rows import TimeLimit as TimeLimit

Kind = Literal["component", "event"]
LocationSource = Literal["component_code", "position", "address", "none"]


@dataclass(frozen=True, kw_only=True)
class Position:
    """A reported position."""

    x: float
    """East or longitude."""
    y: float
    """North or latitude."""
    crs: str = "EPSG:4326"
    """``EPSG:…``, ``GCJ-02``, ``BD-09`` or ``city``."""
    accuracy_m: float | None = None
    """Radius of the error disc (one standard deviation per axis), m; None: not stated. Of an ellipse
    the standard deviation along its bearing."""
    accuracy_minor_m: float | None = None
    """Standard deviation across the bearing of an error ellipse 误差椭圆, m; None: the error is round."""
    accuracy_bearing_deg: float | None = None
    """Direction of the ellipse's major axis, clockwise from north, degrees."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A question: something at a place, of a class, at a time."""

    case_id: str | None = None
    kind: Kind = "component"
    class_code: str | None = None
    """Minor class; None: only the place is asked for."""
    position: Position | None = None
    address: str | None = None
    component_code: str | None = None
    reported_at: datetime | None = None
    """When it was reported, aware; decides season and hours of the plan. None: now."""
    as_of: date | None = None
    """Day whose grids, components, plan and units answer; None: the live ones."""


@dataclass(frozen=True, kw_only=True)
class Location:
    """Where the case is taken to be."""

    lon: float | None
    """Longitude, CGCS2000, degrees."""
    lat: float | None
    x: float | None
    """East in the city's CRS, m."""
    y: float | None
    crs: str
    """The city's CRS."""
    source: LocationSource
    accuracy_m: float | None
    """One standard deviation, m: as stated, or what the source is known to give."""
    address: str | None = None


@dataclass(frozen=True, kw_only=True)
class GridShare:
    """A unit grid and its share of the error disc."""

    code: str
    probability: float


@dataclass(frozen=True, kw_only=True)
class GridAnswer:
    """The unit grid of a place."""

    code: str
    probability: float
    """Share of the error disc inside this grid, 0-1."""
    edge_distance_m: float
    """Distance to the grid's border, m."""
    distance_m: float
    """0 inside; else the distance to this nearest grid, the place being outside every grid."""
    on_boundary: bool
    """The place lies on a shared edge; the lowest code holds it."""
    alternatives: tuple[GridShare, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AreaAnswer:
    """An administrative area."""

    code: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Areas:
    """The chain of areas that holds the place, each by its own polygon."""

    district: AreaAnswer | None = None
    street: AreaAnswer | None = None
    community: AreaAnswer | None = None


@dataclass(frozen=True, kw_only=True)
class ComponentShare:
    """A component that may be the one meant."""

    code: str
    distance_m: float
    probability: float


@dataclass(frozen=True, kw_only=True)
class ComponentAnswer:
    """The component the case is about."""

    code: str
    class_code: str
    name: str
    distance_m: float
    probability: float
    condition: str
    lon: float
    lat: float
    alternatives: tuple[ComponentShare, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OwnerShare:
    """Another unit that may be the one, and why."""

    unit_code: str
    unit_name: str
    probability: float
    cause: Literal["place", "component", "record", "dispute", "conflict"]
    """place 接边: the place may lie in its area; component and record 交叉: another component may be meant,
    or the plan names it where the record names the unit taken; a disputed ownership; an equal row of
    the plan."""
    why: str
    why_zh: str = ""
    """The same in Chinese."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """A person responsible for a management grid 管理网格."""

    level: Literal["district", "street", "grid"]
    name: str | None
    phone: str | None


@dataclass(frozen=True, kw_only=True)
class UnitAnswer:
    """A unit of the directory."""

    unit_code: str
    unit_name: str


@dataclass(frozen=True, kw_only=True)
class BoundaryAnswer:
    """The boundary road 界路 on which the place lies, and which of its two areas answers."""

    code: str
    name: str
    sharing: str
    """side 按侧, odd_even 单双日, joint 共管."""
    area_code: str | None
    """Area that answers; None: the rule is not whole, and the areas at the place answer."""
    other_area_code: str | None
    joint: UnitAnswer | None = None
    """Of a joint road the unit of the other area, which shares the case."""


@dataclass(frozen=True, kw_only=True)
class OwnerAnswer:
    """The owning unit 责任单位: the one unit the case is sent to."""

    unit_code: str
    unit_name: str
    role: str
    """maintainer, owner, competent, handler or territorial."""
    principle: Literal["owner_first", "territory_first"]
    rule: str
    """The component's record or the plan's row that decided."""
    time_limit: TimeLimit | None = None
    due_at: datetime | None = None
    """When the time limit ends, counted from the report; None: no limit, or no time of report."""
    due_is_provisional: bool = False
    """Holidays of a year up to it are not published yet: only weekends and holidays of the law are off."""
    due_note: str | None = None
    """Of a provisional end: which year's holidays are missing, and how they are loaded."""
    due_note_zh: str | None = None
    """The same in Chinese."""
    filing_condition: str | None = None
    """When a case is to be filed 立案条件, in the plan's words."""
    closing_condition: str | None = None
    """When a case is to be closed 结案条件, in the plan's words."""
    persons: tuple[Person, ...] = ()
    """Those responsible for the management grid by whose row of the plan the unit was found; told only
    to roles that record cases."""
    alternatives: tuple[OwnerShare, ...] = ()
    """Other units that may be the one, the most probable first."""


@dataclass(frozen=True, kw_only=True)
class TraceStep:
    """One candidate that was looked at."""

    step: str
    candidate: str
    outcome: Literal["accepted", "rejected"]
    why: str
    why_zh: str = ""
    """The same in Chinese."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The answer: grid, areas, component, owner; why and how sure."""

    case_id: str | None
    data_version: str
    location: Location
    grid: GridAnswer | None
    areas: Areas
    component: ComponentAnswer | None
    owner: OwnerAnswer | None
    probability: float
    """Probability that the owning unit is right, 0-1."""
    boundary: BoundaryAnswer | None = None
    """The boundary road on which the place lies."""
    trace: tuple[TraceStep, ...] = ()
    needs_review: bool = False
    reasons: tuple[str, ...] = field(default=())
    """Stable names of what made it doubtful: outside_grids, no_owner, plan_conflict …"""


@dataclass(frozen=True, kw_only=True)
class PlaceAnswer:
    """A place that an address, a name or a position leads to."""

    code: str
    """Identifier of the place; for a crossing or an interpolated plate the codes it was made of."""
    name: str
    kind: str
    """area, zone, block, street, plate, poi; crossing: where two roads meet."""
    full_address: str
    lon: float
    """Longitude, CGCS2000, degrees."""
    lat: float
    x: float
    """East in the city's CRS, m."""
    y: float
    score: float
    """How surely this place is meant, 0-1; several equally good places share it."""
    uncertainty_m: float
    """Standard deviation of the place per axis, m."""
    match: str
    """How it matched, one of the group ``match`` of ``api/geocoding/evidence.csv``: name, alias, short,
    address, plate, member, lane, building, block, interpolated, beyond, crossing, between, road, inside,
    sounding, similar, prefix, area; of suggestions pinyin, initials; of reverse answers nearest."""
    why: tuple[str, ...] = ()
    """What else speaks for or against it, by code: area_agrees, area_contradicts, number_unmatched …"""
    explanation: str = ""
    """Match and evidence in words."""
    explanation_zh: str = ""
    question: str = ""
    """What to ask the caller, when other places fit as well; of the first answer only."""
    question_zh: str = ""
    community_code: str | None = None
    grid_code: str | None = None
    phrase: str = ""
    """Of a reverse answer: the position in words, as in 裕华路12号东北约35米."""
    location_text: str = ""
    """Of a reverse answer: the same with district, street and community before it (事发位置); of a position
    outside all areas with the nearest one and its distance after it."""
    distance_m: float | None = None
    """Of a reverse answer: distance to the place, m."""
