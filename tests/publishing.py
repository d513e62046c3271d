"""Datasets published straight from drawn rows, where how rows are judged is not the point."""

from datetime import date

import pandas as pd

from gis.builds import BuildRequest, BuildResult, Scope, publish
from gis.database import Database
from gis.faults import REJECT_COLUMNS


def publish_drawn(
    database: Database,
    dataset: str,
    rows: pd.DataFrame,
    *,
    as_of: date,
    delivery: str = "drawn",
    content: str | None = None,
    scope: Scope | None = None,
) -> BuildResult:
    """Publish rows, all sound, as the whole of a dataset or of `scope`.

    Equal `content` is the same build again; None: each dataset and day is another.
    """
    content = content or f"{dataset} {as_of} {len(rows)}"
    request = BuildRequest(
        delivery=delivery,
        as_of=as_of,
        path=f"deliveries/{delivery}",
        delivery_hash=f"{delivery} {as_of}",
        dataset=dataset,
        content_hash=content,
    )
    return publish(
        database,
        request,
        accepted=rows,
        faults=pd.DataFrame(columns=list(REJECT_COLUMNS)),
        rows_read=len(rows),
        scope=scope or Scope.everything(),
        actor="tests",
    )


def numbered(rows: pd.DataFrame, *, file: str = "drawn") -> pd.DataFrame:
    """Return rows as if they were read from a file, from row 1."""
    return rows.assign(source_file=file, source_row=range(1, len(rows) + 1))
