"""What is said of a file is said in both languages, whichever of its faults it is about."""

import gzip
import json
import re
import struct
from typing import get_args

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely

from gis.fields import map_fields
from gis.findings import Finding, Kind, remarks
from gis.remarks import Remark
from gis.shapes import parse_wkb
from gis.sheets import read_sheet
from gis.vector import read_vector, write_vector
from tests.gis.test_drawings import drawing, insert, point, text
from tests.gis.test_vector import CITY, MESSY, layer, needs_data, shapefile

HAN = re.compile(r"[\u4e00-\u9fff]")


def is_both(remark):
    """Tell whether the Chinese is Chinese, and names the same numbers as the English."""
    if HAN.search(remark.zh) is None or remark.en == remark.zh:
        return False
    # "and 2 more" of 12 rows is 等 12 行, and a shapefile's 254 bytes are not named.
    return set(re.findall(r"\d+", remark.en)) == set(re.findall(r"\d+", remark.zh))


def said_of(found):
    report = found.report
    return [*report.warnings, *report.notes, report.encoding_evidence]


def spoiled(path, change):
    dbf = path.with_suffix(".dbf")
    data = bytearray(dbf.read_bytes())
    change(data)
    dbf.write_bytes(data)
    return path


def without_index(folder):
    path = shapefile(folder)
    path.with_suffix(".shx").unlink()
    return path


def with_deleted(folder):
    def change(data):
        start, size = struct.unpack_from("<HH", data, 8)
        data[start + size] = ord("*")

    return spoiled(shapefile(folder), change)


def with_memo(folder):
    def change(data):
        data[32 + 11] = ord("M")  # the kind of the first column

    return spoiled(shapefile(folder), change)


def with_another_encoding(folder):
    frame = layer().assign(权属=["市政处", "排水公司", "园林局"], 备注=["甲乙", "丙丁", "戊己"])
    path = shapefile(folder, frame=frame)

    def change(data):
        for name in ("裕华区", "长安区", "桥西区"):
            old, new = name.encode("gbk"), name.encode()
            at = data.find(old)
            data[at : at + len(new)] = new

    return spoiled(path, change)


def with_misread_name(folder):
    bad = "权属".encode().decode("gb18030", errors="replace")
    path = folder / "a.geojson"
    write_vector(layer().rename(columns={"名称": bad}), path)
    return path


def with_prj(folder, content):
    path = shapefile(folder)
    path.with_suffix(".prj").write_text(content)
    return path


def swapped(folder):
    shapes = [shapely.Point(114, 38), shapely.Point(38, 114)]
    return shapefile(
        folder, frame=gpd.GeoDataFrame({"code": ["1", "2"]}, geometry=shapes, crs=4490)
    )


def in_gbk(folder, *, damage=b""):
    feature = {"type": "Feature", "properties": {"name": "裕华区街道办事处"}}
    feature["geometry"] = {"type": "Point", "coordinates": [114.5, 38.0]}
    document = {"type": "FeatureCollection", "features": [feature]}
    data = json.dumps(document, ensure_ascii=False).encode("gbk")
    path = folder / "a.geojson.gz"
    path.write_bytes(
        gzip.compress(data.replace("事处".encode("gbk"), "事处".encode("gbk") + damage))
    )
    return path


FILES = {
    "The .cpg says UTF-8 but": lambda folder: (shapefile(folder, cpg="UTF-8"), {}),
    "the .cpg says GBK": lambda folder: (shapefile(folder, cpg="GBK"), {}),
    "by the text itself": lambda folder: (shapefile(folder, encoding="UTF-8"), {}),
    "stated in the manifest": lambda folder: (shapefile(folder), {"encoding": "GBK"}),
    "plain ASCII text": lambda folder: (
        shapefile(folder, frame=gpd.GeoDataFrame(geometry=layer().geometry).assign(code="1")),
        {},
    ),
    "The text looks like UTF-8, but": lambda folder: (
        shapefile(folder, encoding="UTF-8"),
        {"encoding": "ISO-8859-1"},
    ),
    "shx is missing": lambda folder: (without_index(folder), {}),
    "marked deleted": lambda folder: (with_deleted(folder), {}),
    "is a memo field": lambda folder: (with_memo(folder), {}),
    "although the file is in": lambda folder: (with_another_encoding(folder), {}),
    "was read in a wrong encoding (": lambda folder: (with_misread_name(folder), {}),
    "prj is empty": lambda folder: (with_prj(folder, ""), {"crs": CITY}),
    "prj is not a valid CRS": lambda folder: (with_prj(folder, "GAUSS"), {"crs": CITY}),
    "swapped axes?": lambda folder: (swapped(folder), {}),
    "the manifest GCJ-02": lambda folder: (
        shapefile(folder, frame=layer().to_crs(4326)),
        {"crs": "GCJ-02"},
    ),
    "WGS 84 is taken as CGCS2000": lambda folder: (
        shapefile(folder, frame=layer().to_crs(4326)),
        {},
    ),
    "The layer has no rows": lambda folder: (shapefile(folder, frame=layer().iloc[:0]), {}),
    "JSON must be UTF-8": lambda folder: (in_gbk(folder), {}),
    "GB18030 text were replaced": lambda folder: (
        in_gbk(folder, damage=b"\xff"),
        {"encoding": "GBK"},
    ),
    "texts of the drawing are no rows": lambda folder: (
        drawing(folder, insert(540_000, "市政处"), text(540_000.5, "YB-1")),
        {"crs": CITY},
    ),
    "lie in paper space": lambda folder: (
        drawing(folder, insert(540_000, "市政处"), point(0, paper=True)),
        {"crs": CITY},
    ),
}


