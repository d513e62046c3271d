"""The review of names on a small town: from a delivered spelling to a confirmed alias."""

import json
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

import wanmi
from gis.builds import live
from gis.database import read_rows
from gis.errors import BuildError, ConflictError, DeliveryError, NotFoundError, RequestError
from gis.vector import write_vector
from pipelines.build import build_delivery
from tests.pipelines.town import COMPONENTS_LAYER, components, write_manifest, write_town

UNITS = [
    ("U1", "长安区城市管理局", "区城管局；城管局", "主管部门", None, None),
    ("U2", "市排水运营有限公司", "排水公司", "企业", None, None),
    ("U3", "市第一排水公司", None, "企业", "U2", "2020-01-01"),
    ("U4", "市政综合公司", None, "企业", "U1；U2", None),
]
SPELLING = "市排水营运公司"


def deliver(folder: Path, *, owners: list[str | None]) -> Path:
    """The town with its units, the three drain grates owned as said."""
    write_town(folder)
    columns = ["单位代码", "单位名称", "别名", "类型", "接替单位代码", "接替日期"]
    pd.DataFrame(UNITS, columns=columns).to_csv(folder / "units.csv", index=False)
    rows = components().assign(DeptName2=owners)
    write_vector(rows, folder / "雨水箅子.shp", encoding="gb18030")
    layers = [
        {"dataset": "areas", "path": "areas.gpkg"},
        {"dataset": "unit_grids", "path": "grids.gpkg"},
        {"dataset": "units", "path": "units.csv"},
        COMPONENTS_LAYER,
    ]
    return write_manifest(folder, layers)


@pytest.fixture
def run(workspace, monkeypatch):
    monkeypatch.setenv("WANMI_DATABASE_URL", workspace.settings.database_url)
    app = wanmi.mount(["pipelines.surveys"])

    def call(*words: object):
        arguments = ["-w", str(workspace.root), "units", *map(str, words)]
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0
        return json.loads(result.stdout) if "--json" in words else result.stdout

    return call


def owners_of(database) -> list[str | None]:
    codes = live(database, "components")["owner_code"]
    return [code if isinstance(code, str) else None for code in codes]


def warnings_of(workspace, folder) -> list[str]:
    reports = build_delivery(folder, workspace=workspace)
    faults = next(report for report in reports if report.dataset == "components").faults
    return [fault["rule"] for fault in faults]


def test_a_name_is_never_applied_until_a_person_confirms_it(run, workspace, database, tmp_path):
    folder = deliver(tmp_path / "d", owners=[SPELLING, f" {SPELLING}　", "无主"])
    assert "C060" in warnings_of(workspace, folder)
    assert owners_of(database) == [None, None, None]
    (listed,) = run("review", "--json")
    assert (listed["spelling"], listed["rows"], listed["roles"]) == (SPELLING, 2, {"owner": 2})
    assert listed["candidates"][0]["unit_code"] == "U2"
    assert owners_of(database) == [None, None, None]

    assert len(run("confirm", SPELLING, "u2", "--note", "电话核实", "--json")["decided"]) == 1
    assert run("confirm", SPELLING, "U2", "--json") == {"decided": [], "decided_before": 1}
    with pytest.raises(ConflictError, match="confirmed U2"):
        run("confirm", SPELLING, "U1")
    with pytest.raises(ConflictError, match="--replace"):
        run("confirm", SPELLING, "--reject")
    assert run("review", "--json") == []
    assert "C060" not in warnings_of(workspace, folder)  # the same delivery is judged again
    assert owners_of(database) == ["U2", "U2", None]
    assert live(database, "components")["owner_name"].tolist()[0] == SPELLING  # as delivered
    assert SPELLING in run("list", SPELLING)

    run("confirm", SPELLING, "--reject", "--replace")
    warnings_of(workspace, folder)
    assert owners_of(database) == [None, None, None]
    assert run("review", "--json") == []
    assert run("review", "--all", "--json")[0]["decision"] == "rejected"
    with database.connect() as connection:
        entries = read_rows(
            connection,
            "SELECT action, detail FROM meta.audit WHERE action LIKE 'unit_match%' ORDER BY audit_id",
        )
    assert entries["action"].tolist() == ["unit_match_confirmed", "unit_match_rejected"]
    assert entries["detail"][0]["note"] == "电话核实"
    assert entries["detail"][1]["before"] == "confirmed U2"


