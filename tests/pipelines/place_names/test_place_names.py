import pytest

from gis.crs import transform_xy
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


def test_a_delivered_reading_is_kept_in_the_spelling_of_the_rules(tmp_path):
    rows = [
        row("D1", "裕华路", pinyin="Yùhuá Lù", category_code="23"),
        row("D2", "重庆路", pinyin="Zhongqing4 Lu4", category_code="23"),
        row("D3", "绿地广场", pinyin="LVDI GUANGCHANG", category_code="26"),
        row("D4", "建设大街", pinyin="Jianshe Dajie", category_code="23"),
    ]
    outcome = transform(frame(rows), context(tmp_path))
    assert outcome.accepted["pinyin"].tolist() == [
        "Yuhua Lu", "Zhongqing Lu", "Lüdi Guangchang", "Jianshe Dajie",
    ]  # fmt: skip
    assert rules_of(outcome.faults) == [(1, "PN20"), (2, "PN02"), (3, "PN20")]
    assert outcome.faults["reason_en"][1] == (
        "The delivered romanisation Zhongqing4 Lu4 is read otherwise by the rules: Chongqing Lu; it was kept."
    )


def test_rows_are_judged(tmp_path):
    rows = [
        row("D1", None),
        row(None, "甲路"),
        row("D3", "乙路"),
        row("D3", "丙路"),
        row("D4", "丁路"),
    ]
    rows.append(row("D6", "戊路", at(5000, 0)))
    rows = [given | {"category_code": "23"} for given in rows]
    rows[4] |= {"category_code": "99"}
    outcome = transform(frame(rows), context(tmp_path))
    assert rules_of(outcome.faults) == [
        (1, "P003"),
        (2, "PN03"),
        (4, "P002"),
        (5, "PN01"),
        (6, "G009"),
    ]
    made = outcome.accepted["code"][1]
    assert outcome.accepted["code"].tolist() == [made, "D3", "D4"]
    assert made.startswith("130102N")


def test_a_name_outside_the_grids_has_no_grid(tmp_path):
    (found,) = transform(frame([row("D1", "甲", at(420, 50))]), context(tmp_path)).accepted.to_dict(
        "records"
    )
    assert (found["grid_code"], found["area_code"]) == (None, None)
