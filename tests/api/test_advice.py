"""What returns teach: causes drawn by hand are found, narrowed down, tried and told."""

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

import wanmi
from api import Snapshot
from api.advice.advising import Advice, advise
from api.advice.telling import document, records, write_advice
from gis.database import Database
from gis.errors import RequestError
from gis.vector import read_vector
from gis.workspace import Workspace
from tests.api.district import (
    A1,
    A2,
    B1,
    B2,
    X0,
    Y0,
    boundary_road,
    box,
    compile_district,
    component,
    line,
    management_grid,
    open_district,
    plan,
    plan_area,
    point,
)

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
SOUTH, NORTH = "130102001001", "130102001002"
OPEN = [
    component(f"130102010400000{n}", point(20 * n, 30), maintainer_code="W1") for n in (1, 2, 3)
]
ROWS = [
    plan("1", "territorial", "W1", kind="event", class_code="0405"),
    plan("2", "territorial", "C1", kind="event", class_code="01", area_code=SOUTH),
    plan("3", "territorial", "S1", kind="event", class_code="01", area_code=NORTH),
    plan("4", "territorial", "D1", kind="event", class_code="03"),
    plan("5", "territorial", "D1", kind="event", class_code="0201"),
    plan("6", "territorial", "W2", kind="event", class_code="0203"),
    plan("7", "maintainer", "W1"),
]


