"""``wanmi census diff``: a delivery judged, compared with what is live, and what a merge would do."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import shapely

from census.comparison import Comparison, Question, compare, foretell
from gis.builds import BuildRequest
from gis.outputs import appearing
from gis.remarks import Remark
from gis.vector import write_vector
from gis.workspace import Workspace
from pipelines.build import Progress, open_context, silent
from pipelines.components import DATASET
from pipelines.context import BuildContext
from pipelines.surveys.merge import (
    Work,
    accuracies,
    given_of,
    judge_and_merge,
    refuse_others,
    refused_codes,
)
from pipelines.unpacking import opened_delivery


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A delivery beside what is live."""

    delivery: str
    as_of: str
    base_build_id: int | None
    """Build that the survey began from; None: not known, so that it was compared two ways."""
    base_evidence: str | None
    rows_read: int
    refused: int
    """Rows that the rules refuse: they were not compared, and what is live of them stays."""
    comparison: Comparison
    conflicts: int
    ground: tuple[Any, ...]
    """Outlines of the areas, to draw below."""
    crs: str
    warnings: tuple[Remark, ...]


def diff_delivery(folder: Path, *, workspace: Workspace, progress: Progress = silent) -> Difference:
    """Compare the components of a delivery with what is live; nothing is written.

    Raises
    ------
    DeliveryError
        The manifest or a file can not be read, or it has no components.
    """
    with opened_delivery(folder) as delivery:
        refuse_others(delivery)
        context = open_context(delivery, workspace)
        request = BuildRequest(
            delivery=delivery.name,
            as_of=delivery.as_of,
            path=str(delivery.source or delivery.root),
            delivery_hash="",
            dataset=DATASET,
            content_hash="",
        )
        with context.database.connect(read_only=True) as connection:
            work = judge_and_merge(request, context, connection, progress=progress)
        with progress("comparing components", total=1) as advance:
            comparison = foretell(
                compare(work.live, work.delivered, question=_question(work, context)),
                work.merged,
                has_base=work.base.build_id is not None,
            )
            advance(1)
    areas = context.features("areas")
    return Difference(
        delivery=delivery.name,
        as_of=delivery.as_of.isoformat(),
        base_build_id=work.base.build_id,
        base_evidence=work.base.evidence,
        rows_read=work.judged.rows_read,
        refused=work.judged.outcome.refused,
        comparison=comparison,
        conflicts=len(work.merged.conflicts),
        ground=tuple(areas.geometry) if len(areas) else (),
        crs=context.crs.text,
        warnings=(*work.judged.warnings, *work.base.warnings),
    )


def _question(work: Work, context: BuildContext) -> Question:
    moved = context.profile.census.moved_m
    classes = accuracies(context, work.delivered, work.live)
    return Question(
        reach=(
            work.judged.scope.covers(work.live)
            & ~work.live["code"].isin(refused_codes(work.judged))
        ).to_numpy(dtype=bool),
        given=given_of(work.judged),
        moved_m=classes if moved is None else dict.fromkeys(classes, moved),
        same_place_m=context.profile.thresholds.duplicate_distance_m,
    )


def as_document(
    difference: Difference, *, changes: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Return the difference for programs: counts, and `changes`, by default all of them."""
    rows = difference.comparison.rows
    if changes is None:
        changes = list(change_documents(rows[rows["change"] != "unchanged"]))
    return {
        "delivery": difference.delivery,
        "as_of": difference.as_of,
        "base_build_id": difference.base_build_id,
        "base_evidence": difference.base_evidence,
        "rows_read": difference.rows_read,
        "refused": difference.refused,
        "counts": dict(difference.comparison.counts),
        "fields": dict(difference.comparison.fields),
        "classes": {code: dict(part) for code, part in difference.comparison.classes.items()},
        "conflicts": difference.conflicts,
        "crs": difference.crs,
        "warnings": [warning.en for warning in difference.warnings],
        "warnings_zh": [warning.zh for warning in difference.warnings],
        "changes": changes,
    }


def change_documents(rows: gpd.GeoDataFrame) -> Iterable[dict[str, Any]]:
    """Yield each row with east and north before and after, m, None where it is not."""
    now, was = _middles(rows.geometry.to_numpy()), _middles(rows["was"].to_numpy(dtype=object))
    for place, row in enumerate(rows.itertuples()):
        yield {
            "change": row.change,
            "code": row.code,
            "live_code": row.live_code,
            "class_code": row.class_code,
            "name": row.name,
            "outcome": row.outcome,
            "distance_m": None if pd.isna(row.distance_m) else round(float(row.distance_m), 3),
            "fields": row.fields,
            "source_file": row.source_file,
            "source_row": None if pd.isna(row.source_row) else int(row.source_row),
            "was": was[place],
            "now": None if row.change == "removed" else now[place],
        }


def _middles(shapes: Any) -> list[list[float] | None]:
    result: list[list[float] | None] = [None] * len(shapes)
    there = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    points = shapely.get_coordinates(shapely.centroid(shapes[there]))
    for place, (x, y) in zip(there.tolist(), np.round(points, 2).tolist(), strict=True):
        result[place] = [x, y]
    return result


def write_difference(difference: Difference, path: Path) -> None:
    """Write what differs as a GeoPackage: layers ``changes`` and ``moves`` (from old to new place).

    Removed components have the geometry that is live, all others the delivered one. The file appears
    whole, or not at all.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    rows = difference.comparison.rows
    changed = rows[rows["change"] != "unchanged"].reset_index(drop=True)
    table = changed.drop(columns=["was", "fields"]).assign(
        fields=[orjson.dumps(fields).decode() for fields in changed["fields"]]
    )
    plain = [name for name in table.columns if name not in ("geometry", "distance_m", "source_row")]
    table[plain] = table[plain].astype(object).where(table[plain].notna(), None)
    table["source_row"] = pd.to_numeric(table["source_row"]).astype("Int64")
    moves = changed[changed["change"].isin(["moved", "recoded"]) & (changed["distance_m"] > 0)]
    lines = [
        shapely.linestrings([old, new])
        for old, new in zip(
            _middles(moves["was"].to_numpy(dtype=object)),
            _middles(moves.geometry.to_numpy()),
            strict=True,
        )
    ]
    kept = pd.DataFrame(moves[["code", "live_code", "class_code", "distance_m", "outcome"]])
    with appearing(path) as partial:
        write_vector(gpd.GeoDataFrame(table), partial, layer="changes")
        write_vector(gpd.GeoDataFrame(kept, geometry=lines, crs=rows.crs), partial, layer="moves")
