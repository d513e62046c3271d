"""Rows decide from their first day 生效日期 to their last 失效日期, both included, and not a day longer."""

import json
from datetime import date

import pytest

from api import Case, Position, open_snapshot
from api.force import Change
from gis.builds import live
from gis.errors import DeliveryError
from pipelines.verify import verify
from tests.pipelines.responsibility.planbooks import HEAD, counts, line, loaded, rows, write_book
from tests.pipelines.town import X0, Y0

CLEANERS, LAMPS, STREET = "U1", "U2", "S1"


@pytest.fixture
def book(tmp_path):
    """A handler of 0101 until the end of June, the next from July on, a festival of one day in between."""
    base = {"类型": "事件", "责任区域": "全区"}
    more = [
        line(序号=3, 小类代码="0101", 处置单位="排水公司", 失效日期="2026.6.30", **base),
        line(序号=4, 小类代码="0101", 处置单位="建北街道办事处", 生效日期="2026年7月1日", **base),
        line(
            **{"类型": "事件", "责任区域": "翠屏社区"},
            序号=5, 小类代码="0101", 处置单位="路灯处", 生效日期=date(2026, 6, 20), 失效日期="２０２６－０６－２０",
        ),
    ]  # fmt: skip
    return write_book(tmp_path / "plan.xlsx", {"职责": rows(*more)})


def unit_on(town, day):
    snapshot = open_snapshot(town.root)
    place = Position(x=X0 + 50, y=Y0 + 100, crs="city", accuracy_m=1.0)
    case = Case(kind="event", class_code="0101", position=place, as_of=day)
    owner = snapshot.decide(case).owner
    return owner.unit_code, owner.rule


def settled(monkeypatch, town, day):
    """Make it a day on which all this is past."""
    import api.force

    moment = api.force.now

    def later(zone):
        return moment(zone).replace(year=day.year, month=day.month, day=day.day)

    monkeypatch.setattr("api.force.now", later)


def test_a_row_answers_on_its_days_alone(run, town, book, monkeypatch):
    (town.root / "wanmi.toml").write_text(
        (town.root / "wanmi.toml").read_text(encoding="utf-8")
        + '\n[decision]\nevent_order = ["handler", "territorial"]\n',
        encoding="utf-8",
    )
    assert counts(loaded(run, book)) == (5, 0, 0)
    run("snapshot")
    settled(monkeypatch, town, date(2026, 7, 2))
    told = {day: unit_on(town, date(2026, *day)) for day in ((6, 1), (6, 19), (6, 20), (6, 21))}
    before = (CLEANERS, "plan:3.handler")
    assert told == {
        (6, 1): before,
        (6, 19): before,
        (6, 20): (LAMPS, "plan:5.handler"),
        (6, 21): before,
    }
    assert unit_on(town, date(2026, 6, 30)) == before
    assert unit_on(town, date(2026, 7, 1)) == (STREET, "plan:4.handler")
    assert unit_on(town, None) == (STREET, "plan:4.handler")


def test_what_is_to_come_is_told_and_comes_without_another_load(run, town, book, monkeypatch):
    loaded(run, book)
    run("snapshot")
    settled(monkeypatch, town, date(2026, 6, 2))
    snapshot = open_snapshot(town.root)
    (build,) = {
        row["build_id"] for row in snapshot.manifest["builds"] if row["dataset"] == "responsibility"
    }
    assert snapshot.calendar.coming(snapshot) == [
        Change(day=day, dataset="responsibility", begins=begins, ends=ends, builds=(build,) * begins)
        for day, begins, ends in (
            (date(2026, 6, 20), 1, 0),
            (date(2026, 6, 21), 0, 1),
            (date(2026, 7, 1), 1, 1),
        )
    ]  # fmt: skip


def test_the_same_plan_on_a_later_day_closes_what_ended_and_nothing_else(run, database, book):
    loaded(run, book)
    assert loaded(run, book)["status"] == "unchanged"
    assert counts(loaded(run, book, day="2026-06-21")) == (0, 1, 4)
    assert counts(loaded(run, book, day="2026-07-01")) == (0, 1, 3)
    assert live(database, "responsibility")["code"].tolist() == [
        "1.maintainer",
        "2.handler",
        "4.handler",
    ]


