"""Unit grids edited by hand: out to QGIS, back, judged, and locked so that the next run keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import shapely

from gis.builds import live
from gis.database import Connection, Database, read_features
from gis.errors import BuildError, ConflictError, DeliveryError
from gis.geopackage import read_stamp, write_project, write_stamp, write_styles
from gis.outputs import appearing_files
from gis.vector import read_vector, write_vector
from gis.workspace import Profile
from gridding.edits import Also
from gridding.lineage import CodeRules, overlaps
from gridding.locks import locked, overruled, release_locks, set_locks
from gridding.objections import find_objections
from gridding.patching import Geometries, insert_vertices, tie
from gridding.proposal import Proposal, hash_rows, with_codes
from gridding.qgis import PROJECT, STYLES, project_text, style_text

LAYER = "unit_grid"
EDITABLE = ("name", "land_use", "management_grade", "responsible_body", "remark")
"""Attributes an editor may change."""
_MARGIN_M = 100.0
_PRECISION_M = 0.01
_ON_BORDER_M = 0.015
_REDRAWN = 0.5


def export_grids(database: Database, file: Path, *, codes: Sequence[str] = ()) -> dict[str, int]:
    """Write unit grids and what lies around them for QGIS; return the rows of each layer.

    The GeoPackage holds its QGIS project (and a ``.qgs`` lies beside it) with topological editing on,
    and the version of every grid, so that an edit of what was changed meanwhile is noticed.

    Parameters
    ----------
    database : Database
        Migrated database.
    file : Path
        ``.gpkg``; one that exists is replaced once the new one and its project are whole.
    codes : sequence of str
        Communities 社区; empty: all.

    Raises
    ------
    BuildError
        A community has no grids.
    DeliveryError
        The file is no ``.gpkg``.
    WorkspaceError
        The file can not be written.
    """
    if file.suffix.lower() != ".gpkg":
        msg = f"{file.name} can not hold a project: export to a .gpkg file."
        raise DeliveryError(msg, zh=f"{file.name} 无法保存工程：请导出为 .gpkg 文件。")
    grids = gpd.GeoDataFrame(live(database, "unit_grids"))
    unknown = sorted(set(codes) - set(grids["community_code"]))
    if unknown or grids.empty:
        name = unknown[0] if unknown else "any"
        msg = f"Community {name} has no unit grids: see `wanmi status` for what is loaded."
        raise BuildError(msg, zh=f"社区 {name} 没有单元网格。")
    if codes:
        grids = gpd.GeoDataFrame(grids[grids["community_code"].isin(list(codes))])
    layers = _surroundings(database, grids)
    extent = tuple(float(value) for value in grids.total_bounds)
    west, south, east, north = extent
    text = project_text(
        file.name, list(layers), crs=database.crs, extent=(west, south, east, north)
    )
    rows = dict(zip(grids["code"], grids["row_id"].tolist(), strict=True))
    with appearing_files(file) as partial:
        partial.unlink(missing_ok=True)  # an earlier export: of other grids, or of another day
        for name, frame in layers.items():
            write_vector(frame, partial, layer=name)
        write_styles(partial, {name: style_text(name) for name in layers})
        write_project(partial, PROJECT, text)
        write_stamp(partial, {"rows": orjson.dumps(rows).decode(), "crs": database.crs})
        partial.with_suffix(".qgs").write_text(text, encoding="utf-8")
    return {name: len(frame) for name, frame in layers.items()}


def _surroundings(database: Database, grids: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers of the export, the topmost first; those without rows are left out."""
    reach = shapely.box(*grids.total_bounds).buffer(_MARGIN_M, join_style="mitre")
    topography = live(database, "topography", columns=["code", "feature_class", "name", "geometry"])
    near = gpd.GeoDataFrame(topography[shapely.intersects(topography.geometry.to_numpy(), reach)])
    dimension = shapely.get_dimensions(near.geometry.to_numpy())
    is_road = near["feature_class"].str[:2].isin(["42", "43", "44"]) & (dimension == 1)
    is_wall = near["feature_class"].str[:2].isin(["38"]) & (dimension == 1)
    is_compound = near["feature_class"].str[:4].eq("3106") & (dimension == 2)
    is_water = near["feature_class"].str[:2].isin(["21", "22", "23", "24"]) & (dimension == 2)
    walls = gpd.GeoDataFrame(near[is_wall | is_compound])
    outlines = np.where(
        shapely.get_dimensions(walls.geometry.to_numpy()) == 2,
        shapely.boundary(walls.geometry.to_numpy()),
        walls.geometry.to_numpy(),
    )
    is_building = near["feature_class"].str[:4].isin(["3103", "3104", "3105"]) & (dimension == 2)
    areas = live(database, "areas", columns=["code", "name", "level", "geometry"])
    areas = areas[(areas["level"] == "community") & areas.intersects(reach)]
    borders, _ = locked(database)
    components = live(database, "components", columns=["code", "class_code", "name", "geometry"])
    dots = (shapely.get_type_id(components.geometry.to_numpy()) == 0) & shapely.intersects(
        components.geometry.to_numpy(), reach
    )
    columns = ["code", "community_code", *EDITABLE, "area_m2", "geometry"]
    layers = {
        LAYER: grids[columns],
        "lock": borders[borders.intersects(reach)],
        "component": components[dots],
        "community": areas,
        "road": near[is_road],
        "wall": walls.set_geometry(outlines, crs=database.crs),
        "building": near[is_building],
        "water": near[is_water],
    }
    return {
        name: gpd.GeoDataFrame(frame)
        for name, frame in layers.items()
        if name in STYLES and len(frame)
    }


