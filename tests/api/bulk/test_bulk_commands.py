"""`wanmi assign` and `wanmi geocode`: every row comes out with its answer, whatever file it came in."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from gis.database import Database
from gis.errors import CrsError, FileFormatError, RequestError
from gis.geoparquet import read_geoparquet
from tests.api.bulk_workspace import CHINESE, ROWS, make_workspace, run
from tests.api.district import A1, B2, PROFILE, X0, Y0


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("city"))


def chinese_csv(path: Path, *, encoding: str = "utf-8", rows: list[list[str]] = ROWS) -> Path:
    pd.DataFrame(rows, columns=CHINESE).to_csv(path, index=False, encoding=encoding)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "big5"])
def test_a_csv_with_chinese_headings_in_any_encoding(
    workspace: Path, tmp_path: Path, encoding: str
) -> None:
    rows = [["案" if encoding == "big5" else cell for cell in row[-1:]] for row in ROWS]
    told = [[*row[:-1], *last] for row, last in zip(ROWS, rows, strict=True)]
    header = [name.replace("标", "標").replace("类", "類") for name in CHINESE]
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    frame = pd.DataFrame(told, columns=header if encoding == "big5" else CHINESE)
    if encoding == "big5":
        frame.columns = ["case_id", "kind", "class_code", "X", "Y", "crs", "精度", "備註說明"]
        frame["kind"] = ["component", "event", "event"]
    frame.to_csv(source, index=False, encoding=encoding)
    printed = run(workspace, "assign", str(source), "-o", str(target), "--json")
    assert orjson.loads(printed)["rows"] == 3
    found = pd.read_csv(target, dtype=str, keep_default_na=False)
    assert found[list(frame.columns)].to_numpy().tolist() == frame.to_numpy().tolist()
    assert found["grid_code"].tolist() == [A1, B2, ""]
    assert found["unit_code"].tolist() == ["W1", "S1", "D1"]
    assert "not_located" in found["reasons"][2]
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_run_says_how_many_rows_want_a_person(workspace: Path, tmp_path: Path) -> None:
    rows = [*ROWS, ["四", *ROWS[0][1:3], "北", *ROWS[0][4:]]]
    source, target = chinese_csv(tmp_path / "in.csv", rows=rows), tmp_path / "out.csv"
    printed = run(workspace, "assign", str(source), "-o", str(target))
    found = pd.read_csv(target)
    nowhere, review = (found["location_source"] == "none").sum(), found["needs_review"].sum()
    assert 0 < nowhere <= review < len(rows)
    assert f"{nowhere} without a place, {review} to be looked at" in printed
    again = run(
        workspace, "assign", str(source), "-o", str(target), "--json", "--columns", "unit_code"
    )
    assert orjson.loads(again)["rows_doubted"] == {"unlocated": nowhere, "needs_review": review}
    sound = chinese_csv(tmp_path / "sound.csv", rows=ROWS[:1])
    assert "looked at" not in run(workspace, "assign", str(sound), "-o", str(target))


def test_parquet_in_parquet_out_keeps_types(workspace: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    frame = pd.DataFrame(
        {
            "case_id": [1, 2],
            "x": [X0 + 50, None],
            "y": [Y0 + 50, None],
            "crs": "city",
            "class_code": "0104",
            "component_code": [None, "1301020104000001"],
            "accuracy_m": 1.0,
            "tags": [["a", "b"], []],
            "seen": pd.to_datetime(["2026-01-01", "2026-01-02"]),
        }
    )
    frame.to_parquet(source)
    run(workspace, "assign", str(source), "-o", str(target))
    found = pd.read_parquet(target)
    assert found["case_id"].tolist() == [1, 2]
    assert found["unit_code"].tolist() == ["W1", "W1"]
    assert [list(tags) for tags in found["tags"]] == [["a", "b"], []]
    assert found["seen"].tolist() == frame["seen"].tolist()
    # A column of the file stays as it was; the answer of that name stands beside it.
    assert found["component_code"].tolist()[1] == "1301020104000001"
    assert found["decided_component_code"].tolist() == ["1301020104000001"] * 2
    assert found["needs_review"].tolist() == [False, False]
    assert found["probability"].dtype == float
    # What a table of text can not hold is written as JSON.
    run(workspace, "assign", str(source), "-o", str(tmp_path / "out.csv"))
    assert pd.read_csv(tmp_path / "out.csv")["tags"].tolist() == ['["a","b"]', "[]"]


@pytest.mark.parametrize("suffix", [".gpkg", ".geoparquet"])
def test_decided_cases_are_points_in_the_city_s_crs(
    workspace: Path, tmp_path: Path, suffix: str
) -> None:
    source, target = chinese_csv(tmp_path / "in.csv"), tmp_path / f"out{suffix}"
    run(workspace, "assign", str(source), "-o", str(target), "--columns", "unit_code,reasons")
    if suffix == ".gpkg":
        found = gpd.read_file(target)
        points, crs = found.geometry.to_numpy(), found.crs.to_epsg()
        assert found.columns.tolist() == [*CHINESE, "unit_code", "reasons", "geometry"]
    else:
        found, wkb, text = read_geoparquet(target)
        points, crs = shapely.from_wkb(wkb), gpd.GeoSeries([], crs=text).crs.to_epsg()
    assert crs == 4547
    assert found["unit_code"].tolist() == ["W1", "S1", "D1"]
    assert [points[0].x, points[0].y] == [X0 + 50, Y0 + 50]
    assert points[2] is None
    assert found["备注"].tolist() == [row[-1] for row in ROWS]


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".geojson", ".shp", ".geoparquet"])
def test_points_of_a_layer_are_positions(workspace: Path, tmp_path: Path, suffix: str) -> None:
    points = gpd.points_from_xy([X0 + 50, X0 + 150], [Y0 + 50, Y0 + 150], crs="EPSG:4547")
    frame = gpd.GeoDataFrame({"class_code": ["0104", "0103"]}, geometry=points)
    source, target = tmp_path / f"in{suffix}", tmp_path / "out.csv"
    if suffix == ".geoparquet":
        frame.to_parquet(source)
    elif suffix == ".geojson":
        frame.to_crs("EPSG:4326").to_file(source)
    else:
        # With an index FlatGeobuf puts its rows in another order.
        frame.to_file(source, **({"SPATIAL_INDEX": "NO"} if suffix == ".fgb" else {}))
    run(workspace, "assign", str(source), "-o", str(target))
    found = pd.read_csv(target, dtype=str)
    assert found["grid_code"].tolist() == [A1, B2]
    assert found["unit_code"].tolist()[0] == "W1"
    assert "geometry" not in found.columns


def test_a_workbook_is_read(workspace: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.xlsx"
    pd.DataFrame(ROWS, columns=CHINESE).to_excel(source, index=False)
    run(workspace, "assign", str(source), "-o", str(tmp_path / "out.csv"))
    found = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
    assert found["unit_code"].tolist() == ["W1", "S1", "D1"]


def test_one_crs_and_one_day_for_all_rows(workspace: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    rows = [[X0 + 50, Y0 + 50, "", ""], [114.0, 37.9, "EPSG:4326", "2026-01-01"]]
    pd.DataFrame(rows, columns=["x", "y", "crs", "as_of"]).to_csv(source, index=False)
    run(workspace, "assign", str(source), "-o", str(target), "--crs", "city")
    assert pd.read_csv(target, dtype=str)["grid_code"].tolist()[0] == A1
    # On a day before the city had grids no grid is found; a row's own day goes before the option.
    options = ["--crs", "city", "--as-of", "2024-01-01"]
    run(workspace, "assign", str(source), "-o", str(target), *options)
    found = pd.read_csv(target, dtype=str, keep_default_na=False)
    assert "no_grids" in found["reasons"][0]
    assert "no_grids" not in found["reasons"][1]
    for wrong in (["--crs", "EPSG:1"], ["--as-of", "gestern"], ["--columns", "nonsense"]):
        with pytest.raises(RequestError):
            run(workspace, "assign", str(source), "-o", str(target), *wrong)


@pytest.mark.parametrize(
    ("columns", "east_first"),
    [
        (["X坐标", "Y坐标"], True),
        (["X坐标", "Y坐标"], False),  # as surveyors write: X is north
        (["经度", "纬度"], False),
        (["横坐标", "纵坐标"], True),
    ],
)
def test_east_and_north_are_told_apart_by_where_the_city_is(
    workspace: Path, tmp_path: Path, columns: list[str], east_first: bool
) -> None:
    places = np.array([[X0 + 50, Y0 + 50], [X0 + 150, Y0 + 150]])
    if "经度" in columns:
        from gis.crs import transform_xy

        lon, lat = transform_xy(*places.T, source="EPSG:4547", target="EPSG:4326")
        places = np.column_stack([lon, lat])
    frame = pd.DataFrame(places if east_first else places[:, ::-1], columns=columns)
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    frame.to_csv(source, index=False)
    crs = "EPSG:4326" if "经度" in columns else "city"
    printed = run(workspace, "assign", str(source), "-o", str(target), "--crs", crs, "--json")
    assert pd.read_csv(target, dtype=str)["grid_code"].tolist() == [A1, B2]
    notes = orjson.loads(printed)["notes"]
    assert notes == [] if east_first else "other way round" in notes[0]


def test_a_file_that_says_no_place_is_told(workspace: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("编号,JD,WD\n1,114.4,38.0\n", encoding="utf-8")
    printed = run(workspace, "assign", str(source), "-o", str(tmp_path / "out.csv"))
    assert "No column says where a case is (there are: 编号, JD, WD)" in printed
    named = ["--field", "x=JD", "--field", "y=WD"]
    printed = run(workspace, "assign", str(source), "-o", str(tmp_path / "out.csv"), *named)
    assert "No column" not in printed


def test_a_workbook_called_csv_is_told(workspace: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    with source.open("wb") as file:
        pd.DataFrame(ROWS, columns=CHINESE).to_excel(file, index=False)
    with pytest.raises(FileFormatError, match=r"in\.csv is no text but an Excel workbook"):
        run(workspace, "assign", str(source), "-o", str(tmp_path / "out.csv"))


def test_metres_taken_for_degrees_are_told(workspace: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    pd.DataFrame({"x": [X0 + 50], "y": [Y0 + 50]}).to_csv(source, index=False)
    printed = run(workspace, "assign", str(source), "-o", str(tmp_path / "out.csv"))
    assert "--crs" in printed


@pytest.mark.parametrize("suffix", ["gpkg", "fgb", "shp"])
@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_shapes_without_a_crs_are_asked_for_it(
    workspace: Path, tmp_path: Path, suffix: str
) -> None:
    points = gpd.points_from_xy([X0 + 50], [Y0 + 50])
    source, target = tmp_path / f"in.{suffix}", tmp_path / "out.csv"
    gpd.GeoDataFrame({"id": [1]}, geometry=points).to_file(source)
    with pytest.raises(CrsError, match=r"state it with --crs") as raised:
        run(workspace, "assign", str(source), "-o", str(target))
    assert "请用 --crs 指明" in raised.value.zh
    assert not target.exists()
    for crs in ("city", "EPSG:4547"):
        run(workspace, "assign", str(source), "-o", str(target), "--crs", crs)
        assert pd.read_csv(target, dtype=str)["grid_code"].tolist() == [A1]


@pytest.mark.parametrize(
    ("suffix", "crs", "said"),
    [
        ("gpkg", "EPSG:4326", "(in the file with QGIS: Set Layer CRS)"),
        ("parquet", "EPSG:4326", "(in the file with QGIS: Set Layer CRS)"),
        ("parquet", None, "state it with --crs"),
    ],
)
def test_shapes_in_a_wrong_crs_are_told(
    workspace: Path, tmp_path: Path, suffix: str, crs: str | None, said: str
) -> None:
    points = gpd.points_from_xy([X0 + 50], [Y0 + 50], crs=crs)
    source = tmp_path / f"in.{suffix}"
    frame = gpd.GeoDataFrame({"id": [1]}, geometry=points)
    frame.to_parquet(source) if suffix == "parquet" else frame.to_file(source)
    printed = run(workspace, "assign", str(source), "-o", str(tmp_path / "out.csv"))
    assert "Hardly any position" in printed
    assert said in printed


@pytest.mark.parametrize("x", ["500,050.0", "114°00′02″", "114.0E", "东经114"])
def test_positions_that_are_no_numbers_are_told(workspace: Path, tmp_path: Path, x: str) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(f'案件编号,经度,纬度\n1,"{x}",38\n', encoding="utf-8")
    printed = run(workspace, "assign", str(source), "-o", str(target))
    assert f'经度 holds "{x}"; write plain decimal numbers' in printed
    assert "position_invalid" in pd.read_csv(target)["reasons"][0]


def test_full_width_digits_are_digits(workspace: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    wide = str.maketrans("0123456789.", "０１２３４５６７８９．")
    rows = [["0104", X0 + 50, Y0 + 50, "city"], *[["0104", X0 + 150, Y0 + 150, "city"]] * 2]
    cells = [[str(cell) for cell in row] for row in rows]
    cells[0][:3] = [cell.translate(wide) for cell in cells[0][:3]]
    pd.DataFrame(cells, columns=["小类代码", "x", "y", "crs"]).to_csv(source, index=False)
    run(workspace, "assign", str(source), "-o", str(target))
    found = pd.read_csv(target, dtype=str, keep_default_na=False)
    assert found["grid_code"].tolist() == [A1, B2, B2]
    assert found["reasons"][0] == ""
    assert found["x"][0] == cells[0][1]  # as it was delivered


def test_two_columns_for_one_want_a_word(workspace: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text(f"X,经度,y,crs\n{X0 + 50},0,{Y0 + 50},city\n", encoding="utf-8")
    with pytest.raises(RequestError, match=r"--field .*, as x=X"):
        run(workspace, "assign", str(source), "-o", str(target))
    run(workspace, "assign", str(source), "-o", str(target), "--field", "x=X")
    assert pd.read_csv(target, dtype=str)["grid_code"].tolist() == [A1]
    with pytest.raises(RequestError, match="--field"):
        run(workspace, "assign", str(source), "-o", str(target), "--field", "x")


def test_output_decided_again_keeps_both_answers(workspace: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    run(workspace, "assign", str(chinese_csv(tmp_path / "in.csv")), "-o", str(first))
    run(
        workspace,
        "assign",
        str(first),
        "-o",
        str(second),
        "--field",
        "component_code=component_code",
    )
    found = pd.read_csv(second, dtype=str)
    assert found["decided_grid_code"].equals(found["grid_code"])


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".geoparquet", ".gpkg"])
def test_a_header_alone_gives_a_header(workspace: Path, tmp_path: Path, suffix: str) -> None:
    source, target = tmp_path / "in.csv", tmp_path / f"out{suffix}"
    source.write_text("案件编号,X,Y\n", encoding="utf-8")
    run(workspace, "assign", str(source), "-o", str(target))
    if suffix == ".csv":
        found = pd.read_csv(target)
    elif suffix == ".gpkg":
        found = gpd.read_file(target)
    else:
        found = pq.read_table(target).to_pandas()
    assert len(found) == 0
    assert {"案件编号", "grid_code", "unit_code"} <= set(found.columns)


def test_addresses_are_located(workspace: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    pd.DataFrame({"地址": ["长安区人民医院附近", "北京市人民医院", ""]}).to_csv(source, index=False)
    for named in (["--column", "地址"], []):
        run(workspace, "geocode", str(source), "-o", str(target), *named)
        found = pd.read_csv(target, dtype=str, keep_default_na=False)
        assert found["place_code"].tolist() == ["h", "", ""]
        assert found["grid_code"].tolist() == [B2, "", ""]
        assert float(found["location_x"][0]) == X0 + 150
    run(workspace, "geocode", str(source), "-o", str(tmp_path / "out.gpkg"))
    points = gpd.read_file(tmp_path / "out.gpkg").geometry
    assert [points[0].x, points[1]] == [X0 + 150, None]
    with pytest.raises(RequestError, match="--column"):
        run(workspace, "geocode", str(source), "-o", str(target), "--column", "nothing")


def test_snapshot_and_recorded_cases_from_the_command_line(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wanmi.toml").write_text(PROFILE, encoding="utf-8")
    monkeypatch.setenv("WANMI_DATABASE_URL", database.url)
    told = orjson.loads(run(tmp_path, "snapshot", "--json"))
    assert told["counts"]["unit_grids"] == 0
    assert (tmp_path / "snapshots" / "current").read_text().strip() == told["version"]
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO cases.case (case_id, kind, class_code, reported_at, needs_review, state, request_hash)"
            " VALUES ('a', 'event', '0103', now(), false, 'received', 'h')"
        )
    assert orjson.loads(run(tmp_path, "assign", "--stored", "--json"))["rows"] == 1
    assert run(tmp_path, "assign", "--stored").startswith("0 recorded cases")
    with pytest.raises(RequestError, match="--stored"):
        run(tmp_path, "assign", "--stored", "x.csv")
    with pytest.raises(RequestError, match="-o"):
        run(tmp_path, "assign", "x.csv")
