"""Lines, areas and whole plans refused: what is live of them stays."""

import json

import pytest

from gis.builds import live
from gis.errors import DeliveryError
from tests.pipelines.responsibility.planbooks import (
    AREA_HEAD,
    HEAD,
    ROAD,
    SQUARE,
    counts,
    line,
    loaded,
    plan,
    rows,
    write_book,
)


def test_refused_rows_keep_what_is_live_of_them(run, database, tmp_path):
    lamps = line(
        序号=3, 类型="部件", 小类代码="0104、0101", 责任区域="全区", 养护单位="U1", 主管部门="U2"
    )
    loaded(run, plan(tmp_path / "a.xlsx", lamps))
    assert len(live(database, "responsibility")) == 6
    spoilt = line(
        序号=3,
        类型="部件",
        小类代码="0104、0101",
        责任区域="全区",
        养护单位="市政三处",
        主管部门="U2",
    )
    report = loaded(run, plan(tmp_path / "b.xlsx", spoilt), "--anyway", day="2026-06-02")
    assert (report["rows_rejected"], counts(report)) == (1, (0, 0, 2))
    assert len(live(database, "responsibility")) == 6


def test_refused_lines_keep_their_rows_whatever_their_number(run, database, tmp_path):
    """Numbers hold signs, are merged over lines, or are not there."""
    wanted = {"A-1.2": ("0104", "U1"), "A-2": ("0101", "U1")}

    def book(name, **spoilt):
        more = [
            line(序号=code, 类型="部件", 小类代码=class_code, 责任区域="全区",
                 养护单位=spoilt.get(class_code, unit), 主管部门="U2")
            for code, (class_code, unit) in wanted.items()
        ]  # fmt: skip
        return plan(tmp_path / name, *more)

    loaded(run, book("a.xlsx"))
    report = loaded(run, book("b.xlsx", **{"0104": "无此单位"}), "--anyway", day="2026-06-02")
    assert (report["rows_rejected"], counts(report)) == (1, (0, 0, 4))
    assert len(live(database, "responsibility")) == 6
    told = json.loads(run("plan", "diff", book("c.xlsx", **{"0101": "无此单位"}), "--json"))
    assert (told["lines_refused"], told["rows"], told["owners"]) == (1, [], [])


def test_refused_lines_without_a_number_keep_their_rows(run, database, tmp_path):
    head = [name for name in HEAD if name != "序号"]

    def book(name, unit):
        sheet = [[cells[HEAD.index(each)] for each in head] for cells in rows()[1:]]
        own = line(head, 类型="部件", 小类代码="0104", 责任区域="翠屏社区", 养护单位=unit)
        return write_book(tmp_path / name, {"职责": [head, *sheet, own]})

    loaded(run, book("a.xlsx", "路灯处"))
    report = loaded(run, book("b.xlsx", "无此单位"), "--anyway", day="2026-06-02")
    assert (report["rows_rejected"], counts(report)) == (1, (0, 0, 2))
    assert "C0104@130102001001.maintainer" in set(live(database, "responsibility")["code"])


def test_a_refused_area_stays_as_it_is_with_the_rows_that_name_it(run, database, tmp_path):
    square = {"范围编码": "P1", "范围名称": "广场", "范围类型": "面", "边界WKT": SQUARE.wkt}
    named = line(序号=4, 类型="事件", 小类代码="0101", 责任区域="广场", 处置单位="U1")
    loaded(run, plan(tmp_path / "a.xlsx", named, drawn=[square, ROAD]))
    spoilt = [square | {"边界WKT": "POLYGON ((0 0"}]
    after = plan(tmp_path / "b.xlsx", named, drawn=spoilt)
    told = json.loads(run("plan", "diff", after, "--json"))
    assert [(each["change"], each["code"]) for each in told["rows"]] == [("removed", "LD1")]
    report = loaded(run, after, "--anyway", day="2026-06-02")
    assert (report["rows_rejected"], counts(report)) == (1, (0, 0, 3))
    assert live(database, "plan_areas")["code"].tolist() == ["P1"]
    assert live(database, "plan_areas").geometry.area.round().tolist() == [SQUARE.area]


def test_a_plan_not_accepted_needs_a_word_more(run, database, tmp_path):
    hole = write_book(tmp_path / "a.xlsx", {"职责": rows()[:2]})
    with pytest.raises(
        DeliveryError, match=r"not accepted \(hole \d+\), and nothing was loaded"
    ) as told:
        run("plan", "load", hole)
    assert "--anyway" in told.value.zh
    run("plan", "load", hole, "--dry-run")
    assert len(live(database, "responsibility")) == 0
    assert "NOT accepted" in run("plan", "load", hole, "--anyway")
    assert len(live(database, "responsibility")) == 1


def test_areas_of_one_size_and_sheets_left_out_are_told(run, tmp_path):
    square = {"范围编码": "P1", "范围名称": "广场", "范围类型": "面", "边界WKT": SQUARE.wkt}
    again = square | {"范围编码": "P2", "范围名称": "广场二"}
    more = [
        line(序号=4, 类型="事件", 小类代码="0101", 责任区域="P1", 处置单位="U1"),
        line(序号=5, 类型="事件", 小类代码="0101", 责任区域="P2", 处置单位="U2"),
    ]
    sheets = {
        "职责": rows(*more),
        "范围": [AREA_HEAD, line(AREA_HEAD, **square), line(AREA_HEAD, **again)],
        "封面": [["某某方案"]],
    }
    book = write_book(tmp_path / "a.xlsx", sheets)
    told = json.loads(run("plan", "check", book, "--json", fails=True))
    assert ("conflict", ["4.handler", "5.handler"], ["P1", "P2"]) in [
        (each["what"], each["rows"], each["areas"]) for each in told["findings"]
    ]
    assert ["封面" in remark for remark in told["remarks"]] == [True]
    assert ["封面" in remark for remark in told["remarks_zh"]] == [True]
