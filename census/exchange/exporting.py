"""An export of components: chosen, written in the form asked for, ready to be loaded again unchanged."""

import codecs
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pandas as pd

from census.exchange.columns import ColumnSet, word_list, write_word
from census.exchange.redelivery import write_manifest
from census.exchange.rows import (
    ExportRows,
    Selection,
    area_names,
    export_rows,
    read_components,
)
from census.exchange.shapefiles import write_shapefiles
from census.exchange.stamp import KIND, stamp_path
from census.exchange.writing import (
    FORMATS,
    Format,
    Written,
    aside,
    split_parts,
    write_csv,
    write_geopackage,
    write_parquet,
)
from census.migration import fitting_extensions
from census.taxonomy import CODE_LENGTHS, STANDARDS, read_taxonomy
from gis.builds import list_builds, live
from gis.crs import city_crs
from gis.database import Database
from gis.errors import NotFoundError, RequestError
from gis.workspace import Workspace

STEM = "components"
MOST_UNITS = 500
"""Units that a form offers to choose from; a longer list is no list."""


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """What to export, and how."""

    path: Path
    """A file (.gpkg, .parquet, .csv), or a folder, which also gets a ``delivery.toml``."""
    format: Format | None = None
    """None: by the file's ending; of a folder: gpkg."""
    names: ColumnSet | None = None
    """Names of the columns; None: survey for shapefiles, else the platform's."""
    selection: Selection = field(default_factory=Selection)
    by_class: bool = False
    """One layer or file per class."""
    encoding: str = "GBK"
    """Of shapefiles."""
    lonlat: bool = False
    """Longitude and latitude in a table."""
    replace: bool = False
    """Replace what is there."""


@dataclass(frozen=True, kw_only=True)
class ExportResult:
    """What was exported."""

    path: str
    format: str
    rows: int
    layers: tuple[tuple[str, str, int], ...]
    """File, layer (blank: the file has one), rows."""
    build_id: int | None
    """Newest live build of components that it shows; None: there is none."""
    data_version: str
    as_of: date
    is_loadable: bool
    """A ``delivery.toml`` beside it loads it again and changes nothing."""
    warnings: tuple[str, ...]


def export_components(
    database: Database, workspace: Workspace, request: ExportRequest
) -> ExportResult:
    """Write the components that are live, or were on a day, with the version that they were made from.

    Nothing is at `request.path` until all is written.

    Raises
    ------
    RequestError
        The ending of the file is of no format, or format and file do not go together.
    NotFoundError
        A class or district has no components.
    FileFormatError
        The path is taken, or its folder is missing.
    """
    format_, is_folder = choose_format(request)
    _check_options(request, format_)
    names = request.names or ("survey" if format_ == "shp" else "platform")
    frame = read_components(database, request.selection)
    _check_found(frame, request.selection)
    rows = export_rows(
        frame,
        names=names,
        areas=area_names(database, request.selection.as_of) if names == "2026" else {},
        encoding=request.encoding if format_ == "shp" else None,
    )
    stamp = make_stamp(database, workspace, frame, request.selection)
    with aside(request.path, is_folder=is_folder, replace=request.replace) as folder:
        file = folder / (f"{STEM}.{format_}" if is_folder else request.path.name)
        written = _write(rows, file, _Job(database, workspace, request, format_, names, stamp))
        if is_folder:
            stamp_path(folder / STEM).write_bytes(orjson.dumps(stamp, option=orjson.OPT_INDENT_2))
        can_load = is_folder and request.selection.as_of is None
        loadable = can_load and write_manifest(
            folder, rows, written=written, stamp=stamp, name=request.path.absolute().name
        )
    return ExportResult(
        path=str(request.path),
        format=format_,
        rows=len(frame),
        layers=written.layers,
        build_id=int(stamp["build_id"]) if stamp["build_id"] else None,
        data_version=stamp["data_version"],
        as_of=date.fromisoformat(stamp["as_of"]),
        is_loadable=loadable,
        warnings=(*rows.warnings, *written.warnings),
    )


def choose_format(request: ExportRequest) -> tuple[Format, bool]:
    """Return the format, and whether the path is a folder.

    Raises
    ------
    RequestError
        The ending is of no format, or another than the one asked for.

    Examples
    --------
    >>> choose_format(ExportRequest(path=Path("a.gpkg"))), choose_format(ExportRequest(path=Path("a")))
    (('gpkg', False), ('gpkg', True))
    """
    suffix = request.path.suffix.lower().removeprefix(".")
    if suffix == "shp":
        msg = f"{request.path.name}: a shapefile is many files; name a folder, with --format shp."
        raise RequestError(
            msg,
            zh=f"{request.path.name}：Shapefile 由多个文件组成，请给出文件夹并加 --format shp。",
        )
    if suffix in FORMATS:
        if request.format not in (None, suffix):
            msg = f"{request.path.name} is not a file of format {request.format}: name a folder, or leave --format out."
            raise RequestError(msg, zh=f"{request.path.name} 与格式 {request.format} 不符。")
        return suffix, False
    if suffix and request.format is None:
        msg = f"{request.path.name} can not be written: use .gpkg, .parquet or .csv, or a folder with --format."
        raise RequestError(
            msg,
            zh=f"无法写出 {request.path.name}：请使用 .gpkg、.parquet、.csv 或文件夹加 --format。",
        )
    return request.format or "gpkg", True


