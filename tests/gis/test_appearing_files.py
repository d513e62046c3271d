"""Layers that are written appear whole, or what was there stays."""

import sqlite3
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from gis.errors import FileFormatError, WorkspaceError
from gis.outputs import appearing_files
from gis.vector import write_vector


def layer(name: str) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"name": [name]}, geometry=[shapely.Point(1, 2)], crs="EPSG:4547")


def test_all_files_of_a_shapefile_give_way_to_the_new_ones(tmp_path: Path) -> None:
    path = tmp_path / "网格.shp"
    for name in ("旧", "新"):
        with appearing_files(path) as partial:
            write_vector(layer(name), partial)
            assert path.exists() == (name == "新")
    assert gpd.read_file(path)["name"].tolist() == ["新"]
    assert {file.suffix for file in tmp_path.iterdir()} == {".shp", ".shx", ".dbf", ".prj", ".cpg"}


def test_what_was_there_stays_when_writing_stops_midway(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    with appearing_files(path) as partial:
        write_vector(layer("old"), partial, layer="grids")

    def stopped() -> None:
        with appearing_files(path) as partial:
            write_vector(layer("new"), partial, layer="grids")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert gpd.read_file(path, layer="grids")["name"].tolist() == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_no_index_of_the_old_shapefile_stays_beside_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "网格.shp"
    for name in ("网格.qix", "网格.SBN", "网格.qpj", "网格2.qix", "网格.txt"):
        (tmp_path / name).write_bytes(b"old")
    with appearing_files(path) as partial:
        write_vector(layer("新"), partial, encoding="GBK")
    assert {file.name for file in tmp_path.iterdir()} == {
        *(f"网格{suffix}" for suffix in (".shp", ".shx", ".dbf", ".prj", ".txt")),
        "网格2.qix",
    }


def test_layers_of_a_geopackage_that_are_not_written_stay(tmp_path: Path) -> None:
    path = tmp_path / "城市 1.gpkg"
    for name, text in (("grids", "old"), ("roads", "kept"), ("grids", "new")):
        with appearing_files(path) as partial:
            write_vector(layer(text), partial, layer=name)
    assert gpd.read_file(path, layer="grids")["name"].tolist() == ["new"]
    assert gpd.read_file(path, layer="roads")["name"].tolist() == ["kept"]
    assert sorted(gpd.list_layers(path)["name"]) == ["grids", "roads"]
    assert list(tmp_path.iterdir()) == [path]


def test_what_lies_in_the_log_of_a_geopackage_stays_too(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    write_vector(layer("old"), path, layer="roads")
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE remarks AS SELECT '新' AS said")
        other.commit()
        assert path.with_name("a.gpkg-wal").stat().st_size > 0
        with appearing_files(path) as partial:
            write_vector(layer("new"), partial, layer="grids")
    assert list(tmp_path.iterdir()) == [path]
    with closing(sqlite3.connect(path)) as found:
        assert found.execute("SELECT said FROM remarks").fetchall() == [("新",)]
    assert gpd.read_file(path, layer="roads")["name"].tolist() == ["old"]
    assert gpd.read_file(path, layer="grids")["name"].tolist() == ["new"]


@pytest.mark.parametrize("old", [b"", b"no database at all" * 100])
def test_a_file_that_is_no_geopackage_gives_way(tmp_path: Path, old: bytes) -> None:
    path = tmp_path / "a.gpkg"
    path.write_bytes(old)
    with appearing_files(path) as partial:
        write_vector(layer("new"), partial, layer="grids")
    assert gpd.read_file(path)["name"].tolist() == ["new"]


def test_a_place_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(FileFormatError, match="there is no folder"),
        appearing_files(tmp_path / "none" / "a.gpkg"),
    ):
        pass
    (tmp_path / "a.gpkg").mkdir()
    with (
        pytest.raises(WorkspaceError, match=r"a\.gpkg can not be written: Is a directory"),
        appearing_files(tmp_path / "a.gpkg") as partial,
    ):
        write_vector(layer("a"), partial)
