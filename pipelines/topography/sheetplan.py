"""What the manifest says of sheets 分幅: which rows are on which, and the ground of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any, Literal, cast, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.errors import DeliveryError
from gis.fields import map_fields
from gis.vector import read_vector
from pipelines.context import BuildContext
from pipelines.delivery import LayerSpec
from pipelines.files import resolve_inside
from pipelines.topography.identifiers import Ids
from pipelines.topography.sheets import (
    Order,
    Sheet,
    Size,
    Source,
    corner_extent,
    lattice_extent,
    number_in,
    read_corner,
    scale_of,
    sheet_key,
    size_of,
    standard_extent,
)

SheetFrom = Literal["field", "folder", "file"]
_SHEET_KEYS = ("sheet_from", "scale", "size", "index", "ids")


@dataclass(frozen=True, kw_only=True)
class SheetPlan:
    """The options of the topography layers, one for all."""

    sheet_from: SheetFrom = "field"
    scale: int | None = None
    size: Size | None = None
    index: str | None = None
    index_field: str | None = None
    ids: Ids | None = None
    is_patch: bool = False
    extent: str | None = None
    """File with the polygon of a patch."""
    sheets: tuple[str, ...] = ()
    """Sheets that a patch replaces; empty: those delivered."""
    classes: tuple[str, ...] | None = None
    """First digits of the classes that a patch brings whole; None: the classes delivered."""


def read_plan(layers: Sequence[LayerSpec]) -> SheetPlan | None:
    """Return what the layers say of sheets and patches, None where they say nothing.

    Raises
    ------
    DeliveryError
        A value is not allowed, or layers contradict each other.
    """
    modes = {layer.mode for layer in layers}
    is_patch = "patch" in modes
    if is_patch and len(modes) > 1:
        raise _refuse(
            'Some layers of topography have mode = "patch", others not: deliver the patch by itself.',
            "topography 图层中有的 mode 为 patch，有的不是：修补数据请单独交付。",
        )
    stated = _agreed(layers)
    if not is_patch and not stated.keys() & {*_SHEET_KEYS}:
        return None
    return SheetPlan(
        sheet_from=cast(
            SheetFrom, _one_of("sheet_from", stated.get("sheet_from", "field"), SheetFrom)
        ),
        scale=_scale(stated.get("scale")),
        size=cast(Size | None, _one_of("size", stated.get("size"), Size)),
        index=_text("index", stated.get("index")),
        index_field=_text("index_field", stated.get("index_field")),
        ids=cast(Ids | None, _one_of("ids", stated.get("ids"), Ids)),
        is_patch=is_patch,
        extent=_text("extent", stated.get("extent")),
        sheets=_texts("sheets", stated.get("sheets")) or (),
        classes=_texts("classes", stated.get("classes")),
    )


def _agreed(layers: Sequence[LayerSpec]) -> dict[str, Any]:
    """Return the options that layers state, each once; day and contractor may differ."""
    stated: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.options.items():
            if key in ("surveyed_on", "contractor"):
                continue
            if stated.setdefault(key, value) != value:
                raise _refuse(
                    f"Layers of topography state {key} = {stated[key]!r} and {value!r}: state one for all.",
                    f"topography 各图层的 {key} 不一致（{stated[key]!r} 与 {value!r}）：请统一。",
                )
    return stated


def _one_of(key: str, value: Any, kind: Any) -> str | None:
    if value is None or value in get_args(kind):
        return cast(str | None, value)
    known = ", ".join(get_args(kind))
    raise _refuse(
        f"Option {key} is {value!r}: use one of {known}.",
        f"选项 {key} 的值 {value!r} 无效：可用 {known}。",
    )


def _scale(value: Any) -> int | None:
    if value is None or (type(value) is int and 100 <= value <= 1_000_000):
        return value
    raise _refuse(
        f"Option scale is {value!r}: give the denominator, as scale = 500.",
        f"选项 scale 的值 {value!r} 无效：请写比例尺分母，例如 scale = 500。",
    )


def _text(key: str, value: Any) -> str | None:
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    raise _refuse(
        f"Option {key} is {value!r}: write it as text in quotes.",
        f"选项 {key} 的值 {value!r} 应为带引号的文本。",
    )


def _texts(key: str, value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, list) and all(isinstance(item, str) and item.strip() for item in value):
        return tuple(item.strip() for item in value)
    raise _refuse(
        f'Option {key} is {value!r}: write a list of texts, as {key} = ["31", "43"].',
        f'选项 {key} 的值 {value!r} 应为文本列表，例如 {key} = ["31", "43"]。',
    )


def file_number(name: str, plan: SheetPlan) -> str:
    """Return the sheet number that a file's name or its folder tells; `name` as in the delivery.

    Examples
    --------
    >>> file_number("大比例尺/4214.25-541.00/SHP/道路.shp", SheetPlan(sheet_from="folder"))
    '4214.25-541.00'
    >>> file_number("道路_第3幅.shp", SheetPlan(sheet_from="file"))
    '道路_第3幅'
    """
    path = PurePosixPath(name.partition("|")[0])
    if plan.sheet_from == "file":
        return number_in(path.stem)
    folders = list(reversed(path.parts[:-1]))
    for folder in folders:
        if read_corner(number_in(folder)) or _is_standard(folder):
            return number_in(folder)
    return number_in(folders[0]) if folders else number_in(path.stem)


def _is_standard(folder: str) -> bool:
    return number_in(folder) != folder


def row_numbers(frame: pd.DataFrame, plan: SheetPlan) -> "pd.Series[str]":
    """Return the sheet number of each row as delivered, None where it has none."""
    if plan.sheet_from == "field":
        return frame["sheet"].astype(object)
    names = {name: file_number(str(name), plan) for name in frame["source_file"].unique()}
    return frame["source_file"].map(names).astype(object)


def delivered_numbers(context: BuildContext, plan: SheetPlan) -> list[str]:
    """Return the sheets that the delivery's files name, also those without any row."""
    if plan.sheet_from == "field":
        return []
    layers = context.delivery.layers_of("topography")
    names = {context.delivery.name_of(path) for layer in layers for path in layer.files}
    return sorted({file_number(name, plan) for name in names})


