"""Addresses 地址 into the geocoding database: delivered ones, and the places other databases name."""

from itertools import pairwise

import geopandas as gpd
import pandas as pd

from gis.codes import read_rules
from gis.faults import Faults, Outcome
from pipelines.context import BuildContext
from pipelines.placement import chain_names, check_in_city, place
from pipelines.repeats import refuse_repeats
from pipelines.topography.features import KINDS
from pipelines.values import code_of, known_words, name_of, names_of, text_of, words_of

DATASET = "addresses"
RULES = {**read_rules("gis.codes"), **read_rules("pipelines")}
LEVELS = (
    "province",
    "city",
    "district",
    "street",
    "community",
    "road",
    "plate",
    "block",
    "building",
    "poi",
)
"""The ten levels of an address, from the widest (GB/T 30428.3)."""
OWN_LEVEL = {"street": "road", "block": "block", "poi": "poi"}
"""Kind of place -> the level that bears its own name."""
_AREA_LEVELS = ("district", "street", "community")
PLACE_COLUMNS = (
    "code",
    "kind",
    "name",
    "aliases",
    "former_names",
    "short_names",
    "full_address",
    *LEVELS,
    "orientation",
    "supplement",
    "community_code",
    "grid_code",
    "category",
    "source",
    "other_sources",
    "accuracy_m",
    "as_delivered",
    "geometry",
    "source_file",
    "source_row",
)


def transform(frame: gpd.GeoDataFrame, context: BuildContext) -> Outcome:
    """Judge delivered addresses, complete their levels, find community and grid.

    A blank name is taken from the smallest level given; blank district, street and community are
    taken from the areas that hold the point. Words that contradict the point are a warning.
    """
    faults = Faults(frame, rules=RULES)
    levels = pd.DataFrame({level: name_of(frame, level) for level in LEVELS}, index=frame.index)
    code, name = code_of(frame, "code"), name_of(frame, "name").fillna(_smallest(levels))
    kind = words_of(frame, "kind", subject="place_kind")
    faults.add("P001", code.isna())
    faults.add("P003", name.isna())
    said = text_of(frame, "kind").fillna("")
    faults.add("AD01", kind.isna(), value=said, known=known_words("place_kind"))
    checked = check_in_city(frame, faults, kinds=KINDS, context=context)
    refuse_repeats(faults, code)
    kept = checked.loc[~faults.refused].geometry
    where = place(kept, context)
    found = chain_names(where.area_code, context)
    _warn_contradictions(faults, levels.loc[kept.index], found)
    places = gpd.GeoDataFrame(
        levels.loc[kept.index].fillna(found),
        geometry=kept,
        crs=frame.crs,
    )
    places["code"], places["name"], places["kind"] = code, name, kind
    places["aliases"] = names_of(frame, "aliases")
    for column in ("orientation", "supplement", "source_file", "source_row"):
        places[column] = frame.get(column)
    places["community_code"], places["grid_code"] = where.community_code, where.grid_code
    places["source"] = "addresses"
    return Outcome(accepted=complete(places), faults=faults.outcome().faults)


def _smallest(levels: pd.DataFrame) -> "pd.Series[str]":
    """Return the smallest level that each address gives, below the community."""
    return levels[list(LEVELS[5:])].ffill(axis=1).iloc[:, -1]


def complete(places: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Fill the level that bears a place's own name, and the full address.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> row = dict.fromkeys(PLACE_COLUMNS)
    >>> row |= {"kind": "poi", "name": "人民医院", "district": "长安区", "road": "裕华路"}
    >>> complete(gpd.GeoDataFrame([row | {"geometry": Point(0, 0)}]))["full_address"].tolist()
    ['长安区裕华路人民医院']
    """
    result = places.copy()
    for kind, level in OWN_LEVEL.items():
        own = result["kind"].eq(kind) & result[level].isna()
        result.loc[own, level] = result.loc[own, "name"]
    result["full_address"] = full_addresses(result)
    for column in ("former_names", "short_names", "other_sources"):
        if column not in result:
            result[column] = pd.Series([[] for _ in range(len(result))], index=result.index)
    if "as_delivered" not in result:
        result["as_delivered"] = pd.Series([{} for _ in range(len(result))], index=result.index)
    for column in ("category", "accuracy_m"):
        if column not in result:
            result[column] = None
    return result[list(PLACE_COLUMNS)]


def full_addresses(places: pd.DataFrame) -> "pd.Series[str]":
    """Join the levels; the name follows where no level says it.

    Examples
    --------
    >>> import pandas as pd
    >>> levels = dict.fromkeys(LEVELS) | {"district": "长安区", "road": "裕华路", "plate": "12号"}
    >>> full_addresses(pd.DataFrame([levels | {"name": "12号"}, levels | {"name": "老槐树"}])).tolist()
    ['长安区裕华路12号', '长安区裕华路12号老槐树']
    """
    parts = [places[level].fillna("").astype(str).tolist() for level in LEVELS]
    texts = []
    for name, *levels in zip(places["name"], *parts, strict=True):
        joined = "".join(
            level for before, level in pairwise(("", *levels)) if not level or level != before
        )
        texts.append(joined if name in joined else joined + name)
    return pd.Series(texts, index=places.index, dtype=object)


def _warn_contradictions(faults: Faults, said: pd.DataFrame, found: pd.DataFrame) -> None:
    """Warn once per row, of the widest area whose name differs from the one at the point."""
    told = pd.Series(False, index=said.index)
    for level in _AREA_LEVELS:
        differs = said[level].notna() & found[level].notna() & (said[level] != found[level])
        faults.add("AD02", differs & ~told, said=said[level], found=found[level])
        told |= differs
