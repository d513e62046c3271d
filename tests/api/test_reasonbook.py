"""The page about decisions says what the data say."""

import string
from pathlib import Path

from api.models import OwnerShare
from api.owning.mixture import CAUSES
from api.telling.reasonbook import reason_lines, refresh
from api.telling.wording import reasons, told
from census.plan.chains import CHAIN_LEVELS
from gis.codes import read_table
from gis.workspace import ROLES, Decision

PAGE = (Path(__file__).resolve().parents[2] / "docs/decision.md").read_text(encoding="utf-8")


def test_the_reasons_are_those_of_the_data() -> None:
    assert refresh(PAGE) == PAGE, "run: python -m api.telling.reasonbook docs/decision.md"
    assert reason_lines() in PAGE
    for code in reasons():
        assert f"`{code}`" in PAGE


def test_every_reason_is_told_in_both_languages() -> None:
    for row in reasons().values():
        assert row["review"] in ("yes", "no")
        assert row["en"].isascii() or any("\u4e00" <= mark <= "\u9fff" for mark in row["en"])
        assert row["en"].endswith(".")
        assert row["zh"].endswith("。")


def test_the_page_has_the_causes_the_levels_and_the_defaults() -> None:
    for cause in CAUSES:
        assert f"| `{cause}`" in PAGE
    assert set(CAUSES) == set(OwnerShare.__annotations__["cause"].__args__)
    for level in CHAIN_LEVELS:
        assert level.replace("_", " ") in PAGE
    usual = Decision()
    assert f"components `{', '.join(usual.component_order)}`" in PAGE
    assert f"`{', '.join(usual.event_order)}`" in PAGE
    assert f"`record_trust` ({usual.record_trust})" in PAGE
    assert f"`rival_probability` ({usual.rival_probability})" in PAGE
    assert set(ROLES) >= {*usual.component_order, *usual.event_order}


def test_every_trace_line_has_the_same_blanks_in_both_languages() -> None:
    for row in read_table("api.telling", "trace.csv"):
        blanks = [
            {name.removesuffix("_zh") for _, name, _, _ in string.Formatter().parse(text) if name}
            for text in (row["en"], row["zh"])
        ]
        assert blanks[0] == blanks[1], row["code"]
        assert None not in row, row["code"]
    assert told("order_event")[0].startswith("order of events")
