"""Exceptions of a division: each planted beside sound grids, with the cause that the evidence gives."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, MultiPolygon, box

from gis.codes import read_table
from gridding.exceptions import COLUMNS, list_exceptions
from gridding.options import DivisionOptions
from gridding.scene import read_scene

CRS = "EPSG:4547"
A, B = "130102001001", "130102001002"
OPTIONS = DivisionOptions()


def layer(*rows: tuple[str, shapely.Geometry]) -> gpd.GeoDataFrame:
    codes = [f"{community}{number:03d}" for number, (community, _) in enumerate(rows, start=1)]
    return gpd.GeoDataFrame(
        {"community_code": [community for community, _ in rows], "code": codes},
        geometry=[shape for _, shape in rows],
        crs=CRS,
    )


def areas(**shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    names = {"a": A, "b": B}
    return gpd.GeoDataFrame(
        {"code": [names[key] for key in shapes]}, geometry=list(shapes.values()), crs=CRS
    )


def topography(*rows: tuple[str, shapely.Geometry]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"feature_class": np.array([name for name, _ in rows], dtype=object)},
        geometry=[shape for _, shape in rows],
        crs=CRS,
    )


def found(grids, communities, *features) -> gpd.GeoDataFrame:
    scene = read_scene(topography(*features), options=OPTIONS)
    return list_exceptions(grids, communities=communities, scene=scene, options=OPTIONS)


def kinds(table: gpd.GeoDataFrame) -> list[tuple[str, str, str]]:
    return list(table[["kind", "cause", "severity"]].itertuples(index=False, name=None))


def test_sound_grids_are_no_exception() -> None:
    grids = layer((A, box(0, 0, 100, 100)), (A, box(100, 0, 200, 100)))
    table = found(grids, areas(a=box(0, 0, 200, 100)))
    assert list(table.columns) == list(COLUMNS)
    assert len(table) == 0
    assert table.crs == CRS


def test_a_small_community_is_named_as_the_reason() -> None:
    grids = layer((A, box(0, 0, 40, 60)), (B, box(40, 0, 140, 100)))
    table = found(grids, areas(a=box(0, 0, 40, 60), b=box(40, 0, 140, 100)))
    assert kinds(table) == [("small", "community", "serious")]
    row = table.iloc[0]
    assert row["code"] == A + "001"
    assert row["area_m2"] == 2400
    assert row["reason_en"].startswith("The grid has 2400 m², 0.24 of its target")
    assert "2400 平方米" in row["reason_zh"]


def test_an_island_and_its_community_in_parts() -> None:
    main, island = box(0, 0, 100, 100), box(300, 0, 360, 70)
    table = found(layer((A, main), (A, island)), areas(a=MultiPolygon([main, island])))
    assert kinds(table) == [
        ("disconnected", "community", "notable"),
        ("small", "island", "notable"),
    ]
    assert table["area_m2"].tolist() == [4200.0, 4200.0]
    assert table.geometry[0].equals(island)


def test_a_strip_between_main_roads() -> None:
    grids = layer((A, box(0, 0, 200, 100)), (A, box(0, 100, 200, 115)), (A, box(0, 115, 200, 170)))
    roads = [("430501", LineString([(-50, y), (250, y)])) for y in (100, 115)]
    table = found(grids, areas(a=box(0, 0, 200, 170)), *roads)
    small = table[table["kind"] == "small"]
    assert kinds(small) == [("small", "between", "notable")]
    assert "100%" in small["reason_en"].iloc[0]


def test_a_small_grid_with_no_reason_on_record() -> None:
    grids = layer((A, box(100, 100, 160, 160)), (A, box(0, 0, 100, 100)))
    table = found(grids, areas(a=box(0, 0, 300, 300)))
    assert kinds(table) == [("small", "other", "notable")]


def test_a_hall_and_a_lake_make_grids_large() -> None:
    hall = box(0, 0, 150, 140)  # 21 000 m²
    grids = layer((A, box(0, 0, 160, 140)), (A, box(160, 0, 300, 140)))
    table = found(grids, areas(a=box(0, 0, 300, 140)), ("310300", hall))
    assert kinds(table) == [("large", "indivisible", "serious"), ("large", "other", "notable")]
    assert "21000 m²" in table["reason_en"][0]


def test_a_lake_is_measured_against_its_own_target() -> None:
    lake = box(0, 0, 250, 200)  # 50 000 m²: five times the target, but less than water's
    table = found(layer((A, lake)), areas(a=lake), ("230000", lake))
    assert "large" not in table["kind"].tolist()


def test_cut_buildings_by_what_cuts_them() -> None:
    grids = layer((A, box(0, 0, 100, 100)), (A, box(0, 100, 100, 200)), (B, box(100, 0, 200, 100)))
    land = areas(a=box(0, 0, 100, 200), b=box(100, 0, 200, 100))
    by_border = box(90, 10, 104, 20)  # 100 m² in A, 40 m² in B
    by_road = box(10, 95, 20, 107)
    by_nothing = box(60, 98, 80, 102)
    grazed = box(30, 90, 40, 100.05)  # half a square metre across: rounding
    table = found(
        grids,
        land,
        ("430501", LineString([(0, 100), (25, 100)])),
        *[("310300", shape) for shape in (by_border, by_road, by_nothing, grazed)],
    )
    causes = dict(zip(table["cause"], table["area_m2"], strict=True))
    assert set(table["kind"]) == {"cut"}
    assert causes == pytest.approx({"community": 40.0, "main_road": 50.0, "other": 40.0})
    owner = table.set_index("cause")["code"]
    assert owner["community"] == A + "001"
    assert owner["main_road"] == A + "002"


def test_a_ring_is_told_and_a_hole_of_the_land_is_not() -> None:
    outer, inner = box(0, 0, 130, 130), box(40, 40, 120, 120)
    ring = outer.difference(inner)
    table = found(layer((A, ring), (A, inner)), areas(a=outer))
    assert ("ring", "enclosing", "serious") in kinds(table)
    assert table.loc[table["kind"] == "ring", "code"].tolist() == [A + "001"]
    alone = found(layer((A, ring)), areas(a=ring))
    assert "ring" not in alone["kind"].tolist()


def test_every_sentence_is_there_in_both_languages() -> None:
    rows = read_table("gridding", "exceptions.csv")
    assert len({(row["kind"], row["cause"]) for row in rows}) == len(rows) == 19
    for row in rows:
        for name in ("reason", "suggestion"):
            english, chinese = row[f"{name}_en"], row[f"{name}_zh"]
            assert english
            assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)


def test_a_grid_that_an_editor_locked_is_told_so() -> None:
    large, small = box(0, 0, 200, 100), box(200, 0, 240, 100)
    table = list_exceptions(
        layer((A, large), (A, small)),
        communities=areas(a=box(0, 0, 240, 100)),
        scene=read_scene(topography(), options=OPTIONS),
        options=OPTIONS,
        locked=np.array([large], dtype=object),
    )
    # The small one is bounded by the community on three sides: nothing locks it.
    assert kinds(table) == [("large", "lock", "notable"), ("small", "between", "notable")]


def test_what_was_lost_of_a_locked_border_is_listed() -> None:
    grids = layer((A, box(0, 0, 100, 100)), (A, box(100, 0, 200, 100)))
    kept = LineString([(100, 0), (100, 100)])
    half = LineString([(100, 20), (100, 60), (140, 60)])
    table = list_exceptions(
        grids,
        communities=areas(a=box(0, 0, 200, 100)),
        scene=read_scene(topography(), options=OPTIONS),
        options=OPTIONS,
        locked=np.array([kept, half], dtype=object),
    )
    assert kinds(table) == [("lock", "other", "serious")]
    assert table["reason_en"].iloc[0].startswith("40 m of a locked border")
    assert table.geometry.iloc[0].bounds == pytest.approx((100.05, 59.5, 140, 60.5), abs=0.01)


def test_a_locked_border_that_leads_into_a_building_is_told_so() -> None:
    grids = layer((A, box(0, 0, 100, 100)), (A, box(100, 0, 200, 100)))
    into = LineString([(100, 50), (150, 50)])  # 20 m outside, 30 m inside
    through = LineString([(100, 0), (100, 100)])
    halls = (box(120, 30, 190, 70), box(90, 10, 110, 30))
    table = list_exceptions(
        grids,
        communities=areas(a=box(0, 0, 200, 100)),
        scene=read_scene(topography(*[("310300", hall) for hall in halls]), options=OPTIONS),
        options=OPTIONS,
        locked=np.array([into, through], dtype=object),
    )
    assert kinds(table) == [("cut", "lock", "serious"), ("lock", "building", "serious")]
    assert "400 m² is cut: 200 m² of it" in table["reason_en"].iloc[0]
    assert "50 m of a locked border" in table["reason_en"].iloc[1]
