"""What is live: one line per dataset."""

from dataclasses import dataclass

import pandas as pd

from gis.database import Database, read_rows
from gis.tables import FEATURE_TABLES
from pipelines.delivery import DATASETS


@dataclass(frozen=True, kw_only=True)
class DatasetStatus:
    """A dataset as it stands."""

    dataset: str
    live_rows: int
    as_of: str | None
    """Day of the newest live build; None: never built."""
    build_id: int | None
    rows_rejected: int
    """Rows of the newest delivery that were refused and not yet corrected."""
    delivery: str | None
    finished_at: str | None


# A decision on conflicts, and a migration, read no files: what was delivered before still waits.
_NEWEST = """
    WITH refused AS (
        SELECT DISTINCT ON (b.dataset) b.dataset, (
            SELECT count(DISTINCT (r.source_file, r.source_row)) FROM meta.reject r
            JOIN meta.build c USING (build_id) WHERE c.status = 'live'
            AND b.build_id IN (c.build_id, c.corrects_build_id)
            AND r.severity = 'error' AND r.resolved_build_id IS NULL
        )::int AS rows_rejected
        FROM meta.build b WHERE b.status = 'live' AND b.corrects_build_id IS NULL
          AND (b.dataset <> 'components' OR b.files <> '{}' OR b.rows_rejected > 0)
        ORDER BY b.dataset, b.build_id DESC
    )
    SELECT DISTINCT ON (b.dataset) b.dataset, b.build_id, b.as_of::text AS as_of,
           coalesce(r.rows_rejected, 0) AS rows_rejected,
           b.finished_at::text AS finished_at, d.name AS delivery
    FROM meta.build b JOIN meta.delivery d USING (delivery_id) LEFT JOIN refused r USING (dataset)
    WHERE b.status = 'live' AND b.corrects_build_id IS NULL ORDER BY b.dataset, b.build_id DESC
"""


def read_status(database: Database) -> list[DatasetStatus]:
    """Return the status of every dataset in building order."""
    with database.connect(read_only=True) as connection:
        newest = read_rows(connection, _NEWEST).set_index("dataset")
        counts = {name: _count(connection, name) for name in DATASETS}
    return [_status(name, counts[name], newest) for name in DATASETS]


def _count(connection: object, dataset: str) -> int:
    table = FEATURE_TABLES.get(dataset)
    query = (
        f"SELECT count(*) AS rows FROM {table} WHERE valid_to IS NULL"  # noqa: S608 (declared names)
        if table
        else 'SELECT count(*) AS rows FROM cases."case"'
    )
    return int(read_rows(connection, query)["rows"].iloc[0])  # type: ignore[arg-type]


def _status(dataset: str, live_rows: int, newest: pd.DataFrame) -> DatasetStatus:
    if dataset not in newest.index:
        return DatasetStatus(
            dataset=dataset,
            live_rows=live_rows,
            as_of=None,
            build_id=None,
            rows_rejected=0,
            delivery=None,
            finished_at=None,
        )
    row = newest.loc[dataset]
    return DatasetStatus(
        dataset=dataset,
        live_rows=live_rows,
        as_of=str(row["as_of"]),
        build_id=int(row["build_id"]),
        rows_rejected=int(row["rows_rejected"]),
        delivery=str(row["delivery"]),
        finished_at=str(row["finished_at"]),
    )
