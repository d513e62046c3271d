"""Components exported: every row, in every format, and loaded again nothing has changed."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as Tree

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pyproj
import pytest
import shapely
from typer.testing import CliRunner

from census.exchange.columns import exchange_columns, no_attributes, short_names
from census.exchange.exporting import ExportRequest, export_components
from census.exchange.rows import Selection
from gis.builds import live
from gis.database import Database
from gis.errors import FileFormatError, NotFoundError, RequestError
from gis.fields import find_column
from gis.geopackage import read_project, read_stamp
from gis.server import Server
from gis.vector import list_layers, read_vector, write_vector
from gis.workspace import Workspace
from pipelines.build import BuildOptions, build_delivery
from tests.databases import created, opened
from tests.pipelines.town import (
    AREAS_LAYER,
    CRS,
    GRIDS,
    GRIDS_LAYER,
    areas,
    at,
    grids,
    line,
    rectangle,
    write_manifest,
)
from wanmi import mount

LONG = "很" * 130
"""260 bytes of GBK: a DBF keeps 254."""


def components() -> gpd.GeoDataFrame:
    """Points, a line, polygons, one of them with a hole and clockwise, and odd texts."""
    lot = shapely.Polygon(
        shapely.get_coordinates(rectangle(20, 20, 60, 60))[::-1],
        [shapely.get_coordinates(rectangle(30, 30, 40, 40))],
    )
    two = shapely.MultiPolygon([rectangle(220, 20, 240, 40), rectangle(250, 20, 260, 40)])
    rows = [
        ("1301020104000001", at(10.123456789, 10), "完好", "=1+1", "铸铁", 0.7, None),
        ("1301020104000002", at(150, 10), "破损", ' 引"号,逗号', "复合\n材料", None, "20240229"),
        ("1301020103000001", at(310, 100), "丢失", None, None, None, None),
        (
            "1301020217000001",
            line((100, 50), (150, 60), (190, 50)),
            "完好",
            "护栏",
            None,
            12.5,
            None,
        ),
        ("1301020201000001", lot, "占用", "东停车场", "沥青", None, None),
        ("1301020201000002", two, "完好", "西停车场", None, None, None),
    ]
    frame = gpd.GeoDataFrame(
        rows,
        columns=["ObjID", "geometry", "ObjState", "Note", "材质说明与规格型号", "宽度", "CHDate"],
        crs=CRS,
    )
    return frame.assign(
        ObjName=[f"部件{n}" for n in range(6)],
        DeptName1="市政处",
        DeptCode2=["U1", "U1", "U2", None, None, "U1"],
        DeptName2=["排水公司", "别的公司", None, "无主", "甲（争议）", None],
        ORDate="20240101",
        XLDM=frame["ObjID"].str.slice(6, 10),
    )


@pytest.fixture(scope="module")
def city(
    server: Server, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, Workspace]]:
    """A built town with six components; tests of this file change nothing that is live."""
    root = tmp_path_factory.mktemp("exporting")
    folder = root / "delivery"
    write_manifest(
        folder,
        [
            AREAS_LAYER,
            GRIDS_LAYER,
            {"dataset": "units", "path": "units.csv"},
            {"dataset": "components", "path": "components.gpkg"},
        ],
    )
    write_vector(areas(), folder / "areas.gpkg")
    write_vector(grids(), folder / "grids.gpkg")
    write_vector(components(), folder / "components.gpkg")
    (folder / "units.csv").write_text(
        "code,name,kind\nU1,排水公司,company\nU2,路灯处,department\n", encoding="utf-8"
    )
    with created(server, "exporting", of=template) as url:
        database, workspace = Database(url=url, crs=CRS, srid=4547), opened(root, url)
        build_delivery(folder, workspace=workspace, options=BuildOptions(actor="tests"))
        assert len(live(database, "components")) == 6
        yield database, workspace


def export(city, path: Path, **options):
    database, workspace = city
    return export_components(database, workspace, ExportRequest(path=path, **options))


ROUNDS = [
    {"format": "gpkg"},
    {"format": "gpkg", "by_class": True},
    {"format": "gpkg", "names": "zh"},
    {"format": "gpkg", "names": "survey"},
    {"format": "shp"},
    {"format": "shp", "by_class": True, "names": "platform", "encoding": "UTF-8"},
    {"format": "shp", "names": "zh"},
    {"format": "parquet"},
    {"format": "csv", "lonlat": True, "selection": Selection(classes=("0104", "0103"))},
]


@pytest.mark.parametrize(
    "options", ROUNDS, ids=lambda options: " ".join(map(str, options.values()))[:40]
)
def test_an_export_loaded_again_changes_nothing(city, tmp_path, options):
    database, workspace = city
    before = live(database, "components")
    result = export(city, tmp_path / "out", **options)
    assert result.is_loadable
    # Two teams are told apart by their folders.
    manifest = (tmp_path / "out" / "delivery.toml").read_text(encoding="utf-8")
    assert f'name = "out, export of build {result.build_id}"' in manifest
    assert result.rows == sum(rows for _, _, rows in result.layers)
    reports = build_delivery(
        tmp_path / "out", workspace=workspace, options=BuildOptions(actor="tests")
    )
    (report,) = [report for report in reports if report.dataset == "components"]
    assert (report.rows_read, report.rows_rejected) == (result.rows, 0)
    assert (report.rows_opened or 0, report.rows_closed or 0) == (0, 0)
    after = live(database, "components")
    assert after["content_hash"].tolist() == before["content_hash"].tolist()
    assert after["row_id"].tolist() == before["row_id"].tolist()


def test_every_row_says_the_version_it_was_made_from(city, tmp_path):
    database, _ = city
    result = export(city, tmp_path / "field.gpkg")
    rows = live(database, "components").set_index("code")
    seen = 0
    for _, layer, count in result.layers:
        frame = read_vector(tmp_path / "field.gpkg", target_crs=CRS, layer=layer).frame
        assert len(frame) == count
        for record in frame.to_dict("records"):
            seen += 1
            assert record["base_hash"] == rows.loc[record["code"], "content_hash"]
            assert record["base_build"] == rows.loc[record["code"], "build_id"]
            assert record["geometry"].equals(rows.loc[record["code"], "geometry"])
    assert seen == len(rows)
    stamp = read_stamp(tmp_path / "field.gpkg")
    assert stamp["kind"] == "components"
    assert (stamp["build_id"], stamp["data_version"]) == (str(result.build_id), result.data_version)
    assert stamp["layers"].split(",") == [layer for _, layer, _ in result.layers]
    assert (stamp["rows"], stamp["as_of"], stamp["crs"]) == ("6", "2026-05-31", CRS)


def test_a_field_team_chooses_from_lists_and_can_not_change_codes(city, tmp_path):
    path = tmp_path / "field.gpkg"
    export(city, path)
    with closing(sqlite3.connect(path)) as connection:
        lists = connection.execute(
            "SELECT constraint_name, value, description FROM gpkg_data_column_constraints"
        ).fetchall()
        assert ("condition", "damaged", "破损") in lists
        assert ("class", "0104", "雨水箅子") in lists
        assert ("unit", "U1", "排水公司") in lists
        named = dict(
            connection.execute(
                "SELECT column_name, name FROM gpkg_data_columns WHERE table_name = 'components_point'"
            ).fetchall()
        )
        assert (named["code"], named["condition"]) == ("部件标识码", "部件状态")
        (qml,) = connection.execute(
            "SELECT styleQML FROM layer_styles WHERE f_table_name = 'components_point'"
        ).fetchone()
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    form = Tree.fromstring(qml)
    editable = {e.get("field") or e.get("name"): e.get("editable") for e in form.find("editable")}
    assert {name for name, value in editable.items() if value == "0"} == {
        "code",
        "standard_ref",
        "grid_code",
        "community_code",
        "base_build",
        "base_hash",
    }
    widgets = {f.get("name"): f[0].get("type") for f in form.find("fieldConfiguration")}
    assert (widgets["condition"], widgets["owner_code"]) == ("ValueMap", "ValueMap")
    assert (widgets["base_hash"], widgets["initial_date"]) == ("Hidden", "DateTime")
    values = {
        option.get("value")
        for option in form.findall("fieldConfiguration/field[@name='condition']//Option[@value]")
    }
    assert values == {"intact", "damaged", "lost", "abandoned", "removed", "occupied", "unknown"}
    # The project beside the file is the one inside it, and names layers that are there.
    text = (tmp_path / "field.qgs").read_text(encoding="utf-8")
    assert read_project(path, "components") == text
    sources = [e.text for e in Tree.fromstring(text).iter("datasource")]
    layers = {name for name, _ in pyogrio.list_layers(path)}
    assert {source.split("layername=")[1] for source in sources} <= layers
    assert all(source.startswith("./field.gpkg|") for source in sources)


def test_gdal_reads_types_aliases_and_lists(city, tmp_path):
    export(city, tmp_path / "field.gpkg")
    info = pyogrio.read_info(tmp_path / "field.gpkg", layer="components_polygon")
    assert info["geometry_type"] == "MultiPolygon"
    assert info["crs"] == CRS
    types = dict(zip(info["fields"], info["dtypes"], strict=True))
    assert (types["initial_date"], types["base_build"]) == ("datetime64[D]", "int64")
    assert types["code"] == "object"


def test_shapefiles_are_gbk_with_names_that_surveyors_know(city, tmp_path):
    result = export(city, tmp_path / "shp", format="shp")
    folder = tmp_path / "shp"
    assert {file for file, _, _ in result.layers} == {
        "components_point.shp",
        "components_line.shp",
        "components_polygon.shp",
    }
    assert (folder / "components_point.cpg").read_text() == "GBK"
    assert pyproj.CRS((folder / "components_point.prj").read_text()).to_epsg() == 4547
    names = pyogrio.read_info(folder / "components_point.shp", encoding="GBK")["fields"].tolist()
    assert names[:4] == ["ObjID", "class_code", "std_ref", "ObjName"]
    assert all(len(name.encode("GBK")) <= 10 for name in names)
    table = pd.read_csv(folder / "names.csv", dtype=str).set_index("column")["platform_column"]
    assert table["材质说明与"] == "材质说明与规格型号"
    assert (table["ObjState"], table["width_m"]) == ("condition", "width_m")
    assert set(table.index) >= set(names)
    assert b"\xcd\xea\xba\xc3" in (folder / "components_point.dbf").read_bytes()  # 完好 in GBK


def test_a_text_that_a_dbf_can_not_hold_is_listed_whole(city, tmp_path, monkeypatch):
    from census.exchange import exporting

    read = exporting.read_components

    def longer(database, selection):
        frame = read(database, selection)
        frame.loc[0, "remark"] = LONG
        return frame

    monkeypatch.setattr(exporting, "read_components", longer)
    result = export(city, tmp_path / "shp", format="shp")
    assert "1 texts have more than 254 bytes" in result.warnings[0]
    assert not result.is_loadable
    assert not (tmp_path / "shp" / "delivery.toml").exists()
    told = pd.read_csv(tmp_path / "shp" / "long_texts.csv", dtype=str)
    assert told.to_numpy().tolist() == [["1301020103000001", "Note", LONG]]
    frame = read_vector(tmp_path / "shp" / "components_point.shp", target_crs=CRS).frame
    written = frame.set_index("ObjID").loc["1301020103000001", "Note"]
    assert written == "很" * 127
    # A GeoPackage takes it whole.
    assert export(city, tmp_path / "whole").is_loadable


def test_a_character_that_gbk_has_not_makes_the_files_utf8_and_is_told(city, tmp_path, monkeypatch):
    from census.exchange import exporting

    read = exporting.read_components

    def rare(database, selection):
        frame = read(database, selection)
        frame.loc[0, "name"] = "𠮷田井盖"
        return frame

    monkeypatch.setattr(exporting, "read_components", rare)
    result = export(city, tmp_path / "shp", format="shp")
    assert "𠮷" in result.warnings[0]
    assert "UTF-8" in result.warnings[0]
    frame = read_vector(tmp_path / "shp" / "components_point.shp", target_crs=CRS).frame
    assert "𠮷田井盖" in frame["ObjName"].tolist()


def test_geoparquet_is_valid_by_its_metadata(city, tmp_path):
    export(city, tmp_path / "c.parquet")
    metadata = json.loads(pq.read_schema(tmp_path / "c.parquet").metadata[b"geo"])
    column = metadata["columns"][metadata["primary_column"]]
    assert metadata["version"] == "1.1.0"
    assert column["encoding"] == "WKB"
    assert pyproj.CRS.from_json_dict(column["crs"]).to_epsg() == 4547
    assert set(column["geometry_types"]) == {"Point", "LineString", "Polygon", "MultiPolygon"}
    frame = gpd.read_parquet(tmp_path / "c.parquet")
    assert len(frame) == 6
    assert frame["initial_date"].iloc[0] == date(2024, 1, 1)
    stamp = json.loads((tmp_path / "c.wanmi.json").read_bytes())
    assert stamp["kind"] == "components"


def test_the_exchange_columns_are_those_of_table_2_in_order(city, tmp_path):
    result = export(city, tmp_path / "e", names="2026")
    frame = pyogrio.read_dataframe(tmp_path / "e" / "components.gpkg", layer="components_point")
    expected = [
        "GLBJBSM",
        "GLBJMC",
        "ZGBMDM",
        "ZGBMMC",
        "QSDWDM",
        "QSDWMC",
        "YHDWDM",
        "YHDWMC",
        "SZDYWGBSM",
        "SZSQDM",
        "GLBJZT",
        "CSRQ",
        "BGRQ",
        "SJLY",
        "BZ",
        "SZJDDM",
        "SZJDMC",
        "SZSQMC",
    ]
    assert [name for name in frame.columns if name != "geometry"] == expected
    row = frame.set_index("GLBJBSM").loc["1301020104000002"]
    assert (row["GLBJZT"], row["CSRQ"], row["BGRQ"]) == ("破损", "20240101", "20240229")
    assert (row["SZJDMC"], row["SZSQMC"]) == ("建北街道", "翠屏社区")
    assert row["SZDYWGBSM"] == GRIDS[1]
    assert not result.is_loadable  # the table knows no attributes: a load would lose them
    told = " ".join(result.warnings)
    assert "6 of 6 components have codes of an older generation" in told
    assert "ZGBMDM is mandatory and missing in 6 rows" in told


def test_a_table_has_positions_in_metres_and_on_request_in_degrees(city, tmp_path):
    export(city, tmp_path / "c.csv", lonlat=True)
    table = pd.read_csv(tmp_path / "c.csv", dtype=str).set_index("code")
    row = table.loc["1301020104000001"]
    assert float(row["x"]) == 540010.123456789
    transformer = pyproj.Transformer.from_crs(CRS, "EPSG:4490", always_xy=True)
    lon, lat = transformer.transform(540010.123456789, 4214010.0)
    assert float(row["lon_cgcs2000"]) == pytest.approx(lon, abs=1e-9)
    assert float(row["lat_cgcs2000"]) == pytest.approx(lat, abs=1e-9)
    assert shapely.from_wkt(table.loc["1301020217000001", "wkt"]).length == pytest.approx(
        92.2, abs=0.1
    )
    assert (tmp_path / "c.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_only_what_is_asked_for_is_written(city, tmp_path):
    selection = Selection(classes=("0104",), districts=("130102",))
    result = export(city, tmp_path / "a.gpkg", selection=selection, by_class=True)
    assert result.layers == (("a.gpkg", "c0104_point", 2),)
    with pytest.raises(NotFoundError, match="9999"):
        export(city, tmp_path / "b.gpkg", selection=Selection(classes=("9999",)))
    with pytest.raises(NotFoundError, match="130199"):
        export(city, tmp_path / "b.gpkg", selection=Selection(districts=("130199",)))
    past = export(city, tmp_path / "past", selection=Selection(as_of=date(2020, 1, 1)))
    assert (past.rows, past.build_id, past.is_loadable) == (0, None, False)
    assert len(read_vector(tmp_path / "past/components.gpkg", target_crs=CRS).frame) == 0


def test_what_is_there_is_refused_or_replaced_whole(city, tmp_path):
    path = tmp_path / "a.gpkg"
    path.write_bytes(b"precious")
    with pytest.raises(FileFormatError, match="--replace"):
        export(city, path)
    assert path.read_bytes() == b"precious"
    export(city, path, replace=True)
    assert list_layers(path) == ["components_line", "components_point", "components_polygon"]
    (tmp_path / "b.gpkg").mkdir()
    with pytest.raises(FileFormatError, match="is a folder"):
        export(city, tmp_path / "b.gpkg", replace=True)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "diary.txt").write_text("x")
    with pytest.raises(FileFormatError, match="not written by an export"):
        export(city, mine, replace=True)
    assert (mine / "diary.txt").exists()
    export(city, tmp_path / "out")
    (tmp_path / "out" / "stale.txt").write_text("x")
    export(city, tmp_path / "out", format="shp", replace=True)
    assert not (tmp_path / "out" / "components.gpkg").exists()
    assert not (tmp_path / "out" / "stale.txt").exists()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_nothing_is_left_of_an_export_that_failed(city, tmp_path, monkeypatch):
    from census.exchange import writing

    def full(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(writing, "write_styles", full)
    with pytest.raises(OSError, match="full"):
        export(city, tmp_path / "a.gpkg")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "options", "match"),
    [
        ("a.shp", {}, "name a folder"),
        ("a.dwg", {}, "can not be written"),
        ("a.gpkg", {"format": "csv"}, "not a file of format csv"),
        ("no/where/a.gpkg", {}, "no folder"),
        ("a", {"format": "shp", "encoding": "GBX"}, "no encoding GBX"),
        ("a.csv", {"by_class": True}, "--by-class does nothing"),
        ("a.gpkg", {"lonlat": True}, "--lonlat does nothing"),
    ],
)
def test_a_path_that_can_not_be_is_told_at_once(city, tmp_path, name, options, match):
    with pytest.raises((RequestError, FileFormatError), match=match):
        export(city, tmp_path / name, **options)


def test_every_spelling_written_is_one_that_a_load_knows_or_drops():
    for column in exchange_columns():
        for name in {column.survey, column.exchange, column.column} - {""}:
            if column.role in ("derived", "stamp"):
                assert name in no_attributes()
            elif name != column.short or column.survey:
                assert find_column(name, dataset="components") == column.column


def test_short_names_are_each_given_once():
    names = [f"attribute_number_{n}" for n in range(1200)]
    short = short_names(names, taken=["attribute_"])
    assert len({name.casefold() for name in short.values()}) == 1200
    assert all(len(name.encode()) <= 10 for name in short.values())


def test_the_command_tells_rows_files_and_how_to_load_again(city, tmp_path):
    _, workspace = city
    app = mount(["pipelines.surveys"])
    base = ["-w", str(workspace.root), "census", "export"]
    done = CliRunner().invoke(
        app,
        [*base, str(tmp_path / "out"), "--json"],
        env={"WANMI_DATABASE_URL": workspace.settings.database_url},
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["rows"], told["is_loadable"]) == (6, True)


def test_the_stamp_tells_one_version_from_another(city, tmp_path):
    first = export(city, tmp_path / "a.gpkg")
    part = export(city, tmp_path / "b.gpkg", selection=Selection(classes=("0104",)))
    again = export(city, tmp_path / "c.parquet")
    assert first.data_version == again.data_version != part.data_version
    assert replace(first, path="").rows == again.rows
