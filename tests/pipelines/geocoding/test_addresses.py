import pandas as pd

from gis.addresses.levels import split_levels
from pipelines.geocoding.addresses import transform
from pipelines.geocoding.reading import area_names, split_texts
from tests.pipelines.town import at, context, frame, line, rectangle, rules_of


def row(code, kind="门牌", shape=None, **more):
    return {"code": code, "kind": kind, "geometry": shape or at(50, 50)} | more


def test_an_address_is_completed_from_its_place(tmp_path):
    given = row("1", road="裕华路", plate="12号", aliases="老12号")
    (found,) = transform(frame([given]), context(tmp_path)).accepted.to_dict("records")
    assert (found["kind"], found["name"], found["aliases"]) == (
        "plate",
        "裕华路12号",
        ["老12号"],
    )
    assert (found["district"], found["street"], found["community"]) == (
        "长安区",
        "建北街道",
        "翠屏社区",
    )
    assert found["full_address"] == "长安区建北街道翠屏社区裕华路12号"
    assert (found["community_code"], found["grid_code"]) == ("130102001001", "130102001001001")
    assert found["source"] == "addresses"


def test_the_name_is_said_once_and_in_its_own_level(tmp_path):
    rows = [
        row("1", "兴趣点", name="人民医院", road="裕华路"),
        row("2", "小区", name="翠屏园"),
        row("3", "楼牌", name="翠屏园3号楼", block="翠屏园", building="3号楼"),
        row("4", "街巷", name="裕华路"),
        row("5", "地片", name="老火车站一带"),
    ]
    found = transform(frame(rows), context(tmp_path)).accepted
    ends = [text.removeprefix("长安区建北街道翠屏社区") for text in found["full_address"]]
    # A street runs through more than one community: it is said by its district.
    assert ends == ["裕华路人民医院", "翠屏园", "翠屏园3号楼", "长安区裕华路", "老火车站一带"]
    assert found["poi"].tolist()[0] == "人民医院"
    assert found["block"].tolist()[1] == "翠屏园"
    assert found["road"].tolist()[3] == "裕华路"


def test_rows_are_judged(tmp_path):
    rows = [
        row("1", "门脸", name="甲"),
        row("2", "兴趣点"),
        row("3", name="乙", street="桥东街道"),
        row("3", name="丙"),
        row(None, name="丁"),
        row("6", name="戊") | {"geometry": None},
    ]
    outcome = transform(frame(rows), context(tmp_path))
    assert rules_of(outcome.faults) == [
        (1, "AD01"),
        (2, "P003"),
        (3, "AD02"),
        (4, "P002"),
        (5, "AD04"),
        (6, "G001"),
    ]
    first, second = outcome.accepted["code"]
    assert first == "3"
    assert second.startswith("address:")
    # What the address says stays; the doubt is told.
    assert outcome.accepted["street"].tolist()[0] == "桥东街道"


def one(tmp_path, **given):
    (found,) = transform(frame([given]), context(tmp_path)).accepted.to_dict("records")
    return found


def test_one_text_is_split_into_the_levels(tmp_path):
    text = "河北省石家庄市长安区裕华路12号翠屏园3号楼2单元"
    rows = [
        row("1", "楼牌", full_address=text),
        row("2", None, name="国际饭店", full_address="建设大街１７０号(近裕华路)"),
        row("3", "兴趣点", name="书店", full_address="翠屏社区裕华路14号"),
    ]
    first, second, third = transform(frame(rows), context(tmp_path)).accepted.to_dict("records")
    levels = ("province", "city", "district", "road", "plate", "block", "building", "supplement")
    assert [first[level] for level in levels] == [
        "河北省",
        "石家庄市",
        "长安区",
        "裕华路",
        "12号",
        "翠屏园",
        "3号楼",
        "2单元",
    ]
    assert (first["kind"], first["name"]) == ("plate", "翠屏园3号楼")
    assert [second[level] for level in ("kind", "road", "plate", "poi")] == [
        "poi",
        "建设大街",
        "170号",
        "国际饭店",
    ]
    assert (third["community"], third["road"], third["plate"]) == ("翠屏社区", "裕华路", "14号")


def test_columns_of_their_own_come_before_the_text(tmp_path):
    given = row("1", road="裕华路", plate="12号", full_address="建设大街99号")
    found = one(tmp_path, **given)
    assert (found["road"], found["plate"]) == ("裕华路", "12号")


def test_the_community_at_the_point_is_no_part_of_a_road(tmp_path):
    # The text puts the community under a district that does not hold it.
    given = row("1", "门牌", full_address="新城区翠屏社区和平路12号")
    assert one(tmp_path, **given)["road"].endswith("和平路")


