"""Rows of a delivery that came in corrected: they outlast the same delivery being built anew.

A delivery is built anew, file for file the same, when the city profile or the program changed. Its files
still hold the rows as they were refused; what was loaded corrected since must neither end nor be asked
of the contractor again.
"""

from dataclasses import replace

from gis.builds import BuildRequest, Scope
from gis.database import Connection, Database

DATASET = "components"
_LIVE = """
    SELECT t.code FROM components.component t JOIN meta.build b USING (build_id)
    JOIN meta.delivery d USING (delivery_id)
    WHERE t.valid_to IS NULL AND b.corrects_build_id IS NOT NULL
      AND d.name = %s AND d.as_of = %s AND d.content_hash = %s ORDER BY t.code
"""
_SETTLE = """
    UPDATE meta.reject r SET resolved_build_id = t.build_id
    FROM components.component t JOIN meta.build b ON b.build_id = t.build_id
    JOIN meta.build n ON n.delivery_id = b.delivery_id
    WHERE n.build_id = %(build)s AND r.build_id = n.build_id AND t.valid_to IS NULL
      AND b.corrects_build_id IS NOT NULL
      AND t.source_file = r.source_file AND t.source_row = r.source_row
"""


def spare_corrected(scope: Scope, request: BuildRequest, database: Database) -> Scope:
    """Return the scope without the live rows that came in corrected from this very delivery."""
    if request.dataset != DATASET or scope.is_empty:
        return scope
    key = [request.delivery, request.as_of, request.delivery_hash]
    with database.connect(read_only=True) as connection:
        codes = [str(row[0]) for row in connection.execute(_LIVE, key).fetchall()]
    return replace(scope, spared=tuple(codes)) if codes else scope


def settle_again(connection: Connection, build_id: int) -> None:
    """Mark the faults of a build whose rows are live, corrected, as settled by that correction."""
    connection.execute(_SETTLE, {"build": build_id})
