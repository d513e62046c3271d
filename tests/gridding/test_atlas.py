"""The grid atlas: its pages as a reader sees them, on a town whose sheets can be worked out."""

import ctypes
import itertools
import json
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
import shapely
from shapely import box
from typer.testing import CliRunner

from gis.database import Database
from gis.errors import BuildError, DeliveryError, SettingsError
from gis.workspace import Workspace
from gridding.atlas import fonts
from gridding.atlas.book import AtlasRequest, Book, plan_atlas
from gridding.atlas.changes import NEW, RESHAPED, compare_states
from gridding.atlas.labels import overlaps
from gridding.atlas.maps import label_grids, sheet_frame
from gridding.atlas.sheets import layout_of
from gridding.atlas.writing import AtlasResult, write_atlas
from tests.publishing import numbered, publish_drawn
from wanmi import app

CRS = "EPSG:4547"
X, Y = 540_000.0, 4_214_000.0
MARCH, JUNE = date(2026, 3, 1), date(2026, 6, 1)
LONG_NAME = "石家庄市长安区高新技术产业开发区滹沱河北岸生态绿化与市政公用设施综合养护管理有限责任公司第三分公司"


def square(west: float, south: float, width: float = 100, height: float = 100) -> shapely.Geometry:
    return box(X + west, Y + south, X + west + width, Y + south + height)


# Community -> its area and its grids by number. 001: 3 x 2 grids of a hectare; 002: one grid;
# 003: a forest of 3 x 1.6 km in two grids, too large for one page at 1:5000.
TOWN: dict[str, tuple[str, shapely.Geometry, dict[str, shapely.Geometry]]] = {
    "130102001001": (
        "杏瑞社区",
        square(0, 0, 300, 200),
        {f"{n:03d}": square(n % 3 * 100, 100 - n // 3 * 100) for n in range(6)},
    ),
    "130102001002": ("独格社区", square(300, 0, 100, 200), {"001": square(300, 0, 100, 200)}),
    "130102002001": (
        "林场村",
        square(0, 200, 3000, 1600),
        {"001": square(0, 200, 1500, 1600), "002": square(1500, 200, 1500, 1600)},
    ),
}


def areas() -> gpd.GeoDataFrame:
    rows = [("130102", "district", "长安区", None)]
    rows += [("130102001", "street", "银沟街道", "130102")]  # street 002 is not delivered
    shapes = [shapely.union_all([land for _, land, _ in TOWN.values()]), square(0, 0, 400, 200)]
    for code, (name, land, _) in TOWN.items():
        rows.append((code, "community", name, code[:9]))
        shapes.append(land)
    frame = gpd.GeoDataFrame(
        rows, columns=["code", "level", "name", "parent_code"], crs=CRS, geometry=shapes
    )
    multi = [shapely.MultiPolygon([s]) if s.geom_type == "Polygon" else s for s in frame.geometry]
    return frame.set_geometry(gpd.GeoSeries(multi, crs=CRS)).assign(area_m2=frame.area)


def grids(changed: bool = False) -> gpd.GeoDataFrame:
    """The grids of `TOWN`; changed: 000 and 001 merged to 006, the border of 002 and 005 moved."""
    rows = {
        (code, number): shape for code, (_, _, own) in TOWN.items() for number, shape in own.items()
    }
    first = "130102001001"
    if changed:
        a, b = rows.pop((first, "000")), rows.pop((first, "001"))
        rows[(first, "006")] = shapely.union_all([a, b])
        rows[(first, "002")] = square(200, 90, 100, 110)
        rows[(first, "005")] = square(200, 0, 100, 90)
    return gpd.GeoDataFrame(
        {
            "code": [code + number for code, number in rows],
            "community_code": [code for code, _ in rows],
            "origin": "delivered",
            "initial_date": MARCH,
            "responsible_body": [LONG_NAME if number == "004" else None for _, number in rows],
        },
        geometry=list(rows.values()),
        crs=CRS,
    ).assign(area_m2=lambda frame: frame.area)


def base_map() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "code": ["r1", "b1", "w1", "p1"],
            "feature_class": ["430501", "310300", "230000", "110102"],
            "theme": ["transport", "residential", "hydrography", "control"],
            "name": ["裕华西路", None, "明湖", None],
        },
        geometry=[
            shapely.LineString([(X - 500, Y + 100), (X + 900, Y + 100)]),
            square(20, 20, 40, 15),
            square(120, 120, 60, 60),
            shapely.Point(X, Y),
        ],
        crs=CRS,
    )


