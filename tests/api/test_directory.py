from datetime import date

import pytest

from api.owning.directory import Directory

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