def test_a_missing_kind_is_assumed_and_said_once_for_a_reason(tmp_path):
    levels = {"kind": None}
    rows = [
        row("1", road="裕华路", plate="12号") | levels,
        row("2", road="裕华路", plate="14号") | levels,
        row("3", name="国际饭店", road="裕华路", plate="16号") | levels,
        row("4", name="裕华路", shape=line((0, 50), (90, 50))) | levels,
        row("5", name="翠屏小区") | levels,
        row("6", block="翠屏小区", building="3号楼") | levels,
        row("7", name="商圈", shape=rectangle(10, 10, 60, 60)) | levels,
    ]
    outcome = transform(frame(rows), context(tmp_path))
    kinds = ["plate", "plate", "poi", "street", "block", "plate", "zone"]
    assert outcome.accepted["kind"].tolist() == kinds
    assert rules_of(outcome.faults) == [(n, "AD03") for n in (1, 3, 4, 5, 6, 7)]
    assert "2 rows" in outcome.faults["reason_en"].iloc[0]
    assert "该行类似的 2 行" in outcome.faults["reason_zh"].iloc[0]


def test_a_table_without_codes_gets_codes_that_stay(tmp_path):
    def delivered(*names):
        rows = [
            {"name": name, "full_address": "裕华路12号", "geometry": at(50, 50)} for name in names
        ]
        return transform(frame(rows), context(tmp_path))

    first, second = delivered("书店", "饭店"), delivered("饭店", "茶馆", "书店")
    assert rules_of(first.faults) == [(1, "AD03")]
    assert "2 行按兴趣点处理" in first.faults["reason_zh"].iloc[0]
    codes = dict(zip(first.accepted["name"], first.accepted["code"], strict=True))
    again = dict(zip(second.accepted["name"], second.accepted["code"], strict=True))
    assert codes == {name: again[name] for name in codes}
    twice = delivered("书店", "书店").accepted["code"]
    assert twice.is_unique


def test_words_that_say_no_place_are_told(tmp_path):
    rows = [
        row("1", "兴趣点", name="甲店", full_address="详见营业执照"),
        row("2", "兴趣点", name="乙店", full_address="长安区"),
        row("3", "兴趣点", name="长安区"),
        row("4", "兴趣点", name="丙店", full_address="[]"),
    ]
    outcome = transform(frame(rows), context(tmp_path))
    assert rules_of(outcome.faults) == [(1, "AD05"), (2, "AD07"), (3, "AD07")]
    assert len(outcome.accepted) == 4


def test_a_plate_twice_and_a_name_twice(tmp_path):
    rows = [
        row("1", road="裕华路", plate="12号"),
        row("2", road="裕华路", plate="十二号"),
        row("3", shape=at(390, 190), road="裕华路", plate="12号"),
        row("4", "小区", name="翠屏园"),
        row("5", "小区", name="翠屏园", shape=at(20, 20)),
        row("6", "兴趣点", name="翠屏园"),  # the compound's own mark is no second one
        row("7", "小区", name="翠屏园", shape=at(390, 20)),  # in another community
    ]
    outcome = transform(frame(rows), context(tmp_path))
    assert rules_of(outcome.faults) == [(2, "AD08"), (3, "AD09"), (5, "AD10")]
    assert len(outcome.accepted) == 7


def test_an_empty_table_and_one_of_areas_alone(tmp_path):
    empty = frame([row("1")]).iloc[:0]
    outcome = transform(empty, context(tmp_path))
    assert len(outcome.accepted) == len(outcome.faults) == 0
    areas = [row("1", "区域", name="长安区", shape=rectangle(0, 0, 400, 200))]
    outcome = transform(frame(areas), context(tmp_path))
    assert rules_of(outcome.faults) == []
    assert outcome.accepted["kind"].tolist() == ["area"]


def test_a_road_is_split_once_for_all_of_its_numbers_as_each_would_be(tmp_path):
    heads = (
        "裕华路",
        "长安区裕华路",
        "翠屏社区",
        "第二中学",
        "国道一",
        "人民路三里",
        "石家庄市长安区",
    )
    texts = [f"{head}{number}号" for head in heads for number in ("1", "12", "１７０", "3506")]
    town = context(tmp_path)
    together = split_texts(pd.Series(texts), town)
    names = area_names(town, texts=texts)
    for text, row in zip(texts, together.to_dict("records"), strict=True):
        levels = split_levels(text, names)
        assert {name: row[name] or "" for name in row} == {
            name: getattr(levels, name) for name in row
        }
