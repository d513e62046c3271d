"""Codes of derived places: the same place has the same code in every build, whatever sources are added.

A place that was live keeps its code: it is known again by the objects that it is made of (``topography:T12``,
``place_names:D3`` in ``other_sources``), so that a further source, a new outline or a better name change
nothing. A new place gets a code made of what it is (kind, name, district, community), which is the same in
a database built from nothing. Areas have the code of their area, crossings one made of the codes of their
two streets, door plates one made of district, road and number, delivered places their own.
"""

import geopandas as gpd
import pandas as pd

from pipelines.geocoding.places import GROUP, hashed, plain_names, plate_keys

_PREFIX = {"street": "road", "site": "place", "plate": "plate", "area": "place"}


def give_codes(places: gpd.GeoDataFrame, live: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return derived places with codes: their own, the live one, or one made of what they are.

    Parameters
    ----------
    places : geopandas.GeoDataFrame
        With the levels filled; rows with a code keep it.
    live : pandas.DataFrame
        Derived places that are live: ``code``, ``other_sources``.
    """
    identity = _identities(places)
    own = places["code"].tolist()
    known = _live_codes(live)
    taken = {code for code in own if isinstance(code, str)}
    codes: list[str | None] = [code if isinstance(code, str) else None for code in own]
    for row, refs in enumerate(places["other_sources"]):
        if codes[row] is None:
            told = (known[ref] for ref in refs if ref in known)
            codes[row] = next((code for code in told if code not in taken), None)
            taken.add(codes[row] or "")
    for row, fresh in enumerate(identity):
        if codes[row] is None:
            codes[row] = _free(fresh, taken)
            taken.add(codes[row] or "")
    return places.assign(code=pd.Series(codes, index=places.index, dtype=object))


def _identities(places: gpd.GeoDataFrame) -> list[str]:
    group = places["kind"].map(GROUP)
    name = plain_names(places["name"]).fillna("")
    district = places["district"].fillna("").astype(str)
    # A street runs through many communities; anything else lies in one.
    around = places["community_code"].fillna("").astype(str).mask(group.eq("street"), "")
    text = group + "|" + name + "|" + district + "|" + around
    text = text.mask(group.eq("plate"), plate_keys(places).fillna(text))
    prefixes = group.map(_PREFIX).tolist()
    return [hashed(prefix, [said])[0] for prefix, said in zip(prefixes, text, strict=True)]


def _live_codes(live: pd.DataFrame) -> dict[str, str]:
    """Return what a live place is made of -> its code; an object of several places tells nothing."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    if len(live) == 0:
        return found
    for code, refs in zip(live["code"], live["other_sources"], strict=True):
        for ref in refs if isinstance(refs, list) else ():
            if ref in found:
                twice.add(ref)
            found[ref] = code
    return {ref: code for ref, code in found.items() if ref not in twice}


def _free(code: str, taken: set[str]) -> str:
    if code not in taken:
        return code
    number = 2
    while f"{code}:{number}" in taken:
        number += 1
    return f"{code}:{number}"
