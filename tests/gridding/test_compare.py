"""Old and new grids side by side: what each change is called, and who changes grid."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, box

from gis.errors import CrsError
from gridding.compare import compare
from gridding.lineage import CodeRules, give_codes, name_rows, overlaps, stayed_shares, succession

CRS = "EPSG:4547"
COMMUNITY = "130102001001"


def layer(**shapes: shapely.Polygon) -> gpd.GeoDataFrame:
    """Grids by the letters of their codes."""
    return gpd.GeoDataFrame({"code": list(shapes)}, geometry=list(shapes.values()), crs=CRS)


def row(*widths: float) -> list[shapely.Polygon]:
    """Rectangles of 100 m height side by side."""
    ends = np.cumsum([0.0, *widths])
    return [box(west, 0, east, 100) for west, east in pairwise(ends)]


def kinds(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, **options) -> list[tuple[str, ...]]:
    table = compare(old, new, **options).table.drop(columns="geometry").fillna("-")
    return [tuple(entry) for entry in table[["kind", "old_code", "new_code"]].to_numpy()]


def test_each_change_has_its_name() -> None:
    a, b, c, d = row(100, 100, 100, 100)
    old = layer(a=a, b=b, c=c, d=d)
    assert kinds(old, old) == []
    wide, narrow = row(104, 96)
    assert kinds(old, layer(a=wide, b=narrow, c=c, d=d)) == [
        ("reshaped", "a", "a"), ("reshaped", "b", "b")
    ]  # fmt: skip
    left, right = row(60, 40)
    assert kinds(old, layer(e=left, f=right, b=b, c=c, d=d)) == [
        ("split", "a", "e"), ("split", "a", "f")
    ]  # fmt: skip
    assert kinds(old, layer(e=a.union(b), c=c, d=d)) == [("merged", "a", "e"), ("merged", "b", "e")]
    thirds = row(70, 60, 70)
    assert {kind for kind, *_ in kinds(old, layer(e=thirds[0], f=thirds[1], g=thirds[2], c=c, d=d))} == {
        "replaced"
    }  # fmt: skip
    assert kinds(old, layer(a=a, b=b, c=c)) == [("retired", "d", "-")]
    assert kinds(old, layer(a=a, b=b, c=c, d=d, e=box(0, 100, 50, 200))) == [("new", "-", "e")]
    assert kinds(old, layer(x=a, b=b, c=c, d=d)) == [("replaced", "a", "x")]


def test_a_notch_of_little_area_is_no_rounding() -> None:
    a, b = row(100, 100)
    notch = box(100, 40, 102, 41)  # two metres deep, 2 m²: less than rounding may take all along
    told = kinds(layer(a=a, b=b), layer(a=a.union(notch), b=b.difference(notch)))
    assert told == [("reshaped", "a", "a"), ("reshaped", "b", "b")]


def test_a_code_that_stays_with_its_land_is_reshaped_and_rounding_is_no_change() -> None:
    a, b = row(100, 100)
    wide, narrow = row(
        120, 80
    )  # less than nine tenths in common: the code stayed for another reason
    told = kinds(layer(a=a, b=b), layer(a=wide, b=narrow))
    assert told == [("reshaped", "a", "a"), ("reshaped", "b", "b")]
    near, rest = row(100.005, 99.995)
    assert kinds(layer(a=a, b=b), layer(a=near, b=rest)) == []
    assert kinds(layer(a=a, b=b), layer(c=near, b=rest)) == [("replaced", "a", "c")]


def test_counts_are_of_old_grids() -> None:
    a, b = row(100, 100)
    left, right = row(60, 40)
    found = compare(layer(a=a, b=b), layer(e=left, f=right, b=b))
    assert found.counts == {
        "kept": 1, "reshaped": 0, "split": 1, "merged": 0, "replaced": 0, "new": 0, "retired": 0
    }  # fmt: skip


def test_components_and_cases_that_change_grid_are_named() -> None:
    a, b = row(100, 100)
    wide, narrow = row(104, 96)
    things = gpd.GeoDataFrame(
        {"code": ["in", "moved", "edge", "out"]},
        geometry=[Point(50, 50), Point(102, 50), Point(104, 50), Point(500, 50)],
        crs=CRS,
    )
    found = compare(layer(a=a, b=b), layer(a=wide, b=narrow), components=things, cases=things[:1])
    # On a border a point belongs to the lowest code.
    assert found.components.to_numpy().tolist() == [["edge", "b", "a"], ["moved", "b", "a"]]
    assert found.cases.empty


def test_layers_in_two_crs_are_not_compared() -> None:
    with pytest.raises(CrsError, match="bring both to one CRS"):
        compare(layer(a=box(0, 0, 1, 1)), layer(a=box(0, 0, 1, 1)).to_crs("EPSG:4490"))


def codes(old: list[shapely.Polygon], new: list[shapely.Polygon], **options) -> list[str]:
    before = gpd.GeoDataFrame(
        {"code": [f"{COMMUNITY}{n:03d}" for n in range(1, len(old) + 1)]}, geometry=old, crs=CRS
    )
    after = gpd.GeoDataFrame(
        {"community_code": COMMUNITY}, geometry=new, crs=CRS, index=range(len(new))
    )
    pairs = overlaps(before.geometry.to_numpy(), after.geometry.to_numpy())
    table = succession(pairs, counts=(len(old), len(new)), **options)
    used = [f"{COMMUNITY}005"]
    return [code[-3:] for code in give_codes(before, after, succeeded=table, used=used)]


def test_a_code_stays_with_nine_tenths_of_the_land() -> None:
    # The left grid keeps 95 or 89 of 100 parts; the right one is 100 of 105 or of 111, over nine tenths.
    assert codes(row(100, 100), row(95, 105)) == ["001", "002"]
    assert codes(row(100, 100), row(89, 111)) == ["006", "002"]
    assert codes(row(100, 100), row(88, 112)) == ["006", "007"]
    assert codes(row(100, 100), row(89, 111), rules=CodeRules(kept_overlap=0.85)) == ["001", "002"]


def test_a_code_stays_with_its_components_unless_the_grid_was_split() -> None:
    stayed = np.array([0.96, 0.04, 1.0])  # pairs (001, left), (001, right), (002, right)
    assert codes(row(100, 100), row(80, 120), stayed=stayed) == ["001", "002"]
    assert codes(row(100, 100), row(80, 120), stayed=np.array([0.9, 0.1, np.nan])) == ["006", "007"]
    # All components lie in the left part of 80 %, but it is a split.
    assert codes(row(100), row(80, 20), stayed=np.array([1.0, 0.0])) == ["006", "007"]


def test_a_city_may_let_the_larger_part_keep_the_code() -> None:
    assert codes(row(100), row(75, 25)) == ["006", "007"]
    assert codes(row(100), row(75, 25), rules=CodeRules(kept_share=0.7)) == ["001", "006"]
    assert codes(row(100), row(65, 35), rules=CodeRules(kept_share=0.7)) == ["006", "007"]


def test_a_chip_cut_off_or_swallowed_leaves_the_code_of_the_rest() -> None:
    assert codes(row(100), row(95, 5)) == ["001", "006"]
    assert codes(row(95, 5), row(100)) == ["001"]


def test_a_code_does_not_follow_into_another_community() -> None:
    old = gpd.GeoDataFrame({"code": [f"{COMMUNITY}001"]}, geometry=row(100), crs=CRS)
    new = gpd.GeoDataFrame({"community_code": ["130102001009"]}, geometry=row(100), crs=CRS)
    table = succession(overlaps(old.geometry.to_numpy(), new.geometry.to_numpy()), counts=(1, 1))
    fresh = give_codes(old, new, succeeded=table, used=[])
    assert fresh.tolist() == ["130102001009001"]
    named = name_rows(table, old["code"], fresh)
    assert named.to_numpy().tolist() == [
        [f"{COMMUNITY}001", "130102001009001", "replace", 1.0, 1.0]
    ]


def test_shares_of_components_count_only_those_inside() -> None:
    old, new = np.array(row(100, 100)), np.array(row(80, 120))
    points = shapely.points([[10, 50], [90, 50], [150, 50], [900, 50]])
    pairs = overlaps(old, new)
    shares = stayed_shares(points, old, new, pairs=pairs)
    assert dict(zip(zip(pairs["old"], pairs["new"], strict=True), shares, strict=True)) == {
        (0, 0): 0.5, (0, 1): 0.5, (1, 1): 1.0
    }  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(5, 60), min_size=1, max_size=8),
    st.lists(st.integers(5, 60), min_size=1, max_size=8),
)
def test_no_code_is_given_twice_and_every_grid_is_told(first: list[int], second: list[int]) -> None:
    old, new = row(*first), row(*second)
    given_codes = codes(old, new, rules=CodeRules(kept_share=0.7))
    assert len(set(given_codes)) == len(new)
    table = succession(overlaps(np.array(old), np.array(new)), counts=(len(old), len(new)))
    main = table[table["is_main"]]
    assert set(main["old"]) - {-1} == set(range(len(old)))
    assert set(main["new"]) - {-1} == set(range(len(new)))
    same = main[main["is_same"]]
    assert not same["old"].duplicated().any()
    assert not same["new"].duplicated().any()
    fresh = {code for code in given_codes if int(code) > len(old)}
    assert all(int(code) > 5 for code in fresh)


def test_a_city_of_grids_that_stay_is_compared_without_geometry() -> None:
    west, south = (grid.ravel() * 100.0 for grid in np.meshgrid(np.arange(40), np.arange(40)))
    shapes = shapely.box(west, south, west + 100, south + 100)
    pairs = overlaps(shapes, shapes[::-1].copy())
    assert len(pairs) == 1600
    assert (pairs["old"] + pairs["new"] == 1599).all()
    assert pairs["likeness"].eq(1.0).all()
