"""A real Chromium that may speak to the server under test and to nobody else."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, Playwright, ViewportSize

from tests.server_fixtures import Running

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
# Every point is drawn by the processor, and the map draws anew with each move and tile.
VIEWPORT: ViewportSize = {"width": 900, "height": 600}


@dataclass
class Watched:
    """A page and what went wrong or abroad while it was used."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@contextmanager
def launched(playwright: Playwright, chromium: str, *flags: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *flags])
    try:
        yield browser
    finally:
        browser.close()


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    with launched(playwright, chromium) as made:
        yield made


def watch(browser: Browser, url: str, *, locale: str = "zh-CN") -> Watched:
    page = browser.new_page(viewport=VIEWPORT, locale=locale)
    watched = Watched(page, url)
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    page.on(
        "console",
        lambda message: watched.errors.append(message.text) if message.type == "error" else None,
    )
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((url, "blob:", "data:"))
            else watched.foreign.append(request.url)
        ),
    )
    page.on(
        "response",
        lambda answer: watched.refused.append(answer.url) if answer.status >= 400 else None,
    )
    return watched


@pytest.fixture
def watched(browser: Browser, running: Running) -> Iterator[Watched]:
    made = watch(browser, running.url)
    yield made
    made.page.close()
