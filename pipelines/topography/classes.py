"""What class a feature is of: by its code, by words, or by the layer it was drawn in."""

from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.classification import TOPOGRAPHY_THEMES
from gis.codes import read_table
from gis.faults import Faults
from pipelines.topography.completeness import names_of_classes
from pipelines.values import code_of, text_of

CLASS_PATTERN = r"[1-8]\d{5}"
_LAYER_COLUMNS = ("layer", "Layer", "LAYER", "图层", "TC")
_THEMES_ZH = {
    "control": "测量控制点",
    "hydrography": "水系",
    "residential": "居民地及设施",
    "transport": "交通",
    "pipeline": "管线",
    "boundary": "境界与政区",
    "relief": "地貌",
    "vegetation": "植被与土质",
}
_KINDS = ("point", "line", "polygon")
_KINDS_ZH = {"point": "点", "line": "线", "polygon": "面"}
_CLOSED_LINE_POINTS = 4


@dataclass(frozen=True, kw_only=True)
class Classes:
    """The class of each row, and how it was told; all series aligned to the frame."""

    feature_class: "pd.Series[str]"
    """As the row, the layer's name or the manifest say; what is no code stays as it was written."""
    given: "pd.Series[str]"
    """Words that were read as a class; None elsewhere."""
    layer: "pd.Series[str]"
    """Layer whose name tells something; None elsewhere."""
    layer_class: "pd.Series[str]"
    """What the layer's name tells."""


def read_classes(frame: pd.DataFrame) -> Classes:
    """Return the class of each row: its own code, else its words, else the manifest's, else its layer's.

    Examples
    --------
    >>> rows = pd.DataFrame({"feature_class": ["310300", "围墙", None], "layer": ["JMD", "YZH", "GCD"]})
    >>> rows["source_file"] = "a.dxf"
    >>> read_classes(rows).feature_class.tolist()
    ['310300', '380201', '720000']
    """
    own = code_of(frame, "feature_class")
    is_code = own.str.fullmatch(CLASS_PATTERN).eq(True)
    read = own.where(~is_code, None).map(class_of_words, na_action="ignore").astype(object)
    read = read.where(read.notna(), None)
    stated = code_of(frame, "class_code")
    layer, hint = _layers(frame)
    decided = own.where(is_code | read.isna(), read).combine_first(stated).combine_first(hint)
    return Classes(
        feature_class=decided.where(decided.notna(), None),
        given=own.where(read.notna(), None),
        layer=layer,
        layer_class=hint,
    )


@cache
def class_of_words(text: str) -> str | None:
    """Return the class that a description means; None: not known.

    Examples
    --------
    >>> class_of_words("普通房屋"), class_of_words("某物")
    ('310300', None)
    """
    return _words().get(text.strip())


@cache
def _words() -> dict[str, str]:
    rows = read_table("pipelines.topography.codes", "class_words.csv")
    return {row["word"]: row["feature_class"] for row in rows}


@cache
def layer_class(name: str) -> str | None:
    """Return the class that the name of a layer tells, at least by its first digit; None: nothing.

    Examples
    --------
    >>> layer_class("DGX"), layer_class("1-JMD_2026"), layer_class("TK")
    ('710000', '310000', None)
    """
    known = _layer_names()
    upper = name.strip().upper()
    if upper in known:
        return known[upper]
    words = "".join(
        sign if sign.isalnum() and not sign.isdigit() else " " for sign in upper
    ).split()
    return next((known[word] for word in words if word in known), None)


@cache
def _layer_names() -> dict[str, str]:
    rows = read_table("pipelines.topography.codes", "layer_names.csv")
    return {row["layer"].upper(): row["feature_class"] for row in rows}


