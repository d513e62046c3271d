"""The layers of a delivery, read into frames with platform columns, in the city's CRS."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from census.texts import FileFinding
from gis.crs import transform_xy
from gis.errors import CrsError, DeliveryError, WanmiError
from gis.fields import FieldMapping, map_fields
from gis.remarks import Remark
from gis.sheets import read_sheet
from gis.shift import Areas, index_areas
from gis.sources import FileReport, Layer
from gis.vector import read_vector
from pipelines import imagery
from pipelines.context import BuildContext
from pipelines.delivery import LayerSpec
from pipelines.responsibility.workbook import AREA, read_plan
from pipelines.values import is_missing, numbers_of, text_of
from pipelines.whereabouts import check_whereabouts

SPATIAL = frozenset({"areas", "topography", "unit_grids", "place_names", "addresses", "components"})
"""Datasets whose rows have a geometry; the others are read as plain tables."""
_NAMED_CRS = re.compile(r"EPSG:\d+|GCJ-02|BD-09")
_SOURCE = ("source_file", "source_row")
_SHEET_SUFFIXES = (".csv", ".csv.gz", ".xlsx")

Failed = Callable[[str, WanmiError], None]
"""Told of a file that can not be read, by its name in the delivery, and why."""


@dataclass(frozen=True, kw_only=True)
class Extract:
    """All layers of one dataset."""

    frame: pd.DataFrame
    """Rows of all files with unique index; a GeoDataFrame where the dataset has geometry."""
    reports: tuple[FileReport, ...]
    """One per file, its path relative to the delivery."""
    unmapped: dict[str, tuple[str, ...]]
    """File -> its columns that no platform column stands for."""
    columns: dict[str, dict[str, str]]
    """File -> platform column -> the file's column."""
    findings: tuple[FileFinding, ...] = ()
    """What reading found out about single values."""

    @property
    def warnings(self) -> tuple[Remark, ...]:
        """Doubts about whole files, file by file."""
        return tuple(
            Remark(en=f"{report.path}: {warning.en}", zh=f"{report.path}：{warning.zh}")
            for report in self.reports
            for warning in report.warnings
        )

    def as_delivered(self, record: dict[str, Any], file: str) -> dict[str, Any]:
        """Return a row under the names that its file gave the columns, without other files' columns."""
        whole = file if file in self.columns else file.partition("|")[0]
        names = self.columns.get(whole, {})
        own = {*names, *self.unmapped.get(whole, ())}
        return {
            names.get(name, name): value
            for name, value in record.items()
            if name in own or not is_missing(value)
        }


def extract(
    context: BuildContext,
    dataset: str,
    *,
    advance: Callable[[int], None] = lambda _: None,
    failed: Failed | None = None,
) -> Extract:
    """Read every file of `dataset`; what can not be read as a whole is an error.

    `advance` is called with 1 after each file. With `failed`, a file that can not be read is told to
    it and left out, and the others are read.

    Raises
    ------
    DeliveryError
        A file is broken, has no CRS, an undecidable encoding, or columns that contradict.
    """
    frames, reports, findings = [], [], list[FileFinding]()
    local = context.profile.census.fields if dataset == "components" else {}
    unmapped: dict[str, tuple[str, ...]] = {}
    columns: dict[str, dict[str, str]] = {}
    areas = _known_areas(context) if dataset in SPATIAL else None
    known = context.features(dataset) if dataset == "components" else None
    for spec in context.delivery.layers_of(dataset):
        for path in spec.files:
            name = context.delivery.source_name(spec, path)
            try:
                layer = _read(spec, path, context)
                mapping = mapped(layer, spec, path, local)
                words = (*layer.report.warnings, *mapping.warnings)
                report = replace(layer.report, path=name, warnings=words)
                report = _check(mapping.frame, report, spec, context, (areas, known))
            except WanmiError as error:
                if failed is None:
                    raise
                failed(name, error)
                continue
            unmapped[name] = tuple(mapping.unmapped)
            columns[name] = mapping.mapped
            findings.extend(_of_file(layer, name, mapping.mapped))
            reports.append(report)
            frames.append(with_layer(mapping.frame, spec, name))
            advance(1)
    return Extract(
        frame=_join(frames, context, dataset),
        reports=tuple(reports),
        unmapped=unmapped,
        columns=columns,
        findings=tuple(findings),
    )


def _of_file(layer: Layer, name: str, mapped: Mapping[str, str]) -> list[FileFinding]:
    platform = {column: own for own, column in mapped.items()}
    return [
        FileFinding(source_file=name, platform=platform.get(finding.column), finding=finding)
        for finding in layer.findings
    ]


