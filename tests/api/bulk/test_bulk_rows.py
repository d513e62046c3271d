"""Rows that a CSV file should not have: all are in the output, each says what is wrong with it."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.bulk.run import BulkResult, Plan, work_through
from gis.errors import EncodingError, RequestError
from tests.api.bulk_workspace import numbered


def worked(folder: Path, content: bytes, **plan: Any) -> tuple[BulkResult, pd.DataFrame]:
    source, target = folder / "in.csv", folder / "out.csv"
    source.write_bytes(content)
    done = work_through(source, target, work=numbered, signature="v1", plan=Plan(**plan))
    return done, pd.read_csv(target, dtype=str, keep_default_na=False)


@pytest.mark.parametrize("span_rows", [1, 2, 3, 100])
def test_bad_rows_keep_their_places_and_are_told_by_line(tmp_path: Path, span_rows: int) -> None:
    lines = [
        "case_id,note,more",
        "1,good,",
        "2,short",
        '3,"two\nlines",x',
        "4,one,two,three",
        '5,"open,x',
        "6,nul\0inside,",
        "7,trailing,,,",
        "",
        '8,said "so",x',
    ]
    content = (
        "\ufeff".encode() + "\n".join(lines).encode() + b"\n9,\xb0\xa1,gbk\n10,caf\xe9\xff,latin\n"
    )
    done, found = worked(tmp_path, content, span_rows=span_rows)
    assert found["case_id"].tolist() == [str(number) for number in range(1, 11)]
    assert done.rows == 10
    assert found["note"].tolist() == [
        "good", "short", "two\nlines", "one", '"open', "nulinside", "trailing", 'said "so"', "啊",
        "caf\ufffd\ufffd",
    ]  # fmt: skip
    assert found["more"].tolist()[3] == "two,three"
    damaged, lost = "row_damaged", "row_unreadable"
    assert found["reasons"].tolist() == [
        "",
        damaged,
        "",
        lost,
        damaged,
        damaged,
        "",
        "",
        *[damaged] * 2,
    ]
    assert (found["needs_review"] == "true").tolist() == (found["reasons"] != "").tolist()
    # Nothing is asked of a row whose cells may stand under other columns than their own.
    assert found["twice"].tolist() == ["2", "4", "6", "", "10", "12", "14", "16", "18", "20"]
    assert done.rows_troubled == {damaged: 5, lost: 1}
    assert done.lines_troubled == (
        (3, damaged), (6, lost), (7, damaged), (8, damaged), (12, damaged), (13, damaged),
    )  # fmt: skip


def test_gbk_that_begins_after_a_megabyte_of_ascii(tmp_path: Path) -> None:
    plain = b"".join(b"%d,plain text\n" % number for number in range(90_000))
    done, found = worked(
        tmp_path, b"case_id,note\n" + plain + "90000,石家庄市的案件\n".encode("gbk") * 9000
    )
    assert found["note"].tolist()[-1] == "石家庄市的案件"
    assert done.rows_troubled == {}


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(tmp_path: Path, delimiter: str, ending: str) -> None:
    rows = [["case_id", "note"], ["1", "x"], ["2", ""]]
    text = ending.join(delimiter.join(row) for row in rows)
    _, found = worked(tmp_path, text.encode())
    assert found[["case_id", "note"]].to_numpy().tolist() == rows[1:]


def test_columns_without_a_name_of_their_own(tmp_path: Path) -> None:
    _, found = worked(tmp_path, b"case_id,note,,note,twice\n1,a,b,c,d\n")
    assert found.columns.tolist() == [
        "case_id", "note", "column_3", "note_2", "twice", "decided_twice", "reasons", "needs_review",
    ]  # fmt: skip
    assert found.loc[0].tolist() == ["1", "a", "b", "c", "d", "2", "", "false"]


def test_names_and_texts_that_a_spreadsheet_takes_for_formulas(tmp_path: Path) -> None:
    _, found = worked(tmp_path, b"case_id,=1+1,@a\n1,=2+2,-3.5\n2,x,-y\n")
    assert found.columns.tolist()[:3] == ["case_id", "'=1+1", "'@a"]
    assert found.iloc[:, :3].to_numpy().tolist() == [["1", "'=2+2", "-3.5"], ["2", "x", "'-y"]]


def test_columns_that_a_geopackage_takes_for_one(tmp_path: Path) -> None:
    import geopandas as gpd

    def placed(table: pa.Table, begun: Any) -> pa.Table:
        half = pa.array([0.5] * table.num_rows, pa.float64())
        answers = numbered(table, begun)
        return answers.append_column("location_x", half).append_column("location_y", half)

    source, target = tmp_path / "in.csv", tmp_path / "out.gpkg"
    source.write_text("case_id,ID,id,fid,geom,geometry\n1,a,b,7,c,d\n2,a,b,7,c,d\n")
    work_through(source, target, work=placed, signature="v1")
    found = gpd.read_file(target)
    own = ["case_id", "ID", "id_2", "fid", "geom", "geometry_2"]
    assert found[own].to_numpy().tolist() == [
        ["1", "a", "b", "7", "c", "d"],
        ["2", "a", "b", "7", "c", "d"],
    ]
    assert found.geometry[1].coords[0] == (0.5, 0.5)


def test_columns_empty_in_one_span_and_not_in_another(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.parquet"
    pd.DataFrame({"case_id": range(4), "note": [None, None, "x", None]}).to_csv(source, index=False)
    work_through(source, target, work=numbered, signature="v1", plan=Plan(span_rows=2))
    found = pd.read_parquet(target)
    assert found["note"].tolist()[2] == "x"
    assert found["twice"].tolist() == [0, 2, 4, 6]


@pytest.mark.parametrize("rows", [1, 7, 250])
@pytest.mark.parametrize("group", [3, 40, 1000])
def test_row_groups_of_any_size(tmp_path: Path, rows: int, group: int) -> None:
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    pd.DataFrame({"case_id": range(rows)}).to_parquet(source, row_group_size=group)
    done = work_through(source, target, work=numbered, signature="v1", plan=Plan(span_rows=10))
    assert done.rows == rows
    assert pd.read_parquet(target)["twice"].tolist() == [2 * number for number in range(rows)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("in.csv", b""),
        ("in.csv", b"\n\n"),
        ("in.csv", b"case_id\n" + b"x" * (1 << 25) + b"xx"),
        ("in.parquet", b"PAR1"),
        ("in.parquet", b""),
        ("in.gpkg", b"SQLite format 3\0"),
        ("in.xlsx", b"PK"),
        ("in.geojson", b"{"),
        ("in.doc", b"a\n1\n"),
        ("in.csv", None),
    ],
)
def test_files_that_can_not_be_read_are_told(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    from gis.errors import WanmiError

    with pytest.raises(WanmiError):
        work_through(tmp_path / name, tmp_path / "out.csv", work=numbered, signature="v1")
    assert not (tmp_path / "out.csv").exists()


def test_text_in_no_known_encoding(tmp_path: Path) -> None:
    with pytest.raises(EncodingError, match="--encoding"):
        worked(tmp_path, b"case_id,x\n" + b"1,\xff\xfe\xff\n" * 3)


def test_damage_in_the_middle_of_a_parquet_file_is_told_by_its_rows(tmp_path: Path) -> None:
    source = tmp_path / "in.parquet"
    notes = [hashlib.sha256(b"%d" % number).hexdigest() * 3 for number in range(400)]
    frame = pd.DataFrame({"case_id": range(400), "note": notes})
    frame.to_parquet(source, row_group_size=100, compression="zstd", use_dictionary=False)
    page = pq.ParquetFile(source).metadata.row_group(2).column(1).data_page_offset
    content = bytearray(source.read_bytes())
    content[page : page + 40] = b"\xee" * 40
    source.write_bytes(bytes(content))
    with pytest.raises(RequestError, match=r"Rows 201 to 300 of in.parquet"):
        work_through(
            source, tmp_path / "out.csv", work=numbered, signature="v1", plan=Plan(span_rows=100)
        )


def test_many_rows_of_text_come_out_as_they_went_in(tmp_path: Path) -> None:
    notes = [f"第{number}件，井盖" + "破" * (number % 40) for number in range(5_000)]
    lines = "".join(f'{number},"{note}\n"\n' for number, note in enumerate(notes))
    for _ in range(20):  # a writer that reuses its memory goes wrong only after a while
        _, found = worked(tmp_path, f"case_id,note\n{lines}".encode())
        assert found["note"].tolist() == [f"{note}\n" for note in notes]


def peak_mib(path: Path) -> int:
    """Return the most memory that reading a file span by span takes, in a process of its own, MiB."""
    program = (
        "import sys, pathlib, pyarrow as pa\n"
        "from api.bulk.batches import read_footer\n"
        "source = read_footer(pathlib.Path(sys.argv[1]), span_rows=200_000)\n"
        "rows = sum(c.table.num_rows for span in source.spans() for c in source.read(span))\n"
        "assert rows == int(sys.argv[2]), rows\n"
        "print(pa.default_memory_pool().max_memory() >> 20)"
    )
    rows = pq.ParquetFile(path).metadata.num_rows
    done = subprocess.run(
        [sys.executable, "-c", program, path, str(rows)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.parametrize("size", [400, 40_000])
def test_a_long_row_group_is_read_in_bounded_memory(tmp_path: Path, size: int) -> None:
    source = tmp_path / "in.parquet"
    notes = pa.array([b"%06d" % number * (size // 6) for number in range(240_000_000 // size)])
    pq.write_table(
        pa.table({"note": notes}),
        source,
        row_group_size=len(notes),
        use_dictionary=False,
        compression="none",
    )
    assert source.stat().st_size > 200 << 20
    assert peak_mib(source) < 180


def test_rows_that_are_enormous_by_the_footer_are_refused_before_they_are_read(
    tmp_path: Path,
) -> None:
    source = tmp_path / "in.parquet"
    pictures = pa.array([b"\0" * (40 << 20), b"\0" * (40 << 20)])
    table = pa.table({"case_id": [1, 2], "picture": pictures})
    pq.write_table(table, source, compression="zstd", use_dictionary=False)
    assert source.stat().st_size < 1 << 20
    with pytest.raises(RequestError, match=r"takes 40 MiB .* leave out columns") as raised:
        work_through(source, tmp_path / "out.csv", work=numbered, signature="v1")
    assert "每行约 40 MiB" in raised.value.zh
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]
