"""Which delivered feature is which live one, and whether anything about it changed."""

from collections.abc import Iterable, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from pipelines.topography.assembly import PIECES
from pipelines.topography.edges import Floats, Geometries, Positions

_NEAR_M = 5.0
"""Beyond this an identifier of another class, or one numbered by sheet, is of another thing."""
_SHARE = 0.5
"""Share of ground or length that two features have in common from which on they are the same."""


def find_pairs(
    delivered: gpd.GeoDataFrame,
    live: gpd.GeoDataFrame,
    *,
    reach_m: float,
    are_local: bool,
) -> Positions:
    """Return for each delivered feature the position of the live one that it is, -1: it is new.

    By identifier, its own or that of one of its pieces; else the one of its class with most ground or
    length in common, at least half, for points the nearest within reach. One to one.

    Parameters
    ----------
    delivered, live : geopandas.GeoDataFrame
        Rows of topography, metres.
    reach_m : float
        Lines and points no farther apart than this lie at one place.
    are_local : bool
        Identifiers are numbered by sheet, so that one alone proves little.
    """
    result = np.full(len(delivered), -1, dtype=np.intp)
    if len(delivered) == 0 or len(live) == 0:
        return result
    one, other = delivered.geometry.to_numpy(), live.geometry.to_numpy()
    taken = np.zeros(len(live), dtype=bool)
    for mine, theirs in _by_code(delivered, live):
        if result[mine] >= 0 or taken[theirs]:
            continue
        if shapely.get_dimensions(one[mine]) != shapely.get_dimensions(other[theirs]):
            continue
        same_class = delivered["feature_class"].iat[mine] == live["feature_class"].iat[theirs]
        is_sure = same_class and not are_local
        if is_sure or shapely.dwithin(one[mine], other[theirs], _NEAR_M):
            result[mine], taken[theirs] = theirs, True
    rest, free = np.flatnonzero(result < 0), np.flatnonzero(~taken)
    a, b, share = _by_place(delivered.iloc[rest], live.iloc[free], reach_m)
    codes = live["code"].to_numpy(dtype=object)[free[b]].astype(str)
    own = delivered["code"].to_numpy(dtype=object)[rest[a]].astype(str)
    for place in np.lexsort((own, codes, -np.round(share, 6))).tolist():
        first, second = int(rest[a[place]]), int(free[b[place]])
        if result[first] < 0 and not taken[second]:
            result[first], taken[second] = second, True
    return result


def _by_code(delivered: gpd.GeoDataFrame, live: gpd.GeoDataFrame) -> Iterable[tuple[int, int]]:
    """Yield pairs with an identifier in common: those of the features first, then those of pieces."""
    whole = {str(code): place for place, code in enumerate(live["code"])}
    parts: dict[str, int] = {}
    for place, attributes in enumerate(live["attributes"]):
        for code in piece_codes(attributes):
            parts.setdefault(code, place)
    for known in (whole, parts):
        for place, (code, attributes) in enumerate(
            zip(delivered["code"], delivered["attributes"], strict=True)
        ):
            for name in (str(code), *piece_codes(attributes)):
                if name in known:
                    yield place, known[name]


def piece_codes(attributes: Mapping[str, Any]) -> list[str]:
    """Return the identifiers of the pieces that a feature was joined of.

    Examples
    --------
    >>> piece_codes({"pieces": {"A": ["1"], "B": ["2", "3"]}}), piece_codes({})
    (['1', '2', '3'], [])
    """
    pieces = attributes.get(PIECES)
    if not isinstance(pieces, dict):
        return []
    return [str(code) for codes in pieces.values() for code in codes]


def _by_place(
    delivered: gpd.GeoDataFrame, live: gpd.GeoDataFrame, reach_m: float
) -> tuple[Positions, Positions, Floats]:
    one, other = delivered.geometry.to_numpy(), live.geometry.to_numpy()
    if len(one) == 0 or len(other) == 0:
        nothing = np.zeros(0, dtype=np.intp)
        return nothing, nothing, np.zeros(0)
    a, b = shapely.STRtree(other).query(one, predicate="dwithin", distance=reach_m)
    kinds, live_kinds = delivered["feature_class"].to_numpy(), live["feature_class"].to_numpy()
    alike = (kinds[a] == live_kinds[b]) & (
        shapely.get_dimensions(one[a]) == shapely.get_dimensions(other[b])
    )
    a, b = a[alike].astype(np.intp), b[alike].astype(np.intp)
    share = common_share(one[a], other[b], reach_m=reach_m)
    most = share >= _SHARE
    return a[most], b[most], share[most]


def common_share(one: Geometries, other: Geometries, *, reach_m: float) -> Floats:
    """Return what pairs of one dimension have in common, as a share of both together or of the longer.

    Examples
    --------
    >>> pair = np.array([shapely.box(0, 0, 2, 1)]), np.array([shapely.box(1, 0, 2, 1)])
    >>> common_share(*pair, reach_m=0.1).tolist()
    [0.5]
    """
    dimension = shapely.get_dimensions(one)
    result = np.ones(len(one))
    lines, areas = dimension == 1, dimension == 2
    if areas.any():
        common = shapely.area(shapely.intersection(one[areas], other[areas]))
        both = shapely.area(one[areas]) + shapely.area(other[areas]) - common
        result[areas] = common / np.maximum(both, 1e-9)
    if lines.any():
        along = shapely.length(
            shapely.intersection(one[lines], shapely.buffer(other[lines], reach_m))
        )
        longer = np.maximum(shapely.length(one[lines]), shapely.length(other[lines]))
        result[lines] = along / np.maximum(longer, 1e-9)
    return result


def same_shape(one: Geometries, other: Geometries, within_m: Floats) -> NDArray[np.bool_]:
    """Return which pairs are nowhere farther apart than `within_m`, each way.

    Vertices more or fewer on the same line, and rings begun elsewhere, make no difference.

    Examples
    --------
    >>> one = np.array([shapely.LineString([(0, 0), (5, 0), (10, 0.01)])])
    >>> other = np.array([shapely.LineString([(10, 0), (0, 0)])])
    >>> same_shape(one, other, np.array([0.05])).tolist()
    [True]
    """
    if len(one) == 0:
        return np.zeros(0, dtype=bool)
    alike = shapely.get_dimensions(one) == shapely.get_dimensions(other)
    lines, others = _outlines(one), _outlines(other)
    result: NDArray[np.bool_] = alike & (
        shapely.hausdorff_distance(lines, others) <= within_m + 1e-9
    )
    return result


def _outlines(shapes: Geometries) -> Geometries:
    areas = shapely.get_dimensions(shapes) == 2
    result = shapes.copy()
    result[areas] = shapely.boundary(shapes[areas])
    return result


def changed_columns(delivered: Mapping[str, Any], live: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns and attributes in which a delivered row says something else.

    Examples
    --------
    >>> changed_columns(
    ...     {"feature_class": "430501", "name": "裕华路", "attributes": {"width_m": 30.0}},
    ...     {"feature_class": "430501", "name": None, "attributes": {"width_m": 24.0, "pieces": {}}},
    ... )
    ('name', 'width_m')
    """
    changed = [
        column
        for column in ("feature_class", "name")
        if _plain(delivered[column]) != _plain(live[column])
    ]
    mine, theirs = _told(delivered["attributes"]), _told(live["attributes"])
    changed += sorted(name for name in {*mine, *theirs} if mine.get(name) != theirs.get(name))
    return tuple(changed)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else None


def _told(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name != PIECES}
