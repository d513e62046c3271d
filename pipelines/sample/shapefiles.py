"""Shapefiles as contractors deliver them: GBK without .cpg, a fixed date, some without .prj."""

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd

from gis.vector import write_vector

_DATE = bytes((125, 6, 1))
"""2025-06-01 in the header of a .dbf."""
_LANGUAGE_GBK, _LANGUAGE_NONE = 0x4D, 0x00


@dataclass(frozen=True, kw_only=True)
class Patch:
    """Bytes to exchange in a .dbf: what a careless program would have written."""

    placeholder: bytes
    content: bytes


def write_shapefile(
    frame: gpd.GeoDataFrame,
    path: Path,
    *,
    has_prj: bool = True,
    marks_language: bool = True,
    patches: tuple[Patch, ...] = (),
) -> None:
    """Write a shapefile in GBK; the language byte of the .dbf is set or left 0."""
    write_vector(frame, path, encoding="GBK")
    path.with_suffix(".cpg").unlink(missing_ok=True)
    if not has_prj:
        path.with_suffix(".prj").unlink()
    table = path.with_suffix(".dbf")
    content = bytearray(table.read_bytes())
    content[1:4] = _DATE
    content[29] = _LANGUAGE_GBK if marks_language else _LANGUAGE_NONE
    for patch in patches:
        at = content.index(patch.placeholder)
        assert len(patch.placeholder) == len(patch.content), "fields have a fixed width"
        content[at : at + len(patch.content)] = patch.content
    table.write_bytes(content)
