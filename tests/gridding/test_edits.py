"""Edits in the database: rows, lineage and locks together, and the files that editors work on."""

from datetime import date
from pathlib import Path
from xml.etree import ElementTree as Tree

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely
from shapely import LineString, box

from gis.builds import live, rollback
from gis.database import Database, read_rows
from gis.errors import ConflictError, FileFormatError, NotFoundError
from gis.geopackage import read_project, read_stamp, write_project, write_stamp, write_styles
from gis.vector import write_vector
from gridding.edits import EditRequest, EditResult, publish_edit
from gridding.lineage import overlaps, succession
from gridding.locks import list_locks, locked, release_lock, set_locks
from gridding.numbering import used_codes
from gridding.qgis import STYLES, project_text, style_text
from tests.publishing import publish_drawn

CRS = "EPSG:4547"
COMMUNITY = "130102001001"
EAST, NORTH = 500_000.0, 4_210_000.0


def at(west: float, east: float) -> shapely.Polygon:
    return box(EAST + west, NORTH, EAST + east, NORTH + 100)


@pytest.fixture
def grids(database: Database) -> gpd.GeoDataFrame:
    """Two live grids with attributes."""
    rows = gpd.GeoDataFrame(
        {
            "code": [f"{COMMUNITY}001", f"{COMMUNITY}002"],
            "community_code": COMMUNITY,
            "name": ["甲", "乙"],
            "area_m2": 10_000.0,
            "land_use": ["park", "school"],
            "patrol_order": [2, 1],
            "origin": "delivered",
            "initial_date": date(2026, 1, 1),
        },
        geometry=[at(0, 100), at(100, 200)],
        crs=CRS,
    )
    publish_drawn(database, "unit_grids", rows, as_of=date(2026, 5, 31))
    return gpd.GeoDataFrame(live(database, "unit_grids"))


def make(
    database: Database, old: gpd.GeoDataFrame, new: dict[str, shapely.Polygon], **options
) -> EditResult:
    after = gpd.GeoDataFrame(
        {"code": [f"{COMMUNITY}{number}" for number in new], "community_code": COMMUNITY},
        geometry=list(new.values()),
        crs=CRS,
    )
    pairs = overlaps(old.geometry.to_numpy(), after.geometry.to_numpy())
    request = EditRequest(
        kind="update",
        actor="tester",
        reason="test",
        as_of=date(2026, 6, 30),
        inputs_hash=f"{sorted(new)}",
    )
    succeeded = succession(pairs, counts=(len(old), len(after)))
    return publish_edit(database, old, after, succeeded=succeeded, request=request, **options)


def rows_of(database: Database, table: str) -> pd.DataFrame:
    with database.connect(read_only=True) as connection:
        return read_rows(connection, f"SELECT * FROM grids.{table} ORDER BY 1")


def test_a_moved_border_keeps_code_attributes_and_initial_date(
    database: Database, grids: gpd.GeoDataFrame
) -> None:
    result = make(database, grids, {"001": at(0, 104), "002": at(104, 200)})
    assert (result.reshaped, result.opened, result.retired, result.pinned) == (2, 0, 0, 0)
    after = live(database, "unit_grids").set_index("code")
    assert after["name"].tolist() == ["甲", "乙"]
    assert after["initial_date"].tolist() == [date(2026, 1, 1)] * 2
    assert after["change_date"].tolist() == [date(2026, 6, 30)] * 2
    assert after["area_m2"].tolist() == [10_400.0, 9_600.0]
    assert rows_of(database, "lineage")["kind"].tolist() == ["reshape", "reshape"]


def test_parts_inherit_what_the_whole_was_used_for_but_not_its_name(
    database: Database, grids: gpd.GeoDataFrame
) -> None:
    result = make(database, grids, {"003": at(0, 50), "004": at(50, 100), "002": at(100, 200)})
    assert (result.reshaped, result.opened, result.retired) == (0, 2, 1)
    after = live(database, "unit_grids").set_index("code")
    assert after["land_use"].tolist() == ["school", "park", "park"]
    assert after["name"].isna().tolist() == [False, True, True]
    assert after["initial_date"].tolist()[1:] == [date(2026, 6, 30)] * 2
    lineage = rows_of(database, "lineage")
    assert lineage["old_code"].str[-3:].tolist() == ["001", "001"]
    assert lineage["overlap_old"].tolist() == [0.5, 0.5]


def test_the_larger_part_takes_the_place_in_the_order_of_patrol_the_other_comes_last(
    database: Database, grids: gpd.GeoDataFrame
) -> None:
    make(database, grids, {"003": at(0, 30), "004": at(30, 100), "002": at(100, 200)})
    after = live(database, "unit_grids").set_index("code")["patrol_order"]
    assert after[[f"{COMMUNITY}{n}" for n in ("002", "003", "004")]].tolist() == [1, 3, 2]


def test_a_neighbour_that_received_a_vertex_has_not_changed(
    database: Database, grids: gpd.GeoDataFrame
) -> None:
    pinned = shapely.Polygon(
        [*at(0, 100).exterior.coords[:1], (EAST + 100, NORTH + 50), *at(0, 100).exterior.coords[1:]]
    )
    result = make(database, grids, {"001": pinned, "002": at(100, 200)})
    assert (result.reshaped, result.pinned, result.opened) == (0, 1, 0)
    after = live(database, "unit_grids").set_index("code")
    assert after["change_date"].isna().all()
    assert rows_of(database, "lineage").empty


