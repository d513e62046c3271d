"""The page of ``wanmi census diff``: one HTML file in Chinese and English, read without network."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import shapely

from gis.outputs import appearing
from pipelines.surveys.diff import Difference, as_document, change_documents

_ROWS = 20_000
"""Changes in the page; the GeoPackage has all."""
_STILL = 20_000
"""Unchanged components drawn, evenly chosen."""
_GROUND_VERTICES = 60_000


def write_page(difference: Difference, path: Path, *, now: datetime | None = None) -> None:
    """Write counts, map and a table to filter; of more than 20 000 changes as many of each kind.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    with appearing(path) as partial:
        partial.write_text(page_text(difference, now=now or datetime.now(UTC)), encoding="utf-8")


def page_text(difference: Difference, *, now: datetime) -> str:
    """Return the page; whatever comes from the delivery is escaped, and only its own script may run."""
    return render(
        _payload(difference),
        PageWords(
            heading_zh="部件变化",
            heading_en="What a delivery changes",
            title=f"{difference.delivery} · {difference.as_of}",
            notice=_base_text(difference),
            other="疑似改码 another code",
            is_sure=difference.base_build_id is not None,
        ),
        now=now,
    )


@dataclass(frozen=True, kw_only=True)
class PageWords:
    """What a page of changes says of itself; plain text."""

    heading_zh: str
    heading_en: str
    title: str
    """What is compared, and of which day."""
    notice: str
    """What the reader must know first."""
    other: str
    """What the key of the map calls the violet sign."""
    is_sure: bool
    """The notice is no warning."""


def render(payload: Mapping[str, Any], words: PageWords, *, now: datetime) -> str:
    """Return a page of changes: counts, map, table; what it is given is escaped.

    Parameters
    ----------
    payload : mapping
        ``counts``, ``fields``, ``classes``, ``rows``, ``left``, ``still``, ``ground``, ``extent``; for
        a table by area ``areas``; rows may have ``before`` and ``after``, lines to draw.
    words : PageWords
        Texts of the page.
    now : datetime
        When it was made.
    """
    folder = resources.files("pipelines.surveys")
    view = resources.files("census.report").joinpath("view.js")
    page = folder.joinpath("difference.html").read_text(encoding="utf-8")
    data = orjson.dumps(payload, default=str).decode()
    scripts = (view, folder.joinpath("difference.js"))
    script = "\n".join(path.read_text(encoding="utf-8") for path in scripts)
    return Template(page).substitute(
        title=escape(words.title),
        heading_zh=escape(words.heading_zh),
        heading_en=escape(words.heading_en),
        other=escape(words.other),
        date=now.strftime("%Y-%m-%d %H:%M UTC"),
        base=escape(words.notice),
        known="known" if words.is_sure else "",
        # A script ends at the first "</", wherever it stands.
        data=data.replace("<", "\\u003c").replace("\u2028", " ").replace("\u2029", " "),
        script=script,
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
    )


def _base_text(difference: Difference) -> str:
    if difference.base_build_id is None:
        text = (
            "基准版本未知：仅作两方比较；合并时不注销任何部件，两方取值不同的字段待裁决；wanmi build 则全部采用。 "
            "No base version is known: compared two ways. A merge ends nothing, and values that differ wait; "
            "wanmi build takes all of it."
        )
    else:
        text = (
            f"基准：构建 {difference.base_build_id}；三方合并将产生 {difference.conflicts} 处冲突。 "
            f"Base: build {difference.base_build_id}; a merge finds {difference.conflicts} conflicts."
        )
    refused = (
        f" 另有 {difference.refused} 行不合格，未参与比较。 {difference.refused} rows were refused and not compared."
        if difference.refused
        else ""
    )
    return text + refused


def _payload(difference: Difference) -> dict[str, Any]:
    rows = difference.comparison.rows
    changed = rows[rows["change"] != "unchanged"]
    document = as_document(difference, changes=list(change_documents(_listed(changed))))
    still = rows[rows["change"] == "unchanged"].geometry.to_numpy()
    step = max(1, -(-len(still) // _STILL))
    points = shapely.get_coordinates(shapely.centroid(still[::step]))
    return {
        "counts": document["counts"],
        "fields": document["fields"],
        "classes": document["classes"],
        "rows": document["changes"],
        "left": max(0, len(changed) - _ROWS),
        "still": np.round(points, 1).tolist(),
        "ground": outlines(difference.ground),
        "extent": _extent(difference),
    }


def _listed(changed: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return at most `_ROWS` changes in their order: of each kind as many, those that wait first."""
    waits_first = changed.iloc[np.argsort(changed["outcome"].ne("waits"), kind="stable")]
    turn = waits_first.groupby("change").cumcount().sort_values(kind="stable")
    return changed.loc[turn.index[:_ROWS].sort_values()]


def _extent(difference: Difference) -> list[float]:
    rows = difference.comparison.rows
    shapes = rows.geometry.to_numpy()[(rows["change"] != "unchanged").to_numpy()]
    boxes = shapely.bounds(shapes if len(shapes) else rows.geometry.to_numpy())
    boxes = boxes[np.isfinite(boxes).all(axis=1)] if len(boxes) else boxes
    if len(boxes) == 0:
        boxes = shapely.bounds(np.array(difference.ground, dtype=object)).reshape(-1, 4)
    if len(boxes) == 0:
        return [0.0, 0.0, 100.0, 100.0]
    west, south = boxes[:, :2].min(axis=0).tolist()
    east, north = boxes[:, 2:].max(axis=0).tolist()
    return [west, south, east, north]


def outlines(ground: tuple[Any, ...]) -> list[list[list[float]]]:
    """Return the outlines of areas as lists of points, thinned so that the page stays small."""
    if not ground:
        return []
    shapes = shapely.boundary(np.array(ground, dtype=object))
    tolerance = 0.5
    while shapely.get_num_coordinates(shapes).sum() > _GROUND_VERTICES and tolerance < 1000:
        shapes = shapely.simplify(shapes, tolerance)
        tolerance *= 2
    lines = shapely.get_parts(shapes)
    return [np.round(shapely.get_coordinates(line), 1).tolist() for line in lines]
