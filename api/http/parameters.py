"""Parameters of an address read by their model alone: for the calls that are asked most.

FastAPI reads them field by field through its dependencies, which takes longer than a decision does.
"""

from typing import Any, TypeVar
from urllib.parse import parse_qsl

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

Asked = TypeVar("Asked", bound=BaseModel)


def read_parameters(request: Request, model: type[Asked]) -> Asked:
    """Return the parameters of a request; of one that is given twice the last counts.

    Raises
    ------
    RequestValidationError
        A parameter is missing, wrong or not known.
    """
    text = request.scope["query_string"].decode("latin-1")
    given = dict(parse_qsl(text, keep_blank_values=True))
    try:
        return model.model_validate(given)
    except ValidationError as error:
        faults = [
            {**fault, "loc": ("query", *fault["loc"])} for fault in error.errors(include_url=False)
        ]
        raise RequestValidationError(faults) from error


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
