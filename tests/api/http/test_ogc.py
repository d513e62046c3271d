"""``/ogc`` by the clients people use: GDAL, OWSLib, and a reader of vector tiles."""

from pathlib import Path
from typing import Any

import httpx
import pyogrio
import pytest
from owslib.ogcapi.features import Features

from tests.api.http.test_things import degrees, tile_of
from tests.api.http.town import MIDDLE_GRID, PHONE
from tests.server_fixtures import Running

pytestmark = pytest.mark.xdist_group("server")


def items(client: httpx.Client, layer: str, **question: Any) -> dict[str, Any]:
    answer = client.get(f"/ogc/collections/{layer}/items", params=question)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_gdal_reads_a_layer_page_by_page(running: Running) -> None:
    grids = pyogrio.read_dataframe(f"OAPIF:{running.url}/ogc", layer="unit_grids")
    assert len(grids) == 100
    middle = grids[grids["code"] == MIDDLE_GRID].geometry.iloc[0]
    assert middle.bounds == pytest.approx((*degrees(200, 200), *degrees(300, 300)), abs=1e-6)


def test_gdal_asks_for_a_box(running: Running) -> None:
    box = (*degrees(210, 210), *degrees(290, 290))
    found = pyogrio.read_dataframe(f"OAPIF:{running.url}/ogc", layer="unit_grids", bbox=box)
    assert found["code"].tolist() == [MIDDLE_GRID]


def test_owslib_lists_and_reads_layers(running: Running) -> None:
    service = Features(f"{running.url}/ogc/")
    assert {"unit_grids", "components", "streets"} <= set(service.feature_collections())
    found = service.collection_items("components", limit=2)
    assert (found["numberMatched"], found["numberReturned"]) == (4, 2)
    assert "class_code" in service.collection_queryables("components")["properties"]


def test_layers_are_split_by_level_and_theme(client: httpx.Client) -> None:
    assert items(client, "communities")["numberMatched"] == 4
    assert items(client, "topography_transport")["numberMatched"] == 3
    assert items(client, "topography_residential")["numberMatched"] == 36


def test_pages_are_linked_and_stable(client: httpx.Client) -> None:
    seen: list[str] = []
    address: str | None = "/ogc/collections/unit_grids/items?limit=30"
    while address:
        page = client.get(address).json()
        seen += [feature["id"] for feature in page["features"]]
        address = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert len(seen) == len(set(seen)) == 100
    assert seen == sorted(seen)


def test_filters_are_cql2_and_nothing_else(client: httpx.Client) -> None:
    found = items(
        client, "components", filter="class_code = '0137' AND maintainer_name LIKE '供电%'"
    )
    assert found["numberMatched"] == 4
    for text in ("pg_sleep(1) = 1", "pg_read_file('/etc/passwd') = 'x'", "area = 'x", "code = 1"):
        answer = client.get("/ogc/collections/components/items", params={"filter": text})
        assert answer.status_code == 400, text
        assert answer.headers["content-type"] == "application/problem+json"
    injected = client.get(
        "/ogc/collections/components/items", params={"filter": "code = 'x'' OR 1=1 --'"}
    )
    assert injected.json()["numberMatched"] == 0


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/ogc/collections/nothing", 404),
        ("/ogc/collections/unit_grids/items/nothing", 404),
        ("/ogc/collections/unit_grids/items?limit=100000", 422),
        ("/ogc/collections/unit_grids/items?bbox=1,2", 422),
        ("/ogc/collections/unit_grids/items?name=a%00b", 400),
        ("/ogc/collections/unit_grids/items/a%00b", 400),
        ("/ogc/collections/unit_grids/items?datetime=soon", 422),
        ("/ogc/collections/unit_grids/tiles/WebMercatorQuad/99/0/0", 404),
        ("/ogc/collections/unit_grids/tiles/WebMercatorQuad/3/9/9", 404),
    ],
)
def test_bad_questions_are_problems(client: httpx.Client, address: str, status: int) -> None:
    answer = client.get(address)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def read_tile(client: httpx.Client, layer: str, address: str, folder: Path) -> dict[str, Any]:
    answer = client.get(f"/ogc/collections/{layer}/tiles/WebMercatorQuad/{address}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    # GDAL's reader takes the place of a tile from its path.
    path = folder / f"{address}.pbf"
    path.parent.mkdir(parents=True)
    path.write_bytes(answer.content)
    layers = [name for name, _ in pyogrio.list_layers(path)]
    return {name: pyogrio.read_dataframe(path, layer=name) for name in layers}


def test_vector_tiles_hold_shapes_and_one_label_each(client: httpx.Client, tmp_path: Path) -> None:
    found = read_tile(client, "unit_grids", tile_of(*degrees(250, 250), 15), tmp_path)
    assert set(found) == {"unit_grids", "unit_grids_label"}
    shapes, labels = found["unit_grids"], found["unit_grids_label"]
    assert MIDDLE_GRID in shapes["code"].tolist()
    assert labels["code"].is_unique
    assert set(labels["code"]) <= set(shapes["code"])
    assert set(labels.geom_type) == {"Point"}


def test_documents_are_pages_without_a_cdn(client: httpx.Client) -> None:
    for address in ("/ogc/", "/ogc/collections", "/ogc/collections/components/items?limit=1"):
        page = client.get(address, headers={"Accept": "text/html"})
        assert page.headers["content-type"].startswith("text/html")
        assert "cdn" not in page.text
        assert 'src="/static/document.js"' in page.text
    assert "单元网格" in client.get("/ogc/collections/unit_grids?f=html").text
    assert "/ogc/api" in client.get("/ogc/api.html").text
    assert client.get("/ogc/api").json()["info"]["title"].startswith("Wanmi")


def test_persons_are_neither_published_nor_reached_by_a_filter(client: httpx.Client) -> None:
    layer = "/ogc/collections/management_grids"
    listed = client.get(f"{layer}/items")
    assert listed.json()["numberMatched"] == 3
    assert PHONE not in listed.text
    assert "phone" not in client.get(f"{layer}/queryables").text
    by_trade = client.get(f"{layer}/items", params={"filter": "trade='green'"}).json()
    assert [item["properties"]["code"] for item in by_trade["features"]] == ["130102001YL001"]
    for text in (f"grid_phone='{PHONE}'", "grid_person LIKE '张%'", "source_file='town'"):
        assert client.get(f"{layer}/items", params={"filter": text}).status_code == 400
    assert client.get(f"{layer}/items", params={"grid_phone": PHONE}).json()["numberMatched"] == 3


def test_a_tile_of_management_grids_names_trade_and_unit(
    client: httpx.Client, tmp_path: Path
) -> None:
    found = read_tile(client, "management_grids", tile_of(*degrees(250, 250), 14), tmp_path)
    names = set(found["management_grids"].columns)
    assert {"code", "name", "trade", "unit_name"} <= names
    assert not {name for name in names if "phone" in name or "person" in name}
