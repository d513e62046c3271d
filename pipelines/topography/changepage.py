"""The page of ``wanmi topography diff``: one HTML file in Chinese and English, read without network."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from gis.outputs import appearing
from pipelines.surveys.differencepage import PageWords, outlines, render
from pipelines.topography.changes import Changes, row_documents
from pipelines.topography.edges import Geometries

_ROWS = 20_000
"""Changes in the page; the GeoPackage has all."""
_DRAWN = 4_000
"""Changes drawn with their outlines; the others as signs."""
_SIMPLIFIED_M = 0.2


def write_page(changes: Changes, path: Path, *, now: datetime | None = None) -> None:
    """Write counts, map and a table to filter.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    with appearing(path) as partial:
        text = page_text(changes, now=now or datetime.now(UTC))
        partial.write_text(text, encoding="utf-8")


def page_text(changes: Changes, *, now: datetime) -> str:
    """Return the page; whatever comes from the delivery is escaped, and only its own script may run."""
    notice = (
        "已入库的变化；灰色虚线为变化前的图形。 What a build changed; dashed grey is what was before."
        if changes.is_built
        else "尚未入库：此交付将带来的变化；灰色虚线为变化前的图形。 "
        "Nothing is written yet: what the delivery would change; dashed grey is what was before."
    )
    words = PageWords(
        heading_zh="基础地形变化清单",
        heading_en="Changes of the base map",
        title=f"{changes.title} · {changes.as_of.isoformat()}",
        notice=notice,
        other="变形 reshaped",
        is_sure=changes.is_built,
    )
    return render(_payload(changes), words, now=now)


def _payload(changes: Changes) -> dict[str, Any]:
    rows = changes.rows.iloc[:_ROWS]
    documents = row_documents(rows)
    before = _lines(rows["was"].to_numpy(dtype=object)[:_DRAWN])
    after = _lines(rows.geometry.to_numpy()[:_DRAWN])
    for place, document in enumerate(documents):
        document |= {"live_code": document["code"], "outcome": None}
        if place < _DRAWN:
            document["before"] = before[place]
            document["after"] = None if document["change"] == "removed" else after[place]
    return {
        "counts": changes.counts,
        "fields": changes.fields,
        "classes": changes.counts_by("feature_class"),
        "areas": changes.counts_by("area"),
        "rows": documents,
        "left": max(0, len(changes.rows) - _ROWS),
        "still": [],
        "ground": outlines(changes.ground),
        "extent": _extent(changes),
    }


def _lines(shapes: Geometries) -> list[list[list[list[float]]] | None]:
    """Return each line and outline as lists of points, None for points and nothing."""
    result: list[list[list[list[float]]] | None] = [None] * len(shapes)
    drawn = np.flatnonzero(shapely.get_dimensions(shapes) > 0)
    plain = shapely.simplify(shapes[drawn], _SIMPLIFIED_M)
    areas = shapely.get_dimensions(plain) == 2
    plain[areas] = shapely.boundary(plain[areas])
    for place, shape in zip(drawn.tolist(), plain, strict=True):
        result[place] = [
            np.round(shapely.get_coordinates(part), 1).tolist() for part in shapely.get_parts(shape)
        ]
    return result


def _extent(changes: Changes) -> list[float]:
    shapes = changes.rows.geometry.to_numpy()
    if len(shapes) == 0:
        shapes = np.array(changes.ground, dtype=object)
    if len(shapes) == 0:
        return [0.0, 0.0, 100.0, 100.0]
    return [float(value) for value in shapely.total_bounds(shapes)]
