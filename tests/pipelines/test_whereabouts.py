"""Where a whole file lies: what is suspected of it is told with its report."""

import geopandas as gpd
import numpy as np

from gis.crs import transform_xy
from gis.remarks import NOTHING, Remark
from gis.sources import FileReport
from pipelines.whereabouts import check_whereabouts
from tests.gis.test_shift import AREAS, CITY, EAST, NORTH


def test_a_file_elsewhere_is_told_in_both_languages_after_what_was_said_of_it():
    said = Remark(en="a.shx is missing.", zh="缺少 a.shx。")
    report = FileReport(
        path="a.shp",
        driver="ESRI Shapefile",
        sha256="",
        rows=len(EAST),
        encoding="GBK",
        encoding_evidence=NOTHING,
        crs=CITY,
        crs_source="file",
        warnings=(said,),
    )
    away = gpd.GeoDataFrame(geometry=gpd.points_from_xy(EAST + 300_000, NORTH), crs=CITY)
    told = check_whereabouts(away, report, source=CITY, city=CITY, areas=AREAS).warnings
    assert told[0] == said
    assert len(told) == 2
    assert "城市" in told[1].zh
    there = gpd.GeoDataFrame(geometry=gpd.points_from_xy(EAST, NORTH), crs=CITY)
    assert check_whereabouts(there, report, source=CITY, city=CITY, areas=AREAS) == report


def test_a_resurvey_in_a_vendors_coordinates_is_told_by_its_codes_well_inside_the_city():
    """Some 500 m of offset leave every point within the city: only the codes tell."""
    report = FileReport(
        path="路灯.shp",
        driver="ESRI Shapefile",
        sha256="",
        rows=20,
        encoding="GBK",
        encoding_evidence=NOTHING,
        crs=CITY,
        crs_source="file",
    )
    west, south, east, north = AREAS.boxes.geometries[0].bounds
    x, y = (west + east) / 2 + np.arange(20) * 7.0, np.full(20, (south + north) / 2)
    codes = [f"1301020137{number:06d}" for number in range(20)]
    live = gpd.GeoDataFrame({"code": codes}, geometry=gpd.points_from_xy(x, y), crs=CITY)
    shifted = transform_xy(
        *transform_xy(x, y, source=CITY, target="GCJ-02"), source="EPSG:4490", target=CITY
    )

    def told(points, names):
        rows = gpd.GeoDataFrame({"code": names}, geometry=gpd.points_from_xy(*points), crs=CITY)
        checked = check_whereabouts(rows, report, source=CITY, city=CITY, areas=AREAS, known=live)
        return [remark.zh for remark in checked.warnings]

    (sentence,) = told(shifted, codes)
    assert sentence.startswith("坐标疑似 GCJ-02")
    assert told((x + 3.0, y), codes) == []  # surveyed again, a little better
    assert (
        told((x - 500.0, y + 100.0), codes) == []
    )  # moved otherwise: the rows are judged one by one
    assert told(shifted, [code.replace("0137", "0138") for code in codes]) == []
