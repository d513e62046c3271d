import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point

from gis.vector import read_vector
from pipelines.place_names.annotations import read_annotations
from pipelines.place_names.labels import plain_text
from pipelines.place_names.names import transform
from tests.pipelines.town import CRS, X0, Y0, at, context, frame, line, rectangle, rules_of

ROAD = "439000"


def texts(rows):
    """Labels: text, class, east, north."""
    table = [{"name": t, "feature_class": c, "geometry": at(e, n)} for t, c, e, n in rows]
    return frame(table, file="labels.shp")


def features(*rows):
    table = pd.DataFrame(
        [
            {"code": c, "feature_class": k, "name": n, "source_file": "f", "source_row": i}
            for i, (c, k, n, _) in enumerate(rows, 1)
        ]
    )
    return gpd.GeoDataFrame(table, geometry=[shape for *_, shape in rows], crs=CRS)


YUHUA = ("T1", "430501", "裕华路", line((0, 100), (200, 100)))
YUHUA_EAST = ("T2", "430501", "裕华路", line((200, 100), (400, 100)))
JIANSHE = ("T3", "430502", None, line((200, 200), (200, 0)))
COURT = ("T4", "310600", None, rectangle(20, 20, 90, 80))
HOUSE = ("T5", "310300", None, rectangle(30, 30, 50, 50))


def names_of(rows, *ground):
    found = read_annotations(texts(rows), features(*ground)).names
    return {
        name: (code, shape)
        for name, code, shape in zip(
            found["name"], found["feature_code"], found.geometry, strict=True
        )
    }


def test_a_name_written_twice_along_a_road_is_one_with_the_whole_road():
    signs = zip("裕华路裕华路", (20, 40, 60, 300, 320, 340), strict=True)
    found = names_of([(s, ROAD, x, 101) for s, x in signs], YUHUA, YUHUA_EAST, JIANSHE)
    code, shape = found["裕华路"]
    assert (list(found), code) == (["裕华路"], "T1")
    assert shape.length == pytest.approx(400)


def test_a_name_on_a_steep_road_is_read_from_north_to_south():
    rows = [(s, ROAD, 201, y) for s, y in zip("建设大街", (170, 140, 60, 30), strict=True)]
    (found,) = names_of(rows, YUHUA, JIANSHE).items()
    assert found[0] == "建设大街"
    assert found[1][0] == "T3"


def test_a_sign_at_a_crossing_belongs_to_the_road_its_name_is_written_along():
    crossing = ("T6", "430502", "平安路", line((200, 200), (200, 0)))
    along = [("裕", ROAD, 150, 101), ("华", ROAD, 175, 101), ("路", ROAD, 199, 101)]
    assert list(names_of(along, YUHUA, crossing)) == ["裕华路"]


def test_rows_of_one_label_are_one_name_and_materials_none():
    rows = [
        ("长安区人民", "319000", 55, 60),
        ("医院", "319000", 56, 52),
        ("混3", "319000", 60, 40),
        ("75.30", "729000", 61, 41),
        ("绿化带", "819000", 62, 42),
    ]
    found = read_annotations(texts(rows), features(COURT))
    assert found.names["name"].tolist() == ["长安区人民医院"]
    assert found.names["feature_code"].tolist() == ["T4"]
    assert (found.texts, found.no_names) == (5, 3)


def test_a_label_names_the_smallest_ground_that_holds_it():
    assert names_of([("翠屏楼", "319000", 40, 40)], COURT, HOUSE)["翠屏楼"][0] == "T5"
    assert names_of([("翠屏小区", "319000", 80, 40)], COURT, HOUSE)["翠屏小区"][0] == "T4"


def test_a_label_that_stands_at_nothing_stays_where_it_is():
    code, shape = names_of([("平安路", ROAD, 100, 190)], YUHUA)["平安路"]
    assert code is None
    assert (shape.x - X0, shape.y - Y0) == (100, 190)


def test_names_come_from_the_labels_of_the_topography(tmp_path):
    ground = features(YUHUA, COURT, ("T9", ROAD, "育华路", at(100, 101)))
    given = frame(
        [{"code": "D1", "name": "翠屏小区", "category_code": "22100", "geometry": at(40, 40)}]
    )
    outcome = transform(given, context(tmp_path, topography=ground))
    rows = outcome.accepted.to_dict("records")
    assert [(row["name"], row["source"]) for row in rows] == [
        ("翠屏小区", "table"),
        ("育华路", "map"),
    ]
    assert (rows[1]["feature_code"], rows[1]["category_code"]) == ("T1", "23")
    assert rows[1]["area_codes"] == ["130102001001"]
    assert rules_of(outcome.faults) == [(3, "PN23")]


def test_the_last_name_of_the_map_ends_with_its_label(tmp_path):
    none = frame([{"code": "D1", "name": "裕华路", "geometry": at(90, 100)}]).iloc[:0]
    ground = features(YUHUA, ("T9", ROAD, "裕华路", at(100, 101)))
    first = transform(none, context(tmp_path, topography=ground))
    live = first.accepted.reset_index(drop=True)
    assert (live["source"].tolist(), first.ends) == (["map"], None)
    bare = context(tmp_path, topography=features(YUHUA), place_names=live)
    assert transform(none, bare).ends == tuple(live["code"])


def test_a_label_of_a_name_in_the_table_ties_it_to_its_feature(tmp_path):
    ground = features(YUHUA, ("T9", ROAD, "裕华路", at(100, 101)))
    given = frame(
        [{"code": "D1", "name": "裕华路", "category_code": "23", "geometry": at(90, 100)}]
    )
    outcome = transform(given, context(tmp_path, topography=ground))
    (row,) = outcome.accepted.to_dict("records")
    assert (row["code"], row["feature_code"]) == ("D1", "T1")
    assert outcome.faults.empty


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"{\fSimSun|b0|i0;裕华路}", "裕华路"),
        (r"\A1;长安\P公园", "长安公园"),
        ("%%u平安路", "平安路"),
        ("裕 华　路", "裕华路"),
    ],
)
def test_texts_of_drawings_are_read_without_their_formatting(written, read):
    assert plain_text(written) == read


DXF = """0
SECTION
2
ENTITIES
0
TEXT
8
DLMC
10
540100.0
20
4214101.0
40
2.5
1
{text}
0
LINE
8
DL
10
540000.0
20
4214100.0
11
540200.0
21
4214100.0
0
ENDSEC
0
EOF
"""


def test_texts_of_a_drawing_are_rows_where_they_are_asked_for(tmp_path):
    path = tmp_path / "labels.dxf"
    path.write_text(DXF.format(text="裕华路"), encoding="gb18030")
    rows = read_vector(path, target_crs=CRS, crs=CRS, layer="DLMC", texts=True).frame
    assert rows["text"].tolist() == ["裕华路"]
    assert rows.geometry.tolist() == [Point(X0 + 100, Y0 + 101)]
    assert len(read_vector(path, target_crs=CRS, crs=CRS).frame) == 1
