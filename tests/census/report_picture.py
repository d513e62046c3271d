"""The picture of a census report for the docs: ``python -m tests.census.report_picture report.html``.

It is written to ``docs/images/census-report.png``: the report in English, a fault chosen.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

IMAGE = Path(__file__).resolve().parents[2] / "docs" / "images" / "census-report.png"
_FLAGS = ["--no-sandbox", "--disable-gpu", "--force-device-scale-factor=1"]


def draw(report: Path, *, words: str = "1301020101") -> Path:
    """Take the picture with the faults that `words` filter, the first of them chosen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        page = browser.new_page(viewport={"width": 1180, "height": 900}, locale="en-US")
        page.goto(report.resolve().as_uri())
        page.wait_for_selector("html[data-ready=yes]")
        page.fill("#words", words)
        page.click("#list .row >> nth=1")
        page.click("#all")
        page.wait_for_timeout(500)
        page.evaluate("scrollTo(0, 0)")
        top = page.locator("#faults").bounding_box()
        assert top is not None
        size = {"width": 1180, "height": top["y"] + top["height"] + 12}
        raw = page.screenshot(full_page=True, clip={"x": 0, "y": 0, **size})
        browser.close()
    Image.open(io.BytesIO(raw)).convert("RGB").quantize(96, dither=0).save(IMAGE, optimize=True)
    return IMAGE


if __name__ == "__main__":
    sys.stdout.write(f"{draw(Path(sys.argv[1]))}\n")
