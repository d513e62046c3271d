"""Deliveries read as they come: what reading finds out about a value is a fault of its row."""

from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pytest
from openpyxl import Workbook

from gis.dbf import read_dbf
from gis.errors import DeliveryError
from gis.vector import write_vector
from pipelines.component_checks import replacing_rows
from pipelines.components import transform
from pipelines.layers import extract
from pipelines.unpacking import opened_delivery
from tests.pipelines.test_components import CRS, GRID, SOUND, at, build_context
from tests.pipelines.town import write_manifest

LAYER = {"dataset": "components", "path": "雨水箅子.shp", "class_code": "0104"}
COLUMNS = {
    "code": "ObjID",
    "name": "ObjName",
    "competent_code": "DeptCode1",
    "competent_name": "DeptName1",
    "owner_code": "DeptCode2",
    "owner_name": "DeptName2",
    "maintainer_name": "DeptName3",
    "grid_code": "BGID",
    "condition": "ObjState",
    "initial_date": "ORDate",
    "data_source": "DataSource",
    "remark": "Note",
}


def survey(*rows):
    """Rows under the names of 2013, sound but for what is said."""
    table = []
    for number, row in enumerate(rows, start=1):
        values = {**SOUND, "code": f"1301020104{number:06d}", **row}
        table.append({COLUMNS.get(name, name): value for name, value in values.items()
                      if name in COLUMNS or name in row})  # fmt: skip
    shapes = [at(10.37 * number, 50.21) for number in range(1, len(rows) + 1)]
    return gpd.GeoDataFrame(pd.DataFrame(table, dtype=object), geometry=shapes, crs=CRS)


def shapefile(folder, *rows, encoding="GBK", name="雨水箅子"):
    path = folder / f"{name}.shp"
    write_vector(survey(*rows), path, encoding=encoding)
    return path.with_suffix(".dbf")


def patch(dbf, old, new):
    """Write `new` over `old`, padded with blanks."""
    data = dbf.read_bytes()
    assert data.count(old) == 1
    dbf.write_bytes(data.replace(old, new.ljust(len(old))))


def judged(folder, *layers, extra="", **references):
    write_manifest(folder, list(layers or [LAYER]))
    with opened_delivery(folder) as delivery:
        context = replace(build_context(extra=extra, **references), delivery=delivery)
        extracted = extract(context, "components")
        outcome = transform(extracted.frame, replace(context, findings=extracted.findings))
        return extracted, outcome


def found(outcome):
    table = outcome.faults
    return list(zip(table["source_row"], table["rule"], strict=True))


PLANTED = [
    ("C070", "排水公司甲乙丙".encode("gbk"), "排水公司甲乙丙".encode("gbk")[:-1], "remark"),
    ("C071", "井盖坏了没有".encode("gbk"), b"\xbe\xae\xff\xff\xc1\xcb\xd2\xbb", "remark"),
    ("C073", "甲乙丙丁戊己庚".encode("gbk"), "市政管理".encode(), "remark"),
    ("C075", "甲乙丙丁".encode("gbk"), b"????????", "remark"),
    ("C076", "甲乙丙丁戊己庚辛".encode("gbk"), "排水管理处".encode(), "remark"),
]


@pytest.mark.parametrize(("rule", "old", "new", "column"), PLANTED)
def test_each_kind_of_damage_is_a_fault_of_its_row_and_of_no_other(
    tmp_path, rule, old, new, column
):
    dbf = shapefile(tmp_path, {column: "一切正常"}, {column: old.decode("gbk")}, {column: "也正常"})
    patch(dbf, old, new)
    extracted, outcome = judged(tmp_path)
    assert found(outcome) == [(2, rule)]
    assert len(outcome.accepted) == 3
    (fault,) = outcome.faults.to_dict("records")
    assert "Note" in fault["reason_en"]
    assert "Note" in fault["reason_zh"]
    assert any("row 2" in said.en for said in extracted.reports[0].warnings)
    expected = {"C073": "市政管理", "C076": "排水管理处", "C070": "排水公司甲乙"}
    if rule in expected:
        assert outcome.accepted["remark"].tolist() == ["一切正常", expected[rule], "也正常"]


def test_text_as_long_as_a_column_can_be_was_probably_cut(tmp_path):
    long = "裕华路与建设大街交叉口东北角" * 12
    shapefile(tmp_path, {"remark": "短"}, {"remark": long.encode("gbk")[:254].decode("gbk")})
    _, outcome = judged(tmp_path)
    assert found(outcome) == [(2, "C072")]


def test_mojibake_with_bytes_lost_is_doubted_and_left(tmp_path):
    lost = "裕华路街道办事处东".encode().decode("gbk", errors="replace").replace("\ufffd", "?")
    shapefile(tmp_path, {"remark": "正常"}, {"remark": lost})
    _, outcome = judged(tmp_path)
    assert found(outcome) == [(2, "C074")]
    assert outcome.accepted["remark"].tolist() == ["正常", lost]


