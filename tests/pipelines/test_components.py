from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import LineString, MultiPoint, Point, Polygon, box

from gis.builds import BuildRequest, Scope, live, publish
from gis.conform import conform
from gis.crs import city_crs
from gis.database import Database
from gis.errors import SettingsError
from gis.settings import Settings
from gis.tables import declare
from gis.workspace import Workspace, parse_profile
from pipelines.components import transform
from pipelines.context import BuildContext, References
from pipelines.delivery import Delivery, LayerSpec

CRS = "EPSG:4547"
EAST, NORTH = 544_000, 4_212_000
AS_OF = date(2026, 5, 31)
GRID, NEXT_GRID = "130102001001001", "130102001001002"


def at(x, y=50.0):
    return Point(EAST + x, NORTH + y)


def ground(west, east):
    return box(EAST + west, NORTH, EAST + east, NORTH + 100)


def layer(columns, shapes):
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def references(**judged):
    """A district of two grids, a strip of it without grids, and another district beside it."""
    areas = layer(
        {
            "code": ["130102", "130102001", "130102001001", "130102001002", "130104"],
            "level": ["district", "street", "community", "community", "district"],
        },
        [ground(0, 300), ground(0, 300), ground(0, 200), ground(200, 300), ground(300, 400)],
    )
    grids = layer({"code": [GRID, NEXT_GRID]}, [ground(0, 100), ground(100, 200)])
    units = pd.DataFrame(
        {
            "code": ["U1", "U2", "U3", "U4", "U5", "U6"],
            "name": ["城管局", "市排水公司", "甲公司", "甲公司", "乙公司", "旧排水处"],
            "aliases": [[], ["排水（集团）"], [], [], [], []],
            "kind": ["department", *["company"] * 5],
            "successor_code": [None] * 5 + ["U2"],
            "heirs": [[], [], [], [], ["U1", "U2"], []],
        }
    )
    components = layer(
        {
            "code": pd.Series(dtype=object),
            "class_code": pd.Series(dtype=object),
            "initial_date": pd.Series(dtype=object),
        },
        [],
    )
    topography = layer({"feature_class": pd.Series(dtype=object)}, [])
    return {
        "areas": areas, "unit_grids": grids, "units": units, "components": components,
        "topography": topography,
    } | judged  # fmt: skip


def build_context(database=None, *, standard="GB/T 30428.2-2013", extra="", root=None, **judged):
    profile = parse_profile(
        f'[city]\ncode = "130102"\ncrs = "{CRS}"\nstandard = "{standard}"\n{extra}'
    )
    database = database or Database(url="", crs=CRS, srid=4547)
    return BuildContext(
        workspace=Workspace(root=root, profile=profile, settings=Settings()),
        database=database,
        crs=city_crs(profile, root),
        profile=profile,
        as_of=AS_OF,
        delivery=Delivery(name="t", as_of=AS_OF, root=root, layers=()),
        references=References(database if database.url else None, judged=references(**judged)),
    )


SOUND = {
    "code": "1301020104000001",
    "class_code": "0104",
    "name": "雨水箅子",
    "competent_code": "U1",
    "competent_name": "城管局",
    "owner_code": "U2",
    "owner_name": "市排水公司",
    "maintainer_code": None,
    "maintainer_name": "排水(集团)",
    "grid_code": GRID,
    "condition": "完好",
    "initial_date": "20250501",
    "change_date": "20260110",
    "data_source": "实测",
    "remark": None,
}


def survey(*rows):
    """Rows like SOUND but for what is said, the code counting up and each at its own place."""
    table, shapes = [], []
    for number, row in enumerate(rows, start=1):
        given = dict(row)
        shapes.append(given.pop("geometry", at(10.0 * number)))
        table.append({**SOUND, "code": f"1301020104{number:06d}", **given})
    frame = pd.DataFrame(table, dtype=object).assign(
        source_file="雨水箅子.shp", source_row=range(1, len(rows) + 1)
    )
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=CRS)


def judge(*rows, context=None):
    return transform(survey(*rows), context or build_context())


def found(outcome):
    return list(zip(outcome.faults["source_row"], outcome.faults["rule"], strict=True))


