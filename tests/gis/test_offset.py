"""GCJ-02 and BD-09 against published values, and round trips over all of China."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from gis.offset import (
    BOUNDS,
    bd09_from_gcj02,
    gcj02_from_bd09,
    gcj02_from_wgs84,
    is_offset_area,
    wgs84_from_gcj02,
)

GEOD = Geod(ellps="GRS80")
# The rectangle in which offsets apply, less one offset: at its very edge there is no inverse.
LON = st.floats(min_value=BOUNDS[0] + 0.05, max_value=BOUNDS[2] - 0.05)
LAT = st.floats(min_value=BOUNDS[1] + 0.05, max_value=BOUNDS[3] - 0.05)

# Test vectors of eviltransform (github.com/googollee/eviltransform, test data shared by its
# implementations in 15 languages): lat, lon in WGS 84 and in GCJ-02, to the digits it prints.
PUBLISHED = [
    ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
    ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
    ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
]


@pytest.mark.parametrize(("wgs", "gcj"), PUBLISHED)
def test_gcj02_equals_the_published_vectors(wgs, gcj):
    lon, lat = gcj02_from_wgs84(wgs[1], wgs[0])
    assert lat == pytest.approx(gcj[0], abs=1e-6)
    assert lon == pytest.approx(gcj[1], abs=1e-6)


def test_bd09_equals_the_vector_of_the_coordtransform_library():
    # github.com/wandergis/coordtransform, README: gcj02tobd09(116.404, 39.915).
    lon, lat = bd09_from_gcj02(116.404, 39.915)
    assert lon == pytest.approx(116.41036949371029, abs=1e-9)
    assert lat == pytest.approx(39.92133699351022, abs=1e-9)


def test_gcj02_equals_the_vector_of_the_coordtransform_library():
    # The same README: wgs84togcj02(116.404, 39.915).
    lon, lat = gcj02_from_wgs84(116.404, 39.915)
    assert lon == pytest.approx(116.41024449916938, abs=1e-9)
    assert lat == pytest.approx(39.91640428150164, abs=1e-9)


@given(lon=LON, lat=LAT)
def test_gcj02_round_trip_is_below_a_centimetre_both_ways(lon, lat):
    there = gcj02_from_wgs84(lon, lat)
    assert _distance_m((lon, lat), wgs84_from_gcj02(*there)) < 0.01
    back = wgs84_from_gcj02(lon, lat)
    assert _distance_m((lon, lat), gcj02_from_wgs84(*back)) < 0.01


@given(lon=LON, lat=LAT)
def test_bd09_round_trip_is_below_a_centimetre_both_ways(lon, lat):
    there = bd09_from_gcj02(lon, lat)
    assert _distance_m((lon, lat), gcj02_from_bd09(*there)) < 0.01
    back = gcj02_from_bd09(lon, lat)
    assert _distance_m((lon, lat), bd09_from_gcj02(*back)) < 0.01


def test_the_offset_over_china_is_what_users_complain_of():
    lon, lat = np.meshgrid(np.arange(75, 135, 0.5), np.arange(18, 53, 0.5))
    shifted = gcj02_from_wgs84(lon, lat)
    _, _, metres = GEOD.inv(lon.ravel(), lat.ravel(), shifted[0].ravel(), shifted[1].ravel())
    assert 50 < np.median(metres) < 800
    assert metres.max() < 1_500


def test_outside_china_nothing_moves():
    lon, lat = np.array([0.0, 139.7, -71.1]), np.array([51.5, 35.7, 42.4])
    for function in (gcj02_from_wgs84, wgs84_from_gcj02, bd09_from_gcj02, gcj02_from_bd09):
        moved = function(lon, lat)
        assert moved[0].tolist() == lon.tolist()
        assert moved[1].tolist() == lat.tolist()


def test_the_edge_of_the_rectangle_belongs_to_it():
    west, south, east, north = BOUNDS
    assert is_offset_area([west, east], [south, north]).tolist() == [True, True]
    assert is_offset_area([west - 1e-9], [south]).tolist() == [False]


def test_nan_stays_nan_and_neighbours_are_not_touched():
    lon, lat = wgs84_from_gcj02([np.nan, 116.41024449916938], [39.9, 39.91640428150164])
    assert np.isnan(lon[0])
    assert lon[1] == pytest.approx(116.404, abs=1e-9)
    assert lat[1] == pytest.approx(39.915, abs=1e-9)


def test_empty_input_gives_empty_output():
    lon, lat = wgs84_from_gcj02([], [])
    assert (lon.size, lat.size) == (0, 0)


def _distance_m(first, second):
    return float(GEOD.inv(first[0], first[1], float(second[0]), float(second[1]))[2])
