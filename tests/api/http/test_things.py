"""Places, grids, components, areas, classes, builds, imagery: the things themselves."""

import httpx
import numpy as np
import pystac
import pytest
import shapely
from rio_tiler.io import Reader
from rio_tiler.models import ImageData
from shapely.geometry import shape

from gis.crs import transform_xy
from tests.api.http.town import LAMP, MIDDLE_GRID, X0, Y0

pytestmark = pytest.mark.xdist_group("server")


def degrees(x: float, y: float) -> tuple[float, float]:
    lon, lat = transform_xy([X0 + x], [Y0 + y], source="EPSG:4547", target="EPSG:4490")
    return float(lon[0]), float(lat[0])


def test_a_grid_is_a_feature_in_degrees(client: httpx.Client) -> None:
    answer = client.get(f"/v1/grids/{MIDDLE_GRID}")
    assert answer.headers["content-type"] == "application/geo+json"
    found = answer.json()
    assert found["id"] == MIDDLE_GRID
    assert found["properties"]["area_m2"] == 10_000.0
    assert found["properties"]["valid_from"] == "2025-01-01"
    wanted = shapely.Polygon(
        [degrees(*xy) for xy in ((200, 200), (300, 200), (300, 300), (200, 300))]
    )
    assert shape(found["geometry"]).normalize().equals_exact(wanted.normalize(), 1e-8)


def test_the_sets_that_hold_a_grid_are_told_by_trade(client: httpx.Client) -> None:
    found = client.get(f"/v1/grids/{MIDDLE_GRID}/sets").json()
    told = [(row["code"], row["trade"], row["unit_name"]) for row in found["management_grids"]]
    assert told == [
        ("130102001HW001", "sanitation", "建北街道办"),
        ("130102001YL001", "green", "建北街道办"),
    ]
    assert [row["kind"] for row in found["evaluation_grids"]] == ["A"]
    assert client.get("/v1/grids/130102001001999/sets").status_code == 404
    assert client.get(f"/v1/grids/{MIDDLE_GRID}/sets?as_of=1999-01-01").status_code >= 400


def test_trades_are_counted_and_named(client: httpx.Client) -> None:
    listed = client.get("/v1/trades").json()["trades"]
    assert [(row["trade"], row["name_zh"], row["management_grids"]) for row in listed] == [
        ("sanitation", "环境卫生", 2),
        ("green", "园林绿化", 1),
    ]


def test_a_management_grid_is_a_feature_with_its_members(client: httpx.Client) -> None:
    found = client.get("/v1/management_grids/130102001HW001").json()
    assert len(found["properties"]["members"]) == 50
    corners = [degrees(*xy) for xy in ((0, 0), (1000, 0), (1000, 500), (0, 500))]
    # The edges between the corners are straight in the city's CRS, not in degrees.
    outline = shape(found["geometry"])
    assert outline.hausdorff_distance(shapely.Polygon(corners)) < 1e-6
    assert client.get("/v1/evaluation_grids/130102001PJ001").json()["properties"]["kind"] == "A"
    assert client.get("/v1/management_grids/130102001HW009").status_code == 404


def test_a_component_and_an_area_are_features_too(client: httpx.Client) -> None:
    lamp = client.get(f"/v1/components/{LAMP}").json()
    assert lamp["properties"]["maintainer_name"] == "供电公司"
    assert lamp["geometry"]["coordinates"] == pytest.approx(degrees(250, 250), abs=1e-8)
    street = client.get("/v1/areas/130102001").json()["properties"]
    assert (street["name"], street["kind"]) == ("建北街道", "街道")


def test_a_thing_that_is_not_there_is_not_found(client: httpx.Client) -> None:
    answer = client.get("/v1/grids/130102001001099", headers={"Accept-Language": "zh"})
    assert answer.status_code == 404
    assert answer.json()["detail"] == "目前没有单元网格 130102001001099。"


def test_places_are_found_by_address_and_position(client: httpx.Client) -> None:
    found = client.get("/v1/geocode", params={"q": "裕华路12号"}).json()
    assert (found[0]["code"], found[0]["match"]) == ("A1", "plate")
    assert (found[0]["x"], found[0]["y"]) == pytest.approx((X0 + 620, Y0 + 520))
    assert client.get("/v1/suggest", params={"q": "裕华"}).json()[0]["name"].startswith("裕华路")
    lon, lat = degrees(625, 522)
    near = client.get("/v1/reverse", params={"x": lon, "y": lat, "limit": 3}).json()
    assert "A1" in [place["code"] for place in near]
    assert found[0]["explanation_zh"] != ""
    parts = {"district": "长安区", "road": "裕华路", "plate": "12"}
    assert client.get("/v1/geocode", params=parts).json()[0]["code"] == "A1"
    for asked in ({"q": ""}, {}, {"q": "裕华路", "road": "裕华路"}):
        assert client.get("/v1/geocode", params=asked).status_code == 422
    assert client.get("/v1/geocode", params={"q": "x", "limit": 1000}).status_code == 422


