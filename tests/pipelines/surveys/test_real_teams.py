"""Two teams edit a part of a real city from one base: nothing is lost, whichever of them comes first."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from census.conflicts import read_conflicts
from census.exchange.exporting import ExportRequest, export_components
from census.merging.contradictions import MIRROR
from gis.builds import live
from gis.crs import city_crs
from gis.database import Database, migrate
from gis.server import Server
from gis.settings import Settings
from gis.vector import read_vector, write_vector
from gis.workspace import Workspace, open_workspace
from pipelines.build import BuildOptions, build_delivery
from pipelines.surveys.merge import MergeReport, merge_delivery
from tests.databases import created
from tests.pipelines.town import write_manifest
from tests.real import cambridge, tainan, tainan_pipelines

pytestmark = pytest.mark.slow

DAY = date(2026, 5, 31)
ALIKE, NOTE_A, NOTE_B = "两队一致", "甲队核对", "乙队核对"
EAST_M = 2.0
"""How far team A moves a component."""
AGAIN_M = 0.1
"""How far from each other both teams put what is new."""


def _write_cambridge(folder: Path) -> Path:
    """Points, lines and polygons with owners, and the units that own them."""
    (folder / "wanmi.toml").write_text(cambridge.PROFILE, encoding="utf-8")
    areas = cambridge.read_areas()
    write_vector(areas, folder / "areas.gpkg")
    cambridge.write_plan(folder / "plan.xlsx", areas)
    layers: list[dict[str, Any]] = [
        {"dataset": "areas", "path": "areas.gpkg"},
        {"dataset": "units", "path": "plan.xlsx", "sheet": "单位"},
    ]
    for file, count in (
        ("INFRA_Hydrants.geojson.gz", 300),
        ("INFRA_ParkBenches.geojson.gz", 200),
        ("BASEMAP_ParkingLots.topojson.gz", 100),
    ):
        class_code, fields = cambridge.COMPONENTS[file]
        rows = _read(cambridge.SOURCE / file, crs=cambridge.CRS).iloc[:count]
        write_vector(rows, folder / f"{class_code}.gpkg")
        layer = {"dataset": "components", "path": f"{class_code}.gpkg", "class_code": class_code}
        layers.append({**layer, **({"fields": fields} if fields else {})})
    return write_manifest(folder, layers, name="cambridge", as_of=DAY)


def _write_tainan(folder: Path) -> Path:
    """Sewers and power lines with the unit that manages them, in the towns where they lie."""
    (folder / "wanmi.toml").write_text(tainan_pipelines.profile(), encoding="utf-8")
    layers: list[dict[str, Any]] = [{"dataset": "areas", "path": "areas.gpkg"}]
    parts = []
    for number in ("8020401", "8040201"):
        class_code, _ = tainan_pipelines.TRADES[number]
        file = f"pipeline_{number}.geojson.gz"
        parts.append(_read(tainan_pipelines.SOURCE / file, crs=tainan.CRS).iloc[:300])
        write_vector(parts[-1], folder / f"{class_code}.gpkg")
        layer = {"dataset": "components", "path": f"{class_code}.gpkg", "class_code": class_code}
        layers.append({**layer, "fields": {"maintainer_name": "管理單位"}})
    villages = tainan.read_villages()
    lines = shapely.STRtree(np.concatenate([part.geometry.to_numpy() for part in parts]))
    met = np.unique(lines.query(villages.geometry.to_numpy(), predicate="intersects")[0])
    near = villages[villages["town"].isin(villages["town"].iloc[met])]
    write_vector(tainan.areas_of(near), folder / "areas.gpkg")
    return write_manifest(folder, layers, name="tainan", as_of=DAY)


def _read(path: Path, *, crs: str) -> gpd.GeoDataFrame:
    stated = "EPSG:4326" if "topojson" in path.name else None
    rows = gpd.GeoDataFrame(read_vector(path, target_crs=crs, crs=stated).frame)
    return rows.drop(columns=["source_file", "source_row", "fid"], errors="ignore")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A city of which a part is loaded."""

    source: Path
    write: Callable[[Path], Path]
    datasets: tuple[str, ...]
    """What is built; no grids."""
    unit: str
    """Column of the unit that team B corrects."""