@dataclass(frozen=True, kw_only=True)
class Revision:
    """An edit read back, judged and ready to be published."""

    proposal: Proposal
    faults: gpd.GeoDataFrame
    """What stands against it, as of `gridding.objections`; an error refuses it."""
    locks: gpd.GeoDataFrame
    """``kind``, ``code``, ``geometry`` of what the editor set."""
    released: tuple[int, ...]
    """Locks that the editor overruled."""
    is_change: bool
    """Whether anything was edited."""


def read_revision(database: Database, file: Path, *, profile: Profile) -> Revision:
    """Read an edited export back and judge it.

    Only grids that were edited count; the others stay as they are live. Coordinates are rounded to
    centimetres, and neighbours receive the vertices of borders that end on theirs.

    Raises
    ------
    DeliveryError
        The file was not written by ``wanmi grid export``, or an edited outline crosses itself.
    ConflictError
        A grid that was edited was changed in the database since the export.
    """
    base, edited, removed = _read_edits(database, file)
    old = gpd.GeoDataFrame(live(database, "unit_grids"))
    stale = base.loc[removed & ~base["row_id"].isin(old["row_id"]), "code"]
    if len(stale) and _is_live(edited, old):
        msg = f"{file.name} was imported already and its edit is live: export again before the next edit."
        raise ConflictError(msg, zh=f"{file.name} 已导入，其编辑已生效：再次编辑前请重新导出。")
    if len(stale):
        shown = ", ".join(sorted(stale)[:3])
        msg = f"{len(stale)} edited grids were changed since the export ({shown}): export again and repeat the edit."
        raise ConflictError(
            msg, zh=f"{len(stale)} 个已编辑的网格在导出后被更改（{shown}）：请重新导出后再编辑。"
        )
    areas = live(database, "areas", columns=["code", "level", "geometry"])
    communities = gpd.GeoDataFrame(areas[areas["level"] == "community"])
    new = _replaced(old, edited, gone=base.loc[removed, "code"], communities=communities)
    proposal = with_codes(
        Proposal(
            kind="edit",
            old=old,
            new=new,
            succeeded=pd.DataFrame(),
            inputs_hash=hash_rows(old, edited.geometry.to_wkb(hex=True).sum()),
            touched=tuple(base.loc[removed, "code"]),
        ),
        database,
        profile=profile,
        target_m2=profile.thresholds.grid_target_m2,
        rules=CodeRules(),
        points=_places(database),
    )
    return Revision(
        proposal=proposal,
        faults=find_objections(proposal, communities, database=database, profile=profile),
        locks=_locks(proposal, crs=database.crs),
        released=overruled(database, old.geometry.to_numpy(), proposal.new.geometry.to_numpy()),
        is_change=bool(removed.any()) or len(edited) > 0,
    )


