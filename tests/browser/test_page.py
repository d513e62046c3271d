"""The map page in a real browser: offline, by mouse and by keyboard, in both languages."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from api.keys import create_key
from tests.api.http.town import LAMP, MIDDLE_GRID, PHONE
from tests.browser.conftest import Watched, launched, watch
from tests.server_fixtures import Running, Town, serving

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("server")]

WAIT_MS = 90_000
# The map centred on the lamp at (250, 250), close enough to tell two lamps apart.
LAMP_VIEW = "map=19/37.934700/114.002844"


def open_page(watched: Watched, address: str = "") -> Page:
    page = watched.page
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{watched.url}/{address}")
    page.wait_for_selector("html[data-ready=yes]")
    return page


def click_centre(page: Page) -> None:
    box = page.locator("#map canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def answer(page: Page) -> str:
    page.wait_for_selector("#answer[data-whole=yes] #owner")
    return page.locator("#answer").inner_text()


def test_a_click_shows_the_owner_and_why_with_nothing_from_abroad(watched: Watched) -> None:
    page = open_page(watched, f"#{LAMP_VIEW}&class=0137")
    click_centre(page)
    told = answer(page)
    assert page.locator("#owner h2").inner_text() == "供电公司"
    for words in (
        MIDDLE_GRID,
        LAMP,
        "养护单位",
        "先属主、后属地",
        "4 工作时",
        "长安社区",
        "判定过程",
    ):
        assert words in told, words
    assert page.locator(".trace li.accepted").count() >= 3
    assert page.locator(".trace li.rejected").count() >= 1
    page.wait_for_load_state("networkidle")
    assert watched.foreign == []
    assert watched.errors == []
    assert watched.refused == []


def test_a_click_tells_the_place_in_words_to_copy(watched: Watched) -> None:
    page = open_page(watched, f"#{LAMP_VIEW}")
    click_centre(page)
    answer(page)
    # 建北小学 stands where the lamp does.
    assert page.locator("#words").inner_text() == "长安区建北街道长安社区建北小学"
    page.get_by_role("button", name="复制", exact=True).click()
    page.get_by_role("button", name="已复制").wait_for()
    assert watched.errors == []


def test_an_address_of_several_places_asks_which(watched: Watched) -> None:
    page = open_page(watched)
    page.locator("#query").fill("便民超市")
    with page.expect_response(re.compile("/v1/geocode")):
        page.locator("#query").press("Enter")
    page.locator("#found li.none").wait_for()
    assert page.locator("#found li[role=option]").count() == 2
    page.locator("#found li[role=option]").last.dispatch_event("mousedown")
    page.wait_for_selector("#owner")


def test_management_grids_of_a_trade_are_shown_with_their_unit_and_without_persons(
    watched: Watched,
) -> None:
    page = open_page(watched, f"#{LAMP_VIEW}")
    with page.expect_response(re.compile("/ogc/collections/management_grids/tiles/")) as tile:
        page.select_option("#trade", "sanitation")
    assert tile.value.ok
    click_centre(page)
    expect(page.locator("#answer")).to_contain_text("130102001HW001")
    told = answer(page)
    for words in ("管理网格", "环境卫生", "南片", "园林绿化", "评价网格", "建北街道办"):
        assert words in told, words
    assert "张三" not in told
    assert PHONE not in told
    assert "trade=sanitation" in page.url
    assert watched.errors == []
    assert watched.refused == []


def test_the_map_turns_to_another_day(watched: Watched) -> None:
    page = open_page(watched, f"#{LAMP_VIEW}")
    with page.expect_response(re.compile(r"datetime=2025-06-01"), timeout=120_000) as tile:
        page.fill("#day", "2025-06-01")
    assert tile.value.ok
    with page.expect_response(re.compile("as_of=2025-06-01"), timeout=120_000):
        click_centre(page)
    assert MIDDLE_GRID in answer(page)


def test_the_address_brings_the_same_answer_back(watched: Watched) -> None:
    page = open_page(watched, f"#{LAMP_VIEW}&class=0137")
    click_centre(page)
    first = answer(page)
    address = page.url.partition("/#")[2]
    assert re.search(r"at=114\.0028\d+,37\.9347", address)
    page.goto("about:blank")
    again = open_page(watched, f"#{address}")
    assert answer(again) == first


def test_the_language_switches_in_place(watched: Watched) -> None:
    page = open_page(watched, f"#{LAMP_VIEW}&at=114.002844,37.934700&class=0137")
    assert "责任单位" in answer(page)
    page.get_by_role("button", name="English").click()
    told = answer(page)
    assert "Owning unit" in told
    assert "How it was decided" in told
    assert page.locator("html").get_attribute("lang") == "en"
    assert "lang=en" in page.url


def test_kind_and_class_are_part_of_the_question(watched: Watched) -> None:
    page = open_page(watched, f"#{LAMP_VIEW}&at=114.002844,37.934700")
    expect(page.locator("#owner h2")).to_have_text("建北街道办事处")
    page.select_option("#class", "0137")
    expect(page.locator("#owner h2")).to_have_text("供电公司")
    page.get_by_text("事件", exact=True).click()
    expect(page.locator("#owner h2")).to_have_text("建北街道办事处")
    assert page.locator("#class option[value='0137']").inner_text() != "0137 路灯"


def test_the_keyboard_is_enough(watched: Watched) -> None:
    page = open_page(watched)
    page.locator("#query").focus()
    page.keyboard.type("裕华路12")
    page.wait_for_selector("#found li[role=option]")
    page.keyboard.press("ArrowDown")
    assert page.locator("#query").get_attribute("aria-activedescendant") == "found-0"
    page.keyboard.press("Enter")
    assert "130102001004002" in answer(page)
    page.keyboard.press("Escape")
    page.locator("#map canvas").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(800)
    before = page.url
    page.keyboard.press("Enter")
    page.wait_for_function("before => location.href !== before", arg=before)
    assert "at=" in page.url


def test_layers_are_switched_and_remembered(watched: Watched) -> None:
    page = open_page(watched)
    page.get_by_label("正射影像").uncheck()
    page.get_by_label("单元网格").uncheck()
    assert "off=grids,orthophoto" in page.url
    address = page.url.partition("/#")[2]
    page.goto("about:blank")
    again = open_page(watched, f"#{address}")
    assert not again.get_by_label("正射影像").is_checked()
    assert again.get_by_label("部件", exact=True).nth(-1).is_checked()


def test_what_is_wrong_is_told_in_words(watched: Watched) -> None:
    page = open_page(watched, "#at=121.47,31.23")
    page.wait_for_selector(".problem")
    told = page.locator(".problem").inner_text()
    assert "请求有误" in told
    assert "在本市之外" in told


def test_the_map_is_drawn(watched: Watched) -> None:
    page = open_page(watched, "#map=16/37.9370/114.0057&off=orthophoto")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)
    shot = page.locator("#map canvas").screenshot()
    # Magenta grids, brown buildings, yellow roads: far more colours than an empty ground has.
    colours = page.evaluate(
        """async (bytes) => {
            const image = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
            const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
            canvas.drawImage(image, 0, 0);
            const data = canvas.getImageData(0, 0, image.width, image.height).data;
            let magenta = 0, brown = 0;
            for (let i = 0; i < data.length; i += 4) {
                const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
                if (r > 180 && g < 120 && b > 80 && b < 200) magenta += 1;
                if (r > 205 && r < 230 && g > 200 && g < 225 && b > 185 && b < 210) brown += 1;
            }
            return { magenta, brown };
        }""",
        list(shot),
    )
    assert colours["magenta"] > 2000
    assert colours["brown"] > 2000


def test_the_documentation_needs_nobody_else(watched: Watched) -> None:
    page = watched.page
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{watched.url}/docs")
    page.wait_for_selector(".opblock")
    assert page.locator(".opblock").count() >= 20
    assert watched.foreign == []
    assert watched.errors == []


@pytest.fixture(scope="module")
def key(town: Town) -> str:
    return create_key(town.database, name="地图", role="reader", actor="tests")


@pytest.fixture(scope="module")
def guarded(town: Town, key: str) -> Iterator[Running]:
    with serving(town.workspace, "--require-keys") as made:
        yield made


def test_a_key_is_asked_for_once(guarded: Running, key: str, browser: Browser) -> None:
    watched = watch(browser, guarded.url)
    page = watched.page
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{guarded.url}/#{LAMP_VIEW}&at=114.002844,37.934700&class=0137")
    page.wait_for_selector("dialog[open]")
    page.locator("#secret").fill(key)
    page.keyboard.press("Enter")
    assert "供电公司" in answer(page)
    page.wait_for_load_state("networkidle")
    tiles = [address for address in watched.refused if "/ogc/" in address]
    assert tiles == []
    page.close()


def test_without_webgl_a_place_can_still_be_searched(
    running: Running, playwright: Playwright, chromium: str
) -> None:
    with launched(playwright, chromium, "--disable-3d-apis") as browser:
        page = open_page(watch(browser, running.url))
        expect(page.locator("#notice")).to_contain_text("WebGL")
        page.locator("#query").fill("裕华路12号")
        page.keyboard.press("Enter")
        assert "130102001004002" in answer(page)
