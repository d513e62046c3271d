"""CAD drawings and file geodatabases, as survey teams deliver them beside shapefiles."""

import geopandas as gpd
import pyogrio
import pytest
import shapely

from gis.errors import CrsError, FileFormatError
from gis.vector import list_layers, read_vector

CITY = "EPSG:4547"


def pairs(*items):
    return "".join(f"{code}\n{value}\n" for code, value in items)


def insert(east, owner, *, block="雨水箅子", layer="雨水箅子"):
    return pairs(
        (0, "INSERT"), (100, "AcDbEntity"), (8, layer), (100, "AcDbBlockReference"), (66, 1),
        (2, block), (10, east), (20, 4_214_000),
        (0, "ATTRIB"), (8, layer), (10, east), (20, 4_214_000), (1, owner), (2, "OWNER"),
        (0, "SEQEND"),
    )  # fmt: skip


def text(east, words, *, layer="注记"):
    return pairs((0, "TEXT"), (8, layer), (10, east), (20, 4_214_000), (40, 1), (1, words))


def point(east, *, layer="路灯", paper=False):
    space = [(67, 1)] if paper else []
    return pairs((0, "POINT"), *space, (8, layer), (10, east), (20, 4_214_000))


BLOCK = pairs(
    (0, "BLOCK"), (8, "0"), (2, "雨水箅子"), (10, 0), (20, 0),
    (0, "CIRCLE"), (8, "0"), (10, 0), (20, 0), (40, 0.4), (0, "ENDBLK"), (8, "0"),
)  # fmt: skip


def drawing(folder, *entities, encoding="gbk", codepage="ANSI_936"):
    body = pairs(
        (0, "SECTION"), (2, "HEADER"), (9, "$ACADVER"), (1, "AC1015"),
        (9, "$DWGCODEPAGE"), (3, codepage), (0, "ENDSEC"), (0, "SECTION"), (2, "BLOCKS"),
    )  # fmt: skip
    body += BLOCK + pairs((0, "ENDSEC"), (0, "SECTION"), (2, "ENTITIES"))
    body += "".join(entities) + pairs((0, "ENDSEC"), (0, "EOF"))
    path = folder / "部件.dxf"
    path.write_bytes(body.encode(encoding))
    return path


def read(path, **stated):
    return read_vector(path, target_crs=CITY, crs=CITY, **stated)


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])  # whatever the header says
def test_blocks_are_rows_with_their_attributes_and_labels(tmp_path, encoding):
    path = drawing(
        tmp_path,
        insert(540_000, "市政处"),
        text(540_000.5, "YB-1"),
        insert(540_010, "排水公司"),
        text(540_500, "建设大街"),
        point(540_100),
        point(0, layer="图框", paper=True),
        encoding=encoding,
    )
    found = read(path)
    frame = found.frame
    assert frame["layer"].tolist() == ["雨水箅子", "雨水箅子", "路灯"]
    assert frame["block"].tolist() == ["雨水箅子", "雨水箅子", None]
    assert frame["OWNER"].tolist() == ["市政处", "排水公司", None]
    assert frame["label"].tolist() == ["YB-1", None, None]
    assert frame["source_row"].tolist() == [1, 3, 5]
    assert frame.geometry.x.tolist() == [540_000, 540_010, 540_100]
    assert found.report.encoding == {"gbk": "GBK", "utf-8": "UTF-8"}[encoding]
    assert any(
        "2 texts of the drawing are no rows; 1 of them" in w.en for w in found.report.warnings
    )
    assert any("1 entities lie in paper space" in w.en for w in found.report.warnings)
    assert list_layers(path) == ["路灯", "雨水箅子"]
    assert read(path, layer="路灯").frame["source_row"].tolist() == [5]


def test_a_label_goes_to_the_nearest_and_to_one_alone(tmp_path):
    path = drawing(
        tmp_path,
        insert(540_000, "a"),
        insert(540_002, "b"),
        text(540_000.4, "one"),
        text(540_000.9, "far"),
        insert(540_020, "c"),
        text(540_023.1, "too far"),
    )
    assert read(path).frame["label"].tolist() == ["one", None, None]


def test_escaped_characters_are_read(tmp_path):
    path = drawing(tmp_path, point(540_000, layer="\\U+8DEF\\U+706F"))
    assert read(path).frame["layer"].tolist() == ["路灯"]


def test_a_drawing_states_no_crs_and_the_manifest_must(tmp_path):
    path = drawing(tmp_path, point(540_000))
    with pytest.raises(CrsError, match="state crs in delivery"):
        read_vector(path, target_crs=CITY)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"AutoCAD Binary DXF\r\n\x1a\x00", "is a binary drawing: save it as an ASCII"),
        (b"something else", "is no drawing"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_drawing_is_refused(tmp_path, content, sentence):
    path = tmp_path / "a.dxf"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=sentence):
        read(path)
    with pytest.raises(FileFormatError, match=r"no layer 井盖 \(it has: 路灯\)"):
        read(drawing(tmp_path, point(540_000)), layer="井盖")


def test_a_cut_drawing_is_an_error_or_fewer_rows_and_never_a_crash(tmp_path):
    path = drawing(tmp_path, insert(540_000, "市政处"), point(540_100), text(540_100, "L1"))
    data = path.read_bytes()
    for size in range(0, len(data), 23):
        path.write_bytes(data[:size])
        try:
            assert len(read(path).frame) <= 2
        except FileFormatError:
            continue


def test_a_file_geodatabase_is_a_folder_with_layers(tmp_path):
    path = tmp_path / "普查.gdb"
    for name in ("雨水箅子", "路灯"):
        frame = gpd.GeoDataFrame(
            {"ObjName": [name]}, geometry=[shapely.Point(540_000, 4_214_000)], crs=CITY
        )
        pyogrio.write_dataframe(frame, path, driver="OpenFileGDB", layer=name, append=path.exists())
    assert list_layers(path) == ["路灯", "雨水箅子"]
    with pytest.raises(FileFormatError, match="several layers"):
        read_vector(path, target_crs=CITY)
    found = read_vector(path, target_crs=CITY, layer="路灯")
    assert found.frame["ObjName"].tolist() == ["路灯"]
    assert found.report.crs == "EPSG:4547"
    first = found.report.sha256
    assert read_vector(path, target_crs=CITY, layer="雨水箅子").report.sha256 == first
    (path / "a00000001.gdbtable").write_bytes(b"broken")
    with pytest.raises(FileFormatError):
        read_vector(path, target_crs=CITY, layer="路灯")
