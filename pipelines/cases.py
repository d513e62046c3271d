"""Cases 案件 of the past: recorded as reported; who should have had them is decided later, by the API."""

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pandas as pd

from census.taxonomy import read_taxonomy
from gis.caseids import is_case_id
from gis.codes import read_rules
from gis.crs import GEOGRAPHIC, transform_xy
from gis.errors import CrsError
from gis.faults import Faults, Outcome
from pipelines.case_steps import (
    closing_time,
    count_returns,
    gather_steps,
    is_step,
    last_unit,
    steps_hash,
    steps_text,
    units_of,
)
from pipelines.context import BuildContext
from pipelines.repeats import refuse_repeats
from pipelines.values import code_of, known_words, numbers_of, text_of, words_of

DATASET = "cases"
RULES = read_rules("pipelines")
REPORT_COLUMNS = (
    "case_id",
    "kind",
    "class_code",
    "reported_at",
    "channel",
    "description",
    "address",
    "x",
    "y",
    "crs",
    "accuracy_m",
    "component_code",
    "closed_at",
    "state",
    "returns",
    "handled_by",
    "duplicate_of",
    "request_hash",
)
"""Columns of ``cases.case`` that an import writes; the decision's stay as they are."""
BLOCK_ROWS = 50_000
_TEXTS = (
    "description", "address", "channel", "handled_by", "steps", "request_hash", "crs",
    "component_code", "source_file",
)  # fmt: skip
_QUESTION = REPORT_COLUMNS[1:12]
_CITY = ("城市坐标系", "地方坐标系", "本市坐标系", "本市")
"""What tables call the city's own CRS."""


def transform(frame: pd.DataFrame, context: BuildContext) -> Outcome:
    """Judge reported cases: identifier, kind, time, and something to locate them by.

    Positions stay as reported, in the CRS they name. Times without zone are the city's local time.
    An unknown class is a warning: the decision says so, the case must not be lost. Rows that are
    steps of a case (``action``) become its history; the first row of a case that says what was
    reported is the case.
    """
    # Block by block, what is kept in few bytes: a year of a large city is a million rows.
    size = len(frame) if is_step(frame).any() else BLOCK_ROWS
    blocks = [frame.iloc[at : at + size] for at in range(0, max(len(frame), 1), max(size, 1))]
    outcomes = [_judge(block, context) for block in blocks]
    accepted = pd.concat([outcome.accepted for outcome in outcomes])
    faults = pd.concat([outcome.faults for outcome in outcomes], ignore_index=True)
    repeated = accepted["case_id"].isin(accepted["case_id"][accepted["case_id"].duplicated()])
    if repeated.any():
        rows = frame.loc[accepted.index[repeated]]
        repeats = Faults(rows.assign(code=text_of(rows, "case_id")), rules=RULES)
        refuse_repeats(repeats, text_of(rows, "case_id"))
        faults = pd.concat([faults, repeats.outcome().faults], ignore_index=True)
        accepted = accepted.drop(index=rows.index[repeats.refused])
    order = ["source_file", "source_row"]
    return Outcome(
        accepted=accepted, faults=faults.sort_values(order, kind="stable", ignore_index=True)
    )


def _judge(whole: pd.DataFrame, context: BuildContext) -> Outcome:
    """Judge a block of rows by themselves: all but repeats of one case."""
    case_ids = text_of(whole, "case_id")
    frame = whole[_tells_case(whole, case_ids)]
    faults = Faults(whole.assign(code=case_ids), rules=RULES)
    rows = _read(frame, context)
    faults.add("P001", case_ids.isna())
    known = {text: is_case_id(text) for text in case_ids.dropna().unique()}
    faults.add("CA12", case_ids.notna() & ~case_ids.map(known).eq(True), value=case_ids)
    said = text_of(frame, "kind").fillna("")
    faults.add("CA01", rows["kind"].isna(), value=said, known=known_words("case_kind"))
    faults.add("CA02", rows["reported_at"].isna(), value=text_of(frame, "reported_at").fillna(""))
    _check_classes(faults, rows, context)
    _check_positions(faults, rows, frame, context)
    faults.add("CA10", is_step(whole) & ~case_ids.isin(rows["case_id"]), value=case_ids)
    ended = text_of(frame, "closed_at")
    faults.add("CA11", rows["closed_at"].isna() & ended.notna(), value=ended.fillna(""))
    early = rows["closed_at"] < rows["reported_at"]
    faults.add("CA06", early, closed=rows["closed_at"], reported=rows["reported_at"])
    rows.loc[early, "closed_at"] = pd.NaT
    accepted = _with_steps(rows[~faults.refused[rows.index]], whole, context, faults)
    packed = {name: accepted[name].astype("string[pyarrow]") for name in _TEXTS}
    return Outcome(accepted=accepted.assign(**packed), faults=faults.outcome().faults)


