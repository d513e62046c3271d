from dataclasses import replace

from gis.workspace import parse_profile
from pipelines.areas import transform
from tests.pipelines.town import context, frame, line, live_areas, rectangle, rules_of


def row(code, name="某地", shape=None):
    return {"code": code, "name": name, "geometry": shape or rectangle(0, 0, 400, 200)}


def judge(tmp_path, *rows):
    return transform(frame(rows), context(tmp_path, areas=_none()))


def _none():
    return live_areas().iloc[:0]


def test_level_parent_and_size_follow_from_code_and_shape(tmp_path):
    outcome = judge(
        tmp_path,
        row("130102"),
        row("130102001"),
        row("130102001001", shape=rectangle(0, 0, 200, 200)),
    )
    found = outcome.accepted
    assert found["level"].tolist() == ["district", "street", "community"]
    assert found["parent_code"].tolist() == [None, "130102", "130102001"]
    assert found["area_m2"].tolist() == [80_000.0, 80_000.0, 40_000.0]
    assert set(found.geometry.geom_type) == {"MultiPolygon"}
    assert outcome.faults.empty


def test_codes_are_judged_one_by_one(tmp_path):
    outcome = judge(
        tmp_path,
        row("130102"),
        row("1301020"),
        row("13010A"),
        row("130105"),
        row(None),
        row("130102"),
        row("130102001", name=" "),
    )
    assert rules_of(outcome.faults) == [
        (2, "AR01"),
        (3, "AR01"),
        (4, "AR02"),
        (5, "P001"),
        (6, "P002"),
        (7, "P003"),
    ]
    assert outcome.faults["reason_en"].iloc[0] == (
        "Area code 1301020 has 7 digits; a district has 6, a street 9, a community 12."
    )
    assert outcome.accepted["code"].tolist() == ["130102"]


def test_full_width_digits_are_read(tmp_path):
    assert judge(tmp_path, row("１３０１０２")).accepted["code"].tolist() == ["130102"]


def test_an_area_without_the_one_above_is_refused_and_so_is_what_lies_in_it(tmp_path):
    outcome = judge(tmp_path, row("130102"), row("130102002001"), row("130102009"))
    assert rules_of(outcome.faults) == [(2, "AR03")]
    outcome = judge(tmp_path, row("130102"), row("130102001", name=None), row("130102001001"))
    assert rules_of(outcome.faults) == [(2, "P003"), (3, "AR03")]


def test_the_area_above_may_be_loaded_already(tmp_path):
    outcome = transform(frame([row("130102001003")]), context(tmp_path))
    assert outcome.accepted["parent_code"].tolist() == ["130102001"]


def test_overhang_and_overlap_are_told_in_square_metres(tmp_path):
    outcome = judge(
        tmp_path,
        row("130102"),
        row("130102001", shape=rectangle(0, 0, 210, 200)),
        row("130102002", shape=rectangle(200, 0, 405, 200)),
    )
    assert len(outcome.accepted) == 3
    assert outcome.faults["reason_en"].tolist() == [
        "130102001 and 130102002 overlap by 2000 m².",
        "1000 m² of 130102002 lie outside 130102, the area above it.",
    ]


def test_a_city_takes_all_its_districts_and_a_line_is_no_area(tmp_path):
    city = replace(
        context(tmp_path, areas=_none()),
        profile=parse_profile('[city]\ncode = "130100"\ncrs = "EPSG:4547"\n'),
    )
    rows = [row("130102"), row("130105", shape=rectangle(400, 0, 800, 200)), row("130107")]
    rows[2]["geometry"] = line((0, 0), (9, 9))
    outcome = transform(frame(rows), city)
    assert outcome.accepted["code"].tolist() == ["130102", "130105"]
    assert rules_of(outcome.faults) == [(3, "G008")]
