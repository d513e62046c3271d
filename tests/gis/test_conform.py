"""Frames against the declared tables: all that is wrong is told in one message."""

import re
from datetime import UTC, date, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gis.conform import business_columns, conform
from gis.errors import ConformError
from gis.tables import FEATURE_TABLES, declare

TABLES = declare(4547).tables
CRS = "EPSG:4547"


def grids(count: int = 2, **changes: Any) -> gpd.GeoDataFrame:
    columns: dict[str, Any] = {
        "code": [f"13010200100100{n}" for n in range(1, count + 1)],
        "community_code": "130102001001",
        "area_m2": 10_000.0,
        "origin": "delivered",
        "initial_date": date(2026, 1, 1),
        "source_file": "网格.shp",
        "source_row": range(1, count + 1),
    }
    columns |= changes
    boxes = [shapely.box(100 * n, 0, 100 * n + 100, 100) for n in range(count)]
    geometry = columns.pop("geometry", boxes)
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=CRS)


def fit(frame: pd.DataFrame, table: str = "grids.unit_grid") -> pd.DataFrame:
    return conform(frame, table=TABLES[table], crs=CRS)


def misfits(frame: pd.DataFrame, table: str = "grids.unit_grid") -> dict[str, str]:
    with pytest.raises(ConformError) as caught:
        fit(frame, table)
    text = caught.value.message.removeprefix(f"The rows do not fit {table}: ").removesuffix(".")
    return dict(part.split(": ", 1) for part in text.split("; "))


def test_a_fitting_frame_gets_the_columns_of_the_table_in_order() -> None:
    result = fit(grids())
    assert list(result.columns) == [
        *business_columns(TABLES["grids.unit_grid"]),
        "source_file",
        "source_row",
    ]
    assert result["land_use"].isna().all()
    assert result["code"].tolist() == ["130102001001001", "130102001001002"]


def test_every_fault_is_told_at_once() -> None:
    frame = grids(3).drop(columns="origin")
    frame["colour"] = "red"
    frame["code"] = ["130102001001001", "130102001001001", None]
    frame["area_m2"] = ["a lot", 1.0, 2.0]
    frame["patrol_order"] = [1, 2.5, 3]
    frame["initial_date"] = [date(2026, 1, 1), "2026-01-01", datetime(2026, 1, 1, 8, tzinfo=UTC)]
    frame["name"] = ["ok", 7, "nul\0"]
    frame["build_id"] = 1
    frame = frame.set_geometry([shapely.Point(0, 0), shapely.Polygon(), None], crs="EPSG:4526")
    found = misfits(frame)
    assert set(found) == {
        "origin", "colour", "code", "area_m2", "patrol_order", "initial_date", "name", "build_id", "geometry",
    }  # fmt: skip
    assert found["origin"] == "the column is missing"
    assert found["colour"] == "no such column"
    assert found["build_id"] == "filled by the build alone"
    assert found["area_m2"] == "'a lot' is not a number in 1 rows (网格.shp:1)"
    assert found["patrol_order"] == "2.5 is not a whole number in 1 rows (网格.shp:2)"
    assert found["initial_date"] == "'2026-01-01' is not a day in 2 rows (网格.shp:2, 网格.shp:3)"
    assert found["name"] == "7 is not a text in 2 rows (网格.shp:2, 网格.shp:3)"


def test_the_faults_of_a_geometry() -> None:
    with np.errstate(invalid="ignore"):
        no_number = shapely.from_wkt("POLYGON ((0 0, 1 nan, 1 1, 0 0))")
    shapes = [
        shapely.Point(0, 0),
        shapely.Polygon(),
        None,
        shapely.box(0, 0, 1, 1),
        shapely.Polygon([(0, 0, 5), (1, 0, 5), (1, 1, 5)]),
        no_number,
    ]
    with pytest.raises(ConformError) as caught:
        fit(grids(6, geometry=shapes))
    told = re.findall(r"geometry: ([^;]*?)[;.]? ?(?=geometry|$)", caught.value.message)
    assert told == [
        "null in 1 rows (网格.shp:3)",
        "empty in 1 rows (网格.shp:2)",
        "not POLYGON in 1 rows (网格.shp:1)",
        "has heights in 1 rows (网格.shp:5)",
        "has a coordinate that is no number in 1 rows (网格.shp:6)",
    ]


def test_another_crs_and_none() -> None:
    assert misfits(grids().set_crs("EPSG:4526", allow_override=True)) == {
        "geometry": "in CGCS2000 / 3-degree Gauss-Kruger zone 38, not in the city's CRS"
    }
    plain = pd.DataFrame(grids())
    plain["geometry"] = plain["geometry"].to_numpy(dtype=object)
    assert misfits(plain) == {"geometry": "its CRS is not stated"}


def test_a_null_where_a_value_is_required() -> None:
    assert misfits(grids(origin=["delivered", None])) == {"origin": "null in 1 rows (网格.shp:2)"}
    assert misfits(grids(area_m2=[1.0, np.nan])) == {"area_m2": "null in 1 rows (网格.shp:2)"}


def test_single_polygons_become_multi_where_the_table_wants_those() -> None:
    box = shapely.box(0, 0, 1, 1)
    frame = gpd.GeoDataFrame(
        {"code": ["130102"], "level": "district", "name": "长安区", "area_m2": 1.0},
        geometry=[box],
        crs=CRS,
    )
    assert fit(frame, "grids.area")["geometry"].iloc[0] == shapely.MultiPolygon([box])


def test_missing_lists_and_documents_become_empty() -> None:
    units = pd.DataFrame({"code": ["U1", "U2"], "name": ["甲", "乙"], "kind": "department"})
    assert fit(units, "responsibility.unit")["aliases"].tolist() == [[], []]
    given = units.assign(aliases=[["市政局", "城管"], None])
    assert fit(given, "responsibility.unit")["aliases"].tolist() == [["市政局", "城管"], []]
    assert misfits(units.assign(aliases="市政局"), "responsibility.unit") == {
        "aliases": "'市政局' is not a list of texts in 2 rows"
    }


def test_dates_may_be_timestamps_of_midnight() -> None:
    frame = grids(initial_date=pd.to_datetime(["2026-01-01", "2026-02-01"]))
    assert len(fit(frame)) == 2


@pytest.mark.parametrize("dataset", sorted(FEATURE_TABLES))
def test_an_empty_frame_fits_every_table(dataset: str) -> None:
    table = TABLES[FEATURE_TABLES[dataset]]
    frame = pd.DataFrame({name: [] for name in business_columns(table)})
    assert len(conform(frame, table=table, crs=CRS)) == 0
