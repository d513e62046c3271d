import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
from shapely import Point

from gis.codes import read_rules
from pipelines.rejects import RULE_PACKAGES, all_rules, count_rejects, flatten, write_rejects


def rejects(*records, dataset="components"):
    rows = [
        {
            "build_id": 1,
            "dataset": dataset,
            "source_file": "a.shp",
            "source_row": number,
            "code": f"c{number}",
            "rule": "P001",
            "severity": "error",
            "reason_en": "The row has no code.",
            "reason_zh": "该行缺少编码。",
            "fix_en": "Give the feature its code.",
            "fix_zh": "请补充编码。",
            "record": record,
        }
        for number, record in enumerate(records, 1)
    ]
    points = [Point(540_000 + number, 4_214_000) if number else None for number in range(len(rows))]
    return gpd.GeoDataFrame(rows, geometry=points, crs="EPSG:4547")


def test_no_rule_code_is_used_by_two_packages():
    codes = [code for package in RULE_PACKAGES for code in read_rules(package)]
    assert len(codes) == len(set(codes)) == len(all_rules())


def test_every_rule_says_in_both_languages_what_to_do():
    for code, rule in all_rules().items():
        texts = (rule.reason_en, rule.reason_zh, rule.fix_en, rule.fix_zh)
        assert all(texts), code


def test_delivered_columns_follow_and_never_hide_the_faults_own(tmp_path):
    frame = rejects(
        {"code": "x", "CODE": "y", "WIDTH": 3, "blank": ""}, {"WIDTH": None, "名称": "路"}
    )
    flat = flatten(frame)
    assert flat.columns.tolist()[11:] == [
        "delivered_code",
        "delivered_CODE",
        "WIDTH",
        "blank",
        "名称",
    ]
    assert flat["WIDTH"].tolist() == ["3", None]
    assert flat["blank"].tolist() == [None, None]
    assert flat["code"].tolist() == ["c1", "c2"]


def test_a_geopackage_has_one_layer_per_dataset_with_geometry(tmp_path):
    file = tmp_path / "r.gpkg"
    file.write_text("an older file")
    both = pd.concat([rejects({"a": "1"}, {"a": "2"}), rejects({"b": "3"}, dataset="areas")])
    write_rejects(gpd.GeoDataFrame(both, crs="EPSG:4547"), file)
    assert sorted(pyogrio.list_layers(file)[:, 0]) == ["areas", "components"]
    found = gpd.read_file(file, layer="components")
    assert found.crs.to_epsg() == 4547
    assert found["a"].tolist() == ["1", "2"]
    assert found.geometry.isna().tolist() == [True, False]
    assert found["fix_en"].tolist() == ["Give the feature its code."] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["r.gpkg"]


@pytest.mark.parametrize("name", ["r.gpkg", "r.xlsx"])
def test_no_rejects_still_make_a_file(tmp_path, name):
    write_rejects(rejects({"a": 1}).iloc[:0], tmp_path / name)
    assert (tmp_path / name).stat().st_size > 0


def test_a_workbook_keeps_text_as_text(tmp_path):
    file = tmp_path / "r.xlsx"
    write_rejects(rejects({"a": "=HYPERLINK(1)", "b": "0104", "c": "\x07beep"}), file)
    sheet = openpyxl.load_workbook(file)["components"]
    values = {head.value: cell for head, cell in zip(sheet[1], sheet[2], strict=True)}
    assert (values["a"].value, values["a"].data_type, values["a"].quotePrefix) == (
        "=HYPERLINK(1)",
        "s",
        True,
    )
    assert values["b"].value == "0104"
    assert values["c"].value == "beep"
    assert values["source_row"].value == 1


def test_faults_are_counted_by_dataset_and_rule():
    counted = count_rejects(rejects({}, {}))
    assert [(row["dataset"], row["rule"], row["rows"]) for row in counted] == [
        ("components", "P001", 2)
    ]
