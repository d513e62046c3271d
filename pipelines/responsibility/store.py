"""Plan areas written beside the rows of the plan, in the same transaction; rolled back with them."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

import geopandas as gpd
import pandas as pd
from psycopg import sql

from gis import staging
from gis.conform import conform
from gis.database import Connection, Database
from gis.faults import Outcome
from gis.tables import declare
from pipelines.context import BuildContext
from pipelines.responsibility.workbook import ROLES

TABLE = "responsibility.plan_area"
_ADDED = re.compile(
    rf"(?:\.(?:{'|'.join(ROLES)}))?(?::(?:\d+|\*))?(?:@[^@=]+?)?(?:=[^=]+?)?"
    r"(?:~\d\d-\d\d/\d\d-\d\d)?(?:~\d\d:\d\d/\d\d:\d\d)?",
    re.ASCII,
)
"""What is added to the number of a delivered row that becomes several."""


@dataclass(frozen=True, kw_only=True)
class AreaStore:
    """What to write when the rows are published; call it with connection and build number."""

    areas: gpd.GeoDataFrame
    """Rows of ``responsibility.plan_area``."""
    standing: gpd.GeoDataFrame
    """All areas that are live once these are: with those that stay as they are."""
    as_of: date
    database: Database
    is_whole: bool
    """Live areas that were not delivered end; one that was refused stays as it is."""

    def __call__(self, connection: Connection, build_id: int) -> None:
        """Open new versions of the areas, and close those that ended."""
        table = declare(self.database.srid).tables[TABLE]
        rows = conform(self.areas, table=table, crs=self.database.crs)
        for temporary in ("staging", "incoming", "closing"):
            connection.execute(
                sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(sql.Identifier(temporary))
            )
        staging.stage(connection, table, rows, srid=self.database.srid)
        limits = staging.Limits(is_empty=not self.is_whole, column=None, values=(), prefixes=("",))
        staging.compare(connection, table, limits=limits, kept=list(self.standing["code"]))
        staging.exchange(connection, table, build_id=build_id, as_of=self.as_of)


def is_update(context: BuildContext) -> bool:
    """Tell whether live rows and areas that are not delivered stay."""
    return any(layer.mode == "update" for layer in context.delivery.layers_of("responsibility"))


def ends_of(
    accepted: "pd.Series[str]",
    faults: pd.DataFrame,
    context: BuildContext,
    *,
    unnumbered: Collection[str] = (),
) -> tuple[str, ...] | None:
    """Return which live rows end when some delivered rows were refused; None: as always.

    A refused row keeps what is live of it, also where it had become several rows. Of lines without a
    number that is what was named by the same class and area: `unnumbered`, as ``C0104@130102001``.
    """
    errors = faults[faults["severity"] == "error"]
    refused = {str(code) for code in errors["code"].dropna()}
    if not (refused or unnumbered) or is_update(context) or not context.database.url:
        return None
    live = context.rows("responsibility")["code"]
    spared = [
        code
        for code in live
        if not refused.isdisjoint(_numbers(code)) or code.partition(".")[0] in unnumbered
    ]
    if not set(spared) - refused or not len(accepted):
        return None
    return tuple(sorted(set(live) - set(accepted) - set(spared)))


def standing_rows(outcome: Outcome, live: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that hold once these are loaded: with what refused lines keep."""
    others = live[~live["code"].isin(outcome.accepted["code"])]
    if outcome.ends is None:
        errors = outcome.faults[outcome.faults["severity"].eq("error")]
        kept = others[others["code"].isin(errors["code"].dropna())]
    else:
        kept = others[~others["code"].isin(outcome.ends)]
    columns = outcome.accepted.columns
    parts = [part.reindex(columns=columns) for part in (outcome.accepted, kept) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else outcome.accepted


def _numbers(code: str) -> Iterator[str]:
    """Yield every number of a delivered row that a row may have come from; numbers hold any sign.

    Examples
    --------
    >>> list(_numbers("7-2.owner@130102001")), list(_numbers("A.1"))
    (['7-2', '7-2.owner', '7-2.owner@130102001'], ['A.1'])
    >>> list(_numbers("7~08:00/12:00"))
    ['7', '7~08:00/12', '7~08:00/12:00']
    >>> next(_numbers("3.handler@K0~K1")), next(_numbers("3.handler@K0~K1=U~1~08:00/12:00"))
    ('3', '3')
    """
    for end in (
        *(place for place, sign in enumerate(code) if sign in ".:@=~" and place),
        len(code),
    ):
        if _ADDED.fullmatch(code, end):
            yield code[:end]
