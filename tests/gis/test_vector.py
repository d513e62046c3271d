"""Vector files: whole, broken, lying, and mutated at random."""

import gzip
import json
import shutil
import struct
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.errors import CrsError, EncodingError, FileFormatError, WanmiError
from gis.vector import read_vector, write_vector

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
MESSY = DATA / "messy_shapefiles"
CITY = "EPSG:4547"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared real data is not here")


def layer(names=("裕华区", "长安区", "桥西区"), crs=CITY):
    points = [shapely.Point(500_000 + 10 * row, 4_200_000) for row in range(len(names))]
    codes = [f"{row:04d}" for row in range(1, len(names) + 1)]
    return gpd.GeoDataFrame({"code": codes, "名称": list(names)}, geometry=points, crs=crs)


def shapefile(folder, *, encoding="GBK", cpg=None, frame=None, name="区县"):
    path = folder / f"{name}.shp"
    write_vector(layer() if frame is None else frame, path, encoding=encoding)
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg)
    return path


# --- what comes out ---


@pytest.mark.parametrize("encoding", ["GBK", "UTF-8"])
@pytest.mark.parametrize("cpg", [None, "GBK", "UTF-8", "ISO-8859-1"])
def test_shapefile_text_is_right_whatever_the_cpg_says(tmp_path, encoding, cpg):
    found = read_vector(shapefile(tmp_path, encoding=encoding, cpg=cpg), target_crs=CITY)
    assert list(found.frame.columns) == ["code", "名称", "geometry", "source_file", "source_row"]
    assert found.frame["名称"].tolist() == ["裕华区", "长安区", "桥西区"]
    assert found.frame["code"].tolist() == ["0001", "0002", "0003"]
    assert found.frame["source_row"].tolist() == [1, 2, 3]
    assert set(found.frame["source_file"]) == {"区县.shp"}
    assert found.report.encoding == encoding
    contradicted = [said.en for said in found.report.warnings if "read as" in said.en]
    assert bool(contradicted) == (cpg not in (None, encoding))


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".fgb", ".shp"])
def test_every_format_gives_the_same_rows(tmp_path, suffix):
    path = tmp_path / f"layer{suffix}"
    write_vector(layer(), path)
    found = read_vector(path, target_crs=CITY)
    rows = found.frame.sort_values("code")  # FlatGeobuf orders by place
    assert rows["名称"].tolist() == ["裕华区", "长安区", "桥西区"]
    assert rows.geometry.x.tolist() == pytest.approx([500_000, 500_010, 500_020], abs=1e-3)
    assert found.frame.crs.to_epsg() == 4547
    assert found.report.rows == 3


def test_blank_text_is_none_and_numbers_stay_numbers(tmp_path):
    frame = layer().assign(名称=["甲", "  ", None], floors=[1, 2, 3], width=[1.5, np.nan, 2.0])
    found = read_vector(shapefile(tmp_path, frame=frame), target_crs=CITY).frame
    assert found["名称"].tolist() == ["甲", None, None]
    assert found["floors"].tolist() == [1, 2, 3]
    assert found["floors"].dtype == np.int64
    assert found["width"].tolist()[0::2] == [1.5, 2.0]
    assert np.isnan(found["width"][1])


def test_long_whole_numbers_keep_every_digit(tmp_path):
    codes = [13010200104000001, 13010200104000002, 13010200104000003]  # 17 digits, above 2**53
    frame = layer().assign(code=codes)
    found = read_vector(shapefile(tmp_path, frame=frame), target_crs=CITY).frame
    assert found["code"].tolist() == codes


def test_dates_come_as_iso_text(tmp_path):
    frame = layer().assign(day=np.array(["2024-05-01", "2024-12-31", "NaT"], dtype="M8[D]"))
    frame["day"] = frame["day"].dt.date
    path = shapefile(tmp_path, frame=frame)
    assert read_vector(path, target_crs=CITY).frame["day"].tolist()[:2] == [
        "2024-05-01",
        "2024-12-31",
    ]


