"""Questions, column by column: many cases, or one, in the same arrays of integers."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from unicodedata import normalize
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from api.columns import (
    Coded,
    Floats,
    Mask,
    Numbers,
    cases_table,
    code_list,
    column_of,
    read_days,
    read_moments,
    read_numbers,
    read_texts,
)
from api.models import Case
from api.numbering import clocks

if TYPE_CHECKING:
    import pandas as pd

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
KIND_NAMES = ("component", "event")
"""Kinds by their number."""
COMPONENT, EVENT = 0, 1
FIELDS = (
    "case_id", "kind", "class_code", "x", "y", "crs", "accuracy_m", "accuracy_minor_m",
    "accuracy_bearing_deg", "address", "component_code", "reported_at", "as_of",
)  # fmt: skip
"""Columns of a frame that are read."""

Texts = NDArray[np.object_]


@dataclass(frozen=True, kw_only=True)
class Questions:
    """What is asked, one array per field, all of one length; texts as numbers in small tables."""

    kinds: NDArray[np.int8]
    """`COMPONENT` or `EVENT`."""
    class_number: Numbers
    """Number among `classes`, -1: no class."""
    classes: tuple[str, ...]
    """Minor classes, with the zeros a spreadsheet took."""
    x: Floats
    """East or longitude as reported; nan: no position."""
    y: Floats
    crs_number: Numbers
    """Number among `crss`."""
    crss: tuple[str, ...]
    accuracy_m: Floats
    """nan: not stated."""
    accuracy_minor_m: Floats
    """Standard deviation across the bearing, of an error that is no circle; nan: not stated."""
    accuracy_bearing_deg: Floats
    """Direction of the larger standard deviation, clockwise from north; nan: not stated."""
    address_number: Numbers
    """Number among `addresses`, -1: none."""
    addresses: pa.StringArray
    code_number: Numbers
    """Number among `codes` of the component the case names, -1: none."""
    codes: pa.StringArray
    day: NDArray[np.int64]
    """Month times 100 plus day of the report, local."""
    minute: NDArray[np.int64]
    """Minutes since local midnight."""
    ids: pa.Array | None = None
    """Numbers of the cases; None: none has one."""
    reasons: dict[str, Mask] = field(default_factory=dict)
    """What is doubtful about the questions themselves."""

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def has_class(self) -> Mask:
        """Cases that state a class."""
        return self.class_number >= 0

    def taken(self, rows: NDArray[np.intp]) -> "Questions":
        """Return the questions of some rows, in their order."""
        arrays = {name: getattr(self, name)[rows] for name in _BY_ROW}
        return replace(
            self,
            ids=None if self.ids is None else self.ids.take(pa.array(rows)),
            reasons={name: mask[rows] for name, mask in self.reasons.items()},
            **arrays,
        )

    @cached_property
    def kind(self) -> Texts:
        """Kind of each case as text: slow, for telling of single cases."""
        return np.array(KIND_NAMES, dtype=object)[self.kinds]

    @cached_property
    def class_code(self) -> Texts:
        """Minor class of each case or None: slow, for telling of single cases."""
        return _texts(self.classes, self.class_number)

    @cached_property
    def crs(self) -> Texts:
        """CRS of each case: slow, for telling of single cases."""
        return _texts(self.crss, self.crs_number)

    @cached_property
    def address(self) -> Texts:
        """Address of each case or None: slow, for telling of single cases."""
        return _texts(self.addresses.to_pylist(), self.address_number)

    @cached_property
    def component_code(self) -> Texts:
        """Component each case names or None: slow, for telling of single cases."""
        return _texts(self.codes.to_pylist(), self.code_number)

    @cached_property
    def case_id(self) -> Texts:
        """Number of each case or None: slow, for telling of single cases."""
        if self.ids is None:
            return np.full(len(self), None, dtype=object)
        return np.array([value if value is None else str(value).strip() for value in
                         self.ids.to_pylist()], dtype=object)  # fmt: skip


_BY_ROW = (
    "kinds", "class_number", "x", "y", "crs_number", "accuracy_m", "accuracy_minor_m",
    "accuracy_bearing_deg", "address_number", "code_number", "day", "minute",
)  # fmt: skip


def _texts(table: Sequence[str], number: Numbers) -> Texts:
    # The last place is None, which -1 picks.
    values = np.empty(len(table) + 1, dtype=object)
    values[:-1] = table
    return values[number]


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
            "kind": code_list([case.kind for case in cases]),
            "class_code": code_list([case.class_code for case in cases]),
            "crs": code_list([p.crs if p else None for p in positions]),
            "address": code_list([case.address for case in cases]),
            "component_code": code_list([case.component_code for case in cases]),
        },
        numbers={
            name: np.array([_number(p, name) for p in positions], dtype=np.float64)
            for name in ("x", "y", *_ACCURACIES)
        },
        day=np.array([m.month * 100 + m.day for m in moments], dtype=np.int64),
        minute=np.array([m.hour * 60 + m.minute for m in moments], dtype=np.int64),
        ids=pa.array([case.case_id for case in cases], type=pa.string()),
    )


_ACCURACIES = ("accuracy_m", "accuracy_minor_m", "accuracy_bearing_deg")


def _number(position: Any, name: str) -> float:
    value = getattr(position, name, None)
    return np.nan if value is None else float(value)


def ask_frame(
    snapshot: "Snapshot", frame: "pd.DataFrame | pa.Table", *, now: datetime | None = None
) -> Questions:
    """Return the questions of the rows of a frame; see ``api.assign.assign_frame``."""
    return ask_table(snapshot, cases_table(frame, FIELDS), now=now)


def ask_table(snapshot: "Snapshot", table: pa.Table, *, now: datetime | None = None) -> Questions:
    """Return the questions of the rows of a table, read column by column; see ``ask_frame``."""
    zone = ZoneInfo(snapshot.profile.city.timezone)
    present = (now or datetime.now(zone)).astimezone(zone)
    moments, unreadable = read_moments(table, "reported_at", zone=zone, present=present)
    read = {name: read_numbers(table, name) for name in ("x", "y", *_ACCURACIES)}
    numbers = {name: values for name, (values, _) in read.items()}
    half = np.isfinite(numbers["x"]) != np.isfinite(numbers["y"])
    endless = np.isinf(numbers["x"]) | np.isinf(numbers["y"])
    day, minute = np.empty(len(moments), np.int64), np.empty(len(moments), np.int64)
    clocks(moments.view(np.int64), day, minute)
    return _ask(
        snapshot,
        {name: read_texts(table, name) for name in _TEXTS},
        numbers=numbers,
        day=day,
        minute=minute,
        ids=column_of(table, "case_id"),
        reasons={
            "time_invalid": unreadable,
            "as_of_invalid": read_days(table, "as_of")[2],
            "position_invalid": read["x"][1] | read["y"][1] | half | endless,
        },
    )


_TEXTS = ("kind", "class_code", "crs", "address", "component_code")


def _ask(
    snapshot: "Snapshot",
    texts: dict[str, Coded],
    *,
    numbers: dict[str, Floats],
    day: NDArray[np.int64],
    minute: NDArray[np.int64],
    ids: pa.Array | None,
    reasons: dict[str, Mask] | None = None,
) -> Questions:
    taxonomy = snapshot.taxonomy
    kinds, kind_invalid = _kinds(texts["kind"])
    given = [normalize("NFKC", code) for code in texts["class_code"].texts.to_pylist()]
    restored = [taxonomy.restore(code) for code in given]
    classes = tuple(dict.fromkeys(restored))
    class_number = _renumbered(texts["class_code"].number, [*restored, None], classes)
    exists = np.array(
        [[*(taxonomy.exists(kind, code) for code in classes), True] for kind in KIND_NAMES]
    )
    named = [
        snapshot.crs if name.lower() == CITY_CRS else name
        for name in texts["crs"].texts.to_pylist()
    ]
    crss = tuple(dict.fromkeys([*named, DEFAULT_CRS]))
    # A standard deviation that is not positive says nothing.
    positive = {name: _positive(numbers[name]) for name in ("accuracy_m", "accuracy_minor_m")}
    return Questions(
        kinds=kinds,
        class_number=class_number,
        classes=classes,
        x=numbers["x"],
        y=numbers["y"],
        crs_number=_renumbered(texts["crs"].number, [*named, DEFAULT_CRS], crss),
        crss=crss,
        accuracy_bearing_deg=numbers["accuracy_bearing_deg"],
        address_number=texts["address"].number,
        addresses=texts["address"].texts,
        code_number=texts["component_code"].number,
        codes=texts["component_code"].texts,
        day=day,
        minute=minute,
        ids=ids,
        reasons={
            **(reasons or {}),
            "kind_invalid": kind_invalid,
            "class_missing": class_number < 0,
            "class_unknown": ~exists[kinds, class_number],
        },
        **positive,
    )


def _kinds(coded: Coded) -> tuple[NDArray[np.int8], Mask]:
    known = [KINDS.get(text) for text in coded.texts.to_pylist()]
    numbers = [KIND_NAMES.index(kind) if kind else COMPONENT for kind in known]
    kinds = np.array([*numbers, COMPONENT], dtype=np.int8)[coded.number]
    return kinds, np.array([*(kind is None for kind in known), False])[coded.number]


def _renumbered(number: Numbers, given: Sequence[str | None], table: Sequence[str]) -> Numbers:
    """Return the numbers in a table of texts numbered in `given`, whose last stands for a missing one."""
    places = {text: place for place, text in enumerate(table)}
    found = [-1 if text is None else places[text] for text in given]
    return np.array(found, dtype=np.int32)[number]


def _positive(values: Floats) -> Floats:
    return np.where(values > 0, values, np.nan)


def _local(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)
