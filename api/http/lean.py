"""Routes that hand a request to their function as it is: for the calls that are asked most.

FastAPI reads parameters field by field through its dependencies, whether there are any or not, and
asks every route whether it is meant: both take longer than a decision does. The description of such
a call is made as of every other.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.problems import problem_of
from gis.errors import WanmiError

Asked = TypeVar("Asked", bound=BaseModel)


class LeanRoute(APIRoute):
    """A route whose function takes the request alone, and returns the response."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the function itself."""
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


class Shortcut:
    """Hands requests for the addresses of lean routes to them, past the router.

    Parameters
    ----------
    app : ASGI application
        The next in line, which answers everything else.
    routes : sequence of LeanRoute
        Routes without parameters in their paths, asked with GET.
    """

    def __init__(self, app: ASGIApp, *, routes: Sequence[LeanRoute]) -> None:
        self._app = app
        self._routes = {route.path: route for route in routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        route = self._routes.get(scope["path"]) if scope["type"] == "http" else None
        if route is None or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        request = Request(scope, receive)
        answer: Callable[[Request], Awaitable[Response]] = route.endpoint
        try:
            response = await answer(request)
        except (WanmiError, RequestValidationError) as error:
            response = await problem_of(request, error)
        await response(scope, receive, send)


def read_parameters(request: Request, model: type[Asked]) -> Asked:
    """Return the parameters of a request; of one that is given twice the last counts.

    Raises
    ------
    RequestValidationError
        A parameter is missing, wrong or not known.
    """
    try:
        return model.model_validate(pairs_of(request.scope["query_string"]))
    except ValidationError as error:
        raise placed(error, "query") from error


def pairs_of(query: bytes) -> dict[str, str]:
    """Return the parameters of an address as texts; of one that is given twice the last counts."""
    text = query.decode("latin-1")
    if not text or "%" in text or "+" in text:
        return dict(parse_qsl(text, keep_blank_values=True))
    return {
        name: value for name, _, value in (part.partition("=") for part in text.split("&") if part)
    }


def placed(error: ValidationError, place: str) -> RequestValidationError:
    """Return the faults of a model as those of a part of a request."""
    faults = [{**fault, "loc": (place, *fault["loc"])} for fault in error.errors(include_url=False)]
    return RequestValidationError(faults)


def describe_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    """Return the parameters of a model as OpenAPI describes them.

    Examples
    --------
    >>> class Question(BaseModel):
    ...     x: float
    ...     limit: int = 5
    >>> [(told["name"], told["required"]) for told in describe_parameters(Question)]
    [('x', True), ('limit', False)]
    """
    document = model.model_json_schema()
    required = document.get("required", [])
    told = []
    for name, schema in document["properties"].items():
        described = dict(schema)
        entry = {"name": name, "in": "query", "required": name in required, "schema": described}
        if "description" in described:
            entry["description"] = described.pop("description")
        told.append(entry)
    return told
