"""Unit grids 万米单元网格: a delivered layer judged, or communities without any divided."""

import logging
import os
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from census.survey import read_dates
from gis.codes import read_rules
from gis.faults import REJECT_COLUMNS, Faults, Outcome
from gis.geometry import check_geometry
from gis.remarks import Remark
from gridding.checks import judge_codes, judge_layer
from gridding.cleaning import clean_communities
from gridding.division import Run, check_unit, divide
from gridding.numbering import COMMUNITY_DIGITS, number, used_codes
from gridding.options import options_of
from gridding.patrol import patrol_order
from pipelines.context import BuildContext
from pipelines.values import code_of, numbers_of, text_of

logger = logging.getLogger(__name__)

DATASET = "unit_grids"
MEMO = "division-build"
"""Folder of the workspace that keeps what a stopped division had done, as `wanmi grid divide` does."""
RULES = {**read_rules("gis.codes"), **read_rules("gridding")}
_TEXTS = ("name", "land_use", "management_grade", "responsible_body", "remark")
_LAND_SHARE = 0.01
_WORTH_A_WORKER_M2 = 10e6
"""Dividing less land takes no longer than starting another process."""
_AREA_TOLERANCE = 0.001
"""Delivered areas may differ by this share: they were computed before coordinates were rounded."""


def transform(frame: gpd.GeoDataFrame, context: BuildContext) -> Outcome:
    """Judge a delivered layer of unit grids.

    The community is the code's prefix, the area that of the polygon in the city's CRS, m². Gaps,
    overlaps and overhangs are warnings, because a refused grid would leave a hole.
    """
    faults = Faults(frame, rules=RULES)
    communities = communities_of(context)
    code = code_of(frame, "code")
    judge_codes(faults, code, code_length=context.profile.grid_code_length, communities=communities)
    checked = check_geometry(frame, faults, kinds=frozenset({"Polygon"}), within=None)
    grids = gpd.GeoDataFrame(
        {
            "code": code,
            "community_code": code.str[:COMMUNITY_DIGITS],
            **{name: text_of(frame, name) for name in _TEXTS},
            "patrol_order": None,
            "origin": "delivered",
            "source_file": frame["source_file"],
            "source_row": frame["source_row"],
        },
        geometry=checked.geometry,
        crs=frame.crs,
    )
    grids["area_m2"] = grids.geometry.area
    standing = grids[~faults.refused]
    judged = standing[judge_layer(faults, standing, communities=communities)]
    _judge_area(faults, judged)
    dates = _judge_dates(faults, judged, context)
    accepted = grids[~faults.refused].join(dates, validate="1:1")
    return Outcome(accepted=accepted, faults=faults.outcome().faults)


def communities_of(context: BuildContext) -> gpd.GeoDataFrame:
    """Return the communities 社区 that hold by then: ``code`` and ``geometry``, by code."""
    areas = context.features("areas")
    rows = areas.loc[areas["level"].eq("community"), ["code", "geometry"]]
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=areas.crs).sort_values("code")


def _judge_area(faults: Faults, grids: gpd.GeoDataFrame) -> None:
    given = numbers_of(faults.frame, "area_m2").reindex(grids.index)
    area = grids["area_m2"]
    differs = given.notna() & ((given - area).abs() > (1.0 + _AREA_TOLERANCE * area))
    faults.add("UG12", differs, code=grids["code"], given=given, area_m2=area)


def _judge_dates(faults: Faults, grids: gpd.GeoDataFrame, context: BuildContext) -> pd.DataFrame:
    """Read both dates; a missing initial date is the delivery's day."""
    columns = {}
    for name in ("initial_date", "change_date"):
        text = text_of(faults.frame, name).reindex(grids.index)
        columns[name] = read_dates(text)
        unread = text.notna() & columns[name].isna()
        faults.add("UG13", unread, code=grids["code"], column=name, value=text)
    initial, changed = columns["initial_date"], columns["change_date"]
    faults.add("UG14", initial.isna(), code=grids["code"])
    both = initial.notna() & changed.notna()
    early = both & pd.Series(
        [
            is_both and later < first
            for is_both, first, later in zip(both, initial, changed, strict=True)
        ],
        index=grids.index,
        dtype=bool,
    )
    faults.add("UG15", early, code=grids["code"], changed=changed, initial=initial)
    filled = initial.where(initial.notna(), context.as_of)
    return pd.DataFrame({"initial_date": filled, "change_date": changed}, dtype=object)


