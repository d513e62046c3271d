"""Base topography 基础地理信息: map features by GB/T 13923 class, for division, names and maps."""

import hashlib

import geopandas as gpd
import pandas as pd
import shapely

from gis.classification import TOPOGRAPHY_THEMES, topography_classes
from gis.codes import read_rules
from gis.faults import Faults, Outcome
from pipelines.attributes import attributes_of
from pipelines.context import BuildContext
from pipelines.placement import check_in_city
from pipelines.repeats import refuse_repeats
from pipelines.topography.catalogue import topography_rules
from pipelines.topography.classes import (
    CLASS_PATTERN,
    check_classes,
    check_kinds,
    read_classes,
)
from pipelines.topography.completeness import (
    check_attributes,
    check_elevation,
    heights_of,
    with_elevation,
    without_used_heights,
)
from pipelines.topography.wholemap import check_single, check_whole
from pipelines.values import code_of, name_of, text_of

DATASET = "topography"
RULES = {**read_rules("gis.codes"), **read_rules("pipelines")}
"""Rules besides those of ``pipelines/topography/rules``."""
COLUMNS = frozenset({"code", "feature_class", "name", "sheet", "theme", "attributes", "class_code"})
KINDS = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
)


def transform(frame: gpd.GeoDataFrame, context: BuildContext, *, repeats: bool = True) -> Outcome:
    """Judge map features and give each its theme, as a build does.

    Rules of single features are applied, repeats are refused, and of the rules that look at the whole map
    those that the city made errors.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Delivered rows.
    context : BuildContext
        City and areas.
    repeats : bool
        Refuse codes and shapes that come twice; False where pieces of one feature are joined afterwards.
    """
    accepted, faults = judge_rows(frame, context, repeats=repeats)
    check_single(accepted, faults, context, repeats=repeats)
    check_whole(accepted, faults, context, only_errors=True)
    return Outcome(accepted=accepted[~faults.refused], faults=faults.outcome().faults)


def judge_rows(
    frame: gpd.GeoDataFrame, context: BuildContext, *, repeats: bool = True
) -> tuple[gpd.GeoDataFrame, Faults]:
    """Return all rows as they would be loaded, and the faults that each has by itself.

    The class is the row's own, else that of its layer. A feature without identifier gets one
    derived from its class and geometry, which is the same in the next delivery if it did not move.
    """
    limits = context.profile.topography
    faults = Faults(frame, rules={**RULES, **topography_rules(limits.severity)})
    delivered = code_of(frame, "code")
    classes = read_classes(frame)
    feature_class = classes.feature_class
    faults.add(
        "TP01",
        ~feature_class.str.fullmatch(CLASS_PATTERN).eq(True),
        value=feature_class.fillna(""),
    )
    unknown = ~feature_class.isin(list(topography_classes())) & (
        feature_class != classes.layer_class
    )
    faults.add("TP02", unknown & ~faults.refused, value=feature_class)
    check_classes(frame, classes, faults)
    heights = pd.Series(heights_of(frame.geometry.to_numpy()), index=frame.index)
    plain = without_used_heights(frame, feature_class, heights)
    checked = check_in_city(plain, faults, kinds=KINDS, context=context)
    code = delivered.fillna(derived_codes(feature_class, checked.geometry))
    faults.add("TP03", delivered.isna() & ("code" in frame) & ~faults.refused, code=code)
    if repeats:  # pieces of one feature on several sheets share its identifier
        refuse_repeats(faults, code)
    accepted = gpd.GeoDataFrame(
        {
            "code": code,
            "feature_class": feature_class,
            "theme": feature_class.str.slice(0, 1).map(TOPOGRAPHY_THEMES),
            "name": name_of(frame, "name"),
            "sheet": text_of(frame, "sheet"),
            "attributes": with_elevation(
                attributes_of(frame, columns=COLUMNS), feature_class, heights
            ),
            "geometry": checked.geometry,
            "source_file": frame["source_file"],
            "source_row": frame["source_row"],
        },
        geometry="geometry",
        crs=frame.crs,
    )
    check_kinds(feature_class, accepted.geometry, faults)
    check_attributes(accepted, faults)
    check_elevation(accepted, heights, faults)
    return accepted, faults


def derived_codes(feature_class: "pd.Series[str]", geometry: gpd.GeoSeries) -> "pd.Series[str]":
    """Return an identifier made of class and geometry, to the centimetre.

    Examples
    --------
    >>> import geopandas as gpd, pandas as pd
    >>> from shapely import Point
    >>> points = gpd.GeoSeries([Point(1, 2), Point(1.001, 2), Point(1, 3)])
    >>> codes = derived_codes(pd.Series(["110102"] * 3), points)
    >>> codes[0] == codes[1], codes[0] == codes[2], len(codes[0])
    (True, False, 17)
    """
    shapes = shapely.to_wkb(shapely.transform(geometry.to_numpy(), lambda xy: xy.round(2)))
    values = [
        "T" + hashlib.sha256(str(kind).encode() + (shape or b"")).hexdigest()[:16]
        for kind, shape in zip(feature_class, shapes, strict=True)
    ]
    return pd.Series(values, index=geometry.index, dtype=object)
