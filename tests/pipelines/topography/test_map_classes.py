"""Classes, attributes and elevations of map features: told in many ways, judged by tables."""

import dataclasses

import msgspec
import numpy as np
import pytest
import shapely

from gis.errors import SettingsError
from gis.workspace import parse_profile
from pipelines.topography.catalogue import topography_rules
from pipelines.topography.classes import allowed_kinds, class_of_words, layer_class, read_classes
from pipelines.topography.completeness import heights_of, needs
from pipelines.topography.features import transform
from pipelines.topography.judging import judge_map
from tests.pipelines.town import X0, Y0, at, context, frame, line, rectangle, rules_of


def row(code, feature_class, shape, **more):
    return {"code": code, "feature_class": feature_class, "geometry": shape} | more


def strict(tmp_path, **severity):
    """The town with rules made stricter."""
    table = "\n".join(f'{code} = "{wanted}"' for code, wanted in severity.items())
    profile = parse_profile(f'[city]\ncode = "130102"\n[topography.severity]\n{table}\n')
    return dataclasses.replace(context(tmp_path), profile=profile)


def test_a_class_is_told_by_code_words_manifest_or_layer():
    rows = frame(
        [
            row("a", "310300", at(1, 1), layer="JMD"),
            row("b", " 围墙 ", at(2, 1), layer="0"),
            row("c", None, at(3, 1), class_code="430600", layer="DLSS"),
            row("d", None, at(4, 1), class_code=None, layer="GCD"),
            row("e", "　", at(5, 1), class_code=None, layer="TK"),
            row("f", "草皮", at(6, 1), class_code=None, layer="ZBTZ"),
        ],
        file="CAD/一幅.dxf",
    )
    found = read_classes(rows)
    assert found.feature_class.tolist() == ["310300", "380201", "430600", "720000", None, "草皮"]
    assert found.given.tolist() == [None, "围墙", None, None, None, None]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("DGX", "710000"),
        ("dgx", "710000"),
        ("1_JMD-2026", "310000"),
        ("房屋", "310300"),
        ("JMDX", None),
        ("ASSIST", None),
        ("", None),
    ],
)
def test_names_of_layers_tell_the_theme_at_least(name, told):
    assert layer_class(name) == told


def test_a_class_field_of_blanks_refuses_each_row(tmp_path):
    rows = [row(str(n), blank, at(n, 1)) for n, blank in enumerate(["", "  ", None, "　"])]
    outcome = transform(frame(rows), context(tmp_path))
    assert rules_of(outcome.faults) == [(n, "TP01") for n in (1, 2, 3, 4)]


def test_the_layer_file_stands_in_for_blanks(tmp_path):
    outcome = transform(frame([row("a", "", at(1, 1), ELEV=7)], file="GCD.shp"), context(tmp_path))
    assert outcome.accepted["feature_class"].tolist() == ["720000"]
    assert rules_of(outcome.faults) == [(1, "TP08")]


def test_a_mapping_programs_own_codes_are_doubted(tmp_path):
    rows = frame([row("a", "141101", rectangle(0, 0, 9, 9))], file="JMD.shp")
    outcome = transform(rows, context(tmp_path))
    assert (
        "TP05",
        "The feature lies in layer JMD (residential), but its class 141101 belongs to control.",
    ) in list(zip(outcome.faults["rule"], outcome.faults["reason_en"], strict=True))


def test_kinds_of_shape_belong_to_classes(tmp_path):
    closed = line((0, 0), (9, 0), (9, 9), (0, 0))
    rows = [
        row("a", "310300", closed, FLOORS=1, MATERIAL="砖"),
        row("b", "310300", line((20, 0), (29, 0), (29, 9)), FLOORS=1, MATERIAL="砖"),
        row("c", "720000", rectangle(40, 0, 49, 9), ELEV=5),
        row("d", "380201", closed),  # a wall may well be closed
    ]
    outcome = transform(frame(rows), context(tmp_path))
    assert rules_of(outcome.faults) == [(1, "TP07"), (2, "TP06"), (3, "TP06")]
    assert "以线表示，应为：面" in outcome.faults["reason_zh"].iloc[1]
    assert allowed_kinds("340101") is None


def test_a_column_missing_as_a_whole_is_said_once(tmp_path):
    houses = [
        row(f"h{n}", "310300", rectangle(20 * n, 0, 20 * n + 9, 9), FLOORS=None if n else 3)
        for n in range(3)
    ]
    outcome = transform(frame(houses), context(tmp_path))
    assert rules_of(outcome.faults) == [(1, "TP17"), (2, "TP10"), (3, "TP10")]
    assert "None of the 3 features" in outcome.faults["reason_en"].iloc[0]