def test_a_cut_character_is_dropped_and_its_rows_named(tmp_path):
    long = "裕华路与建设大街交叉口东北角" * 12  # 168 characters: 336 bytes of GBK, 254 are kept
    cut = ["短名", "a" + long, "b" + long]  # the odd byte makes 254 fall inside a character
    path = shapefile(tmp_path, frame=layer(cut))
    dbf = path.with_suffix(".dbf")
    data = bytearray(dbf.read_bytes())
    for text in cut[1:]:
        whole = text.encode("gbk")[:254]
        start = data.find(whole[:200])
        data[start : start + 254] = whole  # as a writer that counts bytes leaves it
    dbf.write_bytes(data)
    found = read_vector(path, target_crs=CITY)
    assert found.frame["名称"].tolist() == ["短名", cut[1][:127], cut[2][:127]]
    assert [said.en for said in found.report.warnings if "middle of a character" in said.en] == [
        "Column 名称 ends in the middle of a character (cut to the column's width); it was dropped: "
        "rows 2, 3."
    ]


def test_a_row_marked_deleted_is_left_out_and_counted(tmp_path):
    path = shapefile(tmp_path)
    dbf = path.with_suffix(".dbf")
    data = bytearray(dbf.read_bytes())
    start, size = struct.unpack_from("<HH", data, 8)
    data[start + size] = ord("*")
    dbf.write_bytes(data)
    found = read_vector(path, target_crs=CITY)
    assert found.frame["source_row"].tolist() == [1, 3]
    assert found.frame["名称"].tolist() == ["裕华区", "桥西区"]
    assert found.frame.geometry.x.tolist() == [500_000, 500_020]
    assert any("1 rows are marked deleted" in said.en for said in found.report.warnings)


def test_rows_without_geometry_stay(tmp_path):
    frame = layer()
    frame.loc[1, "geometry"] = None
    found = read_vector(shapefile(tmp_path, frame=frame), target_crs=CITY).frame
    assert found.geometry.isna().tolist() == [False, True, False]


def test_z_is_kept_for_the_checks_to_judge(tmp_path):
    frame = layer().set_geometry(gpd.GeoSeries([shapely.Point(5e5, 4.2e6, 9)] * 3, crs=CITY))
    found = read_vector(shapefile(tmp_path, frame=frame), target_crs="EPSG:4526").frame
    assert [shape.z for shape in found.geometry] == [9, 9, 9]


def test_an_empty_layer_is_legal_and_reported(tmp_path):
    found = read_vector(shapefile(tmp_path, frame=layer().iloc[:0]), target_crs=CITY)
    assert len(found.frame) == 0
    assert [said.en for said in found.report.warnings] == ["The layer has no rows."]


def test_a_compressed_file_is_the_same_as_the_plain_one(tmp_path):
    plain, packed = tmp_path / "a.geojson", tmp_path / "a.geojson.gz"
    write_vector(layer(), plain)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    first, second = (read_vector(path, target_crs=CITY).frame for path in (plain, packed))
    assert first["名称"].tolist() == second["名称"].tolist()
    assert first.geometry.equals(second.geometry)


def test_reading_leaves_the_delivery_as_it_was(tmp_path):
    path = shapefile(tmp_path)
    path.with_suffix(".shx").unlink()
    before = {item.name: item.read_bytes() for item in tmp_path.iterdir()}
    found = read_vector(path, target_crs=CITY)
    assert found.frame.geometry.x.tolist() == [500_000, 500_010, 500_020]
    assert any("shx is missing and was remade" in said.en for said in found.report.warnings)
    assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == before


def test_the_hash_covers_every_part(tmp_path):
    path = shapefile(tmp_path)
    first = read_vector(path, target_crs=CITY).report.sha256
    assert read_vector(path, target_crs=CITY).report.sha256 == first
    path.with_suffix(".cpg").write_text("GBK")
    assert read_vector(path, target_crs=CITY).report.sha256 != first


# --- the CRS ---


def test_no_crs_anywhere_is_refused(tmp_path):
    path = shapefile(tmp_path, frame=layer(crs=None))
    with pytest.raises(CrsError, match=r"state crs in delivery\.toml"):
        read_vector(path, target_crs=CITY)
    assert read_vector(path, target_crs=CITY, crs=CITY).report.crs_source == "manifest"


