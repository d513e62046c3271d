"""Compile a snapshot: the databases as they are in one moment, written to immutable files.

The files go to a new folder under ``snapshots/``, the pointer file ``current`` is replaced last, so
a crash at any point leaves the previous snapshot in use.
"""

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray
from psycopg import sql

from api.declared import LEFT_BEHIND, table_of
from api.edition import LEVELS
from api.force import days_of_change
from api.geocoding.search import key_count, search_table
from api.integrity import note_whole
from api.layout import (
    AREA_TILING,
    COMPONENT_RECORDS,
    COMPONENT_THINGS,
    DATASETS,
    FORMAT,
    GRID_OUTLINES,
    GRID_TILING,
    KEPT_VERSIONS,
    MANIFEST,
    OWN_RECORDS,
    SEARCH,
)
from api.matching.component_index import lay_components
from api.owning.records import distinct_records
from api.recodes import TABLE as RECODES
from api.recodes import to_recodes
from api.tables import to_table
from api.versions.kept import one_at_a_time, point_at
from gis.calendars import read_calendar
from gis.crs import CityCrs, city_crs
from gis.database import Database, read_features, read_rows
from gis.errors import SnapshotError
from gis.index import CellIndex
from gis.mapped import write_arrays
from gis.tables import declare
from gis.tiling import write_tiling
from gis.workspace import Profile, Workspace

_ENDS = "LEAST(valid_to, CASE WHEN ends_on < DATE '9999-12-31' THEN ends_on + 1 END)"
_WITHIN_ITS_DAYS = {
    "valid_from": sql.SQL(f"LEAST(GREATEST(valid_from, begins_on), {_ENDS}) AS valid_from"),
    "valid_to": sql.SQL(f"{_ENDS} AS valid_to"),
}
"""The version of a row holds from its first day 生效日期 to its last 失效日期 at most. Null is passed over."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, kw_only=True)
class CityFacts:
    """What a snapshot carries besides tables."""

    profile: Profile
    crs: CityCrs
    builds: Sequence[Mapping[str, Any]] = ()
    """Live builds: build_id, dataset, as_of, delivery …"""


def compile_snapshot(database: Database, workspace: Workspace) -> Path:
    """Read all databases in one repeatable-read transaction and make them the current snapshot.

    Returns
    -------
    Path
        Folder of the version; the one in use already, if nothing has changed since.
    """
    with one_at_a_time(workspace.snapshots):
        frames, builds = _read_all(database)
        profile = workspace.profile
        calendar = read_calendar(profile.calendar, workspace.root)
        facts = CityFacts(
            profile=msgspec.structs.replace(profile, calendar=calendar),
            crs=city_crs(workspace.profile, workspace.root),
            builds=_plain(builds),
        )
        return _write(frames, workspace.snapshots, facts=facts)


def _read_all(database: Database) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return the rows of every table and the live builds, all of one moment."""
    frames: dict[str, pd.DataFrame] = {}
    with database.connect(read_only=True) as connection:
        for dataset in DATASETS:
            frames[dataset] = _read(connection, dataset, database)
        frames[RECODES] = read_rows(
            connection,
            "SELECT r.former_code, r.code, r.build_id FROM components.recode AS r"
            " JOIN meta.build AS b USING (build_id) WHERE b.status = 'live'",
        )
        builds = read_rows(
            connection,
            "SELECT b.build_id, b.dataset, b.as_of, b.finished_at, b.rows_accepted, b.rows_rejected,"
            " b.content_hash, d.name AS delivery FROM meta.build AS b"
            " JOIN meta.delivery AS d USING (delivery_id) WHERE b.status = 'live' ORDER BY b.build_id",
        )
    return frames, builds


def _read(connection: Any, dataset: str, database: Database) -> pd.DataFrame:
    table = declare(database.srid).tables[table_of(dataset)]
    names = [name for name in table.columns.keys() if name not in LEFT_BEHIND]  # noqa: SIM118
    told = _WITHIN_ITS_DAYS if "begins_on" in table.columns else {}
    columns = sql.SQL(", ").join(told.get(name, sql.Identifier(name)) for name in names)
    query = sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(*table.fullname.split(".")))
    if "geom" in table.columns:
        return read_features(connection, query, crs=database.crs)
    return read_rows(connection, query)


def _plain(builds: pd.DataFrame) -> list[dict[str, Any]]:
    """Return records with numbers as int and dates as ISO text."""
    return [
        {
            name: int(value) if isinstance(value, (int, np.integer)) else _text(value)
            for name, value in record.items()
        }
        for record in builds.to_dict("records")
    ]


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


def write_snapshot(frames: Mapping[str, pd.DataFrame], folder: Path, *, facts: CityFacts) -> Path:
    """Write frames as a new version under `folder` and make it the current one.

    Parameters
    ----------
    frames : mapping
        Dataset -> rows with all their versions, columns as in ``gis.tables``; a dataset that is
        absent is empty.
    folder : Path
        Folder of the snapshots; made if it is missing.
    facts : CityFacts
        City profile, CRS, and the builds the rows came from.

    Returns
    -------
    Path
        Folder of the version.

    Raises
    ------
    SnapshotError
        The disk is full; the current version stays.
    """
    with one_at_a_time(folder):
        return _write(frames, folder, facts=facts)


