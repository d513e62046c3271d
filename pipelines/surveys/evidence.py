"""What a layer without a manifest is, by evidence: its dataset, its class, its CRS, its columns."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from census.identifiers import split_component_codes
from census.survey import known_words, read_dates
from census.taxonomy import Taxonomy, plain_name
from census.units import is_credit_code
from gis.fields import RESERVED, find_column

_PLACES: tuple[tuple[str, str], ...] = (
    ("components", "部件|component"),
    ("unit_grids", "单元网格|万米网格|unit.?grid"),
    ("management_grids", "管理网格|责任网格"),
    ("evaluation_grids", "评价网格"),
    ("addresses", "门牌|门楼牌|地址|兴趣点|地片|区片|POI|address"),
    ("place_names", "地名|place.?name"),
    ("units", "单位名录|单位目录|责任单位|^单位|units"),
    ("responsibility", "职责|分解方案|responsib"),
    ("cases", "案件|工单|cases?$"),
    ("areas", "行政区|社区|街道|区县|居委|areas?$"),
    ("topography", "地形|道路|水系|房屋|建筑|院落|绿地|topograph|roads?$|building"),
)
"""Dataset -> words in the names of files, layers and folders; the first that fits."""
_VAGUE = frozenset({"code", "name", "remark", "class_code", "attributes"})
"""Columns that nearly every dataset has."""
_NAME_SCORE, _CLASS_SCORE, _LEAST_SCORE = 3, 5, 2
_LEAST_CLASS_NAME = 2
_LEAST_CLASSES = 2
"""A dialling code may look like a class; several classes in one column are no accident."""
_SHARE = 0.9
_NAMED_SHARE = 0.5
"""Enough for a column whose name says so too."""
_STRAY = 0.05
_FEW = 5
_ZONE_3_FIRST, _ZONE_6_FIRST = 25, 13


@dataclass(frozen=True, kw_only=True)
class ClassGuess:
    """The class of a layer's rows, or the column that says it."""

    class_code: str | None = None
    class_field: str | None = None
    why: str = ""


def guess_dataset(
    name: str, columns: Sequence[str], *, has_geometry: bool, class_code: str | None
) -> str | None:
    """Return the dataset that a layer most likely is of; None: nothing speaks for any.

    Parameters
    ----------
    name : str
        Path and layer, as they are called.
    columns : sequence of str
        The file's columns.
    has_geometry : bool
        Whether the layer has shapes.
    class_code : str or None
        Component class that the name says.

    Examples
    --------
    >>> guess_dataset("部件/0104雨水箅子.shp", ["ObjID"], has_geometry=True, class_code="0104")
    'components'
    >>> guess_dataset("a.csv", ["x"], has_geometry=False, class_code=None) is None
    True
    """
    scores: dict[str, int] = {}
    for dataset, _ in _PLACES:
        found = {find_column(column, dataset=dataset) for column in columns} - {None} - _VAGUE
        scores[dataset] = len(found)
    named = next((dataset for dataset, words in _PLACES if re.search(words, name, re.I)), None)
    if named is not None:
        scores[named] += _NAME_SCORE
    if class_code is not None:
        scores["components"] += _CLASS_SCORE
    if has_geometry:
        for table in ("units", "responsibility", "cases"):
            scores.pop(table)
    best = max(scores, key=lambda dataset: scores[dataset])
    return best if scores[best] >= _LEAST_SCORE else None


def class_of_name(name: str, taxonomy: Taxonomy) -> str | None:
    """Return the component class that a file's or layer's name says, by code or by Chinese name.

    Examples
    --------
    >>> from census.taxonomy import read_taxonomy
    >>> taxonomy = read_taxonomy("GB/T 30428.2-2013")
    >>> class_of_name("雨水箅子_2026", taxonomy), class_of_name("BJ0104", taxonomy)
    ('0104', '0104')
    >>> class_of_name("2026", taxonomy) is None
    True
    """
    for part in re.findall(rf"(?<!\d)\d{{{taxonomy.code_length}}}(?!\d)", name):
        if taxonomy.exists("component", part) and not _is_year(part):
            return str(part)
    words = plain_name(name)
    spellings = {
        plain_name(spelling): entry.code
        for entry in taxonomy.all("component")
        for spelling in (*entry.aliases, entry.name)
        if len(spelling) >= _LEAST_CLASS_NAME and spelling in words
    }
    if not spellings:
        return None
    longest = max(spellings, key=len)
    codes = {code for spelling, code in spellings.items() if len(spelling) == len(longest)}
    return codes.pop() if len(codes) == 1 else None


