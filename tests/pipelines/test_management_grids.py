"""Management grids delivered as tables and polygons, judged, replaced, carried along, rolled back."""

from datetime import date

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from gis.builds import live, rollback
from gis.vector import write_vector
from pipelines import evaluation_grids, management_grids
from pipelines.build import BuildOptions, build_delivery
from tests.pipelines.town import (
    AS_OF,
    CRS,
    GRIDS,
    areas,
    context,
    frame,
    grids,
    rectangle,
    rules_of,
    write_manifest,
)

JULY = date(2026, 7, 1)
A1, A2, B1, B2 = GRIDS


def no_sets(series: str) -> gpd.GeoDataFrame:
    columns = ["code", series, "area_code", "members", "initial_date"]
    return gpd.GeoDataFrame(
        {name: pd.Series(dtype=object) for name in columns}, geometry=gpd.GeoSeries([], crs=CRS)
    )


def judged(tmp_path, rows, module=management_grids, **more):
    known = {"management_grids": no_sets("trade"), "evaluation_grids": no_sets("kind")} | more
    return module.transform(frame(rows, file="网格.xlsx"), context(tmp_path, **known))


def row(code, members, **values):
    told = {"code": code, "trade": "环卫", "members": members, "unit_code": "U1"}
    return told | values


def test_the_union_area_and_unit_are_worked_out(tmp_path):
    outcome = judged(tmp_path, [row("HW1", f"{A1}-002"), row("HW2", "130102001002")])
    assert rules_of(outcome.faults) == []
    rows = outcome.accepted.set_index("code")
    assert rows.loc["HW1", "members"] == [A1, A2]
    assert rows.loc["HW1", "trade"] == "sanitation"
    assert rows.loc["HW1", ["area_code", "area_m2", "unit_name"]].tolist() == [
        "130102001001",
        40_000.0,
        "排水公司",
    ]
    assert rows.loc["HW2", "members"] == [B1, B2]
    assert rows.geometry["HW2"].equals(shapely.MultiPolygon([rectangle(200, 0, 400, 200)]))
    assert rows.loc["HW1", "initial_date"] == AS_OF


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(None, "130102001")], [(1, "MG01")]),
        ([row("环卫一", "130102001")], [(1, "MG01")]),
        ([row("X", "130102001"), row("X", "130102001", trade="园林")], [(2, "MG02")]),
        ([row(A1, "130102001")], [(1, "MG02")]),
        ([row("130102001", "130102001")], [(1, "MG02")]),
        ([row("X", "130102001", trade="养老")], [(1, "MG03")]),
        ([row("X", None)], [(1, "MG04")]),
        ([row("X", f"130102001,{A1[:-3]}999")], [(1, "MG05")]),
        ([row("X", f"{A1} {A2}"), row("Y", "130102001")], [(1, "MG09"), (2, "MG07")]),
        (
            [row("X", f"{A1}、{B1}"), row("Y", f"{A2}、{B2}", trade="绿化")],
            [(1, "MG08"), (2, "MG08")],
        ),
        ([row("X", f"{A1}；{A2}；{B1}")], [(1, "MG09")]),
        ([row("X", "130102001", unit_code="U9")], [(1, "MG11")]),
        ([row("X", "130102001", unit_code=None)], [(1, "MG12")]),
        ([row("X", "130102001", grid_phone="找老王")], [(1, "MG15")]),
    ],
)
def test_each_rule_finds_its_fault_and_leaves_the_rest(tmp_path, rows, expected):
    assert rules_of(judged(tmp_path, rows).faults) == expected


def test_other_streets_left_out_are_told_and_other_districts_are_refused(tmp_path):
    more = grids().rename(columns={"DYWGBSM": "code"})
    more["code"] = [A1, A2, "130102002001001", "130104001001001"]
    outcome = judged(tmp_path, [row("X", f"{A1}-002")], unit_grids=more)
    assert rules_of(outcome.faults) == [(1, "MG10")]
    assert "130102002" in outcome.faults["reason_en"].iloc[0]
    assert "130104001" not in outcome.faults["reason_en"].iloc[0]
    across = judged(tmp_path, [row("X", "130102 130104")], unit_grids=more)
    assert rules_of(across.faults) == [(1, "MG13")]


