"""Large layers of a GeoPackage: read by Arrow as they are read whole."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gis import largelayers
from gis.largelayers import read_large
from gis.vector import read_vector, write_vector

CRS = "EPSG:4547"
COUNT = 400


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(largelayers, "MANY_ROWS", 10)
    monkeypatch.setattr(largelayers, "_BATCH", 64)


def layer(path: Path, *, shapes: list[object] | None = None, **columns: object) -> Path:
    """A layer with texts that repeat, texts that do not, blanks, and numbers with and without gaps."""
    number = np.arange(COUNT)
    points = shapely.points(500_000.0 + number, 4_200_000.0 + number)
    table = {
        "code": [f"1301020104{n:06d}" for n in number],
        "class": np.array(["0104", "0137", " ", None], dtype=object)[number % 4],
        "blank": pd.Series([None] * COUNT, dtype=object),
        "whole": number,
        "gaps": pd.array(np.where(number % 3, number, 0), dtype="Int64"),
        "width": number / 7.0,
        **columns,
    }
    table["gaps"] = table["gaps"].copy()
    table["gaps"][number % 5 == 0] = pd.NA
    frame = gpd.GeoDataFrame(table, geometry=points if shapes is None else shapes, crs=CRS)
    write_vector(frame, path, layer="survey")
    return path


def whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> gpd.GeoDataFrame:
    with monkeypatch.context() as patch:
        patch.setattr(largelayers, "MANY_ROWS", 10**9)
        return gpd.GeoDataFrame(read_vector(path, target_crs=CRS).frame)


@pytest.mark.parametrize("kind", ["points", "heights", "lines", "some missing"])
def test_it_is_what_reading_whole_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    at = 500_000.0 + np.arange(COUNT)
    shapes = {
        "points": None,
        "heights": list(shapely.points(at, at, 3.5)),
        "lines": [shapely.LineString([(x, x), (x + 5, x)]) for x in at],
        "some missing": [None if x % 7 == 0 else shapely.Point(x, x) for x in at],
    }[kind]
    path = layer(tmp_path / "a.gpkg", shapes=shapes)
    assert read_large(path, layer="survey") is not None
    found = gpd.GeoDataFrame(read_vector(path, target_crs=CRS).frame)
    pd.testing.assert_frame_equal(found, whole(path, monkeypatch))
    assert found["class"].iloc[2] is None


def test_equal_texts_are_one_object(tmp_path: Path) -> None:
    found = read_large(layer(tmp_path / "a.gpkg"), layer="survey")
    assert found is not None
    assert len({id(text) for text in found.attributes["class"].dropna()}) == 2


def test_what_arrow_reads_otherwise_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = pd.date_range("2020-01-01", periods=COUNT, freq="D")
    path = layer(tmp_path / "days.gpkg", day=days, good=np.arange(COUNT) % 2 == 0)
    assert read_large(path, layer="survey") is None
    rows = whole(path, monkeypatch)
    pd.testing.assert_frame_equal(gpd.GeoDataFrame(read_vector(path, target_crs=CRS).frame), rows)


def test_a_file_cut_short_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    path = layer(tmp_path / "a.gpkg")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    assert read_large(path, layer="survey") is None


def test_few_rows_and_other_formats_are_left_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = layer(tmp_path / "a.gpkg")
    monkeypatch.setattr(largelayers, "MANY_ROWS", COUNT + 1)
    assert read_large(path, layer="survey") is None
    assert read_large(tmp_path / "a.fgb", layer="survey") is None
