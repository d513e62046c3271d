"""Codes in reading order, and what happens at the end of the numbers."""

import geopandas as gpd
import pytest
from shapely import box

from gis.errors import CodeError
from gridding.numbering import last_numbers, number

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
    with pytest.raises(CodeError, match="130102001001 needs number 1000, but its sequence ends at 999"):
        number(row_of_squares(1000))
    with pytest.raises(CodeError, match="needs number 100, but its sequence ends at 99"):
        number(row_of_squares(1), code_length=14, used=["13010200100199"])


def test_a_wrong_length_or_community_is_refused() -> None:
    with pytest.raises(CodeError, match="14 or 15 digits"):
        number(row_of_squares(1), code_length=16)
    with pytest.raises(CodeError, match="has not 12 digits"):
        number(row_of_squares(1, community="13010200100"))
