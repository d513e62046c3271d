"""A real city from its own files: every database but imagery, and decisions that can be checked."""

from collections.abc import Iterator

import geopandas as gpd
import pandas as pd
import pytest

from gis.builds import live
from gis.vector import read_vector
from pipelines.surveys.check import check_delivery
from tests.real import cambridge
from tests.real.building import RealCity, built
from tests.real.questions import noised_components

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not cambridge.SOURCE.is_dir(), reason="the shared real data is not here"),
]

PUBLISHED = {
    "0113": 1_960,
    "0126": 137,
    "0128": 14,
    "0137": 6_117,
    "0139": 858,
    "0201": 1_533,
    "0203": 3_320,
    "0204": 68,
    "0209": 52,
    "0210": 30,
    "0214": 785,
    "0299": 4_605,
    "0305": 990,
    "0306": 389,
    "0407": 3_017,
}
"""Rows of each component file as the city published it."""


@pytest.fixture(scope="module")
def city(server, tmp_path_factory) -> Iterator[RealCity]:
    folder = tmp_path_factory.mktemp("cambridge")
    write = cambridge.write_workspace
    with built(server, folder, write_workspace=write, name="cambridge") as real:
        yield real


@pytest.fixture(scope="module")
def components(city: RealCity) -> gpd.GeoDataFrame:
    return live(city.database, "components")


@pytest.fixture(scope="module")
def grids(city: RealCity) -> gpd.GeoDataFrame:
    return live(city.database, "unit_grids")


def test_all_databases_but_imagery_are_built(city: RealCity) -> None:
    assert set(city.reports) == {
        "areas",
        "topography",
        "unit_grids",
        "place_names",
        "units",
        "responsibility",
        "addresses",
        "components",
    }
    assert {report.status for report in city.reports.values()} == {"built"}


def test_every_row_read_is_accepted_or_refused(city: RealCity) -> None:
    read = {name: report.rows_read for name, report in city.reports.items()}
    assert read["areas"] == 1 + 13 + 117
    assert read["topography"] == 2_643 + 13_159 + 205 + 74 + 276
    assert read["components"] == sum(PUBLISHED.values())
    for name in ("areas", "topography", "place_names", "units", "responsibility", "components"):
        report = city.reports[name]
        assert report.rows_accepted + report.rows_rejected == report.rows_read, name


def test_nearly_all_rows_of_a_real_city_are_accepted(city: RealCity) -> None:
    for name in ("areas", "units", "responsibility", "place_names"):
        assert city.reports[name].rows_rejected == 0, name
    assert city.reports["topography"].rows_rejected < 20
    # 91 features lie beyond the city's border, two parking lots are flat, one signal has no place.
    refused = {
        fault["rule"]: fault["rows"]
        for fault in city.reports["components"].faults
        if fault["severity"] == "error"
    }
    assert refused == {"G002": 1, "G004": 2, "G009": 91}
    # Addresses on lots that the parcel layer does not have.
    assert city.reports["addresses"].rows_rejected == 747


def test_components_of_every_class_have_codes_of_their_own(components: gpd.GeoDataFrame) -> None:
    assert components["code"].is_unique
    assert components["code"].str.fullmatch(cambridge.DISTRICT + r"\d{10}").all()
    assert (components["code"].str[6:10] == components["class_code"]).all()
    counted = components["class_code"].value_counts()
    assert set(counted.index) == set(PUBLISHED)
    assert all(counted[code] > 0.95 * rows for code, rows in PUBLISHED.items())


def test_grids_tile_every_community(city: RealCity, grids: gpd.GeoDataFrame) -> None:
    areas = live(city.database, "areas")
    communities = areas[areas["level"] == "community"].set_index("code")
    assert set(grids["community_code"]) == set(communities.index)
    assert grids["code"].str.fullmatch(r"\d{15}").all()
    assert (grids["code"].str[:12] == grids["community_code"]).all()
    tiled = grids.dissolve(by="community_code").geometry.area
    # Borders of neighbours that differ by centimetres become one: a strip of a few m² changes hands.
    assert (tiled - communities.geometry.area).abs().max() < 10.0
    assert grids.geometry.area.sum() == pytest.approx(communities.geometry.area.sum(), abs=50.0)


