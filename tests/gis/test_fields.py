"""Delivered names onto platform columns."""

import unicodedata

import pandas as pd
import pytest

from gis.codes import read_table
from gis.errors import DeliveryError
from gis.fields import find_column, map_fields, platform_columns

ALIASES = read_table("gis.codes", "field_aliases.csv")


def frame(*columns):
    return pd.DataFrame({column: ["x"] for column in columns})


# The table "type alias map old -> 2026" of the standards' section 2.3.
@pytest.mark.parametrize(
    ("old", "new", "column"),
    [
        ("ObjID", "GLBJBSM", "code"),
        ("ObjName", "GLBJMC", "name"),
        ("DeptCode1", "ZGBMDM", "competent_code"),
        ("DeptName1", "ZGBMMC", "competent_name"),
        ("DeptCode2", "QSDWDM", "owner_code"),
        ("DeptName2", "QSDWMC", "owner_name"),
        ("DeptCode3", "YHDWDM", "maintainer_code"),
        ("DeptName3", "YHDWMC", "maintainer_name"),
        ("BGID", "SZDYWGBSM", "grid_code"),
        ("ObjState", "GLBJZT", "condition"),
        ("ORDate", "CSRQ", "initial_date"),
        ("CHDate", "BGRQ", "change_date"),
        ("DataSource", "SJLY", "data_source"),
        ("Note", "BZ", "remark"),
    ],
)
def test_components_of_both_generations(old, new, column):
    for name in (old, new, old.upper(), new.lower(), f" {old} "):
        assert find_column(name, dataset="components") == column


@pytest.mark.parametrize(
    ("dataset", "name", "column"),
    [
        ("areas", "XZQDM", "code"),
        ("areas", "XZQMC", "name"),
        ("topography", "FCODE", "feature_class"),
        ("topography", "TFH", "sheet"),
        ("unit_grids", "BGCode", "code"),
        ("unit_grids", "SZDYWGBSM", "code"),
        ("unit_grids", "面积", "area_m2"),
        ("place_names", "曾用名", "former_names"),
        ("addresses", "街巷", "road"),
        ("addresses", "门牌", "plate"),
        ("units", "接替单位代码", "successor_code"),
        ("responsibility", "时限单位", "limit_unit"),
        ("cases", "案件编号", "case_id"),
        ("cases", "x", "x"),
        ("components", "ＯｂｊＩＤ", "code"),
    ],
)
def test_known_spellings(dataset, name, column):
    assert find_column(name, dataset=dataset) == column


def test_every_platform_column_is_its_own_spelling():
    assert find_column("maintainer_name", dataset="components") == "maintainer_name"
    assert find_column("Limit_Value", dataset="responsibility") == "limit_value"


def test_names_cut_by_a_shapefile_match_when_clear():
    # 10 bytes: 5 characters of GBK, 3 of UTF-8.
    assert find_column("所在单元网", dataset="components") == "grid_code"
    assert find_column("data_sourc", dataset="components") == "data_source"
    # competent_code and competent_name are cut to the same ten bytes.
    assert find_column("competent_", dataset="components") is None


def test_mapping_keeps_the_rest_and_says_so():
    found = map_fields(frame("OBJID", "Spec", "DeptName3"), dataset="components")
    assert list(found.frame.columns) == ["code", "Spec", "maintainer_name"]
    assert found.mapped == {"code": "OBJID", "maintainer_name": "DeptName3"}
    assert found.unmapped == ("Spec",)


def test_a_stated_column_wins_over_the_known_spelling():
    found = map_fields(frame("ObjID", "OldID"), dataset="components", stated={"code": "oldid"})
    assert found.mapped == {"code": "OldID"}
    assert found.unmapped == ("ObjID",)


def test_an_unmapped_column_never_takes_a_platform_name():
    rows = pd.DataFrame({"name": ["old"], "标准名称": ["new"]})
    found = map_fields(rows, dataset="place_names", stated={"name": "标准名称"})
    assert found.frame["name"].tolist() == ["new"]
    assert found.frame["name_file"].tolist() == ["old"]
    assert found.unmapped == ("name_file",)


def test_two_columns_for_one_are_refused():
    with pytest.raises(DeliveryError, match=r"code: ObjID, GLBJBSM") as caught:
        map_fields(frame("ObjID", "GLBJBSM"), dataset="components")
    assert "同一平台字段" in caught.value.zh


def test_a_stated_column_that_is_not_there_is_refused_with_the_closest():
    with pytest.raises(DeliveryError, match=r"closest: DeptName1.*columns are ObjID, DeptName1"):
        map_fields(
            frame("ObjID", "DeptName1"),
            dataset="components",
            stated={"competent_name": "DeptNam1"},
        )


def test_one_column_stated_twice_is_refused():
    with pytest.raises(DeliveryError, match="stated for two"):
        map_fields(frame("A"), dataset="components", stated={"code": "A", "name": "A"})


def test_a_misspelt_platform_column_is_refused():
    with pytest.raises(DeliveryError, match="did you mean owner_name"):
        map_fields(frame("A"), dataset="components", stated={"owner_nmae": "A"})
    with pytest.raises(DeliveryError, match="which units does not have"):
        map_fields(frame("A"), dataset="units", stated={"width_m": "A"})


def test_an_attribute_may_be_named_where_rows_have_attributes():
    found = map_fields(frame("ROADW"), dataset="topography", stated={"width_m": "ROADW"})
    assert found.mapped == {"width_m": "ROADW"}


def test_numeric_codes_become_text_without_decimals():
    rows = pd.DataFrame({"XZQDM": [130102, 130104], "MJ": [1.5, 2.0]})
    areas = map_fields(rows, dataset="areas").frame
    assert areas["code"].tolist() == ["130102", "130104"]
    assert areas["MJ"].tolist() == [1.5, 2.0]
    holes = pd.DataFrame({"ObjID": [1301020101000001.0, None]})
    assert map_fields(holes, dataset="components").frame["code"].tolist() == [
        "1301020101000001",
        None,
    ]


def test_what_reading_added_is_never_mapped():
    rows = frame("XZQDM", "source_file", "source_row", "geometry")
    assert map_fields(rows, dataset="areas").unmapped == ()


def test_no_spelling_means_two_columns_of_a_dataset():
    meanings: dict[tuple[str, str], set[str]] = {}
    for row in ALIASES:
        plain = "".join(unicodedata.normalize("NFKC", row["alias"]).casefold().split())
        meanings.setdefault((row["dataset"], plain), set()).add(row["column"])
    assert {key: columns for key, columns in meanings.items() if len(columns) > 1} == {}


def test_every_spelling_is_of_a_column_that_exists_and_says_its_source():
    for row in ALIASES:
        assert row["column"] in platform_columns(row["dataset"])
        assert row["standard_ref"]
