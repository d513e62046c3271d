"""Questions about real cities whose answers are known, and how often they are found.

Truth is what the city itself wrote: the owner of a component, the district typed with a case, the unit
that manages a cable. Nothing here was measured with the project's own data.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from api.snapshot import Snapshot
from tests.real import tainan
from tests.real.tainan_addresses import read_lanes

SIGMAS_M = (1.0, 3.0, 5.0, 10.0, 20.0)
LIGHT_CABLES = "0196"
LIGHT_UNIT = "U05"
_CASES = 4_000


@dataclass(frozen=True, kw_only=True)
class Found:
    """How often components asked for from noised positions were found again."""

    sigma_m: float
    cases: int
    component: float
    """Share whose very component was chosen."""
    owner: float
    """Share whose unit answered as it does when the component is named."""
    said: float
    """Mean probability that was said of the unit."""
    none: float
    """Share for which no component was chosen."""


def noised_components(snapshot: Snapshot, components: gpd.GeoDataFrame) -> Iterator[Found]:
    """Ask for each of some components from a noised position, class by class as there are."""
    some = components.sample(min(_CASES, len(components)), random_state=1).reset_index(drop=True)
    points = shapely.centroid(some.geometry.to_numpy())
    x, y = shapely.get_x(points), shapely.get_y(points)
    asked = pd.DataFrame(
        {"kind": "component", "class_code": some["class_code"], "x": x, "y": y, "crs": "city"}
    )
    known = snapshot.assign(asked.assign(component_code=some["code"]))["unit_code"].to_numpy()
    rng = np.random.default_rng(2)
    for sigma_m in SIGMAS_M:
        noise = rng.normal(scale=sigma_m, size=(2, len(some)))
        answers = snapshot.assign(asked.assign(x=x + noise[0], y=y + noise[1], accuracy_m=sigma_m))
        chosen = answers["component_code"]
        yield Found(
            sigma_m=sigma_m,
            cases=len(some),
            component=float((chosen == some["code"].to_numpy()).mean()),
            owner=float((answers["unit_code"].to_numpy() == known).mean()),
            said=float(answers["probability"].mean()),
            none=float(chosen.isna().mean()),
        )


def cases_of(category: str) -> pd.DataFrame:
    """Return the hotline's cases of a category as questions in lon/lat."""
    cases = tainan.read_cases()
    cases = cases[(cases["cat"] == category) & cases["lon"].notna()].reset_index(drop=True)
    return pd.DataFrame(
        {
            "kind": "component",
            "class_code": LIGHT_CABLES,
            "x": cases["lon"].astype(float),
            "y": cases["lat"].astype(float),
            "crs": "EPSG:4326",
            "reported_at": cases["time"],
        }
    )


@dataclass(frozen=True, kw_only=True)
class Lights:
    """What became of the cases of street lights that do not burn."""

    cases: int
    near: dict[float, float]
    """Share of the cases that have a cable of lights within so many metres, by GEOS."""
    found: float
    """Share for which a cable was chosen."""
    unit: float
    """Share whose answer is the unit that manages the cables of lights."""
    unit_of_found: float
    """Of those with a cable, share whose answer is its unit."""


def light_cases(snapshot: Snapshot, cables: gpd.GeoDataFrame) -> Lights:
    """Ask whose a light is that does not burn, by the cable beside it; a position is good to 10 m."""
    asked = cases_of("路燈故障").assign(accuracy_m=10.0)
    places = gpd.GeoSeries(gpd.points_from_xy(asked["x"], asked["y"]), crs=4326).to_crs(tainan.CRS)
    points = places.to_numpy()
    _, metres = shapely.STRtree(cables.geometry.to_numpy()).query_nearest(
        points, return_distance=True, all_matches=False
    )
    answers = snapshot.assign(asked)
    is_found = answers["component_code"].notna()
    is_unit = answers["unit_code"] == LIGHT_UNIT
    return Lights(
        cases=len(asked),
        near={reach: float((metres <= reach).mean()) for reach in (5.0, 10.0, 20.0, 50.0, 100.0)},
        found=float(is_found.mean()),
        unit=float(is_unit.mean()),
        unit_of_found=float(is_unit[is_found].mean()),
    )


def typed_districts(snapshot: Snapshot) -> tuple[int, float]:
    """Return how many cases have a typed district, and the share whose village lies in it."""
    cases = tainan.read_cases()
    names = tainan.read_villages().drop_duplicates("town")
    town = dict(zip(names["town"], names["code"].str[:9], strict=True))
    street = cases["district"].map(town)
    cases = cases[street.notna() & cases["lon"].notna()]
    asked = pd.DataFrame(
        {
            "kind": cases["类型"], "class_code": cases["类别代码"], "crs": "EPSG:4326",
            "x": cases["lon"].astype(float), "y": cases["lat"].astype(float),
        }
    )  # fmt: skip
    answers = snapshot.assign(asked)
    agree = answers["street_code"].to_numpy() == street[cases.index].to_numpy()
    return len(cases), float(agree.mean())


@dataclass(frozen=True, kw_only=True)
class Lanes:
    """What was found of the narrow lanes, whose fire squad is known."""

    lanes: int
    named: int
    """Told by the name of a road or lane; the others by villages, landmarks or house numbers alone."""
    placed: int
    """Of all, found by their address."""
    in_district: int
    """Of those placed, in the district that is typed."""
    judged: int
    """Of those placed, in a village in which other lanes lie too."""
    agree: int
    """Of those judged, with the squad that most other lanes of the village have."""
    by_district: int
    """Of those judged, with the squad that most other lanes of the typed district have."""
    villages: int
    shared: int
    """Villages with several lanes in which more than one squad answers."""


def narrow_lanes(snapshot: Snapshot) -> Lanes:
    """Ask where each lane lies by its address, and whether its squad is that of the other lanes there.

    The territories of squads are not published: that of a village is taken to be what most other lanes
    of it say, the lane asked for left out.
    """
    lanes = read_lanes()
    asked = pd.DataFrame({"kind": "event", "class_code": "0110", "address": lanes["address"]})
    answers = snapshot.assign(asked)
    town = tainan.read_villages().drop_duplicates("town").set_index("town")["code"].str[:9]
    placed = lanes.assign(
        village=answers["community_code"].to_numpy(),
        street=answers["street_code"].to_numpy(),
        typed=lanes["district"].map(town),
    )[answers["location_x"].notna().to_numpy()]
    found = placed[placed["village"].notna()]
    size = found.groupby("village")["squad"].transform("size")
    judged = found[size > 1]
    squads = judged.groupby("village")["squad"].nunique()
    return Lanes(
        lanes=len(lanes),
        named=int(lanes["is_lane"].sum()),
        placed=len(placed),
        in_district=int((placed["street"] == placed["typed"]).sum()),
        judged=len(judged),
        agree=int(_as_most_others(judged, "village").sum()),
        by_district=int(_as_most_others(judged, "typed").sum()),
        villages=len(squads),
        shared=int((squads > 1).sum()),
    )


def _as_most_others(rows: pd.DataFrame, area: str) -> "pd.Series[bool]":
    """Return which rows have the squad that most others of their area have; of equals the first name."""
    counts = rows.groupby([area, "squad"]).size()
    result = []
    for place, squad in zip(rows[area], rows["squad"], strict=True):
        others = counts.loc[place].copy()
        others[squad] -= 1
        best = others[others > 0].sort_index().sort_values(ascending=False, kind="stable")
        result.append(bool(len(best)) and best.index[0] == squad)
    return pd.Series(result, index=rows.index)
