"""Questions, column by column: many cases, or one, in the same arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from api.models import Case

if TYPE_CHECKING:
    from api.snapshot import Snapshot

DEFAULT_CRS = "EPSG:4326"
CITY_CRS = "city"
"""Name that stands for the city's own CRS."""
KINDS = {
    "component": "component",
    "event": "event",
    "部件": "component",
    "事件": "event",
    "事项": "event",
}

Texts = NDArray[np.object_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Questions:
    """What is asked, one array per field, all of one length."""

    case_id: Texts
    kind: Texts
    """component or event."""
    class_code: Texts
    """Minor class with the zeros a spreadsheet took, or None."""
    x: Floats
    """East or longitude as reported; nan: no position."""
    y: Floats
    crs: Texts
    accuracy_m: Floats
    """nan: not stated."""
    address: Texts
    component_code: Texts
    day: NDArray[np.int64]
    """Month times 100 plus day of the report, local."""
    minute: NDArray[np.int64]
    """Minutes since local midnight."""
    reasons: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    """What is doubtful about the questions themselves."""

    def __len__(self) -> int:
        return len(self.kind)


def ask_cases(
    snapshot: "Snapshot", cases: Sequence[Case], *, now: datetime | None = None
) -> Questions:
    """Return the questions of some cases."""
    zone = ZoneInfo(snapshot.profile.city.timezone)
    present = (now or datetime.now(zone)).astimezone(zone)
    moments = [_local(case.reported_at, zone) or present for case in cases]
    positions = [case.position for case in cases]
    return _ask(
        snapshot,
        {
            "case_id": [case.case_id for case in cases],
            "kind": [case.kind for case in cases],
            "class_code": [case.class_code for case in cases],
            "crs": [p.crs if p else None for p in positions],
            "address": [case.address for case in cases],
            "component_code": [case.component_code for case in cases],
        },
        numbers={
            "x": np.array([p.x if p else np.nan for p in positions], dtype=np.float64),
            "y": np.array([p.y if p else np.nan for p in positions], dtype=np.float64),
            "accuracy_m": np.array(
                [np.nan if p is None or p.accuracy_m is None else p.accuracy_m for p in positions],
                dtype=np.float64,
            ),
        },
        day=np.array([m.month * 100 + m.day for m in moments], dtype=np.int64),
        minute=np.array([m.hour * 60 + m.minute for m in moments], dtype=np.int64),
        reasons={},
    )


def ask_frame(
    snapshot: "Snapshot", frame: pd.DataFrame, *, now: datetime | None = None
) -> Questions:
    """Return the questions of the rows of a frame; see ``api.assign.assign_frame``."""
    zone = ZoneInfo(snapshot.profile.city.timezone)
    present = (now or datetime.now(zone)).astimezone(zone)
    moments, unreadable = local_times(_column(frame, "reported_at"), zone=zone, present=present)
    texts = ("case_id", "kind", "class_code", "crs", "address", "component_code")
    x, bad_x = _numbers(frame, "x")
    y, bad_y = _numbers(frame, "y")
    accuracy_m, _ = _numbers(frame, "accuracy_m")
    half = np.isnan(x) != np.isnan(y)
    return _ask(
        snapshot,
        {name: _texts(frame, name) for name in texts},
        numbers={"x": x, "y": y, "accuracy_m": accuracy_m},
        day=(moments.dt.month * 100 + moments.dt.day).to_numpy(dtype=np.int64),
        minute=(moments.dt.hour * 60 + moments.dt.minute).to_numpy(dtype=np.int64),
        reasons={
            "time_invalid": unreadable,
            "as_of_invalid": days_of(frame)[1],
            "position_invalid": bad_x | bad_y | half,
        },
    )


def _ask(
    snapshot: "Snapshot",
    texts: dict[str, list[Any]],
    *,
    numbers: dict[str, Floats],
    day: NDArray[np.int64],
    minute: NDArray[np.int64],
    reasons: dict[str, NDArray[np.bool_]],
) -> Questions:
    taxonomy = snapshot.taxonomy
    kind = [KINDS.get(value or "component") for value in texts["kind"]]
    reasons["kind_invalid"] = np.array([value is None for value in kind], dtype=bool)
    kinds = [value or "component" for value in kind]
    known = {code: taxonomy.restore(code) if code else None for code in set(texts["class_code"])}
    codes = [known[code] for code in texts["class_code"]]
    pairs = list(zip(kinds, codes, strict=True))
    there = {(k, code): code is None or taxonomy.exists(k, code) for k, code in set(pairs)}
    exists = [there[pair] for pair in pairs]
    reasons["class_missing"] = np.array([code is None for code in codes], dtype=bool)
    reasons["class_unknown"] = ~np.array(exists, dtype=bool)
    crs = [
        snapshot.crs if (name or "").lower() == CITY_CRS else (name or DEFAULT_CRS)
        for name in texts["crs"]
    ]
    # A standard deviation that is not positive says nothing.
    accuracy_m = np.where(numbers["accuracy_m"] > 0, numbers["accuracy_m"], np.nan)
    return Questions(
        case_id=_objects(texts["case_id"]),
        kind=_objects(kinds),
        class_code=_objects(codes),
        x=numbers["x"],
        y=numbers["y"],
        crs=_objects(crs),
        accuracy_m=accuracy_m,
        address=_objects([value or None for value in texts["address"]]),
        component_code=_objects([value or None for value in texts["component_code"]]),
        day=day,
        minute=minute,
        reasons=reasons,
    )


def local_times(
    column: pd.Series, *, zone: ZoneInfo, present: datetime
) -> tuple[pd.Series, NDArray[np.bool_]]:
    """Return local times without zone, and which could not be read.

    Parameters
    ----------
    column : pandas.Series
        Times or texts; with an offset they are converted, without one they are local already;
        missing and unreadable ones become `present`.
    zone : ZoneInfo
        The city's time zone.
    present : datetime
        Aware.

    Examples
    --------
    >>> zone = ZoneInfo("Asia/Shanghai")
    >>> present = datetime(2026, 1, 1, tzinfo=zone)
    >>> texts = pd.Series(["2026-05-01 08:30", "2026-05-01T00:30:00Z", "soon", None])
    >>> times, unreadable = local_times(texts, zone=zone, present=present)
    >>> times.dt.hour.tolist(), unreadable.tolist()
    ([8, 8, 0, 0], [False, False, True, False])
    """
    present = present.astimezone(zone).replace(tzinfo=None)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        moments = column.dt.tz_convert(str(zone)).dt.tz_localize(None)
    elif pd.api.types.is_datetime64_any_dtype(column.dtype):
        moments = column
    else:
        moments = _parsed(column.astype(object).where(column.notna(), None), zone)
    unreadable = (moments.isna() & column.notna()).to_numpy()
    return moments.astype("datetime64[us]").fillna(present), unreadable


def days_of(frame: pd.DataFrame) -> tuple[list[date | None], NDArray[np.bool_]]:
    """Return the days of the column ``as_of``, and which could not be read: those are None too.

    Examples
    --------
    >>> days, unreadable = days_of(pd.DataFrame({"as_of": ["2026-05-01", "", None, "never"]}))
    >>> days[0].isoformat(), days[1:], unreadable.tolist()
    ('2026-05-01', [None, None, None], [False, False, False, True])
    """
    if "as_of" not in frame.columns:
        return [None] * len(frame), np.zeros(len(frame), dtype=bool)
    column = frame["as_of"].astype(object)
    given = column.notna() & (column.astype(str).str.strip() != "")
    read = pd.to_datetime(column.where(given, None), errors="coerce", format="ISO8601")
    days = [None if pd.isna(day) else day.date() for day in read]
    return days, (given & read.isna()).to_numpy(dtype=bool)


def _parsed(column: pd.Series, zone: ZoneInfo) -> pd.Series:
    texts = column.map(str, na_action="ignore")
    aware = texts.str.contains(r"\d[T ]\d.*(?:Z|[+-]\d{2}:?\d{2})$", na=False).astype(bool)
    plain = pd.to_datetime(texts.where(~aware), format="ISO8601", errors="coerce")
    moved = pd.to_datetime(texts.where(aware), format="ISO8601", errors="coerce", utc=True)
    local = moved.dt.tz_convert(str(zone)).dt.tz_localize(None)
    return plain.astype("datetime64[us]").where(~aware, local.astype("datetime64[us]"))


def _local(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name in frame.columns:
        return frame[name]
    return pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us]")


def _texts(frame: pd.DataFrame, name: str) -> list[Any]:
    if name not in frame.columns:
        return [None] * len(frame)
    column = frame[name]
    if pd.api.types.is_float_dtype(column.dtype):  # whole numbers with gaps come back as floats
        column = column.astype("Int64")
    missing = column.isna().tolist()
    return [
        None if absent else str(value).strip()
        for value, absent in zip(column.tolist(), missing, strict=True)
    ]


def _numbers(frame: pd.DataFrame, name: str) -> tuple[Floats, NDArray[np.bool_]]:
    if name not in frame.columns:
        return np.full(len(frame), np.nan), np.zeros(len(frame), dtype=bool)
    column = frame[name]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        stripped = column.astype(object).map(
            lambda v: v.strip() or None if isinstance(v, str) else v
        )
        column = stripped.where(stripped.notna(), None)
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64).to_numpy(na_value=np.nan)
    bad = np.asarray(np.isnan(numbers) & column.notna().to_numpy())
    return numbers, bad


def _objects(values: list[Any]) -> Texts:
    result = np.empty(len(values), dtype=object)
    result[:] = values
    return result