def _layers(frame: pd.DataFrame) -> tuple["pd.Series[str]", "pd.Series[str]"]:
    """Return the layer of each row whose name tells a class, and that class."""
    name = pd.Series(None, index=frame.index, dtype=object)
    for column in _LAYER_COLUMNS:
        name = name.combine_first(text_of(frame, column))
    told = name.map(layer_class, na_action="ignore")
    files = frame["source_file"].astype(str)
    stems = {file: _part_of(file) for file in files.unique()}
    stem = files.map(stems)
    name = name.where(told.notna(), stem)
    told = told.combine_first(stem.map(layer_class, na_action="ignore"))
    told = told.astype(object).where(told.notna(), None)
    return name.where(told.notna(), None), told


def _part_of(file: str) -> str:
    """Return the layer inside a file, else the file's name without ending."""
    path, _, part = file.partition("|")
    return part or PurePosixPath(path).stem


def check_classes(frame: pd.DataFrame, classes: Classes, faults: Faults) -> None:
    """Record what is doubtful about how a class was told."""
    value = classes.feature_class
    named = names_of_classes(value)
    faults.add("TP04", classes.given.notna(), given=classes.given, value=value, name=named)
    own = code_of(frame, "feature_class").notna() | code_of(frame, "class_code").notna()
    from_layer = ~own & classes.layer_class.notna()
    faults.add("TP08", from_layer, layer=classes.layer, value=value, name=named)
    theme = value.str.slice(0, 1).map(TOPOGRAPHY_THEMES)
    of_layer = classes.layer_class.str.slice(0, 1).map(TOPOGRAPHY_THEMES)
    differs = own & of_layer.notna() & theme.notna() & (theme != of_layer)
    faults.add(
        "TP05",
        differs & ~faults.refused,
        layer=classes.layer,
        value=value,
        theme=of_layer,
        other=theme,
        theme_zh=of_layer.map(_THEMES_ZH),
        other_zh=theme.map(_THEMES_ZH),
    )


def check_kinds(feature_class: "pd.Series[str]", geometry: gpd.GeoSeries, faults: Faults) -> None:
    """Record shapes of another kind than their class has."""
    shapes = geometry.to_numpy()
    dimension = shapely.get_dimensions(shapes)
    place, codes = pd.factorize(feature_class)
    allowed = [*(allowed_kinds(str(code)) for code in codes), None]
    fits = np.array([[kinds is None or kind in kinds for kind in _KINDS] for kinds in allowed])
    wrong = (dimension >= 0) & ~fits[place, np.maximum(dimension, 0)]
    wrong &= ~faults.refused.to_numpy(dtype=bool)
    if not wrong.any():
        return
    index = geometry.index
    wants_area = np.array([kinds is not None and "polygon" in kinds for kinds in allowed])[place]
    closed = shapely.is_closed(shapes) & (
        shapely.get_num_coordinates(shapes) >= _CLOSED_LINE_POINTS
    )
    as_line = wrong & wants_area & (dimension == 1) & closed
    named = names_of_classes(feature_class)
    faults.add("TP07", pd.Series(as_line, index=index), value=feature_class, name=named)
    kind = pd.Series([_KINDS[each] if each >= 0 else None for each in dimension], index=index)
    kinds = [allowed[each] or () for each in place]
    faults.add(
        "TP06",
        pd.Series(wrong & ~as_line, index=index),
        value=feature_class,
        name=named,
        kind=kind,
        kind_zh=kind.map(_KINDS_ZH),
        kinds=pd.Series([" or ".join(each) for each in kinds], index=index),
        kinds_zh=pd.Series(
            ["或".join(_KINDS_ZH[one] for one in each) for each in kinds], index=index
        ),
    )


@cache
def allowed_kinds(feature_class: str) -> tuple[str, ...] | None:
    """Return the kinds of shape that a class has, by the longest prefix known; None: any.

    Examples
    --------
    >>> allowed_kinds("310501"), allowed_kinds("340101")
    (('polygon',), None)
    """
    rows = read_table("pipelines.topography.codes", "geometry_kinds.csv")
    fits = [row for row in rows if feature_class.startswith(row["prefix"])]
    if not fits:
        return None
    return tuple(max(fits, key=lambda row: len(row["prefix"]))["kinds"].split())