def _places(database: Database) -> Geometries:
    components = live(database, "components", columns=["geometry"])
    places: Geometries = shapely.point_on_surface(components.geometry.to_numpy())
    return places


def _read_edits(
    database: Database, file: Path
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, "pd.Series[bool]"]:
    """Return the exported rows, the polygons that are no longer as exported, and which rows are gone."""
    stamp = read_stamp(file)
    if "rows" not in stamp:
        msg = f"{file.name} does not say which grids it began with: edit the file that `wanmi grid export` wrote."
        raise DeliveryError(
            msg, zh=f"{file.name} 缺少导出版本信息：请编辑 wanmi grid export 导出的文件。"
        )
    row_ids = sorted(orjson.loads(stamp["rows"]).values())
    with database.connect(read_only=True) as connection:
        query = "SELECT * FROM grids.unit_grid WHERE row_id = ANY (%s) ORDER BY row_id"
        base = read_features(connection, query, [row_ids], crs=database.crs)
    frame = read_vector(file, target_crs=database.crs, layer=LAYER).frame
    frame = gpd.GeoDataFrame(frame[frame.geometry.notna() & ~frame.geometry.is_empty])
    shapes = _single(frame.geometry.to_numpy())
    frame = gpd.GeoDataFrame(
        frame.reindex(columns=["code", *EDITABLE]).astype(object), geometry=shapes, crs=database.crs
    )
    frame = frame.where(frame.notna(), None)
    texts = ["code", *EDITABLE]
    before = _keys(base, texts)
    after = _keys(frame, texts)
    return base, gpd.GeoDataFrame(frame[~after.isin(before)]), ~before.isin(after)


def _is_live(edited: gpd.GeoDataFrame, old: gpd.GeoDataFrame) -> bool:
    """Return whether all edited polygons are live grids with the same attributes, rounding apart."""
    pairs = overlaps(edited.geometry.to_numpy(), old.geometry.to_numpy())
    pairs = pairs[pairs["is_equal"]]
    mine, theirs = (
        frame[list(EDITABLE)].where(frame[list(EDITABLE)].notna(), "").to_numpy()[pairs[side]]
        for frame, side in ((edited, "old"), (old, "new"))
    )
    return len(edited) > 0 and len(pairs) == len(edited) and bool((mine == theirs).all())


def _single(shapes: Geometries) -> Geometries:
    """Unwrap collections of one polygon."""
    single = (shapely.get_type_id(shapes) == 6) & (shapely.get_num_geometries(shapes) == 1)
    result = shapely.force_2d(shapes)
    result[single] = shapely.get_geometry(result[single], 0)
    unwrapped: Geometries = result
    return unwrapped


def _keys(frame: gpd.GeoDataFrame, texts: list[str]) -> "pd.Series[str]":
    shapes = shapely.to_wkb(shapely.normalize(frame.geometry.to_numpy()), hex=True)
    words = frame[texts].astype(object).where(frame[texts].notna(), "").astype(str)
    return words.agg("|".join, axis=1) + pd.Series(shapes, index=frame.index, dtype=object)


def _replaced(
    old: gpd.GeoDataFrame,
    edited: gpd.GeoDataFrame,
    *,
    gone: "pd.Series[str]",
    communities: gpd.GeoDataFrame,
) -> gpd.GeoDataFrame:
    """Return the layer with the edited polygons in the place of what they were."""
    columns = ["code", "community_code", *EDITABLE]
    stay = old[~old["code"].isin(gone)]
    shapes = shapely.set_precision(edited.geometry.to_numpy(), _PRECISION_M, mode="pointwise")
    _check_outlines(shapes, edited["code"])
    around = stay.geometry.to_numpy().copy()
    if len(shapes):
        own = np.unique(shapely.get_coordinates(shapes), axis=0)
        shapes = insert_vertices(shapes, own)
        near = np.unique(
            shapely.STRtree(around).query(shapes, predicate="dwithin", distance=0.05)[1]
        )
        shapes, around[near] = tie(shapes, around[near])
    homes = _homes(shapes, communities)
    same = edited.geometry.to_numpy()
    kept = pd.Series([None] * len(edited), index=edited.index, dtype=object)
    if len(edited):  # an attribute alone was changed: the grid is the same
        known = old.set_index("code").geometry
        was = known.reindex(edited["code"]).to_numpy()
        is_same = shapely.equals(same, was) & ~edited["code"].duplicated(keep=False).to_numpy()
        kept = edited["code"].where(pd.Series(is_same, index=edited.index), None)
    fresh = edited[list(EDITABLE)].assign(code=kept, community_code=homes)[columns]
    frame = pd.concat([pd.DataFrame(stay[columns]), pd.DataFrame(fresh)], ignore_index=True)
    return gpd.GeoDataFrame(frame, geometry=np.concatenate([around, shapes]), crs=old.crs)


