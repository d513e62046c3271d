"""Codes of the past: since when a grid, an area, a component is retired, and what is there now."""

import shutil
from datetime import date
from pathlib import Path

import httpx
import pytest
import shapely

from api import open_snapshot
from api.compile import compile_snapshot
from api.retirement import retirement_of
from gis.database import Database, read_rows
from tests.api.http.redrawing import replace_grids
from tests.api.http.town import (
    COMMUNITIES,
    LAMP,
    MIDDLE_GRID,
    areas,
    box,
    components,
    publish_rows,
)
from tests.server_fixtures import Town, make_workspace, serving

pytestmark = pytest.mark.xdist_group("server")

COMMUNITY = MIDDLE_GRID[:12]
WIDE, NARROW, NORTH, SOUTH = (f"{COMMUNITY}{number:03d}" for number in (26, 27, 28, 29))
BESIDE = f"{COMMUNITY}014"
SPLIT, AGAIN = date(2025, 6, 1), date(2025, 9, 1)
NOWHERE = "postgresql://nobody@127.0.0.1:9/nothing?connect_timeout=1"


def test_a_retired_code_tells_since_when_and_where_its_land_went(
    own_town: Town, tmp_path: Path
) -> None:
    """The middle grid is split 70 to 30; later the wide part and the grid beside it are cut anew."""
    database = own_town.database
    wide, narrow = box(200, 200, 70, 100), box(270, 200, 30, 100)
    replace_grids(database, [MIDDLE_GRID], {WIDE: wide, NARROW: narrow}, day=SPLIT)
    beside = box(300, 200, 100, 100)
    north = box(200, 250, 70, 50).union(box(270, 200, 130, 100))
    south = box(200, 200, 70, 50)
    replace_grids(database, [WIDE, NARROW, BESIDE], {NORTH: north, SOUTH: south}, day=AGAIN)
    assert north.union(south).equals(wide.union(narrow).union(beside))
    compiled = compile_snapshot(database, own_town.workspace)
    # Another workspace with the same snapshot, whose database is nowhere.
    away = make_workspace(tmp_path / "away", NOWHERE)
    shutil.copytree(compiled.parent, away.snapshots, dirs_exist_ok=True)
    with serving(away) as server, server.client() as client:
        gone = client.get(f"/v1/grids/{MIDDLE_GRID}")
        assert gone.status_code == 410
        assert gone.headers["content-type"] == "application/problem+json"
        told = gone.json()
        assert (told["code"], told["unit_grid"]) == ("retired", MIDDLE_GRID)
        assert told["ended_on"] == "2025-06-01"
        assert told["was"] == f"/v1/grids/{MIDDLE_GRID}?as_of=2025-05-31"
        # Its land went through two changes: who holds it now is told.
        shares = [(row["code"], row["share"]) for row in told["successors"]]
        assert shares == [(NORTH, 0.65), (SOUTH, 0.35)]
        assert told["detail"] == (
            f"Unit grid {MIDDLE_GRID} is retired since 2025-06-01; its land is held by {NORTH} (65%), "
            f"{SOUTH} (35%). For the grid as it was, add as_of=2025-05-31."
        )
        assert_links_answer(client, told)

        between = client.get(f"/v1/grids/{MIDDLE_GRID}?as_of=2025-07-01").json()
        assert [(row["code"], row["share"]) for row in between["successors"]] == [
            (WIDE, 0.7), (NARROW, 0.3)
        ]  # fmt: skip
        assert {row["code"] for row in between["successors"]} == recorded(database, MIDDLE_GRID)
        assert_links_answer(client, between)

        chinese = client.get(f"/v1/grids/{BESIDE}", headers={"Accept-Language": "zh"}).json()
        assert chinese["title"] == "编码已停用"
        assert chinese["detail"] == (
            f"单元网格 {BESIDE} 自 2025-09-01 起停用，其范围现属 {NORTH}（100%）；"
            "查询原网格请加 as_of=2025-08-31。"
        )

        before = client.get(f"/v1/grids/{MIDDLE_GRID}?as_of=2025-05-31")
        assert before.status_code == 200
        assert before.json()["properties"]["area_m2"] == 10_000.0
        assert client.get(f"/v1/grids/{MIDDLE_GRID}/sets").json()["code"] == "retired"
        # A grid that is yet to come is no retired one.
        assert client.get(f"/v1/grids/{WIDE}?as_of=2025-05-31").status_code == 404


def test_a_grid_that_was_replaced_on_its_first_day_never_held(own_town: Town) -> None:
    database = own_town.database
    narrow, wide = box(200, 200, 3, 100), box(203, 200, 97, 100)
    replace_grids(database, [MIDDLE_GRID], {WIDE: wide, NARROW: narrow}, day=SPLIT)
    replace_grids(database, [WIDE, BESIDE], {NORTH: wide.union(box(300, 200, 100, 100))}, day=SPLIT)
    compile_snapshot(database, own_town.workspace)
    with serving(own_town.workspace) as server, server.client() as client:
        told = client.get(f"/v1/grids/{WIDE}").json()
        assert "was" not in told
        assert told["detail"].endswith(f"its land is held by {NORTH} (100%).")
        # The strip of three metres is told too.
        told = client.get(f"/v1/grids/{MIDDLE_GRID}").json()
        assert [(row["code"], row["share"]) for row in told["successors"]] == [
            (NORTH, 0.97), (NARROW, 0.03)
        ]  # fmt: skip
        assert_links_answer(client, told)