def test_every_light_is_in_the_grid_that_geos_finds(
    components: gpd.GeoDataFrame, grids: gpd.GeoDataFrame
) -> None:
    lights = components[components["class_code"] == "0137"]
    joined = lights[["geometry", "grid_code"]].sjoin(
        grids[["code", "geometry"]], predicate="intersects"
    )
    lowest = joined.groupby(level=0)["code"].min()
    placed = lights.loc[lowest.index, "grid_code"]
    assert len(lowest) > 5_500
    assert (placed == lowest).all()


def test_owners_are_the_units_that_the_files_call_by_other_names(
    components: gpd.GeoDataFrame,
) -> None:
    hydrants = components[components["class_code"] == "0113"]
    codes = hydrants.groupby("owner_name")["owner_code"].agg(lambda values: set(values.dropna()))
    assert codes["CAM"] == {"U02"}
    assert codes["PRIVATE HARVARD"] == {"U11"}
    assert codes["PRIVATE MIT"] == {"U12"}
    assert codes["PRIVATE"] == set()
    signals = components[components["class_code"] == "0214"]
    state = signals[signals["owner_name"].fillna("").str.startswith("Massachusetts")]
    assert set(state["owner_code"]) == {"U07"}


def test_decisions_follow_record_plan_and_territory(
    city: RealCity, components: gpd.GeoDataFrame
) -> None:
    harvard = _first(components, "0113", owner="PRIVATE HARVARD")
    barrel = _first(components, "0305", owner=None)
    at_barrel = barrel.geometry
    questions = pd.DataFrame(
        [
            {"kind": "component", "class_code": "0113", "component_code": harvard["code"]},
            {"kind": "component", "class_code": "0305", "component_code": barrel["code"]},
            {"kind": "event", "class_code": "0110", "x": at_barrel.x, "y": at_barrel.y},
        ]
    ).assign(crs="city", accuracy_m=1.0, reported_at="2026-05-31 12:00")
    answers = city.snapshot.assign(questions)
    # The hydrant's own owner; the plan's department for bins; the police district for an event.
    assert answers["unit_code"].tolist()[:2] == ["U11", "U01"]
    response = _response_district(at_barrel)
    areas = live(city.database, "areas").set_index("name")
    community = areas.loc[f"Response District {response}", "code"]
    assert answers["community_code"][2] == community
    assert answers["unit_code"][2] == cambridge.territorial_unit(community)


def test_an_address_is_found_where_its_parcel_is(city: RealCity) -> None:
    from api.geocoding.geocode import geocode

    # Chinese addresses name the road before the number; so must the question.
    best = geocode(city.snapshot, "Aberdeen Ave 14", limit=1)[0]
    assert best.name == "14 Aberdeen Ave"
    parcels = cambridge.read_parcels().set_index("MapLot")
    assert (best.lon, best.lat) == pytest.approx(tuple(parcels.loc["252-140"]), abs=1e-6)


def test_building_again_changes_nothing(city: RealCity) -> None:
    again = city.build_again()
    assert {name: each for name, each in again.items() if each.status != "unchanged"} == {}


def _first(components: gpd.GeoDataFrame, class_code: str, *, owner: str | None) -> pd.Series:
    rows = components[components["class_code"] == class_code]
    named = rows["owner_name"].isna() if owner is None else rows["owner_name"].eq(owner)
    return rows[named].sort_values("code").iloc[0]


def _response_district(point: object) -> int:
    path = cambridge.SOURCE / "PUBLICSAFETY_PoliceResponseDistricts.geojson.gz"
    districts = read_vector(path, target_crs=cambridge.CRS).frame
    return int(districts.loc[districts.intersects(point), "CADRA"].iloc[0])


def test_a_check_of_the_delivery_finds_what_the_build_found(city: RealCity) -> None:
    judgement = check_delivery(city.delivery, workspace=city.workspace).judgement
    tallies = {tally.dataset: (tally.read, tally.refused) for tally in judgement.tallies}
    built = {name: (each.rows_read, each.rows_rejected) for name, each in city.reports.items()}
    assert tallies == {name: built[name] for name in tallies}
    assert {tally.class_code: tally.rows for tally in judgement.classes} == PUBLISHED
    assert judgement.verdict.level == "warnings"


def test_components_are_found_again_from_noised_positions(
    city: RealCity, components: gpd.GeoDataFrame
) -> None:
    found = list(noised_components(city.snapshot, components))
    shares = [line.component for line in found]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.9
    assert 0.1 < shares[-1] < 0.6  # at 20 m the next one of its class is often nearer
    for line in found:
        assert line.owner > 0.95, line
        assert line.said == pytest.approx(line.owner, abs=0.05), line
