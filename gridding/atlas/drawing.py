"""Pages of a PDF as paper: polygons, lines, text, links and the outline, all in millimetres."""

import math
import re
import zlib
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import IO, Any

import numpy as np
import shapely
from numpy.typing import NDArray
from reportlab.lib.colors import HexColor
from reportlab.pdfbase import pdfdoc, pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from gridding.atlas.fonts import FONT, text_width
from gridding.atlas.labels import POINT_MM

Geometries = NDArray[np.object_]
Box = tuple[float, float, float, float]

INK = "#1a1a1a"
GREY = "#6b6b6b"
_BOLD = 0.022
_NO_BREAK_BEFORE = "，。、；：！？）》」』】〉%,.;:!?)"
_WORD = re.compile(r"[A-Za-z0-9_./+-]+|\s+|.", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """How a line is drawn."""

    colour: str
    width: float
    """Millimetres."""
    dash: tuple[float, ...] = ()
    """Lengths of dash and gap, mm."""


@dataclass(kw_only=True)
class Paper:
    """A PDF that is written page by page; finished pages are kept compressed."""

    canvas: Any
    destinations: frozenset[str]
    """Names of the pages that links may lead to."""
    _bound: set[str] = field(default_factory=set)

    def start(self, size: tuple[float, float], *, name: str = "") -> None:
        """Begin a page of a size in mm; `name` makes it one that links lead to."""
        self.canvas.setPageSize((size[0] / POINT_MM, size[1] / POINT_MM))
        self.canvas.setLineJoin(1)
        if name:
            self.canvas.bookmarkPage(name)
            self._bound.add(name)

    def finish(self) -> None:
        """End the page."""
        self.canvas.showPage()
        page = self.canvas._doc.Pages.pages[-1]
        packed = zlib.compress(page.stream.encode("latin-1"), 6) + b"\n"
        contents = pdfdoc.PDFStream(
            dictionary=pdfdoc.PDFDictionary({"Filter": pdfdoc.PDFName("FlateDecode")}),
            content=packed,
        )
        page.Contents, page.stream = contents, ""

    def outline(self, title: str, name: str, level: int, *, closed: bool = False) -> None:
        """Add an entry to the outline of the PDF."""
        self.canvas.addOutlineEntry(title, name, level=level, closed=closed)

    def link(self, box: Box, name: str) -> None:
        """Make a rectangle lead to a page; nothing when the PDF has no such page."""
        if name in self.destinations:
            rectangle = tuple(value / POINT_MM for value in box)
            self.canvas.linkRect("", name, rectangle, relative=1, thickness=0)

    def polygons(
        self, shapes: Geometries, *, fill: str | None = None, stroke: Stroke | None = None
    ) -> None:
        """Draw the polygons of an array, holes left open."""
        rings = shapely.get_rings(shapes)
        operator = {(True, True): "B*", (True, False): "f*", (False, True): "S"}.get(
            (fill is not None, stroke is not None)
        )
        path = _path(rings, close=True)
        if operator and path:
            self._style(fill, stroke)
            self._write(path + operator)

    def lines(self, shapes: Geometries, stroke: Stroke) -> None:
        """Draw the lines of an array."""
        path = _path(shapely.get_parts(shapes), close=False)
        if path:
            self._style(None, stroke)
            self._write(path + "S")

    def line(self, start: tuple[float, float], end: tuple[float, float], stroke: Stroke) -> None:
        """Draw one straight line."""
        self.lines(np.array([shapely.LineString([start, end])]), stroke)

    def box(
        self, box: Box, *, fill: str | None = None, stroke: Stroke | None = None, alpha: float = 1.0
    ) -> None:
        """Draw a rectangle, seen through by `alpha` of its fill."""
        shape = np.array([shapely.box(*box)])
        if alpha == 1 or fill is None:
            self.polygons(shape, fill=fill, stroke=stroke)
            return
        with self.saved():
            self.canvas.setFillColor(HexColor(fill), alpha=alpha)
            self._write(_path(shapely.get_rings(shape), close=True) + "f")
        self.polygons(shape, stroke=stroke)

    def hatch(self, shapes: Geometries, stroke: Stroke, *, gap: float) -> None:
        """Hatch polygons from lower left to upper right, `gap` mm apart."""
        path = _path(shapely.get_rings(shapes), close=True)
        if not path:
            return
        left, bottom, right, top = shapely.total_bounds(shapes)
        height = top - bottom
        starts = np.arange(np.floor((left - height) / gap) * gap, right, gap)
        ends = np.stack(
            [
                np.stack([starts, np.full(len(starts), bottom)], axis=1),
                np.stack([starts + height, np.full(len(starts), top)], axis=1),
            ],
            axis=1,
        )
        with self.saved():
            self._write(path + "W* n")
            self.lines(shapely.linestrings(ends), stroke)

    def clip(self, box: Box) -> None:
        """Show only what is inside a rectangle, until the saved state returns."""
        self._write(_path(shapely.get_rings(np.array([shapely.box(*box)])), close=True) + "W n")

    def clip_outside(self, box: Box, shapes: Geometries) -> None:
        """Show only what is inside a rectangle and outside polygons, until the state returns."""
        rings = shapely.get_rings(np.array([shapely.box(*box), *shapes]))
        self._write(_path(rings, close=True) + "W* n")

    @contextmanager
    def saved(self) -> Any:
        """Keep the graphics state, and return to it."""
        self.canvas.saveState()
        yield
        self.canvas.restoreState()

    def text(
        self,
        at: tuple[float, float],
        text: str,
        size: float,
        *,
        align: float = 0.0,
        colour: str = INK,
        bold: bool = False,
        angle: float = 0.0,
    ) -> None:
        """Write a line of text on its base line.

        Parameters
        ----------
        at : tuple
            Where, mm.
        text : str
            One line.
        size : float
            Points.
        align : float
            0: begins at `at`, 0.5: its middle is there, 1: it ends there.
        colour : str
            As ``#rrggbb``.
        bold : bool
            Thicken the strokes.
        angle : float
            Counter-clockwise, degrees.
        """
        plain = " ".join(text.split())
        if not plain:
            return
        start = align * text_width(plain, size) * POINT_MM
        cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        x, y = ((at[0] - start * cosine) / POINT_MM, (at[1] - start * sine) / POINT_MM)
        ink = _rgb(colour)
        # Written out, for the library's own way takes ten times as long.
        thick = f"{ink} RG {size * _BOLD:.3f} w [] 0 d 2 Tr " if bold else ""
        matrix = f"{cosine:.4f} {sine:.4f} {-sine:.4f} {cosine:.4f} {x:.2f} {y:.2f} Tm"
        font, document = pdfmetrics.getFont(FONT), self.canvas._doc
        shown = " ".join(
            f"{font.getSubsetInternalName(subset, document)} {size:.2f} Tf "
            f"({self.canvas._escape(part)}) Tj"
            for subset, part in font.splitString(plain, document)
        )
        self._write(f"q {ink} rg {thick}BT {matrix} {shown} ET Q")

    def _style(self, fill: str | None, stroke: Stroke | None) -> None:
        if fill is not None:
            self._write(f"{_rgb(fill)} rg")
        if stroke is not None:
            dash = " ".join(f"{length / POINT_MM:.2f}" for length in stroke.dash)
            self._write(f"{_rgb(stroke.colour)} RG {stroke.width / POINT_MM:.3f} w [{dash}] 0 d")

    def _write(self, operators: str) -> None:
        self.canvas._code.append(operators)


@cache
def _rgb(colour: str) -> str:
    """Return a colour ``#rrggbb`` as PDF writes it."""
    return " ".join(f"{int(colour[start : start + 2], 16) / 255:.3f}" for start in (1, 3, 5))


def open_paper(file: IO[bytes], *, title: str, author: str, destinations: frozenset[str]) -> Paper:
    """Return an empty PDF that `close_paper` writes to a file; the same pages give the same bytes."""
    canvas = Canvas(file, pageCompression=1, invariant=1, initialFontName=FONT, lang="zh-CN")
    canvas.setTitle(title)
    canvas.setAuthor(author)
    canvas.setCreator("Wanmi")
    canvas.showOutline()
    return Paper(canvas=canvas, destinations=destinations)


def close_paper(paper: Paper) -> None:
    """Write the PDF."""
    paper.canvas.save()


def width_mm(text: str, size: float) -> float:
    """Return the width of a line of text in mm at a size in points."""
    return text_width(text, size) * POINT_MM


def fitting_size(text: str, size: float, width: float, *, least: float = 4.0) -> float:
    """Return the size in points, at most `size`, at which a line is no wider than `width` mm."""
    natural = width_mm(text, size)
    return size if natural <= width else max(least, size * width / natural)


def shortened(text: str, size: float, width: float) -> str:
    """Return a line no wider than `width` mm, its end replaced by an ellipsis where it is cut."""
    if width_mm(text, size) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if width_mm(text[:middle] + "…", size) <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…"


def wrap(text: str, size: float, width: float, *, most: int = 6) -> list[str]:
    """Return the lines of a text no wider than `width` mm; the last of `most` is shortened.

    Chinese breaks between any two characters, but not before closing punctuation; Latin words and
    numbers stay whole where they fit a line.
    """
    lines = [""]
    for token in _tokens(" ".join(text.split())):
        if width_mm(lines[-1] + token, size) <= width:
            lines[-1] += token
        elif width_mm(token, size) <= width:
            lines.append(token.lstrip())
        else:
            for character in token:
                if lines[-1] and width_mm(lines[-1] + character, size) > width:
                    lines.append("")
                lines[-1] += character
    lines = [line.rstrip() for line in lines if line.strip()] or [""]
    if len(lines) > most:
        lines = [*lines[: most - 1], shortened("".join(lines[most - 1 :]), size, width)]
    return lines


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    for token in _WORD.findall(text):
        if tokens and token in _NO_BREAK_BEFORE and len(tokens[-1]) < 30:
            tokens[-1] += token
        else:
            tokens.append(token)
    return tokens


def _path(shapes: Sequence[Any] | Geometries, *, close: bool) -> str:
    """Return the PDF operators of lines or rings given in mm, to a hundredth of a point."""
    coordinates, index = shapely.get_coordinates(shapes, return_index=True)
    if not len(coordinates):
        return ""
    points = coordinates / POINT_MM
    first = np.ones(len(index), dtype=bool)
    first[1:] = index[1:] != index[:-1]
    last = np.roll(first, -1)
    after = np.where(first, "m\n", "l\n").astype(object)
    if close:
        # The closing operator stands for the last point, which is the first.
        form = np.where(last & ~first, "h\n", "%.2f %.2f " + after)
        used = points[~(last & ~first)]
    else:
        form, used = "%.2f %.2f " + after, points
    return "".join(form.tolist()) % tuple(used.ravel().tolist())
