"""Samples drawn from the live components, kept with their positions, and judged when they come back."""

from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import shapely

from census.accuracy.coordinates import Reading
from census.accuracy.form import read_form, write_form
from census.accuracy.judgement import Assessment, assess
from census.accuracy.measurement import pair_up
from census.accuracy.sampling import SamplePlan, draw_sample
from census.accuracy.statistics import Limits
from census.exchange.exporting import class_names
from census.taxonomy import read_taxonomy
from gis.builds import live
from gis.database import Connection, Database, open_database, read_features
from gis.errors import NotFoundError, RequestError
from gis.ledger import audit
from gis.workspace import Workspace
from pipelines.placement import representative_points

_DATASET = "components"
_GONE = ("lost", "abandoned", "removed")
"""Conditions of components that can not be measured."""
_KEPT = ("row_id", "code", "class_code", "accuracy", "limit_m", "x", "y")
"""What is kept of each component drawn."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A sample as it was drawn; also what the audit keeps, so that a form can not change it."""

    sample_id: str
    seed: int
    least: int
    most: int
    crs: str
    area: str
    """Beginning of the community codes it was drawn from; empty: all."""
    classes: tuple[str, ...]
    """Minor or major classes it was drawn from; empty: all."""
    drawn_from: int
    """Components that could have been drawn."""
    components: tuple[tuple[Any, ...], ...]
    """Of each its row version, code, class, accuracy class, limit, east, north."""


@dataclass(frozen=True, kw_only=True)
class SampleRequest:
    """What to draw a sample from."""

    plan: SamplePlan
    area: str = ""
    """District, street or community code; empty: all."""
    classes: tuple[str, ...] = ()
    """Minor or major classes; empty: all."""


def make_sample(workspace: Workspace, request: SampleRequest, path: Path, *, actor: str) -> Drawn:
    """Draw a sample of the live components, keep it, and write the form for the field.

    Raises
    ------
    RequestError
        There is nothing to draw from.
    FileFormatError
        The form can not have that name.
    """
    database = open_database(workspace)
    components = _drawable(database, request)
    rows = _described(draw_sample(components, request.plan), workspace)
    kept = tuple(tuple(row) for row in rows[list(_KEPT)].itertuples(index=False))
    plan = request.plan
    text = orjson.dumps([plan.seed, plan.least, plan.most, kept], option=orjson.OPT_SERIALIZE_NUMPY)
    drawn = Drawn(
        sample_id=blake2b(text, digest_size=5).hexdigest(),
        **asdict(plan),
        crs=database.crs,
        area=request.area,
        classes=request.classes,
        drawn_from=len(components),
        components=kept,
    )
    stamp = {"sample_id": drawn.sample_id, "seed": str(plan.seed), "crs": database.crs}
    write_form(rows, path, crs=database.crs, stamp=stamp)
    with database.connect() as connection:
        if _find(connection, drawn.sample_id) is None:
            audit(connection, actor=actor, action="census_sample", detail=drawn)
    return drawn


def judge_sample(
    workspace: Workspace, path: Path, *, reading: Reading | None, limits: Limits
) -> Assessment:
    """Judge a form that came back from the field against the sample as it was drawn.

    Surveyed positions are those that the draw kept, whatever the form says now.

    Parameters
    ----------
    workspace : Workspace
        City where the sample was drawn.
    path : Path
        Filled-in form.
    reading : Reading or None
        How its coordinates are to be read; None: in the city's CRS.
    limits : Limits
        What is asked of the census.

    Raises
    ------
    FileFormatError
        The form can not be read or has nothing in it.
    NotFoundError
        The sample was not drawn here.
    CrsError
        The coordinates are in another CRS than stated.
    """
    database = open_database(workspace)
    fieldwork = read_form(path, crs=database.crs)
    with database.connect(read_only=True) as connection:
        detail = _find(connection, fieldwork.sample_id or "")
        if detail is None:
            raise _unknown(path, fieldwork.sample_id)
        sample = pd.DataFrame(detail["components"], columns=list(_KEPT))
        sample["outline"] = _outlines(connection, sample, crs=database.crs)
    sample["class_name"] = sample["class_code"].map(class_names(workspace, sample["class_code"]))
    measured = pair_up(
        fieldwork,
        sample,
        reading=reading or Reading(crs=database.crs),
        crs=database.crs,
        limits=limits,
    )
    if measured.points.empty and measured.not_found.empty and not measured.problems:
        msg = (
            f"{path.name} is not filled in: no component has coordinates or is marked as not found."
        )
        raise RequestError(msg, zh=f"{path.name} 尚未填写：没有任何部件有复测坐标或标为未找到。")
    return assess(measured, limits)


