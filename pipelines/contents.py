"""What a delivery holds, byte by byte: every file that counts, and the hash of it all."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import orjson

from pipelines.delivery import LAYER_KEYS, Delivery, LayerSpec
from pipelines.files import hash_file, missing_file, parts_of, resolve_inside

HashOf = Callable[[Iterable[LayerSpec]], str]
"""Gives the hash of some layers, see `hash_content`."""

_FILE_OPTIONS = ("rpc", "gcps", "dem", "index", "extent")


def files_of(delivery: Delivery, layer: LayerSpec) -> tuple[Path, ...]:
    """Return every file a layer's content depends on: parts of shapefiles, an image's DEM.

    Raises
    ------
    DeliveryError
        An option names a file that is not there or outside the folder.
    """
    found: set[Path] = set()
    for path in layer.files:
        found.update(parts_of(path))
    for key in _FILE_OPTIONS:
        name = layer.options.get(key)
        if isinstance(name, str) and name:
            path = resolve_inside(name, root=delivery.root, where=f"option {key}")
            if not path.exists():
                raise missing_file(name, delivery.root, f"Option {key}")
            found.update(parts_of(path))
    return tuple(sorted(found))


def hash_content(
    delivery: Delivery, layers: Iterable[LayerSpec], *, known: dict[Path, str] | None = None
) -> str:
    """Return the SHA-256 of the day, the manifest's entries and the bytes of their files.

    The order of the layers in the manifest does not matter; where the folder lies does not either.
    Hashes of files are kept in `known`, so that a second call does not read them again.
    """
    known = {} if known is None else known
    entries = []
    for layer in layers:
        paths = files_of(delivery, layer)
        known |= {path: hash_file(path) for path in paths if path not in known}
        files = [[delivery.name_of(path), known[path]] for path in paths]
        entry = {key: getattr(layer, key) for key in LAYER_KEYS if key not in ("fields", "options")}
        entries.append(
            orjson.dumps(
                [entry, dict(layer.fields), dict(layer.options), files],
                option=orjson.OPT_SORT_KEYS,
            )
        )
    digest = hashlib.sha256(delivery.as_of.isoformat().encode())
    for line in sorted(entries):
        digest.update(b"\n" + line)
    return digest.hexdigest()


@contextmanager
def hashed_beside(delivery: Delivery) -> Iterator[HashOf]:
    """Begin to hash all files of a delivery, beside whatever else is done in the block.

    What is yielded gives the hash of some of its layers, and waits until the files are hashed.

    Raises
    ------
    DeliveryError
        As for `files_of`; at once, before anything is hashed.
    """
    for layer in delivery.layers:
        files_of(delivery, layer)
    known: dict[Path, str] = {}
    with ThreadPoolExecutor(max_workers=1) as pool:
        whole = pool.submit(hash_content, delivery, delivery.layers, known=known)

        def hash_of(layers: Iterable[LayerSpec]) -> str:
            whole.result()
            return hash_content(delivery, layers, known=known)

        yield hash_of