def test_suggestions_prefer_what_lies_near(client: httpx.Client) -> None:
    shops = {"A3": degrees(100, 900), "A4": degrees(900, 100)}
    for code, (lon, lat) in shops.items():
        asked = {"q": "便民", "near": f"{lon},{lat}"}
        assert client.get("/v1/suggest", params=asked).json()[0]["code"] == code
    wrong = client.get("/v1/suggest", params={"q": "便民", "near": "here"})
    assert wrong.status_code == 422
    assert "longitude,latitude" in wrong.json()["detail"]


def test_classes_reasons_and_city_are_told(client: httpx.Client) -> None:
    listed = client.get("/v1/classes", params={"kind": "component"}).json()
    assert listed["standard"] == "GB/T 30428.2-2013"
    lamp = next(entry for entry in listed["classes"] if entry["code"] == "0137")
    assert (lamp["name"], lamp["major_name"]) == ("路灯", "公用设施")
    reasons = {entry["code"]: entry for entry in client.get("/v1/reasons").json()["reasons"]}
    assert reasons["outside_grids"]["zh"].startswith("位置在所有单元网格之外")
    city = client.get("/v1/city").json()
    assert city["bounds"][:2] == pytest.approx(degrees(0, 0), abs=1e-5)
    assert city["bounds"][2:] == pytest.approx(degrees(1000, 1000), abs=1e-5)


def test_builds_tell_what_is_live(client: httpx.Client) -> None:
    told = client.get("/v1/builds").json()
    assert told["is_stale"] is False
    assert [build["dataset"] for build in told["builds"]][:2] == ["areas", "topography"]
    assert {build["as_of"] for build in told["builds"]} == {"2025-01-01"}


def test_the_server_says_that_it_is_ready(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    ready = client.get("/readyz").json()
    assert (ready["status"], ready["database"], ready["notes"]) == ("ready", "up", [])


def test_metrics_count_requests_by_route(client: httpx.Client) -> None:
    client.get(f"/v1/grids/{MIDDLE_GRID}")
    lines = client.get("/metrics").text.splitlines()
    counted = [line for line in lines if line.startswith("wanmi_requests_total")]
    assert any('route="/v1/grids/{code}",status="200"' in line for line in counted)
    assert any(line.startswith("wanmi_database_up") and line.endswith(" 1.0") for line in lines)


def tile_of(lon: float, lat: float, zoom: int) -> str:
    x = int((lon + 180) / 360 * 2**zoom)
    y = int((1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * 2**zoom)
    return f"{zoom}/{x}/{y}"


def pixels(answer: httpx.Response) -> ImageData:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    return ImageData.from_bytes(answer.content)


def test_orthophoto_tiles_show_the_picture(client: httpx.Client) -> None:
    listed = client.get("/imagery").json()["images"]
    assert [(image["code"], image["acquired_on"]) for image in listed] == [("west", "2025-05-01")]
    # The north of the picture is green, at (250, 750); the east of the town has none.
    green = pixels(client.get(f"/imagery/west/tiles/{tile_of(*degrees(250, 750), 18)}.png"))
    assert green.array.data[:3, 128, 128].tolist() == [60, 140, 60]
    none = pixels(client.get(f"/imagery/west/tiles/{tile_of(*degrees(900, 750), 18)}.png"))
    assert int(none.array.data[-1].max()) == 0
    assert client.get("/imagery/west/tiles/3/9/9.png").status_code == 404
    assert client.get("/imagery/nope/tiles/1/0/0.png").status_code == 404


def test_orthophotos_are_a_stac_catalogue(client: httpx.Client) -> None:
    root = pystac.Catalog.from_dict(client.get("/stac").json())
    hrefs = [link.href for link in root.links if link.rel == "item"]
    item = pystac.Item.from_dict(client.get(hrefs[0]).json())
    assert item.id == "west"
    assert item.properties["wanmi:rmse_m"] == 0.8
    assert item.properties["proj:code"] == "EPSG:4547"
    part = client.get(item.assets["image"].href, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content[:2]) == (206, b"II")


def test_the_file_of_an_orthophoto_opens_as_a_raster(
    client: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("image") / "west.tif"
    path.write_bytes(client.get("/imagery/west/image.tif").content)
    with Reader(str(path)) as reader:
        assert (reader.dataset.width, reader.dataset.height) == (250, 500)


def test_images_may_be_kept_by_who_asks_and_by_no_proxy(client: httpx.Client) -> None:
    # A key in X-API-Key tells no proxy that an answer is not for everybody: the answer must.
    drawn = f"/imagery/west/tiles/{tile_of(*degrees(250, 750), 18)}.png"
    blank = f"/imagery/west/tiles/{tile_of(*degrees(900, 750), 18)}.png"
    for path in (drawn, blank, "/imagery/west/image.tif"):
        assert client.get(path).headers["cache-control"] == "private, max-age=3600", path
    part = client.get("/imagery/west/image.tif", headers={"Range": "bytes=0-99"})
    assert (part.status_code, len(part.content)) == (206, 100)
    assert part.headers["cache-control"] == "private, max-age=3600"
