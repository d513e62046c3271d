"""The delivery the sample writes: its bytes, its answers, and that the platform finds the faults."""

import csv
from collections import defaultdict
from hashlib import sha256

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gis.database import read_rows
from gis.vector import read_vector
from pipelines.manifest import read_manifest
from pipelines.sample.truth import Judge
from pipelines.sample.units import Directory
from pipelines.sample.writing import write_sample

CRS = "EPSG:4547"


def answers(delivery, name):
    return pd.read_csv(delivery / "answers" / f"{name}.csv", dtype=str, keep_default_na=False)


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): sha256(p.read_bytes()).hexdigest() for p in files}


def test_the_same_seed_gives_the_same_bytes(tmp_path, sample_delivery):
    write_sample(tmp_path / "again", area_km2=1.0, seed=1)
    assert digests(tmp_path / "again") == digests(sample_delivery)


def test_another_seed_gives_another_district(tmp_path, sample_delivery):
    write_sample(tmp_path / "other", area_km2=1.0, seed=2, imagery=False, cases_per_km2=50)
    own, other = digests(sample_delivery), digests(tmp_path / "other")
    assert own["05部件/0137路灯.shp"] != other["05部件/0137路灯.shp"]


def test_the_manifest_names_every_file(sample_delivery):
    delivery = read_manifest(sample_delivery)
    assert set(delivery.datasets) == {
        "areas", "topography", "place_names", "units", "responsibility", "addresses", "components",
        "cases", "imagery", "management_grids", "evaluation_grids",
    }  # fmt: skip
    named = {path for layer in delivery.layers for path in layer.files}
    shapefiles = set(sample_delivery.resolve().glob("0[1-8]*/*.shp"))  # 09: the next plan
    assert shapefiles <= named
    assert len(list(sample_delivery.glob("05部件/*.shp"))) >= 20


def test_shapefiles_are_gbk_without_cpg(sample_delivery):
    assert not list(sample_delivery.rglob("*.cpg"))
    raw = (sample_delivery / "02行政区划/社区.dbf").read_bytes()
    assert raw[29] == 0x4D
    assert (sample_delivery / "02行政区划/街道.dbf").read_bytes()[29] == 0
    body = raw[int.from_bytes(raw[8:10], "little") :]
    assert "社区".encode("gbk") in body
    with pytest.raises(UnicodeDecodeError):
        body.decode("utf-8")
    without = {
        path.stem
        for path in sample_delivery.rglob("*.shp")
        if not path.with_suffix(".prj").exists()
    }
    assert without == {"围墙", "0305垃圾箱"}
    prj = (sample_delivery / "02行政区划/社区.prj").read_text(encoding="ascii")
    assert prj.startswith('PROJCS["CGCS2000_3_Degree_GK_CM_114E"')


def test_a_character_is_cut_at_the_width_of_its_column(sample_delivery):
    raw = (sample_delivery / "05部件/0402行道树.dbf").read_bytes()
    at = raw.index("位于道路北侧".encode("gbk")) - 1
    field = raw[at : at + 80]
    with pytest.raises(UnicodeDecodeError, match="incomplete multibyte"):
        field.decode("gbk")


def test_every_case_has_its_answer_in_the_community_that_holds_it(sample_delivery):
    truth = answers(sample_delivery, "cases")
    communities = read_vector(sample_delivery / "02行政区划/社区.shp", target_crs=CRS).frame
    points = gpd.GeoDataFrame(
        truth,
        geometry=gpd.points_from_xy(truth["true_x"].astype(float), truth["true_y"].astype(float)),
        crs=CRS,
    )
    joined = points.sjoin(communities[["XZQDM", "geometry"]], predicate="intersects")
    lowest = joined.groupby("case_id")["XZQDM"].min()
    assert lowest.to_dict() == truth.set_index("case_id")["community_code"].to_dict()
    reported = pd.read_csv(sample_delivery / "08案件/2025年案件.csv", dtype=str)
    planted = {"CG20259000001", "CG20259000002", "CG20259000003", "CG20259000004", "CG20259000005",
               "CG20259000006"}  # fmt: skip
    assert set(truth["case_id"]) == set(reported["案件编号"]) - planted
    assert 1400 < (~truth["tags"].str.contains("repeat", na=False)).sum() <= 1500


def test_positions_err_as_they_say(sample_delivery):
    truth = answers(sample_delivery, "cases").set_index("case_id")
    cases = pd.read_csv(sample_delivery / "08案件/2025年案件.csv", dtype=str)
    exact = cases[cases["坐标系"] == CRS].set_index("案件编号")
    own = truth.loc[exact.index]
    error = exact["X"].astype(float) - own["true_x"].astype(float)
    assert error.std() == pytest.approx(2.0, rel=0.25)
    assert set(cases["坐标系"].dropna()) == {CRS, "EPSG:4490", "GCJ-02"}
    shifted = cases[cases["坐标系"] == "GCJ-02"]
    assert 114.46 < shifted["X"].astype(float).mean() < 114.48


def test_address_answers_lie_where_their_rows_say(sample_delivery):
    queries = answers(sample_delivery, "addresses")
    assert {"plate", "building", "crossing", "crossing_offset", "poi", "alias"} <= set(
        queries["how"]
    )
    assert queries["query"].is_unique
    assert (queries["community_code"].str.len() == 12).all()
    assert (queries["code"] == "").equals(queries["how"].str.startswith("crossing"))


