"""The change list 变化清单 of the map: what a build changed, or what a delivery would change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import shapely

from census.report.faultlayer import coloured_style, one_kind
from gis.builds import BuildRequest
from gis.database import Database, open_database, read_features, read_rows
from gis.errors import NotFoundError
from gis.geopackage import write_stamp, write_styles
from gis.outputs import appearing
from gis.vector import write_vector
from gis.workspace import Workspace
from pipelines.build import Progress, choose_steps, open_context, silent
from pipelines.judging import judge_step
from pipelines.placement import find_cells
from pipelines.topography.edges import Geometries
from pipelines.topography.sameness import changed_columns, same_shape
from pipelines.unpacking import opened_delivery

DATASET = "topography"
KINDS = ("added", "removed", "moved", "reshaped", "changed", "unchanged")
_COLOURS = {
    "added": ("新增 added", (26, 127, 55)),
    "removed": ("消失 removed", (200, 0, 26)),
    "moved": ("移位 moved", (11, 98, 196)),
    "reshaped": ("变形 reshaped", (138, 63, 252)),
    "changed": ("属性变化 changed", (179, 107, 0)),
}
_COLUMNS = ("code", "feature_class", "name", "sheet", "attributes", "source_file", "source_row")
_VERSIONS = "SELECT {columns}, geom FROM topography.feature WHERE {condition} ORDER BY code, row_id"


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What changed between two states of the map."""

    title: str
    """Delivery, and build where it was built."""
    as_of: date
    rows: gpd.GeoDataFrame
    """``change``, ``code``, ``feature_class``, ``name``, ``area``, ``distance_m``, ``fields`` (column ->
    before and after), ``was`` (geometry before), geometry after; by code."""
    unchanged: int
    ground: tuple[Any, ...]
    """Outlines of the areas, to draw below."""
    is_built: bool
    """It is live; else a delivery that would bring it."""

    @property
    def counts(self) -> dict[str, int]:
        """Kind of change -> number."""
        found = self.rows["change"].value_counts()
        return {k: int(found.get(k, 0)) for k in KINDS[:-1]} | {"unchanged": self.unchanged}

    def counts_by(self, column: str) -> dict[str, dict[str, int]]:
        """Return value of a column -> kind -> number, for the values that changed."""
        table = self.rows.groupby([column, "change"], sort=True).size()
        result: dict[str, dict[str, int]] = {}
        for (value, kind), count in table.items():
            result.setdefault(str(value), {})[str(kind)] = int(count)
        return result

    @property
    def fields(self) -> dict[str, int]:
        """Column or attribute -> number of features in which it changed."""
        names = [name for fields in self.rows["fields"] for name in fields]
        found = pd.Series(names, dtype=object).value_counts()
        return {str(name): int(found[name]) for name in sorted(found.index)}


def changes_of_build(workspace: Workspace, build_id: int | None) -> Changes:
    """Return what a build of topography changed; None: the newest that is live.

    Raises
    ------
    NotFoundError
        There is no such build of topography.
    """
    database = open_database(workspace)
    with database.connect(read_only=True) as connection:
        found = read_rows(
            connection,
            "SELECT b.build_id, b.as_of, b.rows_unchanged, d.name FROM meta.build b"
            " JOIN meta.delivery d USING (delivery_id) WHERE b.dataset = 'topography'"
            " AND b.status = 'live' AND b.build_id = coalesce(%s, b.build_id)"
            " ORDER BY b.build_id DESC LIMIT 1",
            [build_id],
        )
    if found.empty:
        which = "no build" if build_id is None else f"no live build {build_id}"
        which_zh = "没有构建" if build_id is None else f"没有现势构建 {build_id}"
        raise NotFoundError(
            f"There is {which} of topography: `wanmi builds` lists them.",
            zh=f"基础地形{which_zh}：请用 wanmi builds 查看。",
        )
    row = found.iloc[0]
    number = int(row["build_id"])
    return Changes(
        title=f"{row['name']} · {number}",
        as_of=row["as_of"],
        rows=_with_areas(
            compare(
                _versions(database, "closed_build_id = %s", number),
                _versions(database, "build_id = %s", number),
                same_m=workspace.profile.topography.same_m,
            ),
            _areas(database),
        ),
        unchanged=int(row["rows_unchanged"]),
        ground=tuple(_areas(database).geometry),
        is_built=True,
    )


def _versions(database: Database, condition: str, number: int) -> gpd.GeoDataFrame:
    query = _VERSIONS.format(columns=", ".join(_COLUMNS), condition=condition)
    with database.connect(read_only=True) as connection:
        rows = read_features(connection, query, [number], crs=database.crs)
    # A version replaced within one build is none.
    return gpd.GeoDataFrame(rows.drop_duplicates("code", keep="last").reset_index(drop=True))


