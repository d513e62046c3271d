"""The sample's sheets and update: what is found is what was planted, and nothing else."""

import csv
from collections import Counter
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from gis.builds import list_builds, live, rollback
from gis.database import Database, read_rows
from gis.workspace import Workspace
from pipelines.build import BuildOptions, build_delivery
from pipelines.sample.sheetwise import write_sheetwise
from pipelines.topography.changes import changes_of_build, changes_of_delivery
from tests.databases import CRS, SRID, created, opened

EDGES = "TP8[0-5]"


def answers(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_sheetwise(tmp_path_factory.mktemp("sheetwise"), area_km2=1.0, seed=1)


@pytest.fixture(scope="module")
def place(server, built_sample, tmp_path_factory):
    """A copy of the built sample to change."""
    root = tmp_path_factory.mktemp("patched")
    profile = (built_sample.workspace.root / "wanmi.toml").read_text(encoding="utf-8")
    with created(server, "patched_sample", of="built_sample") as url:
        yield opened(root, url, profile=profile)


def build(folder: Path, workspace: Workspace):
    return {
        report.dataset: report
        for report in build_delivery(
            folder, workspace=workspace, options=BuildOptions(actor="t", only=("topography",))
        )
    }


def database_of(workspace: Workspace) -> Database:
    return Database(url=workspace.settings.database_url, crs=CRS, srid=SRID)


def test_sheets_are_joined_to_the_map_they_were_cut_from(written, workspace, database):
    report = build(written.sheets, workspace)["topography"]
    features = live(database, "topography")
    pieces = answers(written.sheets / "answers" / "pieces.csv")
    planted = answers(written.sheets / "answers" / "edge_faults.csv")
    whole = {row["piece"]: row["whole"] for row in pieces}
    found: dict[str, set[str]] = {}
    for code, attributes in zip(features["code"], features["attributes"], strict=True):
        delivered = attributes.get("pieces")
        codes = [c for part in delivered.values() for c in part] if delivered else [code]
        found[code] = {whole[piece] for piece in codes}
    # No two features became one, and no piece was lost.
    assert all(len(group) == 1 for group in found.values())
    told = pd.DataFrame(features["attributes"].map(lambda a: a.get("pieces") or {"": [""]}))
    assert sum(len(c) for part in told["attributes"] for c in part.values()) == len(pieces)
    # A feature is in more than one part only where a fault was planted.
    parts = Counter(next(iter(group)) for group in found.values())
    apart = {name for name, count in parts.items() if count > 1}
    assert apart == {
        row["whole"]
        for row in planted
        if row["rule"] in ("TP80", "TP81", "TP84", "TP85")
        and row["note"] not in ("not drawn on the second sheet", "half a house")
    }
    assert report.rows_accepted == len(features)
    assert len(features) == report.rows_read - report.rows_rejected


def test_faults_at_edges_are_those_planted(written, workspace, database):
    build(written.sheets, workspace)
    pieces = answers(written.sheets / "answers" / "pieces.csv")
    whole = {row["piece"]: row["whole"] for row in pieces}
    with database.connect() as connection:
        faults = read_rows(
            connection,
            "SELECT rule, feature_code, ST_AsText(geom) AS at FROM topography.edge_fault",
        )
    found = sorted(
        (whole[code], rule)
        for code, rule in zip(faults["feature_code"], faults["rule"], strict=True)
    )
    planted = answers(written.sheets / "answers" / "edge_faults.csv")
    assert found == sorted((row["whole"], row["rule"]) for row in planted if row["rule"])
    sheets = read_sheet_rows(database)
    assert len(sheets) == 9
    assert sheets["features"].sum() == len(pieces)
    assert set(sheets["contractor"]) == {"第二测绘队"}
    # The same delivery again is no new build; rolled back, nothing of it is left.
    again = build(written.sheets, workspace)["topography"]
    assert again.status == "unchanged"
    rollback(database, int(list_builds(database)["build_id"].iloc[0]), actor="t")
    assert len(read_sheet_rows(database)) == 0


def read_sheet_rows(database: Database) -> pd.DataFrame:
    with database.connect() as connection:
        return read_rows(connection, "SELECT * FROM topography.sheet WHERE valid_to IS NULL")


def test_the_update_changes_what_was_changed_and_nothing_else(written, place):
    database = database_of(place)
    before = live(database, "topography")
    planted = {
        row["code"]: row["change"] for row in answers(written.update / "answers" / "changes.csv")
    }
    foretold = changes_of_delivery(written.update, workspace=place)
    assert dict(zip(foretold.rows["code"], foretold.rows["change"], strict=True)) == planted
    report = build(written.update, place)["topography"]
    built = changes_of_build(place, None)
    assert dict(zip(built.rows["code"], built.rows["change"], strict=True)) == planted
    assert built.counts == foretold.counts
    assert report.rows_closed == sum(change != "added" for change in planted.values())
    after = live(database, "topography")
    ground = gpd.read_file(written.update / "修补范围.gpkg").geometry.iloc[0]
    untouched = before[~shapely.intersects(before.geometry.to_numpy(), ground)]
    same = after.set_index("code").loc[untouched["code"]]
    assert (same["row_id"].to_numpy() == untouched["row_id"].to_numpy()).all()
    # Twice is once, and rolled back all is as it was.
    assert build(written.update, place)["topography"].status == "unchanged"
    rollback(database, int(list_builds(database)["build_id"].iloc[0]), actor="t")
    again = live(database, "topography")
    assert again["row_id"].tolist() == before["row_id"].tolist()


def test_the_same_arguments_give_the_same_bytes(tmp_path, written):
    other = write_sheetwise(tmp_path, area_km2=1.0, seed=1)
    files = [*written.sheets.rglob("*.dbf"), *written.update.rglob("*.shp")]
    assert len(files) > 10
    for one in files:
        root = written.sheets if one.is_relative_to(written.sheets) else written.update
        twin = (other.sheets if root == written.sheets else other.update) / one.relative_to(root)
        assert one.read_bytes() == twin.read_bytes()
