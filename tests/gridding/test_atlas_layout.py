"""How a page of the atlas is laid out: scale and paper, tiles, labels, wrapped texts, broken lists."""

import itertools

import numpy as np
import pytest
import shapely
from shapely import box

from gridding.atlas import fonts
from gridding.atlas.drawing import shortened, width_mm, wrap
from gridding.atlas.frames import spread
from gridding.atlas.labels import overlaps, place_labels
from gridding.atlas.sheets import plan_sheets
from gridding.atlas.tables import Row, break_rows

LONG_NAME = "石家庄市长安区高新技术产业开发区滹沱河北岸生态绿化与市政公用设施综合养护管理有限责任公司第三分公司"


@pytest.mark.parametrize(
    ("width", "height", "paper", "scale"),
    [
        (160, 140, "A4", 1000),
        (200, 100, "A4", 1500),
        (520, 430, "A3", 2000),
        (1320, 1100, "A3", 5000),
        (0.01, 0.01, "A4", 500),
    ],
)
def test_scale_and_paper_fit(width: float, height: float, paper: str, scale: int) -> None:
    (sheet,) = plan_sheets("001", "c", box(0, 0, width, height))
    assert (sheet.paper, sheet.scale) == (paper, scale)
    assert box(*sheet.window).covers(box(0, 0, width, height))


def test_tiles_without_land_are_left_out_and_huge_lands_take_a_smaller_scale() -> None:
    ell = shapely.union_all([box(0, 0, 4000, 900), box(0, 0, 900, 3000)])
    tiles = plan_sheets("001", "c", ell)
    assert all(shapely.intersects(ell, box(*tile.cell)) for tile in tiles)
    assert len(tiles) < 4 * 3
    huge = plan_sheets("001", "c", box(0, 0, 20_000, 20_000))
    assert {tile.scale for tile in huge} == {10_000}


def test_a_label_without_room_stands_beside_with_a_leader_or_not_at_all() -> None:
    fonts.register_font()
    sliver = box(10, 0, 10.4, 30)
    wide, tall = box(0, 0, 10, 30), box(10.4, 0, 20, 30)
    labels = place_labels(np.array([wide, sliver, tall]), ["001", "002", "003"])
    assert [label.text for label in labels] == ["001", "002", "003"]
    for one, other in itertools.combinations(labels, 2):
        assert not overlaps(one.box, [other.box])
    empty = place_labels(np.array([shapely.Polygon()]), ["001"])
    assert empty == []


def test_text_is_wrapped_to_its_width() -> None:
    fonts.register_font()
    lines = wrap(LONG_NAME, 7, 30)
    assert "".join(lines) == LONG_NAME
    assert all(width_mm(line, 7) <= 30 for line in lines)
    assert wrap("市政公用局，道路科", 10, width_mm("市政公用局，", 10)) == [
        "市政公用局，",
        "道路科",
    ]
    assert len(wrap(LONG_NAME * 20, 7, 30)) == 6
    assert shortened(LONG_NAME, 7, 30).endswith("…")
    assert wrap("a" * 200, 7, 20)[0].startswith("aaa")


def test_rows_break_between_pages_and_a_giant_row_gets_a_place() -> None:
    row, giant = Row(cells=(("a",),)), Row(cells=(("a",) * 50,))
    blocks = break_rows([row] * 10, [4.6 + 3.8 * 4 + 0.1, 4.6 + 3.8 * 5 + 0.1])
    assert [len(block) for block in blocks] == [4, 5, 1]
    assert [len(block) for block in break_rows([giant, row], [20.0, 30.0])] == [0, 1, 1]


def test_margin_labels_move_apart_and_stay_in_order() -> None:
    places = spread([50, 51, 52], [20, 20, 20], 100)
    assert places == [31.0, 51.0, 71.0]
    assert spread([2, 98], [20, 20], 100) == [10.0, 90.0]
