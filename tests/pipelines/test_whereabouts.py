"""Where a whole file lies: what is suspected of it is told with its report."""

import geopandas as gpd

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
