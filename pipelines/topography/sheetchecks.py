"""What is wrong with sheets: no number, features elsewhere, sheets missing, overlapping, twice."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import shapely

from gis.codes import Rule
from gis.faults import REJECT_COLUMNS, Faults
from pipelines.topography.edges import Positions
from pipelines.topography.sheets import missing_sheets
from pipelines.topography.survey import Survey

_ELSEWHERE = 0.5
"""Share of a sheet's features outside it from which on the sheet is said to lie elsewhere."""
_OVERLAP = 0.001
"""Share of a sheet that another may cover before they are said to overlap."""


def check_rows(survey: Survey, faults: Faults) -> None:
    """Record rows without sheet (TP70) and rows that reach beyond theirs (TP71)."""
    rows = survey.rows
    if not (survey.plan.is_patch and rows["sheet"].isna().all()):  # a patch may do without sheets
        faults.add("TP70", pd.Series(survey.sheet < 0, index=rows.index))
    beyond = beyond_sheet(survey)
    elsewhere = np.isin(survey.sheet, [place for place, *_ in sheets_elsewhere(survey, beyond)])
    tolerance = (
        np.where(survey.sheet >= 0, 2 * survey.tolerance_m.take(survey.sheet, mode="clip"), 0.0)
        if len(survey.sheets)
        else np.zeros(len(rows))
    )
    faults.add(
        "TP71",
        pd.Series((beyond > tolerance + 1e-9) & ~elsewhere, index=rows.index),
        distance_m=pd.Series(beyond, index=rows.index),
        sheet=rows["sheet"],
    )


def beyond_sheet(survey: Survey) -> "np.ndarray[Any, np.dtype[np.float64]]":
    """Return how far each row reaches beyond its sheet, m; 0 on no sheet."""
    result = np.zeros(len(survey.rows))
    on = np.flatnonzero(survey.sheet >= 0)
    if len(on) == 0:
        return result
    shapes = survey.rows.geometry.to_numpy()[on]
    extents = survey.extents[survey.sheet[on]]
    outside = np.flatnonzero(~shapely.covered_by(shapes, extents))
    vertices, place = shapely.get_coordinates(shapes[outside], return_index=True)
    distance = shapely.distance(shapely.points(vertices), extents[outside][place])
    farthest = np.zeros(len(outside))
    np.maximum.at(farthest, place, distance)
    result[on[outside]] = farthest
    return result


def sheets_elsewhere(
    survey: Survey, beyond: "np.ndarray[Any, np.dtype[np.float64]]"
) -> list[tuple[int, float]]:
    """Return the sheets most of whose features lie wholly outside, and their share."""
    on = survey.sheet >= 0
    if not on.any():
        return []
    far = np.zeros(len(survey.rows), dtype=bool)
    reach = np.flatnonzero(on & (beyond > 0))
    far[reach] = ~shapely.intersects(
        survey.rows.geometry.to_numpy()[reach], survey.extents[survey.sheet[reach]]
    )
    count = np.bincount(survey.sheet[on], minlength=len(survey.sheets))
    outside = np.bincount(survey.sheet[on & far], minlength=len(survey.sheets))
    share = outside / np.maximum(count, 1)
    return [(int(place), float(share[place])) for place in np.flatnonzero(share > _ELSEWHERE)]


def refuse_twice(survey: Survey, faults: Faults) -> None:
    """Refuse the rows of a sheet's second file of one name: the same (TP76), or other content (TP77)."""
    rows = survey.rows
    if survey.plan.sheet_from == "field":
        return  # there the sheets of one file stand row by row
    name = pd.Series(
        [
            PurePosixPath(str(file)).name.replace(str(number), "")
            for file, number in zip(rows["source_file"], rows["sheet"], strict=True)
        ],
        index=rows.index,
        dtype=object,
    )
    table = pd.DataFrame({"sheet": survey.sheet, "name": name, "file": rows["source_file"]})
    firsts = table[table["sheet"] >= 0].groupby(["sheet", "name"], sort=True)["file"]
    for (_, _), files in firsts:
        first, *others = sorted(files.unique())
        for other in others:
            _refuse_file(survey, faults, str(first), str(other))


def _refuse_file(survey: Survey, faults: Faults, first: str, other: str) -> None:
    rows = survey.rows
    is_other = rows["source_file"] == other
    differ = _contents(survey, rows["source_file"] == first) ^ _contents(survey, is_other)
    words = {"sheet": rows["sheet"], "first": first}
    if differ:
        faults.add("TP77", is_other, count=len(differ), **words)
    else:
        faults.add("TP76", is_other, **words)


