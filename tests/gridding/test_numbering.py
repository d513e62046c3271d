"""Codes in reading order, and what happens at the end of the numbers."""

from datetime import date

import geopandas as gpd
import numpy as np
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from gis.database import Database
from gis.errors import CodeError
from gridding.numbering import last_numbers, number, reading_order, retired_codes, used_codes

CRS = "EPSG:4547"


def row_of_squares(count: int, community: str = "130102001001") -> gpd.GeoDataFrame:
    shapes = [box(100 * k, 0, 100 * k + 100, 100) for k in range(count)]
    return gpd.GeoDataFrame(
        {"community_code": community}, geometry=shapes, crs=CRS, index=range(count)
    )


def test_west_to_east_then_north_to_south() -> None:
    # Drawn as on the map; the second row is shifted by a few metres, as real grids are.
    shapes = [
        box(0, 203, 100, 300), box(100, 197, 200, 300),
        box(0, 96, 100, 203), box(100, 104, 200, 197),
        box(0, 0, 100, 96), box(100, 0, 200, 104),
    ]  # fmt: skip
    grids = gpd.GeoDataFrame(
        {"community_code": "130102001001"}, geometry=shapes, crs=CRS, index=range(6)
    )
    assert [code[-3:] for code in number(grids)] == ["001", "002", "003", "004", "005", "006"]
    shuffled = grids.iloc[[4, 1, 0, 5, 3, 2]]
    assert number(shuffled).sort_index().tolist() == number(grids).tolist()


def test_each_community_counts_for_itself() -> None:
    both = gpd.GeoDataFrame(
        {"community_code": ["130102001001", "130102001002", "130102001001"]},
        geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1), box(2, 0, 3, 1)],
        crs=CRS,
    )
    assert number(both, code_length=14).tolist() == [
        "13010200100101", "13010200100201", "13010200100102"
    ]  # fmt: skip


def test_numbers_continue_after_the_largest_ever_used() -> None:
    codes = number(
        row_of_squares(2), used=["130102001001041", "130102001001007", "130102001002500"]
    )
    assert codes.tolist() == ["130102001001042", "130102001001043"]
    assert last_numbers(["13010200100199"], code_length=15) == {}


def test_the_end_of_the_numbers_is_an_error_that_names_the_community() -> None:
    assert number(row_of_squares(999)).iloc[-1] == "130102001001999"
    with pytest.raises(
        CodeError, match="130102001001 needs number 1000, but its sequence ends at 999"
    ):
        number(row_of_squares(1000))
    with pytest.raises(CodeError, match="needs number 100, but its sequence ends at 99"):
        number(row_of_squares(1), code_length=14, used=["13010200100199"])


def test_a_wrong_length_or_community_is_refused() -> None:
    with pytest.raises(CodeError, match="14 or 15 digits"):
        number(row_of_squares(1), code_length=16)
    with pytest.raises(CodeError, match="has not 12 digits"):
        number(row_of_squares(1, community="13010200100"))


def test_all_communities_that_overflow_are_named_with_what_would_do() -> None:
    crowded = [row_of_squares(1200, f"13010200100{k}") for k in range(1, 6)]
    grids = gpd.GeoDataFrame(gpd.pd.concat(crowded, ignore_index=True))
    with pytest.raises(CodeError) as caught:
        number(grids)
    sentence = caught.value.message
    assert "1200 grids to number, 999 numbers left, enough at 13000 m² a grid" in sentence
    assert "130102001003" in sentence
    assert "130102001004" not in sentence
    assert "2 more communities overflow too" in sentence
    assert "15-digit" not in sentence
    assert "130102001001 需要编号到 1200" in caught.value.zh
    with pytest.raises(CodeError, match="Or move the city to 15-digit codes"):
        number(row_of_squares(100), code_length=14)


def test_codes_that_can_not_stay_are_replaced_by_new_ones() -> None:
    grids = row_of_squares(6)
    given_codes = [
        "130102001001005",  # stays
        "130102001001005",  # borne twice: the first in reading order keeps it
        "130102001002001",  # another community's
        "130102001001000",  # no number
        "130102001001007",  # retired
        None,
    ]
    codes = number(grids.assign(code=given_codes), retired=["130102001001007"])
    assert [code[-3:] for code in codes] == ["005", "008", "009", "010", "011", "012"]


NUMBERS = st.integers(min_value=1, max_value=60)


@settings(max_examples=15, deadline=None)
@given(
    kept=st.lists(st.none() | NUMBERS, min_size=1, max_size=25),
    gone=st.sets(NUMBERS, max_size=20),
    seed=st.integers(0, 99),
)
def test_codes_are_unique_ordered_and_never_come_back(
    kept: list[int | None], gone: set[int], seed: int
) -> None:
    draw = np.random.default_rng(seed)
    x, y = draw.uniform(0, 900, (2, len(kept)))
    grids = gpd.GeoDataFrame(
        {"community_code": ["130102001001"] * len(x)}, geometry=box(x, y, x + 50, y + 50), crs=CRS
    )
    old = [None if k is None else f"130102001001{k:03d}" for k in kept]
    retired = [f"130102001001{k:03d}" for k in gone]
    codes = number(grids.assign(code=old), retired=retired)
    assert codes.is_unique
    assert not set(codes) & set(retired)
    stays = np.array([code is not None and code not in retired for code in old])
    assert set(codes[stays]) >= {code for code in old if code} - set(retired)
    fresh = codes[~codes.isin([code for code in old if code])]
    ever = [int(code[-3:]) for code in [*retired, *filter(None, codes[codes == old])]]
    assert all(int(code[-3:]) > max(ever, default=0) for code in fresh)
    ranks = reading_order(grids)[fresh.index]
    assert fresh[ranks.sort_values().index].is_monotonic_increasing
    assert number(grids.assign(code=codes), retired=retired).equals(codes)
    turned = grids.assign(code=old).iloc[::-1]
    assert number(turned, retired=retired).sort_index().equals(codes)


def test_used_and_retired_codes_come_from_all_versions(database: Database) -> None:
    versions = [
        ("130102001001001", date(2024, 1, 1), None),
        ("130102001001002", date(2024, 1, 1), date(2025, 1, 1)),  # ended
        ("130102001001003", date(2024, 1, 1), date(2025, 1, 1)),  # reshaped on the day it ended
        ("130102001001003", date(2025, 1, 1), None),
        ("130102001001004", date(2024, 1, 1), date(2025, 1, 1)),  # given out again a year later
        ("130102001001004", date(2026, 1, 1), None),
    ]
    with psycopg.connect(database.url) as connection:
        connection.execute("SET session_replication_role = replica")  # no build is needed here
        for code, start, end in versions:
            connection.execute(
                "INSERT INTO grids.unit_grid (code, community_code, area_m2, origin, initial_date, geom,"
                " valid_from, valid_to, build_id, content_hash) VALUES (%s, '130102001001', 1, 'divided',"
                " %s, ST_MakeEnvelope(0, 0, 1, 1, 4547), %s, %s, 1, '')",
                [code, start, start, end],
            )
    assert [code[-3:] for code in used_codes(database)] == ["001", "002", "003", "004"]
    assert retired_codes(database) == {"130102001001002", "130102001001004"}
