"""A TrueType font with Chinese characters, found on this machine and made known to reportlab."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from gis.errors import SettingsError

FONT = "Atlas"
"""Name under which the font is registered."""

_NEEDED = "图号网格社区街道〇²"
_PLACES = (
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/wenquanyi/wqy-zenhei/wqy-zenhei.ttc",
    "/usr/share/fonts/wqy-zenhei/wqy-zenhei.ttc",
    "/System/Library/Fonts/STHeiti Light.ttc",
    "/System/Library/Fonts/Supplemental/Songti.ttc",
    "/System/Library/Fonts/Supplemental/Arial Unicode.ttf",
    "/Library/Fonts/Arial Unicode.ttf",
    "C:/Windows/Fonts/msyh.ttc",
    "C:/Windows/Fonts/simhei.ttf",
)
_TIMEOUT_S = 20


def register_font(path: Path | None = None) -> Path:
    """Register the font as `FONT` and return its file.

    Parameters
    ----------
    path : pathlib.Path
        A ``.ttf`` or ``.ttc`` with TrueType outlines; None: WenQuanYi Zen Hei, else the first
        font of this machine that holds the characters of the pages.

    Raises
    ------
    SettingsError
        There is none, or `path` is not such a font.
    """
    if path is not None:
        if not _register(path):
            msg = f"{path} is no TrueType font with Chinese characters: name a .ttf or .ttc file that is."
            raise SettingsError(
                msg, zh=f"{path} 不是含中文的 TrueType 字体，请指定 .ttf 或 .ttc 字体文件。"
            )
        return path
    for candidate in _candidates():
        if _register(candidate):
            return candidate
    msg = (
        "No TrueType font with Chinese characters is on this machine: install one with "
        "`sudo apt-get install fonts-wqy-zenhei`, or name one with --font."
    )
    raise SettingsError(
        msg,
        zh="本机没有含中文的 TrueType 字体：请运行 sudo apt-get install fonts-wqy-zenhei，或用 --font 指定字体。",
    )


def text_width(text: str, size: float) -> float:
    """Return the width of a line of text in points at a size in points."""
    return _unit_width(text) * size


@lru_cache(maxsize=65_536)
def _unit_width(text: str) -> float:
    return float(pdfmetrics.stringWidth(text, FONT, 1000.0)) / 1000.0


def _candidates() -> Iterator[Path]:
    conda = sorted((Path(sys.prefix) / "fonts").glob("*.tt[cf]"))
    yield from (place for place in map(Path, _PLACES) if place.is_file())
    yield from conda
    yield from _known_to_fontconfig()


def _known_to_fontconfig() -> list[Path]:
    program = shutil.which("fc-list")
    if program is None:
        return []
    command = [program, "--format=%{file}\n", ":lang=zh-cn"]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    found = {Path(line) for line in result.stdout.splitlines()}
    return sorted(path for path in found if path.suffix.lower() in (".ttf", ".ttc"))


def _register(path: Path) -> bool:
    try:
        font = TTFont(FONT, str(path), subfontIndex=0)
    except (TTFError, OSError):  # no file, no font, or PostScript outlines
        return False
    if any(ord(character) not in font.face.charToGlyph for character in _NEEDED):
        return False
    pdfmetrics.registerFont(font)
    _unit_width.cache_clear()
    return True
