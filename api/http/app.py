"""The application: routes, mounts and middleware put together, nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from granian.utils.proxies import wrap_asgi_with_proxy_headers
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from api.http import problems
from api.http.docs import describe_keys
from api.http.edge import BodyLimit, Edge, Options
from api.http.gate import Gate
from api.http.late import Late
from api.http.lean import LeanRoute, Shortcut
from api.http.live import Live
from api.http.options import ServerOptions
from api.http.prompt import PromptLookups
from api.http.routes import (
    assign,
    batch,
    cases,
    features,
    health,
    imagery,
    lookup,
    nominatim,
    operations,
    pages,
    places,
    reference,
    sets,
    stac,
)
from api.http.serving import Serving
from api.static.location import STATIC

DESCRIPTION = """
万米单元网格、部件、事件与责任单位：给定地点、类别与时间，答以所在网格、责任单位、依据、把握与数据版本。

A case at this place, of this class, at this time: which unit grid, which owning unit, why, how sure,
from which version of the data. Coordinates are (x, y) = (east, north) or (longitude, latitude).
Errors are problem documents (RFC 9457) in the language of `Accept-Language`. Servers that are open
to others than their own machine ask for a key: `Authorization: Bearer wanmi_…`.
"""
_PROBLEM = {
    "description": "A problem document (RFC 9457)",
    "content": {
        problems.MEDIA_TYPE: {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "code", "detail"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "id": {"type": "string"},
                    "errors": {"type": "array", "items": {"type": "object"}},
                },
            }
        }
    },
}
# Routes in the order in which they are tried: the busiest first.
_ROUTERS = (
    health.router,
    lookup.router,
    assign.router,
    batch.router,
    cases.router,
    places.router,
    nominatim.router,
    features.router,
    sets.router,
    reference.router,
    imagery.router,
    stac.router,
    operations.router,
    pages.router,
)


def create_app(options: ServerOptions, live: Live | None = None) -> FastAPI:
    """Return the application of one worker.

    Parameters
    ----------
    options : ServerOptions
        Workspace, access, bounds; nothing else is looked up.
    live : Live or None
        The snapshot, if the process has opened it.
    """
    serving = Serving(options, live)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with serving.running():
            yield

    app = FastAPI(
        title="Wanmi 万米",
        version=version("wanmi"),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses={"default": _PROBLEM, 422: _PROBLEM},
        # Nothing is looked up in the environment; ``/metrics`` and the log tell of requests.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.serving = serving
    for router in _ROUTERS:
        app.include_router(router)

    def make_layers() -> ASGIApp:
        from api.http.ogc import make_ogc

        return make_ogc(serving.collections, serving.pool)

    app.mount("/ogc", Late(make_layers), name="ogc")
    app.mount("/static", StaticFiles(directory=STATIC, check_dir=False), name="static")
    problems.install(app)
    describe_keys(app)
    # The last one added is the first one asked.
    app.add_middleware(Options)
    app.add_middleware(BodyLimit, options=options)
    lean = [route for route in lookup.router.routes if isinstance(route, LeanRoute)]
    app.add_middleware(Shortcut, routes=lean)
    app.add_middleware(Gate, options=options, keyring=serving.keyring, limiter=serving.limiter)
    prompt = {"/v1/lookup": PromptLookups(serving)}
    app.add_middleware(Edge, options=options, metrics=serving.metrics, prompt=prompt)
    if options.proxies:  # links then begin as the proxy was asked
        app.add_middleware(wrap_asgi_with_proxy_headers, trusted_hosts=list(options.proxies))
    return app
