"""What a GeoPackage holds beside its layers, and GeoParquet: written so that others read it."""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import geopandas as gpd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from gis.errors import FileFormatError
from gis.geopackage import ColumnText, write_columns, write_domains
from gis.geoparquet import read_geoparquet, write_geoparquet
from gis.vector import read_vector, write_table

CRS = "EPSG:4547"
SHAPES = gpd.GeoSeries([shapely.Point(540_000.125, 4_214_000), shapely.Point(1, 2)], crs=CRS)


def table() -> pa.Table:
    return pa.table(
        {
            "code": ["0104", None],
            "day": pa.array([date(2024, 2, 29), None], pa.date32()),
            "count": pa.array([7, None], pa.int64()),
            "empty": pa.array([None, None], pa.string()),
        }
    )


def with_shapes() -> pa.Table:
    return table().append_column("geometry", pa.array(SHAPES.to_wkb(), pa.binary()))


def test_titles_and_value_lists_are_written_once_however_often(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    for name in ("one", "two"):
        write_table(with_shapes(), path, layer=name, kind="Point", crs=CRS)
    for _ in range(2):
        for name in ("one", "two"):
            text = ColumnText(title="类别", description="class", domain="class")
            write_columns(path, name, {"code": text})
        write_domains(path, {"class": {"0104": "雨水箅子"}})
    with closing(sqlite3.connect(path)) as connection:
        columns = connection.execute(
            "SELECT table_name, column_name, name, constraint_name FROM gpkg_data_columns ORDER BY 1"
        ).fetchall()
        lists = connection.execute(
            "SELECT constraint_name, constraint_type, value, description"
            " FROM gpkg_data_column_constraints"
        ).fetchall()
        extensions = connection.execute(
            "SELECT table_name FROM gpkg_extensions WHERE extension_name = 'gpkg_schema'"
        ).fetchall()
    assert columns == [("one", "code", "类别", "class"), ("two", "code", "类别", "class")]
    assert lists == [("class", "enum", "0104", "雨水箅子")]
    assert len(extensions) == 2
    assert len(pyogrio.read_dataframe(path, layer="two")) == 2


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".fgb"])
def test_types_of_columns_are_kept(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_table(with_shapes(), path, layer="a", kind="Point", crs=CRS)
    types = dict(zip(*(pyogrio.read_info(path)[key] for key in ("fields", "dtypes")), strict=True))
    assert types["code"] == "object"
    if suffix != ".fgb":
        assert types["day"] == "datetime64[D]"
    frame = read_vector(path, target_crs=CRS).frame
    assert sorted(frame.geometry.x.tolist()) == [1.0, 540_000.125]


def test_geoparquet_comes_back_as_it_went(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_geoparquet(table(), SHAPES, path)
    layer = read_vector(path, target_crs=CRS)
    assert (layer.report.crs, layer.report.rows) == (CRS, 2)
    rows = layer.frame
    assert rows["code"].tolist() == ["0104", None]
    assert rows["day"].tolist() == ["2024-02-29", None]
    assert rows["count"].iloc[0] == 7
    assert "bbox" not in rows
    assert rows.geometry.equals(gpd.GeoSeries(SHAPES.to_numpy(), crs=CRS))


def test_geoparquet_without_crs_is_longitude_and_latitude(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_geoparquet(table(), SHAPES, path)
    plain = pq.read_table(path)
    geo = plain.schema.metadata[b"geo"]
    column = b'{"primary_column":"geometry","columns":{"geometry":{"encoding":"WKB"%s}}}'
    for crs, expected in ((b"", "CRS84"), (b',"crs":null', None)):
        changed = plain.replace_schema_metadata({b"geo": column % crs})
        pq.write_table(changed, path)
        _, _, told = read_geoparquet(path)
        assert (told is None) if expected is None else (expected in str(told) or "WGS 84" in told)
    assert geo.startswith(b"{")


@pytest.mark.parametrize("content", [b"", b"PAR1 no", None])
def test_what_is_no_geoparquet_is_refused_plainly(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.parquet"
    if content is None:
        pq.write_table(table(), path)
    else:
        path.write_bytes(content)
    with pytest.raises(FileFormatError, match=r"a\.parquet"):
        read_vector(path, target_crs=CRS)