def test_the_list_goes_out_as_a_workbook_and_comes_back_filled_in(
    run, workspace, database, tmp_path
):
    folder = deliver(tmp_path / "d", owners=[SPELLING, "区城管", "=HYPERLINK(1)"])
    build_delivery(folder, workspace=workspace)
    path = tmp_path / "names.xlsx"
    assert len(run("review", "-o", path, "--json")) == 3
    assert "Nothing is filled in" in run("confirm", "--file", path)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    names = [cell.value for cell in sheet[1]]
    place = names.index("决定 unit code") + 1
    rows = {sheet.cell(number, 1).value: number for number in range(2, 5)}
    assert sheet.cell(rows["=HYPERLINK(1)"], 1).data_type == "s"
    sheet.cell(rows[SPELLING], place).value = "U2"
    sheet.cell(rows["区城管"], place).value = "U9"
    book.save(path)
    with pytest.raises(NotFoundError, match="no unit U9"):
        run("confirm", "--file", path)
    assert len(run("review", "--json")) == 3  # all or none
    sheet.cell(rows["区城管"], place).value = "U1"
    sheet.cell(rows["=HYPERLINK(1)"], place).value = "否"
    book.save(path)
    assert len(run("confirm", "--file", path, "--json")["decided"]) == 3
    assert run("confirm", "--file", path, "--json")["decided_before"] == 3
    assert run("review", "--json") == []
    build_delivery(folder, workspace=workspace)
    assert owners_of(database) == ["U2", "U1", None]

    broken = tmp_path / "broken.csv"
    broken.write_text("name,code\na,b\n", encoding="utf-8")
    with pytest.raises(DeliveryError, match="units review -o"):
        run("confirm", "--file", broken)


def test_a_delivery_can_be_reviewed_before_it_is_loaded(run, workspace, database, tmp_path):
    build_delivery(deliver(tmp_path / "one", owners=[None, None, None]), workspace=workspace)
    folder = deliver(tmp_path / "two", owners=[SPELLING, None, None])
    assert run("review", "--json") == []
    assert run("review", folder, "--json")[0]["spelling"] == SPELLING
    assert run("confirm", SPELLING, "U2", "--json")["decided"][0]["unit_code"] == "U2"
    build_delivery(folder, workspace=workspace)
    assert owners_of(database)[0] == "U2"


def test_merged_and_split_units_keep_answering(run, workspace, database, tmp_path):
    owners = ["市第一排水公司", "市政综合公司", "排水公司"]
    rules = warnings_of(workspace, deliver(tmp_path / "d", owners=owners))
    assert "C060" not in rules
    assert "C065" in rules  # of a split unit a person has to say which
    assert owners_of(database) == ["U3", "U4", "U2"]
    old, today = (
        run("match", "市第一排水公司", *words, "--json")[0]
        for words in (("--as-of", "2026-05-31"), ())
    )
    assert (old["code"], old["answers"], today["answers"]) == ("U3", "U2", "U2")
    assert run("match", "U4", "--json")[0]["split_into"] == ["U1", "U2"]
    assert run("match", "排水", "--json")[0]["how"] == "unknown"
    listed = {row["code"]: row for row in run("list", "--json")}
    assert (listed["U3"]["answers"], listed["U3"]["successor_from"]) == ("U2", "2020-01-01")


def test_bad_questions_are_told_what_is_wrong(run, workspace, tmp_path):
    with pytest.raises(BuildError, match="directory is empty"):
        run("list")
    build_delivery(deliver(tmp_path / "d", owners=[SPELLING, None, None]), workspace=workspace)
    for words in (
        (),
        (SPELLING,),
        (SPELLING, "U1", "--reject"),
        (SPELLING, "U1", "--file", "a.xlsx"),
    ):
        with pytest.raises(RequestError, match="--file"):
            run("confirm", *words)
    with pytest.raises(NotFoundError, match="units review"):
        run("confirm", "谁也没有这个名字", "U1")
    with pytest.raises(ConflictError, match="U2 市排水运营有限公司"):
        run("confirm", "排水公司", "U1")
    with pytest.raises(NotFoundError, match="most like U2"):
        run("confirm", SPELLING, "U77")
    with pytest.raises(RequestError, match=r"names\.xlsx"):
        run("review", "-o", tmp_path / "names.csv")