def test_two_different_crs_are_both_told(tmp_path):
    with pytest.raises(CrsError, match=r"EPSG:4547.*EPSG:4526"):
        read_vector(shapefile(tmp_path), target_crs=CITY, crs="EPSG:4526")


def test_the_same_crs_twice_is_no_conflict(tmp_path):
    report = read_vector(shapefile(tmp_path), target_crs=CITY, crs="epsg:4547").report
    assert (report.crs, report.crs_source) == ("EPSG:4547", "file")


def test_wgs84_for_cgcs2000_is_noted_not_warned(tmp_path):
    path = shapefile(tmp_path, frame=layer().to_crs(4326))
    report = read_vector(path, target_crs=CITY, crs="EPSG:4490").report
    assert report.warnings == ()
    assert [note.en for note in report.notes] == [
        "WGS 84 is taken as CGCS2000; they differ by centimetres to decimetres."
    ]


def test_gcj02_may_be_stated_of_a_file_that_calls_itself_wgs84(tmp_path):
    # Published vector: WGS 84 (116.404, 39.915) is GCJ-02 (116.41024449916938, 39.91640428150164).
    shape = shapely.Point(116.41024449916938, 39.91640428150164)
    frame = gpd.GeoDataFrame({"code": ["1"]}, geometry=[shape], crs=4326)
    path = shapefile(tmp_path, frame=frame)
    found = read_vector(path, target_crs="EPSG:4490", crs="GCJ-02")
    assert found.frame.geometry[0].x == pytest.approx(116.404, abs=1e-7)
    assert found.frame.geometry[0].y == pytest.approx(39.915, abs=1e-7)
    assert "the manifest GCJ-02" in found.report.warnings[0].en


def test_gcj02_of_a_file_in_metres_is_refused(tmp_path):
    with pytest.raises(CrsError, match="GCJ-02"):
        read_vector(shapefile(tmp_path), target_crs=CITY, crs="GCJ-02")


def test_geojson_without_crs_is_wgs84_unless_the_manifest_says_otherwise(tmp_path):
    path = tmp_path / "a.geojson"
    feature = {"type": "Feature", "properties": {"code": "1"}, "geometry": None}
    feature["geometry"] = {"type": "Point", "coordinates": [38_500_000, 4_200_000]}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    with pytest.raises(CrsError, match="coordinates are metres"):
        read_vector(path, target_crs=CITY)
    found = read_vector(path, target_crs=CITY, crs="EPSG:4526")
    assert found.frame.geometry[0].x == pytest.approx(500_000, abs=1e-3)
    assert found.report.crs == "EPSG:4526"


def test_swapped_degrees_are_told_row_by_row(tmp_path):
    shapes = [shapely.Point(114, 38), shapely.Point(38, 114)]
    frame = gpd.GeoDataFrame({"code": ["1", "2"]}, geometry=shapes, crs=4490)
    found = read_vector(shapefile(tmp_path, frame=frame), target_crs=CITY)
    assert any("swapped axes?): row 2" in said.en for said in found.report.warnings)


def test_an_unreadable_prj_counts_as_none(tmp_path):
    path = shapefile(tmp_path)
    path.with_suffix(".prj").write_text("GAUSS KRUGER 38")
    with pytest.raises(CrsError, match="no coordinate reference system"):
        read_vector(path, target_crs=CITY)


# --- broken files ---


@pytest.mark.parametrize(("suffix", "text"), [(".shp", "shp missing"), (".dbf", "dbf missing")])
def test_a_missing_part_is_named(tmp_path, suffix, text):
    path = shapefile(tmp_path)
    path.with_suffix(suffix).unlink()
    with pytest.raises(FileFormatError, match=text) as caught:
        read_vector(path, target_crs=CITY)
    assert "缺少" in caught.value.zh


