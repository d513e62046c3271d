"""How exact an orthophoto is: RMSE 中误差 at check points that took no part in its making."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gis.codes import read_table
from gis.crs import transform_xy
from gis.errors import DeliveryError
from gis.heights import Terrain
from gis.ortho import GEOGRAPHIC, ground_points
from gis.refinement import GroundPoints
from gis.rpc import RpcModel

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What a map scale asks of an orthophoto."""

    rmse_m: float
    """Greatest RMSE of the position, m; single points may miss by twice that."""
    gsd_m: float
    """Ground sample distance, m."""
    standard_ref: str
    evidence: str
    """How sure these figures are."""


@cache
def _limits() -> dict[tuple[int, str], Limit]:
    return {
        (int(row["scale"]), row["terrain"]): Limit(
            rmse_m=float(row["rmse_m"]),
            gsd_m=float(row["gsd_m"]),
            standard_ref=row["standard_ref"],
            evidence=row["evidence"],
        )
        for row in read_table("gis.codes", "imagery_limits.csv")
    }


def limit_of(scale: int, *, terrain: str = "plain") -> Limit:
    """Return what the map scale 1:`scale` asks in ``plain`` (hills too) or ``mountain``.

    Raises
    ------
    DeliveryError
        The scale or the terrain is not in the table.

    Examples
    --------
    >>> limit_of(2000).rmse_m, limit_of(2000, terrain="mountain").rmse_m
    (1.0, 1.5)
    """
    limits = _limits()
    if (scale, terrain) not in limits:
        scales = ", ".join(str(known) for known in sorted({key[0] for key in limits}))
        msg = f"No accuracy is known for scale {scale!r} in {terrain!r}: use {scales}, plain or mountain."
        raise DeliveryError(
            msg, zh=f"没有比例尺 {scale}（{terrain}）的精度要求：可用 {scales}，plain 或 mountain。"
        )
    return limits[scale, terrain]


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Errors of the orthophoto at check points."""

    ids: tuple[str, ...]
    dx_m: Floats
    """East, where the orthophoto shows the point minus where it was surveyed."""
    dy_m: Floats
    """North."""

    @property
    def rmse_m(self) -> float | None:
        """Root of the mean of dx² + dy²; None without points."""
        if not self.ids:
            return None
        return float(np.sqrt(np.mean(self.dx_m**2 + self.dy_m**2)))

    @property
    def ce90_m(self) -> float | None:
        """Radius that holds 90 % of the errors, m."""
        return float(np.quantile(np.hypot(self.dx_m, self.dy_m), 0.9)) if self.ids else None


def check_accuracy(
    model: RpcModel, terrain: Terrain, points: GroundPoints, *, crs: str
) -> Accuracy:
    """Return where the orthophoto shows each check point, against its survey.

    A point's image position is followed to the terrain model, as its pixel was: errors of the camera
    model, of the terrain model and of height datums all count. Points beside the terrain model are
    left out.
    """
    if len(points) == 0:
        return Accuracy(ids=(), dx_m=np.zeros(0), dy_m=np.zeros(0))
    shown_x, shown_y, height = ground_points(model, terrain, points.col, points.row, crs=crs)
    x, y = transform_xy(points.lon, points.lat, source=GEOGRAPHIC, target=crs)
    known = np.isfinite(height)
    ids = tuple(name for name, keep in zip(points.ids, known, strict=True) if keep)
    return Accuracy(ids=ids, dx_m=(shown_x - x)[known], dy_m=(shown_y - y)[known])
