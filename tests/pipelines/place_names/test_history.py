from datetime import date

import pandas as pd
import pytest

from pipelines.place_names.history import read_span
from pipelines.place_names.names import transform
from tests.pipelines.town import at, context, frame, line, rules_of


def row(code, name, shape=None, **more):
    given = {"code": code, "name": name, "geometry": shape or at(50, 50), "category_code": "23"}
    return given | more


def again(outcome):
    """What holds once these rows are published."""
    return outcome.accepted.reset_index(drop=True)


def test_a_renamed_place_keeps_its_old_name_and_says_until_when(tmp_path):
    first = transform(
        frame([row("D1", "红卫路", former_names="马路（1912—1958）")]), context(tmp_path)
    )
    second = transform(frame([row("D1", "裕华路")]), context(tmp_path, place_names=again(first)))
    (kept,) = second.accepted.to_dict("records")
    assert kept["former_names"] == ["马路", "红卫路"]
    assert kept["former_spans"] == ["1912/1958", "../2026-05-31"]
    assert rules_of(second.faults) == [(1, "PN21")]
    # The same delivery once more changes nothing, and says nothing.
    third = transform(frame([row("D1", "裕华路")]), context(tmp_path, place_names=again(second)))
    assert third.faults.empty
    pd.testing.assert_frame_equal(
        pd.DataFrame(third.accepted.drop(columns="geometry")),
        pd.DataFrame(second.accepted.drop(columns="geometry")),
    )


def test_a_place_is_the_same_by_its_shape_where_its_code_is_gone(tmp_path):
    road, other = line((10, 10), (190, 10)), line((10, 90), (190, 90))
    first = transform(
        frame([row("D1", "红卫路", road), row("D2", "跃进路", other)]), context(tmp_path)
    )
    renamed = [row("E1", "裕华路", road), row("E2", "翠屏小区", other, category_code="22100")]
    second = transform(frame(renamed), context(tmp_path, place_names=again(first)))
    # The estate on the other road's line is another kind of place.
    assert second.accepted["former_names"].tolist() == [["红卫路"], []]


def test_a_made_code_stays_with_the_place(tmp_path):
    rows = [row(None, "裕华路", at(20, 20)), row(None, "裕华路", at(380, 20))]
    first = transform(frame(rows), context(tmp_path))
    codes = first.accepted["code"].tolist()
    assert len(set(codes)) == 2
    turned = [rows[1], rows[0]]
    second = transform(frame(turned), context(tmp_path, place_names=again(first)))
    assert second.accepted["code"].tolist() == codes[::-1]
    fresh = transform(frame(turned), context(tmp_path))
    assert fresh.accepted["code"].tolist() == codes[::-1]


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("1958", "1958"),
        ("1958年—1982年", "1958/1982"),
        ("1949年10月-1966年5月", "1949-10/1966-05"),
        ("1966以前", "../1966"),
        ("至1980年", "../1980"),
        ("1990至今", ""),
        ("解放前", ""),
        ("", ""),
    ],
)
def test_spans_are_read_as_they_are_written(text, span):
    assert read_span(text) == span


def test_dates_beside_the_names_belong_to_them_in_order(tmp_path):
    given = row("D1", "裕华路", former_names="马路；红卫路", former_spans="1912-1958；不详")
    outcome = transform(frame([given]), context(tmp_path))
    (kept,) = outcome.accepted.to_dict("records")
    assert kept["former_spans"] == ["1912/1958", ""]
    assert rules_of(outcome.faults) == [(1, "PN22")]
    assert date(2026, 5, 31) == context(tmp_path).as_of
