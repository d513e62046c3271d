"""Sets of unit grids: neighbours, balance, members as text and as polygons, carrying."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.errors import CodeError, RequestError
from gridding.trades.adjacency import neighbours, part_of, pieces
from gridding.trades.balance import allot, balance, measure
from gridding.trades.carrying import carry, report_changes
from gridding.trades.delivered import MANAGEMENT
from gridding.trades.loads import join_loads, parse_loads
from gridding.trades.members import read_members, write_members
from gridding.trades.proposal import Wish, propose

CRS = "EPSG:4547"
STREET = "130102001"


def squares(columns: int, rows: int, *, side: float = 100.0) -> np.ndarray:
    x, y = np.meshgrid(np.arange(columns) * side, np.arange(rows) * side)
    return shapely.box(x.ravel(), y.ravel(), x.ravel() + side, y.ravel() + side)


def coded(shapes: np.ndarray, *, community: str = "130102001001") -> gpd.GeoDataFrame:
    codes = [f"{community}{number:03d}" for number in range(1, len(shapes) + 1)]
    return gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs=CRS)


def test_neighbours_share_a_border_and_not_only_a_corner():
    pairs = neighbours(squares(2, 2))
    assert list(zip(pairs.left, pairs.right, strict=True)) == [(0, 1), (0, 2), (1, 3), (2, 3)]


def test_a_gap_of_a_few_centimetres_does_not_part_neighbours_and_a_lane_does():
    near = shapely.box([0, 100.04, 202], [0, 0, 0], [100, 200, 300], [100, 100, 100])
    assert pieces(neighbours(near)).tolist() == [0, 0, 1]


def test_a_border_of_less_than_a_metre_does_not_count():
    steps = shapely.box([0, 100, 100], [0, 99.2, -98.0], [100, 200, 200], [100, 199, 2.0])
    pairs = neighbours(steps)
    assert list(zip(pairs.left, pairs.right, strict=True)) == [(0, 2)]


def test_a_river_parts_a_street_and_each_bank_gets_its_own_sets():
    left, right = squares(4, 4), shapely.transform(squares(4, 4), lambda xy: np.add(xy, [450, 0]))
    shapes = np.concatenate([left, right])
    labels = balance(shapes, np.ones(32), areas=np.array([STREET] * 32, dtype=object), count=4)
    assert not set(labels[:16]) & set(labels[16:])
    assert np.bincount(labels).tolist() == [8, 8, 8, 8]


def test_sets_stay_inside_their_street():
    shapes = squares(10, 6)
    areas = np.where(shapely.get_x(shapely.centroid(shapes)) < 330, "130102001", "130102002")
    labels = balance(shapes, np.ones(60), areas=areas.astype(object), count=6)
    assert all(len(set(areas[labels == number])) == 1 for number in range(6))


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 999), count=st.integers(1, 9))
def test_sets_are_connected_even_and_the_same_in_any_order(seed, count):
    chance = np.random.default_rng(seed)
    shapes, load = squares(11, 9), chance.gamma(2.0, 10.0, 99)
    areas = np.array([STREET] * 99, dtype=object)
    labels = balance(shapes, load, areas=areas, count=count)
    told = measure(shapes, labels, load)
    assert (told.sets, told.disconnected) == (count, 0)
    assert told.load_cv < 0.1
    order = chance.permutation(99)
    again = balance(shapes[order], load[order], areas=areas, count=count)
    assert (again == labels[order]).all()


def test_more_sets_than_grids_are_as_many_as_grids():
    labels = balance(squares(2, 1), np.ones(2), areas=np.array([STREET] * 2, dtype=object), count=9)
    assert sorted(labels) == [0, 1]
    assert allot(np.array([1.0]), np.array([2]), count=9).tolist() == [2]


def test_no_load_at_all_balances_the_number_of_grids():
    labels = balance(
        squares(8, 2), np.zeros(16), areas=np.array([STREET] * 16, dtype=object), count=4
    )
    assert np.bincount(labels).tolist() == [4, 4, 4, 4]


def test_a_proposal_numbers_on_after_codes_ever_used():
    grids = coded(squares(4, 2))
    wish = Wish(letters="HW", series=("trade", "sanitation"), count=2, title="环卫")
    sets, told = propose(grids, np.ones(8), wish=wish, used=["130102001HW006", "130102001YL009"])
    assert sets["code"].tolist() == ["130102001HW007", "130102001HW008"]
    assert sets["name"].tolist() == ["环卫007", "环卫008"]
    assert sets["unit_grids"].tolist() == [4, 4]
    assert sets.geometry.iloc[0].centroid.x < sets.geometry.iloc[1].centroid.x
    assert told.load_cv == 0.0
    known = grids["code"].tolist()
    members = [read_members(text, known).codes for text in sets["members"]]
    assert sorted(code for codes in members for code in codes) == known


def test_a_street_without_numbers_left_is_refused():
    wish = Wish(letters="HW", series=("trade", "sanitation"), count=2)
    with pytest.raises(CodeError, match="130102001HW has no numbers left"):
        propose(coded(squares(4, 1)), np.ones(4), wish=wish, used=["130102001HW998"])


@given(st.sets(st.integers(1, 30)), st.sets(st.integers(1, 30), min_size=1))
def test_members_written_are_read_back(chosen, known):
    codes = [f"130102001001{number:03d}" for number in sorted(known)]
    wanted = [code for code in codes if int(code[-3:]) in chosen]
    assert list(read_members(write_members(wanted, codes), codes).codes) == wanted


def test_members_in_full_width_signs_and_backward_ranges():
    known = ["130102001001001", "130102001001002"]
    assert read_members("１３０１０２００１００１００１－００２", known).codes == tuple(known)
    assert read_members("130102001001002-001", known).unknown == ("130102001001002-001",)


def test_loads_are_named_with_weights():
    assert parse_loads("cases=0.5, patrol_length") == {"cases": 0.5, "patrol_length": 1.0}
    for wrong in ("beauty", "cases=-1", "cases=nan", "cases=much"):
        with pytest.raises(RequestError, match="is no load"):
            parse_loads(wrong)
    parts = {"cases": np.array([0.0, 4.0]), "components": np.array([30.0, 10.0])}
    # 0 and 2 of the mean of cases, 1.5 and 0.5 of that of components, cases weighing three times.
    joined = join_loads(parts, {"cases": 3.0, "components": 1.0})
    np.testing.assert_allclose(joined, [0.375, 1.625])


def sets_of(grids: gpd.GeoDataFrame, **members: list[int]) -> gpd.GeoDataFrame:
    rows = [
        {
            "code": code,
            "trade": "sanitation",
            "area_code": STREET,
            "members": grids["code"].iloc[places].tolist(),
            "origin": "delivered",
            "geometry": shapely.union_all(grids.geometry.to_numpy()[places]),
        }
        for code, places in members.items()
    ]
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry="geometry", crs=CRS)


def test_merged_unit_grids_go_to_the_larger_part_and_the_loser_is_told():
    before = coded(squares(4, 1))
    live = sets_of(before, HW1=[0, 1], HW2=[2, 3])
    # 1 whole and 2 up to x = 240 become 005; the rest of 2 becomes 006.
    merged = before.iloc[[0, 3]].copy()
    merged.loc[4] = ["130102001001005", shapely.box(100, 0, 240, 100)]
    merged.loc[5] = ["130102001001006", shapely.box(240, 0, 300, 100)]
    carriage = carry(live, merged, sort=MANAGEMENT)
    members = dict(zip(carriage.rows["code"], carriage.rows["members"], strict=True))
    assert members == {
        "HW1": ["130102001001001", "130102001001005"],
        "HW2": ["130102001001004", "130102001001006"],
    }
    assert carriage.rows["area_m2"].tolist() == [24_000.0, 16_000.0]
    told = report_changes(carriage, sort=MANAGEMENT)
    assert told["rule"].tolist() == ["MG16", "MG16"]
    assert "130102001001002" in told["reason_en"].iloc[0]


def test_a_moved_border_keeps_the_members_and_moves_the_land():
    before = coded(squares(2, 1))
    live = sets_of(before, HW1=[0], HW2=[1])
    moved = before.set_geometry(shapely.box([0, 90], [0, 0], [90, 200], [100, 100]), crs=CRS)
    carriage = carry(live, moved, sort=MANAGEMENT)
    assert carriage.rows["members"].tolist() == live["members"].tolist()
    assert carriage.rows["area_m2"].tolist() == [9_000.0, 11_000.0]


def test_nothing_changed_carries_nothing_and_lost_land_empties_a_set():
    before = coded(squares(2, 1))
    live = sets_of(before, HW1=[0], HW2=[1])
    same = carry(live, before, sort=MANAGEMENT)
    assert (len(same.rows), same.emptied) == (0, ())
    gone = carry(live, before.iloc[[0]], sort=MANAGEMENT)
    assert (len(gone.rows), gone.emptied) == (0, ("HW2",))


def test_part_of_keeps_the_order_asked_for():
    part = part_of(neighbours(squares(3, 1)), [2, 0, 1])
    assert list(zip(part.left, part.right, strict=True)) == [(0, 2), (1, 2)]