def test_hot_spots_hold_their_cases(sample_delivery):
    spots = answers(sample_delivery, "hotspots")
    truth = answers(sample_delivery, "cases")
    counted = truth["tags"].str.extract(r"hotspot:(H\d\d)")[0].value_counts()
    assert counted.sum() > 150
    for spot in spots.itertuples():
        own = truth[truth["tags"].str.contains(f"hotspot:{spot.hotspot}")]
        assert len(own) <= int(spot.cases)
        far = np.hypot(
            own["true_x"].astype(float) - float(spot.x), own["true_y"].astype(float) - float(spot.y)
        )
        assert far.median() < 2.0 * float(spot.sigma_m)


def test_check_points_are_held_out(sample_delivery):
    points = pd.read_csv(sample_delivery / "07影像/gcps.csv")
    checks = answers(sample_delivery, "check_points")
    assert (points["role"] == "control").sum() == 9
    assert set(checks["id"]) == set(points.loc[points["role"] == "check", "id"])
    apart = shapely.STRtree(gpd.points_from_xy(points["x"], points["y"])).geometries
    assert min(a.distance(b) for i, a in enumerate(apart) for b in apart[:i]) > 20


def test_each_planted_fault_is_found_where_it_was_planted(built_sample):
    with built_sample.database.connect(read_only=True) as connection:
        found = read_rows(
            connection, "SELECT dataset, source_file, source_row, rule, severity FROM meta.reject"
        )
    told = defaultdict(set)
    for row in found.itertuples():
        sheet = "#单位" if row.dataset == "units" else ""
        key = (row.source_file.split("/")[-1] + sheet, row.source_row)
        told[key].add((row.rule, row.severity))
    severity = {"refused": "error", "warned": "warning"}
    missed = []
    for fault in answers(built_sample.delivery, "faults").itertuples():
        key = (fault.file, int(fault.source_row))
        said = told.get((fault.file.removesuffix("#职责"), key[1]), set())
        if key[1] == 0:
            continue
        if fault.expected == "fixed":
            if said:
                missed.append((fault, said))
        elif (fault.rule, severity[fault.expected]) not in said:
            missed.append((fault, said))
    assert not missed


def test_no_sound_row_is_refused(built_sample):
    faults = answers(built_sample.delivery, "faults")
    refused = sum(report.rows_rejected for report in built_sample.reports)
    assert refused == (faults["expected"] == "refused").sum()


def test_components_keep_the_units_their_records_name(built_sample):
    owners = answers(built_sample.delivery, "owners")
    assert {"alias", "successor", "ownership_disputed"} <= {
        tag for tags in owners["tags"] for tag in tags.split(";")
    }
    with built_sample.database.connect(read_only=True) as connection:
        stored = read_rows(
            connection,
            "SELECT code, ownership_state FROM components.component WHERE valid_to IS NULL",
        )
    states = stored.set_index("code")["ownership_state"]
    disputed = owners[owners["tags"].str.contains("ownership_disputed")]["component_code"]
    assert (states.loc[disputed] == "disputed").all()
    nobody = owners[owners["tags"] == "none"]["component_code"]
    assert len(nobody) > 0
    assert (states.loc[nobody] == "none").all()


def make_judge(*rows):
    columns = ("部件或事件", "类别代码", "区域代码", "角色", "单位代码", "季节", "时段")
    table = pd.DataFrame(rows, columns=list(columns), dtype=object)
    directory = Directory(
        table=table,
        names={"U1": "甲公司", "U2": "乙公司", "U9": "街道办"},
        aliases={"U2": ("老乙",)},
        successors={"U1": "U2"},
        territories={"130102001": "U9"},
    )
    return Judge(table, directory)


OWN = {f"Dept{part}{n}": None for n in (1, 2, 3) for part in ("Code", "Name")} | {"Note": None}
WHEN = pd.Timestamp("2025-01-10 23:30").to_pydatetime()
HERE = "130102001003"


def test_a_successor_takes_over():
    verdict = make_judge().component("0101", HERE, WHEN, OWN | {"DeptCode3": "U1"})
    assert (verdict.unit_code, verdict.role, verdict.tags) == ("U2", "maintainer", ("successor",))


def test_nobodys_component_goes_to_the_street():
    verdict = make_judge().component("0123", HERE, WHEN, OWN | {"DeptName2": "无主"})
    assert (verdict.unit_code, verdict.role, verdict.tags) == ("U9", "territorial", ("no_owner",))


def test_an_event_prefers_the_row_that_holds_tonight():
    judge = make_judge(
        ("事件", "0401", "130102001", "属地", "U1", None, None),
        ("事件", "0401", "130102001", "属地", "U2", None, "22:00/06:00"),
        ("事件", "04", HERE, "属地", "U9", "03-01/10-31", None),
    )
    assert judge.event("0401", HERE, WHEN).unit_code == "U2"
    assert judge.event("0401", HERE, WHEN.replace(month=7)).unit_code == "U9"


def test_two_equal_rows_are_a_conflict():
    judge = make_judge(
        ("事件", "0305", "*", "处置", "U9", None, None),
        ("事件", "0305", "*", "处置", "U2", None, None),
    )
    verdict = judge.event("0305", HERE, WHEN)
    assert (verdict.unit_code, verdict.tags) == ("U2", ("plan_conflict",))


def test_csv_answers_are_plain_utf8(sample_delivery):
    for path in (sample_delivery / "answers").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        assert len({len(row) for row in rows}) == 1
