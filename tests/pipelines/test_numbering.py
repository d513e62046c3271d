"""Codes that the platform gives: each row gets one of its own class, whatever the order of the rows."""

import geopandas as gpd

from gis.builds import live
from gis.vector import write_vector
from pipelines.build import BuildOptions, build_delivery
from tests.pipelines.town import CRS, at, write_manifest


def test_a_component_gets_a_code_of_its_own_class_and_numbers_run_from_west_to_east(
    tmp_path, workspace, database
):
    folder = tmp_path / "delivery"
    folder.mkdir()
    rows = [("0104", 300), ("0101", 250), ("0104", 200), ("0101", 150), ("0103", 100), ("0104", 50)]
    table = gpd.GeoDataFrame(
        {"小类": [name for name, _ in rows]}, geometry=[at(east, 50) for _, east in rows], crs=CRS
    )
    write_vector(table, folder / "部件.gpkg")
    write_manifest(folder, [{"dataset": "components", "path": "部件.gpkg", "class_field": "小类"}])
    build_delivery(folder, workspace=workspace, options=BuildOptions(actor="tests"))
    found = live(database, "components").sort_values("source_row")
    assert found["code"].tolist() == [
        "1301020104000003",
        "1301020101000002",
        "1301020104000002",
        "1301020101000001",
        "1301020103000001",
        "1301020104000001",
    ]