def test_a_successor_within_the_land_that_touches_no_border_is_told(own_town: Town) -> None:
    database = own_town.database
    strip = box(202.5, 205, 3.5, 90)  # 315 of 10,000 m²
    ring = box(200, 200, 100, 100).difference(strip)
    replace_grids(database, [MIDDLE_GRID], {WIDE: ring, NARROW: strip}, day=SPLIT)
    compile_snapshot(database, own_town.workspace)
    edition = open_snapshot(own_town.workspace.root).edition()
    found = retirement_of(edition, "unit_grids", MIDDLE_GRID)
    assert found is not None
    told = [(later.code, later.share) for later in found.successors]
    assert told == [(WIDE, 0.9685), (NARROW, 0.0315)]


def test_a_grid_that_was_reshaped_and_retired_on_one_day_is_told_as_it_held(
    own_town: Town,
) -> None:
    database = own_town.database
    reshaped = box(200, 200, 97, 100)
    beside = box(297, 200, 103, 100)
    replace_grids(
        database, [MIDDLE_GRID, BESIDE], {MIDDLE_GRID: reshaped, BESIDE: beside}, day=SPLIT
    )
    west, east = box(200, 200, 40, 100), box(240, 200, 57, 100)
    replace_grids(database, [MIDDLE_GRID], {WIDE: east, NARROW: west}, day=SPLIT)
    compile_snapshot(database, own_town.workspace)
    with serving(own_town.workspace) as server, server.client() as client:
        told = client.get(f"/v1/grids/{MIDDLE_GRID}").json()
        assert (told["ended_on"], told["was"][-10:]) == ("2025-06-01", "2025-05-31")
        # Of the land as it held, to which three metres of the neighbour belonged.
        shares = [(row["code"], row["share"]) for row in told["successors"]]
        assert shares == [(WIDE, 0.57), (NARROW, 0.4), (BESIDE, 0.03)]
        assert_links_answer(client, told)


def test_areas_and_components_that_ended_are_told_likewise(own_town: Town) -> None:
    """The first community is divided in two; a lamp is taken away, under its code and a former one."""
    database = own_town.database
    first, *others = COMMUNITIES
    rows = [row for row in areas() if row["code"] != first]
    parts = {"130102001005": box(0, 0, 400, 500), "130102001006": box(400, 0, 100, 500)}
    for code, shape in parts.items():
        told = {"level": "community", "name": f"社区{code[-1]}", "parent_code": "130102001"}
        shape = shapely.MultiPolygon([shape])
        rows.append({"code": code, **told, "area_m2": shape.area, "geometry": shape})
    publish_rows(database, "areas", rows, as_of=SPLIT)
    former = "1301020137000002"
    kept = [row for row in components() if row["code"] not in (LAMP, former)]
    publish_rows(database, "components", kept, as_of=SPLIT)
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO components.recode (former_code, code, build_id, evidence)"
            " SELECT %s, %s, max(build_id), 'drawn' FROM meta.build WHERE dataset = 'components'",
            [former, LAMP],
        )
    compile_snapshot(database, own_town.workspace)
    with serving(own_town.workspace) as server, server.client() as client:
        gone = client.get(f"/v1/areas/{first}")
        assert (gone.status_code, gone.json()["code"]) == (410, "retired")
        told = gone.json()
        assert (told["area"], told["ended_on"]) == (first, "2025-06-01")
        assert [(row["code"], row["share"]) for row in told["successors"]] == [
            ("130102001005", 0.8), ("130102001006", 0.2)
        ]  # fmt: skip
        assert told["detail"] == (
            f"Area {first} is retired since 2025-06-01; its land is held by 130102001005 (80%), "
            "130102001006 (20%). For the area as it was, add as_of=2025-05-31."
        )
        assert_links_answer(client, told)
        # Before the change the successors are not there yet, and never were.
        assert client.get("/v1/areas/130102001005?as_of=2025-05-31").status_code == 404
        assert client.get(f"/v1/areas/{others[0]}").status_code == 200

        gone = client.get(f"/v1/components/{LAMP}", headers={"Accept-Language": "zh"})
        assert gone.status_code == 410
        told = gone.json()
        assert (told["component"], told["successors"]) == (LAMP, [])
        assert told["detail"] == (
            f"部件 {LAMP} 自 2025-06-01 起停用，没有后续编码；查询原部件请加 as_of=2025-05-31。"
        )
        assert client.get(told["was"]).json()["id"] == LAMP
        assert client.get("/v1/components/1301020137999999").status_code == 404
        told = client.get(f"/v1/components/{former}").json()
        link = f"/v1/components/{LAMP}"
        assert (told["code"], told["successors"]) == ("retired", [{"code": LAMP, "href": link}])
        assert f"its later codes: {LAMP}." in told["detail"]
        english = client.get(f"/v1/components/{LAMP}").json()["detail"]
        assert english.startswith(f"Component {LAMP} is retired since 2025-06-01; it got no later")
        schema = client.get("/openapi.json").json()["paths"]["/v1/areas/{code}"]["get"]
        assert "410" in schema["responses"]


def assert_links_answer(client: httpx.Client, told: dict[str, object]) -> None:
    """Follow each link to a grid that holds."""
    successors = told["successors"]
    assert isinstance(successors, list)
    for link in [told["was"], *(row["href"] for row in successors)]:
        answer = client.get(str(link))
        assert answer.status_code == 200
        assert answer.json()["id"] in str(link)


def recorded(database: Database, code: str) -> set[str]:
    """Return the successors that the record of edits names."""
    with database.connect(read_only=True) as connection:
        rows = read_rows(
            connection, "SELECT new_code FROM grids.lineage WHERE old_code = %s", [code]
        )
    return set(rows["new_code"].dropna())
