"""Snapshots: compiled whole, opened fast, checked, switched atomically."""

import shutil
from dataclasses import fields
from datetime import date
from operator import itemgetter
from pathlib import Path

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import pytest
import shapely

from api import Case, Position, open_snapshot
from api.compile import CityFacts, compile_snapshot, write_snapshot
from api.edition import LEVELS
from api.layout import DATASETS, KEPT_VERSIONS
from gis.database import Database
from gis.errors import SnapshotError, WorkspaceError
from gis.laying import lay_tiles
from gis.nearness import Nearness
from gis.shares import Outlines
from gis.tiling import Tiling
from gis.workspace import Workspace
from tests.api.district import (
    A1,
    AREAS,
    CITY,
    FROM,
    GRIDS,
    UNITS,
    X0,
    Y0,
    compile_district,
    component,
    open_district,
    place,
    plan,
    point,
    profile,
    unit,
)
from tests.publishing import numbered, publish_drawn


def test_the_same_rows_make_the_same_version(tmp_path: Path) -> None:
    first = compile_district(tmp_path / "one")
    assert compile_district(tmp_path / "two").name == first.name
    assert compile_district(tmp_path / "one") == first
    assert compile_district(tmp_path / "one", unit_grids=GRIDS[:3]).name != first.name
    shuffled = compile_district(tmp_path / "three", unit_grids=GRIDS[::-1], areas=AREAS[::-1])
    assert shuffled.name == first.name


def test_the_pointer_names_the_newest_and_three_versions_stay(tmp_path: Path) -> None:
    versions = [
        compile_district(tmp_path, units=[*UNITS, unit(f"X{number}", "公司")])
        for number in range(5)
    ]
    assert open_snapshot(tmp_path).folder == versions[-1]
    assert [path.exists() for path in versions] == [False, False, True, True, True]
    assert KEPT_VERSIONS == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [*(path.name for path in versions[2:]), "current", ".lock"]
    )


def test_an_open_snapshot_outlives_its_files(tmp_path: Path) -> None:
    snapshot = open_district(tmp_path, components=[component("1301020104000001", point(50, 50))])
    assert snapshot.record("components", "1301020104000001") is not None
    for name in DATASETS:
        snapshot.table(name)
    shutil.rmtree(tmp_path)
    assert snapshot.record("components", "1301020104000001") is not None


def test_records_carry_geometry_attributes_and_versions(tmp_path: Path) -> None:
    changed = date(2026, 1, 1)
    rows = [
        component("1301020104000001", point(1, 1), valid_to=changed, attributes={"材质": "铸铁"}),
        component("1301020104000001", point(2, 2), valid_from=changed, attributes={"材质": "复合"}),
    ]
    snapshot = open_district(tmp_path, components=rows)
    live = snapshot.record("components", "1301020104000001")
    past = snapshot.record("components", "1301020104000001", as_of=FROM)
    assert live is not None
    assert past is not None
    assert (live["attributes"], past["attributes"]) == ({"材质": "复合"}, {"材质": "铸铁"})
    assert live["geometry"].equals(point(2, 2))
    assert (past["valid_to"], live["build_id"]) == (changed, 1)
    assert snapshot.record("components", "1301020104000001", as_of=date(2024, 1, 1)) is None
    assert snapshot.record("unit_grids", "nowhere") is None
    assert snapshot.record("unit_grids", "~") is None
    assert snapshot.counts["components"] == 2
    assert snapshot.builds[0]["dataset"] == "unit_grids"


@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_a_damaged_file_is_told_with_the_command_that_repairs(tmp_path: Path, damage: str) -> None:
    folder = compile_district(tmp_path)
    path = folder / "unit_grids.arrow"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(bytes(content if damage == "flip" else content[:-9]))
    with pytest.raises(SnapshotError, match="wanmi snapshot"):
        open_snapshot(folder).edition().grids  # noqa: B018
    # Compiling again repairs it.
    assert compile_district(tmp_path) == folder
    assert len(open_snapshot(folder).edition().grids.codes) == 4


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"format": 1}', b'{"format": 99, "files": {}}']
)
def test_a_damaged_manifest_is_told(tmp_path: Path, content: bytes) -> None:
    folder = compile_district(tmp_path)
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(SnapshotError, match="wanmi snapshot"):
        open_snapshot(folder)


def test_no_snapshot_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SnapshotError, match="compile one with `wanmi snapshot`"):
        open_snapshot(tmp_path)
    (tmp_path / "current").write_text("gone\n")
    with pytest.raises(SnapshotError, match="wanmi snapshot"):
        open_snapshot(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WorkspaceError):
        open_snapshot()


