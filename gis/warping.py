"""The inner loop of orthorectification: for every output pixel its height, its image point, its value.

Projections are evaluated on a lattice of every `STEP` pixels and, over the tile's range of heights,
at three heights; between them they are interpolated, bilinearly in the plane and by a parabola in
height. For frames of a satellite that is exact to well under a hundredth of a pixel.
"""

from typing import Any

import numba
import numpy as np

STEP = 16
"""Pixels between two nodes of the lattice."""


@numba.njit(nogil=True, cache=True)
def warp_tile(
    out: Any,
    valid: Any,
    lattice: Any,
    heights: Any,
    dem: Any,
    image: Any,
    image_valid: Any,
    origin: Any,
    cubic: bool,
    limits: Any,
) -> None:
    """Fill one tile.

    Parameters
    ----------
    out, valid : arrays (bands, rows, columns) and (rows, columns)
        Written: values, and 255 where there is one.
    lattice : array (8, n, m)
        At every node: image col and row at three heights (0-5), DEM col and row (6-7), from centres.
    heights : array (3)
        Those three ellipsoidal heights, m, rising.
    dem : array (rows, columns)
        Ellipsoidal heights, NaN where there is none.
    image, image_valid : arrays (bands, rows, columns) and (rows, columns)
        The part of the raw image the tile needs; a mask of no rows: all valid.
    origin : array (2)
        Row and col of that part in the raw image.
    cubic : bool
        Cubic convolution (a = -0.5), else bilinear.
    limits : array (3)
        Least and greatest value of the sample type, and 1 for whole numbers.
    """
    rows, columns = valid.shape
    point = np.empty(8)
    values = np.empty(image.shape[0])
    for i in range(rows):
        for j in range(columns):
            _interpolate(lattice, i, j, point)
            height = _sample_dem(dem, point[6], point[7])
            if np.isnan(height):
                continue
            col = _parabola(heights, point[0], point[1], point[2], height) - origin[1]
            row = _parabola(heights, point[3], point[4], point[5], height) - origin[0]
            if not _sample_image(image, image_valid, row, col, cubic, values):
                continue
            valid[i, j] = 255
            for b in range(image.shape[0]):
                value = min(max(values[b], limits[0]), limits[1])
                if limits[2] > 0:
                    value = np.floor(value + 0.5)
                out[b, i, j] = value


@numba.njit(nogil=True, cache=True)
def _interpolate(lattice: Any, i: int, j: int, point: Any) -> None:
    r, c = i // STEP, j // STEP
    v, u = (i - r * STEP) / STEP, (j - c * STEP) / STEP
    for k in range(8):
        above = lattice[k, r, c] * (1 - u) + lattice[k, r, c + 1] * u
        below = lattice[k, r + 1, c] * (1 - u) + lattice[k, r + 1, c + 1] * u
        point[k] = above * (1 - v) + below * v


@numba.njit(nogil=True, cache=True)
def _parabola(heights: Any, low: float, middle: float, high: float, height: float) -> float:
    """Return the value at a height of the parabola through three equally spaced ones."""
    t = (height - heights[1]) / (heights[2] - heights[1])
    value: float = middle + 0.5 * t * (high - low) + 0.5 * t * t * (high + low - 2 * middle)
    return value


@numba.njit(nogil=True, cache=True)
def _sample_dem(dem: Any, col: float, row: float) -> float:
    """Return the bilinear height at (col, row) from pixel centres; NaN outside or beside a void."""
    rows, columns = dem.shape
    if not (-0.5 <= col <= columns - 0.5 and -0.5 <= row <= rows - 0.5):
        return np.nan
    col, row = min(max(col, 0.0), columns - 1.0), min(max(row, 0.0), rows - 1.0)
    c, r = min(int(col), max(columns - 2, 0)), min(int(row), max(rows - 2, 0))
    c1, r1 = min(c + 1, columns - 1), min(r + 1, rows - 1)
    u, v = col - c, row - r
    above = dem[r, c] if u == 0 else dem[r, c] * (1 - u) + dem[r, c1] * u
    if v == 0:
        height: float = above
        return height
    below = dem[r1, c] if u == 0 else dem[r1, c] * (1 - u) + dem[r1, c1] * u
    height = above * (1 - v) + below * v
    return height  # noqa: RET504 (the name gives the type that numba's decorator hides)


@numba.njit(nogil=True, cache=True)
def _sample_image(
    image: Any, image_valid: Any, row: float, col: float, cubic: bool, values: Any
) -> bool:
    """Put the value at (row, col) of every band into `values`; False outside or in a void.

    Pixels without data take no part; a point whose nearest pixel has none has none either.
    """
    bands, rows, columns = image.shape
    if not (-0.5 <= col < columns - 0.5 and -0.5 <= row < rows - 0.5):
        return False
    masked = image_valid.shape[0] > 0
    if masked and image_valid[int(np.floor(row + 0.5)), int(np.floor(col + 0.5))] == 0:
        return False
    reach = 2 if cubic else 1
    r0, c0 = int(np.floor(row)), int(np.floor(col))
    values[:] = 0.0
    total = 0.0
    for r in range(r0 - reach + 1, r0 + reach + 1):
        weight_r = _weight(abs(row - r), cubic)
        rr = min(max(r, 0), rows - 1)
        for c in range(c0 - reach + 1, c0 + reach + 1):
            weight = weight_r * _weight(abs(col - c), cubic)
            cc = min(max(c, 0), columns - 1)
            if weight == 0.0 or (masked and image_valid[rr, cc] == 0):
                continue
            total += weight
            for b in range(bands):
                values[b] += weight * image[b, rr, cc]
    if total <= 1e-6:
        return False
    for b in range(bands):
        values[b] /= total
    return True


@numba.njit(nogil=True, cache=True)
def _weight(distance: float, cubic: bool) -> float:
    if not cubic:
        return max(0.0, 1.0 - distance)
    if distance <= 1.0:
        return 1.5 * distance**3 - 2.5 * distance**2 + 1.0
    if distance < 2.0:
        return -0.5 * distance**3 + 2.5 * distance**2 - 4.0 * distance + 2.0
    return 0.0


@numba.njit(nogil=True, cache=True)
def sample_heights(dem: Any, col: Any, row: Any) -> Any:
    """Return bilinear heights at positions from pixel centres, NaN outside and beside voids."""
    heights = np.empty(col.size)
    for k in range(col.size):
        heights[k] = _sample_dem(dem, col[k], row[k])
    return heights
