"""A layer as it came out of its file: before its CRS was decided and its text examined."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from warnings import catch_warnings, simplefilter

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis.crs import VENDOR_CRS, crs_name, parse_crs, reproject_geometry
from gis.encoding import FORMAT_IS_UTF8
from gis.errors import FileFormatError
from gis.findings import Finding
from gis.remarks import Remark, name_rows
from gis.stated import short_name
from gis.texts import examine_frame


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A layer as it came out of the file, before its CRS was decided."""

    attributes: pd.DataFrame
    geometry: NDArray[np.object_]
    rows: NDArray[np.int64]
    """1-based position of each row in the file."""
    crs: str | None
    crs_rule: str = "file"
    """Where `crs` comes from; ``RFC 7946`` is the GeoJSON default, which a manifest may overrule."""
    encoding: str = "UTF-8"
    evidence: Remark = FORMAT_IS_UTF8
    warnings: tuple[Remark, ...] = ()
    findings: tuple[Finding, ...] = ()


def examined(raw: Reading) -> Reading:
    """Return a layer with its text read back where it was misread before it was written."""
    attributes, findings, warnings = examine_frame(raw.attributes, rows=raw.rows)
    return replace(
        raw,
        attributes=attributes,
        findings=(*raw.findings, *findings),
        warnings=(*raw.warnings, *warnings),
    )


def in_target(
    raw: Reading, *, source: str, target: str
) -> tuple[gpd.GeoDataFrame, tuple[Remark, ...]]:
    """Return a layer in the CRS `target`, and a warning about rows whose place is none in `source`."""
    moved = reproject_geometry(raw.geometry, source=source, target=target)
    crs = None if crs_name(target) in VENDOR_CRS else parse_crs(target)
    frame = gpd.GeoDataFrame(
        raw.attributes, geometry=gpd.GeoSeries(moved, index=raw.attributes.index, crs=crs), crs=crs
    )
    before = np.isfinite(shapely.bounds(raw.geometry)).all(axis=1)
    after = np.isfinite(shapely.bounds(moved)).all(axis=1)
    lost = raw.rows[before & ~after]
    if len(lost) == 0:
        return frame, ()
    crs_told, named = short_name(source), name_rows(lost)
    told = Remark(
        en=f"Coordinates that are none in {crs_told} (swapped axes?): {named.en}.",
        zh=f"坐标不属于 {crs_told}（x、y 是否颠倒？）：{named.zh}。",
    )
    return frame, (told,)


@contextmanager
def gdal_words() -> Iterator[list[Remark]]:
    """Gather what GDAL warns of, each sentence once, instead of letting it pass by."""
    words: list[Remark] = []
    with catch_warnings(record=True) as caught:
        simplefilter("always")
        yield words
    said = dict.fromkeys(str(item.message) for item in caught)
    words.extend(Remark(en=f"GDAL says: {text}", zh=f"GDAL 提示：{text}") for text in said)


def unreadable(name: str, error: Exception) -> FileFormatError:
    """Return the error of a file that its library gave up on."""
    reason = str(error).split("\n", 1)[0].rstrip(".")
    msg = f"{name} can not be read ({reason}): open it in a GIS and export it again."
    return FileFormatError(msg, zh=f"{name} 无法读取（{reason}）：请在 GIS 软件中打开并重新导出。")


def no_layer(path: Path, layers: Sequence[str], *, layer: str | None) -> FileFormatError:
    """Return the error of a layer that is not there, or not stated where there are several."""
    shown = ", ".join(layers) or "none"
    if layer is None and layers:
        msg = f"{path.name} has several layers ({shown}): state layer in delivery.toml."
        zh = f"{path.name} 含多个图层（{shown}）：请在 delivery.toml 中声明 layer。"
    else:
        wanted = layer or "with geometry"
        msg = (
            f"{path.name} has no layer {wanted} (it has: {shown}): correct layer in delivery.toml."
        )
        zh = f"{path.name} 中没有图层 {wanted}（现有：{shown}）：请更正 delivery.toml 中的 layer。"
    return FileFormatError(msg, zh=zh)