def load(database: Database, dataset: str, frame: gpd.GeoDataFrame, day: date = MARCH) -> None:
    rows = numbered(frame, file="图层.gpkg")
    publish_drawn(database, dataset, rows, as_of=day, delivery="2026-普查")


def load_town(database: Database) -> None:
    load(database, "areas", areas())
    load(database, "unit_grids", grids())
    load(database, "topography", base_map())
    load(database, "unit_grids", grids(changed=True), JUNE)


def make(database: Database, file: Path, **options: Any) -> tuple[Book, AtlasResult]:
    with database.connect(read_only=True) as connection:
        book = plan_atlas(connection, database, AtlasRequest(**options))
        return book, write_atlas(book, file)


def page_of(book: Book, name: str) -> int:
    return [entry.name for entry in book.entries].index(name)


def texts(file: Path) -> list[str]:
    with pypdfium2.PdfDocument(file) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def test_every_page_is_full_searchable_and_linked(database: Database, tmp_path: Path) -> None:
    load_town(database)
    file = tmp_path / "图集.pdf"
    book, result = make(database, file, city_name="长安区", approval="冀S(2026)012号")
    names = [entry.name for entry in book.entries]
    assert names[:4] == ["cover", "index", "street-130102001", "sheet-001"]
    assert result.pages == len(names)
    assert (result.communities, result.grids) == (3, 8)
    said = texts(file)
    assert len(said) == result.pages
    cover = said[0]
    for words in ("长安区万米单元网格图集", "2026-06-01", "社区 3 个，单元网格 8 个", "2026-普查"):
        assert words in cover
    assert "冀S(2026)012号" in cover
    assert result.digest in cover
    assert "街道 130102002" in said[page_of(book, "index")]
    sheet = said[page_of(book, "sheet-001")]
    for words in (
        "杏瑞社区",
        "图号 001",
        "1:1 500",
        "裕华西路",
        "130102001001006",
        "20,000",
        "2026-03-01",
    ):
        assert words in sheet
    assert "130102001001000" not in sheet
    assert LONG_NAME in "".join(sheet.split())
    assert "002 独格社区" in sheet
    with pypdfium2.PdfDocument(file) as document:
        for page in document:
            pixels = np.asarray(page.render(scale=0.5).to_numpy())
            assert (pixels < 250).any(axis=2).mean() > 0.01
        outline = [(item.level, item.get_title()) for item in document.get_toc()]
        assert outline[:4] == [
            (0, "封面"),
            (0, "总图与图幅索引"),
            (0, "银沟街道"),
            (1, "001 杏瑞社区"),
        ]
        targets = {name: links(document, page_of(book, name)) for name in ("index", "sheet-001")}
    assert {page_of(book, name) for name in ("street-130102001", "sheet-001", "overview-003")} <= (
        targets["index"]
    )
    assert {page_of(book, name) for name in ("cover", "index", "sheet-002", "overview-003")} <= (
        targets["sheet-001"]
    )


def links(document: pypdfium2.PdfDocument, number: int) -> set[int]:
    """Return the pages that a page leads to."""
    page, place, link = document[number], ctypes.c_int(0), pdfium.FPDF_LINK()
    found = set()
    while pdfium.FPDFLink_Enumerate(page, place, link):
        target = pdfium.FPDFLink_GetDest(document, link)
        found.add(pdfium.FPDFDest_GetDestPageIndex(document, target))
    return found