def test_a_last_day_in_the_year_9999_is_none(run, town, database, tmp_path):
    base = {"类型": "事件", "责任区域": "全区", "处置单位": "排水公司", "小类代码": "0101"}
    more = line(序号=3, 失效日期="9999-12-31", **base)
    told = loaded(run, write_book(tmp_path / "plan.xlsx", {"职责": rows(more)}))
    assert counts(told)[0] == 3
    plan = live(database, "responsibility").set_index("code")
    assert plan.at["3.handler", "ends_on"] is None
    with database.connect() as connection:
        connection.execute("UPDATE responsibility.plan_row SET ends_on = '9999-12-31'")
    run("snapshot")
    assert unit_on(town, None)[0] is not None
    never = line(序号=4, 生效日期="9999-01-01", **base)
    with pytest.raises(DeliveryError, match="lines refused 1"):
        loaded(run, write_book(tmp_path / "never.xlsx", {"职责": rows(never)}))


def test_units_of_rows_that_have_ended_are_not_missed(run, town, database, book):
    loaded(run, book)
    for days, missed in ((-3, 0), (3, 1)):
        with database.connect() as connection:
            connection.execute(
                "UPDATE responsibility.plan_row SET unit_code = 'GONE', ends_on = current_date + %s"
                " WHERE code LIKE '3.%%'",
                [days],
            )
        told = {result.name: result for result in verify(database, town)}
        assert told["plan_units_exist"].count == missed


def test_a_plan_is_checked_and_compared_as_on_its_day(run, tmp_path, book):
    now = json.loads(run("plan", "check", book, "--as-of", "2026-06-01", "--json"))
    then = json.loads(run("plan", "check", book, "--as-of", "2026-07-01", "--json"))
    assert (now["rows"], then["rows"]) == (3, 3)
    assert now["findings"] == then["findings"] == []
    assert any("2026-06-20, 2026-06-21, 2026-07-01" in remark for remark in now["remarks"])
    loaded(run, book)
    told = json.loads(run("plan", "diff", book, "--as-of", "2026-06-01", "--json"))
    assert (told["rows"], told["owners"]) == ([], [])
    longer = write_book(
        tmp_path / "longer.xlsx",
        {
            "职责": rows(
                line(
                    **{"类型": "事件", "责任区域": "全区", "小类代码": "0101"},
                    序号=3,
                    处置单位="排水公司",
                    失效日期="2026-09-30",
                )
            )
        },
    )
    (change,) = json.loads(run("plan", "diff", longer, "--as-of", "2026-06-01", "--json"))["rows"]
    assert change["code"] == "3.handler"
    assert change["fields"] == {"ends_on": ["2026-06-30", "2026-09-30"]}
    (owner,) = json.loads(run("plan", "diff", longer, "--as-of", "2026-07-01", "--json"))["owners"]
    assert (owner["before"], owner["after"]) == (STREET, CLEANERS)


def test_a_workbook_may_have_no_days_at_all(run, database, tmp_path):
    head = [name for name in HEAD if name not in ("生效日期", "失效日期")]
    lines = [[row[HEAD.index(name)] for name in head] for row in rows()]
    assert counts(loaded(run, write_book(tmp_path / "plan.xlsx", {"职责": lines}))) == (2, 0, 0)
    assert live(database, "responsibility")[["begins_on", "ends_on"]].isna().all(axis=None)


def test_later_days_are_judged_too_and_told_with_the_days(run, tmp_path):
    base = {"类型": "事件", "责任区域": "翠屏社区"}
    lines = [row for row in rows() if row[0] != 2]
    whole = line(
        序号=2, 类型="事件", 小类代码="*", 责任区域="全区", 处置单位="路灯处", 失效日期="2026-12-31"
    )
    more = [
        line(序号=3, 小类代码="0101", 处置单位="排水公司", 失效日期="2026-08-31", **base),
        line(序号=4, 小类代码="0101", 处置单位="路灯处", 生效日期="2026-08-01", **base),
    ]
    book = write_book(tmp_path / "plan.xlsx", {"职责": [*lines, whole, *more]})
    told = json.loads(run("plan", "check", book, "--as-of", "2026-06-01", "--json"))
    assert told["accepted"]
    assert told["findings"] == []
    assert told["days_judged"] == ["2026-06-01", "2026-08-01", "2026-09-01", "2027-01-01"]
    later = [(f["what"], f["first_day"], f["days"]) for f in told["findings_ahead"]]
    assert later[0] == ("conflict", "2026-08-01", "from 2026-08-01 to 2026-08-31")
    assert set(later[1:]) == {("hole", "2027-01-01", "from 2027-01-01 on")}
    conflict = told["findings_ahead"][0]
    assert conflict["en"].endswith("in 翠屏社区, from 2026-08-01 to 2026-08-31.")
    assert conflict["zh"].endswith("（2026-08-01 至 2026-08-31）。")
    text = run("plan", "check", book, "--as-of", "2026-06-01", "-o", tmp_path / "report.html")
    assert "warning  conflict" in text
    assert "accepted." in text
    # On the day itself it counts.
    august = json.loads(run("plan", "check", book, "--as-of", "2026-08-10", "--json", fails=True))
    assert [(f["what"], f["days"]) for f in august["findings"]] == [
        ("conflict", "until 2026-08-31")
    ]
    assert "From 2026-08-01 on, as far as is written now: hole " in run(
        "plan", "load", book, "--as-of", "2026-06-01"
    )


