import json

import pytest

from gis.builds import list_builds
from pipelines.verify import CHECKS, verify


@pytest.fixture
def model(standing_town):
    return standing_town


@pytest.fixture
def built(workspace):
    return workspace


def failed(database, workspace):
    return {result.name: result for result in verify(database, workspace) if not result.passed}


def test_every_check_has_a_title_and_a_repair():
    for check in CHECKS:
        assert check.title.endswith("."), check.name
        assert "wanmi " in check.hint, check.name
    assert len({check.name for check in CHECKS}) == len(CHECKS) >= 10


def test_a_sound_build_lacks_only_its_units_and_its_snapshot(built, database):
    assert sorted(failed(database, built)) == [
        "every_community_has_a_territorial_unit",
        "snapshot_is_of_the_live_builds",
    ]


BREAKS = {
    "every_area_has_its_parent": "UPDATE grids.area SET parent_code = '130102999' WHERE level = 'community'",
    "every_community_has_grids": "DELETE FROM grids.unit_grid WHERE community_code = '130102001002'",
    "grids_cover_their_communities": "DELETE FROM grids.unit_grid WHERE code = '130102001001002'",
    "every_component_has_its_grid": "UPDATE components.component SET grid_code = '130102001002002'",
    "sets_are_made_of_live_grids": "UPDATE grids.management_grid SET members = '{130102001009001}'",
    "no_component_is_live_under_its_former_code": "INSERT INTO components.component"
    " (code, class_code, standard_ref, name, condition, ownership_state, initial_date, geom, valid_from, build_id,"
    " content_hash) SELECT 'Z', class_code, standard_ref, name, condition, ownership_state, initial_date, geom,"
    " valid_from, build_id, content_hash FROM components.component LIMIT 1;"
    " INSERT INTO components.recode SELECT build_id, 'Z', code, 'generation' FROM components.component"
    " WHERE code <> 'Z' LIMIT 1",
    "owners_are_in_the_directory": "UPDATE components.component SET maintainer_code = 'U9'",
    "plan_units_exist": "UPDATE responsibility.plan_row SET unit_code = 'U9'",
    "plan_areas_exist": "UPDATE responsibility.plan_row SET area_code = '130102009'",
    "place_names_are_romanised": "UPDATE place_names.place_name SET pinyin = ''",
    "no_code_is_live_twice": "DROP INDEX components.uq_component_live; INSERT INTO components.component"
    " (code, class_code, standard_ref, name, condition, ownership_state, initial_date, geom, valid_from, build_id,"
    " content_hash) SELECT code, class_code, standard_ref, name, condition, ownership_state, initial_date, geom,"
    " valid_from, build_id, content_hash FROM components.component",
    "stored_cases_are_decided": "UPDATE cases.\"case\" SET decision = '{}'",
}
ROWS = """
INSERT INTO responsibility.unit (code, name, kind, area_code, valid_from, build_id, content_hash)
VALUES ('U1', 'unit', 'territorial', '130102', now(), 1, '');
INSERT INTO responsibility.plan_row (code, kind, class_code, area_code, role, unit_code, valid_from, build_id, content_hash)
VALUES ('R1', 'event', '*', '130102001', 'handler', 'U1', now(), 1, '');
INSERT INTO grids.management_grid (code, trade, area_code, members, area_m2, origin, initial_date, geom, valid_from,
build_id, content_hash)
SELECT 'HW1', 'sanitation', '130102001001', ARRAY[code], area_m2, 'delivered', now(), ST_Multi(geom), now(), 1, ''
FROM grids.unit_grid ORDER BY code LIMIT 1;
INSERT INTO place_names.place_name (code, name, pinyin, lon, lat, geom, valid_from, build_id, content_hash)
SELECT 'D1', 'x', 'X', 0, 0, geom, now(), 1, '' FROM grids.area LIMIT 1;
INSERT INTO cases."case" (case_id, kind, class_code, reported_at, needs_review, state, request_hash, decision)
VALUES ('1', 'event', '0101', now(), false, 'assigned', 'x', '{"a": 1}');
"""


def test_each_check_finds_what_it_is_for(built, database):
    def change(statements):
        with database.connect() as connection:
            connection.execute(statements)

    change(ROWS)
    assert sorted(failed(database, built)) == ["snapshot_is_of_the_live_builds"]
    for name, statements in BREAKS.items():
        change(statements)
        found = failed(database, built)
        assert name in found, name
        assert found[name].examples
        assert found[name].hint


def test_a_snapshot_without_the_newest_build_is_old(built, database):
    folder = built.snapshots / "abc"
    folder.mkdir(parents=True)
    (built.snapshots / "current").write_text("abc", encoding="utf-8")
    listed = list_builds(database)
    builds = [{"build_id": int(number)} for number in listed["build_id"]]
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps({"builds": builds}), encoding="utf-8")
    assert "snapshot_is_of_the_live_builds" not in failed(database, built)
    manifest.write_text(json.dumps({"builds": builds[1:]}), encoding="utf-8")
    found = failed(database, built)["snapshot_is_of_the_live_builds"]
    newest = listed.iloc[0]
    assert found.examples == (f"build {newest['build_id']} of {newest['dataset']} is not in it",)
