"""What happens to every request before and after its route: limits, log, metrics, last resort."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping

import structlog
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.metrics import Metrics
from api.http.options import MEBIBYTE, ServerOptions
from api.http.problems import Refusal, language_of, problem, server_fault

logger = structlog.get_logger(__name__)

SLOW_S = 1.0
"""A request that takes longer is logged."""
BATCH_PATH = "/v1/assign/batch"
_DRAIN_S = 5.0
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"SAMEORIGIN"),
)
_JSON_HEADERS = ((b"content-type", b"application/json"), *_HEADERS)


class Edge:
    """Times, counts and bounds every request; turns what nobody caught into a problem document.

    Parameters
    ----------
    app : ASGI application
        The next in line.
    options : ServerOptions
        Bounds and logging.
    metrics : Metrics
        Where requests are counted.
    prompt : mapping
        Path -> gives the JSON of an answer to GET that is ready at once; None: the request goes on.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        options: ServerOptions,
        metrics: Metrics,
        prompt: Mapping[str, Callable[[Scope], bytes | None]],
    ) -> None:
        self._app = app
        self._options = options
        self._metrics = metrics
        self._prompt = prompt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        method = scope["method"]
        answer = _Answer(send, bodiless=method == "HEAD")
        try:
            ready = self._prompt.get(scope["path"]) if method == "GET" else None
            body = ready(scope) if ready is not None else None
            if body is not None:
                await answer.send_json(body)
            else:
                scope["method"] = "GET" if method == "HEAD" else method
                async with asyncio.timeout(self._options.bounds.request_s):
                    await self._app(scope, receive, answer.send)
        except Exception as error:
            if answer.status and not answer.is_done:  # the server closes the connection
                raise
            if not answer.is_done:
                await self._last_resort(scope, error)(scope, receive, answer.send)
        self._tell(scope, method, answer.status, time.perf_counter() - started)

    @staticmethod
    def _last_resort(scope: Scope, error: Exception) -> Response:
        request = Request(scope)
        if isinstance(error, TimeoutError):
            return problem(504, "timeout", language=language_of(request))
        return server_fault(request, error)

    def _tell(self, scope: Scope, method: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None)
        if route is not None:
            name = scope.get("root_path", "") + route
        else:
            name = scope["path"] if scope["path"] in self._prompt else "unmatched"
        self._metrics.count(method, name, status, seconds)
        if self._options.access_log or seconds > SLOW_S or status >= 500:
            logger.info(
                "request",
                method=method,
                path=scope["path"],
                status=status,
                ms=round(seconds * 1000, 1),
                key=getattr(scope.get("principal"), "key_id", None),
            )


class _Answer:
    """Passes an answer on, remembering its status; of HEAD only the head."""

    def __init__(self, send: Send, *, bodiless: bool) -> None:
        self._send = send
        self._bodiless = bodiless
        self.status = 0
        self.is_done = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            stated = {name for name, _ in headers}
            headers += [header for header in _HEADERS if header[0] not in stated]
            message["headers"] = headers
        elif message["type"] == "http.response.body":
            self.is_done = not message.get("more_body", False)
            if self._bodiless:
                message = {**message, "body": b""}
        await self._send(message)

    async def send_json(self, body: bytes) -> None:
        """Send JSON that is written already."""
        self.status = 200
        headers = [(b"content-length", b"%d" % len(body)), *_JSON_HEADERS]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        self.is_done = True
        await self._send({"type": "http.response.body", "body": body})


class BodyLimit:
    """Refuses a body that is packed or too large, whether its length is stated or found while reading."""

    def __init__(self, app: ASGIApp, *, options: ServerOptions) -> None:
        self._app = app
        self._bounds = options.bounds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413 or 415."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        is_batch = scope["path"] == BATCH_PATH
        limit = self._bounds.batch_bytes if is_batch else self._bounds.body_bytes
        headers = Headers(scope=scope)
        coding = headers.get("content-encoding", "").strip().lower()
        if coding not in ("", "identity"):
            await _drain(receive, limit)
            await packed(Request(scope), coding)(scope, receive, send)
            return
        stated = headers.get("content-length", "")
        if stated.isdecimal() and int(stated) > limit:
            await _drain(receive, limit)
            await too_large(Request(scope), limit)(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                if message.get("more_body", False):
                    await _drain(receive, limit)
                detail, zh = _size_told(limit)
                raise Refusal(413, detail, zh=zh)
            return message

        await self._app(scope, counted, send)


async def _drain(receive: Receive, limit: int) -> None:
    """Read on, and throw away, at most as much again as is allowed, for a short time.

    A connection closed while its client is still sending is reset, and the answer is lost with it.
    """
    seen = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_S):
            while seen <= limit:
                message = await receive()
                seen += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def too_large(request: Request, limit: int) -> Response:
    """Return the document for a body above `limit` bytes."""
    language = language_of(request)
    detail, zh = _size_told(limit)
    return problem(413, "too_large", language=language, detail=zh if language == "zh" else detail)


def _size_told(limit: int) -> tuple[str, str]:
    size = f"{limit // MEBIBYTE} MiB"
    return (
        f"The body is larger than {size}; send it in parts.",
        f"请求内容超过 {size}，请分批发送。",
    )


def packed(request: Request, coding: str) -> Response:
    """Return the document for a body that is packed as a whole: its size would not be known."""
    language = language_of(request)
    shown = coding[:40]
    detail = {
        "en": f"The body is packed (Content-Encoding: {shown}), which is not read here: send it plain, or "
        "a batch as Parquet or Arrow with packed columns.",
        "zh": f"请求内容经过压缩（Content-Encoding: {shown}），此处不读取：请不压缩发送，"
        "或以 Parquet、Arrow 格式分批发送（列内可压缩）。",
    }[language]
    headers = {"Accept-Encoding": "identity"}
    return problem(415, "unsupported_media_type", language=language, detail=detail, headers=headers)


class Options:
    """Answers OPTIONS with the methods an address allows; cross-origin use stays off."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Turn the router's "not this method, but these" into the answer to OPTIONS."""
        if scope["type"] != "http" or scope["method"] != "OPTIONS":
            await self._app(scope, receive, send)
            return
        refusal: Message | None = None

        async def listen(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start" and message["status"] == 405:
                refusal = message
            elif refusal is None:
                await send(message)

        await self._app(scope, receive, listen)
        if refusal is not None:
            allowed = set(Headers(raw=refusal["headers"]).get("allow", "").split(", ")) - {""}
            if "GET" in allowed:
                allowed.add("HEAD")
            header = {"Allow": ", ".join(sorted(allowed | {"OPTIONS"}))}
            await Response(status_code=204, headers=header)(scope, receive, send)
