"""Lets a request in or not: keys, roles, rates, and to whom an open server is open."""

from collections.abc import Iterable
from math import ceil

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.access import LOOPBACK, Principal, may, needed_right
from api.http.keyring import Keyring
from api.http.options import ServerOptions
from api.http.problems import language_of, problem
from api.http.rates import RateLimiter

COUNTED = "wanmi.counted"
"""In the scope of a request that was counted against its key's limit already."""
_READ = frozenset((b"host", b"authorization", b"x-api-key"))


class Gate:
    """Finds out who asks, puts it into the scope as ``principal``, and turns others away.

    An open server answers whoever reaches the loopback address, but only under a name of this
    machine: a web page that was given another name for it (DNS rebinding) and a proxy that was put
    before it by mistake are refused. A key that is presented always counts, on an open server too.

    Parameters
    ----------
    app : ASGI application
        The next in line.
    options : ServerOptions
        Whether keys are required, and the names of an open server.
    keyring : Keyring
        The valid keys.
    limiter : RateLimiter
        Counts the requests of each key.
    """

    def __init__(
        self, app: ASGIApp, *, options: ServerOptions, keyring: Keyring, limiter: RateLimiter
    ) -> None:
        self._app = app
        self._options = options
        self._keyring = keyring
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 400, 401, 403, 421 or 429."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = await self._refusal(scope)
        await (refusal or self._app)(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Response | None:
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            return unreadable(Request(scope))
        principal = known_asker(scope["headers"], options=self._options, keyring=self._keyring)
        if principal is LOOPBACK:
            scope["principal"] = principal
            return None
        right = needed_right(scope["method"], scope["path"])
        if principal is None:
            presented, _ = key_and_host(scope["headers"])
            if presented is None and not self._options.keys_required:
                return foreign_host(Request(scope))
            if presented is None:
                scope["principal"] = Principal(key_id="anonymous", role="none")
                return None if right == "open" else no_key(Request(scope))
            principal = await self._keyring.identify_anew(presented)
        if principal is None:
            return no_key(Request(scope))
        scope["principal"] = principal
        limit = principal.requests_per_minute
        if limit is not None and not scope.get(COUNTED):
            wait_s = self._limiter.take(principal.key_id, limit=limit)
            if wait_s:
                return too_many(Request(scope), wait_s, limit)
        return None if may(principal, right) else not_allowed(Request(scope), principal)


def known_asker(
    headers: Iterable[tuple[bytes, bytes]], *, options: ServerOptions, keyring: Keyring
) -> Principal | None:
    """Return who asks, when nothing needs to be read for that; None: it is not known, or nobody."""
    presented, host = key_and_host(headers)
    if presented is not None:
        return keyring.identify(presented)
    is_local = not options.keys_required and host_name(host) in options.hosts
    return LOOPBACK if is_local else None


def key_and_host(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str | None, str]:
    """Return the key of ``Authorization: Bearer …`` or ``X-API-Key``, None: none, and the ``Host``.

    Of a header that is stated twice the first counts.

    Examples
    --------
    >>> key_and_host([(b"host", b"localhost"), (b"authorization", b"Bearer k"), (b"x-api-key", b"l")])
    ('k', 'localhost')
    """
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _READ:
            found.setdefault(name, value)
    host = found.pop(b"host", b"").decode("latin-1")
    if not found:
        return None, host
    scheme, _, credentials = found.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip(), host
    key = found.get(b"x-api-key")
    return None if key is None else key.decode("latin-1"), host


def host_name(host: str) -> str:
    """Return the name in a ``Host`` header, without port and brackets.

    Examples
    --------
    >>> host_name("localhost:8000"), host_name("[::1]:8000"), host_name("127.0.0.1")
    ('localhost', '::1', '127.0.0.1')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def unreadable(request: Request) -> Response:
    """Return the document for an address with the character NUL, which no text here holds."""
    language = language_of(request)
    detail = {
        "en": "The address has the character NUL (%00); leave it out.",
        "zh": "地址中含有空字符（%00），请删除。",
    }[language]
    return problem(400, "request", language=language, detail=detail)


def no_key(request: Request) -> Response:
    """Return the document for a missing or invalid key."""
    language = language_of(request)
    detail = {
        "en": "Send a valid key as `Authorization: Bearer wanmi_…`; "
        "the administrator makes one with `wanmi key create`.",
        "zh": "请在请求头 Authorization: Bearer wanmi_… 中提供有效密钥；"
        "密钥由管理员用 wanmi key create 创建。",
    }[language]
    headers = {"WWW-Authenticate": 'Bearer realm="wanmi"'}
    return problem(401, "unauthorized", language=language, detail=detail, headers=headers)


def not_allowed(request: Request, principal: Principal) -> Response:
    """Return the document for a role without the right."""
    language = language_of(request)
    detail = {
        "en": f"The role {principal.role} of key {principal.key_id} does not allow this.",
        "zh": f"密钥 {principal.key_id} 的角色 {principal.role} 不允许此操作。",
    }[language]
    return problem(403, "access", language=language, detail=detail)


def foreign_host(request: Request) -> Response:
    """Return the document for an open server that was asked under another machine's name."""
    language = language_of(request)
    detail = {
        "en": "This server has no keys and answers its own machine only; "
        "to serve others start it with --host, or with --require-keys behind a proxy.",
        "zh": "本服务未启用密钥，只应答本机；对外服务请用 --host 启动，"
        "置于代理之后请加 --require-keys。",
    }[language]
    return problem(421, "access", language=language, detail=detail)


def too_many(request: Request, wait_s: float, limit: int) -> Response:
    """Return the document for a key that asks too often."""
    language = language_of(request)
    seconds = max(1, ceil(wait_s))
    detail = {
        "en": f"This key may ask {limit} times a minute; try again in {seconds} s.",
        "zh": f"此密钥每分钟限 {limit} 次请求，请 {seconds} 秒后重试。",
    }[language]
    headers = {"Retry-After": str(seconds)}
    return problem(429, "rate_limited", language=language, detail=detail, headers=headers)
