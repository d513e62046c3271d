"""Shanghai: built from 80 % of the points of interest, asked for the other 20 %.

An address has no row of its own to hit: it is a hit within `NEAR_M` of the point that is held out.
For calibration the built row of the very plate is right too, since a compound may be wider than that.
What the built rows know of an address is told by the plainest rival's own reading of it
(`plates.road_and_number`), not by Wanmi: *known plate*, *known road*, *unknown road*, and *no
plate* for crossings, villages and sites. A name is *repeated* where built rows of the district bear
it, a *branch* where they bear it without its brackets; any other name the database can not know.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process

from api.edition import Edition
from gis.addresses.spelling import normalise
from gis.crs import transform_xy
from tests.benchmarks.geocoding.disturbing import WAYS, Saying, disturb
from tests.benchmarks.geocoding.plates import PlateTable, plate_table, road_and_number
from tests.benchmarks.geocoding.queries import Point, Query, rival_all
from tests.real import shanghai

NEAR_M = 100.0
"""An address is right within this distance: the side of a unit grid; compounds here are that wide."""
_BRACKETS = re.compile(r"[（(].*?[)）]$")
_ADDRESS = re.compile(r"\d|路|街|村|道|弄|号")
_LINE = re.compile(r"号线|^\[\]$|^浦江线")


@dataclass(frozen=True, kw_only=True)
class Split:
    """Built and held-out rows with places in the city's CRS."""

    built: pd.DataFrame
    asked: pd.DataFrame
    plates: PlateTable


def split() -> Split:
    """Read and split the rows."""
    rows = shanghai.read_pois()
    x, y = transform_xy(
        rows["lon"].tolist(), rows["lat"].tolist(), source="EPSG:4326", target=shanghai.CRS
    )
    rows["x"], rows["y"] = x, y
    is_held = shanghai.held_out(rows)
    built = rows[~is_held]
    columns = (built[name] for name in ("district", "address", "x", "y"))
    return Split(built=built, asked=rows[is_held], plates=plate_table(zip(*columns, strict=True)))


def address_queries(parts: Split, *, with_district: bool) -> list[Query]:
    """Return the held-out addresses; rows that have none (a metro line, nothing) are left out."""
    asked = parts.asked[
        parts.asked["address"].str.contains(_ADDRESS) & ~parts.asked["address"].str.contains(_LINE)
    ]
    districts: dict[str, set[str]] = {}
    for district, road in parts.plates.numbers:
        districts.setdefault(road, set()).add(district)
    queries = []
    for row in asked.itertuples():
        found = road_and_number(row.address)
        line = _known(parts.plates, row.district, found)
        queries.append(
            Query(
                text=(row.district if with_district else "") + row.address,
                x=row.x,
                y=row.y,
                line=line,
                plate=found if line == "known plate" else None,
                near_m=NEAR_M,
                wanted=f"{row.district}{row.address} {row.name}",
                # Without its district a road of several districts leaves open which is meant.
                is_ambiguous=not with_district
                and found is not None
                and len(districts.get(found[0], set()) | {row.district}) > 1,
            )
        )
    return queries


def _known(plates: PlateTable, district: str, found: tuple[str, int] | None) -> str:
    if found is None:
        return "no plate"
    if plates.knows_plate(district, *found):
        return "known plate"
    return "known road" if plates.knows_road(district, found[0]) else "unknown road"