def test_a_telephone_number_is_not_told_in_a_reason(tmp_path):
    outcome = judged(tmp_path, [row("X", "130102001", grid_phone="138x0011")])
    assert "138" not in outcome.faults["reason_en"].iloc[0] + outcome.faults["reason_zh"].iloc[0]


def test_trades_overlap_and_one_trade_does_not(tmp_path):
    rows = [row("HW", "130102001"), row("YL", "130102001", trade="园林绿化")]
    assert len(judged(tmp_path, rows).accepted) == 2


def test_rows_that_list_unit_grids_one_by_one_are_one_grid(tmp_path):
    rows = [row("HW1", A1), row("HW1", A2, unit_code=None), row("HW2", B1), row("HW2", B2)]
    outcome = judged(tmp_path, rows)
    assert rules_of(outcome.faults) == []
    assert outcome.accepted["members"].tolist() == [[A1, A2], [B1, B2]]
    assert outcome.accepted["source_row"].tolist() == [1, 3]


def test_polygons_take_the_unit_grids_that_lie_in_them_for_the_most_part(tmp_path):
    rows = [
        row("HW1", None, geometry=rectangle(0, 0, 130, 200)),  # A2 only to 30 %
        row("HW2", None, geometry=rectangle(100, 0, 400, 200)),
    ]
    outcome = judged(tmp_path, rows)
    assert outcome.accepted["members"].tolist() == [[A1], [A2, B1, B2]]
    assert rules_of(outcome.faults) == [(1, "MG14")]
    # Drawn 130 x 200, its unit grid 100 x 200: 30/130 of what was drawn.
    assert "23%" in outcome.faults["reason_en"].iloc[0]


def test_an_evaluation_grid_may_be_made_of_management_grids_and_in_pieces(tmp_path):
    sets = judged(tmp_path, [row("HW1", f"{A1}-002"), row("HW2", f"{B1} {B2}")]).accepted
    rows = [{"code": "E1", "kind": "A", "members": f"HW1,{B2}", "unit_code": "U1"}]
    outcome = judged(tmp_path, rows, evaluation_grids, management_grids=sets)
    assert outcome.accepted["members"].tolist() == [[A1, A2, B2]]
    assert rules_of(outcome.faults) == [(1, "EG08"), (1, "EG09")]


@pytest.fixture
def town(tmp_path, monkeypatch):
    """A delivery of areas, unit grids, units and management grids of two trades."""
    folder = tmp_path / "delivery"
    folder.mkdir()
    write_vector(areas(), folder / "areas.gpkg")
    write_vector(grids(), folder / "grids.gpkg")
    pd.DataFrame({"单位编码": ["U1"], "单位名称": ["环卫处"], "类型": ["部门"]}).to_csv(
        folder / "units.csv", index=False
    )
    table = pd.DataFrame(
        {
            "管理网格编码": ["HW1", "HW2", "YL1"],
            "行业": ["环卫", "环卫", "园林"],
            "单元网格": [f"{A1}、{A2}", f"{B1}-002", "130102001"],
            "责任单位": ["环卫处", "环卫处", "环卫处"],
            "网格长": ["张三", None, None],
            "联系电话": ["13800138000", None, None],
        }
    )
    table.to_excel(folder / "网格.xlsx", index=False)
    write_manifest(
        folder,
        [
            {"dataset": "areas", "path": "areas.gpkg"},
            {"dataset": "unit_grids", "path": "grids.gpkg"},
            {"dataset": "units", "path": "units.csv"},
            {"dataset": "management_grids", "path": "网格.xlsx"},
        ],
    )
    return folder


