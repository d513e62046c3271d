"""Behind a proxy: links begin as the proxy was asked, if the server was told to believe it."""

import httpx
import pytest

from tests.server_fixtures import Town, serving, wanmi

pytestmark = [pytest.mark.xdist_group("server"), pytest.mark.slow]

ASKED = {
    "host": "localhost",
    "x-forwarded-proto": "https",
    "x-forwarded-for": "203.0.113.9, 127.0.0.1",
}
"""What nginx sends."""


def links(client: httpx.Client) -> set[str]:
    layers = client.get("/ogc/collections", headers=ASKED).json()
    catalogue = client.get("/stac", headers=ASKED).json()
    found = [link["href"] for link in (*layers["links"], *catalogue["links"])]
    images = client.get("/imagery", headers=ASKED).json()["images"]
    return {href.partition("localhost")[0] for href in (*found, *(i["tiles"] for i in images))}


@pytest.mark.parametrize(
    ("proxy", "scheme"), [(["--proxy", "127.0.0.0/8"], "https://"), ([], "http://")]
)
def test_links_begin_as_a_known_proxy_was_asked(town: Town, proxy: list[str], scheme: str) -> None:
    with serving(town.workspace, *proxy) as running, running.client() as client:
        assert links(client) == {scheme}


def test_a_proxy_that_is_no_address_is_refused(town: Town) -> None:
    refused = wanmi(town.workspace, "serve", "--proxy", "proxy.city.example")
    said, _ = refused.communicate(timeout=60)
    assert refused.returncode != 0
    assert "--proxy proxy.city.example is no address: write it as 10.0.0.4" in said
