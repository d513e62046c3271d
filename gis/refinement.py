"""Refinement of a camera model by ground control points 像控点: a shift or an affine in the image.

Vendors' RPCs are off by a few to some tens of pixels, nearly the same all over an image; a shift found
at one good point mends most of it. An affine also mends drift, but follows blunders, so it is taken
only where leaving one point out at a time shows it to be better.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.errors import DeliveryError
from gis.rpc import IDENTITY, Affine2, RpcModel

Floats = NDArray[np.float64]

_AFFINE_POINTS = 4
_SPREAD = 0.1
_BLUNDER = 3.0


@dataclass(frozen=True, kw_only=True)
class GroundPoints:
    """Points measured in the image and on the ground."""

    ids: tuple[str, ...]
    col: Floats
    """Pixels, the centre of the top-left pixel being (0, 0)."""
    row: Floats
    lon: Floats
    """Degrees."""
    lat: Floats
    height_m: Floats
    """Above the ellipsoid."""

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, mask: NDArray[np.bool_]) -> "GroundPoints":
        """Return the points of a mask."""
        return GroundPoints(
            ids=tuple(name for name, keep in zip(self.ids, mask, strict=True) if keep),
            **{
                name: getattr(self, name)[mask] for name in ("col", "row", "lon", "lat", "height_m")
            },
        )


@dataclass(frozen=True, kw_only=True)
class Refinement:
    """A refined model and what the control points say of it."""

    model: RpcModel
    kind: Literal["none", "shift", "affine"]
    before_px: Floats
    """(n, 2): measured minus projected col and row before."""
    after_px: Floats
    """The same after."""
    rmse_px: float | None
    """RMSE of each point by the others (leave one out); None with fewer than two points."""
    suspects: tuple[str, ...]
    """Points that the others contradict: more than three times their RMSE, and over a pixel."""


def residuals(model: RpcModel, points: GroundPoints) -> Floats:
    """Return measured minus projected (col, row) of every point, pixels, shape (n, 2)."""
    col, row = model.project(points.lon, points.lat, points.height_m)
    return np.column_stack([points.col - col, points.row - row])


def refine(model: RpcModel, control: GroundPoints, *, size: tuple[int, int]) -> Refinement:
    """Correct a model by control points.

    Parameters
    ----------
    model : RpcModel
        As delivered; a correction it has already is replaced.
    control : GroundPoints
        None: the model stays. One to three: a constant shift. Four or more that spread over at least
        a tenth of the image: an affine, if it predicts each point from the others better.
    size : (int, int)
        Columns and rows of the image.

    Raises
    ------
    DeliveryError
        A point lies nowhere near the image by the model: a wrong CRS or swapped axes.
    """
    plain = replace(model, correction=IDENTITY)
    before = residuals(plain, control)
    if len(control) == 0:
        return Refinement(
            model=plain, kind="none", before_px=before, after_px=before, rmse_px=None, suspects=()
        )
    _refuse_far(before, control, size)
    projected = np.column_stack([control.col, control.row]) - before
    choices: dict[Literal["shift", "affine"], Floats] = {
        "shift": _left_out(_shift, projected, before)
    }
    if len(control) >= _AFFINE_POINTS and _spread(control, size) >= _SPREAD:
        choices["affine"] = _left_out(_affine, projected, before)
    kind = min(choices, key=lambda name: (round(float(_rms(choices[name])), 6), name != "shift"))
    fit = _shift if kind == "shift" else _affine
    refined = replace(plain, correction=fit(projected, before))
    after = residuals(refined, control)
    errors = choices[kind]
    return Refinement(
        model=refined,
        kind=kind,
        before_px=before,
        after_px=after,
        rmse_px=float(_rms(errors)) if len(control) > 1 else None,
        suspects=_suspects(errors, control),
    )


def _refuse_far(before: Floats, control: GroundPoints, size: tuple[int, int]) -> None:
    worst = int(np.argmax(np.hypot(*before.T)))
    distance = float(np.hypot(*before[worst]))
    if not distance <= max(size):
        msg = (
            f"Control point {control.ids[worst]} lies {distance:.0f} pixels from where the RPC puts it: "
            "check the CRS of the points, the order of x and y, and that they belong to this image."
        )
        raise DeliveryError(
            msg,
            zh=f"像控点 {control.ids[worst]} 与 RPC 推算位置相差 {distance:.0f} 像素：请检查坐标系、"
            "坐标顺序以及是否属于本影像。",
        )


def _spread(control: GroundPoints, size: tuple[int, int]) -> float:
    hull = shapely.convex_hull(shapely.multipoints(np.column_stack([control.col, control.row])))
    return float(hull.area / (size[0] * size[1]))


def _shift(projected: Floats, offset: Floats) -> Affine2:
    """Return the mean offset; of no points, none."""
    del projected
    dc, dr = offset.mean(axis=0) if len(offset) else (0.0, 0.0)
    return (float(dc), 1.0, 0.0, float(dr), 0.0, 1.0)


def _affine(projected: Floats, offset: Floats) -> Affine2:
    """Return the affine of least squares from projected to measured points."""
    centre = projected.mean(axis=0)
    design = np.column_stack([np.ones(len(projected)), projected - centre])
    (dc, dr), (a1, b1), (a2, b2) = np.linalg.lstsq(design, offset, rcond=None)[0]
    a0 = dc - a1 * centre[0] - a2 * centre[1]
    b0 = dr - b1 * centre[0] - b2 * centre[1]
    values = (a0, 1.0 + a1, a2, b0, b1, 1.0 + b2)
    return tuple(float(value) for value in values)  # type: ignore[return-value]


def _left_out(fit: object, projected: Floats, offset: Floats) -> Floats:
    """Return the error of every point under the correction found from all others."""
    assert callable(fit)
    errors = np.empty_like(offset)
    for k in range(len(offset)):
        rest = np.arange(len(offset)) != k
        a0, a1, a2, b0, b1, b2 = fit(projected[rest], offset[rest])
        col, row = projected[k]
        wanted = projected[k] + offset[k]
        errors[k] = wanted - (a0 + a1 * col + a2 * row, b0 + b1 * col + b2 * row)
    return errors


def _rms(errors: Floats) -> float:
    return float(np.sqrt((errors**2).sum(axis=1).mean())) if len(errors) else 0.0


def _suspects(errors: Floats, control: GroundPoints) -> tuple[str, ...]:
    if len(control) < 3:
        return ()
    size = np.hypot(*errors.T)
    found = []
    for k, name in enumerate(control.ids):
        others = float(np.median(np.delete(size, k)))
        if size[k] > max(1.0, _BLUNDER * others):
            found.append(name)
    return tuple(found)