def test_fonts_are_embedded_and_the_same_data_gives_the_same_bytes(
    database: Database, tmp_path: Path
) -> None:
    load_town(database)
    make(database, tmp_path / "a.pdf")
    make(database, tmp_path / "b.pdf")
    content = (tmp_path / "a.pdf").read_bytes()
    assert content == (tmp_path / "b.pdf").read_bytes()
    assert content.count(b"/FontFile2") >= 1
    assert b"/ToUnicode" in content
    assert not list(tmp_path.glob(".*"))


def test_numbers_of_neighbouring_grids_do_not_overlap(database: Database, tmp_path: Path) -> None:
    load_town(database)
    book, _ = make(database, tmp_path / "atlas.pdf", since=MARCH)
    count = 0
    for community in book.contents.kept:
        for sheet in community.sheets:
            labels = label_grids(community, sheet_frame(sheet, layout_of(sheet.paper)))
            for one, other in itertools.combinations(labels, 2):
                assert not overlaps(one.box, [other.box])
            count += len(labels)
    assert count >= 5 + 1 + 2


def test_a_large_community_is_tiled_and_every_tile_names_its_neighbours(
    database: Database, tmp_path: Path
) -> None:
    load_town(database)
    file = tmp_path / "atlas.pdf"
    book, _ = make(database, file, communities=("130102002001",))
    community = book.contents.kept[0]
    # 3,000 x 1,600 m at 1:5000; a tile is responsible for 257 x 213 mm, 1,285 x 1,065 m: 3 x 2.
    assert [sheet.number for sheet in community.sheets] == [f"003-{n}" for n in range(1, 7)]
    said = texts(file)
    middle = said[page_of(book, "sheet-003-2")]
    for neighbour in ("003-1 接图", "003-3 接图", "003-5 接图"):
        assert neighbour in middle
    # Both grids are larger than the page and are numbered and listed on the tile that cuts them.
    assert "130102002001001" in middle
    assert "130102002001002" in middle
    corner = said[page_of(book, "sheet-003-4")]
    # It lies inside the map, so it is named there; not in this atlas, it keeps its number.
    assert "杏瑞社区" in corner
    assert "图号 001" in corner
    windows = shapely.union_all([box(*sheet.window) for sheet in community.sheets])
    assert windows.covers(community.land)


def test_changes_are_hatched_and_named_by_old_and_new_code(
    database: Database, tmp_path: Path
) -> None:
    load_town(database)
    file = tmp_path / "atlas.pdf"
    book, result = make(database, file, since=MARCH)
    assert (result.changed, result.retired) == (3, 2)
    sheet = "".join(texts(file)[page_of(book, "sheet-001")].split())
    for words in ("原000、001", "新增（原000、001）", "调整", "撤销→006", "变更网格", "原网格界"):
        assert words in sheet
    changes = book.contents.changes
    assert changes is not None
    first = "130102001001"
    assert changes.kind.to_dict() == {
        f"{first}002": RESHAPED,
        f"{first}005": RESHAPED,
        f"{first}006": NEW,
    }
    assert changes.before == {f"{first}006": (f"{first}000", f"{first}001")}
    quiet, _ = make(database, tmp_path / "quiet.pdf", communities=(first,))
    assert pixels_of(file, page_of(book, "sheet-001"), (229, 143, 196)) > 1.5 * pixels_of(
        tmp_path / "quiet.pdf", page_of(quiet, "sheet-001"), (229, 143, 196)
    )
    old, before = make(database, tmp_path / "old.pdf", as_of=MARCH)
    assert before.grids == 9
    assert "130102001001000" in texts(tmp_path / "old.pdf")[page_of(old, "sheet-001")]


def pixels_of(file: Path, page: int, colour: tuple[int, int, int]) -> int:
    with pypdfium2.PdfDocument(file) as document:
        pixels = document[page].render(scale=2).to_numpy()[:, :, ::-1].astype(int)
    return int((np.abs(pixels - np.array(colour)).max(axis=2) < 40).sum())


