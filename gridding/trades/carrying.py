"""Management and evaluation grids carried along when the unit grids under them change."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.faults import Faults
from gis.tables.columns import BOOKKEEPING
from gridding.trades.delivered import RULES, Sort
from gridding.trades.judging import Ground, shorten, smallest_area
from gridding.trades.members import shares_of

CARRIED = "carried"


@dataclass(frozen=True, kw_only=True)
class Carriage:
    """What became of the grids of one dataset."""

    rows: gpd.GeoDataFrame
    """Rows that changed, as they are now; those that did not are not among them."""
    changes: pd.DataFrame
    """One row per grid that changed: ``code``, the series, ``gone``, ``came`` (lists of codes)."""
    emptied: tuple[str, ...] = ()
    """Codes of grids of which no unit grid is left."""


def carry(live: gpd.GeoDataFrame, grids: gpd.GeoDataFrame, *, sort: Sort) -> Carriage:
    """Bring the members of live grids up to the unit grids that hold now.

    A unit grid that kept its code stays where it was. One that is new belongs to the grid of each
    series that held most of its land: so a split stays together, and of grids merged across a border
    of two management grids the larger part decides.

    Parameters
    ----------
    live : geopandas.GeoDataFrame
        Rows of the dataset with ``members`` and geometry, the land they held.
    grids : geopandas.GeoDataFrame
        Unit grids that hold now: ``code`` and ``geometry``, same CRS.
    sort : Sort
        Management or evaluation grids.
    """
    ground = Ground(grids)
    known = set(ground.codes)
    members = {
        row: [code for code in codes if code in known] for row, codes in live["members"].items()
    }
    for _, series in live.groupby(sort.series, sort=True):
        for row, codes in _newcomers(series, ground, known).items():
            members[row] = sorted({*members[row], *codes})
    changed, emptied = [], []
    for row, codes in members.items():
        if not codes:
            emptied.append(str(live.at[row, "code"]))
        elif codes != list(live.at[row, "members"]) or _moved(live.geometry[row], codes, ground):
            changed.append(row)
    rows = live.loc[changed].drop(columns=list(BOOKKEEPING), errors="ignore")
    unions = [ground.union(members[row]) for row in changed]
    rows["members"] = pd.Series([members[row] for row in changed], index=rows.index, dtype=object)
    rows["area_code"] = [smallest_area(members[row]) for row in changed]
    rows["area_m2"] = np.round(shapely.area(np.array(unions, dtype=object)), 3)
    rows["origin"] = CARRIED
    rows = rows.set_geometry(gpd.GeoSeries(unions, index=rows.index, crs=grids.crs))
    return Carriage(
        rows=rows,
        changes=_changes(live.loc[changed], rows, sort),
        emptied=tuple(sorted(emptied)),
    )


def _newcomers(
    series: gpd.GeoDataFrame, ground: Ground, known: set[str]
) -> dict[object, list[str]]:
    """Return for each grid of one series the unit grids that are new to it."""
    lost = {code for codes in series["members"] for code in codes if code not in known}
    if not lost:
        return {}
    kept = {code for codes in series["members"] for code in codes}
    free = np.array([place for place, code in enumerate(ground.codes) if code not in kept])
    if len(free) == 0:
        return {}
    shapes = np.asarray(series.geometry.to_numpy(), dtype=object)
    grid, holder, share = shares_of(ground.shapes[free], shapes)
    held = pd.DataFrame({"grid": grid, "holder": holder, "share": share})
    whole = held.groupby("grid")["share"].transform("sum") > 0.5
    best = held[whole].sort_values(["grid", "share", "holder"], ascending=[True, False, True])
    best = best.drop_duplicates("grid")
    found: dict[object, list[str]] = {}
    for place, number in zip(best["grid"], best["holder"], strict=True):
        found.setdefault(series.index[number], []).append(ground.codes[free[place]])
    return found


def _moved(before: shapely.Geometry, codes: list[str], ground: Ground) -> bool:
    """Return whether the land of a grid is no longer quite what it was: a border was adjusted."""
    return bool(shapely.symmetric_difference(before, ground.union(codes)).area > 1.0)


def _changes(before: pd.DataFrame, after: pd.DataFrame, sort: Sort) -> pd.DataFrame:
    pairs = list(zip(before["members"], after["members"], strict=True))
    return pd.DataFrame(
        {
            "code": before["code"],
            sort.series: before[sort.series],
            "gone": [sorted(set(old) - set(new)) for old, new in pairs],
            "came": [sorted(set(new) - set(old)) for old, new in pairs],
        },
        index=before.index,
    )


def report_changes(carriage: Carriage, *, sort: Sort) -> pd.DataFrame:
    """Return a warning for every grid whose unit grids changed or that has none left.

    Columns are `gis.faults.REJECT_COLUMNS`; the rows came from no file.
    """
    changes = carriage.changes
    moved = changes[[bool(gone) or bool(came) for gone, came in _pairs(changes)]]
    frame = pd.DataFrame(
        {
            "code": [*moved["code"], *carriage.emptied],
            "gone": [
                *(shorten(codes) or "–" for codes in moved["gone"]),
                *["*"] * len(carriage.emptied),
            ],
            "came": [
                *(shorten(codes) or "–" for codes in moved["came"]),
                *["–"] * len(carriage.emptied),
            ],
        }
    ).assign(source_file="unit_grids", source_row=0)
    faults = Faults(frame, rules=RULES)
    everything = pd.Series(True, index=frame.index)
    values = {name: frame[name] for name in ("code", "gone", "came")}
    faults.add(sort.rule(16), everything, **values)
    return faults.outcome().faults


def _pairs(changes: pd.DataFrame) -> list[tuple[list[str], list[str]]]:
    return list(zip(changes["gone"], changes["came"], strict=True))
