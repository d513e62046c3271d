from pipelines.geocoding.addresses import transform
from tests.pipelines.town import (
    at,
    context,
    frame,
    rules_of,
)


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