def read_extents(
    numbers: Sequence[str],
    plan: SheetPlan,
    context: BuildContext,
    *,
    middles: Mapping[str, tuple[float, float]],
) -> tuple[list[Sheet], Order]:
    """Return the sheets of which the ground can be told, by key, and how their corners are written.

    From the sheet index 接图表 where it has them, else from the number, else, for running numbers of
    a stated scale, from where the middle of their features lies.

    Parameters
    ----------
    numbers : sequence of str
        As delivered.
    plan : SheetPlan
        What the manifest says.
    context : BuildContext
        City, delivery.
    middles : mapping
        Key -> middle of the sheet's features, m.

    Raises
    ------
    DeliveryError
        The scale is needed and neither stated nor told by the numbers; the index can not be read.
    """
    index = read_index(plan, context)
    keys = {sheet_key(number): number for number in sorted(numbers, reverse=True)}
    rest = {key: number for key, number in sorted(keys.items()) if key not in index}
    corners = {key: corner for key, number in rest.items() if (corner := read_corner(number))}
    scale = plan.scale or _told_scale(rest, corners, index, context)
    size: Size = plan.size or size_of(list(corners.values()), scale=scale)
    order = _order(corners, scale, size, context, middles)
    centre = _centre(context, middles)
    found: list[Sheet] = []
    for key, number in sorted(keys.items()):
        extent: shapely.Polygon | None = None
        source: Source = "number"
        own_scale = scale
        if key in index:
            extent, source = index[key], "index"
            own_scale = plan.scale or scale_of(index[key])
        elif key in corners:
            extent = corner_extent(corners[key], scale=scale, size=size, centre=centre, order=order)
        elif (standard := standard_extent(number, crs=context.crs.text)) is not None:
            extent, own_scale = standard
        elif key in middles and plan.scale is not None:
            extent, source = lattice_extent(middles[key], scale=scale, size=size), "features"
        if extent is not None:
            found.append(Sheet(number=number, extent=extent, scale=own_scale, source=source))
    return found, order


def _told_scale(
    rest: Mapping[str, str],
    corners: Mapping[str, Any],
    index: Mapping[str, shapely.Polygon],
    context: BuildContext,
) -> int:
    """Return the scale that numbers tell: two decimals are of 1:500 alone."""
    if any(corner.decimals >= 2 for corner in corners.values()):
        return 500
    untold = [n for key, n in rest.items() if standard_extent(n, crs=context.crs.text) is None]
    if untold:
        example = untold[0]
        raise _refuse(
            f"The scale of sheet {example} can not be told: state it, as scale = 1000, or deliver the sheet "
            "index as index = …",
            f"无法判断图幅 {example} 的比例尺：请在图层选项中写明 scale = 1000，或交付接图表 index。",
        )
    return scale_of(next(iter(index.values()))) if index else 500


