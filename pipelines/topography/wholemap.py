"""The rules that look at the whole map, by how they are looked for and when."""

from collections.abc import Callable

import geopandas as gpd

from gis.faults import Faults
from pipelines.context import BuildContext
from pipelines.topography import between, coverage, dangles, relief, roads, shapes
from pipelines.topography.maprows import MapRows, map_rows

Check = Callable[[MapRows], None]

WHOLE: tuple[tuple[Check, tuple[str, ...]], ...] = (
    (shapes.check_near_repeats, ("TP21",)),
    (shapes.check_overlaps, ("TP22",)),
    (dangles.check_dangles, ("TP27", "TP28", "TP29", "TP30", "TP51", "TP52")),
    (relief.check_relief, ("TP33", "TP34", "TP35", "TP36", "TP37")),
    (between.check_between, ("TP40", "TP41", "TP42", "TP43", "TP44", "TP45", "TP47")),
    (roads.check_roads, ("TP50", "TP51", "TP53", "TP54")),
)
"""How they are looked for, and their rules; `wanmi topography check` looks for all of them."""


def check_single(
    table: gpd.GeoDataFrame, faults: Faults, context: BuildContext, *, repeats: bool
) -> None:
    """Record what is wrong with the shapes of features, each by itself, and shapes that come twice."""
    limits = context.profile.topography
    if repeats:
        shapes.check_repeats(map_rows(table, faults, limits))
    rows = map_rows(table, faults, limits)
    shapes.check_lines(rows)
    shapes.check_spikes(rows)


def check_whole(
    table: gpd.GeoDataFrame, faults: Faults, context: BuildContext, *, only_errors: bool = False
) -> None:
    """Record what is wrong with features beside each other.

    Parameters
    ----------
    table : geopandas.GeoDataFrame
        Rows as they would be loaded, see `maprows.map_rows`.
    faults : Faults
        Of the frame that they come from.
    context : BuildContext
        City and areas.
    only_errors : bool
        Look only for what refuses a row in this city.
    """
    rows = map_rows(table, faults, context.profile.topography)
    wanted = "error" if only_errors else "any"
    for look, rules in WHOLE:
        if _is_wanted(rules, faults, wanted):
            look(rows)
    areas = context.features("areas")
    if _is_wanted(("TP46",), faults, wanted):
        between.check_boundaries(rows, areas)
    if _is_wanted(("TP60",), faults, wanted):
        coverage.check_coverage(rows, coverage.ground_of(areas))


def _is_wanted(rules: tuple[str, ...], faults: Faults, wanted: str) -> bool:
    severities = {faults.severity(rule) for rule in rules}
    return "error" in severities if wanted == "error" else bool(severities - {"off"})
