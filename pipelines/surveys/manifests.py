"""A manifest proposed for a folder or archive that has none: what each layer is, by evidence.

What is proved stands in the manifest; what is only likely stands there as a comment that says why, for
a person to confirm. Nothing is loaded.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from census.taxonomy import Taxonomy
from gis.errors import CrsError, DeliveryError
from gis.fields import RESERVED, find_column, map_fields
from gis.sheets import list_sheets, read_sheet
from gis.sources import Layer
from gis.vector import list_layers, read_vector
from pipelines.delivery import MANIFEST_NAME
from pipelines.files import is_data
from pipelines.layers import SPATIAL
from pipelines.surveys.evidence import (
    class_of_name,
    guess_class,
    guess_crs,
    guess_dataset,
    guess_fields,
    point_columns,
)
from pipelines.surveys.proposal import Entry, Proposal, quoted
from pipelines.unpacking import all_files

_MANY = (".gpkg", ".gdb")
_SHOWN = 5
_SHEETS = (".csv", ".csv.gz", ".xlsx")
_IMAGES = (".tif", ".tiff")
_BESIDE = (".dbf", ".shx", ".prj", ".cpg", ".sbn", ".sbx", ".xml", ".qix", ".qmd", ".aux")
_ADVICE = {
    ".rar": "unpack it",
    ".7z": "unpack it",
    ".zip": "it can not be unpacked safely; ask for it again",
    ".dwg": "save it as .dxf",
    ".mdb": "export its layers to a GeoPackage",
    ".xls": "save it as .xlsx",
    ".tab": "export it as shapefile or GeoPackage",
}


@dataclass(frozen=True, kw_only=True)
class Hints:
    """What is known of the city whose delivery it is."""

    taxonomy: Taxonomy
    crs: str
    """The city's CRS, in which coordinates without zone number are likely to be."""
    local: dict[str, list[str]] = field(default_factory=dict)
    """The city's own spellings of columns."""


