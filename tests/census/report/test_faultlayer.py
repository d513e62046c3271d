"""The layer of faults: every fault in it, styled, and lines and areas as they are."""

import sqlite3
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import orjson
import shapely

from census.report.faultlayer import style_of, write_faults
from gis.geopackage import read_stamp
from tests.census.report.judgements import CRS, EAST, HOSTILE, NORTH, fault, judgement


def test_every_fault_is_a_point_and_shapes_have_layers_of_their_own(tmp_path: Path) -> None:
    line = shapely.LineString([(EAST, NORTH), (EAST + 4, NORTH)])
    square = shapely.box(EAST, NORTH, EAST + 2, NORTH + 2)
    shapes = [shapely.Point(EAST, NORTH), line, square, None, shapely.MultiPolygon([square])]
    faults = [fault(number, geometry=shape) for number, shape in enumerate(shapes, 1)]
    path = tmp_path / "faults.gpkg"
    write_faults(judgement(faults), path)
    places = gpd.read_file(path, layer="faults")
    assert places["number"].tolist() == [1, 2, 3, 4, 5]
    assert places.geometry.isna().tolist() == [False, False, False, True, False]
    assert shapely.get_coordinates(places.geometry[1]).tolist() == [[EAST + 2, NORTH]]
    assert places.crs == CRS
    assert gpd.read_file(path, layer="lines")["number"].tolist() == [2]
    areas = gpd.read_file(path, layer="polygons")
    assert areas["number"].tolist() == [3, 5]
    assert areas.geometry.area.tolist() == [4, 4]


def test_the_fault_says_what_to_do_and_keeps_the_delivered_row(tmp_path: Path) -> None:
    path = tmp_path / "faults.gpkg"
    write_faults(judgement([fault(1, record={"权属": HOSTILE, "坏": "a\ud800"})]), path)
    row = gpd.read_file(path, layer="faults").iloc[0]
    assert orjson.loads(row["record"]) == {"权属": HOSTILE, "坏": "a?"}
    assert (row["rule"], row["fix_zh"]) == ("C041", "补填标准要求的属性。")


def test_qgis_finds_a_style_for_every_layer_and_the_verdict_is_stamped(tmp_path: Path) -> None:
    path = tmp_path / "faults.gpkg"
    square = shapely.box(EAST, NORTH, EAST + 2, NORTH + 2)
    write_faults(judgement([fault(1, severity="error", geometry=square)], rows=10), path)
    with sqlite3.connect(path) as connection:
        styles = dict(connection.execute("SELECT f_table_name, styleQML FROM layer_styles"))
    connection.close()
    assert sorted(styles) == ["faults", "polygons"]
    for kind in ("marker", "line", "fill"):
        root = ElementTree.fromstring(style_of(kind).split(">", 1)[1])
        values = [category.get("value") for category in root.iter("category")]
        assert values == ["error", "warning"]
    assert read_stamp(path)["verdict"] == "reject"


def test_a_delivery_without_faults_has_an_empty_layer(tmp_path: Path) -> None:
    path = tmp_path / "faults.gpkg"
    write_faults(judgement(), path)
    assert len(gpd.read_file(path, layer="faults")) == 0
