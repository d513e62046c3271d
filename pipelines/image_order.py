"""What a delivery says about one image: its options, its ground control points 像控点."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gis.accuracy import limit_of
from gis.crs import transform_xy
from gis.errors import DeliveryError
from gis.heights import HeightDatum, height_datum
from gis.ortho import GEOGRAPHIC
from gis.refinement import GroundPoints
from gis.rpc import RpcModel, parse_rpc
from gis.sheets import read_sheet
from pipelines.context import BuildContext
from pipelines.delivery import LayerSpec
from pipelines.files import resolve_inside
from pipelines.values import text_of

_NUMBERS = ("col", "row", "x", "y", "h")
_ROLES = ("control", "check")


@dataclass(frozen=True, kw_only=True)
class ImageOrder:
    """One image to bring in, its options read and checked."""

    image: Path
    source_file: str
    """Path relative to the delivery."""
    code: str
    acquired_on: date | None
    scale: int | None
    terrain: str
    resolution_m: float | None
    sensor: str | None
    rpc: Path | None
    gcps: Path | None
    dem: Path | None
    crs: str
    """CRS of the control points' x and y."""
    options: Mapping[str, Any]

    def datum(self) -> HeightDatum:
        """Return the datum of the DEM's heights."""
        source = self.dem.name if self.dem else self.image.name
        return height_datum(
            self.options.get("height_datum"),
            undulation_m=_number(self.options, "undulation_m"),
            source=source,
        )

    def point_datum(self) -> HeightDatum:
        """Return the datum of the control points' heights: that of the DEM unless stated."""
        if "gcp_height_datum" not in self.options:
            return self.datum()
        text = str(self.options["gcp_height_datum"])
        undulation = None if text.casefold().startswith("ellipsoid") else self.datum().offset_m
        return height_datum(
            text,
            undulation_m=_number(self.options, "gcp_undulation_m", default=undulation),
            source=self.gcps.name if self.gcps else self.image.name,
        )


def read_orders(context: BuildContext) -> list[ImageOrder]:
    """Return one order for every image of the delivery, in its order.

    Raises
    ------
    DeliveryError
        An option has a wrong value, or options of one image stand over several.
    """
    return [
        _order(spec, path, context)
        for spec in context.delivery.layers_of("imagery")
        for path in spec.files
    ]


def _order(spec: LayerSpec, path: Path, context: BuildContext) -> ImageOrder:
    options, root = spec.options, context.delivery.root
    single = [name for name in ("code", "rpc", "gcps") if name in options]
    if len(spec.files) > 1 and single:
        msg = f"{spec.path} stands for {len(spec.files)} images: give each its own layer to state {single[0]}."
        raise DeliveryError(
            msg,
            zh=f"{spec.path} 对应 {len(spec.files)} 幅影像，请为每幅影像单独写图层后再指定 {single[0]}。",
        )
    files = {
        name: resolve_inside(str(options[name]), root=root, where=f"option {name}")
        if name in options
        else None
        for name in ("rpc", "gcps", "dem")
    }
    scale = _number(options, "scale")
    terrain = str(options.get("terrain", "plain"))
    if scale is not None:
        limit_of(int(scale), terrain=terrain)
    return ImageOrder(
        image=path,
        source_file=context.delivery.name_of(path),
        code=str(options.get("code") or path.stem),
        acquired_on=_day(options.get("acquired_on")),
        scale=None if scale is None else int(scale),
        terrain=terrain,
        resolution_m=_resolution(options),
        sensor=str(options["sensor"]) if "sensor" in options else None,
        crs=spec.crs or context.crs.text,
        options=options,
        **files,
    )


def _number(options: Mapping[str, Any], name: str, *, default: float | None = None) -> float | None:
    value = options.get(name, default)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"Option {name} of an image is {value!r}; give a number."
        raise DeliveryError(msg, zh=f"影像选项 {name} 的值 {value!r} 不是数字。")
    return float(value)


def _resolution(options: Mapping[str, Any]) -> float | None:
    value = _number(options, "resolution_m")
    if value is not None and not 0.005 <= value <= 1000.0:
        msg = f"Option resolution_m is {value}; give the pixel size in metres, as 0.5."
        raise DeliveryError(
            msg, zh=f"影像选项 resolution_m 的值 {value} 无效，请给出以米为单位的像元大小。"
        )
    return value


def _day(value: Any) -> date | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        msg = f"Option acquired_on is {value!r}; give a day as 2026-05-31."
        raise DeliveryError(
            msg, zh=f"影像选项 acquired_on 的值 {value!r} 不是日期，应如 2026-05-31。"
        ) from error