def _tells_case(frame: pd.DataFrame, case_ids: "pd.Series[str]") -> "pd.Series[bool]":
    """Tell which rows are cases: all that are no steps, and of steps that repeat it the first."""
    steps = is_step(frame)
    if not steps.any():
        return ~steps
    repeats_report = text_of(frame, "kind").notna() & text_of(frame, "reported_at").notna()
    first = ~case_ids.where(repeats_report | ~steps).duplicated(keep="first")
    return ~steps | (repeats_report & first & ~case_ids.isin(case_ids[~steps]))


def _with_steps(
    accepted: pd.DataFrame, whole: pd.DataFrame, context: BuildContext, faults: Faults
) -> pd.DataFrame:
    zone = ZoneInfo(context.profile.city.timezone)
    steps = gather_steps(
        whole,
        case_ids=text_of(whole, "case_id"),
        times=lambda column: times_of(whole, column, zone=zone),
        context=context,
        faults=faults,
    )
    found = [steps.get(case_id, []) for case_id in accepted["case_id"]]
    texts = [steps_text(of_case) for of_case in found]
    told = pd.Series([last_unit(of_case) for of_case in found], index=accepted.index, dtype=object)
    handled = accepted["handled_by"].where(accepted["handled_by"].notna(), told)
    reports = row_hashes(accepted)
    closed = pd.Series([closing_time(of_case) for of_case in found], index=accepted.index)
    closed = pd.to_datetime(closed, utc=True).astype(_STAMP)
    closed = closed.where(closed >= accepted["reported_at"])
    closed = accepted["closed_at"].where(accepted["closed_at"].notna(), closed)
    hashes = [
        f"{report}.{steps_hash(f'{text}{unit or str()}')}" if text or unit else report
        for report, text, unit in zip(reports, texts, handled, strict=True)
    ]
    return accepted.assign(
        handled_by=handled,
        closed_at=closed,
        state=np.where(closed.notna(), "closed", "received"),
        returns=[count_returns(of_case) for of_case in found],
        steps=texts,
        request_hash=hashes,
    )


def _read(frame: pd.DataFrame, context: BuildContext) -> pd.DataFrame:
    city = context.profile.city
    zone = ZoneInfo(city.timezone)
    taxonomy = read_taxonomy(city.standard, context.profile.extension_class)
    return pd.DataFrame(
        {
            "case_id": text_of(frame, "case_id"),
            "kind": words_of(frame, "kind", subject="case_kind"),
            "class_code": _mapped(code_of(frame, "class_code"), taxonomy.restore),
            "reported_at": times_of(frame, "reported_at", zone=zone),
            "channel": text_of(frame, "channel"),
            "description": text_of(frame, "description"),
            "address": text_of(frame, "address"),
            "x": numbers_of(frame, "x"),
            "y": numbers_of(frame, "y"),
            "crs": text_of(frame, "crs").replace(dict.fromkeys(_CITY, "city")),
            "accuracy_m": numbers_of(frame, "accuracy_m"),
            "component_code": code_of(frame, "component_code"),
            "closed_at": times_of(frame, "closed_at", zone=zone),
            "handled_by": units_of(frame, "handled_by", context),
            "duplicate_of": text_of(frame, "duplicate_of"),
            "source_file": frame["source_file"],
            "source_row": frame["source_row"],
        },
        index=frame.index,
    )


def _mapped(texts: "pd.Series[Any]", change: Callable[[str], str]) -> "pd.Series[Any]":
    """Return texts changed, each distinct one once; blank stays blank."""
    known = {text: change(text) for text in texts.dropna().unique()}
    return pd.Series([known.get(text) for text in texts], index=texts.index, dtype=object)


def times_of(frame: pd.DataFrame, column: str, *, zone: ZoneInfo) -> "pd.Series[pd.Timestamp]":
    """Return a column of times in UTC; NaT for blank and unreadable; without zone: local time.

    Years before 1970 and from 2100 on can not be meant.

    Examples
    --------
    >>> import pandas as pd
    >>> from zoneinfo import ZoneInfo
    >>> rows = pd.DataFrame({"at": ["2026-05-31 14:05", "2026/5/31 14:05:09", "?"]})
    >>> times_of(rows, "at", zone=ZoneInfo("Asia/Shanghai")).map(str).tolist()
    ['2026-05-31 06:05:00+00:00', '2026-05-31 06:05:09+00:00', 'NaT']
    """
    number, distinct = pd.factorize(text_of(frame, column).to_numpy(dtype=object))
    times = pd.DatetimeIndex([_time(text, zone) for text in distinct], dtype=_STAMP)
    return pd.Series(times.take(number, allow_fill=True, fill_value=pd.NaT), index=frame.index)


