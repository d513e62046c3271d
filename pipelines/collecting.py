"""How often Python looks for objects that hold each other, while millions of others are made."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_ALLOCATIONS = 1_000_000


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look for rings of unused objects a thousand times less often.

    A layer of a million rows makes a million geometries. Python would go over all of them again and
    again, a tenth of the time of a load, for the few rings that a build leaves behind.

    Examples
    --------
    >>> import gc
    >>> before = gc.get_threshold()
    >>> with rare_collections():
    ...     gc.get_threshold()[0]
    1000000
    >>> gc.get_threshold() == before
    True
    """
    before = gc.get_threshold()
    gc.set_threshold(_ALLOCATIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
