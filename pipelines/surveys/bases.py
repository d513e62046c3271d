"""The version that a survey began from: by its manifest, by the stamp of the export, by its rows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import orjson
import pandas as pd

from census.exchange.stamp import BASE_BUILD, BASE_HASH, KIND
from census.lineage import read_builds, read_recodes, read_state, read_versions
from gis.database import Connection
from gis.errors import DeliveryError
from gis.geopackage import read_stamp
from gis.remarks import Remark
from pipelines.delivery import Delivery

Evidence = Literal["manifest", "export", "rows"]


@dataclass(frozen=True, kw_only=True)
class Base:
    """What both sides of a merge began from."""

    build_id: int | None
    """Build of components; None: not known."""
    evidence: Evidence | None
    """What says so: ``delivery.toml``, the stamp of an export, or the rows' own columns."""
    rows: gpd.GeoDataFrame | None = None
    """The components of that state."""
    stated: "pd.Series[Any] | None" = None
    """Code in `rows` that a delivered row states."""
    unknown: "pd.Series[Any] | None" = None
    """Hashes that delivered rows state and the history does not have."""
    recoded: dict[str, str] | None = None
    """Code -> code in `rows`, of what got another code since."""
    warnings: tuple[Remark, ...] = ()


def find_base(
    delivery: Delivery,
    claims: pd.DataFrame,
    connection: Connection,
    *,
    live: gpd.GeoDataFrame,
) -> Base:
    """Return the base of a delivery of components; without one nothing but `warnings` is set.

    Parameters
    ----------
    delivery : Delivery
        What is merged.
    claims : pandas.DataFrame
        `BASE_BUILD` and `BASE_HASH` of the delivered rows, by their index, None where there are none.
    connection : psycopg.Connection
        Open connection.
    live : geopandas.GeoDataFrame
        The components that are live, in the city's CRS, as `census.lineage.read_state` takes them.

    Raises
    ------
    DeliveryError
        The build stated is none of components, or the files are exports of several builds.
    """
    number, evidence = _number(delivery, claims)
    if number is None:
        return Base(build_id=None, evidence=None)
    builds = _builds_with(number, connection)
    base = Base(
        build_id=number,
        evidence=evidence,
        rows=read_state(connection, number, live=live),
        recoded=read_recodes(connection, after=number),
    )
    if builds.loc[number, "status"] != "live":
        told = Remark(
            en=f"build {number} was rolled back since: the state before it is taken as the base",
            zh=f"构建 {number} 此后已回滚：以其之前的状态为基准",
        )
        base = replace(base, warnings=(told,))
    return _with_versions(base, claims[BASE_HASH].dropna(), connection, crs=str(live.crs))


def check_stated(delivery: Delivery, connection: Connection) -> None:
    """Refuse a base in the manifest or in the stamp of an export that is none, before the rows are judged.

    Raises
    ------
    DeliveryError
        As `find_base`.
    """
    number = _stated(delivery)[0]
    if number is not None:
        _builds_with(number, connection)


def _builds_with(number: int, connection: Connection) -> pd.DataFrame:
    builds = read_builds(connection).set_index("build_id")
    if number not in builds.index:
        msg = f"The base {number} is no build of components: `wanmi builds` lists them."
        raise DeliveryError(msg, zh=f"基准 {number} 不是部件数据的构建：请用 wanmi builds 查看。")
    return builds


def _number(delivery: Delivery, claims: pd.DataFrame) -> tuple[int | None, Evidence | None]:
    found = _stated(delivery)
    if found[0] is not None:
        return found
    numbers = pd.to_numeric(claims[BASE_BUILD], errors="coerce").dropna()
    return (int(numbers.max()), "rows") if len(numbers) else (None, None)


def _stated(delivery: Delivery) -> tuple[int | None, Evidence | None]:
    """Return the base that the delivery states as a whole."""
    if delivery.base is not None:
        return delivery.base, "manifest"
    stamped = sorted({number for path in _files(delivery) for number in _stamps(path)})
    if len(stamped) > 1:
        shown = ", ".join(map(str, stamped))
        msg = f"The files are exports of several builds ({shown}): state base = {stamped[0]} under [delivery]."
        raise DeliveryError(
            msg, zh=f"文件导出自不同构建（{shown}）：请在 [delivery] 中写明 base = {stamped[0]}。"
        )
    return (stamped[0], "export") if stamped else (None, None)


def _files(delivery: Delivery) -> Iterator[Path]:
    for layer in delivery.layers_of("components"):
        yield from layer.files


def _stamps(path: Path) -> Iterator[int]:
    """Yield the build that an export names in itself, or in the file beside it."""
    if path.suffix.lower() == ".gpkg":
        stamps = [read_stamp(path)]
    else:
        beside = sorted(path.parent.glob("*.wanmi.json"))
        stamps = [_read_json(file) for file in beside]
    for stamp in stamps:
        if stamp.get("kind") == KIND and str(stamp.get("build_id", "")).isdigit():
            yield int(stamp["build_id"])


def _read_json(path: Path) -> dict[str, Any]:
    try:
        stamp = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        msg = f"{path.name} is no stamp of an export ({error}): export anew, or state base under [delivery]."
        raise DeliveryError(
            msg, zh=f"{path.name} 不是有效的导出标记：请重新导出，或在 [delivery] 中写明 base。"
        ) from error
    return stamp if isinstance(stamp, dict) else {}


def _with_versions(
    base: Base, hashes: "pd.Series[Any]", connection: Connection, *, crs: str
) -> Base:
    """Let rows that name their version have that one for a base, whatever the base build was."""
    assert base.rows is not None
    texts = hashes.astype(str).str.strip()
    known = base.rows.drop_duplicates("content_hash").set_index("content_hash")["code"]
    others = sorted(set(texts) - set(known.index))
    found = read_versions(connection, others, crs=crs) if others else base.rows.iloc[:0]
    codes = pd.concat([known, found.set_index("content_hash")["code"]])
    rows = base.rows
    if len(found):
        # Of two versions of one component the one that was read first is its base.
        found = found.drop_duplicates("code")
        kept = rows[~rows["code"].isin(found["code"])]
        joined = pd.concat([kept, found], ignore_index=True)
        rows = gpd.GeoDataFrame(joined, geometry="geometry", crs=crs)
    stated = texts.map(codes)
    return replace(
        base,
        rows=rows,
        stated=stated.dropna(),
        unknown=texts[stated.isna()],
    )
