"""Cells cut into a pattern of small squares: the arrays, and their files.

`gis.laying` makes them and says what they hold, `gis.probe` looks points up in them.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gis.errors import SnapshotError

NOTHING = -1
"""Value of a square that no cell touches; below it lie the places of the records of crossed squares."""
BLOCK_BITS, SIDE_BITS = 4, 11
BLOCK = 1 << BLOCK_BITS
"""Tiles along a side of a block; blocks where nothing is take no room."""
SIDES = 1 << SIDE_BITS


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """The pattern as flat arrays, ready to be written and memory-mapped."""

    frame: NDArray[np.float64]
    """West, south, width of a tile, 1 / width."""
    shape: NDArray[np.int64]
    """Columns and rows of tiles, columns and rows of blocks."""
    blocks: NDArray[np.int32]
    """Place of each block among those where something is, or `NOTHING`; row by row from the south-west."""
    tiles: NDArray[np.int64]
    """First square of each tile times 2048 plus squares per side; block by block, in each row by row."""
    squares: NDArray[np.int32]
    """Cell that covers each square, or `NOTHING`, or -2 - place of its record in pairs of words."""
    records: NDArray[np.int32]
    """Records of the squares that edges cross, as `gis.packing` writes them."""
    vertices: NDArray[np.float64]
    """(n, 2): vertices of all rings, each ring closed, cell by cell."""
    first_ring: NDArray[np.int64]
    """First ring of each cell, and past the last."""
    rings: NDArray[np.int32]
    """First vertex of each ring, and past the last."""

    def nbytes(self) -> int:
        """Return the memory of the arrays, bytes."""
        return sum(array.nbytes for array in vars(self).values())


def write_tiling(tiling: Tiling, folder: Path, *, name: str) -> None:
    """Write a tiling as arrays that can be mapped: ``NAME.frame.npy`` and so on, synced to disk."""
    for field, array in vars(tiling).items():
        with (folder / f"{name}.{field}.npy").open("wb") as file:
            np.save(file, array)
            file.flush()
            os.fsync(file.fileno())


def read_tiling(path_of: Callable[[str], Path], *, name: str) -> Tiling:
    """Return a tiling that `write_tiling` wrote, memory-mapped.

    Parameters
    ----------
    path_of : callable
        File name -> path, which may check the file first.
    name : str
        As it was written.

    Raises
    ------
    SnapshotError
        An array is damaged, or the arrays do not belong together.
    """
    arrays = {}
    for field in fields(Tiling):
        file = f"{name}.{field.name}.npy"
        path = path_of(file)
        try:
            arrays[field.name] = sealed(_mapped(path))
        except (ValueError, EOFError) as error:
            raise _unreadable(file) from error
    tiling = Tiling(**arrays)
    _check(tiling, name)
    return tiling


def _mapped(path: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r")
    except ValueError:  # an array of no rows has no bytes to map
        array = np.load(path)
    return array


def _check(tiling: Tiling, name: str) -> None:
    """Refuse arrays that do not fit together: compiled code would read beyond their ends."""
    shape, used = tiling.shape, int(tiling.blocks.max(initial=NOTHING)) + 1
    tiles, first_ring, rings = tiling.tiles, tiling.first_ring, tiling.rings
    last = int(tiles[-1]) if len(tiles) else 0
    sound = {
        "frame": len(tiling.frame) == 4,
        "shape": len(shape) == 4,
        "blocks": len(tiling.blocks) == int(shape[-2:].prod()),
        "tiles": len(tiles) == used * BLOCK * BLOCK,
        "squares": len(tiling.squares) == (last >> SIDE_BITS) + (last % SIDES) ** 2,
        "records": 2 * (NOTHING - 1 - int(tiling.squares.min(initial=0)))
        < max(len(tiling.records), 1),
        "first_ring": len(first_ring) > 0 and int(first_ring[-1]) == len(rings) - 1,
        "rings": len(rings) > 0 and int(rings[-1]) == len(tiling.vertices),
        "vertices": tiling.vertices.ndim == 2 and tiling.vertices.shape[1:] == (2,),
    }
    for part, is_sound in sound.items():
        if not is_sound:
            raise _unreadable(f"{name}.{part}.npy")


def _unreadable(file: str) -> SnapshotError:
    return SnapshotError(
        f"{file} is damaged or cut short: make the snapshot anew by wanmi snapshot",
        zh=f"{file} 已损坏或不完整：请用 wanmi snapshot 重新生成快照",
    )


def sealed(array: NDArray[Any]) -> NDArray[Any]:
    """Return a plain array that can not be written: mapped and laid ones are one type to numba."""
    plain = np.asarray(array)
    plain.setflags(write=False)
    return plain
