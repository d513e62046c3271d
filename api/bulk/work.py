"""What is done with the rows of a file: cases decided, or addresses located; can be sent to any process."""

import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gis.errors import RequestError, SnapshotError

if TYPE_CHECKING:
    from api.models import PlaceAnswer
    from api.snapshot import Snapshot

PLACE_COLUMNS = (
    "place_code",
    "place_kind",
    "full_address",
    "lon",
    "lat",
    "location_x",
    "location_y",
    "score",
    "uncertainty_m",
    "match",
    "why",
    "explanation_zh",
    "question_zh",
    "grid_code",
    "community_code",
    "candidates",
)
"""Answers about an address."""
_NUMBERS = {"lon", "lat", "location_x", "location_y", "score", "uncertainty_m"}
_CANDIDATES = 3


@dataclass(frozen=True, kw_only=True)
class Deciding:
    """Decides cases over one version of the snapshot."""

    folder: str
    """Folder of the version, under the same path on every machine that works."""
    version: str

    def __call__(self, table: pa.Table, begun: datetime) -> pa.Table:
        """Return the decisions of the cases, in their order, by what was in force when the run began."""
        snapshot = opened(self.folder, self.version)
        return decide_table(snapshot, _as_begun(snapshot, table, begun), now=begun)


@dataclass(frozen=True, kw_only=True)
class Locating:
    """Locates addresses over one version of the snapshot."""

    folder: str
    version: str
    column: str = "address"
    """How the file calls the column that is asked as ``address``."""

    def __call__(self, table: pa.Table, begun: datetime) -> pa.Table:
        """Return the places of the addresses, in their order."""
        del begun  # where an address lies does not depend on the time
        snapshot = opened(self.folder, self.version)
        if "address" not in table.column_names:
            msg = f"The file has no column {self.column}: name the column of the addresses with --column."
            raise RequestError(
                msg, zh=f"文件没有 {self.column} 列：请用 --column 指定地址所在的列。"
            )
        frame = locate_frame(snapshot, table["address"].to_pandas())
        return pa.Table.from_pandas(frame, schema=_place_schema(), preserve_index=False)


@lru_cache(maxsize=2)
def opened(folder: str, version: str) -> "Snapshot":
    """Return the snapshot of a version, opened once in a process and memory-mapped.

    Raises
    ------
    SnapshotError
        This machine has not that version in that folder.
    """
    from api.snapshot import open_snapshot

    here = platform.node()
    try:
        snapshot = open_snapshot(folder)
    except SnapshotError as error:
        msg = (
            f"On {here} snapshot {version} can not be opened: put a copy of it into {folder} there."
        )
        raise SnapshotError(
            msg, zh=f"{here} 上无法打开快照 {version}：请将其复制到该机的 {folder}。"
        ) from error
    if snapshot.version != version:
        msg = (
            f"On {here} {folder} holds snapshot {snapshot.version}, this run needs {version}: put a "
            "copy of it there."
        )
        raise SnapshotError(
            msg,
            zh=f"{here} 上 {folder} 中的快照是 {snapshot.version}，本任务需要 {version}：请复制过去。",
        )
    return snapshot


def decide_table(snapshot: "Snapshot", table: pa.Table, *, now: datetime | None) -> pa.Table:
    """Return the decisions of a table of cases, with texts written out, on this thread alone."""
    from api.assign import assign_table
    from api.telling.answers import plain

    return plain(assign_table(snapshot, table, now=now, threads=1))


def _as_begun(snapshot: "Snapshot", table: pa.Table, begun: datetime) -> pa.Table:
    """Return cases that ask for the day on which their run began, if that is over, unless they name one."""
    day = snapshot.calendar.today(ahead=begun - datetime.now(UTC))
    if day >= snapshot.calendar.today():
        return table
    asked = table["as_of"] if "as_of" in table.column_names else pa.nulls(len(table), pa.string())
    texts = asked.cast(pa.string())
    is_blank = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(texts), ""), True)
    filled = pc.if_else(is_blank, pa.scalar(day.isoformat()), texts)
    others = table.drop_columns(["as_of"]) if "as_of" in table.column_names else table
    return others.append_column("as_of", filled)


def locate_frame(snapshot: "Snapshot", addresses: "pd.Series[Any]") -> pd.DataFrame:
    """Return `PLACE_COLUMNS` for addresses, with their index; missing ones have no place."""
    from api.geocoding.geocode import geocode_texts

    texts = addresses.astype(object).where(addresses.notna(), "").astype(str)
    distinct = list(dict.fromkeys(texts))
    found = geocode_texts(snapshot.edition(), distinct, limit=1 + _CANDIDATES)
    known = {text: _place_row(answers) for text, answers in zip(distinct, found, strict=True)}
    rows = [known[text] for text in texts]
    return pd.DataFrame(rows, columns=list(PLACE_COLUMNS), index=addresses.index)


def version_folder(folder: Path) -> str:
    """Return the folder of a version as every process finds it."""
    return str(folder.resolve())


def _place_schema() -> pa.Schema:
    return pa.schema(
        [(name, pa.float64() if name in _NUMBERS else pa.string()) for name in PLACE_COLUMNS]
    )


def _place_row(answers: "list[PlaceAnswer]") -> dict[str, Any]:
    if not answers:
        return dict.fromkeys(PLACE_COLUMNS)
    best = answers[0]
    told: dict[str, Any] = {
        "place_code": best.code,
        "place_kind": best.kind,
        "location_x": best.x,
        "location_y": best.y,
        "why": ";".join(best.why) or None,
        "question_zh": best.question_zh or None,
        "candidates": "；".join(_candidate(answer) for answer in answers[1:]) or None,
    }
    return {name: told[name] if name in told else getattr(best, name) for name in PLACE_COLUMNS}


def _candidate(answer: "PlaceAnswer") -> str:
    return f"{answer.full_address} ({answer.score:.2f})"
