"""Errors as problem documents (RFC 9457), in the language the client reads.

One table says which error class is which status. A 4xx carries the error's own sentence; a 5xx
carries an id alone, and the log has the rest under that id.
"""

import secrets
from collections.abc import Mapping
from typing import Any

import orjson
import psycopg
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.http.language import Language, choose_language
from api.http.validation import describe_faults
from gis import errors

logger = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[errors.WanmiError], int] = {
    errors.RequestError: 422,
    errors.CodeError: 422,
    errors.CrsError: 422,
    errors.DeliveryError: 422,
    errors.NotFoundError: 404,
    errors.ConflictError: 409,
    errors.AccessError: 403,
    errors.LockedError: 503,
    errors.DatabaseError: 503,
    errors.ClusterError: 503,
    errors.SnapshotError: 503,
}
"""Error class -> status; a class not named has that of its nearest base, else 500."""

TITLES: dict[str, tuple[str, str]] = {
    "request": ("The request is wrong", "请求有误"),
    "code": ("The code is not known", "编码无效"),
    "crs": ("The coordinates can not be read", "坐标系有误"),
    "not_found": ("Not found", "未找到"),
    "retired": ("The code is retired", "编码已停用"),
    "conflict": ("Contradicts what is stored", "与已有记录冲突"),
    "access": ("Not allowed", "没有权限"),
    "unauthorized": ("An API key is needed", "需要 API 密钥"),
    "rate_limited": ("Too many requests", "请求过于频繁"),
    "too_large": ("The request is too large", "请求内容过大"),
    "method_not_allowed": ("The method does not fit this address", "不支持该请求方法"),
    "not_acceptable": ("No such answer format", "不支持该返回格式"),
    "unsupported_media_type": ("No such request format", "不支持该请求格式"),
    "database": ("The database is away", "数据库暂不可用"),
    "snapshot": ("No data is loaded yet", "尚未加载数据"),
    "locked": ("Another writer is at work", "正在写入，请稍后重试"),
    "timeout": ("The answer took too long", "处理超时"),
    "internal": ("A fault of the server", "服务器内部错误"),
}
"""Problem code -> title in English and in Chinese."""

_BY_STATUS = {
    400: "request",
    401: "unauthorized",
    403: "access",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    422: "request",
    429: "rate_limited",
    503: "database",
    504: "timeout",
}

DATABASE_AWAY = (
    "The database can not be reached; lookups go on from the snapshot, this call needs it. "
    "Start it with `wanmi db up`.",
    "无法连接数据库；查询仍由快照提供，此功能需要数据库。请运行 wanmi db up。",
)


_NO_TEXT = "There was an error parsing the body"
"""What FastAPI says of a body that is no text."""
_UNREADABLE = (
    "The body can not be read: send JSON in UTF-8, not in GBK.",
    "无法读取请求内容：请提交 UTF-8 编码的 JSON，不要用 GBK。",
)
"""What is told in its place."""


class Refusal(HTTPException):
    """A request that is refused by its kind or size, told in both languages."""

    def __init__(
        self, status: int, detail: str, *, zh: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, headers=headers)
        self.zh = zh


def language_of(request: Request) -> Language:
    """Return the language in which the client wants to be told."""
    return choose_language(request.headers.get("accept-language", ""))


