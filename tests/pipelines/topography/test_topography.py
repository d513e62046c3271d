import shapely

from pipelines.topography.features import transform
from tests.pipelines.town import at, context, frame, line, rectangle, rules_of


def row(code, feature_class="340000", shape=None, **more):
    base = {"code": code, "feature_class": feature_class, "geometry": shape or at(10, 10)}
    return base | more


def test_theme_and_attributes_are_read(tmp_path):
    outcome = transform(
        frame(
            [
                row("T1", "430501", line((0, 0), (9, 0)), name=" 裕华路 ", WIDTH="30", TFH="a"),
                row("T2", "310300", rectangle(0, 0, 9, 9), FLOORS=6.0, Owner="张三"),
                row("T3", "720000", at(5, 5), ELEV="71.25", MATERIAL=None),
            ]
        ),
        context(tmp_path),
    )
    found = outcome.accepted
    assert found["theme"].tolist() == ["transport", "residential", "relief"]
    assert found["name"].iloc[0] == "裕华路"
    assert found["attributes"].tolist() == [
        {"width_m": 30.0, "tfh": "a"},
        {"floors": 6.0, "owner": "张三"},
        {"elevation_m": 71.25},
    ]


def test_a_layer_may_state_the_class_and_a_row_its_own(tmp_path):
    rows = [row("a", None, class_code="430600"), row("b", "820000", class_code="430600")]
    found = transform(frame(rows), context(tmp_path)).accepted
    assert found["feature_class"].tolist() == ["430600", "820000"]
    assert "class_code" not in found["attributes"].iloc[0]


def test_classes_are_judged(tmp_path):
    rows = [row("a", "43050"), row("b", "930000"), row("c", None), row("d", "317777"), row("a")]
    outcome = transform(frame(rows), context(tmp_path))
    assert rules_of(outcome.faults) == [
        (1, "TP01"),
        (2, "TP01"),
        (3, "TP01"),
        (4, "TP02"),
    ]
    assert outcome.accepted["code"].tolist() == ["d", "a"]


def test_a_feature_without_identifier_keeps_the_derived_one(tmp_path):
    first = transform(frame([row(None), row("b", shape=at(30, 30))]), context(tmp_path))
    again = transform(frame([row("b", shape=at(30, 30)), row(None)]), context(tmp_path))
    derived = first.accepted["code"].iloc[0]
    assert derived == again.accepted["code"].iloc[1]
    assert rules_of(first.faults) == [(1, "TP03")]
    moved = transform(frame([row(None, shape=at(10, 11))]), context(tmp_path))
    assert moved.accepted["code"].iloc[0] != derived


def test_without_any_identifier_column_nobody_is_warned_of_each_row(tmp_path):
    rows = [row("x"), row("x", shape=at(20, 20)), row("x")]
    for entry in rows:
        del entry["code"]
    outcome = transform(frame(rows), context(tmp_path))
    assert outcome.accepted["code"].is_unique
    assert rules_of(outcome.faults) == [(3, "P002")]  # the same feature drawn twice


def test_sheets_reach_over_the_city_but_not_far(tmp_path):
    rows = [row("a", shape=rectangle(390, 0, 900, 9)), row("b", shape=at(440, 10)), row("c")]
    rows.append(row("d", shape=at(460, 10)))
    outcome = transform(frame(rows), context(tmp_path))
    assert outcome.accepted["code"].tolist() == ["a", "b", "c"]
    # 50 m beside the city are allowed, so the border is taken 50 m out.
    assert outcome.faults["reason_en"].tolist() == [
        "The feature lies outside the city, 60 m from its border."
    ]


def test_heights_are_flattened(tmp_path):
    outcome = transform(
        frame([row("a", shape=shapely.Point(540010, 4214010, 70))]), context(tmp_path)
    )
    assert not outcome.accepted.geometry.has_z.any()
    assert rules_of(outcome.faults) == [(1, "G006")]


def test_a_refused_row_does_not_take_the_code_from_a_sound_one(tmp_path):
    rows = [row("a", shape=at(9000, 0)), row("a"), row("a", shape=at(11, 11))]
    outcome = transform(frame(rows), context(tmp_path))
    assert rules_of(outcome.faults) == [(1, "G009"), (3, "P002")]
    assert outcome.faults["reason_en"].tolist()[1] == "Code a is already used by a.shp row 2."
