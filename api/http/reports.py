"""What requests about recorded cases look like: checked here, handed on as plain values."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from api.cases.listing import MOST, CaseFilter
from api.cases.moving import Return
from api.cases.posting import LONGEST_DESCRIPTION
from api.cases.states import State
from api.http.schemas import CaseId, CaseIn, ClassCode, Moment, Question, Words, check_text
from gis.errors import RequestError

Description = Annotated[str, Field(max_length=LONGEST_DESCRIPTION), AfterValidator(check_text)]
Reason = Annotated[str, Field(min_length=1, max_length=2_000), AfterValidator(check_text)]
UnitCode = Annotated[Words, Field(min_length=1, max_length=64)]
Category = Literal[
    "not_our_area",
    "not_our_component",
    "not_our_duty",
    "wrong_class",
    "wrong_place",
    "duplicate",
    "cannot_be_found",
    "already_solved",
    "not_filed",
    "unclear",
    "other",
]


class ReportIn(CaseIn):
    """A case to assign and record."""

    case_id: CaseId
    class_code: ClassCode
    channel: Annotated[Words, Field(max_length=100)] | None = None
    """Where the report comes from: supervisor, hotline, app …"""
    description: Description | None = None
    """Words of the report."""


class ReturnIn(Question):
    """A unit's "not ours" 退件."""

    unit_code: UnitCode
    """Unit that returns the case: the one it is assigned to now."""
    reason: Reason
    """Why it is not theirs, in words."""
    category: Category | None = None
    """Coded reason, of /v1/return_reasons; missing: read from the words."""
    suggested_unit_code: UnitCode | None = None
    """Unit it says the case is for; recorded for whoever looks at the plan."""

    def told(self) -> Return:
        """Return the plain value."""
        return Return(
            unit_code=self.unit_code,
            reason=self.reason,
            category=self.category,
            suggested_unit_code=self.suggested_unit_code,
        )


class AssignIn(Question):
    """A person's word: this unit has the case 改派."""

    unit_code: UnitCode
    """Unit that gets the case, whatever was decided."""
    reason: Reason
    """Why, for the history."""


class CloseIn(Question):
    """The end of a case 结案."""

    reason: Annotated[str, Field(max_length=2_000), AfterValidator(check_text)] = ""
    """How it ended."""
    duplicate_of: CaseId | None = None
    """Case that this one repeats, as a person found."""


class ReopenIn(Question):
    """A closed case goes on."""

    reason: Reason
    """Why."""


class CasesIn(Question):
    """Which cases are listed."""

    state: State | None = None
    unit: UnitCode | None = None
    """Owning unit now."""
    class_code: ClassCode | None = None
    bbox: Annotated[str, Field(max_length=200)] | None = None
    """West,south,east,north in degrees."""
    since: Moment | None = None
    """Reported then or later."""
    due: Literal["in_time", "soon", "overdue"] | None = None
    """Open cases whose time limit stands so."""
    limit: Annotated[int, Field(ge=1, le=MOST)] = 100
    next: Annotated[str, Field(max_length=400)] | None = None
    """``next`` of the page before."""

    def wanted(self, districts: tuple[str, ...]) -> CaseFilter:
        """Return the plain value, for a key of some districts.

        Raises
        ------
        RequestError
            ``bbox`` is not four numbers.
        """
        return CaseFilter(
            state=self.state,
            unit_code=self.unit,
            class_code=self.class_code,
            bbox=None if self.bbox is None else read_box(self.bbox),
            since=self.since,
            due=self.due,
            districts=districts,
        )


def read_box(text: str) -> tuple[float, float, float, float]:
    """Return four numbers of a text.

    Raises
    ------
    RequestError
        There are not four, or one is no number.

    Examples
    --------
    >>> read_box("114.4,38.0,114.6,38.1")
    (114.4, 38.0, 114.6, 38.1)
    """
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError as error:
        msg = "bbox is west,south,east,north in degrees, as 114.4,38.0,114.6,38.1."
        zh = "bbox 依次为西、南、东、北（度），如 114.4,38.0,114.6,38.1。"
        raise RequestError(msg, zh=zh) from error
    return west, south, east, north
