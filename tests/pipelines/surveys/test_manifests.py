"""Manifests proposed by evidence, held against manifests that are known to be right."""

import shutil
import tomllib
import zipfile
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

from census.taxonomy import read_taxonomy
from gis.errors import DeliveryError, WorkspaceError
from gis.vector import write_vector
from pipelines.surveys.evidence import class_of_name, guess_crs, guess_dataset
from pipelines.surveys.manifests import Hints, propose_manifest
from pipelines.surveys.proposal import write_proposal
from pipelines.unpacking import opened_delivery
from wanmi import app

MESSY = Path(__file__).resolve().parents[3] / "../shared/data/messy_shapefiles"
needs_data = pytest.mark.skipif(not MESSY.is_dir(), reason="the shared real data is not here")
CITY = "EPSG:4547"
TAXONOMY = read_taxonomy("GB/T 30428.2-2013")
HINTS = Hints(taxonomy=TAXONOMY, crs=CITY)
DAY = date(2026, 5, 31)


def propose(path, **more):
    return propose_manifest(path, hints=HINTS, as_of=DAY, **more)


def parsed(proposal):
    return tomllib.loads(write_proposal(proposal))


def components(*, crs=CITY, **columns):
    rows = range(1, 8)
    table = {"ObjID": [f"1301020104{row:06d}" for row in rows], "ObjState": "完好"} | columns
    shapes = [shapely.Point(540_000 + row, 4_214_000) for row in rows]
    return gpd.GeoDataFrame(table, geometry=shapes, crs=crs)


def test_the_sample_district_is_told_apart_layer_by_layer(sample_delivery, tmp_path):
    folder = tmp_path / "交付"
    shutil.copytree(sample_delivery, folder, ignore=shutil.ignore_patterns("answers"))
    right = tomllib.loads((folder / "delivery.toml").read_text(encoding="utf-8"))["layer"]
    (folder / "delivery.toml").unlink()
    proposal = propose(folder)
    found = {(entry["path"], entry.get("sheet")): entry for entry in parsed(proposal)["layer"]}
    compared = 0
    for layer in right:
        for path in sorted(folder.glob(layer["path"])):
            name = path.relative_to(folder).as_posix()
            entry = found.get((name, layer.get("sheet"))) or found[name, None]
            assert entry["dataset"] == layer["dataset"], entry["path"]
            for key in ("class_code", "class_field", "x_field", "y_field"):
                if layer["dataset"] != "topography":
                    assert entry.get(key) == layer.get(key), (entry["path"], key)
            compared += 1
    assert compared > 40


def test_a_proposal_opens_as_a_delivery_once_it_is_confirmed(tmp_path):
    folder = tmp_path / "d"
    (folder / "部件").mkdir(parents=True)
    write_vector(components(), folder / "部件/雨水箅子.shp", encoding="GBK")
    (folder / "readme.doc").write_text("x")
    (folder / "旧.rar").write_text("x")
    (folder / "部件/井盖.dbf").write_text("x")
    proposal = propose(folder)
    assert proposal.problems == ()
    assert proposal.unread == {
        "readme.doc": "it is of a kind that is not read",
        "旧.rar": "unpack it",
        "部件/井盖.dbf": "there is no 井盖.shp beside it",
    }
    (folder / "delivery.toml").write_text(write_proposal(proposal), encoding="utf-8")
    with opened_delivery(folder) as delivery:
        (layer,) = delivery.layers
        assert (delivery.name, delivery.as_of) == ("d", DAY)
        assert (layer.dataset, layer.class_code) == ("components", "0104")


def test_archives_are_looked_into(tmp_path):
    folder = tmp_path / "d"
    folder.mkdir()
    write_vector(components(), tmp_path / "雨水箅子.shp", encoding="GBK")
    with zipfile.ZipFile(folder / "东区.zip", "w") as archive:
        for part in sorted(tmp_path.glob("雨水箅子.*")):
            archive.write(part, part.name)
    (folder / "坏.zip").write_bytes(b"no archive")
    proposal = propose(folder)
    assert [entry.path for entry in proposal.entries] == ["东区.zip/雨水箅子.shp"]
    assert list(proposal.unread) == ["坏.zip"]
    (folder / "delivery.toml").write_text(write_proposal(proposal), encoding="utf-8")
    with opened_delivery(folder) as delivery:
        assert [layer.path for layer in delivery.layers] == ["东区.zip/雨水箅子.shp"]
    (layer,) = parsed(propose(folder / "东区.zip"))["layer"]
    assert layer["path"] == "雨水箅子.shp"


def test_one_layer_with_a_class_field_and_a_layer_per_class(tmp_path):
    path = tmp_path / "普查.gpkg"
    classes = ["0104", "0105", "0104", "0106", "0104", "0101", "0102"]
    mixed = components(类=classes, ObjID=[None] * 7)
    write_vector(mixed, path, layer="综合")
    write_vector(components(ObjID=[None] * 7), path, layer="0105电力井盖")
    first, second = parsed(propose(tmp_path))["layer"]
    assert (first["layer"], first["class_code"]) == ("0105电力井盖", "0105")
    assert (second["layer"], second["class_field"]) == ("综合", "类")


