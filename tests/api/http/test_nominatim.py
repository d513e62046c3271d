"""The calls of Nominatim: its own clients work unchanged, its forms are kept."""

import httpx
import pytest
from geopy.geocoders import Nominatim

from gis.crs import transform_xy
from tests.api.http.town import CRS, X0, Y0
from tests.server_fixtures import Running


def degrees(x: float, y: float) -> tuple[float, float]:
    """Return latitude and longitude of a place of the town."""
    lon, lat = transform_xy([X0 + x], [Y0 + y], source=CRS, target="EPSG:4326")
    return float(lat[0]), float(lon[0])


@pytest.fixture
def geocoder(running: Running) -> Nominatim:
    domain = running.url.removeprefix("http://")
    return Nominatim(domain=domain, scheme="http", user_agent="wanmi-tests", timeout=60)


def test_geopy_finds_a_plate(geocoder: Nominatim) -> None:
    place = geocoder.geocode("长安区裕华路12号", addressdetails=True, namedetails=True)
    assert (place.latitude, place.longitude) == pytest.approx(degrees(620, 520), abs=1e-6)
    assert place.address == "长安区裕华路12号"
    details = place.raw["address"]
    assert (details["road"], details["house_number"]) == ("裕华路", "12号")
    assert (details["city_district"], details["country_code"]) == ("长安区", "cn")
    assert (place.raw["class"], place.raw["type"]) == ("place", "house")
    south, north, west, east = (float(value) for value in place.raw["boundingbox"])
    assert south < place.latitude < north
    assert west < place.longitude < east


def test_geopy_asks_in_parts_and_gets_several(geocoder: Nominatim) -> None:
    parts = {"street": "裕华路12号", "county": "长安区"}
    assert geocoder.geocode(parts).raw["name"] == "裕华路12号"
    roads = geocoder.geocode("裕华路", exactly_one=False, limit=5)
    assert "裕华路" in [place.raw["name"] for place in roads]
    assert geocoder.geocode("哈尔滨市中央大街1号") is None
    assert geocoder.geocode("裕华路12号", country_codes="us") is None
    assert geocoder.geocode(parts | {"country": "China"}).raw["name"] == "裕华路12号"
    assert geocoder.geocode(parts | {"country": "France"}) is None


def test_geopy_tells_a_position(geocoder: Nominatim) -> None:
    place = geocoder.reverse(degrees(621, 521))
    assert place.address == "长安区建北街道车站社区裕华路12号"
    assert place.raw["address"]["neighbourhood"] == "车站社区"
    areas = {
        zoom: geocoder.reverse(degrees(621, 521), zoom=zoom).raw["name"] for zoom in (10, 12, 14)
    }
    assert areas == {10: "长安区", 12: "建北街道", 14: "车站社区"}
    assert geocoder.reverse(degrees(620, 506), zoom=17).raw["name"] == "裕华路"
    assert geocoder.reverse(degrees(50_000, 0)) is None


def test_areas_hold_the_position_not_the_mark(client: httpx.Client) -> None:
    # South of the road, which is the border: the plate stands in the community north of it.
    lat, lon = degrees(620, 495)
    told = client.get("/reverse", params={"lat": lat, "lon": lon}).json()
    assert told["address"]["neighbourhood"] == "建设社区"
    assert told["display_name"].startswith("长安区建北街道建设社区")


def test_a_view_box_prefers_or_bounds(client: httpx.Client) -> None:
    (south, west), (north, east) = degrees(0, 0), degrees(400, 400)
    asked = {"q": "长安区", "viewbox": f"{west},{south},{east},{north}"}
    assert client.get("/search", params=asked).json() != []
    asked["bounded"] = "1"
    assert client.get("/search", params=asked | {"q": "裕华路12号"}).json() == []
    school = client.get("/search", params=asked | {"q": "建小"}).json()
    assert [place["name"] for place in school] == ["建北小学"]


def test_each_form_is_as_its_clients_read_it(client: httpx.Client) -> None:
    asked = {"q": "建北小学", "addressdetails": "1", "extratags": "1"}
    plain = client.get("/search", params=asked | {"format": "json"}).json()[0]
    assert plain["class"] == "amenity"
    assert plain["extratags"]["grid_code"].startswith("130102001001")
    feature = client.get("/search", params=asked | {"format": "geojson"}).json()["features"][0]
    lat, lon = degrees(250, 250)
    assert feature["geometry"]["coordinates"] == pytest.approx([lon, lat], abs=1e-6)
    coded = client.get("/search", params=asked | {"format": "geocodejson"}).json()
    assert coded["geocoding"]["query"] == "建北小学"
    told = coded["features"][0]["properties"]["geocoding"]
    assert (told["name"], told["county"], told["type"]) == ("建北小学", "长安区", "house")


def test_polygons_layers_and_exclusions(client: httpx.Client) -> None:
    area = client.get("/search", params={"q": "车站社区", "polygon_geojson": 1}).json()[0]
    assert area["geojson"]["type"].endswith("Polygon")
    assert area["addresstype"] == "neighbourhood"
    assert client.get("/search", params={"q": "建北小学", "layer": "address"}).json() == []
    school = client.get("/search", params={"q": "建北小学"}).json()[0]
    asked = {"q": "建北小学", "exclude_place_ids": str(school["place_id"])}
    left = client.get("/search", params=asked).json()
    assert school["place_id"] not in [place["place_id"] for place in left]


def test_what_can_not_be_asked_is_said(client: httpx.Client) -> None:
    long = {"street": "路" * 200, "county": "区" * 100}
    for asked in ({}, long, {"q": "裕华路", "street": "裕华路"}, {"q": "裕华路", "format": "xml"}):
        assert client.get("/search", params=asked).status_code == 422
    assert client.get("/search", params={"q": "x", "viewbox": "1,2"}).status_code == 422
    swapped = client.get("/reverse", params={"lat": 117.0, "lon": 38.0})
    assert "swapped" in swapped.json()["detail"]
    zh = client.get("/search", headers={"accept-language": "zh"}).json()["detail"]
    assert "二者取一" in zh


def test_status_says_ok(client: httpx.Client) -> None:
    assert client.get("/status").text == "OK"
    assert client.get("/status", params={"format": "json"}).json()["status"] == 0