def test_a_split_of_a_unit_grid_is_carried_along_and_rolled_back(town, workspace, database):
    reports = {report.dataset: report for report in build_delivery(town, workspace=workspace)}
    assert (reports["management_grids"].status, reports["management_grids"].rows_opened) == (
        "built",
        3,
    )
    before = live(database, "management_grids")
    assert before.set_index("code").loc["HW1", ["grid_person", "grid_phone"]].tolist() == [
        "张三",
        "13800138000",
    ]
    again = {report.dataset: report for report in build_delivery(town, workspace=workspace)}
    assert again["management_grids"].status == "unchanged"

    split = grids()
    split.loc[1, "DYWGBSM"] = "130102001001003"
    split.loc[1, "geometry"] = rectangle(100, 0, 200, 100)
    more = split.iloc[[1]].assign(DYWGBSM="130102001001004")
    more = more.set_geometry([rectangle(100, 100, 200, 200)], crs=CRS)
    (town / "grids.gpkg").unlink()
    write_vector(pd.concat([split, more], ignore_index=True), town / "grids.gpkg")
    write_manifest(town, [{"dataset": "unit_grids", "path": "grids.gpkg"}], as_of=JULY)
    reports = {report.dataset: report for report in build_delivery(town, workspace=workspace)}
    report = reports["management_grids"]
    assert (report.status, report.rows_opened, report.rows_closed) == ("built", 2, 2)
    assert {fault["rule"]: fault["rows"] for fault in report.faults} == {"MG16": 2}
    rows = live(database, "management_grids").set_index("code")
    parts = ["130102001001003", "130102001001004"]
    assert rows.loc["HW1", "members"] == [A1, *parts]
    assert rows.loc["HW2", "members"] == [B1, B2]
    assert rows.loc["YL1", "members"] == [A1, *parts, B1, B2]
    assert rows.loc["HW1", "origin"] == "carried"
    assert rows.loc["HW1", "grid_person"] == "张三"
    assert rows.loc["HW1", "area_m2"] == 40_000.0
    old = live(database, "management_grids", as_of=AS_OF).set_index("code")
    assert old.loc["HW1", "members"] == [A1, A2]
    table = pd.DataFrame(
        {"编码": ["HW7"], "行业": ["环卫"], "单元网格": [A2], "责任单位": ["环卫处"]}
    )
    table.to_excel(town / "网格.xlsx", index=False)
    layer = {"dataset": "management_grids", "path": "网格.xlsx"}
    write_manifest(town, [layer], as_of=JULY)
    dry = BuildOptions(dry_run=True)
    faults = build_delivery(town, workspace=workspace, options=dry)[0].faults
    assert [fault["rule"] for fault in faults] == ["MG06"]
    rollback(database, report.build_id, actor="test")
    pd.testing.assert_frame_equal(
        pd.DataFrame(live(database, "management_grids")), pd.DataFrame(before)
    )


def test_a_trade_is_replaced_and_the_others_stay(town, workspace, database):
    build_delivery(town, workspace=workspace)
    pd.DataFrame(
        {"编码": ["HW9"], "行业": ["环卫"], "单元网格": ["130102001"], "责任单位": ["U1"]}
    ).to_excel(town / "网格.xlsx", index=False)
    layer = {
        "dataset": "management_grids",
        "path": "网格.xlsx",
        "fields": {"unit_code": "责任单位"},
    }
    write_manifest(town, [layer], as_of=JULY)
    build_delivery(town, workspace=workspace)
    assert live(database, "management_grids")["code"].tolist() == ["HW9", "YL1"]


def test_an_update_may_not_take_what_another_grid_holds(town, workspace, database):
    build_delivery(town, workspace=workspace)
    pd.DataFrame(
        {"编码": ["HW9"], "行业": ["环卫"], "单元网格": [A1], "责任单位": ["环卫处"]}
    ).to_excel(town / "网格.xlsx", index=False)
    layer = {"dataset": "management_grids", "path": "网格.xlsx", "mode": "update"}
    write_manifest(town, [layer], as_of=JULY)
    report = {r.dataset: r for r in build_delivery(town, workspace=workspace)}["management_grids"]
    assert [fault["rule"] for fault in report.faults] == ["MG07"]
    assert len(live(database, "management_grids")) == 3
