"""The census report in a real browser: from a file, without network, in both languages."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from census.report.page import write_page
from tests.browser.conftest import Watched, watch
from tests.census.report.judgements import EAST, HOSTILE, NORTH, fault, ground, judgement

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("server")]

FAULTS = [
    fault(1),
    fault(2, rule="C010", severity="error", reason_en=HOSTILE, reason_zh=HOSTILE, code=HOSTILE,
          record={HOSTILE: HOSTILE}),
    fault(3, class_code="0104", source_file="雨水箅子.shp"),
    *(fault(number, rule="C046", reason_zh="名称过长", reason_en="Name too long")
      for number in range(4, 3004)),
]  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "报告 #1.html"
    write_page(judgement(FAULTS, rows=9000, delivery=HOSTILE), path, ground=ground())
    return path


@pytest.fixture
def opened(browser: Browser, report: Path) -> Iterator[Watched]:
    watched = watch(browser, report.as_uri())
    watched.page.on("dialog", lambda dialog: watched.errors.append(dialog.message))
    watched.page.goto(report.as_uri())
    watched.page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
    yield watched
    assert watched.errors == []
    assert watched.foreign == []
    assert watched.page.title() != "broken in"
    watched.page.close()


def count_of(page: Page) -> str:
    return str(page.evaluate("document.getElementById('shown').value"))


def test_the_page_speaks_chinese_then_english_and_remembers(opened: Watched) -> None:
    page = opened.page
    expect(page.locator("#verdict")).to_have_text(re.compile("基本合格"), use_inner_text=True)
    page.click("#language")
    expect(page.locator("#verdict")).to_have_text("Accept with warnings", use_inner_text=True)
    page.click("#list .row >> nth=0")
    expect(page.locator("#detail")).to_contain_text("How to fix it")
    page.reload()
    page.wait_for_selector("html[data-ready=yes]")
    expect(page.locator("#verdict")).to_have_text("Accept with warnings", use_inner_text=True)
    page.click("#language")
    expect(page.locator("#severity option >> nth=0")).to_have_text("全部级别")


def test_a_long_list_holds_few_rows_at_a_time(opened: Watched) -> None:
    page = opened.page
    assert count_of(page) == "3003 / 3003"
    assert page.locator("#list .row").count() < 60
    page.evaluate("document.getElementById('list').scrollTop = 1e9")
    expect(page.locator("#list .row").last).to_contain_text("#3003")


def test_filters_by_rule_class_file_severity_and_text(opened: Watched) -> None:
    page = opened.page
    page.select_option("#severity", "1")
    assert count_of(page) == "1 / 3003"
    page.click("button[type=reset]")
    expect(page.locator("#shown")).to_have_text("3003 / 3003")
    page.select_option("#class", label="0104 (1)")
    assert count_of(page) == "1 / 3003"
    page.select_option("#class", "")
    page.select_option("#file", label="雨水箅子.shp (1)")
    assert count_of(page) == "1 / 3003"
    page.select_option("#file", "")
    page.fill("#words", "名称过长")
    assert count_of(page) == "3000 / 3003"
    page.fill("#words", "nothing has this")
    assert count_of(page) == "0 / 3003"
    assert page.locator("#list .row").count() == 0


def test_a_click_on_a_rule_lists_its_faults(opened: Watched) -> None:
    page = opened.page
    page.click("#rules tr[data-rule=C041]")
    assert count_of(page) == "2 / 3003"


def test_hostile_text_is_shown_as_text(opened: Watched) -> None:
    page = opened.page
    page.select_option("#severity", "1")
    page.click("#list .row")
    for place in ("#detail h3", "#detail dd", "#detail dt", "#list .row", "header"):
        assert HOSTILE in page.locator(place).first.inner_text(), place
    assert page.locator("img").count() == 0


def test_a_click_in_the_list_moves_the_map_and_a_click_on_the_map_shows_the_fault(
    opened: Watched,
) -> None:
    page = opened.page
    page.select_option("#class", label="0104 (1)")
    page.locator("#list .row").click()
    box = page.locator("#map").bounding_box()
    assert box is not None
    middle = (box["width"] / 2, box["height"] / 2)
    assert page.evaluate("report.map.screenOf(2)") == pytest.approx(middle, abs=1)
    expect(page.locator("#detail")).to_contain_text(f"{EAST + 3:.2f}, {NORTH:.2f}")
    page.select_option("#class", "")
    page.evaluate("report.choose(0, true)")
    x, y = page.evaluate("report.map.screenOf(2)")
    page.locator("#map").click(position={"x": x, "y": y})
    expect(page.locator("#detail")).to_contain_text("#3 ")
    expect(page.locator("#list .row.chosen")).to_contain_text("#3")


def test_the_map_zooms_and_moves_by_wheel_drag_and_keys(opened: Watched) -> None:
    page = opened.page
    page.locator("#map").scroll_into_view_if_needed()
    box = page.locator("#map").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def distance() -> float:
        (a, _), (b, _) = page.evaluate("[report.map.screenOf(0), report.map.screenOf(3)]")
        return float(b - a)

    before = distance()
    page.mouse.move(x, y)
    page.mouse.wheel(0, -100)
    page.wait_for_timeout(100)
    assert distance() == pytest.approx(before * 1.25)
    at = page.evaluate("report.map.screenOf(0)")
    page.mouse.down()
    page.mouse.move(x + 50, y + 20)
    page.mouse.up()
    assert page.evaluate("report.map.screenOf(0)") == pytest.approx([at[0] + 50, at[1] + 20])
    page.focus("#map")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("report.map.screenOf(0)") == pytest.approx([at[0] - 10, at[1] + 20])
    page.click("#all")
    assert distance() == pytest.approx(before)


def test_the_keyboard_walks_through_the_list(opened: Watched) -> None:
    page = opened.page
    page.focus("#list")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#list .row.chosen")).to_contain_text("#3")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#list .row.chosen")).to_contain_text("#2")


def test_a_compressed_page_opens_as_well(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "big.html"
    faults = [fault(number, reason_zh=f"第 {number} 条" * 20) for number in range(1, 12_001)]
    write_page(judgement(faults, rows=20_000), path, ground=ground())
    assert 'data-kind="gzip"' in path.read_text(encoding="utf-8")
    watched = watch(browser, path.as_uri())
    watched.page.goto(path.as_uri())
    watched.page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
    assert count_of(watched.page) == "12000 / 12000"
    assert (watched.errors, watched.foreign) == ([], [])
    watched.page.close()
