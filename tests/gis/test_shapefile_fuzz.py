"""Shapefiles mutated at random: an error that says what to do, or every row; never less, never a crash."""

import random
import shutil
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from gis.dbf import read_dbf
from gis.errors import WanmiError
from gis.vector import read_vector, write_vector

CITY = "EPSG:4547"
ROWS = 12
SHAPES = {
    "point": [shapely.Point(540_000 + row, 4_214_000) for row in range(ROWS)],
    "line": [
        shapely.LineString([(540_000 + row, 4_214_000), (540_005 + row, 4_214_003)])
        for row in range(ROWS)
    ],
    "polygon": [
        shapely.box(540_000 + 10 * row, 4_214_000, 540_008 + 10 * row, 4_214_005)
        for row in range(ROWS)
    ],
}
PARTS = ("shp", "shx", "dbf", "prj", "cpg")
MUTATIONS = ("byte", "byte", "bytes", "header", "cut", "grow", "drop", "swap", "zeros")
CASES, TRIALS = 6, 30


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("originals")
    for kind, shapes in SHAPES.items():
        rows = range(ROWS)
        columns = {
            "ObjID": [f"130102010400{row:04d}" for row in rows],
            "名称": [f"雨水箅子{row}" for row in rows],
            "宽": [1.5 * row for row in rows],
            "数": list(rows),
        }
        frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=CITY)
        write_vector(frame, folder / f"{kind}.shp", encoding="GBK")
        (folder / f"{kind}.cpg").write_text("GBK")
    return folder


def mutate(path: Path, originals: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    what = chance.choice(MUTATIONS)
    if what == "drop":
        path.unlink()
        return
    if what == "swap":
        data = bytearray((originals / f"{chance.choice(list(SHAPES))}{path.suffix}").read_bytes())
    elif what == "cut":
        data = data[: chance.randint(0, len(data))]
    elif what == "grow":
        data += chance.randbytes(chance.randint(1, 300))
    elif what == "zeros" and data:
        start = chance.randrange(len(data))
        data[start : start + 50] = bytes(len(data[start : start + 50]))
    elif data:
        reach = min(len(data), 120) if what == "header" else len(data)
        for _ in range(1 if what != "bytes" else 12):
            data[chance.randrange(reach)] = chance.choice(
                [0, 1, 127, 128, 255, chance.randrange(256)]
            )
    path.write_bytes(data)


@pytest.mark.parametrize("seed", range(CASES))
def test_a_mutated_shapefile_gives_every_row_or_an_error_with_the_fix(tmp_path, originals, seed):
    chance = random.Random(seed)
    outcomes = set()
    for trial in range(TRIALS):
        folder = tmp_path / str(trial)
        folder.mkdir()
        kind = chance.choice(list(SHAPES))
        for part in PARTS:
            shutil.copy(originals / f"{kind}.{part}", folder / f"a.{part}")
        for _ in range(chance.randint(1, 3)):
            path = folder / f"a.{chance.choice(PARTS)}"
            if path.exists():
                mutate(path, originals, chance)
        crs = None if (folder / "a.prj").exists() else CITY
        try:
            found = read_vector(folder / "a.shp", target_crs=CITY, crs=crs)
        except WanmiError as error:
            outcomes.add("refused" if error.zh != error.message else "refused in one language")
        else:
            outcomes.add("read")
            table = read_dbf(folder / "a.dbf")
            deleted = int(table.is_deleted.sum())
            assert len(found.frame) + deleted == len(table.records)
            said = [said.en for said in found.report.warnings if "marked deleted" in said.en]
            assert bool(said) == bool(deleted)
            assert found.frame["source_row"].is_unique
    assert outcomes == {"read", "refused"}


@pytest.mark.parametrize("part", ["shp", "shx", "dbf"])
def test_parts_of_another_shapefile_are_told(tmp_path, originals, part):
    for suffix in PARTS:
        kind = "line" if suffix == part else "polygon"
        shutil.copy(originals / f"{kind}.{suffix}", tmp_path / f"a.{suffix}")
    path = tmp_path / f"a.{part}"
    if part == "dbf":
        data = bytearray(path.read_bytes())
        data[4] = ROWS - 1
        path.write_bytes(data)
    with pytest.raises(WanmiError) as caught:
        read_vector(tmp_path / "a.shp", target_crs=CITY)
    assert caught.value.code == "file_format"


def test_an_index_that_names_a_shape_twice_is_told(tmp_path, originals):
    for suffix in PARTS:
        shutil.copy(originals / f"point.{suffix}", tmp_path / f"a.{suffix}")
    index = tmp_path / "a.shx"
    data = bytearray(index.read_bytes())
    data[108:116] = data[100:108]
    index.write_bytes(data)
    with pytest.raises(WanmiError, match="names one shape for several rows"):
        read_vector(tmp_path / "a.shp", target_crs=CITY)


@pytest.mark.parametrize("cpg", ["", "hex", "rot13", "GB\0K", "zip", "Klingon", "UTF-16", "\xff"])
def test_a_senseless_cpg_is_passed_over(tmp_path, originals, cpg):
    for suffix in PARTS:
        shutil.copy(originals / f"point.{suffix}", tmp_path / f"a.{suffix}")
    (tmp_path / "a.cpg").write_text(cpg, encoding="latin-1")
    found = read_vector(tmp_path / "a.shp", target_crs=CITY)
    assert found.frame["名称"].tolist()[:2] == ["雨水箅子0", "雨水箅子1"]
