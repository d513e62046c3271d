"""The quarantine of components: rows that were refused or doubted, and what became of them since."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import shapely

from gis.database import Connection, read_rows

Place = tuple[int, str, int]
"""Build of the delivery, file, row."""

_BUILDS = """
    SELECT b.build_id, coalesce(b.corrects_build_id, b.build_id) AS root, b.status, b.as_of,
           b.content_hash, b.files, d.name AS delivery, d.as_of AS delivered, d.content_hash AS hash
    FROM meta.build b JOIN meta.delivery d USING (delivery_id)
    WHERE b.dataset = 'components' ORDER BY b.build_id
"""
_FAULTS = """
    SELECT coalesce(b.corrects_build_id, b.build_id) AS root, r.source_file, r.source_row, r.code,
           r.rule, r.severity, r.record, r.geom, r.resolved_build_id
    FROM meta.reject r JOIN meta.build b USING (build_id)
    WHERE r.dataset = 'components' AND b.status = 'live' AND r.source_row > 0
      AND coalesce(b.corrects_build_id, b.build_id) = ANY (%s)
    ORDER BY r.reject_id
"""


@dataclass(frozen=True, kw_only=True)
class Root:
    """A delivery's build, some of whose rows were refused."""

    build_id: int
    builds: tuple[int, ...]
    """Itself and those that loaded rows of it corrected; live ones."""
    delivery: str
    delivery_hash: str
    content_hash: str
    as_of: date
    """Day of the delivery."""
    columns: Mapping[str, Mapping[str, str]]
    """File -> platform column -> the file's column."""
    is_merge: bool
    """It was merged, not loaded: what became of a row depends on what others did."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """A row whose faults stand."""

    codes: frozenset[str | None]
    """Codes that reports stated of it, since it was delivered."""
    record: Mapping[str, Any]
    """As delivered, or as it was last corrected."""
    geometry: Any
    rules: frozenset[str]
    is_refused: bool
    """Not loaded; else loaded and doubted."""


@dataclass(frozen=True, kw_only=True)
class Quarantine:
    """Rows that stand refused or doubted, by where they came from."""

    roots: Mapping[int, Root]
    root_of: Mapping[int, int]
    """Build -> the build of its delivery, for every build of components, rolled back ones too."""
    held: Mapping[Place, Held]
    settled: Mapping[Place, int]
    """Rows of which no fault stands any more -> the build that settled the last."""


def read_quarantine(connection: Connection, builds: frozenset[int]) -> Quarantine:
    """Return the quarantine of the deliveries that these builds belong to."""
    table = read_rows(connection, _BUILDS)
    root_of = {int(b): int(r) for b, r in zip(table["build_id"], table["root"], strict=True)}
    live = table[table["status"] == "live"]
    wanted = {root_of[build] for build in builds if build in root_of}
    roots = {}
    for row in live[live["build_id"].isin(wanted)].itertuples():
        family = live.loc[live["root"] == row.build_id, "build_id"]
        roots[int(row.build_id)] = Root(
            build_id=int(row.build_id),
            builds=tuple(int(build) for build in family),
            delivery=row.delivery,
            delivery_hash=row.hash,
            content_hash=row.content_hash,
            as_of=row.delivered,
            columns={file: facts.get("columns", {}) for file, facts in row.files.items()},
            is_merge=any(facts.get("merged", False) for facts in row.files.values()),
        )
    held, settled = _read_faults(connection, sorted(roots))
    return Quarantine(roots=roots, root_of=root_of, held=held, settled=settled)


def _read_faults(
    connection: Connection, roots: list[int]
) -> tuple[dict[Place, Held], dict[Place, int]]:
    faults = read_rows(connection, _FAULTS, [roots])
    faults["geom"] = shapely.from_wkb(faults["geom"].to_numpy(dtype=object, na_value=None))
    held: dict[Place, Held] = {}
    settled: dict[Place, int] = {}
    for (root, file, row), part in faults.groupby(["root", "source_file", "source_row"]):
        place = (int(root), str(file), int(row))
        standing = part[part["resolved_build_id"].isna()]
        if standing.empty:
            settled[place] = int(part["resolved_build_id"].max())
            continue
        last = standing.iloc[-1]
        held[place] = Held(
            codes=frozenset(code if isinstance(code, str) else None for code in part["code"]),
            record=last["record"],
            geometry=last["geom"],
            rules=frozenset(standing["rule"]),
            is_refused=bool(standing["severity"].eq("error").any()),
        )
    return held, settled