def test_a_sound_row_is_accepted_without_a_word():
    outcome = judge({"SPEC": "60x40"})
    assert found(outcome) == []
    [row] = outcome.accepted.to_dict("records")
    assert row == {
        "code": "1301020104000001",
        "class_code": "0104",
        "standard_ref": "GB/T 30428.2-2013",
        "name": "雨水箅子",
        "competent_code": "U1",
        "competent_name": "城管局",
        "owner_code": "U2",
        "owner_name": "市排水公司",
        "maintainer_code": "U2",
        "maintainer_name": "排水(集团)",
        "grid_code": GRID,
        "community_code": "130102001001",
        "condition": "intact",
        "ownership_state": "confirmed",
        "initial_date": date(2025, 5, 1),
        "change_date": date(2026, 1, 10),
        "data_source": "实测",
        "location_note": None,
        "remark": None,
        "attributes": {"spec": "60x40"},
        "geometry": at(10),
        "source_file": "雨水箅子.shp",
        "source_row": 1,
    }


def test_what_is_accepted_fits_the_table():
    accepted = judge({}, {"owner_name": None, "owner_code": None, "change_date": None}).accepted
    table = declare(4547).tables["components.component"]
    assert len(conform(accepted, table=table, crs=CRS)) == 2


# One planted fault per rule, beside a sound row that stays quiet.
PLANTED = [
    ("C001", {"class_code": None, "code": None}),
    ("C002", {"class_code": "0198"}),
    ("C003", {"class_code": "01"}),
    ("C004", {"class_code": "104"}),
    ("C005", {"class_code": "雨水篦子"}),
    ("C006", {"class_code": "0116", "code": "1301020116000002", "name": None}),
    ("C007", {"name": "污水井盖"}),
    ("C010", {"code": "130102010400002"}),
    ("C010", {"code": "13010201040000020"}),
    ("C010", {"code": "130102010400000A"}),
    ("C012", {"code": "1301020104000001"}),
    ("C014", {"code": "1301040104000002"}),
    ("C015", {"code": "1301020105000002"}),
    ("C016", {"code": "1301020104000000"}),
    ("C019", {"code": "13010201004000002"}),
    ("C020", {"geometry": LineString([at(20), at(21)])}),
    ("C021", {"geometry": at(10.3)}),
    ("C022", {"geometry": at(20, -20), "grid_code": None}),
    ("C030", {"geometry": at(150)}),
    ("C031", {"grid_code": "130102001001999"}),
    ("C032", {"geometry": at(250), "grid_code": None}),
    ("C033", {"community_code": "130102001002", "grid_code": None}),
    ("C034", {"community_code": "130102001099", "grid_code": None}),
    ("C035", {"community_code": "130102001002", "grid_code": NEXT_GRID, "geometry": at(199.8)}),
    ("C040", {"condition": "好极了"}),
    ("C047", {"initial_date": "19480930"}),
    ("C049", {"location_note": "测试"}),
    ("C049", {"name": "111"}),
    ("C041", {"condition": None}),
    ("C041", {"competent_code": None, "competent_name": " "}),
    ("C043", {"change_date": "2026年春"}),
    ("C044", {"change_date": "20250430"}),
    ("C045", {"change_date": "20260601"}),
    ("C045", {"initial_date": "20991231"}),
    ("C046", {"name": "箅" * 31}),
    ("C060", {"owner_code": "X9", "owner_name": "谁也不是"}),
    ("C061", {"owner_code": None, "owner_name": "甲公司"}),
    ("C062", {"owner_code": "U1"}),
    ("C065", {"owner_code": "U5", "owner_name": "乙公司"}),
    ("C066", {"ownership_state": "无主"}),
    ("C067", {"maintainer_code": "U6", "maintainer_name": "旧排水处"}),
    ("C068", {"competent_code": "U2", "competent_name": "市排水公司"}),
    ("C069", {"ownership_state": "明确", "owner_code": None, "owner_name": None}),
    ("C096", {"maintainer_name": None}),
    ("C096", {"owner_code": None, "owner_name": None}),
    ("G001", {"geometry": None}),
    ("G002", {"geometry": Polygon()}),
    ("G009", {"geometry": at(20, -900)}),
]


@pytest.mark.parametrize(("rule", "change"), PLANTED)
def test_each_rule_finds_the_row_that_breaks_it_and_no_other(rule, change):
    outcome = judge({}, change)
    other = [(2, "C032")] if rule == "C022" else []  # a place outside the areas has no grid either
    assert found(outcome) == sorted([(2, rule), *other])
    [severity, *_] = outcome.faults["severity"]
    assert len(outcome.accepted) == (1 if severity == "error" else 2)
    assert outcome.accepted["code"].tolist()[0] == "1301020104000001"