def camera_model(order: ImageOrder, found: RpcModel | None) -> RpcModel:
    """Return the camera model: the stated RPC file, else the one found with the image.

    Raises
    ------
    DeliveryError
        There is none.
    """
    if order.rpc is not None:
        text = order.rpc.read_text(encoding="utf-8", errors="replace")
        return parse_rpc(text, source=order.rpc.name)
    if found is None:
        msg = (
            f"{order.image.name} has neither a CRS nor an RPC: add the vendor's RPC file as option rpc, "
            "or deliver an orthophoto with its CRS."
        )
        raise DeliveryError(
            msg,
            zh=f"{order.image.name} 既无坐标系也无 RPC：请用选项 rpc 指定 RPC 文件，或提交带坐标系的正射影像。",
        )
    return found


def read_points(order: ImageOrder, *, size: tuple[int, int]) -> tuple[GroundPoints, GroundPoints]:
    """Read control and check points; both empty where the order names no file.

    The CSV has ``id, col, row, x, y, h, role``: col and row in pixels from the centre of the top-left
    pixel, x (east) and y (north) in the layer's CRS (the city's, if it states none), h in the datum of
    the DEM (or ``gcp_height_datum``), role ``control`` or ``check``.

    Raises
    ------
    DeliveryError
        A column or value is missing or wrong, or a point lies outside the image.
    """
    if order.gcps is None:
        none = _points(pd.DataFrame(columns=["id", *_NUMBERS], dtype=float), order)
        return none, none
    table = read_sheet(order.gcps).frame
    name = order.gcps.name
    missing = [column for column in ("id", *_NUMBERS) if column not in table]
    if missing:
        msg = f"{name} has no column {', '.join(missing)}; its columns must be id, col, row, x, y, h, role."
        raise DeliveryError(
            msg, zh=f"{name} 缺少列 {'、'.join(missing)}；应有 id、col、row、x、y、h、role。"
        )
    values = {column: pd.to_numeric(table[column], errors="coerce") for column in _NUMBERS}
    frame = pd.DataFrame({"id": text_of(table, "id").fillna(""), **values})
    role = text_of(table, "role").fillna("control").str.casefold()
    _refuse_points(frame, role, name=name, size=size)
    return (
        _points(frame[role == "control"], order),
        _points(frame[role == "check"], order),
    )


def _refuse_points(
    frame: pd.DataFrame, role: "pd.Series[str]", *, name: str, size: tuple[int, int]
) -> None:
    blank = ~np.isfinite(frame[list(_NUMBERS)].to_numpy()).all(axis=1)
    if blank.any():
        point = frame.loc[blank, "id"].iloc[0]
        msg = f"Point {point} of {name} has a coordinate that is missing or no number; correct it."
        raise DeliveryError(msg, zh=f"{name} 中点 {point} 的坐标缺失或不是数字，请更正。")
    wrong = ~role.isin(_ROLES)
    if wrong.any():
        msg = f"Role {role[wrong].iloc[0]!r} in {name} is not known; use control or check."
        raise DeliveryError(
            msg, zh=f"{name} 中的 role“{role[wrong].iloc[0]}”无法识别，应为 control 或 check。"
        )
    columns, rows = size
    inside = frame["col"].between(-0.5, columns - 0.5) & frame["row"].between(-0.5, rows - 0.5)
    if not inside.all():
        point = frame.loc[~inside].iloc[0]
        msg = (
            f"Point {point['id']} of {name} at col {point['col']:g}, row {point['row']:g} lies outside the "
            f"image of {columns} x {rows} pixels; col and row may be swapped, or it is another image's."
        )
        raise DeliveryError(
            msg,
            zh=f"{name} 中点 {point['id']}（col {point['col']:g}，row {point['row']:g}）在 {columns}×{rows} "
            "的影像之外：可能行列颠倒，或属于另一影像。",
        )


def _points(frame: pd.DataFrame, order: ImageOrder) -> GroundPoints:
    x, y = (frame[name].to_numpy(dtype=np.float64) for name in ("x", "y"))
    lon, lat = transform_xy(x, y, source=order.crs, target=GEOGRAPHIC) if len(x) else (x, y)
    offset = order.point_datum().offset_m if len(x) else 0.0
    return GroundPoints(
        ids=tuple(frame["id"].astype(str)),
        col=frame["col"].to_numpy(dtype=np.float64),
        row=frame["row"].to_numpy(dtype=np.float64),
        lon=lon,
        lat=lat,
        height_m=frame["h"].to_numpy(dtype=np.float64) + offset,
    )