def test_split_grids_name_the_one_they_come_from() -> None:
    old = gpd.GeoDataFrame({"code": ["g1"]}, geometry=[box(0, 0, 20, 10)])
    new = gpd.GeoDataFrame({"code": ["g2", "g3"]}, geometry=[box(0, 0, 10, 10), box(10, 0, 20, 10)])
    changes = compare_states(old, new)
    assert changes.before == {"g2": ("g1",), "g3": ("g1",)}
    assert changes.retired["after"].tolist() == [("g2", "g3")]
    same = compare_states(new, new)
    assert len(same.kind) == len(same.retired) == len(same.old_shapes) == 0


def test_without_base_map_and_areas_the_grids_are_drawn(database: Database, tmp_path: Path) -> None:
    load(database, "unit_grids", grids())
    book, result = make(database, tmp_path / "atlas.pdf")
    assert result.communities == 3
    said = texts(tmp_path / "atlas.pdf")
    assert "社区 130102001001" in said[page_of(book, "sheet-001")]


def test_community_without_grids_is_listed_and_has_no_sheet(
    database: Database, tmp_path: Path
) -> None:
    load(database, "areas", areas())
    load(database, "unit_grids", grids().query("community_code != '130102001002'"))
    book, result = make(database, tmp_path / "atlas.pdf")
    assert result.communities == 2
    assert "未划分" in texts(tmp_path / "atlas.pdf")[page_of(book, "street-130102001")]
    with pytest.raises(BuildError, match="has no unit grids"):
        make(database, tmp_path / "b.pdf", communities=("130102001002",))


def test_long_lists_run_on_and_lose_no_grid(database: Database, tmp_path: Path) -> None:
    code, lots = "130102001001", 182
    many = gpd.GeoDataFrame(
        {
            "code": [f"{code}{n:03d}" for n in range(lots)],
            "community_code": code,
            "origin": "divided",
            "initial_date": MARCH,
            "responsible_body": LONG_NAME * 3,
        },
        geometry=[square(n % 14 * 50, n // 14 * 50, 50, 50) for n in range(lots)],
        crs=CRS,
    ).assign(area_m2=2500.0)
    load(database, "unit_grids", many)
    book, _ = make(database, tmp_path / "atlas.pdf", paper="A4")
    names = [entry.name for entry in book.entries if entry.name.startswith("sheet-001")]
    assert len(names) > 2
    said = "".join(texts(tmp_path / "atlas.pdf"))
    assert all(said.count(value) == 1 for value in many["code"])


def test_wrong_input_is_told_in_one_sentence(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BuildError, match="No unit grids are loaded"):
        make(database, tmp_path / "a.pdf")
    load(database, "unit_grids", grids())
    with pytest.raises(BuildError, match="130102009009 is not loaded"):
        make(database, tmp_path / "a.pdf", communities=("130102009009",))
    with pytest.raises(BuildError, match="earlier day"):
        make(database, tmp_path / "a.pdf", since=JUNE)
    for bad in (tmp_path, tmp_path / "none" / "a.pdf"):
        with pytest.raises(DeliveryError, match="can not be written"):
            make(database, bad)
    with pytest.raises(SettingsError, match="no TrueType font"):
        make(database, tmp_path / "a.pdf", font=Path(__file__))
    monkeypatch.setattr(fonts, "_candidates", lambda: iter(()))
    with pytest.raises(SettingsError, match="apt-get install fonts-wqy-zenhei"):
        make(database, tmp_path / "a.pdf")
    assert not list(tmp_path.glob("*.p*"))


def test_the_command_writes_the_file(workspace: Workspace, tmp_path: Path) -> None:
    database = Database(url=str(workspace.settings.database_url), crs=CRS, srid=4547)
    load_town(database)
    file = tmp_path / "atlas.pdf"
    wanted = ["grid", "atlas", "-o", str(file), "-c", "130102001001", "--json"]
    answer = CliRunner().invoke(
        app,
        ["-w", str(workspace.root), *wanted],
        env={"WANMI_DATABASE_URL": database.url},
    )
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    assert told["sheets"] == 1
    assert told["bytes"] == file.stat().st_size
    with pypdfium2.PdfDocument(file) as document:
        assert document.get_metadata_value("Title") == "长安区万米单元网格图集"