def test_what_a_whole_file_lacks_is_said_once():
    outcome = judge({"initial_date": None}, {"initial_date": None})
    assert found(outcome) == [(1, "C042")]
    assert (
        outcome.faults["reason_zh"][0]
        == "该文件所有行均无 初始日期（标准要求的属性），仅报告一次。"
    )
    assert outcome.accepted["initial_date"].tolist() == [AS_OF, AS_OF]


def test_without_units_owners_are_kept_as_written_and_that_is_said_once():
    none = pd.DataFrame({"code": [], "name": [], "aliases": [], "successor_code": []}, dtype=object)
    outcome = judge({}, {}, context=build_context(units=none))
    assert found(outcome) == [(1, "C064")]
    assert outcome.accepted["owner_code"].tolist() == ["U2", "U2"]
    assert outcome.accepted["maintainer_code"].isna().all()


def test_credit_codes_are_demanded_since_2026():
    context = build_context(standard="GB/T 47678.5-2026")
    rows = survey({"code": "13010201004000001", "class_code": "01004"})
    assert found(transform(rows, context)) == [(1, "C063"), (1, "C063")]
    assert transform(rows, context).accepted["standard_ref"].tolist() == ["GB/T 47678.5-2026"]


def test_a_delivery_may_be_of_another_generation_than_the_city():
    rows = survey({}, {"code": "13010201004000001", "class_code": "01004"})
    rows["standard_ref"] = [None, "GB/T 47678.5-2026"]
    accepted = transform(rows, build_context()).accepted
    assert accepted["standard_ref"].tolist() == ["GB/T 30428.2-2013", "GB/T 47678.5-2026"]
    assert accepted["code"].tolist() == ["1301020104000001", "13010201004000001"]


def test_extension_classes_of_the_city_are_classes():
    extra = '[[extension_class]]\nkind = "component"\ncode = "0199"\nname = "爱心驿站"\n'
    row = {"code": "1301020199000001", "class_code": "0199", "name": None}
    assert found(judge(row)) == [(1, "C002")]
    outcome = judge(row, context=build_context(extra=extra))
    assert found(outcome) == []
    assert outcome.accepted["name"].tolist() == ["爱心驿站"]


def test_the_class_may_come_from_the_code_alone():
    outcome = judge({"class_code": None})
    assert found(outcome) == []
    assert outcome.accepted["class_code"].tolist() == ["0104"]


def test_the_first_sound_row_of_a_code_stays():
    code = "1301020104000001"
    outcome = judge({"code": code, "geometry": None}, {"code": code}, {"code": code})
    assert found(outcome) == [(1, "G001"), (3, "C012")]
    assert "row 2" in outcome.faults["reason_en"][1]


def test_codes_are_unique_across_the_layers_of_a_delivery():
    rows = pd.concat([survey({}), survey({"geometry": at(50)})], ignore_index=True)
    rows["source_file"] = ["雨水箅子.shp", "雨水箅子2.shp"]
    outcome = transform(gpd.GeoDataFrame(rows, crs=CRS), build_context())
    assert found(outcome) == [(1, "C012")]
    assert outcome.faults["source_file"].tolist() == ["雨水箅子2.shp"]


def test_a_code_of_the_district_beside_belongs_there():
    row = {"code": "1301040104000001", "geometry": at(350), "grid_code": None}
    assert found(judge(row)) == [(1, "C032")]


def test_without_areas_the_city_code_stands_for_the_district():
    none = references()["areas"].iloc[:0]
    no_grids = references()["unit_grids"].iloc[:0]
    context = build_context(areas=none, unit_grids=no_grids)
    outcome = judge({}, {"code": "1301040104000002"}, context=context)
    assert found(outcome) == [(2, "C014")]


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ({"owner_code": None, "owner_name": "无主"}, "none"),
        ({"owner_code": None, "owner_name": "不明"}, "unknown"),
        ({"owner_code": None, "owner_name": "市排水公司（争议）"}, "disputed"),
        ({"owner_code": None, "owner_name": None, "remark": "权属有争议"}, "disputed"),
    ],
)
def test_ownership_states(row, state):
    outcome = judge(row)
    assert found(outcome) == []
    assert outcome.accepted["ownership_state"].tolist() == [state]


