"""How the functions of the search are compiled."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy", "_nrt": False}


def compiled_in_place(function: Function) -> Function:
    """Compile a function that makes no array but works on those it is given.

    Numba then need not count who holds an array, which took a third to half of the search's time. A
    function that makes one is refused as it is compiled.
    """
    return cast("Function", numba.njit(**_OPTIONS)(function))
