"""Addresses 地址 as contractors deliver them: ten columns, one text, a table of marks, plates alone."""

import geopandas as gpd
import pandas as pd

from gis.addresses.spelling import normalise
from gis.codes import read_rules
from gis.faults import Faults, Outcome
from pipelines.context import BuildContext
from pipelines.geocoding.kinds import KINDS_ZH, assume_kinds
from pipelines.geocoding.likeness import warn_alike
from pipelines.geocoding.places import AREA_LEVELS, LEVELS, complete, hashed, union_lists
from pipelines.geocoding.reading import Reading, read_levels
from pipelines.geocoding.short_names import Places, short_names
from pipelines.placement import chain_names, check_in_city, place
from pipelines.repeats import refuse_repeats
from pipelines.topography.features import KINDS
from pipelines.values import code_of, known_words, name_of, names_of, text_of, words_of

DATASET = "addresses"
RULES = {**read_rules("gis.codes"), **read_rules("pipelines"), **read_rules("pipelines.geocoding")}
_FEW = 10
_LEAST_ROAD = 1
_NEARLY_ALL = 0.9
_FROM_LEVELS = ("poi", "building", "block", "plate", "road")


def transform(frame: gpd.GeoDataFrame, context: BuildContext) -> Outcome:
    """Judge delivered addresses, complete their levels, find community and grid.

    A blank name is taken from the smallest levels; a missing kind is assumed (AD03 says which and
    why, once for a file and reason); a missing code is made of the row's own words and place. Blank
    district, street and community are taken from the areas that hold the point. Words that
    contradict the point are a warning.
    """
    faults = Faults(frame, rules=RULES)
    reading = read_levels(frame, context)
    levels = reading.levels
    name = name_of(frame, "name")
    kind, assumed = _kinds(frame, levels, name, faults)
    name = name.fillna(named_by_levels(levels, kind))
    faults.add("P003", name.isna())
    checked = check_in_city(frame, faults, kinds=KINDS, context=context)
    code = _codes(frame, name, levels, checked, faults)
    refuse_repeats(faults, code)
    kept = checked.loc[~faults.refused].geometry
    _warn_assumed(faults, kind, assumed)
    _warn_words(faults, reading, name.loc[kept.index], kind, context)
    where = place(kept, context)
    found = chain_names(where.area_code, context)
    levels["road"] = _without_area(levels["road"], found, of_text=reading.text.notna())
    _warn_contradictions(faults, levels.loc[kept.index], found)
    kind_kept = kind.loc[kept.index]
    found.loc[kind_kept.eq("street"), ["street", "community"]] = None
    places = gpd.GeoDataFrame(
        levels.loc[kept.index].fillna(found), geometry=kept, crs=frame.crs
    ).astype(dict.fromkeys(LEVELS, object))
    places["code"], places["name"], places["kind"] = code, name, kind
    former = names_of(frame, "former_names")
    places["former_names"] = former
    places["aliases"] = [
        union_lists(known, gone, but=own)
        for known, gone, own in zip(
            names_of(frame, "aliases")[kept.index],
            former[kept.index],
            places["name"],
            strict=True,
        )
    ]
    places["category"] = text_of(frame, "category")
    for column in ("source_file", "source_row"):
        places[column] = frame.get(column)
    places["community_code"], places["grid_code"] = where.community_code, where.grid_code
    places["source"] = DATASET
    made = short_names(places["name"], places["kind"], words=Places.of(context))
    places["short_names"] = pd.Series(made, index=places.index, dtype=object)
    whole = complete(places)
    warn_alike(faults, whole)
    return Outcome(accepted=whole, faults=faults.outcome().faults)


_Assumed = tuple["pd.Series[bool]", "pd.Series[str]", "pd.Series[str]"]


def _without_area(
    roads: "pd.Series[str]", found: pd.DataFrame, *, of_text: "pd.Series[bool]"
) -> "pd.Series[str]":
    """Take the community or street at the point off the front of roads that were read from one text.

    A text may name a community under another district than the map does; it is then read as a part
    of the road: 长德里公园南路. What is left must be a name with a generic part of its own.
    """
    result = roads.copy()
    asked = found.index[of_text[found.index] & roads[found.index].notna()]
    for level in ("community", "street"):
        pairs = zip(asked, result[asked], found.loc[asked, level], strict=True)
        for row, road, area in pairs:
            if isinstance(area, str) and len(road) > len(area) + _LEAST_ROAD:
                rest = road[len(area) :]
                if normalise(road).startswith(normalise(area)):
                    result[row] = rest
    return result


def _kinds(
    frame: gpd.GeoDataFrame, levels: pd.DataFrame, name: "pd.Series[str]", faults: Faults
) -> tuple["pd.Series[str]", _Assumed]:
    """Return the kinds, and where they were assumed, why, in both languages; an unknown word is refused."""
    said = text_of(frame, "kind")
    kind = words_of(frame, "kind", subject="place_kind")
    faults.add("AD01", said.notna() & kind.isna(), value=said, known=known_words("place_kind"))
    kind = kind.fillna(words_of(frame, "category", subject="place_kind"))
    rows = gpd.GeoDataFrame(levels.assign(name=name), geometry=frame.geometry)
    missing = kind.isna()
    guess = assume_kinds(rows[missing.to_numpy()])
    return kind.fillna(guess.kind).astype(object), (
        missing & said.isna(),
        guess.why.reindex(frame.index),
        guess.why_zh.reindex(frame.index),
    )