def test_numbers_that_do_not_fit_or_are_none_are_named(tmp_path):
    frame = survey({"Spec": 11.5}, {"Spec": 22.25}, {"Spec": 33.75}).astype({"Spec": float})
    write_vector(frame, tmp_path / "雨水箅子.shp", encoding="GBK")
    path = tmp_path / "雨水箅子.dbf"
    table, data = read_dbf(path), bytearray(path.read_bytes())
    field = next(field for field in table.fields if field.name == b"Spec")
    size = table.records.shape[1]
    start = len(data) - 1 - 3 * size if data[-1] == 0x1A else len(data) - 3 * size
    for row, value in ((1, b"ab.cd"), (2, b"*" * field.width)):
        place = start + row * size + field.offset
        data[place : place + field.width] = value.ljust(field.width)
    path.write_bytes(data)
    _, outcome = judged(tmp_path)
    assert found(outcome) == [(2, "C080"), (3, "C081")]


def table(folder, *rows, name="雨水箅子.xlsx"):
    """A workbook with coordinates, and the layer that a manifest says of it."""
    book = Workbook()
    sheet = book.active
    frame = survey(*rows)
    frame["X"], frame["Y"] = frame.geometry.x, frame.geometry.y
    plain = pd.DataFrame(frame.drop(columns="geometry"))
    sheet.append(list(plain.columns))
    for values in plain.itertuples(index=False):
        sheet.append(list(values))
    book.save(folder / name)
    return {
        "dataset": "components", "path": name, "class_code": "0104",
        "x_field": "X", "y_field": "Y", "crs": CRS,
    }  # fmt: skip


def test_codes_that_a_spreadsheet_rounded_are_refused(tmp_path):
    layer = table(tmp_path, {}, {"code": 1301020104000000}, {"code": "1301020104000003"})
    _, outcome = judged(tmp_path, layer)
    assert found(outcome) == [(3, "C078")]  # rows of a sheet count its header
    assert outcome.accepted["code"].tolist() == ["1301020104000001", "1301020104000003"]
    assert outcome.refused + len(outcome.accepted) == 3


def test_codes_in_scientific_notation_are_refused(tmp_path):
    frame = survey({}, {"code": "1.30102E+15"}, {"data_source": "1.5E+20"})
    frame["X"], frame["Y"] = frame.geometry.x, frame.geometry.y
    pd.DataFrame(frame.drop(columns="geometry")).to_csv(tmp_path / "a.csv", index=False)
    layer = {"dataset": "components", "path": "a.csv", "class_code": "0104",
             "x_field": "X", "y_field": "Y", "crs": CRS}  # fmt: skip
    _, outcome = judged(tmp_path, layer)
    assert [pair for pair in found(outcome) if pair[1] in ("C077", "C078", "C082", "C010")] == [
        (3, "C077"),
        (4, "C082"),
    ]
    assert len(outcome.accepted) == 2


def test_leading_zeros_of_a_unit_are_put_back_where_one_unit_fits(tmp_path):
    units = pd.DataFrame(
        {
            "code": ["0012", "U1"],
            "name": ["市排水公司", "城管局"],
            "aliases": [["排水（集团）"], []],
            "kind": ["company", "department"],
            "successor_code": [None, None],
            "heirs": [[], []],
        }
    )
    shapefile(tmp_path, {"owner_code": "12"}, {"owner_code": "0012"})
    _, outcome = judged(tmp_path, units=units)
    assert found(outcome) == [(1, "C079")]
    assert outcome.accepted["owner_code"].tolist() == ["0012", "0012"]
    assert "0012" in outcome.faults["reason_zh"][0]
    # Nor is it forgotten where the place of another row is refused, and values are judged again.
    shapefile(
        tmp_path, {"owner_code": "12"}, {"owner_code": "0012"}, {"grid_code": GRID[:-1] + "9"}
    )
    extra = '[census]\nseverity = { C031 = "error" }\n'
    _, outcome = judged(tmp_path, units=units, extra=extra)
    assert (1, "C079") in found(outcome)
    assert (3, "C031") in found(outcome)
    assert len(outcome.accepted) == 2


# --- layers, columns, dates ---


def test_two_layers_of_one_file_are_told_apart(tmp_path):
    path = tmp_path / "普查.gpkg"
    write_vector(survey({}, {}), path, layer="雨水箅子")
    second = survey({"code": "1301020105000001"}, {"code": "1301020105000001"})
    second.geometry = [at(40.37), at(50.21)]
    write_vector(second, path, layer="电力井盖")
    layers = [
        {"dataset": "components", "path": "普查.gpkg", "layer": name, "class_code": code}
        for name, code in (("雨水箅子", "0104"), ("电力井盖", "0105"))
    ]
    extracted, outcome = judged(tmp_path, *layers)
    names = ["普查.gpkg|雨水箅子", "普查.gpkg|电力井盖"]
    assert [report.path for report in extracted.reports] == names
    assert outcome.refused == 1  # the code that occurs twice
    assert outcome.faults.query("severity == 'error'")["source_file"].tolist() == [names[1]]
    assert len(outcome.accepted) + outcome.refused == 4


