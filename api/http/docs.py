"""``/docs``: the documentation of the calls, shown by Swagger UI from this server alone."""

from html import escape

import orjson
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
