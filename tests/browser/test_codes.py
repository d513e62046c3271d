"""Codes typed into the search box of the map page: of grids that hold, and of retired ones."""

from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from api.compile import compile_snapshot
from gis.server import Server
from tests.api.http.redrawing import replace_grids
from tests.api.http.town import LAMP, MIDDLE_GRID, box
from tests.browser.conftest import watch
from tests.server_fixtures import serving, town_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("server")]

WEST, EAST = (f"{MIDDLE_GRID[:12]}{number:03d}" for number in (26, 27))


def search(page: Page, text: str) -> None:
    page.locator("#query").fill(text)
    page.locator("#query").press("Enter")


def grid_shown(page: Page) -> str:
    page.wait_for_selector("#answer[data-whole=yes] #owner")
    return page.locator("#answer").inner_text()


def test_a_code_leads_to_its_grid_and_a_retired_one_to_the_grids_that_hold_its_land(
    server: Server, template: str, tmp_path: Path, browser: Browser
) -> None:
    with town_in(server, template, tmp_path / "city", "town_of_codes") as town:
        # A corner of the southern half belongs to the west: its middle lies in no straight strip.
        bent = box(200, 200, 40, 100).union(box(200, 200, 100, 20))
        rest = box(240, 220, 60, 80)
        replace_grids(town.database, [MIDDLE_GRID], {WEST: bent, EAST: rest}, day=date(2025, 6, 1))
        compile_snapshot(town.database, town.workspace)
        with serving(town.workspace) as running:
            watched = watch(browser, running.url)
            page = watched.page
            page.set_default_timeout(90_000)
            page.goto(running.url)
            page.wait_for_selector("html[data-ready=yes]")
            search(page, MIDDLE_GRID)
            page.locator("#found li.none").wait_for()
            told = page.locator("#found li.none").inner_text()
            assert told.startswith(f"单元网格 {MIDDLE_GRID} 自 2025-06-01 起停用")
            choices = page.locator("#found li[role=option]")
            assert choices.locator("span").all_inner_texts() == [WEST, EAST]
            assert choices.locator("small").all_inner_texts() == ["52%", "48%"]
            choices.first.dispatch_event("mousedown")
            assert WEST in grid_shown(page)
            search(page, EAST)
            page.wait_for_function(
                "code => document.querySelector('#answer').dataset.whole && "
                "document.querySelector('#answer').innerText.includes(code)",
                arg=EAST,
            )
            search(page, LAMP)
            page.wait_for_selector("#answer[data-whole=yes] #owner")
            search(page, "130102001001777")
            page.wait_for_selector("#notice:not([hidden])")
            assert "目前没有单元网格 130102001001777" in page.locator("#notice").inner_text()
            assert watched.foreign == []