def _check_options(request: ExportRequest, format_: Format) -> None:
    """Refuse options that would do nothing, and an encoding that does not exist."""
    try:
        codecs.lookup(request.encoding)
    except LookupError as error:
        msg = f"There is no encoding {request.encoding}: use GBK, GB18030 or UTF-8."
        raise RequestError(
            msg, zh=f"没有编码 {request.encoding}：请使用 GBK、GB18030 或 UTF-8。"
        ) from error
    idle = {
        "--by-class": request.by_class and format_ not in ("gpkg", "shp"),
        "--lonlat": request.lonlat and format_ != "csv",
    }
    for option, is_idle in idle.items():
        if is_idle:
            msg = f"{option} does nothing in format {format_}: leave it out, or choose another format."
            raise RequestError(msg, zh=f"{option} 对格式 {format_} 无效：请去掉或改用其他格式。")


def _check_found(frame: pd.DataFrame, selection: Selection) -> None:
    """Refuse a choice that names what is not there; an empty city is exported as it is."""
    for code in selection.classes:
        if not frame["class_code"].eq(code).any():
            msg = f"No component of class {code} is there: `wanmi codes list` shows the classes."
            raise NotFoundError(msg, zh=f"没有类别 {code} 的部件：请用 wanmi codes list 查看类别。")
    for code in selection.districts:
        if not frame["code"].str.startswith(code).any():
            msg = f"No component has a code that begins with {code}: check the district."
            raise NotFoundError(msg, zh=f"没有以 {code} 开头的部件标识码：请核对行政区代码。")


def make_stamp(
    database: Database, workspace: Workspace, frame: pd.DataFrame, selection: Selection
) -> dict[str, str]:
    """Return what an export says of the version it was made from; see `census.exchange.stamp`."""
    builds = list_builds(database)
    builds = builds[builds["dataset"].eq("components") & builds["status"].eq("live")]
    if selection.as_of is not None:
        builds = builds[builds["as_of"] <= selection.as_of]
    digest = hashlib.sha256()
    for code, content in zip(frame["code"], frame["content_hash"], strict=True):
        digest.update(f"{code} {content}\n".encode())
    newest = None if builds.empty else builds.iloc[0]
    day = selection.as_of or (today(workspace) if newest is None else newest["as_of"])
    profile = workspace.profile
    return {
        "kind": KIND,
        "build_id": "" if newest is None else str(newest["build_id"]),
        "data_version": digest.hexdigest()[:16],
        "as_of": str(day),
        "exported_at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "city": profile.city.code,
        "standard": profile.city.standard,
        "crs": city_crs(profile, workspace.root).text,
        "rows": str(len(frame)),
        "classes": ",".join(selection.classes),
        "districts": ",".join(selection.districts),
    }


def today(workspace: Workspace) -> date:
    """Return the day it is in the city."""
    return datetime.now(tz=ZoneInfo(workspace.profile.city.timezone)).date()


@dataclass(frozen=True)
class _Job:
    database: Database
    workspace: Workspace
    request: ExportRequest
    format: Format
    names: ColumnSet
    stamp: dict[str, str]


def _write(rows: ExportRows, file: Path, job: _Job) -> Written:
    crs = job.stamp["crs"]
    if job.format == "parquet":
        return write_parquet(rows, file, stamp=job.stamp)
    if job.format == "csv":
        return write_csv(rows, file, crs=crs, lonlat=job.request.lonlat)
    classes = class_names(job.workspace, rows.classes)
    parts = split_parts(rows, by_class=job.request.by_class, class_names=classes)
    job.stamp["layers"] = ",".join(part.name for part in parts)
    if job.format == "shp":
        encoding = job.request.encoding
        return write_shapefiles(rows, file.parent, parts=parts, crs=crs, encoding=encoding)
    domains = value_lists(job.database, classes, job.names, as_of=job.request.selection.as_of)
    return write_geopackage(rows, file, parts=parts, crs=crs, stamp=job.stamp, domains=domains)


def class_names(workspace: Workspace, classes: "pd.Series[str]") -> dict[str, str]:
    """Return code -> name of the minor classes of the city, and of those met in rows of older generations."""
    profile = workspace.profile
    own = read_taxonomy(profile.city.standard, profile.extension_class)
    names = {entry.code: entry.name for entry in own.all("component")}
    for code in sorted(set(classes.dropna()) - set(names)):
        fitting = [ref for ref in reversed(STANDARDS) if CODE_LENGTHS[ref] == len(code)]
        entries = [
            read_taxonomy(ref, fitting_extensions(profile.extension_class, ref)).get(
                "component", code
            )
            for ref in fitting
        ]
        names[code] = next((entry.name for entry in entries if entry is not None), code)
    return dict(sorted(names.items()))


def value_lists(
    database: Database, classes: Mapping[str, str], names: ColumnSet, *, as_of: date | None = None
) -> dict[str, dict[str, str]]:
    """Return domain -> value as written -> meaning, for forms: classes, standards, units, words."""
    lists: dict[str, dict[str, str]] = {
        "class": dict(classes),
        "standard": {ref: ref for ref in STANDARDS},
    }
    for subject in ("condition", "ownership"):
        words = word_list(subject)
        is_platform = names == "platform"
        lists[subject] = {
            value if is_platform else str(write_word(subject, value)): word
            for value, word in words.items()
        }
    units = live(database, "units", columns=["code", "name"], as_of=as_of)
    if 0 < len(units) <= MOST_UNITS:
        lists["unit"] = dict(zip(units["code"], units["name"], strict=True))
    return lists
