"""The project beside exported grids: as QGIS wants it, and, where QGIS is installed, opened by it."""

import json
import os
import subprocess
from pathlib import Path
from xml.etree import ElementTree as Tree

import geopandas as gpd
import pytest
import shapely

from gis.vector import write_vector
from gridding.qgis import STYLES, project_text

CRS = "EPSG:4547"
OPENING = Path(__file__).resolve().parents[1] / "qgis" / "opening.py"
SYSTEM_PYTHON = "/usr/bin/python3"
_LONGEST_ID_LOST = 10
"""QGIS gives a layer whose id is no longer another id, and then misses it in the layer tree."""


@pytest.fixture
def project(tmp_path):
    square = shapely.box(500_000, 4_200_000, 500_100, 4_200_100)
    for name in ("unit_grid", "community"):
        columns = {"code": ["130102001001001"], "community_code": "130102001001", "name": "甲"}
        frame = gpd.GeoDataFrame(columns, geometry=[square], crs=CRS)
        write_vector(frame, tmp_path / "a.gpkg", layer=name)
    spot = gpd.GeoDataFrame({"code": ["1"]}, geometry=[square.centroid], crs=CRS)
    write_vector(spot, tmp_path / "a.gpkg", layer="component")
    text = project_text(
        "a.gpkg", ["unit_grid", "component", "community"], crs=CRS, extent=shapely.bounds(square)
    )
    path = tmp_path / "a.qgs"
    path.write_text(text, encoding="utf-8")
    return path


def test_ids_are_long_enough_to_be_kept_and_are_the_same_everywhere(project):
    root = Tree.fromstring(project.read_text(encoding="utf-8"))
    ids = [layer.findtext("id") for layer in root.iterfind("projectlayers/maplayer")]
    assert min(map(len, ids)) > _LONGEST_ID_LOST
    assert [node.get("id") for node in root.iter("layer-tree-layer")] == ids
    avoided = root.findtext("properties/Digitizing/AvoidIntersectionsList/value")
    assert avoided == ids[0]


def test_the_project_says_that_its_crs_counts(project):
    root = Tree.fromstring(project.read_text(encoding="utf-8"))
    assert root.findtext("properties/SpatialRefSys/ProjectionsEnabled") == "1"
    assert root.findtext("projectCrs/spatialrefsys/authid") == CRS


def test_qgis_opens_it(project):
    there = [SYSTEM_PYTHON, "-c", "import qgis.core"]
    if (
        not Path(SYSTEM_PYTHON).exists()
        or subprocess.run(there, check=False, capture_output=True).returncode
    ):
        pytest.skip("QGIS is not installed: apt install python3-qgis")
    shown = subprocess.run(
        [SYSTEM_PYTHON, str(OPENING), str(project)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        check=True,
        capture_output=True,
        text=True,
    )
    told = json.loads(shown.stdout.splitlines()[-1])
    assert told["is_read"]
    assert told["crs"] == CRS
    assert told["is_topological"]
    assert told["not_overlapping"] == [STYLES["unit_grid"].title]
    layers = {name: (layer["rows"], layer["is_locked"]) for name, layer in told["layers"].items()}
    grids, components, communities = (
        STYLES[name].title for name in ("unit_grid", "component", "community")
    )
    assert layers == {grids: (1, False), components: (1, True), communities: (1, True)}
    assert sorted(told["snapped"]) == sorted([grids, communities])
    edited = told["layers"][grids]
    assert edited["precision"] == 0.01
    assert edited["locked_columns"] == ["code", "community_code"]
    assert edited["aliases"]["name"] == "网格名称"