def _known_areas(context: BuildContext) -> Areas | None:
    areas = context.features("areas")
    return index_areas(areas.geometry.to_numpy()) if len(areas) else None


def _check(
    frame: pd.DataFrame,
    report: FileReport,
    spec: LayerSpec,
    context: BuildContext,
    ground: tuple[Areas | None, gpd.GeoDataFrame | None],
) -> FileReport:
    """Compare where a file lies with the city's areas, known before all else, and with what is live."""
    if spec.dataset not in SPATIAL:
        return report
    stated = spec.crs or report.crs
    return check_whereabouts(
        gpd.GeoDataFrame(frame),
        report,
        source=stated if _NAMED_CRS.fullmatch(stated) else context.crs.text,
        city=context.crs.text,
        areas=ground[0],
        known=ground[1],
    )


def _read(spec: LayerSpec, path: Path, context: BuildContext) -> Layer:
    if spec.dataset == imagery.DATASET:
        return imagery.read_header(path)
    target = context.crs.text
    if _is_plan(spec, path):
        return read_plan(path, sheet=spec.sheet, stated=_stated(spec))
    if not path.name.lower().endswith(_SHEET_SUFFIXES):
        _refuse_points(spec)
        return read_vector(
            path,
            target_crs=target,
            layer=spec.layer,
            crs=spec.crs,
            encoding=spec.encoding,
            texts=bool(spec.options.get("annotation")),
        )
    layer = read_sheet(path, sheet=spec.sheet, encoding=spec.encoding)
    if spec.dataset not in SPATIAL:
        return layer
    return replace(layer, frame=points_from_table(layer.frame, spec, target=target))


def _is_plan(spec: LayerSpec, path: Path) -> bool:
    return spec.dataset == "responsibility" and path.suffix.lower() in (".xlsx", ".xlsm")


def _is_drawn(spec: LayerSpec, path: Path) -> bool:
    """Tell whether a file of the plan has shapes: areas that its rows name."""
    return spec.dataset == "responsibility" and not path.name.lower().endswith(_SHEET_SUFFIXES)


def mapped(
    layer: Layer, spec: LayerSpec, path: Path, local: Mapping[str, Sequence[str]]
) -> FieldMapping:
    """Return the rows of a file with platform columns."""
    if _is_plan(spec, path):  # the sheets of a plan were renamed as they were read
        return FieldMapping(frame=layer.frame, mapped={}, unmapped=())
    dataset = "plan_areas" if _is_drawn(spec, path) else spec.dataset
    return map_fields(layer.frame, dataset=dataset, stated=_stated(spec), local=local)


def _refuse_points(spec: LayerSpec) -> None:
    if spec.x_field is not None and spec.dataset != "cases":
        msg = f"{spec.path} has geometry of its own: remove x_field and y_field from its layer."
        raise DeliveryError(
            msg, zh=f"{spec.path} 自带几何图形：请从该图层中删除 x_field 和 y_field。"
        )


def points_from_table(table: pd.DataFrame, spec: LayerSpec, *, target: str) -> gpd.GeoDataFrame:
    """Make points of the two coordinate columns that the manifest names.

    Coordinates that are no numbers give no point: the row is judged as one without geometry.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows as delivered, all text.
    spec : LayerSpec
        Names ``x_field``, ``y_field`` and their ``crs``.
    target : str
        CRS of the points made.

    Raises
    ------
    DeliveryError
        The manifest names no columns, or the table lacks them.
    CrsError
        The manifest states no CRS for them.
    """
    if spec.x_field is None or spec.y_field is None:
        msg = (
            f"{spec.path} is a table without geometry: name its coordinate columns in the "
            'manifest, as x_field = "X" and y_field = "Y", and their crs.'
        )
        raise DeliveryError(
            msg,
            zh=f"{spec.path} 是没有几何图形的表：请在清单中写明坐标列 x_field、y_field 及其 crs。",
        )
    missing = [name for name in (spec.x_field, spec.y_field) if name not in table]
    if missing:
        there = ", ".join(str(name) for name in table.columns if name not in _SOURCE)
        msg = f"{spec.path} has no column {', '.join(missing)}; its columns are {there}."
        raise DeliveryError(
            msg, zh=f"{spec.path} 中没有列 {'、'.join(missing)}；现有的列为 {there}。"
        )
    if spec.crs is None:
        msg = f'{spec.path} states no CRS for its coordinates: add crs = "EPSG:4490" to its layer.'
        raise CrsError(
            msg, zh=f'{spec.path} 的坐标没有坐标系：请在该图层中补充 crs = "EPSG:4490"。'
        )
    x, y = numbers_of(table, spec.x_field), numbers_of(table, spec.y_field)
    east, north = transform_xy(x.to_numpy(), y.to_numpy(), source=spec.crs, target=target)
    points = np.full(len(table), None, dtype=object)
    real = np.isfinite(east) & np.isfinite(north)
    points[real] = shapely.points(east[real], north[real])
    rest = table.drop(columns=[spec.x_field, spec.y_field])
    return gpd.GeoDataFrame(rest, geometry=gpd.GeoSeries(points, index=table.index, crs=target))