def problem(
    status: int,
    code: str,
    *,
    language: Language,
    detail: str = "",
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """Return a problem document.

    Parameters
    ----------
    status : int
        HTTP status.
    code : str
        Stable name of the problem, a key of `TITLES`.
    language : {"en", "zh"}
        Language of the title; the detail is given in it already.
    detail : str
        The sentence that says what is wrong and what to do.
    headers : mapping
        More headers, as ``Retry-After``.
    **more
        More members of the document, as ``errors`` or ``id``; None is left out.
    """
    titles = TITLES.get(code, TITLES["internal" if status >= 500 else "request"])
    title = titles[1] if language == "zh" else titles[0]
    body = {
        "type": f"urn:wanmi:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail or title,
        **{name: value for name, value in more.items() if value is not None},
    }
    extra = {"Content-Language": "zh-CN" if language == "zh" else "en", "Vary": "Accept-Language"}
    return Response(
        orjson.dumps(body, default=str),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={**extra, **(headers or {})},
    )


def status_of(error: errors.WanmiError) -> int:
    """Return the HTTP status of an error by its class.

    Examples
    --------
    >>> status_of(errors.NotFoundError("No such grid."))
    404
    >>> status_of(errors.EncodingError("Not UTF-8."))
    422
    """
    return next((STATUS[base] for base in type(error).__mro__ if base in STATUS), 500)


def server_fault(request: Request, error: BaseException, *, status: int = 500) -> Response:
    """Log an error under a new id and return a document that carries the id alone."""
    fault_id = secrets.token_hex(8)
    language = language_of(request)
    logger.error("fault", id=fault_id, method=request.method, path=request.url.path, exc_info=error)
    detail = {
        "en": f"Something went wrong here; the log has it under {fault_id}.",
        "zh": f"服务器出错，详情见日志，编号 {fault_id}。",
    }[language]
    code = "internal" if status == 500 else _BY_STATUS.get(status, "internal")
    return problem(status, code, language=language, detail=detail, id=fault_id)


def database_away(request: Request, error: BaseException) -> Response:
    """Return the document for a database that can not be reached, and log why under its id."""
    fault_id = secrets.token_hex(8)
    logger.warning("database away", id=fault_id, path=request.url.path, reason=type(error).__name__)
    language = language_of(request)
    detail = DATABASE_AWAY[1] if language == "zh" else DATABASE_AWAY[0]
    headers = {"Retry-After": "5"}
    return problem(503, "database", language=language, detail=detail, headers=headers, id=fault_id)


async def _on_wanmi_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.WanmiError)
    status = status_of(error)
    if status == 500:
        return server_fault(request, error)
    if isinstance(error, errors.DatabaseError | errors.ClusterError):
        return database_away(request, error)
    language = language_of(request)
    detail = error.zh if language == "zh" else error.message
    headers = {"Retry-After": "5"} if status == 503 else None
    return problem(status, error.code, language=language, detail=detail, headers=headers)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    language = language_of(request)
    faults = describe_faults(error.errors(), language=language)
    detail = ("；" if language == "zh" else "; ").join(f["message"] for f in faults)
    return problem(422, "request", language=language, detail=detail, errors=faults)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    language = language_of(request)
    if error.status_code >= 500 and error.status_code != 503:
        return server_fault(request, error, status=error.status_code)
    code = _BY_STATUS.get(error.status_code, "request")
    plain = getattr(error, "zh", "") if language == "zh" else error.detail
    if error.detail == _NO_TEXT:
        plain = _UNREADABLE[language == "zh"]
    return problem(error.status_code, code, language=language, detail=plain, headers=error.headers)


async def on_database_error(request: Request, error: Exception) -> Response:
    """Answer that the database is away."""
    return database_away(request, error)


async def on_timeout(request: Request, error: Exception) -> Response:
    """Answer that the question took too long."""
    logger.warning("timeout", path=request.url.path, reason=type(error).__name__)
    return problem(504, "timeout", language=language_of(request))


async def _on_any_error(request: Request, error: Exception) -> Response:
    return server_fault(request, error)


async def problem_of(
    request: Request, error: errors.WanmiError | RequestValidationError
) -> Response:
    """Return the document of an error that a call raised on purpose."""
    if isinstance(error, RequestValidationError):
        return await _on_validation_error(request, error)
    return await _on_wanmi_error(request, error)


def install(app: FastAPI) -> None:
    """Make `app` answer every error with a problem document."""
    app.add_exception_handler(errors.WanmiError, _on_wanmi_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(psycopg.errors.QueryCanceled, on_timeout)
    app.add_exception_handler(psycopg.OperationalError, on_database_error)
    app.add_exception_handler(ConnectionError, on_database_error)
    app.add_exception_handler(Exception, _on_any_error)
