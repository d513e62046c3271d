"""A proposed change of the live unit grids: computed from the database, looked at, then applied."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.builds import live
from gis.database import Database, dataset_lock, read_features
from gis.workspace import Profile
from gridding.change import Ground, UpdateRules, update
from gridding.changes import pending_changes
from gridding.compare import Comparison, compare
from gridding.edits import (
    Also,
    EditRequest,
    EditResult,
    Kind,
    inputs_hash,
    newest_day,
    publish_edit,
)
from gridding.lineage import CodeRules, give_codes, overlaps, stayed_shares, succession
from gridding.locks import held_grids, locked
from gridding.numbering import used_codes
from gridding.options import DivisionOptions
from gridding.reform import carry

_OPEN = "SELECT case_id AS code, geom FROM cases.case WHERE closed_at IS NULL AND geom IS NOT NULL"


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """New unit grids beside the live ones."""

    kind: Kind
    old: gpd.GeoDataFrame
    """Live rows."""
    new: gpd.GeoDataFrame
    """The layer as it would be: ``code``, ``community_code``, ``geometry``."""
    succeeded: pd.DataFrame
    """`gridding.lineage.succession` of the two."""
    inputs_hash: str
    policy: str | None = None
    touched: tuple[str, ...] = ()
    """Codes that were free to change."""
    left: gpd.GeoSeries = field(default_factory=gpd.GeoSeries)
    """Stretches of road that could not become borders."""
    after: dict[str, Any] = field(default_factory=dict)
    """What is recorded with the edit besides the figures."""


@contextmanager
def alone(database: Database) -> Iterator[None]:
    """Keep other updates and builds away, until the block ends.

    Raises
    ------
    LockedError
        One is running.
    """
    with database.connect() as connection, dataset_lock(connection, "deliveries"):
        yield


def propose_update(
    database: Database,
    *,
    profile: Profile,
    options: DivisionOptions,
    rules: UpdateRules,
    changed: gpd.GeoDataFrame | None = None,
    codes: CodeRules | None = None,
) -> Proposal:
    """Propose new grids where the topography changed.

    Parameters
    ----------
    database : Database
        Migrated database.
    profile : Profile
        City profile: length of codes.
    options : DivisionOptions
        As for a division.
    rules : UpdateRules
        Policy.
    changed : geopandas.GeoDataFrame or None
        What changed: ``feature_class``, ``geometry``; None: all since the last update.
    codes : CodeRules or None
        When a code stays.
    """
    pending, newest = pending_changes(database)
    old = live(database, "unit_grids")
    borders, held = locked(database)
    inside = held_grids(held.geometry.to_numpy(), old.geometry.to_numpy())
    components = live(database, "components", columns=["code", "geometry"])
    ground = Ground(
        features=live(database, "topography"),
        components=components,
        locked_borders=borders.geometry.to_numpy(),
        locked_codes=frozenset(old["code"].iloc[inside["new"]]),
    )
    given = pending if changed is None else changed
    result = update(old, ground=ground, changed=given, rules=rules, options=options)
    # Changes given in a file say nothing of what else waits to be taken account of.
    mark = {"topography_build": newest} if changed is None else {}
    return with_codes(
        Proposal(
            kind="update",
            old=gpd.GeoDataFrame(old),
            new=result.grids,
            succeeded=pd.DataFrame(),
            inputs_hash=hash_rows(old, rules, given.geometry.to_wkb(hex=True).sum()),
            policy=rules.policy,
            touched=result.touched,
            left=gpd.GeoSeries(result.left, crs=database.crs),
            after=mark,
        ),
        database,
        profile=profile,
        target_m2=options.target_m2,
        rules=codes,
        points=shapely.point_on_surface(components.geometry.to_numpy()),
    )


def propose_areas(
    database: Database,
    *,
    profile: Profile,
    options: DivisionOptions,
    codes: CodeRules | None = None,
) -> Proposal:
    """Propose new grids and codes where communities 社区 were split, merged, renamed or moved.

    Parameters
    ----------
    database : Database
        Migrated database, whose areas are the new ones.
    profile : Profile
        City profile: length of codes.
    options : DivisionOptions
        As for a division.
    codes : CodeRules or None
        When a code stays.
    """
    old = gpd.GeoDataFrame(live(database, "unit_grids"))
    areas = live(database, "areas", columns=["code", "level", "geometry"])
    communities = gpd.GeoDataFrame(areas[areas["level"] == "community"])
    result = carry(
        old, communities, features=gpd.GeoDataFrame(live(database, "topography")), options=options
    )
    spent = set(used_codes(database)) - set(old["code"])
    new = result.grids.assign(code=result.grids["code"].where(~result.grids["code"].isin(spent)))
    components = live(database, "components", columns=["code", "geometry"])
    return with_codes(
        Proposal(
            kind="area_change",
            old=old,
            new=gpd.GeoDataFrame(new),
            succeeded=pd.DataFrame(),
            inputs_hash=hash_rows(old, communities.geometry.to_wkb(hex=True).sum()),
            touched=result.touched,
        ),
        database,
        profile=profile,
        target_m2=options.target_m2,
        rules=codes,
        points=shapely.point_on_surface(components.geometry.to_numpy()),
    )


def hash_rows(old: pd.DataFrame, *parts: object) -> str:
    """Return the hash of live rows and whatever else an edit begins with."""
    rows = old["code"] + ":" + old["content_hash"]
    return inputs_hash(*rows, *parts)


def with_codes(
    proposal: Proposal,
    database: Database,
    *,
    profile: Profile,
    target_m2: float,
    rules: CodeRules | None,
    points: "np.ndarray[tuple[int], np.dtype[np.object_]]",
) -> Proposal:
    """Give the new grids their codes; those that were not free keep theirs."""
    old, new = proposal.old, proposal.new
    first, second = old.geometry.to_numpy(), new.geometry.to_numpy()
    pairs = overlaps(first, second)
    stayed = stayed_shares(points, first, second, pairs=pairs)
    succeeded = succession(pairs, counts=(len(old), len(new)), stayed=stayed, rules=rules)
    codes = give_codes(
        old,
        new,
        succeeded=succeeded,
        used=used_codes(database),
        code_length=profile.grid_code_length,
        target_m2=target_m2,
    )
    coded = new.assign(code=codes)
    order = coded["code"].argsort(kind="stable").to_numpy()
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    at = succeeded["new"].to_numpy()
    succeeded["new"] = np.where(at >= 0, place[np.maximum(at, 0)], -1)
    return replace(
        proposal,
        new=gpd.GeoDataFrame(coded.iloc[order].reset_index(drop=True)),
        succeeded=succeeded,
    )


def effects(
    database: Database, proposal: Proposal, *, rules: CodeRules | None = None
) -> Comparison:
    """Return what a proposal changes, with the components and open cases that change grid."""
    return compare(
        proposal.old,
        proposal.new,
        components=live(database, "components", columns=["code", "geometry"]),
        cases=open_cases(database),
        rules=rules,
    )


def open_cases(database: Database) -> gpd.GeoDataFrame:
    """Return the cases 案件 that are not closed: ``code`` and ``geometry``."""
    with database.connect(read_only=True) as connection:
        return read_features(connection, _OPEN, crs=database.crs)


def apply(
    database: Database,
    proposal: Proposal,
    *,
    actor: str,
    reason: str,
    as_of: date | None = None,
    also: Also | None = None,
) -> EditResult:
    """Make a proposal live with its edit and lineage; call it while `alone`.

    Parameters
    ----------
    database : Database
        Migrated database.
    proposal : Proposal
        What to publish.
    actor : str
        Who.
    reason : str
        Why.
    as_of : datetime.date or None
        Day from which it holds; None: today.
    also : callable or None
        As for `gridding.edits.publish_edit`.
    """
    before, after = changed_figures(proposal)
    request = EditRequest(
        kind=proposal.kind,
        actor=actor,
        reason=reason,
        as_of=as_of or newest_day(database),
        inputs_hash=proposal.inputs_hash,
        policy=proposal.policy,
        before=before,
        after={**after, **proposal.after},
    )
    return publish_edit(
        database,
        proposal.old,
        proposal.new,
        succeeded=proposal.succeeded,
        request=request,
        also=also,
    )


def changed_figures(proposal: Proposal) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return count, area and median area of the grids that change, before and after."""
    main = proposal.succeeded[proposal.succeeded["kind"] != "keep"]
    return (
        _figures(proposal.old, main.loc[main["old"] >= 0, "old"]),
        _figures(proposal.new, main.loc[main["new"] >= 0, "new"]),
    )


def _figures(grids: gpd.GeoDataFrame, rows: "pd.Series[int]") -> dict[str, Any]:
    area = grids.geometry.area.iloc[np.unique(rows)]
    if area.empty:
        return {"grids": 0}
    return {
        "grids": len(area),
        "area_m2": round(float(area.sum()), 2),
        "median_m2": round(float(area.median()), 2),
        "smallest_m2": round(float(area.min()), 2),
        "largest_m2": round(float(area.max()), 2),
    }
