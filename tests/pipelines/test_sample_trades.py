"""Management and evaluation grids of the sample: they load without a word and cover every unit grid."""

import pytest

from gis.builds import live
from gis.database import read_rows


@pytest.fixture(scope="module")
def unit_grids(built_sample):
    return live(built_sample.database, "unit_grids")


@pytest.fixture(scope="module", params=["management_grids", "evaluation_grids"])
def sets(request, built_sample):
    rows = live(built_sample.database, request.param)
    return rows.assign(series=rows.get("trade", "*"))


def test_the_grids_of_each_trade_hold_each_unit_grid_once(sets, unit_grids):
    assert len(sets) > 0
    for _, rows in sets.groupby("series"):
        members = [code for group in rows["members"] for code in group]
        assert sorted(members) == sorted(unit_grids["code"])


def test_their_land_is_that_of_their_members(sets, unit_grids):
    area = unit_grids.set_index("code").geometry.area
    for row in sets.itertuples():
        assert row.geometry.area == pytest.approx(area[list(row.members)].sum(), abs=0.5)
        assert row.unit_name


def test_three_trades_have_grids(built_sample):
    rows = live(built_sample.database, "management_grids")
    assert set(rows["trade"]) == {"sanitation", "green", "enforcement"}


def test_nothing_is_said_of_them(built_sample):
    query = "SELECT rule FROM meta.reject WHERE dataset IN ('management_grids', 'evaluation_grids')"
    with built_sample.database.connect(read_only=True) as connection:
        assert read_rows(connection, query).empty
