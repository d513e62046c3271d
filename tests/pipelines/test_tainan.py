"""Real hotline cases of Tainan, each assigned to its village."""

from collections.abc import Iterator

import geopandas as gpd
import pandas as pd
import pytest

from gis.database import read_rows
from tests.real import tainan
from tests.real.building import RealCity, built

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not tainan.SOURCE.is_dir(), reason="the shared real data is not here"),
]

VILLAGES, CASES = 752, 91_252


@pytest.fixture(scope="module")
def city(server, tmp_path_factory) -> Iterator[RealCity]:
    folder = tmp_path_factory.mktemp("tainan")
    with built(server, folder, write_workspace=tainan.write_workspace, name="tainan") as real:
        yield real


@pytest.fixture(scope="module")
def cases() -> pd.DataFrame:
    return tainan.read_cases()


@pytest.fixture(scope="module")
def answers(city: RealCity, cases: pd.DataFrame) -> pd.DataFrame:
    """The decisions on all cases, one row per case."""
    question = pd.DataFrame(
        {
            "case_id": cases["id"],
            "kind": cases["类型"],
            "class_code": cases["类别代码"],
            "x": cases["lon"].astype(float),
            "y": cases["lat"].astype(float),
            "reported_at": cases["time"],
        }
    )
    return city.snapshot.assign(question)


@pytest.fixture(scope="module")
def truth(cases: pd.DataFrame) -> gpd.GeoDataFrame:
    """Villages by GEOS alone, from the raw file: lowest code first where villages overlap."""
    villages = tainan.read_villages()
    lon, lat = cases["lon"].astype(float), cases["lat"].astype(float)
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), crs=4326).to_crs(tainan.CRS)
    joined = points.sjoin(villages, how="left", predicate="intersects").sort_values("code")
    return joined[~joined.index.duplicated()].sort_index()


def test_every_row_is_accounted_for(city: RealCity) -> None:
    for report in city.reports.values():
        assert report.rows_read == report.rows_accepted + report.rows_rejected, report.dataset
    areas, grids, cases = (city.reports[name] for name in ("areas", "unit_grids", "cases"))
    assert (areas.rows_accepted, areas.rows_rejected) == (1 + 37 + VILLAGES, 0)
    # Two villages have two parts, so two grids.
    assert (grids.rows_accepted, grids.rows_rejected) == (VILLAGES + 2, 0)
    assert (cases.rows_accepted, cases.rows_rejected) == (CASES, 0)


def test_the_one_invalid_village_is_repaired_and_told(city: RealCity) -> None:
    faults = {fault["rule"]: fault["rows"] for fault in city.reports["areas"].faults}
    assert faults["G005"] == 1


def test_the_cases_are_on_record_as_reported(city: RealCity) -> None:
    with city.database.connect(read_only=True) as connection:
        found = read_rows(
            connection,
            "SELECT kind, class_code, x, y, crs, address, reported_at FROM cases.case"
            " WHERE case_id = 'UN201504150003'",
        ).iloc[0]
    assert (found["kind"], found["class_code"]) == ("event", "0128")
    assert (found["x"], found["y"], found["crs"]) == (120.26048, 23.002758, "EPSG:4326")
    assert found["address"] == "臺南市永康區永大路二段128-1號"
    assert found["reported_at"].isoformat() == "2015-04-14T16:22:00+00:00"  # 00:22 in Taipei


def test_every_case_has_the_village_that_geos_finds(
    answers: pd.DataFrame, truth: gpd.GeoDataFrame
) -> None:
    inside = truth["code"].notna()
    assert len(answers) == CASES
    assert (answers["community_code"][inside] == truth["code"][inside]).all()


def test_cases_in_no_village_go_to_the_nearest_and_say_so(
    answers: pd.DataFrame, truth: gpd.GeoDataFrame
) -> None:
    outside = truth["code"].isna()
    assert 0 < outside.sum() < 100
    assert answers["reasons"].str.contains("outside_grids").equals(outside)
    assert answers["grid_code"].notna().all()


def test_the_typed_district_agrees_with_the_polygon_for_about_91_6_percent(
    answers: pd.DataFrame, cases: pd.DataFrame
) -> None:
    towns = tainan.read_villages().assign(street=lambda rows: rows["code"].str[:9])
    names = towns.drop_duplicates("street").set_index("street")["town"]
    found = answers["community_code"].str[:9].map(names)
    typed = cases["district"].str.replace(" ", "", regex=False)
    assert cases["district"].nunique() == 84
    assert (found == cases["district"]).mean() == pytest.approx(0.916, abs=0.01)
    assert (found == typed).mean() == pytest.approx(0.916, abs=0.01)


def test_building_again_changes_nothing(city: RealCity) -> None:
    assert {report.status for report in city.build_again().values()} == {"unchanged"}