def test_so_many_days_are_judged_and_the_others_named(run, tmp_path):
    base = {"类型": "事件", "小类代码": "0101", "责任区域": "全区", "处置单位": "排水公司"}
    more = [
        line(序号=day + 2, 生效日期=f"2026-07-{day:02}", 失效日期=f"2026-07-{day:02}", **base)
        for day in range(1, 15)
    ]
    book = write_book(tmp_path / "plan.xlsx", {"职责": rows(*more)})
    told = json.loads(run("plan", "check", book, "--as-of", "2026-06-01", "--json"))
    assert told["days_judged"][-1] == "2026-07-12"
    assert len(told["days_judged"]) == 13
    assert told["days_not_judged"] == ["2026-07-13", "2026-07-14", "2026-07-15"]


def test_a_live_row_whose_first_day_is_written_over_leaves_a_gap_that_is_told(run, tmp_path):
    base = {"类型": "事件", "责任区域": "翠屏社区", "小类代码": "0101", "处置单位": "排水公司"}

    def book(name, *more):
        return write_book(tmp_path / f"{name}.xlsx", {"职责": rows(*more)})

    loaded(run, book("live", line(序号=3, **base)))
    later = book("later", line(序号=3, 生效日期="2026-09-01", **base))
    told = json.loads(run("plan", "check", later, "--as-of", "2026-07-01", "--json"))
    (gap,) = (en for en in told["remarks"] if "hold on" in en)
    assert gap.startswith(
        "Rows that hold on 2026-07-01 begin only later in this plan: 3.handler (2026-09-01); until then"
    )
    assert any("3.handler（2026-09-01）" in zh for zh in told["remarks_zh"])
    assert gap in run("plan", "load", later, "--as-of", "2026-07-01", "--dry-run")
    # Two rows, as it says; and another row that is new and begins later.
    whole = book(
        "whole",
        line(序号=3, 失效日期="2026-08-31", **base),
        line(序号=4, 生效日期="2026-09-01", **base),
        line(序号=5, 生效日期="2026-09-01", **base | {"小类代码": "0102"}),
    )
    told = json.loads(run("plan", "check", whole, "--as-of", "2026-07-01", "--json"))
    assert not any("hold on" in en for en in told["remarks"])
    # A line that is refused keeps what is live of it.
    kept = book(
        "kept",
        line(序号=3, **base | {"处置单位": "火星"}),
        line(序号=4, 生效日期="2026-09-01", **base),
    )
    told = json.loads(run("plan", "check", kept, "--as-of", "2026-07-01", "--json", fails=True))
    assert not any("hold on" in en for en in told["remarks"])


def test_rows_named_without_their_first_day_are_renamed_once_and_change_nothing_else(
    run, database, tmp_path
):
    base = {"类型": "事件", "责任区域": "全区", "小类代码": "0101"}
    ends = line(处置单位="排水公司", 失效日期="2026-06-30", **base)
    begins = line(处置单位="建北街道办事处", 生效日期="2026-07-01", **base)
    lines = [row[1:] for row in rows(ends, begins)]  # no column of numbers
    book = write_book(tmp_path / "plan.xlsx", {"职责": lines})
    loaded(run, book)
    former, named = "E0101@*.handler#2", "E0101@*.handler~2026-07-01"
    with database.connect() as connection:
        connection.execute(
            "UPDATE responsibility.plan_row SET code = %s WHERE code = %s", [former, named]
        )
    again = write_book(tmp_path / "again.xlsx", {"职责": [*lines, []]})
    told = json.loads(run("plan", "diff", again, "--as-of", "2026-07-01", "--json"))
    assert [(row["change"], row["code"], row["fields"]) for row in told["rows"]] == [
        ("changed", named, {"code": [former, named]})
    ]
    assert told["owners"] == []
    # The one that ended is closed, the one renamed opened anew.
    assert counts(loaded(run, again, day="2026-07-01")) == (1, 2, 2)
    assert counts(loaded(run, again, day="2026-07-02")) == (0, 0, 3)
    assert named in live(database, "responsibility")["code"].tolist()
