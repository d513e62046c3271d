"""Eight bytes of texts at once, in compiled code: what goes byte by byte takes most of the time.

Texts are told by addresses: an array that is handed on in a loop is counted anew each time.
"""

from pathlib import Path
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from gis.compiled import forget_stale

forget_stale(Path(__file__).parent, modules=("arrow", "numbering", "words"))

_inline = numba.njit(nogil=True, cache=True, inline="always")


def _load(_: Any, __: Any) -> Any:
    """Read eight bytes, the first the least, wherever they lie."""

    def generate(___: Any, builder: Any, ____: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        found = builder.load(place)
        found.align = 1
        return found

    return types.uint64(types.int64), generate


def _store(_: Any, __: Any, ___: Any) -> Any:
    """Write eight bytes."""

    def generate(context: Any, builder: Any, ____: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        builder.store(arguments[1], place).align = 1
        return context.get_dummy_value()

    return types.void(types.int64, types.uint64), generate


def _byte(_: Any, __: Any) -> Any:
    """Read one byte."""

    def generate(___: Any, builder: Any, ____: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        return builder.zext(builder.load(place), ir.IntType(64))

    return types.uint64(types.int64), generate


_load_at: Any = intrinsic(_load)
store: Any = intrinsic(_store)
_byte_at: Any = intrinsic(_byte)


@_inline
def word(address: int, length: int, end: int) -> Any:
    """Return at most eight bytes from an address on as a number; what is past their length is 0.

    Nothing is read from `end` on.
    """
    found = np.uint64(0)
    if address + 8 <= end:
        found = _load_at(address)
        if length < 8:
            found &= (np.uint64(1) << np.uint64(8 * length)) - np.uint64(1)
    else:
        for place in range(min(length, 8)):
            found |= _byte_at(address + place) << np.uint64(8 * place)
    return found
