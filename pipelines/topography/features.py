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
from pipelines.values import code_of, name_of, text_of

DATASET = "topography"
RULES = {**read_rules("gis.codes"), **read_rules("pipelines")}
COLUMNS = frozenset({"code", "feature_class", "name", "sheet", "theme", "attributes", "class_code"})
KINDS = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}
)
_CLASS = r"[1-8]\d{5}"


def transform(frame: gpd.GeoDataFrame, context: BuildContext) -> Outcome:
    """Judge map features and give each its theme.

    The class is the row's own, else that of its layer. A feature without identifier gets one
    derived from its class and geometry, which is the same in the next delivery if it did not move.
    """
    faults = Faults(frame, rules=RULES)
    delivered = code_of(frame, "code")
    feature_class = code_of(frame, "feature_class").combine_first(code_of(frame, "class_code"))
    faults.add(
        "TP01", ~feature_class.str.fullmatch(_CLASS).eq(True), value=feature_class.fillna("")
    )
    unknown = ~feature_class.isin(list(topography_classes()))
    faults.add("TP02", unknown & ~faults.refused, value=feature_class)
    checked = check_in_city(frame, faults, kinds=KINDS, context=context)
    code = delivered.fillna(derived_codes(feature_class, checked.geometry))
    faults.add("TP03", delivered.isna() & ("code" in frame) & ~faults.refused, code=code)
    refuse_repeats(faults, code)
    accepted = gpd.GeoDataFrame(
        {
            "code": code,
            "feature_class": feature_class,
            "theme": feature_class.str.slice(0, 1).map(TOPOGRAPHY_THEMES),
            "name": name_of(frame, "name"),
            "sheet": text_of(frame, "sheet"),
            "attributes": attributes_of(frame, columns=COLUMNS),
            "geometry": checked.geometry,
            "source_file": frame["source_file"],
            "source_row": frame["source_row"],
        },
        geometry="geometry",
        crs=frame.crs,
    )
    return Outcome(accepted=accepted[~faults.refused], faults=faults.outcome().faults)


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
