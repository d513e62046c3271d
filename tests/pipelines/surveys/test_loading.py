"""Loads that go wrong in bulk, and codes that stay with their places."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gis.builds import live
from gis.vector import write_vector
from pipelines.build import build_delivery
from tests.pipelines.town import (
    AREAS_LAYER,
    COMPONENTS_LAYER,
    CRS,
    GRIDS_LAYER,
    X0,
    Y0,
    areas,
    at,
    components,
    grids,
    write_manifest,
)

PLACES = {"a": at(50, 50), "b": at(150, 50), "c": at(250, 50), "d": at(350, 50)}


def deliver(folder, rows, *, name="survey", mode="replace"):
    folder.mkdir(exist_ok=True)
    write_vector(areas(), folder / "areas.gpkg", layer="areas")
    write_vector(grids(), folder / "grids.gpkg", layer="grids")
    write_vector(rows, folder / "雨水箅子.gpkg", layer="components")
    layer = COMPONENTS_LAYER | {"path": "雨水箅子.gpkg", "mode": mode}
    return write_manifest(folder, [AREAS_LAYER, GRIDS_LAYER, layer], name=name)


def nameless(places):
    """Components without code at these places, in this order."""
    table = gpd.GeoDataFrame({"geometry": places}, crs=CRS)
    return table.assign(**components().iloc[0][["ObjName", "DeptName1", "ObjState"]].to_dict())


def codes(database):
    """Code by place, of what is live."""
    rows = live(database, "components")
    names = {shape.wkb: name for name, shape in PLACES.items()}
    return {
        names.get(shape.wkb, "elsewhere"): code
        for code, shape in zip(rows["code"], rows["geometry"], strict=True)
    }


def report_of(reports):
    return next(report for report in reports if report.dataset == "components")


def test_ten_thousand_rows_of_one_code_load_once(tmp_path, workspace, database):
    count = 10_000
    rng = np.random.default_rng(1)
    points = shapely.points(X0 + rng.uniform(1, 399, count), Y0 + rng.uniform(1, 199, count))
    rows = gpd.GeoDataFrame({"ObjID": "1301020104000001", "geometry": points}, crs=CRS)
    report = report_of(build_delivery(deliver(tmp_path / "d", rows), workspace=workspace))
    assert (report.rows_read, report.rows_accepted, report.rows_rejected) == (count, 1, count - 1)
    assert live(database, "components")["source_row"].tolist() == [1]
    with database.connect() as connection:
        found = connection.execute(
            "SELECT count(*), count(DISTINCT source_row), count(DISTINCT reason_en), min(reason_en)"
            " FROM meta.reject WHERE rule = 'C012'"
        ).fetchone()
    assert found[:3] == (count - 1, count - 1, 1)
    assert "雨水箅子.gpkg row 1" in found[3]


@pytest.mark.parametrize("broken", ["nan", "missing"])
def test_one_broken_geometry_costs_one_row(tmp_path, workspace, database, broken):
    count = 30_000
    number = np.arange(count)
    x, y = X0 + 1 + number % 398, Y0 + 1 + number // 398 * 2.0
    points = np.asarray(shapely.points(x, y), dtype=object)
    points[777] = {"nan": shapely.Point(np.nan, Y0), "missing": None}[broken]
    rows = gpd.GeoDataFrame(
        {"ObjID": [f"1301020104{n + 1:06d}" for n in number], "geometry": points}, crs=CRS
    )
    report = report_of(build_delivery(deliver(tmp_path / "d", rows), workspace=workspace))
    assert (report.rows_read, report.rows_accepted, report.rows_rejected) == (count, count - 1, 1)
    with database.connect() as connection:
        refused = connection.execute(
            "SELECT source_row, code FROM meta.reject WHERE severity = 'error'"
        ).fetchall()
    assert refused == [(778, "1301020104000778")]


def test_codes_belong_to_places_whatever_the_order_and_however_often(tmp_path, workspace, database):
    first = [PLACES[name] for name in "cadb"]
    build_delivery(deliver(tmp_path / "1", nameless(first)), workspace=workspace)
    given = codes(database)
    # Numbered from west to east, not in the order of the rows.
    assert [given[name][-6:] for name in "abcd"] == ["000001", "000002", "000003", "000004"]
    shuffled = [PLACES[name] for name in "dbca"]
    build_delivery(deliver(tmp_path / "2", nameless(shuffled), name="2"), workspace=workspace)
    assert codes(database) == given


def test_a_component_that_was_gone_gets_its_code_back_and_no_other_gets_it(
    tmp_path, workspace, database
):
    everything = [PLACES[name] for name in "abcd"]
    build_delivery(deliver(tmp_path / "1", nameless(everything)), workspace=workspace)
    given = codes(database)
    fewer = [PLACES[name] for name in "ab"]
    build_delivery(deliver(tmp_path / "2", nameless(fewer), name="2"), workspace=workspace)
    assert sorted(codes(database)) == ["a", "b"]
    moved = shapely.affinity.translate(PLACES["b"], 30)
    returned = [moved, PLACES["d"], PLACES["a"]]
    build_delivery(deliver(tmp_path / "3", nameless(returned), name="3"), workspace=workspace)
    found = codes(database)
    assert (found["a"], found["d"]) == (given["a"], given["d"])
    # What stands 30 m off can not be known for the same without a code; it gets a new one.
    assert found["elsewhere"][-6:] == "000005"


def test_a_code_in_quarantine_is_not_given_to_another(tmp_path, workspace, database):
    rows = nameless([PLACES["a"], PLACES["b"], PLACES["c"]])
    rows["ObjID"] = ["1301020104000001", None, "1301020104000002"]
    rows.loc[2, "geometry"] = at(90_000, 0)
    build_delivery(deliver(tmp_path / "1", rows), workspace=workspace)
    assert {name: code[-6:] for name, code in codes(database).items()} == {
        "a": "000001",
        "b": "000003",
    }


def test_a_class_whose_last_number_is_used_goes_on_with_free_ones(tmp_path, workspace, database):
    rows = nameless([PLACES["a"], PLACES["b"], PLACES["c"]])
    rows["ObjID"] = ["1301020104999999", None, "1301020104000001"]
    build_delivery(deliver(tmp_path / "1", rows), workspace=workspace)
    assert codes(database)["b"] == "1301020104000002"


def test_contradictions_with_the_databases_are_reported(tmp_path, workspace, database):
    rows = components().assign(BGID="130102001002002")
    report = report_of(build_delivery(deliver(tmp_path / "1", rows), workspace=workspace))
    assert report.rows_rejected == 0
    found = live(database, "components").set_index("code")
    assert found.loc["1301020104000001", "grid_code"] == "130102001001001"
    assert found.loc["1301020104000001", "community_code"] == "130102001001"
    assert {fault["rule"]: fault["rows"] for fault in report.faults}["C030"] == 3
