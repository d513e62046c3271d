"""Layers that are written appear whole, or what was there stays."""

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
