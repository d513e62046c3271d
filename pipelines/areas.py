"""Administrative areas 行政区域: districts, streets and communities, each inside the one above."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.codes import read_rules
from gis.faults import Faults, Outcome
from gis.geometry import check_geometry
from pipelines.context import BuildContext
from pipelines.repeats import refuse_repeats
from pipelines.values import code_of, name_of

DATASET = "areas"
LEVELS = {6: "district", 9: "street", 12: "community"}
"""Digits of a code -> level of the area."""
_DIGITS = tuple(LEVELS)
_PARENT_DIGITS = {high: low for low, high in pairwise(_DIGITS)}
RULES = {**read_rules("gis.codes"), **read_rules("pipelines")}
_SLIVER_M2 = 1.0
"""Overlaps and overhangs up to this are rounding, not reported, m²."""


def transform(frame: gpd.GeoDataFrame, context: BuildContext) -> Outcome:
    """Judge areas and give each its level, parent and size.

    Geometry becomes MULTIPOLYGON in the city's CRS. Overhang over the area above and overlaps of
    neighbours are warnings: real borders are drawn by different offices.
    """
    faults = Faults(frame, rules=RULES)
    code, name = code_of(frame, "code"), name_of(frame, "name")
    _check_codes(faults, code, name, context)
    checked = check_geometry(
        frame, faults, kinds=frozenset({"Polygon", "MultiPolygon"}), within=None
    )
    refuse_repeats(faults, code)
    accepted = gpd.GeoDataFrame(
        {
            "code": code,
            "level": code.str.len().map(LEVELS),
            "name": name,
            "parent_code": parent_codes(code),
            "geometry": _multi(checked.geometry),
            "source_file": frame["source_file"],
            "source_row": frame["source_row"],
        },
        geometry="geometry",
        crs=frame.crs,
    )
    accepted["area_m2"] = accepted.geometry.area
    _refuse_orphans(faults, accepted, context)
    judged = accepted[~faults.refused]
    _warn_overhang(faults, judged, context)
    _warn_overlaps(faults, judged)
    return Outcome(accepted=accepted[~faults.refused], faults=faults.outcome().faults)


def parent_codes(code: "pd.Series[str]") -> "pd.Series[str]":
    """Return the code one level up of each area code; None for districts.

    Examples
    --------
    >>> import pandas as pd
    >>> parent_codes(pd.Series(["130102001002", "130102001", "130102"])).tolist()
    ['130102001', '130102', None]
    """
    parents = [
        text[: _PARENT_DIGITS[len(text)]]
        if isinstance(text, str) and len(text) in _PARENT_DIGITS
        else None
        for text in code
    ]
    return pd.Series(parents, index=code.index, dtype=object)


def city_prefix(city_code: str) -> str:
    """Return what every code in the city begins with.

    Examples
    --------
    >>> city_prefix("130102"), city_prefix("130100"), city_prefix("130000")
    ('130102', '1301', '13')
    """
    return city_code.removesuffix("00").removesuffix("00")


def _check_codes(
    faults: Faults, code: "pd.Series[str]", name: "pd.Series[str]", context: BuildContext
) -> None:
    city = context.profile.city.code
    faults.add("P001", code.isna())
    digits = code.str.len()
    is_wrong = code.notna() & ~(code.str.fullmatch(r"\d+").eq(True) & digits.isin(_DIGITS))
    faults.add("AR01", is_wrong, code=code, digits=digits.fillna(0).astype(int))
    is_foreign = code.notna() & ~is_wrong & ~code.str.startswith(city_prefix(city)).eq(True)
    faults.add("AR02", is_foreign, code=code, city=city)
    faults.add("P003", name.isna())


def _multi(geometry: gpd.GeoSeries) -> gpd.GeoSeries:
    shapes = [
        shapely.MultiPolygon([shape]) if isinstance(shape, shapely.Polygon) else shape
        for shape in geometry
    ]
    return gpd.GeoSeries(shapes, index=geometry.index, crs=geometry.crs)


def _refuse_orphans(faults: Faults, areas: gpd.GeoDataFrame, context: BuildContext) -> None:
    """Refuse areas whose parent is not there; from the top, so that a refusal reaches below."""
    loaded = set(context.rows(DATASET)["code"])
    for digits in _PARENT_DIGITS:
        there = loaded | set(areas.loc[~faults.refused, "code"].dropna())
        level = areas["code"].str.len().eq(digits) & ~faults.refused
        orphan = level & ~areas["parent_code"].isin(there)
        faults.add("AR03", orphan, code=areas["code"], parent=areas["parent_code"])


def _warn_overhang(faults: Faults, areas: gpd.GeoDataFrame, context: BuildContext) -> None:
    loaded = context.features(DATASET)
    known = pd.concat(
        [
            areas[["code", "geometry"]],
            loaded.loc[~loaded["code"].isin(areas["code"]), ["code", "geometry"]],
        ]
    ).set_index("code")["geometry"]
    rows = areas[areas["parent_code"].isin(known.index)]
    parents = known.reindex(rows["parent_code"]).to_numpy()
    outside = shapely.area(shapely.difference(rows.geometry.to_numpy(), parents))
    outside_m2 = pd.Series(outside, index=rows.index, dtype=float)
    faults.add(
        "AR04",
        outside_m2 > _SLIVER_M2,
        outside_m2=outside_m2,
        code=rows["code"],
        parent=rows["parent_code"],
    )


def _warn_overlaps(faults: Faults, areas: gpd.GeoDataFrame) -> None:
    for _, level in areas.groupby("level"):
        shapes = level.geometry.to_numpy()
        first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        pairs = first < second
        first, second = first[pairs], second[pairs]
        shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
        for row, other, overlap in zip(first, second, shared, strict=True):
            if overlap > _SLIVER_M2:
                mask = pd.Series(np.arange(len(level)) == row, index=level.index)
                codes = level["code"]
                faults.add("AR05", mask, code=codes, other=codes.iloc[other], overlap_m2=overlap)
