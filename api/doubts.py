"""What is doubtful about decisions: reasons as bits, in the order of ``api/telling/reasons.csv``."""

from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from api.telling.wording import reasons as reason_table

Bits = NDArray[np.int64]


@cache
def bit_of(reason: str) -> int:
    """Return the bit of a reason.

    Examples
    --------
    >>> bit_of("not_located") == 1 << list(reason_table()).index("not_located")
    True
    """
    return 1 << list(reason_table()).index(reason)


def bits_of(names: Iterable[str]) -> int:
    """Return the bits of some reasons together."""
    return sum({bit_of(name) for name in names})


def names_of(bits: int) -> tuple[str, ...]:
    """Return the reasons of some bits, in their order.

    Examples
    --------
    >>> names_of(bits_of(["no_owner", "position_invalid"]))
    ('position_invalid', 'no_owner')
    """
    return tuple(name for place, name in enumerate(reason_table()) if bits >> place & 1)


@cache
def review_bits() -> int:
    """Return the bits of the reasons for which a person should look at a case."""
    return bits_of(name for name, row in reason_table().items() if row["review"] == "yes")


def gathered(count: int, *found: Mapping[str, NDArray[np.bool_]]) -> Bits:
    """Return the bits of many cases from masks by reason.

    Examples
    --------
    >>> masks = {"not_located": np.array([True, False])}
    >>> gathered(2, masks, masks).tolist() == [bit_of("not_located"), 0]
    True
    """
    bits = np.zeros(count, dtype=np.int64)
    for masks in found:
        for name, mask in masks.items():
            if mask.any():
                bits |= mask.astype(np.int64) * bit_of(name)
    return bits
