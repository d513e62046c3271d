import pytest

from gis.crs import transform_xy
from gis.names.romanisation import romanise
from pipelines.place_names.names import transform
from tests.pipelines.town import X0, Y0, at, context, frame, line, rules_of


def row(code, name, shape=None, **more):
    return {"code": code, "name": name, "geometry": shape or at(50, 50)} | more


def test_a_place_name_is_completed(tmp_path):
    given = row(
        "D1", "裕华路", line((10, 10), (190, 10)), aliases="老街；古街", former_names="马路"
    )
    (found,) = transform(frame([given]), context(tmp_path)).accepted.to_dict("records")
    assert found["pinyin"] == "Yuhua Lu"
    assert (found["aliases"], found["former_names"]) == (["老街", "古街"], ["马路"])
    # The middle of the line lies on the edge of A1 and A2: the lower code.
    assert (found["grid_code"], found["area_code"]) == ("130102001001001", "130102001001")
    lon, lat = transform_xy([X0 + 100], [Y0 + 10], source="EPSG:4547", target="EPSG:4490")
    assert (found["lon"], found["lat"]) == pytest.approx((lon[0], lat[0]), abs=1e-8)


def test_a_delivered_romanisation_is_kept_and_doubted_by_its_letters(tmp_path):
    rows = [
        row("D1", "裕华路", pinyin="Yùhuá Lù"),
        row("D2", "重庆路", pinyin="Zhongqing Lu"),
        row("D3", "绿地", pinyin="LVDI"),
    ]
    outcome = transform(frame(rows), context(tmp_path))
    assert outcome.accepted["pinyin"].tolist() == ["Yùhuá Lù", "Zhongqing Lu", "LVDI"]
    assert outcome.faults["reason_en"].tolist() == [
        "The delivered romanisation Zhongqing Lu is read otherwise by the rules: Chongqing Lu; it was kept."
    ]


def test_rows_are_judged(tmp_path):
    rows = [row("D1", None), row(None, "甲"), row("D3", "乙"), row("D3", "丙"), row("D4", "丁")]
    rows[4] |= {"category_code": "99"}
    rows.append(row("D6", "戊", at(5000, 0)))
    outcome = transform(frame(rows), context(tmp_path))
    assert rules_of(outcome.faults) == [
        (1, "P003"),
        (2, "P001"),
        (4, "P002"),
        (5, "PN01"),
        (6, "G009"),
    ]
    assert outcome.accepted["code"].tolist() == ["D3", "D4"]


def test_a_name_outside_the_grids_has_no_grid(tmp_path):
    (found,) = transform(frame([row("D1", "甲", at(420, 50))]), context(tmp_path)).accepted.to_dict(
        "records"
    )
    assert (found["grid_code"], found["area_code"]) == (None, None)


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        # specific and generic part apart, capitals
        ("裕华路", "Yuhua Lu"),
        ("长安公园", "Chang'an Gongyuan"),
        ("重庆", "Chongqing"),
        ("石家庄长安区", "Shijiazhuang Chang'an Qu"),
        ("石家庄市长安区", "Shijiazhuang Shi Chang'an Qu"),
        ("六安", "Lu'an"),
        ("蚌埠", "Bengbu"),
        ("厦门", "Xiamen"),
        ("陕西省", "Shaanxi Sheng"),
        ("呼和浩特市", "Hohhot Shi"),
        ("乐亭县", "Laoting Xian"),
        ("朝阳大街", "Chaoyang Dajie"),
        ("长治路", "Changzhi Lu"),
        ("单县", "Shan Xian"),
        ("吕梁", "Lüliang"),
        ("西安路", "Xi'an Lu"),
        # a direction of one syllable joins the generic part, but not the specific part's own
        ("建设北大街", "Jianshe Beidajie"),
        ("南京西路", "Nanjing Xilu"),
        ("湖北路", "Hubei Lu"),
        ("河北大街", "Hebei Dajie"),
        # figures: ordinals of streets yes, names no
        ("大川淀二巷", "Dachuandian 2 Xiang"),
        ("东四十二条", "Dongsi 12 Tiao"),
        ("第九弄", "Di-9 Long"),
        ("二环路", "2 Huanlu"),
        ("中山东一路", "Zhongshan Dong 1 Lu"),
        ("五四路", "Wusi Lu"),
        # villages are one word
        ("王村", "Wangcun"),
        ("曾家庄", "Zengjiazhuang"),
        # parts, buildings, crossings
        ("长安小区12号院", "Chang'an Xiaoqu 12 Haoyuan"),
        ("绿地3号楼", "Lüdi 3 Haolou"),
        ("A座", "A Zuo"),
        ("槐安路与建设大街路口", "Huai'an Lu yu Jianshe Dajie Lukou"),
        ("上海城小区", "Shanghaicheng Xiaoqu"),
    ],
)
def test_names_are_spelt_by_the_rules(name, spelling):
    assert romanise(name) == spelling


def test_a_name_that_begins_with_one_of_the_citys_areas_is_parted():
    assert romanise("长安区裕华路", areas={"长安区"}) == "Chang'an Qu Yuhua Lu"
