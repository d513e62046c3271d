"""One case of a small district, its report and its return, for tests of recorded cases."""

from datetime import UTC, datetime

from api import Case, Position, Snapshot
from api.cases.moving import Return, return_case
from gis.database import Database
from tests.api.district import X0, Y0

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
NOT_OURS = "不属我单位"


CASE = Case(
    case_id="2026-1",
    class_code="0104",
    position=Position(x=X0 + 51, y=Y0 + 50, crs="city", accuracy_m=1.0),
    reported_at=NOW,
)


def give_back(
    database: Database, snapshot: Snapshot, unit: str, reason: str = NOT_OURS, **more: str
):
    told = Return(unit_code=unit, reason=reason, **more)
    return return_case(database, snapshot, "2026-1", told=told, actor="unit")


def insert_received(database: Database, case_id: str, *, state: str = "received") -> None:
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO cases.case (case_id, kind, class_code, reported_at, x, y, crs, accuracy_m,"
            " needs_review, state, request_hash) VALUES (%s, 'component', '0104', %s, %s, %s, 'city',"
            " 1, false, %s, 'h')",
            [case_id, NOW, X0 + 51.0, Y0 + 50, state],
        )


def columns_of(database: Database, case_id: str) -> tuple[object, ...] | None:
    with database.connect() as connection:
        return connection.execute(
            "SELECT grid_code, community_code, district_code, ST_X(geom) FROM cases.case WHERE case_id = %s",
            [case_id],
        ).fetchone()