def _is_year(text: str) -> bool:
    return text.startswith(("19", "20")) and len(text) == len("2026")


def guess_class(frame: pd.DataFrame, names: Sequence[str], taxonomy: Taxonomy) -> ClassGuess:
    """Return the class of a component layer: a column that says it for each row, else the name.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows with the file's columns.
    names : sequence of str
        Layer, file, folder: the nearest first.
    taxonomy : Taxonomy
        Classes of the city.
    """
    said = next((code for name in names if (code := class_of_name(name, taxonomy))), None)
    column = _class_column(frame, taxonomy)
    if column is not None and (said is None or frame[column].nunique() > 1):
        return ClassGuess(class_field=column, why="its values are classes")
    if said is not None:
        entry = taxonomy.get("component", said)
        return ClassGuess(class_code=said, why=entry.name if entry else "")
    if _codes_say_it(frame, taxonomy):
        return ClassGuess(why="the component codes say it")
    return ClassGuess()


def _codes_say_it(frame: pd.DataFrame, taxonomy: Taxonomy) -> bool:
    by_name = {find_column(str(column), dataset="components"): column for column in frame}
    values = _texts(frame[by_name["code"]]) if "code" in by_name else pd.Series(dtype=object)
    if len(values) == 0:
        return False
    parts = split_component_codes(values, class_digits=taxonomy.code_length)["class_code"]
    known = parts.map(lambda code: isinstance(code, str) and taxonomy.exists("component", code))
    return bool(known.mean() >= _SHARE)


def _class_column(frame: pd.DataFrame, taxonomy: Taxonomy) -> str | None:
    by_name = {find_column(str(column), dataset="components"): str(column) for column in frame}
    candidates = [by_name["class_code"]] if "class_code" in by_name else []
    if not candidates and not _codes_say_it(frame, taxonomy):
        candidates = [str(column) for column in frame if str(column) not in RESERVED]
    for column in candidates:
        values = _texts(frame[column])
        is_named = column == by_name.get("class_code")
        if len(values) < (1 if is_named else _LEAST_CLASSES):
            continue
        known = values.map(
            lambda text: (
                taxonomy.exists("component", taxonomy.restore(text))
                or taxonomy.find("component", text) is not None
            )
        )
        if known.mean() >= (_NAMED_SHARE if is_named else _SHARE):
            return column
    return None


def guess_fields(
    frame: pd.DataFrame, taken: Sequence[str], *, digits: int
) -> dict[str, tuple[str, str]]:
    """Return platform column -> (the file's column, why) for columns told by their values.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows with the file's columns.
    taken : sequence of str
        Platform columns and columns of the file that names have settled.
    digits : int
        Digits of a class code.
    """
    found: dict[str, tuple[str, str]] = {}
    for column in frame.columns:
        if str(column) in taken or str(column) in RESERVED:
            continue
        values = _texts(frame[column])
        if frame[column].notna().sum() < _FEW or len(values) == 0:
            continue
        for platform, why in _by_values(values, digits=digits):
            if platform not in found and platform not in taken:
                found[platform] = (str(column), why)
                break
    return found


