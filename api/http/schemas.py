"""What requests look like: checked here, handed on as the plain values of ``api.models``."""

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from api.geocoding.geocode import AddressLevels, one_line
from api.http.validation import CLASS_CODE
from api.models import Case, Position
from api.questions import CITY_CRS
from gis.addresses.spelling import LONGEST
from gis.caseids import CASE_ID
from gis.crs import VENDOR_CRS, crs_name
from gis.errors import RequestError

Number = Annotated[float, Field(allow_inf_nan=False)]


@lru_cache(maxsize=256)
def may_be_asked(text: str) -> bool:
    """Tell whether a name of a coordinate system is one of those that may be asked for.

    Examples
    --------
    >>> may_be_asked("EPSG:4490"), may_be_asked("gcj02"), may_be_asked("+proj=longlat")
    (True, True, False)
    """
    if re.fullmatch(r"EPSG:\d{4,6}", text.strip().upper()) or text.lower() == CITY_CRS:
        return True
    return crs_name(text) in VENDOR_CRS


def check_crs(text: str) -> str:
    """Refuse a name that is none of those that may be asked for.

    A PROJ string would be read too, but there is no end of them, and each costs memory for good.
    """
    if may_be_asked(text):
        return text
    raise PydanticCustomError("crs", "{crs}", {"crs": text})


CrsName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=32,
        description="EPSG:…, GCJ-02, BD-09, or city for the city's own CRS",
        examples=["EPSG:4326", "GCJ-02"],
    ),
    AfterValidator(check_crs),
]
ClassCode = Annotated[
    str, Field(pattern=CLASS_CODE, description="minor class 小类", examples=["0102"])
]
Accuracy = Annotated[
    float,
    Field(ge=0, le=100_000, allow_inf_nan=False, description="standard deviation per axis, m"),
]
Bearing = Annotated[float, Field(ge=-360, le=360, allow_inf_nan=False)]
Code = Annotated[str, Field(pattern=r"^[0-9A-Za-z_.-]{1,64}$")]
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1900, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC)),
]
"""With its time zone, and far from the ends of the calendar, where no zone can be changed."""
CaseId = Annotated[str, Field(pattern=CASE_ID, examples=["2026-000123"])]


def check_text(text: str) -> str:
    """Refuse a text with the character NUL, which no database text can hold."""
    if "\0" in text:
        raise PydanticCustomError("string_nul", "NUL")
    return text


Words = Annotated[str, Field(max_length=500), AfterValidator(check_text)]
Level = Annotated[str, Field(max_length=100), AfterValidator(check_text)]


class Question(BaseModel):
    """A part of a request; names that are not known are refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class PositionIn(Question):
    """A reported position."""

    x: Number
    """East or longitude."""
    y: Number
    """North or latitude."""
    crs: CrsName = "EPSG:4326"
    accuracy_m: Accuracy | None = None
    accuracy_minor_m: Accuracy | None = None
    """Of an error ellipse 误差椭圆 the standard deviation across its bearing; missing: the error is round."""
    accuracy_bearing_deg: Bearing | None = None
    """Direction of its major axis, clockwise from north."""

    def value(self) -> Position:
        """Return the plain value."""
        return Position(**self.model_dump())


class LookupIn(Question):
    """A place, asked for in the address."""

    x: Annotated[Number, Field(examples=[114.5149])]
    """East or longitude."""
    y: Annotated[Number, Field(examples=[38.0428])]
    """North or latitude."""
    crs: CrsName = "EPSG:4326"
    kind: Literal["component", "event"] = "component"
    class_code: ClassCode | None = None
    accuracy_m: Accuracy | None = None
    accuracy_minor_m: Accuracy | None = None
    """Of an error ellipse 误差椭圆 the standard deviation across its bearing; missing: the error is round."""
    accuracy_bearing_deg: Bearing | None = None
    """Direction of its major axis, clockwise from north."""
    reported_at: Moment | None = None
    """Decides season and hours of the plan; missing: now."""
    as_of: date | None = None
    """Day whose data answer; missing: the live data."""
    trace: bool = False
    """Tell every candidate that was looked at, and why each but one lost."""

    def case(self) -> Case:
        """Return the plain value."""
        return Case(
            kind=self.kind,
            class_code=self.class_code,
            position=Position(
                x=self.x,
                y=self.y,
                crs=self.crs,
                accuracy_m=self.accuracy_m,
                accuracy_minor_m=self.accuracy_minor_m,
                accuracy_bearing_deg=self.accuracy_bearing_deg,
            ),
            reported_at=self.reported_at,
            as_of=self.as_of,
        )


def check_length(address: str) -> str:
    """Refuse an address that is too long to be one.

    Raises
    ------
    RequestError
        It has more characters than an event location may have.
    """
    if len(address) > LONGEST:
        msg = f"The address has {len(address)} characters, {LONGEST} at most: leave out what is no address."
        zh = f"地址有 {len(address)} 个字符，最多 {LONGEST} 个：请删去与地址无关的内容。"
        raise RequestError(msg, zh=zh)
    return address


class GeocodeIn(Question):
    """An address as a text, or by its levels."""

    q: Annotated[Words, Field(min_length=1, max_length=200, examples=["裕华路12号"])] | None = None
    """Name or address in one text."""
    province: Level = ""
    city: Level = ""
    district: Level = ""
    """区县."""
    street: Level = ""
    """街道."""
    community: Level = ""
    road: Level = ""
    plate: Level = ""
    """Door plate 门牌, as 12 or 12号."""
    block: Level = ""
    """Compound 小区."""
    building: Level = ""
    """Building 楼牌, as 3号楼."""
    poi: Level = ""
    limit: Annotated[int, Field(ge=1, le=50)] = 5
    as_of: date | None = None
    """Day whose data answer; missing: the live data."""

    def text(self) -> str:
        """Return what is asked for as one text.

        Raises
        ------
        RequestError
            Neither a text nor levels are given, or both.
        """
        levels: AddressLevels = {}
        for name in AddressLevels.__annotations__:
            levels[name] = getattr(self, name)  # type: ignore[literal-required]
        written = one_line(levels)
        if bool(written) == bool(self.q):
            msg = "Ask either by q or by levels (district, road, plate, poi …)."
            raise RequestError(
                msg, zh="请用 q，或用分项参数（district、road、plate、poi 等），二者取一。"
            )
        return check_length(self.q or written)


class CaseIn(Question):
    """A case: something at a place, of a class, at a time."""

    case_id: CaseId | None = None
    kind: Literal["component", "event"] = "component"
    class_code: ClassCode | None = None
    position: PositionIn | None = None
    address: Words | None = None
    """Address or place in words, as the citizen told it."""
    component_code: Code | None = None
    """Component named in the report."""
    reported_at: Moment | None = None
    """When it was reported; decides season and hours of the plan. Missing: now."""
    as_of: date | None = None
    """Day whose data answer; missing: the live data."""

    def case(self) -> Case:
        """Return the plain value."""
        return Case(
            case_id=self.case_id,
            kind=self.kind,
            class_code=self.class_code,
            position=None if self.position is None else self.position.value(),
            address=self.address,
            component_code=self.component_code,
            reported_at=self.reported_at,
            as_of=self.as_of,
        )