@pytest.mark.parametrize("said", FILES)
def test_what_is_said_of_a_layer_is_said_in_both_languages(tmp_path, said):
    path, stated = FILES[said](tmp_path)
    found = said_of(read_vector(path, target_crs=CITY, **stated))
    assert any(said in remark.en for remark in found), [remark.en for remark in found]
    assert all(map(is_both, found)), found


def sheet_rows(folder, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / "a.xlsx")
    return folder / "a.xlsx"


def csv_bytes(folder, data):
    (folder / "a.csv").write_bytes(data)
    return folder / "a.csv"


NAMES = "裕华路街道办事处\n长安区广安街道\n桥西区红旗街道\n".encode("gbk")
TABLES = {
    "The table has no rows": lambda folder: sheet_rows(folder, [["编号"]]),
    "occurs twice": lambda folder: sheet_rows(folder, [["编号", "编号"], ["1", "2"]]),
    "no name in the header row": lambda folder: sheet_rows(folder, [["编号", None], ["1", "2"]]),
    "more than 15 digits": lambda folder: sheet_rows(folder, [["编号"], [1301020101000000]]),
    "the format is UTF-8": lambda folder: sheet_rows(folder, [["编号"], ["1"]]),
    "byte order mark": lambda folder: csv_bytes(folder, "编号\n1\n".encode("utf-8-sig")),
    "text were replaced: row 42": lambda folder: csv_bytes(
        folder, "名称\n".encode("gbk") + NAMES * 13 + b"a\n" + b"\xff\xff\n"
    ),
}


@pytest.mark.parametrize("said", TABLES)
def test_what_is_said_of_a_table_is_said_in_both_languages(tmp_path, said):
    found = said_of(read_sheet(TABLES[said](tmp_path)))
    assert any(said in remark.en for remark in found), [remark.en for remark in found]
    assert all(map(is_both, found)), found


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_of_finding_is_told_in_both_languages(kind):
    finding = Finding(
        kind=kind, column="名称", rows=np.array([3, 8]), given=("鐭",) * 2, read=("石",) * 2
    )
    (told,) = remarks([finding])
    assert is_both(told)
    assert told.zh.startswith("列 名称 ")
    assert told.zh.endswith("：第 3、8 行。")


def test_damaged_shapes_are_told_in_both_languages():
    ring = struct.pack("<BIII6d", 1, 3, 1, 3, 0, 0, 1, 0, 1, 1)  # a triangle that is not closed
    _, told = parse_wkb(np.array([b"\x01", ring], dtype=object), rows=np.array([1, 2]))
    assert told == (
        Remark(en="The geometry can not be read at all: row 1.", zh="图形完全无法读取：第 1 行。"),
        Remark(en="Open rings were closed: row 2.", zh="未闭合的环已闭合：第 2 行。"),
    )


@pytest.mark.parametrize("column", ["所在单元网", "产权人"])
def test_what_is_said_of_columns_is_said_in_both_languages(column):
    (told,) = map_fields(pd.DataFrame({column: ["1"]}), dataset="components").warnings
    assert column in told.en
    assert column in told.zh
    assert is_both(told)


@needs_data
def test_what_is_said_of_real_messy_shapefiles_is_said_in_both_languages():
    for path in sorted(MESSY.rglob("*.shp")):
        stated = {} if path.with_suffix(".prj").is_file() else {"crs": "GCJ-02"}
        found = said_of(read_vector(path, target_crs=CITY, **stated))
        assert all(HAN.search(remark.zh) for remark in found), found