def _centre(
    context: BuildContext, middles: Mapping[str, tuple[float, float]]
) -> tuple[float, float]:
    areas = context.features("areas")
    if len(areas):
        west, south, east, north = areas.total_bounds
        return (float(west + east) / 2, float(south + north) / 2)
    if not middles:
        return (500_000.0, 4_000_000.0)
    east, north = np.median(np.array(list(middles.values())), axis=0)
    return (float(east), float(north))


def _order(
    corners: Mapping[str, Any],
    scale: int,
    size: Size,
    context: BuildContext,
    middles: Mapping[str, tuple[float, float]],
) -> Order:
    """Return which figure is north: the first, unless more sheets hold their features the other way."""
    centre = _centre(context, middles)
    orders: tuple[Order, Order] = ("north", "east")
    holds = {
        order: sum(
            shapely.dwithin(
                corner_extent(corner, scale=scale, size=size, centre=centre, order=order),
                shapely.Point(middles[key]),
                1.0,
            )
            for key, corner in corners.items()
            if key in middles
        )
        for order in orders
    }
    return "east" if holds["east"] > holds["north"] else "north"


def read_index(plan: SheetPlan, context: BuildContext) -> dict[str, shapely.Polygon]:
    """Return the extents of the sheet index 接图表 by key, empty where none was delivered.

    Raises
    ------
    DeliveryError
        It has no column of sheet numbers, or a number twice.
    """
    if plan.index is None:
        return {}
    stated = {"sheet": plan.index_field} if plan.index_field else None
    frame = read_layer(plan.index, "index", context)
    mapped = map_fields(frame, dataset="topography", stated=stated).frame
    if "sheet" not in mapped:
        there = ", ".join(str(name) for name in frame.columns if name != "geometry")
        raise _refuse(
            f'{plan.index} has no column of sheet numbers ({there}): name it, as index_field = "TFH".',
            f"接图表 {plan.index} 中找不到图幅号列（{there}）：请用 index_field 指明。",
        )
    rows = gpd.GeoDataFrame(mapped[mapped["sheet"].notna() & mapped.geometry.notna()])
    keys = rows["sheet"].map(lambda number: sheet_key(str(number)))
    if keys.duplicated().any():
        number = keys[keys.duplicated()].iloc[0]
        raise _refuse(
            f"{plan.index} has sheet {number} twice: keep one of the two.",
            f"接图表 {plan.index} 中图幅 {number} 重复：请保留一个。",
        )
    shapes = shapely.make_valid(rows.geometry.to_numpy(), method="structure")
    polygons = {
        str(key): max(shapely.get_parts(shape), key=lambda part: part.area)
        for key, shape in zip(keys, shapes, strict=True)
        if shapely.get_dimensions(shape) == 2
    }
    return {key: shapely.force_2d(polygon) for key, polygon in polygons.items()}


def read_layer(name: str, option: str, context: BuildContext) -> gpd.GeoDataFrame:
    """Return a file that an option names, in the city's CRS; its CRS may be that of the layers."""
    delivery = context.delivery
    path: Path = resolve_inside(name, root=delivery.root, where=f"option {option}")
    crs = next((layer.crs for layer in delivery.layers_of("topography") if layer.crs), None)
    try:
        layer = read_vector(path, target_crs=context.crs.text)
    except DeliveryError:
        if crs is None:
            raise
        layer = read_vector(path, target_crs=context.crs.text, crs=crs)
    return gpd.GeoDataFrame(layer.frame)


def survey_days(context: BuildContext) -> dict[str, tuple[date | None, str | None]]:
    """Return file -> day of its survey and contractor, as the options of its layer say.

    Raises
    ------
    DeliveryError
        A day is none.
    """
    delivery = context.delivery
    found: dict[str, tuple[date | None, str | None]] = {}
    for layer in delivery.layers_of("topography"):
        day = layer.options.get("surveyed_on")
        if day is not None and type(day) is not date:
            raise _refuse(
                f"Option surveyed_on is {day!r}: write a day, as surveyed_on = 2026-03-01.",
                f"选项 surveyed_on 的值 {day!r} 应为日期，例如 surveyed_on = 2026-03-01。",
            )
        contractor = _text("contractor", layer.options.get("contractor"))
        for path in layer.files:
            found[delivery.source_name(layer, path)] = (day, contractor)
    return found


def _refuse(message: str, zh: str) -> DeliveryError:
    return DeliveryError(message, zh=zh)