@pytest.mark.parametrize("suffix", [".shp", ".dbf", ".shx"])
@pytest.mark.parametrize("kept", [0, 20, 110, -1, -15])
def test_a_truncated_part_is_told(tmp_path, suffix, kept):
    part = shapefile(tmp_path).with_suffix(suffix)
    data = part.read_bytes()
    if suffix == ".dbf" and kept == -1:
        kept = -2  # the last byte of a DBF only marks its end
    part.write_bytes(data[:kept])
    with pytest.raises(FileFormatError, match=r"damaged|empty|belong together"):
        read_vector(part.with_suffix(".shp"), target_crs=CITY)


def test_parts_of_different_shapefiles_are_told(tmp_path):
    first = shapefile(tmp_path, name="a")
    second = shapefile(tmp_path, name="b", frame=layer(["甲"]))
    shutil.copy(second.with_suffix(".dbf"), first.with_suffix(".dbf"))
    with pytest.raises(FileFormatError, match=r"3 shapes but a\.dbf has 1 rows"):
        read_vector(first, target_crs=CITY)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.dbf", r"name the a\.shp"),
        ("a.csv", "x_field and y_field"),
        ("a.zip", "unpack it"),
        ("a.dwg", r"save it as \.dxf"),
        ("a.rar", "unpack it"),
        ("a", r"deliver \.shp"),
    ],
)
def test_an_unknown_kind_says_what_to_do(tmp_path, name, text):
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(FileFormatError, match=text):
        read_vector(tmp_path / name, target_crs=CITY)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileFormatError, match=r"There is no file.*correct its path"):
        read_vector(tmp_path / "absent.gpkg", target_crs=CITY)


@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson", "a.fgb", "a.topojson", "a.shp"])
@pytest.mark.parametrize("content", [b"", b"\x00\x01 no such format", b'{"type": "Feature'])
def test_rubbish_is_a_file_fault(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileFormatError):
        read_vector(tmp_path / name, target_crs=CITY)


def test_several_layers_need_a_name(tmp_path):
    path = tmp_path / "a.gpkg"
    write_vector(layer(["甲"]), path, layer="one")
    write_vector(layer(["乙"]), path, layer="two")
    with pytest.raises(FileFormatError, match=r"several layers \(one, two\): state layer"):
        read_vector(path, target_crs=CITY)
    with pytest.raises(FileFormatError, match=r"no layer three \(it has: one, two\)"):
        read_vector(path, target_crs=CITY, layer="three")
    assert read_vector(path, target_crs=CITY, layer="two").frame["名称"].tolist() == ["乙"]


def test_a_truncated_archive_is_told(tmp_path):
    plain = tmp_path / "a.geojson"
    write_vector(layer(), plain)
    packed = tmp_path / "b.geojson.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes())[:-20])
    with pytest.raises(FileFormatError, match="damaged or truncated"):
        read_vector(packed, target_crs=CITY)


def test_an_archive_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("gis.sources.MAX_UNPACKED_BYTES", 1 << 20)
    packed = tmp_path / "b.geojson.gz"
    packed.write_bytes(gzip.compress(b"\x00" * (3 << 20)))
    with pytest.raises(FileFormatError, match="unpacks to more"):
        read_vector(packed, target_crs=CITY)


