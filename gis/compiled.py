"""Compiled functions kept on disk: thrown away when any source of theirs has changed.

Numba notices a change only in the file of the function itself, not in those of the functions that were
compiled into it: a copy of an older edition would go on answering after an upgrade.
"""

import contextlib
import hashlib
from collections.abc import Iterable
from pathlib import Path

_STAMP = "compiled-{}.stamp"
"""One for each set of modules in a folder."""


def forget_stale(folder: Path, *, modules: Iterable[str], built_from: Iterable[str] = ()) -> bool:
    """Delete the compiled functions beside some modules if these are not those they were compiled from.

    Call it before the functions are declared. Where the folder is not writable nothing is done.

    Parameters
    ----------
    folder : Path
        Folder of the modules; compiled functions lie in its ``__pycache__``.
    modules : iterable of str
        Modules whose functions are compiled into each other.
    built_from : iterable of str
        Other modules whose functions are compiled into these; their own stay.

    Returns
    -------
    bool
        Whether there was something to forget.
    """
    names = sorted(modules)
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted({*names, *built_from}):
        digest.update((folder / f"{name}.py").read_bytes())
    cache = folder / "__pycache__"
    stamp = cache / _STAMP.format("-".join(names))
    try:
        if stamp.is_file() and stamp.read_text(encoding="ascii") == digest.hexdigest():
            return False
        cache.mkdir(exist_ok=True)
        # The index of a function goes first: without it what it names is never read.
        found = [
            path
            for suffix in ("nbi", "nbc")
            for name in names
            for path in cache.glob(f"{name}.*.{suffix}")
        ]
        for path in found:
            with contextlib.suppress(FileNotFoundError):  # another process forgets them too
                path.unlink()
        stamp.write_text(digest.hexdigest(), encoding="ascii")
    except OSError:
        return False
    return bool(found)