def test_a_disputed_owner_keeps_its_code_and_its_words():
    accepted = judge({"owner_code": None, "owner_name": "市排水公司（争议）"}).accepted
    assert accepted["owner_code"].tolist() == ["U2"]
    assert accepted["owner_name"].tolist() == ["市排水公司（争议）"]


def live_rows(*rows):
    """Live components like SOUND but for what is said, as the database holds them."""
    table, shapes = [], []
    for number, row in enumerate(rows, start=1):
        given = dict(row)
        shapes.append(given.pop("geometry", at(10.0 * number)))
        kept = {name: value for name, value in SOUND.items() if not name.endswith("_date")}
        table.append(
            {
                **kept,
                "code": f"1301020104{number:06d}",
                "standard_ref": "GB/T 30428.2-2013",
                "condition": "intact",
                "initial_date": date(2020, 1, 1),
                "community_code": "130102001001",
                "location_note": None,
                **given,
            }
        )
    return layer(pd.DataFrame(table, dtype=object), shapes)


def test_a_change_of_place_is_reported():
    context = build_context(components=live_rows({"geometry": at(40)}))
    assert found(judge({}, context=context)) == [(1, "C013")]
    context = build_context(components=live_rows({"geometry": at(11)}))
    assert found(judge({}, context=context)) == []


def test_a_missing_initial_date_stays_what_it_was():
    context = build_context(components=live_rows({}))
    outcome = judge({"initial_date": None}, context=context)
    assert outcome.accepted["initial_date"].tolist() == [date(2020, 1, 1)]


def test_multi_parts_are_unwrapped_and_lines_lie_where_their_middle_is():
    rows = [
        {"geometry": MultiPoint([at(10)])},
        {"code": "1301020217000002", "class_code": "0217", "name": "交通护栏", "grid_code": None,
         "geometry": LineString([at(90), at(130)])},
    ]  # fmt: skip
    outcome = judge(*rows)
    assert found(outcome) == []
    assert outcome.accepted.geometry.tolist()[0] == at(10)
    assert outcome.accepted["grid_code"].tolist() == [GRID, NEXT_GRID]


def test_a_point_on_a_shared_edge_lies_in_the_lower_grid():
    assert judge({"geometry": at(100)}).accepted["grid_code"].tolist() == [GRID]


def test_an_empty_layer_gives_nothing():
    outcome = transform(survey({}).iloc[:0], build_context())
    assert (len(outcome.accepted), len(outcome.faults)) == (0, 0)


def test_rows_all_refused_leave_an_empty_table():
    outcome = judge({"class_code": "0198"}, {"geometry": None})
    assert len(outcome.accepted) == 0
    assert outcome.refused == 2


def load(database, outcome, *, content, scope):
    request = BuildRequest(
        delivery="t", as_of=AS_OF, path="t", delivery_hash=content, dataset="components", content_hash=content
    )  # fmt: skip
    return publish(
        database,
        request,
        accepted=outcome.accepted,
        faults=outcome.faults,
        rows_read=len(outcome.accepted) + outcome.refused,
        scope=scope,
        actor="test",
    )


def test_codes_given_by_the_platform_stay_at_every_load(database):
    blank = {"code": None}
    rows = (
        blank,
        {"code": "1301020104000007"},
        blank,
        {**blank, "class_code": "0105", "name": None},
    )
    first = judge(*rows, context=build_context(database))
    codes = ["1301020104000008", "1301020104000007", "1301020104000009", "1301020105000001"]
    assert first.accepted["code"].tolist() == codes
    assert found(first) == [(1, "C011"), (3, "C011"), (4, "C011")]
    load(database, first, content="1", scope=Scope.everything())

    again = judge(*rows, context=build_context(database, components=live(database, "components")))
    assert again.accepted["code"].tolist() == codes
    result = load(database, again, content="2", scope=Scope.everything())
    assert (result.rows_opened, result.rows_closed, result.rows_unchanged) == (0, 0, 4)


def test_codes_of_components_that_are_gone_are_not_given_again(database):
    load(database, judge({"code": "1301020104000041"}, {}), content="1", scope=Scope.everything())
    load(database, judge({}, {}), content="2", scope=Scope.everything())  # 41 is closed now
    before = live(database, "components")
    assert "1301020104000041" not in set(before["code"])
    new = judge(
        {"code": None, "geometry": at(77)}, context=build_context(database, components=before)
    )
    assert new.accepted["code"].tolist() == ["1301020104000042"]