class Book:
    """Cases of the past, each with who handled it in the end."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.numbers = count(1)

    def add(
        self, class_code: str, places: list[tuple[float, float]], handled_by: str, **more: Any
    ) -> None:
        told = {"kind": "event", "returns": 1, "component_code": None, "category": "not_our_duty"}
        told |= more
        with self.database.connect() as connection:
            for x, y in places:
                number = next(self.numbers)
                connection.execute(
                    "INSERT INTO cases.case (case_id, kind, class_code, reported_at, x, y, crs,"
                    " accuracy_m, component_code, needs_review, state, request_hash, returns, handled_by)"
                    " VALUES (%s, %s, %s, %s, %s, %s, 'city', 1, %s, false, 'closed', 'h', %s, %s)",
                    [
                        f"{number:04d}", told["kind"], class_code, NOW + timedelta(hours=number),
                        X0 + x, Y0 + y, told["component_code"], told["returns"], handled_by,
                    ],
                )  # fmt: skip
                if told["returns"]:
                    connection.execute(
                        "INSERT INTO cases.history (case_id, action, actor, category)"
                        " VALUES (%s, 'returned', 'unit', %s)",
                        [f"{number:04d}", told["category"]],
                    )


def along(many: int, y: float, x0: float = 50.0, x1: float = 150.0) -> list[tuple[float, float]]:
    return [(x0 + (x1 - x0) * n / (many - 1), y) for n in range(many)]


@pytest.fixture
def book(database: Database) -> Book:
    return Book(database)


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return open_district(tmp_path / "s", components=OPEN, responsibility=ROWS)


def learn(book: Book, snapshot: Snapshot) -> Advice:
    return advise(book.database, snapshot)


def test_a_row_that_names_the_wrong_unit(book: Book, snapshot: Snapshot) -> None:
    book.add("0405", along(14, 30), "W2")
    book.add("0405", along(6, 60), "W1", returns=0)
    book.add("0201", [(30, 30)], "W2")  # 1 of 1 proves nothing
    (found,) = learn(book, snapshot).findings
    assert (found.kind, found.change, found.rule) == ("plan_row", "change_unit", "1")
    assert (found.unit_code, found.to_unit_code) == ("W1", "W2")
    assert (found.cases, found.to_cases, found.returned) == (20, 14, 14)
    assert (found.lower, found.upper) == pytest.approx((0.481, 0.855), abs=5e-4)
    assert (found.avoided, found.caused) == (14, 6)


def test_a_row_that_is_wrong_for_one_of_its_classes(book: Book, snapshot: Snapshot) -> None:
    book.add("0302", along(9, 30), "W2")
    book.add("0304", along(20, 30), "D1", returns=0)
    book.add("0304", along(2, 60), "W2")
    (found,) = learn(book, snapshot).findings
    assert (found.change, found.rule, found.class_code) == ("add_row", "4", "0302")
    # Tried on all cases that the new row could speak for: those of 0304 stay with the old one.
    assert (found.to_cases, found.avoided, found.caused) == (9, 9, 0)


def test_a_row_that_is_wrong_in_one_of_its_areas(book: Book, snapshot: Snapshot) -> None:
    book.add("0405", along(12, 20), "W2")
    book.add("0405", along(12, 180), "W1", returns=0)
    (found,) = learn(book, snapshot).findings
    assert (found.change, found.area_code) == ("add_row", SOUTH)
    assert (found.avoided, found.caused) == (12, 0)


def test_a_stretch_of_a_border_drawn_on_the_wrong_side(book: Book, snapshot: Snapshot) -> None:
    book.add("0110", along(11, 92), "S1", category="not_our_area")
    book.add("0110", along(30, 30), "C1", returns=0)
    book.add("0110", along(10, 92, 160, 199), "C1", returns=0)  # farther along all is well
    (found,) = learn(book, snapshot).findings
    assert (found.kind, found.change) == ("border", "move_border")
    assert (found.area_code, found.other_area_code) == (SOUTH, NORTH)
    assert (found.unit_code, found.to_unit_code) == ("C1", "S1")
    assert (found.to_cases, found.avoided, found.caused) == (11, 11, 0)
    assert found.width_m == 8.0
    west, south, east, north = found.stretch.bounds
    assert (south, north) == (Y0 + 100, Y0 + 100)
    assert (west, east) == (X0 + 37.5, X0 + 162.5)


def test_a_road_whose_sides_send_their_cases_to_each_other(book: Book, snapshot: Snapshot) -> None:
    book.add("0110", along(11, 92), "S1")
    book.add("0110", along(11, 108), "C1")
    found = learn(book, snapshot).findings
    assert {(f.area_code, f.change) for f in found} == {
        (SOUTH, "boundary_road"),
        (NORTH, "boundary_road"),
    }


def swapped_road(root: Path, *, sharing: str = "side", **more: Any) -> Snapshot:
    """A road along the border of the communities whose two areas stand the wrong way round."""
    eastward = line((0, 100), (200, 100)).wkt  # its left is the north
    sides = {"sharing": sharing, "axis": eastward} | more
    road = boundary_road("J1", box(0, 90, 200, 110), SOUTH, NORTH, **sides)
    return open_district(root, components=OPEN, responsibility=ROWS, plan_areas=[road])


def test_a_boundary_road_whose_two_sides_are_swapped(book: Book, tmp_path: Path) -> None:
    snapshot = swapped_road(tmp_path / "d")
    book.add("0110", along(11, 95), "C1", category="not_our_area")
    book.add("0110", along(11, 105), "S1", category="not_our_area")
    book.add("0110", [(60, 95), (140, 95)], "S1", returns=0)  # two that were not sent back
    advice = learn(book, snapshot)
    assert (advice.agreement["shared"], advice.agreement["agree"]) == (22, 2)
    (found,) = advice.findings
    assert (found.kind, found.change, found.rule) == ("road", "swap_sides", "J1")
    assert {found.area_code, found.other_area_code} == {SOUTH, NORTH}
    assert (found.cases, found.to_cases, found.returned) == (24, 22, 22)
    assert (found.avoided, found.caused) == (22, 2)
    assert found.stretch.equals(line((0, 100), (200, 100)))
    (told,) = records(advice, snapshot.edition().directory)
    pair = f"{found.area_code} | {found.other_area_code}"
    assert told["en"].startswith(
        f"boundary road J1 ({pair}): 22 of 24 cases were finally handled by the unit of the other area"
    )
    assert "swap the two units of this stretch" in told["en"]
    assert "两侧责任单位对调" in told["zh"]
    assert "surveyed" not in told["en"]
    # The plan with the sides put right teaches nothing.
    right = swapped_road(tmp_path / "right", sides=[NORTH, SOUTH])
    assert learn(book, right).findings == ()


def test_sides_to_be_swapped_against_the_map_are_to_be_surveyed(book: Book, tmp_path: Path) -> None:
    snapshot = swapped_road(tmp_path / "d", sides=[NORTH, SOUTH])  # as the map has them
    book.add("0110", along(11, 95), "S1", category="not_our_area")
    book.add("0110", along(11, 105), "C1", category="not_our_area")
    advice = learn(book, snapshot)
    assert [(f.change, f.avoided) for f in advice.findings] == [("swap_sides", 22)]
    (told,) = records(advice, snapshot.edition().directory)
    assert "have their border surveyed first" in told["en"]
    assert "请先核实其边界" in told["zh"]


def test_a_stretch_of_a_boundary_road_whose_sides_are_swapped(book: Book, tmp_path: Path) -> None:
    snapshot = swapped_road(tmp_path / "d")
    for y, swapped, stated in ((95, "C1", "S1"), (105, "S1", "C1")):
        book.add("0110", along(8, y, 5, 90), swapped, category="not_our_area")
        book.add("0110", along(12, y, 110, 190), stated, returns=0)
    (found,) = learn(book, snapshot).findings
    assert (found.change, found.cases, found.avoided, found.caused) == ("swap_sides", 16, 16, 0)
    west, _, east, _ = found.stretch.bounds
    assert (west, east) == (X0, X0 + 100)
    (told,) = records(learn(book, snapshot), snapshot.edition().directory)
    assert "make this stretch a boundary road of its own" in told["en"]
    assert "将该路段单列为一条界路" in told["zh"]


def test_a_boundary_road_of_which_one_area_has_both_sides(book: Book, tmp_path: Path) -> None:
    snapshot = swapped_road(tmp_path / "d", sides=[NORTH, SOUTH])
    book.add("0110", along(11, 95), "S1", category="not_our_area")  # on the south's side
    book.add("0110", along(11, 105), "S1", returns=0)
    (found,) = learn(book, snapshot).findings
    assert (found.kind, found.change) == ("road", "one_side")
    assert (found.area_code, found.other_area_code) == (SOUTH, NORTH)
    assert (found.unit_code, found.to_unit_code) == ("C1", "S1")
    assert (found.cases, found.avoided, found.caused) == (11, 11, 0)
    (told,) = records(learn(book, snapshot), snapshot.edition().directory)
    assert f"let {NORTH} answer for both sides" in told["en"]


@pytest.mark.parametrize("axis", [None, line((0, 100), (200, 100)).wkt])
def test_a_boundary_road_whose_days_are_swapped(
    book: Book, tmp_path: Path, axis: str | None
) -> None:
    days = swapped_road(tmp_path / "days", sharing="odd_even", axis=axis)
    places = along(12, 95) + along(12, 105)  # reported hour by hour
    book.add("0110", places[:11], "S1")  # before midnight in the city, on the first of July
    book.add("0110", places[11:], "C1")
    (found,) = learn(book, days).findings
    assert (found.kind, found.change) == ("road", "swap_sides")
    assert (found.to_cases, found.avoided, found.caused) == (24, 24, 0)


def test_a_joint_road_on_which_the_second_area_does_the_work(book: Book, tmp_path: Path) -> None:
    snapshot = swapped_road(tmp_path / "d", sharing="joint")
    book.add("0110", along(6, 95) + along(6, 105), "S1")
    (found,) = learn(book, snapshot).findings
    assert (found.change, found.area_code, found.other_area_code) == ("swap_sides", SOUTH, NORTH)
    assert (found.avoided, found.caused) == (12, 0)


def test_the_edge_of_a_drawn_area_that_is_drawn_too_narrow(book: Book, tmp_path: Path) -> None:
    drawn = plan_area("P1", shapely.box(X0 + 40, Y0 + 20, X0 + 160, Y0 + 60))
    rows = [*ROWS, plan("8", "territorial", "W2", kind="event", class_code="01", area_code="P1")]
    snapshot = open_district(
        tmp_path / "d", components=OPEN, responsibility=rows, plan_areas=[drawn]
    )
    book.add("0110", along(11, 68, 60, 140), "W2", category="not_our_area")  # 8 m outside
    book.add("0110", along(20, 50), "W2", returns=0)
    book.add("0110", along(20, 85), "C1", returns=0)
    (found,) = learn(book, snapshot).findings
    assert (found.kind, found.change) == ("border", "move_border")
    assert (found.area_code, found.other_area_code) == ("", "P1")
    assert (found.unit_code, found.to_unit_code, found.to_cases) == ("C1", "W2", 11)
    assert found.width_m == 8.0
    assert found.stretch.bounds[1] == found.stretch.bounds[3] == Y0 + 60
    told = document(learn(book, snapshot), snapshot.edition().directory)
    assert "border outside | P1" in told["findings"][0]["en"]


def test_a_stretch_of_the_border_of_trade_grids_drawn_on_the_wrong_side(
    book: Book, tmp_path: Path
) -> None:
    west = management_grid("HW1", A1, B1, trade="sanitation", geometry=box(0, 0, 100, 200))
    east = management_grid("HW2", A2, B2, trade="sanitation", geometry=box(100, 0, 200, 200))
    rows = [
        *ROWS,
        plan("8", "territorial", "W1", kind="event", class_code="0110", area_code="HW1"),
        plan("9", "territorial", "W2", kind="event", class_code="0110", area_code="HW2"),
    ]
    snapshot = open_district(
        tmp_path / "d", components=OPEN, responsibility=rows, management_grids=[west, east]
    )
    upright = [(92.0, y) for y, _ in along(11, 0)]  # 8 m west of the border, y from 50 to 150
    book.add("0110", upright, "W2", category="not_our_area")
    book.add("0110", [(40.0, y) for y, _ in along(20, 0)], "W1", returns=0)
    book.add(
        "0110", [(92.0, 175 + 3.0 * n) for n in range(8)], "W1", returns=0
    )  # all is well there
    (found,) = learn(book, snapshot).findings
    assert (found.kind, found.change) == ("border", "move_border")
    assert (found.area_code, found.other_area_code) == ("HW1", "HW2")
    assert (found.unit_code, found.to_unit_code) == ("W1", "W2")
    assert (found.to_cases, found.avoided, found.caused) == (11, 11, 0)
    assert found.width_m == 8.0
    west_m, south, east_m, north = found.stretch.bounds
    assert (west_m, east_m) == (X0 + 100, X0 + 100)
    assert (south, north) == (Y0 + 37.5, Y0 + 162.5)
    (told,) = records(learn(book, snapshot), snapshot.edition().directory)
    assert "HW1 | HW2" in told["en"]


def test_components_whose_records_name_a_unit_of_former_times(
    book: Book, snapshot: Snapshot
) -> None:
    for number in (1, 2):
        code = f"130102010400000{number}"
        place = [(20.0 * number, 30.0)] * 4
        book.add("0104", place, "G1", kind="component", component_code=code)
    book.add("0104", [(60, 30)], "W1", kind="component", returns=0, component_code=OPEN[2]["code"])
    (found,) = learn(book, snapshot).findings
    assert (found.kind, found.change, found.class_code) == ("record", "update_records", "0104")
    assert (found.unit_code, found.to_unit_code) == ("W1", "G1")
    assert found.components == (OPEN[0]["code"], OPEN[1]["code"])
    assert (found.avoided, found.caused) == (8, 1)


def test_a_class_that_is_taken_for_another(book: Book, snapshot: Snapshot) -> None:
    book.add("0201", along(7, 30), "W2", category="wrong_class")
    book.add("0201", along(20, 60), "D1", returns=0)
    (found,) = learn(book, snapshot).findings
    assert (found.kind, found.class_code, found.to_class_code) == ("class", "0201", "0203")
    assert (found.to_cases, found.cases, found.avoided) == (7, 27, 7)


def test_where_returns_are_not_told_the_handling_unit_speaks(
    book: Book, snapshot: Snapshot
) -> None:
    book.add("0405", along(8, 30), "W2", returns=0)
    (found,) = learn(book, snapshot).findings
    assert (found.rule, found.returned, found.to_cases) == ("1", 0, 8)


def test_sound_cases_and_no_cases_teach_nothing(book: Book, snapshot: Snapshot) -> None:
    assert learn(book, snapshot).findings == ()
    assert learn(book, snapshot).agreement["known"] == 0
    book.add("0405", along(50, 30), "W1", returns=0)
    book.add("0405", along(50, 60), "W1")  # sent back, and theirs all the same
    book.add("0405", along(4, 70), "W2")
    advice = learn(book, snapshot)
    assert advice.findings == ()
    assert (advice.agreement["known"], advice.agreement["agree"]) == (104, 100)


def test_advice_is_told_in_both_languages_and_drawn(
    book: Book, snapshot: Snapshot, tmp_path: Path
) -> None:
    book.add("0110", along(11, 92), "S1")
    book.add("0405", along(14, 30), "W2")
    advice = learn(book, snapshot)
    directory = snapshot.edition().directory
    listed = records(advice, directory)
    assert [record["kind"] for record in listed] == ["plan_row", "border"]
    assert "14 of 14 cases were finally handled by 自来水公司" in listed[0]["en"]
    assert "将单位由排水公司改为自来水公司" in listed[0]["zh"]
    assert document(advice, directory)["findings"][1]["stretch"].startswith("LINESTRING")
    for name in ("advice.xlsx", "advice.gpkg"):
        write_advice(advice, directory, tmp_path / name, crs=snapshot.crs)
    sheet = openpyxl.load_workbook(tmp_path / "advice.xlsx")["建议"]
    assert [sheet.cell(row, 3).value for row in (1, 2)] == ["职责行", "1"]
    drawn = read_vector(tmp_path / "advice.gpkg", target_crs=snapshot.crs).frame
    assert drawn["area_code"].tolist() == [SOUTH]
    assert drawn.geometry.iloc[0].length == pytest.approx(125.0)


def test_the_commands(book: Book, workspace: Workspace, tmp_path: Path) -> None:
    book.add("0405", along(14, 30), "W2")
    compile_district(workspace.snapshots, components=OPEN, responsibility=ROWS)
    runner, place = CliRunner(), ["--workspace", str(workspace.root)]
    told = {"WANMI_DATABASE_URL": book.database.url}

    def run(*words: str, code: int = 0) -> str:
        result = runner.invoke(wanmi.app, [*place, *words], env=told)
        assert result.exit_code == code, result.output
        return result.output

    assert "row 1: 14 of 14 cases" in run("plan", "advise", "-o", str(tmp_path / "a.gpkg"))
    assert "14 cases, of 14" in run("cases", "redecide", "-o", str(tmp_path / "all.csv"))
    assert (tmp_path / "all.csv").read_text("utf-8-sig").count("\n") == 15
    run("cases", "redecide", "-o", str(tmp_path / "all.xlsx"))
    book = pd.read_excel(tmp_path / "all.xlsx", sheet_name="案件", dtype=str, engine="openpyxl")
    assert len(book) == 14
    assert book["reported_at"].map(lambda text: datetime.fromisoformat(text).tzinfo).notna().all()
    for command in ("redecide", "duplicates"):
        refused = runner.invoke(wanmi.app, [*place, "cases", command, "-o", "all.txt"], env=told)
        assert isinstance(refused.exception, RequestError)
    assert "14 cases." in run("cases", "list", "--state", "closed")
    assert "0 pairs among 0 cases" in run("cases", "duplicates", "--closed")
