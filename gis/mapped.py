"""Flat arrays written side by side and memory-mapped again: what workers share without copying."""

import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


def sealed(array: NDArray[Any]) -> NDArray[Any]:
    """Return a plain array that can not be written: mapped and made ones are one type to numba."""
    plain = np.asarray(np.ascontiguousarray(array))
    plain.setflags(write=False)
    return plain


def write_arrays(value: Any, folder: Path, *, name: str) -> None:
    """Write a dataclass of arrays: ``NAME.FIELD.npy`` for each, synced to disk."""
    for field in fields(value):
        with (folder / f"{name}.{field.name}.npy").open("wb") as file:
            np.save(file, getattr(value, field.name))
            file.flush()
            os.fsync(file.fileno())


def read_arrays(kind: type[T], path_of: Callable[[str], Path], *, name: str) -> T:
    """Return a dataclass of arrays that `write_arrays` wrote, memory-mapped.

    Parameters
    ----------
    kind : type
        The dataclass.
    path_of : callable
        File name -> path, which may check the file first.
    name : str
        As it was written.
    """
    arrays = {}
    for field in fields(kind):  # type: ignore[arg-type]
        path = path_of(f"{name}.{field.name}.npy")
        try:
            array = np.load(path, mmap_mode="r")
        except ValueError:  # an array of no rows has no bytes to map
            array = np.load(path)
        arrays[field.name] = sealed(array)
    return kind(**arrays)
