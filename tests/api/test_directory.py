from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from api import Case, Position
from api.owning.directory import Directory
from tests.api.district import A1, X0, Y0, open_district, unit

UNITS = [
    {
        "code": "A",
        "name": "老公司",
        "aliases": ["老司"],
        "kind": "company",
        "successor_code": "B",
        "successor_from": date(2026, 1, 1),
    },
    {"code": "B", "name": "新公司", "aliases": [], "kind": "company"},
]


@pytest.mark.parametrize(
    ("day", "unit"),
    [(date(2025, 12, 31), "A"), (date(2026, 1, 1), "B"), (None, "B")],
)
def test_a_successor_answers_from_its_day_on(day, unit):
    directory = Directory(UNITS, as_of=day)
    for code, name in (("A", None), (None, "老公司"), (None, "老司")):
        found = directory.find(code, name)
        assert found is not None
        assert found.code == unit


def test_a_running_program_sees_a_succession_on_its_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"successor_code": "C9", "successor_from": date(2026, 7, 1)}
    units = [
        unit("C1", "旧居委会", "territorial", area_code=A1[:12], **told),
        unit("C9", "新居委会", "territorial", area_code="130102001"),
    ]
    snapshot = open_district(tmp_path, units=units)
    case = Case(position=Position(x=X0 + 50, y=Y0 + 50, crs="city", accuracy_m=1.0))
    answers = []
    for day in (29, 30, 31):
        moved = datetime(2026, 6, 1, 4, tzinfo=UTC) + timedelta(days=day - 1)
        monkeypatch.setattr("api.force.now", lambda zone, moved=moved: moved.astimezone(zone))
        owner = snapshot.decide(case).owner
        assert owner is not None
        answers.append(owner.unit_code)
    assert answers == ["C1", "C1", "C9"]
    assert snapshot.edition() is snapshot.edition()