def test_a_city_decides_how_severe_a_rule_is():
    rows = ({}, {"geometry": at(10.3)}, {"name": "箅" * 31})
    strict = build_context(extra='[census]\nseverity = { C021 = "error", C046 = "off" }\n')
    outcome = judge(*rows, context=strict)
    assert found(outcome) == [(2, "C021")]
    assert outcome.accepted["source_row"].tolist() == [1, 3]
    assert outcome.refused == 1


def test_a_severity_for_no_rule_is_one_clear_error():
    context = build_context(extra='[census]\nseverity = { C21 = "off" }\n')
    with pytest.raises(SettingsError, match="did you mean C021"):
        judge({}, context=context)


def test_placeholder_dates_are_said_once_for_the_file():
    blank = {"initial_date": "19000101"}
    assert found(judge({}, blank, {}, blank, blank)) == [(2, "C048")]
    assert found(judge({}, blank, {}, blank)) == [(2, "C047"), (4, "C047")]


def test_a_component_beside_the_border_of_its_district_is_let_pass():
    row = {"code": "1301020104000009", "grid_code": None}
    near = {**row, "geometry": at(300.4)}  # 0.4 m inside the next district; accuracy A is 0.5 m
    far = {**row, "code": "1301020104000010", "geometry": at(300.6)}
    assert found(judge({}, near, far)) == [(2, "C032"), (3, "C014")]


def test_codes_of_2007_and_2013_that_mean_two_things_are_told():
    live = live_rows(
        {"standard_ref": "CJ/T 214-2007", "class_code": "0118", "code": "1301020118000001"}
    )
    rows = ({"class_code": "0118", "code": "1301020118000001", "name": None},)
    outcome = judge(*rows, context=build_context(components=live))
    assert found(outcome) == [(1, "C008")]
    assert (
        "is 路灯 (CJ/T 214-2007) in the database, and 化粪池井盖" in outcome.faults["reason_en"][0]
    )


def test_a_code_far_from_where_it_was_is_another_object():
    live = live_rows({"geometry": at(-500)})
    outcome = judge({}, {}, context=build_context(components=live))
    assert found(outcome) == [(1, "C018")]
    assert outcome.accepted["source_row"].tolist() == [2]
    calm = build_context(components=live, extra="[census]\nrecode_distance_m = 600.0\n")
    assert found(judge({}, {}, context=calm)) == [(1, "C013")]


def many(count, **change):
    return [{"geometry": at(3.0 + 4.13 * row), **change} for row in range(count)]


def test_what_the_last_version_had_is_missed():
    """Twenty-four components of two communities, all with a maintainer, beside what comes now."""
    before = [
        {"geometry": at(3.0 + 4.13 * row), "maintainer_code": "U2", "location_note": "路侧"}
        for row in range(24)
    ]
    for row in range(12, 24):
        before[row] |= {"geometry": at(205.0 + 4.13 * (row - 12)), "community_code": "130102001002"}
    context = build_context(components=live_rows(*before))
    same = [
        {"geometry": row["geometry"], "location_note": "路侧", "grid_code": None} for row in before
    ]
    no_grid = [(row, "C032") for row in range(13, 25)]
    assert found(judge(*same, context=context)) == no_grid
    poor = [dict(row, location_note=None) if n % 2 else row for n, row in enumerate(same)]
    assert found(judge(*poor, context=context)) == sorted([(2, "C090"), *no_grid])
    # The second community is gone, and with it half of all: exactly half is let pass.
    assert found(judge(*same[:12], context=context)) == [(1, "C097")]
    fewer = found(judge(*same[:11], context=context))
    assert fewer == [(1, "C091"), (1, "C097")]


def test_layers_that_update_are_not_compared_with_the_last_version():
    live = live_rows(*many(24))
    context = build_context(components=live)
    assert [rule for _, rule in found(judge(*many(5), context=context))] == ["C091"]
    layer_spec = LayerSpec(
        dataset="components", path="雨水箅子.shp", mode="update", fields={}, options={},
        files=(Path("/d/雨水箅子.shp"),),
    )  # fmt: skip
    delivery = Delivery(name="t", as_of=AS_OF, root=Path("/d"), layers=(layer_spec,))
    assert found(judge(*many(5), context=replace(context, delivery=delivery))) == []