def _check_outlines(shapes: Geometries, codes: "pd.Series[str]") -> None:
    """Refuse outlines that cross themselves: nothing can be told of them but where they do.

    Raises
    ------
    DeliveryError
        There are such.
    """
    broken = np.flatnonzero(~shapely.is_valid(shapes))
    if len(broken) == 0:
        return
    places = [
        f"{codes.iloc[row] or '–'} ({shapely.is_valid_reason(shapes[row])})" for row in broken[:3]
    ]
    shown = ", ".join(places)
    msg = f"The outlines of {len(broken)} edited grids are not valid: {shown}. Repair them in QGIS and import again."
    raise DeliveryError(
        msg, zh=f"{len(broken)} 个已编辑网格的边界图形无效：{shown}。请在 QGIS 中修正后重新导入。"
    )


def _homes(shapes: Geometries, communities: gpd.GeoDataFrame) -> list[str]:
    """Return the community that holds most of each polygon; twelve zeros for none."""
    land = communities.geometry.to_numpy()
    place, shape = shapely.STRtree(shapes).query(land, predicate="intersects")
    held = shapely.area(shapely.intersection(land[place], shapes[shape]))
    table = pd.DataFrame(
        {"shape": shape, "code": communities["code"].to_numpy()[place], "m2": held}
    )
    best = table.sort_values(["shape", "m2", "code"], ascending=[True, False, True])
    homes = best.drop_duplicates("shape").set_index("shape")["code"]
    return [str(code) for code in homes.reindex(range(len(shapes))).fillna("0" * 12)]


def _locks(proposal: Proposal, *, crs: str) -> gpd.GeoDataFrame:
    """Return what the edit locks: borders that moved, and grids that were redrawn or have a new code."""
    old, new = proposal.old, proposal.new
    was, now = old.geometry.to_numpy(), new.geometry.to_numpy()
    before = pd.Index(shapely.to_wkb(was))
    fresh = ~pd.Index(shapely.to_wkb(now)).isin(before)
    lines = shapely.boundary(now[fresh])
    held = shapely.boundary(was[~pd.Index(before).isin(pd.Index(shapely.to_wkb(now)))])
    beside = shapely.buffer(shapely.union_all(held), _ON_BORDER_M, cap_style="flat")
    moved = shapely.difference(lines, beside)
    redrawn = shapely.length(moved) >= _REDRAWN * shapely.length(lines)
    codes = new["code"].to_numpy(dtype=object)[fresh]
    redrawn |= ~np.isin(codes, old["code"].to_numpy(dtype=object))
    whole = shapely.union_all(moved)
    borders = shapely.get_parts(shapely.line_merge(whole)) if not whole.is_empty else np.array([])
    borders = borders[shapely.length(borders) > 1.0] if len(borders) else borders
    kinds = ["border"] * len(borders) + ["grid"] * int(redrawn.sum())
    return gpd.GeoDataFrame(
        {"kind": kinds, "code": [None] * len(borders) + codes[redrawn].tolist()},
        geometry=[*borders, *now[fresh][redrawn]],
        crs=crs,
    )


def lock_edit(revision: Revision, database: Database, *, actor: str, reason: str) -> Also:
    """Return what writes the locks of an accepted edit inside its transaction."""

    def write(connection: Connection, edit_id: int) -> None:
        release_locks(connection, list(revision.released), actor=actor)
        about = {"edit_id": edit_id, "actor": actor, "reason": reason}
        set_locks(connection, revision.locks, about=about, srid=database.srid)

    return write
