"""``/ogc``: OGC API Features and Tiles over the databases, by tipg, with pages that need no CDN."""

from collections.abc import Callable
from typing import Annotated

import asyncpg
import jinja2
import structlog
from cql2 import Expr
from fastapi import Depends, FastAPI, Path
from morecantile import tms as all_tile_matrix_sets
from morecantile.defaults import TileMatrixSets
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.templating import Jinja2Templates
from starlette.types import ASGIApp, Receive, Scope, Send
from tipg.collections import Collection, CollectionList
from tipg.dependencies import bbox_query, s_intersects
from tipg.errors import DEFAULT_STATUS_CODES, TiPgError
from tipg.factory import Endpoints

from api.http import problems
from api.http.access import may
from api.http.collections import LayerCollection, districts
from api.http.docs import swagger_page
from api.http.pool import ABSENCES, ReadPool
from api.static.location import STATIC
from gis.errors import NotFoundError

WORLD = [-180.0, -90.0, 180.0, 90.0]
logger = structlog.get_logger(__name__)

_PAGE = "document.html"
"""The page of every document; tipg's own pages load scripts from a CDN."""


def make_ogc(catalogue: Callable[[], dict[str, LayerCollection]], pool: ReadPool) -> FastAPI:
    """Return the application to mount at ``/ogc``.

    Parameters
    ----------
    catalogue : callable
        Returns the collections by id.
    pool : ReadPool
        Where connections come from.
    """
    app = FastAPI(
        title="Wanmi 万米: OGC API",
        openapi_url="/api",
        docs_url=None,
        redoc_url=None,
    )
    app.state.pool = pool

    def visible(request: Request) -> dict[str, LayerCollection]:
        listed = catalogue()
        if may(request.scope["principal"], "record"):
            return listed
        return {name: item for name, item in listed.items() if name != "cases"}

    def one(
        request: Request,
        collectionId: Annotated[str, Path(description="Layer, as unit_grids")],  # noqa: N803
    ) -> Collection:
        found = visible(request).get(collectionId)
        if found is None:
            names = ", ".join(visible(request))
            msg = f"There is no layer {collectionId}; there are {names}."
            raise NotFoundError(msg, zh=f"没有图层 {collectionId}，可用图层：{names}。")
        return found

    def many(
        request: Request, bbox: Annotated[list[float] | None, Depends(bbox_query)] = None
    ) -> CollectionList:
        found: list[Collection] = [
            item
            for item in visible(request).values()
            if bbox is None or s_intersects(bbox, item.bounds or WORLD)
        ]
        return CollectionList(collections=found, matched=len(found), next=None, prev=None)

    page = (STATIC / _PAGE).read_text(encoding="utf-8")
    loader = jinja2.FunctionLoader(lambda _: page)
    environment = jinja2.Environment(loader=loader, autoescape=True)
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    templates = Jinja2Templates(env=environment)
    only = all_tile_matrix_sets.tilematrixsets["WebMercatorQuad"]
    endpoints = Endpoints(
        title=app.title,
        collection_dependency=one,
        collections_dependency=many,
        templates=templates,
        with_tiles_viewer=False,
        supported_tms=TileMatrixSets({"WebMercatorQuad": only}),
    )
    app.include_router(endpoints.router)

    @app.get("/api.html", include_in_schema=False, name="swagger_ui_html")
    def documentation(request: Request) -> Response:
        return swagger_page(str(request.url_for("openapi")), title=app.title)

    problems.install(app)
    app.add_exception_handler(TiPgError, _on_tipg_error)
    for kind in (ValueError, asyncpg.DataError, asyncpg.SyntaxOrAccessError):
        app.add_exception_handler(kind, _on_value_error)
    for kind in ABSENCES:
        app.add_exception_handler(kind, _on_absence)
    for kind in (asyncpg.QueryCanceledError, TimeoutError):
        app.add_exception_handler(kind, problems.on_timeout)
    app.add_middleware(_Standing, router=app.router)
    return app


class _Standing:
    """Makes the mounted application write its own addresses, and tells whom it serves."""

    def __init__(self, app: ASGIApp, *, router: Router) -> None:
        self._app = app
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = refuse_filter(Request(scope))
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        scope["router"] = self._router
        scope["app_root_path"] = scope["root_path"]
        token = districts.set(scope["principal"].districts)
        try:
            await self._app(scope, receive, send)
        finally:
            districts.reset(token)


def refuse_filter(request: Request) -> Response | None:
    """Return the answer to a filter that is no CQL2; None: there is none, or it can be read."""
    text = request.query_params.get("filter")
    if text is None:
        return None
    try:
        Expr(text).to_json()
    except Exception as error:  # the parser raises the bare class
        return problems.problem(
            400, "request", language=problems.language_of(request), detail=f"filter: {error}"[:500]
        )
    return None


async def _on_tipg_error(request: Request, error: Exception) -> Response:
    status = DEFAULT_STATUS_CODES.get(type(error), 400)
    if status >= 500:
        return problems.server_fault(request, error)
    code = "not_found" if status == 404 else "request"
    return problems.problem(status, code, language=problems.language_of(request), detail=str(error))


async def _on_absence(request: Request, error: Exception) -> Response:
    # asyncpg's refusal of a value that does not fit its column is an InterfaceError too.
    if isinstance(error, ValueError):
        return await _on_value_error(request, error)
    return problems.database_away(request, error)


async def _on_value_error(request: Request, error: Exception) -> Response:
    """Answer for a value that the database or CQL2 can not read: it is the asker's."""
    logger.info("value refused", path=request.url.path, reason=str(error))
    return problems.problem(
        400, "request", language=problems.language_of(request), detail=str(error)[:300]
    )
