"""Place names 地名: the standard name, its romanisation, where it is."""

import geopandas as gpd
import pandas as pd
import shapely

from gis.classification import place_name_categories
from gis.codes import read_rules
from gis.crs import GEOGRAPHIC, transform_xy
from gis.faults import Faults, Outcome
from gis.names.romanisation import romanise
from pipelines.context import BuildContext
from pipelines.placement import check_in_city, place, representative_points
from pipelines.repeats import refuse_repeats
from pipelines.topography.features import KINDS
from pipelines.values import code_of, name_of, names_of, text_of

DATASET = "place_names"
RULES = {**read_rules("gis.codes"), **read_rules("pipelines")}


def transform(frame: gpd.GeoDataFrame, context: BuildContext) -> Outcome:
    """Judge place names; romanise those delivered without; find area, grid, longitude, latitude.

    A delivered romanisation is kept, with a warning where its letters differ from the rules'.
    """
    faults = Faults(frame, rules=RULES)
    code, name = code_of(frame, "code"), name_of(frame, "name")
    faults.add("P001", code.isna())
    faults.add("P003", name.isna())
    category = code_of(frame, "category_code")
    unknown = category.notna() & ~category.isin(list(place_name_categories()))
    faults.add("PN01", unknown, value=category)
    pinyin = _romanise(faults, name, context)
    checked = check_in_city(frame, faults, kinds=KINDS, context=context)
    refuse_repeats(faults, code)
    kept = checked.loc[~faults.refused].geometry
    where = place(kept, context)
    points = representative_points(kept).to_numpy()
    lon, lat = transform_xy(
        shapely.get_x(points), shapely.get_y(points), source=context.crs.text, target=GEOGRAPHIC
    )
    accepted = gpd.GeoDataFrame(
        {
            "code": code.loc[kept.index],
            "name": name.loc[kept.index],
            "pinyin": pinyin.loc[kept.index],
            "category_code": category.loc[kept.index],
            "aliases": names_of(frame, "aliases").loc[kept.index],
            "former_names": names_of(frame, "former_names").loc[kept.index],
            "area_code": where.area_code,
            "grid_code": where.grid_code,
            "lon": lon.round(9),
            "lat": lat.round(9),
            "geometry": kept,
            "source_file": frame.loc[kept.index, "source_file"],
            "source_row": frame.loc[kept.index, "source_row"],
        },
        geometry="geometry",
        crs=frame.crs,
    )
    return Outcome(accepted=accepted, faults=faults.outcome().faults)


def _romanise(faults: Faults, name: "pd.Series[str]", context: BuildContext) -> "pd.Series[str]":
    delivered = text_of(faults.frame, "pinyin")
    areas = frozenset(context.rows("areas")["name"])
    spelling = {text: romanise(text, areas=areas) for text in name.dropna().unique()}
    by_rule = name.map(spelling)
    differs = delivered.notna() & by_rule.notna() & (letters(delivered) != letters(by_rule))
    faults.add("PN02", differs, value=delivered, expected=by_rule)
    return delivered.fillna(by_rule)


def letters(pinyin: "pd.Series[str]") -> "pd.Series[str]":
    """Return the bare letters and figures of a romanisation: no tones, blanks, capitals.

    Examples
    --------
    >>> import pandas as pd
    >>> letters(pd.Series(["Cháng'ān Qū", "LÜ DI", "nv"])).tolist()
    ['changanqu', 'ludi', 'nu']
    """
    plain = pinyin.str.normalize("NFD").str.casefold().str.replace("v", "u")
    return plain.str.replace(r"[^a-z0-9]", "", regex=True)