def _time(text: str, zone: ZoneInfo) -> datetime | None:
    plain = unicodedata.normalize("NFKC", text).translate(_DATE_SIGNS)
    for read in _READERS:
        try:
            found = read(plain.strip())
        except ValueError:
            continue
        if found.year not in _YEARS:
            return None
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    return None


_STAMP = "datetime64[us, UTC]"
_DATE_SIGNS = str.maketrans({"/": "-", "年": "-", "月": "-", "日": " "})
_YEARS = range(1970, 2100)
"""Other years are mistakes, or stand for never, as 9999-12-31 does."""


def _pattern(pattern: str) -> Callable[[str], datetime]:
    return lambda text: datetime.strptime(text, pattern)  # noqa: DTZ007 (the zone is added later)


_READERS: tuple[Callable[[str], datetime], ...] = (
    datetime.fromisoformat,
    _pattern("%Y-%m-%d %H:%M:%S"),
    _pattern("%Y-%m-%d %H:%M"),
    _pattern("%Y-%m-%d"),
)


def _check_classes(faults: Faults, rows: pd.DataFrame, context: BuildContext) -> None:
    city = context.profile.city
    taxonomy = read_taxonomy(city.standard, context.profile.extension_class)
    pairs = list(zip(rows["kind"], rows["class_code"], strict=True))
    is_known = {
        (kind, code): isinstance(kind, str)
        and isinstance(code, str)
        and taxonomy.exists(kind, code)
        for kind, code in set(pairs)
    }
    known = pd.Series([is_known[pair] for pair in pairs], index=rows.index, dtype=bool)
    faults.add(
        "CA05",
        ~known & rows["kind"].notna(),
        value=rows["class_code"].astype(object).fillna(""),
        standard=city.standard,
    )


def _check_positions(
    faults: Faults, rows: pd.DataFrame, frame: pd.DataFrame, context: BuildContext
) -> None:
    """Blank positions that are none in the CRS they name; refuse a case with nothing left."""
    said = text_of(frame, "x").notna() | text_of(frame, "y").notna()
    usable = usable_positions(rows, city_crs=context.crs.text)
    can_else = rows["address"].notna() | rows["component_code"].notna()
    faults.add("CA03", ~usable & ~can_else & ~said)
    told = {
        "x": text_of(frame, "x").fillna(""),
        "y": text_of(frame, "y").fillna(""),
        "crs": rows["crs"].astype(object).fillna(""),
    }
    faults.add("CA04", said & ~usable & can_else, **told)
    faults.add("CA13", said & ~usable & ~can_else, **told)
    rows.loc[~usable, ["x", "y"]] = np.nan


def usable_positions(rows: pd.DataFrame, *, city_crs: str) -> "pd.Series[bool]":
    """Return which rows have a position that the CRS they name can hold.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``x``, ``y`` and ``crs``: blank is EPSG:4326, ``city`` the city's own.
    city_crs : str
        CRS that ``city`` means.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"x": [114.5, 38.0, 5.0], "y": [38.0, 114.5, 5.0], "crs": [None, None, "?"]})
    >>> usable_positions(rows, city_crs="EPSG:4547").tolist()
    [True, False, False]
    """
    names = rows["crs"].fillna("EPSG:4326")
    result = pd.Series(False, index=rows.index)
    for name in sorted(names.unique()):
        same = names == name
        source = city_crs if name == "city" else name
        try:
            lon, lat = transform_xy(
                rows.loc[same, "x"], rows.loc[same, "y"], source=source, target=GEOGRAPHIC
            )
        except CrsError:
            continue
        result[same] = (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    return result


def row_hashes(rows: pd.DataFrame) -> "pd.Series[str]":
    """Return the SHA-256 of what each case reports; that it was closed since is no part of it."""
    names = sorted(_QUESTION)
    columns = [_plain(rows[name]) for name in names]
    values = [
        sha256(orjson.dumps(dict(zip(names, record, strict=True)), default=str)).hexdigest()
        for record in zip(*columns, strict=True)
    ]
    return pd.Series(values, index=rows.index, dtype=object)


def _plain(column: "pd.Series[Any]") -> list[Any]:
    """Return values as JSON has them, times as texts, each distinct one put into words once."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        number, distinct = pd.factorize(column)
        texts = [*(str(moment) for moment in distinct), None]
        return [texts[position] for position in number.tolist()]
    values: list[Any] = column.astype(object).where(column.notna(), None).tolist()
    return values