def _areas(database: Database) -> gpd.GeoDataFrame:
    with database.connect(read_only=True) as connection:
        return read_features(
            connection,
            "SELECT code, name, level, geom FROM grids.area WHERE valid_to IS NULL ORDER BY code",
            [],
            crs=database.crs,
        )


def changes_of_delivery(
    folder: Path, *, workspace: Workspace, progress: Progress = silent
) -> Changes:
    """Return what a delivery would change; nothing is written.

    Raises
    ------
    DeliveryError
        The manifest or a file can not be read.
    BuildError
        It has no topography.
    """
    with opened_delivery(folder) as delivery:
        (step,) = choose_steps(delivery, only=[DATASET])
        context = open_context(delivery, workspace)
        request = BuildRequest(
            delivery=delivery.name,
            as_of=delivery.as_of,
            path=str(delivery.source or delivery.root),
            delivery_hash="",
            dataset=DATASET,
            content_hash="",
        )
        total = sum(len(layer.files) for layer in delivery.layers_of(DATASET)) + 1
        with progress("judging topography", total=total) as advance:
            judged = judge_step(step, request, context, advance=advance)
        live = context.features(DATASET)
        accepted = gpd.GeoDataFrame(judged.outcome.accepted)
        faults = judged.outcome.faults
        refused = set(faults.loc[faults["severity"] == "error", "code"].dropna().astype(str))
        ends = judged.scope.covers(live) & ~live["code"].isin(refused)
        before = live[ends | live["code"].isin(accepted["code"])]
        areas = context.features("areas")
    found = compare(before, accepted, same_m=context.profile.topography.same_m)
    both = int(accepted["code"].isin(before["code"]).sum())
    altered = int(found["change"].isin(["moved", "reshaped", "changed"]).sum())
    return Changes(
        title=delivery.name,
        as_of=delivery.as_of,
        rows=_with_areas(found, areas),
        unchanged=both - altered,
        ground=tuple(areas.geometry) if len(areas) else (),
        is_built=False,
    )


def compare(
    before: gpd.GeoDataFrame, after: gpd.GeoDataFrame, *, same_m: float
) -> gpd.GeoDataFrame:
    """Return how each feature differs between two states, those that do not left out; by code.

    ``moved``: the same shape elsewhere; ``reshaped``: another shape; both may have changed attributes
    too; ``changed``: attributes alone.

    Parameters
    ----------
    before, after : geopandas.GeoDataFrame
        Rows of topography, codes used once.
    same_m : float
        Shapes no farther apart than this are the same, m.
    """
    codes = sorted({*before["code"], *after["code"]})
    old = _by_code(before, codes)
    new = _by_code(after, codes)
    was, now = old.geometry.to_numpy(), new.geometry.to_numpy()
    is_old, is_new = ~shapely.is_missing(was), ~shapely.is_missing(now)
    both = np.flatnonzero(is_old & is_new)
    change = np.where(is_new, "added", "removed").astype(object)
    distance = np.full(len(codes), np.nan)
    fields: list[dict[str, list[str | None]]] = [{} for _ in codes]
    within = np.full(len(both), same_m)
    is_same = same_shape(was[both], now[both], within)
    shifted, shift_m = _shifted_back(was[both], now[both])
    is_moved = ~is_same & same_shape(was[both], shifted, within)
    distance[both] = np.where(is_same, 0.0, np.round(shift_m, 3))
    change[both] = np.where(is_same, "unchanged", np.where(is_moved, "moved", "reshaped"))
    records = (old.to_dict("records"), new.to_dict("records"))
    for place in both.tolist():
        fields[place] = _differences(records[0][place], records[1][place])
        if fields[place] and change[place] == "unchanged":
            change[place] = "changed"
    told = new.where(pd.Series(is_new, index=new.index), old)
    table = pd.DataFrame(
        {
            "change": change,
            "code": codes,
            **{name: told[name].to_numpy() for name in ("feature_class", "name", "sheet")},
            "distance_m": distance,
            "fields": pd.Series(fields, dtype=object),
            "source_file": told["source_file"].to_numpy(),
            "source_row": told["source_row"].to_numpy(),
            "was": pd.Series(was, dtype=object),
        }
    )
    shown = np.where(is_new, now, was)
    result = gpd.GeoDataFrame(table, geometry=shown, crs=after.crs or before.crs)
    return gpd.GeoDataFrame(result[result["change"] != "unchanged"].reset_index(drop=True))


def _by_code(rows: gpd.GeoDataFrame, codes: list[str]) -> gpd.GeoDataFrame:
    table = rows[[*_COLUMNS, "geometry"]].set_index("code", drop=False)
    return gpd.GeoDataFrame(table.reindex(codes), geometry="geometry", crs=rows.crs)


