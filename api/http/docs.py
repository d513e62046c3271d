"""``/docs`` and ``/openapi.json``: the documentation, shown by Swagger UI from this server alone."""

from html import escape
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.responses import HTMLResponse, Response

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/static/vendor/swagger-ui-dist/swagger-ui.css">
<link rel="icon" href="/static/icon.svg">
</head>
<body>
<div id="swagger-ui" data-description={url}></div>
<script src="/static/vendor/swagger-ui-dist/swagger-ui-bundle.js"></script>
<script src="/static/documentation.js"></script>
</body>
</html>
"""


def swagger_page(url: str, *, title: str) -> Response:
    """Return the page that shows the OpenAPI description at `url`."""
    quoted = orjson.dumps(url).decode()
    return HTMLResponse(_PAGE.format(title=escape(title), url=quoted))


def describe_keys(app: FastAPI) -> None:
    """Add to the description of `app` how a key is sent; servers open to their own machine need none."""
    described = app.openapi

    def with_keys() -> dict[str, Any]:
        document = described()
        schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["key"] = {"type": "http", "scheme": "bearer", "description": "wanmi_…"}
        document["security"] = [{"key": []}, {}]
        return document

    app.openapi = with_keys  # type: ignore[method-assign]
