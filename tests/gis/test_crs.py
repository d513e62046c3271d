"""CRS names, zones, axis order, and the way between systems."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import CRS

from gis.crs import (
    city_crs,
    crs_name,
    parse_crs,
    reproject,
    reproject_geometry,
    same_crs,
    transform_xy,
)
from gis.datums import epsg_of
from gis.errors import CrsError
from gis.workspace import City, Profile

# An ESRI .prj as ArcGIS writes it; only name, meridian and easting vary.
ESRI = (
    'PROJCS["{name}",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",'
    'SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],'
    'UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],'
    'PARAMETER["False_Easting",{easting}],PARAMETER["False_Northing",0.0],'
    'PARAMETER["Central_Meridian",{meridian}],PARAMETER["Scale_Factor",1.0],'
    'PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
)


def esri(name="CGCS2000_3_Degree_GK_CM_114E", meridian=114.0, easting=500000.0):
    return ESRI.format(name=name, meridian=meridian, easting=easting)


def profile(crs):
    return Profile(city=City(code="130102", crs=crs))


@pytest.mark.parametrize(
    ("name", "meridian", "easting", "expected"),
    [
        ("CGCS2000_3_Degree_GK_CM_114E", 114.0, 500000.0, 4547),
        ("CGCS2000_3_Degree_GK_Zone_38", 114.0, 38500000.0, 4526),
        ("CGCS2000_3_Degree_GK_CM_120E", 120.0, 500000.0, 4549),
        ("CGCS2000_GK_Zone_20", 117.0, 20500000.0, 4498),
        ("a name some export made up", 114.0, 500000.0, 4547),
        ("a name some export made up", 114.0, 38500000.0, 4526),
    ],
)
def test_esri_prj_of_cgcs2000_zones_resolves(name, meridian, easting, expected):
    assert epsg_of(parse_crs(esri(name, meridian, easting))) == expected


@pytest.mark.parametrize(("meridian", "easting"), [(114.5, 500000.0), (114.0, 3000.0)])
def test_a_local_system_is_not_taken_for_a_zone(meridian, easting):
    assert epsg_of(parse_crs(esri("my city", meridian, easting))) is None


@pytest.mark.parametrize("code", range(4491, 4555))
def test_every_cgcs2000_zone_survives_its_esri_wkt(code):
    crs = CRS.from_epsg(code)
    found = epsg_of(CRS.from_wkt(crs.to_wkt("WKT1_ESRI")))
    assert same_crs(f"EPSG:{found}", f"EPSG:{code}")


def test_x_is_east_and_y_is_north_whatever_epsg_says():
    # EPSG:4547 declares northing first, EPSG:4490 latitude first. Meridian arc to 38 °N: 4207498 m.
    x, y = transform_xy([114.0], [38.0], source="EPSG:4490", target="EPSG:4547")
    assert x[0] == pytest.approx(500_000.0, abs=1e-3)
    assert y[0] == pytest.approx(4_207_498.0, abs=1.0)


def test_zone_prefix_only_adds_to_the_easting():
    x, y = transform_xy([510_000.0], [4.2e6], source="EPSG:4547", target="EPSG:4526")
    assert (x[0], y[0]) == pytest.approx((38_510_000.0, 4.2e6), abs=1e-6)


def test_gcj02_is_undone_on_the_way_to_metres():
    # Published vector: WGS 84 (116.404, 39.915) is GCJ-02 (116.41024449916938, 39.91640428150164).
    shifted = transform_xy(
        [116.41024449916938], [39.91640428150164], source="GCJ-02", target="EPSG:4548"
    )
    plain = transform_xy([116.404], [39.915], source="EPSG:4490", target="EPSG:4548")
    assert np.hypot(shifted[0] - plain[0], shifted[1] - plain[1])[0] < 0.01


def test_bd09_is_undone_through_gcj02():
    # Published vectors chained: GCJ-02 (116.404, 39.915) is BD-09 (116.41036949371029, 39.92133699351022).
    x, y = transform_xy([116.41036949371029], [39.92133699351022], source="BD-09", target="GCJ-02")
    assert (x[0], y[0]) == pytest.approx((116.404, 39.915), abs=1e-8)


def test_metres_can_be_shown_on_a_vendor_map():
    x, y = transform_xy([116.404], [39.915], source="EPSG:4490", target="EPSG:4548")
    lon, lat = transform_xy(x, y, source="EPSG:4548", target="gcj02")
    assert (lon[0], lat[0]) == pytest.approx((116.41024449916938, 39.91640428150164), abs=1e-8)


def test_wgs84_and_cgcs2000_degrees_are_equal():
    assert same_crs("EPSG:4326", "epsg:4490")
    assert same_crs("OGC:CRS84", "EPSG:4490")
    x, _ = transform_xy([114.123456789], [38.0], source="EPSG:4326", target="EPSG:4490")
    assert x[0] == 114.123456789


def test_swapped_degrees_become_nan_not_a_place():
    x, y = transform_xy([38.0, 114.0], [114.0, 38.0], source="EPSG:4490", target="EPSG:4547")
    assert np.isnan([x[0], y[0]]).all()
    assert np.isfinite([x[1], y[1]]).all()


@pytest.mark.parametrize(
    "source", ["EPSG:4610", "EPSG:4214", "EPSG:4555", "EPSG:2383", "EPSG:2414"]
)
def test_a_datum_without_public_shift_is_refused(source):
    with pytest.raises(CrsError, match="not public") as caught:
        transform_xy([114.0], [38.0], source=source, target="EPSG:4547")
    assert "不公开" in caught.value.zh


def test_a_datum_known_to_wgs84_alone_goes_by_way_of_it():
    # TWD97 is within a metre of WGS 84; the registry has no shift from it to CGCS2000.
    x, y = transform_xy([120.0], [23.0], source="EPSG:4490", target="EPSG:3826")
    lon, lat = transform_xy(x, y, source="EPSG:3826", target="EPSG:4490")
    assert (lon[0], lat[0]) == pytest.approx((120.0, 23.0), abs=1e-9)
    direct = transform_xy([120.0], [23.0], source="EPSG:4326", target="EPSG:3826")
    assert (x[0], y[0]) == pytest.approx((direct[0][0], direct[1][0]), abs=1e-6)


def test_a_datum_with_stated_shift_is_accepted():
    wkt = CRS.from_proj4(
        "+proj=longlat +ellps=IAU76 +towgs84=24,-123,-94,0,0,0,0 +no_defs"
    ).to_wkt()
    x, _ = transform_xy([114.0], [38.0], source=wkt, target="EPSG:4490")
    assert x[0] != 114.0
    assert x[0] == pytest.approx(114.0, abs=0.01)


@pytest.mark.parametrize("name", ["EPSG:999999", "WGS 84 or so", "GK 38", ""])
def test_an_unknown_name_says_what_to_write(name):
    with pytest.raises(CrsError, match="EPSG:n"):
        parse_crs(name)


def test_vendor_names_are_forgiving():
    assert {crs_name(name) for name in ("gcj02", "GCJ-02", "GCJ 02", "gcj_02")} == {"GCJ-02"}
    assert {crs_name(name) for name in ("bd09", "BD-09", "BD09LL")} == {"BD-09"}


def test_city_crs_of_an_epsg_code(tmp_path):
    city = city_crs(profile("EPSG:4547"), tmp_path)
    assert (city.text, city.srid) == ("EPSG:4547", 4547)


def test_city_crs_of_a_local_wkt_has_a_stable_srid_of_its_own(tmp_path):
    (tmp_path / "local.wkt").write_text(esri("My City Local 2000", 114.5, 50000.0))
    city = city_crs(profile("local.wkt"), tmp_path)
    assert 910_000 <= city.srid <= 998_999
    assert city.srid == city_crs(profile("local.wkt"), tmp_path).srid
    x, _ = transform_xy([114.5], [38.0], source="EPSG:4490", target=city.text)
    assert x[0] == pytest.approx(50_000.0, abs=1e-3)


def test_city_wkt_that_is_a_known_zone_is_that_zone(tmp_path):
    (tmp_path / "zone.prj").write_text(esri())
    assert city_crs(profile("zone.prj"), tmp_path).srid == 4547


def test_city_crs_in_degrees_or_missing_is_refused(tmp_path):
    with pytest.raises(CrsError, match="not projected in metres"):
        city_crs(profile("EPSG:4490"), tmp_path)
    with pytest.raises(CrsError, match="can not be read"):
        city_crs(profile("absent.wkt"), tmp_path)


def test_reproject_keeps_z_missing_and_empty():
    frame = gpd.GeoDataFrame(
        {"name": ["a", "b", "c"]},
        geometry=[shapely.Point(114, 38, 7), None, shapely.Polygon()],
        crs="EPSG:4490",
    )
    moved = reproject(frame, target="EPSG:4547", source=None)
    assert moved.crs.to_epsg() == 4547
    assert moved.geometry[0].z == 7
    assert moved.geometry[0].x == pytest.approx(500_000.0, abs=1e-3)
    assert moved.geometry[1] is None
    assert moved.geometry[2].is_empty
    assert frame.geometry[0].x == 114


def test_reproject_without_any_crs_is_refused():
    frame = gpd.GeoDataFrame(geometry=[shapely.Point(1, 1)])
    with pytest.raises(CrsError, match=r"delivery\.toml"):
        reproject(frame, target="EPSG:4547", source=None)


def test_an_unknown_datum_shift_is_refused_for_no_rows_too():
    with pytest.raises(CrsError, match="not public"):
        reproject_geometry(np.empty(0, dtype=object), source="EPSG:4610", target="EPSG:4547")
