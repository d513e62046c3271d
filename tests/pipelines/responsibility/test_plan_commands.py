"""Plans loaded, loaded again, changed, rolled back, compared; open cases that would change hands."""

import json
import os
import signal
import subprocess
import sys

import openpyxl
import pandas as pd
import pytest

from gis.builds import live
from gis.database import dataset_lock
from gis.errors import DeliveryError, LockedError, RequestError
from gis.vector import write_vector
from pipelines.build import build_delivery
from tests.pipelines.responsibility.planbooks import (
    HEAD,
    NIGHT,
    ROAD,
    SQUARE,
    UNITS,
    counts,
    line,
    loaded,
    plan,
    rows,
    write_book,
)
from tests.pipelines.town import (
    CRS,
    X0,
    Y0,
    rectangle,
    write_manifest,
)


def test_load_load_again_change_and_roll_back(run, town, database, tmp_path):
    drawn = [ROAD, {"范围编码": "P1", "范围名称": "广场", "范围类型": "面", "边界WKT": SQUARE.wkt}]
    on_square = line(序号=4, 类型="事件", 小类代码="0101", 责任区域="广场", 处置单位="U1")
    first = plan(tmp_path / "plan.xlsx", NIGHT, on_square, drawn=drawn)
    report = loaded(run, first)
    assert (report["status"], counts(report)) == ("built", (4, 0, 0))
    assert loaded(run, first)["status"] == "unchanged"
    assert counts(loaded(run, first, day="2026-06-02")) == (0, 0, 4)
    assert live(database, "plan_areas")["code"].tolist() == ["LD1", "P1"]
    moved = [ROAD | {"半宽": 30}]
    second = plan(tmp_path / "plan.xlsx", NIGHT, drawn=moved)
    report = loaded(run, second, day="2026-07-01")
    assert counts(report) == (0, 1, 3)
    assert live(database, "plan_areas")["width_m"].tolist() == [30.0]
    # 200 m of the road lie east of 建设大街.
    assert live(database, "plan_areas").geometry.area.round().tolist() == [200 * 60]
    run("rollback", report["build_id"])
    again = live(database, "plan_areas")
    assert again["code"].tolist() == ["LD1", "P1"]
    assert again["width_m"].iloc[0] == 15.0
    assert len(live(database, "responsibility")) == 4
    assert "ok      Every area that the responsibility plan names" in run("verify")


def test_a_plan_without_areas_leaves_those_that_are_live(run, database, tmp_path):
    loaded(run, plan(tmp_path / "a.xlsx", drawn=[ROAD]))
    flat = plan(
        tmp_path / "b.xlsx",
        line(序号=4, 类型="事件", 小类代码="0101", 责任区域="LD1", 处置单位="U1"),
    )
    assert counts(loaded(run, flat)) == (1, 0, 2)
    assert live(database, "plan_areas")["code"].tolist() == ["LD1"]


def test_a_layer_beside_the_workbook_counts_as_part_of_it(run, database, tmp_path):
    import geopandas as gpd

    def draw(shape):
        layer = gpd.GeoDataFrame({"范围编码": ["P1"]}, geometry=[shape], crs=CRS)
        write_vector(layer, tmp_path / "areas.gpkg", layer="areas")

    draw(SQUARE)
    cells = {"范围编码": "P1", "范围名称": "广场", "范围类型": "面", "图层": "areas.gpkg|areas"}
    book = plan(tmp_path / "plan.xlsx", drawn=[cells])
    loaded(run, book)
    assert live(database, "plan_areas").geometry.area.round().tolist() == [4800]
    draw(rectangle(110, 20, 150, 80))
    assert loaded(run, book)["status"] == "built"  # the workbook is the same, the layer is not
    assert live(database, "plan_areas").geometry.area.round().tolist() == [2400]
    (tmp_path / "areas.gpkg").unlink()
    with pytest.raises(DeliveryError, match="does not lie beside it"):
        run("plan", "load", book)
    with pytest.raises(DeliveryError, match="There is no"):
        run("plan", "check", tmp_path / "nowhere.xlsx")


def test_two_persons_at_once_and_a_dry_run(run, town, database, tmp_path):
    book = plan(tmp_path / "plan.xlsx")
    run("plan", "load", book, "--dry-run")
    assert len(live(database, "responsibility")) == 0
    with database.connect() as other, dataset_lock(other, "deliveries"), pytest.raises(LockedError):
        run("plan", "load", book)
    assert len(live(database, "responsibility")) == 0