def test_what_an_unknown_column_may_mean_is_said(tmp_path):
    frame = survey({}).rename(columns={"DeptName2": "产权人"})
    write_vector(frame, tmp_path / "雨水箅子.shp", encoding="GBK")
    extracted, outcome = judged(tmp_path)
    said = [said.en for said in extracted.reports[0].warnings if "产权人" in said.en]
    assert said == [
        "Column 产权人 is not known: did you mean owner_name? If so, state "
        'owner_name = "产权人" under [layer.fields].'
    ]
    assert outcome.accepted["attributes"].tolist() == [{"产权人": "市排水公司"}]
    named = {**LAYER, "fields": {"owner_name": "产权人"}}
    extracted, outcome = judged(tmp_path, named)
    assert outcome.accepted["owner_name"].tolist() == ["市排水公司"]
    assert not [said.en for said in extracted.reports[0].warnings if "产权人" in said.en]


def test_a_city_knows_its_own_spellings(tmp_path):
    frame = survey({}).rename(columns={"DeptName2": "产权人"})
    write_vector(frame, tmp_path / "雨水箅子.shp", encoding="GBK")
    extra = '[census.fields]\nowner_name = ["产权人"]\n'
    _, outcome = judged(tmp_path, extra=extra)
    assert outcome.accepted["owner_name"].tolist() == ["市排水公司"]
    with pytest.raises(DeliveryError, match="names owner, which components does not have"):
        judged(tmp_path, extra='[census.fields]\nowner = ["产权人"]\n')


def test_a_name_that_a_shapefile_cut_is_read_and_told(tmp_path):
    frame = survey({}).rename(columns={"BGID": "所在单元网"})
    write_vector(frame, tmp_path / "雨水箅子.shp", encoding="GBK")
    extracted, outcome = judged(tmp_path)
    assert outcome.accepted["grid_code"].tolist() == [GRID]
    assert (
        "Column 所在单元网 is 所在单元网格 cut to the 10 bytes that a shapefile keeps of a name; "
        "read as grid_code." in map(str, extracted.reports[0].warnings)
    )


def test_two_columns_for_one_of_the_platform_are_one_sentence(tmp_path):
    frame = survey({}).assign(产权单位=["x"])
    write_vector(frame, tmp_path / "雨水箅子.shp", encoding="GBK")
    with pytest.raises(
        DeliveryError, match=r"\(owner_name: DeptName2, 产权单位\): state which one"
    ):
        judged(tmp_path)
    two = {**LAYER, "fields": {"class_code": "ObjName"}, "class_field": "Note"}
    del two["class_code"]
    with pytest.raises(DeliveryError, match="name two columns for the class: remove one"):
        judged(tmp_path, two)
    with pytest.raises(DeliveryError, match="names both class_code and class_field"):
        judged(tmp_path, {**LAYER, "class_field": "Note"})


def test_milliseconds_are_dates(tmp_path):
    frame = survey({"initial_date": 1714492800000}, {"initial_date": 1146614400000})
    frame = frame.rename(columns={"ORDate": "INSTALLDATE"}).astype({"INSTALLDATE": "int64"})
    write_vector(frame, tmp_path / "雨水箅子.gpkg")
    _, outcome = judged(tmp_path, {**LAYER, "path": "雨水箅子.gpkg"})
    days = [str(day) for day in outcome.accepted["initial_date"]]
    assert days == ["2024-05-01", "2006-05-03"]  # midnight in Beijing, and in UTC a day elsewhere
    assert found(outcome) == []


def test_a_layer_that_updates_is_known_among_layers_of_one_file(tmp_path):
    path = tmp_path / "普查.gpkg"
    for name in ("东", "西"):
        write_vector(survey({}), path, layer=name)
    layers = [
        {**LAYER, "path": "普查.gpkg", "layer": "东", "mode": "update"},
        {**LAYER, "path": "普查.gpkg", "layer": "西"},
    ]
    write_manifest(tmp_path, layers)
    with opened_delivery(tmp_path) as delivery:
        context = replace(build_context(), delivery=delivery)
        rows = extract(context, "components").frame
        kept = replacing_rows(rows, context, "components")
    assert rows["source_file"].tolist() == ["普查.gpkg|东", "普查.gpkg|西"]
    assert kept["source_file"].tolist() == ["普查.gpkg|西"]
