"""Orthophotos 正射影像: raw images rectified on a DEM, finished ones checked, all as COG files.

A file in the workspace is named by the image's code and the hash of all that went into it, written
under a temporary name and renamed: made once, never changed, so that a build rolled back still has
the pixels it named.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from gis.accuracy import Accuracy, check_accuracy, limit_of
from gis.codes import read_rules
from gis.crs import transform_xy
from gis.errors import DeliveryError
from gis.faults import Faults, Outcome
from gis.heights import Terrain
from gis.ortho import DTYPES, GEOGRAPHIC, Frame, plan_frame, rectify
from gis.raster import RasterInfo, RasterReader, warp_to_cog, write_cog
from gis.refinement import GroundPoints, Refinement, refine
from gis.remarks import NOTHING
from gis.sources import FileReport, Layer, hash_file
from pipelines.context import BuildContext
from pipelines.image_order import ImageOrder, camera_model, read_orders, read_points

DATASET = "imagery"
RULES = read_rules("pipelines")
_METHOD = "1"
"""Changes when the same input would give other pixels."""
_LEAST_COVER = 0.5
_FULL_COVER = 0.995
_DATUM_DOUBT_M = 8.0
_COLUMNS = (
    "code",
    "name",
    "path",
    "gsd_m",
    "width",
    "height",
    "bands",
    "dtype",
    "acquired_on",
    "model",
    "height_source",
    "height_datum",
    "rmse_m",
    "rmse_limit_m",
    "check_points",
    "is_accepted",
    "report",
)


@dataclass(frozen=True, kw_only=True)
class Made:
    """An orthophoto as it was made: what its report keeps."""

    model: str
    height_source: str
    height_datum: str | None
    rmse_m: float | None
    check_points: int
    report: dict[str, Any]


def read_header(path: Path) -> Layer:
    """Return an image as a layer of one row: what its header says of it.

    Raises
    ------
    FileFormatError
        The file is empty, cut short or no raster.
    """
    with RasterReader(path) as image:
        info = image.info
    report = FileReport(
        path=path.name,
        driver="GTiff",
        sha256=hash_file(path),
        rows=1,
        encoding="",
        encoding_evidence=NOTHING,
        crs=info.crs or "",
        crs_source="file" if info.crs else "",
    )
    frame = pd.DataFrame({"source_file": [path.name], "source_row": [1]})
    return Layer(frame=frame, report=report)


def transform(frame: pd.DataFrame, context: BuildContext) -> Outcome:
    """Bring every image of the delivery into the workspace and return its rows.

    An image made before from the same input is not made again. A file that can not be used is an
    error; an orthophoto that misses its limits is a warning and ``is_accepted`` false.

    Raises
    ------
    DeliveryError
        No RPC, no or contradicting height datum, a DEM beside the image, a point outside it, a file cut
        short, a sample type that is not supported, or two images of one code.
    """
    del frame  # an image has no rows to judge: its layer and its header say all
    orders = read_orders(context)
    _refuse_twins(orders)
    rows = [_row(order, context) for order in orders]
    table = pd.DataFrame(rows, columns=[*_COLUMNS, "geometry", "source_file", "source_row"])
    accepted = gpd.GeoDataFrame(table, geometry="geometry", crs=context.crs.crs)
    faults = Faults(accepted, rules=RULES)
    _judge(faults, accepted)
    return faults.outcome()


def _refuse_twins(orders: list[ImageOrder]) -> None:
    codes = [order.code for order in orders]
    twins = [order for order in orders if codes.count(order.code) > 1]
    if twins:
        files = ", ".join(order.source_file for order in twins)
        msg = f"{files} have the same code {twins[0].code}: give each image its own option code."
        raise DeliveryError(msg, zh=f"{files} 的编码同为 {twins[0].code}，请用选项 code 分别指定。")


def _row(order: ImageOrder, context: BuildContext) -> dict[str, Any]:
    folder = context.workspace.imagery
    folder.mkdir(parents=True, exist_ok=True)
    digest = fingerprint(order, crs=context.crs.text)
    target = folder / f"{_file_name(order.code)}-{digest[:12]}.tif"
    report = target.with_suffix(".json")
    if not (target.is_file() and report.is_file()):
        made = make_orthophoto(order, target, crs=context.crs.text)
        partial = report.with_name(f".{report.name}.partial")
        partial.write_text(json.dumps(vars(made), ensure_ascii=False, indent=1), encoding="utf-8")
        partial.replace(report)
    made = Made(**json.loads(report.read_text(encoding="utf-8")))
    limit = None if order.scale is None else limit_of(order.scale, terrain=order.terrain).rmse_m
    is_judged = made.rmse_m is not None and limit is not None
    with RasterReader(target) as image:
        info = image.info
        assert info.transform is not None
        return {
            "code": order.code,
            "name": order.sensor,
            "path": target.relative_to(context.workspace.root).as_posix(),
            "gsd_m": abs(info.transform.a),
            "width": info.width,
            "height": info.height,
            "bands": info.bands,
            "dtype": info.dtype,
            "acquired_on": order.acquired_on,
            "model": made.model,
            "height_source": made.height_source,
            "height_datum": made.height_datum,
            "rmse_m": made.rmse_m,
            "rmse_limit_m": limit,
            "check_points": made.check_points,
            "is_accepted": (made.rmse_m or 0.0) <= (limit or 0.0) if is_judged else None,
            "report": {**made.report, "scale": order.scale, "sha256": digest},
            "geometry": image.footprint(),
            "source_file": order.source_file,
            "source_row": 1,
        }


def _file_name(code: str) -> str:
    """Return a code as a file name: other signs than letters, digits, ``-`` and ``_`` replaced."""
    return "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in code)


def fingerprint(order: ImageOrder, *, crs: str) -> str:
    """Return the hash of everything that decides the pixels: files, options, CRS and method."""
    digest = hashlib.sha256(f"{_METHOD}\n{crs}\n{order.crs}\n{order.resolution_m}\n".encode())
    for name in ("height_datum", "undulation_m", "gcp_height_datum", "gcp_undulation_m"):
        digest.update(f"{name}={order.options.get(name)}\n".encode())
    for path in (order.image, order.rpc, order.gcps, order.dem):
        digest.update(b"\n--\n")
        if path is not None:
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def make_orthophoto(order: ImageOrder, target: Path, *, crs: str) -> Made:
    """Make the Cloud Optimised GeoTIFF of one image.

    Parameters
    ----------
    order : ImageOrder
        The image and what the delivery says of it.
    target : Path
        File to write.
    crs : str
        The city's CRS.
    """
    with RasterReader(order.image) as image:
        if image.info.dtype not in DTYPES:
            msg = (
                f"{order.image.name} has samples of {image.info.dtype}; images may have "
                f"{', '.join(DTYPES)}: convert it."
            )
            raise DeliveryError(
                msg,
                zh=f"{order.image.name} 的像元类型为 {image.info.dtype}，仅支持 {'、'.join(DTYPES)}，请转换。",
            )
        if image.info.crs is not None and order.rpc is None:
            return _take_over(order, image.info, target, crs=crs)
        return _rectify(order, image, target, crs=crs)


def _take_over(order: ImageOrder, info: RasterInfo, target: Path, *, crs: str) -> Made:
    """Take an image that is an orthophoto already."""
    warp_to_cog(order.image, target, crs=crs, resolution_m=order.resolution_m)
    return Made(
        model="affine",
        height_source="none",
        height_datum=None,
        rmse_m=None,
        check_points=0,
        report={"source_crs": info.crs},
    )


def _rectify(order: ImageOrder, image: RasterReader, target: Path, *, crs: str) -> Made:
    info = image.info
    size = (info.width, info.height)
    model = camera_model(order, info.rpc)
    if order.dem is None:
        msg = f"{order.image.name} needs a terrain model: add option dem, with its height_datum."
        raise DeliveryError(
            msg, zh=f"{order.image.name} 的纠正需要 DEM：请添加选项 dem 及其 height_datum。"
        )
    control, check = read_points(order, size=size)
    refinement = refine(model, control, size=size)
    terrain = Terrain(order.dem, datum=order.datum(), crs=crs)
    try:
        frame = plan_frame(refinement.model, terrain, size=size, crs=crs, gsd_m=order.resolution_m)
        _refuse_uncovered(frame, order)
        accuracy = check_accuracy(refinement.model, terrain, check, crs=crs)
        raw = target.with_name(f".{target.stem}.raw.tif")
        try:
            rectify(
                image,
                raw,
                model=refinement.model,
                terrain=terrain,
                frame=frame,
                threads=os.cpu_count() or 1,
            )
            write_cog(raw, target)
        finally:
            raw.unlink(missing_ok=True)
        drop = _datum_difference(terrain, control, check, crs=crs)
    finally:
        terrain.close()
    return Made(
        model="rpc" if refinement.kind == "none" else "rpc_gcp",
        height_source=order.dem.name,
        height_datum=terrain.datum.text,
        rmse_m=accuracy.rmse_m,
        check_points=len(accuracy.ids),
        report=_report(refinement, control, accuracy, frame, drop),
    )


def _refuse_uncovered(frame: Frame, order: ImageOrder) -> None:
    if frame.covered < _LEAST_COVER:
        assert order.dem is not None
        msg = (
            f"{order.dem.name} knows the height of only {frame.covered:.0%} of {order.image.name}: deliver a "
            "DEM that covers the image."
        )
        raise DeliveryError(
            msg,
            zh=f"{order.dem.name} 仅覆盖影像 {order.image.name} 的 {frame.covered:.0%}，请提供覆盖整幅影像的 DEM。",
        )


def _datum_difference(
    terrain: Terrain, control: GroundPoints, check: GroundPoints, *, crs: str
) -> float | None:
    """Return the median of surveyed minus terrain height at all points, m; None without any."""
    lon, lat = np.append(control.lon, check.lon), np.append(control.lat, check.lat)
    if len(lon) == 0:
        return None
    heights = terrain.heights(*transform_xy(lon, lat, source=GEOGRAPHIC, target=crs))
    apart = np.append(control.height_m, check.height_m) - heights
    known = apart[np.isfinite(apart)]
    return round(float(np.median(known)), 3) if len(known) else None


def _report(
    refinement: Refinement,
    control: GroundPoints,
    accuracy: Accuracy,
    frame: Frame,
    height_difference_m: float | None,
) -> dict[str, Any]:
    before, after = refinement.before_px, refinement.after_px
    return {
        "refinement": refinement.kind,
        "correction": list(refinement.model.correction),
        "control_points": [
            {
                "id": name,
                "before_px": np.round(before[k], 3).tolist(),
                "after_px": np.round(after[k], 3).tolist(),
            }
            for k, name in enumerate(control.ids)
        ],
        "left_out_rmse_px": refinement.rmse_px,
        "suspects": list(refinement.suspects),
        "check_points": [
            {"id": name, "dx_m": round(float(dx), 3), "dy_m": round(float(dy), 3)}
            for name, dx, dy in zip(accuracy.ids, accuracy.dx_m, accuracy.dy_m, strict=True)
        ],
        "ce90_m": accuracy.ce90_m,
        "dem_covers": round(frame.covered, 4),
        "height_difference_m": height_difference_m,
    }


def _judge(faults: Faults, images: gpd.GeoDataFrame) -> None:
    """Judge accuracy, control points, cover, heights and sharpness; all are warnings."""
    code, report = images["code"], images["report"]

    def said(name: str, default: Any) -> "pd.Series[Any]":
        return report.map(lambda entry: entry.get(name) if entry.get(name) is not None else default)

    faults.add(
        "IM01",
        images["is_accepted"].eq(False),
        code=code,
        rmse_m=images["rmse_m"],
        limit_m=images["rmse_limit_m"],
    )
    suspects = said("suspects", [])
    faults.add("IM02", suspects.map(len) > 0, code=code, points=suspects.map(", ".join))
    cover = said("dem_covers", 1.0).astype(float)
    faults.add("IM03", cover < _FULL_COVER, code=code, share=cover)
    difference = said("height_difference_m", 0.0).astype(float)
    faults.add("IM04", difference.abs() > _DATUM_DOUBT_M, code=code, difference_m=difference)
    unchecked = images["model"].ne("affine") & images["check_points"].eq(0)
    faults.add("IM05", unchecked, code=code)