def _shifted_back(was: Geometries, now: Geometries) -> tuple[Geometries, Any]:
    """Return features as they are now, moved so that their middles lie where they were; and how far."""
    if len(was) == 0:
        return now, np.zeros(0)
    step = shapely.get_coordinates(shapely.centroid(now)) - shapely.get_coordinates(
        shapely.centroid(was)
    )
    count = shapely.get_num_coordinates(now)
    xy = shapely.get_coordinates(now) - np.repeat(step, count, axis=0)
    return shapely.set_coordinates(now.copy(), xy), np.hypot(step[:, 0], step[:, 1])


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[str | None]]:
    names = changed_columns(new, old)
    return {name: [_value(old, name), _value(new, name)] for name in names}


def _value(row: Mapping[str, Any], name: str) -> str | None:
    value = row[name] if name in ("feature_class", "name") else row["attributes"].get(name)
    return None if value is None or value != value else str(value)


def _with_areas(rows: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Add the name of the community, else of the smallest level there is, that each lies in."""
    levels = [
        name for name in ("community", "street", "district") if (areas["level"] == name).any()
    ]
    if not levels:
        return gpd.GeoDataFrame(rows.assign(area="–"))
    cells = areas[areas["level"] == levels[0]]
    names = dict(zip(cells["code"], cells["name"], strict=True))
    found = find_cells(rows.geometry, cells)
    return gpd.GeoDataFrame(rows.assign(area=[names.get(code, "–") for code in found]))


def as_document(changes: Changes, *, with_rows: bool = True) -> dict[str, Any]:
    """Return the changes for programs: counts, per class and area, and each feature."""
    return {
        "title": changes.title,
        "as_of": changes.as_of.isoformat(),
        "is_built": changes.is_built,
        "counts": changes.counts,
        "fields": changes.fields,
        "classes": changes.counts_by("feature_class"),
        "areas": changes.counts_by("area"),
        "changes": row_documents(changes.rows) if with_rows else [],
    }


def row_documents(rows: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Return each changed feature: what, where it was and is (east and north of its middle, m)."""
    now, was = _middles(rows.geometry.to_numpy()), _middles(rows["was"].to_numpy(dtype=object))
    return [
        {
            "change": row.change,
            "code": row.code,
            "class_code": row.feature_class,
            "name": row.name if isinstance(row.name, str) else None,
            "area": row.area,
            "sheet": row.sheet if isinstance(row.sheet, str) else None,
            "distance_m": None if row.distance_m != row.distance_m else float(row.distance_m),
            "fields": row.fields,
            "source_file": row.source_file,
            "source_row": None if pd.isna(row.source_row) else int(row.source_row),
            "was": was[place],
            "now": None if row.change == "removed" else now[place],
        }
        for place, row in enumerate(rows.itertuples(index=False))
    ]


def _middles(shapes: Geometries) -> list[list[float] | None]:
    there = ~shapely.is_missing(shapes)
    points = shapely.get_coordinates(shapely.point_on_surface(shapes[there]))
    found = iter(np.round(points, 2).tolist())
    return [next(found) if is_there else None for is_there in there]


def write_changes(changes: Changes, path: Path) -> None:
    """Write a GeoPackage with layers ``points``, ``lines``, ``polygons``, coloured by kind of change.

    Removed features have the geometry they had; what changed stands in ``fields`` as JSON. The file
    appears whole, or not at all.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    rows = changes.rows
    texts = [orjson.dumps(fields).decode() for fields in rows["fields"]]
    table = pd.DataFrame(rows.drop(columns=["was", "fields", "geometry"])).assign(fields=texts)
    table["source_row"] = pd.to_numeric(table["source_row"]).astype("Int64")
    shapes = rows.geometry.to_numpy()
    dimension = shapely.get_dimensions(shapes)
    styles = {}
    with appearing(path) as partial:
        for number, (layer, kind) in enumerate(
            (("points", "marker"), ("lines", "line"), ("polygons", "fill"))
        ):
            chosen = np.flatnonzero(dimension == number)
            if len(chosen) == 0 and number > 0:
                continue
            own = shapely.centroid(shapes[chosen]) if number == 0 else one_kind(shapes[chosen])
            frame = gpd.GeoDataFrame(table.iloc[chosen], geometry=own, crs=rows.crs)
            write_vector(frame, partial, layer=layer)
            styles[layer] = coloured_style(kind, "change", _COLOURS)
        write_styles(partial, styles)
        write_stamp(partial, {"changes": changes.title, "as_of": changes.as_of.isoformat()})