def test_numbers_of_an_edit_that_was_rolled_back_stay_used(
    database: Database, grids: gpd.GeoDataFrame
) -> None:
    result = make(database, grids, {"003": at(0, 200)})
    assert result.build_id is not None
    rollback(database, result.build_id, actor="tester")
    assert live(database, "unit_grids")["code"].str[-3:].tolist() == ["001", "002"]
    assert [code[-3:] for code in used_codes(database)] == ["001", "002", "003"]


def test_grids_changed_by_somebody_else_are_not_overwritten(
    database: Database, grids: gpd.GeoDataFrame
) -> None:
    make(database, grids, {"001": at(0, 104), "002": at(104, 200)})
    before = live(database, "unit_grids")
    with pytest.raises(ConflictError, match="changed by someone else meanwhile"):
        make(database, grids, {"003": at(0, 200)})
    pd.testing.assert_frame_equal(live(database, "unit_grids"), before)
    assert len(rows_of(database, "edit")) == 1


def test_what_fails_beside_an_edit_undoes_it(database: Database, grids: gpd.GeoDataFrame) -> None:
    def fail(connection: object, edit_id: int) -> None:
        raise RuntimeError(edit_id)

    with pytest.raises(RuntimeError):
        make(database, grids, {"003": at(0, 200)}, also=fail)
    assert live(database, "unit_grids")["code"].str[-3:].tolist() == ["001", "002"]
    assert rows_of(database, "edit").empty


def lock_rows() -> gpd.GeoDataFrame:
    line = LineString([(EAST + 100, NORTH), (EAST + 100, NORTH + 100)])
    return gpd.GeoDataFrame(
        {"kind": ["border", "grid"], "code": [None, f"{COMMUNITY}001"]},
        geometry=[line, at(0, 100)],
        crs=CRS,
    )


def test_locks_hold_until_they_are_released(database: Database) -> None:
    about = {"actor": "王芳", "reason": "围墙", "edit_id": None}
    with database.connect() as connection:
        set_locks(connection, lock_rows(), about=about, srid=database.srid)
    borders, held = locked(database)
    assert borders.length.tolist() == [100.0]
    assert held["code"].tolist() == [f"{COMMUNITY}001"]
    table = list_locks(database)
    assert table["size"].tolist() == [100.0, 10_000.0]
    release_lock(database, int(table["lock_id"][0]), actor="tester")
    borders, held = locked(database)
    assert (len(borders), len(held)) == (0, 1)
    with pytest.raises(NotFoundError, match="no lock"):
        release_lock(database, int(table["lock_id"][0]), actor="tester")


def test_locks_of_an_edit_that_was_rolled_back_do_not_hold(
    database: Database, grids: gpd.GeoDataFrame
) -> None:
    def lock(connection, edit_id: int) -> None:
        about = {"actor": "a", "reason": "b", "edit_id": edit_id}
        set_locks(connection, lock_rows(), about=about, srid=database.srid)

    result = make(database, grids, {"003": at(0, 200)}, also=lock)
    assert len(locked(database)[0]) == 1
    assert result.build_id is not None
    rollback(database, result.build_id, actor="tester")
    assert len(locked(database)[0]) == len(locked(database)[1]) == 0


def test_a_geopackage_holds_stamp_styles_and_project_beside_its_layer(tmp_path: Path) -> None:
    file = tmp_path / "网格.gpkg"
    frame = gpd.GeoDataFrame({"code": ["1"]}, geometry=[at(0, 100)], crs=CRS)
    write_vector(frame, file, layer="unit_grid")
    write_stamp(file, {"rows": "{}"})
    write_stamp(file, {"rows": '{"a": 1}', "crs": CRS})
    assert read_stamp(file) == {"rows": '{"a": 1}', "crs": CRS}
    text = project_text(file.name, ["unit_grid"], crs=CRS, extent=(0, 0, 1, 1))
    write_styles(file, {"unit_grid": style_text("unit_grid")})
    write_project(file, "grids", text)
    write_project(file, "grids", text)
    assert read_project(file, "grids") == text
    styles = pyogrio.read_dataframe(file, layer="layer_styles", read_geometry=False)
    assert styles[["f_table_name", "useAsDefault"]].to_numpy().tolist() == [["unit_grid", True]]
    assert pyogrio.read_dataframe(file, layer="unit_grid").geometry[0].equals(at(0, 100))


def test_a_file_that_is_no_geopackage_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.gpkg"
    file.write_text("no database, but long enough to be read as a file of some kind" * 20)
    with pytest.raises(FileFormatError, match="no GeoPackage"):
        read_stamp(file)
    with pytest.raises(FileFormatError, match="no file"):
        read_stamp(tmp_path / "b.gpkg")


def test_the_project_lets_edit_the_grids_alone_and_sets_topology_up() -> None:
    text = project_text("a&b.gpkg", list(STYLES), crs=CRS, extent=(1, 2, 3, 4))
    root = Tree.fromstring(text)
    source = "./a&b.gpkg|layername="
    layers = {
        (layer.findtext("datasource") or "").removeprefix(source): layer
        for layer in root.iter("maplayer")
    }
    assert set(layers) == set(STYLES)
    assert [name for name, layer in layers.items() if layer.get("readOnly") == "0"] == ["unit_grid"]
    avoided = root.findtext("properties/Digitizing/AvoidIntersectionsList/value")
    assert avoided == layers["unit_grid"].findtext("id")
    assert root.find("snapping-settings").get("enabled") == "1"  # type: ignore[union-attr]
    assert root.findtext("projectCrs/spatialrefsys/authid") == CRS