def _stated(spec: LayerSpec) -> dict[str, str]:
    """Return the columns the manifest names itself, in ``[layer.fields]`` or by a key."""
    stated = dict(spec.fields)
    if (
        spec.class_field is not None
        and stated.setdefault("class_code", spec.class_field) != spec.class_field
    ):
        msg = (
            f"{spec.path}: class_field and class_code under [layer.fields] name two columns for the "
            "class: remove one of them."
        )
        raise DeliveryError(
            msg,
            zh=f"{spec.path}：class_field 与 [layer.fields] 的 class_code 指向两个列：请删除其一。",
        )
    if spec.dataset not in SPATIAL and spec.x_field is not None and spec.y_field is not None:
        stated.setdefault("x", spec.x_field)
        stated.setdefault("y", spec.y_field)
    return stated


def with_layer(frame: pd.DataFrame, spec: LayerSpec, name: str) -> pd.DataFrame:
    """Add what the manifest says of all rows of a layer."""
    added: dict[str, object] = {"source_file": name}
    if spec.class_code is not None:
        added["class_code"] = spec.class_code
    if spec.dataset == "place_names":
        added["is_annotation"] = bool(spec.options.get("annotation"))
    if spec.dataset == "responsibility" and "geometry" in frame:
        added["part"] = AREA
    if "sheet" in frame and "part" in frame and frame["sheet"].nunique() > 1:
        added["source_file"] = name + "|" + frame["sheet"].astype(str)
    if "standard" in spec.options:
        added["standard_ref"] = spec.options["standard"]
    if spec.dataset == "cases" and spec.crs is not None:
        added["crs"] = text_of(frame, "crs").fillna(spec.crs)
    return frame.assign(**added)


def _join(frames: list[pd.DataFrame], context: BuildContext, dataset: str) -> pd.DataFrame:
    if not frames:
        return no_rows(context, dataset)
    joined = pd.concat(frames, ignore_index=True)
    if dataset in SPATIAL:
        return gpd.GeoDataFrame(joined, geometry="geometry", crs=context.crs.crs)
    return pd.DataFrame(joined)


def no_rows(context: BuildContext, dataset: str) -> pd.DataFrame:
    """Return an empty frame of a dataset that the delivery does not have."""
    empty = pd.DataFrame({"code": [], "source_file": [], "source_row": []}, dtype=object)
    if dataset in SPATIAL:
        return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=context.crs.crs))
    return empty


def describe(extracted: Extract) -> dict[str, object]:
    """Return what ``meta.build.files`` keeps of each file: hash, encoding, CRS, rows, warnings."""
    return {
        str(report.path): {
            "sha256": report.sha256,
            "driver": report.driver,
            "rows": report.rows,
            "encoding": report.encoding,
            "encoding_evidence": report.encoding_evidence.en,
            "encoding_evidence_zh": report.encoding_evidence.zh,
            "crs": report.crs,
            "crs_source": report.crs_source,
            "warnings": [warning.en for warning in report.warnings],
            "warnings_zh": [warning.zh for warning in report.warnings],
            "unmapped": list(extracted.unmapped.get(str(report.path), ())),
            "columns": extracted.columns.get(str(report.path), {}),
        }
        for report in extracted.reports
    }


def evidence_of(entry: Mapping[str, Any]) -> Remark:
    """Return the evidence for a file's encoding from what `describe` kept; older builds kept no Chinese."""
    en = entry["encoding_evidence"]
    return Remark(en=en, zh=entry.get("encoding_evidence_zh", en))


def warnings_of(entry: Mapping[str, Any]) -> tuple[Remark, ...]:
    """Return the warnings about a file from what `describe` kept; older builds kept no Chinese."""
    told = entry["warnings"]
    pairs = zip(told, entry.get("warnings_zh", told), strict=True)
    return tuple(Remark(en=en, zh=zh) for en, zh in pairs)