def _write(frames: Mapping[str, pd.DataFrame], folder: Path, *, facts: CityFacts) -> Path:
    temporary = folder / f".compiling-{uuid.uuid4().hex[:12]}"
    temporary.mkdir()
    try:
        province = facts.profile.city.code[:2]
        counts, changes = _write_tables(frames, temporary, province=province)
        files = {path.name: _describe(path) for path in sorted(temporary.iterdir())}
        content = {
            "format": FORMAT,
            "city": msgspec.to_builtins(facts.profile),
            "crs": facts.crs.text,
            "srid": facts.crs.srid,
            "builds": list(facts.builds),
            "counts": counts,
            "changes": changes,
            "files": files,
        }
        version = version_of(content)
        manifest = {"version": version, "compiled_at": datetime.now(UTC).isoformat(), **content}
        _write_bytes(temporary / MANIFEST, orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
        target = folder / version
        if (target / MANIFEST).is_file() and _is_whole(target):
            shutil.rmtree(temporary)
        else:
            if target.exists():
                shutil.rmtree(target)
            temporary.rename(target)
            note_whole(target, files)
        point_at(folder, version)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            msg = (
                f"There is no room for the snapshot in {folder}: free some space, then run "
                "`wanmi snapshot` again; the current one stays in use."
            )
            zh = f"{folder} 空间不足，无法写入快照：请清理磁盘后重新运行 `wanmi snapshot`，现有快照继续使用。"
            raise SnapshotError(msg, zh=zh) from error
        raise
    _prune(folder, keep=version)
    return target


def version_of(content: Mapping[str, Any]) -> str:
    """Return the version's name: a hash of builds, settings and files, the same for the same data."""
    told = {name: content[name] for name in ("format", "city", "crs", "builds", "files")}
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]


def _write_tables(
    frames: Mapping[str, pd.DataFrame], folder: Path, *, province: str
) -> tuple[dict[str, int], dict[str, list[int]]]:
    """Return the rows of each table, and the days on which rows begin or cease to hold."""
    counts: dict[str, int] = {}
    changes: dict[str, list[int]] = {}
    for dataset in DATASETS:
        frame = frames.get(dataset)
        table = to_table(
            pd.DataFrame({"geometry": []}) if frame is None else frame, dataset=dataset
        )
        _write_arrow(table, folder / f"{dataset}.arrow")
        counts[dataset] = table.num_rows
        changes[dataset] = days_of_change(table)
        if dataset == "areas":
            live = table.filter(pc.is_null(table["valid_to"]))
            for level in LEVELS:
                part = live.filter(pc.equal(live["level"], level))
                index = CellIndex(part["code"].to_pylist(), shapely.from_wkb(part["geometry"]))
                write_tiling(index.tiling, folder, name=AREA_TILING.format(level))
        if dataset == "unit_grids":
            live = table.filter(pc.is_null(table["valid_to"]))
            index = CellIndex(live["code"].to_pylist(), shapely.from_wkb(live["geometry"]))
            write_tiling(index.tiling, folder, name=GRID_TILING)
            write_arrays(index.outlines, folder, name=GRID_OUTLINES)
        if dataset == "components":
            order = pc.sort_indices(
                table, sort_keys=[("code", "ascending"), ("valid_from", "ascending")]
            )
            _write_array(order.to_numpy().astype(np.int64), folder / "components_by_code.npy")
            live = np.flatnonzero(table["valid_to"].is_null().to_numpy())
            write_arrays(lay_components(table, live), folder, name=COMPONENT_THINGS)
            records, number = distinct_records(table)
            _write_arrow(records, folder / f"{OWN_RECORDS}.arrow")
            _write_array(number, folder / f"{COMPONENT_RECORDS}.npy")
        if dataset == "places":
            search = search_table(table, province=province)
            _write_arrow(search, folder / f"{SEARCH}.arrow")
            counts["keys"] = key_count(search)
    recodes = to_recodes(frames.get(RECODES))
    _write_arrow(recodes, folder / f"{RECODES}.arrow")
    return counts | {RECODES: recodes.num_rows}, changes


def _write_arrow(table: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _write_array(array: NDArray[Any], path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, array)
        file.flush()
        os.fsync(file.fileno())


def _write_bytes(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _describe(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"sha256": digest, "bytes": path.stat().st_size}


def _is_whole(folder: Path) -> bool:
    manifest = orjson.loads((folder / MANIFEST).read_bytes())
    return all(
        (folder / name).is_file() and _describe(folder / name) == told
        for name, told in manifest["files"].items()
    )


def _prune(folder: Path, *, keep: str) -> None:
    """Remove all but the newest versions; open ones live on until their processes let them go."""
    versions = [
        path.parent for path in folder.glob(f"[!.]*/{MANIFEST}") if path.parent.name != keep
    ]
    versions.sort(key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
    for path in versions[KEPT_VERSIONS - 1 :]:
        shutil.rmtree(path, ignore_errors=True)
