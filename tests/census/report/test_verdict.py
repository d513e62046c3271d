"""The verdict by hand: each ground for rejection alone, and the limit itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from census.report.verdict import Tally, decide


def tally(read: int, refused: int = 0, doubted: int = 0, dataset: str = "components") -> Tally:
    return Tally(dataset=dataset, read=read, refused=refused, doubted=doubted)


@pytest.mark.parametrize(
    ("refused", "limit", "level"),
    [
        (0, 0.0, "accept"),
        (1, 0.0, "reject"),
        (1, 0.01, "warnings"),  # exactly the limit
        (2, 0.01, "reject"),
        (100, 1.0, "warnings"),
    ],
)
def test_the_share_refused_is_held_against_the_limit(
    refused: int, limit: float, level: str
) -> None:
    assert decide([tally(100, refused)], refused_limit=limit).level == level


def test_a_warning_alone_does_not_reject() -> None:
    verdict = decide([tally(100, doubted=100)], refused_limit=0.0)
    assert (verdict.level, verdict.is_accepted) == ("warnings", True)
    assert verdict.reasons[0].zh == "有 100 条记录存疑。"


def test_a_file_with_a_warning_is_told() -> None:
    verdict = decide([tally(100)], refused_limit=0.01, file_warnings=1)
    assert verdict.level == "warnings"
    assert verdict.reasons[0].en == "1 warning about whole files."


@pytest.mark.parametrize("given_", [{"obstacles": 1}, {"unread": 1}])
def test_what_keeps_from_loading_rejects_though_every_row_is_sound(given_: dict[str, int]) -> None:
    assert decide([tally(100)], refused_limit=1.0, **given_).level == "reject"


def test_a_delivery_without_a_component_is_rejected() -> None:
    verdict = decide([tally(50, dataset="units")], refused_limit=1.0)
    assert verdict.reasons[0].en == "The delivery has not one component."


def test_an_unread_file_is_told_instead_of_the_components_it_would_have_had() -> None:
    verdict = decide([], refused_limit=0.01, unread=1)
    assert [reason.en for reason in verdict.reasons] == ["1 file can not be read."]


def test_a_small_table_beside_the_census_decides_nothing_alone() -> None:
    units, topography = tally(35, 2, dataset="units"), tally(898, 4, dataset="topography")
    assert decide([tally(1757, 9), units, topography], refused_limit=0.01).level == "warnings"
    assert decide([tally(1757, 9), units], refused_limit=0.01).level == "reject"


@given(
    read=st.integers(1, 10_000),
    share=st.floats(0, 1),
    limit=st.floats(0, 1),
)
def test_a_lower_limit_is_never_milder(read: int, share: float, limit: float) -> None:
    order = ["accept", "warnings", "reject"]
    rows = [tally(read, int(read * share))]
    strict = decide(rows, refused_limit=limit / 2).level
    assert order.index(strict) >= order.index(decide(rows, refused_limit=limit).level)
