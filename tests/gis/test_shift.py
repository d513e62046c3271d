"""Coordinates that are not where they should be, against areas that are."""

from pathlib import Path

import numpy as np
import pytest
import shapely

from gis.crs import transform_xy
from gis.sheets import read_sheet
from gis.shift import index_areas, suspect_offset, suspect_shift
from gis.vector import read_vector

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared real data is not here")
CITY = "EPSG:4547"
# A district of 10 x 10 km on the central meridian, and 400 points that fill it.
SQUARE = shapely.box(495_000, 4_200_000, 505_000, 4_210_000)
AREAS = index_areas(np.array([SQUARE], dtype=object))
GRID = np.meshgrid(np.linspace(495_025, 504_975, 20), np.linspace(4_200_025, 4_209_975, 20))
EAST, NORTH = GRID[0].ravel(), GRID[1].ravel()


def names(x, y, *, source=CITY, areas=AREAS):
    return [
        (found.name, found.crs)
        for found in suspect_shift(x, y, source=source, city=CITY, areas=areas)
    ]


def test_right_coordinates_raise_no_suspicion():
    assert names(EAST, NORTH) == []


def test_swapped_axes():
    assert names(NORTH, EAST) == [("swapped_axes", CITY)]
    lon, lat = transform_xy(EAST, NORTH, source=CITY, target="EPSG:4490")
    assert names(lat, lon, source="EPSG:4490") == [("swapped_axes", "EPSG:4490")]


def test_the_zone_next_door():
    x, y = transform_xy(EAST, NORTH, source=CITY, target="EPSG:4546")
    assert names(x, y) == [("wrong_zone", "EPSG:4546")]


def test_a_zone_prefix_on_the_easting():
    assert names(EAST + 38_000_000, NORTH) == [("wrong_zone", "EPSG:4526")]


def test_northing_first_and_with_a_prefix():
    assert names(NORTH, EAST + 38_000_000) == [("swapped_axes", "EPSG:4526")]


def test_degrees_said_to_be_metres():
    lon, lat = transform_xy(EAST, NORTH, source=CITY, target="EPSG:4490")
    assert names(lon, lat) == [("wrong_crs", "EPSG:4490")]


def test_somewhere_else_altogether():
    assert names(EAST + 300_000, NORTH) == [("outside", None)]


@pytest.mark.parametrize("vendor", ["GCJ-02", "BD-09"])
def test_a_vendor_offset_near_the_border(vendor):
    lon, lat = transform_xy(EAST, NORTH, source=CITY, target=vendor)
    assert names(lon, lat, source="EPSG:4326") == [("vendor_offset", vendor)]
    assert names(lon, lat, source=vendor) == []


def test_an_offset_deep_inside_can_not_be_seen():
    middle = (np.abs(EAST - 500_000) < 2_000) & (np.abs(NORTH - 4_205_000) < 2_000)
    lon, lat = transform_xy(EAST[middle], NORTH[middle], source=CITY, target="GCJ-02")
    assert names(lon, lat, source="EPSG:4326") == []


def test_known_points_show_an_offset_anywhere():
    lon, lat = transform_xy(EAST, NORTH, source=CITY, target="GCJ-02")
    x, y = transform_xy(lon, lat, source="EPSG:4490", target=CITY)
    found = suspect_offset(x, y, known_x=EAST, known_y=NORTH, city=CITY)
    assert [(item.name, item.crs) for item in found] == [("vendor_offset", "GCJ-02")]
    assert "GCJ-02" in found[0].zh
    assert suspect_offset(EAST + 3, NORTH, known_x=EAST, known_y=NORTH, city=CITY) == []
    assert suspect_offset(EAST + 300, NORTH, known_x=EAST, known_y=NORTH, city=CITY) == []


def test_no_points_no_suspicion():
    assert names([], []) == []
    assert names([np.nan], [np.nan]) == []


@needs_data
@pytest.mark.parametrize(
    ("city", "name", "crs"),
    [
        ("石家庄", "石家庄市", "EPSG:4547"),
        ("西安", "西安市", "EPSG:4545"),
        ("成都", "成都市", "EPSG:4543"),
    ],
)
def test_county_outlines_that_do_not_say_they_are_gcj02(city, name, crs):
    # Truth: outlines of one source with the offset removed. Delivered: another file of the same
    # counties, simplified differently, as it is.
    outlines = DATA / "county_outlines_gcj02" / f"{city}.geojson"
    truth = read_vector(outlines, target_crs=crs, crs="GCJ-02").frame
    areas = index_areas(truth.geometry.to_numpy())
    path = DATA / "messy_shapefiles" / "utf8_dbf_no_cpg_no_prj_gcj02" / f"{name}.shp"
    delivered = read_vector(path, target_crs="EPSG:4490", crs="EPSG:4490").frame
    x, y = shapely.get_coordinates(delivered.geometry.to_numpy()).T
    found = suspect_shift(x, y, source="EPSG:4490", city=crs, areas=areas)
    assert [(item.name, item.crs) for item in found] == [("vendor_offset", "GCJ-02")]
    assert suspect_shift(x, y, source="GCJ-02", city=crs, areas=areas) == []


@needs_data
def test_real_points_in_the_right_place_and_swapped():
    villages = read_vector(
        DATA / "tainan" / "tainan_villages_752.geojson.gz", target_crs="EPSG:32651"
    ).frame
    areas = index_areas(villages.geometry.to_numpy())
    cases = read_sheet(DATA / "tainan" / "cases_1999_2015_2018.csv.gz").frame
    lon, lat = cases["lon"].astype(float), cases["lat"].astype(float)
    assert suspect_shift(lon, lat, source="EPSG:4326", city="EPSG:32651", areas=areas) == []
    swapped = suspect_shift(lat, lon, source="EPSG:4326", city="EPSG:32651", areas=areas)
    assert [item.name for item in swapped] == ["swapped_axes"]
