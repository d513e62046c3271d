"""Names of units that components give, held against the directory that is live."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from census.decisions import (
    Decision,
    OpenName,
    confirmed_names,
    decide,
    live_names,
    names_in,
    note_names,
    open_names,
    read_decisions,
)
from census.survey import tidy
from census.units import UnitDirectory, read_directory
from gis.builds import live
from gis.database import Database, dataset_lock, open_database
from gis.errors import BuildError
from gis.workspace import Workspace
from pipelines.build import open_context
from pipelines.layers import extract
from pipelines.unpacking import opened_delivery

_DATASET = "components"


@dataclass(frozen=True, kw_only=True)
class Register:
    """The unit directory as it was read."""

    units: pd.DataFrame
    """Rows of ``responsibility.unit``."""
    directory: UnitDirectory


def read_register(database: Database, *, as_of: date | None = None) -> Register:
    """Return the units that hold now, or on a day, with the spellings that are confirmed.

    Raises
    ------
    BuildError
        There are none.
    """
    units = live(database, "units", as_of=as_of)
    if units.empty:
        when = f" on {as_of}" if as_of else ""
        msg = f"The unit directory is empty{when}: deliver it first, as the dataset units."
        raise BuildError(msg, zh="单位名录为空：请先交付单位名录（数据集 units）。")
    with database.connect(read_only=True) as connection:
        confirmed = confirmed_names(connection)
    return Register(units=units, directory=read_directory(units, confirmed=confirmed))


def review_names(workspace: Workspace, *, delivery: Path | None = None) -> list[OpenName]:
    """Return the names that the directory lacks, with candidates, and keep them for a decision.

    Parameters
    ----------
    workspace : Workspace
        City.
    delivery : Path or None
        Folder whose components are looked at too, though they are not loaded.

    Raises
    ------
    BuildError
        The directory is empty.
    DeliveryError
        The delivery can not be read.
    """
    database = open_database(workspace)
    register = read_register(database)
    delivered = None if delivery is None else _delivered_names(workspace, delivery)
    with database.connect() as connection:
        found = live_names(connection)
        names = found if delivered is None else pd.concat([found, delivered], ignore_index=True)
        listed = open_names(names, register.directory, decided=read_decisions(connection))
        note_names(connection, listed)
    return listed


def decide_names(
    workspace: Workspace, decisions: list[Decision], *, actor: str, replace: bool
) -> list[Decision]:
    """Store decisions, all or none; return those that were not so decided before.

    Raises
    ------
    NotFoundError
        A name or a unit is not known.
    ConflictError
        A name was decided otherwise before, or the directory has it.
    LockedError
        Somebody else decides at this moment.
    """
    database = open_database(workspace)
    register = read_register(database)
    with database.connect() as connection, dataset_lock(connection, "unit_match", wait_s=10):
        return [
            decision
            for decision in decisions
            if decide(
                connection, decision, directory=register.directory, actor=actor, replace=replace
            )
        ]


def _delivered_names(workspace: Workspace, folder: Path) -> pd.DataFrame:
    with opened_delivery(folder) as delivery:
        if not delivery.layers_of(_DATASET):
            msg = f"{folder} has no components: name a delivery with some."
            raise BuildError(msg, zh=f"{folder} 不含部件：请指定含部件的交付。")
        extracted = extract(open_context(delivery, workspace), _DATASET)
        return names_in(tidy(extracted.frame))
