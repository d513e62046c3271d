"""The sheets that are live: their days, what is on them, the faults at their edges."""

from pathlib import Path

import geopandas as gpd
import pandas as pd

from census.report.faultlayer import coloured_style
from gis.database import Database, read_features
from gis.geopackage import write_styles
from gis.outputs import appearing
from gis.vector import write_vector

_SHEETS = """
    SELECT s.number, s.scale, s.surveyed_on::text AS surveyed_on, s.valid_from::text AS as_of,
           s.contractor, s.delivery, s.features, s.extent_from,
           (SELECT count(*) FROM topography.sheet h WHERE h.code = s.code)::int AS versions,
           coalesce(f.errors, 0)::int AS edge_errors, coalesce(f.warnings, 0)::int AS edge_warnings,
           s.geom
    FROM topography.sheet s LEFT JOIN (
        SELECT number, count(*) FILTER (WHERE grade = 'error') AS errors,
               count(*) FILTER (WHERE grade = 'warning') AS warnings
        FROM (SELECT sheet AS number, grade FROM topography.edge_fault WHERE valid_to IS NULL
              UNION ALL
              SELECT other_sheet, grade FROM topography.edge_fault
              WHERE valid_to IS NULL AND other_sheet <> sheet) e GROUP BY number
    ) f USING (number)
    WHERE s.valid_to IS NULL ORDER BY s.code COLLATE "C"
"""
_FAULTS = """
    SELECT rule, grade, sheet, other_sheet, feature_code, other_code, gap_m, reason_zh, reason_en,
           valid_from::text AS since, geom
    FROM topography.edge_fault WHERE valid_to IS NULL ORDER BY sheet COLLATE "C", code COLLATE "C"
"""
_GRADES = {"error": ("未接 not joined", (200, 0, 26)), "warning": ("存疑 doubtful", (245, 155, 0))}
_STATES = {
    "sound": ("接边无误 sound", (26, 127, 55)),
    "doubtful": ("接边存疑 doubtful", (245, 155, 0)),
    "faulty": ("接边有误 faulty", (200, 0, 26)),
}


def read_sheets(database: Database) -> gpd.GeoDataFrame:
    """Return the live sheets by code, with the number of faults at their edges."""
    with database.connect(read_only=True) as connection:
        return read_features(connection, _SHEETS, [], crs=database.crs)


def read_edge_faults(database: Database) -> gpd.GeoDataFrame:
    """Return the faults of edge matching that hold, by sheet."""
    with database.connect(read_only=True) as connection:
        return read_features(connection, _FAULTS, [], crs=database.crs)


def as_document(sheets: gpd.GeoDataFrame) -> list[dict[str, object]]:
    """Return the sheets for programs, each with its bounds: west, south, east, north, m."""
    table = pd.DataFrame(sheets.drop(columns="geometry")).astype(object)
    plain = table.where(table.notna(), None).to_dict("records")
    bounds = sheets.geometry.bounds.round(3).to_numpy().tolist()
    return [
        {str(name): value for name, value in row.items()} | {"bounds": box}
        for row, box in zip(plain, bounds, strict=True)
    ]


def write_index(sheets: gpd.GeoDataFrame, faults: gpd.GeoDataFrame, path: Path) -> None:
    """Write the sheet index 接图表 as a GeoPackage: layers ``sheets`` and ``edge_faults``, coloured.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    state = [
        "faulty" if errors else "doubtful" if warnings else "sound"
        for errors, warnings in zip(sheets["edge_errors"], sheets["edge_warnings"], strict=True)
    ]
    with appearing(path) as partial:
        write_vector(gpd.GeoDataFrame(sheets.assign(state=state)), partial, layer="sheets")
        write_vector(faults, partial, layer="edge_faults")
        styles = {
            "sheets": coloured_style("fill", "state", _STATES),
            "edge_faults": coloured_style("marker", "grade", _GRADES),
        }
        write_styles(partial, styles)