PLACES = {
    "cambridge": Place(
        source=cambridge.SOURCE,
        write=_write_cambridge,
        datasets=("areas", "units", "components"),
        unit="owner_name",
    ),
    "tainan": Place(
        source=tainan.SOURCE,
        write=_write_tainan,
        datasets=("areas", "components"),
        unit="maintainer_name",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Edits:
    """Codes of what the teams do; parts that do not overlap unless said."""

    moved_a: set[str]
    unit_b: set[str]
    """Half of these A moved: both edits are to hold."""
    alike: set[str]
    contested: set[str]
    gone_a: set[str]
    noted_b: set[str]
    """Of those that A left out."""
    gone_b: set[str]

    @property
    def by_a(self) -> set[str]:
        """Components that A edits and keeps."""
        return self.moved_a | self.alike | self.contested


def _choose(codes: list[str]) -> Edits:
    mixed = np.random.default_rng(4).permutation(sorted(codes)).tolist()
    gone_a = mixed[60:80]
    return Edits(
        moved_a=set(mixed[:20]),
        unit_b=set(mixed[10:30]),
        alike=set(mixed[30:40]),
        contested=set(mixed[40:60]),
        gone_a=set(gone_a),
        noted_b=set(gone_a[:8]),
        gone_b=set(mixed[80:95]),
    )


@dataclass(frozen=True, kw_only=True)
class After:
    """What is live and waits when both teams' deliveries are merged, and what was said of them."""

    rows: gpd.GeoDataFrame
    conflicts: pd.DataFrame
    first: MergeReport
    second: MergeReport
    again: MergeReport


@dataclass(frozen=True, kw_only=True)
class Survey:
    """One base, two teams, both orders."""

    base: gpd.GeoDataFrame
    edits: Edits
    unit: str
    after: dict[str, After]
    """``ab`` and ``ba``."""


@pytest.fixture(scope="module", params=list(PLACES))
def survey(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Survey:
    place = PLACES[request.param]
    if not place.source.is_dir():
        pytest.skip("the shared real data is not here")
    root = tmp_path_factory.mktemp(request.param)
    model = f"two_teams_{request.param}"
    delivery = place.write(root)
    with created(server, model) as url:
        workspace, database = _opened(url, root)
        migrate(database)
        build_delivery(delivery, workspace=workspace, options=BuildOptions(only=place.datasets))
        base = gpd.GeoDataFrame(live(database, "components")).set_index("code")
        edits = _choose(base.index.tolist())
        for team in "ab":
            export_components(database, workspace, ExportRequest(path=root / team))
            _edit(root / team / "components.gpkg", team, edits, unit=place.unit)
        after = {order: _merged(server, model, order, root) for order in ("ab", "ba")}
    return Survey(base=base, edits=edits, unit=place.unit, after=after)


def _merged(server: Server, model: str, order: str, root: Path) -> After:
    """Load the teams' deliveries in this order into a copy of `model`, the later one twice."""
    with created(server, f"{model}_{order}", of=model) as url:
        workspace, database = _opened(url, root)
        reports = [merge_delivery(root / team, workspace=workspace) for team in (*order, order[1])]
        with database.connect(read_only=True) as connection:
            conflicts = read_conflicts(connection, crs=database.crs)
        rows = gpd.GeoDataFrame(live(database, "components")).set_index("code")
    first, second, again = reports
    return After(rows=rows, conflicts=conflicts, first=first, second=second, again=again)


def _opened(url: str, root: Path) -> tuple[Workspace, Database]:
    workspace = open_workspace(root, settings=Settings(workspace=root, database_url=url))
    crs = city_crs(workspace.profile, root)
    return workspace, Database(url=url, crs=crs.text, srid=crs.srid)


def _edit(path: Path, team: str, edits: Edits, *, unit: str) -> None:
    """Do to each layer of an export what a team does."""
    for layer, kind in pyogrio.list_layers(path):
        if kind is None or layer == "measured":
            continue
        rows = gpd.read_file(path, layer=layer)
        added = rows.iloc[:1].copy()
        is_of = {name: rows["code"].isin(codes) for name, codes in vars(edits).items()}
        rows.loc[is_of["alike"], "remark"] = ALIKE
        if team == "a":
            shift, notes, gone = EAST_M + 1.0, NOTE_A, is_of["gone_a"]
            rows.loc[is_of["moved_a"], "geometry"] = rows.geometry.translate(xoff=EAST_M)
        else:
            shift, notes, gone = EAST_M + 1.0 + AGAIN_M, NOTE_B, is_of["gone_b"]
            rows.loc[is_of["unit_b"], unit] = f"{NOTE_B}处"
            rows.loc[is_of["noted_b"], "remark"] = NOTE_B
        rows.loc[is_of["contested"], "remark"] = notes
        added["geometry"] = added.geometry.translate(xoff=shift, yoff=1.7)
        added[["code", "base_build", "base_hash"]] = None
        changed = gpd.GeoDataFrame(pd.concat([rows[~gone], added]), crs=rows.crs)
        write_vector(changed.reset_index(drop=True), path, layer=layer)


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_every_edit_is_live_or_waits(survey: Survey, order: str) -> None:
    edits, now, base = survey.edits, survey.after[order].rows, survey.base
    ended = (edits.gone_a | edits.gone_b) - (edits.noted_b if order == "ba" else set())
    assert set(base.index) - set(now.index) == ended
    kept = base.loc[sorted(set(base.index) - ended)]
    now = now.loc[kept.index]
    moved = kept.index.isin(edits.moved_a)
    there = kept.geometry.where(~moved, kept.geometry.translate(xoff=EAST_M))
    apart = shapely.hausdorff_distance(there.to_numpy(), now.geometry.to_numpy())
    assert apart.max() < 1e-6
    unit = kept[survey.unit].where(~kept.index.isin(edits.unit_b), f"{NOTE_B}处")
    pd.testing.assert_series_equal(now[survey.unit].astype(object), unit.astype(object))
    notes = dict.fromkeys(edits.alike, ALIKE)
    notes |= dict.fromkeys(edits.contested, NOTE_A if order == "ab" else NOTE_B)
    notes |= dict.fromkeys(edits.noted_b, NOTE_B)
    remark = [notes.get(code, was) for code, was in kept["remark"].astype(object).items()]
    assert [None if pd.isna(text) else text for text in now["remark"]] == [
        None if pd.isna(text) else text for text in remark
    ]
    untouched = kept.index.difference(list(edits.by_a | edits.unit_b | edits.noted_b))
    assert (now.loc[untouched, "content_hash"] == kept.loc[untouched, "content_hash"]).all()


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_what_contradicts_waits_and_nothing_else(survey: Survey, order: str) -> None:
    found = survey.after[order].conflicts[["kind", "code", "field"]]
    kind = "update_delete" if order == "ab" else "delete_update"
    expected: set[tuple[str, str, str | None]] = {
        ("field", code, "remark") for code in survey.edits.contested
    }
    expected |= {(kind, code, None) for code in survey.edits.noted_b}
    assert set(found.itertuples(index=False, name=None)) == expected
    assert len(found) == len(expected)


def test_the_order_decides_only_which_side_is_called_live(survey: Survey) -> None:
    ab, ba = survey.after["ab"], survey.after["ba"]
    values = [
        {
            (kind[entry["kind"]], entry["code"], entry["field"]): (entry[one], entry[other])
            for entry in after.conflicts.to_dict("records")
            if entry["kind"] == "field"
        }
        for after, kind, one, other in (
            (ab, {"field": "field"}, "live_value", "delivered_value"),
            (ba, {"field": "field"}, "delivered_value", "live_value"),
        )
    ]
    assert values[0] == values[1]
    kinds = [after.conflicts["kind"].value_counts().to_dict() for after in (ab, ba)]
    assert {MIRROR.get(kind, kind): count for kind, count in kinds[0].items()} == kinds[1]
    same = ab.rows.index.intersection(ba.rows.index).difference(list(survey.edits.contested))
    same = same.intersection(survey.base.index)
    assert (ab.rows.loc[same, "content_hash"] == ba.rows.loc[same, "content_hash"]).all()


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_what_both_found_is_one(survey: Survey, order: str) -> None:
    after = survey.after[order]
    new = after.rows.index.difference(survey.base.index)
    classes = survey.base["class_code"].unique()
    assert len(new) <= len(classes)
    assert after.first.new == len(new)
    assert after.second.new == 0


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_every_row_is_counted_and_merging_again_changes_nothing(survey: Survey, order: str) -> None:
    after = survey.after[order]
    for report in (after.first, after.second):
        loaded = report.new + report.changed + report.unchanged
        assert report.rows_read == loaded + report.refused + report.held
        assert report.refused == 0
    assert (after.again.status, after.again.new_conflicts) == ("unchanged", 0)


def test_warnings_of_rows_that_nobody_edited_are_counted_apart(survey: Survey) -> None:
    first = survey.after["ab"].first
    told = {fault["rule"]: fault["rows"] for fault in first.faults}
    repeated = {fault["rule"]: fault["rows"] for fault in first.repeated}
    benches = survey.base.index[survey.base["class_code"].eq("0407")]
    by_a, gone = survey.edits.by_a, survey.edits.gone_a
    if len(benches):
        assert told["C020"] == len(by_a.intersection(benches)) + 1  # the new one
        assert repeated["C020"] == len(benches) - len((by_a | gone).intersection(benches))
    assert set(told.values()) <= set(range(len(by_a) + 20))