def _by_values(values: "pd.Series[str]", *, digits: int) -> list[tuple[str, str]]:
    checks: Mapping[tuple[str, str], pd.Series[bool]] = {
        ("code", "its values are component codes"): split_component_codes(
            values, class_digits=digits
        )["is_code"],
        ("condition", "its values are conditions"): values.str.casefold().isin(
            known_words("condition")
        ),
        ("owner_code", "its values are unified social credit codes; whose is not said"): values.map(
            is_credit_code
        ),
        ("initial_date", "its values are dates"): read_dates(values).notna()
        & ~values.str.fullmatch(r"\d{1,5}(?:\.0)?"),
    }
    return [pair for pair, hits in checks.items() if hits.astype(bool).mean() >= _SHARE]


def _texts(column: "pd.Series[object]") -> "pd.Series[str]":
    """Return up to 2,000 distinct values as text."""
    values = column.dropna()
    if pd.api.types.is_float_dtype(values) and (values % 1 == 0).all():
        values = values.astype("int64")
    texts = values.drop_duplicates().head(2000).map(str).str.strip()
    return texts[texts.ne("")]


def guess_crs(geometry: NDArray[np.object_], *, city: str) -> tuple[str, str] | None:
    """Return the CRS that coordinates look like and why; None: they look like none.

    A guess for a person to confirm: coordinates of GCJ-02 look like those of CGCS2000.

    Examples
    --------
    >>> guess_crs(shapely.points([[114.5, 38.0]]), city="EPSG:4547")[0]
    'EPSG:4490'
    >>> guess_crs(shapely.points([[38_543_000.0, 4_214_000.0]]), city="EPSG:4547")[0]
    'EPSG:4526'
    """
    bounds = shapely.bounds(geometry)
    bounds = bounds[np.isfinite(bounds).all(axis=1)]
    if len(bounds) == 0:
        return None
    # A stray row says nothing of the file.
    west, south = np.quantile(bounds[:, :2], _STRAY, axis=0)
    east, north = np.quantile(bounds[:, 2:], 1 - _STRAY, axis=0)
    if west >= 70 and east <= 140 and south >= 3 and north <= 55:
        return "EPSG:4490", "degrees; if they are from a web map, GCJ-02 or BD-09"
    if west >= -180 and east <= 180 and south >= -90 and north <= 90:
        return "EPSG:4326", "degrees, outside China"
    zone = int(west // 1_000_000)
    if zone == int(east // 1_000_000) and south > 1_000_000:
        if _ZONE_3_FIRST <= zone <= 45:
            return (
                f"EPSG:{4513 + zone - _ZONE_3_FIRST}",
                f"metres with zone number {zone} before them",
            )
        if _ZONE_6_FIRST <= zone <= 23:
            return (
                f"EPSG:{4491 + zone - _ZONE_6_FIRST}",
                f"metres with zone number {zone} before them",
            )
    if west > 0 and east < 1_000_000 and 1_000_000 < south <= north < 6_500_000:
        return city, "metres without zone number, so the city's own CRS or that of another zone"
    return None


def point_columns(frame: pd.DataFrame) -> tuple[str, str] | None:
    """Return the columns of east and north in a table; told apart by value, for X is north in surveying.

    Examples
    --------
    >>> point_columns(pd.DataFrame({"X": ["4214000"], "Y": ["540000"]}))
    ('Y', 'X')
    >>> point_columns(pd.DataFrame({"经度": ["114.5"], "纬度": ["38.0"]}))
    ('经度', '纬度')
    """
    east = _first(frame, r"(?:x|e|east|lon|lng|long|longitude|经度|横坐标|东坐标|x坐标|point_x)")
    north = _first(frame, r"(?:y|n|north|lat|latitude|纬度|纵坐标|北坐标|y坐标|point_y)")
    if east is None or north is None:
        return None
    middles = [pd.to_numeric(frame[name], errors="coerce").median() for name in (east, north)]
    is_metres = 100_000 < middles[1] < 1_000_000 < middles[0] < 6_500_000
    is_degrees = 3 < middles[0] < 55 and 70 < middles[1] < 140
    return (north, east) if is_metres or is_degrees else (east, north)


def _first(frame: pd.DataFrame, pattern: str) -> str | None:
    found = [str(name) for name in frame.columns if re.fullmatch(pattern, str(name).strip(), re.I)]
    return found[0] if found else None
