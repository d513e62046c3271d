"""``wanmi grid divide`` as a user types it: from the database to a file, whole or not at all."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely
from click.testing import Result
from typer.testing import CliRunner

import wanmi
from gis.errors import BuildError, FileFormatError, SettingsError
from gis.fields import map_fields
from gis.vector import read_vector, write_vector
from gis.workspace import Workspace
from pipelines.build import build_delivery
from tests.pipelines.town import (
    COMMUNITY_A,
    COMMUNITY_B,
    CRS,
    areas,
    rectangle,
    write_manifest,
    write_town,
)

Run = Callable[..., Result]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def city(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Workspace:
    """The town with 4 ha each of two communities, which overlap by 10 cm, built."""
    folder = tmp_path / "delivery"
    write_town(folder)
    land = areas()
    land.loc[land["XZQDM"] == COMMUNITY_B, "geometry"] = rectangle(199.9, 0, 400, 200)
    write_vector(land, folder / "areas.gpkg", layer="areas")
    build_delivery(folder, workspace=workspace)
    monkeypatch.setenv("WANMI_DATABASE_URL", str(workspace.settings.database_url))
    return workspace


@pytest.fixture
def run(city: Workspace) -> Run:
    """Run ``wanmi grid divide``; errors come out as exceptions."""
    app = wanmi.mount(["gridding"])

    def call(*words: object) -> Result:
        arguments = ["-w", str(city.root), "grid", "divide", *map(str, words)]
        return CliRunner().invoke(app, arguments, catch_exceptions=False)

    return call


def grids_in(file: Path, *, layer: str | None = None) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(read_vector(file, target_crs=CRS, layer=layer).frame)


def test_a_proposal_holds_grids_exceptions_and_fixes(
    run: Run, city: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "proposal.gpkg"
    result = run("-o", file, "--workers", 1, "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    # Roads through the middle of both communities leave eight blocks of a hectare.
    grids = grids_in(file, layer="unit_grids")
    assert told["grids"] == len(grids) == 8
    assert shapely.coverage_is_valid(grids.geometry.to_numpy())
    assert set(grids.geom_type) == {"Polygon"}
    # A has the strip that both claim.
    area = grids.groupby("community_code")["area_m2"].sum()
    assert area.round(1).to_dict() == {COMMUNITY_A: 40_000.0, COMMUNITY_B: 40_000.0}
    # Four codes a community have been used: new ones follow.
    assert grids["code"].is_unique
    assert grids["code"].str[:12].tolist() == grids["community_code"].tolist()
    assert grids["code"].str[12:].astype(int).min() == 3
    assert sorted(grids["patrol_order"]) == [1, 1, 2, 2, 3, 3, 4, 4]
    layers = set(pyogrio.list_layers(file)[:, 0])
    fixes = grids_in(file, layer="fixes")
    assert fixes[["kind", "code", "other"]].to_numpy().tolist() == [
        ["overlap", COMMUNITY_A, COMMUNITY_B]
    ]
    assert fixes["area_m2"].iloc[0] == pytest.approx(20.0, abs=0.01)
    assert told["fixes"] == 1
    styles = pyogrio.read_dataframe(file, layer="layer_styles")
    assert set(styles["f_table_name"]) == layers - {"layer_styles"}
    assert ("exceptions" in layers) == bool(told["exceptions"])
    # What was kept for a stopped run is gone, and so is the unfinished file.
    assert not (city.root / "division").exists()
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_other_targets_list_exceptions_with_reasons(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "proposal.gpkg"
    result = run("-o", file, "--workers", 1, "--target-m2", 200_000)
    assert result.exit_code == 0
    found = grids_in(file, layer="exceptions")
    assert len(found) >= 2
    assert set(found["kind"]) == {"small"}
    for column in ("reason_en", "reason_zh", "suggestion_en", "suggestion_zh"):
        assert found[column].str.len().gt(0).all()
    assert "small" in result.output


def test_one_community_alone_comes_out_as_it_does_with_all(run: Run, tmp_path: Path) -> None:
    both, one = tmp_path / "both.gpkg", tmp_path / "one.gpkg"
    assert run("-o", both, "--workers", 2).exit_code == 0
    assert run("-o", one, "--workers", 1, "-c", COMMUNITY_A).exit_code == 0
    all_grids, own = grids_in(both, layer="unit_grids"), grids_in(one)
    of_a = all_grids[all_grids["community_code"] == COMMUNITY_A]
    assert set(own["community_code"]) == {COMMUNITY_A}
    assert own["code"].tolist() == of_a["code"].tolist()
    assert shapely.equals(own.geometry.to_numpy(), of_a.geometry.to_numpy()).all()


def test_what_comes_out_as_it_is_live_keeps_its_code(
    run: Run, city: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "grids"
    folder.mkdir()
    assert run("-o", folder / "grids.gpkg", "--workers", 1).exit_code == 0
    first = grids_in(folder / "grids.gpkg", layer="unit_grids")
    # Live under other numbers than a division would give.
    live = first.assign(code=first["community_code"] + ["801", "802", "803", "804"] * 2)
    write_vector(live[["code", "geometry"]], folder / "grids.gpkg", layer="unit_grids")
    layer = {"dataset": "unit_grids", "path": "grids.gpkg", "layer": "unit_grids"}
    write_manifest(folder, [layer], name="grids")
    build_delivery(folder, workspace=city)
    assert run("-o", tmp_path / "again.gpkg", "--workers", 1).exit_code == 0
    again = grids_in(tmp_path / "again.gpkg", layer="unit_grids")
    assert again["code"].tolist() == sorted(live["code"])
    assert run("-o", tmp_path / "half.gpkg", "--workers", 1, "--target-m2", 5000).exit_code == 0
    half = grids_in(tmp_path / "half.gpkg", layer="unit_grids")
    assert len(half) == 16
    assert half["code"].str[12:].min() == "805"


@pytest.mark.parametrize("name", ["grids.geojson", "grids.shp", "grids.fgb"])
def test_other_formats_hold_the_grids(name: str, run: Run, tmp_path: Path) -> None:
    assert run("-o", tmp_path / name, "--workers", 1).exit_code == 0
    grids = map_fields(grids_in(tmp_path / name), dataset="unit_grids").frame
    assert len(grids) == 8
    assert {"code", "community_code", "area_m2", "geometry"} <= set(grids.columns)
    assert (grids["code"].str[:12] == grids["community_code"]).all()


def test_what_can_not_be_done_is_said_before_anything_is_done(
    run: Run, city: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "proposal.gpkg"
    file.write_bytes(b"of yesterday")
    with pytest.raises(BuildError, match="Community 130102009009 is not loaded"):
        run("-o", file, "-c", COMMUNITY_A, "-c", "130102009009")
    with pytest.raises(SettingsError, match="0 processes"):
        run("-o", file, "--workers", 0)
    with pytest.raises(SettingsError, match="-3 processes"):
        run("-o", file, "--workers", -3)
    with pytest.raises(SettingsError, match="at least 100"):
        run("-o", file, "--target-m2", 5)
    with pytest.raises(FileFormatError, match=r"choose \.gpkg"):
        run("-o", tmp_path / "proposal.dwg")
    with pytest.raises(FileFormatError, match="no folder"):
        run("-o", tmp_path / "nowhere" / "proposal.gpkg")
    assert run().exit_code == 2
    assert file.read_bytes() == b"of yesterday"
    assert not (city.root / "division").exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_command_that_is_stopped_leaves_no_half_file_and_goes_on(
    how: signal.Signals, run: Run, city: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "proposal.gpkg"
    file.write_bytes(b"of yesterday")
    words = ["grid", "divide", "-o", str(file), "--workers", "1", "--target-m2", "150"]
    command = [sys.executable, "-m", "wanmi", "-w", str(city.root), *words]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 180
        while process.poll() is None and time.monotonic() < until:
            if list((city.root / "division").glob("*.wkb")):
                break
            time.sleep(0.005)
        process.send_signal(how)
        _, told = process.communicate()
    assert process.returncode == (130 if how == signal.SIGINT else -9), told
    assert file.read_bytes() == b"of yesterday"
    assert len(list((city.root / "division").glob("*.wkb"))) >= 1
    assert run("-o", file, "--workers", 1, "--target-m2", 150).exit_code == 0
    grids = grids_in(file, layer="unit_grids")
    assert len(grids) > 200
    assert shapely.coverage_is_valid(grids.geometry.to_numpy())
    assert [path.name for path in tmp_path.glob(".*")] == []
    assert not (city.root / "division").exists()