def test_columns_are_told_by_their_values_and_doubles_are_chosen(tmp_path):
    frame = components(
        码=[f"1301020104{row:06d}" for row in range(1, 8)],
        建=["20240501"] * 7,
        QSDW=["甲", None, None, None, None, None, None],
        产权单位=["市排水公司"] * 7,
    ).drop(columns="ObjID")
    write_vector(frame, tmp_path / "雨水箅子.shp", encoding="GBK")
    proposal = propose(tmp_path)
    (layer,) = parsed(proposal)["layer"]
    assert layer["fields"] == {"code": "码", "initial_date": "建", "owner_name": "产权单位"}
    assert any("all stand for owner_name; 产权单位 was taken" in text for text in proposal.problems)


def test_a_crs_is_never_guessed_in_silence(tmp_path):
    write_vector(components(), tmp_path / "雨水箅子.shp", encoding="GBK")
    (tmp_path / "雨水箅子.prj").unlink()
    proposal = propose(tmp_path)
    (layer,) = parsed(proposal)["layer"]
    assert "crs" not in layer
    assert '# crs = "EPSG:4547"' in write_proposal(proposal)
    assert any("confirm EPSG:4547" in text for text in proposal.problems)


def test_what_nothing_is_known_of_stays_out_of_the_manifest(tmp_path):
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(540_000, 4_214_000)], crs=CITY)
    write_vector(frame, tmp_path / "x.gpkg")
    proposal = propose(tmp_path)
    assert "layer" not in parsed(proposal)
    assert "nothing says what it is" in proposal.problems[0]


def test_headings_of_several_lines_end_no_comment(tmp_path):
    table = pd.DataFrame({"标识码\nObjID": ["1"], "备\n注 = 1": ["x"], "部件名称": ["雨水箅子"]})
    table.to_excel(tmp_path / "部件.xlsx", index=False)
    text = write_proposal(propose(tmp_path))
    assert "备 注 = 1" in text
    assert tomllib.loads(text)["layer"][0]["path"] == "部件.xlsx"


@needs_data
def test_messy_shapefiles_are_named_for_what_they_are():
    (areas,) = parsed(propose(MESSY / "gbk_dbf_no_cpg"))["layer"]
    assert (areas["dataset"], areas["path"]) == ("areas", "区县界_area.shp")
    for name in ("no_prj", "utf8_dbf_no_cpg_no_prj_gcj02"):
        assert all("GCJ-02 or BD-09" in text for text in propose(MESSY / name).problems[::2])
    with pytest.raises(DeliveryError, match=r"no shenzhen_osmroad\.shp beside it"):
        propose(MESSY / "broken_missing_parts")


@pytest.mark.parametrize(
    ("west", "south", "crs"),
    [
        (114.5, 38.0, "EPSG:4490"),
        (540_000, 4_214_000, CITY),
        (38_540_000, 4_214_000, "EPSG:4526"),
        (20_540_000, 4_214_000, "EPSG:4498"),
        (-71.1, 42.4, "EPSG:4326"),
        (5e9, 5e9, None),
    ],
)
def test_coordinates_look_like_a_crs(west, south, crs):
    shapes = shapely.points([[west, south]] * 30 + [[0, 0]])  # one stray row
    found = guess_crs(np.asarray(shapes), city=CITY)
    assert (found and found[0]) == crs


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("0104雨水箅子", "0104"),
        ("雨水篦子（点）", "0104"),
        ("BJ_0305", "0305"),
        ("2024年", None),
        ("井盖", None),
    ],
)
def test_a_name_says_a_class_or_nothing(name, code):
    assert class_of_name(name, TAXONOMY) == code


def test_tables_of_other_datasets_are_told_by_their_columns():
    columns = ["地名代码", "标准名称", "汉语拼音", "类别代码"]
    assert guess_dataset("表1", columns, has_geometry=False, class_code=None) == "place_names"


def test_the_command_writes_and_does_not_overwrite(workspace_root, tmp_path):
    write_vector(components(), tmp_path / "雨水箅子.shp", encoding="GBK")
    target = tmp_path / "delivery.toml"
    command = ["-w", str(workspace_root), "census", "manifest", str(tmp_path), "-o", str(target)]
    runner = CliRunner()
    done = runner.invoke(app, [*command, "--as-of", "2026-05-31"])
    assert done.exit_code == 0, done.output
    assert "1 layers written" in done.output
    assert tomllib.loads(target.read_text(encoding="utf-8"))["layer"][0]["class_code"] == "0104"
    again = runner.invoke(app, command)
    assert again.exit_code != 0
    nowhere = runner.invoke(app, [*command[:-1], str(tmp_path / "city"), "--replace"])
    assert isinstance(nowhere.exception, WorkspaceError)
    assert runner.invoke(app, [*command, "--replace", "--json"]).exit_code == 0


@pytest.fixture
def workspace_root(tmp_path):
    root = tmp_path / "city"
    root.mkdir()
    (root / "wanmi.toml").write_text(
        f'[city]\ncode = "130102"\ncrs = "{CITY}"\nstandard = "GB/T 30428.2-2013"\n', "utf-8"
    )
    return root
