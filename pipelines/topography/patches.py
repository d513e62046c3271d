"""A patch 修补 put in its place: its extent, its classes, what of it can not be used."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis.codes import Rule
from gis.database import Database
from gis.errors import DeliveryError
from gis.faults import REJECT_COLUMNS, Faults, Outcome
from pipelines.context import BuildContext
from pipelines.topography import edgefaults, sheetchecks
from pipelines.topography.identifiers import Ids
from pipelines.topography.patching import INSIDE, Patch, Patched, apply
from pipelines.topography.sheetplan import read_extents, read_layer
from pipelines.topography.sheets import Sheet, sheet_key
from pipelines.topography.sheetstore import Store
from pipelines.topography.survey import Survey

_DEFAULT_M = 0.15
"""Tolerance where no sheet tells the scale: that of 1:500."""


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """Features of a patch, joined, before they are put in their place."""

    features: gpd.GeoDataFrame
    survey: Survey
    ids: Ids
    rules: Mapping[str, Rule]


def live_days(database: Database) -> dict[str, date]:
    """Return sheet code -> day of the survey that is live, where it is known."""
    if not database.url:
        return {}
    with database.connect(read_only=True) as connection:
        rows = connection.execute(
            "SELECT code, surveyed_on FROM topography.sheet"
            " WHERE valid_to IS NULL AND surveyed_on IS NOT NULL"
        ).fetchall()
    return {str(code): day for code, day in rows}


def live_sheets(database: Database) -> set[str]:
    """Return the codes of the sheets that are live."""
    with database.connect(read_only=True) as connection:
        rows = connection.execute(
            "SELECT code FROM topography.sheet WHERE valid_to IS NULL"
        ).fetchall()
    return {str(row[0]) for row in rows}


def refuse_older(survey: Survey, faults: Faults, days: Mapping[str, date]) -> Survey:
    """Refuse (TP92) the rows of sheets surveyed before the ones that are live; return the other sheets."""
    rows = survey.rows
    older = {
        place: days[sheet.code]
        for place, sheet in enumerate(survey.sheets)
        if (day := survey.days[place][0]) is not None and day < days.get(sheet.code, date.min)
    }
    if not older:
        return survey
    mask = pd.Series(np.isin(survey.sheet, list(older)), index=rows.index)
    faults.add(
        "TP92",
        mask,
        sheet=rows["sheet"],
        surveyed_on=pd.Series([survey.days[place][0] for place in survey.sheet], index=rows.index),
        live_on=pd.Series([older.get(place) for place in survey.sheet.tolist()], index=rows.index),
    )
    return survey.without(tuple(older))


def apply_patch(
    outcome: Outcome, delivered: Delivered, context: BuildContext
) -> tuple[Outcome, NDArray[np.intp]]:
    """Replace what changed inside the extent of a patch, and say what of it was not used.

    Returns
    -------
    tuple of (Outcome, array)
        For each accepted row the position among the delivered features that it is named by; -1: it
        was live before.

    Raises
    ------
    DeliveryError
        Nobody says where the patch holds, or it lies outside the city.
    """
    survey, features = delivered.survey, delivered.features.reset_index(drop=True)
    extent = patch_extent(survey, context)
    patch = Patch(
        extent=extent,
        classes=_classes(survey, features),
        tolerance_m=float(survey.tolerance_m.max(initial=0.0)) or _tolerance(survey, context),
        same_m=context.profile.topography.same_m,
        are_local=delivered.ids == "sheet",
        spared=_refused(outcome.faults) - frozenset(features["code"].astype(str)),
    )
    patched = apply(context.features("topography"), features, patch)
    faults = Faults(features, rules=delivered.rules)
    _tell(faults, features, patched, patch)
    border = _border_faults(patched, delivered, context)
    store = outcome.beside
    assert isinstance(store, Store)
    kept = pd.concat([store.faults, border.drop(columns="row")], ignore_index=True)
    told = _border_rejects(border, patched, survey)
    parts = [part for part in (outcome.faults, faults.outcome().faults, told) if len(part)]
    table = pd.concat(parts, ignore_index=True) if parts else outcome.faults
    placed = replace(
        outcome,
        accepted=patched.rows,
        faults=table.sort_values(
            ["source_file", "source_row", "rule"], kind="stable", ignore_index=True
        ),
        ends=patched.ends,
        beside=replace(
            store,
            faults=gpd.GeoDataFrame(kept, geometry="geometry", crs=features.crs),
            ground=extent,
        ),
    )
    return placed, patched.named_by


def _refused(faults: pd.DataFrame) -> frozenset[str]:
    codes = faults.loc[faults["severity"] == "error", "code"].dropna()
    return frozenset(codes.astype(str))


def patch_extent(survey: Survey, context: BuildContext) -> shapely.Geometry:
    """Return the ground of a patch: the polygon delivered, else sheets named, else those delivered.

    Raises
    ------
    DeliveryError
        Nothing says it, or it lies outside the city.
    """
    plan = survey.plan
    if plan.extent is not None:
        shapes = read_layer(plan.extent, "extent", context).geometry.to_numpy()
        shapes = shapely.make_valid(
            shapely.force_2d(shapes[~shapely.is_missing(shapes)]), method="structure"
        )
        extent = shapely.union_all(shapes[shapely.get_dimensions(shapes) == 2])
    else:
        sheets: tuple[Sheet, ...] = survey.sheets
        if plan.sheets:
            named, _ = read_extents(plan.sheets, plan, context, middles={})
            _refuse_unknown(plan.sheets, named)
            sheets = tuple(named)
        extent = shapely.union_all([sheet.extent for sheet in sheets])
    if extent.is_empty:
        raise DeliveryError(
            'The patch does not say where it holds: name a polygon as extent = "范围.shp", or the sheets as '
            'sheets = ["4214.25-541.00"], in the options of its layers.',
            zh='修补交付未说明范围：请在图层选项中用 extent = "范围.shp" 指定多边形，'
            '或用 sheets = ["4214.25-541.00"] 指定图幅。',
        )
    _refuse_elsewhere(extent, context)
    return extent


def _refuse_unknown(numbers: tuple[str, ...], found: list[Sheet]) -> None:
    keys = {sheet_key(sheet.number) for sheet in found}
    for number in numbers:
        if sheet_key(number) not in keys:
            raise DeliveryError(
                f"The ground of sheet {number} of the patch can not be told: deliver the sheet index as index = …",
                zh=f"无法确定修补图幅 {number} 的范围：请交付接图表 index。",
            )


def _refuse_elsewhere(extent: shapely.Geometry, context: BuildContext) -> None:
    areas = context.features("areas")
    if len(areas) and not shapely.intersects(areas.geometry.to_numpy(), extent).any():
        east, north = extent.centroid.x, extent.centroid.y
        raise DeliveryError(
            f"The extent of the patch lies outside the city, around {east:.0f} east, {north:.0f} north: check its "
            "coordinate system and the order of its axes.",
            zh=f"修补范围在本市之外（东 {east:.0f}、北 {north:.0f} 附近）：请检查其坐标系与坐标轴顺序。",
        )


def _classes(survey: Survey, features: gpd.GeoDataFrame) -> tuple[str, ...]:
    """Return the first digits of the classes that the patch brings; by default those delivered."""
    if survey.plan.classes is not None:
        return survey.plan.classes
    return tuple(sorted(features["feature_class"].unique()))


def _tolerance(survey: Survey, context: BuildContext) -> float:
    scale = survey.plan.scale
    return scale * context.profile.topography.edge_mm / 1000 if scale else _DEFAULT_M


def _tell(faults: Faults, features: gpd.GeoDataFrame, patched: Patched, patch: Patch) -> None:
    index = features.index
    faults.add("TP90", pd.Series(patched.outside, index=index))
    faults.add(
        "TP93",
        pd.Series(patched.other_class, index=index),
        feature_class=features["feature_class"],
        classes=", ".join(patch.classes),
    )
    faults.add(
        "TP91",
        pd.Series(patched.cut_m > 0, index=index),
        outside_m=pd.Series(patched.cut_m, index=index),
    )
    faults.add("TP94", patched.given.notna(), code=features["code"], given=patched.given)


def _border_faults(
    patched: Patched, delivered: Delivered, context: BuildContext
) -> gpd.GeoDataFrame:
    """Return the faults at the border of the patch, by the sheets that they are on."""
    pieces, faults = patched.pieces, patched.edges
    labels = [
        label
        for fault in faults.itertuples(index=False)
        for label in _sides(fault, pieces, delivered.survey, context.delivery.name)
    ]
    own = np.arange(len(faults), dtype=np.intp) * 2
    return edgefaults.describe(
        faults.assign(sheet=own, other_sheet=own + 1),
        pieces,
        sheets=labels,
        codes=pieces["code"].to_numpy(dtype=object),
        rules=delivered.rules,
    )


def _sides(fault: Any, pieces: gpd.GeoDataFrame, survey: Survey, name: str) -> tuple[str, str]:
    """Return the sheet of a piece and the one across; inside a patch without sheets, its name."""
    new = {sheet.number for sheet in survey.sheets}
    holds = [sheet.number for sheet in survey.sheets if sheet.extent.intersects(fault.geometry)]
    inside = holds[0] if holds else name

    def outside(row: int) -> str:
        sheets = str(pieces["sheet"].iat[row] or "").split(";") if row >= 0 else []
        return next((sheet for sheet in sheets if sheet and sheet not in new), "")

    if pieces["side"].iat[fault.row] == INSIDE:
        return inside, outside(fault.other_row)
    return outside(fault.row) or inside, inside


def _border_rejects(border: gpd.GeoDataFrame, patched: Patched, survey: Survey) -> pd.DataFrame:
    """Return them as faults of the delivery: of the row where one was delivered, else of none."""
    table = edgefaults.as_rejects(border, patched.pieces)
    row = patched.pieces["delivered_row"].to_numpy(dtype=np.intp)[
        border["row"].to_numpy(dtype=np.intp)
    ]
    table.loc[row < 0, "source_file"] = sheetchecks.first_file(survey)
    table.loc[row < 0, "source_row"] = 0
    return table[list(REJECT_COLUMNS)]