def _contents(survey: Survey, mask: "pd.Series[bool]") -> set[tuple[str, bytes]]:
    rows = survey.rows[mask]
    shapes = shapely.to_wkb(
        shapely.set_precision(shapely.normalize(rows.geometry.to_numpy()), 0.001, mode="pointwise")
    )
    return set(zip(rows["feature_class"].astype(str), shapes, strict=True))


def sheet_faults(
    kept: Survey,
    *,
    delivered: Survey,
    rules: Mapping[str, Rule],
    local: tuple[str, int] | None,
) -> pd.DataFrame:
    """Return faults of whole sheets, TP72 to TP75 and TP79, each at its place and of no single row.

    `local` is an identifier that means several things, and the number of sheets that have it.
    """
    found: list[tuple[str, shapely.Geometry, dict[str, Any]]] = []
    extents = delivered.extents
    for place, share in sheets_elsewhere(delivered, beyond_sheet(delivered)):
        sheet = delivered.sheets[place]
        en, zh = _hint(delivered, place)
        words = {"sheet": sheet.number, "share": share, "hint": en, "hint_zh": zh}
        found.append(("TP72", sheet.extent, words))
    there = set(kept.sheet.tolist())
    for place, sheet in enumerate(delivered.sheets):
        if place not in there:
            found.append(("TP73", sheet.extent, {"sheet": sheet.number}))
    for number in delivered.unplaced:
        if number not in set(kept.rows["sheet"]):
            found.append(("TP73", shapely.Point(), {"sheet": number}))
    for a, b in _overlapping(extents):
        one, other = delivered.sheets[a], delivered.sheets[b]
        common = shapely.intersection(one.extent, other.extent)
        words = {"sheet": one.number, "other": other.number, "area_m2": common.area}
        found.append(("TP74", common, words))
    for gap in missing_sheets(extents):
        west, south = gap.bounds[:2]
        found.append(("TP75", gap, {"where": f"{south / 1000:.2f}-{west / 1000:.2f} km"}))
    if local is not None:
        found.append(("TP79", shapely.Point(), {"code": local[0], "count": local[1]}))
    return fault_rows(found, file=first_file(delivered), rules=rules)


def first_file(survey: Survey) -> str:
    """Return a file of the delivery, to name with what is of no single row."""
    return str(survey.rows["source_file"].iloc[0]) if len(survey.rows) else ""


def _hint(survey: Survey, place: int) -> tuple[str, str]:
    """Say what would put a sheet's features where it lies: axes the other way round."""
    shapes = survey.rows.geometry.to_numpy()[survey.sheet == place]
    turned = shapely.transform(shapes, lambda xy: xy[:, ::-1])
    if shapely.intersects(turned, survey.sheets[place].extent).mean() > _ELSEWHERE:
        return ": x and y are swapped", "：x、y 颠倒"
    inside = shapely.STRtree(survey.extents).query(
        shapely.union_all(shapely.centroid(shapes)), predicate="intersects"
    )
    others = [survey.sheets[int(other)].number for other in np.sort(inside) if int(other) != place]
    if len(others) == 1:
        return f": they lie on sheet {others[0]}", f"：位于图幅 {others[0]}"
    return "", ""


def _overlapping(extents: "np.ndarray[Any, np.dtype[np.object_]]") -> Iterable[tuple[int, int]]:
    if len(extents) < 2:
        return []
    a, b = shapely.STRtree(extents).query(extents, predicate="intersects")
    a, b = a[a < b], b[a < b]
    common = shapely.area(shapely.intersection(extents[a], extents[b]))
    least = np.minimum(shapely.area(extents[a]), shapely.area(extents[b]))
    wide = common > _OVERLAP * least
    order: Positions = np.lexsort((b[wide], a[wide]))
    return list(zip(a[wide][order].tolist(), b[wide][order].tolist(), strict=True))


def fault_rows(
    found: Iterable[tuple[str, shapely.Geometry, dict[str, Any]]],
    *,
    file: str,
    rules: Mapping[str, Rule],
) -> pd.DataFrame:
    """Return faults that are of no single row, as a table of faults: row 0 of `file`."""
    rows: list[dict[str, Any]] = [
        {
            "source_file": file,
            "source_row": 0,
            "code": None,
            "rule": rule,
            # A fault of no row can not refuse one.
            "severity": "warning",
            "reason_en": rules[rule].reason_en.format(**words),
            "reason_zh": rules[rule].reason_zh.format(**words),
            "record": {},
            "geometry": None if shape.is_empty else shape,
        }
        for rule, shape, words in found
        if rules[rule].severity != "off"
    ]
    return pd.DataFrame(rows, columns=list(REJECT_COLUMNS))