def named_by_levels(levels: pd.DataFrame, kind: "pd.Series[str]") -> "pd.Series[str]":
    """Return the name that the smallest levels give: a plate with its road, a building with its compound.

    Examples
    --------
    >>> rows = [{"road": "裕华路", "plate": "12号"}, {"block": "翠屏园", "building": "3号楼"}]
    >>> levels = pd.DataFrame([dict.fromkeys(LEVELS) | row for row in rows])
    >>> named_by_levels(levels, pd.Series(["plate", "plate"])).tolist()
    ['裕华路12号', '翠屏园3号楼']
    """
    text = {level: levels[level].fillna("").astype(str) for level in LEVELS}
    is_plate = kind.eq("plate")
    building = (text["block"] + text["building"]).where(is_plate & text["building"].ne(""), "")
    building = building.where(text["block"].ne(""), text["road"] + text["plate"] + text["building"])
    building = building.where(is_plate & text["building"].ne(""), "")
    door = (text["road"] + text["plate"]).where(is_plate & text["plate"].ne(""), "")
    whole = building.where(building.ne(""), door)
    smallest = levels[list(reversed(_FROM_LEVELS))].ffill(axis=1).iloc[:, -1]
    return whole.where(whole.ne(""), smallest).astype(object).where(lambda name: name.notna(), None)


def _codes(
    frame: gpd.GeoDataFrame,
    name: "pd.Series[str]",
    levels: pd.DataFrame,
    checked: gpd.GeoDataFrame,
    faults: Faults,
) -> "pd.Series[str]":
    """Return the delivered codes, or for rows without one a code made of words and place, to 10 m."""
    code = code_of(frame, "code")
    blank = code.isna() & ~faults.refused
    if not blank.any():
        return code
    words = name[blank].fillna("").astype(str)
    for level in LEVELS[2:]:
        words = words + "|" + levels.loc[blank, level].fillna("").astype(str)
    bounds = checked.geometry[blank].bounds
    words += "|" + (bounds["minx"] / 10).round().astype(str) + "|"
    words += (bounds["miny"] / 10).round().astype(str)
    made = pd.Series(hashed("address", words.tolist()), index=words.index, dtype=object)
    count = made.groupby(made, sort=False).cumcount() + 1
    made = made.where(count.eq(1), made + ":" + count.astype(str))
    # A table without any code needs no word in each row.
    has_codes = code.notna().groupby(frame["source_file"]).transform("any")
    faults.add("AD04", blank & has_codes, code=made)
    return code.fillna(made)


def _warn_assumed(faults: Faults, kind: "pd.Series[str]", assumed: _Assumed) -> None:
    """Say once for a file and reason what was assumed, in the first row, with the number of rows."""
    where, why, why_zh = assumed
    rows = where & ~faults.refused
    if not rows.any():
        return
    files = faults.frame.loc[rows, "source_file"]
    keys = [files, kind[rows], why[rows]]
    count = files.groupby(keys, sort=False, dropna=False).transform("size")
    first = ~pd.concat(keys, axis=1).duplicated()
    first = first.reindex(faults.frame.index, fill_value=False)
    kind_zh = kind.map(KINDS_ZH)
    faults.add("AD03", first, kind=kind, kind_zh=kind_zh, why=why, why_zh=why_zh, rows=count)


def _warn_words(
    faults: Faults,
    reading: Reading,
    name: "pd.Series[str]",
    kind: "pd.Series[str]",
    context: BuildContext,
) -> None:
    """Warn of texts that could not be split, of words that name only an area, of other cities."""
    kept = name.index
    areas = context.rows("areas")
    is_area = kind.loc[kept].ne("area") & name.isin(set(areas["name"]))
    faults.add("AD07", is_area, value=name)
    faults.add("AD07", reading.is_area[kept] & ~is_area, value=reading.text)
    faults.add("AD05", reading.is_unread[kept], value=reading.text)
    said = reading.levels.loc[kept, "city"]
    city = _city(said, context)
    if city:
        other = said.notna() & ~said.isin([city, city.removesuffix("市")])
        faults.add("AD06", other, said=said, city=city)


def _city(said: "pd.Series[str]", context: BuildContext) -> str:
    """Return the city's name: the profile's, or where the workspace is one district, what nearly all say."""
    city = context.profile.city
    if city.name and (city.code.endswith("00") or city.name.endswith("市")):
        return city.name
    told = said.dropna()
    if len(told) < _FEW:
        return ""
    most = told.value_counts()
    return str(most.index[0]) if most.iloc[0] >= _NEARLY_ALL * len(told) else ""


def _warn_contradictions(faults: Faults, said: pd.DataFrame, found: pd.DataFrame) -> None:
    """Warn once per row, of the widest area whose name differs from the one at the point."""
    told = pd.Series(False, index=said.index)
    for level in AREA_LEVELS:
        differs = said[level].notna() & found[level].notna() & (said[level] != found[level])
        faults.add("AD02", differs & ~told, said=said[level], found=found[level])
        told |= differs
