"""Which unit is meant by 属地 in an area that a plan or a trade draws."""

import geopandas as gpd
import pandas as pd

from pipelines.responsibility.intake import transform
from tests.pipelines.town import (
    COMMUNITY_A,
    COMMUNITY_B,
    CRS,
    GRIDS,
    STREET,
    context,
    frame,
    rectangle,
    rules_of,
)


def units(**areas):
    return pd.DataFrame(
        {
            "code": list(areas),
            "name": [f"{code}单位" for code in areas],
            "area_code": list(areas.values()),
            "successor_code": None,
        }
    )


def judge(tmp_path, shape, area="广场", *, of):
    drawn = {"part": "area", "code": "P1", "name": "广场", "kind": "面", "wkt": shape.wkt}
    row = {"part": "row", "code": "1", "kind": "事件", "class_code": "0101", "area_name": area}
    grid = gpd.GeoDataFrame(
        {
            "code": ["HW1"],
            "name": ["环卫一片"],
            "area_code": [COMMUNITY_B],
            "members": [[GRIDS[2]]],
        },
        geometry=[None],
        crs=CRS,
    )
    return transform(
        frame([drawn, row | {"handler": "属地街道办事处"}]),
        context(tmp_path, units=of, management_grids=grid),
    )


BOTH = rectangle(150, 20, 250, 80)


def told(outcome):
    return list(zip(outcome.accepted["area_code"], outcome.accepted["unit_code"], strict=True))


def test_a_drawn_area_has_the_unit_of_the_ground_it_lies_on(tmp_path):
    assert told(judge(tmp_path, BOTH, of=units(S1=STREET))) == [("P1", "S1")]
    two = units(A=COMMUNITY_A, B=COMMUNITY_B)
    touching = rectangle(20, 20, 200, 80)
    assert told(judge(tmp_path, touching, of=two)) == [("P1", "A")]


def test_a_drawn_area_of_several_territories_is_refused_with_their_units(tmp_path):
    outcome = judge(tmp_path, BOTH, of=units(A=COMMUNITY_A, B=COMMUNITY_B))
    assert rules_of(outcome.faults) == [(2, "RP22")]
    assert "A、B" in outcome.faults["reason_zh"].iloc[0]


def test_a_drawn_area_without_a_territorial_unit_is_refused(tmp_path):
    assert rules_of(judge(tmp_path, BOTH, of=units(U=None)).faults) == [(2, "RP20")]


def test_a_grid_of_a_trade_has_the_unit_of_its_area(tmp_path):
    two = units(A=COMMUNITY_A, B=COMMUNITY_B)
    assert told(judge(tmp_path, BOTH, "环卫一片", of=two)) == [("HW1", "B")]
