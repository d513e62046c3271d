"""Degrees worked out here against those of PROJ."""

import numpy as np
import pytest
from pyproj import CRS, Transformer

from gis.crs import transform_point, transform_xy
from gis.gausskruger import gauss_kruger

# Three- and six-degree zones with and without their number, UTM, another ellipsoid.
QUICK = [(4547, 4490), (4526, 4490), (4499, 4490), (32650, 4326), (32750, 4326), (2385, 4610)]


def _way(source: int, target: int):
    metres, degrees = CRS.from_epsg(source), CRS.from_epsg(target)
    by_proj = Transformer.from_crs(metres, degrees, always_xy=True)
    return gauss_kruger(metres, degrees, by_proj), by_proj


@pytest.mark.parametrize(("source", "target"), QUICK)
def test_degrees_are_those_of_proj_to_the_last_digits(source: int, target: int) -> None:
    way, by_proj = _way(source, target)
    assert way is not None
    west, _, east, _ = CRS.from_epsg(source).area_of_use.bounds
    rng = np.random.default_rng(source)
    lon, lat = rng.uniform(west, east, 4000), rng.uniform(2.0, 54.0, 4000)
    x, y = by_proj.transform(lon, lat, direction="INVERSE")
    told = np.array([way.transform(*place) for place in zip(x, y, strict=True)])
    assert np.abs(told - np.column_stack([lon, lat])).max() < 2e-13
    proj = np.column_stack(by_proj.transform(x, y))
    assert np.abs(told - proj).max() < 1e-13


@pytest.mark.parametrize("x", [500_000.0, 39_500_000.0, -2e6, 9e6, 1e12])
def test_points_far_off_are_left_to_proj(x: float) -> None:
    way, by_proj = _way(4547, 4490)
    y = 4_207_498.0
    told, proj = way.transform(x, y), by_proj.transform(x, y)
    assert told == pytest.approx(proj, abs=1e-13)
    if abs(x - 500_000.0) > 1e6:
        assert told == proj


@pytest.mark.parametrize("place", [(np.nan, 4.2e6), (5e5, np.nan), (np.inf, np.inf)])
def test_what_is_nowhere_stays_so(place: tuple[float, float]) -> None:
    assert np.isnan(transform_point(*place, source="EPSG:4547", target="EPSG:4490")).all()


@pytest.mark.parametrize(
    ("source", "target"),
    [(3857, 4326), (2326, 4611), (4490, 4547), (4547, 4526)],
    ids=["Mercator", "an origin off the equator", "to metres", "metres to metres"],
)
def test_there_is_no_quick_way_of_another_kind(source: int, target: int) -> None:
    assert _way(source, target)[0] is None


def test_a_datum_shift_stays_with_proj() -> None:
    moved = CRS.from_user_input(
        "+proj=tmerc +lat_0=0 +lon_0=114 +k=1 +x_0=500000 +y_0=0 +ellps=krass "
        "+towgs84=12,-120,-60,0,0,0,0 +units=m +type=crs"
    )
    degrees = CRS.from_epsg(4326)
    by_proj = Transformer.from_crs(moved, degrees, always_xy=True)
    assert gauss_kruger(moved, degrees, by_proj) is None


def test_axes_in_the_order_of_the_registry_are_noticed() -> None:
    metres, degrees = CRS.from_epsg(4547), CRS.from_epsg(4490)
    swapped = Transformer.from_crs(metres, degrees)
    assert gauss_kruger(metres, degrees, swapped) is None


def test_one_point_and_many_agree() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.uniform(4e5, 6e5, 500), rng.uniform(2.2e6, 5.2e6, 500)
    lon, lat = transform_xy(x, y, source="EPSG:4547", target="EPSG:4490")
    for at in range(500):
        told = transform_point(x[at], y[at], source="EPSG:4547", target="EPSG:4490")
        assert told == pytest.approx((lon[at], lat[at]), abs=1e-13)
