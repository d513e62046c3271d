"""Files of cases: every row comes out, in order; nothing half written; stopped runs go on."""

from pathlib import Path

import orjson
import pandas as pd
import pytest
from typer.testing import CliRunner

from api.bulk import work_through
from api.cli import register
from gis.command import make_app
from gis.database import Database
from gis.errors import EncodingError, RequestError
from tests.api.district import A1, B2, PROFILE, X0, Y0, compile_district, component, place, point

CHINESE = ["案件编号", "类型", "类别代码", "X", "Y", "坐标系", "精度", "备注"]
ROWS = [
    ["0001", "部件", "0104", str(X0 + 50), str(Y0 + 50), "city", "1", "a,b"],
    ["0002", "事件", "0103", str(X0 + 150), str(Y0 + 150), "city", "1", '说"好"'],
    ["0003", "事件", "0103", "", "", "", "", "两\n行"],
]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "wanmi.toml").write_text(PROFILE, encoding="utf-8")
    compile_district(
        tmp_path / "snapshots",
        components=[component("1301020104000001", point(50, 50), maintainer_code="W1")],
        places=[place("h", "poi", "人民医院", point(150, 150))],
    )
    return tmp_path


def run(workspace: Path, *arguments: str) -> str:
    app = make_app()
    register(app)
    result = CliRunner().invoke(app, ["-w", str(workspace), *arguments])
    if result.exception:
        raise result.exception
    return result.output


def numbered(chunk: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"twice": chunk["case_id"].astype(int) * 2}, index=chunk.index)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_with_chinese_headings_in_any_encoding(workspace: Path, encoding: str) -> None:
    source, target = workspace / "in.csv", workspace / "out.csv"
    pd.DataFrame(ROWS, columns=CHINESE).to_csv(source, index=False, encoding=encoding)
    printed = run(workspace, "assign", str(source), "-o", str(target), "--json")
    assert '"rows": 3' in printed
    found = pd.read_csv(target, dtype=str, keep_default_na=False)
    assert found[CHINESE].to_numpy().tolist() == ROWS
    assert found["grid_code"].tolist() == [A1, B2, ""]
    assert found["unit_code"].tolist() == ["W1", "S1", "D1"]
    assert "not_located" in found["reasons"][2]
    assert [p.name for p in workspace.iterdir() if p.name.startswith(".")] == []


def test_parquet_in_parquet_out_keeps_types(workspace: Path) -> None:
    source, target = workspace / "in.parquet", workspace / "out.parquet"
    frame = pd.DataFrame(
        {
            "case_id": [1, 2],
            "x": [X0 + 50, None],
            "y": [Y0 + 50, None],
            "crs": "city",
            "class_code": "0104",
            "component_code": [None, "1301020104000001"],
            "accuracy_m": 1.0,
        }
    )
    frame.to_parquet(source)
    run(workspace, "assign", str(source), "-o", str(target))
    found = pd.read_parquet(target)
    assert found["case_id"].tolist() == [1, 2]
    assert found["unit_code"].tolist() == ["W1", "W1"]
    # A column of the file stays as it was; the answer of that name stands beside it.
    assert found["component_code"].tolist()[1] == "1301020104000001"
    assert found["decided_component_code"].tolist() == ["1301020104000001"] * 2
    assert found["needs_review"].tolist() == [False, False]
    assert found["probability"].dtype == float


def test_addresses_are_located(workspace: Path) -> None:
    source, target = workspace / "in.csv", workspace / "out.csv"
    pd.DataFrame({"地址": ["长安区人民医院附近", "北京市人民医院", ""]}).to_csv(source, index=False)
    run(workspace, "geocode", str(source), "-o", str(target), "--column", "地址")
    found = pd.read_csv(target, dtype=str, keep_default_na=False)
    assert found["place_code"].tolist() == ["h", "", ""]
    assert found["grid_code"].tolist() == [B2, "", ""]
    assert float(found["location_x"][0]) == X0 + 150
    with pytest.raises(RequestError, match="--column"):
        run(workspace, "geocode", str(source), "-o", str(target), "--column", "nothing")


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    pd.DataFrame({"case_id": range(25)}).to_csv(source, index=False)
    seen: list[int] = []

    def stops(chunk: pd.DataFrame) -> pd.DataFrame:
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(len(chunk))
        return numbered(chunk)

    with pytest.raises(KeyboardInterrupt):
        work_through(source, target, work=stops, signature="v1", chunk_rows=10)
    assert not target.exists()
    seen = []
    done = work_through(source, target, work=stops, signature="v1", chunk_rows=10)
    assert (done.rows, done.rows_resumed, seen) == (25, 20, [5])
    assert pd.read_csv(target)["twice"].tolist() == [2 * number for number in range(25)]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["in.csv", "out.csv"]


def test_parts_of_other_work_are_thrown_away(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    pd.DataFrame({"case_id": range(3)}).to_csv(source, index=False)

    def stops(chunk: pd.DataFrame) -> pd.DataFrame:
        if chunk["case_id"].iloc[0] != "0":
            raise KeyboardInterrupt
        return numbered(chunk)

    with pytest.raises(KeyboardInterrupt):
        work_through(source, target, work=stops, signature="v1", chunk_rows=1)
    done = work_through(source, target, work=numbered, signature="v2", chunk_rows=1)
    assert (done.rows, done.rows_resumed) == (3, 0)


def test_an_existing_output_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    pd.DataFrame({"case_id": range(3)}).to_csv(source, index=False)
    target.write_text("old")

    def fails(chunk: pd.DataFrame) -> pd.DataFrame:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        work_through(source, target, work=fails, signature="v1")
    assert target.read_text() == "old"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("in.csv", b""),
        ("in.parquet", b"PAR1"),
        ("in.parquet", b""),
        ("in.txt", b"a\n1\n"),
        ("in.csv", None),
    ],
)
def test_files_that_can_not_be_read_are_told(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RequestError):
        work_through(tmp_path / name, tmp_path / "out.csv", work=numbered, signature="v1")


def test_ragged_lines_and_damaged_bytes_are_told(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(b"case_id\n1\n2,3,4\n")
    with pytest.raises(RequestError, match="CSV"):
        work_through(source, tmp_path / "out.csv", work=numbered, signature="v1")
    source.write_bytes(b"case_id,x\n1,\xff\xfe\xff\n" * 3)
    with pytest.raises((RequestError, EncodingError)):
        work_through(source, tmp_path / "out.csv", work=numbered, signature="v1")


def test_a_header_alone_gives_a_header(workspace: Path) -> None:
    source, target = workspace / "in.csv", workspace / "out.csv"
    source.write_text("案件编号,X,Y\n", encoding="utf-8")
    run(workspace, "assign", str(source), "-o", str(target))
    found = pd.read_csv(target)
    assert found.empty
    assert {"案件编号", "grid_code", "unit_code"} <= set(found.columns)


def test_columns_empty_in_one_chunk_and_not_in_another(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
    pd.DataFrame({"case_id": range(4), "note": [None, None, "x", None]}).to_csv(source, index=False)

    def work(chunk: pd.DataFrame) -> pd.DataFrame:
        odd = chunk["case_id"].astype(int) > 1
        return pd.DataFrame({"value": [0.5 if o else None for o in odd]}, index=chunk.index)

    work_through(source, target, work=work, signature="v1", chunk_rows=2)
    found = pd.read_parquet(target)
    assert found["note"].tolist()[2] == "x"
    assert found["value"].tolist()[2:] == [0.5, 0.5]


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
