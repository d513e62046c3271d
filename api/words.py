"""Eight bytes of texts at once, in compiled code: what goes byte by byte takes most of the time."""

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_inline = numba.njit(nogil=True, cache=True, inline="always")


def _at(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [place]), ir.IntType(64).as_pointer())


def _load(_: Any, letters: Any, __: Any) -> Any:
    """Read eight bytes, the first the least, wherever they lie."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found = builder.load(_at(context, builder, signature.args[0], *arguments))
        found.align = 1
        return found

    return types.uint64(letters, types.int64), generate


def _store(_: Any, letters: Any, __: Any, ___: Any) -> Any:
    """Write eight bytes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, place, value = arguments
        builder.store(value, _at(context, builder, signature.args[0], array, place)).align = 1
        return context.get_dummy_value()

    return types.void(letters, types.int64, types.uint64), generate


load: Any = intrinsic(_load)
store: Any = intrinsic(_store)


@_inline
def word(letters: Any, begin: int, length: int) -> Any:
    """Return at most eight bytes from a place on as a number; what is past their length is 0."""
    if begin + 8 <= len(letters):
        found = load(letters, begin)
        if length < 8:
            found &= (np.uint64(1) << np.uint64(8 * length)) - np.uint64(1)
        return found
    found = np.uint64(0)
    for place in range(min(length, 8)):
        found |= np.uint64(letters[begin + place]) << np.uint64(8 * place)
    return found
