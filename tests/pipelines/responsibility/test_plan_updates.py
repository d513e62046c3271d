"""A delivery that changes some rows of a plan, ``mode = "update"``: rows without a number find the live one."""

from datetime import date

import pytest

from gis.builds import live
from pipelines.build import build_delivery
from tests.pipelines.responsibility.planbooks import line, loaded, rows, write_book
from tests.pipelines.town import write_manifest

EVENT = {"类型": "事件", "责任区域": "全区", "小类代码": "0101"}


@pytest.fixture
def plan(run, tmp_path):
    """A live plan whose rows have no numbers, one of them with a first day."""
    lines = [row[1:] for row in rows(line(处置单位="排水公司", 生效日期="2026-01-01", **EVENT))]
    loaded(run, write_book(tmp_path / "plan.xlsx", {"职责": lines}))
    return lines[0]


def update(town, folder, head, *lines):
    folder.mkdir()
    write_book(folder / "plan.xlsx", {"职责": [head, *(row[1:] for row in lines)]})
    layer = {"dataset": "responsibility", "path": "plan.xlsx", "mode": "update"}
    write_manifest(folder, [layer], as_of=date(2026, 6, 1))
    (report,) = build_delivery(folder, workspace=town)
    assert report.status == "built", report
    return report


def held(database):
    frame = live(database, "responsibility")
    return sorted(zip(frame["code"], frame["unit_code"], strict=True))


def named(database, code):
    return [unit for each, unit in held(database) if each == code]


def test_a_row_is_replaced_whatever_its_first_day_becomes(town, database, plan, tmp_path):
    name = "E0101@*.handler~2026-01-01"
    assert named(database, name) == ["U1"]
    update(town, tmp_path / "a", plan, line(处置单位="路灯处", 生效日期="2026-02-01", **EVENT))
    assert named(database, name) == ["U2"]
    assert len(held(database)) == 3


def test_a_row_named_before_first_days_were_told_is_replaced(town, database, plan, tmp_path):
    former = "E0101@*.handler"
    with database.connect() as connection:
        connection.execute(
            "UPDATE responsibility.plan_row SET code = %s WHERE code LIKE %s",
            [former, f"{former}%"],
        )
    update(town, tmp_path / "a", plan, line(处置单位="路灯处", 生效日期="2026-01-01", **EVENT))
    assert named(database, former) == ["U2"]
    assert len(held(database)) == 3


def test_of_several_in_time_the_one_of_that_day_is_replaced(town, database, plan, tmp_path):
    first = line(处置单位="排水公司", 生效日期="2026-01-01", 失效日期="2026-06-30", **EVENT)
    then = line(处置单位="路灯处", 生效日期="2026-07-01", **EVENT)
    update(town, tmp_path / "a", plan, first, then)
    assert named(database, "E0101@*.handler~2026-01-01") == ["U1"]
    assert named(database, "E0101@*.handler~2026-07-01") == ["U2"]
    later = line(处置单位="建北街道办事处", 生效日期="2026-07-01", **EVENT)
    update(town, tmp_path / "b", plan, later)
    assert named(database, "E0101@*.handler~2026-01-01") == ["U1"]
    assert named(database, "E0101@*.handler~2026-07-01") == ["S1"]
    assert len(held(database)) == 4
