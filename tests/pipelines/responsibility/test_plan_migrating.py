"""The live plan in the classes of 2026: listed, decided in the workbook, carried out, rolled back."""

import json

import openpyxl
import pytest

from gis.builds import live
from gis.errors import BuildError, RequestError
from tests.pipelines.responsibility.planbooks import line, loaded, plan


def test_listed_decided_carried_out_and_rolled_back(run, database, tmp_path):
    """2013: 0104 goes over, 0116 has no successor."""
    book = plan(
        tmp_path / "plan.xlsx",
        line(序号=3, 类型="部件", 小类代码="0104", 责任区域="全区", 养护单位="U1"),
        line(序号=4, 类型="部件", 小类代码="0116", 责任区域="全区", 养护单位="U1"),
    )
    assert loaded(run, book)["rows_accepted"] == 4
    before = live(database, "responsibility")
    listed = tmp_path / "list.xlsx"
    told = json.loads(run("plan", "migrate", "--to", "2026", "-o", listed, "--json"))
    assert (told["moved"], told["undecided"], told["build_id"]) == (3, 1, None)
    assert live(database, "responsibility").equals(before)
    with pytest.raises(BuildError, match="1 rows of the plan wait"):
        run("plan", "migrate", "--to", "2026", "--apply")
    with pytest.raises(RequestError, match="not to CJ/T 214-2007, the first: name GB/T 30428"):
        run("plan", "migrate", "--to", "2007")

    workbook = openpyxl.load_workbook(listed)
    sheet = workbook.worksheets[0]
    head = [cell.value for cell in sheet[1]]
    row = [cell.value for cell in sheet[2]]  # what waits stands first
    assert dict(zip(head, row, strict=True))["class_code"] == "0116"
    assert [[cell.value for cell in line][:4] for line in workbook.worksheets[1]][1:] == [
        [before["code"][3], "component", "0116", "*"]
    ]
    sheet.cell(2, head.index("decision") + 1, "1001 1002")  # zeros that a spreadsheet took
    workbook.save(listed)
    decided = ("plan", "migrate", "--to", "2026", "--decisions", listed)
    done = json.loads(run(*decided, "--apply", "--json"))
    rows = live(database, "responsibility")
    assert sorted(rows["class_code"]) == ["*", "*", "01001", "01002", "01004"]
    assert set(rows.loc[rows["class_code"].ne("*"), "unit_code"]) == {"U1"}
    with pytest.raises(RequestError, match="already"):
        run(*decided, "--apply")
    run("rollback", str(done["build_id"]))
    assert live(database, "responsibility").equals(before)
