"""What a workbook holds that its values do not tell: hidden sheets and rows, cells without a result."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """What is not seen of one sheet; rows and columns count from 0."""

    is_hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()
    lost: dict[tuple[int, int], str] = field(default_factory=dict)
    """Row and column of a cell that has no value to read -> the cell and what stands in it."""


def find_unseen(path: Path) -> dict[str, Unseen]:
    """Return for each sheet what is hidden in it, and its cells with a formula or error for a value.

    A formula without a result comes from programs that write workbooks and do not calculate; one whose
    result is empty text has a result. A file that is no workbook has no sheets: reading it says why.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                name: _scan(archive, part, is_hidden=is_hidden)
                for name, part, is_hidden in _sheets(archive)
            }
    except (zipfile.BadZipFile, KeyError, OSError, ElementTree.ParseError, NotImplementedError):
        return {}


def _sheets(archive: zipfile.ZipFile) -> Iterator[tuple[str, str, bool]]:
    """Yield name, part and whether it is hidden, of each sheet with cells."""
    related = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - expat bounds entities
    targets = {each.get("Id"): str(each.get("Target")) for each in related}
    held = set(archive.namelist())
    for element in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():  # noqa: S314
        if _tag(element) != "sheet":
            continue
        target = targets.get(element.get(_RELATION) or element.get(_STRICT), "")
        part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if part in held and "chartsheet" not in part:
            yield str(element.get("name")), part, element.get("state", "visible") != "visible"


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _scan(archive: zipfile.ZipFile, part: str, *, is_hidden: bool) -> Unseen:
    hidden, lost = set[int](), dict[tuple[int, int], str]()
    with archive.open(part) as stream:
        for _, element in ElementTree.iterparse(stream):  # noqa: S314
            tag = _tag(element)
            if tag == "c":
                at = _place(element.get("r"))
                kind, formula, value = _content(element)
                if at is not None and (kind == "e" or (formula and not value and kind != "str")):
                    lost[at] = f"{element.get('r')} {value or formula}".strip()
            elif tag == "row":
                if element.get("hidden") in ("1", "true"):
                    hidden.add(int(element.get("r") or 0) - 1)
                element.clear()
    return Unseen(is_hidden=is_hidden, hidden_rows=frozenset(hidden), lost=lost)


def _content(cell: Any) -> tuple[str | None, str, str]:
    """Return type, formula and value of a cell; a formula shared with another is a plain sign."""
    formula = value = ""
    for child in cell:
        if _tag(child) == "f":
            formula = f"={child.text or ''}"
        elif _tag(child) in ("v", "is"):
            value = "".join(child.itertext())
    return cell.get("t"), formula, value


def _place(reference: str | None) -> tuple[int, int] | None:
    """Return row and column of a cell.

    Examples
    --------
    >>> _place("A1"), _place("AB10"), _place(None)
    ((0, 0), (9, 27), None)
    """
    found = _CELL.fullmatch(reference or "")
    if found is None:
        return None
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return int(found[2]) - 1, column - 1