def lying_as_said(edition: Edition, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the outcomes whose point lies in the district that the text begins with.

    Some rows name a district in which their own point does not lie: no answer is right by both.
    """
    districts = edition.areas["district"]
    at = districts.index.locate(outcomes["x"].to_numpy(), outcomes["y"].to_numpy()).position
    names = [districts.names[place] if place >= 0 else "" for place in at.tolist()]
    pairs = zip(outcomes["text"], names, strict=True)
    return outcomes[[bool(name) and text.startswith(name) for text, name in pairs]]


def known_name_queries(parts: Split, *, count: int = 2000, seed: int = 1) -> list[Query]:
    """Return names of built rows, each asked alone; ambiguous where several rows bear the name."""
    often = parts.built["name"].map(normalise).value_counts()
    chosen = np.random.default_rng(seed).choice(len(parts.built), count, replace=False)
    return [
        Query(
            text=row.name, x=row.x, y=row.y, line="known name", code=row.code, near_m=NEAR_M,
            wanted=f"{row.district}{row.address} {row.name}",
            is_ambiguous=int(often[normalise(row.name)]) > 1,
        )
        for row in parts.built.iloc[np.sort(chosen)].itertuples(index=False)
    ]  # fmt: skip


def disturbed_names(parts: Split, *, count: int = 300, seed: int = 2) -> list[Query]:
    """Return names of built rows spoilt in every way that applies.

    Ambiguous is a name that several rows bear, or that is another row's name once it is spoilt.
    """
    often = parts.built["name"].map(normalise).value_counts()
    chosen = np.random.default_rng(seed).choice(len(parts.built), count, replace=False)
    queries = []
    for row in parts.built.iloc[np.sort(chosen)].itertuples(index=False):
        bare = _BRACKETS.sub("", row.name)
        saying = Saying(text=row.name, names=(bare,))
        for way in WAYS:
            text = disturb(saying, way, seed=seed)
            if text is None or not bare:
                continue
            given, own = normalise(text), normalise(row.name)
            queries.append(
                Query(
                    text=text, x=row.x, y=row.y, line=way, code=row.code, near_m=NEAR_M,
                    wanted=f"{row.district}{row.address} {row.name}",
                    is_ambiguous=int(often[own]) > 1 or (given != own and given in often.index),
                )
            )  # fmt: skip
    return queries


def name_queries(parts: Split) -> list[Query]:
    """Return the held-out names, each asked alone: no built row is the one meant."""
    whole = _districts_of(parts.built["name"], parts.built["district"])
    bare = _districts_of(map(_bare, parts.built["name"]), parts.built["district"])
    queries = []
    for row in parts.asked.itertuples():
        name = normalise(row.name)
        line = "unknown name"
        if row.district in whole.get(name, ()):
            line = "repeated name"
        elif row.district in bare.get(_bare(row.name), ()):
            line = "branch"
        elif name in whole:
            line = "name elsewhere"
        queries.append(
            Query(
                text=row.name, x=row.x, y=row.y, line=line, near_m=NEAR_M,
                wanted=f"{row.district}{row.address} {row.name}",
                is_ambiguous=line == "branch" or len(whole.get(name, ())) > 1,
                has_answer=False,
            )
        )  # fmt: skip
    return queries


def _bare(name: str) -> str:
    return normalise(_BRACKETS.sub("", name))


def _districts_of(names: Iterable[str], districts: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, district in zip(names, districts, strict=True):
        found.setdefault(normalise(name), set()).add(district)
    return found


def plain_table(
    edition: Edition, queries: Sequence[Query], parts: Split, *, with_district: bool
) -> pd.DataFrame:
    """Answer addresses by the table of road and number; without a district by any that has the road."""
    plates = parts.plates
    if not with_district:
        columns = (parts.built[name] for name in ("address", "x", "y"))
        plates = plate_table(("", *row) for row in zip(*columns, strict=True))

    def answer(query: Query) -> Point | None:
        text = query.text
        district = text[: text.index("区") + 1] if with_district else ""
        found = road_and_number(text.removeprefix(district))
        return plates.find(district, *found) if found else None

    return rival_all(edition, queries, answer)


def fuzzy_table(
    edition: Edition, queries: Sequence[Query], built: pd.DataFrame, *, column: str
) -> pd.DataFrame:
    """Answer by rapidfuzz: the row whose text is most alike (``extractOne``, ``fuzz.ratio``)."""
    known = (built["district"] + built[column]) if column == "address" else built[column]
    texts = [normalise(text) for text in known]
    places = list(zip(built["x"], built["y"], strict=True))

    def answer(query: Query) -> Point | None:
        found = process.extractOne(normalise(query.text), texts, scorer=fuzz.ratio, score_cutoff=50)
        return places[found[2]] if found else None

    return rival_all(edition, queries, answer)
