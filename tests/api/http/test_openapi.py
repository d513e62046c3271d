"""The description of the calls holds: random requests made from it find no fault of the server."""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.server_fixtures import Running

pytestmark = pytest.mark.xdist_group("server")

load_all_checks()

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
BOUNDED = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_random_requests_are_answered_as_described(running: Running) -> None:
    described = schemathesis.openapi.from_url(f"{running.url}/openapi.json")
    tried = 0
    for found in described.get_all_operations():
        operation = found.ok()

        @BOUNDED
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            case.call_and_validate(checks=CHECKS)

        ask()
        tried += 1
    assert tried >= 20


def test_the_description_and_its_page_come_from_this_server(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()
    assert described["openapi"].startswith("3.")
    for path in ("/v1/lookup", "/v1/assign", "/v1/assign/batch", "/v1/cases", "/v1/grids/{code}"):
        assert path in described["paths"]
    page = client.get("/docs")
    assert "://" not in page.text
    for address in (
        "/static/vendor/swagger-ui-dist/swagger-ui-bundle.js",
        "/static/vendor/swagger-ui-dist/swagger-ui.css",
        "/static/documentation.js",
    ):
        assert address in page.text
        assert client.get(address).status_code == 200
