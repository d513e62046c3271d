"""``/`` and ``/docs``: the map page and the documentation."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from api.http.docs import swagger_page
from api.static.location import STATIC

router = APIRouter(include_in_schema=False)

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline';"
    " worker-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none';"
    " frame-ancestors 'self'"
)
"""Nothing on the pages may come from another server, and nothing may be sent to one."""


@router.get("/", response_class=HTMLResponse)
async def page() -> Response:
    """Return the map page."""
    return FileResponse(
        STATIC / "index.html",
        media_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"},
    )


@router.get("/docs", response_class=HTMLResponse)
async def documentation(request: Request) -> Response:
    """Return the documentation of the calls."""
    answer = swagger_page(
        f"{request.scope.get('root_path', '')}/openapi.json", title="Wanmi 万米 API"
    )
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


@router.get("/favicon.ico", response_class=Response)
async def favicon() -> Response:
    """Return the icon."""
    return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")