def test_one_broken_ring_costs_one_row(tmp_path):
    square = [[114, 38], [114.01, 38], [114.01, 38.01], [114, 38]]
    features = [
        {
            "type": "Feature",
            "properties": {"n": n},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for n, ring in enumerate([square, square[:2], square])
    ]
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    found = read_vector(path, target_crs=CITY)
    assert len(found.frame) == 3
    assert found.frame.geometry.notna().tolist()[0::2] == [True, True]


def test_geojson_in_gbk_is_read_and_told(tmp_path):
    path = tmp_path / "a.geojson"
    write_vector(layer(), path)
    path.write_bytes(path.read_text(encoding="utf-8").encode("gbk"))
    found = read_vector(path, target_crs=CITY)
    assert found.frame["名称"].tolist() == ["裕华区", "长安区", "桥西区"]
    assert any("JSON must be UTF-8" in said.en for said in found.report.warnings)


def test_a_damaged_byte_in_geojson_costs_one_character(tmp_path):
    path = tmp_path / "a.geojson"
    write_vector(layer(), path)
    text = path.read_bytes().replace(b"\n", b"")  # all on one line, as many programs write it
    path.write_bytes(text.replace("长安区".encode(), b"\xe9\x95" + "安区".encode()))
    found = read_vector(path, target_crs=CITY)
    assert found.frame["名称"].tolist() == ["裕华区", "\ufffd安区", "桥西区"]
    assert any("were replaced" in said.en for said in found.report.warnings)


def test_a_wrong_stated_encoding_is_refused(tmp_path):
    with pytest.raises(EncodingError, match="not in the stated encoding UTF-8"):
        read_vector(shapefile(tmp_path), target_crs=CITY, encoding="UTF-8")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of the parts of a small polygon shapefile in GBK."""
    folder = tmp_path_factory.mktemp("whole")
    frame = layer().set_geometry(layer().buffer(5, quad_segs=1))
    path = shapefile(folder, frame=frame, name="a")
    return {
        suffix: path.with_suffix(suffix).read_bytes() for suffix in (".shp", ".shx", ".dbf", ".prj")
    }


@given(
    suffix=st.sampled_from([".shp", ".shx", ".dbf", ".prj"]),
    changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=8),
)
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_mutated_bytes_raise_nothing_but_our_errors(whole, tmp_path, suffix, changes):
    for part, data in whole.items():
        mutated = bytearray(data)
        if part == suffix:
            for position, value in changes:
                mutated[position % len(mutated)] = value
        (tmp_path / f"a{part}").write_bytes(mutated)
    try:
        found = read_vector(tmp_path / "a.shp", target_crs=CITY)
    except WanmiError:
        return
    assert found.report.rows <= 3


# --- real files ---


@needs_data
def test_gbk_without_cpg_by_its_language_byte():
    found = read_vector(MESSY / "gbk_dbf_no_cpg" / "区县界_area.shp", target_crs="EPSG:4549")
    assert found.report.encoding == "GBK"
    assert found.report.rows == 17
    assert found.frame["NAME"].tolist()[:3] == ["宝山区", "杨浦区", "闵行区"]


@needs_data
@pytest.mark.parametrize(
    ("name", "rows", "first"),
    [("成都市", 20, "彭州市"), ("石家庄市", 22, "元氏县"), ("西安市", 13, "临潼区")],
)
def test_utf8_without_cpg_and_prj(name, rows, first):
    path = MESSY / "utf8_dbf_no_cpg_no_prj_gcj02" / f"{name}.shp"
    with pytest.raises(CrsError):
        read_vector(path, target_crs=CITY)
    found = read_vector(path, target_crs=CITY, crs="GCJ-02")
    assert (found.report.encoding, found.report.rows) == ("UTF-8", rows)
    assert found.frame["name"][0] == first
    assert found.frame["adcode"].str.len().eq(6).all()


@needs_data
def test_missing_parts_are_all_named():
    path = MESSY / "broken_missing_parts" / "shenzhen_osmroad.shp"
    with pytest.raises(FileFormatError, match=r"osmroad\.shp and shenzhen_osmroad\.dbf missing"):
        read_vector(path, target_crs=CITY)


@needs_data
def test_no_prj_needs_the_manifest():
    path = MESSY / "no_prj" / "sz.shp"
    with pytest.raises(CrsError):
        read_vector(path, target_crs=CITY)
    assert read_vector(path, target_crs=CITY, crs="EPSG:4326").report.rows == 10


@needs_data
def test_a_big_gbk_shapefile():
    found = read_vector(DATA / "xian_roads" / "link.shp", target_crs="EPSG:4545")
    assert (found.report.rows, found.report.encoding) == (9739, "GBK")
    assert found.frame["road_name"].nunique() == 478
    assert found.report.warnings == ()


@needs_data
def test_topojson_states_no_crs_and_keeps_every_parcel():
    path = DATA / "cambridge" / "ASSESSING_ParcelsFY2013.topojson.gz"
    with pytest.raises(CrsError):
        read_vector(path, target_crs="EPSG:26986")
    found = read_vector(path, target_crs="EPSG:26986", crs="EPSG:4326")
    assert found.report.rows == 13_159