_KILLED = """
import sys
from pathlib import Path
import wanmi
from pipelines.responsibility import store

def stop(self, connection, build_id):
    print("reached", flush=True)
    sys.stdin.read()

store.AreaStore.__call__ = stop
sys.argv = ["wanmi", *sys.argv[1:]]
wanmi.main()
"""


def test_a_load_killed_midway_leaves_the_plan_before(run, town, database, tmp_path):
    loaded(run, plan(tmp_path / "a.xlsx", NIGHT, drawn=[ROAD]))
    book = plan(tmp_path / "b.xlsx", drawn=[ROAD | {"半宽": 30}])
    words = ["-w", str(town.root), "plan", "load", str(book), "--as-of", "2026-07-01"]
    killed = subprocess.Popen(
        [sys.executable, "-c", _KILLED, *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=os.environ | {"WANMI_DATABASE_URL": town.settings.database_url}, text=True,
    )  # fmt: skip
    assert killed.stdout is not None
    assert killed.stdout.readline() == "reached\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert len(live(database, "responsibility")) == 3
    assert live(database, "plan_areas")["width_m"].tolist() == [15.0]
    assert counts(loaded(run, book, day="2026-07-01")) == (0, 1, 2)


def test_check_accepts_a_whole_plan_and_refuses_one_with_a_hole(run, tmp_path):
    assert "accepted" in run("plan", "check", plan(tmp_path / "a.xlsx"))
    hole = write_book(tmp_path / "b.xlsx", {"职责": rows()[:2]})
    told = json.loads(run("plan", "check", hole, "--json", fails=True))
    assert {(f["what"], f["kind"], *f["areas"]) for f in told["findings"]} == {
        ("hole", "event", "*")
    }
    empty = write_book(tmp_path / "c.xlsx", {"职责": [HEAD]})
    told = json.loads(run("plan", "check", empty, "--json", fails=True))
    assert {(f["what"], f["kind"]) for f in told["findings"]} == {
        ("hole", "event"),
        ("hole", "component"),
    }


def case(name, at=(150, 90), **more):
    """A case of a class of events on a place of the town, decided and open."""
    base = {
        "case_id": name, "kind": "event", "class_code": "0101", "reported_at": "2026-06-05 23:30+08",
        "needs_review": False, "state": "assigned", "request_hash": name, "unit_code": "U2",
        "x": X0 + at[0], "y": Y0 + at[1], "crs": "city", "accuracy_m": 0.5, "data_version": "v",
        "returns": 0, "decision": '{"owner": {"rule": "plan:2.handler"}}',
    }  # fmt: skip
    return base | more


def store(database, cases):
    names = list(cases[0])
    marks = ", ".join(["%s"] * len(names))
    with database.connect() as connection:
        for each in cases:
            connection.execute(
                f'INSERT INTO cases."case" ({", ".join(names)}) VALUES ({marks})',
                [each[name] for name in names],
            )


@pytest.mark.parametrize(
    "words",
    [
        ("check", "plan.xlsx", "-o", "report.xlsx"),
        ("check", "plan.xlsx", "--xlsx", "findings.csv"),
        ("diff", "plan.xlsx", "--xlsx", "changes.csv"),
        ("migrate", "--to", "2026", "-o", "classes.csv"),
    ],
)
def test_a_list_is_not_written_under_the_name_of_another_kind(run, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    plan(tmp_path / "plan.xlsx")
    with pytest.raises(RequestError, match=r"write \.(xlsx|html)\."):
        run("plan", *words)
    assert [path.name for path in tmp_path.glob("*.*")] == ["plan.xlsx"]


def test_diff_tells_rows_owners_and_open_cases(run, database, tmp_path):
    loaded(run, plan(tmp_path / "a.xlsx", drawn=[ROAD]))
    run("snapshot")
    noon = "2026-06-05 12:00+08"
    store(
        database,
        [
            case("night"),
            case("day", reported_at=noon, at=(50, 80)),
            case("other-community", at=(250, 50)),
            case("closed", state="closed"),
            case("undecided", unit_code=None, decision="{}", data_version=None),
            case("person", decision='{"owner": {"rule": "person:desk"}}'),
            case("waits", state="returned"),
            # Its unit sent it back: before, the territory has it; at night another would.
            case("returned", returns=1, unit_code="S1"),
            case("on-square", reported_at=noon, at=(150, 50)),
        ],
    )
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO cases.history (case_id, action, unit_code, actor)"
            " VALUES ('returned', 'returned', 'U2', 'U2')"
        )
    drawn = [ROAD, {"范围编码": "P1", "范围名称": "广场", "范围类型": "面", "边界WKT": SQUARE.wkt}]
    on_square = line(
        序号=4, 类型="事件", 小类代码="0101", 责任区域="广场", 处置单位="建北街道办事处"
    )
    after = plan(tmp_path / "b.xlsx", NIGHT, on_square, drawn=drawn)
    told = json.loads(run("plan", "diff", after, "--as-of", "2026-07-01", "--json"))
    assert told["counts"] == {
        "rows_added": 2, "rows_removed": 0, "rows_changed": 0, "areas_added": 1, "areas_removed": 0,
        "areas_changed": 0, "rows_unchanged": 2, "owners_changed": 2, "open_cases": 8,
        "cases_changed": 3,
    }  # fmt: skip
    changed = [(c["case_id"], c["before"], c["after"], c["rule_after"]) for c in told["cases"]]
    assert changed == [
        ("night", "U2", "U1", "plan:3.handler"),
        ("on-square", "U2", "S1", "plan:4.handler"),
        ("returned", "S1", "U1", "plan:3.handler"),
    ]
    assert {each["reason"]: each["cases"] for each in told["cases_not_changed"]} == {
        "undecided": 1, "by_person": 1, "waiting": 1, "same": 2,
    }  # fmt: skip
    assert told["cases_decided_by"]["is_stale"] is False
    owners = {(tuple(o["areas"]), o["before"], o["after"], o["times"]) for o in told["owners"]}
    assert (("130102001001", "LD1"), "U2", "U1", "22:00/06:00") in owners
    sheet = tmp_path / "changes.xlsx"
    assert "3 of 8 open cases" in run(
        "plan", "diff", after, "--as-of", "2026-07-01", "--xlsx", sheet
    )
    assert openpyxl.load_workbook(sheet)["案件 cases"].max_row == 4
    assert len(live(database, "responsibility")) == 2  # nothing was written


def test_diff_without_a_snapshot_says_that_cases_are_not_judged(run, database, tmp_path):
    loaded(run, plan(tmp_path / "a.xlsx"))
    store(database, [case("1")])
    told = json.loads(run("plan", "diff", plan(tmp_path / "b.xlsx", NIGHT), "--json"))
    assert (told["counts"]["open_cases"], told["counts"]["cases_changed"]) == (1, 0)
    assert [each["reason"] for each in told["cases_not_changed"]] == ["no_snapshot"]


def test_diff_tells_changed_rows_and_areas_by_field(run, tmp_path):
    loaded(run, plan(tmp_path / "a.xlsx", NIGHT, drawn=[ROAD]))
    later = line(
        序号=3,
        类型="事件",
        小类代码="0101",
        责任区域="翠屏社区",
        处置单位="排水公司",
        适用时段="21:00/06:00",
    )
    after = plan(tmp_path / "b.xlsx", later, drawn=[ROAD | {"半宽": 30}])
    told = json.loads(run("plan", "diff", after, "--as-of", "2026-07-01", "--json"))
    changed = {row["code"]: row["fields"] for row in told["rows"]}
    assert changed["3.handler"] == {"hours": ["22:00/06:00", "21:00/06:00"]}
    assert changed["LD1"]["width_m"] == [15.0, 30.0]
    assert [(o["before"], o["after"], o["times"]) for o in told["owners"]] == [
        ("U2", "U1", "21:00/22:00")
    ]


def test_what_ended_is_named_with_its_day(run, town, tmp_path):
    folder = tmp_path / "units"
    folder.mkdir()
    (folder / "units.csv").write_text(
        "\n".join(UNITS.splitlines()[:2] + UNITS.splitlines()[3:]), encoding="utf-8"
    )
    from datetime import date

    write_manifest(folder, [{"dataset": "units", "path": "units.csv"}], as_of=date(2026, 6, 15))
    build_delivery(folder, workspace=town)
    told = json.loads(run("plan", "check", plan(tmp_path / "a.xlsx"), "--json", fails=True))
    assert [(fault["rule"], fault["reason_en"]) for fault in told["faults"]] == [
        ("RP13", "Unit 路灯处 left the directory on 2026-06-15.")
    ]
    assert pd.DataFrame(told["faults"])["row"].tolist() == [3]