def propose_manifest(
    path: Path,
    *,
    hints: Hints,
    as_of: date | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Proposal:
    """Propose a manifest for every layer in a folder or zip archive.

    Parameters
    ----------
    path : Path
        Folder or ``.zip``, with a manifest or without.
    hints : Hints
        Classes, CRS and spellings of the city.
    as_of : date or None
        Day that the files describe; None: the day of the newest file, said to be a guess.
    advance : callable
        Called with 1 after each file.

    Raises
    ------
    DeliveryError
        It is no folder or archive, the archive can do harm, or nothing in it is read.
    """
    entries: list[Entry] = []
    unread: dict[str, str] = {}
    newest = 0.0
    with all_files(path) as files:
        stems = {name.rsplit(".", 1)[0] for name, _ in files if name.lower().endswith(".shp")}
        for name, file in files:
            if PurePosixPath(name).name == MANIFEST_NAME:
                continue
            if is_data(file):
                newest = max(newest, file.stat().st_mtime)
                found = list(_entries(name, file, hints=hints))
                entries.extend(found)
            elif (why := _why_unread(name, stems)) is not None:
                unread[name] = why
            advance(1)
    if not entries:
        shown = "; ".join(f"{name}: {why}" for name, why in list(unread.items())[:_SHOWN])
        told = f" ({shown})" if shown else ""
        msg = f"{path} holds nothing that is read{told}: deliver .shp, .gpkg, .gdb, .dxf, .csv or .xlsx."
        raise DeliveryError(
            msg,
            zh=f"{path} 中没有可读取的文件{told}：请提交 .shp、.gpkg、.gdb、.dxf、.csv 或 .xlsx。",
        )
    day = as_of or datetime.fromtimestamp(newest).astimezone().date()
    name = path.resolve().name.removesuffix(".zip").removesuffix(".ZIP")
    return Proposal(name=name, as_of=day, entries=tuple(entries), unread=unread)


def _why_unread(name: str, stems: set[str]) -> str | None:
    """Return why a file is not read; None: it is part of one that is, or of no interest."""
    suffix = PurePosixPath(name).suffix.lower()
    stem = name.rsplit(".", 1)[0]
    if suffix in _BESIDE:
        is_part = stem in stems or stem.removesuffix(".shp") in stems
        is_lone = suffix in (".dbf", ".shx") and not is_part
        return f"there is no {PurePosixPath(stem).name}.shp beside it" if is_lone else None
    return _ADVICE.get(suffix, "it is of a kind that is not read")


def _entries(name: str, file: Path, *, hints: Hints) -> Iterator[Entry]:
    lower = name.lower()
    if lower.endswith(_IMAGES):
        yield Entry(
            path=name,
            dataset="imagery",
            problems=("state dem and rpc under [layer.options] if it is a raw image",),
        )
        return
    try:
        parts: Sequence[str | None] = (
            list_layers(file)
            if lower.endswith(_MANY)
            else list_sheets(file)
            if lower.endswith(".xlsx")
            else [None]
        )
    except DeliveryError as error:
        yield Entry(path=name, problems=(error.message,))
        return
    for part in parts:
        yield _entry(name, file, part if len(parts) > 1 else None, hints=hints)


def _entry(name: str, file: Path, part: str | None, *, hints: Hints) -> Entry:
    is_sheet = name.lower().endswith(_SHEETS)
    where: dict[str, Any] = {"sheet" if is_sheet else "layer": part} if part else {}
    lines: list[str] = []
    problems: list[str] = []
    try:
        found = _look(file, part, is_sheet=is_sheet, hints=hints, lines=lines, problems=problems)
    except DeliveryError as error:
        return Entry(path=name, **where, problems=(error.message,))
    frame = found.frame
    names = [part, *reversed(PurePosixPath(name).with_suffix("").parts)]
    said = [text for text in names if text]
    class_code = next((c for text in said if (c := class_of_name(text, hints.taxonomy))), None)
    columns = [str(column) for column in frame.columns if column not in RESERVED]
    if class_code is None and isinstance(frame, gpd.GeoDataFrame):
        class_code = guess_class(frame, said, hints.taxonomy).class_field
    dataset = guess_dataset(
        "/".join(said),
        columns,
        has_geometry=isinstance(frame, gpd.GeoDataFrame),
        class_code=class_code,
    )
    if dataset is None:
        problems.append("nothing says what it is: state its dataset, or leave it out")
        lines.append(f"# columns: {', '.join(columns)}")
        return Entry(
            path=name, **where, rows=len(frame), lines=tuple(lines), problems=tuple(problems)
        )
    if is_sheet and dataset in SPATIAL:
        lines.extend(_point_lines(frame, problems=problems, city=hints.crs))
        frame = frame.drop(columns=list(point_columns(frame) or ()))
    stated: dict[str, str] = {}
    if dataset == "components":
        lines.extend(_class_lines(frame, said, hints=hints, problems=problems, stated=stated))
    lines.extend(_field_lines(frame, dataset, hints=hints, problems=problems, stated=stated))
    return Entry(
        path=name,
        **where,
        dataset=dataset,
        rows=len(frame),
        lines=tuple(lines),
        problems=tuple(problems),
    )


def _look(
    file: Path,
    part: str | None,
    *,
    is_sheet: bool,
    hints: Hints,
    lines: list[str],
    problems: list[str],
) -> Layer:
    """Read a layer; of one without CRS, say which its coordinates look like."""
    if is_sheet:
        return read_sheet(file, sheet=part)
    try:
        return read_vector(file, layer=part, target_crs=hints.crs)
    except CrsError:
        # Read as if it were in the city's CRS, so that no coordinate is changed.
        found = read_vector(file, layer=part, target_crs=hints.crs, crs=hints.crs)
    guess = guess_crs(found.frame.geometry.to_numpy(), city=hints.crs)
    if guess is None:
        lines.append('# crs = "EPSG:…"   # the file states none')
        problems.append("it has no CRS and its coordinates look like none that is known: state crs")
    else:
        crs, why = guess
        lines.append(f"# crs = {quoted(crs)}   # the file states none; it looks like {why}")
        problems.append(f"it has no CRS; confirm {crs} ({why}) and take away the # before crs")
    return found


def _point_lines(frame: pd.DataFrame, *, problems: list[str], city: str) -> list[str]:
    pair = point_columns(frame)
    if pair is None:
        problems.append("it has no coordinate columns: state x_field and y_field, or leave it out")
        return []
    x, y = (pd.to_numeric(frame[name], errors="coerce").to_numpy() for name in pair)
    real = np.isfinite(x) & np.isfinite(y)
    shapes = gpd.points_from_xy(x[real], y[real])
    guess = guess_crs(np.asarray(shapes), city=city)
    crs, why = guess or ("EPSG:…", "none that is known")
    problems.append(f"a table states no CRS; confirm {crs} ({why}) and take away the # before crs")
    return [
        f"x_field = {quoted(pair[0])}",
        f"y_field = {quoted(pair[1])}",
        f"# crs = {quoted(crs)}   # it looks like {why}",
    ]


def _class_lines(
    frame: pd.DataFrame,
    names: Sequence[str],
    *,
    hints: Hints,
    problems: list[str],
    stated: dict[str, str],
) -> list[str]:
    guess = guess_class(frame, names, hints.taxonomy)
    if guess.class_code is not None:
        return [f"class_code = {quoted(guess.class_code)}   # {guess.why}"]
    if guess.class_field is not None:
        stated["class_code"] = guess.class_field
        return [f"class_field = {quoted(guess.class_field)}   # {guess.why}"]
    if guess.why:
        return [f"# no class_code: {guess.why}"]
    problems.append("nothing says which class its components are: state class_code or class_field")
    return ['# class_code = "…"   # nothing says which class these are']


def _field_lines(
    frame: pd.DataFrame,
    dataset: str,
    *,
    hints: Hints,
    problems: list[str],
    stated: dict[str, str],
) -> list[str]:
    """Return the table of columns: those chosen among several, told by value, or perhaps meant."""
    lines: list[str] = []
    local = hints.local if dataset == "components" else {}
    chosen = _choose_doubles(frame, dataset, stated=stated, lines=lines, problems=problems)
    mapping = map_fields(frame, dataset=dataset, stated={**stated, **chosen}, local=local)
    taken = [*mapping.mapped, *mapping.mapped.values()]
    if dataset == "components":
        told = guess_fields(frame, taken, digits=hints.taxonomy.code_length)
        for platform, (column, why) in told.items():
            lines.append(f"{platform} = {quoted(column)}   # {why}")
    for warning in mapping.warnings:
        lines.append(f"# {warning.en}")
    if mapping.unmapped:
        lines.insert(0, f"# not known, kept as attributes: {', '.join(mapping.unmapped)}")
    if mapping.mapped:
        shown = ", ".join(f"{own} = {column}" for own, column in mapping.mapped.items())
        lines.insert(0, f"# understood: {shown}")
    has_table = any(not line.startswith("#") for line in lines)
    return ["[layer.fields]", *lines] if has_table else lines


def _choose_doubles(
    frame: pd.DataFrame,
    dataset: str,
    *,
    stated: dict[str, str],
    lines: list[str],
    problems: list[str],
) -> dict[str, str]:
    """Return the fuller of columns that stand for one platform column."""
    found: dict[str, list[str]] = {}
    for column in frame.columns:
        platform = find_column(str(column), dataset=dataset)
        taken = column in RESERVED or str(column) in stated.values()
        if platform is not None and platform not in stated and not taken:
            found.setdefault(platform, []).append(str(column))
    chosen = {}
    for platform, columns in found.items():
        if len(columns) > 1:
            best = max(columns, key=lambda column: int(frame[column].notna().sum()))
            chosen[platform] = best
            others = ", ".join(column for column in columns if column != best)
            lines.append(f"{platform} = {quoted(best)}   # the fuller one; {others} means it too")
            problems.append(
                f"{', '.join(columns)} all stand for {platform}; {best} was taken, confirm it"
            )
    return chosen
