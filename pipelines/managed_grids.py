"""Sets of unit grids: what the datasets ``management_grids`` and ``evaluation_grids`` have in common."""

import geopandas as gpd
import pandas as pd

from census.survey import read_dates
from census.units import UnitDirectory
from gis.builds import Scope
from gis.codes import read_rules
from gis.faults import Faults, Outcome
from gridding.numbering import used_codes
from gridding.trades.carrying import CARRIED, Carriage, carry, report_changes
from gridding.trades.delivered import MANAGEMENT, Sort, read_delivered
from gridding.trades.judging import FindUnit, Surroundings, judge, standing_rows
from gridding.trades.trade import Trade, local_trade
from pipelines.context import BuildContext
from pipelines.values import text_of

RULES = read_rules("gridding.trades")
_MADE = ("divided", "edited")
_DELIVERED = "delivered"


def judge_sets(frame: pd.DataFrame, context: BuildContext, *, sort: Sort) -> Outcome:
    """Judge delivered sets of unit grids, and carry the live ones along if unit grids change.

    What is carried is only what a delivery leaves standing. Its rows bear rule 16, a warning.
    """
    live = context.features(sort.dataset)
    rows = read_delivered(
        pd.DataFrame(frame), sort=sort, text_of=text_of, local=local_trades(context)
    )
    faults = Faults(rows.drop(columns="said"), rules=RULES)
    updating = _updating(context, sort)
    accepted = judge(
        rows,
        faults,
        sort=sort,
        surroundings=Surroundings(
            grids=context.features("unit_grids"),
            closed=_closed(context),
            area_codes=frozenset(context.rows("areas")["code"]),
            live=live,
            updating=updating,
            sets=_sets(context, sort),
            find_unit=finder(context.unit_directory()),
        ),
    )
    accepted = _completed(accepted, frame, live, context)
    delivered = rows.assign(members=accepted["members"].reindex(rows.index))
    delivered["members"] = [
        list(codes) if isinstance(codes, list) else [] for codes in delivered["members"]
    ]
    stays = standing_rows(delivered, live, sort=sort, updating=updating)
    carriage = carry(gpd.GeoDataFrame(stays), context.features("unit_grids"), sort=sort)
    return _joined(accepted, faults.outcome().faults, carriage, sort)


def local_trades(context: BuildContext) -> list[Trade]:
    """Return the trades that the city profile adds."""
    return [
        local_trade(entry.name, letters=entry.letters) for entry in context.profile.extension_trade
    ]


def finder(directory: UnitDirectory) -> FindUnit:
    """Return what finds a unit by code, name or alias: the one that answers today.

    Examples
    --------
    >>> from census.units import read_directory
    >>> units = pd.DataFrame({"code": ["U1"], "name": ["环卫处"]})
    >>> find = finder(read_directory(units))
    >>> find(None, "环卫处"), find("U9", None)
    (('U1', '环卫处'), (None, None))
    """

    def find(code: str | None, name: str | None) -> tuple[str | None, str | None]:
        found = directory.find(code, name).code
        if found is None:
            return None, None
        current = directory.current(found)
        return current, directory.names[current]

    return find


def _updating(context: BuildContext, sort: Sort) -> frozenset[str]:
    return frozenset(
        context.delivery.source_name(layer, path)
        for layer in context.delivery.layers_of(sort.dataset)
        if layer.mode == "update"
        for path in layer.files
    )


def _closed(context: BuildContext) -> frozenset[str]:
    """Return every code that a unit grid ever bore; nothing where there is no database to ask."""
    return frozenset(used_codes(context.database)) if context.database.url else frozenset()


def _sets(context: BuildContext, sort: Sort) -> dict[str, list[str]]:
    """Return management grids by code: an evaluation grid may be made of them."""
    if sort is MANAGEMENT:
        return {}
    rows = context.rows(MANAGEMENT.dataset)
    return dict(zip(rows["code"], rows["members"], strict=True))


def _completed(
    accepted: gpd.GeoDataFrame, frame: pd.DataFrame, live: pd.DataFrame, context: BuildContext
) -> gpd.GeoDataFrame:
    """Add origin and initial date: the delivered one, else that of the live row, else the day."""
    said = text_of(frame, "origin").reindex(accepted.index)
    date = read_dates(text_of(frame, "initial_date").reindex(accepted.index))
    before = live.set_index("code")["initial_date"].to_dict() if len(live) else {}
    return accepted.assign(
        origin=said.where(said.isin(_MADE), _DELIVERED).astype(object),
        initial_date=[
            day if day is not None and day == day else before.get(code, context.as_of)
            for day, code in zip(date, accepted["code"], strict=True)
        ],
    )


def _joined(
    accepted: gpd.GeoDataFrame, faults: pd.DataFrame, carriage: Carriage, sort: Sort
) -> Outcome:
    """Return the delivered and the carried rows; the carried ones came from no file of this delivery."""
    if not carriage.changes.empty:
        changes = report_changes(carriage, sort=sort)
        faults = changes if faults.empty else pd.concat([faults, changes], ignore_index=True)
    if carriage.rows.empty:
        return Outcome(accepted=accepted, faults=faults)
    rows = carriage.rows[list(accepted.columns.intersection(carriage.rows.columns))]
    rows = rows.assign(source_file=None, source_row=None)
    both = [part for part in (accepted, rows) if len(part)]
    return Outcome(
        accepted=gpd.GeoDataFrame(
            pd.concat(both, ignore_index=True), geometry="geometry", crs=rows.crs
        ),
        faults=faults,
    )


def scope_of(accepted: pd.DataFrame, context: BuildContext, *, sort: Sort) -> Scope:
    """Replace the series delivered in the districts delivered; carried rows close nothing."""
    live = context.rows(sort.dataset)
    delivered = accepted[accepted["origin"].ne(CARRIED)]
    stays = standing_rows(delivered, live, sort=sort)
    known = set(context.rows("unit_grids")["code"])
    emptied = [not known.intersection(codes) for codes in live["members"]]
    ends = ~live["code"].isin(stays["code"]) | pd.Series(emptied, index=live.index, dtype=bool)
    return Scope.matching("code", sorted(live.loc[ends, "code"]))