def community_borders(workspace: Workspace) -> gpd.GeoDataFrame:
    """Return the communities, for the map of the report; none where there are no areas."""
    areas = live(open_database(workspace), "areas", columns=["code", "level", "geometry"])
    return gpd.GeoDataFrame(areas[areas["level"] == "community"])


def _drawable(database: Database, request: SampleRequest) -> gpd.GeoDataFrame:
    columns = [
        *("row_id", "code", "class_code", "standard_ref", "community_code", "condition"),
        *("name", "location_note", "geometry"),
    ]
    rows = gpd.GeoDataFrame(live(database, _DATASET, columns=columns))
    kept = ~rows["condition"].isin(_GONE)
    if request.area:
        kept &= rows["community_code"].fillna("").str.startswith(request.area)
    if request.classes:
        kept &= rows["class_code"].str.startswith(request.classes)
    return rows[kept].reset_index(drop=True)


def _described(rows: gpd.GeoDataFrame, workspace: Workspace) -> pd.DataFrame:
    """Return the rows with class name, accuracy, position and what the form shows besides."""
    taxonomies = {
        ref: read_taxonomy(
            ref, workspace.profile.extension_class if _is_own(ref, workspace) else ()
        )
        for ref in rows["standard_ref"].unique()
    }
    entries = [
        taxonomies[ref].get("component", code)
        for ref, code in zip(rows["standard_ref"], rows["class_code"], strict=True)
    ]
    points = shapely.get_coordinates(representative_points(rows.geometry).to_numpy())
    is_point = rows.geometry.geom_type.isin(["Point", "MultiPoint"])
    return pd.DataFrame(rows.drop(columns="geometry")).assign(
        class_name=["" if entry is None else entry.name for entry in entries],
        accuracy=["C" if entry is None else entry.accuracy for entry in entries],
        limit_m=[10.0 if entry is None else entry.accuracy_m for entry in entries],
        shape=np.where(is_point, "point 点", "outline 轮廓"),
        survey_x=points[:, 0].round(4),
        survey_y=points[:, 1].round(4),
        x=points[:, 0].round(4),
        y=points[:, 1].round(4),
    )


def _is_own(ref: str, workspace: Workspace) -> bool:
    return ref == workspace.profile.city.standard


def _find(connection: Connection, sample_id: str) -> dict[str, Any] | None:
    row = connection.execute(
        "SELECT detail FROM meta.audit WHERE action = 'census_sample' AND detail ->> 'sample_id' = %s"
        " ORDER BY audit_id LIMIT 1",
        [sample_id],
    ).fetchone()
    return None if row is None else row[0]


def _unknown(path: Path, sample_id: str | None) -> NotFoundError:
    if sample_id is None:
        msg = f"{path.name} does not say which sample it is of: keep the column sample_id of the form."
        return NotFoundError(msg, zh=f"{path.name} 缺少样本编号：请保留原表中的 sample_id 列。")
    msg = f"The sample {sample_id} of {path.name} was not drawn in this workspace: name the one it is of."
    return NotFoundError(
        msg, zh=f"{path.name} 的样本 {sample_id} 不是本工作区抽取的：请指定对应的工作区。"
    )


def _outlines(connection: Connection, sample: pd.DataFrame, *, crs: str) -> list[Any]:
    """Return the geometry of the lines and areas of a sample as it was when drawn, None for points."""
    rows = read_features(
        connection,
        "SELECT row_id, geom FROM components.component WHERE row_id = ANY(%s)"
        " AND GeometryType(geom) NOT IN ('POINT', 'MULTIPOINT')",
        [sample["row_id"].astype(int).tolist()],
        crs=crs,
    )
    found = dict(zip(rows["row_id"], rows.geometry, strict=True))
    return [found.get(row_id) for row_id in sample["row_id"]]