def test_a_crash_while_writing_leaves_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = compile_district(tmp_path)
    monkeypatch.setattr("api.compile.point_at", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        compile_district(tmp_path, unit_grids=GRIDS[:2])
    assert open_snapshot(tmp_path).folder == folder
    monkeypatch.setattr(
        "api.compile._write_tables", lambda *_, **__: (_ for _ in ()).throw(OSError("full"))
    )
    with pytest.raises(OSError, match="full"):
        compile_district(tmp_path, unit_grids=GRIDS[:1])
    assert not list(tmp_path.glob(".compiling-*"))
    assert open_snapshot(tmp_path).folder == folder


def test_an_empty_city_opens_and_answers(tmp_path: Path) -> None:
    folder = write_snapshot({}, tmp_path, facts=CityFacts(profile=profile(), crs=CITY))
    snapshot = open_snapshot(folder)
    assert snapshot.counts == dict.fromkeys(DATASETS, 0) | {"keys": 0, "recodes": 0}
    answers = snapshot.assign(
        pd.DataFrame({"x": [114.0, None], "y": [38.0, None], "class_code": "0104"})
    )
    assert answers["unit_code"].isna().all()
    assert answers["reasons"].str.contains("no_units").all()


def deliver(
    database: Database, dataset: str, rows: list[dict[str, object]], *, as_of: date
) -> None:
    frame = pd.DataFrame(rows).drop(columns=["valid_from", "valid_to", "build_id"])
    if "geometry" in frame:
        frame = gpd.GeoDataFrame(frame, geometry="geometry", crs="EPSG:4547")
    publish_drawn(database, dataset, numbered(frame), as_of=as_of)


def test_the_databases_compile_to_what_was_published(
    database: Database, workspace: Workspace
) -> None:
    places = [place("p1", "poi", "人民医院", point(150, 150), aliases=["人民医院总院"])]
    tables = {
        "areas": AREAS,
        "unit_grids": GRIDS,
        "units": UNITS,
        "components": [component("1301020104000001", point(50, 50), maintainer_code="W1")],
        "responsibility": [plan("1", "competent", "G1", limit_value=1.5, limit_unit="working_day")],
        "addresses": places,
    }
    for dataset, rows in tables.items():
        deliver(database, dataset, rows, as_of=FROM)
    folder = compile_snapshot(database, workspace)
    assert compile_snapshot(database, workspace) == folder  # nothing changed, nothing new
    snapshot = open_snapshot(workspace.root)
    assert snapshot.version == folder.name
    assert {name: snapshot.counts[name] for name in DATASETS} == {
        "areas": 4,
        "unit_grids": 4,
        "management_grids": 0,
        "evaluation_grids": 0,
        "components": 1,
        "units": 6,
        "responsibility": 1,
        "plan_areas": 0,
        "places": 1,
    }
    assert [build["dataset"] for build in snapshot.builds] == list(tables)
    grid = snapshot.record("unit_grids", A1)
    assert grid is not None
    assert shapely.equals_exact(grid["geometry"].normalize(), GRIDS[0]["geometry"].normalize())
    answers = snapshot.assign(
        pd.DataFrame(
            {
                "x": [500050.0, None],
                "y": [4200050.0, None],
                "crs": "city",
                "accuracy_m": 1.0,
                "address": [None, "人民医院总院"],
                "class_code": "0104",
            }
        )
    )
    assert answers["unit_code"].tolist() == ["W1", "G1"]
    assert answers["limit_value"].tolist() == [1.5, 1.5]
    # A new version of a grid: the past stays in the snapshot.
    deliver(database, "unit_grids", GRIDS[1:], as_of=date(2026, 1, 1))
    newer = open_snapshot(compile_snapshot(database, workspace))
    assert newer.version != snapshot.version
    assert newer.record("unit_grids", A1) is None
    assert newer.record("unit_grids", A1, as_of=FROM) is not None


def test_live_grids_are_looked_up_in_mapped_files(tmp_path: Path) -> None:
    snapshot = open_snapshot(compile_district(tmp_path))
    laid = lay_tiles(np.array([row["geometry"] for row in sorted(GRIDS, key=itemgetter("code"))]))
    for field in fields(Tiling):
        mapped = getattr(snapshot.grid_tiling, field.name)
        assert np.array_equal(mapped, getattr(laid, field.name)), field.name
        assert not mapped.flags.writeable
    damaged = snapshot.folder / "unit_grids_live.squares.npy"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    with pytest.raises(SnapshotError, match="damaged"):
        open_snapshot(snapshot.folder).decide(Case(position=Position(x=X0, y=Y0, crs="city")))


def test_the_manifest_is_readable_by_others(tmp_path: Path) -> None:
    manifest = orjson.loads((compile_district(tmp_path) / "manifest.json").read_bytes())
    assert manifest["counts"]["unit_grids"] == 4
    assert set(manifest["files"]) == {
        *(f"{name}.arrow" for name in (*DATASETS, "search", "recodes", "own_records")),
        "components_by_code.npy",
        "component_records.npy",
        *(f"unit_grids_live.{field.name}.npy" for field in fields(Tiling)),
        *(f"areas_live_{level}.{field.name}.npy" for level in LEVELS for field in fields(Tiling)),
        *(f"unit_grids_outlines.{field.name}.npy" for field in fields(Outlines)),
        *(f"component_things.{field.name}.npy" for field in fields(Nearness)),
    }
    assert all(len(told["sha256"]) == 64 for told in manifest["files"].values())