@pytest.mark.parametrize(
    ("floors", "is_wrong"),
    [(0, False), (150, False), (150.5, True), (-1, True), ("砖3", True), ("6", False)],
)
def test_values_lie_within_their_range(tmp_path, floors, is_wrong):
    rows = [row("a", "310300", rectangle(0, 0, 9, 9), FLOORS=floors, MATERIAL="砖")]
    outcome = transform(frame(rows), context(tmp_path))
    assert rules_of(outcome.faults) == ([(1, "TP12")] if is_wrong else [])


def test_an_elevation_is_an_attribute_or_z(tmp_path):
    flat = shapely.LineString([(X0, Y0, 71.5), (X0 + 9, Y0, 71.5)])
    slope = shapely.LineString([(X0, Y0 + 20, 71.5), (X0 + 9, Y0 + 20, 73.0)])
    rows = [
        row("a", "710000", flat),
        row("b", "710000", slope),
        row("c", "720000", shapely.Point(X0 + 30, Y0, 70.25), ELEV="70.75"),
        row("d", "710000", line((0, 40), (9, 40))),
    ]
    outcome = transform(frame(rows), context(tmp_path))
    assert rules_of(outcome.faults) == [(2, "G006"), (2, "TP13"), (3, "TP14"), (4, "TP13")]
    assert outcome.accepted["attributes"].iloc[0] == {"elevation_m": 71.5}
    assert not outcome.accepted.geometry.has_z.any()


def test_measured_lines_have_no_elevation():
    measured = shapely.from_wkt("LINESTRING M (0 0 5, 1 1 5)")
    assert np.isnan(heights_of(np.array([measured]))[0])


def test_a_delivery_joined_with_itself_is_refused_by_half(tmp_path):
    rows = [row(f"{part}{n}", "340000", at(n, 1), name="点") for part in "ab" for n in range(5)]
    outcome = judge_map(frame(rows), context(tmp_path))
    assert rules_of(outcome.faults) == [(n, "TP20") for n in range(6, 11)]
    assert outcome.faults["reason_en"].iloc[0].endswith("at a0.")


def test_things_of_other_names_may_stand_at_one_point(tmp_path):
    rows = [row(f"s{n}", "340000", at(5, 5), name=f"店{n}") for n in range(3000)]
    outcome = judge_map(frame(rows), context(tmp_path))
    assert (len(outcome.accepted), len(outcome.faults)) == (3000, 0)


def test_an_empty_layer_is_judged(tmp_path):
    rows = frame([row("a", "310300", at(1, 1))]).iloc[:0]
    outcome = judge_map(rows, context(tmp_path))
    assert len(outcome.accepted) == len(outcome.faults) == 0


def test_a_city_sets_the_severity_and_a_build_follows(tmp_path):
    rows = frame(
        [
            row("a", "310300", rectangle(0, 0, 10, 10), FLOORS=1, MATERIAL="砖"),
            row("b", "310300", rectangle(8, 0, 18, 10), FLOORS=1, MATERIAL="砖"),
        ]
    )
    assert transform(rows, context(tmp_path)).refused == 0  # the build leaves it to the check
    refused = transform(rows, strict(tmp_path, TP22="error"))
    assert rules_of(refused.faults) == [(2, "TP22")]
    assert refused.accepted["code"].tolist() == ["a"]
    assert len(judge_map(rows, strict(tmp_path, TP22="off")).faults) == 0


def test_useful_attributes_are_asked_for_on_demand(tmp_path):
    rows = frame([row("a", "430503", line((0, 0), (90, 0)), WIDTH=5)])
    assert rules_of(judge_map(rows, strict(tmp_path, TP11="warning")).faults) == [(1, "TP11")]


def test_the_profile_names_rules_that_exist():
    with pytest.raises(SettingsError, match="did you mean TP22"):
        topography_rules({"TP222": "off"})
    with pytest.raises(SettingsError, match="can not be stored"):
        topography_rules({"TP01": "warning"})
    with pytest.raises(SettingsError, match=r"TP84 'error'.*use 'warning' or 'off'"):
        topography_rules({"TP84": "error"})
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(
            {"severity": {"TP22": "loud"}},
            type(parse_profile('[city]\ncode = "130102"\n').topography),
        )


def test_every_rule_says_what_why_and_how_in_both_languages():
    for code, rule in topography_rules({}).items():
        texts = (rule.reason_en, rule.reason_zh, rule.why_en, rule.why_zh, rule.fix_en, rule.fix_zh)
        assert all(texts), code
        assert rule.subject, code
    assert class_of_words("没有这类") is None
    assert {need.column for need in needs()} >= {"floors", "material", "width_m", "name"}