def divide_missing(
    context: BuildContext, *, progress: Callable[[int], None] | None = None
) -> Outcome:
    """Divide the communities that have no grids yet, by the topography and components that will hold.

    Where communities overlap or leave narrow gaps, that is closed first, as by ``wanmi grid divide``.
    Communities with grids are left as they are, so that codes stay; numbers start after the largest
    one ever used, closed grids included. A border moved later is edited, never divided anew. A new
    community on land that has grids was split off or renamed: ``wanmi grid update --areas`` carries
    the grids along.

    Raises
    ------
    CodeError
        A community has more grids than its sequence can number.
    """
    live = context.features(DATASET)
    communities = communities_of(context)
    missing = _without_land(communities[~communities["code"].isin(live["community_code"])], live)
    none = pd.DataFrame(columns=list(REJECT_COLUMNS))
    if missing.empty:
        return Outcome(accepted=_proposal(_no_grids(context), context), faults=none)
    check_unit(communities, context.features("topography"))
    cleaned, fixes = clean_communities(communities, takers=missing["code"])
    fixes = fixes[
        fixes["code"].isin(missing["code"])
        | ((fixes["kind"] == "overlap") & fixes["other"].isin(missing["code"]))
    ]
    missing = gpd.GeoDataFrame(cleaned[cleaned["code"].isin(missing["code"])])
    target_m2 = context.profile.thresholds.grid_target_m2
    grids = divide(
        missing,
        features=context.features("topography"),
        components=context.features("components"),
        options=options_of(context.profile),
        run=Run(
            workers=_workers(missing),
            memo=context.workspace.root / MEMO,
            progress=progress,
        ),
    )
    grids["code"] = number(
        grids,
        code_length=context.profile.grid_code_length,
        used=used_codes(context.database),
        target_m2=target_m2,
    )
    grids["patrol_order"] = patrol_order(grids, target_m2=target_m2)
    return Outcome(accepted=_proposal(grids, context), faults=none, remarks=_closed(fixes))


def _workers(communities: gpd.GeoDataFrame) -> int:
    """Return how many processes divide, side by side, the land of communities."""
    worth = int(communities.area.sum() / _WORTH_A_WORKER_M2)
    return max(1, min(worth, len(communities), os.cpu_count() or 1))


def _closed(fixes: gpd.GeoDataFrame) -> tuple[Remark, ...]:
    """Tell what of the communities was closed before they were divided."""
    if fixes.empty:
        return ()
    count, area_m2 = len(fixes), fixes["area_m2"].sum()
    first = fixes.iloc[fixes["area_m2"].argmax()]
    en = f"{count} gaps and overlaps of communities, {area_m2:.1f} m² in all, were closed for the division."
    zh = f"划分前已处理社区之间的空隙与重叠 {count} 处，共 {area_m2:.1f} 平方米。"
    return (
        Remark(
            en=f"{en} The largest: {first['reason_en']} {first['suggestion_en']}",
            zh=f"{zh}其中最大一处：{first['reason_zh']}{first['suggestion_zh']}",
        ),
    )


def _without_land(communities: gpd.GeoDataFrame, live: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the communities whose land has no grids yet."""
    shapes, land = live.geometry.to_numpy(), communities.geometry.to_numpy()
    place, grid = shapely.STRtree(shapes).query(land, predicate="intersects")
    held = shapely.area(shapely.intersection(land[place], shapes[grid]))
    has_grids = np.bincount(place, held, len(land)) > _LAND_SHARE * shapely.area(land)
    for code in communities.loc[has_grids, "code"]:
        logger.warning(
            "Community %s lies on land that has unit grids: `wanmi grid update --areas` carries them along.",
            code,
        )
    return gpd.GeoDataFrame(communities[~has_grids])


def _no_grids(context: BuildContext) -> gpd.GeoDataFrame:
    empty = {"code": pd.Series(dtype=object), "community_code": pd.Series(dtype=object)}
    return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=context.crs.crs))


def _proposal(grids: gpd.GeoDataFrame, context: BuildContext) -> gpd.GeoDataFrame:
    """Return divided grids with the columns of the table."""
    rows = grids.assign(
        area_m2=grids.geometry.area,
        origin="divided",
        initial_date=context.as_of,
        source_file=None,
        source_row=None,
    )
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=grids.crs).sort_values("code")
