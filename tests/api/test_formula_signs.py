"""Files written for people hold no formula, whatever names and identifiers the data have."""

import csv
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import wanmi
from gis.database import Database
from tests.api.district import PROFILE, UNITS, X0, Y0, compile_district, component, point, unit

SIGNS = ("=", "+", "-", "@", "\t", "\r")
WEB = '=HYPERLINK("http://x.example","点此")'
IDS = ["=1+1", "+A7", "-A1", "@SUM(A1)"]
KEEPER = unit("W9", WEB, "company")


def run(root: Path, *words: str, database: str | None = None) -> None:
    environ = {"WANMI_DATABASE_URL": database}
    result = CliRunner().invoke(wanmi.app, ["-w", str(root), *words], env=environ)
    assert result.exit_code == 0, result.output


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def formulas(rows: list[dict[str, str]]) -> list[str]:
    """Return the cells that a spreadsheet would work out: those that begin so and are no numbers."""
    found = []
    for text in (text for row in rows for text in (*row, *row.values()) if text.startswith(SIGNS)):
        try:
            float(text)
        except ValueError:
            found.append(text)
    return found


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lamp whose keeper is called as a formula is written."""
    root = tmp_path_factory.mktemp("signs")
    (root / "wanmi.toml").write_text(PROFILE, encoding="utf-8")
    lamp = component("1301020104000001", point(50, 50), maintainer_code="W9")
    compile_district(root / "snapshots", components=[lamp], units=[*UNITS, KEEPER])
    return root


def test_decisions_of_a_file(city: Path, tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        [case_id, X0 + 50, Y0 + 50, "city", "0104", note, -3.5]
        for case_id, note in zip(IDS, ["=cmd|' /C calc'!A0", "-2.5", "+86 311", "x"], strict=True)
    ]
    source, told = tmp_path / "in.csv", tmp_path / "out.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [["case_id", "x", "y", "crs", "class_code", "@备注", "差"], *rows]
        )
    run(city, "assign", str(source), "-o", str(told))
    found = cells(told)
    assert formulas(found) == []
    assert [row["case_id"] for row in found] == ["'" + case_id for case_id in IDS]
    assert [row["'@备注"] for row in found] == ["'=cmd|' /C calc'!A0", "-2.5", "'+86 311", "x"]
    assert {row["差"] for row in found} == {"-3.5"}
    assert {row["unit_name"] for row in found} == {"'" + WEB}
    # What programs read has the texts as they are.
    run(city, "assign", str(source), "-o", str(tmp_path / "out.parquet"))
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["case_id"].to_pylist() == IDS
    assert set(table["unit_name"].to_pylist()) == {WEB}


def test_cases_on_record(city: Path, database: Database, tmp_path: Path) -> None:
    with database.connect() as connection:
        for case_id in IDS:
            connection.execute(
                "INSERT INTO cases.case (case_id, kind, class_code, reported_at, x, y, crs, accuracy_m,"
                " needs_review, state, request_hash, returns, handled_by)"
                " VALUES (%s, 'component', '0104', now(), %s, %s, 'city', 1, false, 'closed', 'h', 0, 'W9')",
                [case_id, X0 + 50, Y0 + 50],
            )
    table, book = tmp_path / "all.csv", tmp_path / "all.xlsx"
    for path in (table, book):
        run(city, "cases", "redecide", "-o", str(path), database=database.url)
    found = cells(table)
    assert formulas(found) == []
    assert sorted(row["case_id"] for row in found) == sorted("'" + case_id for case_id in IDS)
    sheet = openpyxl.load_workbook(book)["案件"]
    written = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert "f" not in {cell.data_type for cell in written}
    column = [cell.value for cell in sheet[1]].index("case_id")
    assert sorted(row[column].value for row in sheet.iter_rows(min_row=2)) == sorted(IDS)
