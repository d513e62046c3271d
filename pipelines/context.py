"""What a dataset's transform may look at: the city, the delivery, and the rows that hold by then."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd

from census.decisions import confirmed_names, last_decision
from census.lineage import next_codes_of
from census.texts import FileFinding
from census.units import UnitDirectory, read_directory
from gis.builds import live
from gis.crs import CityCrs
from gis.database import Database, read_rows
from gis.workspace import Profile, Workspace
from pipelines.delivery import Delivery


class References:
    """Rows of the datasets as they will be once the datasets judged so far are published.

    A delivery is judged whole before anything of it is written, so components are judged against
    the grids of their own delivery: the judged rows stand before the live ones of the database.

    Parameters
    ----------
    database : Database
        Where the live rows are read, once per dataset and only when asked for.
    judged : mapping
        Dataset -> frame to answer with instead of reading the database.

    Examples
    --------
    >>> import pandas as pd
    >>> References(None, judged={"units": pd.DataFrame({"code": ["U1"]})}).get("units")["code"][0]
    'U1'
    """

    def __init__(
        self, database: Database | None, *, judged: Mapping[str, pd.DataFrame] | None = None
    ) -> None:
        self._database = database
        self._frames: dict[str, pd.DataFrame] = dict(judged or {})
        self._changes: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {}
        self._confirmed: tuple[Mapping[str, str], str] | None = None
        self._recodes: Mapping[str, str] | None = None

    def confirmed_names(self) -> Mapping[str, str]:
        """Return what delivered names of units were confirmed to mean: plain spelling -> unit code."""
        return self._decided()[0]

    def last_decision(self) -> str:
        """Return when a name of a unit was last decided; empty: never."""
        return self._decided()[1]

    def _decided(self) -> tuple[Mapping[str, str], str]:
        if self._confirmed is None:
            if self._database is None:
                return {}, ""
            with self._database.connect(read_only=True) as connection:
                self._confirmed = confirmed_names(connection), last_decision(connection)
        return self._confirmed

    def recodes(self) -> Mapping[str, str]:
        """Return former component code -> the code that its component got next."""
        if self._recodes is None:
            if self._database is None:
                return {}
            with self._database.connect(read_only=True) as connection:
                self._recodes = next_codes_of(connection)
        return self._recodes

    def get(self, dataset: str) -> pd.DataFrame:
        """Return the rows of `dataset`: a GeoDataFrame in the city's CRS where it has geometry."""
        if dataset not in self._frames:
            if self._database is None:
                msg = f"no rows of {dataset} were given and there is no database to read them from"
                raise LookupError(msg)
            self._frames[dataset] = live(self._database, dataset)
        if dataset in self._changes:
            self._frames[dataset] = self._changes.pop(dataset)(self._frames[dataset])
        return self._frames[dataset]

    def part(self, dataset: str, column: str, values: Sequence[str]) -> pd.DataFrame:
        """Return the rows whose `column` has one of `values`, without reading the others if it can."""
        if dataset in self._frames or self._database is None:
            whole = self.get(dataset)
            return whole[whole[column].isin(list(values))]
        rows = live(self._database, dataset, matching=(column, values))
        if dataset in self._changes:
            rows = self._changes[dataset](rows)
        return rows[rows[column].isin(list(values))]

    def names_had(self) -> Mapping[str, Sequence[str]]:
        """Return area code -> the names it had, in order; what it is called now may be among them."""
        if self._database is None:
            return {}
        query = "SELECT code, name FROM grids.area GROUP BY code, name ORDER BY code, max(valid_from) DESC, name"
        with self._database.connect(read_only=True) as connection:
            rows = read_rows(connection, query)
        names: dict[str, list[str]] = {}
        for code, name in zip(rows["code"], rows["name"], strict=True):
            names.setdefault(code, []).append(name)
        return names

    def expect(self, dataset: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        """Answer for `dataset` with what `change` makes of its rows, from now on."""
        self._changes[dataset] = change

    def forget(self, dataset: str) -> None:
        """Read `dataset` from the database when it is next asked for."""
        self._frames.pop(dataset, None)
        self._changes.pop(dataset, None)


@dataclass(frozen=True, kw_only=True)
class Correction:
    """Which refused rows are judged anew: corrected ones alone, not a whole delivery."""

    builds: tuple[int, ...]
    """The build that refused them, and those that loaded others of its rows corrected."""
    claims: "pd.Series[bool]"
    """True for rows whose code must be free: it was changed, or had been used twice."""

    def brought(self, live: pd.DataFrame) -> "pd.Series[bool]":
        """Return which live rows came by the same delivery."""
        return live["build_id"].isin(self.builds)


@dataclass(frozen=True, kw_only=True)
class BuildContext:
    """What a build knows besides the rows themselves."""

    workspace: Workspace
    database: Database
    crs: CityCrs
    profile: Profile
    as_of: date
    delivery: Delivery
    references: References = field(repr=False)
    """Areas, grids, units … to judge rows against."""
    findings: tuple[FileFinding, ...] = field(default=(), repr=False)
    """What reading found out about single values of the rows that are judged."""
    corrects: Correction | None = None
    """Set where corrected rows are judged alone: what is said of a delivery as a whole is not."""
    scratch: Path | None = None
    """Folder for what does not fit into memory, as long as the build runs; None: all must."""
    merges: bool = False
    """What is judged is merged with what is live, by one that knows the history of each component."""

    def unit_directory(self) -> UnitDirectory:
        """Return the units that will hold, confirmed spellings among their aliases."""
        return read_directory(self.rows("units"), confirmed=self.references.confirmed_names())

    def rows(self, dataset: str) -> pd.DataFrame:
        """Return the rows of `dataset` that will hold when this delivery is published."""
        return self.references.get(dataset)

    def features(self, dataset: str) -> gpd.GeoDataFrame:
        """Return the same as a GeoDataFrame in the city's CRS, for datasets with geometry."""
        frame = self.references.get(dataset)
        if not isinstance(frame, gpd.GeoDataFrame):
            msg = f"{dataset} has no geometry"
            raise TypeError(msg)
        return frame
